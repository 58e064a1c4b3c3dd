"""Front doors other than an HTTP API: a Function URL, open or for signed requests, and events from a file."""

import json
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest

from dualmode.gateway.http.message import Request
from sandbox.edge.edge import Edge
from sandbox.edge.function_url import FORBIDDEN
from sandbox.errors import SandboxError
from sandbox.one_invocation import run_event
from tests.support.echo import Echo
from tests.support.events import make_alb_event, make_alb_multi_event, make_http_api_1_event, make_rest_event
from tests.support.sandboxes import deployed
from tests.support.signing import signed, signer_of
from walk.authorization import Credentials

NAME = "dualmode-dev"
LIVE = {"FunctionName": NAME, "Qualifier": "live"}
FUNCTION = f"arn:aws:lambda:us-east-1:000000000000:function:{NAME}"
INVOKE = {"Action": "lambda:InvokeFunction", "InvokedViaFunctionUrl": True}
SESSION = "arn:aws:sts::000000000000:assumed-role/caller/caller"
SENT = {"method": "POST", "path": "/echo", "body": '{"message":"abc"}'}
JSON = "application/json"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    with deployed(tmp_path_factory.mktemp("front-doors"), domainName="", functionUrl=True) as found:
        yield found


@pytest.fixture
def functions(sandbox):
    return sandbox.account.client("lambda")


def ask(sandbox, variables=None, service="lambda"):
    """The status, the kind of error and the JSON of an answer, and the hop that refuses with its reason.

    With the variables of credentials the request is signed.
    """
    host = urlsplit(sandbox.url).hostname
    headers = {"Host": host, **(signed(variables, f"https://{host}/hello", service) if variables else {})}
    answer = sandbox.edge.answer(Request(method="GET", target="/hello", headers=(*headers.items(),)))
    hop = answer.trace.refusal
    kind = dict(answer.response.headers).get("x-amzn-errortype")
    return answer.response.status, kind, json.loads(answer.response.body), hop and (hop.hop, hop.detail)


@pytest.mark.parametrize(
    ("event", "types"),
    [
        (make_rest_event(**SENT, headers={"content-type": [JSON]}), ("headers", JSON)),
        (make_http_api_1_event(**SENT, headers={"content-type": [JSON]}), ("headers", JSON)),
        (make_alb_event(**SENT, headers={"content-type": JSON}), ("headers", JSON)),
        # A load balancer takes these alone, once its target group has them on.
        (make_alb_multi_event(**SENT, headers={"content-type": [JSON]}), ("multiValueHeaders", [JSON])),
    ],
    ids=["REST API", "HTTP API 1.0", "load balancer", "load balancer with multi-value headers"],
)
def test_an_event_of_another_front_door_is_answered_in_its_own_form(sandbox, capsys, event, types):
    assert run_event(sandbox, json.dumps(event).encode())
    result = json.loads(capsys.readouterr().out)
    assert (result["statusCode"], json.loads(result["body"])) == (200, {"reversed": "cba"})
    listed, expected = types
    assert {name.lower(): value for name, value in result[listed].items()}["content-type"] == expected


def test_an_event_for_a_function_that_may_run_no_copies_is_refused_with_the_reason(sandbox, functions):
    functions.put_function_concurrency(FunctionName=NAME, ReservedConcurrentExecutions=0)
    try:
        with pytest.raises(SandboxError) as refused:
            run_event(sandbox, json.dumps(make_alb_event()).encode())
    finally:
        functions.delete_function_concurrency(FunctionName=NAME)
    assert str(refused.value) == f"The function {NAME}:1 can't run: its reserved concurrency is 0."


@pytest.fixture
def by_signature(functions):
    """The Function URL for signed requests alone, of a function that not everyone may invoke."""
    statements = json.loads(functions.get_policy(**LIVE)["Policy"])["Statement"]
    (public,) = (each["Sid"] for each in statements if each["Action"] == "lambda:InvokeFunction")
    functions.update_function_url_config(**LIVE, AuthType="AWS_IAM")
    functions.remove_permission(**LIVE, StatementId=public)
    yield
    functions.update_function_url_config(**LIVE, AuthType="NONE")
    functions.add_permission(**LIVE, **INVOKE, StatementId=public, Principal="*")


@pytest.fixture(scope="module")
def role(sandbox):
    """The variables of a function with a role of its own."""
    sandbox.account.client("iam").create_role(RoleName="caller", AssumeRolePolicyDocument="{}")
    return sandbox.roles.variables(SimpleNamespace(name="caller", role="caller"))


@pytest.fixture
def caller(sandbox, role):
    """The variables of that function, and what gives its role these statements; it begins with none."""
    iam = sandbox.account.client("iam")

    def give(*statements):
        document = json.dumps({"Statement": [{"Effect": "Allow", "Action": "none:None", "Resource": "*"}, *statements]})
        iam.put_role_policy(RoleName="caller", PolicyName="own", PolicyDocument=document)

    give()
    return role, give


@pytest.fixture
def event(sandbox):
    """What the function gets of a request that is signed with these variables."""
    edge = Edge(sandbox.edge.account, Echo(), credentials=Credentials(signer=signer_of(sandbox)))

    def of(variables):
        host = urlsplit(sandbox.url).hostname
        headers = {"Host": host, **signed(variables, f"https://{host}/hello", "lambda")}
        return json.loads(
            edge.answer(Request(method="GET", target="/hello", headers=(*headers.items(),))).response.body
        )

    return of


