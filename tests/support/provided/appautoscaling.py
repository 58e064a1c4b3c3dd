from tests.support.provided.example import Example

UTILIZATION = {"predefinedMetricType": "LambdaProvisionedConcurrencyUtilization"}


def version(made):
    return {
        "resourceId": f"function:{made['Alias'].outputs['functionName']}:{made['Alias'].outputs['functionVersion']}",
        "scalableDimension": "lambda:function:ProvisionedConcurrency",
        "serviceNamespace": "lambda",
    }


EXAMPLES = (
    Example(
        pulumi_type="aws:appautoscaling/target:Target",
        inputs=lambda made: {**version(made), "minCapacity": 1, "maxCapacity": 3, "tags": {"a": "b"}},
        updates={"minCapacity": 2, "maxCapacity": 4, "tags": {"c": "d"}},
        replaces={"resourceId": "function:other:live"},
        gone="function:gone:live",
    ),
    Example(
        pulumi_type="aws:appautoscaling/policy:Policy",
        name="ScalingPolicy",
        inputs=lambda made: {
            **{key: made["Target"].outputs[key] for key in ("resourceId", "scalableDimension", "serviceNamespace")},
            "name": "utilization",
            "policyType": "TargetTrackingScaling",
            "targetTrackingScalingPolicyConfiguration": {
                "targetValue": 0.7,
                "predefinedMetricSpecification": UTILIZATION,
            },
        },
        updates={
            "targetTrackingScalingPolicyConfiguration": {
                "targetValue": 0.5,
                "scaleInCooldown": 60,
                "predefinedMetricSpecification": UTILIZATION,
            }
        },
        replaces={"name": "other"},
        valueless=frozenset({"alarmArns"}),  # AWS makes two
    ),
)
