"""The only way to the sandbox's AWS: a loopback port that passes on only calls that this run's credentials signed.

MiniStack answers everyone who reaches it. So it listens on a Unix socket in a folder that only its user can open, and
this guard is in front of it: every web page in the user's browser can send requests to a local port, and so can every
user of the machine.
"""

import http.client
import socket
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote
from xml.sax.saxutils import escape

from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import BotoCoreError, ClientError

from dualmode.gateway.http.connection import RefusedError
from dualmode.gateway.http.message import Request, Response, json_response
from dualmode.gateway.http.server import HttpServer
from dualmode.gateway.http.trusted_client import objection
from sandbox import signature
from sandbox.idle_connections import IdleConnections
from sandbox.roles.sessions import RoleSession, RoleSessions
from sandbox.runner.container_engine import HOST_NAMES
from sandbox.signature import SignatureError
from sandbox.writes import may_write
from walk.errors import UnreadableAccountError

HOST = "127.0.0.1"
_NAMES = (HOST, "localhost", *HOST_NAMES.values())
# The largest bodies that callers send at once: 20 MB of an ECR layer in base64, 8 MB parts of an S3 upload.
BODY_LIMIT = 32 * 1024 * 1024
_ANSWER_SECONDS = 120.0  # SQS may hold a call for 20 s
_IDLE_SECONDS = 3600.0  # MiniStack keeps connections for a day

