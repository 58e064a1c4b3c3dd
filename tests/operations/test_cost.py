"""The bill: worked by hand from the price file, for loads that others have published, and by every setting it reads."""

import json
import re
import xml.etree.ElementTree as ET
from datetime import date

import pytest

from operations.bill import Traffic, bill, not_counted, total
from operations.prices import FILE, prices, regions
from operations.schedule_runs import runs_a_month
from operations.servers import crossover, servers
from operations.stack_settings import StackSettings
from tests.support.program import ROOT

DOCUMENT = json.loads(FILE.read_text())
NOTHING_ELSE = {"cold_percent": 0, "response_kb": 0, "log_bytes": 0, "image_mb": 0, "layer_mb": 0, "table_gb": 0}
MONTH = 730 * 3600  # seconds


def usd(name, region="us-east-1"):
    """A price in the file, of one unit; the first tier's."""
    price = DOCUMENT["prices"][name]
    given = price[region]["usd"]
    return (given[0][1] if isinstance(given, list) else given) / price["per"]


def lines(settings=None, region="us-east-1", **traffic):
    made = bill(StackSettings(settings or {}), Traffic(**{**NOTHING_ELSE, **traffic}), prices(region))
    return {line.name: line for line in made}


def dollars(settings=None, region="us-east-1", **traffic):
    """List price and what is left after the free tier, to the cent, by the line's name."""
    found = lines(settings, region, **traffic)
    return {name: (round(line.list_usd, 2), round(line.to_pay, 2)) for name, line in found.items()}


def cents(amount):
    return pytest.approx(amount, abs=0.005)


def test_a_million_requests_line_by_line():
    found = lines({"logRetention": 30}, requests=1e6, ms=80, cold_percent=1, response_kb=10, log_bytes=1500)
    written = 1e6 * 1500 / 1024**3
    gigabyte_seconds = 0.5 * (1e6 * 0.080 + 1e4 * 0.500)
    assert gigabyte_seconds == 42_500
    assert {name: (line.quantity, line.list_usd, line.to_pay) for name, line in found.items()} == {
        "Lambda requests": (1e6, cents(0.20), 0),
        "Lambda duration, init included": (42_500, cents(42_500 * usd("lambda_gb_second_x86_64")), 0),
        "API Gateway requests": (1e6, cents(1.00), cents(1.00)),
        "Data out": (1e6 * 10 / 1024**2, cents(9.5367 * usd("data_out_gb")), 0),
        "Logs, written": (written, cents(written * 0.50), 0),
        "Logs, kept": (
            pytest.approx(written * 0.15 * 30 / (365 / 12)),
            cents(written * 0.15 * 30 / (365 / 12) * 0.03),
            cents(written * 0.15 * 30 / (365 / 12) * 0.03),
        ),
    }


# What was published is in docs/cost.md. Here: the traffic, and what is right, by arithmetic.


def test_512_mb_and_40_000_requests_cost_28_cents_only_at_816_ms_and_without_an_api():
    gigabyte_seconds = 40_000 * 0.5 * 0.816
    lambda_alone = 40_000 * usd("lambda_request") + gigabyte_seconds * usd("lambda_gb_second_x86_64")
    assert lambda_alone == cents(0.28)
    assert dollars(requests=40_000, ms=816) == {
        "Lambda requests": (0.01, 0.0),
        "Lambda duration, init included": (0.27, 0.0),
        "API Gateway requests": (0.04, 0.04),
    }


def test_no_traffic_still_costs_the_images_the_zone_and_the_alarms():
    settings = {"domainName": "api.example.com", "dnsProvider": "route53", "alarmEmail": "me@example.com"}
    found = dollars(settings, requests=0, ms=0, image_mb=150, layer_mb=20)
    gigabytes = (150 + 19 * 20) / 1024
    assert found == {
        "Route 53 zone": (0.50, 0.50),
        "ECR images": (round(gigabytes * 0.10, 2), 0.05),
        "Alarms": (0.40, 0.0),
    }


