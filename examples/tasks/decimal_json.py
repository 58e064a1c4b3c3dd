"""JSON with Decimal: DynamoDB gives numbers as Decimal, and boto3 refuses a float."""

from decimal import Decimal, InvalidOperation
from typing import Any

from flask.json.provider import DefaultJSONProvider


class DecimalJson(DefaultJSONProvider):
    """Reads a fraction as Decimal, and writes a Decimal as a number, where Flask's own would write a text."""

    def loads(self, s: str | bytes, **more: Any) -> Any:
        """Reads JSON.

        Raises:
            ValueError: it is not valid, or has a number that Decimal can't hold.
        """
        try:
            return super().loads(s, parse_float=Decimal, **more)
        except InvalidOperation as error:
            raise ValueError(f"a number is too large or too small: {error}") from None

    @staticmethod
    def default(value: Any) -> Any:
        """Returns what is written for a value that JSON has no form for."""
        if isinstance(value, Decimal):
            return int(value) if value == int(value) else float(value)
        return DefaultJSONProvider.default(value)
