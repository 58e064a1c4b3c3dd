import json

import pytest

from infra.api_route import Authorization, access_log_format, routes
from infra.authorizer import AccessSettings, authorization
from infra.rules import ConfigError
from tests.support.issuer import issuing

# None is of a query or a header. Source: "Customize HTTP API access logs", API Gateway Developer Guide.
LOGGED = {
    *("$context.requestId", "$context.integration.requestId", "$context.requestTime", "$context.identity.sourceIp"),
    *("$context.httpMethod", "$context.path", "$context.routeKey", "$context.status", "$context.responseLength"),
    *("$context.responseLatency", "$context.integrationLatency", "$context.integration.integrationStatus"),
    *("$context.error.message", "$context.integrationErrorMessage"),
}


def test_the_integration_hands_the_alias_payload_format_2(without_domain):
    integration = without_domain.one("Integration").inputs
    assert integration["payloadFormatVersion"] == "2.0"
    assert integration["integrationType"] == "AWS_PROXY"
    assert integration["integrationUri"] == without_domain.one("Alias").outputs["invokeArn"]
    assert integration["timeoutMilliseconds"] == 30_000


def test_one_route_takes_every_request(without_domain):
    route = without_domain.one("Route").inputs
    assert route["routeKey"] == "$default"
    assert route["target"] == f"integrations/{without_domain.one('Integration').id}"


def test_both_halves_of_throttling_are_set_since_the_one_left_out_would_be_0(without_domain):
    stage = without_domain.one("Stage").inputs
    assert (stage["name"], stage["autoDeploy"]) == ("$default", True)
    assert stage["defaultRouteSettings"] == {"throttlingRateLimit": 50, "throttlingBurstLimit": 100}


def test_the_api_may_call_the_alias_from_any_stage_and_route(without_domain):
    permission = without_domain.one("Permission").inputs
    execution = without_domain.one("Api").outputs["executionArn"]
    assert permission["sourceArn"] == f"{execution}/*/*"
    assert (permission["function"], permission["qualifier"]) == ("dualmode-dev", "live")
    assert (permission["principal"], permission["action"]) == ("apigateway.amazonaws.com", "lambda:InvokeFunction")
    assert without_domain.count("Permission") == 1


def test_the_stage_is_served_only_once_it_can_answer(without_domain):
    assert {"Route", "Permission", "Alias"} <= without_domain.made_after(without_domain.one("Stage"))


def test_each_request_is_logged_as_json_without_query_or_headers(without_domain):
    settings = without_domain.one("Stage").inputs["accessLogSettings"]
    group = without_domain.one("LogGroup", "api-access-logs")
    fields = json.loads(settings["format"])
    assert fields == access_log_format()
    assert settings["destinationArn"] == group.outputs["arn"]
    # With this prefix the group needs no resource policy.
    assert (group.inputs["name"], group.inputs["retentionInDays"]) == ("/aws/vendedlogs/apis/dualmode-dev", 14)
    assert set(fields.values()) == LOGGED


def test_without_a_domain_the_default_endpoint_is_the_url(without_domain):
    assert without_domain.one("Api").inputs["disableExecuteApiEndpoint"] is False
    assert without_domain.outputs["url"] == without_domain.outputs["api_endpoint"]
    assert without_domain.count("CustomDomain") == 0


def test_the_api_s_own_address_answers_over_ipv4_and_ipv6(without_domain):
    assert without_domain.one("Api").inputs["ipAddressType"] == "dualstack"


def test_with_a_domain_the_default_endpoint_is_closed_unless_a_setting_keeps_it(program, with_domain):
    assert with_domain.one("Api").inputs["disableExecuteApiEndpoint"] is True
    kept = program.deploy(domainName="app.sandbox.test", keepDefaultEndpoint=True)
    assert kept.one("Api").inputs["disableExecuteApiEndpoint"] is False


