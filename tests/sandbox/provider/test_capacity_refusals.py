"""What Lambda refuses of concurrency, snapshots, disk and tracing."""

import pytest

from sandbox.provider.refusals import InvalidInputsError, ResourceRefusedError
from tests.support.provided import Made

FUNCTION = "aws:lambda/function:Function"
ALIAS = "aws:lambda/alias:Alias"
TARGET = "aws:appautoscaling/target:Target"
POLICY = "aws:appautoscaling/policy:Policy"
PROVISIONED = "aws:lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig"


@pytest.fixture(scope="module")
def made(account, provider):
    return Made(provider, account)


@pytest.mark.parametrize(
    ("inputs", "path", "reason"),
    [
        (
            {"snapStart": {"applyOn": "PublishedVersions"}, "ephemeralStorage": {"size": 1024}},
            "snapStart",
            "SnapStart takes no function with more than 512 MB at /tmp",
        ),
        (
            {"reservedConcurrentExecutions": 901},
            "reservedConcurrentExecutions",
            "901 leaves fewer than 100 of the account's 1000 for other functions",
        ),
    ],
)
def test_a_function_outside_lambdas_limits_is_refused(made, provider, inputs, path, reason):
    with pytest.raises(InvalidInputsError) as caught:
        provider.check(FUNCTION, "web", {**made["Function"].inputs, **inputs})
    assert caught.value.failures == [(path, reason)]


def test_a_role_that_can_not_send_traces_is_refused(made, provider):
    function = made["Function"]
    with pytest.raises(ResourceRefusedError) as caught:
        provider.update(
            FUNCTION,
            "web",
            function.identity,
            function.outputs,
            {**function.inputs, "tracingConfig": {"mode": "Active"}},
        )
    assert str(caught.value) == (
        f"{FUNCTION} 'web' at role: InvalidParameterValueException: "
        "The provided execution role does not have permissions to call PutTraceSegments on XRAY"
    )


def test_what_can_not_have_provisioned_concurrency_is_refused(made, provider, account):
    inputs = {**made["Alias"].inputs, "name": "shared", "routingConfig": {"additionalVersionWeights": {"2": 0.1}}}
    function = made["Function"]
    snapped = {**function.inputs, "snapStart": {"applyOn": "PublishedVersions"}}
    provider.update(FUNCTION, "web", function.identity, function.outputs, snapped)
    provider.create(ALIAS, "shared", inputs)
    account.client("lambda").put_function_concurrency(FunctionName="web", ReservedConcurrentExecutions=5)

    def refused(qualifier, wanted=1):
        chosen = {"functionName": "web", "qualifier": qualifier, "provisionedConcurrentExecutions": wanted}
        with pytest.raises(ResourceRefusedError) as caught:
            provider.create(PROVISIONED, "warm", chosen)
        return caught.value.code, caught.value.reason

    invalid = "InvalidParameterValueException"
    assert refused("$LATEST") == (invalid, "$LATEST can't have provisioned concurrency: publish it")
    assert refused("gone") == ("ResourceNotFoundException", "Function not found: web:gone")
    assert refused("shared") == (
        invalid,
        "Provisioned Concurrency configs cannot be applied to an alias with weights",
    )
    assert refused("2") == (invalid, "Provisioned Concurrency is not supported with SnapStart")
    assert refused("1", 6) == (
        invalid,
        "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function, "
        "which is 5",
    )
    alias = made["Alias"]
    warm = provider.create(
        PROVISIONED, "warm", {"functionName": "web", "qualifier": "live", "provisionedConcurrentExecutions": 1}
    )
    weights = {"routingConfig": {"additionalVersionWeights": {"2": 0.1}}}
    with pytest.raises(ResourceRefusedError, match="Alias with weights can not be used with Provisioned Concurrency"):
        provider.update(ALIAS, "live", alias.identity, alias.outputs, {**alias.inputs, **weights})
    with pytest.raises(InvalidInputsError, match="must have value greater than or equal to 1"):
        provider.create(
            PROVISIONED,
            "warm",
            {**warm.inputs, "provisionedConcurrentExecutions": 0},
        )


@pytest.mark.parametrize(
    ("inputs", "path", "reason"),
    [
        ({"minCapacity": 4}, "maxCapacity", "3 is less than minCapacity, which is 4"),
        ({"minCapacity": -1}, "minCapacity", "-1 is below 0"),
        (
            {"resourceId": "function:web:$LATEST"},
            "resourceId",
            "function:web:$LATEST is not function:NAME:ALIAS or function:NAME:VERSION",
        ),
        (
            {"serviceNamespace": "ecs"},
            "serviceNamespace",
            "ecs is not in the sandbox, which scales provisioned concurrency alone: lambda",
        ),
    ],
)
def test_a_target_that_nothing_can_scale_is_refused(made, provider, inputs, path, reason):
    with pytest.raises(InvalidInputsError) as caught:
        provider.check(TARGET, "web", {**made["Target"].inputs, **inputs})
    assert caught.value.failures == [(path, reason)]


@pytest.mark.parametrize(
    ("inputs", "path", "reason"),
    [
        ({"policyType": None}, "policyType", "Lambda takes TargetTrackingScaling"),
        (
            {"targetTrackingScalingPolicyConfiguration": None},
            "targetTrackingScalingPolicyConfiguration",
            "is missing",
        ),
    ],
)
def test_a_policy_that_tracks_nothing_is_refused(made, provider, inputs, path, reason):
    with pytest.raises(InvalidInputsError) as caught:
        provider.check(POLICY, "web", {**made["ScalingPolicy"].inputs, **inputs})
    assert caught.value.failures == [(path, reason)]


def test_what_is_not_there_is_not_scaled(made, provider):
    gone = {"resourceId": "function:web:gone"}
    with pytest.raises(ResourceRefusedError) as caught:
        provider.create(TARGET, "gone", {**made["Target"].inputs, **gone})
    assert (caught.value.code, caught.value.reason) == ("ValidationException", "there is no function web:gone")
    with pytest.raises(ResourceRefusedError) as caught:
        provider.create(POLICY, "gone", {**made["ScalingPolicy"].inputs, **gone})
    assert (caught.value.code, caught.value.reason) == (
        "ObjectNotFoundException",
        "No scalable target registered for service namespace: lambda, resource ID: function:web:gone, "
        "scalable dimension: lambda:function:ProvisionedConcurrency",
    )


def test_a_target_brings_the_environments_within_its_bounds(made, provider, account):
    functions, target = account.client("lambda"), made["Target"]
    _, name, alias = target.outputs["resourceId"].split(":")

    def environments():
        found = functions.get_provisioned_concurrency_config(FunctionName=name, Qualifier=alias)
        return found["RequestedProvisionedConcurrentExecutions"]

    seen = [environments()]
    for bounds in ({"minCapacity": 2, "maxCapacity": 4}, {"minCapacity": 0, "maxCapacity": 1}):
        provider.update(TARGET, "web", target.identity, target.outputs, {**target.inputs, **bounds})
        seen.append(environments())
    assert seen == [1, 2, 1]
