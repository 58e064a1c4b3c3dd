"""Who has signed a request: in the sandbox, its own credentials and those of functions' roles are known."""

import functools

from botocore.credentials import ReadOnlyCredentials

from dualmode.gateway.http.message import Request
from sandbox import signature
from sandbox.roles.sessions import RoleSession, RoleSessions
from walk.account import Account
from walk.caller import Caller, Signer, UnsignedError
from walk.policy import Act, Verdict


def signer(account: Account, credentials: ReadOnlyCredentials, roles: RoleSessions) -> Signer:
    """Return what tells who signed a request: these credentials, which may do everything, or a function's role."""

    def caller(request: Request, region: str, service: str) -> Caller:
        session = roles.find(signature.access_key(request))
        _check(request, session.credentials if session is not None else credentials)
        scope = signature.scope(request)
        if scope != (region, service):
            raise UnsignedError(f"it is signed for {' '.join(reversed(scope))}, not for {service} {region}")
        return _own(account, credentials) if session is None else _of_role(account, session, roles)

    return caller


def _check(request: Request, credentials: ReadOnlyCredentials) -> None:
    try:
        signature.check(request, credentials)
    except signature.SignatureError as error:
        raise UnsignedError(error.sentence, error.code) from error
    if signature.session_token(request) != (credentials.token or ""):
        raise UnsignedError("Its session token is not the one of its access key.", "InvalidClientTokenId")


def _own(account: Account, credentials: ReadOnlyCredentials) -> Caller:
    identity = account.client("sts").get_caller_identity()
    arn = str(identity["Arn"])
    return Caller(
        iam=_told(credentials, str(identity["Account"]), arn, str(identity["UserId"])),
        names=frozenset({arn}),
        own=_allowed,
    )


def _allowed(_act: Act) -> Verdict:
    return Verdict(allowed=True, statement="the sandbox's own credentials")


def _of_role(account: Account, session: RoleSession, roles: RoleSessions) -> Caller:
    return Caller(
        iam=_told(session.credentials, account.account_id, session.arn, session.id),
        names=frozenset({session.arn, session.role_arn}),
        own=functools.partial(roles.verdict, session),
    )


def _told(credentials: ReadOnlyCredentials, account_id: str, arn: str, user_id: str) -> dict[str, object]:
    """`requestContext.authorizer.iam`. Source: docs/http-api.md, R67."""
    return {
        "accessKey": credentials.access_key,
        "accountId": account_id,
        "callerId": user_id,
        "cognitoIdentity": None,
        "principalOrgId": None,
        "userArn": arn,
        "userId": user_id,
    }
