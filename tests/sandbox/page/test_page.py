"""The page in a real browser, beside a sandbox that serves: what a person sees there, and what nobody does."""

import json
import re
import urllib.request

import boto3
import pytest

from tests.support.browser import browser, needs_chromium
from tests.support.sandboxes import ask, serving, with_venvs

pytestmark = needs_chromium

FUNCTION = "dualmode-dev"
VALUE = "the-value-of-a-variable"
SETTINGS = ("table=id", "sessionKey=true", f"environment.NAME={VALUE}", 'queues=[{"name":"mail","path":"/mail"}]')
SETTINGS += ("alarmEmail=me@example.com",)


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    chosen = [word for setting in SETTINGS for word in ("--set", setting)]
    state = with_venvs(tmp_path_factory.mktemp("sandbox"))
    with serving(state, "--page-port", "18501", *chosen) as (_, address, printed):
        page = next(line for line in printed if "picture" in line).split()[-1]
        yield address, page, dict(line.strip()[7:].split("=", 1) for line in printed if line.startswith("  export "))


@pytest.fixture(scope="module")
def opened(started, tmp_path_factory):
    _, page, _ = started
    with browser(tmp_path_factory.mktemp("browser")) as made:
        made.look(1400, "light")
        made.open(page)
        made.until("document.querySelectorAll('.box').length")
        yield made
        made.evaluate("1")  # what failed until now comes before this answer
        assert made.said == []


