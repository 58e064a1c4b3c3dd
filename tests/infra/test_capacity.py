"""Capacity and tracing under the real engine: turned on, changed and turned off again, as the account has it."""

import json

import pytest

from sandbox.errors import SandboxError, SettingsError
from tests.support.provided import copy_program, push_image
from tests.support.pulumi_command import needs_pulumi

pytestmark = needs_pulumi
NAME = "dualmode-dev"
OFF = {
    "reserved": None,
    "provisioned": None,
    "SnapStart": "None",
    "EphemeralStorage": {"Size": 512},
    "TracingConfig": {"Mode": "PassThrough"},
    "levels": ("INFO", "INFO"),
    "traces": None,
}


def capacity(account):
    """What the alias and the version that it leads to have, and what the role may send to X-Ray."""
    functions, iam = account.client("lambda"), account.client("iam")
    version = functions.get_alias(FunctionName=NAME, Name="live")["FunctionVersion"]
    found = functions.get_function_configuration(FunctionName=NAME, Qualifier=version)
    (role,) = iam.list_roles()["Roles"]
    policies = iam.list_role_policies(RoleName=role["RoleName"])["PolicyNames"]
    (traces, *_) = [name for name in policies if name.startswith("function-tracing")] or [None]
    return {
        "reserved": functions.get_function_concurrency(FunctionName=NAME).get("ReservedConcurrentExecutions"),
        "provisioned": provisioned(functions),
        "SnapStart": found["SnapStart"]["ApplyOn"],
        "EphemeralStorage": found["EphemeralStorage"],
        "TracingConfig": found["TracingConfig"],
        "levels": (found["LoggingConfig"]["ApplicationLogLevel"], found["LoggingConfig"]["SystemLogLevel"]),
        "traces": traces
        and iam.get_role_policy(RoleName=role["RoleName"], PolicyName=traces)["PolicyDocument"]["Statement"],
    }


def provisioned(functions):
    try:
        found = functions.get_provisioned_concurrency_config(FunctionName=NAME, Qualifier="live")
    except functions.exceptions.ProvisionedConcurrencyConfigNotFoundException:
        return None
    return found["RequestedProvisionedConcurrentExecutions"], found["Status"]


def test_capacity_is_turned_on_changed_and_turned_off_again(stack, account):
    image = push_image(account)
    stack(imageUri=image).up()
    seen = [capacity(account)]
    for chosen in (
        {
            "reservedConcurrency": 5,
            "provisionedConcurrency": 2,
            "ephemeralStorage": 1024,
            "tracing": True,
            "logLevel": "ERROR",
        },
        {"reservedConcurrency": 6, "provisionedConcurrency": 3, "memorySize": 1024, "logLevel": "DEBUG"},
        {"snapStart": True},
        {},
    ):
        stack(imageUri=image, **chosen).up()
        seen.append(capacity(account))
    traces = [
        {"Effect": "Allow", "Action": ["xray:PutTraceSegments", "xray:PutTelemetryRecords"], "Resource": "*"},
    ]
    assert seen == [
        OFF,
        {
            "reserved": 5,
            "provisioned": (2, "READY"),
            "SnapStart": "None",
            "EphemeralStorage": {"Size": 1024},
            "TracingConfig": {"Mode": "Active"},
            "levels": ("ERROR", "INFO"),
            "traces": traces,
        },
        {**OFF, "reserved": 6, "provisioned": (3, "READY"), "levels": ("DEBUG", "DEBUG")},
        {**OFF, "SnapStart": "PublishedVersions"},
        OFF,
    ]
    assert set(stack(imageUri=image).up()) == {"same"}


def scaling(account):
    """The environments of the alias, what they are scaled between, and what is tracked."""
    client = account.client("application-autoscaling")
    targets = client.describe_scalable_targets(ServiceNamespace="lambda")["ScalableTargets"]
    policies = client.describe_scaling_policies(ServiceNamespace="lambda")["ScalingPolicies"]
    return {
        "environments": provisioned(account.client("lambda"))[0],
        "targets": [(each["ResourceId"], each["MinCapacity"], each["MaxCapacity"]) for each in targets],
        "tracked": [each["TargetTrackingScalingPolicyConfiguration"] for each in policies],
    }


