"""CORS, authorization and Function URL under the real engine: turned on, changed and turned off again."""

import json
from urllib.parse import urlsplit

import pytest

from dualmode.gateway.http.message import Request
from sandbox.errors import SandboxError
from sandbox.presets import DOMAIN
from tests.support.issuer import issuing
from tests.support.program import ROOT
from tests.support.pulumi_command import needs_pulumi
from tests.support.signing import signed
from tests.support.stacks import Stack

pytestmark = needs_pulumi

SHOP, OTHER = "https://shop.example", "https://other.example"
OWN = {"access-control-allow-origin": "https://the-application.example"}


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    return Stack(tmp_path_factory.mktemp("guarded"), ROOT / "tests" / "support" / "guarded")


def ask(sandbox, target="/", method="GET", host=DOMAIN, **headers):
    """The status, the headers and the JSON of an answer."""
    named = ((name.replace("_", "-"), value) for name, value in headers.items())
    request = Request(method=method, target=target, headers=(("Host", host), *named), body=b"")
    response = sandbox.edge.answer(request).response
    return response.status, dict(response.headers), json.loads(response.body or b"null")


def cors(answer):
    """The status and the CORS headers of an answer."""
    status, headers, _ = answer
    return status, {name: value for name, value in headers.items() if name.startswith("access-control-")}


def preflight(sandbox, origin, target="/"):
    return ask(sandbox, target, "OPTIONS", Origin=origin, Access_Control_Request_Method="POST")


def routes(sandbox):
    """The API's own state, as far as the settings of this test can change it."""
    client = sandbox.account.client("apigatewayv2")
    (api,) = client.get_apis()["Items"]
    return {
        "cors": api.get("CorsConfiguration"),
        "routes": {
            route["RouteKey"]: (route.get("AuthorizationType"), sorted(route.get("AuthorizationScopes") or ()))
            for route in client.get_routes(ApiId=api["ApiId"])["Items"]
        },
        "authorizers": client.get_authorizers(ApiId=api["ApiId"])["Items"],
    }


@pytest.fixture(scope="module")
def shared(stack):
    """What clients saw before, while and after the API answered CORS."""
    seen = {}
    with stack.running() as here:
        seen["before"] = routes(here)
        seen["preflight before"] = preflight(here, SHOP)
        seen["own headers"] = cors(ask(here, Origin=SHOP))
    on = {"corsOrigins": [SHOP], "corsCredentials": True, "corsMaxAge": 600, "corsExposeHeaders": ["x-total"]}
    with stack.running(**on) as here:
        seen["preflight"] = preflight(here, SHOP)
        seen["preflight elsewhere"] = preflight(here, OTHER)
        seen["response"] = cors(ask(here, Origin=SHOP))
        seen["response elsewhere"] = cors(ask(here, Origin=OTHER))
        seen["response without origin"] = cors(ask(here))
        seen["plain OPTIONS"] = ask(here, "/x", "OPTIONS")[2]
    with stack.running(corsOrigins=["*"], corsMethods=["GET"], corsHeaders=["*"]) as here:
        seen["preflight for all"] = cors(preflight(here, OTHER))
    with stack.running() as here:
        seen["after"] = routes(here)
        seen["preflight after"] = preflight(here, SHOP)
    return seen


@pytest.mark.case("R60", "G26")
def test_a_preflight_is_answered_without_the_function(shared):
    _, headers, body = shared["preflight"]
    assert cors(shared["preflight"]) == (
        204,
        {
            "access-control-allow-origin": SHOP,
            "access-control-allow-credentials": "true",
            "access-control-allow-methods": "GET,HEAD,POST,PUT,PATCH,DELETE,OPTIONS",
            "access-control-allow-headers": "authorization,content-type",
            "access-control-max-age": "600",
        },
    )
    assert (body, "apigw-requestid" in headers) == (None, True)


@pytest.mark.case("G27")
def test_another_origin_gets_no_permission(shared):
    assert cors(shared["preflight elsewhere"]) == (204, {})
    assert shared["response elsewhere"] == (200, {})


@pytest.mark.case("R62")
def test_the_api_s_cors_headers_replace_those_of_the_application(shared):
    assert shared["own headers"] == (200, OWN)
    assert shared["response"] == (
        200,
        {
            "access-control-allow-origin": SHOP,
            "access-control-allow-credentials": "true",
            "access-control-expose-headers": "x-total",
        },
    )


@pytest.mark.case("R61")
def test_a_request_without_an_origin_gets_no_cors_headers(shared):
    assert shared["response without origin"] == (200, {})


def test_an_options_request_that_is_no_preflight_reaches_the_application(shared):
    assert shared["plain OPTIONS"]["asked"] == "OPTIONS /x"


