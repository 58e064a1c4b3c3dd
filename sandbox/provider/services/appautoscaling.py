"""Application Auto Scaling: targets and target tracking of Lambda's provisioned concurrency.

Source: hashicorp/terraform-provider-aws, internal/service/appautoscaling/{target,policy}.go; `RegisterScalableTarget`
and `PutScalingPolicy`, Application Auto Scaling API Reference.
"""

import re

from sandbox.provider.aws import Values
from sandbox.provider.blocks import Block
from sandbox.provider.call import Call, parameters
from sandbox.provider.fields import Field, Output, unsupported
from sandbox.provider.forms import ANYTHING, TEXTS
from sandbox.provider.refusals import ResourceRefusedError, or_none
from sandbox.provider.resource_type import ResourceType
from sandbox.provider.tags import Tags

_NAMESPACE, _DIMENSION = "lambda", "lambda:function:ProvisionedConcurrency"
_METRIC = "LambdaProvisionedConcurrencyUtilization"
_RESOURCE = re.compile(r"function:([^:]+):([^:]+)")
_LAMBDA_ALONE = "{value} is not in the sandbox, which scales provisioned concurrency alone: {allowed}"

_WHICH = (
    Field("resourceId", required=True),
    Field("scalableDimension", required=True, allowed=(_DIMENSION,), not_allowed=_LAMBDA_ALONE),
    Field("serviceNamespace", required=True, allowed=(_NAMESPACE,), not_allowed=_LAMBDA_ALONE),
)


class Target(ResourceType):
    """`aws.appautoscaling.Target`."""

    pulumi_type = "aws:appautoscaling/target:Target"
    service = "application-autoscaling"
    fields = (
        Field("maxCapacity", required=True),
        Field("minCapacity", required=True),
        *_WHICH,
        Field("roleArn", computed=True),
        Field(
            "suspendedState",
            form=Block(
                Field("dynamicScalingInSuspended", filled=False),
                Field("dynamicScalingOutSuspended", filled=False),
                Field("scheduledScalingSuspended", filled=False),
            ),
            computed=True,
        ),
        Output("arn", "ScalableTargetARN"),
    )
    tags = Tags("{arn}")
    replace_on_changes = frozenset({"resourceId", "scalableDimension", "serviceNamespace"})
    create_call = Call("RegisterScalableTarget")
    identity = "{resourceId}"
    identified_by = parameters(
        ServiceNamespace=_NAMESPACE, ScalableDimension=_DIMENSION, ResourceId="{id}", ResourceIds=["{id}"]
    )
    read_calls = (Call("DescribeScalableTargets", "ScalableTargets[0]"),)
    update_calls = (Call("RegisterScalableTarget"),)
    delete_call = Call("DeregisterScalableTarget")

    def limits(self, wanted: Values) -> list[tuple[str, str]]:
        """Refuse bounds that nothing is between, and what is not an alias or a version."""
        least, most, resource = wanted["minCapacity"], wanted["maxCapacity"], wanted["resourceId"]
        if isinstance(least, int) and least < 0:
            return [("minCapacity", f"{least} is below 0")]
        if isinstance(least, int) and isinstance(most, int) and most < least:
            return [("maxCapacity", f"{most} is less than minCapacity, which is {least}")]
        if isinstance(resource, str) and (not _RESOURCE.fullmatch(resource) or resource.endswith(":$LATEST")):
            return [("resourceId", f"{resource} is not function:NAME:ALIAS or function:NAME:VERSION")]
        return []

    def check_references(self, wanted: Values, identity: str) -> None:
        """Refuse an alias or a version that doesn't exist."""
        _, name, qualifier = wanted["resourceId"].split(":")
        functions = self.aws.client("lambda")
        if or_none(lambda: functions.get_function(FunctionName=name, Qualifier=qualifier)) is None:
            raise ResourceRefusedError("ValidationException", f"there is no function {name}:{qualifier}", "resourceId")


class Policy(ResourceType):
    """`aws.appautoscaling.Policy`, of target tracking: Lambda takes no other."""

    pulumi_type = "aws:appautoscaling/policy:Policy"
    service = "application-autoscaling"
    fields = (
        Field("name", "PolicyName", required=True),
        Field("policyType", default="StepScaling", allowed=("TargetTrackingScaling",)),
        *_WHICH,
        Field(
            "targetTrackingScalingPolicyConfiguration",
            form=Block(
                Field("targetValue", required=True),
                Field("disableScaleIn", default=False),
                *("scaleInCooldown", "scaleOutCooldown"),
                Field(
                    "predefinedMetricSpecification",
                    form=Block(Field("predefinedMetricType", required=True, allowed=(_METRIC,)), "resourceLabel"),
                ),
                *unsupported("customizedMetricSpecification", form=ANYTHING),
            ),
        ),
        *unsupported("stepScalingPolicyConfiguration", "predictiveScalingPolicyConfiguration", form=ANYTHING),
        Output("alarmArns", "Alarms[].AlarmARN", form=TEXTS),
        Output("arn", "PolicyARN"),
    )
    autonamed = "name"
    replace_on_changes = frozenset({"name", "resourceId", "scalableDimension", "serviceNamespace"})
    create_call = Call("PutScalingPolicy")
    identity = "{name}"
    identified_by = parameters(
        ServiceNamespace=_NAMESPACE,
        ScalableDimension=_DIMENSION,
        ResourceId="{resourceId}",
        PolicyName="{id}",
        PolicyNames=["{id}"],
    )
    read_calls = (Call("DescribeScalingPolicies", "ScalingPolicies[0]"),)
    update_calls = (Call("PutScalingPolicy"),)
    delete_call = Call("DeleteScalingPolicy")

    def limits(self, wanted: Values) -> list[tuple[str, str]]:
        """Refuse a policy that tracks nothing; Lambda has no step scaling, which is the default of the type."""
        if wanted["policyType"] == "StepScaling":
            return [("policyType", "Lambda takes TargetTrackingScaling")]
        if wanted["targetTrackingScalingPolicyConfiguration"] is None:
            return [("targetTrackingScalingPolicyConfiguration", "is missing")]
        return []
