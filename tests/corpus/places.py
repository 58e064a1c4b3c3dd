"""Where an application of the corpus runs: deployed in the sandbox, or on its own server in local mode."""

from __future__ import annotations

import contextlib
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from dualmode.gateway.http.message import Request
from sandbox import ends_with_parent, settings
from sandbox.edge.edge import Edge
from sandbox.provider.provider import Provider
from sandbox.pulumi_drivers import mocks_driver
from sandbox.runner.images import ImageStore
from sandbox.runner.venvs import process_environment
from sandbox.runner.version_runner import VersionRunner
from tests.conftest import CACHE, ROOT
from tests.corpus.application import Application, Reply
from tests.corpus.browser import Send
from tests.support.ports import free_ports
from tests.support.program import Program

HERE = Path(__file__).parent
FOLDER = "app"


def source_distributions() -> Path:
    """The folder of the source distributions whose examples are applications, downloaded the first time."""
    folder = CACHE / "corpus"
    if not folder.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as scratch:
            download = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps"]
            download += ["--require-hashes", "-r", str(HERE / "sources.txt"), "-d", scratch]
            subprocess.run(download, check=True, timeout=300)
            for archive in Path(scratch).glob("*.tar.gz"):
                with tarfile.open(archive) as content:
                    content.extractall(Path(scratch) / "unpacked", filter="data")
            with contextlib.suppress(OSError):  # another run of the tests was faster
                (Path(scratch) / "unpacked").rename(folder)
    return folder


def project_of(application: Application, folder: Path, store: ImageStore) -> Path:
    """The repository with an application copied into it, as the README says, and nothing else of the tests."""
    for part in ("dualmode", "infra", "scripts"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("__main__.py", ".dockerignore", "Pulumi.yaml", "Pulumi.dev.yaml"):
        shutil.copy(ROOT / file, folder)
    app = folder / FOLDER
    if application.source:
        shutil.copytree(source_distributions() / application.source, app)
    own = HERE / "apps" / application.name
    if own.exists():
        shutil.copytree(own, app, dirs_exist_ok=True)

    def python() -> Path:
        """The Python of an image that has the application's packages, and no application yet."""
        arguments = {"APP_DIR": FOLDER, "CHECK_IMPORT": "0"}
        file = folder / "infra" / "Dockerfile"
        built = store.build(context=folder, dockerfile=file, args=arguments, platform="linux/amd64")
        image = store.find(built.digest)
        assert image is not None
        return store.python(image)

    if application.prepare is not None:
        application.prepare(python, app)
    return folder


@contextlib.contextmanager
def own_files(application: Application) -> Iterator[dict[str, str]]:
    """The application's variables, with a path below /tmp of its own, where nothing is left afterwards."""
    prefix = f"/tmp/corpus-{uuid.uuid4().hex[:8]}"
    files = [Path(file) for file in application.files]
    for file in files:
        file.unlink(missing_ok=True)
    try:
        yield {name: value.replace("{tmp}", prefix) for name, value in application.environment.items()}
    finally:
        for path in [*files, *Path("/tmp").glob(f"{Path(prefix).name}*")]:
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)


@contextlib.contextmanager
def deployed(application: Application, project: Path, program: Program, store: ImageStore) -> Iterator[Send]:
    """The application, deployed by settings alone and served through the sandbox's account."""
    with own_files(application) as variables:
        loaded = settings.load_project(project)
        chosen = {
            "appDir": FOLDER,
            "flaskApp": application.flask_app,
            "environment": variables,
            "domainName": "app.sandbox.test",
        }
        if os.environ.get("DUALMODE_BASE_IMAGE"):
            chosen["baseImage"] = os.environ["DUALMODE_BASE_IMAGE"]
        program.empty()
        config = settings.load(loaded, "dev", chosen)
        provider = Provider(program.account, store, project)
        outputs, _ = mocks_driver.deploy(loaded, config, provider, program.variables, lambda _: None)
        logs = project / "logs"
        name = urlsplit(str(outputs["url"])).hostname
        with VersionRunner(store, logs=logs, reaching={}, account_id=program.account.account_id) as runner:
            edge = Edge(program.account, runner, default_name=name)

            def send(method: str, target: str, headers: list[tuple[str, str]], body: bytes) -> Reply:
                answer = edge.answer(Request(method=method, target=target, headers=tuple(headers), body=body))
                assert answer.trace.refusal is None, answer.trace.refusal
                if answer.response.status >= 500:
                    raise AssertionError("\n".join(log.read_text()[-3000:] for log in logs.glob("*.log")))
                return Reply(answer.response.status, tuple(answer.response.headers), answer.response.body)

            yield send


@contextlib.contextmanager
def on_its_own_server(application: Application, project: Path, store: ImageStore) -> Iterator[Send]:
    """The application in local mode, in a process."""
    arguments = {"APP_DIR": FOLDER, "FLASK_APP": application.flask_app, "CHECK_IMPORT": "0"}
    file = project / "infra" / "Dockerfile"
    built = store.build(context=project, dockerfile=file, args=arguments, platform="linux/amd64")
    image = store.find(built.digest)
    assert image is not None
    log = project / "local.log"
    (port,) = free_ports(1)
    with own_files(application) as variables, log.open("wb") as output:
        environment = {
            **process_environment(store.python(image)),
            **variables,
            "RUN_MODE": "local",
            "FLASK_APP": application.flask_app,
            "PORT": str(port),
            "FLASK_RUN_HOST": "127.0.0.1",
        }
        process = subprocess.Popen(
            ends_with_parent.alone([str(image.runtime / "scripts" / "entrypoint.sh")]),
            cwd=image.task,
            env=environment,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        try:
            wait_until_it_listens(process, port, log)
            yield sender(port)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)


def wait_until_it_listens(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """By trying, since some applications keep the server's own words off the log."""
    deadline = time.monotonic() + 60
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)


def sender(port: int) -> Send:
    def send(method: str, target: str, headers: list[tuple[str, str]], body: bytes) -> Reply:
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
            connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            for name, value in headers:
                connection.putheader(name, value)
            if body or method in ("POST", "PUT"):
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body or None)
            response = connection.getresponse()
            return Reply(response.status, tuple(response.getheaders()), response.read())

    return send
