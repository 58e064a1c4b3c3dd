"""The HTTP server, byte by byte and with the clients that people use."""

import contextlib
import http.client
import re
import shutil
import socket
import subprocess
import threading
import time

import pytest
import requests

from dualmode.gateway.http.connection import Timeouts
from dualmode.gateway.http.message import Response
from dualmode.gateway.http.server import HttpServer
from tests.support.waiting import until

LIMIT = 1_000
SHORT = Timeouts(idle=0.3, head=0.3, body=0.3, send=0.3)


def mirror(request):
    """A response that says what the request was."""
    headers = tuple((f"x-{name.lower()}", value) for name, value in request.headers)
    return Response(status=200, headers=(("x-line", f"{request.method} {request.target}"), *headers), body=request.body)


def serve(respond=mirror, **options):
    server = HttpServer("127.0.0.1", 0, respond, **{"body_limit": LIMIT, **options})
    server.start()
    return server


@pytest.fixture
def server():
    made = serve()
    yield made
    made.stop()


def connect(server):
    return socket.create_connection(("127.0.0.1", server.port), timeout=30)


def exchange(server, sent):
    """Everything the server sends for these bytes, until it closes."""
    with connect(server) as sock:
        sock.sendall(sent)
        received = b""
        while data := sock.recv(65536):
            received += data
        return received


def status(received):
    return int(received.split(b" ", 2)[1])


def get(*lines, target="/", version="HTTP/1.1"):
    return "\r\n".join([f"GET {target} {version}", "Host: h", "Connection: close", *lines, "", ""]).encode("latin-1")


def post(body, *lines):
    return "\r\n".join(["POST / HTTP/1.1", "Host: h", "Connection: close", *lines, "", ""]).encode() + body


MALFORMED = [
    pytest.param(b"nonsense\r\n\r\n", 400, id="no-request-line"),
    pytest.param(b"GET /\r\n\r\n", 400, id="no-version"),
    pytest.param(b"GET /a b HTTP/1.1\r\nHost: h\r\n\r\n", 400, id="a-blank-in-the-target"),
    pytest.param(b"GET /\x00 HTTP/1.1\r\nHost: h\r\n\r\n", 400, id="a-nul-in-the-target"),
    pytest.param(b"G@T / HTTP/1.1\r\nHost: h\r\n\r\n", 400, id="no-method"),
    pytest.param(b"GET / HTTP/2.0\r\nHost: h\r\n\r\n", 505, id="another-version"),
    pytest.param(b"GET / HTTP/1.1\r\n\r\n", 400, id="no-host"),
    pytest.param(b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, id="two-hosts"),
    pytest.param(get("x y: 1"), 400, id="a-blank-in-a-name"),
    pytest.param(get("x : 1"), 400, id="a-blank-before-the-colon"),
    pytest.param(get("no colon"), 400, id="no-colon"),
    pytest.param(get("x: a", " folded"), 400, id="a-folded-header"),
    pytest.param(get("x: a\nsmuggled: b"), 400, id="a-bare-line-feed"),
    pytest.param(get("x: a\rb"), 400, id="a-bare-carriage-return"),
    pytest.param(get("x: a\x00b"), 400, id="a-nul-in-a-value"),
    pytest.param(get("Expect: the-unexpected"), 417, id="another-expectation"),
    pytest.param(get("x: " + "a" * 70_000), 431, id="an-endless-head"),
]

