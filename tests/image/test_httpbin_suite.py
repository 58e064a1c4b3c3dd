"""httpbin's own tests, unmodified, against its image in gateway mode."""

import os
import subprocess
import sys
import tarfile
import tempfile
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.conftest import CACHE, ROOT
from tests.support.bundle_use import VERBOSE, check_bundle


class Excuse(NamedTuple):
    """Why a test can't hold behind an HTTP API: a case of docs/http-api.md, and what the test says where it fails."""

    case: str
    says: str


HTTPS = "R37"  # httpbin shows the scheme in the URL
EXCEPTIONS = {
    "test_absolute_redirect_n_equals_to_1": Excuse(HTTPS, "not found in 'https://localhost/get'"),
    "test_absolute_redirect_n_higher_than_1": Excuse(HTTPS, "not found in 'https://localhost/absolute-redirect/4'"),
    "test_anything": Excuse(HTTPS, "not found in 'https://localhost/anything/foo/bar'"),
    "test_get": Excuse(HTTPS, "not found in 'https://localhost/get'"),
    "test_redirect_absolute_param_n_higher_than_1": Excuse(
        HTTPS, "not found in 'https://localhost/absolute-redirect/4'"
    ),
    "test_post_chunked": Excuse(
        "R36",  # httpbin refuses chunks where the server isn't gunicorn
        "200 != 501",
    ),
    "test_response_headers_multi": Excuse("S08", "['dog, cat'] != ['dog', 'cat']"),
}


@pytest.fixture(scope="session")
def source_distribution():
    """httpbin's source distribution, which has its tests; the wheel hasn't."""
    archive = CACHE / "httpbin-0.10.4.tar.gz"
    if not archive.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as folder:
            requirements = ROOT / "tests" / "httpbin-requirements.txt"
            download = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps"]
            subprocess.run([*download, "--require-hashes", "-r", requirements, "-d", folder], check=True, timeout=300)
            (Path(folder) / archive.name).rename(archive)
    return archive


@pytest.fixture(scope="session")
def suite(source_distribution, tmp_path_factory):
    folder = tmp_path_factory.mktemp("httpbin")
    with tarfile.open(source_distribution) as archive:
        content = archive.extractfile("httpbin-0.10.4/tests/test_httpbin.py").read()
    path = folder / "test_httpbin.py"
    path.write_bytes(content)
    return path


def failures(suite, port):
    """How many tests of the suite ran against a port, and those that failed with what they say."""
    report = suite.with_suffix(".xml")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "tests.support.httpbin_over_http"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "HTTPBIN_PORT": str(port)}
    run = [*command, f"--rootdir={suite.parent}", f"--junitxml={report}", suite]
    done = subprocess.run(run, cwd=suite.parent, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    cases = list(ElementTree.parse(report).iter("testcase"))
    problems = {
        case.get("name"): problem.text for case in cases for problem in (*case.iter("failure"), *case.iter("error"))
    }
    return len(cases), problems


@pytest.mark.slow
@pytest.mark.case(*sorted({excuse.case for excuse in EXCEPTIONS.values()}))
def test_httpbin_passes_its_own_tests_in_gateway_mode(httpbin_anywhere, suite):
    with httpbin_anywhere.serving("gateway", environment=VERBOSE) as running:
        count, failed = failures(suite, running.port(3000))
        check_bundle(running, ["httpbin.core", "flask.globals", "json.decoder"], used=httpbin_anywhere.has_bundle)
    assert {name: problem for name, problem in failed.items() if name not in EXCEPTIONS} == {}
    assert {name for name, excuse in EXCEPTIONS.items() if excuse.says in failed.get(name, "")} == set(EXCEPTIONS)
    assert count == 70
