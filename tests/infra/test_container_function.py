import json

import pytest

from infra.function_role import log_policy, trust_policy
from infra.function_variables import variables_of
from infra.grants import Grant
from infra.rules import ConfigError


def test_the_function_runs_with_the_settings_defaults(without_domain):
    function = without_domain.one("Function").inputs
    assert (function["packageType"], function["memorySize"], function["timeout"]) == ("Image", 512, 29)
    assert function["architectures"] == ["x86_64"]


def test_lambda_and_nobody_else_may_assume_the_role():
    assert trust_policy()["Statement"] == [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ]


def test_the_function_may_write_its_own_log_group_and_nothing_else(without_domain):
    arn = without_domain.one("LogGroup", "function-logs").outputs["arn"]
    policy = without_domain.one("RolePolicy").inputs["policy"]
    assert without_domain.count("RolePolicy") == 1
    assert json.loads(policy)["Statement"] == [
        {"Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": f"{arn}:*"}
    ]


def test_a_policy_names_the_streams_of_the_group_it_is_given():
    (statement,) = log_policy("arn:aws:logs:eu-west-1:1:log-group:/aws/lambda/x")["Statement"]
    assert statement["Resource"] == "arn:aws:logs:eu-west-1:1:log-group:/aws/lambda/x:*"


def test_logs_are_json_in_a_group_that_is_made_first_and_expires(without_domain):
    function = without_domain.one("Function")
    group = without_domain.one("LogGroup", "function-logs").inputs
    assert function.inputs["loggingConfig"] == {
        "logFormat": "JSON",
        "logGroup": "/aws/lambda/dualmode-dev",
        "applicationLogLevel": "INFO",
        "systemLogLevel": "INFO",
    }
    assert (group["name"], group["retentionInDays"]) == ("/aws/lambda/dualmode-dev", 14)
    assert {"LogGroup", "RolePolicy"} <= without_domain.made_after(function)


def test_a_published_version_is_served_by_the_alias_live(without_domain):
    alias = without_domain.one("Alias").inputs
    assert without_domain.one("Function").inputs["publish"] is True
    assert (alias["name"], alias["functionVersion"]) == ("live", "1")
    assert without_domain.outputs["live_version"] == "1"


def test_the_environment_is_secret_in_the_state(with_domain):
    assert with_domain.one("Function").inputs["environment"]["variables"] == "[secret]"
    assert "hunter2" not in repr(with_domain.resources)
    assert "hunter2" not in repr(with_domain.outputs)


def test_the_environment_reaches_the_function(program):
    deployed = program.deploy(environment={"GREETING": "hello", "LIMIT": 5})
    configuration = deployed.account.client("lambda").get_function_configuration(FunctionName="dualmode-dev")
    variables = configuration["Environment"]["Variables"]
    assert {name: variables[name] for name in ("GREETING", "LIMIT")} == {"GREETING": "hello", "LIMIT": "5"}


def test_the_function_is_told_which_api_may_send_it_requests(program):
    deployed = program.deploy()
    configuration = deployed.account.client("lambda").get_function_configuration(FunctionName="dualmode-dev")
    assert configuration["Environment"]["Variables"] == {"DUALMODE_API_ID": deployed.one("Api").id}


def test_variables_of_the_settings_and_of_each_grant_come_together():
    grants = [Grant(name="table", variables={"TABLE": "orders"}), Grant(name="queue", variables={"QUEUE": "mails"})]
    assert variables_of({"GREETING": "hello"}, grants) == {"GREETING": "hello", "TABLE": "orders", "QUEUE": "mails"}


@pytest.mark.parametrize(
    ("environment", "grants", "message"),
    [
        (
            {"TABLE": "mine"},
            [Grant(name="table", variables={"TABLE": "orders"})],
            "environment.TABLE is '...', but the grant table sets it as well: rename one of the two.",
        ),
        (
            {},
            [Grant(name="table", variables={"NAME": "orders"}), Grant(name="queue", variables={"NAME": "mails"})],
            "environment.NAME is '...', but the grant queue sets it as well: rename one of the two.",
        ),
        (
            {},
            [Grant(name="table", variables={"AWS_REGION": "eu-west-1"})],
            "environment.AWS_REGION is '...', but Lambda sets that variable itself: rename it.",
        ),
        (
            # {"AA":"...","BB":"..."} has 17 bytes beside the two texts.
            {"AA": "a" * 2000},
            [Grant(name="table", variables={"BB": "b" * 2080})],
            "environment is 4097 bytes of names and values, but Lambda takes 4096: "
            "keep long values in a file or a store, and set only where they are.",
        ),
    ],
)
def test_variables_that_a_function_cannot_have_together_are_refused(environment, grants, message):
    with pytest.raises(ConfigError) as refusal:
        variables_of(environment, grants)
    assert str(refusal.value) == message
