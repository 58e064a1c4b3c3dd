"""What the sandbox writes to its account's CloudWatch Logs."""

import json

import pytest

from infra.api_route import access_log_format
from sandbox.log_delivery import LogDelivery, access_log_line
from sandbox.ministack import MiniStack
from tests.support.waiting import until
from walk.account import Account
from walk.domain import StageAddress
from walk.function_version import FunctionVersion

GROUP = "/aws/lambda/shop"


@pytest.fixture(scope="module")
def account(tmp_path_factory):
    with MiniStack(tmp_path_factory.mktemp("logs")) as ministack:
        account = Account(ministack.endpoint_url, ministack.region, ministack.credentials)
        account.client("logs").create_log_group(logGroupName=GROUP)
        yield account


def version(group=GROUP):
    return FunctionVersion(
        name="shop",
        version="4",
        image="",
        repository="",
        timeout=1,
        memory_size=128,
        storage=512,
        architecture="x86_64",
        variables={},
        log_format="JSON",
        log_level="",
        system_log_level="",
        log_group=group,
        revision="",
    )


def events(account):
    found = account.client("logs").filter_log_events(logGroupName=GROUP)["events"]
    return [(event["logStreamName"][10:14], event["message"], event["timestamp"]) for event in found]


def test_a_functions_lines_arrive_whole_with_their_times_and_without_the_gateways_own(account, tmp_path):
    log = tmp_path / "shop-4.log"
    start = '{"time":"2026-11-21T16:03:16.299Z","type":"platform.start","record":{}}'
    with LogDelivery(account) as delivery:
        delivery.follow(version(), log)
        log.write_text(f"gateway: starts\n{start}\nin the mid")
        until(lambda: events(account))
        with log.open("a") as file:
            file.write("dle é\n")
    at = 1795276996299  # 2026-11-21 16:03:16.299 UTC
    (first, second) = events(account)
    assert first == ("/[4]", start, at)
    assert second[:2] == ("/[4]", "in the middle é")


def test_a_group_that_is_not_there_loses_its_lines_and_nothing_else(account, tmp_path):
    log = tmp_path / "shop-4.log"
    log.write_text("lost\n")
    with LogDelivery(account) as delivery:
        delivery.follow(version("/aws/lambda/nobody"), log)
    assert not [event for event in events(account) if event[1] == "lost"]


def test_an_access_log_goes_on_in_the_stream_of_a_sandbox_before(account):
    group = "/aws/vendedlogs/apis/shop"
    logs, apis = account.client("logs"), account.client("apigatewayv2")
    logs.create_log_group(logGroupName=group)
    arn = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]["arn"]
    api = apis.create_api(Name="shop", ProtocolType="HTTP")["ApiId"]
    access_log = {"DestinationArn": arn, "Format": "$context.requestId"}
    apis.create_stage(ApiId=api, StageName="$default", AccessLogSettings=access_log)
    address = StageAddress(domain_name="shop.example.com", api_id=api, stage="$default", path="/")
    for request in ("first", "second"):
        with LogDelivery(account) as delivery:
            delivery.note_request(address, {"requestId": request})
    assert [event["message"] for event in logs.filter_log_events(logGroupName=group)["events"]] == ["first", "second"]


def test_an_access_log_entry_is_the_stages_format_with_the_requests_values():
    context = {"requestId": "a=", "integration.requestId": "f", "path": '/"quoted"\n', "status": 200}
    entry = json.loads(access_log_line(json.dumps(access_log_format()), context))
    assert {name: value for name, value in entry.items() if value != "-"} == {
        "requestId": "a=",
        "functionRequestId": "f",
        "path": '/"quoted"\n',
        "status": "200",
    }
