"""Reads secrets into environment variables, before the application is imported.

`DUALMODE_SECRET_TOKEN` says where the value of `TOKEN` is: `ssm:NAME`, `secretsmanager:NAME` or an ARN of one of the
two. Imported only where such a variable is set.
"""

import time
from collections.abc import Iterable, Iterator, Mapping, MutableMapping, Sequence
from typing import Any, NamedTuple

from dualmode import aws_call
from dualmode.application import PLACE_OF
from dualmode.aws_call import Caller, NoAnswerError, RefusedError

ERROR_KIND = "Runtime.SecretError"
"""How awslambdaric reports a secret that can't be read."""

SECONDS = 8.0
"""How long reading may take: Lambda ends an init phase after 10 s."""


class SecretError(Exception):
    """A secret can't be read; the message names its variable and says in one sentence why, without any value."""


class Reference(NamedTuple):
    """Where the value of a variable is: `identifier` is a name or an ARN in `service`."""

    variable: str
    service: str
    identifier: str

    @property
    def noun(self) -> str:
        """What it is, for a sentence."""
        return f"{'parameter' if self.service == 'ssm' else 'secret'} {self.identifier}"


class _Store(NamedTuple):
    """A service that keeps secrets: how many one call reads, which permission that needs, and its request."""

    most: int
    action: str
    target: str
    body: Mapping[str, object]
    names: str


# Source of the numbers: `GetParameters`, Systems Manager API Reference; `BatchGetSecretValue`, Secrets Manager's.
_STORES = {
    "ssm": _Store(10, "ssm:GetParameters", "AmazonSSM.GetParameters", {"WithDecryption": True}, "Names"),
    "secretsmanager": _Store(
        20, "secretsmanager:BatchGetSecretValue", "secretsmanager.BatchGetSecretValue", {}, "SecretIdList"
    ),
}


def load(environ: MutableMapping[str, str], *, keep: bool = False) -> None:
    """Sets each variable whose value is a secret; with `keep`, only those that aren't set yet.

    Raises:
        SecretError: a value can't be read; no variable is set then.
    """
    wanted = [each for each in references(environ) if not (keep and each.variable in environ)]
    if not wanted:
        return
    caller = aws_call.caller_of(environ)
    if caller is None:
        raise SecretError(
            f"{wanted[0].variable} is read from the {wanted[0].noun}, and there are no AWS credentials here: "
            f"set AWS_REGION, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or set {wanted[0].variable} itself."
        )
    deadline = time.monotonic() + SECONDS
    values: dict[str, str] = {}
    for service, store in _STORES.items():
        address = aws_call.endpoint(service, caller.region, environ)
        of_service = [each for each in wanted if each.service == service]
        for group in _groups(of_service, store.most):
            found = _read(service, store, group, caller, address, deadline)
            values |= {each.variable: _value(each, found, caller) for each in group}
    environ.update(values)


def references(environ: Mapping[str, str]) -> list[Reference]:
    """Returns where the values of the variables are.

    Raises:
        SecretError: a variable says it in another form.
    """
    found = []
    for name, place in environ.items():
        if name.startswith(PLACE_OF):
            kind, _, rest = place.partition(":")
            service = place.split(":")[2] if kind == "arn" and place.count(":") > 2 else kind
            if service not in _STORES or not rest:
                raise SecretError(
                    f"{name} is {place!r}, which is not the place of a secret: "
                    "set ssm:NAME, secretsmanager:NAME or an ARN of one of the two."
                )
            found.append(Reference(name.removeprefix(PLACE_OF), service, place if kind == "arn" else rest))
    return found


def _groups(wanted: Sequence[Reference], most: int) -> Iterator[list[Reference]]:
    """Yields the references of each call: two variables may have the same secret, which a call may name once."""
    identifiers = list(dict.fromkeys(each.identifier for each in wanted))
    for first in range(0, len(identifiers), most):
        asked = identifiers[first : first + most]
        yield [each for each in wanted if each.identifier in asked]


def _read(
    service: str, store: _Store, group: Sequence[Reference], caller: Caller, address: str, deadline: float
) -> dict[str, Any]:
    """Returns what a store has, by names and ARNs; without what doesn't exist."""
    body = {**store.body, store.names: list(dict.fromkeys(each.identifier for each in group))}
    found: dict[str, Any] = {}
    while True:
        try:
            answer = aws_call.call(service, store.target, body, caller, address, deadline)
        except RefusedError as error:
            raise _refused(group, error, store.action) from None
        except NoAnswerError as error:
            raise SecretError(
                f"{_listed(group)} can't be read: {error}: a function in a VPC reaches it through a NAT gateway, "
                f"or through an interface endpoint for {service}."
            ) from None
        for failed in answer.get("Errors") or ():
            if failed["ErrorCode"] != "ResourceNotFoundException":
                whose = [each for each in group if each.identifier == failed["SecretId"]]
                refusal = RefusedError(failed["ErrorCode"], failed.get("Message") or "without a reason")
                raise _refused(whose or group, refusal, "secretsmanager:GetSecretValue")
        for each in (*answer.get("Parameters", ()), *answer.get("SecretValues", ())):
            found |= dict.fromkeys(_names(each), each.get("Value", each.get("SecretString")))
        if not answer.get("NextToken"):
            return found
        body["NextToken"] = answer["NextToken"]


def _names(answer: Mapping[str, str]) -> tuple[str, ...]:
    """Returns by what a parameter or secret can be asked for."""
    name, arn = answer["Name"], answer.get("ARN", "")
    selector = answer.get("Selector", "")  # of a parameter: the version or label that was asked for
    return (f"{name}{selector}", f"{arn}{selector}", arn[:-7])  # a secret's ARN may lack its six random characters


def _value(reference: Reference, found: Mapping[str, str | None], caller: Caller) -> str:
    if reference.identifier not in found:
        raise SecretError(
            f"{reference.variable} can't be read: there is no {reference.noun} in {caller.region}: "
            f"create it, or correct it in the setting secrets.{reference.variable}."
        )
    value = found[reference.identifier]
    if value is None or "\0" in value:
        raise SecretError(
            f"{reference.variable} can't be set: the {reference.noun} is binary, and a variable holds text: "
            "store it as text, such as base64."
        )
    return value


def _refused(group: Sequence[Reference], error: RefusedError, action: str) -> SecretError:
    """Returns the error for a refused call; AWS's sentence names the action and the resource that it refused."""
    resource = error.sentence.partition("on resource: ")[2].partition(" ")[0]
    whose = [each for each in group if resource.endswith(f"parameter/{_bare(each.identifier)}")] or group
    missing = error.sentence.partition("not authorized to perform: ")[2].partition(" ")[0]
    if not missing and error.code in ("AccessDeniedException", "DecryptionFailure", "InvalidKeyId"):
        missing = "kms:Decrypt for its key"  # the sentence only says that the ciphertext can't be read
    if missing:
        return SecretError(
            f"{_listed(whose)} can't be read: the function's role lacks the permission {missing} ({error.sentence})."
        )
    return SecretError(f"{_listed(whose)} can't be read: AWS refused {action} with {error.code} ({error.sentence}).")


def _bare(identifier: str) -> str:
    """Returns a parameter's name as it is in the parameter's ARN: without a first slash."""
    return identifier.rpartition(":parameter")[2].lstrip("/")


def _listed(group: Iterable[Reference]) -> str:
    return ", ".join(f"{each.variable} ({each.noun})" for each in group)
