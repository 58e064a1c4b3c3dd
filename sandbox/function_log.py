"""What a function's log says about one request, in readable form: Python's own traceback, from any log format."""

import json
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

# The gateway logs the end of an invocation a moment after its answer.
_OVER_SECONDS = 0.5

_HEAD = "Traceback (most recent call last):"
_CHAINED = ("During handling of the above exception", "The above exception was the direct cause")
_ID = re.compile(r"\[[A-Z]+\]\t\S+\t([0-9a-f-]{36})\t")
# Where the files of an image that was laid out are here, and where they are in the image.
_PLACES = tuple(
    # A path with spaces is recognised behind a quote or a bracket.
    (re.compile(rf"""(?:(?<=["'(])/[^"'()\n]*|[^\s"'(]*)/{folder}(?![\w.-])"""), name)
    for folder, name in (
        (r"images/(?:[0-9a-f]{64}|\.new-\w+)/task", "/var/task"),
        (r"images/(?:[0-9a-f]{64}|\.new-\w+)/runtime", "/opt/dualmode"),
        (r"venvs/[0-9a-f]{16}/application", "/var/task"),
        (r"venvs/[0-9a-f]{16}", "/opt/venv"),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPart:
    """The log from byte `begin` on, of the invocation with this id, or of any if there is no id."""

    path: Path
    begin: int
    request_id: str = ""

    def wait(self, seconds: float = _OVER_SECONDS) -> None:
        """Wait until it is complete, or the time is over."""
        deadline = time.monotonic() + seconds
        number = re.escape(self.request_id)
        over = re.compile(
            rf'"platform\.(runtimeDone|report)","record":{{"requestId":"{number}"|END RequestId: {number}'
        )
        while self.request_id and not over.search(self._text()) and time.monotonic() < deadline:
            time.sleep(0.005)

    def duration(self) -> float | None:
        """How long the invocation took, in ms, as its report says; None without one."""
        number = re.escape(self.request_id)
        report = re.compile(
            rf'"platform\.report","record":{{"requestId":"{number}","metrics":{{"durationMs":([\d.]+)'
            rf"|REPORT RequestId: {number}\tDuration: ([\d.]+) ms"
        )
        found = report.search(self._text()) if self.request_id else None
        return float(found[1] or found[2]) if found else None

    def traceback(self) -> list[str]:
        """The last traceback in it, line by line; empty if there is none."""
        found = tracebacks(self._text().splitlines(), self.request_id)
        return found[-1] if found else []

    def lines(self) -> list[str]:
        """What the function itself logged in it, in readable form."""
        lines = [line for line in self._text().splitlines() if not line.startswith(("gateway: ", "sandbox: "))]
        plain = _plain(lines, self.request_id)
        return [placed(line) for part in plain for line in ([part] if isinstance(part, str) else part)]

    def _text(self) -> str:
        try:
            with self.path.open("rb") as file:
                file.seek(self.begin)
                return file.read().decode("utf-8", "replace")
        except OSError:
            return ""


def tracebacks(lines: Iterable[str], request_id: str = "") -> list[list[str]]:
    """Every traceback in lines of a log, with paths as in the image; those of other requests left out."""
    found: list[list[str]] = []
    block: list[str] | None = None
    others = False
    for line in _plain(lines, request_id):
        if isinstance(line, list):
            found.append(line)
            block = None
            continue
        head = _ID.match(line)
        if head:
            others = bool(request_id) and head[1] != request_id
        if line.strip() == _HEAD:
            if block and not _ends(block):  # "During handling …": the same failure goes on
                block.append(line)
            else:
                block = [line]
                if not others:
                    found.append(block)
        elif block is not None:
            if _ends(block) and line.strip() and not line.startswith(_CHAINED):
                block = None
            else:
                block.append(line)
    return [[placed(line) for line in _trimmed(block)] for block in found]


def _plain(lines: Iterable[str], request_id: str) -> Iterable[str | list[str]]:
    """Lines without their JSON; a whole traceback where an object holds one."""
    for line in lines:
        try:
            record = json.loads(line) if line.startswith("{") else None
        except ValueError:
            record = None
        if not isinstance(record, dict):
            yield line
        elif record.get("requestId") and request_id and record["requestId"] != request_id:
            continue
        elif isinstance(record.get("stackTrace"), list):
            frames = "".join(map(str, record["stackTrace"])).rstrip("\n").splitlines()
            sentence = f"{record.get('errorType', 'Exception')}: {record.get('errorMessage', '')}"
            yield [_HEAD, *frames, *sentence.splitlines()] if frames else sentence.splitlines()
        elif "message" in record:
            yield str(record["message"])


def _ends(block: list[str]) -> bool:
    """Whether a block has reached the line that names its exception."""
    last = next((line for line in reversed(block) if line.strip()), "")
    return not last.startswith((" ", "\t")) and last.strip() != _HEAD and not last.startswith(_CHAINED)


def _trimmed(block: list[str]) -> list[str]:
    end = len(block)
    while end and not block[end - 1].strip():
        end -= 1
    return block[:end]


def placed(text: str) -> str:
    """The text with paths of an image that was laid out here as they are in the image."""
    for place, name in _PLACES:
        text = place.sub(name, text)
    return text
