"""The way of a client to the deployment: its name in DNS, its certificate, its answers."""

import http.client
import math
import os
import socket
import ssl
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from operations.errors import OperationError, UsageError

SANDBOX_VARIABLE = "DUALMODE_SANDBOX"
"""Variable with the address at which a running sandbox serves its deployment; the sandbox prints it."""

RESERVED = ".test"
"""What names end with that no public DNS has. Source: RFC 6761, section 6.2."""

_ANSWER_SECONDS = 35.0  # an HTTP API gives up after 30


def sandbox_of(url: str) -> str:
    """Return where the sandbox of this terminal serves an address that no public DNS has, "" for another address."""
    name = urlsplit(url).hostname or ""
    return os.environ.get(SANDBOX_VARIABLE, "") if name.endswith(RESERVED) else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A response: `status` is 0 if there was none, and `said` tells why; `duration` in milliseconds."""

    status: int
    said: str
    duration: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontDoor:
    """Where requests are sent: the deployment's own address, or another one in its place, such as a sandbox's."""

    url: str
    instead: str = ""

    @property
    def name(self) -> str:
        """The host name of the deployment."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """The port of the deployment's own address."""
        return urlsplit(self.url).port or (443 if self.is_encrypted else 80)

    @property
    def is_encrypted(self) -> bool:
        """Whether the deployment's own address is https."""
        return urlsplit(self.url).scheme == "https"

    def below(self, path: str) -> str:
        """Return a path below the deployment's own, such as the setting `basePath`; one that begins so stays."""
        base = urlsplit(self.url).path.rstrip("/")
        return path if f"{path}/".startswith(f"{base}/") else f"{base}{path}"

    def check(self) -> None:
        """Check that the addresses are addresses.

        Raises:
            UsageError: one of them is not.
        """
        for option, address in (("--url", self.url), ("--connect", self.instead)):
            try:
                parts = urlsplit(address)
                valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
            except ValueError:
                valid = False
            if address and not valid:
                raise UsageError(f"{option} takes an address such as https://api.example.com, not '{address}'.")

    def addresses(self) -> list[str]:
        """Return the IP addresses that the name resolves to.

        Raises:
            OperationError: it resolves to none.
        """
        try:
            found = socket.getaddrinfo(self.name, self.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            if self.name.endswith(RESERVED):
                raise OperationError(
                    f"{self.name} does not resolve ({error}): only a sandbox has names below {RESERVED}, so set the "
                    f"variables that it prints ({SANDBOX_VARIABLE}), or give its address with --connect."
                ) from None
            raise OperationError(
                f"{self.name} does not resolve ({error}): check its zone's delegation with `make doctor`, or, right "
                "after the first `pulumi up`, wait some minutes."
            ) from None
        return sorted({str(address[4][0]) for address in found})

    def certificate_days(self) -> float:
        """Return for how many days the certificate is still valid; the connection checks that it is, for the name.

        Raises:
            OperationError: it isn't.
        """
        context = ssl.create_default_context()
        try:
            with (
                socket.create_connection((self.name, self.port), timeout=10) as plain,
                context.wrap_socket(plain, server_hostname=self.name) as encrypted,
            ):
                certificate = encrypted.getpeercert() or {}
        except ssl.SSLCertVerificationError as error:
            raise OperationError(
                f"The certificate of {self.name} is refused ({error.verify_message}): check which domain name and "
                "certificate the API has."
            ) from None
        except OSError as error:
            raise OperationError(f"{self.name} takes no TLS connection ({error}): check its DNS records.") from None
        ends = certificate.get("notAfter")
        return (ssl.cert_time_to_seconds(str(ends)) - time.time()) / 86400 if ends else math.inf

    def get(self, path: str) -> Answer:
        """Send a GET request on a connection of its own."""
        parts = urlsplit(self.instead or self.url)
        began = time.monotonic()
        connection: http.client.HTTPConnection
        if parts.scheme == "https":
            connection = http.client.HTTPSConnection(
                parts.hostname or "", parts.port or 443, timeout=_ANSWER_SECONDS, context=ssl.create_default_context()
            )
        else:
            connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=_ANSWER_SECONDS)
        try:
            connection.connect()
            began = time.monotonic()  # what is measured is the answer, not DNS and TLS
            connection.request("GET", path, headers={"Host": self.name, "User-Agent": "dualmode-smoke"})
            answer = connection.getresponse()
            body = answer.read(2000).decode("utf-8", "replace")
            said = "" if answer.status < 400 else body.strip()[:200]
            return Answer(status=answer.status, said=said, duration=(time.monotonic() - began) * 1000)
        except (OSError, http.client.HTTPException) as error:
            return Answer(status=0, said=str(error) or type(error).__name__, duration=(time.monotonic() - began) * 1000)
        finally:
            connection.close()
