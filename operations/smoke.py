"""`smoke`: whether a deployment answers as it should, from DNS to the image, and how fast."""

import argparse
import math
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http import HTTPStatus

from operations import deployment, live_alias, published
from operations.deployment import Deployment
from operations.errors import OperationError, UsageError
from operations.front_door import SANDBOX_VARIABLE, Answer, FrontDoor, sandbox_of
from operations.health import PATTERN, Watch, percentile
from operations.log_events import LogReader
from operations.output import say, show, show_json, show_table

_RETRY_SECONDS = 2.0
_LOG_SECONDS = 20.0
_DAYS_LEFT = 14


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this verb."""
    parser.add_argument(
        "--path", default="/health", metavar="PATH", help="what is requested, below the deployment's address (/health)"
    )
    parser.add_argument(
        "--requests", type=int, default=20, metavar="N", help="requests to measure, one after another (20)"
    )
    parser.add_argument(
        "--at-once",
        type=int,
        default=3,
        metavar="N",
        help="requests before them, all at once, so that Lambda starts environments (3)",
    )
    parser.add_argument(
        "--wait", type=float, default=120, metavar="SECONDS", help="how long a new deployment may take to answer (120)"
    )
    parser.add_argument(
        "--connect",
        default="",
        metavar="URL",
        help="where to send the requests instead, without DNS and TLS, such as http://127.0.0.1:8000; for a name below "
        f".test, by default where the sandbox says in {SANDBOX_VARIABLE}",
    )
    parser.add_argument(
        "--image", default="", metavar="URI", help="image that must run; the stack's output image_uri by default"
    )
    deployment.add_arguments(parser)


@dataclass(slots=True)
class _Report:
    """What was checked, in order; `ok` is None for what was left out."""

    quiet: bool
    checks: list[dict[str, object]] = field(default_factory=list)

    def add(self, name: str, said: str, *, ok: bool | None = True) -> None:
        self.checks.append({"check": name, "ok": ok, "said": said})
        if not self.quiet:
            show(f"{'-' if ok is None else '✓' if ok else '✗'} {name:11} {said}")

    def run(self, name: str, check: Callable[[], str]) -> bool:
        """Add what a check returns, or why it fails."""
        try:
            self.add(name, check())
        except OperationError as error:
            self.add(name, str(error), ok=False)
            return False
        return True

    @property
    def passed(self) -> bool:
        return all(check["ok"] is not False for check in self.checks)


def run(options: argparse.Namespace) -> bool:
    """Check and measure; it succeeds if nothing is wrong.

    Raises:
        UsageError: a number is out of its range.
        OperationError: the deployment's address isn't known.
    """
    if not 1 <= options.requests <= 10_000 or not 0 <= options.at_once <= 100:
        raise UsageError("--requests takes a number from 1 to 10000, and --at-once one from 0 to 100.")
    if (
        not options.path.startswith("/")
        or not options.path.isascii()
        or not options.path.isprintable()
        or " " in options.path
    ):
        raise UsageError(f"--path takes a path such as /health, in ASCII and without spaces, not '{options.path}'.")
    found = deployment.find(options)
    if not found.url:
        raise OperationError("The address is not known: give it with --url URL.")
    door = FrontDoor(url=found.url, instead=options.connect or sandbox_of(found.url))
    door.check()
    path = door.below(options.path)
    report = _Report(quiet=options.json)
    since = int(time.time() * 1000)
    _check_way(door, report)
    report.run("version", lambda: _version(found, options.wait))
    _check_image(found, options.image or found.image_uri, report)
    rows: list[tuple[str, Sequence[float]]] = []
    if report.run("answer", lambda: _first_answer(door, path, options.wait)):
        rows = _measure(door, path, found, options, since, report)
    if options.json:
        show_json({"passed": report.passed, "checks": report.checks, "milliseconds": dict(map(_document, rows))})
    elif rows:
        show("")
        show_table(("MILLISECONDS", "N", "MIN", "P50", "P95", "P99", "MAX"), [_cells(*row) for row in rows])
    return report.passed


def _check_way(door: FrontDoor, report: _Report) -> None:
    if door.instead:
        report.add("name, TLS", f"not checked, since the requests go to {door.instead}", ok=None)
        return
    if not report.run("name", lambda: f"{door.name} resolves to {', '.join(door.addresses())}"):
        return
    if door.is_encrypted:
        report.run("TLS", lambda: _certificate(door))


def _certificate(door: FrontDoor) -> str:
    days = door.certificate_days()
    if days < _DAYS_LEFT:
        raise OperationError(
            f"The certificate of {door.name} ends in {days:.0f} days, and was not renewed: check that its validation "
            "record is still in the zone."
        )
    return f"valid for {door.name}, for {days:.0f} more days"


def _version(found: Deployment, seconds: float) -> str:
    live = live_alias.read(found)
    for version in (live.version, *live.weights):
        published.wait_until_active(found, version, seconds)
    return f"live serves {live}"


def _check_image(found: Deployment, wanted: str, report: _Report) -> None:
    if not wanted:
        report.add("image", "not checked, since it isn't known which was deployed (--image URI)", ok=None)
        return

    def compare() -> str:
        live = live_alias.read(found)
        digests = {published.digest_of(published.image_of(found, name)) for name in (live.version, *live.weights)}
        if digests != {published.digest_of(wanted)}:
            others = " and ".join(digest[:19] or "an image without a digest" for digest in sorted(digests))
            raise OperationError(
                f"live serves {others}, but {published.digest_of(wanted)[:19]} was deployed: run `pulumi up --refresh` "
                "if an update failed, or unset liveVersion if it pins an earlier version."
            )
        return f"{published.digest_of(wanted)[:19]} runs, as deployed"

    report.run("image", compare)


def _first_answer(door: FrontDoor, path: str, seconds: float) -> str:
    """Ask until there is an answer: right after a deployment, or after weeks without requests, the first may fail."""
    deadline = time.monotonic() + seconds
    while True:
        answer = door.get(path)
        if _is_final(answer) or time.monotonic() > deadline:
            break
        say(f"GET {path}: {_said(answer)}; trying again ...")
        threading.Event().wait(_RETRY_SECONDS)
    if answer.status == HTTPStatus.NOT_FOUND:
        raise OperationError(f"GET {path}: {_said(answer)}: choose a path that the application has with --path.")
    if not answer.status:
        raise OperationError(f"GET {path}: {_said(answer)}: check the network and the name's DNS records.")
    if not _succeeded(answer):
        raise OperationError(f"GET {path}: {_said(answer)}: `make logs` shows what the function said.")
    return f"GET {path}: {_said(answer)}"


def _measure(
    door: FrontDoor, path: str, found: Deployment, options: argparse.Namespace, since: int, report: _Report
) -> list[tuple[str, Sequence[float]]]:
    with ThreadPoolExecutor(max(options.at_once, 1)) as threads:
        first = list(threads.map(lambda _: door.get(path), range(options.at_once)))
    answers = [door.get(path) for _ in range(options.requests)]
    failed = [answer for answer in (*first, *answers) if not _succeeded(answer)]
    total = len(first) + len(answers)
    if failed:
        report.add("requests", f"{len(failed)} of {total} failed, the last one: {_said(failed[-1])}", ok=False)
    else:
        report.add("requests", f"{total} of {total} succeeded")
    watch = Watch(LogReader(found.account.client("logs"), found.log_group(), since=since, pattern=PATTERN))
    deadline = time.monotonic() + _LOG_SECONDS
    while len(_reported(watch)) < total + 1 - len(failed) and time.monotonic() < deadline:
        threading.Event().wait(0.5)
        watch.look()
    cold = [request.init + request.duration for request in watch.seen.values() if not math.isnan(request.init)]
    warm = [request.duration for request in watch.seen.values() if math.isnan(request.init)]
    if not cold:
        say("No request started an environment: `make restart` before this measures cold starts.")
    return [
        ("round trip", [answer.duration for answer in answers]),
        ("function, warm", [duration for duration in warm if not math.isnan(duration)]),
        ("function, cold start", cold),
    ]


def _reported(watch: Watch) -> list[str]:
    return [key for key, request in watch.seen.items() if not math.isnan(request.duration)]


def _is_final(answer: Answer) -> bool:
    return 0 < answer.status < HTTPStatus.INTERNAL_SERVER_ERROR


def _succeeded(answer: Answer) -> bool:
    return 0 < answer.status < HTTPStatus.BAD_REQUEST


def _said(answer: Answer) -> str:
    status = str(answer.status) if answer.status else "no answer"
    return f"{status}, {answer.said}" if answer.said else f"{status}, {answer.duration:.0f} ms"


_PERCENTS = (50, 95, 99)


def _cells(name: str, values: Sequence[float]) -> tuple[str, ...]:
    if not values:
        return (name, "0", "", "", "", "", "")
    figures = (min(values), *(percentile(values, percent) for percent in _PERCENTS), max(values))
    return (name, str(len(values)), *(f"{figure:.1f}" for figure in figures))


def _document(row: tuple[str, Sequence[float]]) -> tuple[str, dict[str, object]]:
    name, values = row
    figures = {f"p{percent}": round(percentile(values, percent), 1) for percent in _PERCENTS if values}
    return name, {"n": len(values), **figures}
