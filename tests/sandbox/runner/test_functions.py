import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dualmode.gateway.api_gateway.request_event import Endpoint, event_from_request
from dualmode.gateway.http.message import Request
from sandbox.edge.functions import FunctionFailedError, FunctionTimedOutError
from sandbox.errors import SandboxError
from sandbox.notes import Notes
from sandbox.runner import process_disk
from sandbox.runner.container_engine import traits
from sandbox.runner.images import ImageStore
from sandbox.runner.version_runner import VersionRunner
from tests.support.planted import is_planted, plant
from tests.support.processes import commands, lives
from tests.support.program import ROOT
from tests.support.waiting import until
from walk.function_version import FunctionVersion

PROBE = """
import os, pathlib, sqlite3, time
from flask import Flask, request

app = Flask(__name__)
if os.environ.get("BROKEN"):
    raise RuntimeError("this version is broken")

@app.get("/about")
def about():
    try:
        pathlib.Path("written").write_text("")
        writable = True
    except OSError:
        writable = False
    pathlib.Path("/tmp/written").write_text("")
    return {"environ": dict(os.environ), "pid": os.getpid(), "uid": os.getuid(), "writable": writable}

@app.get("/disk")
def disk():
    folder = pathlib.Path(app.root_path)
    attempts = {
        "file": lambda: (folder / "file").write_text("x"),
        "changed": lambda: (folder / "probe.py").open("a").close(),
        "folder": lambda: (folder / "instance").mkdir(),
        "removed": lambda: (folder / "probe.py").unlink(),
        "database": lambda: sqlite3.connect(folder / "x.db").execute("create table a (b)"),
        "existing folder": lambda: folder.mkdir(exist_ok=True),
        "temporary": lambda: pathlib.Path("/tmp/written").write_text(""),
        "device": lambda: pathlib.Path("/dev/null").write_text("x"),
    }
    found = {}
    for name, attempt in attempts.items():
        try:
            attempt()
            found[name] = "done"
        except OSError as error:
            found[name] = type(error).__name__
        except sqlite3.Error as error:
            found[name] = str(error)
    return found

@app.get("/fill")
def fill():
    file = pathlib.Path("/tmp/filled")
    try:
        with file.open("wb") as filled:
            for _ in range(int(request.args["mb"])):
                filled.write(bytes(1024 * 1024))
        return {"filled": file.stat().st_size}
    except OSError as error:
        return {"error": error.strerror}
    finally:
        file.unlink()

@app.get("/sleep")
def sleep():
    time.sleep(float(request.args["seconds"]))
    return {}

@app.get("/boom")
def boom():
    raise RuntimeError("boom")

@app.get("/exit")
def leave():
    os._exit(3)
"""


@pytest.fixture(scope="module")
def context(tmp_path_factory):
    folder = tmp_path_factory.mktemp("functions") / "project"
    for part in ("scripts", "dualmode", "infra"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "probe").mkdir()
    (folder / "probe" / "probe.py").write_text(PROBE)
    return folder


@pytest.fixture(scope="module")
def built(context):
    """Builds the probe's image, with an engine or without; the store and the image's digest."""
    done = {}

    def build(engine=None):
        if engine not in done:
            store = ImageStore(context.parent / f"state-{engine}", engine, venvs=ROOT / ".sandbox" / "venvs")
            arguments = {"APP_DIR": "probe", "FLASK_APP": "probe:app"}
            if engine and os.environ.get("DUALMODE_BASE_IMAGE"):
                arguments["BASE_IMAGE"] = os.environ["DUALMODE_BASE_IMAGE"]
            dockerfile = context / "infra" / "Dockerfile"
            image = store.build(context=context, dockerfile=dockerfile, args=arguments, platform="linux/amd64")
            done[engine] = store, image.digest
        return done[engine]

    return build


