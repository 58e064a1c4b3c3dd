"""Jobs under the real engine: turned on, seen at work, and turned off again."""

import contextlib
import json

import pytest

from tests.support import stacks
from tests.support.program import ROOT
from tests.support.pulumi_command import needs_pulumi
from tests.support.waiting import until

pytestmark = needs_pulumi

NAME = "dualmode-dev"
SECONDS = 600.0
"""What the sandbox may take for one event, of which a machine with nothing else to do needs two seconds."""
ON = {
    "schedules": [
        {
            "name": "nightly",
            "path": "/jobs/nightly",
            "cron": "30 3 * * ? *",
            "timeZone": "Europe/Berlin",
            "body": {"a": 1},
        },
        {"name": "broken", "path": "/jobs/broken", "rate": "1 day"},
    ],
    "events": [{"name": "paid", "path": "/jobs/paid", "pattern": {"source": ["shop"], "detail-type": ["paid"]}}],
    "keepWarm": 5,
    "queues": [{"name": "mail", "path": "/jobs/mail", "maxReceives": 2}],
}


CHANGED = ON | {
    "schedules": [{"name": "nightly", "path": "/jobs/paid", "rate": "2 days", "body": {"a": 2}}],
    "queues": [{"name": "mail", "path": "/jobs/paid", "batchSize": 5}],
    "keepWarm": 10,
}


class Stack(stacks.Stack):
    """A stack whose sandboxes give what this test asks for."""

    @contextlib.contextmanager
    def running(self, **chosen):
        with super().running(**chosen) as sandbox:
            yield Running(sandbox, self.lines)


class Running:
    """A running sandbox: requests of a client, jobs, and what is in the account."""

    def __init__(self, sandbox, lines):
        self.sandbox, self.client = sandbox, sandbox.account.client
        self._lines, self._begun = lines, len(lines)

    def until_told(self, text, times=1):
        """Waits until the sandbox has told that it delivered: asking it again and again would only slow it down."""
        until(
            lambda: sum(text in line for line in self._lines[self._begun :]) >= times,
            SECONDS,
            logs=lambda: "\n".join(self._lines[self._begun :]),
        )

    def ask(self, target, method="GET", body=b""):
        return stacks.ask(self.sandbox, target, method, body)

    def seen(self):
        return json.loads(self.ask("/seen")[1])

    def fire(self, name):
        schedules = self.sandbox.event_sources.schedules
        return schedules.fire(schedules.named(name))

    def put(self, source, kind, detail):
        entry = {"Source": source, "DetailType": kind, "Detail": json.dumps(detail)}
        assert self.client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0

    def send(self, queue, *bodies):
        sqs = self.client("sqs")
        url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
        return {body: sqs.send_message(QueueUrl=url, MessageBody=body)["MessageId"] for body in bodies}

    def messages(self, queue):
        sqs = self.client("sqs")
        url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
        return [found["Body"] for found in sqs.receive_message(QueueUrl=url).get("Messages", [])]

    def account(self):
        """Everything that the settings can add to an account."""
        configuration = self.client("lambda").get_function_configuration(FunctionName=NAME)
        return {
            "queues": self.client("sqs").list_queues().get("QueueUrls", []),
            "schedules": self.client("scheduler").list_schedules()["Schedules"],
            "alarms": self.client("cloudwatch").describe_alarms()["MetricAlarms"],
            "mappings": self.client("lambda").list_event_source_mappings()["EventSourceMappings"],
            "rules": self.client("events").list_rules()["Rules"],
            "roles": len(self.client("iam").list_roles()["Roles"]),
            "variables": sorted(configuration["Environment"]["Variables"]),
        }


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    return Stack(tmp_path_factory.mktemp("clockwork"), ROOT / "tests" / "support" / "clockwork")


