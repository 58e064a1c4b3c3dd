"""A headless Chromium that a test drives over two pipes: it loads pages, evaluates expressions, presses keys.

Source: Chrome DevTools Protocol, with `--remote-debugging-pipe`: messages in JSON, each ended by a zero byte.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox import ends_with_parent

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on the PATH")

OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--no-proxy-server",
)

# Of the keys that the tests press: what a real keyboard sends.
_KEYS = {
    "Tab": {"code": "Tab", "windowsVirtualKeyCode": 9},
    "Enter": {"code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"},
}


class Browser:
    """One page of a running browser."""

    def __init__(self, to_browser: int, from_browser: int) -> None:
        self._to = os.fdopen(to_browser, "wb", buffering=0)
        self._from = os.fdopen(from_browser, "rb")
        self._number = 0
        self._session: str | None = None
        self.said: list[str] = []
        """What the page's scripts failed with, and what the browser refused it."""
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self._call(f"{domain}.enable")

    def close(self) -> None:
        """Close the pipes; the browser ends."""
        self._to.close()
        self._from.close()

    def open(self, url: str) -> None:
        """Go to a page."""
        self._call("Page.navigate", url=url)

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression in the page, which may be a promise."""
        answer = self._call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def until(self, expression: str, seconds: float = 30.0) -> None:
        """Wait until an expression is true."""
        deadline = time.monotonic() + seconds
        while not self.evaluate(f"Boolean({expression})"):
            shown = self.evaluate("document.body.innerText")
            assert time.monotonic() < deadline, f"{expression} is never true; the page shows:\n{shown}\n{self.said}"
            self.evaluate("new Promise(done => setTimeout(done, 50))")

    def press(self, *keys: str) -> None:
        """Press keys by their names, one after the other."""
        for key in keys:
            self._call("Input.dispatchKeyEvent", type="keyDown", key=key, **_KEYS[key])
            self._call("Input.dispatchKeyEvent", type="keyUp", key=key, **_KEYS[key])

    def write(self, text: str) -> None:
        """Write into what has the focus."""
        self._call("Input.insertText", text=text)

    def look(self, width: int, scheme: str) -> None:
        """Make the window that wide (in CSS pixels), and prefer `light` or `dark`."""
        self._call(
            "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 500
        )
        self._call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def screenshot(self, path: Path) -> None:
        """Write the whole page as a PNG."""
        shot = self._call("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(shot["data"]))

    def _call(self, method: str, **parameters: object) -> dict[str, Any]:
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        self._to.write(json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == self._number:
                assert "error" not in answer, (method, answer["error"])
                return dict(answer["result"])
            if answer.get("method") == "Runtime.exceptionThrown":
                self.said.append(json.dumps(answer["params"]["exceptionDetails"]))
            if answer.get("method") == "Log.entryAdded":
                self.said.append(answer["params"]["entry"]["text"])

    def _read(self) -> dict[str, Any]:
        read = bytearray()
        while (byte := self._from.read(1)) != b"\0":
            assert byte, "the browser has ended"
            read += byte
        return dict(json.loads(read))


@contextlib.contextmanager
def browser(folder: Path) -> Iterator[Browser]:
    """A browser whose profile is in a folder."""
    assert CHROMIUM
    read_by_it, to_it = os.pipe()
    from_it, written_by_it = os.pipe()
    # The browser reads from 3 and writes to 4. The pipes may have these numbers here, so they are moved aside first.
    script = f'exec "$@" 10<&{read_by_it} 11>&{written_by_it} 3<&10 4>&11 10<&- 11>&-'
    command = [CHROMIUM, *OPTIONS, f"--user-data-dir={folder}", "--remote-debugging-pipe", "about:blank"]
    process = subprocess.Popen(
        ends_with_parent.alone(["bash", "-c", script, "bash", *command], signal.SIGKILL),
        pass_fds=(read_by_it, written_by_it),
        stderr=subprocess.DEVNULL,
    )
    os.close(read_by_it)
    os.close(written_by_it)
    with process:
        made = None
        try:
            made = Browser(to_it, from_it)
            yield made
        finally:
            if made is not None:
                made.close()
            process.terminate()
            try:
                process.wait(30)
            finally:
                process.kill()
