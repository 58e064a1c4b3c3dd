"""The events of jobs reach the application at their own paths, and no client does."""

import json
import sys

import pytest
from awslambdaric.lambda_runtime_exception import FaultException
from flask import Flask, request

from dualmode.handler import wsgi_handler
from dualmode.jobs import Jobs, batch_result
from dualmode.logs import AccessLog
from tests.support.events import CONTEXT, make_event

ARN = "arn:aws:sqs:us-east-1:000000000000:mail"
JOBS = {
    "schedules": {"nightly": "PUT /jobs/nightly", "bare": "GET /jobs/bare"},
    "queues": {ARN: "/jobs/mail"},
    "events": {"paid": "/jobs/paid"},
}


class Application:
    """Keeps every request, and answers the same to each."""

    def __init__(self, answer="", events_path="/events"):
        self.app, self.seen, self.answer = Flask(__name__), [], answer
        self.app.add_url_rule("/<path:path>", view_func=self.view, methods=["GET", "POST", "PUT"])
        access = AccessLog({"AWS_LAMBDA_LOG_LEVEL": "ERROR"}, sys.stdout.write)
        self.handler = wsgi_handler(self.app, access, events_path=events_path, jobs=Jobs(json.dumps(JOBS)))

    def view(self, path):
        self.seen.append((request.method, request.path, request.get_json(silent=True), request.content_length))
        return self.answer

    def give(self, event):
        return self.handler(event, CONTEXT)


BATCH = {"Records": [{"messageId": "1", "body": '{"dualmode": {"schedule": "nightly"}}', "eventSourceARN": ARN}]}


@pytest.mark.parametrize(
    ("event", "seen"),
    [
        (
            {"dualmode": {"schedule": "nightly"}, "body": {"a": [1]}},
            ("PUT", "/jobs/nightly", {"a": [1]}, len('{"a": [1]}')),
        ),
        ({"dualmode": {"schedule": "bare"}}, ("GET", "/jobs/bare", None, None)),
        ({"dualmode": {"event": "paid"}, "body": {"id": 5}}, ("POST", "/jobs/paid", {"id": 5}, len('{"id": 5}'))),
        (BATCH, ("POST", "/jobs/mail", BATCH, len(json.dumps(BATCH)))),
    ],
)
def test_each_job_has_a_path_of_its_own(event, seen):
    application = Application()
    assert application.give(event) is None
    assert application.seen == [seen]


OTHERS = [
    {"Records": [{"eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:other"}]},
    {"Records": []},
    {"Records": ["mail"]},
    {"body": {"dualmode": {"schedule": "nightly"}}},
    {"detail": {"dualmode": {"schedule": "nightly"}}},
    {"dualmode": "nightly"},
    [],
]


@pytest.mark.parametrize("event", OTHERS)
def test_an_event_that_is_of_no_job_goes_to_the_path_for_events(event):
    application = Application()
    application.give(event)
    assert [(path, body) for _, path, body, _ in application.seen] == [("/events", event)]


def test_an_event_that_keeps_the_function_warm_reaches_no_application():
    application = Application()
    assert application.give({"dualmode": {"keepWarm": True}}) is None
    assert application.seen == []


@pytest.mark.parametrize("mark", [{"schedule": "gone"}, {"event": "nightly"}, {}, {"schedule": ["nightly"]}])
def test_a_job_that_this_version_does_not_know_fails_and_reaches_no_path(mark):
    application = Application()
    with pytest.raises(FaultException) as failed:
        application.give({"dualmode": mark})
    assert failed.value.msg == f"The event is of the job {mark}, which DUALMODE_JOBS doesn't have: deploy again."
    assert application.seen == []


@pytest.mark.parametrize("path", ["/jobs/nightly", "/JOBS/mail/", "/v1/jobs/paid", "//jobs/%62are", "/a/../jobs/bare"])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
def test_a_client_never_reaches_the_path_of_a_job(path, method):
    application = Application()
    assert application.give(make_event(method=method, path=path))["statusCode"] == 404
    assert application.seen == []


def test_a_client_reaches_every_other_path():
    application = Application("page")
    assert application.give(make_event(path="/jobs/other"))["statusCode"] == 200


def test_a_job_whose_path_has_no_route_says_which():
    application = Application(("", 404))
    with pytest.raises(FaultException) as failed:
        application.give(BATCH)
    assert failed.value.msg == (
        "POST /jobs/mail is for the queue mail, but the application answered POST /jobs/mail with 404:"
        " add a route that takes it."
    )


FAILURES = {"batchItemFailures": [{"itemIdentifier": "1"}]}


@pytest.mark.parametrize(("answer", "result"), [(FAILURES, FAILURES), ({"ok": 1}, None), ("done", None), ([], None)])
def test_a_batch_fails_only_by_what_its_answer_names(answer, result):
    assert batch_result(answer) == result
    assert Application(answer).give(BATCH) == result


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"schedules": []}', '{"schedules": {"a": "jobs"}}', '{"queues": {"a": 5}}']
)
def test_a_variable_that_is_not_of_jobs_is_one_sentence(text):
    with pytest.raises(ValueError) as refused:
        Jobs(text)
    assert str(refused.value) == (
        "DUALMODE_JOBS is not a JSON object of jobs and their paths: the deployment sets it, so remove yours."
    )