# Headers of a single connection; the body arrives complete, with its length.
_OF_A_CONNECTION = {"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}
_NOT_SENT = _OF_A_CONNECTION | {"content-length", "expect"}
_XML_SERVICES = ("s3", "route53")  # in addition to those whose calls are forms


class Answers(Protocol):
    """Answers some calls in MiniStack's place."""

    def takes(self, request: Request) -> bool:
        """Whether a call is one of them."""

    def respond(self, request: Request) -> Response:
        """Return the answer to it."""


class Guard:
    """Listens on loopback from the start, so that the port is known; answers once it is started.

    Raises:
        OSError: the port is taken.
    """

    def __init__(self, path: Path, credentials: ReadOnlyCredentials, port: int = 0) -> None:
        self._credentials = credentials
        self._connections = IdleConnections(lambda: UnixConnection(path, _ANSWER_SECONDS), _IDLE_SECONDS)
        self.instead: Answers | None = None
        """Answers what it takes in MiniStack's place, after the signature was checked."""
        self.roles: RoleSessions | None = None
        """Knows the functions' credentials, and what their roles may do."""
        self.altered: Callable[[Request, Response], Response] | None = None
        """Changes what MiniStack answers, for a fault."""
        self.passed: Callable[[Request, Response], None] = lambda _request, _response: None
        """Is told of each call that MiniStack answered with 200."""
        self.writes = 0
        """How many calls have ended that may have changed the account (sandbox/writes.py)."""
        self._counting = threading.Lock()
        self._server = HttpServer(
            HOST, port, self._respond, refuse=_refused, objection=self._objection, body_limit=BODY_LIMIT
        )
        self.port = self._server.port
        self._hosts = {f"{name}:{self.port}" for name in _NAMES}

    def start(self) -> None:
        """Start answering."""
        self._server.start()

    def stop(self) -> None:
        """Stop answering, and close the connections to MiniStack."""
        self._server.stop()
        self._connections.close()

    def count_write(self) -> None:
        """Count a change to the account, once it is made."""
        with self._counting:
            self.writes += 1

    def _objection(self, request: Request) -> str | None:
        remedy = f"use {HOST}:{self.port}."
        return objection(request, takes_host=lambda host: host.lower() in self._hosts, remedy=remedy)

    def _respond(self, request: Request) -> Response:
        # AWS has no path that begins like this; MiniStack has some that empty the account or show its content.
        path = unquote(request.target.partition("?")[0], "latin-1")
        if not path.startswith("/") or path.lstrip("/").startswith("_") or not request.target.isascii():
            return _refusal(request, "AccessDenied", "AWS has no such path.")
        session = self.roles.find(signature.access_key(request)) if self.roles is not None else None
        try:
            signature.check(request, session.credentials if session is not None else self._credentials)
        except SignatureError as error:
            remedy = "use the lines that `make sandbox` prints; they change at each start."
            return _refusal(request, error.code, f"{error.sentence[:-1]}: {remedy}")
        if session is not None and (refused := self._refused_to(session, request)) is not None:
            return refused
        if self.instead is not None and self.instead.takes(request):
            return self.instead.respond(request)
        try:
            response = self._forward(request)
        finally:  # before the caller knows that it is done, and also where nobody knows whether it is
            if may_write(request):
                self.count_write()
        if self.altered is not None:
            response = self.altered(request, response)
        if response.status == http.client.OK:
            self.passed(request, response)
        return response

    def _refused_to(self, session: RoleSession, request: Request) -> Response | None:
        """The refusal of a call that a function's role may not make."""
        try:
            denied = self.roles.refusal(session, request) if self.roles is not None else None
        except (UnreadableAccountError, BotoCoreError, ClientError) as error:
            return _refusal(request, "ServiceUnavailable", f"The role's policies can't be read: {error}.", status=503)
        return _denial(request, denied.sentence) if denied is not None else None

    def _forward(self, request: Request) -> Response:
        try:
            with self._connections.one(_ANSWER_SECONDS) as connection:
                connection.putrequest(request.method, request.target, skip_host=True, skip_accept_encoding=True)
                for name, value in request.headers:
                    if name.lower() not in _NOT_SENT:
                        connection.putheader(name, value.encode("latin-1"))
                if request.body or request.header("content-length"):
                    connection.putheader("Content-Length", str(len(request.body)))
                connection.endheaders(request.body or None)
                answer = connection.getresponse()
                body = answer.read()
        except (OSError, http.client.HTTPException) as error:
            return _refusal(request, "ServiceUnavailable", f"MiniStack ended the connection: {error}.", status=503)
        headers = tuple((name, value) for name, value in answer.getheaders() if _is_passed_back(name.lower()))
        return Response(status=answer.status, headers=headers, body=body)


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket; `timeout` in seconds."""

    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        """Open the socket."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def _is_passed_back(name: str) -> bool:
    return name not in _OF_A_CONNECTION and not name.startswith("access-control-")


def _refused(refused: RefusedError) -> Response:
    if refused.request is None:
        return json_response(refused.status, {"__type": "BadRequest", "message": refused.sentence})
    return _refusal(refused.request, "AccessDenied", refused.sentence, status=refused.status)


def _denial(request: Request, sentence: str) -> Response:
    """AWS's answer to a caller that may not make a call, with the code and the status of the service.

    Source: "Common error types" in the API references of the services.
    """
    service = signature.service(request)
    if service == "sqs":  # its JSON tells the code of the time when it spoke XML
        refused = _refusal(request, "AccessDeniedException", sentence, status=403)
        return replace(refused, headers=(*refused.headers, ("x-amzn-query-error", "AccessDenied;Sender")))
    if request.header("smithy-protocol") == "rpc-v2-cbor":
        headers = (("smithy-protocol", "rpc-v2-cbor"), ("content-type", "application/cbor"))
        body = b"\xa2" + b"".join(_cbor(text) for text in ("__type", "AccessDeniedException", "message", sentence))
        return Response(status=400, headers=headers, body=body)
    if request.header("x-amz-target"):
        return _refusal(request, "AccessDeniedException", sentence, status=400)
    by_form = signature.is_form(request)
    code = {"sns": "AuthorizationError", "ec2": "UnauthorizedOperation"}.get(service, "AccessDenied")
    return _refusal(request, code if by_form or service in _XML_SERVICES else "AccessDeniedException", sentence)


def _cbor(text: str) -> bytes:
    """A text as RFC 8949 encodes it, of at most 65,535 bytes."""
    encoded = text.encode()
    return b"\x79" + len(encoded).to_bytes(2, "big") + encoded


def _refusal(request: Request, code: str, sentence: str, *, status: int = 403) -> Response:
    """An error in the form that the caller's protocol reads."""
    if not signature.is_form(request) and signature.service(request) not in _XML_SERVICES:
        return json_response(status, {"__type": code, "message": sentence}, (("x-amzn-errortype", code),))
    error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{escape(sentence)}</Message></Error>"
    body = error if signature.service(request) == "s3" else f"<ErrorResponse>{error}</ErrorResponse>"
    return Response(status=status, headers=(("content-type", "text/xml"),), body=body.encode())