SMUGGLING = [
    pytest.param(post(b"0\r\n\r\n", "Content-Length: 5", "Transfer-Encoding: chunked"), 400, id="both-lengths"),
    pytest.param(post(b"0\r\n\r\n", "Transfer-Encoding: chunked", "Content-Length: 5"), 400, id="both-other-order"),
    pytest.param(post(b"abc", "Content-Length: 3", "Content-Length: 3"), 400, id="two-equal-lengths"),
    pytest.param(post(b"abc", "Content-Length: 3", "Content-Length: 5"), 400, id="two-lengths"),
    pytest.param(post(b"abc", "Content-Length: 3, 3"), 400, id="a-list-of-lengths"),
    pytest.param(post(b"abc", "Content-Length: +3"), 400, id="a-signed-length"),
    pytest.param(post(b"abc", "Content-Length: -3"), 400, id="a-negative-length"),
    pytest.param(post(b"abc", "Content-Length: 0x3"), 400, id="a-hexadecimal-length"),
    pytest.param(post(b"abc", "Content-Length: \uff13"), 400, id="a-digit-of-another-script"),
    pytest.param(post(b"abc", "Content-Length:"), 400, id="an-empty-length"),
    pytest.param(post(b"0\r\n\r\n", "Transfer-Encoding: xchunked"), 501, id="another-coding"),
    pytest.param(post(b"0\r\n\r\n", "Transfer-Encoding: gzip, chunked"), 501, id="two-codings"),
    pytest.param(
        post(b"0\r\n\r\n", "Transfer-Encoding: chunked", "Transfer-Encoding: identity"), 501, id="two-coding-headers"
    ),
    pytest.param(
        b"POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, id="chunks-in-http-1.0"
    ),
    pytest.param(post(b"3\nabc\r\n0\r\n\r\n", "Transfer-Encoding: chunked"), 400, id="a-chunk-size-without-its-end"),
    pytest.param(post(b"3\r\nabcd\r\n0\r\n\r\n", "Transfer-Encoding: chunked"), 400, id="a-chunk-that-is-longer"),
    pytest.param(post(b"3\r\nabcXX0\r\n\r\n", "Transfer-Encoding: chunked"), 400, id="a-chunk-without-its-end"),
    pytest.param(post(b"-3\r\nabc\r\n0\r\n\r\n", "Transfer-Encoding: chunked"), 400, id="a-negative-chunk"),
    pytest.param(post(b"0x3\r\nabc\r\n0\r\n\r\n", "Transfer-Encoding: chunked"), 400, id="a-prefixed-chunk-size"),
    pytest.param(post(b"z\r\n\r\n", "Transfer-Encoding: chunked"), 400, id="no-chunk-size"),
    *(
        pytest.param(post(b"0\r\n\r\n" + get(target="/smuggled"), *lines), answer, id=name)
        for name, answer, *lines in (
            ("cl-te", 400, "Content-Length: 60", "Transfer-Encoding: chunked"),
            ("te-cl", 400, "Transfer-Encoding: chunked", "Content-Length: 4"),
            ("te-te", 501, "Transfer-Encoding: chunked", "Transfer-Encoding: x"),
            ("te-te-equal", 501, "Transfer-Encoding: chunked", "Transfer-Encoding: chunked"),
            ("te-list", 501, "Transfer-Encoding: chunked, identity"),
            ("te-quoted", 501, 'Transfer-Encoding: "chunked"'),
            ("te-before-the-colon", 400, "Transfer-Encoding : chunked"),
            ("te-tab-before-the-colon", 400, "Transfer-Encoding\t: chunked"),
            ("te-folded", 400, "Transfer-Encoding:", " chunked"),
            ("te-behind-a-line-feed", 400, "X: y\nTransfer-Encoding: chunked"),
            ("te-behind-a-carriage-return", 400, "X: y\rTransfer-Encoding: chunked"),
            ("te-vertical-tab", 400, "Transfer-Encoding: \x0bchunked"),
            ("te-nul", 400, "Transfer-Encoding: chunked\x00"),
            ("te-indented", 400, " Transfer-Encoding: chunked"),
            ("cl-zero-and-more", 400, "Content-Length: 0", "Content-Length: 60"),
            ("cl-with-a-blank-in-it", 400, "Content-Length: 6 0"),
            ("cl-folded", 400, "Content-Length: 6", "\t0"),
        )
    ),
    *(
        pytest.param(post(body + get(target="/smuggled"), "Transfer-Encoding: chunked"), 400, id=name)
        for name, body in (
            ("an-extension-with-a-line-feed", b"0;a\nb\r\n\r\n"),
            ("an-extension-with-a-carriage-return", b"0;a\rb\r\n\r\n"),
            ("a-chunk-ended-by-a-line-feed", b"1\r\nx\n0\r\n\r\n"),
            ("a-last-chunk-ended-by-a-line-feed", b"0\n\n"),
            ("a-chunk-size-beyond-64-bits", b"10000000000000000\r\n"),
            ("a-blank-before-a-chunk-size", b" 0\r\n\r\n"),
            ("a-trailer-with-a-line-feed", b"0\r\nx: y\n\r\n\r\n"),
            ("a-trailer-that-is-a-request", b"0\r\n"),
        )
    ),
]


@pytest.mark.parametrize(("sent", "answer"), [*MALFORMED, *SMUGGLING])
def test_what_could_be_understood_in_two_ways_is_refused_and_the_connection_closed(server, sent, answer):
    received = exchange(server, sent)

    assert status(received) == answer
    assert len(re.findall(rb"HTTP/1\.1 \d\d\d ", received)) == 1
    assert b"connection: close" in received


def test_requests_follow_each_other_on_a_connection(server):
    with connect(server) as sock:
        for number in range(3):
            sock.sendall(f"GET /{number} HTTP/1.1\r\nHost: h\r\n\r\n".encode())
            received = sock.recv(65536)
            assert f"x-line: GET /{number}\r\n".encode() in received
            assert b"connection: keep-alive" in received


