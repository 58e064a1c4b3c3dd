"""Requests are taken from the APIs and load balancers that a deployment names, and from no event that poses as one."""

import json
import sys

import pytest
from awslambdaric.lambda_runtime_exception import FaultException

from dualmode.allowed_apis import allowed
from dualmode.handler import wsgi_handler
from dualmode.logs import AccessLog
from tests.support.emulator import Emulator, write
from tests.support.events import (
    CONTEXT,
    make_alb_event,
    make_alb_multi_event,
    make_event,
    make_function_url_event,
    make_http_api_1_event,
    make_rest_event,
)
from tests.support.gateways import gateway

GROUP = "arn:aws:elasticloadbalancing:eu-central-1:1:targetgroup/a/b"
API = "a1b2c3d4e5"


def of_api(event, api=API):
    event["requestContext"]["apiId"] = api
    return event


def of_group(event, group=GROUP):
    event["requestContext"]["elb"] = {"targetGroupArn": group}
    return event


KINDS = {
    "HTTP API": (make_event, of_api),
    "HTTP API, format 1.0": (make_http_api_1_event, of_api),
    "Function URL": (make_function_url_event, of_api),
    "REST API": (make_rest_event, of_api),
    "load balancer": (make_alb_event, of_group),
    "load balancer, multiple values": (make_alb_multi_event, of_group),
}


def recording(**options):
    """A handler and what its application got."""
    paths = []

    def app(environ, start_response):
        paths.append((environ["REQUEST_METHOD"], environ["PATH_INFO"]))
        start_response("200 OK", [("Content-Type", "application/json")])
        return [b"{}"]

    quiet = AccessLog({"AWS_LAMBDA_LOG_LEVEL": "ERROR"}, sys.stdout.write)
    return wsgi_handler(app, quiet, events_path="/events", **options), paths


def test_ids_are_separated_by_commas():
    assert [allowed({"DUALMODE_API_ID": text}) for text in ("", " , ", "a", f" a ,{GROUP},")] == [
        (),
        (),
        ("a",),
        ("a", GROUP),
    ]
    assert allowed({}) == ()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ids", [(), (API, GROUP), (GROUP, "other", API)])
def test_a_request_of_an_api_that_is_named_or_of_any_where_none_is_reaches_the_application(kind, ids):
    make, of = KINDS[kind]
    handler, paths = recording(api_ids=ids)
    assert handler(of(make(path="/a")), CONTEXT)["statusCode"] == 200
    assert paths == [("GET", "/a")]


FORGED = [
    ("other", "'other'"),
    (f"{API}\n", f"'{API}\\n'"),
    ("x" * 300, f"'{'x' * 200}'"),
    ([API], f"\"['{API}']\""),
    ({}, "an API without an id"),
    (None, "an API without an id"),
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("claimed", "named"), FORGED, ids=range(len(FORGED)))
def test_a_request_that_names_another_source_fails_and_is_no_event_either(kind, claimed, named):
    make, of = KINDS[kind]
    handler, paths = recording(api_ids=(API, GROUP))
    with pytest.raises(FaultException) as failed:
        handler(of(make(path="/a"), claimed), CONTEXT)
    assert (failed.value.exception_type, failed.value.msg, failed.value.trace) == (
        "EventError",
        f"The event has the shape of a request from {named}, but DUALMODE_API_ID allows only {API}, {GROUP}:"
        " to accept its requests, add its id there.",
        None,
    )
    assert paths == []


def test_the_id_of_one_kind_of_source_does_not_help_an_event_of_another():
    handler, paths = recording(api_ids=(API,))
    for event in (of_api(make_alb_event()), of_group(of_api(make_rest_event()), "other")):
        with pytest.raises(FaultException):
            handler(event, CONTEXT)
    assert paths == []


def test_events_that_are_no_requests_are_taken_as_before():
    handler, paths = recording(api_ids=(API,))
    for event in ({"source": "aws.events"}, {"requestContext": {"connectionId": "a"}}):
        assert handler(event, CONTEXT) == {}
    assert paths == [("POST", "/events")] * 2


def test_the_variable_makes_a_forged_request_a_failed_invocation(rie, tmp_path):
    write(tmp_path, shop="from flask import Flask\napp = Flask(__name__)\napp.get('/')(lambda: 'sold')")
    with Emulator(rie, tmp_path, tmp_path / "log", FLASK_APP="shop", DUALMODE_API_ID=API) as function:
        assert function.invoke(make_event())["body"] == "sold"
        error = function.invoke(of_api(make_event(), "other"))
    assert {**error, "requestId": ""} == {
        "errorMessage": f"The event has the shape of a request from 'other', but DUALMODE_API_ID allows only {API}:"
        " to accept its requests, add its id there.",
        "errorType": "EventError",
        "requestId": "",
        "stackTrace": [],
    }


@pytest.mark.parametrize(("variables", "api"), [({}, "dualmode00"), ({"DUALMODE_API_ID": f"{API}, other"}, API)])
def test_gateway_mode_sends_requests_as_the_first_api_that_is_named(variables, api, tmp_path):
    with gateway(tmp_path, **variables) as running:
        assert json.loads(running.request()[2])["event"]["requestContext"]["apiId"] == api
