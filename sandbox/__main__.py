"""`python -m sandbox`: the whole deployment on this machine, served until Ctrl-C, or for one request."""

import contextlib
import json
import os
import shlex
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from dualmode.gateway.api_gateway.http_api import BODY_LIMIT
from dualmode.gateway.http.message import Request, Response
from dualmode.gateway.http.server import HttpServer
from sandbox import long_command, settings, variables
from sandbox.alarms import alarmed
from sandbox.assignments import parse_assignments
from sandbox.command_line import Options, UsageError, read_options
from sandbox.edge.answer import Answer
from sandbox.edge.edge import refuse, respond_with
from sandbox.errors import SandboxError, SettingsError
from sandbox.event_sources.one_event import run_schedule
from sandbox.notes import Notes
from sandbox.one_invocation import run_command, run_event
from sandbox.output import Terminal, document, print_answer, print_failure, print_pairs, print_tree
from sandbox.page.port import PagePort
from sandbox.presets import PRESETS, ZONE, set_aside
from sandbox.runner.container_engine import find_engine
from walk.trace import Hop

if TYPE_CHECKING:
    from sandbox.lifecycle import Order, Sandbox
    from sandbox.watch import Watch

OK, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130

_HOST = "127.0.0.1"
_LOOK_SECONDS = 0.25  # for what functions' logs have, and for changed files