def test_requests_sent_at_once_are_answered_in_order(server):
    one, two = b"POST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc", get(target="/2")

    received = exchange(server, one + two)

    assert received.index(b"x-line: POST /1") < received.index(b"x-line: GET /2")
    assert received.count(b"HTTP/1.1 200") == 2


@pytest.mark.parametrize(
    ("head", "kept"),
    [
        (b"GET / HTTP/1.1\r\nHost: h\r\n\r\n", True),
        (b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", False),
        (b"GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, Close\r\n\r\n", False),
        (b"GET / HTTP/1.0\r\n\r\n", False),
        (b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", True),
    ],
)
def test_a_connection_is_kept_where_the_client_wants_it(server, head, kept):
    with connect(server) as sock:
        sock.sendall(head)
        answer = sock.recv(65536)
        sock.sendall(b"GET / HTTP/1.0\r\n\r\n")
        more = b""
        with contextlib.suppress(ConnectionResetError):
            more = sock.recv(65536)

    assert (b"connection: keep-alive" in answer) is kept
    assert bool(more) is kept


@pytest.mark.parametrize(
    ("chunks", "body"),
    [
        (b"0\r\n\r\n", b""),
        (b"3\r\nabc\r\n0\r\n\r\n", b"abc"),
        (b"3;name=value\r\nabc\r\nA\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n", b"abc0123456789"),
    ],
)
def test_chunks_are_put_together(server, chunks, body):
    received = exchange(server, post(chunks, "Transfer-Encoding: chunked"))

    assert received.partition(b"\r\n\r\n")[2] == body
    assert f"content-length: {len(body)}".encode() in received


def test_head_gets_no_body_and_the_length_of_one():
    server = serve(lambda request: Response(status=200, headers=(), body=b"four"))
    try:
        received = exchange(server, b"HEAD / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
    finally:
        server.stop()

    head, _, body = received.partition(b"\r\n\r\n")
    assert (b"content-length: 4" in head, body) == (True, b"")


@pytest.mark.parametrize("code", [204, 304])
def test_a_status_without_a_body_gets_none(code):
    server = serve(lambda request: Response(status=code, headers=(), body=b"four"))
    try:
        received = exchange(server, get())
    finally:
        server.stop()

    assert received.partition(b"\r\n\r\n")[2] == b""
    assert b"content-length" not in received


def test_bytes_beyond_ascii_survive(server):
    received = exchange(server, get("X-Name: caf\xe9", target="/\xc3\xa9"))

    assert b"x-x-name: caf\xe9\r\n" in received
    assert b"x-line: GET /\xc3\xa9\r\n" in received


@pytest.mark.parametrize("length", [LIMIT, LIMIT + 1])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_may_be_as_long_as_the_limit(server, length, chunked):
    body = b"x" * length
    sent = post(b"%x\r\n%s\r\n0\r\n\r\n" % (length, body), "Transfer-Encoding: chunked")
    if not chunked:
        sent = post(body, f"Content-Length: {length}")

    assert status(exchange(server, sent)) == (200 if length == LIMIT else 413)


def test_a_refused_upload_gets_its_answer_though_it_is_still_being_sent(server):
    body = b"x" * 5_000_000

    received = exchange(server, post(body, f"Content-Length: {len(body)}"))

    assert status(received) == 413


def test_a_client_that_waits_is_told_to_continue(server):
    with connect(server) as sock:
        sock.sendall(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
        assert sock.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        sock.sendall(b"abc")
        assert sock.recv(65536).endswith(b"\r\n\r\nabc")


def test_a_client_that_waits_with_too_much_is_refused_at_once(server):
    sent = f"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: {LIMIT + 1}\r\nExpect: 100-continue\r\n\r\n".encode()

    with connect(server) as sock:
        sock.sendall(sent)
        assert status(sock.recv(65536)) == 413


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(b"", id="silence"),
        pytest.param(b"GET / HTTP/1.1\r\nHost", id="half-a-head"),
        pytest.param(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc", id="half-a-body"),
        pytest.param(b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc", id="half-a-chunk"),
    ],
)
def test_a_silent_client_is_cut_off(sent):
    server = serve(timeouts=SHORT)
    try:
        began = time.monotonic()
        assert exchange(server, sent) == b""  # which waits no longer than connect() says
        assert time.monotonic() - began > 0.2
    finally:
        server.stop()


def drip(sock, deadline):
    while time.monotonic() < deadline:
        sock.sendall(b"x")
        time.sleep(0.05)


def test_a_client_that_drips_is_cut_off():
    server = serve(timeouts=SHORT)
    try:
        with connect(server) as sock:
            deadline = time.monotonic() + 30
            with pytest.raises((BrokenPipeError, ConnectionResetError)):
                drip(sock, deadline)
    finally:
        server.stop()


def test_connections_beyond_the_limit_wait_their_turn():
    server = serve(connections=1)
    try:
        with connect(server) as first:
            first.sendall(b"GET /1 HTTP/1.1\r\nHost: h\r\n\r\n")
            assert b"GET /1" in first.recv(65536)
            with connect(server) as second:
                second.sendall(b"GET /2 HTTP/1.1\r\nHost: h\r\n\r\n")
                second.settimeout(0.2)
                with pytest.raises(TimeoutError):
                    second.recv(65536)
                first.close()
                second.settimeout(10)
                assert b"GET /2" in second.recv(65536)
    finally:
        server.stop()


def test_a_failure_of_the_handler_is_an_answer(caplog):
    def fail(request):
        raise LookupError("inside")

    server = serve(fail)
    try:
        received = exchange(server, get())
    finally:
        server.stop()

    assert (status(received), b"inside" in received) == (500, False)
    assert "inside" in caplog.text


def test_a_taken_port_is_an_error(server):
    with pytest.raises(OSError, match="in use"):
        HttpServer("127.0.0.1", server.port, mirror)


def test_a_stopped_server_lets_its_port_go_and_cuts_its_connections(server):
    with connect(server) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        sock.recv(65536)
        server.stop()
        assert sock.recv(1) == b""

    again = HttpServer("127.0.0.1", server.port, mirror)
    again.stop()
    until(lambda: f"accept:{server.port}" not in {thread.name for thread in threading.enumerate()})


def test_the_peers_address_is_known():
    server = serve(lambda request: Response(status=200, headers=(("x-client", request.client),)))
    try:
        assert b"x-client: 127.0.0.1\r\n" in exchange(server, get())
    finally:
        server.stop()


def test_it_serves_ipv6():
    server = HttpServer("::1", 0, lambda request: Response(status=200, headers=(("x-client", request.client),)))
    server.start()
    try:
        connection = http.client.HTTPConnection("::1", server.port, timeout=10)
        connection.request("GET", "/")
        assert connection.getresponse().getheader("x-client") == "::1"
        connection.close()
    finally:
        server.stop()


def curl(server, *arguments, stdin=b""):
    command = ["curl", "--silent", "--show-error", "--include", "--max-time", "20", *arguments]
    command.append(f"http://127.0.0.1:{server.port}/c")
    return subprocess.run(command, input=stdin, capture_output=True, check=True).stdout


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize(
    ("arguments", "ending"),
    [
        pytest.param(["--data-binary", "abc"], b"\r\n\r\nabc", id="a-body"),
        pytest.param(["--header", "Transfer-Encoding: chunked", "--data-binary", "@-"], b"\r\n\r\nstdin", id="chunks"),
        pytest.param(
            ["--header", "Expect: 100-continue", "--data-binary", "abc"], b"\r\n\r\nabc", id="expect-continue"
        ),
        pytest.param(["--upload-file", "-"], b"\r\n\r\nstdin", id="an-upload-of-unknown-length"),
        pytest.param(["--head"], b"connection: keep-alive\r\n\r\n", id="head"),
        pytest.param(["--http1.0"], b"connection: close\r\n\r\n", id="http-1.0"),
        pytest.param(["--request", "PROPFIND"], b"\r\n\r\n", id="another-method"),
    ],
)
def test_curl_is_served(server, arguments, ending):
    received = curl(server, *arguments, stdin=b"stdin")

    assert received.endswith(ending)
    assert b"HTTP/1.1 200 OK\r\n" in received


def test_requests_is_served(server):
    address = f"http://127.0.0.1:{server.port}/r"
    with requests.Session() as session:
        assert session.post(address, data=b"abc").content == b"abc"
        assert session.post(address, data=(piece for piece in (b"a", b"bc"))).content == b"abc"
        assert session.head(address).headers["content-length"] == "0"
        assert session.put(address, data=b"a", headers={"Expect": "100-continue"}).content == b"a"
        assert session.post(address, data=b"x" * (LIMIT + 1)).status_code == 413
        assert session.get(address).headers["x-line"] == "GET /r"


def test_many_clients_get_each_their_own(server):
    wrong = []

    def ask(number):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
        for count in range(20):
            connection.request("POST", "/", f"{number}-{count}")
            if connection.getresponse().read() != f"{number}-{count}".encode():
                wrong.append(number)
        connection.close()

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert wrong == []