def test_a_changed_setting_is_seen_in_the_next_preflight(shared):
    assert shared["preflight for all"] == (
        204,
        {
            "access-control-allow-origin": "*",
            "access-control-allow-methods": "GET",
            "access-control-allow-headers": "*",
            "access-control-max-age": "0",
        },
    )


def test_without_origins_the_application_answers_preflights_and_the_account_is_as_before(shared):
    assert shared["after"] == shared["before"]
    for moment in ("before", "after"):
        status, headers, body = shared[f"preflight {moment}"]
        assert (status, body["asked"]) == (200, "OPTIONS /")
        assert headers["access-control-allow-origin"] == OWN["access-control-allow-origin"]


@pytest.fixture(scope="module")
def guarded(stack, tmp_path_factory):
    """What clients saw before, while and after requests needed a token."""
    seen = {}
    with issuing(tmp_path_factory.mktemp("issuer")) as issuer:
        on = {"jwtIssuer": issuer.address, "jwtAudiences": ["shop"], "publicPaths": ["/health", "/public/{proxy+}"]}

        def asked(here, target="/", method="GET", token=None, **headers):
            if token:
                headers["Authorization"] = f"Bearer {token}"
            return ask(here, target, method, **headers)

        with stack.running() as here:
            seen["before"], seen["open"] = routes(here), asked(here)
        with stack.running(**on) as here:
            seen["on"] = routes(here)
            seen["good"] = asked(here, token=issuer.token(roles=["a", "b"], scope="read", exp=4102444800, iat=None))
            seen["without Bearer"] = ask(here, Authorization=issuer.token())[0]
            seen["none"] = asked(here)
            seen["expired"] = asked(here, token=issuer.token(exp=1))
            seen["other audience"] = asked(here, token=issuer.token(aud="other"))
            seen["public"] = [asked(here, path) for path in ("/health", "/public/a/b")]
            near = ("/health/", "/healthy", "/Health", "/public", "/x/health", "/%2Fhealth")
            seen["near public"] = [asked(here, path)[0] for path in near]
            seen["unsent preflight"] = preflight(here, SHOP)[0]
        with stack.running(**on, jwtScopes=["write", "admin"], corsOrigins=[SHOP]) as here:
            seen["scopes"] = routes(here)["routes"]["$default"]
            seen["wrong scope"] = asked(here, token=issuer.token(scope="read"))
            seen["right scope"] = asked(here, token=issuer.token(scope="read write"))
            seen["preflight"] = [cors(preflight(here, SHOP, path)) for path in ("/", "/a/b")]
            seen["no token across origins"] = cors(asked(here, Origin=SHOP))
        with stack.running(**{**on, "jwtAudiences": ["market"], "publicPaths": []}) as here:
            seen["changed"] = [asked(here, token=issuer.token(aud=name))[0] for name in ("shop", "market")]
            seen["no longer public"] = asked(here, "/health")[0]
        with stack.running() as here:
            seen["after"], seen["open again"] = routes(here), asked(here)
        seen["issuer"] = issuer.address
        with pytest.raises(SandboxError) as refused, stack.running(**{**on, "jwtIssuer": f"{issuer.address}/none"}):
            pass
        seen["refused"] = str(refused.value)
    return seen


@pytest.mark.case("R57", "R58")
def test_a_good_token_reaches_the_application_with_its_claims(guarded):
    status, _, body = guarded["good"]
    claims = {
        "iss": guarded["issuer"],
        "aud": "shop",
        "sub": "ann",
        "exp": "4102444800",
        "roles": "[a b]",
        "scope": "read",
    }
    assert (status, body) == (200, {"asked": "GET /", "authorizer": {"jwt": {"claims": claims, "scopes": None}}})
    assert guarded["without Bearer"] == 200


@pytest.mark.case("R58", "G29")
@pytest.mark.parametrize(
    ("request_with", "challenge"),
    [
        ("none", "Bearer"),
        ("expired", 'Bearer scope="" error="invalid_token" error_description="the token has expired"'),
        (
            "other audience",
            'Bearer scope="" error="invalid_token" error_description="the token does not have a valid audience"',
        ),
    ],
)
def test_a_request_without_a_good_token_is_refused(guarded, request_with, challenge):
    status, headers, body = guarded[request_with]
    assert (status, body, headers["www-authenticate"]) == (401, {"message": "Unauthorized"}, challenge)


@pytest.mark.case("R58")
def test_a_token_needs_one_of_the_scopes(guarded):
    assert guarded["scopes"] == ("JWT", ["admin", "write"])
    assert (guarded["wrong scope"][0], guarded["wrong scope"][2]) == (403, {"message": "Forbidden"})
    status, _, body = guarded["right scope"]
    assert (status, body["authorizer"]["jwt"]["scopes"]) == (200, ["read", "write"])