def test_10_000_requests_a_day_in_mumbai():
    found = lines({"memorySize": 256, "table": "id"}, "ap-south-1", requests=300_000, ms=200)
    lambda_ = found["Lambda requests"].list_usd + found["Lambda duration, init included"].list_usd
    assert lambda_ == cents(0.3 * 0.20 + 300_000 * 0.2 * 0.25 * usd("lambda_gb_second_x86_64", "ap-south-1"))
    assert lambda_ == cents(0.31)
    assert found["API Gateway requests"].to_pay == cents(0.3 * 1.05)
    assert found["DynamoDB writes"].to_pay + found["DynamoDB reads"].to_pay == cents(0.3 * 0.71 + 0.3 * 0.1425)
    assert usd("t3_small_hour", "ap-south-1") * 730 == cents(16.35)
    assert (0.25 * usd("fargate_vcpu_hour", "ap-south-1") + 0.5 * usd("fargate_gb_hour", "ap-south-1")) * 730 == cents(
        9.39
    )


@pytest.mark.parametrize(
    ("requests", "ms", "memory", "gigabyte_seconds", "list_price", "api"),
    [
        (100_000, 100, 256, 2_500, 0.06, 0.10),
        (50_000, 200, 512, 5_000, 0.09, 0.05),
        (30_000, 800, 1024, 24_000, 0.41, 0.03),
        (10_000, 2000, 2048, 40_000, 0.67, 0.01),
    ],
)
def test_four_loads_are_within_the_free_tier(requests, ms, memory, gigabyte_seconds, list_price, api):
    found = lines({"memorySize": memory}, requests=requests, ms=ms)
    duration, calls = found["Lambda duration, init included"], found["Lambda requests"]
    assert duration.quantity == pytest.approx(requests * ms / 1000 * memory / 1024) == gigabyte_seconds
    assert duration.list_usd + calls.list_usd == cents(list_price)
    assert (duration.to_pay, calls.to_pay, found["API Gateway requests"].to_pay) == (0, 0, cents(api))


def test_three_provisioned_environments_around_the_clock():
    found = dollars({"memorySize": 512, "provisionedConcurrency": 3}, requests=1e6, ms=100)
    assert usd("provisioned_gb_second_x86_64") * 3600 == pytest.approx(0.015, rel=0.001)
    assert found == {  # and no free tier
        "Lambda requests": (0.20, 0.20),
        "Lambda duration, provisioned": (round(50_000 * 0.0000097222, 2), 0.49),
        "Lambda provisioned environments": (round(3 * 0.5 * MONTH * 0.0000041667, 2), 16.43),
        "API Gateway requests": (1.0, 1.0),
    }


def test_50_million_requests_against_an_instance():
    traffic = Traffic(requests=50e6, ms=200, **NOTHING_ELSE)
    found = lines(requests=50e6, ms=200)
    assert sum(line.list_usd for line in found.values()) == cents(10 + 5e6 * usd("lambda_gb_second_x86_64") + 50)
    assert total(list(found.values())) == cents(143.33 - 0.20 - 400_000 * usd("lambda_gb_second_x86_64"))
    assert total(list(found.values())) == cents(136.47)
    assert traffic.at_once == pytest.approx(50e6 * 0.2 / MONTH)
    assert (usd("t3_small_hour") * 730, usd("t3_medium_hour") * 730) == (cents(15.18), cents(30.37))


