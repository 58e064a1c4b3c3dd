"""The gateway's variables: what each is told when it is wrong, and what the function gets."""

import pytest

from dualmode.gateway.settings import SettingsError, settings_from
from tests.support.cases import case_param

# what Lambda sets for an image, beside its credentials and the address of the Runtime API
LAMBDAS_OWN = {
    "RUN_MODE": "lambda",
    "AWS_EXECUTION_ENV": "AWS_Lambda_Image",
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_LAMBDA_FUNCTION_NAME": "function",
    "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
    "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
    "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/function",
    "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
    "LAMBDA_TASK_ROOT": "/var/task",
    "TZ": ":UTC",
}


def settings(**environ):
    return settings_from({"LAMBDA_TASK_ROOT": "/var/task", **environ}, ["bootstrap"])


def test_without_any_variable_there_is_a_value_for_each():
    seen = settings()

    assert (seen.host, seen.port, seen.events_port, seen.workers) == ("0.0.0.0", 3000, 8080, 4)
    assert (seen.log_format, seen.system_log_level, seen.throttle) == ("Text", "DEBUG", None)
    assert (seen.events_hosts, seen.api_id) == (frozenset(), "dualmode00")
    assert (seen.http_api.header_limit_status, seen.http_api.integration_seconds) == (431, 30.0)
    assert seen.http_api.event.x_forwarded_for == "replace"
    assert (seen.http_api.result.status_code_string, seen.http_api.result.invalid_base64) == ("accept", "refuse")
    assert (seen.function.timeout, seen.function.memory_size, seen.function.init_timeout) == (29.0, 512, 10.0)
    assert seen.function.arn() == "arn:aws:lambda:us-east-1:123456789012:function:function"
    assert seen.function.bootstrap == ("bootstrap",)


def test_every_variable_is_read():
    seen = settings(
        GATEWAY_HOST="127.0.0.1",
        PORT="1",
        EVENTS_PORT="2",
        GATEWAY_EVENTS_HOSTS="app, Other.Example",
        DUALMODE_API_ID=" , a1b2c3d4e5,other",
        GATEWAY_WORKERS="3",
        GATEWAY_THROTTLE_RATE="0.5",
        GATEWAY_THROTTLE_BURST="7",
        GATEWAY_HEADER_LIMIT_STATUS="400",
        GATEWAY_X_FORWARDED_FOR="append",
        GATEWAY_STATUS_CODE_STRING="refuse",
        GATEWAY_INVALID_BASE64="verbatim",
        GATEWAY_SYSTEM_LOG_LEVEL="info",
        GATEWAY_ACCOUNT_ID="000000000000",
        AWS_LAMBDA_LOG_FORMAT="json",
        AWS_LAMBDA_FUNCTION_NAME="shop",
        AWS_LAMBDA_FUNCTION_VERSION="7",
        AWS_LAMBDA_FUNCTION_MEMORY_SIZE="1024",
        AWS_LAMBDA_FUNCTION_TIMEOUT="5",
        AWS_REGION="eu-west-1",
    )

    assert (seen.host, seen.port, seen.events_port, seen.workers) == ("127.0.0.1", 1, 2, 3)
    assert (seen.log_format, seen.system_log_level, seen.throttle) == ("JSON", "INFO", (0.5, 7))
    assert (seen.events_hosts, seen.api_id) == ({"app", "other.example"}, "a1b2c3d4e5")
    assert seen.http_api.header_limit_status == 400
    assert seen.http_api.event.x_forwarded_for == "append"
    assert (seen.http_api.result.status_code_string, seen.http_api.result.invalid_base64) == ("refuse", "verbatim")
    assert (seen.function.timeout, seen.function.memory_size, seen.function.version) == (5.0, 1024, "7")
    assert seen.function.arn("live") == "arn:aws:lambda:eu-west-1:000000000000:function:shop:live"


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("PORT", "http", "it must be a whole number from 0 to 65535."),
        ("PORT", "65536", "it must be a whole number from 0 to 65535."),
        ("EVENTS_PORT", "-1", "it must be a whole number from 0 to 65535."),
        (
            "GATEWAY_EVENTS_HOSTS",
            "app:8080",
            "it must be names of hosts without a port, separated by commas.",
        ),
        ("GATEWAY_WORKERS", "0", "it must be a whole number from 1 to 1000."),
        ("GATEWAY_WORKERS", "many", "it must be a whole number from 1 to 1000."),
        ("GATEWAY_HEADER_LIMIT_STATUS", "200", "it must be a whole number from 400 to 499."),
        ("GATEWAY_X_FORWARDED_FOR", "yes", "it must be one of replace, append."),
        ("GATEWAY_STATUS_CODE_STRING", "yes", "it must be one of accept, refuse."),
        ("GATEWAY_INVALID_BASE64", "yes", "it must be one of refuse, verbatim."),
        ("GATEWAY_SYSTEM_LOG_LEVEL", "TRACE", "it must be one of DEBUG, INFO, WARN."),
        ("GATEWAY_ACCOUNT_ID", "me", "it must be twelve digits."),
        ("GATEWAY_THROTTLE_RATE", "fast", "it must be a number above 0."),
        ("GATEWAY_THROTTLE_RATE", "nan", "it must be a number above 0."),
        ("GATEWAY_THROTTLE_RATE", "-1", "it must be a number above 0."),
        ("AWS_LAMBDA_LOG_FORMAT", "xml", "it must be one of Text, JSON."),
        ("AWS_LAMBDA_FUNCTION_TIMEOUT", "901", "it must be a whole number from 1 to 900."),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512MB", "it must be a whole number from 1 to 1000000."),
    ],
)
def test_a_wrong_value_is_said_in_one_sentence(name, value, rule):
    with pytest.raises(SettingsError) as refused:
        settings(**{name: value})

    assert str(refused.value) == f"{name} is {value!r}: {rule}"


@pytest.mark.parametrize(
    ("given", "missing"),
    [("GATEWAY_THROTTLE_RATE", "GATEWAY_THROTTLE_BURST"), ("GATEWAY_THROTTLE_BURST", "GATEWAY_THROTTLE_RATE")],
)
def test_half_a_throttle_is_refused(given, missing):
    with pytest.raises(SettingsError, match=f"^{missing} is not set: "):
        settings(**{given: "10"})


@pytest.mark.parametrize(
    ("given", "got"),
    [
        case_param("L01", {}, {}),
        case_param("L01-no-home", {"HOME": "/root"}, {}),
        case_param("L01-a-home-of-the-image", {"HOME": "/tmp"}, {"HOME": "/tmp"}),
        case_param("L01-no-home-like-tmp", {"HOME": "/tmpfs"}, {}),
        pytest.param({"TABLE": "orders"}, {"TABLE": "orders"}, id="the-users-own"),
        pytest.param({"GATEWAY_WORKERS": "2"}, {}, id="not-the-gateways"),
        pytest.param({"AWS_EXECUTION_ENV": "AWS_Lambda_python3.13"}, {}, id="not-anothers"),
        pytest.param({"RUN_MODE": "gateway"}, {}, id="not-the-mode"),
        pytest.param({"TZ": "Europe/Berlin"}, {"TZ": "Europe/Berlin"}, id="the-users-time-zone"),
        pytest.param({"AWS_ENDPOINT_URL": "http://x"}, {"AWS_ENDPOINT_URL": "http://x"}, id="the-sandboxs-aws"),
    ],
)
def test_the_function_gets_lambdas_environment(given, got):
    assert settings(**given).function.variables == {**LAMBDAS_OWN, **got}
