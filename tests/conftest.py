"""What tests share: the real parts they run against, each made once and stopped with the session."""

from __future__ import annotations

import gc
import os
import platform
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox.ministack import MiniStack
from sandbox.runner.container_engine import find_engine
from sandbox.runner.images import ImageStore
from tests.support import containers, image_leftovers, image_processes, service_models
from tests.support.api_accounts import ApiAccount, built
from tests.support.images import Image, ImageLaidOut, ImageOfEngine
from tests.support.program import REGION, Deployed, Program
from tests.support.slow_tests import SlowTests
from walk.account import Account

ROOT = Path(__file__).parents[1]
CACHE = ROOT / ".sandbox" / "cache"
HTTPBIN = {"APP_DIR": "examples/httpbin", "FLASK_APP": "httpbin:app"}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--no-skips", action="store_true", help="fail when a test was skipped, as continuous integration does"
    )


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(SlowTests())
    service_models.read_once()


_LONG = (
    *("corpus", "image", "interruptions", "operations", "examples", "test_readme_commands.py"),
    *("dualmode/test_module_bundle.py", "sandbox/runner"),
    *(f"infra/test_{name}.py" for name in ("life_cycle", "everything_on", "preview_environment", "settings_fuzz")),
    *(f"sandbox/test_{name}.py" for name in ("container_sandbox", "secrets_and_data", "sandbox_command", "watch")),
)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts files that take long first: otherwise one of them may be left at the end, on one processor alone."""
    places = [ROOT / "tests" / name for name in _LONG]
    items.sort(key=lambda item: not any(item.path.is_relative_to(place) for place in places))


def pytest_collection_finish() -> None:
    """Lets the garbage collector look no more at what was imported and collected, which stays."""
    gc.freeze()


_bound_elsewhere: set[str] = set()


def _note_bind(event: str, arguments: tuple[object, ...]) -> None:
    if event == "socket.bind" and isinstance(arguments[1], tuple):
        host = arguments[1][0]
        if host not in ("127.0.0.1", "localhost", "::1"):
            _bound_elsewhere.add(f"{arguments[1]} in {os.environ.get('PYTEST_CURRENT_TEST')}")


sys.addaudithook(_note_bind)


@pytest.fixture(autouse=True)
def _on_loopback_only() -> Iterator[None]:
    """Fails a test that binds a socket of its own process to another address than loopback (SECURITY.md)."""
    yield
    found = sorted(_bound_elsewhere)
    _bound_elsewhere.clear()
    assert found == []


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    if session.config.getoption("--no-skips") and skipped:
        reporter.write_line(f"{len(skipped)} tests were skipped, and --no-skips allows none", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(scope="session")
def rie() -> Path:
    """AWS's Runtime Interface Emulator, a binary that the wheel of aws-sam-cli carries."""
    if os.environ.get("DUALMODE_RIE"):
        return Path(os.environ["DUALMODE_RIE"])
    machine = {"x86_64": "x86_64", "aarch64": "arm64"}[platform.machine()]
    binary = CACHE / f"aws-lambda-rie-{machine}"
    if not binary.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as folder:
            requirements = ROOT / "tests" / "rie-requirements.txt"
            download = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps"]
            subprocess.run([*download, "--require-hashes", "-r", requirements, "-d", folder], check=True, timeout=300)
            with zipfile.ZipFile(next(Path(folder).glob("*.whl"))) as wheel:
                content = wheel.read(f"samcli/local/rapid/{binary.name}")
        partial = binary.with_suffix(f".{os.getpid()}.partial")
        partial.write_bytes(content)
        partial.chmod(0o755)
        partial.rename(binary)
    return binary


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The container engine's command, docker or podman; what can be seen in a container only is skipped without."""
    found = find_engine()
    if found is None:
        pytest.skip("needs a container: neither docker nor podman answers here, or DUALMODE_ENGINE is none")
    base = containers.base_image()
    if not has_image(found, base):
        pytest.skip(
            f"{found} answers, but can't pull the base image {base}: "
            "set DUALMODE_BASE_IMAGE to one that this machine has, or DUALMODE_ENGINE=none"
        )
    containers.remove_orphans(found)
    yield found
    if os.environ.get("DUALMODE_TEST_IMAGES") != "keep":
        record, states = CACHE / "image-layers.json", tmp_path_factory.getbasetemp()
        image_leftovers.remove(found, _image_tags, containers.layers, record, states)


