"""An application is run with every write and every connection refused, and what it tried is said with file and line."""

import socket
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
        "can't be imported with a read-only disk and no connections: "
        "OSError: [Errno 30] Read-only file system: 'instance'"
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
    assert [(file, what.partition(":")[0]) for file, _, what, _ in found] == [
        ("shop:app GET /rows", "streams its answer"),
        ("shop:app GET /large", "answers 5.0 MB or more"),
    ]


def test_the_settings_variables_reach_the_application(visit):
    _, found = visit(
        "import os\nfrom flask import Flask\nos.environ['SECRET_KEY']\napp = Flask(__name__)\n", SECRET_KEY="a"
    )
    assert found == []


def test_an_import_that_lacks_a_variable_is_said_by_its_last_line(visit):
    _, found = visit("import os\nfrom flask import Flask\nos.environ['SECRET_KEY']\napp = Flask(__name__)\n")
    assert found == [
        (
            str(visit.folder / "shop.py"),
            3,
            "can't be imported with a read-only disk and no connections: KeyError: 'SECRET_KEY'",
            True,
        )
    ]


def test_an_application_that_ends_the_program_is_one_sentence(visit):
    with pytest.raises(SandboxError) as caught:
        visit("import os\nprint('no database')\nos._exit(3)\n")
    assert str(caught.value) == "shop:app ends Python while it is imported or answers a request: no database"


@pytest.mark.parametrize(("seconds", "found"), [(0.5, []), (6.0, ["takes 6.0 s to import here: Lambda allows 10 s"])])
def test_an_import_near_lambdas_limit_is_said(seconds, found):
    report = {"seen": [], "pages": [], "error": None, "import_seconds": seconds}
    assert [finding.what for finding in pages.findings(report, "shop", "shop:app")] == found
