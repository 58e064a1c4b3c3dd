"""CloudFront's caches: answers that are kept as long as their Cache-Control says, and what CloudFront adds to them."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime

from dualmode.gateway.http.message import Request, Response
from sandbox.edge.cdn import Passage

ERROR_AGE = 10.0
"""Seconds that an error is kept unless the distribution says otherwise.

Source: "How CloudFront caches HTTP 4xx and 5xx status codes from your origin", CloudFront Developer Guide.
"""

_NOT_KEPT = frozenset(("no-store", "private"))


@dataclass(frozen=True, slots=True)
class _Kept:
    response: Response
    since: float
    until: float


class CdnCache:
    """Answers kept in memory, by what the distribution's policies make of a request."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._kept: dict[tuple[object, ...], _Kept] = {}
        self._lock = threading.Lock()

    def answer(self, passage: Passage, from_origin: Callable[[Request], Response]) -> tuple[str, Response]:
        """Return how an answer was found, in CloudFront's words, and the answer."""
        kept = self._find(passage)
        now = self._now()
        if kept and now < kept.until:
            age = ("age", str(int(now - kept.since)))
            return self._told("Hit", replace(kept.response, headers=(*kept.response.headers, age)))
        request, tag = passage.request, kept and _header(kept.response, "etag")
        if tag:
            request = replace(request, headers=(*request.headers, ("if-none-match", tag)))
        response = from_origin(request)
        if not passage.takes_cookies:
            # Source: "Cache content based on cookies", CloudFront Developer Guide.
            headers = tuple((key, value) for key, value in response.headers if key.lower() != "set-cookie")
            response = replace(response, headers=headers)
        if kept and tag and response.status == 304:
            self._keep(passage, replace(kept.response, headers=_renewed(kept.response, response)))
            return self._told("RefreshHit", kept.response)
        self._keep(passage, response)
        return self._told("Error" if response.status >= 400 else "Miss", response)

    def _find(self, passage: Passage) -> _Kept | None:
        with self._lock:
            return self._kept.get(passage.key) if passage.key else None

    def _keep(self, passage: Passage, response: Response) -> None:
        age = lifetime(response, passage)
        if passage.key is None:
            return
        now = self._now()
        with self._lock:
            if age is None:
                self._kept.pop(passage.key, None)
            else:
                self._kept[passage.key] = _Kept(response, now, now + age)

    def _told(self, how: str, response: Response) -> tuple[str, Response]:
        added = (("x-cache", f"{how} from cloudfront"), ("via", "1.1 sandbox.cloudfront.net (CloudFront)"))
        return how, replace(response, headers=(*response.headers, *added))


def lifetime(response: Response, passage: Passage) -> float | None:
    """Return for how many seconds an answer may be given again, None if it must not be kept at all.

    Source: "Manage how long content stays in the cache (expiration)", CloudFront Developer Guide.
    """
    least, usual, most = passage.ages
    if response.status >= 400:
        age = passage.error_ages.get(response.status, ERROR_AGE)
        return age or None
    if response.status not in (200, 203, 301, 308):
        return None
    words = [word.strip().lower() for word in _header(response, "cache-control").split(",")]
    if _NOT_KEPT & set(words) and not least:
        return None
    if "no-cache" in words:
        return least
    for directive in ("s-maxage=", "max-age="):
        given = next((word.removeprefix(directive) for word in words if word.startswith(directive)), "")
        if given.isdigit():
            return min(max(float(given), least), most)
    expires = _header(response, "expires")
    if expires:
        try:
            left = parsedate_to_datetime(expires).timestamp() - time.time()
        except ValueError:
            left = 0.0
        return min(max(left, least), most)
    return min(max(usual, least), most)


def _renewed(kept: Response, answered: Response) -> tuple[tuple[str, str], ...]:
    """Return the headers of what is kept, with those that the origin has told again."""
    told = {key.lower() for key, _ in answered.headers} & {"cache-control", "expires", "date"}
    rest = [(key, value) for key, value in kept.headers if key.lower() not in told]
    return (*rest, *((key, value) for key, value in answered.headers if key.lower() in told))


def _header(response: Response, name: str) -> str:
    return next((value for key, value in response.headers if key.lower() == name), "")
