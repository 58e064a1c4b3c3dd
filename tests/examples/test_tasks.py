"""examples/tasks, deployed by the settings of its README: CRUD on DynamoDB."""

import json
import re
import time
from decimal import Decimal

import boto3
import pytest

from tests.support.examples import Client, running_example
from walk.role_permission import role_policies, role_verdict

NAME = "dualmode-dev"
PAGE = "https://www.example.com"
A_DAY = 86_400
NOBODY = "0" * 32
ITEMS = ("BatchWriteItem", "DeleteItem", "GetItem", "PutItem", "Query", "Scan", "UpdateItem")


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    with running_example("tasks", tmp_path_factory.mktemp("tasks")) as found:
        yield found


@pytest.fixture(scope="module")
def table(sandbox):
    """The table as anybody with permissions sees it, not through the application."""
    client = sandbox.account.client("dynamodb")
    return boto3.resource("dynamodb", endpoint_url=client.meta.endpoint_url, **credentials(sandbox)).Table(NAME)


def credentials(sandbox):
    variables = sandbox.variables
    return {
        "region_name": variables["AWS_REGION"],
        "aws_access_key_id": variables["AWS_ACCESS_KEY_ID"],
        "aws_secret_access_key": variables["AWS_SECRET_ACCESS_KEY"],
    }


@pytest.fixture
def ask(sandbox, table):
    """A client of the API, whose table is empty."""
    for item in table.scan(ProjectionExpression="id")["Items"]:
        table.delete_item(Key=item)
    return Client(sandbox)


def add(ask, **fields):
    return ask("POST", "/tasks", fields).json


def titles(answer):
    return sorted(task["title"] for task in answer.json["tasks"])


def test_a_task_is_added_shown_changed_and_removed(ask):
    added = ask("POST", "/tasks", {"title": " Write the README ", "hours": 1.5})
    task = added.json
    assert re.fullmatch(r"[0-9a-f]{32}", task["id"])
    assert abs(task["changed"] - time.time()) < 60
    assert (added.status, added.headers["location"], task) == (
        201,
        f"/tasks/{task['id']}",
        {
            "id": task["id"],
            "title": "Write the README",
            "status": "open",
            "hours": 1.5,
            "version": 1,
            "changed": task["changed"],
        },
    )
    path = f"/tasks/{task['id']}"
    shown = ask("GET", path)
    assert (shown.status, shown.json) == (200, task)
    changed = ask("PUT", path, {"status": "done"})
    expected = {**task, "status": "done", "version": 2, "changed": changed.json["changed"]}
    assert (changed.status, changed.json) == (200, expected)
    assert ask("GET", path).json == expected
    removed = ask("DELETE", path)
    assert (removed.status, removed.body) == (204, b"")
    assert ask("GET", "/tasks").json == {"tasks": [], "count": 0}


@pytest.mark.parametrize(
    "sent", [{}, {"title": ""}, {"title": None}, [], None, b"no JSON", b'{"hours": 1e9999999999999999999}']
)
def test_a_task_without_a_title_is_refused(ask, sent):
    answer = ask("POST", "/tasks", sent)
    assert (answer.status, answer.json) == (400, {"error": "title is required"})