def test_pages_from_a_cdn():
    a_million = 1e6 * 50 / 1024**2
    assert a_million * 0.12 == cents(5.72)
    pages_in_a_tebibyte = 1024 * 1024**2 / 50
    assert int(pages_in_a_tebibyte) == 21_474_836
    settings = {"cdn": True}
    assert dollars(settings, requests=20e6, ms=0, response_kb=50, cached_percent=100) == {
        "CloudFront requests": (20.0, 10.0),
        "CloudFront function": (2.0, 1.8),
        "CloudFront data out": (round(20 * a_million * 0.085, 2), 0.0),
    }
    more = dollars(settings, requests=30e6, ms=0, response_kb=50, cached_percent=100)["CloudFront data out"]
    assert more[1] == cents((30 * a_million - 1024) * 0.085)


def test_a_t3_micro_needs_a_disk_and_an_address_too():
    assert usd("t3_micro_hour") * 730 == cents(7.59)
    assert usd("t3_micro_hour") * 730 + 8 * usd("disk_gb_month") + usd("public_ipv4_hour") * 730 == cents(11.88)


def test_the_free_tier_is_per_month_and_the_rest_is_paid():
    found = dollars({"memorySize": 1024}, requests=3e6, ms=1000)
    assert found["Lambda requests"] == (0.60, 0.40)
    assert found["Lambda duration, init included"] == (round(3e6 * 0.0000166667, 2), round(2.6e6 * 0.0000166667, 2))


def test_each_request_is_billed_to_the_next_millisecond_and_each_init_too():
    found = lines({"memorySize": 1024}, requests=1000, ms=0.2, cold_percent=10, init_ms=99.5)
    assert found["Lambda duration, init included"].quantity == pytest.approx(1000 * 0.001 + 100 * 0.100)


def test_large_quantities_have_lower_prices():
    assert dollars(requests=400e6, ms=0)["API Gateway requests"] == (300 + 90, 300 + 90)


def test_arm64_is_cheaper_by_a_fifth():
    x86, arm = (
        lines({"architecture": name}, requests=1e7, ms=100)["Lambda duration, init included"].list_usd
        for name in ("x86_64", "arm64")
    )
    assert arm / x86 == pytest.approx(0.8, abs=0.001)


def test_settings_that_cost_money_are_lines():
    settings = {
        "secrets": {"A": "/in/systems-manager", "B": "in-secrets-manager", "C": "ssm:NAME"},
        "dashboard": "true",
        "keepWarm": "5",
        "schedules": [{"name": "nightly", "rate": "1 hour"}, {"name": "off", "rate": "1 minute", "enabled": False}],
        "queues": [{"name": "mail"}],
        "ephemeralStorage": 1536,
        "keepVersions": 3,
    }
    found = lines(settings, requests=1000, ms=1000, image_mb=1024, layer_mb=512)
    runs = 730 * 60 / 5 + 730
    assert {name: line.quantity for name, line in found.items()} == {
        "Lambda requests": 1000 + runs,
        "Lambda duration, init included": pytest.approx(0.5 * (1000 + 730 + 730 * 12 / 1000)),
        "Lambda disk over 512 MB": pytest.approx(1000 + 730 + 730 * 12 / 1000),
        "API Gateway requests": 1000,
        "ECR images": 2,
        "Alarms": 2,  # of the queue's dead letters and the schedules'
        "Dashboard": 1,
        "Metric of cold starts": 1,
        "Schedules": runs,
        "Secrets Manager": 1,
    }


def test_each_dead_letter_queue_has_one_alarm_which_the_email_does_not_double():
    jobs = {"queues": [{"name": "mail"}, {"name": "print"}], "events": [{"name": "paid"}]}
    assert lines(jobs, requests=0, ms=0)["Alarms"].quantity == 3
    assert lines({**jobs, "alarmEmail": "me@example.com"}, requests=0, ms=0)["Alarms"].quantity == 4 + 3


def test_target_tracking_has_two_alarms():
    settings = {"provisionedConcurrency": 2, "provisionedConcurrencyMax": 5}
    assert lines(settings, requests=0, ms=0)["Alarms"].quantity == 2


