"""Who may speak to the page's port: the page itself and programs that read, no other page, and no other name."""

import pytest

from dualmode.gateway.http.message import Request
from sandbox.page.own_page import objection_to

HOSTS = {"127.0.0.1:8001", "localhost:8001"}
OWN = {"Host": "127.0.0.1:8001", "Origin": "http://127.0.0.1:8001", "Sec-Fetch-Site": "same-origin"}


def objection(method, **headers):
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return objection_to(Request(method=method, target="/send", headers=named), HOSTS)


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("GET", {"Host": "127.0.0.1:8001"}),
        ("GET", {"Host": "LOCALHOST:8001", "Sec_Fetch_Site": "none", "Sec_Fetch_Mode": "navigate"}),
        ("GET", {"Host": "127.0.0.1:8001", "Sec_Fetch_Site": "same-origin", "Sec_Fetch_Mode": "cors"}),
        ("POST", {"Host": "127.0.0.1:8001", "Origin": "http://127.0.0.1:8001", "Sec_Fetch_Site": "same-origin"}),
        ("POST", {"Host": "localhost:8001", "Origin": "http://localhost:8001", "Sec_Fetch_Site": "same-origin"}),
    ],
)
def test_the_page_and_programs_that_read_are_let_in(method, headers):
    assert objection(method, **headers) is None


@pytest.mark.parametrize(
    ("method", "headers", "word"),
    [
        ("GET", {"Host": "evil.test:8001"}, "Host"),
        ("GET", {"Host": "127.0.0.1:8000"}, "Host"),
        ("GET", {"Host": "127.0.0.1"}, "Host"),
        ("GET", {}, "Host"),
        # A link, a script or a frame of another site, and of the application on the port beside it.
        ("GET", {"Host": "127.0.0.1:8001", "Sec_Fetch_Site": "cross-site"}, "web pages are refused"),
        ("GET", {"Host": "127.0.0.1:8001", "Sec_Fetch_Site": "same-site"}, "web pages are refused"),
        ("GET", {"Host": "127.0.0.1:8001", "Origin": "http://127.0.0.1:8000"}, "web pages are refused"),
        ("GET", {"Host": "127.0.0.1:8001", "Origin": "null"}, "web pages are refused"),
        ("POST", {"Host": "127.0.0.1:8001", "Origin": "http://localhost:8001"}, "web pages are refused"),
        (
            "POST",
            {"Host": "evil.test:8001", "Origin": "http://evil.test:8001", "Sec_Fetch_Site": "same-origin"},
            "Host",
        ),
        ("POST", {"Host": "127.0.0.1:8001"}, "Only the page"),
        ("PUT", {"Host": "127.0.0.1:8001", "Sec_Fetch_Site": "same-origin"}, "Only the page"),
    ],
)
def test_other_pages_and_names_are_refused_and_only_the_page_may_send(method, headers, word):
    assert word in objection(method, **headers)
