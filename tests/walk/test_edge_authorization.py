"""Several routes with an authorizer: each hop of them is broken in the account, and says so with AWS's status."""

import contextlib
import json
from types import SimpleNamespace

import pytest

from dualmode.gateway.http.message import Request
from sandbox.edge.edge import Edge
from sandbox.presets import DOMAIN
from tests.support.issuer import issuing
from tests.support.sandboxes import deployed
from tests.support.signing import signed, signer_of
from walk.authorization import Credentials

UNAUTHORIZED, FORBIDDEN, INTERNAL = (
    {"message": text} for text in ("Unauthorized", "Forbidden", "Internal Server Error")
)


@pytest.fixture(scope="module")
def issuer(tmp_path_factory):
    with issuing(tmp_path_factory.mktemp("issuer")) as issuer:
        yield issuer


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory, issuer):
    """The program with a token for all but two paths, one of which takes whatever follows it."""
    settings = {"jwtIssuer": issuer.address, "jwtAudiences": ["shop"], "publicPaths": ["/health", "/public/{proxy+}"]}
    with deployed(tmp_path_factory.mktemp("authorization"), **settings) as found:
        yield found


@pytest.fixture
def gateway(sandbox):
    return sandbox.account.client("apigatewayv2")


@pytest.fixture
def ask(sandbox, echo):
    """Sends a request, and returns its status, its JSON, and the reason of a refusal with the hop that refuses."""
    credentials = Credentials(signer=signer_of(sandbox))
    edge = Edge(sandbox.edge.account, echo, default_name=DOMAIN, credentials=credentials)

    def send(target, method="GET", token=None, **headers):
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        request = Request(method=method, target=target, headers=(("Host", DOMAIN), *headers.items()), body=b"")
        answer = edge.answer(request)
        hop = answer.trace.refusal
        return answer.response.status, json.loads(answer.response.body or b"null"), hop and (hop.hop, hop.detail)

    return send


@pytest.fixture
def api(gateway):
    (api,) = gateway.get_apis()["Items"]
    return api["ApiId"]


@pytest.fixture
def route(gateway, api):
    """The route with a key, as the account has it now."""
    return lambda key: next(each for each in gateway.get_routes(ApiId=api)["Items"] if each["RouteKey"] == key)


@pytest.fixture
def pets(gateway, api, route):
    """A further route, made in the account, with a variable in its path."""
    made = gateway.create_route(ApiId=api, RouteKey="GET /pets/{name}", Target=route("$default")["Target"])
    yield made["RouteId"]
    with contextlib.suppress(gateway.exceptions.NotFoundException):
        gateway.delete_route(ApiId=api, RouteId=made["RouteId"])


def taken(answer):
    """The route that took a request, and the values of its variables."""
    status, event, refusal = answer
    assert (status, refusal) == (200, None)
    return event["routeKey"], event.get("pathParameters")


@pytest.mark.case("R17", "R18", "R19")
def test_each_request_takes_its_route_and_brings_its_variables(ask, issuer, pets):
    assert taken(ask("/public/a/b")) == ("ANY /public/{proxy+}", {"proxy": "a/b"})
    assert taken(ask("/health", "POST")) == ("ANY /health", None)
    assert taken(ask("/pets/Chester%20Mall")) == ("GET /pets/{name}", {"name": "Chester Mall"})
    assert taken(ask("/pets/1", "POST", issuer.token())) == ("$default", None)


def test_a_route_that_is_gone_leaves_its_requests_to_the_one_that_asks_for_a_token(ask, gateway, api, pets):
    assert taken(ask("/pets/1")) == ("GET /pets/{name}", {"name": "1"})
    gateway.delete_route(ApiId=api, RouteId=pets)
    assert ask("/pets/1") == (401, UNAUTHORIZED, ("authorizer", "the request has no token"))


def test_a_route_without_an_integration_fails_alone(ask, gateway, api, pets):
    gateway.update_route(ApiId=api, RouteId=pets, Target="integrations/nothing")
    assert ask("/pets/1") == (500, INTERNAL, ("integration", "route GET /pets/{name} has no integration"))
    assert ask("/health")[0] == 200


@pytest.mark.case("R58")
@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"exp": 1}, "the token has expired"),
        ({"aud": "market"}, "the token does not have a valid audience"),
    ],
)
def test_a_refused_token_is_said_with_its_reason(ask, issuer, claims, reason):
    assert ask("/", token=issuer.token(**claims)) == (401, UNAUTHORIZED, ("authorizer", reason))


@pytest.fixture
def payload_1_0(gateway, api):
    """The API's integration with payload 1.0."""
    (integration,) = gateway.get_integrations(ApiId=api)["Items"]
    known = {"ApiId": api, "IntegrationId": integration["IntegrationId"]}
    gateway.update_integration(**known, PayloadFormatVersion="1.0")
    yield
    gateway.update_integration(**known, PayloadFormatVersion="2.0")


@pytest.fixture
def signed_pets(gateway, api, pets):
    """The further route, for signed requests alone."""
    gateway.update_route(ApiId=api, RouteId=pets, AuthorizationType="AWS_IAM")


PETS = f"https://{DOMAIN}/pets/1"


