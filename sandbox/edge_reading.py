"""Reading the account as anyone with credentials could: through boto3's clients alone."""

from typing import Any


def read(client: Any, operation: str, *, absent: str, **parameters: object) -> Any:
    """The answer of an API call, None where AWS answers with the error code `absent`."""
    try:
        return getattr(client, operation)(**parameters)
    except client.exceptions.ClientError as error:
        if error.response["Error"]["Code"] == absent:
            return None
        raise


def every(client: Any, operation: str, items: str, **parameters: object) -> list[dict[str, Any]]:
    """All items of a listing, over its pages."""
    if client.can_paginate(operation):
        pages = client.get_paginator(operation).paginate(**parameters)
        return [item for page in pages for item in page.get(items, [])]
    found: list[dict[str, Any]] = []
    token: dict[str, object] = {}
    while True:  # botocore knows no paginator for API mappings
        page = getattr(client, operation)(**parameters, **token)
        found += page.get(items, [])
        if not page.get("NextToken"):
            return found
        token = {"NextToken": page["NextToken"]}
