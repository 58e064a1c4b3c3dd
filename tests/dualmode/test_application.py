"""FLASK_APP names an application by Flask's own rules, and a wrong one is told in one sentence."""

import json
import subprocess
import sys
import textwrap

import pytest

from tests.conftest import ROOT

SHOP = """
    from flask import Flask, current_app, request

    app = Flask("shop-app")
    admin = Flask("admin-app")
    db = {}

    def create_app(name="made-app", *, debug=False):
        return Flask(name)

    def make_nothing():
        return None

    def needs_more(config):
        return Flask(config)

    def broken():
        return len(5)
"""
FACTORY = """
    from flask import Flask

    def create_app():
        return Flask("factory-app")
"""
API = """
    calls = []

    class Asgi:
        async def __call__(self, scope, receive, send):
            pass

    async def function(scope, receive, send):
        pass

    def create_api():
        calls.append("called")
        return Asgi()

    app = Asgi()
    kind = Asgi
"""
PLAIN = """
    from functools import partial

    from flask import Flask
    from werkzeug.middleware.dispatcher import DispatcherMiddleware

    def app(environ, start_response):
        start_response("200 OK", [])
        return [b"plain"]

    def add(one, other):
        return one + other

    class Kept:
        server = Flask("kept")

    class EachRequest:
        def __init__(self, environ, start_response):
            start_response("200 OK", [])

        def __iter__(self):
            return iter([b"each"])

    mounted = DispatcherMiddleware(app, {"/shop": Flask("shop")})
    bound = partial(app)
    kept = Kept()

    def create_app(title="made"):
        return DispatcherMiddleware(app, {})

    async def asynchronous():
        pass
"""
FILES = {
    "plain.py": PLAIN,
    "shop.py": SHOP,
    "factory.py": FACTORY,
    "api.py": API,
    "package/__init__.py": "",
    "package/web.py": SHOP,
    "src/inner.py": FACTORY,
    "needing.py": "import not_there_at_all",
    "wrong.py": "def (",
    "raising.py": 'raise RuntimeError("from their code")',
    "starter.py": "def main(global_config, **settings):\n    return None",
    "web.py": "class Service:\n    def __call__(self, environ, start_response):\n        pass\nservice = Service()",
    "board.py": "from flask import Flask\nclass Board:\n    server = Flask('board')\napp = Board()",
    "needing_factory.py": "def create_app(config):\n    pass",
    "two.py": 'from flask import Flask\none, other = Flask("a"), Flask("b")',
}


def written(folder):
    for name, content in FILES.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(textwrap.dedent(content))
    return folder


@pytest.fixture
def folder(tmp_path):
    return written(tmp_path)


def run(arguments, folder, **environment):
    environment = {"PYTHONPATH": f"{runtime(folder)}:{folder}", "PATH": "/usr/bin:/bin"} | environment
    command = [sys.executable, "-P", "-W", "error", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60)


def runtime(folder):
    """A folder with what the image has at /opt/dualmode: of the repository's packages, the one alone."""
    made = folder.with_name(f"{folder.name}-runtime")
    if not made.exists():
        made.mkdir()
        (made / "dualmode").symlink_to(ROOT / "dualmode")
    return made


def python(program, folder):
    """Runs a program in a folder as the entrypoint would, and returns what it prints, its errors included."""
    result = run(["-c", program], folder)
    return (result.stdout + result.stderr).strip()


