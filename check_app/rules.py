"""Finds code of an application that works differently on Lambda: a table of rules.

A rule looks at one node of the code. It warns only if it is sure what the code does: people ignore warnings that
are often wrong.
"""

import ast
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from check_app.finding import Finding
from check_app.source import Source

Sees = Callable[[ast.AST, Source], bool]

_DISK = "Lambda's disk is read-only except for /tmp, which each copy of the function has for itself and loses"
_THREADS = "Lambda freezes the function once the response is sent"
_SOCKETS = "an HTTP API on Lambda has no WebSockets"
_STREAMS = "a response is sent when it is complete, 6 MB at most and within 29 s"

_STORE = "Keep it in S3 or a database; write to /tmp only what can be made again."
_DATABASE = (
    "Use PostgreSQL, MySQL or DynamoDB, and set its address in an environment variable (the setting `environment`)."
)
_COOKIES = "Use Flask's own signed cookies, or Redis or DynamoDB."
_ELSEWHERE = "Keep them in signed cookies, Redis, a database or DynamoDB."
_AFTERWARDS = "on Lambda the response waits until the work is done, and a request has 29 s at most"
_AT_ONCE = "Keep it short, or send it to a queue: SQS or EventBridge Scheduler, to DUALMODE_EVENTS_PATH."
_QUEUE = "Do it before the response, or send it to a queue: SQS or EventBridge Scheduler, to DUALMODE_EVENTS_PATH."
_POLLING = "Let the page ask again, add a WebSocket API of API Gateway, or run it in a container service."
_LOG = "Log to the standard error stream (logging.StreamHandler): Lambda keeps it in CloudWatch Logs."
_PRESIGN = "Let the browser send it to S3 or fetch it there, with a presigned URL."
_WHOLE = "Send what is ready, page by page; for a large file, redirect to a presigned URL of S3."


@dataclass(frozen=True, slots=True)
class Rule:
    """A way to recognise something, what it does on Lambda, and what to use instead."""

    sees: Sees
    what: str
    instead: str
    stops: bool = False
    """Whether the application can't work with it at all."""


def calls(*names: str) -> Sees:
    """A call of one of these, by its full name."""
    return lambda node, source: isinstance(node, ast.Call) and source.name_of(node.func) in names


def imports(*packages: str) -> Sees:
    """An import of one of these packages, or of something in them."""

    def sees(node: ast.AST, _source: Source) -> bool:
        if isinstance(node, ast.ImportFrom):
            return not node.level and (node.module or "").partition(".")[0] in packages
        return isinstance(node, ast.Import) and any(alias.name.partition(".")[0] in packages for alias in node.names)

    return sees


def text(pattern: str) -> Sees:
    """A string in the code that begins with this."""
    found = re.compile(pattern)
    return lambda node, _source: (
        isinstance(node, ast.Constant) and isinstance(node.value, str) and found.match(node.value) is not None
    )


def setting(name: str, accepts: Callable[[ast.expr, Source], bool]) -> Sees:
    """A value given to a configuration's key: `KEY = …`, `config["KEY"] = …`, `config.update(KEY=…)`, `{"KEY": …}`."""

    def sees(node: ast.AST, source: Source) -> bool:
        if isinstance(node, ast.Assign):
            given = any(_target(target) == name for target in node.targets)
            return given and accepts(node.value, source)
        if isinstance(node, ast.keyword):
            return node.arg == name and accepts(node.value, source)
        if isinstance(node, ast.Dict):
            pairs = zip(node.keys, node.values, strict=True)
            return any(isinstance(key, ast.Constant) and key.value == name and accepts(to, source) for key, to in pairs)
        return False

    return sees


