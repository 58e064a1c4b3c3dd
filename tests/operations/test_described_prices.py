"""What descriptions and pages say that something costs is what the price file says, to the rounding of a sentence."""

import json
import re

import pytest
import yaml

from operations.bill import Traffic, bill
from operations.prices import FILE, prices
from operations.stack_settings import StackSettings
from tests.support.page_blocks import PAGES, ROOT

FIGURE = re.compile(r"\$(\d+(?:\.\d+)?)|(\d+(?:\.\d+)?) USD")
DESCRIPTIONS = {
    key: declaration["description"]
    for key, declaration in yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"].items()
}
ROUNDED = 0.01  # of a sentence's figure


def figures(text):
    return [float(dollars or usd) for dollars, usd in FIGURE.findall(text)]


def unit(name):
    price = json.loads(FILE.read_text())["prices"][name]
    return price["us-east-1"]["usd"] / price["per"]


def idle(**settings):
    """What settings cost in a month without a request, at list price, by line."""
    traffic = Traffic(requests=0, ms=0, image_mb=0, layer_mb=0, table_gb=0)
    return {line.name: line.list_usd for line in bill(StackSettings(settings), traffic, prices("us-east-1"))}


WORKED_OUT = {
    "provisionedConcurrency": [0.5 * 730 * 3600 * unit("provisioned_gb_second_x86_64")],
    "provisionedConcurrencyMax": [2 * unit("alarm")],  # those that AWS makes for target tracking
    "alarmEmail": [4 * unit("alarm")],
    "dashboard": [unit("dashboard"), unit("metric")],
}


def test_each_figure_of_a_description_is_worked_out_from_the_price_file():
    said = {key: figures(text) for key, text in DESCRIPTIONS.items() if figures(text)}
    assert said == {key: pytest.approx(amounts, rel=ROUNDED) for key, amounts in WORKED_OUT.items()}


@pytest.mark.parametrize(
    ("key", "value"), [("provisionedConcurrency", 1), ("alarmEmail", "ops@example.com"), ("dashboard", True)]
)
def test_make_cost_says_the_same_of_such_a_setting(key, value):
    added = sum(idle(**{key: value}).values()) - sum(idle().values())
    assert added == pytest.approx(sum(figures(DESCRIPTIONS[key])), rel=ROUNDED)


def test_a_number_that_the_account_has_free_is_the_price_file_s():
    free = {
        name: price.get("free", {}).get("quantity") for name, price in json.loads(FILE.read_text())["prices"].items()
    }
    assert f"after the account's first {free['alarm']} alarms" in DESCRIPTIONS["alarmEmail"]
    assert f"after the account's first {free['dashboard']} dashboards" in DESCRIPTIONS["dashboard"]


def test_a_page_has_no_price_that_nothing_compares():
    compared = {  # and cost.md by tests/operations/test_cost.py
        "settings.md": [amount for amounts in WORKED_OUT.values() for amount in amounts],
        "live-check.md": [unit("hosted_zone")],
    }
    for page in PAGES:
        if page.name != "cost.md":
            assert figures(page.read_text()) == pytest.approx(compared.get(page.name, []), rel=ROUNDED), page.name


def test_a_program_names_no_price_but_that_of_a_secret():
    named = {
        path.relative_to(ROOT).as_posix(): found
        for folder in ("infra", "dualmode", "sandbox", "walk", "operations")
        for path in (ROOT / folder).rglob("*.py")
        if (found := [float(usd) for usd in re.findall(r"(\d+(?:\.\d+)?) USD", path.read_text())])
    }
    assert named == {"infra/session_key.py": [unit("secret")]}


def test_without_a_request_a_deployment_costs_cents_as_the_readme_says():
    assert "While nobody calls it, it costs cents a month." in " ".join((ROOT / "README.md").read_text().split())
    a_month = bill(StackSettings({"domainName": "api.example.com"}), Traffic(requests=0, ms=80), prices("us-east-1"))
    assert 0 < sum(line.list_usd for line in a_month) < 1