# Each string is loaded in a process of its own, forked off from one that has imported Flask: as fresh, and faster.
LOAD_EACH = """
import json, os, sys, traceback
import flask.cli
from dualmode import application

def ours(import_string):
    try:
        app = application.load(import_string)
    except application.ApplicationError as error:
        return [error.kind, str(error)]
    return getattr(app, "name", None) or getattr(app, "__name__", None) or type(app).__name__

def theirs(import_string):
    try:
        return flask.cli.ScriptInfo(app_import_path=import_string, set_debug_flag=False).load_app().name
    except flask.cli.NoAppException:
        return "refused"

for line in sys.argv[1:]:
    for load in (ours, theirs):
        if os.fork() == 0:
            try:
                outcome = load(line)
            except Exception:
                outcome = traceback.format_exc()
            print(json.dumps([load.__name__, line, outcome]), flush=True)
            os._exit(0)
        os.wait()
"""


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """What came of loading each string, by whose loader did it and the string; and the folder of the modules."""
    folder = written(tmp_path_factory.mktemp("application"))
    result = run(["-W", "ignore", "-c", LOAD_EACH, *ACCEPTED, *ASGI, *WSGI, *REFUSED, *THEIR_OWN], folder)
    assert result.stderr == ""
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    return {(loader, string): outcome for loader, string, outcome in lines} | {"folder": folder}


ACCEPTED = {
    "shop": "shop-app",
    "shop:app": "shop-app",
    "shop:admin": "admin-app",
    "shop:create_app": "made-app",
    "shop:create_app()": "made-app",
    "shop:create_app('x', debug=True)": "x",
    "shop.py": "shop-app",
    "shop.py:admin": "admin-app",
    "./shop.py": "shop-app",
    "factory": "factory-app",
    "package.web:admin": "admin-app",
    "package/web.py": "shop-app",
    "src/inner.py": "factory-app",
    "src/inner.py:create_app()": "factory-app",
}


@pytest.mark.parametrize("import_string", ACCEPTED)
def test_each_flask_app_that_flask_accepts_is_accepted(import_string, outcomes):
    assert outcomes["ours", import_string] == outcomes["theirs", import_string] == ACCEPTED[import_string]


ASGI = {
    "api": "Asgi",
    "api:app": "Asgi",
    "api.py": "Asgi",
    "api:function": "function",
    "api:create_api()": "Asgi",
    "api:create_api": "Asgi",
}


@pytest.mark.parametrize("import_string", ASGI)
def test_an_asgi_application_is_named_alike(import_string, outcomes):
    assert outcomes["ours", import_string] == ASGI[import_string]


def test_a_factory_is_called_once(folder):
    program = "from dualmode.application import load; load('api:create_api()'); import api; print(api.calls)"
    assert python(program, folder) == "['called']"


WSGI = {
    "plain": "app",
    "plain:app": "app",
    "plain:mounted": "DispatcherMiddleware",
    "plain:bound": "partial",
    "plain:EachRequest": "EachRequest",
    "plain:create_app": "DispatcherMiddleware",
    "plain:create_app('x')": "DispatcherMiddleware",
    "plain:kept.server": "kept",
    "plain:mounted.app": "app",
    "plain:Kept.server": "kept",
    "plain:Kept().server": "kept",
    "shop:app.wsgi_app": "wsgi_app",
}


@pytest.mark.parametrize("import_string", WSGI)
def test_any_wsgi_callable_is_named_alike(import_string, outcomes):
    assert outcomes["ours", import_string] == WSGI[import_string]


