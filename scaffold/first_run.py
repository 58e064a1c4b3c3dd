"""The first request to a new deployment in its sandbox: whether the application answers, and what it says."""

import json
import subprocess
from http import HTTPStatus
from pathlib import Path
from typing import Any


def answers(folder: Path) -> bool:
    """Run the sandbox of a deployment repository for `GET /`, print what came of it, and tell whether it works.

    Any answer of the application below 500 counts: many have no page at `/`, or ask for a login there.
    """
    command = ["./sandbox.sh", "--request", "GET /", "--json"]
    answer: dict[str, Any] = {}
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as sandbox:
        for line in sandbox.stdout or ():
            if line.startswith("{"):
                answer = json.loads(line)
            else:  # what is being installed
                print(line, end="", flush=True)
    if not answer:
        return False  # the sandbox has said why
    for line in str(answer.get("traceback", "")).splitlines():
        print(line)
    print(_sentence(answer))
    return int(answer["status"]) < HTTPStatus.INTERNAL_SERVER_ERROR and not _refusal(answer)


def _sentence(answer: dict[str, Any]) -> str:
    status = int(answer["status"])
    said = f"GET / was answered with {status} {_phrase(status)}".rstrip()
    refusal = _refusal(answer)
    if refusal:
        return f"{said}, before it came to the application: {refusal}."
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return f"{said}: the application failed; its log is {answer.get('log', 'in .sandbox/logs')}."
    if status == HTTPStatus.NOT_FOUND:
        return (
            f"{said} by the application itself, which has no page at /: it works, and its own pages have other paths."
        )
    if status >= HTTPStatus.BAD_REQUEST:
        return f"{said} by the application itself: it works."
    return f"{said}: it works."


def _refusal(answer: dict[str, Any]) -> str:
    """Why AWS would not have passed the request on, "" if the application has answered."""
    last = (answer.get("trace") or [{}])[-1]
    before, refused, detail = str(last.get("detail", "")).partition("refused: ")
    return f"{last['hop']} {last['id']}: {detail}" if refused and not before else ""


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
