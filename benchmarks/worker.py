"""Measures under one interpreter, for `benchmarks.runtime`: one line of JSON asks on standard input, lines answer.

This process, which may run in a container or another root, does everything: making the environment, the stand-in
for the Runtime API, and the contenders' processes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO, Any

from benchmarks import cold_start, contenders, process
from benchmarks.cold_disk import ColdDisk, files_of
from benchmarks.contenders import Contender
from benchmarks.hello import EVENT, wrong
from benchmarks.process import ContenderFailedError
from benchmarks.stage import Stage, StageError, prepare, reserved
from benchmarks.stand_in import StandIn

_HERE = Path(__file__).parent
_LOG_BYTES = 32 << 20


def _file_in_memory() -> IO[bytes]:
    """Returns a file that lives as long as the process that writes to it; on Linux it is on no disk, and has its pages.

    Where they have to be found line by line, that takes longer than the line.
    """
    if not hasattr(os, "memfd_create"):
        return tempfile.TemporaryFile()
    file = os.memfd_create("log")
    os.posix_fallocate(file, 0, _LOG_BYTES)
    return os.fdopen(file, "w+b")


class Worker:
    """One interpreter's stage, stand-in and long-lived process for what is measured in process."""

    def __init__(self, stage: Stage, names: list[str], *, warm: int, blocks: int) -> None:
        self._stage = stage
        self._warm = warm
        self._contenders = {name: contenders.named(name) for name in names}
        self._stand_in = StandIn(EVENT)
        self._environment = process.environment(stage, self._stand_in, {"PYTHONPATH": str(stage.root)})
        self._disk = ColdDisk(files_of(stage))
        self._log = _file_in_memory()  # a disk of a container takes longer for a line than the line itself
        self._in_process = self._start_in_process(blocks)

    def _start_in_process(self, blocks: int) -> subprocess.Popen[str]:
        handlers = {
            name: (contender.module, dict(contender.environ))
            for name, contender in self._contenders.items()
            if contender.module
        }
        argument = json.dumps({"handlers": handlers, "event": EVENT, "blocks": blocks})
        return subprocess.Popen(
            [str(self._stage.venv / "bin" / "python"), str(_HERE / "in_process.py"), argument],
            cwd=self._stage.task,
            env={**self._environment, "PYTHONPATH": f"{self._stage.root}:{self._stage.task}"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )

    def ready(self) -> dict[str, str]:
        """Returns why a contender can't be called in process, by name."""
        first = self._next_answer()
        failed: dict[str, str] = first["failed"]
        for name, result in first["results"].items():
            reason = wrong(result)
            if reason:
                failed[name] = reason
        return failed

    def _next_answer(self) -> Any:
        assert self._in_process.stdout is not None
        line = self._in_process.stdout.readline()
        if not line:
            self._log.seek(0)
            last = self._log.read().decode("utf-8", "replace").strip("\0 \n").splitlines()[-3:]
            raise StageError(f"the process that measures warm requests ended: {' | '.join(last)}")
        return json.loads(line)

    def calls(self) -> dict[str, float]:
        """Returns one round of µs per request, beyond the direct call's, which has the name ""."""
        assert self._in_process.stdin is not None
        self._in_process.stdin.write("round\n")
        self._in_process.stdin.flush()
        taken: dict[str, float] = self._next_answer()
        return taken

    def start(self, name: str) -> dict[str, Any]:
        """Returns one start's times, or why there are none."""
        try:
            return process.times(self._contenders[name], self._stage, self._stand_in, self._warm)._asdict()
        except ContenderFailedError as error:
            return {"failed": str(error)}

    def start_from_cold_disk(self, name: str) -> dict[str, Any]:
        """Returns the time of one start from a cold disk cache and what it read, or why there is none."""
        self._disk.drop()
        try:
            times = process.times(self._contenders[name], self._stage, self._stand_in, 1)
        except ContenderFailedError as error:
            return {"failed": str(error)}
        return {"first_ms": times.first_ms, **self._disk.read()._asdict()}

    def modules(self) -> dict[str, int]:
        """Returns how many modules each contender has loaded after its first response."""
        return {name: len(self._modules(contender)) for name, contender in self._contenders.items()}

    def _modules(self, contender: Contender) -> list[str]:
        try:
            return cold_start.modules(contender, self._stage, self._stand_in)
        except ContenderFailedError:  # its start times have the reason
            return []

    def where(self, name: str, *, bundled: bool) -> cold_start.Where:
        """Returns where a cold start's time goes, with the bundle of its modules or without."""
        bundle = self._stage.bundle
        aside = bundle.with_suffix(".aside")
        if not bundled:
            bundle.rename(aside)
        try:
            return cold_start.where(self._contenders[name], self._stage, self._stand_in)
        finally:
            if not bundled:
                aside.rename(bundle)

    def sizes(self) -> dict[str, int]:
        """Returns how many bytes each adds to the base image."""
        names = {name: contender.distributions for name, contender in self._contenders.items()}
        command = [str(self._stage.venv / "bin" / "python"), str(_HERE / "installed_size.py"), json.dumps(names)]
        sizes: dict[str, int] = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
        for name in names:
            sizes[name] += sum(path.stat().st_size for path in self._own_files(name) if path.is_file())
        return sizes

    def _own_files(self, name: str) -> list[Path]:
        contender = self._contenders[name]
        if contender.module == contenders.OURS.module:
            return list(self._stage.root.rglob("*"))
        if contender is contenders.WEB_ADAPTER and self._stage.web_adapter is not None:
            return [self._stage.web_adapter]
        return []

    def close(self) -> None:
        """End the long-lived process."""
        assert self._in_process.stdin is not None
        self._in_process.stdin.close()
        self._in_process.wait(10)
        self._stand_in.close()


def _say(**fields: object) -> None:
    print(json.dumps(fields), flush=True)


def main() -> None:
    """Answer until standard input ends."""
    settings = json.loads(sys.stdin.readline())
    adapter = Path(settings["web_adapter"]) if settings["web_adapter"] else None
    folder = Path(settings["folder"])

    def progress(text: str) -> None:
        _say(progress=text)

    try:
        with reserved(folder, progress):
            worker = Worker(
                prepare(folder, adapter, progress),
                settings["names"],
                warm=settings["warm"],
                blocks=settings["blocks"],
            )
            _say(answer={"failed": worker.ready()})
            for line in sys.stdin:
                name, arguments, settings = json.loads(line)
                _say(answer=getattr(worker, name)(*arguments, **settings))
            worker.close()
    except (StageError, ContenderFailedError) as error:
        _say(error=str(error))


if __name__ == "__main__":
    main()
