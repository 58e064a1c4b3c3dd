"""Who has signed a request to an API: in the sandbox, only its own credentials are known."""

from collections.abc import Callable, Mapping

from botocore.credentials import ReadOnlyCredentials

from dualmode.gateway.http.message import Request
from sandbox import signature
from walk.account import Account
from walk.authorization import UnsignedError

SERVICE = "execute-api"


def signer(account: Account, credentials: ReadOnlyCredentials) -> Callable[[Request, str], Mapping[str, object]]:
    """Return what tells the caller of a request that is signed with these credentials: they may call every API."""

    def caller(request: Request, region: str) -> Mapping[str, object]:
        try:
            signature.check(request, credentials)
        except signature.SignatureError as error:
            raise UnsignedError(error.sentence) from error
        scope = signature.scope(request)
        if scope != (region, SERVICE):
            raise UnsignedError(f"it is signed for {' '.join(reversed(scope))}, not for {SERVICE} {region}")
        identity = account.client("sts").get_caller_identity()
        return {
            "accessKey": credentials.access_key,
            "accountId": identity["Account"],
            "callerId": identity["UserId"],
            "cognitoIdentity": None,
            "principalOrgId": None,
            "userArn": identity["Arn"],
            "userId": identity["UserId"],
        }

    return caller
