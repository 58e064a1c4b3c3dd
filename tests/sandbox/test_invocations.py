"""Lambda's Invoke in a running sandbox, as boto3 calls it with the variables that the sandbox prints."""

import base64
import json

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from dualmode.gateway.http.message import Request
from sandbox.runner import leftovers
from tests.support.events import make_alb_event, make_rest_event
from tests.support.sandboxes import deployed

NAME = "dualmode-dev"
ROUTES = json.dumps({"flask": ["routes"]})


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    state = tmp_path_factory.mktemp("invocations")
    with deployed(state, environment={"DUALMODE_ALLOW_COMMANDS": "1"}) as found:
        yield found


@pytest.fixture
def client(sandbox):
    environment = sandbox.variables
    return boto3.client(
        "lambda",
        config=Config(retries={"total_max_attempts": 1}),  # who is throttled isn't made to wait
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        region_name=environment["AWS_REGION"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
    )


def named(sandbox, form):
    return form.format(name=NAME, arn=f"arn:aws:lambda:{sandbox.account.region}:{sandbox.account.account_id}:function")


@pytest.mark.parametrize(
    ("form", "qualifier", "executed"),
    [
        ("{name}", None, "$LATEST"),
        ("{name}", "live", "1"),
        ("{name}:live", None, "1"),
        ("{name}", "1", "1"),
        ("{arn}:{name}", "live", "1"),
        ("{arn}:{name}:1", None, "1"),
    ],
)
def test_a_function_is_invoked_by_each_of_its_names(sandbox, client, form, qualifier, executed):
    asked = {"Qualifier": qualifier} if qualifier else {}
    answer = client.invoke(FunctionName=named(sandbox, form), Payload=ROUTES, **asked)
    result = json.load(answer["Payload"])
    assert (answer["StatusCode"], answer["ExecutedVersion"], "FunctionError" in answer) == (200, executed, False)
    assert result["exit_code"] == 0
    assert "/hello" in result["output"]


def test_the_tail_of_the_log_comes_along(client):
    answer = client.invoke(FunctionName=NAME, Qualifier="live", Payload=ROUTES, LogType="Tail")
    assert '"type":"platform.report"' in base64.b64decode(answer["LogResult"]).decode()


def test_a_failing_function_is_told_with_its_error(client):
    answer = client.invoke(FunctionName=NAME, Qualifier="live", Payload=b'{"Records": []}')
    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
    assert json.load(answer["Payload"])["errorType"] == "EventError"


@pytest.mark.parametrize(("kind", "status"), [("Event", 202), ("DryRun", 204)])
def test_an_invocation_that_nobody_waits_for_is_accepted(client, kind, status):
    answer = client.invoke(FunctionName=NAME, Qualifier="live", Payload=ROUTES, InvocationType=kind)
    assert answer["StatusCode"] == status


@pytest.mark.parametrize("asked", [{"FunctionName": "nobody"}, {"FunctionName": NAME, "Qualifier": "nobody"}])
def test_a_function_that_is_not_there_is_not_found(client, asked):
    with pytest.raises(ClientError) as refused:
        client.invoke(Payload=ROUTES, **asked)
    assert refused.value.response["Error"]["Code"] == "ResourceNotFoundException"


def test_a_name_and_a_qualifier_that_select_different_versions_are_refused(client):
    with pytest.raises(ClientError) as refused:
        client.invoke(FunctionName=f"{NAME}:1", Qualifier="live", Payload=ROUTES)
    assert refused.value.response["Error"]["Code"] == "InvalidParameterValueException"


def test_a_function_that_may_run_no_copies_is_throttled(sandbox, client):
    functions = sandbox.account.client("lambda")
    functions.put_function_concurrency(FunctionName=NAME, ReservedConcurrentExecutions=0)
    try:
        with pytest.raises(ClientError) as refused:
            client.invoke(FunctionName=NAME, Qualifier="live", Payload=ROUTES)
    finally:
        functions.delete_function_concurrency(FunctionName=NAME)
    assert refused.value.response["Error"]["Code"] == "TooManyRequestsException"


@pytest.mark.parametrize(
    ("method", "path", "taken"),
    [
        ("POST", "/2015-03-31/functions/shop/invocations", True),
        ("POST", "/2015-03-31/functions/shop/invocations?Qualifier=live", True),
        ("GET", "/2015-03-31/functions/shop/invocations", False),
        ("POST", "/2015-03-31/functions/shop/invocations/more", False),
        ("POST", "/2015-03-31/functions", False),
    ],
)
def test_only_invocations_are_taken_from_the_calls_to_aws(sandbox, method, path, taken):
    assert sandbox.invocations.takes(Request(method=method, target=path, headers=())) is taken


def test_a_path_that_names_no_function_is_refused(sandbox):
    answer = sandbox.invocations.respond(
        Request(method="POST", target="/2015-03-31/functions/a b/invocations", headers=())
    )
    assert (answer.status, dict(answer.headers)["x-amzn-errortype"]) == (400, "InvalidParameterValueException")


def test_an_image_by_a_tag_makes_leftovers_uncertain(sandbox):
    functions = sandbox.account.client("lambda")
    known = functions.get_function(FunctionName=NAME)
    uri = known["Code"]["ImageUri"].partition("@")[0]
    functions.create_function(
        FunctionName="tagged",
        Role=known["Configuration"]["Role"],
        PackageType="Image",
        Code={"ImageUri": f"{uri}:latest"},
    )
    try:
        assert leftovers.referred(sandbox.account, sandbox.logs.parent) is None
    finally:
        functions.delete_function(FunctionName="tagged")


def test_an_invocation_without_the_runs_credentials_is_refused(sandbox):
    stranger = boto3.client(
        "lambda",
        endpoint_url=sandbox.variables["AWS_ENDPOINT_URL"],
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    with pytest.raises(ClientError) as refused:
        stranger.invoke(FunctionName=NAME, Payload=ROUTES)
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_an_invocation_needs_no_permission_of_the_api(sandbox, client):
    functions = sandbox.account.client("lambda")
    policy = json.loads(functions.get_policy(FunctionName=NAME, Qualifier="live")["Policy"])
    (statement,) = policy["Statement"]
    functions.remove_permission(FunctionName=NAME, Qualifier="live", StatementId=statement["Sid"])
    assert client.invoke(FunctionName=NAME, Qualifier="live", Payload=ROUTES)["StatusCode"] == 200


def test_what_a_version_refers_to_is_no_leftover(sandbox):
    functions = sandbox.account.client("lambda")
    uri = functions.get_function(FunctionName=NAME, Qualifier="1")["Code"]["ImageUri"]
    assert leftovers.referred(sandbox.account, sandbox.logs.parent) == {uri.partition("@")[2]}
    (sandbox.logs.parent / "aws" / "lambda.json").write_text(json.dumps({"another region": f"sha256:{'a' * 64}"}))
    found = leftovers.referred(sandbox.account, sandbox.logs.parent)
    assert found == {uri.partition("@")[2], f"sha256:{'a' * 64}"}


@pytest.mark.parametrize("kind", [make_rest_event, make_alb_event])
def test_an_event_of_another_front_door_is_refused_by_what_allows_the_deployment_s_own_api(sandbox, client, kind):
    (api,) = sandbox.account.client("apigatewayv2").get_apis()["Items"]
    answer = client.invoke(FunctionName=NAME, Qualifier="live", Payload=json.dumps(kind()))
    error = json.load(answer["Payload"])
    assert (answer["FunctionError"], error["errorType"]) == ("Unhandled", "EventError")
    assert error["errorMessage"].endswith(
        f"but DUALMODE_API_ID allows only {api['ApiId']}: to accept its requests, add its id there."
    )
