"""A resource's tags: in the request that creates it, in AWS's answers, and in the calls that change them."""

import json
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, NamedTuple

from sandbox.provider.call import Call
from sandbox.provider.service_model import input_shape

_NAMES = ("tags", "taglist")


class TagsMember(NamedTuple):
    """A member of a request, and botocore's shape of it."""

    name: str
    shape: Any


@dataclass(frozen=True, slots=True)
class Tags:
    """Where a resource type's tags are.

    `resource` says whose they are in the calls, such as `{arn}`. With `answer` (JMESPath), the read call's answer has
    them; otherwise the `listed` call does. The names of parameters and members follow from botocore's model.
    """

    resource: str
    answer: str = ""
    _: KW_ONLY
    tag: str = "TagResource"
    untag: str = "UntagResource"
    listed: str = "ListTagsForResource"
    also: Mapping[str, str] = field(default_factory=dict)
    """Further parameters that all of the calls need."""

    def member(self, shape: Any) -> TagsMember | None:
        """Return the member of a request that takes tags, if there is one."""
        found = (TagsMember(name, member) for name, member in shape.members.items() if name.lower() in _NAMES)
        return next(found, None)

    def read(self, client: Any, answer: Any, known: Mapping[str, Any]) -> dict[str, str]:
        """Return a resource's tags; `answer` is the read call's."""
        if self.answer:
            return tag_map(Call("", self.answer).search(answer, known))
        found = self._call(client, self.listed, known)
        return tag_map(next((tags for name, tags in found.items() if name.lower() in _NAMES), None))

    def change(self, client: Any, old: Mapping[str, str], wanted: Mapping[str, str], known: Mapping[str, Any]) -> None:
        """Make the tags the wanted ones."""
        removed = [key for key in old if key not in wanted]
        if removed:
            self._call(client, self.untag, known, removed)
        if wanted:
            self._call(client, self.tag, known, dict(wanted))

    def _call(self, client: Any, operation: str, known: Mapping[str, Any], tags: Any = None) -> Any:
        shape = input_shape(client, operation)
        whose = next(name for name in shape.required_members if name not in self.also)
        parameters: dict[str, Any] = {whose: self.resource, **self.also}
        if tags is not None:
            name, member = next(item for item in shape.members.items() if item[0].lower() in (*_NAMES, "tagkeys"))
            parameters[name] = as_shape(tags, member)
        return Call(operation, **parameters).send(client, known, {})


def default_tags(configured: object) -> dict[str, str]:
    """Return the tags that a provider's `defaultTags` gives to every resource; the engine has them as JSON."""
    block = json.loads(configured) if isinstance(configured, str) and configured else configured
    tags = block.get("tags") if isinstance(block, Mapping) else None
    return {str(key): str(value) for key, value in (tags or {}).items()}


def as_shape(tags: Any, shape: Any) -> Any:
    """Return tags, or the keys of tags, in the form that a shape of botocore's model has for them."""
    if shape.type_name == "map" or shape.member.type_name == "string":
        return tags
    names = {name.lower(): name for name in shape.member.members}
    if isinstance(tags, Mapping):
        return [{names["key"]: key, names["value"]: value} for key, value in sorted(tags.items())]
    return [{names["key"]: key} for key in tags]


def tag_map(tags: Any) -> dict[str, str]:
    """Return tags as Pulumi has them: a map, whether AWS answers with one or with a list of keys and values."""
    if isinstance(tags, Mapping):
        return dict(tags)
    pairs = ({name.lower(): text for name, text in tag.items()} for tag in tags or [])
    return {pair["key"]: pair.get("value", "") for pair in pairs}