def test_a_function_url_and_dns_elsewhere_cost_nothing():
    settings = {"functionUrl": True, "domainName": "api.example.com", "dnsProvider": "external"}
    assert set(lines(settings, requests=1000, ms=1)) == {"Lambda requests", "Lambda duration, init included"}


def test_what_is_not_counted_is_said():
    settings = {"tracing": "true", "webAclArn": {"secure": "v1:x"}, "snapStart": False, "provisionedConcurrencyMax": 5}
    assert not_counted(StackSettings(settings)) == [
        "the traces of X-Ray",
        "the environments that provisionedConcurrencyMax adds while they are needed",
        "the web ACL of WAF",
    ]


@pytest.mark.parametrize(
    ("expression", "runs"),
    [
        ("5 minutes", 730 * 12),
        ("rate(1 day)", 365 / 12),
        ("30 3 * * ? *", 365 / 12),
        ("cron(0/15 8-17 ? * MON-FRI *)", 4 * 10 * 365 / 12 * 5 / 7),
        ("0 0 1 * ? *", 365 / 12 / 31),
        ("0 0 L * ? *", 365 / 12 / 31),
        ("0 12 ? JAN,JUL 2#1 *", 365 / 12 / 7 / 6),
        ("0 minutes", None),
        ("soon", None),
    ],
)
def test_runs_of_a_schedule(expression, runs):
    assert runs_a_month(expression) == (runs if runs is None else pytest.approx(runs))


@pytest.mark.parametrize("region", regions())
def test_from_the_crossover_on_a_server_is_cheaper(region):
    for server in servers(prices(region)):

        def ours(requests):
            return total(list(lines(region=region, requests=requests, ms=100).values()))

        at = crossover(ours, lambda _, usd=server.usd: usd)
        assert ours(at - 10) < server.usd < ours(at + 10)


def test_a_server_is_what_its_parts_cost():
    address = 0.005 * 730
    task = 0.25 * usd("fargate_vcpu_hour") * 730 + 0.5 * usd("fargate_gb_hour") * 730 + address
    assert [server.usd for server in servers(prices("us-east-1"))] == [
        cents(task),
        cents(task + usd("load_balancer_hour") * 730 + 2 * address),
        cents(0.0208 * 730 + 8 * 0.08 + address),
    ]


def test_a_server_that_is_never_or_always_cheaper():
    assert crossover(lambda _: 1, lambda _: 2) is None
    assert crossover(lambda _: 2, lambda _: 1) == 0


def test_each_price_has_a_page_and_says_where_it_was_seen():
    assert date.fromisoformat(DOCUMENT["dated"])
    for name, price in DOCUMENT["prices"].items():
        assert price["page"].startswith("https://aws.amazon.com/"), name
        for given in [price[region] for region in regions()] + [price[key] for key in ("free",) if key in price]:
            assert given["seen"], name
            assert set(given["seen"]) <= set(DOCUMENT["sources"]), name
    used = set(re.findall(r'"seen": \[(.*?)\]', FILE.read_text()))
    assert {source.strip('" ') for each in used for source in each.split(",")} == set(DOCUMENT["sources"])


# The command.


@pytest.fixture
def stack(tmp_path, monkeypatch):
    """A folder with a stack's files, in which the commands run."""
    (tmp_path / "Pulumi.yaml").write_text((ROOT / "Pulumi.yaml").read_text())
    monkeypatch.chdir(tmp_path)

    def write(text, name="dev"):
        (tmp_path / f"Pulumi.{name}.yaml").write_text(text)

    write("config:\n  aws:region: us-east-1\n")
    return write


def of(done, name):
    return next(line for line in done.document["lines"] if line["name"] == name)


