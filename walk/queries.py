"""Reads the account only through boto3's clients, as anyone with credentials could."""

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from walk.errors import UnreadableAccountError


def read(client: Any, operation: str, *, absent: str, **parameters: object) -> Any:
    """The answer of an API call, or None if AWS answers with the error code `absent`.

    Raises:
        UnreadableAccountError: AWS doesn't answer, or refuses to.
    """
    try:
        return getattr(client, operation)(**parameters)
    except ClientError as error:
        if error.response["Error"]["Code"] == absent:
            return None
        raise _unreadable(operation, error) from error
    except BotoCoreError as error:
        raise _unreadable(operation, error) from error


def every(client: Any, operation: str, items: str, **parameters: object) -> list[dict[str, Any]]:
    """All items of a listing, from all its pages.

    Raises:
        UnreadableAccountError: AWS doesn't answer, or refuses to.
    """
    try:
        return _pages(client, operation, items, parameters)
    except (ClientError, BotoCoreError) as error:
        raise _unreadable(operation, error) from error


def _pages(client: Any, operation: str, items: str, parameters: dict[str, object]) -> list[dict[str, Any]]:
    if client.can_paginate(operation):
        pages = client.get_paginator(operation).paginate(**parameters)
        return [item for page in pages for item in page.get(items, [])]
    found: list[dict[str, Any]] = []
    token: dict[str, object] = {}
    while True:  # botocore has no paginator for API mappings
        page = getattr(client, operation)(**parameters, **token)
        found += page.get(items, [])
        if not page.get("NextToken"):
            return found
        token = {"NextToken": page["NextToken"]}


def _unreadable(operation: str, error: Exception) -> UnreadableAccountError:
    return UnreadableAccountError(f"the account can't be read, {operation} fails: {error}")
