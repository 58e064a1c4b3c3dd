"""Logs of every mode, by Lambda's own variables AWS_LAMBDA_LOG_FORMAT and AWS_LAMBDA_LOG_LEVEL.

With JSON each line is one object: awslambdaric's formatter writes those of `logging`, `JsonLines` those of `print` and
`AccessLog` those of requests. Without JSON, lines are awslambdaric's, with tabs.
"""

import logging
import sys
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from json.encoder import encode_basestring_ascii as quoted
from types import TracebackType
from typing import Any, TextIO

_logger = logging.getLogger("dualmode")


class Invocation:
    """What all lines of the current invocation have in common."""

    request_id: str = ""
    trace: str = ""  # the value of a tracing header; its root is the trace id

    @property
    def trace_id(self) -> str:
        """The id of the trace, or ""."""
        return self.trace.partition("Root=")[2].partition(";")[0]


current = Invocation()


def wants_json(environ: Mapping[str, str]) -> bool:
    """Tells whether lines are to be JSON objects."""
    return environ.get("AWS_LAMBDA_LOG_FORMAT", "").upper() == "JSON"


def level(environ: Mapping[str, str]) -> str:
    """Returns the name of the lowest level that is logged, or "" if none is set."""
    name = environ.get("AWS_LAMBDA_LOG_LEVEL", "").upper()
    name = {"TRACE": "DEBUG", "FATAL": "CRITICAL"}.get(name, name)
    if name not in ("DEBUG", "INFO", "WARN", "WARNING", "ERROR", "CRITICAL"):
        name = ""
    return name or ("INFO" if wants_json(environ) else "")


def set_up_lambda(environ: Mapping[str, str]) -> "AccessLog":
    """Completes the set-up that awslambdaric did before it imported the handler, and returns the log of requests."""
    root = logging.getLogger()
    if level(environ):
        root.setLevel(level(environ))
    access = AccessLog(environ, _line_writer(root, environ))
    for handler in root.handlers:
        if wants_json(environ):
            handler.addFilter(_add_trace)
        elif handler.formatter is not None:
            handler.setFormatter(_LineFormatter(handler.formatter))
    if wants_json(environ):
        if not isinstance(sys.stdout, JsonLines):  # otherwise done by another handler in the same process
            _write_json_only()
    else:
        logging.setLogRecordFactory(_OneLineRecord)
    return access


class _OneLineRecord(logging.LogRecord):
    """A record whose message has no control characters: quoted text of a client can't look like a line of its own.

    They are escaped in the record because an application may have its own handlers and formatters. Servers' own
    messages have colours and several lines, and already escape what they quote.
    """

    def getMessage(self) -> str:  # noqa: N802 - logging's own name
        message = super().getMessage()
        if message.isprintable() or str(self.name).partition(".")[0] in _SERVERS:
            return message
        return message.translate(_ESCAPES)


_SERVERS = frozenset({"werkzeug", "uvicorn"})

