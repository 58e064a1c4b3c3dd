import pytest

from dualmode.gateway.http.message import Request, Response
from sandbox.edge.answer import Answer
from sandbox.edge.edge import respond_with
from sandbox.edge.way_back import led_back
from walk.trace import Trace

NAME = "app.sandbox.test"


def led(host, *headers, name=NAME):
    request = Request(method="GET", target="/", headers=(("Host", host),))
    return led_back(request, Response(status=302, headers=headers), name).headers


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost:8000", "[::1]:8000", "LocalHost"])
@pytest.mark.parametrize("scheme", ["https:", "http:", "", "HTTPS:"])
def test_a_redirect_to_the_domain_leads_a_local_client_back_to_where_it_came_from(host, scheme):
    assert led(host, ("location", f"{scheme}//{NAME}/slash/?a=https://{NAME}/")) == (
        ("location", f"http://{host}/slash/?a=https://{NAME}/"),
    )


@pytest.mark.parametrize("rest", ["", "/", "?a=b", "#top", ":443/a", ":80"])
def test_a_redirect_to_the_domain_is_known_whatever_follows_its_name(rest):
    rest_without_port = rest.removeprefix(":443").removeprefix(":80")
    assert led("localhost:8000", ("Location", f"https://{NAME}{rest}")) == (
        ("Location", f"http://localhost:8000{rest_without_port}"),
    )


@pytest.mark.parametrize(
    "location",
    [
        "/slash/",
        "slash/",
        "https://example.com/",
        f"https://{NAME}.example.com/",
        f"https://login.{NAME}/",
        f"https://example.com/?next=https://{NAME}/",
        f"https://user@{NAME}/",
        f"ftp://{NAME}/",
    ],
)
def test_a_redirect_to_elsewhere_stays_as_it_is(location):
    assert led("127.0.0.1:8000", ("location", location)) == (("location", location),)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("a=b; Secure; HttpOnly; Path=/", "a=b; HttpOnly; Path=/"),
        ("a=b;secure", "a=b"),
        ("a=b; Path=/; SameSite=None; Secure; Partitioned", "a=b; Path=/"),
        ("a=b; Secure; SameSite=Lax", "a=b; SameSite=Lax"),
        ("a=b; SameSite=None", "a=b; SameSite=None"),
        (f"a=b; Domain={NAME}; Path=/", "a=b; Path=/"),
        ("a=b; domain=.sandbox.test", "a=b"),
        ("a=b; Domain=example.com", "a=b; Domain=example.com"),
        ("secure=1; Path=/secure", "secure=1; Path=/secure"),
        ("__Host-a=b; Secure; Path=/", "__Host-a=b; Secure; Path=/"),
    ],
)
def test_a_local_client_gets_cookies_that_it_keeps_on_http(sent, kept):
    assert led("127.0.0.1:8000", ("Set-Cookie", sent)) == (("Set-Cookie", kept),)


@pytest.mark.parametrize("host", [NAME, f"{NAME}:443", NAME.upper(), "other.example.com", ""])
def test_a_client_that_names_the_domain_gets_what_aws_sends(host):
    sent = (("location", f"https://{NAME}/slash/"), ("set-cookie", "a=b; Secure"))
    assert led(host, *sent) == sent


def test_where_no_name_is_known_nothing_is_changed():
    sent = (("location", f"https://{NAME}/slash/"),)
    assert led("127.0.0.1:8000", *sent, name=None) == sent


def test_the_terminal_is_told_what_aws_sends_and_the_local_client_is_led_back():
    class Redirecting:
        default_name = NAME

        def answer(self, request):
            response = Response(status=308, headers=(("location", f"https://{NAME}/slash/"),))
            return Answer(response=response, trace=Trace(), duration=1.0)

    told = []
    respond = respond_with(Redirecting(), lambda request, answer: told.append(answer.response.headers))
    request = Request(method="GET", target="/slash", headers=(("Host", "localhost:8000"),))
    assert respond(request).headers == (("location", "http://localhost:8000/slash/"),)
    assert told == [(("location", f"https://{NAME}/slash/"),)]
