"""What AWS refuses, as one sentence with the way out."""

from botocore import exceptions
from botocore.exceptions import BotoCoreError, ClientError

_NO_CREDENTIALS = (
    exceptions.NoCredentialsError,
    exceptions.PartialCredentialsError,
    exceptions.CredentialRetrievalError,
    exceptions.TokenRetrievalError,
    exceptions.SSOError,
)
_UNREACHABLE = (exceptions.HTTPClientError, exceptions.ConnectionError)
_DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "UnauthorizedException"}
_REFUSED = {
    *("ExpiredToken", "ExpiredTokenException", "RequestExpired", "InvalidClientTokenId", "InvalidAccessKeyId"),
    *("UnrecognizedClientException", "SignatureDoesNotMatch", "InvalidSignatureException", "AuthFailure"),
    *("IncompleteSignature", "IncompleteSignatureException", "MissingAuthenticationToken"),
}
_THROTTLED = {
    *("Throttling", "ThrottlingException", "TooManyRequestsException", "RequestLimitExceeded", "SlowDown"),
    *("LimitExceededException", "RequestThrottled", "RequestThrottledException"),
}
_ABSENT = {
    *("ResourceNotFoundException", "NotFoundException", "RepositoryNotFoundException", "ImageNotFoundException"),
    *("NoSuchHostedZone", "NoSuchEntity"),
}
_CONFLICT = {"PreconditionFailedException", "ResourceConflictException", "ConflictException"}


def sentence(error: BotoCoreError | ClientError) -> str:
    """Return what a call to AWS failed with, and what to do about it."""
    if isinstance(error, ClientError):
        return _answered(error)
    text = str(error).rstrip(".")
    if isinstance(error, _NO_CREDENTIALS):
        return (
            f"There are no credentials for AWS ({text}): log in with `aws login` or `aws sso login`, or set "
            "AWS_PROFILE, or for a sandbox the variables that it prints."
        )
    if isinstance(error, exceptions.ProfileNotFound):
        return f"{text}: set AWS_PROFILE to one that `aws configure list-profiles` shows, or unset it."
    if isinstance(error, exceptions.NoRegionError):
        return "No AWS region is set: give --region, or set AWS_REGION."
    if isinstance(error, _UNREACHABLE):
        return f"AWS does not answer ({text}): check the network, the region and AWS_ENDPOINT_URL, and try again."
    return f"The call to AWS failed: {text}."


def _answered(error: ClientError) -> str:
    code = str(error.response.get("Error", {}).get("Code", ""))
    text = str(error.response.get("Error", {}).get("Message", "")).strip().rstrip(".")
    call = error.operation_name
    if code in _DENIED:
        return (
            f"AWS denies {call} ({text or code}): use credentials that may do this; docs/operations.md lists the "
            "permissions of each command."
        )
    if code in _REFUSED:
        return (
            f"AWS does not accept the credentials ({text or code}): log in again, or for a restarted sandbox, use the "
            "variables that it prints now."
        )
    if code in _THROTTLED:
        return f"AWS limits how often {call} may be called ({text or code}): wait a minute and try again."
    if code in _ABSENT:
        return f"AWS has nothing for {call} ({text or code}): check --stack or --function, the region and the account."
    if code in _CONFLICT:
        return (
            f"AWS refuses {call}, since something else changed it at the same time ({text or code}): look at "
            "`make versions`, and try again."
        )
    return f"{call} failed with {code}: {text}."