def test_public_paths_need_no_token_and_nothing_near_them_is_public(guarded):
    assert [(status, body) for status, _, body in guarded["public"]] == [
        (200, {"asked": "GET /health", "authorizer": {}}),
        (200, {"asked": "GET /public/a/b", "authorizer": {}}),
    ]
    # Slashes in a row become one before a route is chosen (R10).
    assert guarded["near public"] == [401, 401, 401, 401, 401, 200]
    assert guarded["no longer public"] == 401


@pytest.mark.case("R66")
def test_a_preflight_needs_no_token_where_the_api_answers_cors(guarded):
    assert guarded["unsent preflight"] == 401
    assert [status for status, _ in guarded["preflight"]] == [204, 204]


@pytest.mark.case("G30")
def test_a_refused_request_has_no_cors_headers(guarded):
    assert guarded["no token across origins"] == (401, {})


def test_another_audience_is_a_change_of_the_authorizer(guarded):
    assert guarded["changed"] == [401, 200]


def test_an_issuer_that_publishes_no_keys_is_refused_as_by_aws(guarded):
    assert "BadRequestException: Caught exception when connecting to " in guarded["refused"]
    assert f"Invalid issuer: {guarded['issuer']}/none." in guarded["refused"]


def test_without_an_issuer_everybody_is_let_in_and_the_account_is_as_before(guarded):
    assert guarded["after"] == guarded["before"]
    assert sorted(guarded["on"]["routes"]) == ["$default", "ANY /health", "ANY /public/{proxy+}"]
    for moment in ("open", "open again"):
        status, _, body = guarded[moment]
        assert (status, body) == (200, {"asked": "GET /", "authorizer": {}})


def sign(sandbox, target="/", *, service="execute-api", **other):
    """The headers of a request that is signed by the sandbox's own credentials."""
    headers = signed(sandbox.variables | other, f"https://{DOMAIN}{target}", service)
    return {name.replace("-", "_"): value for name, value in headers.items()}


@pytest.fixture(scope="module")
def by_iam(stack):
    """What clients saw before, while and after requests had to be signed."""
    seen = {}
    with stack.running() as here:
        seen["before"] = routes(here)
    with stack.running(iamAuth=True, publicPaths=["/health"]) as here:
        seen["on"] = routes(here)["routes"]
        seen["signed"] = ask(here, "/a?b=c", **sign(here, "/a?b=c"))
        seen["identity"] = here.account.client("sts").get_caller_identity()
        seen["key"] = here.variables["AWS_ACCESS_KEY_ID"]
        seen["refused"] = [
            ask(here, "/a"),
            ask(here, "/other", **sign(here, "/a")),
            ask(here, "/a", **sign(here, "/a", AWS_SECRET_ACCESS_KEY="another")),
            ask(here, "/a", **sign(here, "/a", service="lambda")),
        ]
        seen["public"] = ask(here, "/health")[0]
    with stack.running() as here:
        seen["after"], seen["open again"] = routes(here), ask(here)[0]
    return seen


@pytest.mark.case("R67")
def test_a_signed_request_reaches_the_application_with_its_caller(by_iam):
    status, _, body = by_iam["signed"]
    identity = by_iam["identity"]
    caller = {
        "accessKey": by_iam["key"],
        "accountId": identity["Account"],
        "callerId": identity["UserId"],
        "cognitoIdentity": None,
        "principalOrgId": None,
        "userArn": identity["Arn"],
        "userId": identity["UserId"],
    }
    assert (status, body) == (200, {"asked": "GET /a", "authorizer": {"iam": caller}})


@pytest.mark.case("G31")
def test_a_request_without_the_right_signature_is_forbidden(by_iam):
    assert [(status, body) for status, _, body in by_iam["refused"]] == [(403, {"message": "Forbidden"})] * 4


def test_signatures_are_for_all_but_public_paths_and_the_account_is_as_before(by_iam):
    assert by_iam["on"] == {"$default": ("AWS_IAM", []), "ANY /health": ("NONE", [])}
    assert (by_iam["public"], by_iam["open again"]) == (200, 200)
    assert by_iam["after"] == by_iam["before"]


def functions(sandbox):
    """What the account has of addresses: URLs, statements of the alias's policy, APIs."""
    client = sandbox.account.client("lambda")
    statements = json.loads(client.get_policy(FunctionName="dualmode-dev", Qualifier="live")["Policy"])["Statement"]
    return {
        "urls": [
            each["AuthType"]
            for each in client.list_function_url_configs(FunctionName="dualmode-dev")["FunctionUrlConfigs"]
        ],
        "statements": sorted((each["Action"], json.dumps(each["Principal"])) for each in statements),
        "apis": len(sandbox.account.client("apigatewayv2").get_apis()["Items"]),
    }


