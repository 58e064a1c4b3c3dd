"""Requests signed with AWS credentials, and what tells who signed them."""

from __future__ import annotations

from collections.abc import Mapping

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials, ReadOnlyCredentials

from sandbox.edge.signer import signer
from sandbox.lifecycle import Sandbox
from walk.caller import Signer


def signed(variables: Mapping[str, str], url: str, service: str, region: str = "us-east-1") -> dict[str, str]:
    """The headers of a GET that is signed by botocore with the credentials of an environment's variables."""
    key, secret = variables["AWS_ACCESS_KEY_ID"], variables["AWS_SECRET_ACCESS_KEY"]
    request = AWSRequest("GET", url)
    SigV4Auth(Credentials(key, secret, variables.get("AWS_SESSION_TOKEN")), service, region).add_auth(request)
    return dict(request.headers.items())


def signer_of(sandbox: Sandbox) -> Signer:
    """A signer like that of the sandbox's own edge, for an edge with other functions."""
    own = ReadOnlyCredentials(sandbox.variables["AWS_ACCESS_KEY_ID"], sandbox.variables["AWS_SECRET_ACCESS_KEY"], None)
    return signer(sandbox.edge.account, own, sandbox.roles)
