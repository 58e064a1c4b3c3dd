"""What kind of application an object is: Flask's, any other WSGI callable, or an ASGI application."""

from collections.abc import Callable
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any


def is_flask(app: object) -> bool:
    """Tells whether `app` is a Flask application."""
    from flask import Flask

    return isinstance(app, Flask)


def is_asgi(app: object) -> bool:
    """Tells whether `app` is an ASGI application: called with scope, receive and send, it is awaited."""
    from inspect import iscoroutinefunction

    if isinstance(app, type) or not callable(app) or not _takes(app, 3):
        return False
    return iscoroutinefunction(_called(app)) or not (_takes(app, 2) or is_factory(app))


def is_wsgi(app: object) -> bool:
    """Tells whether `app` is a WSGI callable: called with environ and start_response, it returns an iterable.

    A function that can be called without arguments is a factory, by Flask's rule, and not an application. A class is
    an application only if its instances are iterable, as in PEP 3333.
    """
    if is_flask(app):
        return True
    if not callable(app) or (isinstance(app, type) and not hasattr(app, "__iter__")):
        return False
    return _takes(app, 2) and not is_factory(app) and not is_asgi(app)


def is_factory(app: object) -> bool:
    """Tells whether `app` is a function or a class that can be called without arguments."""
    return isinstance(app, _FUNCTIONS | type) and _takes(app, 0)


def is_application(app: object) -> bool:
    """Tells whether `app` can be served."""
    return is_wsgi(app) or is_asgi(app)


def looks_like_an_application(value: object) -> bool:
    """Tells whether to list an object of a module as an application: many others take the same arguments."""
    if isinstance(value, FunctionType):
        return is_application(value) and value.__code__.co_varnames[:1] in (("environ",), ("env",), ("scope",))
    if isinstance(value, type) or not is_application(value):
        return False
    return is_flask(value) or not _takes(value, 0)  # type: ignore[arg-type]


def describe(app: object) -> str:
    """Returns a description of an object that isn't an application, such as "of type dict"."""
    if isinstance(app, type):
        return f"the class {app.__name__}"
    return f"of type {type(app).__name__}"


def _takes(app: Callable[..., Any], count: int) -> bool:
    """Tells whether `app` can be called with exactly this many positional arguments and no others."""
    from inspect import signature

    called = _called(app)
    try:
        parameters = signature(called)
        parameters.bind(*range(count + (called is not app)))
    except (TypeError, ValueError):  # no such call, or the signature isn't known
        return False
    return True


def _called(app: Callable[..., Any]) -> Callable[..., Any]:
    """Returns the function that a call runs. For an object, that is its type's `__call__`, with the object first.

    It looks at the type because the object could be one of Flask's proxies, which don't work outside a request.
    """
    from functools import partial

    if isinstance(app, _FUNCTIONS | type | partial):
        return app
    called: Callable[..., Any] = type(app).__call__
    return called


_FUNCTIONS = FunctionType | MethodType | BuiltinFunctionType
