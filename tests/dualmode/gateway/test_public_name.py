import pytest

from dualmode.gateway.api_gateway.public_name import sent_to
from dualmode.gateway.http.message import Request


def headers_sent_to(name, *headers):
    return sent_to(Request(method="POST", target="/order", headers=headers), name).headers


@pytest.mark.parametrize(
    ("name", "header", "value", "expected"),
    [
        (None, "Referer", "http://127.0.0.1:3000/form", "https://127.0.0.1:3000/form"),
        (None, "Origin", "http://127.0.0.1:3000", "https://127.0.0.1:3000"),
        ("app.sandbox.test", "Referer", "http://127.0.0.1:3000/form", "https://app.sandbox.test/form"),
        ("app.sandbox.test", "origin", "http://127.0.0.1:3000", "https://app.sandbox.test"),
        ("app.sandbox.test", "Referer", "http://127.0.0.1:30001/form", "http://127.0.0.1:30001/form"),
        (
            "app.sandbox.test",
            "Referer",
            "http://evil.test/http://127.0.0.1:3000/",
            "http://evil.test/http://127.0.0.1:3000/",
        ),
        ("app.sandbox.test", "Origin", "null", "null"),
        ("app.sandbox.test", "X-Page", "http://127.0.0.1:3000/form", "http://127.0.0.1:3000/form"),
    ],
)
def test_the_page_that_a_form_was_sent_from_is_on_the_site_that_it_is_sent_to(name, header, value, expected):
    host = ("Host", "127.0.0.1:3000")
    assert headers_sent_to(name, host, (header, value)) == (("Host", name or "127.0.0.1:3000"), (header, expected))


def test_a_request_without_a_host_gets_the_name():
    assert headers_sent_to("app.sandbox.test", ("Accept", "*/*")) == (("Host", "app.sandbox.test"), ("Accept", "*/*"))
