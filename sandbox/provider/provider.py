"""The resource types, and their operations: check, diff, create, read, update, delete, invoke."""

import contextlib
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from sandbox.errors import SandboxError
from sandbox.provider.aws import Aws, Builder, Values
from sandbox.provider.inputs import UNKNOWN, Inputs, is_known
from sandbox.provider.invokes import INVOKES
from sandbox.provider.refusals import (
    InvalidInputsError,
    ResourceRefusedError,
    UnfinishedError,
    finishing,
    or_none,
    refusal_of,
)
from sandbox.provider.registry import resource_types
from sandbox.provider.resource_type import ResourceType
from walk.account import Account

_Answer = TypeVar("_Answer")
MAY_BE_LEFT = "It may have been made all the same, without Pulumi knowing it: look for it in the account, and delete it"
"""What is said of an interrupted creation of something that only AWS names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Diff:
    """Which inputs differ, and which of them make another resource of it."""

    changes: frozenset[str]
    replaces: frozenset[str]
    deletes_first: bool
    """Whether the old one must be deleted before the new one is created: the program gave both the same name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A resource as AWS has it."""

    identity: str
    inputs: Values
    outputs: Values


class Provider:
    """Makes resources in one account; relative paths in inputs are those of `folder`.

    Every method takes and returns plain values: no secrets, no wire format.

    Raises, wherever AWS would refuse:
        ResourceRefusedError: with AWS's code, the resource's type and name, and the reason.
    """

    def __init__(self, account: Account, builder: Builder, folder: Path) -> None:
        self._aws = Aws(account, builder, folder)
        self.default_tags: Mapping[str, str] = {}
        """The tags of every resource that takes tags; its own ones win."""
        self.resource_types: Mapping[str, ResourceType] = {
            found.pulumi_type: found(self._aws) for found in resource_types()
        }

    @property
    def types(self) -> frozenset[str]:
        """The tokens of the resource types that can be made."""
        return frozenset(self.resource_types)

    def named(
        self,
        pulumi_type: str,
        name: str,
        inputs: Mapping[str, Any],
        *,
        seed: bytes = b"",
        old: Mapping[str, Any] | None = None,
    ) -> Values:
        """Return the inputs with the default tags, and the name that the real provider would make if there is none.

        A name that was made before stays. The seed decides the random end of a new one; without a seed it follows from
        type and name alone. That the name was made is noted under `__defaults`.
        """
        resource_type = self._resource_type(pulumi_type, name)
        inputs = self._tagged(resource_type, inputs)
        key = resource_type.autonamed
        if key is None or inputs.get(key) is not None or inputs.get(f"{key}Prefix") is not None:
            return dict(inputs)
        suffix = hashlib.sha256(seed or f"{pulumi_type}::{name}".encode()).hexdigest()[:7]
        made_before = old is not None and key in old.get("__defaults", [])
        made = old[key] if old is not None and made_before else f"{name}-{suffix}{resource_type.name_ending(inputs)}"
        return {**inputs, key: made, "__defaults": [key]}

    def check(self, pulumi_type: str, name: str, inputs: Mapping[str, Any]) -> Values:
        """Return what AWS takes for each input.

        Raises:
            InvalidInputsError: with every input that is misspelt, of the wrong type or outside its limits.
        """
        resource_type = self._resource_type(pulumi_type, name)
        reader = Inputs(inputs)
        wanted = resource_type.read_inputs(reader)
        reader.close()
        broken = resource_type.limits(wanted)
        said = {path for path, _ in broken}
        broken += [(path, reason) for path, reason in resource_type.model_violations(wanted) if path not in said]
        if broken:
            raise InvalidInputsError(broken)
        return wanted

    def diff(
        self, pulumi_type: str, old: Mapping[str, Any], new: Mapping[str, Any], state: Mapping[str, Any] | None = None
    ) -> Diff:
        """Compare two sets of inputs, and the files that the new ones name with the outputs in `state`."""
        resource_type = self._resource_type(pulumi_type, "")
        changes = set()
        for key in old.keys() | new.keys():
            dropped = key in resource_type.kept_when_removed and new.get(key) is None
            if not key.startswith("__") and not dropped and old.get(key) != new.get(key):
                changes.add(key)
        if state is not None and not changes:
            changes |= resource_type.drifted(new, state)
        replaces = frozenset(changes) & resource_type.replace_on_changes
        named = resource_type.autonamed
        same_name = named is not None and named not in new.get("__defaults", []) and old.get(named) == new.get(named)
        return Diff(changes=frozenset(changes), replaces=replaces, deletes_first=bool(replaces) and same_name)

    def foreseen(
        self,
        pulumi_type: str,
        inputs: Mapping[str, Any],
        old_inputs: Mapping[str, Any] | None = None,
        state: Mapping[str, Any] | None = None,
    ) -> Values:
        """Return the outputs as far as they are known before a creation, or before an update of what is in `state`.

        What AWS adds inside a nested object is unknown; other outputs that it adds are left out of a creation's.
        """
        resource_type = self._resource_type(pulumi_type, "")
        if state is None or old_inputs is None:
            unknown = {key: dict.fromkeys(members, UNKNOWN) for key, members in resource_type.added_members.items()}
            return {key: _merged(unknown.get(key), value) for key, value in inputs.items()}
        changes = self.diff(pulumi_type, old_inputs, inputs, state).changes
        merged = {key: _merged(state.get(key), value) for key, value in inputs.items()}
        return {**state, **merged, **dict.fromkeys(resource_type.unknown_after_update(changes, inputs), UNKNOWN)}

    def create(self, pulumi_type: str, name: str, inputs: Mapping[str, Any]) -> Found:
        """Make a resource."""
        resource_type = self._resource_type(pulumi_type, name)

        def make() -> Found:
            wanted = self.check(pulumi_type, name, inputs)
            resource_type.check_references(wanted, "")
            identity = resource_type.create(wanted)
            with finishing(identity):
                return self._found(resource_type, name, identity, inputs)

        try:
            return _refusing(resource_type, name, make)
        except InvalidInputsError:
            raise
        except UnfinishedError as error:
            with contextlib.suppress(ClientError, BotoCoreError, SandboxError):
                resource_type.take_back(error.identity, inputs)
            raise error.refusal.of(pulumi_type, name) from error
        except ResourceRefusedError as error:
            if error.unanswered and not self._cleared(pulumi_type, name, inputs):
                raise ResourceRefusedError(error.code, f"{error.reason}. {MAY_BE_LEFT}").of(
                    pulumi_type, name
                ) from error
            raise

    def read(
        self, pulumi_type: str, name: str, identity: str, state: Mapping[str, Any], inputs: Mapping[str, Any]
    ) -> Found | None:
        """Return a resource as it is now, or None where it is gone; `state` are its outputs so far."""
        resource_type = self._resource_type(pulumi_type, name)

        def look() -> Found | None:
            found = resource_type.find(identity, {**inputs, **state})
            if found is None:
                return None

            def same(key: str, value: Any) -> bool:
                return key.startswith("__") or resource_type.equivalent(key, value, found.get(key))

            outputs = {key: _as_now(state[key], value) if key in state else value for key, value in found.items()}
            now = {key: value if same(key, value) else _as_now(value, found.get(key)) for key, value in inputs.items()}
            return Found(identity=identity, inputs=now, outputs=outputs)

        return _refusing(resource_type, name, look)

    def clear(self, pulumi_type: str, name: str, inputs: Mapping[str, Any]) -> bool:
        """Remove what an interrupted creation may have left behind and what would make the next one fail.

        Return whether nothing of it is left: what only AWS names isn't found.
        """
        resource_type = self._resource_type(pulumi_type, name)

        def remove() -> None:
            identity = resource_type.locate(self.check(pulumi_type, name, inputs))
            if identity is not None:
                or_none(lambda: resource_type.delete(identity, inputs))

        _refusing(resource_type, name, remove)
        return not resource_type.named_by_aws

    def update(
        self, pulumi_type: str, name: str, identity: str, old: Mapping[str, Any], inputs: Mapping[str, Any]
    ) -> Found:
        """Change a resource in place; `old` are its outputs so far."""
        resource_type = self._resource_type(pulumi_type, name)

        def change() -> Found:
            wanted = self.check(pulumi_type, name, inputs)
            resource_type.check_references(wanted, identity)
            resource_type.update(identity, wanted, old)
            return self._found(resource_type, name, identity, inputs)

        try:
            return _refusing(resource_type, name, change)
        except ResourceRefusedError as error:
            error.left = resource_type.left_by_refused_update(identity, dict(inputs), old)
            raise

    def delete(self, pulumi_type: str, name: str, identity: str, state: Mapping[str, Any]) -> None:
        """Remove a resource; `state` are its outputs."""
        resource_type = self._resource_type(pulumi_type, name)
        _refusing(resource_type, name, lambda: or_none(lambda: resource_type.delete(identity, state)))

    def invoke(self, token: str, arguments: Mapping[str, Any]) -> Values:
        """Answer a function such as `aws.route53.get_zone`."""
        function = INVOKES.get(token)
        if function is None:
            raise ResourceRefusedError("NotImplemented", "the sandbox's provider doesn't know this function").of(token)
        reader = Inputs(arguments)
        try:
            return function(self._aws, reader)
        except (ResourceRefusedError, ClientError, BotoCoreError) as error:
            raise refusal_of(error).of(token) from error

    def _tagged(self, resource_type: ResourceType, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        """Source: pulumi/pulumi-aws, provider/tags.go, `applyTags`."""
        own = inputs.get("tags")
        if not resource_type.tags or not self.default_tags or not (own is None or isinstance(own, Mapping)):
            return inputs
        return {**inputs, "tags": {**self.default_tags, **(own or {})}}

    def _resource_type(self, pulumi_type: str, name: str) -> ResourceType:
        resource_type = self.resource_types.get(pulumi_type)
        if resource_type is None:
            raise ResourceRefusedError("NotImplemented", "the sandbox's provider doesn't know this type").of(
                pulumi_type, name
            )
        return resource_type

    def _cleared(self, pulumi_type: str, name: str, inputs: Mapping[str, Any]) -> bool:
        """Clear, and return whether nothing is left, as far as AWS still answers."""
        try:
            return self.clear(pulumi_type, name, inputs)
        except SandboxError:
            return False

    def _found(self, resource_type: ResourceType, name: str, identity: str, inputs: Mapping[str, Any]) -> Found:
        outputs = resource_type.find(identity, inputs)
        if outputs is None:
            raise ResourceRefusedError("NotFound", f"{identity} was not found just after it was created")
        given = {key: value for key, value in inputs.items() if value is not None and not key.startswith("__")}
        merged = {**outputs, **{key: _merged(outputs.get(key), value) for key, value in given.items()}}
        merged |= {key: outputs[key] for key in resource_type.normalised}
        return Found(identity=identity, inputs=dict(inputs), outputs=merged)


def _refusing(resource_type: ResourceType, name: str, action: Callable[[], _Answer]) -> _Answer:
    try:
        return action()
    except InvalidInputsError:
        raise
    except (ResourceRefusedError, ClientError, BotoCoreError) as error:
        raise refusal_of(error).of(resource_type.pulumi_type, name) from error


def _merged(found: Any, given: Any) -> Any:
    """Return the program's inputs, with what AWS adds inside nested objects."""
    if isinstance(found, Mapping) and isinstance(given, Mapping):
        return {**found, **{key: _merged(found.get(key), value) for key, value in given.items() if value is not None}}
    return given


def _as_now(before: Any, now: Any) -> Any:
    """Return an input as AWS has it now, in the program's own spelling where that means the same."""
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        return {key: _as_now(value, now.get(key)) for key, value in before.items()}
    if isinstance(before, str) and isinstance(now, str) and _same_json(before, now):
        return before
    if before is None or not is_known(before):
        return before
    if isinstance(before, int | float) and isinstance(now, int | float) and before == now:
        return before
    return now


def _same_json(one: str, other: str) -> bool:
    try:
        return bool(json.loads(one) == json.loads(other))
    except ValueError:
        return False
