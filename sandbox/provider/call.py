"""One call of AWS's API: the operation, its parameters, and where in the answer the wanted part is."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import jmespath  # type: ignore[import-untyped]
from botocore import xform_name

NAME = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True, init=False)
class Call:
    """An operation by its name in the API reference, with parameters in which `{name}` stands for a known value.

    `answer` is the JMESPath expression of the wanted part of the answer, in which `{name}` may stand as well:
    `Call("DescribeAlarms", "MetricAlarms[0]", AlarmNames=["{id}"])`.
    """

    operation: str
    answer: str
    parameters: Mapping[str, Any]

    def __init__(self, operation: str, answer: str = "@", /, **parameters: Any) -> None:
        object.__setattr__(self, "operation", operation)
        object.__setattr__(self, "answer", answer)
        object.__setattr__(self, "parameters", parameters)

    def send(self, client: Any, known: Mapping[str, Any], parameters: Mapping[str, Any]) -> Any:
        """Return the wanted part of the answer, over all pages; the call's own parameters win over the given ones."""
        request = given({**parameters, **filled_in(self.parameters, known)})
        method = xform_name(self.operation)
        if client.can_paginate(method):
            answer = client.get_paginator(method).paginate(**request).build_full_result()
        else:
            answer = getattr(client, method)(**request)
        return self.search(answer, known)

    def search(self, answer: Any, known: Mapping[str, Any]) -> Any:
        """Return the wanted part of an answer."""
        return jmespath.search(_expression(self.answer, known), answer)


def parameters(**values: Any) -> Mapping[str, Any]:
    """Return parameters that several calls share, by their names in the API reference."""
    return MappingProxyType(values)


def filled_in(template: Any, known: Mapping[str, Any]) -> Any:
    """Return a template with each `{name}` replaced; a template that is only a name becomes the value itself."""
    if isinstance(template, Mapping):
        return {key: filled_in(value, known) for key, value in template.items()}
    if isinstance(template, list):
        return [filled_in(value, known) for value in template]
    if not isinstance(template, str):
        return template
    whole = NAME.fullmatch(template)
    return known.get(whole[1]) if whole else NAME.sub(lambda name: _text(known.get(name[1])), template)


def names_in(template: str, text: str) -> dict[str, str]:
    """Return the values that make a template this text, as far as they can be known: the reverse of filling it in."""
    parts = enumerate(NAME.split(template))
    pattern = "".join(f"(?P<{part}>.*)" if number % 2 else re.escape(part) for number, part in parts)
    found = re.fullmatch(pattern, text, re.DOTALL)
    return found.groupdict() if found else {}


def given(request: Mapping[str, Any]) -> dict[str, Any]:
    """Return a request without values of None, as boto3 requires."""
    return {key: _given(value) for key, value in request.items() if value is not None}


def _given(value: Any) -> Any:
    if isinstance(value, Mapping):
        return given(value)
    if isinstance(value, list):
        return [_given(item) for item in value]
    return value


def _expression(template: str, known: Mapping[str, Any]) -> str:
    return NAME.sub(lambda name: _text(known.get(name[1])).replace("\\", r"\\").replace("'", r"\'"), template)


def _text(value: object) -> str:
    return "" if value is None else str(value)
