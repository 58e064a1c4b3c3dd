"""Lambda authorizers: the page's program with a function that decides, and what the edge makes of each answer."""

import contextlib
import json

import pytest

from dualmode.gateway.http.message import Request
from sandbox import settings
from sandbox.edge.edge import Edge
from sandbox.edge.functions import FunctionFailedError, FunctionTimedOutError
from sandbox.presets import DOMAIN
from tests.support.page_blocks import blocks
from tests.support.program import ROOT
from tests.support.sandboxes import deployed
from tests.support.stacks import Stack

UNAUTHORIZED, FORBIDDEN, INTERNAL = (
    {"message": text} for text in ("Unauthorized", "Forbidden", "Internal Server Error")
)
VIEW, PROGRAM = (block.text for block in blocks("python", pages=[ROOT / "docs" / "access.md"]))
OPEN = "door.open_to(function.live)"
REGION = "us-east-1"
ACCOUNT = "000000000000"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    """The program and the application with what docs/access.md adds to them."""
    stack = Stack(tmp_path_factory.mktemp("doorkeeper"), ROOT / "tests" / "support" / "doorkeeper")
    main, app = stack.folder / "__main__.py", stack.folder / "doorkeeper" / "app.py"
    text = main.read_text()
    assert text.count(OPEN) == 1
    before = text.rindex("\n", 0, text.index(OPEN)) + 1
    after = text[before:].replace(OPEN, "door.open_to(function.live, own)")
    main.write_text(f"{text[:before]}{PROGRAM}\n{after}")
    app.write_text(f"{app.read_text()}\n\n{VIEW}")
    chosen = {"appDir": "doorkeeper", "flaskApp": "app:app", "environment": {"DUALMODE_EVENTS_PATH": "/authorize"}}
    with deployed(stack.state, settings.load_project(stack.folder), **chosen) as found:
        yield found


def send(edge, target="/orders", method="GET", **headers):
    """The status, the JSON of an answer, and the reason of a refusal with the hop that refuses."""
    request = Request(method=method, target=target, headers=(("Host", DOMAIN), *headers.items()), body=b"")
    answer = edge.answer(request)
    hop = answer.trace.refusal
    return answer.response.status, json.loads(answer.response.body), hop and (hop.hop, hop.detail)


def test_the_page_s_program_lets_in_whom_its_function_knows(sandbox):
    assert send(sandbox.edge, authorization="Bearer of-ann") == (
        200,
        {"asked": "GET /orders", "authorizer": {"lambda": {"user": "ann"}}},
        None,
    )
    refused = ("authorizer", "decider answered isAuthorized: false")
    assert send(sandbox.edge, authorization="Bearer of-bob") == (403, FORBIDDEN, refused)
    assert send(sandbox.edge, "/health") == (200, {"asked": "GET /health", "authorizer": {}}, None)


def test_no_client_reaches_the_route_that_decides(sandbox):
    headers = (("Host", DOMAIN), ("authorization", "Bearer of-ann"))
    asked = Request(method="POST", target="/authorize", headers=headers, body=b"{}")
    assert sandbox.edge.answer(asked).response.status == 404


class Deciding:
    """Functions of which the authorizer's answers as a test says, and the others with their event."""

    def __init__(self):
        self.answer = {"isAuthorized": True}
        self.asked = []

    def describe(self, version):
        return "here"

    def invoke(self, version, event, *, qualifier, timeout, logged):
        event = json.loads(event)
        if not version.name.endswith("-decider"):
            return json.dumps({"statusCode": 200, "body": json.dumps(event)}).encode()
        self.asked.append(event)
        assert (qualifier, timeout) == ("live", 10)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer if isinstance(self.answer, bytes) else json.dumps(self.answer).encode()


class Clock:
    """A clock that a test moves."""

    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def functions():
    return Deciding()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def edge(sandbox, functions, clock):
    return Edge(sandbox.edge.account, functions, default_name=DOMAIN, clock=clock)


@pytest.fixture
def ask(edge):
    """Sends a request of a client with a token."""
    return lambda target="/orders", method="GET", authorization="Bearer t", **headers: send(
        edge, target, method, authorization=authorization, **headers
    )


