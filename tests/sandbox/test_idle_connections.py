"""Connections that are used for more than one request, and when they aren't."""

import contextlib
import http.client

import pytest

from dualmode.gateway.http.message import json_response
from dualmode.gateway.http.server import HttpServer
from sandbox.idle_connections import IdleConnections


@pytest.fixture
def server():
    found = HttpServer("127.0.0.1", 0, lambda _: json_response(200, {}))
    found.start()
    yield found
    found.stop()


class Clock:
    seconds = 100.0

    def __call__(self):
        return self.seconds


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def connections(server, clock):
    found = IdleConnections(lambda: http.client.HTTPConnection("127.0.0.1", server.port, timeout=20), 30.0, clock)
    yield found
    found.close()


def asked(connections):
    """A connection on which a request was answered; it waits for the next one."""
    with connections.one(20) as connection:
        connection.request("GET", "/")
        assert connection.getresponse().read() == b"{}"
    return connection


def test_the_next_request_goes_over_the_connection_of_the_one_before(connections):
    first = asked(connections)
    socket = first.sock
    assert asked(connections) is first
    assert first.sock is socket


def test_two_requests_at_once_have_a_connection_each(connections):
    with connections.one(20) as first, connections.one(20) as second:
        assert first is not second


def test_a_connection_that_the_server_has_closed_is_not_used(connections, server):
    first = asked(connections)
    server.stop()
    assert first.sock.recv(1) == b""  # the end has arrived
    with connections.one(20) as second:
        assert second is not first


def test_a_connection_that_has_waited_for_too_long_is_not_used(connections, clock):
    first = asked(connections)
    clock.seconds += 30
    assert asked(connections) is not first
    assert first.sock is None


def test_a_connection_whose_request_failed_is_not_used(connections):
    with contextlib.suppress(KeyError), connections.one(20) as first:
        first.request("GET", "/")
        raise KeyError
    assert first.sock is None
    assert asked(connections) is not first


def test_each_request_has_its_own_time(connections):
    assert asked(connections).sock.gettimeout() == 20
    with connections.one(5) as connection:
        assert connection.sock.gettimeout() == 5


def test_a_connection_that_is_in_use_at_the_end_is_closed_after_its_request(connections):
    with connections.one(20) as connection:
        connections.close()
        connection.request("GET", "/")
        assert connection.getresponse().read() == b"{}"
    assert connection.sock is None
