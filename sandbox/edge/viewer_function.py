"""Runs what is common in functions of CloudFront: headers of the request that are set to other values of the event."""

import re

_ASSIGNED = re.compile(
    r"(?:event\.)?request\.headers(?:\.(?P<word>\w+)|\['(?P<text>[^']+)'\]) = \{ ?value: (?P<value>[\w.']+) ?\};?"
)
_HEADER = re.compile(r"(?:event\.)?request\.headers\.(\w+)\.value")
_IGNORED = (
    re.compile(r"(?:async )?function handler\(event\) \{"),
    re.compile(r"(?:var|const|let) request = event\.request;?"),
    re.compile(r"return (?:event\.)?request;?"),
    re.compile(r"\}?"),
    re.compile(r"//.*"),
)


class UnknownStatementError(Exception):
    """The function has a statement that can't be run here; the message is that statement."""


def run(code: str, headers: tuple[tuple[str, str], ...], client: str) -> tuple[tuple[str, str], ...]:
    """Return the headers of a request as the function changes them, names in lower case.

    Raises:
        UnknownStatementError: it does something else, too.
    """
    found = tuple((name.lower(), value) for name, value in headers)
    for line in map(str.strip, code.splitlines()):
        assigned = _ASSIGNED.fullmatch(line)
        if assigned:
            name = (assigned["word"] or assigned["text"]).lower()
            value = _value(assigned["value"], found, client)
            found = (*((key, text) for key, text in found if key != name), (name, value))
        elif not any(pattern.fullmatch(line) for pattern in _IGNORED):
            raise UnknownStatementError(line)
    return found


def _value(expression: str, headers: tuple[tuple[str, str], ...], client: str) -> str:
    header = _HEADER.fullmatch(expression)
    if header:
        return next((value for name, value in headers if name == header[1]), "")
    if expression == "event.viewer.ip":
        return client
    if expression.startswith("'") and expression.endswith("'") and len(expression) > 1:
        return expression[1:-1]
    raise UnknownStatementError(expression)
