"""Which headers, cookies and parts of the query a policy of CloudFront passes on to the origin."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_Chosen = tuple[str, frozenset[str]]
_NOTHING: _Chosen = ("none", frozenset())
_ALL: _Chosen = ("all", frozenset())


@dataclass(frozen=True, slots=True)
class Passed:
    """What a policy passes: all, none, or the names that it lists."""

    headers: _Chosen
    cookies: _Chosen
    queries: _Chosen

    @classmethod
    def of(cls, policy: Mapping[str, Any]) -> "Passed":
        """What an origin request policy passes, or the key of a cache policy."""
        return cls(
            _chosen(policy["HeadersConfig"], "HeaderBehavior", "Headers", lower=True),
            _chosen(policy["CookiesConfig"], "CookieBehavior", "Cookies"),
            _chosen(policy["QueryStringsConfig"], "QueryStringBehavior", "QueryStrings"),
        )

    @classmethod
    def of_values(cls, values: Mapping[str, Any]) -> "Passed":
        """What a behavior without a cache policy passes. Source: `ForwardedValues`, CloudFront API Reference."""
        headers = frozenset(str(name).lower() for name in values.get("Headers", {}).get("Items", []))
        cookies = values.get("Cookies", {})
        return cls(
            _ALL if "*" in headers else ("whitelist", headers),
            (str(cookies.get("Forward", "none")), frozenset(cookies.get("WhitelistedNames", {}).get("Items", []))),
            _ALL if values.get("QueryString") else _NOTHING,
        )

    @classmethod
    def none(cls) -> "Passed":
        """No policy."""
        return cls(_NOTHING, _NOTHING, _NOTHING)

    @classmethod
    def unread(cls) -> "Passed":
        """A policy that could not be read: nothing is said against it."""
        return cls(_NOTHING, _ALL, _ALL)

    @property
    def takes_cookies(self) -> bool:
        """Whether any cookie passes."""
        return self.cookies[0] != "none"

    @property
    def takes_query(self) -> bool:
        """Whether any parameter of the query passes."""
        return self.queries[0] != "none"

    def header(self, name: str) -> bool:
        """Whether a header passes, by its name in lower case."""
        return _takes(self.headers, name)

    def cookie(self, crumb: str) -> bool:
        """Whether a cookie passes."""
        return _takes(self.cookies, crumb.partition("=")[0])

    def query(self, piece: str) -> bool:
        """Whether a parameter of the query passes."""
        return _takes(self.queries, piece.partition("=")[0])


def _chosen(part: Mapping[str, Any], behavior: str, names: str, *, lower: bool = False) -> _Chosen:
    items = part.get(names, {}).get("Items", [])
    return part[behavior], frozenset(item.lower() if lower else item for item in items)


def _takes(chosen: _Chosen, name: str) -> bool:
    behavior, names = chosen
    if behavior == "whitelist":
        return name in names
    return behavior in ("all", "allViewer", "allViewerAndWhitelistCloudFront") or (
        behavior == "allExcept" and name not in names
    )
