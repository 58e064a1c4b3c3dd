"""Whether a request is signed with given credentials, by AWS's signature version 4, in its header or its query.

Source: the IAM user guide, "Create a signed AWS API request"; age is not checked: credentials last for one run.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass
from urllib.parse import quote, unquote

from botocore.credentials import ReadOnlyCredentials
from botocore.utils import normalize_url_path

from dualmode.gateway.http.message import Request

_ALGORITHM = "AWS4-HMAC-SHA256"
_UNSIGNED = "UNSIGNED-PAYLOAD"
_FIELD = re.compile(r"(Credential|SignedHeaders|Signature)=([^,\s]+)")
_HASH = re.compile(r"[0-9a-f]{64}\Z")


class SignatureError(Exception):
    """A request isn't signed correctly; has AWS's error code and one sentence."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class _Claim:
    """A request's own data about its signature."""

    access_key: str
    scope: tuple[str, ...]
    """Date, region, service and `aws4_request`."""
    signed: tuple[str, ...]
    signature: str
    time: str
    presigned: bool


def check(request: Request, credentials: ReadOnlyCredentials) -> None:
    """Compare a request's access key and signature with those that the credentials give.

    Raises:
        SignatureError: there is no signature of version 4, or it was made with other credentials.
    """
    claim = _claim(request)
    if not hmac.compare_digest(claim.access_key.encode("latin-1"), credentials.access_key.encode()):
        raise SignatureError("InvalidClientTokenId", "The access key is not from this run of the sandbox.")
    if not hmac.compare_digest(claim.signature.encode("latin-1"), _signature(request, claim, credentials.secret_key)):
        raise SignatureError(
            "SignatureDoesNotMatch", "The signature is not from the secret key of this run of the sandbox."
        )


def is_form(request: Request) -> bool:
    """Return whether a call's body is a form, which names its operation as `Action`."""
    return (request.header("content-type") or "").startswith("application/x-www-form-urlencoded")


def access_key(request: Request) -> str:
    """The access key that a request says it is signed with; empty if it isn't given."""
    try:
        return _claim(request).access_key
    except SignatureError:
        return ""


def session_token(request: Request) -> str:
    """The session token that a request has, in its header or its query; empty without one."""
    query = dict(_pairs(request.target.partition("?")[2]))
    return request.header("x-amz-security-token") or unquote(query.get("X-Amz-Security-Token", ""))


def service(request: Request) -> str:
    """The service that a request is signed for; empty if it isn't given."""
    return scope(request)[1]


def scope(request: Request) -> tuple[str, str]:
    """The region and the service that a request is signed for; empty if they aren't given."""
    try:
        _, region, name, _ = _claim(request).scope
    except SignatureError:
        return "", ""
    return region, name


def _claim(request: Request) -> _Claim:
    query = dict(_pairs(request.target.partition("?")[2]))
    header = request.header("authorization") or ""
    if header.startswith(f"{_ALGORITHM} "):
        fields = dict(_FIELD.findall(header))
        time, presigned = request.header("x-amz-date") or "", False
    elif query.get("X-Amz-Algorithm") == _ALGORITHM:
        names = ("Credential", "SignedHeaders", "Signature")
        fields = {name: unquote(query.get(f"X-Amz-{name}", ""), "latin-1") for name in names}
        time, presigned = query.get("X-Amz-Date", ""), True
    else:
        raise SignatureError("MissingAuthenticationToken", "The request has no signature of version 4.")
    access_key, *scope = fields.get("Credential", "").split("/")
    signed = tuple(fields.get("SignedHeaders", "").split(";"))
    if len(scope) != 4 or "host" not in signed or not fields.get("Signature"):
        raise SignatureError("IncompleteSignature", "The signature has no scope, or leaves out the Host header.")
    return _Claim(access_key, tuple(scope), signed, fields["Signature"], time, presigned)


def _signature(request: Request, claim: _Claim, secret_key: str) -> bytes:
    canonical = hashlib.sha256(_canonical(request, claim).encode("latin-1")).hexdigest()
    key = f"AWS4{secret_key}".encode()
    for part in claim.scope:
        key = hmac.digest(key, part.encode("latin-1"), "sha256")
    text = "\n".join((_ALGORITHM, claim.time, "/".join(claim.scope), canonical))
    return hmac.digest(key, text.encode("latin-1"), "sha256").hex().encode()


def _canonical(request: Request, claim: _Claim) -> str:
    path, _, query = request.target.partition("?")
    if claim.scope[2] != "s3":  # only S3 takes a path as it is
        path = quote(normalize_url_path(path), safe="/~")
    pairs = sorted(pair for pair in _pairs(query) if not (claim.presigned and pair[0] == "X-Amz-Signature"))
    lines = [request.method, path, "&".join(f"{name}={value}" for name, value in pairs)]
    for name in claim.signed:
        values = [" ".join(value.split()) for key, value in request.headers if key.lower() == name]
        lines.append(f"{name}:{','.join(values)}")
    return "\n".join((*lines, "", ";".join(claim.signed), _payload(request, claim)))


def _payload(request: Request, claim: _Claim) -> str:
    """The body's hash, or the value in its place: the body isn't signed, or is in signed chunks."""
    said = request.header("x-amz-content-sha256")
    if said is None and claim.presigned and claim.scope[2] == "s3":
        return _UNSIGNED
    return said if said is not None and not _HASH.match(said) else hashlib.sha256(request.body).hexdigest()


def _pairs(query: str) -> list[tuple[str, str]]:
    parts = (pair.partition("=") for pair in query.split("&") if pair)
    return [(name, value) for name, _, value in parts]
