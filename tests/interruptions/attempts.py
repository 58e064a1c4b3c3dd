"""Attempts of one deployment, each but the last of which goes wrong, in a process that may be killed with them.

`python -m tests.interruptions.attempts FILE` takes what to do from a JSON file, and writes beside it what was seen.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import sys
from pathlib import Path
from typing import Any

from dualmode.gateway.http.message import Request
from sandbox import settings
from sandbox.edge.edge import Edge
from sandbox.errors import SandboxError
from sandbox.lifecycle import make_zone
from sandbox.ministack import MiniStack
from sandbox.pulumi_drivers import deployment
from sandbox.pulumi_drivers.pulumi_command import SparingStack
from sandbox.pulumi_drivers.resources import Resource
from sandbox.pulumi_drivers.task import Task
from tests.interruptions.faults import Operation, Watch, watching
from tests.interruptions.listing import names_in, unknown_to
from tests.interruptions.stages import DOMAIN, SETTINGS, UP_INSTEAD
from tests.support.program import ROOT
from tests.support.provided import ContentBuilder

_MOST_ATTEMPTS = 300


class Answering:
    """Functions that answer with the version that was asked."""

    def describe(self, version):
        return "answering"

    def invoke(self, version, event, *, qualifier, timeout, logged):
        return json.dumps({"statusCode": 200, "body": f"version {version.version}"}).encode()


def main(file: Path) -> None:
    """Do what the file says: `stage`, `state`, and `faults`, one kind for all operations or a list of each with its."""
    wanted = json.loads(file.read_text())
    faults = wanted["faults"]
    one_after_the_other()
    if not isinstance(faults, str):
        faults = {Operation(*each): kind for *each, kind in faults}
    watch = Watch(faults, file.with_suffix(".struck"))
    with MiniStack(Path(wanted["state"])) as ministack:
        deployment.prepare(ministack)
        make_zone(ministack.account, "sandbox.test")
        with watching(watch):
            seen = attempts(wanted["stage"], ministack, watch, file.with_suffix(".lines"))
        if "stuck" not in seen:
            seen["answer"] = answer(ministack)
    for key in ("operations", "of_several_calls"):
        seen[key] = list(map(dataclasses.astuple, getattr(watch, key)))
    file.with_suffix(".seen").write_text(json.dumps(seen))


def one_after_the_other() -> None:
    """Have the engine of this process do one operation at a time, so that each can be the one that goes wrong."""
    for name in ("up", "destroy"):
        setattr(SparingStack, name, functools.partialmethod(getattr(SparingStack, name), parallel=1))


def attempts(stage: str, ministack: MiniStack, watch: Watch, file: Path) -> dict[str, Any]:
    """Deploy until nothing goes wrong any more. Where it goes wrong by itself, `stuck` is what is said then."""
    project = settings.load_project(ROOT)
    said: list[str] = []
    with file.open("a") as lines:
        for _ in range(_MOST_ATTEMPTS):
            watch.struck = None
            task = Task(
                project=project,
                config=settings.load(project, "dev", SETTINGS[stage]),
                account=ministack.account,
                variables=ministack.program_variables,
                images=ContentBuilder(),
                state=ministack.state,
                progress=lambda line: print(line, file=lines, flush=True),
            )
            try:
                resources = run(stage, task, watch)
            except SandboxError as error:
                if watch.struck is None:
                    return {"stuck": str(error), "said": said}
                said.append(str(error))
                print(error, file=lines, flush=True)
            else:
                if watch.struck is None:
                    account = ministack.account
                    return {"said": said, "unknown": unknown_to(resources, account), "names": names_in(account)}
    return {"stuck": f"it goes wrong {_MOST_ATTEMPTS} times", "said": said}


def run(stage: str, task: Task, watch: Watch) -> tuple[Resource, ...]:
    """Deploy, or destroy; the resources that are there then."""
    if stage == "destroy" or (stage == UP_INSTEAD and not watch.done):
        deployment.destroy(task)
        return ()
    return deployment.deploy(task).resources


def answer(ministack: MiniStack) -> list[Any]:
    """How a request through the account is answered, by a function that only says its version."""
    edge = Edge(ministack.reader, Answering(), default_name=DOMAIN)
    response = edge.answer(Request(method="GET", target="/", headers=(("host", DOMAIN),), body=b"")).response
    return [response.status, response.body.decode()]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
