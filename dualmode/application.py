"""Loads the application that FLASK_APP names, by Flask's own rules in every mode, for WSGI and ASGI."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from dualmode.kinds import describe, is_application, is_factory, is_flask, looks_like_an_application

if TYPE_CHECKING:
    from dualmode.jobs import Jobs

DEFAULT = "scripts.server:app"

PLACE_OF = "DUALMODE_SECRET_"
"""Begins the name of a variable that says where the value of another one is."""

# awslambdaric's names for the reasons why a function can't start.
NO_MODULE = "Runtime.ImportModuleError"
NO_APPLICATION = "Runtime.HandlerNotFound"
SYNTAX_ERROR = "Runtime.UserCodeSyntaxError"


class ApplicationError(Exception):
    """FLASK_APP doesn't name an application; the message says why in one sentence."""

    def __init__(self, kind: str, sentence: str) -> None:
        super().__init__(sentence)
        self.kind = kind


def import_string(environ: Mapping[str, str] = os.environ) -> str:
    """Returns what FLASK_APP names, or the sample application."""
    return environ.get("FLASK_APP") or DEFAULT


def names_secrets(environ: Mapping[str, str]) -> bool:
    """Tells whether a variable says where a secret is."""
    return any(name.startswith(PLACE_OF) for name in environ)


def path_setting(name: str, environ: Mapping[str, str]) -> str:
    """Returns a variable that holds a path, as "/path" without a trailing slash, or "" if it is not set."""
    path = environ.get(name, "").strip("/")
    return f"/{path}" if path else ""


def jobs(environ: Mapping[str, str]) -> "Jobs | None":
    """Returns the deployment's jobs, if it has any.

    Raises:
        ValueError: the variable isn't of their form.
    """
    text = environ.get("DUALMODE_JOBS")
    if not text:
        return None
    from dualmode.jobs import Jobs

    return Jobs(text)


def module_name(import_string: str) -> str:
    """Returns the name of the module of an import string, and puts its folder on sys.path as Flask does.

    If the module is only in the folder `src`, that folder is put first: such a layout needn't be installed.
    """
    from flask.cli import prepare_import

    name: str = prepare_import(import_string.partition(":")[0])
    folder, top = Path(sys.path[0]), name.partition(".")[0]
    if _is_there(folder / "src", top) and not _is_there(folder, top):
        sys.path.insert(0, str(folder / "src"))
    return name


def _is_there(folder: Path, module: str) -> bool:
    return (folder / f"{module}.py").exists() or (folder / module / "__init__.py").exists()


def load(import_string: str) -> Any:
    """Returns the WSGI (Flask or any other) or ASGI application that an import string names, in the forms Flask knows.

    Those are `module`, `module:app`, `module:create_app()` and `path/file.py`, which may also have `:app` or a call.
    As in other servers, `module:object.attribute` works too, also with a call. A function that needs no argument is a
    factory.

    Raises:
        ApplicationError: there is no such module, name or application.
        Exception: what the application's own code raised.
    """
    os.environ["FLASK_RUN_FROM_CLI"] = "true"  # tells Flask that an `app.run()` in the module must do nothing
    path, _, name = import_string.partition(":")
    if not path:
        raise ApplicationError(
            NO_MODULE, f'FLASK_APP is "{import_string}", but there is no module before the colon: write module:app.'
        )
    module = _module(import_string)
    app = _named(module, name.strip(), import_string) if name else _best(module, import_string)
    if is_flask(app) or is_application(app):
        return app
    parts = [f"{import_string}.{part}" for part in _PARTS if name and is_application(getattr(app, part, None))]
    found = f"use its part {parts[0]}" if parts else _found(module)
    raise ApplicationError(
        NO_APPLICATION,
        f'FLASK_APP is "{import_string}", but in module {_place(module)} that is {describe(app)},'
        f" not a WSGI (Flask, Django, ...) or ASGI application; {found}.",
    )


# The attributes in which other objects keep their application, as Dash does.
_PARTS = ("server", "app", "wsgi_app", "wsgi", "application")


def _module(import_string: str) -> ModuleType:
    name = module_name(import_string)
    try:
        __import__(name)
    except ModuleNotFoundError as error:
        # Their module imports a missing module: that is an error in their code, and the traceback shows where.
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise
        folder = Path(sys.path[0])
        modules = sorted(
            entry.name for entry in folder.glob("*") if entry.suffix == ".py" or (entry / "__init__.py").exists()
        )
        found = f"which has {', '.join(modules)}" if modules else "which has no modules"
        raise ApplicationError(
            NO_MODULE, f'FLASK_APP is "{import_string}", but there is no module {error.name} in {folder}, {found}.'
        ) from None
    return sys.modules[name]


