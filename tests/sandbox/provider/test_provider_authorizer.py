"""An authorizer that asks a function: made, read back, changed and removed, with a route that needs it."""

import os

import pytest

from sandbox.provider.refusals import ResourceRefusedError

TYPE, ROUTE = "aws:apigatewayv2/authorizer:Authorizer", "aws:apigatewayv2/route:Route"
URI = (
    "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/"
    "arn:aws:lambda:us-east-1:000000000000:function:web:live/invocations"
)
EMPTY = {"authorizerCredentialsArn": "", "enableSimpleResponses": False, "jwtConfiguration": None}


@pytest.fixture(scope="module")
def api(provider):
    return provider.create("aws:apigatewayv2/api:Api", "web", {"name": "web", "protocolType": "HTTP"}).identity


@pytest.fixture
def authorizer(provider, api):
    """Makes an authorizer with payload format 2.0 and what a test gives."""
    made = []

    def create(**given):
        inputs = {"apiId": api, "name": "decider", "authorizerType": "REQUEST", "authorizerUri": URI}
        made.append(provider.create(TYPE, "decider", {**inputs, "authorizerPayloadFormatVersion": "2.0", **given}))
        return made[-1]

    yield create
    for found in made:
        provider.delete(TYPE, "decider", found.identity, found.outputs)


def outputs(found):
    return {name: value for name, value in found.outputs.items() if name not in ("apiId", "region")}


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ({}, 0),  # without identity sources no answer can be kept
        ({"identitySources": ["$request.header.Authorization"]}, 300),
        ({"identitySources": ["$request.header.Authorization"], "authorizerResultTtlInSeconds": 0}, 0),
        (
            {"identitySources": ["$context.routeKey", "$request.querystring.key"], "authorizerResultTtlInSeconds": 60},
            60,
        ),
    ],
)
def test_an_authorizer_is_read_as_the_program_gave_it_with_the_seconds_of_the_real_provider(
    provider, authorizer, given, seconds
):
    found = authorizer(**given)
    assert outputs(found) == {
        **EMPTY,
        "identitySources": [],
        "authorizerPayloadFormatVersion": "2.0",
        "authorizerType": "REQUEST",
        "authorizerUri": URI,
        "name": "decider",
        **given,
        "authorizerResultTtlInSeconds": seconds,
    }
    read = provider.read(TYPE, "decider", found.identity, found.outputs, found.inputs)
    assert (read.inputs, read.outputs) == (found.inputs, found.outputs)
    assert provider.diff(TYPE, found.inputs, found.inputs, found.outputs).changes == frozenset()


def test_an_authorizer_is_changed_in_place_and_what_is_no_longer_given_is_turned_off(provider, authorizer):
    sources = ["$request.header.Authorization"]
    found = authorizer(identitySources=sources, enableSimpleResponses=True, authorizerResultTtlInSeconds=60)
    inputs = {name: value for name, value in found.inputs.items() if name != "enableSimpleResponses"}
    inputs |= {"authorizerPayloadFormatVersion": "1.0", "authorizerResultTtlInSeconds": 0}
    assert provider.diff(TYPE, found.inputs, inputs, found.outputs).replaces == frozenset()
    updated = provider.update(TYPE, "decider", found.identity, found.outputs, inputs)
    assert outputs(updated) == {
        **outputs(found),
        "authorizerPayloadFormatVersion": "1.0",
        "authorizerResultTtlInSeconds": 0,
        "enableSimpleResponses": False,
    }


def test_an_authorizer_of_another_type_needs_another_name(provider, authorizer):
    found = authorizer()
    tokens = {"issuer": os.environ["TESTS_ISSUER"], "audiences": ["shop"]}
    inputs = {"apiId": found.inputs["apiId"], "name": "decider", "authorizerType": "JWT", "jwtConfiguration": tokens}
    inputs["identitySources"] = ["$request.header.Authorization"]
    with pytest.raises(ResourceRefusedError) as refused:
        provider.update(TYPE, "decider", found.identity, found.outputs, inputs)
    assert "can't change the type of an authorizer from REQUEST to JWT" in refused.value.reason


def test_a_route_that_asks_a_function_needs_an_authorizer_of_its_api(provider, authorizer, api):
    inputs = {"apiId": api, "routeKey": "GET /orders", "authorizationType": "CUSTOM"}
    for given, named in (({}, ""), ({"authorizerId": "gone"}, "gone")):
        with pytest.raises(ResourceRefusedError) as refused:
            provider.create(ROUTE, "orders", {**inputs, **given})
        assert (refused.value.code, refused.value.reason) == (
            "BadRequestException",
            f"API {api} has no authorizer '{named}'",
        )
    identity = authorizer().identity
    route = provider.create(ROUTE, "orders", {**inputs, "authorizerId": identity})
    assert (route.outputs["authorizationType"], route.outputs["authorizerId"]) == ("CUSTOM", identity)
    provider.delete(ROUTE, "orders", route.identity, route.outputs)
