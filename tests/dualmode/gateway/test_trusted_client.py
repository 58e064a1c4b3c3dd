"""The ports that only programs on this machine may use: no web page gets at them, by no name."""

import http.client
import json

import pytest

from dualmode.gateway.http.message import Request, Response
from dualmode.gateway.http.server import HttpServer
from dualmode.gateway.http.trusted_client import is_address_or, objection
from dualmode.gateway.lambda_.runtime_api import Ready, RuntimeApi
from tests.support.gateways import event, gateway
from tests.support.waiting import until

OWN = [
    "127.0.0.1",
    "127.0.0.1:8080",
    "localhost",
    "LocalHost:49153",
    "[::1]",
    "[::1]:8080",
    "172.17.0.2:8080",
    "app",
    "APP:8080",
]
FOREIGN = [
    "",
    "evil.example",
    "evil.example:8080",
    "localhost.evil.example",
    "127.0.0.1.evil.example:8080",
    "127.0.0.1.",
    "0177.0.0.1",
    "2130706433",
    "127.0.0.1:8080:8080",
    "127.0.0.1@evil.example",
    "[evil.example]:8080",
    "::1",
    "app.evil.example",
    "evil.example:80\u00b2",
]


@pytest.mark.parametrize("host", OWN)
def test_an_address_localhost_and_a_listed_name_are_this_server(host):
    assert is_address_or({"app"})(host)


@pytest.mark.parametrize("host", FOREIGN)
def test_any_other_name_could_be_a_page_s_own(host):
    assert not is_address_or({"app"})(host)


def asked(**headers):
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    request = Request(method="GET", target="/", headers=named)
    return objection(request, takes_host=is_address_or(()), remedy="use localhost.")


def test_the_sentence_says_what_is_refused_and_what_to_do():
    assert asked(Host="localhost:1") is None
    assert asked(Host="evil.example") == (
        "The Host 'evil.example' is not allowed here, so that no web page can use this port: use localhost."
    )
    for name in ("Origin", "sec_fetch_site", "Sec_Fetch_Mode"):
        assert asked(Host="localhost", **{name: "none"}) == (
            f"The header {name.replace('_', '-')} says that a web page sent this request, and web pages are refused:"
            " leave it out."
        )
    assert len(asked(Host="a" * 60_000)) < 300


def exchange(port, method, path, body=None, **headers):
    """The answer to a request whose Host is that of the headers, if they name one."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def test_a_server_refuses_before_it_reads_the_body():
    server = HttpServer(
        "127.0.0.1", 0, lambda request: Response(status=200, headers=()), objection=lambda request: "No."
    )
    server.start()
    try:
        assert exchange(server.port, "POST", "/", Expect="100-continue", Content_Length="9") == (
            403,
            b'{"message":"No."}',
        )
    finally:
        server.stop()


PAGES = [
    {"Host": "evil.example"},
    {"Host": "localhost"},
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
    {"Sec_Fetch_Site": "same-origin"},
    {"Sec_Fetch_Mode": "no-cors"},
]
NEXT = "/2018-06-01/runtime/invocation/next"


@pytest.mark.parametrize("headers", [*PAGES, {"Host": "127.0.0.1"}], ids=str)
def test_a_page_fetches_no_event_and_answers_none(headers):
    api = RuntimeApi((heard := []).append)
    api.start()
    port = int(api.address.rpartition(":")[2])
    try:
        for method, path, body in (
            ("GET", NEXT, None),
            ("POST", "/2018-06-01/runtime/init/error", b"{}"),
            ("POST", "/2018-06-01/runtime/invocation//response", b'"forged"'),
            ("POST", "/2018-06-01/runtime/invocation//response", b"x" * 6_291_557),  # what is too long is an answer too
        ):
            status, answer = exchange(port, method, path, body, **headers)
            assert (status, json.loads(answer)["errorType"], heard) == (403, "AccessDenied", [])
        own = http.client.HTTPConnection(api.address, timeout=10)
        own.request("GET", NEXT)
        until(lambda: heard == [Ready()])
        own.close()
    finally:
        api.stop()


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with gateway(tmp_path_factory.mktemp("gateway"), GATEWAY_EVENTS_HOSTS="function, function.internal") as made:
        yield made


INVOKE = "/2015-03-31/functions/function/invocations"


@pytest.mark.parametrize("headers", [PAGES[0], *PAGES[2:5]], ids=str)
def test_a_page_sends_no_events(running, headers):
    status, answer = exchange(running.events_port, "POST", INVOKE, event(), **headers)

    assert (status, json.loads(answer)["Type"]) == (403, "User")


def test_a_host_that_is_refused_is_told_of_the_variable_that_allows_it(running):
    assert exchange(running.events_port, "POST", INVOKE, event(), Host="other:8080") == (
        403,
        b'{"Type":"User","Message":"The Host \'other:8080\' is not allowed here, so that no web page'
        b' can use this port: use an IP address or localhost, or add the name to GATEWAY_EVENTS_HOSTS."}',
    )


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "localhost:9000"},
        {"Host": "172.17.0.2:8080"},
        {"Host": "[::1]:1"},
        {"Host": "function:8080"},
        {"Host": "FUNCTION.internal"},
        {"Sec_Fetch_Mode": "cors"},  # of Node's fetch, which is a program
    ],
    ids=str,
)
def test_programs_send_events_under_the_names_that_they_have_for_it(running, headers):
    assert exchange(running.events_port, "POST", INVOKE, event(), **headers)[0] == 200


def test_clients_of_the_application_may_call_it_by_any_name(running):
    assert exchange(running.port, "GET", "/", Host="shop.example", Origin="https://shop.example")[0] == 200