def test_the_settings_are_the_stacks(stack, operate):
    stack('config:\n  aws:region: ap-south-1\n  dualmode:memorySize: "2048"\n  dualmode:later: [1]\n', "prod")
    done = operate("cost", "--stack", "prod", "--json", "--requests", "1e6", "--ms", "100", "--cold", "0")
    assert (done.status, done.err, done.document["region"]) == (0, "", "ap-south-1")
    assert of(done, "Lambda duration, init included")["quantity"] == 1e6 * 0.1 * 2
    done = operate("cost", "--json", "--requests", "1e6", "--ms", "100", "--cold", "0")
    assert of(done, "Lambda duration, init included")["quantity"] == 1e6 * 0.1 * 0.5
    done = operate(
        "cost",
        "--stack",
        "prod",
        "--set",
        "memorySize=1024",
        "--json",
        "--requests",
        "1e6",
        "--ms",
        "100",
        "--cold",
        "0",
    )
    assert of(done, "Lambda duration, init included")["quantity"] == 1e6 * 0.1


def test_a_list_that_is_set_counts_its_entries_as_the_stack_s_own_does(stack, operate):
    stack("config: {}\n")
    jobs = '[{"name": "mail", "path": "/mail"}, {"name": "bills", "path": "/bills"}]'
    done = operate("cost", "--json", "--requests", "0", "--set", f"queues={jobs}")
    # a dead-letter queue with an alarm for each queue
    assert of(done, "Alarms")["quantity"] == 2


def test_a_region_without_prices_is_said(stack, operate):
    stack("config:\n  aws:region: eu-central-1\n")
    done = operate("cost", "--json")
    assert (done.status, done.document["region"]) == (0, "us-east-1")
    assert done.err == (
        "Prices of us-east-1: those of eu-central-1 are not in operations/prices.json, and differ a little.\n"
    )


def test_the_plot_names_each_server_and_marks_where_it_gets_cheaper(stack, operate, tmp_path):
    done = operate("cost", "--plot", "bill.svg", "--json")
    svg = ET.fromstring((tmp_path / "bill.svg").read_text())
    texts = [element.text for element in svg.iter("{http://www.w3.org/2000/svg}text")]
    assert [server["name"] for server in done.document["servers"] if server["name"] not in texts] == []
    assert len(list(svg.iter("{http://www.w3.org/2000/svg}circle"))) == 3
    assert done.err == "Wrote bill.svg\n"


@pytest.mark.parametrize(
    ("words", "status", "sentence"),
    [
        (
            ["--requests", "ten"],
            2,
            "Argument --requests: 'ten' is not an amount: give a number from 0 on, such as 1e6.",
        ),
        (["--ms", "-1"], 2, "Argument --ms: '-1' is not an amount: give a number from 0 on, such as 1e6."),
        (["--cold", "101"], 2, "Argument --cold: '101' is not a share in percent: give a number from 0 to 100."),
        (["--set", "x=1"], 2, "x is not a setting of Pulumi.yaml: --set takes one of its settings as KEY=VALUE."),
        (["--set", "x"], 2, "Argument --set: 'x' has no value: give KEY=VALUE, such as memorySize=1024."),
        (
            ["--set", "queues=mail"],
            2,
            "queues takes JSON of type array, not 'mail': write --set 'queues=[\"a\", \"b\"]'.",
        ),
        (["--stack", "../x"], 2, "There is no Pulumi.../x.yaml here: choose a stack with --stack NAME."),
        (["--set", "memorySize=big"], 1, "memorySize is 'big', but it is a number from 0 on: set one."),
        (
            ["--set", "architecture=mips"],
            1,
            "architecture is 'mips', but Lambda has x86_64 and arm64: set one of them.",
        ),
        (["--plot", "no/x.svg"], 1, "no/x.svg can't be written (No such file or directory): give --plot another file."),
    ],
)
def test_a_wrong_argument_is_one_sentence(stack, operate, words, status, sentence):
    done = operate("cost", *words)
    hint = " See python -m operations --help." if status == 2 else ""
    assert (done.status, done.out, done.err) == (status, "", f"operations: {sentence}{hint}\n")


