"""The picture of what the program deploys: the box of each front door and each source of events, and where it leads."""

import pytest

from sandbox.page.picture import COLUMNS, picture_of

NAME = "dualmode-dev"
API, ALIAS = f"API {NAME}, stage $default", f"alias {NAME}:live"
BUS = "shop"


def drawn(account):
    """Each box with what it says, by its column, kind and name: the detail, and what it leads to."""
    document = picture_of(account).document()
    boxes = {box["id"]: box for box in document["boxes"]}
    names = {own: f"{box['kind']} {box['name']}" for own, box in boxes.items()}
    return {
        (COLUMNS[box["column"]], box["kind"], box["name"]): (
            box["detail"],
            sorted(names[link["end"]] for link in document["links"] if link["begin"] == own),
        )
        for own, box in boxes.items()
    }


@pytest.fixture(scope="module")
def behind_a_cdn(program):
    deployed = program.deploy(
        before=lambda: program.account.client("events").create_event_bus(Name=BUS),
        domainName="app.sandbox.test",
        cdn=True,
        schedules=[
            {"name": "nightly", "path": "/nightly", "cron": "30 3 * * ? *"},
            {"name": "weekly", "path": "/weekly", "rate": "7 days", "enabled": False},
        ],
        keepWarm=5,
        events=[
            {"name": "sold", "path": "/sold", "pattern": {"source": ["shop"]}},
            {"name": "bought", "path": "/bought", "pattern": {"source": ["shop"]}, "bus": BUS},
        ],
        queues=[{"name": "orders", "path": "/orders", "batchSize": 5}],
    )
    return deployed, drawn(deployed.account)


def test_a_record_leads_to_the_distribution_and_that_to_the_stage_of_the_api(behind_a_cdn):
    deployed, boxes = behind_a_cdn
    distribution = deployed.one("Distribution").outputs["domainName"]
    assert boxes["DNS", "record", "app.sandbox.test"] == (
        "A, AAAA in zone sandbox.test",
        [f"distribution {distribution}"],
    )
    assert boxes["Domain", "distribution", distribution] == (f"{deployed.one('Distribution').id}, enabled", [API])
    assert [name for column, _, name in boxes if column == "Domain"] == [distribution]


def test_each_schedule_is_drawn_with_its_time_and_whether_it_is_on(behind_a_cdn):
    _, boxes = behind_a_cdn
    assert {key: said for key, said in boxes.items() if key[1] == "schedule"} == {
        ("API and events", "schedule", f"{NAME}-nightly"): ("cron(30 3 * * ? *), enabled", [ALIAS]),
        ("API and events", "schedule", f"{NAME}-weekly"): ("rate(7 days), disabled", [ALIAS]),
        ("API and events", "schedule", f"{NAME}.keep-warm"): ("rate(5 minutes), enabled", [ALIAS]),
    }


def test_each_rule_of_each_event_bus_is_drawn(behind_a_cdn):
    _, boxes = behind_a_cdn
    assert {key: said for key, said in boxes.items() if key[1] == "rule"} == {
        ("API and events", "rule", f"{NAME}-sold"): ("events that match", [ALIAS]),
        ("API and events", "rule", f"{NAME}-bought"): (f"events of bus {BUS} that match", [ALIAS]),
    }


def test_a_queue_is_drawn_as_a_source_and_that_of_failed_jobs_as_what_the_function_uses(behind_a_cdn):
    _, boxes = behind_a_cdn
    assert {key: said for key, said in boxes.items() if key[1] == "queue"} == {
        ("API and events", "queue", f"{NAME}-orders"): ("batches of 5, enabled", [ALIAS]),
        ("What they use", "queue", f"{NAME}-failed"): ("", []),
    }


def test_a_function_url_leads_to_the_alias_without_an_api(program):
    deployed = program.deploy(functionUrl=True)
    boxes = drawn(deployed.account)
    url = deployed.outputs["url"]
    assert boxes["Domain", "Function URL", f"{url}/"] == ("NONE", [ALIAS])
    assert {column for column, _, _ in boxes} == {"Domain", "Alias", "Versions", "What they use"}
