"""One resource type: its table of properties, the calls that make it, and methods for its exceptions."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any, ClassVar

from sandbox.provider.aws import Aws, Values
from sandbox.provider.blocks import Block
from sandbox.provider.call import Call, filled_in, names_in
from sandbox.provider.fields import Field, Output, Property, bind
from sandbox.provider.inputs import Inputs
from sandbox.provider.refusals import ResourceRefusedError, finishing, or_none
from sandbox.provider.request import changed_attributes, full_request, input_at, update_request
from sandbox.provider.service_model import input_shape, violations
from sandbox.provider.tags import Tags, TagsMember, as_shape


class EachAttribute(Call):
    """An update that takes one attribute at a time, such as SetTopicAttributes: each one that differs is sent."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Reference:
    """An input that names something that must exist: otherwise AWS refuses it, but the emulator doesn't."""

    name: str
    call: Call
    service: str
    reason: str = "{name} is {value}, which doesn't exist"
    """The sentence; `{value}` is the input's value."""
    code: str = "InvalidParameterValueException"


class ResourceType:
    """A resource type of Pulumi's, made by calls of AWS's API.

    A regular type is a table and its calls. An unusual one replaces the methods that don't fit. Three kinds of values:
    `inputs` are the program's (camelCase), `wanted` has by the same names what AWS takes for each (the type's defaults
    filled in, None for what isn't sent), `state` are the outputs so far.

    In calls and texts `{name}` stands for a property, `{id}`, `{region}` or `{account}`.
    """

    pulumi_type: ClassVar[str]
    service: ClassVar[str]
    """boto3's name of the service."""
    fields: ClassVar[tuple[Property | str, ...]]
    """Every property that Pulumi's SDK declares, but for `region`, `tags` and `tagsAll`."""
    regional: ClassVar[bool] = True
    """Whether it takes a `region`."""
    tags: ClassVar[Tags | None] = None
    autonamed: ClassVar[str | None] = None
    """The input that gets a name made from the resource's own, where the program gives none."""

    create_call: ClassVar[Call | None] = None
    """Its answer is the id, unless there is an `identity`. Its request has the limits that botocore's model knows."""
    identity: ClassVar[str] = ""
    """The id, where it follows from the inputs: `{name}`."""
    identity_holds: ClassVar[str] = ""
    """The properties that can be read from an id of AWS's, such as `{function}:{name}`."""
    locate_call: ClassVar[Call | None] = None
    """Finds the id by what the program gives, where neither the inputs nor a creation tell it."""
    read_calls: ClassVar[tuple[Call, ...]] = ()
    """Their answers are taken together; where the first one has nothing, the resource is gone."""
    update_calls: ClassVar[tuple[Call, ...]] = ()
    delete_call: ClassVar[Call | None] = None
    identified_by: ClassVar[Mapping[str, Any]] = MappingProxyType({})
    """The parameters that name the resource to read, update and delete: each call gets those that it takes."""
    references: ClassVar[tuple[Reference, ...]] = ()

    replace_on_changes: ClassVar[frozenset[str]] = frozenset()
    """Inputs that can't be changed in place: another value means another resource."""
    kept_when_removed: ClassVar[frozenset[str]] = frozenset()
    """Inputs that stay as they were when a program no longer gives them: the real provider sees no change in that."""
    normalised: ClassVar[frozenset[str]] = frozenset()
    """Outputs whose value is AWS's even where the program gave one (it rewrites or extends them)."""

    def __init__(self, aws: Aws) -> None:
        self.aws = aws

    @property
    def client(self) -> Any:
        """boto3's client of the type's service."""
        return self.aws.client(self.service)

    @cached_property
    def table(self) -> tuple[Property, ...]:
        """The fields as botocore's model has them."""
        shape = input_shape(self.client, self.create_call.operation) if self.create_call else None
        return bind(self.fields, shape)

    @property
    def declared_inputs(self) -> frozenset[str]:
        """The names of the inputs, whether or not they are supported."""
        names = {field.name for field in self.table if isinstance(field, Field)}
        return frozenset(names | ({"region"} if self.regional else set()) | ({"tags"} if self.tags else set()))

    @property
    def declared_outputs(self) -> frozenset[str]:
        """The names of all outputs."""
        names = {field.name for field in self.table} | ({"tagsAll"} if self.tags else set())
        return self.declared_inputs | names

    @property
    def added_members(self) -> dict[str, tuple[str, ...]]:
        """The nested objects among the inputs, and the members that AWS adds to them."""
        nested = ((field.name, field.form) for field in self.table if isinstance(field, Field))
        return {name: tuple(form.added()) for name, form in nested if isinstance(form, Block)}

    # From the program's inputs to a request

    def name_ending(self, inputs: Mapping[str, Any]) -> str:
        """Return the required suffix of a name that is made for these inputs."""
        return ""

    def read_inputs(self, inputs: Inputs) -> Values:
        """Read every input, and note in the inputs what is wrong with them; nothing is made yet."""
        wanted = {field.name: field.read(inputs) for field in self.table if isinstance(field, Field)}
        if self.tags:
            wanted["tags"] = inputs.names("tags")
        if self.regional:
            region = inputs.text("region")
            if region not in (None, "", self.aws.region):
                inputs.fail("region", f"is {region}, but this account is used only in {self.aws.region}")
        return wanted

    def limits(self, wanted: Values) -> list[tuple[str, str]]:
        """Return path and reason of what AWS's documentation forbids, and neither table nor model says."""
        return []

    def model_violations(self, wanted: Values) -> list[tuple[str, str]]:
        """Return path and reason of what botocore's model forbids."""
        if self.create_call is None:
            return []
        broken = violations(self.client, self.create_call.operation, self.create_request(wanted))
        return [(input_at(self.table, path), reason) for path, reason in broken]

    def create_request(self, wanted: Values) -> Values:
        """Return the request that creates the resource."""
        request = full_request(self.table, wanted)
        member = self._tags_member
        if member and wanted["tags"]:
            request[member.name] = as_shape(wanted["tags"], member.shape)
        return request

    # What is done in AWS

    def check_references(self, wanted: Values, identity: str) -> None:
        """Refuse what names something that doesn't exist or isn't ready; `identity` is the resource's, once made.

        Raises:
            ResourceRefusedError: naming the input.
        """
        for reference in self.references:
            value = wanted[reference.name]
            if value is not None and self._answer(reference.call, wanted, service=reference.service) is None:
                reason = reference.reason.format(name=reference.name, value=value)
                raise ResourceRefusedError(reference.code, reason, reference.name)

    def create(self, wanted: Values) -> str:
        """Make the resource and return its id.

        Raises:
            UnfinishedError: it is made, and what belongs to it was refused.
        """
        identity = self.make(wanted)
        with finishing(identity):
            self.finish(identity, wanted)
        return identity

    def make(self, wanted: Values) -> str:
        """Send the call that makes the resource and return its id: nothing that can fail comes after that."""
        if self.create_call is None:
            raise TypeError(f"{self.pulumi_type} has no call that creates it")
        answer = self.call(self.create_call, self.known(wanted), self.create_request(wanted))
        return str(filled_in(self.identity, self.known(wanted)) if self.identity else answer)

    def finish(self, identity: str, wanted: Values) -> None:
        """Send what AWS takes only once the resource is there."""
        if self.tags and wanted["tags"] and not self._tags_member:
            outputs = self.find(identity, wanted) or {}
            self.tags.change(self.client, {}, wanted["tags"], self.known({**wanted, **outputs}, identity))

    def take_back(self, identity: str, inputs: Mapping[str, Any]) -> None:
        """Remove what a creation made that failed after that: the state doesn't get it."""
        self.delete(identity, inputs)

    @property
    def named_by_aws(self) -> bool:
        """Whether each creation makes another one, which `locate` can't tell from others of its kind."""
        found = self.locate_call or self.identity or type(self).locate is not ResourceType.locate
        makes = self.create_call is not None and self.create_call.operation.startswith(("Create", "Request"))
        return makes and not found

    def locate(self, wanted: Values) -> str | None:
        """Return the id of a resource whose name would be in the way of creating this one, or None."""
        if self.locate_call:
            found = self._answer(self.locate_call, wanted)
            return None if found is None else str(found)
        if not self.identity:
            return None
        identity = str(filled_in(self.identity, self.known(wanted)))
        return identity if self.find(identity, wanted) is not None else None

    def find(self, identity: str, state: Mapping[str, Any]) -> Values | None:
        """Return every output as AWS has it now, or None where the resource is gone; `state` has the known inputs."""
        known = self.known(state, identity)
        answer = or_none(lambda: self.read(identity, known))
        if answer is None:
            return None
        outputs: Values = {"region": self.aws.region} if self.regional else {}
        for field in self.table:
            if isinstance(field, Field) or field.answer:
                outputs[field.name] = field.output(answer, {**known, **outputs})
        told = names_in(self.identity or self.identity_holds, identity)
        outputs |= {name: value for name, value in told.items() if outputs.get(name) == ""}
        outputs |= self.computed_outputs(answer, {**known, **outputs})
        if self.tags:
            outputs["tags"] = self.tags.read(self.client, answer, {**known, **outputs})
            outputs["tagsAll"] = outputs["tags"]
        if outputs.keys() != self.declared_outputs:
            wrong = ", ".join(sorted(outputs.keys() ^ self.declared_outputs))
            raise TypeError(f"{self.pulumi_type} declares other outputs than it returns: {wrong}")
        return outputs

    def read(self, identity: str, state: Mapping[str, Any]) -> Any:
        """Return AWS's answer, or None if the resource is gone, also if AWS says that it isn't found."""
        merged: Values = {}
        for call in self.read_calls:
            parameters = self._identification(call, state)
            answer = self.call(call, state, parameters)
            if answer is None:
                return None if call is self.read_calls[0] else merged
            merged = {**filled_in({**parameters, **call.parameters}, state), **merged, **answer}
        return merged

    def computed_outputs(self, answer: Any, state: Mapping[str, Any]) -> Values:
        """Return the outputs that the table can't describe; `state` has the others."""
        return {}

    def update(self, identity: str, wanted: Values, old: Mapping[str, Any]) -> None:
        """Change the resource in place; `old` are its outputs so far."""
        if not self.update_calls and not self.tags:
            raise ResourceRefusedError("NotUpdatable", f"{self.pulumi_type} has no input that can be changed in place")
        known = self.known({**old, **wanted}, identity)
        changeable = [field for field in self.table if field.name not in self.replace_on_changes]
        for call in self.update_calls:
            parameters = self._identification(call, known)
            if isinstance(call, EachAttribute):
                for attribute, value in changed_attributes(changeable, wanted, old):
                    self.call(call, known, {**parameters, "AttributeName": attribute, "AttributeValue": value})
            else:
                put = self.create_call is not None and self.create_call.operation == call.operation
                shape = input_shape(self.client, call.operation)
                request = update_request(self.table if put else changeable, shape, wanted, old)
                self.call(call, known, {**request, **parameters})
        if self.tags:
            self.tags.change(self.client, old.get("tags") or {}, wanted["tags"] or {}, {**old, **known})

    def left_by_refused_update(self, identity: str, inputs: Values, old: Mapping[str, Any]) -> Values | None:
        """Return the outputs that the state has after an update that AWS refused, None where they are as before."""
        return None

    def delete(self, identity: str, state: Mapping[str, Any]) -> None:
        """Remove the resource; it is not an error if AWS doesn't find it."""
        if self.delete_call:
            known = self.known(state, identity)
            self.call(self.delete_call, known, self._identification(self.delete_call, known))

    # What the comparison of two deployments needs

    def drifted(self, inputs: Mapping[str, Any], state: Mapping[str, Any]) -> frozenset[str]:
        """Return the outputs that would change although no input changed: inputs name files whose content changed."""
        return frozenset()

    def equivalent(self, name: str, given: Any, found: Any) -> bool:
        """Say whether AWS's value of an input is the program's own, only written differently or added to."""
        sent = (field for field in self.table if isinstance(field, Field) and field.sent)
        field = next((field for field in sent if field.name == name), None)
        same = field is not None and field.holds(found, field.read(Inputs({name: given})))
        return same or bool(given == found)

    def unknown_after_update(self, changed: frozenset[str], inputs: Mapping[str, Any]) -> frozenset[str]:
        """Return the outputs that an update of these inputs will give another, as yet unknown, value."""
        outputs = {field.name for field in self.table if isinstance(field, Output) and field.unknown_after_update}
        return frozenset(outputs) if changed - {"tags"} else frozenset()

    # For the methods that a type replaces

    def known(self, values: Mapping[str, Any], identity: str = "") -> Values:
        """Return what `{name}` stands for: what is known, or can be read from the id."""
        told = names_in(self.identity or self.identity_holds, identity)
        return {**told, **values, "id": identity, "region": self.aws.region, "account": self.aws.account_id}

    def call(self, call: Call, known: Mapping[str, Any], parameters: Mapping[str, Any] = MappingProxyType({})) -> Any:
        """Send a call to the type's service."""
        return call.send(self.client, known, parameters)

    def _answer(self, call: Call, wanted: Values, service: str = "") -> Any:
        client = self.aws.client(service or self.service)
        return or_none(lambda: call.send(client, self.known(wanted), {}))

    @property
    def _tags_member(self) -> TagsMember | None:
        """Where the request that creates the resource takes tags, if it does."""
        if not self.tags or not self.create_call:
            return None
        return self.tags.member(input_shape(self.client, self.create_call.operation))

    def _identification(self, call: Call, known: Mapping[str, Any]) -> Values:
        members = input_shape(self.client, call.operation).members
        return {name: filled_in(text, known) for name, text in self.identified_by.items() if name in members}
