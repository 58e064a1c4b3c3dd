"""Writes the modules of a cold start into one file, for `module_bundle`: the image's build runs this.

Two starts are recorded. One is the runtime's, with an application of ours and one request. The other, unless
CHECK_IMPORT is 0, is the import of the image's own application. It gets no request here: that may have side effects.
"""

import json
import marshal
import os
import re
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.machinery import (
    BYTECODE_SUFFIXES,
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    SourceFileLoader,
    SourcelessFileLoader,
)
from importlib.util import cache_from_source
from pathlib import Path
from re import _compiler as compiler  # type: ignore[attr-defined]
from threading import Thread
from types import SimpleNamespace
from typing import Any, NamedTuple

from dualmode import import_check
from dualmode.module_bundle import FORMAT, PLACE, START, Entry, Pattern, folder_state, python

_EVENT = {
    "version": "2.0",
    "rawPath": "/hello",
    "rawQueryString": "",
    "headers": {"host": "localhost", "x-amzn-trace-id": "Root=1-00000000-000000000000000000000000"},
    "requestContext": {
        "domainName": "localhost",
        "http": {"method": "GET", "path": "/hello", "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1"},
        "stage": "$default",
    },
    "isBase64Encoded": False,
}
_SECONDS = 120

MOST_BYTES = 4_900_000
"""The size of a bundle at most: with the code that reads it, an image grows by less than 5 MB."""


class _Module(NamedTuple):
    name: str
    loader: str
    file: str
    searched: list[str]

    @property
    def is_package(self) -> bool:
        return Path(self.file).stem == "__init__"

    @property
    def folder(self) -> str:
        """The searched folder in which it was found."""
        return str(Path(self.file).parents[1 if self.is_package else 0])


class _Recorded(NamedTuple):
    modules: list[_Module]
    path: list[str]
    patterns: list[tuple[str, bool, int]]


class _RuntimeApi(BaseHTTPRequestHandler):
    """Gives one event, and then answers no more."""

    protocol_version = "HTTP/1.1"
    events = 1

    def do_GET(self) -> None:
        if type(self).events == 0:
            self.close_connection = True
            return
        type(self).events = 0
        self._answer(200, json.dumps(_EVENT).encode())

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self._answer(202, b"{}")

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")  # without it, awslambdaric's client waits forever
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Lambda-Runtime-Aws-Request-Id", "00000000-0000-4000-8000-000000000000")
        self.send_header("Lambda-Runtime-Deadline-Ms", str(int(time.time() + _SECONDS) * 1000))
        self.send_header("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:000000000000:function:build")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        pass


def _record(
    what: str, environ: Mapping[str, str], *, quietly: bool = False, seconds: float | None = None
) -> _Recorded | int:
    """Returns what a start loaded, or its exit status if it failed."""
    output = subprocess.DEVNULL if quietly else None
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder, "modules.json")
        recorder = str(Path(__file__).with_name("start_recorder.py"))
        command = [sys.executable, "-P", recorder, what, str(written)]
        done = subprocess.run(command, env=environ, stdout=output, stderr=output, timeout=seconds, check=False)
        if done.returncode:
            return done.returncode
        found = json.loads(written.read_text())
    return _Recorded(
        [_Module(*each) for each in found["modules"]],
        found["path"],
        [tuple(each) for each in found["patterns"]],
    )


