"""REST APIs, which the walk recognises but does not follow."""

from walk.account import Account
from walk.queries import read
from walk.trace import Trace, WalkEndsError


def check_rest_api(account: Account, api_id: str, trace: Trace) -> None:
    """Look whether an id that isn't an HTTP API's is a REST API's, for a trace that explains.

    Raises:
        WalkEndsError: it is one.
    """
    if not trace.explains:
        return
    with trace.reading():
        api = read(account.client("apigateway"), "get_rest_api", absent="NotFoundException", restApiId=api_id)
        if api is not None:
            reason = f"{api['name']} is a REST API: only HTTP APIs are followed further"
            raise WalkEndsError(hop="api", id=api_id, reason=reason, cause="rest-api")
