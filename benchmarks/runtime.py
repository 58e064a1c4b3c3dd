"""`make bench-runtime`: one table of ours and what else a user would pick, measured in turn in one run."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from benchmarks import contenders, table, web_adapter
from benchmarks.container import Engine, EngineError, base_image
from benchmarks.figures import Figures
from benchmarks.interpreters import CACHE, Interpreter, InterpreterError, Worker, found, missing
from benchmarks.plot import plot


class _Progress:
    """One line on standard error that says what is going on; where that isn't a terminal, one every few seconds."""

    def __init__(self) -> None:
        self._watched = sys.stderr.isatty()
        self._began = self._last = time.monotonic()

    def __call__(self, text: str, *, always: bool = True) -> None:
        now = time.monotonic()
        if self._watched:
            print(f"\r\033[K{now - self._began:4.0f} s  {text}", end="", file=sys.stderr, flush=True)
        elif always or now - self._last > 5:
            self._last = now
            print(f"{now - self._began:4.0f} s  {text}", file=sys.stderr, flush=True)

    def done(self) -> None:
        """Leave the screen to the table."""
        if self._watched:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench-runtime ARGS=…", description=__doc__)
    parser.add_argument(
        "--python",
        action="append",
        default=[],
        help="an interpreter to measure under, repeatable (default: Python 3.13, 3.14 and 3.15 where on the PATH)",
    )
    parser.add_argument(
        "--in-image",
        action="append",
        nargs="?",
        const="",
        default=[],
        metavar="IMAGE",
        help="measure under an image's Python, in a container (default: the image that ours is built on)",
    )
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="NAME",
        help="a contender to measure in addition to ours, repeatable",
    )
    parser.add_argument("--quick", action="store_true", help="3 rounds instead of 30, and no image is built")
    parser.add_argument("--rounds", type=int, help="how often each contender is started")
    parser.add_argument("--where", action="store_true", help="say where our start's time goes, by import")
    parser.add_argument("--plot", type=Path, metavar="FILE.svg", help="draw the figures as well")
    arguments = parser.parse_args(argv)
    unknown = set(arguments.only) - {contender.name for contender in contenders.ALL}
    if unknown:
        known = ", ".join(contender.name for contender in contenders.ALL)
        parser.error(f"--only {', '.join(sorted(unknown))}: choose from {known}")
    return arguments


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print; 1 where ours or an interpreter that was asked for can't be measured."""
    arguments = _arguments(argv)
    progress = _Progress()
    names = table.names_of(arguments.only)
    notes: list[str] = []
    load = os.getloadavg()[0]
    adapter = None
    if contenders.WEB_ADAPTER.name in names:
        adapter, reason = web_adapter.binary(CACHE, progress, may_build=not arguments.quick)
        if adapter is None:
            notes.append(f"{contenders.WEB_ADAPTER.name} was not measured: {reason}")
    try:
        interpreters = found(arguments.python, arguments.in_image)
        settings: dict[str, object] = {
            "names": [name for name in names if adapter or name != contenders.WEB_ADAPTER.name],
            "web_adapter": str(adapter) if adapter else None,
            "warm": 30 if arguments.quick else 100,
            "blocks": 8 if arguments.quick else 25,
        }
        rounds = arguments.rounds or (3 if arguments.quick else 30)
        with ExitStack() as stack:
            workers = list(_workers(stack, interpreters, settings, progress))
            measured = _measure(workers, rounds, 30 if arguments.quick else 600, progress)
            where = [
                table.where_the_time_goes(
                    worker.interpreter.name,
                    name,
                    worker.ask("where", name, bundled=True),
                    worker.ask("where", name, bundled=False),
                )
                for worker in workers
                for name in (contenders.OURS.name,)
                if arguments.where
            ]
    except InterpreterError as error:
        progress.done()
        print(error, file=sys.stderr)
        return 1
    weight = "" if arguments.quick else _weight(progress)
    progress.done()
    print(table.table(measured, names))
    print()
    for line in table.targets(measured):
        print(f"target: {line}")
    if not arguments.python and not arguments.in_image and missing(interpreters):
        notes.append(f"not on the PATH: {', '.join(missing(interpreters))}; --python and --in-image name others")
    images = [f"{each.name}: {each.image}" for each in interpreters if each.image]
    for line in [
        *notes,
        *table.failures(measured),
        *images,
        *_conditions(measured, load),
        *([weight] if weight else []),
    ]:
        print(f"note: {line}")
    for text in where:
        print(f"\n{text}")
    if not where and any(map(table.missed, measured)):
        print("\nWhere the time of our start goes, by import: the same command with --where.")
    if arguments.plot:
        arguments.plot.write_text(plot(measured, names))
        print(f"\nDrawn in {arguments.plot}")
    return 1 if any(contenders.OURS.name in figures.failed for figures in measured) else 0


