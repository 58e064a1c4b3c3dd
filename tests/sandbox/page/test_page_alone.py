"""What the page does with what it is told and with what is written into its form, in a real browser."""

import json

import pytest

from dualmode.gateway.http.message import Request, Response
from sandbox.edge.answer import Answer
from tests.support.api_accounts import ALIAS, FUNCTION, publish
from tests.support.browser import needs_chromium
from walk.trace import Hop, Trace

pytestmark = needs_chromium
NAMED = {"FunctionName": FUNCTION}


def ask(port, target, status=200, version="1"):
    hops = [Hop(hop="version", id=version, detail="512 MB"), Hop(hop="image", id="sha256:0", detail="in a process")]
    answer = Answer(response=Response(status=status, headers=()), trace=Trace(hops=hops), duration=5.0)
    port.asked(Request(method="GET", target=target, headers=()), answer, [])


def text(opened, selector):
    return opened.evaluate(f"[...document.querySelectorAll({json.dumps(selector)})].map(each => each.innerText)")


def drawn(opened):
    """The boxes as a person reads them, once the picture is there."""
    opened.until("document.querySelector('#picture .box')")
    return text(opened, "#picture .box")


def test_the_form_sends_method_path_headers_and_body_and_shows_the_answer_as_text(opened, sent):
    opened.evaluate(
        "find('method').value = 'PUT', find('path').value = ' pay me?a=b ', find('body').value = '{\"a\": 1}',"
        " find('headers').value = 'Accept: text/html\\n\\nX-Own: 2', find('send').requestSubmit()"
    )
    opened.until("document.querySelector('#answer pre')")
    assert sent == [
        Request(
            method="PUT",
            target="/pay%20me?a=b",
            headers=(
                ("Host", "localhost"),
                ("Accept", "text/html"),
                ("X-Own", "2"),
                ("Content-Type", "application/json"),
            ),
            body=b'{"a": 1}',
        )
    ]
    assert text(opened, "#answer p, #answer pre") == ["201 in 4.3 ms", "x-own: 1", "<b>made</b>"]
    assert not opened.evaluate("find('send').querySelector('button').disabled")


def test_what_is_written_wrongly_is_said_in_place_of_the_answer(opened, sent):
    opened.evaluate("find('headers').value = 'nothing', find('send').requestSubmit()")
    opened.until("document.querySelector('#answer .bad')")
    sentence = "A header takes a name and a value, as in 'Accept: text/html', not 'nothing'."
    assert (text(opened, "#answer p"), sent) == ([sentence], [])


def test_what_clients_and_applications_write_is_shown_as_text(opened, port, tmp_path):
    written = "/<b>bold</b>?<img src=x onerror=alert(1)>"
    ask(port, written)
    (tmp_path / "shop-1.log").write_text(f"{written}\n")
    opened.until("find('requests').children.length && find('log').children.length")
    assert (text(opened, "#requests .what"), text(opened, "#log div")) == ([f"GET {written}"], [written])


def test_the_newest_requests_are_first_and_no_more_than_fifty_are_kept(opened, port):
    for numbers in (range(40), range(40, 55)):
        for number in numbers:
            ask(port, f"/{number}", status=500 if number == 54 else 200)
        opened.until(f"(document.querySelector('#requests .what') || {{}}).innerText === 'GET /{numbers[-1]}'")
    assert text(opened, "#requests .what") == [f"GET /{number}" for number in reversed(range(5, 55))]
    assert text(opened, "#requests summary b.bad") == ["500"]


def test_each_hop_is_shown_with_its_mark_and_the_time_that_it_took(opened, port):
    ask(port, "/", status=502)
    opened.until("document.querySelector('#requests .hops')")
    rows = [row.split("\n") for row in text(opened, "#requests .hops li")]
    assert [(row[0], row[-1]) for row in rows] == [
        ("✓ version", "1 512 MB"),
        ("✓ image", "sha256:0 in a process"),
        ("✗ answer", "502 from the function"),
    ]


