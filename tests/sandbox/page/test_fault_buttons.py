"""The buttons that set and clear faults, in a real browser: they show what is set, whoever set or cleared it."""

import json
import urllib.error
import urllib.request

import pytest

from dualmode.gateway.http.message import Request, Response
from sandbox.edge.answer import Answer
from sandbox.faults import NAMES, SENTENCES
from tests.support.api_accounts import FUNCTION, REPOSITORY
from tests.support.browser import needs_chromium
from walk.trace import Hop, Trace

BOTH_IN_THE_FUNCTION = (
    "The faults crash and timeout are both in the function's process, which can have one at a time: "
    "clear one, or leave it out."
)


def shown_set(*names):
    """An expression that is true when exactly these faults are shown as set."""
    pressed = "[...document.querySelectorAll('#faults [aria-pressed=true]')].map(each => each.innerText)"
    return f"JSON.stringify({pressed}.sort()) === {json.dumps(json.dumps(sorted(names), separators=(',', ':')))}"


def said(sentence):
    return f"document.getElementById('fault-said').innerText === {json.dumps(sentence)}"


def click(opened, *identifiers):
    for identifier in identifiers:
        opened.evaluate(f"document.getElementById('{identifier}').click()")


def send(port, form, path="/faults"):
    body = form if isinstance(form, bytes) else json.dumps(form).encode()
    headers = {"Origin": port.address.rstrip("/"), "Content-Type": "application/json"}
    request = urllib.request.Request(port.address.rstrip("/") + path, body, headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


@needs_chromium
def test_each_fault_has_a_button_with_the_sentence_that_the_command_prints_of_it(opened):
    rows = opened.evaluate(
        "Object.fromEntries([...document.querySelectorAll('#faults button')].map(button => [button.innerText,"
        " document.getElementById(button.getAttribute('aria-describedby')).innerText]))"
    )
    assert rows == dict(SENTENCES)


@needs_chromium
def test_a_click_sets_a_fault_another_one_clears_it_and_clear_all_clears_the_rest(opened, faults):
    click(opened, "fault-crash")
    opened.until(shown_set("crash"))
    click(opened, "fault-throttling", "fault-deleted-image")
    opened.until(shown_set("crash", "deleted-image", "throttling"))
    assert sorted(faults.standing()) == ["crash", "deleted-image", "throttling"]
    click(opened, "fault-throttling")
    opened.until(shown_set("crash", "deleted-image"))
    click(opened, "clear")
    opened.until(shown_set())
    assert faults.standing() == ()


@needs_chromium
def test_a_fault_is_set_with_the_keyboard_alone_and_keeps_the_focus(opened):
    reached = []
    while "fault-timeout" not in reached:
        opened.press("Tab")
        reached.append(opened.evaluate("document.activeElement.id"))
        assert len(reached) < 40, reached
    opened.press("Enter")
    opened.until(shown_set("timeout"))
    assert opened.evaluate("document.activeElement.id") == "fault-timeout"
    opened.press("Enter")
    opened.until(shown_set())


@needs_chromium
def test_a_page_shows_what_others_have_set_and_what_somebody_has_repaired(made, faults, opened):
    faults.set("throttling")  # as `--fault` does
    faults.set("deleted-image")
    opened.until(shown_set("deleted-image", "throttling"))
    made.functions.delete_function_concurrency(FunctionName=FUNCTION)
    opened.until(shown_set("deleted-image"))
    made.ecr.put_image(repositoryName=REPOSITORY, imageManifest="{}", imageTag="one")
    opened.until(shown_set())


@needs_chromium
def test_a_page_that_is_opened_later_shows_what_is_set(opened, port, faults):
    faults.set("expired-certificate")
    opened.open("about:blank")
    opened.open(port.address)
    opened.until(shown_set("expired-certificate"))


@needs_chromium
def test_why_a_fault_can_not_be_set_is_shown_until_the_next_click(made, opened, faults):
    click(opened, "fault-timeout")
    opened.until(shown_set("timeout"))
    click(opened, "fault-crash")
    opened.until(said(BOTH_IN_THE_FUNCTION.replace("crash and timeout", "timeout and crash")))
    assert opened.evaluate("document.getElementById('fault-said').closest('li').contains(find('fault-crash'))")
    assert opened.evaluate(shown_set("timeout"))
    made.functions.delete_function(FunctionName=FUNCTION)
    click(opened, "fault-throttling")
    opened.until(said(f"The account has no function {FUNCTION} to break: deploy it again."))
    click(opened, "clear")
    opened.until(said(""))
    opened.until(shown_set())


@needs_chromium
def test_the_trace_of_a_request_names_the_alarms_that_it_would_set_off(opened, port):
    hops = [Hop(hop="version", id="shop:1", detail="its reserved concurrency is 0", refused=True)]
    answer = Answer(response=Response(status=503, headers=()), trace=Trace(hops=hops), duration=5.0)
    alarms = [Hop(hop="alarm", id="shop-5xx", detail="would go off: the API answers 5xx")]
    port.asked(Request(method="GET", target="/", headers=()), answer, alarms)
    opened.until("document.querySelector('#requests .hops .warn')")
    rows = opened.evaluate("[...document.querySelectorAll('#requests .hops li')].map(each => each.innerText)")
    assert [row.split("\n")[0] for row in rows] == ["✗ version", "! alarm"]
    assert rows[1].split("\n")[-1] == "shop-5xx would go off: the API answers 5xx"


@pytest.mark.parametrize(
    ("form", "status", "sentence"),
    [
        ({"set": True, "names": ["earthquake"]}, 400, f"There is no fault 'earthquake': use {', '.join(NAMES)}."),
        ({"set": False, "names": ["earthquake"]}, 400, f"There is no fault 'earthquake': use {', '.join(NAMES)}."),
        ({"set": True, "names": ["crash", "timeout"]}, 409, BOTH_IN_THE_FUNCTION),
        *(
            (form, 400, 'The form is JSON: {"set": true, "names": ["timeout"]}, with false to clear them.')
            for form in (
                b"x",
                [],
                {},
                {"set": "yes", "names": []},
                {"set": True, "names": "crash"},
                {"set": True, "names": [1]},
            )
        ),
    ],
)
def test_what_can_not_be_set_is_said_with_its_status(port, faults, form, status, sentence):
    assert send(port, form) == (status, {"message": sentence})
    assert [name for name in faults.standing() if name != "crash"] == []


def test_what_is_set_already_and_cleared_already_may_be_asked_for_again(port, faults):
    for _ in range(2):
        assert send(port, {"set": True, "names": ["crash"]}) == (200, {})
    assert faults.standing() == ("crash",)
    for _ in range(2):
        assert send(port, {"set": False, "names": list(NAMES)}) == (200, {})
    assert faults.standing() == ()
