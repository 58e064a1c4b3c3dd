"""The table of a resource type's properties: the inputs, which AWS takes, and the outputs, which only AWS knows."""

import itertools
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from typing import Any, TypeAlias

import jmespath  # type: ignore[import-untyped]

from sandbox.provider.call import NAME, filled_in
from sandbox.provider.forms import ANYTHING, TEXT, WRITTEN_AS_TEXT, Form, as_text, form_of
from sandbox.provider.inputs import UNKNOWN, Inputs

_PART = re.compile(r"\[(\d+)\]|([^.\[\]]+)")


@dataclass(frozen=True, slots=True)
class Field:
    """An input, which is an output too.

    `at` is its path in AWS's request and answer, such as `Attributes.DisplayName` or `Configurations[0]`: without it,
    it is the member of the same name, in any case; "" is for an input that isn't sent, only repeated in the outputs.
    `form` follows from botocore's model where it isn't given.
    """

    name: str
    at: str | None = None
    form: Form | None = None
    _: KW_ONLY
    required: bool = False
    default: Any = None
    """What is sent where the program gives nothing."""
    filled: Any = None
    """The value in AWS where nothing was sent; AWS doesn't always return it."""
    computed: bool = False
    """Whether AWS chooses a value where the program gives none, which then stays in an update."""
    answer: str | None = None
    """Where the answer has it (JMESPath), if not at the same path as the request."""
    echoed: bool = False
    """Whether the output repeats the input where the answer doesn't have it: AWS or the emulator doesn't tell."""
    supported: bool = True
    """False for an input that is refused, rather than ignored."""
    allowed: Collection[Any] | None = None
    """The values that AWS takes, where botocore's model doesn't say so."""
    not_allowed: str = "{value} is not a valid value: AWS takes {allowed}"
    """The sentence for any other value."""
    removed_as: Any = None
    """For a map: the value by which an update removes one of its keys."""
    path: tuple[str | int, ...] = ()
    as_text: bool = False

    def bound(self, shape: Any) -> "Field":
        """Return the field with path and form as botocore's shape of the request has them.

        Raises:
            TypeError: the request has no such member, or one with members that the table doesn't name.
        """
        at = self.at
        if at is None:
            members = [] if shape is None else list(shape.members)
            at = next((member for member in members if member.lower() == self.name.lower()), "")
            if not at and self.supported:
                raise TypeError(f"AWS's request has no member '{self.name}': set `at` to its place")
        path = tuple(int(index) if index else name for index, name in _PART.findall(at))
        target = shape
        for part in path:
            target = target and _inside(target, part)
        form = self.form or (form_of(target) if path and target else TEXT)
        if form is None and self.supported:
            raise TypeError(f"'{at}' of AWS's request has members: declare them with Block(...) or Blocks(...)")
        form = (form or ANYTHING).bound(target if path else None)
        written = bool(path and target) and form in WRITTEN_AS_TEXT and target.type_name == "string"
        return replace(self, at=at, path=path, form=form, as_text=written)

    def read(self, inputs: Inputs) -> Any:
        """Return the value for AWS, None where nothing is to be sent; note in the inputs what is wrong with it."""
        if not self.supported:
            inputs.unsupported(self.name)
            return None
        if self.required and inputs.any(self.name) in (None, ""):
            inputs.fail(self.name, "is missing")
            return UNKNOWN
        value = self.bound_form.read(inputs, self.name)
        if value is None:
            value = self.default
        elif value is not UNKNOWN and self.allowed is not None and value not in self.allowed:
            inputs.fail(self.name, self.not_allowed.format(value=value, allowed=_shown(self.allowed)))
        return as_text(value) if self.as_text else value

    def output(self, answer: Any, known: Mapping[str, Any]) -> Any:
        """Return the property's value, from AWS's answer and what was known before."""
        path = self.answer or self.at
        found = jmespath.search(path, answer) if path else None
        if found in (None, {}):
            if self.echoed or not path:
                found = known.get(self.name)
                if found is not None:
                    return found
            found = self.filled if self.filled is not None else self.default
            return self.bound_form.empty() if found is None else self.bound_form.output(found)
        return self.bound_form.output(found)

    def value_for_update(self, wanted: Any, old: Mapping[str, Any]) -> Any:
        """Return what an update sends: a value no longer given is emptied, unless AWS then chooses one."""
        before = old.get(self.name)
        if self.removed_as is not None and before:
            return {**dict.fromkeys(before, self.removed_as), **(wanted or {})}
        removed = wanted is None and before not in (None, self.bound_form.empty())
        return self.bound_form.emptied() if removed and not self.added else wanted

    def holds(self, found: Any, wanted: Any) -> bool:
        """Say whether an output has what is wanted: where nothing is, it has nothing, or what AWS adds."""
        if wanted is None:
            return self.added or found in (None, self.bound_form.empty())
        return wanted is not UNKNOWN and self.bound_form.holds(found, wanted)

    @property
    def bound_form(self) -> Form:
        """The form, given by the table or by botocore's model.

        Raises:
            TypeError: the field isn't bound to the model yet.
        """
        if self.form is None:
            raise TypeError(f"the field '{self.name}' isn't bound to AWS's model")
        return self.form

    @property
    def sent(self) -> bool:
        """Whether it is part of a request."""
        return bool(self.path) and self.supported

    @property
    def added(self) -> bool:
        """Whether AWS adds it where the program doesn't give it."""
        return self.computed or self.filled is not None