def opens_to_write(node: ast.AST, source: Source) -> bool:
    """`open(…, "w")` and similar calls, for a file that isn't in /tmp."""
    if not isinstance(node, ast.Call):
        return False
    called = source.name_of(node.func)
    if called in ("open", "io.open", "codecs.open"):
        file, modes = node.args[:1], node.args[1:2]
    elif called.endswith(".open") and isinstance(node.func, ast.Attribute) and not called.startswith(_OTHER_OPENS):
        file, modes = [node.func.value], node.args[:1]
    else:
        return False
    modes += [keyword.value for keyword in node.keywords if keyword.arg == "mode"]
    writes = any(isinstance(mode, ast.Constant) and re.match(r"r?b?t?[wax+]", str(mode.value)) for mode in modes)
    return writes and not _is_temporary(file, source)


def writes_to_path(node: ast.AST, source: Source) -> bool:
    """`path.write_text(…)` and `path.write_bytes(…)`, of a file that isn't in /tmp."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("write_text", "write_bytes")
        and not _is_temporary([node.func.value], source)
    )


def makes_folder(node: ast.AST, source: Source) -> bool:
    """`os.makedirs(…)` and `os.mkdir(…)`, of a folder that isn't in /tmp."""
    return calls("os.makedirs", "os.mkdir")(node, source) and not _is_temporary(_arguments(node)[:1], source)


def saves_upload(node: ast.AST, source: Source) -> bool:
    """`request.files[…].save(…)`, also through a variable that holds the file."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "save"):
        return False
    return source.is_upload(node.func.value) and not _is_temporary(_arguments(node)[:1], source)


def logs_to_file(node: ast.AST, source: Source) -> bool:
    """A logging handler that writes a file, or `basicConfig(filename=…)`."""
    if not isinstance(node, ast.Call):
        return False
    called = source.name_of(node.func)
    if called == "logging.basicConfig":
        return any(keyword.arg == "filename" for keyword in node.keywords)
    handlers = ("logging.FileHandler", "logging.handlers.RotatingFileHandler")
    return called in (*handlers, "logging.handlers.TimedRotatingFileHandler") and not _is_temporary(node.args, source)


def connects_to_sqlite(node: ast.AST, source: Source) -> bool:
    """`sqlite3.connect(…)` of a file."""
    if not calls("sqlite3.connect")(node, source):
        return False
    database = _arguments(node)[:1]
    in_memory = any(isinstance(part, ast.Constant) and ":memory:" in str(part.value) for part in database)
    return not in_memory and not _is_temporary(database, source)


def starts_pool(node: ast.AST, source: Source) -> bool:
    """An executor that stays open: one in a `with` has ended before the response."""
    return (
        isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Call)
        and source.name_of(node.value.func) == "concurrent.futures.ThreadPoolExecutor"
    )


def streams(node: ast.AST, source: Source) -> bool:
    """A response made from a generator."""
    if not isinstance(node, ast.Call):
        return False
    called = source.name_of(node.func)
    if called in (
        "flask.stream_with_context",
        "starlette.responses.StreamingResponse",
        "fastapi.responses.StreamingResponse",
    ):
        return True
    first = node.args[0] if node.args else None
    if called not in ("flask.Response", "werkzeug.wrappers.Response") or first is None:
        return False
    named = isinstance(first, ast.Call) and isinstance(first.func, ast.Name) and first.func.id in source.generators
    return named or isinstance(first, ast.GeneratorExp)


def calls_method(*names: str) -> Sees:
    """A call of a method of one of these names, of whatever object."""
    return lambda node, _source: (
        isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in names
    )


def takes(*types: str) -> Sees:
    """A parameter of one of these types, by their full names, which a framework fills in."""
    return lambda node, source: (
        isinstance(node, ast.arg)
        and node.annotation is not None
        and any(source.name_of(part) in types for part in ast.walk(node.annotation))
    )


def routes_websocket(node: ast.AST, source: Source) -> bool:
    """A route for WebSockets: `@app.websocket("/ws")` of Quart and FastAPI, Starlette's route or endpoint."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return any(
            calls_method("websocket", "websocket_route")(part, source) and is_path(_arguments(part)[:1])
            for part in node.decorator_list
        )
    if isinstance(node, ast.ClassDef):
        return any(source.name_of(base) == "starlette.endpoints.WebSocketEndpoint" for base in node.bases)
    adds = calls_method("add_websocket", "add_websocket_route", "add_api_websocket_route")(node, source)
    return calls("starlette.routing.WebSocketRoute")(node, source) or (adds and is_path(_arguments(node)[:1]))