def test_what_a_field_can_not_be_is_said(ask):
    title, hours = "title must be a line of at most 200 characters", "hours must be a number from 0 to 1000"
    version, status = "version must be a whole number", "status must be open or done"
    path = f"/tasks/{add(ask, title='a')['id']}"
    sent = {
        '{"title": 5}': title,
        '{"title": "   "}': title,
        json.dumps({"title": "a" * 201}): title,
        '{"title": "two\\nlines"}': title,
        '{"title": "\\ud83d"}': title,
        '{"status": "later"}': status,
        '{"status": ["open"]}': status,
        '{"hours": "2"}': hours,
        '{"hours": true}': hours,
        '{"hours": -0.5}': hours,
        '{"hours": 1000.01}': hours,
        '{"hours": NaN}': hours,
        '{"title": "b", "version": "1"}': version,
        '{"version": 1}': "title, status or hours is required",
        "{}": "title, status or hours is required",
    }
    found = {text: ask("PUT", path, text.encode()) for text in sent}
    assert {text: answer.json["error"] for text, answer in found.items()} == sent
    assert {answer.status for answer in found.values()} == {400}
    queries = {
        "limit=0": "limit must be a number from 1 to 100",
        "limit=101": "limit must be a number from 1 to 100",
        "limit=ten": "limit must be a number from 1 to 100",
        "status=later": status,
        "next=1": "next must be what the answer before had as next",
    }
    found = {query: ask("GET", f"/tasks?{query}") for query in queries}
    assert {query: (answer.status, answer.json["error"]) for query, answer in found.items()} == {
        query: (400, error) for query, error in queries.items()
    }


@pytest.mark.parametrize("task_id", [NOBODY, "nonsense", "x" * 3000])
def test_a_task_that_is_not_there_is_not_found_and_a_change_does_not_make_it(ask, task_id):
    for method, sent in (("GET", None), ("PUT", {"status": "done"}), ("DELETE", None)):
        answer = ask(method, f"/tasks/{task_id}", sent)
        assert (method, answer.status, answer.json) == (method, 404, {"error": "Task not found"})
    assert ask("GET", "/tasks").json["count"] == 0


def test_a_task_is_removed_once(ask):
    path = f"/tasks/{add(ask, title='a')['id']}"
    assert [ask("DELETE", path).status for _ in "ab"] == [204, 404]


def test_tasks_are_listed_by_their_status(ask):
    for title in "abc":
        add(ask, title=title, status="done" if title == "b" else "open")
    for query, expected in (("", "abc"), ("?status=", "abc"), ("?status=open", "ac"), ("?status=done", "b")):
        answer = ask("GET", f"/tasks{query}")
        assert (answer.status, titles(answer)) == (200, list(expected))
        assert answer.json == {"tasks": answer.json["tasks"], "count": len(expected)}


def test_page_after_page_has_each_task_once(ask, table):
    wanted = [add(ask, title=f"wanted {number}")["title"] for number in range(5)]
    with table.batch_writer() as writer:  # before, between and after those that are asked for
        for number in range(40):
            writer.put_item(
                Item={"id": f"{number * 6:02x}" + "f" * 30, "title": "done", "status": "done", "version": 1}
            )
    pages, following = [], ""
    while following is not None:
        answer = ask("GET", f"/tasks?status=open&limit=2{following}").json
        pages.append(answer)
        following = f"&next={answer['next']}" if "next" in answer else None
        if "next" in answer:  # what a page ended with may be gone when the next one is asked for
            assert ask("DELETE", f"/tasks/{answer['next']}").status == 204
    assert [page["count"] for page in pages] == [2, 2, 1]
    assert sorted(task["title"] for page in pages for task in page["tasks"]) == wanted


def test_a_list_has_at_most_a_hundred_tasks(ask, table):
    with table.batch_writer() as writer:
        for number in range(101):
            writer.put_item(Item={"id": f"{number:032x}", "title": "a", "status": "open", "version": 1})
    first = ask("GET", "/tasks").json
    assert (first["count"], len(first["tasks"])) == (100, 100)
    last = ask("GET", f"/tasks?next={first['next']}").json
    assert (last["count"], "next" in last) == (1, False)


def test_a_number_is_written_as_it_was_sent(ask, table):
    for sent, kept in ((0, "0"), (2, "2"), (0.1, "0.1"), (1000, "1000"), (1.005, "1")):
        task = add(ask, title="a", hours=sent)
        assert (task["hours"], table.get_item(Key={"id": task["id"]})["Item"]["hours"]) == (float(kept), Decimal(kept))
        shown = ask("GET", f"/tasks/{task['id']}").body
        assert re.search(rb'"hours":\s*([^,}\s]+)', shown)[1] == kept.encode()


