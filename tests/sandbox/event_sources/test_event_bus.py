"""Events of the sandbox's bus: who may invoke a function, and what happens to an event that can't be delivered."""

import json

import pytest

from dualmode.gateway.http.message import Request, Response
from sandbox.event_sources.event_bus import EventBus

QUEUE = "arn:aws:sqs:us-east-1:000000000000:failed"
TARGET = "arn:aws:lambda:us-east-1:000000000000:function:web:live"
RULE = "arn:aws:events:us-east-1:000000000000:rule/paid"


@pytest.fixture
def failed(ministack, account):
    """The URL of the dead-letter queue of a rule whose target nobody let it invoke."""
    ministack.reset()
    events = account.client("events")
    events.put_rule(Name="paid", EventPattern=json.dumps({"source": ["shop"]}))
    events.put_targets(Rule="paid", Targets=[{"Id": "web", "Arn": TARGET, "DeadLetterConfig": {"Arn": QUEUE}}])
    return account.client("sqs").create_queue(QueueName="failed")["QueueUrl"]


def letters(account, url):
    return [json.loads(m["Body"]) for m in account.client("sqs").receive_message(QueueUrl=url).get("Messages", [])]


def put(bus, source, target="AWSEvents.PutEvents"):
    body = {"Entries": [{"Source": source, "DetailType": "paid", "Detail": '{"id": 5}'}]}
    request = Request(method="POST", target="/", headers=(("X-Amz-Target", target),), body=json.dumps(body).encode())
    bus.hear(request, Response(status=200, headers=(), body=b'{"Entries": [{"EventId": "7"}], "FailedEntryCount": 0}'))
    return list(bus.deliver())


def let_send(account, url, source):
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": QUEUE,
        "Condition": {"ArnEquals": {"aws:SourceArn": source}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    account.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})


def test_an_event_that_may_not_be_delivered_is_a_dead_letter_if_the_queue_lets_the_rule_send(failed, account):
    bus = EventBus(account=account, asynchronous=None)
    refused = f"Rule paid could not deliver an event: events.amazonaws.com may not invoke {TARGET}: there is no policy"
    assert put(bus, "shop") == [refused]
    assert letters(account, failed) == []
    let_send(account, failed, f"{RULE}-other")
    assert put(bus, "shop") == [refused]
    assert letters(account, failed) == []
    let_send(account, failed, RULE)
    assert put(bus, "shop") == [refused]
    (letter,) = letters(account, failed)
    assert {key: letter[key] for key in ("id", "source", "detail-type", "detail")} == {
        "id": "7",
        "source": "shop",
        "detail-type": "paid",
        "detail": {"id": 5},
    }


def test_an_event_that_no_pattern_matches_and_another_call_do_nothing(failed, account):
    bus = EventBus(account=account, asynchronous=None)
    assert put(bus, "till") == put(bus, "shop", "AWSEvents.ListRules") == []
