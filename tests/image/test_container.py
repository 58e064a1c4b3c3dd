"""How a container of the image starts, stops and bears the conditions that Lambda has."""

import contextlib

import pytest

from tests.conftest import image_tag
from tests.image.test_image_modes import event_of, reply_of
from tests.support.containers import build, project_with, serving, started, under_rie

# A user's application that brings another Flask, and tells what it runs in.
PROBE = """
import importlib.metadata
import os
from pathlib import Path

from flask import Flask, request

app = Flask(__name__)


@app.get("/flask")
def version():
    return {"version": importlib.metadata.version("flask")}


@app.get("/self")
def itself():
    return {"user": os.getuid(), "group": os.getgid(), "directory": os.getcwd(), "home": str(Path.home())}


@app.put("/write")
def write():
    try:
        Path(request.args["path"]).write_text("x")
    except OSError as error:
        return {"error": type(error).__name__, "number": error.errno}
    return {"written": Path(request.args["path"]).read_text()}
"""
EROFS = 30


@pytest.fixture(scope="module")
def probe_image(engine, tmp_path_factory):
    project = project_with(
        tmp_path_factory.mktemp("probe"), {"probe.py": PROBE, "requirements.txt": "flask==3.0.3\nwerkzeug<3.1\n"}
    )
    tag = image_tag("probe")
    result = build(engine, project, tag, APP_DIR="app", FLASK_APP="probe:app")
    assert result.succeeded, result.output
    return tag


@pytest.mark.parametrize("mode", ["local", "gateway"])
def test_an_application_may_bring_another_flask(mode, engine, probe_image):
    with serving(engine, probe_image, mode) as container:
        assert container.request("GET", "/flask").json == {"version": "3.0.3"}


@pytest.fixture(scope="module")
def hardened(engine, probe_image, rie):
    """The probe under the emulator, on a disk that can't be written, as a user that the image doesn't know."""
    options = ["--read-only", "--tmpfs=/tmp", "--user=54321:54321"]
    with under_rie(engine, probe_image, rie, options=options) as container:
        yield lambda method, target: reply_of(container.invoke(event_of(method, target)).json).json


def test_a_function_runs_as_any_user(hardened):
    assert hardened("GET", "/self") == {"user": 54321, "group": 54321, "directory": "/var/task", "home": "/tmp"}


def test_a_function_writes_below_tmp(hardened):
    assert hardened("PUT", "/write?path=/tmp/note") == {"written": "x"}


@pytest.mark.case("L01")
@pytest.mark.parametrize("path", ["/var/task/note", "/opt/dualmode/note", "/note"])
def test_a_function_writes_nowhere_else(hardened, path):
    assert hardened("PUT", f"/write?path={path}") == {"error": "OSError", "number": EROFS}


@pytest.mark.parametrize("mode", ["local", "gateway"])
def test_a_container_on_a_read_only_disk_serves_any_user(mode, engine, sample_image):
    options = ["--read-only", "--tmpfs=/tmp", "--user=54321:54321"]
    with serving(engine, sample_image, mode, options=options) as container:
        assert container.request("GET", "/hello").json == {"message": "Hello from Flask!"}


@pytest.mark.parametrize("mode", ["local", "gateway"])
def test_a_container_stops_at_once_and_by_itself(mode, engine, sample_image):
    with serving(engine, sample_image, mode) as container:
        assert container.stop() == 0


@pytest.mark.parametrize("mode", ["local", "gateway"])
def test_a_container_stops_at_once_while_it_answers(mode, engine, httpbin_image):
    with serving(engine, httpbin_image, mode) as container, contextlib.closing(container.open()) as connection:
        connection.request("GET", "/drip?duration=300&numbytes=300")
        if mode == "local":
            assert connection.getresponse().read(1) == b"*"
        else:
            container.wait_for_log("START RequestId", times=2)  # the first was to see that it serves
        assert container.stop() == 0


@pytest.mark.parametrize("mode", ["lokal", "Lambda", "gateway "])
def test_an_unknown_mode_is_refused_with_the_names_of_the_three(mode, engine, sample_image):
    with started(engine, sample_image, mode) as container:
        assert container.exit_code() == 64
        assert container.logs() == f"RUN_MODE={mode} is not one of local, lambda, gateway.\n"


@pytest.mark.parametrize("mode", ["", "lambda"])
def test_lambda_mode_outside_of_lambda_says_what_is_missing(mode, engine, sample_image):
    with started(engine, sample_image, mode) as container:
        assert container.exit_code() == 64
        (sentence,) = container.logs().splitlines()
    assert "AWS_LAMBDA_RUNTIME_API is not set" in sentence
    assert "RUN_MODE=gateway" in sentence


def test_a_debugged_container_reloads_what_changes_in_a_mounted_folder(engine, sample_image, tmp_path):
    def write(word):
        (tmp_path / "app.py").write_text(
            f"from flask import Flask\napp = Flask(__name__)\napp.get('/')(lambda: {word!r})\n"
        )

    tmp_path.chmod(0o755)
    write("first")
    environment = {"FLASK_DEBUG": "1", "FLASK_APP": "app:app"}
    options = [f"--volume={tmp_path}:/var/task:ro"]
    with serving(engine, sample_image, "local", environment=environment, options=options) as container:
        assert container.request("GET", "/").body == b"first"
        write("second")
        assert container.first_reply_other_than(b"first").body == b"second"
        assert container.stop() == 0