def test_the_second_of_two_clients_that_change_the_same_version_is_told(ask):
    task = add(ask, title="a")
    path = f"/tasks/{task['id']}"
    first = ask("PUT", path, {**task, "title": "first"})
    second = ask("PUT", path, {**task, "title": "second"})
    assert (first.status, first.json["version"]) == (200, 2)
    assert (second.status, second.json) == (409, {"error": "Another request has changed the task: get it again"})
    assert ask("GET", path).json == first.json
    assert ask("PUT", path, {**first.json, "title": "second"}).json["version"] == 3


def test_a_page_of_the_origin_may_ask_and_another_may_not(ask):
    asked = {"Access_Control_Request_Method": "DELETE", "Access_Control_Request_Headers": "content-type"}
    allowed = ask("OPTIONS", "/tasks/1", Origin=PAGE, **asked).headers
    assert allowed["access-control-allow-origin"] == PAGE
    assert "DELETE" in allowed["access-control-allow-methods"]
    assert (
        "access-control-allow-origin" not in ask("OPTIONS", "/tasks/1", Origin="https://evil.example", **asked).headers
    )
    assert ask("GET", "/tasks", Origin=PAGE).headers["access-control-allow-origin"] == PAGE
    refused = ask("POST", "/tasks", {}, Origin=PAGE)  # a page reads the reason as well
    assert (refused.status, refused.headers["access-control-allow-origin"]) == (400, PAGE)


def test_the_schedule_removes_what_was_done_long_ago_and_no_client_reaches_its_path(ask, sandbox, table):
    now = int(time.time())
    for title, status, days in (("old", "done", 31), ("recent", "done", 29), ("undone", "open", 31)):
        key = add(ask, title=title, status=status)["id"]
        table.update_item(
            Key={"id": key},
            UpdateExpression="SET changed = :then",
            ExpressionAttributeValues={":then": now - days * A_DAY},
        )
    for path in ("/jobs/clean-up", "/jobs/clean-up/", "/x/jobs/clean-up"):
        assert ask("POST", path, {"days": 0}).status == 404
    assert ask("GET", "/tasks").json["count"] == 3
    schedules = sandbox.event_sources.schedules
    schedule = schedules.named("clean-up")
    outcome = schedules.fire(schedule)
    assert (schedule["ScheduleExpression"], outcome.succeeded) == ("cron(30 3 * * ? *)", True)
    assert json.loads(outcome.result) == {"removed": 1}
    assert titles(ask("GET", "/tasks")) == ["recent", "undone"]


def test_the_function_may_use_the_items_of_its_table_and_nothing_else_of_dynamodb(sandbox, table):
    configuration = sandbox.account.client("lambda").get_function_configuration(FunctionName=NAME)
    assert configuration["Environment"]["Variables"]["TABLE_NAME"] == NAME
    role = configuration["Role"]
    statements = [
        statement
        for document in role_policies(sandbox.account, role.rpartition("/")[2])
        for statement in document["Statement"]
        if "dynamodb" in json.dumps(statement)
    ]
    assert statements == [
        {
            "Effect": "Allow",
            # As docs/settings.md lists them.
            "Action": [f"dynamodb:{action}" for action in ITEMS],
            "Resource": [table.table_arn, f"{table.table_arn}/index/*"],
        }
    ]

    def allowed(action, arn):
        return role_verdict(sandbox.account, role, f"dynamodb:{action}", arn).allowed

    assert all(
        allowed(action, table.table_arn) for action in ("Scan", "GetItem", "PutItem", "UpdateItem", "DeleteItem")
    )
    assert not any(allowed(action, table.table_arn) for action in ("DeleteTable", "UpdateTable", "DescribeTable"))
    assert not allowed("GetItem", f"{table.table_arn}-of-others")
