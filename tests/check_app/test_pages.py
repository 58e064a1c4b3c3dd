"""An application is run with every write and every connection refused, and what it tried is said with file and line."""

import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from check_app import pages
from sandbox.errors import SandboxError
from tests.support.program import ROOT


@pytest.fixture
def visit(tmp_path):
    """The report on an application of one module, and the findings in it."""

    def visit(code, **environment):
        folder = tmp_path / "shop"
        folder.mkdir()
        (folder / "shop.py").write_text(textwrap.dedent(code))
        report = pages.report_of(
            Path(sys.executable),
            runtime=ROOT,
            task=folder,
            app_dir=str(folder),
            flask_app="shop:app",
            environment=environment,
        )
        return report, [(f.file, f.line, f.what, f.stops) for f in pages.findings(report, str(folder), "shop:app")]

    visit.folder = tmp_path / "shop"
    return visit


def test_an_application_that_writes_nothing_has_no_findings(visit):
    report, found = visit(
        """
        import tempfile
        from flask import Flask
        app = Flask(__name__)

        @app.get("/")
        def index():
            with tempfile.TemporaryFile() as file:
                file.write(b"a")
            return "hello"

        @app.get("/item/<name>")
        def item(name):
            return name

        @app.post("/form")
        def form():
            raise RuntimeError
        """
    )
    assert found == []
    assert [(page["path"], page["status"], page["bytes"]) for page in report["pages"]] == [("/", 200, 5)]


def test_a_page_that_writes_is_named_by_the_line_that_does(visit):
    _, found = visit(
        """
        import os
        from pathlib import Path
        from flask import Flask
        app = Flask(__name__)

        def keep(text):
            Path(__file__).with_name("notes.txt").write_text(text)

        @app.get("/keep")
        def page():
            keep("a")
            return "kept"

        @app.get("/folder")
        def folder():
            os.mkdir("uploads")
            return "made"
        """
    )
    assert found == [
        (
            str(visit.folder / "shop.py"),
            8,
            "writes notes.txt when it runs: Lambda's disk is read-only except for /tmp",
            False,
        ),
        (
            str(visit.folder / "shop.py"),
            17,
            "writes uploads when it runs: Lambda's disk is read-only except for /tmp",
            False,
        ),
    ]
    assert [path.name for path in visit.folder.iterdir()] == ["shop.py"]


def test_an_application_that_writes_while_it_is_imported_can_not_work(visit):
    report, found = visit("import os\nfrom flask import Flask\nos.makedirs('instance')\napp = Flask(__name__)\n")
    place = str(visit.folder / "shop.py")
    assert [(file, line, stops) for file, line, _, stops in found] == [(place, 3, False), (place, 3, True)]
    assert found[1][2] == (
        "shop:app can't be imported on a read-only disk: OSError: [Errno 30] Read-only file system:"
        f" '{visit.folder}/instance'"
    )
    assert report["import_seconds"] is None


def test_a_sqlite_file_that_is_made_is_a_write(visit):
    _, found = visit(
        """
        import sqlite3
        from flask import Flask
        app = Flask(__name__)
        sqlite3.connect(":memory:").execute("select 1")

        @app.get("/")
        def index():
            sqlite3.connect("shop.db")
        """
    )
    assert [(line, what) for _, line, what, _ in found] == [
        (9, "writes shop.db when it runs: Lambda's disk is read-only except for /tmp")
    ]


def test_nothing_is_connected_to(visit):
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        report, found = visit(
            f"""
            import socket
            from flask import Flask
            app = Flask(__name__)

            @app.get("/")
            def index():
                socket.create_connection(("127.0.0.1", {server.getsockname()[1]}), timeout=1).close()
            """
        )
        with pytest.raises(BlockingIOError):
            server.accept()
    assert [(page["path"], page["status"]) for page in report["pages"]] == [("/", 500)]
    assert found == []


def test_pages_that_stream_or_are_large_are_named(visit):
    _, found = visit(
        """
        from flask import Flask, Response
        app = Flask(__name__)

        @app.get("/rows")
        def rows():
            return Response(str(number) for number in range(3))

        @app.get("/large")
        def large():
            return b"a" * 5_000_000
        """
    )
    place = str(visit.folder / "shop.py")
    assert [(file, line, what.partition(":")[0]) for file, line, what, _ in found] == [
        (place, 5, "GET /rows streams its answer"),
        (place, 9, "GET /large answers 5.0 MB or more"),
    ]


