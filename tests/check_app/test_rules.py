"""Each rule sees what it is for in a small application, on its line, and nothing in code that works on Lambda."""

import ast
import textwrap

import pytest

from check_app import rules
from check_app.source import Source, sources
from tests.support.program import ROOT

SOCKET_IO = "serves Socket.IO, which keeps a connection and its state in one process"


def seen(code):
    source = Source("shop/app.py", ast.parse(textwrap.dedent(code)))
    return [(finding.line, finding.what.partition(":")[0]) for finding in rules.findings(source)]


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("open('notes.txt', 'w').write('a')", [(1, "writes a file")]),
        ("open('notes.txt', mode='ab')", [(1, "writes a file")]),
        ("import io\n\nio.open(name, 'r+')", [(3, "writes a file")]),
        ("from pathlib import Path\nPath('notes').open('w')", [(2, "writes a file")]),
        ("from pathlib import Path\nPath(__file__).with_name('n').write_text('a')", [(2, "writes a file")]),
        ("import os\nos.makedirs(app.instance_path, exist_ok=True)", [(2, "makes a folder")]),
        ("from os import makedirs as make\nmake('uploads')", [(2, "makes a folder")]),
        (
            "from flask import request\nfile = request.files['a']\nfile.save('uploads/' + file.filename)",
            [(3, "keeps an upload on the disk")],
        ),
        (
            "from flask import request\nfor file in request.files.getlist('a'):\n    file.save(place)",
            [(3, "keeps an upload on the disk")],
        ),
        ("app.config['UPLOAD_FOLDER'] = 'uploads'", [(1, "keeps uploads on the disk")]),
        ("import logging\nlogging.FileHandler('app.log')", [(2, "logs to a file")]),
        ("from logging.handlers import RotatingFileHandler\nRotatingFileHandler('a.log')", [(2, "logs to a file")]),
        ("import logging\nlogging.basicConfig(filename='a.log')", [(2, "logs to a file")]),
        ("import sqlite3\nsqlite3.connect('shop.db')", [(2, "keeps its data in an SQLite file")]),
        ("SQLALCHEMY_DATABASE_URI = 'sqlite:///shop.db'", [(1, "keeps its data in an SQLite file")]),
        ("app.config.update(SESSION_TYPE='filesystem')", [(1, "keeps sessions on the disk")]),
        ("Cache(app, config={'CACHE_TYPE': 'FileSystemCache'})", [(1, "caches on the disk")]),
        ("import threading as t\nt.Thread(target=work).start()", [(2, "starts a thread")]),
        ("from threading import Timer\nTimer(5, work).start()", [(2, "starts a thread")]),
        (
            "from concurrent.futures import ThreadPoolExecutor\npool = ThreadPoolExecutor(2)",
            [(2, "keeps a pool of threads")],
        ),
        (
            "from multiprocessing import Pool\nPool(4)",
            [(2, "uses shared memory between processes, which Lambda doesn't have (/dev/shm)")],
        ),
        (
            "from apscheduler.schedulers.background import BackgroundScheduler",
            [(1, "runs work in the background")],
        ),
        ("import celery", [(1, "runs work in the background")]),
        ("from flask_socketio import SocketIO\nSocketIO(app)", [(2, SOCKET_IO)]),
        ("import socketio\n\nserver = socketio.AsyncServer()", [(3, SOCKET_IO)]),
        ("socketio.start_background_task(work)", [(1, "starts a thread")]),
        ("@app.websocket('/ws')\nasync def talk():\n    pass", [(2, "serves WebSockets")]),
        ("@router.websocket_route('/ws')\nasync def talk(websocket):\n    pass", [(2, "serves WebSockets")]),
        ("from starlette.routing import WebSocketRoute\n[WebSocketRoute('/ws', talk)]", [(2, "serves WebSockets")]),
        (
            "from starlette.endpoints import WebSocketEndpoint\nclass Talk(WebSocketEndpoint):\n    pass",
            [(2, "serves WebSockets")],
        ),
        ("app.add_websocket('/ws', view_func=talk)", [(1, "serves WebSockets")]),
        (
            "from fastapi import BackgroundTasks\n\ndef order(tasks: BackgroundTasks):\n    tasks.add_task(send)",
            [(3, "works after the response")],
        ),
        (
            "from starlette.background import BackgroundTask\nJSONResponse({}, background=BackgroundTask(send))",
            [(2, "works after the response")],
        ),
        (
            "from quart import current_app\ncurrent_app.add_background_task(send)",
            [(2, "starts a task in the background")],
        ),
        ("cherrypy.config.update({'tools.sessions.storage_type': 'file'})", [(1, "keeps sessions on the disk")]),
        ("config['tools.sessions.storage_type'] = 'File'", [(1, "keeps sessions on the disk")]),
        (
            "import cherrypy\n_cp_config = {'tools.sessions.storage_class': cherrypy.lib.sessions.FileSession}",
            [(2, "keeps sessions on the disk")],
        ),
        (
            "from cherrypy.lib.sessions import FileSession\nc['tools.sessions.storage_class'] = FileSession",
            [(2, "keeps sessions on the disk")],
        ),
        ("from flask_sock import Sock", [(1, "uses WebSockets")]),
        ("Response(events, mimetype='text/event-stream')", [(1, "sends events as they come")]),
        ("from flask import stream_with_context\nstream_with_context(rows())", [(2, "streams its answer")]),
        (
            "from flask import Response\ndef rows():\n    yield 'a'\n\ndef page():\n    return Response(rows())",
            [(6, "streams its answer")],
        ),
        (
            "app.config['MAX_CONTENT_LENGTH'] = 16 * 1024 * 1024",
            [(1, "accepts requests that Lambda refuses")],
        ),
        ("app.config['MAX_CONTENT_LENGTH'] = 16 << 20", [(1, "accepts requests that Lambda refuses")]),
        ("app.config['MAX_CONTENT_LENGTH'] = 2 ** 24", [(1, "accepts requests that Lambda refuses")]),
    ],
)
def test_what_hurts_is_found_on_its_line(code, found):
    assert seen(code) == found


