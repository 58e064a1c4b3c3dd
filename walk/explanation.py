"""Explains a request: which hops it passes, which one refuses it, and what else is seldom wanted."""

from dataclasses import dataclass

from dualmode.gateway.http.message import Request
from walk import function_notes, function_url
from walk.account import Account
from walk.dns_answers import Names
from walk.errors import ReadDeniedError
from walk.follow import follow_to_call
from walk.function_version import describe, find_shares
from walk.stage import Call, Throttles
from walk.trace import Hop, RequestRefusedError, Trace, WalkEndsError, unread


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The hops of a request, the last one perhaps a refusal with `status` and `message`, and notes beside the way."""

    hops: tuple[Hop, ...]
    notes: tuple[Hop, ...]
    status: int | None = None
    message: str = ""

    @property
    def refusal(self) -> Hop | None:
        """The hop that refuses the request."""
        return next((hop for hop in self.hops if hop.refused), None)


def explain(account: Account, method: str, target: str, name: str, names: Names | None) -> Explanation:
    """Follow a request for a name through the account without sending it; without `names`, its zone is believed.

    `target` is the path with the query, as a client sends it.

    Raises:
        UnreadableAccountError: AWS doesn't answer, or doesn't accept the credentials.
    """
    request = Request(method=method, target=target, headers=(("Host", name),))
    trace = Trace(explains=True)
    refusal: RequestRefusedError | None = None
    try:
        _follow(account, request, name, names, trace)
    except RequestRefusedError as refused:
        refusal = refused
        trace.hops.append(refused.hop)
    except WalkEndsError as end:
        trace.hops.append(end.hop)
    except ReadDeniedError as denied:
        trace.hops.append(unread(denied))
    return Explanation(
        hops=tuple(trace.hops),
        notes=tuple(trace.notes),
        status=refusal.status if refusal else None,
        message=refusal.message if refusal else "",
    )


def _follow(account: Account, request: Request, name: str, names: Names | None, trace: Trace) -> None:
    if function_url.is_function_url(name):
        arn, shares = function_url.find_shares(account, name, trace)
        _follow_versions(account, None, arn.split(":")[6], shares, trace)
        return
    _, call = follow_to_call(account, request, name, Throttles(), trace, names)
    _follow_versions(account, call, call.function_name, find_shares(account, call, trace), trace)


def _follow_versions(
    account: Account, call: Call | None, function_name: str, shares: dict[str, float], trace: Trace
) -> None:
    """Every version that may run: what refuses a small share of the requests is found too."""
    for name in (name for name, share in shares.items() if share > 0):
        version = describe(account, function_name, name, trace)
        if version.image:
            trace.add("image", version.image, f"repository {version.repository}")
        function_notes.on_version(account, call, version, trace)