def test_a_page_is_at_the_line_of_its_own_function_whatever_wraps_it(visit):
    _, found = visit(
        """
        import functools
        from flask import Flask, views
        app = Flask(__name__)

        def always(view):
            @functools.wraps(view)
            def wrapped():
                return view()
            return wrapped

        @app.get("/large")
        @always
        def large():
            return b"a" * 5_000_000

        class Page(views.View):
            def dispatch_request(self):
                return b"a" * 5_000_000

        app.add_url_rule("/page", view_func=Page.as_view("page"))
        """
    )
    assert [(line, what.partition(" answers")[0]) for _, line, what, _ in found] == [
        (12, "GET /large"),
        (17, "GET /page"),
    ]


def test_the_settings_variables_reach_the_application(visit):
    _, found = visit(
        "import os\nfrom flask import Flask\nos.environ['SECRET_KEY']\napp = Flask(__name__)\n", SECRET_KEY="a"
    )
    assert found == []


@pytest.mark.parametrize(
    ("code", "line"),
    [
        ("import os\nfrom flask import Flask\nos.environ['SECRET_KEY']\napp = Flask(__name__)\n", 3),
        ("import nothing_of_this_name\n", 1),
        ("from flask import Flask\nweb = Flask(__name__)\n", 0),
        ("import sys\n\nsys.exit('no database')\n", 3),
        ("import sys\nprint('no configuration')\nsys.exit(1)\n", 3),
    ],
)
def test_an_import_that_fails_is_said_as_the_build_says_it(visit, code, line):
    report, found = visit(code)
    built = subprocess.run(
        [sys.executable, "-P", "-m", "dualmode.import_check"],
        cwd=visit.folder,
        env={"PYTHONPATH": f"{ROOT}:{visit.folder}", "FLASK_APP": "shop:app", "APP_DIR": str(visit.folder)},
        capture_output=True,
        text=True,
    )
    *above, last = f"{built.stdout}{built.stderr}".splitlines()
    assert found == [(str(visit.folder / "shop.py"), line, last.removeprefix("dualmode: "), True)]
    (finding,) = pages.findings(report, str(visit.folder), "shop:app")
    assert str(finding).splitlines()[:-1] == above


def test_an_import_that_connects_is_told_what_a_build_can_not_do(visit):
    _, found = visit(
        """
        import urllib.request
        from flask import Flask
        urllib.request.urlopen("http://127.0.0.1:9/")
        app = Flask(__name__)
        """
    )
    assert found == [
        (
            str(visit.folder / "shop.py"),
            4,
            "shop:app connects while it is imported, which neither this check nor a build can: urllib.error.URLError:"
            " <urlopen error [Errno 101] A check connects to nothing>",
            False,
        )
    ]


def test_a_write_that_the_code_shows_is_said_once(visit):
    report, _ = visit("from flask import Flask\napp = Flask(__name__)\n@app.get('/')\ndef a():\n    open('a', 'w')\n")
    place = str(visit.folder / "shop.py")
    assert len(list(pages.findings(report, str(visit.folder), "shop:app"))) == 1
    assert list(pages.findings(report, str(visit.folder), "shop:app", {(place, 5)})) == []


def test_an_application_that_ends_the_program_is_one_sentence(visit):
    with pytest.raises(SandboxError) as caught:
        visit("import os\nprint('no database')\nos._exit(3)\n")
    assert str(caught.value) == "shop:app ends Python while it is imported or answers a request: no database"


@pytest.mark.parametrize(("seconds", "found"), [(0.5, []), (6.0, ["takes 6.0 s to import here: Lambda allows 10 s"])])
def test_an_import_near_lambdas_limit_is_said(seconds, found):
    report = {"seen": [], "pages": [], "error": None, "import_seconds": seconds, "module": "", "printed": []}
    assert [finding.what for finding in pages.findings(report, "shop", "shop:app")] == found
