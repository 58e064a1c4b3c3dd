"""What a distribution does to requests that is seldom wanted, for a person who asks for an explanation."""

from walk.distribution import Onward, items
from walk.trace import Trace


def on_distribution(trace: Trace, onward: Onward) -> None:
    """Note what a distribution and its behavior do to requests."""
    found = onward.distribution
    identity = str(found["Id"])
    if found.get("WebACLId"):
        detail = f"it asks the web ACL {found['WebACLId']} first, whose rules may answer 403"
        trace.note("web-acl", "distribution", identity, detail)
    if found.get("Status") == "InProgress":
        detail = "its last change is not at all of CloudFront's locations yet"
        trace.note("cdn-in-progress", "distribution", identity, detail)
    restriction = (found.get("Restrictions") or {}).get("GeoRestriction") or {}
    if restriction.get("RestrictionType", "none") != "none":
        detail = f"it answers 403 by country ({restriction['RestrictionType']}: {', '.join(items(restriction))})"
        trace.note("cdn-countries", "distribution", identity, detail)
    if runs_elsewhere(onward):
        detail = "it runs a function of Lambda@Edge, which may change the request or answer it"
        trace.note("edge-function", "behavior", onward.pattern, detail)
    lost = [what for what, taken in (("cookies", onward.takes_cookies), ("query", onward.takes_query)) if not taken]
    if lost and onward.pattern == "*":
        detail = f"it passes on no {' and no '.join(lost)}, so the application gets none"
        trace.note("cdn-drops", "behavior", onward.pattern, detail)


def runs_elsewhere(onward: Onward) -> bool:
    """Whether a function of Lambda@Edge may change the request, its Host too."""
    associations = items(onward.behavior.get("LambdaFunctionAssociations"))
    return any(str(each["EventType"]).endswith("-request") for each in associations)