def is_path(arguments: Sequence[ast.expr]) -> bool:
    """Whether the first argument is the text of a URL's path."""
    return any(isinstance(first, ast.Constant) and str(first.value).startswith("/") for first in arguments)


def is_a(name: str) -> Callable[[ast.expr, Source], bool]:
    """What has this full name."""
    return lambda node, source: source.name_of(node) == name


def is_text(*values: str) -> Callable[[ast.expr, Source], bool]:
    """One of these texts, in any case."""
    return lambda node, _source: isinstance(node, ast.Constant) and str(node.value).lower() in values


def is_elsewhere(node: ast.expr, source: Source) -> bool:
    """A folder that isn't in /tmp and isn't read from an environment variable."""
    reads = any(source.name_of(part).startswith(("os.environ", "os.getenv")) for part in ast.walk(node))
    return not reads and not _is_temporary([node], source)


def is_over_six_megabytes(node: ast.expr, _source: Source) -> bool:
    """A number of bytes, such as `16 * 1024 * 1024`, that is over Lambda's limit."""
    number = _number(node)
    return number is not None and number > 6 * 1024 * 1024


RULES: tuple[Rule, ...] = (
    Rule(opens_to_write, f"writes a file: {_DISK}", _STORE),
    Rule(writes_to_path, f"writes a file: {_DISK}", _STORE),
    Rule(makes_folder, f"makes a folder: {_DISK}", _STORE),
    Rule(saves_upload, f"keeps an upload on the disk: {_DISK}", _PRESIGN),
    Rule(setting("UPLOAD_FOLDER", is_elsewhere), f"keeps uploads on the disk: {_DISK}", _PRESIGN),
    Rule(logs_to_file, f"logs to a file: {_DISK}", _LOG),
    Rule(connects_to_sqlite, f"keeps its data in an SQLite file: {_DISK}", _DATABASE),
    Rule(
        text(r"sqlite(\+\w+)?:///(?!$|:memory:|/tmp/|file::memory)"),
        f"keeps its data in an SQLite file: {_DISK}",
        _DATABASE,
    ),
    Rule(setting("SESSION_TYPE", is_text("filesystem", "cachelib")), f"keeps sessions on the disk: {_DISK}", _COOKIES),
    Rule(setting("tools.sessions.storage_type", is_text("file")), f"keeps sessions on the disk: {_DISK}", _ELSEWHERE),
    Rule(
        setting("tools.sessions.storage_class", is_a("cherrypy.lib.sessions.FileSession")),
        f"keeps sessions on the disk: {_DISK}",
        _ELSEWHERE,
    ),
    Rule(
        setting("CACHE_TYPE", is_text("filesystem", "filesystemcache", "flask_caching.backends.filesystemcache")),
        f"caches on the disk: {_DISK}",
        "Use CACHE_DIR in /tmp for what can be made again, or use Redis.",
    ),
    Rule(calls("threading.Thread", "threading.Timer"), f"starts a thread: {_THREADS}", _QUEUE),
    Rule(starts_pool, f"keeps a pool of threads: {_THREADS}", _QUEUE),
    Rule(
        calls("multiprocessing.Pool", "multiprocessing.Queue", "concurrent.futures.ProcessPoolExecutor"),
        "uses shared memory between processes, which Lambda doesn't have (/dev/shm)",
        "Use multiprocessing.Process with a Pipe, or do it in one process: more memory brings more processor time.",
    ),
    Rule(
        imports("apscheduler", "flask_apscheduler", "schedule", "celery", "rq", "huey", "dramatiq", "flask_executor"),
        f"runs work in the background: {_THREADS}",
        f"{_QUEUE} A worker that runs elsewhere can stay as it is.",
    ),
    Rule(calls_method("start_background_task"), f"starts a thread: {_THREADS}", _QUEUE),
    Rule(calls_method("add_background_task"), f"starts a task in the background: {_THREADS}", _QUEUE),
    Rule(
        calls("starlette.background.BackgroundTask", "starlette.background.BackgroundTasks"),
        f"works after the response: {_AFTERWARDS}",
        _AT_ONCE,
    ),
    Rule(
        takes("fastapi.BackgroundTasks", "fastapi.background.BackgroundTasks", "starlette.background.BackgroundTasks"),
        f"works after the response: {_AFTERWARDS}",
        _AT_ONCE,
    ),
    Rule(imports("flask_sock", "flask_sockets", "simple_websocket"), f"uses WebSockets: {_SOCKETS}", _POLLING),
    Rule(routes_websocket, f"serves WebSockets: {_SOCKETS}", _POLLING),
    Rule(
        calls("flask_socketio.SocketIO", "socketio.Server", "socketio.AsyncServer"),
        f"serves Socket.IO, which keeps a connection and its state in one process: {_SOCKETS}, and each of its requests"
        " may reach another copy of the function",
        _POLLING,
        stops=True,
    ),
    Rule(text(r"text/event-stream"), f"sends events as they come: {_STREAMS}", _POLLING),
    Rule(streams, f"streams its answer: {_STREAMS}", _WHOLE),
    Rule(
        setting("MAX_CONTENT_LENGTH", is_over_six_megabytes),
        "accepts requests that Lambda refuses: a request has 6 MB at most, 4.5 MB if it is binary",
        _PRESIGN,
    ),
)


