"""A machine of someone with a real account: credentials in every form, and a listener at each of their endpoints."""

from __future__ import annotations

import socketserver
import threading
from dataclasses import dataclass, field
from pathlib import Path

SECRET = "real-hunter2"
"""Part of every planted value that is a secret."""


@dataclass
class Planted:
    """The variables of the planted shell, and the requests to their endpoints."""

    variables: dict[str, str]
    heard: list[bytes] = field(default_factory=list)


class _Listener(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self, heard: list[bytes]) -> None:
        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                heard.append(self.request.recv(1000))

        super().__init__(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    def server_close(self) -> None:
        self.shutdown()
        self._thread.join()
        super().server_close()


def plant(folder: Path) -> tuple[Planted, _Listener]:
    """Writes the files of a home folder, starts the listener, and gives the variables that name them."""
    planted = Planted({})
    listener = _Listener(planted.heard)
    there = f"http://127.0.0.1:{listener.server_address[1]}"
    home = folder / "home"
    (home / ".aws").mkdir(parents=True)
    keys = f"aws_access_key_id = AKIA{SECRET}\naws_secret_access_key = {SECRET}\n"
    (home / ".aws" / "credentials").write_text(f"[default]\n{keys}[work]\n{keys}")
    settings = f"region = eu-north-1\nendpoint_url = {there}\n"
    (home / ".aws" / "config").write_text(f"[default]\n{settings}[profile work]\n{settings}")
    token = home / "token"
    token.write_text(SECRET)
    planted.variables |= {
        "HOME": str(home),
        "AWS_ACCESS_KEY_ID": f"AKIA{SECRET}",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_SESSION_TOKEN": SECRET,
        "AWS_PROFILE": "work",
        "AWS_CONFIG_FILE": str(home / ".aws" / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(home / ".aws" / "credentials"),
        "AWS_WEB_IDENTITY_TOKEN_FILE": str(token),
        "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/work",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{there}/credentials",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN": SECRET,
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": there,
        "AWS_ENDPOINT_URL": there,
        "AWS_ENDPOINT_URL_S3": there,
        "AWS_ENDPOINT_URL_STS": there,
        "AWS_REGION": "eu-north-1",
        "AWS_DEFAULT_REGION": "eu-north-1",
        "AWS_CA_BUNDLE": str(token),
        "PULUMI_ACCESS_TOKEN": SECRET,
        "PULUMI_BACKEND_URL": there,
        "PULUMI_HOME": str(home / "pulumi"),
        "PULUMI_CONFIG": f'{{"small:size": "{SECRET}"}}',
        "GOOGLE_APPLICATION_CREDENTIALS": str(token),
        "AZURE_CLIENT_SECRET": SECRET,
        "GITHUB_TOKEN": SECRET,
    }
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        planted.variables |= {name: there, name.lower(): there}
    return planted, listener


def is_planted(name: str, value: str, planted: Planted) -> bool:
    """Whether a variable came from the planted shell: HOME may, since programs need one."""
    return name != "HOME" and (SECRET in value or planted.variables.get(name) == value)
