"""What the sandbox's event sources read and send, by AWS's own documents."""

import json

import pytest

from sandbox.event_sources.input_transformer import sent
from sandbox.event_sources.queues import reported
from sandbox.schedule_expression import is_expression, rate_seconds

EVENT = {"id": "7", "source": "shop", "detail": {"price": 5, "note": 'a "b"', "lines": ["x"]}}
RULE = {"Name": "paid", "Arn": "arn:aws:events:us-east-1:000000000000:rule/paid"}


@pytest.mark.parametrize(
    ("body", "failed"),
    [
        # "Reporting batch item failures", Lambda Developer Guide: complete successes, partial and complete failures.
        (b'{"batchItemFailures": []}', set()),
        (b'{"batchItemFailures": null}', set()),
        (b"{}", set()),
        (b"null", set()),
        (b'{"batchItemFailures": [{"itemIdentifier": "1"}]}', {"1"}),
        (b"not JSON", {"1", "2"}),
        (b'{"batchItemFailures": [{"itemIdentifier": ""}]}', {"1", "2"}),
        (b'{"batchItemFailures": [{"itemIdentifier": null}]}', {"1", "2"}),
        (b'{"batchItemFailures": [{"key": "1"}]}', {"1", "2"}),
        (b'"done"', {"1", "2"}),
    ],
)
def test_of_a_batch_those_messages_failed_that_the_result_names_or_all_if_it_can_not_be_read(body, failed):
    assert reported(body, {"1", "2"}) == failed


@pytest.mark.parametrize(
    ("target", "text"),
    [
        ({}, json.dumps(EVENT)),
        ({"Input": '{"a": 1}'}, '{"a": 1}'),
        ({"InputPath": "$.detail.price"}, "5"),
        ({"InputTransformer": {"InputTemplate": '{"e": <aws.events.event.json>}'}}, f'{{"e": {json.dumps(EVENT)}}}'),
        (
            {
                "InputTransformer": {
                    "InputPathsMap": {"p": "$.detail.price"},
                    "InputTemplate": '"<aws.events.rule-name>: <p>"',
                }
            },
            '"paid: 5"',
        ),
        (
            {"InputTransformer": {"InputPathsMap": {"n": "$.detail.note"}, "InputTemplate": '{"n": <n>, "<x>": <x>}'}},
            '{"n": "a \\"b\\"", "<x>": <x>}',
        ),
    ],
)
def test_a_target_sends_the_event_a_part_of_it_or_its_template(target, text):
    assert sent(target, RULE, EVENT) == text


def test_expressions_are_those_of_scheduler():
    assert [rate_seconds(f"rate({text})") for text in ("1 minute", "2 hours", "3 days", "0 days", "1 week")] == [
        *(60, 7200, 259200),
        *(None, None),
    ]
    assert all(map(is_expression, ("cron(0 3 * * ? *)", "cron(0/5 * ? * MON-FRI 2030)", "at(2030-01-01T00:00:00)")))
    assert not any(map(is_expression, ("cron(0 3 * * *)", "cron(0 3 * * * *)", "cron(0 3 ? * ? *)", "at(noon)", "")))
