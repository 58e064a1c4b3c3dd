"""Events of REST APIs and load balancers, as `--event FILE` gives them, with a Function URL instead of the API."""

import json
from urllib.parse import urlsplit

import pytest

from dualmode.gateway.http.message import Request
from sandbox.errors import SandboxError
from sandbox.one_invocation import run_event
from tests.support.events import make_alb_event, make_alb_multi_event, make_http_api_1_event, make_rest_event
from tests.support.sandboxes import deployed

NAME = "dualmode-dev"
SENT = {"method": "POST", "path": "/echo", "body": '{"message":"abc"}'}
JSON = "application/json"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    with deployed(tmp_path_factory.mktemp("front-doors"), domainName="", functionUrl=True) as found:
        yield found


@pytest.fixture
def functions(sandbox):
    return sandbox.account.client("lambda")


def ask(sandbox):
    """The status of an answer at the Function URL, and the reason of a refusal with the hop that refuses."""
    answer = sandbox.edge.answer(
        Request(method="GET", target="/hello", headers=(("Host", urlsplit(sandbox.url).hostname),))
    )
    hop = answer.trace.refusal
    return answer.response.status, hop and (hop.hop, hop.detail)


@pytest.mark.parametrize(
    ("event", "types"),
    [
        (make_rest_event(**SENT, headers={"content-type": [JSON]}), ("headers", JSON)),
        (make_http_api_1_event(**SENT, headers={"content-type": [JSON]}), ("headers", JSON)),
        (make_alb_event(**SENT, headers={"content-type": JSON}), ("headers", JSON)),
        # A load balancer takes these alone, once its target group has them on.
        (make_alb_multi_event(**SENT, headers={"content-type": [JSON]}), ("multiValueHeaders", [JSON])),
    ],
    ids=["REST API", "HTTP API 1.0", "load balancer", "load balancer with multi-value headers"],
)
def test_an_event_of_another_front_door_is_answered_in_its_own_form(sandbox, capsys, event, types):
    assert run_event(sandbox, json.dumps(event).encode())
    result = json.loads(capsys.readouterr().out)
    assert (result["statusCode"], json.loads(result["body"])) == (200, {"reversed": "cba"})
    listed, expected = types
    assert {name.lower(): value for name, value in result[listed].items()}["content-type"] == expected


def test_an_event_for_a_function_that_may_run_no_copies_is_refused_with_the_reason(sandbox, functions):
    functions.put_function_concurrency(FunctionName=NAME, ReservedConcurrentExecutions=0)
    try:
        with pytest.raises(SandboxError) as refused:
            run_event(sandbox, json.dumps(make_alb_event()).encode())
    finally:
        functions.delete_function_concurrency(FunctionName=NAME)
    assert str(refused.value) == f"The function {NAME}:1 can't run: its reserved concurrency is 0."


@pytest.mark.case("S36")
def test_a_function_url_that_asks_for_signatures_is_forbidden_with_the_reason(sandbox, functions):
    live = {"FunctionName": NAME, "Qualifier": "live"}
    assert ask(sandbox) == (200, None)
    functions.update_function_url_config(**live, AuthType="AWS_IAM")
    try:
        reason = "its URL needs AWS_IAM authorization, which the sandbox can't grant"
        assert ask(sandbox) == (403, ("permission", reason))
    finally:
        functions.update_function_url_config(**live, AuthType="NONE")
    assert ask(sandbox) == (200, None)
