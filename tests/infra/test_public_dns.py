import contextlib
import os
import socket
import struct
import threading

import pytest

from infra.public_dns import RESOLVER_VARIABLE, Found, ask, leads_to
from infra.zone import delegation_warning

NAME = b"\3app\7example\3com\0"
QUESTION = NAME + struct.pack(">HH", 1, 1)
TO_THE_QUESTION = b"\xc0\x0c"  # RFC 1035, section 4.1.4: the name that is 12 bytes from the start


def message(*records, flags=0x8180, question=QUESTION):
    """An answer as a resolver would write it, but for its number. Source: RFC 1035, section 4.1."""
    return struct.pack(">HHHHH", flags, 1, len(records), 0, 0) + question + b"".join(records)


def record(name, code, data):
    return name + struct.pack(">HHIH", code, 1, 300, len(data)) + data


@pytest.fixture
def answering(monkeypatch):
    """Sets a resolver that gives the same answer to every question, with each one's own number."""
    with contextlib.ExitStack() as open_sockets:

        def answer(reply, number=None):
            server = open_sockets.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            server.bind(("127.0.0.1", 0))

            def serve():
                with contextlib.suppress(OSError):
                    while True:
                        asked, sender = server.recvfrom(512)
                        if not asked:
                            return
                        server.sendto((number or asked[:2]) + reply, sender)

            thread = threading.Thread(target=serve)
            thread.start()
            open_sockets.callback(thread.join)
            open_sockets.callback(server.sendto, b"", server.getsockname())
            monkeypatch.setenv(RESOLVER_VARIABLE, f"127.0.0.1:{server.getsockname()[1]}")

        yield answer


def test_an_answer_is_read_with_the_aliases_on_the_way(answering):
    target = b"\3d-1\11Execute-A\4test\0"
    answering(
        message(
            record(TO_THE_QUESTION, 5, target),
            record(target, 1, bytes([192, 0, 2, 1])),
            record(target, 46, b"a signature"),
        )
    )
    assert ask("app.example.com", "A") == [
        Found(type="CNAME", value="d-1.execute-a.test"),
        Found(type="A", value="192.0.2.1"),
    ]


def test_a_name_in_an_answer_may_end_in_another_one(answering):
    servers = [record(TO_THE_QUESTION, 2, b"\3ns1" + b"\xc0\x10"), record(TO_THE_QUESTION, 2, b"\xc0\x0c")]
    answering(message(*servers, question=NAME + struct.pack(">HH", 2, 1)))
    assert ask("app.example.com", "NS") == [
        Found(type="NS", value="ns1.example.com"),
        Found(type="NS", value="app.example.com"),
    ]


@pytest.mark.parametrize("flags", [0x8180, 0x8183], ids=["no record", "no such name"])
def test_that_there_is_no_record_is_an_answer(answering, flags):
    answering(message(flags=flags))
    assert ask("app.example.com", "A") == []


@pytest.mark.parametrize(
    "reply",
    [
        message(flags=0x8182),
        message(flags=0x8185),
        message(flags=0x8380),
        message(flags=0x0100),
        message(record(b"\xc0\x0c", 5, b"\xc0\x30"))[:-12],
        message(record(TO_THE_QUESTION, 5, struct.pack(">H", 0xC000 + 12 + len(QUESTION) + 12))),
        message(question=b"\5other\4test\0" + struct.pack(">HH", 1, 1)),
        b"",
    ],
    ids=["failed", "refused", "cut off", "a question", "half", "a name without end", "other question", "nothing"],
)
def test_what_cannot_be_relied_on_is_no_answer(answering, reply):
    answering(reply)
    assert ask("app.example.com", "A", timeout=0.5) is None


def test_the_answer_to_another_question_is_no_answer(answering, monkeypatch):
    monkeypatch.setattr("secrets.randbits", lambda _: 1)
    answering(message(record(TO_THE_QUESTION, 1, bytes(4))), number=b"\0\2")
    assert ask("app.example.com", "A", timeout=0.5) is None


@pytest.mark.parametrize("resolver", ["127.0.0.1:1", "nonsense", ":53:"])
def test_without_a_resolver_there_is_no_answer_and_no_error(monkeypatch, resolver):
    monkeypatch.setenv(RESOLVER_VARIABLE, resolver)
    assert ask("app.example.com", "NS", timeout=0.2) is None
    assert not leads_to("app.example.com", "d-1.test")
    assert delegation_warning("example.com", ["ns1.test"]) == ""


def test_where_one_resolver_fails_another_one_is_heard(answering, monkeypatch):
    answering(message(flags=0x8182))
    failing = os.environ[RESOLVER_VARIABLE]
    answering(message(record(TO_THE_QUESTION, 1, bytes([192, 0, 2, 1]))))
    monkeypatch.setenv(RESOLVER_VARIABLE, f"{failing},{os.environ[RESOLVER_VARIABLE]}")
    assert ask("app.example.com", "A") == [Found(type="A", value="192.0.2.1")]


def test_a_name_leads_to_another_by_an_alias_or_by_a_shared_address(answering):
    answering(message(record(TO_THE_QUESTION, 5, b"\3d-1\4test\0")))
    assert leads_to("app.example.com", "D-1.test")
    assert not leads_to("app.example.com", "d-2.test")
    answering(message(flags=0x8183))
    assert not leads_to("app.example.com", "d-1.test")


def test_a_zone_that_dns_leads_elsewhere_is_said_with_both_sets_of_servers(answering):
    question = b"\7example\3com\0" + struct.pack(">HH", 2, 1)
    answering(message(record(b"\xc0\x0c", 2, b"\3ns2\3old\0"), question=question))
    assert delegation_warning("example.com", ["ns2.new", "ns1.new"]) == (
        "DNS doesn't use the zone example.com of this account, so no certificate can be issued: DNS names ns2.old for "
        "it, and the zone's are ns1.new, ns2.new; set these where example.com is registered, or as an NS record in the "
        "zone above it, or set hostedZone to the zone that is used."
    )
    assert delegation_warning("example.com", ["ns1.old", "ns2.old"]) == ""
