"""The applications in `examples/`: deployed with the settings of their READMEs, and asked as by a browser."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import yaml

from dualmode.gateway.http.message import Request
from sandbox import settings
from sandbox.lifecycle import Sandbox
from sandbox.presets import DOMAIN
from tests.support.sandboxes import ROOT, deployed

EXAMPLES = ROOT / "examples"
STACK_FILE = "Pulumi.dev.yaml"


def stack_file(name: str) -> str:
    """What an example's README tells a reader to put into `Pulumi.dev.yaml`."""
    (block,) = re.findall(
        r"^```yaml\n(.*?)^```$", (EXAMPLES / name / "README.md").read_text(), re.MULTILINE | re.DOTALL
    )
    return str(block)


def project_with(name: str, folder: Path) -> settings.Project:
    """The project, with the stack file of an example in a folder of its own."""
    (folder / STACK_FILE).write_text(stack_file(name))
    return replace(settings.load_project(ROOT), stack_folder=folder)


def build_arguments(name: str) -> dict[str, str]:
    """The arguments with which an image of an example is built, by its README's settings."""
    config = yaml.safe_load(stack_file(name))["config"]
    return {"APP_DIR": config["dualmode:appDir"], "FLASK_APP": config["dualmode:flaskApp"]}


@contextlib.contextmanager
def running_example(name: str, folder: Path, **chosen: object) -> Iterator[Sandbox]:
    """An example as its README deploys it, but for what is chosen."""
    with deployed(folder / "state", project_with(name, folder), **chosen) as sandbox:
        yield sandbox


@dataclass(frozen=True)
class Reply:
    """What a client gets, and the hops that its request took."""

    status: int
    headers: dict[str, str]
    body: bytes
    hops: dict[str, str]

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Client:
    """Somebody who asks a sandbox's domain and keeps the cookies that are answered."""

    sandbox: Sandbox
    cookies: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"

    def __call__(self, method: str, target: str, sent: object = None, **headers: str) -> Reply:
        """Sends a request: bytes as they are, anything else as JSON."""
        body = sent if isinstance(sent, bytes) else b"" if sent is None else json.dumps(sent).encode()
        fields = [("Host", DOMAIN), *((name.replace("_", "-"), value) for name, value in headers.items())]
        if body:
            fields.append(("Content-Type", self.content_type))
        if self.cookies:
            fields.append(("Cookie", "; ".join(f"{name}={value}" for name, value in self.cookies.items())))
        answer = self.sandbox.edge.answer(Request(method=method, target=target, headers=tuple(fields), body=body))
        for name, value in answer.response.headers:
            if name.lower() == "set-cookie":
                self._keep(value)
        hops = {hop.hop: hop.detail for hop in answer.trace.hops}
        named = {name.lower(): value for name, value in answer.response.headers}
        return Reply(answer.response.status, named, answer.response.body, hops)

    def _keep(self, cookie: str) -> None:
        for name, morsel in SimpleCookie(cookie).items():
            if morsel["expires"].endswith("1970 00:00:00 GMT"):
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = morsel.value