@pytest.fixture(scope="module")
def lived(stack):
    """What was seen before, while and after everything was on."""
    seen = {}
    with stack.running() as here:
        seen["before"] = here.account()
    with stack.running(**ON) as here:
        seen["fired"] = here.fire("nightly")
        seen["warmed"] = here.fire("dualmode-dev.keep-warm")
        seen["requests"] = here.seen()
        closed = ("/jobs/nightly", "/jobs/Nightly/", "/jobs/broken", "/jobs/mail", "/jobs/paid")
        seen["closed"] = [here.ask(path, "POST", b"{}")[0] for path in closed]
        seen["broken"] = here.fire("broken")
        seen["failed"] = here.messages(f"{NAME}-failed")
        here.send(f"{NAME}-mail", "good", "bad")
        here.until_told(", 1 failed", times=2)
        seen["dead letters"] = until(lambda: here.messages(f"{NAME}-mail-failed"), SECONDS)
        seen["batches"] = [body["Records"] for _, path, body in here.seen() if path == "/jobs/mail"]
        seen["left"] = here.messages(f"{NAME}-mail")
        here.put("shop", "paid", {"id": 5, "dualmode": {"schedule": "nightly"}})
        here.put("shop", "refunded", {"id": 6})
        here.until_told(f"Rule {NAME}-paid")
        seen["events"] = [body for _, path, body in here.seen() if path == "/jobs/paid"]
        seen["on"] = here.account()
    begun = len(stack.lines)
    with stack.running(**ON) as here:
        seen["unchanged"], seen["unchanged lines"] = here.sandbox.deployment.changes, stack.lines[begun:]
    with stack.running(**CHANGED) as here:
        here.fire("nightly")
        here.send(f"{NAME}-mail", "moved")
        here.until_told(f"Queue {NAME}-mail: a batch of 1")
        seen["changed"] = [(path, body.get("a") or body["Records"][0]["body"]) for _, path, body in here.seen()]
    with stack.running() as here:
        seen["after"] = here.account()
    return seen


def test_a_schedule_reaches_its_path_with_its_body(lived):
    assert (lived["fired"].succeeded, json.loads(lived["fired"].result)) == (True, {"kept": 1})
    assert lived["requests"] == [["POST", "/jobs/nightly", {"a": 1}]]


def test_an_event_that_keeps_the_function_warm_never_reaches_the_application(lived):
    assert (lived["warmed"].succeeded, lived["warmed"].result) == (True, b"null")
    assert [path for _, path, _ in lived["requests"]] == ["/jobs/nightly"]


def test_a_client_that_asks_for_the_path_of_a_job_gets_a_404(lived):
    assert lived["closed"] == [404] * 5


def test_a_schedule_that_fails_three_times_ends_in_the_dead_letter_queue(lived):
    assert (lived["broken"].succeeded, lived["broken"].attempts) == (False, 3)
    (letter,) = lived["failed"]
    letter = json.loads(letter)
    assert letter["requestPayload"] == {"dualmode": {"schedule": "broken"}}
    sentence = "The application answered the event of the schedule broken, POST /jobs/broken, with 500."
    assert letter["responsePayload"]["errorMessage"] == sentence


def test_a_message_reaches_the_path_of_its_queue_once_and_a_failing_one_ends_in_the_dead_letter_queue(lived):
    bodies = [record["body"] for batch in lived["batches"] for record in batch]
    assert sorted(bodies) == ["bad", "bad", "good"]  # received twice, then a dead letter
    assert {record["eventSourceARN"].rpartition(":")[2] for batch in lived["batches"] for record in batch} == {
        f"{NAME}-mail"
    }
    assert (lived["dead letters"], lived["left"]) == (["bad"], [])


def test_an_event_that_matches_reaches_the_path_of_its_rule_whatever_is_in_it(lived):
    (event,) = lived["events"]
    assert {key: event[key] for key in ("source", "detail-type", "detail")} == {
        "source": "shop",
        "detail-type": "paid",
        "detail": {"id": 5, "dualmode": {"schedule": "nightly"}},
    }


def test_an_update_without_changes_changes_nothing(lived):
    assert set(lived["unchanged"]) == {"same"}, lived["unchanged lines"]


def test_changed_jobs_go_where_they_now_lead(lived):
    assert sorted(lived["changed"], key=str) == [("/jobs/paid", "moved"), ("/jobs/paid", 2)]


def test_jobs_that_are_turned_off_again_leave_the_account_as_it_was(lived):
    assert lived["on"] != lived["before"]
    assert lived["after"] == lived["before"]
