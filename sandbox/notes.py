"""Finds what a developer should know at once in functions' logs: the gateway's advice, and refused writes."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from dualmode.gateway.http.message import Request
from dualmode.gateway.http.websocket import ADVICE as WEBSOCKET
from dualmode.gateway.http.websocket import asks_for_websocket
from sandbox.function_log import placed, tracebacks
from sandbox.new_lines import NewLines

_ADVICE = re.compile(r"gateway: (?!http://)(.+)")
_PENDING = re.compile(r"A task goes on after the response: [^\"]+\.")  # a warning of the image's runtime
_TOLD = re.compile(r"sandbox: refused write\t([^\t]+)\t(.+)")
# Lambda refuses for two reasons: the disk is read-only, and the image's files belong to another user.
_REFUSED = re.compile(r"\[Errno (13|30)\] [A-Za-z -]+: '([^']*)'")
_REFUSED_DATABASE = re.compile(r"unable to open database file|attempt to write a readonly database")
_PLACE = re.compile(r"can't be written \(.+, line \d+\)")
_FRAME = re.compile(r'  File "/var/task/([^"]+)", line (\d+)')
_PACKAGE = re.compile(r'  File "[^"]+/site-packages/(([^"/]+)[^"]*)", line (\d+)')


def refused_write(file: str, place: str) -> str:
    """What to do about a refused write: `file` was to be written, `place` is the line of the application."""
    return (
        f"{file} can't be written ({place}): Lambda's disk is read-only except for /tmp, which has 512 MB and is lost "
        "with the environment. Write only temporary files to /tmp, and keep the rest in S3 or DynamoDB."
    )


class Notes:
    """Reads what is new in the logs of a folder, and from `told`; each sentence comes once."""

    def __init__(self, logs: Path, told: Callable[[], Sequence[str]] = tuple) -> None:
        self._logs = NewLines(logs)
        self._told = told
        self._said: set[str] = set()
        self._of_requests: list[str] = []

    def asked(self, request: Request) -> None:
        """A client has sent this request; what no log shows about it is for `new` to return."""
        if asks_for_websocket(request):
            self._of_requests.append(WEBSOCKET)

    def new(self) -> list[str]:
        """Return the sentences that were not returned before."""
        of_requests, self._of_requests = self._of_requests, []
        found = []
        for sentence in (
            *of_requests,
            *self._told(),
            *(each for _, lines in self._logs.read() for each in self._sentences(lines)),
        ):
            key = place[0] if (place := _PLACE.search(sentence)) else sentence  # one write can have two sentences
            if key not in self._said:
                self._said.add(key)
                found.append(sentence)
        return found

    @staticmethod
    def _sentences(lines: Sequence[str]) -> list[str]:
        found = [match[1] for line in lines if (match := _ADVICE.match(line))]
        found += [match[0] for line in lines if (match := _PENDING.search(line))]
        found += [refused_write(placed(match[1]), match[2]) for line in lines if (match := _TOLD.match(line))]
        return found + [sentence for block in tracebacks(lines) if (sentence := _of_refused_write(block))]


def _of_refused_write(block: Sequence[str]) -> str:
    """The sentence for a traceback that ends in a refused write, "" for another one."""
    frames = [match for line in block if (match := _FRAME.match(line))]
    place = f"{frames[-1][1]}, line {frames[-1][2]}" if frames else _of_package(block)
    last = block[-1]
    refused = _REFUSED.search(last)
    # A refused read is "not permitted" too: of these refusals, only those beside the code count as writes.
    if refused and (refused[1] == "30" or refused[2].startswith("/var/task") or not refused[2].startswith("/")):
        return refused_write(refused[2], place)
    return refused_write("A database", place) if _REFUSED_DATABASE.search(last) else ""


def _of_package(block: Sequence[str]) -> str:
    """The innermost line of an installed package in a traceback without a line of the application."""
    found = [match for line in block if (match := _PACKAGE.match(line))]
    if not found:
        return "Python's own library"
    # Flask's own parts write only for another package: that one tells more.
    chosen = [match for match in found if match[2] not in ("flask", "werkzeug")] or found
    return f"package {chosen[-1][2].removesuffix('.py')}, {chosen[-1][1]}, line {chosen[-1][3]}"