def test_target_tracking_may_change_the_environments_until_it_is_turned_off(stack, account):
    def scale(number):  # as target tracking does
        alias = {"FunctionName": NAME, "Qualifier": "live"}
        account.client("lambda").put_provisioned_concurrency_config(**alias, ProvisionedConcurrentExecutions=number)

    image = push_image(account)
    tracked = {"imageUri": image, "provisionedConcurrency": 2, "provisionedConcurrencyMax": 5}
    stack(**tracked).up()
    seen = [scaling(account)]
    scale(4)
    stack(**tracked, memorySize=1024).up(refresh=True)
    seen.append(scaling(account))
    scale(5)
    stack(imageUri=image, provisionedConcurrency=4).up()  # as many as Pulumi's state has
    seen.append(scaling(account))
    metric = {"PredefinedMetricType": "LambdaProvisionedConcurrencyUtilization"}
    on = {
        "environments": 2,
        "targets": [(f"function:{NAME}:live", 2, 5)],
        "tracked": [{"TargetValue": 0.7, "DisableScaleIn": False, "PredefinedMetricSpecification": metric}],
    }
    assert seen == [on, {**on, "environments": 4}, {"environments": 4, "targets": [], "tracked": []}]


def test_a_share_of_the_requests_waits_until_provisioned_concurrency_is_removed(stack, account):
    image = push_image(account)
    stack(imageUri=image, provisionedConcurrency=2).up()
    before = account.client("lambda").get_alias(FunctionName=NAME, Name="live")
    shared = {"imageUri": image, "memorySize": 1024, "liveVersion": 1, "canaryPercent": 10}
    with pytest.raises(SettingsError) as caught:
        stack(**shared).up()
    assert str(caught.value) == (
        "canaryPercent is 10, but the alias has provisioned concurrency until an update has removed it: "
        "run `pulumi up` without canaryPercent first."
    )
    assert account.client("lambda").get_alias(FunctionName=NAME, Name="live")["RevisionId"] == before["RevisionId"]
    stack(imageUri=image, memorySize=1024, liveVersion=1).up()
    stack(**shared).up()
    alias = account.client("lambda").get_alias(FunctionName=NAME, Name="live")
    assert (alias["FunctionVersion"], alias["RoutingConfig"]["AdditionalVersionWeights"]) == ("1", {"2": 0.1})


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            '"Action": list(TRACE_ACTIONS)',
            '"Action": TRACE_ACTIONS[1]',
            "The provided execution role does not have permissions to call PutTraceSegments on XRAY",
        ),
        (
            "qualifier=alias.name",
            'qualifier="$LATEST"',
            "$LATEST can't have provisioned concurrency",
        ),
    ],
)
def test_what_aws_would_refuse_of_the_program_is_refused(stack, account, tmp_path, old, new, sentence):
    folder = copy_program(tmp_path, "infra/capacity.py", old, new)
    with pytest.raises(SandboxError) as caught:
        stack(folder, imageUri=push_image(account), tracing=True, provisionedConcurrency=1).up()
    assert sentence in str(caught.value)


def test_tracing_that_aws_refused_is_said_and_read_again_by_a_refresh(stack, account, tmp_path):
    image = push_image(account)
    stack(imageUri=image).up()
    broken = copy_program(tmp_path, "infra/capacity.py", '"Action": list(TRACE_ACTIONS)', '"Action": TRACE_ACTIONS[1]')
    with pytest.raises(SandboxError, match="PutTraceSegments on XRAY"):
        stack(broken, imageUri=image, tracing=True).up()
    with pytest.raises(SandboxError) as caught:
        stack(imageUri=image, tracing=True).up()
    assert str(caught.value) == (
        "Version 1 of the function doesn't have the tracing that was deployed, because AWS refused an update before: "
        "run `pulumi up --refresh`, which reads what AWS has and tries again."
    )
    stack(imageUri=image, tracing=True).up(refresh=True)
    assert capacity(account)["TracingConfig"] == {"Mode": "Active"}


def test_the_policy_of_a_traced_function_is_there_before_it(program):
    deployed = program.deploy(tracing=True)
    policy = deployed.one("RolePolicy", "function-tracing")
    assert policy.urn in deployed.one("Function").dependencies
    assert json.loads(policy.inputs["policy"])["Version"] == "2012-10-17"