def findings(source: Source) -> Iterable[Finding]:
    """What the rules see in a file, each line and rule once."""
    seen: set[tuple[int, str]] = set()
    for node in source.nodes():
        for rule in RULES:
            line = getattr(node, "lineno", 0)
            if (line, rule.what) not in seen and rule.sees(node, source):
                seen.add((line, rule.what))
                yield Finding(file=source.name, line=line, what=rule.what, instead=rule.instead, stops=rule.stops)


_OTHER_OPENS = ("os.", "gzip.", "zipfile.", "tarfile.", "webbrowser.", "PIL.", "urllib.")
_TEMPORARY = re.compile(r"/tmp(/|$)|/dev/")  # noqa: S108  where Lambda lets a function write


def _is_temporary(nodes: Iterable[ast.AST], source: Source, depth: int = 3) -> bool:
    """Whether a path is in /tmp, as far as the code shows: a string, `tempfile`, or a variable with one of these."""
    for node in nodes:
        for part in ast.walk(node):
            if isinstance(part, ast.Constant) and isinstance(part.value, str) and _TEMPORARY.match(part.value):
                return True
            if source.name_of(part).startswith("tempfile."):
                return True
            if isinstance(part, ast.Name):
                if re.search(r"te?mp", part.id, re.IGNORECASE):
                    return True
                given = source.constants.get(part.id)
                if depth and given is not None and _is_temporary([given], source, depth - 1):
                    return True
    return False


def _arguments(node: ast.AST) -> list[ast.expr]:
    return node.args if isinstance(node, ast.Call) else []


def _target(node: ast.expr) -> str:
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        return str(node.slice.value)
    return node.id if isinstance(node, ast.Name) else ""


def _number(node: ast.expr) -> float | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool):
        return node.value
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Pow | ast.LShift):
        left, right = _number(node.left), _number(node.right)
        if left is None or right is None or right > 1e9:
            return None
        if isinstance(node.op, ast.Mult):
            return left * right
        return left**right if isinstance(node.op, ast.Pow) and right < 64 else left * 2**right if right < 64 else None
    return None