def allow(action, **more):
    return {"Effect": "Allow", "Action": f"lambda:{action}", "Resource": f"{FUNCTION}:live", **more}


BY_URL = [allow("InvokeFunctionUrl", Condition={"StringEquals": {"lambda:FunctionUrlAuthType": "AWS_IAM"}})]
BY_URL += [allow("InvokeFunction", Condition={"Bool": {"lambda:InvokedViaFunctionUrl": "true"}})]


@pytest.mark.case("S42")
def test_a_function_url_for_signed_requests_refuses_the_others(sandbox, by_signature):
    refused = ("authorizer", "The request has no signature of version 4.")
    assert ask(sandbox) == (403, "AccessDeniedException", {"Message": FORBIDDEN}, refused)


@pytest.mark.case("S43", "S44", "G37")
@pytest.mark.parametrize(
    ("changed", "service", "kind", "body", "reason"),
    [
        (
            *({"AWS_SECRET_ACCESS_KEY": "another"}, "lambda", "InvalidSignatureException"),
            {
                "message": "The request signature we calculated does not match the signature you provided. Check your "
                "AWS Secret Access Key and signing method. Consult the service documentation for details."
            },
            "The signature is not from the secret key of this run of the sandbox.",
        ),
        (
            *({"AWS_ACCESS_KEY_ID": "AKIAANOTHER"}, "lambda", "UnrecognizedClientException"),
            {"message": "The security token included in the request is invalid."},
            "The access key is not from this run of the sandbox.",
        ),
        (
            *({"AWS_SESSION_TOKEN": "of somebody else"}, "lambda", "UnrecognizedClientException"),
            {"message": "The security token included in the request is invalid."},
            "Its session token is not the one of its access key.",
        ),
        (
            *({}, "execute-api", "AccessDeniedException", {"Message": FORBIDDEN}),
            "it is signed for execute-api us-east-1, not for lambda us-east-1",
        ),
    ],
)
def test_a_function_url_says_what_is_wrong_with_a_signature(
    sandbox, by_signature, changed, service, kind, body, reason
):
    variables = {**sandbox.variables, **changed}
    assert ask(sandbox, variables, service) == (403, kind, body, ("authorizer", reason))


@pytest.mark.case("R79")
def test_a_signed_request_reaches_the_function_with_its_caller(sandbox, by_signature, event):
    assert ask(sandbox, sandbox.variables)[0] == 200
    identity = sandbox.account.client("sts").get_caller_identity()
    context = event(sandbox.variables)["requestContext"]
    assert (context["accountId"], context["authorizer"]) == (
        "000000000000",
        {
            "iam": {
                "accessKey": sandbox.variables["AWS_ACCESS_KEY_ID"],
                "accountId": "000000000000",
                "callerId": identity["UserId"],
                "cognitoIdentity": None,
                "principalOrgId": None,
                "userArn": identity["Arn"],
                "userId": identity["UserId"],
            }
        },
    )


@pytest.mark.case("S45")
def test_a_role_needs_both_permissions_in_its_own_policy(sandbox, by_signature, caller, event):
    variables, give = caller
    for lacking, statements in (("InvokeFunctionUrl", BY_URL[1:]), ("InvokeFunction", BY_URL[:1])):
        give(*statements)
        status, kind, body, (hop, reason) = ask(sandbox, variables)
        assert (status, kind, body, hop) == (403, "AccessDeniedException", {"Message": FORBIDDEN}, "permission")
        assert reason.startswith(f"{SESSION} may not call lambda:{lacking}: statement 1 is about ")
    give(*BY_URL)
    assert ask(sandbox, variables)[0] == 200
    told = event(variables)["requestContext"]["authorizer"]["iam"]
    assert (told["userArn"], told["accessKey"]) == (SESSION, variables["AWS_ACCESS_KEY_ID"])
    assert told["userId"].endswith(":caller")
    give(*BY_URL, {**allow("Invoke*"), "Effect": "Deny", "Sid": "Never"})
    refused = f"{SESSION} may not call lambda:InvokeFunctionUrl: Never denies it"
    assert ask(sandbox, variables)[3] == ("permission", refused)


@pytest.mark.case("S45")
def test_a_function_s_own_policy_may_name_the_role_instead(sandbox, by_signature, caller, functions):
    variables, _ = caller
    assert ask(sandbox, variables)[0] == 403
    role = "arn:aws:iam::000000000000:role/caller"
    asks = {"Action": "lambda:InvokeFunctionUrl", "FunctionUrlAuthType": "AWS_IAM"}
    for sid, granted in (("asks", asks), ("invokes", INVOKE)):
        functions.add_permission(**LIVE, **granted, StatementId=sid, Principal=role)
    try:
        assert ask(sandbox, variables)[0] == 200
    finally:
        for sid in ("asks", "invokes"):
            functions.remove_permission(**LIVE, StatementId=sid)
    assert ask(sandbox, variables)[0] == 403


def test_a_function_url_that_is_open_asks_for_no_signature(sandbox):
    assert ask(sandbox)[0] == 200
