"""The secret header by which a function of this program knows that a request came through its CDN."""

from walk.distribution import Onward
from walk.function_version import FunctionVersion
from walk.trace import RequestRefusedError, forbidden

HEADER = "x-dualmode-cdn"
VARIABLES = ("DUALMODE_CDN_SECRETS", "DUALMODE_SECRET_DUALMODE_CDN_SECRETS")
"""The variable with the accepted values, and the one with the place where they are."""


def check(version: FunctionVersion, onward: Onward | None) -> None:
    """Check that a function which takes requests of its CDN alone gets one; the value itself is not read.

    Raises:
        RequestRefusedError: 403, since the request goes around CloudFront, or CloudFront sends no secret.
    """
    if not any(variable in version.variables for variable in VARIABLES):
        return
    if onward is None:
        raise _refusal(version, "and this one goes around it", "cdn-around")
    if HEADER not in onward.own_headers:
        identity = onward.distribution["Id"]
        raise _refusal(version, f"and distribution {identity} does not send that header", "cdn-secret")


def _refusal(version: FunctionVersion, why: str, cause: str) -> RequestRefusedError:
    reason = f"it takes only requests that CloudFront sends with the secret header {HEADER}, {why}"
    return forbidden("function", f"{version.name}:{version.version}", reason, cause)
