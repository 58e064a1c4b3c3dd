"""The settings of jobs: what is taken, and the sentence for each thing that can't be."""

import pytest

from infra.event_rules import EventSettings
from infra.job_entries import check_length
from infra.keep_warm import KeepWarmSettings
from infra.queues import QueueSettings
from infra.rules import ConfigError
from infra.schedule_expression import cron_mistake, is_rate
from infra.schedules import ScheduleSettings

SCHEDULE = {"name": "nightly", "path": "/nightly", "rate": "1 day"}
CRON = {"name": "nightly", "path": "/nightly", "cron": "30 3 * * ? *"}
QUEUE = {"name": "mail", "path": "/mail"}
EVENT = {"name": "paid", "path": "/paid", "pattern": {"source": ["shop"]}}


@pytest.mark.parametrize(
    "made",
    [
        lambda: ScheduleSettings(schedules=[SCHEDULE, {**CRON, "name": "other", "timeZone": "Europe/Berlin"}]),
        lambda: ScheduleSettings(schedules=[{**SCHEDULE, "method": "GET", "enabled": "false"}]),
        lambda: ScheduleSettings(schedules=[{**SCHEDULE, "body": '{"a": 1}'}]),
        lambda: ScheduleSettings(schedules=[{**SCHEDULE, "body": {"a": 1}, "path": "/jobs/a-b.c/~d"}]),
        lambda: QueueSettings(queues=[{**QUEUE, "batchSize": "10000", "batchWindow": 1}]),
        lambda: QueueSettings(queues=[{**QUEUE, "batchSize": 10, "maxReceives": 1000, "maxConcurrency": 2}]),
        lambda: EventSettings(events=[{**EVENT, "pattern": '{"detail": {"price": [{"numeric": [">", 5]}]}}'}]),
        lambda: KeepWarmSettings(keep_warm=1440),
    ],
)
def test_jobs_that_can_be_are_taken(made):
    made()


def schedules(**other):
    return lambda: ScheduleSettings(schedules=[{**SCHEDULE, **other}])


def crons(**other):
    return lambda: ScheduleSettings(schedules=[{**CRON, **other}])


def queues(**other):
    return lambda: QueueSettings(queues=[{**QUEUE, **other}])


def events(**other):
    return lambda: EventSettings(events=[{**EVENT, **other}])


KEPT_AWAY = (
    "but clients are kept away from a path of letters, digits, . _ ~ and - between single slashes: "
    "choose such a path that no page of the application has."
)
NAMES = (
    "but a name has at most 24 lower-case letters, digits and dashes between them, and doesn't end with failed: "
    "rename it."
)


