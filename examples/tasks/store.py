"""The tasks in their DynamoDB table. Each change is one conditional write: no request undoes another one's work."""

import os
import time
import uuid

import boto3
from boto3.dynamodb.conditions import Attr

from fields import ID

# Made at the start, where Lambda gives more processor time than to a small function's requests.
table = boto3.resource("dynamodb").Table(os.environ["TABLE_NAME"])
ConditionFailedError = table.meta.client.exceptions.ConditionalCheckFailedException

Task = dict[str, object]


class NoTaskError(Exception):
    """There is no task with this id."""


class ChangedMeanwhileError(Exception):
    """The task has another version than the client has seen."""


def listed(status: str, limit: int, after: str) -> tuple[list[Task], str | None]:
    """Returns at most `limit` tasks after the one with the id `after`, and the last one's id if there are more.

    A page of DynamoDB's has what is left of the items it has read, which may be none: the filter comes after the limit.
    """
    question: dict[str, object] = {"Limit": limit + 1}  # one more, to know whether there are more
    if status:
        question["FilterExpression"] = Attr("status").eq(status)
    if after:
        question["ExclusiveStartKey"] = {"id": after}
    found: list[Task] = []
    while len(found) <= limit:
        page = table.scan(**question)
        found += page["Items"]
        if "LastEvaluatedKey" not in page:
            break
        question["ExclusiveStartKey"] = page["LastEvaluatedKey"]
    more = len(found) > limit
    return found[:limit], str(found[limit - 1]["id"]) if more else None


def add(values: Task) -> Task:
    """Keeps a new task."""
    now = int(time.time())
    task = {"id": uuid.uuid4().hex, **values, "version": 1, "changed": now}
    table.put_item(Item=task, ConditionExpression=Attr("id").not_exists())
    return task


def get(task_id: str) -> Task:
    """Returns a task.

    Raises:
        NoTaskError: there is none with this id.
    """
    found: Task | None = table.get_item(Key=_key(task_id), ConsistentRead=True).get("Item")
    if found is None:
        raise NoTaskError
    return found


def change(task_id: str, values: Task, version: int | None) -> Task:
    """Changes fields of a task, if it still has this version or none is given, and returns the task.

    Raises:
        NoTaskError: there is none with this id.
        ChangedMeanwhileError: it has another version.
    """
    condition = Attr("id").exists()
    if version is not None:
        condition &= Attr("version").eq(version)
    values = {**values, "changed": int(time.time())}
    try:
        answer = table.update_item(
            Key=_key(task_id),
            UpdateExpression=f"SET {', '.join(f'#{name} = :{name}' for name in values)} ADD #version :one",
            ExpressionAttributeNames={f"#{name}": name for name in (*values, "version")},
            ExpressionAttributeValues={":one": 1, **{f":{name}": value for name, value in values.items()}},
            ConditionExpression=condition,
            ReturnValues="ALL_NEW",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    except ConditionFailedError as error:
        raise ChangedMeanwhileError if "Item" in error.response else NoTaskError from None
    task: Task = answer["Attributes"]
    return task


def remove(task_id: str) -> None:
    """Removes a task.

    Raises:
        NoTaskError: there is none with this id.
    """
    try:
        table.delete_item(Key=_key(task_id), ConditionExpression=Attr("id").exists())
    except ConditionFailedError:
        raise NoTaskError from None


def clean_up(done_before: int) -> int:
    """Removes the tasks that were done before a moment, in seconds since 1970, and returns how many these were."""
    old = Attr("status").eq("done") & Attr("changed").lt(done_before)
    question: dict[str, object] = {"FilterExpression": old, "ProjectionExpression": "id"}
    removed = 0
    while True:
        page = table.scan(**question)
        for task in page["Items"]:
            try:
                table.delete_item(Key=task, ConditionExpression=old)
            except ConditionFailedError:  # since the scan, a client has opened or removed it
                continue
            removed += 1
        if "LastEvaluatedKey" not in page:
            return removed
        question["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def _key(task_id: str) -> dict[str, str]:
    if not ID.fullmatch(task_id):
        raise NoTaskError
    return {"id": task_id}
