"""The corpus: applications from the package index, of different kinds and frameworks."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tests.corpus.application import Application, Python, Step

CSRF = r'name="csrf_token"[^>]*value="([^"]+)"'
DJANGO_CSRF = r'name="csrfmiddlewaretoken" value="([^"]+)"'


ADA = {"Authorization": "Basic YWRhOmxvdmVsYWNl"}
EVENT = b"""\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:tests
BEGIN:VEVENT
UID:day
DTSTAMP:18430101T000000Z
DTSTART:18430101T000000Z
SUMMARY:Analytical Engine
END:VEVENT
END:VCALENDAR
"""


def start_django_project(python: Python, folder: Path) -> None:
    """What Django's tutorial begins with; a host that it is served for is what its deployment checklist asks for.

    Its SQLite database would lie beside its code, where Lambda lets nobody write: it is made below /tmp, at the start.
    """
    command = [str(python()), "-m", "django", "startproject", "mysite", "."]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    settings = folder / "mysite" / "settings.py"
    text = settings.read_text().replace("ALLOWED_HOSTS = []", 'ALLOWED_HOSTS = ["*"]')
    database = 'import tempfile\nDATABASES["default"]["NAME"] = f"{tempfile.mkdtemp()}/db.sqlite3"\n'
    settings.write_text(f"{text}\n{database}")
    with (folder / "mysite" / "wsgi.py").open("a") as wsgi:
        wsgi.write('\nfrom django.core.management import call_command\n\ncall_command("migrate", verbosity=0)\n')


def move_flaskrs_instance(python: Python, folder: Path) -> None:
    """The folder that the tutorial makes beside its code, where Lambda lets nobody write, is one below /tmp."""
    module = folder / "flaskr" / "__init__.py"
    text = module.read_text()
    plain = "Flask(__name__, instance_relative_config=True)"
    assert plain in text
    moved = 'Flask(__name__, instance_path=__import__("tempfile").mkdtemp(), instance_relative_config=True)'
    module.write_text(text.replace(plain, moved))


def put_a_package(python: Python, folder: Path) -> None:
    """A package for the index to serve."""
    (folder / "packages").mkdir()
    (folder / "packages" / "greeting-1.0.tar.gz").write_bytes(b"a package")


def share_a_file(python: Python, folder: Path) -> None:
    (folder / "share").mkdir()
    (folder / "share" / "hello.txt").write_text("hello\n")


APPLICATIONS = (
    Application(
        name="js_example",
        kind="Flask, pyproject.toml alone",
        source="flask-3.1.3/examples/javascript",
        flask_app="js_example:app",
        steps=(
            Step(target="/", has=b"fetch"),
            Step(target="/xhr", has=b"XMLHttpRequest"),
            Step(target="/add", method="POST", form={"a": "2", "b": "3.5"}, has=b"5.5"),
            Step(target="/nowhere", status=404),
        ),
    ),
    Application(
        name="flaskr",
        kind="Flask, factory, SQLite, login",
        source="flask-3.1.3/examples/tutorial",
        flask_app="flaskr:create_app()",
        edit="its instance folder, which it makes beside its code, below /tmp",
        prepare=move_flaskrs_instance,
        environment={"DUALMODE_ALLOW_COMMANDS": "1"},
        steps=(
            Step(target="/hello", has=b"Hello, World!"),
            Step(target="/static/style.css", has=b"html"),
            Step(target="/auth/login", has=b"Log In"),
            Step(target="/create", status=302),
        ),
    ),
    Application(
        name="uploadr",
        kind="Flask-WTF's example: CSRF and upload",
        source="flask_wtf-1.3.0/examples/uploadr",
        flask_app="app:app",
        varies=(CSRF,),
        steps=(
            Step(target="/", has=b"csrf_token", keep={"token": CSRF}),
            Step(
                target="/",
                method="POST",
                form={"csrf_token": "{token}"},
                upload=("uploads-0", "a.txt", b"\x00\xffbytes"),
                has=b"a.txt",
            ),
            Step(target="/", method="POST", form={"csrf_token": "wrong"}),
        ),
    ),
    Application(
        name="httpbin",
        kind="Flask",
        flask_app="httpbin:app",
        varies=(r'"headers": \{[^}]*\}', r'"origin": "[^"]+"'),
        steps=(
            Step(target="/forms/post", has=b"Customer name"),
            Step(target="/post", method="POST", form={"custname": "Ada é"}, has=b"Ada"),
            Step(target="/image/png", has=b"PNG"),
            Step(target="/basic-auth/ada/lovelace", status=401),
            Step(target="/basic-auth/ada/lovelace", headers={"Authorization": "Basic YWRhOmxvdmVsYWNl"}),
            Step(target="/cookies/set?a=1", status=302),
            Step(target="/cookies", has=b'"a": "1"'),
        ),
    ),
    Application(
        name="pypiserver",
        kind="Bottle, made by a call with arguments",
        flask_app="pypiserver:app(root='packages')",
        prepare=put_a_package,
        steps=(
            Step(target="/", has=b"pypiserver"),
            Step(target="/simple", status=301),
            Step(target="/simple/", has=b"greeting"),
            Step(target="/packages/greeting-1.0.tar.gz", has=b"a package"),
            Step(target="/packages/nothing-1.0.tar.gz", status=404),
        ),
    ),
    Application(
        name="radicale",
        kind="a plain WSGI function; Basic authentication, PUT, static files",
        flask_app="radicale:application",
        environment={"RADICALE_CONFIG": "config"},
        files=("/tmp/corpus-radicale",),
        varies=(r"\w{3}, \d\d \w{3} \d{4} [\d:]+ GMT",),
        steps=(
            Step(target="/", status=302),
            Step(target="/.web/", has=b"Radicale"),
            Step(target="/.web/css/main.css", has=b"font"),
            Step(target="/ada/", method="PROPFIND", status=401),
            Step(target="/ada/year/", method="MKCALENDAR", headers=ADA, status=201),
            Step(target="/ada/year/day.ics", method="PUT", headers=ADA, body=EVENT, status=201),
            Step(target="/ada/year/day.ics", headers=ADA, has=b"SUMMARY:Analytical Engine"),
            Step(target="/ada/year/day.ics", headers={"Authorization": "Basic YWRhOndyb25n"}, status=401),
        ),
    ),
    Application(
        name="wsgidav",
        kind="a WSGI object, made by a call with arguments",
        flask_app="wsgidav.wsgidav_app:WsgiDAVApp({'provider_mapping': {'/': 'share'}, 'verbose': 1,"
        " 'simple_dc': {'user_mapping': {'*': True}}})",
        prepare=share_a_file,
        varies=(r"\w{3}, \d\d \w{3} \d{4} [\d:]+ GMT", r"\d{4}-\d\d-\d\d [\d:.]+"),
        steps=(
            Step(target="/", has=b"hello.txt"),
            Step(target="/hello.txt", has=b"hello\n"),
            Step(target="/nothing.txt", status=404),
        ),
    ),
    Application(
        name="isso",
        kind="a WSGI application of werkzeug's parts; SQLite, JSON, cookies",
        flask_app="isso.run:application",
        process_only="misaka, which it requires, has no wheel for any Python: its build needs a C compiler",
        environment={"ISSO_SETTINGS": "isso.cfg"},
        files=("/tmp/corpus-isso.db",),
        varies=(r'"(created|modified)": [\d.]+',),
        steps=(
            Step(target="/demo/", has=b"Isso Demo"),
            Step(target="/js/embed.min.js", has=b"isso"),
            Step(target="/?uri=/a", has=b'"replies": []'),
            Step(
                target="/new?uri=/a",
                method="POST",
                headers={"Content-Type": "application/json"},
                body=b'{"text": "A *comment*", "author": "Ada", "title": "A page"}',
                status=201,
                has=b"<em>comment</em>",
            ),
            Step(target="/?uri=/a", has=b"Ada"),
        ),
    ),
    Application(
        name="ihatemoney",
        kind="Flask, SQLAlchemy with migrations; CSRF, login",
        flask_app="ihatemoney.wsgi:application",
        files=("/tmp/ihatemoney.db",),
        varies=(CSRF, r"feed/[\w.-]+\.xml"),
        steps=(
            Step(target="/", has=b"project", keep={"token": CSRF}),
            Step(target="/static/css/main.css", has=b"body"),
            Step(target="/demo", status=302),
            Step(target="/demo/", has=b"demo"),
            Step(target="/demo/members/add", keep={"token": CSRF}),
            Step(
                target="/demo/members/add",
                method="POST",
                form={"csrf_token": "{token}", "name": "Grace", "weight": "1"},
                status=302,
            ),
            Step(target="/demo/", has=b"Grace"),
            Step(
                target="/demo/members/add",
                method="POST",
                form={"name": "Alan", "weight": "1"},
                has=b"CSRF token is missing",
            ),
        ),
    ),
    Application(
        name="bepasty",
        kind="Flask, factory; login, upload",
        flask_app="paste:application",
        edit="a module of two lines that gives the whole path of its configuration",
        environment={"FILES": "{tmp}-files"},
        varies=(r"\d{4}-\d\d-\d\d [\d:]+",),
        steps=(
            Step(target="/", has=b"bepasty"),
            Step(target="/+login", method="POST", form={"token": "wrong"}, status=302),
            Step(target="/+login", method="POST", form={"token": "opensesame"}, status=302),
            Step(target="/", has=b"Logout"),
            Step(
                target="/+upload",
                method="POST",
                form={"text": "from a form\n", "contenttype": "text/plain", "filename": "note.txt"},
                status=302,
                keep={"item": r"location: .*?/(\w+)#"},
            ),
            Step(target="/{item}", has=b"note.txt"),
            Step(target="/{item}/+download", has=b"from a form\n"),
        ),
    ),
    Application(
        name="datasette",
        kind="ASGI, a part of what a call returns",
        flask_app="datasette.app:Datasette(memory=True).app()",
        varies=(r'"query_ms": [\d.]+', r"Queries took [\d.]+ms", r"[\d.]+ms"),
        steps=(
            Step(target="/", has=b"_memory"),
            Step(target="/_memory.json?sql=select+40%2B2+as+answer&_shape=array", has=b'"answer": 42'),
            Step(target="/-/static/app.css", has=b"body"),
            Step(target="/nowhere", status=404),
        ),
    ),
    Application(
        name="django",
        kind="Django's own project template, with its admin",
        flask_app="mysite.wsgi:application",
        edit="ALLOWED_HOSTS, as its checklist for deployments says, and a database below /tmp",
        prepare=start_django_project,
        varies=(DJANGO_CSRF,),
        steps=(
            Step(target="/admin/", status=302),
            Step(target="/admin/login/?next=/admin/", has=b"Django administration", keep={"token": DJANGO_CSRF}),
            Step(
                target="/admin/login/?next=/admin/",
                method="POST",
                form={"csrfmiddlewaretoken": "{token}", "username": "ada", "password": "wrong"},
                headers={"Referer": "https://app.sandbox.test/admin/login/"},
                has=b"correct username",
            ),
            Step(
                target="/admin/login/",
                method="POST",
                form={"username": "ada"},
                headers={"Referer": "https://app.sandbox.test/admin/login/"},
                status=403,
                has=b"CSRF token missing",
            ),
        ),
    ),
    Application(
        name="dash",
        kind="Dash, whose Flask application is a part of it",
        flask_app="board:board.server",
        edit="a page of ten lines: Dash is a library",
        # A script's name has the time when it was installed, and Dash reports the Python that it runs on.
        varies=(r'"end_id":"[^"]+"', r"\.v[\d_]+m\d+\.", r'"python_version":"[^"]+"'),
        steps=(
            Step(target="/", has=b"_dash-config"),
            Step(target="/_dash-layout", has=b"Ada"),
            Step(
                target="/_dash-update-component",
                method="POST",
                headers={"Content-Type": "application/json"},
                body=json.dumps(
                    {
                        "output": "greeting.children",
                        "outputs": {"id": "greeting", "property": "children"},
                        "inputs": [{"id": "name", "property": "value", "value": "Grace"}],
                        "changedPropIds": ["name.value"],
                    }
                ).encode(),
                has=b"Hello Grace!",
            ),
        ),
    ),
)