@pytest.mark.case("R80")
def test_an_integration_with_payload_1_0_gets_who_signed_as_the_identity(ask, sandbox, signed_pets, payload_1_0):
    status, event, _ = ask("/pets/1", **signed(sandbox.variables, PETS, "execute-api"))
    user = sandbox.account.client("sts").get_caller_identity()
    cognito = ("AuthenticationProvider", "AuthenticationType", "IdentityId", "IdentityPoolId")
    assert (status, event["requestContext"]["identity"]) == (
        200,
        {
            "accessKey": sandbox.variables["AWS_ACCESS_KEY_ID"],
            "accountId": user["Account"],
            "caller": user["UserId"],
            "principalOrgId": None,
            "user": user["UserId"],
            "userArn": user["Arn"],
            **{f"cognito{name}": None for name in cognito},
            "sourceIp": "127.0.0.1",
            "userAgent": "",
        },
    )
    assert "authorizer" not in event["requestContext"]


@pytest.mark.case("G31", "R69")
def test_a_role_needs_the_permission_for_the_path_that_it_asks_for(ask, sandbox, api, signed_pets):
    iam = sandbox.account.client("iam")
    iam.create_role(RoleName="keeper", AssumeRolePolicyDocument="{}")
    variables = sandbox.roles.variables(SimpleNamespace(name="zoo", role="keeper"))
    pets = f"arn:aws:execute-api:us-east-1:000000000000:{api}/$default/GET/pets/"

    def ask_with(resource):
        statement = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": resource}
        document = json.dumps({"Statement": [statement]})
        iam.put_role_policy(RoleName="keeper", PolicyName="own", PolicyDocument=document)
        return ask("/pets/1", **signed(variables, PETS, "execute-api"))

    keeper = "arn:aws:sts::000000000000:assumed-role/keeper/zoo"
    status, event, _ = ask_with(f"{pets}*")
    assert (status, event["requestContext"]["authorizer"]["iam"]["userArn"]) == (200, keeper)
    reason = f'{keeper} may not call execute-api:Invoke on {pets}1: statement 1 is about "{pets}2"'
    assert ask_with(f"{pets}2") == (403, FORBIDDEN, ("authorizer", reason))


@pytest.mark.case("R78")
def test_an_integration_with_payload_1_0_gets_the_claims_without_the_name_of_their_kind(ask, issuer, payload_1_0):
    status, event, _ = ask("/", token=issuer.token(exp=4102444800, iat=None))
    claims = {"iss": issuer.address, "aud": "shop", "sub": "ann", "exp": "4102444800"}
    assert (status, event["requestContext"]["authorizer"]) == (200, {"claims": claims, "scopes": None})


def test_an_authorizer_of_another_audience_refuses_the_tokens_of_before(ask, gateway, api, route, issuer, changed):
    known = {"ApiId": api, "AuthorizerId": route("$default")["AuthorizerId"]}
    of_shop = {"Issuer": issuer.address, "Audience": ["shop"]}
    token = issuer.token()
    assert ask("/", token=token)[0] == 200
    changed(
        lambda: gateway.update_authorizer(**known, JwtConfiguration={**of_shop, "Audience": ["market"]}),
        lambda: gateway.update_authorizer(**known, JwtConfiguration=of_shop),
    )
    refused = (401, UNAUTHORIZED, ("authorizer", "the token does not have a valid audience"))
    assert ask("/", token=token) == refused


@pytest.mark.case("R58")
def test_scopes_that_a_route_asks_for_are_said_with_those_of_the_token(ask, gateway, api, route, issuer, changed):
    known = {"ApiId": api, "RouteId": route("$default")["RouteId"]}
    changed(
        lambda: gateway.update_route(**known, AuthorizationScopes=["write"]),
        lambda: gateway.update_route(**known, AuthorizationScopes=[]),
    )
    reason = "the token has the scopes read, and needs one of write"
    assert ask("/", token=issuer.token(scope="read")) == (403, FORBIDDEN, ("authorizer", reason))


def test_a_route_whose_authorizer_is_gone_is_an_error_of_the_api(ask, gateway, api, route, issuer, changed):
    known = {"ApiId": api, "RouteId": route("$default")["RouteId"]}
    identity = route("$default")["AuthorizerId"]
    changed(
        lambda: gateway.update_route(**known, AuthorizerId="gone"),
        lambda: gateway.update_route(**known, AuthorizerId=identity),
    )
    refused = (500, INTERNAL, ("authorizer", "route $default has no authorizer"))
    assert ask("/", token=issuer.token()) == refused


def test_preflights_need_a_token_unless_the_api_answers_them(ask, gateway, api):
    asked = {"Origin": "https://shop.example", "Access-Control-Request-Method": "POST"}
    no_token = (401, UNAUTHORIZED, ("authorizer", "the request has no token"))
    assert ask("/", "OPTIONS", **asked) == no_token
    taken_off = contextlib.ExitStack()
    with taken_off:
        gateway.update_api(ApiId=api, CorsConfiguration={"AllowOrigins": ["https://shop.example"]})
        taken_off.callback(gateway.delete_cors_configuration, ApiId=api)
        assert ask("/public/a", "OPTIONS", **asked) == (204, None, None)
    assert ask("/", "OPTIONS", **asked) == no_token


def test_a_domain_with_mutual_tls_refuses_a_client_without_a_certificate(ask, sandbox, gateway, changed):
    read = sandbox.account.client("apigatewayv2").get_domain_name(DomainName=DOMAIN)
    assert "MutualTlsAuthentication" not in read
    changed(
        lambda: gateway.update_domain_name(
            DomainName=DOMAIN, MutualTlsAuthentication={"TruststoreUri": "s3://trusted/certificates.pem"}
        ),
        lambda: gateway.update_domain_name(DomainName=DOMAIN, MutualTlsAuthentication={"TruststoreUri": ""}),
    )
    reason = "it asks each client for a certificate (mutual TLS), and a request to the sandbox has none"
    assert ask("/health") == (403, FORBIDDEN, ("domain", reason))
