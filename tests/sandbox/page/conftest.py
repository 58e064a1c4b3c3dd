"""A page over an account of the tests', without a sandbox around it, and a browser that shows it."""

import pytest

from sandbox.page.port import PagePort
from tests.support.account_faults import faults_of
from tests.support.browser import browser
from tests.support.ports import free_ports


@pytest.fixture
def faults(made, ministack, tmp_path):
    with faults_of(ministack, tmp_path) as found:
        yield found


@pytest.fixture
def sent():
    """The requests that the page's form has made."""
    return []


@pytest.fixture
def port(made, tmp_path, faults, sent):
    def send(request):
        sent.append(request)
        return {"status": 201, "headers": {"x-own": "1"}, "body": "<b>made</b>", "duration_ms": 4.25}

    start = {"url": "https://app.sandbox.test", "address": "http://127.0.0.1:8000", "path": "/"}
    with PagePort(made.account, tmp_path, start, send, faults, first=free_ports(1)[0]) as found:
        yield found


@pytest.fixture(scope="module")
def running_browser(tmp_path_factory):
    with browser(tmp_path_factory.mktemp("browser")) as found:
        yield found


@pytest.fixture
def opened(running_browser, port):
    running_browser.look(1400, "light")
    running_browser.open(port.address)
    running_browser.until("document.querySelectorAll('#faults button').length")
    yield running_browser
    running_browser.open("about:blank")  # the page would look for its port when that is gone
    said, running_browser.said = running_browser.said, []
    # The browser notes each answer that is a refusal, too.
    assert [line for line in said if "the server responded with a status of 4" not in line] == []