REFUSED = {
    "nowhere:app": (
        "Runtime.ImportModuleError",
        'FLASK_APP is "nowhere:app", but there is no module nowhere in {folder}, which has api.py, board.py,'
        " factory.py, needing.py, needing_factory.py, package, plain.py, raising.py, shop.py, starter.py, two.py,"
        " web.py, wrong.py.",
    ),
    "lib/nowhere.py": (
        "Runtime.ImportModuleError",
        'FLASK_APP is "lib/nowhere.py", but there is no module nowhere in {folder}/lib, which has no modules.',
    ),
    "nowhere.web:app": (
        "Runtime.ImportModuleError",
        'FLASK_APP is "nowhere.web:app", but there is no module nowhere in {folder}, which has api.py, board.py,'
        " factory.py, needing.py, needing_factory.py, package, plain.py, raising.py, shop.py, starter.py, two.py,"
        " web.py, wrong.py.",
    ),
    ":app": (
        "Runtime.ImportModuleError",
        'FLASK_APP is ":app", but there is no module before the colon: write module:app.',
    ),
    "shop:web": (
        "Runtime.HandlerNotFound",
        'FLASK_APP is "shop:web", but module shop ({folder}/shop.py) has no web; it has app, admin, create_app().',
    ),
    "shop:db": (
        "Runtime.HandlerNotFound",
        'FLASK_APP is "shop:db", but in module shop ({folder}/shop.py) that is of type dict, not a WSGI (Flask,'
        " Django, ...) or ASGI application; it has app, admin, create_app().",
    ),
    "shop:make_nothing": (
        "Runtime.HandlerNotFound",
        'FLASK_APP is "shop:make_nothing", but in module shop ({folder}/shop.py) that is of type NoneType, not a'
        " WSGI (Flask, Django, ...) or ASGI application; it has app, admin, create_app().",
    ),
    "shop:needs_more()": (
        "Runtime.HandlerNotFound",
        'FLASK_APP is "shop:needs_more()", but in module shop ({folder}/shop.py) the call fails (needs_more()'
        " missing 1 required positional argument: 'config'): FLASK_APP takes an application, or a function with"
        " literal values for its arguments, as in shop:needs_more(...); set FLASK_APP=shop:app or"
        " FLASK_APP=shop:admin or FLASK_APP=shop:create_app().",
    ),
    "starter:main": (
        "Runtime.HandlerNotFound",
        'FLASK_APP is "starter:main", but in module starter ({folder}/starter.py) the call fails (main() missing'
        " 1 required positional argument: 'global_config'): FLASK_APP takes an application, or a function with"
        " literal values for its arguments, as in starter:main(...); keep the application in a variable of the module,"
        " as in app = main(...), and set FLASK_APP=starter:app.",
    ),
    "starter": (
        "Runtime.HandlerNotFound",
        'FLASK_APP is "starter", which only names a module, and starter ({folder}/starter.py) has neither exactly one'
        " Flask application nor another one called app or application; keep the application in a variable of the"
        " module, as in app = ..., and set FLASK_APP=starter:app.",
    ),
    "web.py": (
        "Runtime.HandlerNotFound",
        'FLASK_APP is "web.py", which only names a module, and web ({folder}/web.py) has neither exactly one Flask'
        " application nor another one called app or application; set FLASK_APP=web.py:service.",
    ),
    "board": (
        "Runtime.HandlerNotFound",
        'FLASK_APP is "board", which only names a module, and board ({folder}/board.py) has neither exactly one Flask'
        " application nor another one called app or application; set FLASK_APP=board:app.server.",
    ),
    "needing_factory": (
        "Runtime.HandlerNotFound",
        'FLASK_APP is "needing_factory", which only names a module, and needing_factory ({folder}/needing_factory.py)'
        " has neither exactly one Flask application nor another one called app or application (Detected factory"
        " 'create_app' in module 'needing_factory', but could not call it without arguments); keep the application in a"
        " variable of the module, as in app = ..., and set FLASK_APP=needing_factory:app.",
    ),
    "shop:create_app(": (
        "Runtime.HandlerNotFound",
        'FLASK_APP is "shop:create_app(", but create_app( is neither a name nor a call with literal arguments.',
    ),
    "shop:create_app(db)": (
        "Runtime.HandlerNotFound",
        'FLASK_APP is "shop:create_app(db)", but create_app(db) is neither a name nor a call with literal arguments.',
    ),
    "shop:app[0]": (
        "Runtime.HandlerNotFound",
        'FLASK_APP is "shop:app[0]", but app[0] is neither a name nor a call with literal arguments.',
    ),
    "plain:kept": (
        "Runtime.HandlerNotFound",
        'FLASK_APP is "plain:kept", but in module plain ({folder}/plain.py) that is of type Kept, not a WSGI'
        " (Flask, Django, ...) or ASGI application; use its part plain:kept.server.",
    ),
    "plain:Kept()": (
        "Runtime.HandlerNotFound",
        'FLASK_APP is "plain:Kept()", but in module plain ({folder}/plain.py) that is of type Kept, not a WSGI'
        " (Flask, Django, ...) or ASGI application; use its part plain:Kept().server.",
    ),
    "plain:kept.client": (
        "Runtime.HandlerNotFound",
        'FLASK_APP is "plain:kept.client", but module plain ({folder}/plain.py) has no client; it has app,'
        " mounted, bound, create_app().",
    ),
    "two": (
        "Runtime.HandlerNotFound",
        'FLASK_APP is "two", which only names a module, and two ({folder}/two.py) has neither exactly one Flask'
        " application nor another one called app or application (Detected multiple Flask applications in module 'two');"
        " set FLASK_APP=two:one or FLASK_APP=two:other.",
    ),
    "api:kind": (
        "Runtime.HandlerNotFound",
        'FLASK_APP is "api:kind", but in module api ({folder}/api.py) that is the class Asgi, not a WSGI (Flask,'
        " Django, ...) or ASGI application; it has function, app.",
    ),
}