@pytest.fixture
def gateway(sandbox):
    return sandbox.account.client("apigatewayv2")


@pytest.fixture
def api(gateway):
    (api,) = gateway.get_apis()["Items"]
    return api["ApiId"]


@pytest.fixture
def authorizer(gateway, api):
    """Sets the authorizer otherwise until the end of the test."""
    (made,) = gateway.get_authorizers(ApiId=api)["Items"]
    known = {"ApiId": api, "AuthorizerId": made["AuthorizerId"]}

    def change(**different):
        gateway.update_authorizer(**known, **different)
        return known["AuthorizerId"]

    yield change
    names = ("Uri", "PayloadFormatVersion", "ResultTtlInSeconds", "CredentialsArn")
    change(
        IdentitySource=made["IdentitySource"],
        EnableSimpleResponses=made["EnableSimpleResponses"],
        **{f"Authorizer{name}": made[f"Authorizer{name}"] for name in names},
    )


def policy(effect, resource, **more):
    return {"Effect": effect, "Action": "execute-api:Invoke", "Resource": resource, **more}


def with_policy(*statements, **more):
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    return {"principalId": "ann", "policyDocument": document, **more}


# As a live API sent them for one request, without the values that a test doesn't choose. Source:
# aws-powertools/powertools-lambda-typescript, packages/parser/tests/events/apigw-http/authorizer-request.json, and
# lambda-authorizer-auth.json for its integration.
CAPTURED = ["version", "type", "routeArn", "identitySource", "routeKey", "rawPath", "rawQueryString", "headers"]
CAPTURED += ["requestContext"]
# What the guide's example has besides that.
DOCUMENTED = {"cookies", "queryStringParameters", "pathParameters", "stageVariables"}


@pytest.mark.case("R68", "R69", "R70", "R76")
def test_the_function_is_asked_with_what_the_integration_gets_but_the_body(ask, functions, api):
    functions.answer = {"isAuthorized": True}
    _, event, _ = ask("/a/b", "POST")
    (asked,) = functions.asked
    arn = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{api}/$default/POST/a/b"
    own = {"type": "REQUEST", "routeArn": arn, "identitySource": ["Bearer t"]}
    assert list(asked) == CAPTURED
    assert {name: asked.pop(name) for name in own} == own
    assert event["requestContext"].pop("authorizer") == {"lambda": None}
    assert event == {**asked, "isBase64Encoded": False}


@pytest.mark.case("R68")
def test_the_function_is_asked_about_cookies_query_variables_of_path_and_stage(ask, functions, gateway, api):
    (default,) = (each for each in gateway.get_routes(ApiId=api)["Items"] if each["RouteKey"] == "$default")
    copied = {name: default[name] for name in ("Target", "AuthorizationType", "AuthorizerId")}
    route = gateway.create_route(ApiId=api, RouteKey="GET /pets/{name}", **copied)["RouteId"]
    with contextlib.ExitStack() as undone:
        undone.callback(gateway.delete_route, ApiId=api, RouteId=route)
        gateway.update_stage(ApiId=api, StageName="$default", StageVariables={"colour": "green"})
        undone.callback(gateway.update_stage, ApiId=api, StageName="$default", StageVariables={})
        ask("/pets/rex?a=1&a=2", Cookie="x=1; y=2")
    (asked,) = functions.asked
    assert asked.keys() == {*CAPTURED, *DOCUMENTED}
    assert {name: asked[name] for name in ("routeKey", "rawQueryString", *sorted(DOCUMENTED))} == {
        "routeKey": "GET /pets/{name}",
        "rawQueryString": "a=1&a=2",
        "cookies": ["x=1", "y=2"],
        "pathParameters": {"name": "rex"},
        "queryStringParameters": {"a": "1,2"},
        "stageVariables": {"colour": "green"},
    }
    assert asked["routeArn"].endswith("/$default/GET/pets/rex")


