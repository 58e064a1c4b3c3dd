"""`explain`: follow a request through the account, and say which hop refuses it, and what to change."""

import argparse
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from infra import public_dns
from operations import deployment
from operations.deployment import account_of
from operations.errors import OperationError, UsageError
from operations.front_door import RESERVED
from operations.output import show, show_json
from operations.remedies import REMEDIES
from walk import dns_answers, explanation
from walk.account import Account
from walk.dns_answers import Answer, Names
from walk.explanation import Explanation
from walk.trace import Hop

_LONGEST_ID = 32
_OF_DNS = ("dns", "record")
_SENT = "%/?:@!$&'()*+,;=-._~"  # what a client sends as it is, escapes too
_METHOD = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_REGION = re.compile(r"[a-z0-9]+\.(?:execute-api|lambda-url)\.([a-z0-9-]+)\.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """The request to explain: its method, its host name, and its path with the query."""

    url: str
    method: str
    name: str
    target: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this verb."""
    parser.add_argument(
        "url",
        metavar="URL",
        nargs="?",
        help="address to explain, such as https://api.example.com/hello; or the stack's",
    )
    parser.add_argument(
        "--stack",
        metavar="NAME",
        help="Pulumi stack whose address is explained if there is no URL; or the selected one",
    )
    parser.add_argument("--method", default="GET", metavar="METHOD", help="method of the request (GET)")
    parser.add_argument(
        "--region", metavar="REGION", help="AWS region of the API, if neither the URL nor the environment tells it"
    )
    parser.add_argument(
        "--no-dns", action="store_true", help="ask no DNS: believe the account's zone, as for all names below .test"
    )


def run(options: argparse.Namespace) -> bool:
    """Print the hops of the request; it succeeds if none refuses it."""
    url, account = options.url, None
    if url is None:
        url, account = _of_stack(options)
    question = read(url, options.method)
    of_address = _REGION.match(question.name)
    account = account or account_of(options.region or (of_address[1] if of_address else None))
    explained = explain(account, question, None if options.no_dns or question.name.endswith(RESERVED) else NAMES)
    if options.json:
        show_json(document(question, explained))
    else:
        for line in lines(question, explained):
            show(line)
    return explained.refusal is None


def _of_stack(options: argparse.Namespace) -> tuple[str, Account]:
    """The address and the account of a Pulumi stack."""
    which = argparse.Namespace(function=None, url=None, stack=options.stack, region=options.region)
    try:
        found = deployment.find(which)
    except OperationError as error:
        raise OperationError(
            f"{error} Or give the address to explain, such as https://api.example.com/hello."
        ) from None
    if not found.url:
        raise OperationError("The stack has no output url: give the address to explain.")
    return found.url, found.account


def _addresses(name: str) -> Answer | None:
    """What public resolvers answer for a name, or else the system's: some networks let nobody ask public ones."""
    found = public_dns.ask(name, "A")
    if found is None:
        return dns_answers.ask(name)
    aliases = [record.value for record in found if record.type == "CNAME"]
    addresses = frozenset(record.value for record in found if record.type == "A")
    return Answer(addresses=addresses, canonical=aliases[-1] if aliases else name)


def _servers(zone: str) -> set[str] | None:
    found = public_dns.ask(zone, "NS")
    return None if found is None else {record.value for record in found if record.type == "NS"}


NAMES = Names(addresses=_addresses, servers=_servers)
"""DNS as clients see it."""


def read(url: str, method: str) -> Question:
    """Read the request from the words of a command line.

    Raises:
        UsageError: the address or the method is not one.
    """
    whole = url if "://" in url else f"https://{url}"
    try:
        parts = urlsplit(whole)
        name = (parts.hostname or "").rstrip(".").encode("idna").decode("ascii").lower()
    except (ValueError, UnicodeError):
        name = ""
    if not name or parts.scheme not in ("http", "https"):
        raise UsageError(f"explain takes an address such as https://api.example.com/hello, not '{url}'.")
    if not _METHOD.fullmatch(method):
        raise UsageError(f"--method takes a method such as GET, not '{method}'.")
    target = quote(parts.path or "/", safe=_SENT) + (f"?{quote(parts.query, safe=_SENT)}" if parts.query else "")
    return Question(url=whole, method=method.upper(), name=name, target=target)


def explain(account: Account, question: Question, names: Names | None) -> Explanation:
    """Follow the request through an account, without sending it.

    Raises:
        UnreadableAccountError: AWS doesn't answer, or doesn't accept the credentials.
    """
    return explanation.explain(account, question.method, question.target, question.name, names)


def lines(question: Question, explained: Explanation) -> Iterator[str]:
    """Return what a person reads: the hops, the refusal with its remedy, and the notes with theirs."""
    yield f"{question.method} {question.url}"
    width = max((len(hop.hop) for hop in explained.hops), default=0)
    ids = max((len(_short(hop)) for hop in explained.hops if len(_short(hop)) <= _LONGEST_ID), default=0)
    for hop in explained.hops:
        mark = "✗" if hop.refused else "?" if hop.unread else "✓"
        if len(_short(hop)) > ids:  # an ARN: what is said of it goes below
            yield f"  {mark} {hop.hop:{width}}  {_short(hop)}"
            yield f"{'':{width + 6}}{hop.detail}"
        else:
            yield f"  {mark} {hop.hop:{width}}  {_short(hop):{ids}}  {hop.detail}"
    yield ""
    refusal = explained.refusal
    last = explained.hops[-1] if explained.hops else None
    if refusal is not None:
        gets = f"the client gets {_status(explained)} {explained.message}"
        yield f"Refused at {refusal.hop} {_short(refusal)}: {gets if _status(explained) else 'DNS leads nobody to it'}."
        yield from _remedy(refusal)
    elif last is not None and last.unread:
        yield f"Nothing refuses it up to {last.hop}, behind which nothing could be read."
        yield from _remedy(last)
    else:
        yield "Nothing on the way refuses it. What the application answers is in its log."
    for note in explained.notes:
        yield f"! {note.hop} {_short(note)}: {note.detail}."
        yield from _remedy(note)


def document(question: Question, explained: Explanation) -> dict[str, object]:
    """Return the explanation as `--json` prints it."""
    refusal = explained.refusal
    return {
        "method": question.method,
        "url": question.url,
        "status": _status(explained),
        "hops": [
            {
                "hop": hop.hop,
                "id": hop.id,
                "detail": hop.detail,
                "outcome": "refused" if hop.refused else "unread" if hop.unread else "ok",
            }
            for hop in explained.hops
        ],
        "refusal": _found(refusal) if refusal is not None else None,
        "notes": [_found(note) for note in explained.notes],
    }


def _status(explained: Explanation) -> int | None:
    """The status that a client gets; none where DNS leads it nowhere, or to another place."""
    return explained.status if explained.refusal is not None and explained.refusal.hop not in _OF_DNS else None


def _found(hop: Hop) -> dict[str, object]:
    remedy = REMEDIES.get(hop.cause)
    return {
        "hop": hop.hop,
        "id": hop.id,
        "cause": hop.cause,
        "found": hop.detail,
        "change": remedy.change if remedy else "",
        "settings": list(remedy.settings) if remedy else [],
    }


def _remedy(hop: Hop) -> Iterator[str]:
    remedy = REMEDIES.get(hop.cause)
    if remedy is None:
        return
    yield f"  change   {remedy.change}"
    if remedy.settings:
        yield f"  setting  {' and '.join(remedy.settings)}"
    if remedy.restored:
        yield "  or       `pulumi up --refresh` puts this back, if this program made the deployment"


def _short(hop: Hop) -> str:
    return hop.id[:19] if hop.id.startswith("sha256:") else hop.id