def test_a_stack_file_that_is_not_yaml_is_one_sentence(stack, operate):
    stack("config: [")
    done = operate("cost")
    assert (done.status, done.out, done.err.count("\n")) == (1, "", 1)
    assert done.err.startswith("operations: Pulumi.dev.yaml can't be read (")


# The page.


def test_the_page_shows_what_the_command_prints_and_draws(operate, monkeypatch, tmp_path):
    monkeypatch.chdir(ROOT)
    page = (ROOT / "docs" / "cost.md").read_text()
    done = operate("cost", "--requests", "1e6", "--ms", "80", "--plot", str(tmp_path / "cost.svg"))
    assert f"```console\n$ make cost REQUESTS=1e6 MS=80\n{done.out}```" in page
    assert (tmp_path / "cost.svg").read_text() == (ROOT / "docs" / "cost.svg").read_text()


def published():
    """What is right of each load that others have published, in US dollars, in the order of the page's table."""
    small = lines(requests=40_000, ms=816)
    lambda_ = small["Lambda requests"].list_usd + small["Lambda duration, init included"].list_usd
    api = small["API Gateway requests"].list_usd
    yield lambda_, lambda_ + api, api, lines(requests=0, ms=0, image_mb=150, layer_mb=20)["ECR images"].list_usd, 0.50
    mumbai = lines({"memorySize": 256, "table": "id"}, "ap-south-1", requests=300_000, ms=200)
    yield (sum(mumbai[name].list_usd for name in ("Lambda requests", "Lambda duration, init included")),)
    yield (mumbai["API Gateway requests"].list_usd,)
    yield (mumbai["DynamoDB writes"].list_usd + mumbai["DynamoDB reads"].list_usd,)
    address = usd("public_ipv4_hour") * 730
    yield usd("t3_small_hour", "ap-south-1") * 730, address
    yield servers(prices("ap-south-1"))[0].usd - address, address
    for requests, ms, memory in ((1e5, 100, 256), (5e4, 200, 512), (3e4, 800, 1024), (1e4, 2000, 2048)):
        found = lines({"memorySize": memory}, requests=requests, ms=ms)
        both = [found["Lambda requests"], found["Lambda duration, init included"]]
        yield total(both), found["API Gateway requests"].to_pay, sum(line.list_usd for line in both)
    yield (lines({"provisionedConcurrency": 3}, requests=0, ms=0)["Lambda provisioned environments"].to_pay,)
    many = list(lines(requests=50e6, ms=200).values())
    rest = 8 * usd("disk_gb_month") + address
    instances = usd("t3_small_hour") * 730, usd("t3_medium_hour") * 730
    yield sum(line.list_usd for line in many), total(many), *instances, rest
    cdn = lines({"cdn": True}, requests=20e6, ms=0, response_kb=50, cached_percent=100)
    yield 1e6 * 50 / 1024**2 * 0.12, cdn["CloudFront requests"].to_pay, cdn["CloudFront function"].to_pay
    yield usd("t3_micro_hour") * 730, usd("t3_micro_hour") * 730 + rest


def test_the_page_says_of_each_published_load_what_is_right():
    page = (ROOT / "docs" / "cost.md").read_text()
    rows = re.findall(r"^\| .*\|$", page.partition("## What others have published")[2], re.MULTILINE)[2:]
    for row, amounts in zip(rows, published(), strict=True):
        right = " ".join(row.split(" | ")[2:])
        for amount in amounts:
            assert f"${amount:,.2f}" in right, row


def test_the_page_names_the_prices_that_were_not_looked_up():
    page = (ROOT / "docs" / "cost.md").read_text()
    named = set(re.findall(r"`([a-z0-9_]+)`", page.partition("## Where the prices are from")[2]))
    unseen = {"memory", "ratio"}
    for region in regions():
        guessed = {name for name, price in DOCUMENT["prices"].items() if unseen & set(price[region]["seen"])}
        assert guessed <= named
