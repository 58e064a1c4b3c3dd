"""Reads the account only through boto3's clients, as anyone with credentials could."""

from collections.abc import Mapping
from typing import Any

import jmespath  # type: ignore[import-untyped]
from botocore.exceptions import BotoCoreError, ClientError

from walk.errors import ReadDeniedError, UnreadableAccountError
from walk.reads import READS

_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError"})


def read(client: Any, operation: str, *, absent: str | tuple[str, ...], **parameters: object) -> Any:
    """The answer of an API call, or None if AWS answers with an error code of `absent`.

    Raises:
        ReadDeniedError: the credentials may not make this call.
        UnreadableAccountError: AWS doesn't answer, or refuses to for another reason.
    """
    try:
        return getattr(client, operation)(**parameters)
    except ClientError as error:
        if error.response["Error"]["Code"] in ((absent,) if isinstance(absent, str) else absent):
            return None
        raise _unreadable(client, operation, parameters, error) from error
    except BotoCoreError as error:
        raise _unreadable(client, operation, parameters, error) from error


def every(client: Any, operation: str, items: str, **parameters: object) -> list[dict[str, Any]]:
    """All items of a listing, from all its pages; `items` is their member of a page, or the way to it with dots.

    Raises:
        ReadDeniedError: the credentials may not make this call.
        UnreadableAccountError: AWS doesn't answer, or refuses to for another reason.
    """
    try:
        return _pages(client, operation, items, parameters)
    except (ClientError, BotoCoreError) as error:
        raise _unreadable(client, operation, parameters, error) from error


def _pages(client: Any, operation: str, items: str, parameters: dict[str, object]) -> list[dict[str, Any]]:
    if client.can_paginate(operation):
        pages = client.get_paginator(operation).paginate(**parameters)
        return [item for page in pages for item in jmespath.search(items, page) or ()]
    found: list[dict[str, Any]] = []
    token: dict[str, object] = {}
    while True:  # botocore has no paginator for API mappings
        page = getattr(client, operation)(**parameters, **token)
        found += page.get(items, [])
        if not page.get("NextToken"):
            return found
        token = {"NextToken": page["NextToken"]}


def _unreadable(
    client: Any, operation: str, parameters: Mapping[str, object], error: ClientError | BotoCoreError
) -> UnreadableAccountError:
    said = f"the account can't be read, {operation} fails: {error}"
    wanted = READS.get((client.meta.service_model.service_name, operation))  # not of a walk's own reads: None
    if wanted is not None and isinstance(error, ClientError) and error.response["Error"]["Code"] in _DENIED:
        return ReadDeniedError(wanted.hop, wanted.permission(parameters), said)
    return UnreadableAccountError(said)
