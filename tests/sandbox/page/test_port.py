"""The page's port itself: which one it is, what it answers, and what the page may do in a browser."""

import json
import re
import socket
import time
import urllib.error
import urllib.request

import pytest

from dualmode.gateway.http.message import Request, Response
from sandbox.edge.answer import Answer
from sandbox.errors import SandboxError
from sandbox.page.port import PagePort
from tests.sandbox.page.test_feed import told
from tests.support.account_faults import faults_of
from walk.trace import Hop, Trace


@pytest.fixture
def sent():
    return []


def a_port(ministack, tmp_path, sent, first):
    def send(request):
        sent.append(request)
        return {"status": 204}

    faults = faults_of(ministack, tmp_path)
    return PagePort(ministack.account, tmp_path, {"url": "https://app.sandbox.test"}, send, faults, first=first)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as found:
        return found.getsockname()[1]


@pytest.fixture
def port(ministack, tmp_path, sent):
    with a_port(ministack, tmp_path, sent, free_port()) as made:
        yield made


def ask(port, path, body=None, **headers):
    data = None if body is None else json.dumps(body).encode()
    own = {} if body is None else {"Origin": f"http://127.0.0.1:{port.port}"}
    request = urllib.request.Request(port.address.rstrip("/") + path, data, {**own, **headers})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


def test_a_port_that_is_taken_gives_way_to_the_next_free_one(ministack, tmp_path, sent):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        first = taken.getsockname()[1]
        made = a_port(ministack, tmp_path, sent, first)
        with made:
            assert ask(made, "/")[0] == 200
    assert first < made.port < first + 20
    assert made.address == f"http://127.0.0.1:{made.port}/"


def test_no_free_port_is_said_with_the_way_out(ministack, tmp_path, sent, monkeypatch):
    monkeypatch.setattr("sandbox.page.port._TRIES", 1)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        with pytest.raises(SandboxError) as refused:
            a_port(ministack, tmp_path, sent, number)
    assert str(refused.value) == (
        f"No port from {number} to {number} is free for the page: "
        "set --page-port to another number, or to 0 for no page."
    )


def test_the_page_may_run_its_own_script_alone_and_in_no_frame(port):
    status, headers, body = ask(port, "/")
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert status == 200
    assert policy["default-src"] == policy["frame-ancestors"] == "'none'"
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["cache-control"] == "no-store"
    assert not re.search(rb'(?:src|href)="(?!data:,")', body)  # all of it is in one file


def test_the_form_sends_a_request_as_it_is_written(port, sent):
    form = {"line": "post /pay?a=b", "headers": ["Authorization: Bearer x"], "body": '{"a": 1}'}
    status, _, body = ask(port, "/send", form)
    assert (status, json.loads(body)) == (200, {"status": 204})
    assert sent == [
        Request(
            method="POST",
            target="/pay?a=b",
            headers=(("Host", "localhost"), ("Authorization", "Bearer x"), ("Content-Type", "application/json")),
            body=b'{"a": 1}',
        )
    ]


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        (
            {"line": "GET hello", "headers": [], "body": ""},
            "A request takes a method and a path, as in 'GET /hello', not 'GET hello'.",
        ),
        (
            {"line": "GET /", "headers": ["nothing"], "body": ""},
            "A header takes a name and a value, as in 'Accept: text/html', not 'nothing'.",
        ),
        ([], 'The form is JSON: {"line": "GET /hello", "headers": ["Accept: text/html"], "body": ""}.'),
    ],
)
def test_what_is_written_wrongly_is_said_and_not_sent(port, sent, form, sentence):
    status, _, body = ask(port, "/send", form)
    assert (status, json.loads(body), sent) == (400, {"message": sentence}, [])


def test_a_program_may_not_send_through_the_page(port, sent):
    status, _, body = ask(port, "/send", {"line": "GET /", "headers": [], "body": ""}, Origin="http://127.0.0.1:1")
    assert (status, sent) == (403, [])
    assert "web pages are refused" in json.loads(body)["message"]


def test_a_request_is_shown_with_its_hops_and_without_its_headers_and_body(port):
    request = Request(method="POST", target="/pay?a=b", headers=(("Cookie", "secret-1"),), body=b"secret-2")
    hops = [
        Hop(hop="stage", id="$default", detail="50 requests/s"),
        Hop(hop="route", id="r", detail="no", refused=True),
    ]
    response = Response(status=500, headers=(("set-cookie", "secret-3"),), body=b"secret-4")
    alarms = [Hop(hop="alarm", id="shop-5xx", detail="would go off: a 5xx")]
    port.asked(request, Answer(response=response, trace=Trace(hops=hops), duration=12.0), alarms)
    events, _ = told(ask(port, "/events")[2])
    (shown,) = [document for kind, document in events if kind == "request"]
    assert [(hop["hop"], hop["id"], hop["detail"], hop["refused"]) for hop in shown["hops"]] == [
        ("stage", "$default", "50 requests/s", False),
        ("route", "r", "no", True),
    ]
    assert (shown["method"], shown["target"], shown["status"], shown["duration"]) == ("POST", "/pay?a=b", 500, 12.0)
    assert shown["alarms"] == [{"id": "shop-5xx", "detail": "would go off: a 5xx"}]
    assert "secret" not in json.dumps(events)


def test_the_time_of_each_hop_is_counted_from_the_begin_of_the_request(port):
    now = time.monotonic()
    hops = [Hop(hop="stage", id="s", detail="", at=now - 60), Hop(hop="image", id="i", detail="", at=now - 20)]
    request = Request(method="GET", target="/", headers=())
    answer = Answer(response=Response(status=200, headers=()), trace=Trace(hops=hops), duration=100_000.0)
    port.asked(request, answer, [])
    events, _ = told(ask(port, "/events")[2])
    (shown,) = [document for kind, document in events if kind == "request"]
    assert [hop["at"] for hop in shown["hops"]] == [pytest.approx(40_000, abs=5_000), pytest.approx(80_000, abs=5_000)]