def has_image(engine: str, image: str) -> bool:
    """Whether the engine has the image, or can pull it."""
    return any(
        subprocess.run([engine, *words, image], capture_output=True, timeout=300).returncode == 0
        for words in (("image", "inspect"), ("pull",))
    )


_image_tags: set[str] = set()


def image_tag(name: str) -> str:
    """A tag for an image of this working copy's tests, which goes when they end: another copy's may run meanwhile."""
    tag = f"localhost/dualmode-test-{zlib.crc32(str(ROOT).encode()):08x}:{name}"
    _image_tags.add(tag)
    return tag


def build_image(engine: str, tag: str, **arguments: str) -> str:
    """Builds the project's image with build arguments; its tag."""
    built = containers.build(engine, ROOT, tag, **arguments)
    assert built.succeeded, built.output[-6000:]
    return tag


@pytest.fixture(scope="session")
def sample_image(engine: str) -> str:
    """The image with the sample application."""
    return build_image(engine, image_tag("sample"))


@pytest.fixture(scope="session")
def httpbin_image(engine: str) -> str:
    """The image with httpbin, a Flask application from the package index, unmodified."""
    return build_image(engine, image_tag("httpbin"), **HTTPBIN)


@pytest.fixture(scope="session")
def build_to_run(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Image]:
    """Builds the project's image under a name for whatever can run it here: containers, or processes without them."""
    engine = find_engine()
    store = ImageStore(tmp_path_factory.mktemp("images"), None, venvs=ROOT / ".sandbox" / "venvs")

    def build(name: str, **arguments: str) -> Image:
        if engine:
            return ImageOfEngine(engine, build_image(engine, image_tag(name), **arguments))
        image = image_processes.build(store, **arguments)
        return ImageLaidOut(image, store.python(image))

    return build


@pytest.fixture(scope="session")
def sample_anywhere(build_to_run: Callable[..., Image]) -> Image:
    """The image with the sample application, in containers or in processes."""
    return build_to_run("sample")


@pytest.fixture(scope="session")
def httpbin_anywhere(build_to_run: Callable[..., Image]) -> Image:
    """The image with httpbin, in containers or in processes."""
    return build_to_run("httpbin", **HTTPBIN)


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """The real program and an emulated account to run it against."""
    state = tmp_path_factory.mktemp("program")
    with MiniStack(state=state, region=REGION) as ministack:
        yield Program(ministack, state)


@pytest.fixture(scope="module")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MiniStack]:
    """An emulated AWS of a module's own."""
    with MiniStack(tmp_path_factory.mktemp("aws")) as ministack:
        yield ministack


@pytest.fixture(scope="module")
def account(ministack: MiniStack) -> Account:
    """The account of `ministack`."""
    return Account(ministack.endpoint_url, ministack.region, ministack.credentials)


@pytest.fixture
def made(ministack: MiniStack, account: Account) -> Iterator[ApiAccount]:
    """The account of `ministack` with an API on a domain, as a person builds it by boto3, and what was made for it."""
    ministack.reset()
    with built(account) as found:
        yield found


@pytest.fixture(scope="session")
def with_domain(program: Program) -> Deployed:
    """The program's work with a domain, as it was when it had just ended."""
    return program.deploy(domainName="app.sandbox.test", environment={"TOKEN": "hunter2"})


@pytest.fixture(scope="session")
def without_domain(program: Program) -> Deployed:
    """The program's work with the dev stack's own settings, as it was when it had just ended."""
    return program.deploy()