def running(request, built, folder):
    """Runs the probe in the way that the parameter says."""
    engine = request.getfixturevalue("engine") if request.param == "container" else None
    store, digest = built(engine)
    environment = {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_REGION": "eu-west-1", "OVERRIDDEN": "no"}
    found = VersionRunner(store, logs=folder, reaching=environment, account_id="000000000000")
    found.digest = digest
    return found


@pytest.fixture(params=["process", "container"], scope="module")
def runner(request, built, tmp_path_factory):
    """What runs the probe, once in each way; tests share what it has started."""
    with running(request, built, tmp_path_factory.mktemp("logs")) as found:
        yield found


@pytest.fixture(params=["process", "container"])
def own_runner(request, built, tmp_path):
    """A runner that its test may stop."""
    with running(request, built, tmp_path) as found:
        yield found


def version(runner, number="7", **different):
    settings = {
        "name": "shop",
        "version": number,
        "image": runner.digest,
        "repository": "shop",
        "timeout": 5,
        "memory_size": 256,
        "storage": 512,
        "architecture": "x86_64",
        "variables": {"COLOUR": "blue", "OVERRIDDEN": "yes", "TWO_LINES": "a\nb"},
        "log_format": "JSON",
        "log_level": "WARN",
        "system_log_level": "DEBUG",
        "log_group": "/aws/lambda/shop-logs",
        "revision": "1",
    } | different
    return FunctionVersion(**settings)


def ask(runner, path, function=None, timeout=30.0, logged=lambda _: None):
    """The body of the function's answer to GET path."""
    request = Request(method="GET", target=path, headers=(("Host", "shop.test"),))
    event = event_from_request(request, Endpoint(), request_id="id", time=time.time())
    function = function or version(runner)
    result = runner.invoke(function, json.dumps(event).encode(), qualifier="live", timeout=timeout, logged=logged)
    return json.loads(json.loads(result)["body"])


def test_a_version_runs_with_its_configuration(runner):
    about = ask(runner, "/about")
    expected = {
        "COLOUR": "blue",
        "OVERRIDDEN": "yes",
        "TWO_LINES": "a\nb",
        "FLASK_APP": "probe:app",
        "HOME": "/tmp",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "AWS_REGION": "eu-west-1",
        "AWS_LAMBDA_FUNCTION_NAME": "shop",
        "AWS_LAMBDA_FUNCTION_VERSION": "7",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
        "AWS_LAMBDA_LOG_FORMAT": "JSON",
        "AWS_LAMBDA_LOG_LEVEL": "WARN",
        "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/shop-logs",
    }
    assert {name: about["environ"].get(name) for name in expected} == expected


def test_nothing_of_the_users_own_environment_reaches_a_version(runner, monkeypatch):
    monkeypatch.setenv("SECRET_OF_THE_SHELL", "1")
    assert "SECRET_OF_THE_SHELL" not in ask(runner, "/about")["environ"]


def test_a_version_has_the_sandboxs_account_and_nothing_of_the_users(own_runner, monkeypatch, tmp_path):
    planted, listener = plant(tmp_path)
    with listener:
        for name, value in planted.variables.items():
            monkeypatch.setenv(name, value)
        found = ask(own_runner, "/about")["environ"]
    assert [name for name, value in found.items() if is_planted(name, value, planted)] == []
    account = {name: value for name, value in found.items() if name.startswith("AWS_") and "LAMBDA" not in name}
    assert account == {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_EXECUTION_ENV": "AWS_Lambda_Image",
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
    }
    assert planted.heard == []


@pytest.mark.parametrize("own_runner", ["container"], indirect=True)
def test_a_variable_of_a_container_shows_in_no_list_of_processes(own_runner, monkeypatch, tmp_path):
    secrets = {
        "TOKEN": "hunter2-token",
        "DOCKER_HOST": "hunter2-host",
        "LINES": "hunter2\nlines",
        "SPACES": " 'hunter2' ",
    }
    monkeypatch.setenv("TOKEN", "the shell's own")
    with commands() as seen:
        environ = ask(own_runner, "/about", version(own_runner, variables=secrets))["environ"]
        left = [path.name for path in tmp_path.iterdir()]
    assert {name: environ[name] for name in secrets} == secrets
    assert any("--env-file" in command for command in seen)
    assert not [command for command in seen if "hunter2" in command]
    assert left == ["shop-7.log"]


@pytest.mark.parametrize("own_runner", ["container"], indirect=True)
def test_a_line_break_in_a_variable_that_the_engine_reads_is_refused(own_runner, engine):
    with pytest.raises(SandboxError) as refused:
        own_runner.start(version(own_runner, variables={"DOCKER_HOST": "a\nb"}))
    assert str(refused.value) == (
        f"The variable DOCKER_HOST of shop:7 has a line break, but {engine} can't pass that on "
        "in a variable that it reads itself: remove the line break."
    )


@pytest.mark.parametrize("runner", ["container"], indirect=True)
def test_a_container_is_as_unprivileged_as_lambda(runner):
    about = ask(runner, "/about")
    assert about["uid"] not in (0, 10001)  # neither root nor the image's own user


DONE_ON_LAMBDA = {"existing folder": "done", "temporary": "done", "device": "done"}


def test_a_function_writes_to_tmp_alone(runner):
    assert not ask(runner, "/about")["writable"]
    found = ask(runner, "/disk", version(runner, "20"))
    assert {name: what for name, what in found.items() if what == "done"} == DONE_ON_LAMBDA
    assert found["database"] == "unable to open database file"
    assert {found[name] for name in ("file", "changed", "folder", "removed")} <= {"OSError", "PermissionError"}


def test_tmp_takes_as_much_as_its_storage_and_no_more(runner, request):
    if request.node.callspec.params["runner"] == "process" and not process_disk._has_own_disk():
        pytest.skip("the kernel gives this user no mount namespace")
    small = version(runner, "21", storage=16)  # MB
    assert ask(runner, "/fill?mb=12", small) == {"filled": 12 * 1024 * 1024}
    assert ask(runner, "/fill?mb=17", small) == {"error": "No space left on device"}
    assert ask(runner, "/fill?mb=12", small) == {"filled": 12 * 1024 * 1024}


@pytest.mark.parametrize("own_runner", ["process"], indirect=True)
def test_a_process_has_a_tmp_of_its_own(own_runner):
    if not process_disk._has_own_disk():
        pytest.skip("the kernel gives this user no mount namespace")
    Path("/tmp/written").unlink(missing_ok=True)
    ask(own_runner, "/about")
    assert not Path("/tmp/written").exists()


@pytest.mark.parametrize(
    ("own_runner", "own_disk"),
    [
        ("process", True),
        ("process", False),
        ("container", True),
    ],
    indirect=["own_runner"],
)
def test_each_refused_write_is_told_with_its_line_also_if_the_application_catches_it(
    own_runner, own_disk, monkeypatch, tmp_path, request
):
    contained = request.node.callspec.params["own_runner"] == "container"
    if contained and not traits(request.getfixturevalue("engine")).shares_loopback:
        pytest.skip("the engine runs on another machine, which has no folder of this one")
    if not contained and own_disk and not process_disk._has_own_disk():
        pytest.skip("the kernel gives this user no mount namespace")
    if not own_disk:
        monkeypatch.setattr(process_disk, "_has_own_disk", lambda: False)
    notes = Notes(tmp_path)
    found = ask(own_runner, "/disk")
    assert {name for name, what in found.items() if what == "done"} == set(DONE_ON_LAMBDA)
    lines = [number for number, line in enumerate(PROBE.splitlines(), 1) if "lambda: " in line][:5]
    places = zip(["file", "probe.py", "instance", "probe.py", "x.db"], lines, strict=True)
    assert [sentence.partition(": ")[0] for sentence in notes.new()] == [
        f"/var/task/{file} can't be written (probe.py, line {line})" for file, line in places
    ]


def test_a_refused_write_of_an_installed_package_names_the_package(tmp_path):
    package = tmp_path / "site-packages" / "shelf"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    task = tmp_path / "task"
    task.mkdir()
    (package / "store.py").write_text(f"import werkzeug.saving\nwerkzeug.saving.save('{task}/index')\n")
    (package.parent / "werkzeug").mkdir()
    (package.parent / "werkzeug" / "__init__.py").write_text("")
    (package.parent / "werkzeug" / "saving.py").write_text("def save(path):\n    open(path, 'w')\n")
    variables = {"AWS_LAMBDA_RUNTIME_API": "x", "LAMBDA_TASK_ROOT": str(task), "DUALMODE_DISK": "refuse"}
    path = f"{process_disk.environment('')['PYTHONPATH']}:{package.parent}"
    ended = subprocess.run(
        [sys.executable, "-c", "import shelf.store"],
        cwd="/",
        env={**variables, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.stderr.splitlines()[0] == (
        f"sandbox: refused write\t{task}/index\tpackage shelf, shelf/store.py, line 2"
    )


def test_a_process_cannot_undo_what_separates_its_disk(tmp_path):
    if not process_disk._has_own_disk():
        pytest.skip("the kernel gives this user no mount namespace")
    attempt = "import ctypes; print(ctypes.CDLL(None).mount(b'none', b'/', None, 4096 | 32, None))"  # bind, remount
    command = process_disk.on_lambdas_disk([sys.executable, "-c", attempt], task=tmp_path, folders=[Path(sys.prefix)])
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60).stdout == "-1\n"


def test_a_version_is_started_once_and_another_one_beside_it(runner):
    first = ask(runner, "/about")
    second = ask(runner, "/about", version(runner, "8", variables={"COLOUR": "red"}))
    assert second["environ"]["COLOUR"] == "red"
    assert ask(runner, "/about")["pid"] == first["pid"]


def test_a_version_that_was_changed_is_started_anew(runner):
    ask(runner, "/about", version(runner, "8", variables={"COLOUR": "red"}))
    changed = version(runner, "8", revision="2", variables={"COLOUR": "green"})
    assert ask(runner, "/about", changed)["environ"]["COLOUR"] == "green"


def test_a_gateway_that_was_killed_is_started_anew(runner):
    ask(runner, "/about")
    program = runner.start(version(runner))
    program.signal_stop()
    program.wait_stopped()
    assert not program.alive
    assert ask(runner, "/about")["environ"]["COLOUR"] == "blue"


def test_what_a_function_answers_too_late_is_not_waited_for(runner):
    ask(runner, "/about")
    with pytest.raises(FunctionTimedOutError):
        ask(runner, "/sleep?seconds=3", timeout=0.3)


def test_a_function_that_exceeds_its_own_timeout_fails(runner):
    with pytest.raises(FunctionFailedError, match=r"Sandbox.Timedout: .*Task timed out after 1.00 seconds"):
        ask(runner, "/sleep?seconds=3", version(runner, "9", timeout=1))


def test_a_function_that_ends_fails_and_the_next_request_is_served(runner):
    with pytest.raises(FunctionFailedError, match=r"Runtime.ExitError: .*exit status 3"):
        ask(runner, "/exit")
    assert ask(runner, "/about")["environ"]["COLOUR"] == "blue"


def test_a_version_that_cannot_be_imported_fails_with_its_error(runner):
    with pytest.raises(FunctionFailedError, match="this version is broken"):
        ask(runner, "/about", version(runner, "10", variables={"BROKEN": "1"}))


def line_of(message):
    return PROBE.splitlines().index(next(line for line in PROBE.splitlines() if f'Error("{message}")' in line)) + 1


@pytest.mark.parametrize("log_format", ["JSON", "Text"])
def test_a_failed_request_leaves_its_traceback_as_python_prints_it(runner, log_format):
    logged = []
    function = version(
        runner, f"1{log_format}", log_format=log_format, log_level="ERROR" if log_format == "JSON" else ""
    )
    with pytest.raises(json.JSONDecodeError):  # it is a page
        ask(runner, "/boom", function, logged=logged.append)
    (part,) = logged
    part.wait(10.0)
    first, *_, frame, line, last = part.traceback()
    assert first == "Traceback (most recent call last):"
    assert frame == f'  File "/var/task/probe.py", line {line_of("boom")}, in boom'
    assert (line, last) == ('    raise RuntimeError("boom")', "RuntimeError: boom")


def test_a_version_that_cannot_be_imported_leaves_its_traceback(runner):
    logged = []
    with pytest.raises(FunctionFailedError):
        ask(runner, "/about", version(runner, "13", variables={"BROKEN": "1"}), logged=logged.append)
    logged[0].wait(10.0)
    assert logged[0].traceback()[-3:] == [
        f'  File "/var/task/probe.py", line {line_of("this version is broken")}, in <module>',
        '    raise RuntimeError("this version is broken")',
        "RuntimeError: this version is broken",
    ]


def test_a_function_leaves_a_log_and_nothing_else_after_a_stop(own_runner, tmp_path):
    program = own_runner.start(version(own_runner))
    ask(own_runner, "/about")
    own_runner.stop()
    assert not program.alive
    assert '"type":"platform.initStart"' in (tmp_path / "shop-7.log").read_text()
    with pytest.raises(SandboxError):
        own_runner.start(version(own_runner))


def test_a_version_whose_image_was_not_built_here_cannot_run(runner):
    with pytest.raises(SandboxError, match="was not built by this sandbox"):
        runner.start(version(runner, "11", image="sha256:" + "0" * 64))


def test_a_program_that_ends_at_once_is_told_with_its_last_line(runner):
    broken = version(runner, "12", variables={"GATEWAY_WORKERS": "many"})
    with pytest.raises(SandboxError, match="GATEWAY_WORKERS"):
        runner.start(broken)


OWNER = """
import sys, threading
from pathlib import Path
sys.path.insert(0, {root!r})
from sandbox.runner.function_program import FunctionProgram, free_port

SERVE = '''
import http.server, os, sys
print(os.getpid(), flush=True)
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), http.server.SimpleHTTPRequestHandler).serve_forever()
'''
port = free_port()
command = [sys.executable, "-c", SERVE, str(port)]
program = FunctionProgram(command, variables={{}}, folder=Path("/"), log=Path({log!r}), events_port=port)
program.start()
print("started", flush=True)
threading.Event().wait()
"""


def test_a_killed_sandbox_leaves_no_function_behind(tmp_path):
    log = tmp_path / "log"
    code = OWNER.format(root=str(ROOT), log=str(log))
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout.readline() == "started\n"
        pid = int(log.read_text().split()[0])
        owner.send_signal(signal.SIGKILL)
    until(lambda: not lives(pid))