@pytest.fixture(scope="module")
def by_url(stack):
    """What clients saw before, while and after a Function URL replaced the API."""
    seen = {}
    with stack.running(domainName="") as here:
        seen["before"], seen["output before"] = functions(here), here.url
    with stack.running(domainName="", functionUrl=True) as here:
        client = here.account.client("lambda")
        seen["on"], seen["outputs"] = functions(here), here.deployment.outputs
        host = urlsplit(here.url).hostname
        live = {"FunctionName": "dualmode-dev", "Qualifier": "live"}
        seen["configured"] = client.get_function_url_config(**live)["FunctionUrl"]
        seen["asked"] = ask(here, "/capture/space%20value", host=host)
        seen["local"] = ask(here, "/", host="127.0.0.1:8000")[0]
        seen["event"] = ask(here, "/event/100%25?x=1", host=host, Cookie="a=1; b=2")[2]
        seen["failed"] = here.edge.answer(Request(method="GET", target="/exit", headers=(("Host", host),))).response
        seen["unknown"] = ask(here, "/", host=f"{'a' * 32}.lambda-url.us-east-1.on.aws")
        for action in ("lambda:InvokeFunctionUrl", "lambda:InvokeFunction"):
            policy = json.loads(client.get_policy(**live)["Policy"])
            (sid,) = [each["Sid"] for each in policy["Statement"] if each["Action"] == action]
            client.remove_permission(**live, StatementId=sid)
            seen[f"without {action}"] = ask(here, host=host)
            more = {"FunctionUrlAuthType": "NONE"} if action.endswith("Url") else {"InvokedViaFunctionUrl": True}
            client.add_permission(**live, StatementId=sid, Action=action, Principal="*", **more)
        seen["allowed again"] = ask(here, host=host)[0]
    with stack.running(domainName="") as here:
        seen["after"], seen["gone"] = functions(here), ask(here, host=host)[0]
        seen["api again"] = ask(here, host=urlsplit(here.url).hostname)[0]
    return seen


def test_a_function_url_is_the_url_output_and_answers(by_url):
    assert by_url["outputs"]["url"] + "/" == by_url["configured"]
    assert "api_endpoint" not in by_url["outputs"]
    status, headers, body = by_url["asked"]
    assert (status, body) == (200, {"asked": "GET /capture/space value", "authorizer": {}})
    assert headers["content-type"] == "application/json"
    assert "x-amzn-requestid" in headers
    assert by_url["local"] == 200


@pytest.mark.case("R03", "R32", "R39", "R65")
def test_a_function_url_s_event_is_lambda_s_own(by_url):
    event = by_url["event"]
    context = event["requestContext"]
    url_id = by_url["configured"].removeprefix("https://").partition(".")[0]
    assert (event["rawPath"], context["http"]["path"], event["rawQueryString"]) == (
        "/event/100%25",
        "/event/100%",
        "x=1",
    )
    assert (event["cookies"], event["headers"]["cookie"]) == (["a=1", "b=2"], "a=1; b=2")
    assert (context["accountId"], context["apiId"], context["routeKey"], context["stage"]) == (
        *("anonymous", url_id),
        *("$default", "$default"),
    )
    assert {"x-amzn-tls-cipher-suite", "x-amzn-tls-version"} <= event["headers"].keys()


@pytest.mark.case("S31")
def test_a_function_that_fails_is_a_502_at_its_url(by_url):
    assert (by_url["failed"].status, by_url["failed"].body) == (502, b"Internal Server Error")


@pytest.mark.case("S36")
@pytest.mark.parametrize("action", ["lambda:InvokeFunctionUrl", "lambda:InvokeFunction"])
def test_a_function_url_needs_both_permissions(by_url, action):
    status, headers, body = by_url[f"without {action}"]
    assert (status, headers["x-amzn-errortype"]) == (403, "AccessDeniedException")
    assert body["Message"].startswith("Forbidden. ")
    assert by_url["allowed again"] == 200
    assert by_url["unknown"][0] == 403


def test_a_function_url_replaces_the_api_and_leaves_the_account_as_before(by_url):
    public = json.dumps("*")
    assert by_url["on"] == {
        "urls": ["NONE"],
        "statements": [("lambda:InvokeFunction", public), ("lambda:InvokeFunctionUrl", public)],
        "apis": 0,
    }
    assert by_url["after"] == by_url["before"]
    assert (by_url["gone"], by_url["api again"]) == (403, 200)
