"""An issuer of tokens on this machine, over https, with a key that everybody may know."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

# The example key of RFC 7515, appendix A.2.1.
N = (
    "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-p"
    "CgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2Cap"
    "Hg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h"
    "4FRWyuXpoQ"
)
D = (
    "Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA7_GQ5sLKMgvfTeXZx9SE-7YwVol2NXOoAJe46sui395IW_GO-p"
    "WJ1O0BkTGoVEn2bKVRUCgu-GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzjkn439X0M_V51gfpRLI9JYanrC4D4qAdGcopV_0ZHHzQlBjudU"
    "2QvXt4ehNYTCBr6XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl_x_jTj3ccPDVZFD9pIuhLhBOneufuBiB4cS98l2SR_RQyGWSeWjnczT0QU91p1Dh"
    "OVRuOopznQ"
)
KEY = {"kty": "RSA", "kid": "first", "use": "sig", "alg": "RS256", "n": N, "e": "AQAB"}


def encoded(document: object) -> str:
    """A JSON document as a part of a token."""
    return base64.urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=").decode()


def number(text: str) -> int:
    """A number of a key."""
    return int.from_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), "big")


def signed(claims: dict[str, object], **header: object) -> str:
    """A token with these claims, signed with RS256 whatever its header says."""
    message = f"{encoded({'alg': 'RS256', 'kid': 'first', **header})}.{encoded(claims)}"
    info = bytes.fromhex("3031300d060960864801650304020105000420") + hashlib.sha256(message.encode()).digest()
    block = b"\x00\x01" + b"\xff" * (256 - len(info) - 3) + b"\x00" + info
    signature = pow(int.from_bytes(block, "big"), number(D), number(N)).to_bytes(256, "big")
    return f"{message}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


class Issuer:
    """The issuer's address, what it publishes at each path, and the paths that were asked for."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.asked: list[str] = []
        self.published: dict[str, object] = {
            "/.well-known/openid-configuration": {"issuer": address, "jwks_uri": f"{address}/keys"},
            "/keys": {"keys": [KEY]},
        }

    def token(self, header: dict[str, object] | None = None, **claims: object) -> str:
        """A token of this issuer for the audience `shop`, valid for an hour, with other claims where given."""
        now = int(time.time())
        usual: dict[str, object] = {"iss": self.address, "aud": "shop", "sub": "ann", "exp": now + 3600, "iat": now - 5}
        chosen = {**usual, **claims}
        return signed({name: value for name, value in chosen.items() if value is not None}, **(header or {}))


@contextlib.contextmanager
def issuing(folder: Path) -> Iterator[Issuer]:
    """An issuer that this process trusts, for as long as it runs."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    request = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    files = ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*request, *files], check=True, capture_output=True, timeout=60)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            issuer.asked.append(self.path)
            found = issuer.published.get(self.path)
            body = json.dumps(found).encode()
            self.send_response(404 if found is None else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Writes nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server, pytest.MonkeyPatch.context() as patch:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        issuer = Issuer(f"https://localhost:{server.server_port}")
        patch.setenv("SSL_CERT_FILE", str(certificate))
        patch.setenv("NO_PROXY", "localhost")
        patch.setenv("no_proxy", "localhost")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield issuer
        finally:
            server.shutdown()
            thread.join(10)