def _workers(
    stack: ExitStack, interpreters: Sequence[Interpreter], settings: dict[str, object], progress: _Progress
) -> Iterator[Worker]:
    for interpreter in interpreters:
        progress(f"preparing {interpreter.name}")
        worker = Worker(interpreter, settings, progress)
        stack.callback(worker.close)
        yield worker


def _measure(workers: Sequence[Worker], rounds: int, seconds: float, progress: _Progress) -> list[Figures]:
    """Returns the figures of each worker, after this many rounds or seconds; a round measures each once."""
    measured = []
    for worker in workers:
        interpreter = worker.interpreter
        figures = Figures(python=interpreter.name, minor=interpreter.minor, failed=worker.failed)
        figures.modules, figures.sizes = worker.ask("modules"), worker.ask("sizes")
        measured.append(figures)
    deadline = time.monotonic() + seconds
    for number in range(rounds):
        if time.monotonic() > deadline:
            break
        for worker, figures in zip(workers, measured, strict=True):
            names = list(figures.modules)
            for name in names[number % len(names) :] + names[: number % len(names)]:
                progress(f"round {number + 1} of {rounds}: {figures.python}, {name}", always=False)
                # From a cold disk first: the next start finds in memory what this one has read.
                cold = worker.ask("start_from_cold_disk", name)
                if "failed" in cold:
                    figures.failed[name] = cold["failed"]
                else:
                    figures.add_cold_start(number, name, cold)
                times = worker.ask("start", name)
                if "failed" in times:
                    figures.failed[name] = times["failed"]
                else:
                    figures.add_start(number, name, times)
            figures.add_calls(number, worker.ask("calls"))
            figures.rounds += 1
    return measured


def _conditions(measured: Sequence[Figures], load: float) -> Iterator[str]:
    direct = ", ".join(f"{sorted(each.direct)[len(each.direct) // 2]:.1f}" for each in measured if each.direct)
    yield (
        f"{os.cpu_count()} {platform.machine()} processors, load {load:.1f} before and {os.getloadavg()[0]:.1f} after; "
        "medians ± half the interquartile range; ratios are medians of each round's own"
    )
    yield f"the direct call of GET /hello takes {direct} µs; each answer is checked against the same JSON"
    yield (
        "all share one virtual environment, application and Runtime API stand-in; their modules are compiled with "
        "unchecked hashes, as in our image, and the interpreter's own modules are left as they were installed"
    )
    yield (
        "dualmode starts as its image does, by the Dockerfile's ENTRYPOINT; the Web Adapter's web server starts once "
        "the adapter has registered, as Lambda starts a runtime after its extensions; the others by "
        "python -m awslambdaric"
    )
    logged = {name: count for figures in measured for name, count in figures.lines.items() if count}
    by = ", ".join(f"{name} {count}" for name, count in logged.items())
    yield f"log lines for each request, which are part of its time, into a file in memory: {by or 'none'}"
    yield (
        "from a cold disk: when the start begins, no file of the environment, the runtime, the application or the "
        "standard library is in memory; files and MB read are what the start then read of them"
    )
    yield "MB added: the compiled distributions that each needs, and its own files (our code, the adapter's binary)"


def _weight(progress: _Progress) -> str:
    """Returns a line about our image's size, if there is a container engine."""
    base = base_image()
    try:
        engine = Engine.found()
        if engine is None:
            return "image size: not measured: neither docker nor podman answers here, or DUALMODE_ENGINE is none"
        progress(f"building our image on {base} with {engine.command}")
        image, below = engine.size(engine.build(base)), engine.size(base)
    except EngineError as error:
        return f"image size: not measured: {error}"
    return (
        f"image size: {image / 1e6:.1f} MB, of which {below / 1e6:.1f} MB are its base {base}: "
        f"{(image - below) / 1e6:.1f} MB added ({engine.command})"
    )


if __name__ == "__main__":
    sys.exit(main())