def test_lines_of_the_log_are_readable_and_failures_stand_out(opened, tmp_path):
    report = {
        "time": "2026-11-21T10:00:01.5Z",
        "type": "platform.report",
        "record": {"status": "error", "requestId": "a" * 36},
    }
    report["record"]["metrics"] = {"durationMs": 1.5}
    error = {"timestamp": "2026-11-21T10:00:00Z", "level": "ERROR", "requestId": "b" * 36, "errorType": "KeyError"}
    error |= {"errorMessage": "'a'", "stackTrace": ["  File x\n"]}
    lines = ["plain", "gateway: ready", json.dumps(report), json.dumps(error), "{not json", "7"]
    (tmp_path / "shop-1.log").write_text("".join(f"{line}\n" for line in lines))
    opened.until(f"find('log').children.length === {len(lines)}")
    found = opened.evaluate("[...find('log').children].map(each => [each.className, each.textContent])")
    assert found == [
        ["", "plain"],
        ["quiet", "gateway: ready"],
        ["quiet", "10:00:01 aaaaaaaa  platform.report  error  durationMs 1.5"],
        ["bad", "10:00:00 bbbbbbbb  ERROR    File x\nKeyError: 'a'"],
        ["", "{not json"],
        ["", "7"],
    ]


def test_a_version_that_gets_no_request_is_drawn_apart_and_the_shares_of_the_others_are_said(opened, made, port):
    made.functions.get_waiter("function_active_v2").wait(**NAMED, WaiterConfig={"Delay": 0.2})
    for memory in (600, 700):
        made.functions.update_function_configuration(**NAMED, MemorySize=memory)
        newest = publish(made)
    made.functions.update_alias(**NAMED, Name=ALIAS, RoutingConfig={"AdditionalVersionWeights": {newest: 0.25}})
    opened.until(f"(find('live').innerText.includes('version {newest}'))")
    for version in ("1", "1", newest):
        ask(port, "/", version=version)
    opened.until("find('live').innerText.includes('of the last 3')")
    assert text(opened, "#live .legend li") == [
        "version 1: 75 %, answered 2 of the last 3",
        f"version {newest}: 25 %, answered 1 of the last 3",
    ]
    widths = opened.evaluate("[...document.querySelectorAll('#live .stack span')].map(each => each.style.width)")
    assert widths == ["75%", "25%"]
    dashed = text(opened, "#picture .box.off b")
    assert dashed == ["version 2"]
    opened.until("[...document.querySelectorAll('#picture .hidden')].some(each => each.textContent.includes('(25 %)'))")


def test_each_link_begins_and_ends_at_the_boxes_that_it_links(opened):
    drawn(opened)
    off = opened.evaluate("""(() => {
        const area = find("picture").getBoundingClientRect();
        const box = id => document.querySelector(`.box[data-id="${CSS.escape(id)}"]`).getBoundingClientRect();
        return picture.links.map((link, number) => {
            const line = document.querySelectorAll("#picture path")[number], from = box(link.begin), to = box(link.end);
            const first = line.getPointAtLength(0), last = line.getPointAtLength(line.getTotalLength());
            return Math.max(Math.abs(first.x - from.right + area.left), Math.abs(last.x - to.left + area.left),
                Math.abs(first.y - from.top - from.height / 2 + area.top),
                Math.abs(last.y - to.top - to.height / 2 + area.top));
        });
    })()""")
    assert len(off) > 3
    assert max(off) < 2


def test_an_account_that_can_not_be_read_is_said_in_place_of_the_picture(opened, made):
    drawn(opened)
    made.deny("lambda", "ListFunctions")
    opened.until("document.querySelector('#picture .bad')")
    (sentence,) = text(opened, "#picture .bad")
    assert sentence.startswith("the account can't be read, list_functions fails: ")


def test_a_page_that_stays_open_begins_anew_with_the_next_sandbox(opened, port):
    ask(port, "/before")
    opened.until("find('state').innerText.includes('connected') && find('requests').children.length")
    opened.evaluate("start({url: 'https://other.test', address: 'http://127.0.0.1:1', path: '/v1/'})")
    assert opened.evaluate(
        "[find('requests').children.length, find('none').hidden, find('faults').children.length]"
    ) == [
        0,
        False,
        0,
    ]
    assert opened.evaluate("find('where').querySelector('a').href") == "http://127.0.0.1:1/v1/"


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_faults_and_requests_are_sent_with_post_alone(opened, method):
    statuses = "Promise.all(['/send', '/faults'].map(path => fetch(path, {method: METHOD}).then(each => each.status)))"
    assert opened.evaluate(statuses.replace("METHOD", json.dumps(method))) == [405, 405]
