"""Plays an application's requests as a browser sends them, and tells what has to be the same wherever it runs."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import urlencode

from tests.corpus.application import Application, Reply, Step, without_what_varies

Send = Callable[[str, str, list[tuple[str, str]], bytes], Reply]
BOUNDARY = "a-boundary-of-the-corpus"


class Seen(NamedTuple):
    """What of an answer has to be the same everywhere."""

    request: str
    status: int
    content_type: str
    location: str
    cookies: tuple[str, ...]
    body: str


def play(application: Application, send: Send) -> list[Seen]:
    """Sends an application's requests one after the other, and checks what each answer has to have.

    Raises:
        AssertionError: an answer has another status, or lacks a text.
    """
    jar: dict[str, str] = {}
    kept: dict[str, str] = {}
    seen = []

    def same(text: str) -> str:
        for value in kept.values():  # a token, or a name that the application has made up
            text = text.replace(value, "~")
        return without_what_varies(application, text)

    for step in application.steps:
        headers = [("Host", "app.sandbox.test"), *((key, filled(value, kept)) for key, value in step.headers.items())]
        if jar:
            headers.append(("Cookie", "; ".join(f"{name}={value}" for name, value in jar.items())))
        content_type, body = content(step, kept)
        if content_type:
            headers.append(("Content-Type", content_type))
        reply = send(step.method, filled(step.target, kept), headers, body)
        text = reply.body.decode("latin-1")
        what = f"{application.name}: {step.method} {step.target}"
        assert (what, reply.status, text[:3000]) == (what, step.status, text[:3000])
        assert step.has in reply.body, f"{what}: {text[:3000]}"
        cookies = [value for key, value in reply.headers if key.lower() == "set-cookie"]
        for cookie in cookies:
            name, _, value = cookie.strip().partition(";")[0].partition("=")
            jar[name] = value
        for name, pattern in step.keep.items():
            found = re.search(pattern, f"location: {reply.header('location')}\n{text}")
            assert found, f"{what} has no {pattern}: {text[:3000]}"
            kept[name] = found[1]
        seen.append(
            Seen(
                request=what,
                status=reply.status,
                content_type=reply.header("content-type"),
                location=same(reply.header("location")),
                cookies=tuple(sorted(cookie.strip().partition("=")[0] for cookie in cookies)),
                body=same(text),
            )
        )
    return seen


def filled(text: str, kept: dict[str, str]) -> str:
    for name, value in kept.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def content(step: Step, kept: dict[str, str]) -> tuple[str, bytes]:
    """The type and the body of a request, a form in the encoding that a browser takes."""
    fields = {name: filled(value, kept) for name, value in (step.form or {}).items()}
    if step.upload is not None:
        name, file, data = step.upload
        parts = [
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
            for key, value in fields.items()
        ]
        about = f'Content-Disposition: form-data; name="{name}"; filename="{file}"\r\nContent-Type: text/plain'
        parts += [f"--{BOUNDARY}\r\n{about}\r\n\r\n".encode(), data, f"\r\n--{BOUNDARY}--\r\n".encode()]
        return f"multipart/form-data; boundary={BOUNDARY}", b"".join(parts)
    if step.form is not None:
        return "application/x-www-form-urlencoded", urlencode(fields).encode()
    return "", step.body