@pytest.mark.parametrize("import_string", REFUSED)
def test_what_names_no_application_is_told_in_a_sentence_where_flask_refuses_it_too(import_string, outcomes):
    kind, sentence = REFUSED[import_string]
    assert outcomes["ours", import_string] == [kind, sentence.format(folder=outcomes["folder"])]
    assert outcomes["theirs", import_string] == "refused" or "Traceback" in outcomes["theirs", import_string]


THEIR_OWN = {
    "needing": "ModuleNotFoundError: No module named 'not_there_at_all'",
    "wrong": "SyntaxError: invalid syntax",
    "raising": "RuntimeError: from their code",
    "shop:broken()": "TypeError: object of type 'int' has no len()",
}


@pytest.mark.parametrize("import_string", THEIR_OWN)
def test_an_error_of_the_application_s_own_code_stays_what_it_is(import_string, outcomes):
    *_, last = outcomes["ours", import_string].strip().splitlines()
    assert last == THEIR_OWN[import_string]
    assert f'File "{outcomes["folder"]}/{import_string.partition(":")[0]}.py", line' in outcomes["ours", import_string]


def test_an_application_may_have_packages_with_names_of_this_repository(folder):
    for name in ("scripts", "gateway", "app", "runtime"):
        (folder / name).mkdir()
        (folder / name / "theirs.py").write_text(f"whose = 'their {name}'")
    (folder / "named.py").write_text(
        textwrap.dedent(
            """
            from flask import Flask
            import scripts.theirs, gateway.theirs, app.theirs, runtime.theirs
            names = [package.theirs.whose for package in (scripts, gateway, app, runtime)]
            named = Flask(", ".join(names))
            """
        )
    )
    program = "from dualmode.application import load; print(load('named:named').name)"
    assert python(program, folder) == "their scripts, their gateway, their app, their runtime"


def test_a_module_of_theirs_does_not_take_the_place_of_one_of_ours(folder):
    (folder / "scripts").mkdir()
    (folder / "scripts" / "commands.py").write_text("")
    (folder / "named.py").write_text("from flask import Flask\nimport dualmode.commands\napp = Flask('named')")
    program = (
        "from dualmode.application import load; load('named'); from dualmode.commands import SETTING; print(SETTING)"
    )
    assert python(program, folder) == "DUALMODE_ALLOW_COMMANDS"


def test_the_sample_that_a_user_edits_in_its_folder_is_the_one_that_is_served(folder):
    (folder / "scripts").mkdir()
    (folder / "scripts" / "__init__.py").touch()
    (folder / "scripts" / "server.py").write_text('from flask import Flask\napp = Flask("edited")')
    program = "from dualmode.application import load; print(load('scripts.server:app').name)"
    assert python(program, folder) == "edited"
