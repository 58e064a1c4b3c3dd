"""What a client may send, checked."""

import re
from collections.abc import Mapping
from decimal import Decimal

STATUSES = ("open", "done")
MOST_TITLE = 200  # characters
MOST_HOURS = 1000
MOST_TASKS = 100  # in one answer
ID = re.compile(r"[0-9a-f]{32}")
# A line has no control characters, and no half of a character that JSON can write in two: DynamoDB refuses those.
NOT_IN_A_LINE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


class InvalidFieldError(Exception):
    """A field is missing or has a value that it can't have; the message says so to the client."""


def of_new_task(sent: object) -> dict[str, object]:
    """Returns the fields of a new task.

    Raises:
        InvalidFieldError: there is no title, or a field is not valid.
    """
    given = _object(sent)
    if not given.get("title"):
        raise InvalidFieldError("title is required")
    return {"status": "open", **_checked(given)}


def of_change(sent: object) -> tuple[dict[str, object], int | None]:
    """Returns the fields that change, and the version that the client has seen if it says so.

    Raises:
        InvalidFieldError: there is nothing to change, or a field is not valid.
    """
    given = _object(sent)
    values, version = _checked(given), given.get("version")
    if not values:
        raise InvalidFieldError("title, status or hours is required")
    if version is not None and type(version) is not int:
        raise InvalidFieldError("version must be a whole number")
    return values, version


def asked(query: Mapping[str, str]) -> dict[str, object]:
    """Returns what a list has to be: its tasks' `status`, how many at most, and the task that it begins after.

    Raises:
        InvalidFieldError: one of these is not valid.
    """
    status, limit, after = query.get("status", ""), query.get("limit", str(MOST_TASKS)), query.get("next", "")
    if status:
        _check_status(status)
    if not re.fullmatch(r"[0-9]{1,3}", limit) or not 1 <= int(limit) <= MOST_TASKS:
        raise InvalidFieldError(f"limit must be a number from 1 to {MOST_TASKS}")
    if after and not ID.fullmatch(after):
        raise InvalidFieldError("next must be what the answer before had as next")
    return {"status": status, "limit": int(limit), "after": after}


def _object(sent: object) -> dict[str, object]:
    return sent if isinstance(sent, dict) else {}


def _checked(given: Mapping[str, object]) -> dict[str, object]:
    values: dict[str, object] = {}
    if "title" in given:
        title = given["title"]
        if not isinstance(title, str) or not 0 < len(title.strip()) <= MOST_TITLE or NOT_IN_A_LINE.search(title):
            raise InvalidFieldError(f"title must be a line of at most {MOST_TITLE} characters")
        values["title"] = title.strip()
    if "status" in given:
        _check_status(given["status"])
        values["status"] = given["status"]
    if "hours" in given:
        hours = given["hours"]
        if type(hours) not in (int, Decimal) or not 0 <= hours <= MOST_HOURS:
            raise InvalidFieldError(f"hours must be a number from 0 to {MOST_HOURS}")
        values["hours"] = Decimal(hours).quantize(Decimal("0.01"))
    return values


def _check_status(status: object) -> None:
    if status not in STATUSES:
        raise InvalidFieldError(f"status must be {' or '.join(STATUSES)}")