# C0 except tabs, C1, Unicode's line ends, and characters that change the direction of text.
_CONTROL = (*range(9), *range(10, 32), *range(127, 160), 0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
_ESCAPES = {code: ascii(chr(code))[1:-1] for code in _CONTROL}


class _LineFormatter(logging.Formatter):
    """Ends each record's line: awslambdaric's formatter doesn't end the line of a traceback."""

    def __init__(self, formatter: logging.Formatter) -> None:
        super().__init__()
        self._formatter = formatter

    def format(self, record: logging.LogRecord) -> str:
        return self._formatter.format(record).rstrip("\n") + "\n"


def set_up_local(environ: Mapping[str, str]) -> "AccessLog":
    """Gives local mode the log lines of lambda mode if JSON or a level is set; otherwise Flask's lines stay.

    Returns the log of requests, which only JSON lines need: Flask's server has its own.
    """
    access = AccessLog(environ, sys.stdout.write)
    if wants_json(environ):
        from awslambdaric.lambda_runtime_log_utils import JsonFormatter

        handler = logging.StreamHandler(sys.stdout)
        handler.terminator = ""  # the formatter ends its lines itself
        handler.setFormatter(JsonFormatter())
        logging.Formatter.converter = time.gmtime
        logging.getLogger().addHandler(handler)
        logging.getLogger("werkzeug").addFilter(_without_colours)
        _write_json_only()
    else:
        logging.setLogRecordFactory(_OneLineRecord)
    if level(environ):
        logging.basicConfig(format="[%(levelname)s] %(name)s: %(message)s")
        logging.getLogger().setLevel(level(environ))
        logging.getLogger("werkzeug").setLevel(level(environ))
    return access


def _line_writer(root: logging.Logger, environ: Mapping[str, str]) -> Callable[[str], object]:
    """Returns a function that writes a line where awslambdaric writes its own: a platform frame or standard output."""
    for handler in root.handlers:
        sink: Any = getattr(handler, "log_sink", None)
        if hasattr(sink, "fd"):
            from awslambdaric import lambda_runtime_log_utils as utilities

            types = utilities._JSON_FRAME_TYPES if wants_json(environ) else utilities._TEXT_FRAME_TYPES
            return partial(sink.log, frame_type=types[logging.INFO])
    return sys.stdout.write


def _add_trace(record: logging.LogRecord) -> bool:
    if current.trace_id:
        record.traceId = current.trace_id
    return True


def _without_colours(record: logging.LogRecord) -> bool:
    import re

    record.msg, record.args = re.sub(r"\x1b\[[0-9;]*m", "", record.getMessage()), ()
    return True


def _write_json_only() -> None:
    stream = sys.stdout
    sys.stdout = JsonLines(stream, "INFO")
    sys.stderr = JsonLines(stream, "ERROR")  # into the same stream: lines stay in the order in which they were written
    logging.captureWarnings(True)  # otherwise a warning is two lines of text
    sys.excepthook = _log_uncaught
    threading.excepthook = _log_uncaught_in_thread


def _log_uncaught(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    _logger.critical("Uncaught exception", exc_info=(kind, error, traceback))


def _log_uncaught_in_thread(hook: threading.ExceptHookArgs) -> None:
    if hook.exc_value is not None and hook.exc_type is not SystemExit:
        name = hook.thread.name if hook.thread else "a thread"
        _logger.error("Uncaught exception in %s", name, exc_info=(hook.exc_type, hook.exc_value, hook.exc_traceback))


class _Pending(threading.local):
    text = ""  # set here: looking up a missing attribute takes much longer, twice in each request


# The stream and the thread of each line that has no end yet: nearly always none, and each request asks.
_begun: set[tuple[int, int]] = set()


class JsonLines:
    """A text stream that writes each line as a JSON object, or unchanged if it already is one."""

    def __init__(self, stream: TextIO, level: str) -> None:
        self._stream = stream
        self._level = level
        self._pending = _Pending()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Writes the lines that end in `text`, and keeps the rest for the next call from this thread."""
        if text.startswith("{") and text.endswith("}\n"):
            self.end_line()  # a whole object doesn't continue what was printed before
        *lines, rest = (self._pending.text + text).split("\n")
        self._keep(rest)
        if lines:
            self._stream.write("".join(self._object(line) + "\n" for line in lines if line.strip()))
            self._stream.flush()
        return len(text)

    def writelines(self, lines: list[str]) -> None:
        """Writes the lines, which already have their line ends."""
        self.write("".join(lines))

    def _keep(self, begun: str) -> None:
        """Keeps the beginning of a line for the next call from this thread."""
        self._pending.text = begun
        line = id(self), threading.get_ident()
        if begun:
            _begun.add(line)
        else:
            _begun.discard(line)

    def end_line(self) -> None:
        """Writes a line that has no end yet."""
        if self._pending.text:
            self.write("\n")

    def _object(self, line: str) -> str:
        import json

        if line.startswith("{"):
            try:
                return _with_ids(line, json.loads(line))
            except (ValueError, RecursionError):
                pass
        members = {"timestamp": timestamp(), "level": self._level, "message": line.rstrip("\r")}
        if current.request_id:
            members["requestId"] = current.request_id
        if current.trace_id:
            members["traceId"] = current.trace_id
        return json.dumps(members, ensure_ascii=False)


def _with_ids(line: str, members: dict[str, Any]) -> str:
    """Returns a JSON object's line with the ids of the invocation, which replace any ids in the line.

    Raises:
        ValueError: the line has a number that JSON can't express.
    """
    if not current.request_id:
        return line
    ids = {"requestId": current.request_id}
    if current.trace_id:
        ids["traceId"] = current.trace_id
    if "requestId" not in members and "traceId" not in members:  # then the line stays as it was written
        comma = ", " if members else ""
        return f"{line.rstrip()[:-1].rstrip()}{comma}{_dumped(ids)[1:]}"
    members.pop("traceId", None)
    return _dumped(members | ids, ascii_only="\\u" in line)


def _dumped(members: dict[str, Any], *, ascii_only: bool = False) -> str:
    import json

    return json.dumps(members, ensure_ascii=ascii_only, allow_nan=False)


def end_lines() -> None:
    """Writes what an invocation printed without a line end."""
    if _begun:
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, JsonLines):
                stream.end_line()


def timestamp() -> str:
    """Returns the time in the form of awslambdaric's JSON lines."""
    global _written
    second = int(time.time())
    if second != _written[0]:
        _written = second, time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(second))
    return _written[1]


# The last second used and its text: making the text takes longer than the rest of a request's line.
_written = (0, "1970-01-01T00:00:00Z")


class AccessLog:
    """Writes one line for each request: its ids, method, path, status and duration, and never its query or body.

    Text lines are written only if a level is set: Lambda's own lines surround each request, the API keeps an access
    log, and writing a line takes as long as everything else that is added to a request. `enabled` tells.
    """

    def __init__(self, environ: Mapping[str, str], write_line: Callable[[str], object]) -> None:
        self._json = wants_json(environ)
        self._write_line = write_line
        self._is_quiet = level(environ) not in ("DEBUG", "INFO")
        self.enabled = self._json or not self._is_quiet  # a line that print began has to be ended anyway

    def write(self, method: str, path: str, status: int, seconds: float) -> None:
        """Writes the line of one request. `path` is percent-encoded."""
        if self._json:
            end_lines()
        if self._is_quiet:
            return
        # Not through `logging`: such a line would cost more than everything else we add to a request.
        if method not in _PLAIN:
            method = quoted(method)[1:-1]
        if self._json:
            ids = f'"requestId":{quoted(current.request_id)},' if current.request_id else ""
            if current.trace:
                ids = f'{ids}"traceId":{quoted(current.trace_id)},'
            self._write_line(
                f'{{"timestamp":"{timestamp()}","level":"INFO","message":"{method} {path} {status}",'
                f'"logger":"dualmode.access",{ids}'
                f'"method":"{method}","path":"{path}","status":{status},"durationMs":{seconds * 1000:.2f}}}\n'
            )
        else:
            line = f"{method} {path} {status} {seconds * 1000:.2f} ms {quoted(current.trace_id)[1:-1]}".rstrip()
            self._write_line(f"[INFO]\t{timestamp()}\t{current.request_id}\t{line}\n")


# Methods that don't change when they are quoted.
_PLAIN = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
