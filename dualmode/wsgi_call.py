"""Calls a WSGI application and keeps its whole answer, or the error page instead of half an answer."""

import logging
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any

Headers = list[tuple[str, str]]
Answer = tuple[int, Headers, bytes]  # status, headers and whole body of an application's answer
Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
_ExceptionInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None] | None

_logger = logging.getLogger("dualmode")


def call(app: Application, environ: dict[str, Any]) -> Answer:
    """Returns the application's answer; an exception at any point is logged and becomes a 500."""
    try:
        return _call(app, environ)
    except Exception:
        _logger.exception("Exception on %s [%s]", environ["PATH_INFO"], environ["REQUEST_METHOD"])
        # The answer of Flask's own server: a request fails in the same way in every mode.
        from werkzeug.exceptions import InternalServerError

        return _call(InternalServerError(), environ)


def _call(app: Application, environ: dict[str, Any]) -> Answer:
    started: tuple[str, Headers] | None = None
    written: list[bytes] = []

    def start_response(status: str, headers: Headers, exc_info: _ExceptionInfo = None) -> Callable[[bytes], object]:
        nonlocal started
        if exc_info:
            try:
                if written and exc_info[1] is not None:  # an answer that ends with an error page isn't valid
                    raise exc_info[1].with_traceback(exc_info[2])
            finally:
                exc_info = None
        elif started is not None:
            raise AssertionError("start_response was called a second time, without exc_info")
        started = status, headers
        return written.append

    chunks = app(environ, start_response)
    try:
        for chunk in chunks:
            if started is None:
                raise AssertionError("The application produced a body before it called start_response")
            written.append(chunk)
        body = b"".join(written)
    finally:
        _close(chunks, environ)
    if started is None:
        raise AssertionError("The application returned without calling start_response")
    return int(started[0][:3]), started[1], body


def _close(chunks: Iterable[bytes], environ: dict[str, Any]) -> None:
    close = getattr(chunks, "close", None)
    if close is not None:
        try:
            close()
        except Exception:  # the answer is complete: a client of another server would have got it too
            _logger.exception("Exception on closing %s [%s]", environ["PATH_INFO"], environ["REQUEST_METHOD"])