def client(started, service):
    exported = started[2]
    return boto3.client(
        service,
        endpoint_url=exported["AWS_ENDPOINT_URL"],
        region_name=exported["AWS_REGION"],
        aws_access_key_id=exported["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=exported["AWS_SECRET_ACCESS_KEY"],
    )


def text(found, selector):
    return found.evaluate(f"[...document.querySelectorAll({json.dumps(selector)})].map(each => each.innerText)")


def test_the_picture_has_each_resource_on_the_way_of_a_request_and_what_it_leads_to(opened):
    kinds = opened.evaluate(
        "picture.links.map(({begin, end}) => [begin, end].map(id => picture.boxes.find(box => box.id === id))"
        ".map(box => `${picture.columns[box.column]}: ${box.kind}`).join(' -> '))"
    )
    assert sorted(set(kinds)) == [
        "API and events: API -> Alias: alias",
        "API and events: queue -> Alias: alias",
        "Alias: alias -> Versions: version",
        "DNS: record -> Domain: domain",
        "Domain: domain -> API and events: API",
        "Versions: version -> What they use: log group",
        "Versions: version -> What they use: parameter",
        "Versions: version -> What they use: role",
        "Versions: version -> What they use: table",
    ]
    lines = opened.evaluate("[...document.querySelectorAll('#picture path')].map(line => line.getTotalLength() > 10)")
    assert lines == [True] * len(kinds)


def test_a_request_is_sent_with_the_keyboard_alone_and_its_trace_opened(opened):
    opened.evaluate("document.activeElement.blur()")
    reached = []
    while "path" not in reached:
        opened.press("Tab")
        reached.append(opened.evaluate("document.activeElement.id"))
        assert len(reached) < 20, reached
    opened.write("hello")  # the field has "/", which is selected when it gets the focus
    opened.press("Enter")
    opened.until("document.querySelector('#answer pre')")
    assert text(opened, "#answer pre")[-1] == '{"message":"Hello from Flask!"}\n'
    opened.until("(document.querySelector('#requests details[open] .what') || {}).innerText === 'GET /hello'")
    hops = text(opened, "#requests details[open] .hops b")[:9]
    assert hops == [
        f"✓ {hop}"
        for hop in ("domain", "mapping", "stage", "route", "integration", "alias", "version", "image", "answer")
    ]
    assert all(re.fullmatch(r"[0-9.]+ ms", took) for took in text(opened, "#requests details[open] .hops .ms"))


def test_requests_of_others_and_their_log_lines_are_shown_as_they_come(started, opened):
    assert ask(started[0], "/nowhere")[0] == 404
    opened.until("[...document.querySelectorAll('#requests .what')].some(each => each.innerText === 'GET /nowhere')")
    opened.until("document.getElementById('log').innerText.includes('GET /nowhere 404')")


def test_the_shares_of_a_canary_move_without_a_reload(started, opened):
    functions = client(started, "lambda")
    functions.update_function_configuration(FunctionName=FUNCTION, MemorySize=1024)
    second = functions.publish_version(FunctionName=FUNCTION)["Version"]
    for share in (0.1, 0.25):
        weights = {"AdditionalVersionWeights": {second: share}}
        functions.update_alias(FunctionName=FUNCTION, Name="live", RoutingConfig=weights)
        opened.until(f"document.getElementById('live').innerText.includes('version {second}: {100 * share:g} %')")
    shown = [entry.partition(",")[0] for entry in text(opened, "#live .legend li")]
    assert shown == ["version 1: 75 %", f"version {second}: 25 %"]
    moves = [entry.split(f"{FUNCTION}:live: ")[1] for entry in text(opened, "#moves li")]
    assert moves == [f"version 1: 75 %, version {second}: 25 %", f"version 1: 90 %, version {second}: 10 %"]


def test_a_fault_that_a_click_sets_is_what_the_next_request_gets_until_a_click_clears_it(opened):
    def sent(fault, pressed):
        opened.evaluate(f"document.getElementById('{fault}').click()")
        opened.until(f"document.querySelectorAll('#faults [aria-pressed=true]').length === {pressed}")
        opened.evaluate("find('answer').replaceChildren(), find('path').value = '/hello', find('send').requestSubmit()")
        opened.until("document.querySelector('#answer b')")
        return text(opened, "#answer b")

    try:
        before = opened.evaluate("document.querySelectorAll('#requests > li').length")
        assert sent("fault-function-error", 1) == ["500"]
        opened.until(f"document.querySelectorAll('#requests > li').length > {before}")
        rows = text(opened, "#requests li:first-child .hops li")
        shown = [row.split("\n")[0] for row in rows][-3:]
        alarms = [row.split("\n")[-1].split(" would go off: ")[0] for row in rows][-2:]
        assert (shown, alarms) == (["✗ function", "! alarm", "! alarm"], [f"{FUNCTION}-5xx", f"{FUNCTION}-errors"])
        opened.until("document.getElementById('log').innerText.includes(\"The sandbox's fault function-error\")")
    finally:
        assert sent("clear", 0) == ["200"]


def test_no_value_of_a_variable_and_no_secret_reaches_the_page(started, opened):
    functions, ssm = client(started, "lambda"), client(started, "ssm")
    variables = functions.get_function_configuration(FunctionName=FUNCTION)["Environment"]["Variables"]
    (key,) = ssm.describe_parameters()["Parameters"]
    secret = ssm.get_parameter(Name=key["Name"], WithDecryption=True)["Parameter"]["Value"]
    with urllib.request.urlopen(f"{started[1]}events") as answer:
        everything = answer.read().decode() + opened.evaluate("document.documentElement.outerHTML")
    assert variables["NAME"] == VALUE
    assert key["Name"].strip("/") in everything
    assert VALUE not in everything
    assert secret not in everything
    assert started[2]["AWS_SECRET_ACCESS_KEY"] not in everything


@pytest.mark.parametrize("width", [400, 800, 1400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_a_window_and_its_scheme(opened, width, scheme):
    opened.look(width, scheme)
    opened.until(f"innerWidth === {width}")
    assert opened.evaluate("document.documentElement.scrollWidth") <= width
    brightness = (
        "getComputedStyle(document.body).backgroundColor.match(/[0-9]+/g).reduce((sum, each) => sum + +each, 0)"
    )
    assert (opened.evaluate(brightness) > 382) == (scheme == "light")