@dataclass(frozen=True, slots=True)
class Output:
    """A property that only AWS knows.

    `answer` is its path in the answer (JMESPath), or a text with `{name}` for the id, the region, the account and the
    properties before it. Without one, the resource type's `computed_outputs` gives it.
    """

    name: str
    answer: str = ""
    form: Form = ANYTHING
    _: KW_ONLY
    filled: Any = ""
    """The value where the answer has none."""
    unknown_after_update: bool = False
    """Whether an update gives it another value, which a preview can't know."""
    added: bool = True

    def bound(self, shape: Any) -> "Output":
        """Return the output with its own members' forms: no request has them."""
        return replace(self, form=self.form.bound(None))

    def output(self, answer: Any, known: Mapping[str, Any]) -> Any:
        """Return the property's value, from AWS's answer and what was known before."""
        if NAME.search(self.answer):
            return filled_in(self.answer, known)
        found = jmespath.search(self.answer, answer)
        return self.filled if found is None else self.form.output(found)


Property: TypeAlias = Field | Output


def attribute(name: str, member: str = "", form: Form | None = None, **rest: Any) -> Field:
    """Return an input that is one of AWS's `Attributes`, a map of texts; its form, if not TEXT, must be given."""
    return Field(name, f"Attributes.{member or name[0].upper() + name[1:]}", form, **rest)


def unsupported(*names: str, form: Form | None = None) -> tuple[Field, ...]:
    """Return inputs that AWS knows and this provider doesn't: they are refused.

    With a form, their outputs are empty; otherwise they are what AWS has, at the member of the same name.
    """
    return tuple(Field(name, "" if form else None, form, supported=False) for name in names)


def bind(fields: Sequence[Property | str], shape: Any) -> tuple[Property, ...]:
    """Return a table for a shape in botocore's model; a mere name is an optional input.

    Raises:
        TypeError: the table has something that the shape doesn't.
    """
    return tuple((Field(field) if isinstance(field, str) else field).bound(shape) for field in fields)


def place(request: dict[str, Any], path: Sequence[str | int], value: Any) -> None:
    """Put a value into a request, at a path; a list has one item."""
    inner: Any = request
    for part, following in itertools.pairwise(path):
        empty: Any = [{}] if isinstance(following, int) else {}
        inner = inner.setdefault(part, empty) if isinstance(part, str) else inner[part]
    inner[path[-1]] = value


def _inside(shape: Any, part: str | int) -> Any:
    if isinstance(part, int):
        return shape.member
    if shape.type_name == "map":
        return shape.value
    if part not in shape.members:
        raise TypeError(f"AWS's {shape.name} has no member '{part}'")
    return shape.members[part]


def _shown(allowed: Collection[Any]) -> str:
    if isinstance(allowed, range):
        return f"{allowed[0]} to {allowed[-1]}"
    return ", ".join(map(str, allowed))