def _record_start() -> _Recorded | int:
    """Returns what a start of the runtime loads, and its answer to one request."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _RuntimeApi) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            return _record(
                "start",
                {
                    **os.environ,
                    "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{server.server_port}",
                    "AWS_LAMBDA_FUNCTION_NAME": "build",
                    "AWS_LAMBDA_LOG_FORMAT": "JSON",  # as in a deployment
                    "FLASK_APP": "dualmode.recorded_app:app",
                },
                quietly=True,
                seconds=_SECONDS,
            )
        except subprocess.TimeoutExpired:
            return 1
        finally:
            server.shutdown()


def bundle(starts: Iterable[_Recorded], place: str, most_bytes: int) -> bytes:
    """Returns the contents of a bundle of what these starts loaded, to be read from `place`.

    Modules whose code objects don't fit are only found by it, and read from their own files.
    """
    modules = {module.name: module for start in starts for module in start.modules}
    path = list(dict.fromkeys(folder for start in starts for folder in start.path))
    index: dict[str, Entry] = {}
    codes: dict[str, bytes] = {}
    for module in modules.values():
        if module.folder not in module.searched:
            continue
        if module.loader == "SourceFileLoader":
            code = _code(module)
            if not code:
                continue
            codes[module.name] = code
        elif module.loader != "ExtensionFileLoader":
            continue
        others = () if "." in module.name else _others(module.name, module.folder, path)
        cached = cache_from_source(module.file) if module.loader == "SourceFileLoader" else None
        size = Path(module.file).stat().st_size
        index[module.name] = (module.folder, others, module.file, size, module.is_package, cached, -1, 0)
    device = Path(place).parent.stat().st_dev
    folders = {}
    for folder in (*path, *(entry[0] for entry in index.values())):
        state = folder_state(folder, device)
        folders[folder] = None if state is None else state[1]
    patterns = list(_compiled({each: None for start in starts for each in start.patterns}))

    def found() -> bytes:
        return marshal.dumps({"python": python(), "modules": index, "folders": folders, "patterns": patterns})

    position = START
    kept = _most(codes, most_bytes - position - len(found()))
    for name, code in kept.items():
        index[name] = (*index[name][:6], position, len(code))
        position += len(code)
    return b"".join((FORMAT, position.to_bytes(8, "little"), *kept.values(), found()))


def _most(codes: Mapping[str, bytes], room: int) -> dict[str, bytes]:
    """Returns as many code objects as there is room for, in their order: the smallest, since each saves one file."""
    kept = set()
    for name in sorted(codes, key=lambda name: len(codes[name])):
        room -= len(codes[name])
        if room < 0:
            break
        kept.add(name)
    return {name: code for name, code in codes.items() if name in kept}


def _code(module: _Module) -> bytes:
    """Returns a module's marshalled code object, or nothing if it isn't from the module's own file."""
    code = SourceFileLoader(module.name, module.file).get_code(module.name)
    return marshal.dumps(code) if code is not None and code.co_filename == module.file else b""


def _compiled(patterns: Iterable[tuple[str, bool, int]]) -> Iterator[Pattern]:
    """Yields what regular expressions are compiled to, except those for which the compiler gives a warning."""
    arguments: list[tuple[Any, ...]] = []
    sre = compiler._sre
    compiler._sre = SimpleNamespace(**{**vars(sre), "compile": lambda *each: arguments.append(each)})
    try:
        for text, is_bytes, flags in patterns:
            pattern = text.encode("latin-1") if is_bytes else text
            with warnings.catch_warnings(record=True) as said:
                warnings.simplefilter("always")
                compiler.compile(pattern, flags)
            _, all_flags, code, groups, names, by_index = arguments.pop()
            if not said and not all_flags & re.LOCALE:
                yield pattern, flags, (pattern, int(all_flags), [int(each) for each in code], groups, names, by_index)
    finally:
        compiler._sre = sre


def _others(name: str, folder: str, path: Iterable[str]) -> tuple[str, ...]:
    """Returns the other folders of the path in which a module of this name is."""
    finder = FileFinder.path_hook(
        (ExtensionFileLoader, EXTENSION_SUFFIXES),
        (SourceFileLoader, SOURCE_SUFFIXES),
        (SourcelessFileLoader, BYTECODE_SUFFIXES),
    )
    found = []
    for each in path:
        if each != folder and Path(each).is_dir():
            spec = finder(each).find_spec(name)
            if spec is not None and spec.loader is not None:
                found.append(each)
    return tuple(found)


def main(arguments: list[str]) -> int:
    """Writes the bundle into a file, by default the one that is read later, and returns the exit status."""
    target = Path(arguments[0] if arguments else PLACE)
    starts = []
    if os.environ.get("CHECK_IMPORT") != "0":
        own = _record("application", import_check.variables(os.environ))
        if isinstance(own, int):
            return own
        starts.append(own)
    start = _record_start()
    if isinstance(start, _Recorded):  # otherwise our application doesn't run on the application's own Flask
        starts.insert(0, start)
    target.write_bytes(bundle(starts, PLACE, MOST_BYTES))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
