import json

import pytest

from dualmode.behind_cdn import Accepted, behind_cdn
from dualmode.init_phase import handler_of
from dualmode.logs import AccessLog
from tests.dualmode.test_secrets import CALLER, Store
from tests.support.events import make_event

VALUES = {"DUALMODE_CDN_SECRETS": "new old"}
PLACE = {"DUALMODE_SECRET_DUALMODE_CDN_SECRETS": "ssm:/shop/CDN_SECRETS"}
REFUSED = (403, {"error": "This address takes no requests of its own: send them to the domain of the application"})


def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/json")])
    names = ("HTTP_HOST", "SERVER_NAME", "REMOTE_ADDR", "HTTP_X_FORWARDED_FOR", "HTTP_X_DUALMODE_CDN")
    return [json.dumps({name: environ.get(name) for name in names}).encode()]


def ask(event, environ=VALUES):
    result = handler_of(app, AccessLog({}, lambda _: None), environ)(event, None)
    return result["statusCode"], json.loads(result["body"])


def from_cdn(secret="new", **more):
    headers = {"x-dualmode-cdn": secret, "x-forwarded-host": "shop.example.com", "x-dualmode-client": "192.0.2.7"}
    return make_event(headers={**headers, **more})


@pytest.mark.parametrize("secret", ["new", "old"])
def test_a_request_through_the_cdn_is_the_clients_own(secret):
    assert ask(from_cdn(secret)) == (
        200,
        {
            "HTTP_HOST": "shop.example.com",
            "SERVER_NAME": "shop.example.com",
            "REMOTE_ADDR": "192.0.2.7",
            "HTTP_X_FORWARDED_FOR": "192.0.2.7",
            "HTTP_X_DUALMODE_CDN": None,
        },
    )


@pytest.mark.parametrize("secret", ["", "ne", "newer", "new old", "new,old", "né", "\ud800"])
def test_a_request_with_another_secret_is_refused(secret):
    assert ask(from_cdn(secret)) == REFUSED


def test_a_request_around_the_cdn_is_refused_and_what_it_says_of_itself_is_not_believed():
    assert ask(make_event(headers={"x-forwarded-host": "shop.example.com"})) == REFUSED
    assert ask(make_event(headers={})) == REFUSED


def test_a_request_in_another_format_is_refused():
    rest = {"version": "1.0", "httpMethod": "GET", "path": "/", "headers": {"x-dualmode-cdn": "new"}}
    assert ask({**rest, "requestContext": {"stage": "$default"}}) == REFUSED
    assert ask({**rest, "requestContext": {"elb": {"targetGroupArn": "arn"}}}) == REFUSED


def test_without_any_value_no_request_is_taken():
    assert ask(from_cdn(""), {"DUALMODE_CDN_SECRETS": " "}) == REFUSED


def test_without_the_cdn_the_host_is_the_apis_whatever_a_client_says():
    status, seen = ask(from_cdn(), {})
    host = "a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com"
    assert (status, seen["HTTP_HOST"], seen["SERVER_NAME"], seen["REMOTE_ADDR"]) == (200, host, host, "203.0.113.7")


@pytest.mark.parametrize(
    "event", [{"flask": ["db", "upgrade"]}, {"Records": []}, {"requestContext": {"eventType": "CONNECT"}}, [], None]
)
def test_what_is_not_a_request_is_not_checked(event):
    assert behind_cdn(lambda given, _: ("handled", given), VALUES)(event, None) == ("handled", event)


def parameter(*values):
    return [(200, {"Parameters": [{"Name": "/shop/CDN_SECRETS", "Value": value}]}) for value in values]


def test_a_value_that_is_not_known_yet_is_read_and_the_oldest_one_then_refused():
    clock = [0.0]
    with Store(*parameter("newer new")) as store:
        accepted = Accepted({**CALLER, **VALUES, **PLACE, "AWS_ENDPOINT_URL": store.url}, lambda: clock[0])
        clock[0] = 5.0
        assert [value in accepted for value in ("new", "newer", "newer", "new", "old")] == [
            True,
            True,
            True,
            True,
            False,
        ]
    assert store.asked == [
        ("AmazonSSM.GetParameters", {"WithDecryption": True, "Names": ["/shop/CDN_SECRETS"]}),
    ]


def test_wrong_values_are_not_looked_up_more_than_once_a_second_and_a_failure_refuses():
    clock = [0.0]
    with Store((400, {"__type": "AccessDeniedException", "message": "no"})) as store:
        accepted = Accepted({**CALLER, **VALUES, **PLACE, "AWS_ENDPOINT_URL": store.url}, lambda: clock[0])
        for clock[0] in (0.5, 1.5, 2.0, 2.4, 2.6):
            assert "guessed" not in accepted
            assert "old" in accepted
    assert len(store.asked) == 2