def test_throttling_follows_its_settings(program):
    stage = program.deploy(throttleRate=7, throttleBurst=9).one("Stage").inputs
    assert stage["defaultRouteSettings"] == {"throttlingRateLimit": 7, "throttlingBurstLimit": 9}


def test_tokens_and_cors_are_asked_for_as_they_are_set(program, tmp_path):
    pages = {"corsOrigins": ["https://www.example.com"], "corsMethods": ["GET"], "corsMaxAge": 60}
    headers = {"corsHeaders": ["x-sent"], "corsExposeHeaders": ["x-read"]}
    with issuing(tmp_path) as issuer:
        tokens = {"jwtIssuer": issuer.address, "jwtAudiences": ["shop"], "jwtScopes": ["read"]}
        made = program.deploy(**tokens, **pages, **headers)
    route = made.one("Route", "api-route").inputs
    assert {key: route.get(key) for key in ("authorizationType", "authorizerId", "authorizationScopes")} == {
        "authorizationType": "JWT",
        "authorizerId": made.one("Authorizer").id,
        "authorizationScopes": ["read"],
    }
    asked = made.one("Authorizer").inputs["jwtConfiguration"]
    assert asked == {"issuer": issuer.address, "audiences": ["shop"]}
    assert made.one("Api").inputs["corsConfiguration"] == {
        "allowOrigins": ["https://www.example.com"],
        "allowMethods": ["GET"],
        "allowHeaders": ["x-sent"],
        "exposeHeaders": ["x-read"],
        "allowCredentials": False,
        "maxAge": 60,
    }


def test_every_route_but_the_public_ones_asks_for_authorization():
    asked = Authorization(type="AWS_IAM", public_paths=["/health", "/public/{proxy+}"])
    public = {"ANY /health": None, "ANY /public/{proxy+}": None}
    preflights = {"OPTIONS /{proxy+}": None, "OPTIONS /": None}
    assert routes(None, answers_preflights=True) == {"$default": None}
    assert routes(asked, answers_preflights=False) == {"$default": asked, **public}
    assert routes(asked, answers_preflights=True) == {"$default": asked, **public, **preflights}


def test_a_function_url_is_open_to_everyone_but_only_through_itself(program):
    made = program.deploy(functionUrl=True)
    live = {"qualifier": "live"}
    assert made.one("FunctionUrl", "function-url-address").inputs == {
        "functionName": "dualmode-dev",
        "authorizationType": "NONE",
        **live,
    }
    assert made.one("Permission", "function-url-ask").inputs == {
        "function": "dualmode-dev",
        "action": "lambda:InvokeFunctionUrl",
        "principal": "*",
        "functionUrlAuthType": "NONE",
        **live,
    }
    assert made.one("Permission", "function-url-invoke").inputs == {
        "function": "dualmode-dev",
        "action": "lambda:InvokeFunction",
        "principal": "*",
        "invokedViaFunctionUrl": True,
        **live,
    }
    assert (made.count("Api"), made.count("Permission"), made.count("FunctionUrl")) == (0, 2, 2)
    variables = made.one("Function").inputs.get("environment")
    assert "DUALMODE_API_ID" not in str(variables)


@pytest.mark.parametrize(
    ("settings", "given"),
    [
        (AccessSettings(iam_auth=True), "iamAuth is True"),
        (
            AccessSettings(jwt_issuer="https://id.example.com", jwt_audiences=["shop"]),
            "jwtIssuer is 'https://id.example.com'",
        ),
    ],
)
def test_a_program_that_brings_its_own_authorizer_has_no_setting_for_another(settings, given):
    own = Authorization(type="CUSTOM", authorizer_id="abc")
    assert authorization(AccessSettings(), api_id="api", own=own) is own
    with pytest.raises(ConfigError) as refused:
        authorization(settings, api_id="api", own=own)
    rule = "the program asks for CUSTOM itself, and a route has one kind of authorization"
    assert str(refused.value) == f"{given}, but {rule}: remove one of them."