def main(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run the command and return the exit status."""
    try:
        with _stopping_on_signals():
            options = read_options(arguments, environ)
            if options.operation is not None:
                return _operate(options, options.operation)
            if options.event is not None or options.command is not None or options.schedule is not None:
                return _invoke(options)
            return _serve(options) if options.request is None else _send(options, options.request)
    except UsageError as error:
        return _fail(USAGE, f"{error} See python -m sandbox --help.")
    except SettingsError as error:
        return _fail(USAGE, str(error))
    except SandboxError as error:
        return _fail(FAILED, str(error))
    except KeyboardInterrupt:
        return _fail(INTERRUPTED, "Interrupted; everything that was started is stopped.")


def _send(options: Options, request: Request) -> int:
    with _running(options) as sandbox:
        notes = Notes(sandbox.logs, sandbox.roles.new_remedies)
        notes.asked(request)
        answer = sandbox.edge.answer(request)
        answer.trace.hops.extend(alarmed(sandbox.account, answer))
        if options.json:
            print(json.dumps(document(answer), ensure_ascii=False), flush=True)
        else:
            print_answer(Terminal(sys.stdout), answer)
        if answer.log is not None:
            answer.log.wait()
        _print_notes(Terminal(sys.stderr), notes)
    return OK if answer.response.status < HTTPStatus.BAD_REQUEST else FAILED


def _invoke(options: Options) -> int:
    with _running(options) as sandbox:
        notes = Notes(sandbox.logs, sandbox.roles.new_remedies)
        try:
            if options.schedule is not None:
                succeeded = run_schedule(sandbox, options.schedule)
            elif options.command is not None:
                succeeded = run_command(sandbox, options.command)
            else:
                succeeded = run_event(sandbox, options.event or b"")
        finally:
            _print_notes(Terminal(sys.stderr), notes)
    return OK if succeeded else FAILED


def _serve(options: Options) -> int:
    terminal = Terminal(sys.stdout)
    respond: list[Callable[[Request], Response]] = []
    try:  # before anything is deployed, so that a port in use is reported at once
        server = HttpServer(
            _HOST, options.port, lambda request: respond[0](request), refuse=refuse, body_limit=BODY_LIMIT
        )
    except OSError as error:
        raise SandboxError(
            f"Port {options.port} can't be used ({os.strerror(error.errno or 0)}): stop the program that "
            "uses it, or set PORT to another number."
        ) from error
    try:
        with _running(options) as sandbox:
            notes = Notes(sandbox.logs, sandbox.roles.new_remedies)
            page: PagePort | None = None

            def told(request: Request, answer: Answer) -> None:
                notes.asked(request)
                alarms = alarmed(sandbox.account, answer)
                _log(terminal, request, answer, alarms)
                if page is not None:
                    page.asked(request, answer, alarms)

            def send(request: Request) -> Mapping[str, object]:
                answer = sandbox.edge.answer(request)
                told(request, answer)
                return document(answer)

            respond.append(respond_with(sandbox.edge, told))
            watch = _watch(options, sandbox)
            with contextlib.ExitStack() as parts:
                if options.page_port:
                    start = {"url": sandbox.url, "address": f"http://{_HOST}:{server.port}", "path": sandbox.path}
                    account, logs, faults = sandbox.edge.account, sandbox.logs, sandbox.faults
                    page = PagePort(account, logs, start, send, faults, first=options.page_port)
                    parts.enter_context(page)
                server.start()
                _introduce(terminal, sandbox, server.port, watch, page)
                with contextlib.suppress(KeyboardInterrupt):  # the normal way to stop it
                    while not threading.Event().wait(_LOOK_SECONDS):
                        for line in watch.look() if watch else ():
                            terminal.line(line)
                        _print_notes(terminal, notes)
    finally:
        server.stop()
    return OK


def _watch(options: Options, sandbox: "Sandbox") -> "Watch | None":
    from sandbox.watch import Watch

    return Watch(sandbox) if options.watch else None


def _operate(options: Options, name: str) -> int:
    from sandbox.lifecycle import operate
    from sandbox.pulumi_drivers import deployment

    operations = {"preview": deployment.preview, "destroy": deployment.destroy}
    changes = operate(operations[name], _order(options))
    print_pairs(Terminal(sys.stdout), "Changes", changes)
    return OK


@contextlib.contextmanager
def _running(options: Options) -> "Iterator[Sandbox]":
    from sandbox.lifecycle import running

    order = _order(options)
    with running(order) as sandbox:
        try:
            for name in options.faults:
                order.progress(f"Fault {name}: {sandbox.faults.set(name)}")
            yield sandbox
        finally:
            order.progress("Stopping")


def _order(options: Options) -> "Order":
    from sandbox.lifecycle import Order  # pulumi's SDK takes a second to import: don't wait for it on wrong usage

    project = settings.load_project(Path.cwd())
    own = settings.own_values(project, options.stack)
    parsed = parse_assignments(project, [*PRESETS, *options.settings], own)
    config = settings.load(project, options.stack, parsed)
    began = time.monotonic()
    terminal = Terminal(sys.stderr)

    def progress(line: str) -> None:
        terminal.line(terminal.dim(f"{time.monotonic() - began:6.1f} s  {line}"))

    aside = set_aside(project, own, parsed)
    if aside is not None:
        terminal.line(f"{aside}.")
    return Order(
        project=project,
        config=config,
        state=project.folder / options.state,
        container_engine=find_engine(),
        progress=progress,
        zones=(ZONE, *options.zones),
    )


def _introduce(terminal: Terminal, sandbox: "Sandbox", port: int, watch: "Watch | None", page: PagePort | None) -> None:
    """Print what is running and how to reach it."""
    address = f"http://{_HOST}:{port}"
    print_tree(terminal, sandbox.deployment.resources)
    terminal.line()
    print_pairs(terminal, "Outputs", sandbox.deployment.outputs)
    terminal.line()
    watched = (
        {"watched": f"{watch.folder}: a changed file runs with the next request"} if watch and watch.folder else {}
    )
    print_pairs(terminal, "This sandbox", {**sandbox.parts, **watched})
    terminal.line()
    terminal.line(terminal.bold("To use its AWS in another terminal"))
    terminal.line(f"  {variables.FORGET}")
    for name, value in {**sandbox.variables, variables.ADDRESS: address}.items():
        terminal.line(f"  export {name}={shlex.quote(value)}")
    if sandbox.stack_file is not None:  # the repository's own would remove the sandbox's domain
        command = ["pulumi", "up", "--stack", sandbox.stack, "--config-file", str(sandbox.stack_file)]
        terminal.line(f"  {shlex.join(['pulumi', 'stack', 'select', sandbox.stack])}")
        terminal.line(f"  {shlex.join(command)}")
    terminal.line()
    if page is not None:
        terminal.line(f"Each request, the log and the deployment as a picture: {terminal.bold(page.address)}")
    terminal.line(f"Serving {sandbox.url} on {terminal.bold(address)} until Ctrl-C. Try: curl {address}{sandbox.path}")


def _log(terminal: Terminal, request: Request, answer: Answer, alarms: Sequence[Hop]) -> None:
    status = answer.response.status
    shown = (terminal.good if status < HTTPStatus.BAD_REQUEST else terminal.bad)(str(status))
    terminal.line(f"{time.strftime('%H:%M:%S')}  {shown}  {request.method} {request.target}  {answer.duration:.0f} ms")
    refusal = answer.trace.refusal
    if refusal is not None:
        terminal.line(f"          {terminal.bad(refusal.hop)} {refusal.id}: {refusal.detail}")
    for alarm in alarms:
        terminal.line(f"          {terminal.bad(alarm.hop)} {alarm.id} {alarm.detail}")
    print_failure(terminal, answer, indent=10)


def _print_notes(terminal: Terminal, notes: Notes) -> None:
    for sentence in notes.new():
        terminal.line(f"{terminal.bold('Note:')} {sentence}")


@contextlib.contextmanager
def _stopping_on_signals() -> Iterator[None]:
    """Turn the first signal that asks to stop into KeyboardInterrupt; ignore further ones during the shutdown."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def stop(_number: int, _frame: FrameType | None) -> None:
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)
        long_command.end_all()
        raise KeyboardInterrupt

    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _fail(status: int, text: str) -> int:
    """Print what is wrong, below the output of the program that failed."""
    terminal = Terminal(sys.stderr)
    *lines, sentence = text.strip("\n").split("\n")
    for line in lines:
        terminal.line(line)
    terminal.line(f"{terminal.bad('sandbox:')} {sentence}")
    return status


if __name__ == "__main__":
    status = main(sys.argv[1:], os.environ)
    sys.stdout.flush()
    sys.stderr.flush()
    # Everything is stopped by now. Unloading pulumi_aws's modules would only take another second.
    os._exit(status)
