"""What there is from the last `pulumi up`, as Pulumi's state has it: AWS isn't asked."""

import pulumi

OUTPUTS = "pulumi:pulumi:readStackResourceOutputs"
"""What a stack reference asks Pulumi itself. Source: pulumi/pulumi, pkg/resource/deploy/builtins.go."""

OWN_STORAGE = "organization"
"""The organization of every stack whose state isn't in Pulumi Cloud. Source: "Managing state and backend options"."""


def is_there(resource_type: str) -> bool:
    """Says whether the stack has a resource of this type, such as `aws:sns/topic:Topic`."""
    organization, stack = pulumi.get_organization(), pulumi.get_stack()
    name = stack if organization == OWN_STORAGE else f"{organization}/{pulumi.get_project()}/{stack}"
    found = pulumi.runtime.invoke(OUTPUTS, {"stackName": name}).value["outputs"]
    return any(resource["type"] == resource_type for resource in found.values())
