"""Systems Manager: parameters.

Source: hashicorp/terraform-provider-aws, internal/service/ssm/parameter.go.
"""

from sandbox.provider.call import Call, parameters
from sandbox.provider.fields import Field, Output, unsupported
from sandbox.provider.forms import INTEGER, TEXT
from sandbox.provider.resource_type import ResourceType
from sandbox.provider.tags import Tags


class Parameter(ResourceType):
    """`aws.ssm.Parameter`."""

    pulumi_type = "aws:ssm/parameter:Parameter"
    service = "ssm"
    fields = (
        Field("name", required=True),
        Field("type", required=True),
        Field("value", required=True),
        "allowedPattern",
        Field("arn", "", answer="ARN", supported=False),
        Field("dataType", filled="text"),
        "description",
        Field("keyId", computed=True),
        Field("overwrite", echoed=True),
        Field("tier", filled="Standard"),
        *unsupported("insecureValue", "valueWo", form=TEXT),
        *unsupported("valueWoVersion", form=INTEGER),
        Output("hasValueWo", "HasValueWo", filled=False),
        Output("version", "Version", unknown_after_update=True),
    )
    tags = Tags(
        "{id}",
        tag="AddTagsToResource",
        untag="RemoveTagsFromResource",
        also=parameters(ResourceType="Parameter"),
    )
    autonamed = "name"
    replace_on_changes = frozenset({"name"})
    create_call = Call("PutParameter")
    identity = "{name}"
    identified_by = parameters(Name="{id}")
    read_calls = (
        Call("GetParameter", "Parameter", WithDecryption=True),
        Call("DescribeParameters", "Parameters[0]", ParameterFilters=[{"Key": "Name", "Values": ["{id}"]}]),
    )
    update_calls = (Call("PutParameter", Overwrite=True),)
    delete_call = Call("DeleteParameter")
