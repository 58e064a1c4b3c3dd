"""Imports an application and requests its pages, with every write and every connection refused, and reports as JSON.

It runs as a program of its own, in the application's own environment: `python visit.py FD SECONDS`, where FD is open
for the report. It refuses writes outside /tmp, as Lambda does, and connections, which a check must not make.
"""

import errno
import inspect
import json
import os
import sys
import time
import traceback
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

_TASK = Path.cwd()
_WRITABLE = ("/tmp/", "/dev/", "/proc/self/")  # noqa: S108  where Lambda lets a function write
_CHANGES = {"os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.chmod"}
_CONNECTS = {"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"}

NO_CONNECTIONS = "A check connects to nothing"

_seen: list[dict[str, Any]] = []


def main(report: int, seconds: float) -> None:
    """Visit the application, and write what was seen to the descriptor `report`."""
    from dualmode import application, import_check, kinds

    name = application.import_string()
    answer: dict[str, Any] = {"seen": _seen, "pages": [], "error": None, "import_seconds": None, "module": ""}
    sys.addaudithook(_refuse)
    began = time.perf_counter()
    try:
        app = application.load(name)
        answer["import_seconds"] = time.perf_counter() - began
        if kinds.is_flask(app):
            answer["pages"] = _pages(app, began + seconds)
    except BaseException as error:  # noqa: BLE001  any exception is a result
        if error.__traceback__ is not None:
            error.__traceback__ = error.__traceback__.tb_next  # without this function: it isn't the application's
        own = isinstance(error, application.ApplicationError)
        answer["error"] = {
            "sentence": _in_their_words(import_check.sentence(error, name)),
            "shown": "" if own else _in_their_words(import_check.shown(error)),
            "refused": _refused_by_us(error),
            **_place_of(error),
        }
    with suppress(Exception):
        answer["module"] = _below_task(Path(str(sys.modules[application.module_name(name)].__file__)))
    with os.fdopen(report, "w") as file:
        json.dump(answer, file)
    os._exit(0)  # its threads would keep this process running


def _pages(app: Any, until: float) -> list[dict[str, Any]]:
    """The paths without parameters, and the result of a GET of each."""
    client = app.test_client()
    pages = []
    for rule in app.url_map.iter_rules():
        if rule.arguments or "GET" not in (rule.methods or ()) or time.perf_counter() > until:
            continue
        before = len(_seen)
        began = time.perf_counter()
        try:
            response = client.get(str(rule), buffered=False)
            streamed = (
                response.is_streamed and not response.direct_passthrough and "Content-Length" not in response.headers
            )
            size = 0
            for part in response.iter_encoded():
                size += len(part)
                if size > 8_000_000 or time.perf_counter() > until:
                    break
            status, error = response.status_code, None
        except Exception as raised:  # noqa: BLE001  a page that fails is a result too
            status, error, size, streamed = 500, "".join(traceback.format_exception_only(raised)).strip(), 0, False
        pages.append(
            {
                "path": str(rule),
                **_place_of_function(app.view_functions[rule.endpoint]),
                "status": status,
                "error": error,
                "bytes": size,
                "streamed": bool(streamed),
                "seconds": time.perf_counter() - began,
                "refused": len(_seen) - before,
            }
        )
    return pages


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open":
        path, mode, flags = arguments
        writes = any(letter in mode for letter in "wax+") if isinstance(mode, str) else bool(flags & _WRITING)
        if writes:
            _refuse_path(path)
    elif event in _CHANGES:
        _refuse_path(arguments[0])
    elif event == "sqlite3.connect":
        name = os.fsdecode(arguments[0]) if isinstance(arguments[0], str | bytes | os.PathLike) else ""
        if name and ":memory:" not in name and "mode=memory" not in name and not Path(name).is_file():
            _refuse_path(name)
    elif event in _CONNECTS:
        raise OSError(errno.ENETUNREACH, NO_CONNECTIONS)


_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def _refuse_path(path: object) -> None:
    if not isinstance(path, str | bytes | os.PathLike):
        return  # a descriptor: it was checked when it was opened
    full = os.path.abspath(os.fsdecode(path))  # noqa: PTH100  Path.resolve would follow links, which open() does itself
    in_task = full == str(_TASK) or full.startswith(f"{_TASK}/")  # which may itself lie in /tmp on this machine
    if (f"{full}/".startswith(_WRITABLE) and not in_task) or "__pycache__" in full:
        return
    _seen.append({"path": full, **_place(sys._getframe(2))})
    raise OSError(errno.EROFS, os.strerror(errno.EROFS), full)


def _refused_by_us(error: BaseException | None) -> str:
    """What of the check's own rules an import met: `disk`, `network` or ""; an error often hides it in its cause."""
    while error is not None:
        if NO_CONNECTIONS in str(error):
            return "network"
        if isinstance(error, OSError) and error.errno == errno.EROFS:
            return "disk"
        error = error.__cause__ or error.__context__
    return ""


def _in_their_words(text: str) -> str:
    """The text with files of this copy named as their owner calls them."""
    folder = Path(os.environ.get("APP_DIR", ""))
    packaged = (_TASK / folder.name / "__init__.py").exists()
    return text.replace(str(_TASK), str(folder.parent if packaged else folder))


def _place_of_function(view: Any) -> dict[str, object]:
    """Where a view is: a decorator's own function leads to what it wraps, a class-based view to its class."""
    found = inspect.unwrap(getattr(view, "view_class", view))
    try:
        return {"file": _below_task(Path(str(inspect.getsourcefile(found)))), "line": inspect.getsourcelines(found)[1]}
    except (OSError, TypeError):
        return {"file": "", "line": 0}


def _below_task(file: Path) -> str:
    """A file of the application, as a path in its folder, "" for one from elsewhere."""
    return str(file.relative_to(_TASK)) if file.is_relative_to(_TASK) else ""


def _place(frame: FrameType | None) -> dict[str, object]:
    while frame is not None:
        file = Path(frame.f_code.co_filename)
        if file.is_relative_to(_TASK):
            return {"file": str(file.relative_to(_TASK)), "line": frame.f_lineno}
        frame = frame.f_back
    return {"file": "", "line": 0}


def _place_of(error: BaseException) -> dict[str, object]:
    for frame, line in reversed(list(traceback.walk_tb(error.__traceback__))):
        file = Path(frame.f_code.co_filename)
        if file.is_relative_to(_TASK):
            return {"file": str(file.relative_to(_TASK)), "line": line}
    return {"file": "", "line": 0}


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