@pytest.mark.case("R70", "R71")
def test_a_request_without_an_identity_source_is_refused_before_the_function_is_asked(ask, functions, authorizer):
    authorizer(
        IdentitySource=["$request.querystring.key", "$request.header.X-Team", "$context.httpMethod"],
    )
    assert ask("/orders?key=k", **{"x-TEAM": "blue"})[0] == 200
    assert [asked["identitySource"] for asked in functions.asked] == [["k", "blue", "GET"]]
    for target, headers, missing in (
        ("/orders?KEY=k", {"X-Team": "blue"}, "$request.querystring.key"),
        ("/orders?key=", {"X-Team": "blue"}, "$request.querystring.key"),
        ("/orders?key=k", {}, "$request.header.X-Team"),
    ):
        reason = f"the request has no {missing}, which decider knows clients by: it was not asked"
        assert ask(target, **headers) == (401, UNAUTHORIZED, ("authorizer", reason))
    assert len(functions.asked) == 1


@pytest.mark.case("R70")
def test_an_authorizer_without_identity_sources_is_asked_about_every_request(edge, functions, authorizer):
    authorizer(IdentitySource=[])
    assert [send(edge)[0] for _ in range(2)] == [200, 200]
    assert [asked["identitySource"] for asked in functions.asked] == [None, None]


@pytest.mark.case("R59", "R72", "R76")
def test_a_simple_answer_decides_and_its_context_reaches_the_integration(ask, functions):
    context = {"text": "value", "number": 1, "truth": True, "list": ["a", "b"], "map": {"c": "d"}}
    functions.answer = {"isAuthorized": True, "context": context}
    status, event, _ = ask()
    assert (status, event["requestContext"]["authorizer"]) == (200, {"lambda": context})
    functions.answer = {"isAuthorized": False, "context": context}
    refused = ("authorizer", "decider answered isAuthorized: false")
    assert ask(authorization="Bearer other") == (403, FORBIDDEN, refused)


@pytest.mark.case("R73", "G33")
def test_a_policy_is_decided_for_the_request_s_own_method_and_path(ask, functions, authorizer, api):
    authorizer(EnableSimpleResponses=False, AuthorizerResultTtlInSeconds=0)
    stage = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{api}/$default"
    functions.answer = with_policy(policy("Allow", [f"{stage}/GET/orders/*", f"{stage}/*/carts"]), context={"a": 1})
    status, event, _ = ask("/orders/1")
    assert (status, event["requestContext"]["authorizer"]) == (200, {"lambda": {"a": 1}})
    assert [ask("/orders/1", "POST")[0], ask("/orders")[0], ask("/carts", "PUT")[0]] == [403, 403, 200]
    functions.answer = with_policy(policy("Allow", "*"), policy("Deny", f"{stage}/*/orders", Sid="Closed"))
    reason = f"its policy does not allow {stage}/GET/orders: Closed denies it"
    assert ask("/orders") == (403, FORBIDDEN, ("authorizer", reason))
    assert ask("/carts")[0] == 200


@pytest.mark.case("R74", "G33", "G34")
@pytest.mark.parametrize(
    ("simple", "answer", "reason"),
    [
        (True, FunctionFailedError("Exception: Unauthorized"), "failed: Exception: Unauthorized"),
        (True, FunctionTimedOutError(), "did not answer within 10 s"),
        (True, b"yes", "it is not JSON (Expecting value: line 1 column 1 (char 0))"),
        (True, True, "it is not a JSON object"),
        (True, {"statusCode": 200, "body": "ok"}, "its isAuthorized is not true or false"),
        (True, {"isAuthorized": "true"}, "its isAuthorized is not true or false"),
        (True, {"isAuthorized": True, "context": ["a"]}, "its context is not an object"),
        (True, with_policy(policy("Allow", "*")), "its isAuthorized is not true or false"),
        (False, {"isAuthorized": True}, "it has no principalId"),
        (False, {"principalId": "ann"}, "its policyDocument is not an object"),
        (False, with_policy({"Action": "*"}), "its policyDocument has no Statement with an Effect"),
    ],
)
def test_a_function_that_gives_no_valid_answer_is_an_error_and_is_asked_again(
    ask, functions, authorizer, simple, answer, reason
):
    authorizer(EnableSimpleResponses=simple)
    functions.answer = answer
    said = "" if isinstance(answer, Exception) else "gave an answer that is not an authorizer's: "
    refused = (500, INTERNAL, ("authorizer", f"the function of decider {said}{reason}"))
    assert [ask(), ask()] == [refused, refused]
    assert len(functions.asked) == 2