@pytest.mark.parametrize(
    ("made", "sentence"),
    [
        (
            lambda: ScheduleSettings(schedules=[SCHEDULE, SCHEDULE]),
            "schedules[1].name is 'nightly', but another entry has that name: rename one of the two.",
        ),
        (schedules(name="Nightly"), f"schedules[0].name is 'Nightly', {NAMES}"),
        (schedules(name="a-failed"), f"schedules[0].name is 'a-failed', {NAMES}"),
        (schedules(name="a" * 25), f"schedules[0].name is '{'a' * 25}', {NAMES}"),
        (schedules(path="jobs"), "schedules[0].path is 'jobs', but a path begins with /: set /jobs."),
        *(
            (schedules(path=path), f"schedules[0].path is '{path}', {KEPT_AWAY}")
            for path in ("/", "/a/", "//a", "/a?b", "/a%20b", "/..", "/a/..", "/é")
        ),
        (
            schedules(pth="/x"),
            "schedules[0].pth is '...', but an entry has name, path, rate, cron, timeZone, method, body, enabled: "
            "rename or remove it.",
        ),
        (
            lambda: QueueSettings(queues=[{"name": "mail"}]),
            "queues[0] is 'name', but an entry needs name, path: add path.",
        ),
        (
            schedules(cron="0 3 * * ? *"),
            "schedules[0] is 'name, path, rate, cron', but a schedule has a rate or a cron expression: "
            "set one of the two.",
        ),
        (
            schedules(rate="1 days"),
            "schedules[0].rate is '1 days', but a rate is a number of minutes, hours or days: "
            "write 1 minute or 6 hours.",
        ),
        (
            schedules(timeZone="UTC"),
            "schedules[0].timeZone is 'UTC', but a rate has no time zone: remove it, or set cron.",
        ),
        (
            crons(cron="0 3 * * *"),
            "schedules[0].cron is '0 3 * * *', but it has 5 fields instead of 6 (minutes, hours, day of the month, "
            "month, day of the week, year): write one such as 30 3 * * ? *, every day at 3:30.",
        ),
        (
            crons(timeZone="Mars/Olympus"),
            "schedules[0].timeZone is 'Mars/Olympus', but it is not in the IANA time zone database: "
            "set one such as Europe/Berlin.",
        ),
        (
            schedules(method="FETCH"),
            "schedules[0].method is 'FETCH', but a schedule sends one of a few methods: "
            "set one of POST, GET, PUT, PATCH, DELETE.",
        ),
        (
            schedules(body="{"),
            "schedules[0].body is '...', but it takes JSON: "
            'write a value such as {"full": true}, and text in two pairs of quotes.',
        ),
        (
            schedules(method="GET", body={}),
            "schedules[0].body is '...', but a GET request has no body: remove it, or set method to POST.",
        ),
        (
            schedules(enabled="maybe"),
            "schedules[0].enabled is 'maybe', but a schedule is on or off: set true or false.",
        ),
        *(
            (
                queues(batchSize=size, batchWindow=1),
                f"queues[0].batchSize is {size!r}, but Lambda takes batches of 1 to 10000: "
                "set a number from that range.",
            )
            for size in (0, 10001, "ten", True)
        ),
        (
            queues(batchSize=11),
            "queues[0].batchSize is 11, but Lambda fills a batch of more than 10 only if it may wait: "
            "set batchWindow to 1 s or more.",
        ),
        (
            queues(batchWindow=301),
            "queues[0].batchWindow is 301, but Lambda waits for a batch, in seconds, 0 to 300: "
            "set a number from that range.",
        ),
        (
            queues(maxReceives=0),
            "queues[0].maxReceives is 0, but SQS counts 1 to 1000: set a number from that range.",
        ),
        (
            queues(maxConcurrency=1),
            "queues[0].maxConcurrency is 1, but Lambda takes 2 to 1000: set a number from that range.",
        ),
        (
            events(pattern="[]"),
            'events[0].pattern is [], but a pattern is an object of fields: set one such as {"source": ["shop"]}.',
        ),
        (
            events(pattern={"detail": {"id": 5}}),
            "events[0].pattern.detail.id is 5, but a field of a pattern lists what it may be: set [5].",
        ),
        (
            lambda: KeepWarmSettings(keep_warm=1441),
            "keepWarm is 1441, but once a day is enough to keep a function from becoming inactive: set 1440 or less.",
        ),
        (
            lambda: check_length("queues", [{"name": "mail"}], "d" * 60),
            f"queues[0].name is 'mail', but with {'d' * 60}- before it AWS takes 3 characters: "
            "shorten it, or the deployment's name.",
        ),
    ],
)
def test_a_job_that_can_not_be_is_refused_in_one_sentence(made, sentence):
    with pytest.raises(ConfigError) as refused:
        made()
    assert str(refused.value) == sentence


def test_rates_are_those_of_scheduler():
    assert [text for text in ("1 minute", "2 minutes", "1 hour", "7 days") if not is_rate(text)] == []
    wrong = ("1 minutes", "2 minute", "0 minutes", "01 hours", "1.5 hours", "5 weeks", "rate(1 day)", "5 Minutes", "")
    assert [text for text in wrong if is_rate(text)] == []


@pytest.mark.parametrize(
    "text",
    [
        # The examples of the user guide, and the forms that its table of wildcards names.
        "15 10 * * ? 2022-2023",
        "0 10 * * ? *",
        "0 8 1 * ? *",
        "0/15 * * * ? *",
        "0/30 20-23 ? * MON-FRI *",
        "15 10 ? * 6L 2022-2023",
        "0 9 ? * 2#1 *",
        "0 18 LW * ? *",
        "0 18 15W JAN,MAR ? 2199",
        "*/5 * * * ? *",
    ],
)
def test_cron_expressions_that_scheduler_takes_are_taken(text):
    assert cron_mistake(text) is None


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("60 * * * ? *", "its minutes can't be '60'"),
        ("* 24 * * ? *", "its hours can't be '24'"),
        ("* * 0 * ? *", "its day of the month can't be '0'"),
        ("* * 32W * ? *", "its day of the month can't be '32W'"),
        ("* * * JANUARY ? *", "its month can't be 'JANUARY'"),
        ("* * ? * 8 *", "its day of the week can't be '8'"),
        ("* * ? * 2#6 *", "its day of the week can't be '2#6'"),
        ("* * * * ? 1969", "its year can't be '1969'"),
        ("0/0 * * * ? *", "its minutes can't be '0/0'"),
        ("? * * * ? *", "its minutes can't be '?'"),
        ("* * * * * *", "either its day of the month or its day of the week is ?, and not both"),
        ("* * ? * ? *", "either its day of the month or its day of the week is ?, and not both"),
    ],
)
def test_a_cron_expression_that_scheduler_refuses_is_refused_by_its_field(text, mistake):
    assert cron_mistake(text) == mistake