@pytest.mark.parametrize(
    "code",
    [
        "open('notes.txt')",
        "open('/tmp/notes', 'w')",
        "import tempfile\nopen(tempfile.gettempdir() + '/notes', 'w')",
        "from tempfile import mkdtemp\nFOLDER = mkdtemp()\nopen(FOLDER + '/notes', 'w')",
        "CACHE = '/tmp/cache'\nimport os\nos.makedirs(CACHE)",
        "import os\nos.open('notes', os.O_RDONLY)",
        "import gzip\ngzip.open('data.gz')",
        "app.config['UPLOAD_FOLDER'] = '/tmp/uploads'",
        "import os\napp.config['UPLOAD_FOLDER'] = os.environ['UPLOAD_FOLDER']",
        "import sqlite3\nsqlite3.connect(':memory:')",
        "'sqlite://'",
        "'sqlite:////tmp/shop.db'",
        "app.config['SESSION_TYPE'] = 'redis'",
        "import threading\nlock = threading.Lock()\nlocal = threading.local()",
        "from concurrent.futures import ThreadPoolExecutor\nwith ThreadPoolExecutor() as pool:\n    pool.map(f, all)",
        "from flask import Response\nResponse('text', mimetype='text/plain')",
        "app.config['MAX_CONTENT_LENGTH'] = 4 * 1024 * 1024",
        "form.save()\nimage.save(buffer)",
        "from . import schedule",
        "import socketio\nsocketio.SimpleClient().connect('https://shop.example')",
        "cherrypy.config.update({'tools.sessions.storage_type': 'redis'})",
        "log.websocket('closed')",
        "from quart import websocket\nwebsocket.headers",
        "if __name__ == '__main__':\n    open('notes', 'w')",
        "import click\n@click.command('init-db')\ndef init_db():\n    open('notes', 'w')",
        "@app.cli.command()\ndef init_db():\n    open('notes', 'w')",
    ],
)
def test_what_works_on_lambda_is_not_found(code):
    assert seen(code) == []


def test_an_application_of_socket_io_can_not_work():
    source = Source("shop/app.py", ast.parse("from flask_socketio import SocketIO\nSocketIO(app)"))
    assert [finding.stops for finding in rules.findings(source)] == [True]


def test_there_is_no_alarm_about_the_sample_and_the_examples_but_for_the_stream():
    found = [
        (finding.file, finding.what.partition(":")[0])
        for folder in ("scripts", *(f"examples/{name}" for name in ("views", "fastapi", "tasks", "shop", "site")))
        for source in sources(ROOT / folder)
        for finding in rules.findings(source)
    ]
    assert found == [(str(ROOT / "examples/fastapi/greetings.py"), "streams its answer")]


def test_every_rule_names_a_way_out_in_whole_sentences():
    for rule in rules.RULES:
        assert rule.instead.endswith("."), rule.what
        assert not rule.what.endswith("."), rule.what


def test_tests_scripts_and_what_is_not_deployed_are_not_read(tmp_path):
    for name in (
        "app.py",
        "shop/views.py",
        "tests/conftest.py",
        "test_app.py",
        ".venv/x.py",
        "node_modules/a.py",
        "setup.py",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("a = 1\n")
    assert [source.name for source in sources(tmp_path)] == [str(tmp_path / "app.py"), str(tmp_path / "shop/views.py")]