@pytest.mark.case("R75", "G32")
def test_an_answer_is_kept_for_its_time_for_each_identity_whatever_the_path(ask, functions, authorizer, clock):
    assert [ask()[0], ask("/carts", "POST")[0]] == [200, 200]
    functions.answer = {"isAuthorized": False}
    assert [ask()[0], ask(authorization="Bearer bob")[0]] == [200, 403]
    functions.answer = {"isAuthorized": True}
    assert ask(authorization="Bearer bob")[0] == 403
    assert len(functions.asked) == 2
    clock.now += 300
    assert ask(authorization="Bearer bob")[0] == 200
    assert len(functions.asked) == 3
    authorizer(AuthorizerResultTtlInSeconds=0)
    ask(authorization="Bearer bob")
    ask(authorization="Bearer bob")
    assert len(functions.asked) == 5


@pytest.mark.case("R75")
def test_a_kept_policy_is_decided_for_each_request_and_a_route_s_key_keeps_answers_apart(
    ask, functions, authorizer, api
):
    authorizer(EnableSimpleResponses=False)
    orders = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{api}/$default/GET/orders"
    functions.answer = with_policy(policy("Allow", orders))
    assert [ask("/orders")[0], ask("/carts")[0]] == [200, 403]
    assert len(functions.asked) == 1
    authorizer(IdentitySource=["$request.header.Authorization", "$context.routeKey"])
    ask("/orders")
    assert functions.asked[-1]["identitySource"] == ["Bearer t", "$default"]


# The keys of the guide's example for payload format 1.0, in its order.
FIRST = ["version", "type", "methodArn", "identitySource", "authorizationToken", "resource", "path", "httpMethod"]
FIRST += ["headers", "queryStringParameters", "pathParameters", "stageVariables", "requestContext"]


@pytest.mark.case("R77", "G35")
def test_payload_1_0_asks_in_the_form_of_rest_apis(ask, functions, authorizer, api):
    authorizer(
        AuthorizerPayloadFormatVersion="1.0",
        EnableSimpleResponses=False,
        IdentitySource=["$request.header.Authorization", "$request.querystring.key"],
    )
    functions.answer = with_policy(policy("Allow", "*"))
    assert ask("/orders?key=k")[0] == 200
    (asked,) = functions.asked
    assert list(asked) == FIRST
    context = asked.pop("requestContext")
    assert asked.pop("headers")["authorization"] == "Bearer t"
    assert asked == {
        "version": "1.0",
        "type": "REQUEST",
        "methodArn": f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{api}/$default/GET/orders",
        "identitySource": "Bearer t,k",
        "authorizationToken": "Bearer t,k",
        "resource": "$default",
        "path": "/orders",
        "httpMethod": "GET",
        "queryStringParameters": {"key": "k"},
        "pathParameters": {},
        "stageVariables": {},
    }
    assert (context["apiId"], context["stage"], context["identity"]["sourceIp"]) == (api, "$default", "127.0.0.1")


@pytest.mark.case("G36")
def test_an_integration_with_payload_1_0_gets_the_context_without_the_name_of_its_kind(ask, functions, gateway, api):
    functions.answer = {"isAuthorized": True, "context": {"user": "ann"}}
    (integration,) = gateway.get_integrations(ApiId=api)["Items"]
    known = {"ApiId": api, "IntegrationId": integration["IntegrationId"]}
    gateway.update_integration(**known, PayloadFormatVersion="1.0")
    try:
        status, event, _ = ask()
        assert (status, event["version"], event["requestContext"]["authorizer"]) == (200, "1.0", {"user": "ann"})
        assert "authorizer" not in ask("/health")[1]["requestContext"]
    finally:
        gateway.update_integration(**known, PayloadFormatVersion="2.0")


def taken_off(client, statement, known):
    """Removes a function's permission, and gives what puts it back."""
    (found,) = json.loads(client.get_policy(**known)["Policy"])["Statement"]
    client.remove_permission(**known, StatementId=found["Sid"])
    source = found["Condition"]["ArnLike"]["AWS:SourceArn"]
    given = {"Action": found["Action"], "Principal": found["Principal"]["Service"], "SourceArn": source}
    return lambda: client.add_permission(**known, StatementId=statement, **given)


