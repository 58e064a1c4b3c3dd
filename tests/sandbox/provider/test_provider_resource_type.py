import pytest

from sandbox.ministack import MiniStack
from sandbox.provider.aws import Aws
from sandbox.provider.call import Call
from sandbox.provider.inputs import Inputs
from sandbox.provider.refusals import ResourceRefusedError
from sandbox.provider.resource_type import Reference
from sandbox.provider.services.apigateway_api import Stage
from sandbox.provider.services.cloudfront_distribution import Distribution
from sandbox.provider.services.lambda_function import Function
from sandbox.provider.services.sns import Topic
from sandbox.provider.tags import Tags
from tests.support.provided import ContentBuilder
from walk.account import Account


class NamedAfterParameter(Topic):
    """A type whose name must be that of a parameter, in another service."""

    references = (Reference("name", Call("GetParameter", Name="{name}"), "ssm"),)


class TagsOfTheirOwn(Tags):
    def member(self, shape):
        return None


class TaggedLater(Topic):
    """A type whose creation takes no tags."""

    tags = TagsOfTheirOwn("{arn}")


@pytest.fixture(scope="module")
def aws(tmp_path_factory):
    with MiniStack(tmp_path_factory.mktemp("aws")) as ministack:
        account = Account(ministack.endpoint_url, ministack.region, ministack.credentials)
        yield Aws(account, ContentBuilder(), tmp_path_factory.mktemp("project"))


def test_an_input_that_names_what_does_not_exist_is_refused_and_one_that_does_is_taken(aws):
    named = NamedAfterParameter(aws)
    with pytest.raises(ResourceRefusedError) as caught:
        named.check_references({"name": "greeting"}, "")
    assert (caught.value.code, caught.value.reason, caught.value.property_path) == (
        "InvalidParameterValueException",
        "name is greeting, which doesn't exist",
        "name",
    )
    aws.client("ssm").put_parameter(Name="greeting", Type="String", Value="hello")
    named.check_references({"name": "greeting"}, "")


def test_tags_that_a_creation_does_not_take_are_given_after_it(aws):
    tagged = TaggedLater(aws)
    wanted = tagged.read_inputs(Inputs({"name": "bell", "tags": {"a": "b"}}))
    assert "Tags" not in tagged.create_request(wanted)
    arn = tagged.create(wanted)
    assert aws.client("sns").list_tags_for_resource(ResourceArn=arn)["Tags"] == [{"Key": "a", "Value": "b"}]


ORIGIN = {"originId": "api", "domainName": "api.example.com"}
FILLED = {**ORIGIN, "originPath": "", "connectionAttempts": 3, "connectionTimeout": 10, "customHeaders": []}
ONE, OTHER = ({"routeKey": key, "throttlingBurstLimit": 5, "throttlingRateLimit": 1} for key in ("GET /", "GET /a"))
METRICS = {"detailedMetricsEnabled": False}


@pytest.mark.parametrize(
    ("resource_type", "name", "given", "found", "same"),
    [
        (Function, "loggingConfig", {"logFormat": "JSON"}, {"logFormat": "JSON", "logGroup": "/aws/lambda/a"}, True),
        (Function, "loggingConfig", {"logFormat": "JSON"}, {"logFormat": "Text", "logGroup": "/aws/lambda/a"}, False),
        (Function, "imageConfig", {"commands": ["a"]}, {"commands": ["a"], "workingDirectory": ""}, True),
        (Function, "imageConfig", {"commands": ["a"]}, {"commands": ["a"], "workingDirectory": "/srv"}, False),
        (Function, "environment", {"variables": {"A": "1"}}, {"variables": {"A": "1"}}, True),
        (Function, "environment", {"variables": {"A": "1"}}, {"variables": {"A": "1", "B": "2"}}, False),
        (Distribution, "origins", [ORIGIN], [FILLED], True),
        (Distribution, "origins", [ORIGIN], [FILLED, FILLED], False),
        (Distribution, "origins", [ORIGIN], [{**FILLED, "customHeaders": [{"name": "a", "value": "b"}]}], False),
        (Distribution, "aliases", ["a.example.com"], ["b.example.com"], False),
        (Stage, "routeSettings", [OTHER, ONE], [ONE | METRICS, OTHER | METRICS], True),
        (Stage, "routeSettings", [ONE], [{**ONE, **METRICS, "throttlingBurstLimit": 6}], False),
        (Stage, "routeSettings", [ONE], [OTHER | METRICS], False),
    ],
)
def test_what_aws_adds_to_an_input_is_not_a_difference_and_all_else_is(aws, resource_type, name, given, found, same):
    assert resource_type(aws).equivalent(name, given, found) is same
