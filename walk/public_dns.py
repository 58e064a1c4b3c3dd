"""What a client's DNS says of a name, beside what the account's zone says."""

from dataclasses import dataclass
from typing import Any

from walk.account import Account
from walk.dns_answers import Answer, Names
from walk.trace import Hop, RequestRefusedError, Trace, forbidden
from walk.zone import Lead, in_words, lead_of, name_servers, zones_of


@dataclass(frozen=True, slots=True, kw_only=True)
class _Delegation:
    """The name servers that DNS asks about the account's zone, None if that isn't known, and those of the zone."""

    zone: str
    servers: set[str] | None
    own: list[set[str]]

    @property
    def is_elsewhere(self) -> bool:
        return self.servers is not None and self.servers not in self.own

    def refusal(self, name: str, said: str) -> RequestRefusedError:
        asked = f"asks {', '.join(sorted(self.servers))}" if self.servers else "asks nobody, since it is not delegated"
        own = ", ".join(sorted(self.own[0]))
        reason = f"{said}: for zone {self.zone} it {asked}, but the zone's name servers are {own}"
        return forbidden("dns", name, reason, "zone-not-delegated")


def lead_by_dns(account: Account, name: str, names: Names, trace: Trace) -> tuple[Lead, Answer | None]:
    """Where a client is led: by the account's zone if DNS asks it, or else by what DNS answers.

    Raises:
        RequestRefusedError: the name doesn't resolve, or not as the zone says.
    """
    zones: list[dict[str, Any]] = []
    lead = Lead(target=None, record="a record that could not be read")
    answer = names.addresses(name)
    with trace.reading():
        zones = zones_of(account, name)
        try:
            lead = lead_of(account, zones, name)
        except RequestRefusedError:
            delegation = _delegation(account, zones, names, trace)
            if not (delegation.is_elsewhere and delegation.servers and answer and answer.addresses):
                raise
            servers = ", ".join(sorted(delegation.servers))
            trace.note("zone-unused", "record", name, f"DNS asks {servers}, not zone {delegation.zone}")
            lead, zones = Lead(target=None, record=f"DNS at {servers}"), []
    if answer is None:
        detail = "no resolver answers, so what clients are told is not known; the account's zone is believed"
        trace.hops.append(Hop(hop="dns", id=name, detail=detail, unread=True, cause="dns-silent"))
        return lead, answer
    if not answer.addresses:
        raise _unresolved(account, zones, name, lead, names, trace)
    if lead.target is not None:
        if not answer.leads_to(lead.target, names.addresses(lead.target)):
            _check_delegated(account, zones, name, lead, answer, names, trace)
        trace.add("dns", name, _in_words(answer))
    return lead, answer


def check_target(name: str, targets: list[str], answer: Answer | None, names: Names, trace: Trace) -> None:
    """Check that DNS leads a name without a zone in the account to the domain's target.

    Raises:
        RequestRefusedError: it leads to another place.
    """
    if answer is None:
        return
    if any(answer.leads_to(target, names.addresses(target)) for target in targets):
        trace.add("dns", name, _in_words(answer))
        return
    reason = f"DNS answers {_in_words(answer)}, which is not where the domain is: {' and '.join(targets)}"
    raise forbidden("dns", name, reason, "dns-elsewhere")


def _unresolved(
    account: Account, zones: list[dict[str, Any]], name: str, lead: Lead, names: Names, trace: Trace
) -> RequestRefusedError:
    if zones:
        delegation = _delegation(account, zones, names, trace)
        if delegation.is_elsewhere:
            return delegation.refusal(name, "DNS does not know the name")
    return forbidden("dns", name, f"DNS does not know the name; {lead.record}", "dns-unresolved")


def _check_delegated(
    account: Account,
    zones: list[dict[str, Any]],
    name: str,
    lead: Lead,
    answer: Answer,
    names: Names,
    trace: Trace,
) -> None:
    """The zone's target has other addresses than the name: another zone answers, or the addresses just change often."""
    delegation = _delegation(account, zones, names, trace)
    if delegation.is_elsewhere:
        raise delegation.refusal(name, f"DNS answers {_in_words(answer)}")
    if delegation.servers is None:
        detail = f"DNS answers {_in_words(answer)}, and for {lead.target} other addresses; they may change often"
        trace.note("dns-differs", "dns", name, detail)


def _delegation(account: Account, zones: list[dict[str, Any]], names: Names, trace: Trace) -> _Delegation:
    own: list[set[str]] = []
    with trace.reading():
        own = name_servers(account, zones)
    servers = names.servers(zones[0]["Name"].rstrip(".")) if own else None
    return _Delegation(zone=in_words(zones[0]), servers=servers, own=own)


def _in_words(answer: Answer) -> str:
    return ", ".join(sorted(answer.addresses)[:4])