@pytest.mark.case("R74")
def test_a_function_that_api_gateway_may_not_invoke_is_an_error_that_names_the_permission(
    ask, functions, sandbox, authorizer, api
):
    lambda_ = sandbox.account.client("lambda")
    known = {"FunctionName": "dualmode-dev-decider", "Qualifier": "live"}
    put_back = taken_off(lambda_, "again", known)
    try:
        status, body, refusal = ask()
    finally:
        put_back()
    identity = authorizer()
    invoked = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:dualmode-dev-decider:live"
    source = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{api}/authorizers/{identity}"
    assert (status, body, functions.asked) == (500, INTERNAL, [])
    sentence = f"the resource policy of {invoked} does not let apigateway.amazonaws.com invoke it from {source}: "
    assert refusal == ("authorizer", f"{sentence}there is no policy")
    assert ask()[0] == 200


@pytest.mark.case("R74")
def test_an_authorizer_whose_function_is_not_there_or_whose_uri_is_none_is_an_error(ask, functions, authorizer):
    prefix = f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/arn:aws:lambda:{REGION}:"
    for uri, reason in (
        (
            f"{prefix}{ACCOUNT}:function:gone/invocations",
            "decider can't invoke its function gone: version gone:$LATEST: the function or its version does not exist",
        ),
        (
            f"{prefix}111111111111:function:gone/invocations",
            f"its function gone is in account 111111111111, region {REGION}",
        ),
        ("decider", "the URI of decider, 'decider', is not the ARN that invokes a Lambda function"),
    ):
        authorizer(AuthorizerUri=uri)
        assert ask() == (500, INTERNAL, ("authorizer", reason))
    assert functions.asked == []


def test_a_role_of_the_authorizer_stands_in_for_the_function_s_permission(ask, sandbox, authorizer):
    iam, name = sandbox.account.client("iam"), "invoker"
    trust = {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"Service": "apigateway.amazonaws.com"},
    }
    invoke = {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": "*"}
    arn = f"arn:aws:iam::{ACCOUNT}:role/{name}"
    lambda_ = sandbox.account.client("lambda")
    with contextlib.ExitStack() as undone:
        known = {"FunctionName": "dualmode-dev-decider", "Qualifier": "live"}
        undone.callback(taken_off(lambda_, "again", known))
        authorizer(AuthorizerCredentialsArn=arn, AuthorizerResultTtlInSeconds=0)
        assert ask()[2] == ("authorizer", f"the role of decider, {arn}, does not exist")
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))
        undone.callback(iam.delete_role, RoleName=name)
        status, _, (_, reason) = ask()
        assert (status, reason.partition(": ")[0]) == (
            500,
            f"its role {name} may not invoke arn:aws:lambda:{REGION}:{ACCOUNT}:function:dualmode-dev-decider:live",
        )
        own = {"RoleName": name, "PolicyName": "invoke"}
        iam.put_role_policy(**own, PolicyDocument=json.dumps({"Statement": [invoke]}))
        undone.callback(iam.delete_role_policy, **own)
        assert ask()[0] == 200
        other = {**trust, "Principal": {"Service": "lambda.amazonaws.com"}}
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps({"Statement": [other]}))
        reason = f"the trust policy of its role {name} does not let apigateway.amazonaws.com assume it: "
        assert ask()[2][1].startswith(reason)


def test_a_route_whose_authorizer_is_of_another_type_lets_nobody_in(ask, functions, gateway, api):
    (route,) = (each for each in gateway.get_routes(ApiId=api)["Items"] if each["RouteKey"] == "$default")
    known = {"ApiId": api, "RouteId": route["RouteId"]}
    gateway.update_route(**known, AuthorizationType="JWT")
    try:
        reason = "route $default needs JWT authorization, but its authorizer is of another type"
        assert ask() == (500, INTERNAL, ("authorizer", reason))
    finally:
        gateway.update_route(**known, AuthorizationType="CUSTOM")
    assert functions.asked == []