def _named(module: ModuleType, expression: str, import_string: str) -> Any:
    if expression.isidentifier():  # the usual case: cold starts needn't load a parser
        app = _part(module, module, expression, import_string)
    else:
        app = _evaluated(module, _parsed(expression, import_string), import_string)
    if is_flask(app) or not isinstance(app, FunctionType) or is_application(app):
        return app
    return _called(module, app, [], {}, import_string)


def _parsed(expression: str, import_string: str) -> Any:
    """Returns the syntax tree of an expression of names, attributes and calls with literal arguments."""
    import ast

    try:
        tree = ast.parse(expression, mode="eval").body
        node: Any = tree
        while not isinstance(node, ast.Name):
            if isinstance(node, ast.Call):
                for each in (*node.args, *(keyword.value for keyword in node.keywords)):
                    ast.literal_eval(each)
                node = node.func
            elif isinstance(node, ast.Attribute):
                node = node.value
            else:
                raise SyntaxError
    except (SyntaxError, ValueError):
        raise ApplicationError(
            NO_APPLICATION,
            f'FLASK_APP is "{import_string}", but {expression} is neither a name nor a call with literal arguments.',
        ) from None
    return tree


def _evaluated(module: ModuleType, node: Any, import_string: str) -> Any:
    import ast

    if isinstance(node, ast.Name):
        return _part(module, module, node.id, import_string)
    if isinstance(node, ast.Attribute):
        return _part(module, _evaluated(module, node.value, import_string), node.attr, import_string)
    function = _evaluated(module, node.func, import_string)
    arguments = [ast.literal_eval(argument) for argument in node.args]
    keywords = {keyword.arg: ast.literal_eval(keyword.value) for keyword in node.keywords if keyword.arg}
    if is_flask(function) or not callable(function):  # Flask does the same: it only calls functions
        return function
    if not arguments and not keywords and is_application(function):
        return function
    return _called(module, function, arguments, keywords, import_string)


def _part(module: ModuleType, thing: Any, name: str, import_string: str) -> Any:
    try:
        return getattr(thing, name)
    except AttributeError:
        raise ApplicationError(
            NO_APPLICATION,
            f'FLASK_APP is "{import_string}", but module {_place(module)} has no {name}; {_found(module)}.',
        ) from None


def _called(
    module: ModuleType, function: Any, arguments: list[Any], keywords: dict[str, Any], import_string: str
) -> Any:
    try:
        return function(*arguments, **keywords)
    except TypeError as error:
        if error.__traceback__ is not None and error.__traceback__.tb_next is not None:
            raise  # the factory's own code raised it
        called = getattr(function, "__name__", "")
        raise ApplicationError(
            NO_APPLICATION,
            f'FLASK_APP is "{import_string}", but in module {_place(module)} the call fails ({error}): FLASK_APP'
            " takes an application, or a function with literal values for its arguments, as in"
            f" {import_string.partition('(')[0]}(...);"
            f" {_remedy(module, import_string, f'app = {called}(...)')}.",
        ) from None


def _best(module: ModuleType, import_string: str) -> Any:
    from flask.cli import NoAppException, find_best_app

    try:
        return find_best_app(module)
    except NoAppException as error:
        for name in ("app", "application"):
            if is_application(getattr(module, name, None)):
                return getattr(module, name)
        why = "" if error.message.startswith(_NOT_FOUND) else f" ({error.message.split('. ')[0]})"
        raise ApplicationError(
            NO_APPLICATION,
            f'FLASK_APP is "{import_string}", which only names a module, and {_place(module)} has neither exactly one'
            f" Flask application nor another one called app or application{why};"
            f" {_remedy(module, import_string, 'app = ...')}.",
        ) from None


_NOT_FOUND = "Failed to find"  # the rest of Flask's sentence is only about Flask


def _place(module: ModuleType) -> str:
    return f"{module.__name__} ({getattr(module, '__file__', None) or 'a namespace package'})"


def _found(module: ModuleType) -> str:
    names = _candidates(module)
    return f"it has {', '.join(names)}" if names else "it has no application"


def _remedy(module: ModuleType, import_string: str, assignment: str) -> str:
    """Returns what to set: the applications of the module, or else where to make one, as in `assignment`."""
    file = import_string.partition(":")[0]
    named = [f"FLASK_APP={file}:{name}" for name in _candidates(module)]
    if named:
        return f"set {' or '.join(named)}"
    return f"keep the application in a variable of the module, as in {assignment}, and set FLASK_APP={file}:app"


def _candidates(module: ModuleType) -> list[str]:
    """Returns the names of a module's applications, and the calls of its factories."""
    names = [name for name, value in vars(module).items() if looks_like_an_application(value)]
    kept = [(name, getattr(module, name, None)) for name in ("app", "application")]
    names += [f"{name}.server" for name, value in kept if is_flask(getattr(value, "server", None))]  # Dash
    return names + [f"{name}()" for name in ("create_app", "make_app") if is_factory(getattr(module, name, None))]
