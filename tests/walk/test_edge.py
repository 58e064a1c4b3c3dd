import datetime
import itertools
import json
from datetime import UTC

import pytest
from botocore.credentials import ReadOnlyCredentials

from dualmode.gateway.http.connection import RefusedError
from dualmode.gateway.http.message import Request
from sandbox.edge.edge import Edge, refuse
from sandbox.edge.functions import FunctionFailedError, FunctionTimedOutError
from sandbox.errors import SandboxError
from sandbox.presets import DOMAIN
from tests.support.sandboxes import deployed
from walk.account import Account

INTERNAL, FORBIDDEN, NOT_FOUND, TOO_MANY = (
    {"message": text} for text in ("Internal Server Error", "Forbidden", "Not Found", "Too Many Requests")
)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    with deployed(tmp_path_factory.mktemp("edge")) as found:
        yield found


@pytest.fixture
def account(sandbox):
    return sandbox.account


@pytest.fixture
def ask(sandbox, echo):
    edge = Edge(sandbox.edge.account, echo, default_name=DOMAIN)

    def send(target="/hello", method="GET", host=DOMAIN, headers=(), body=b""):
        request = Request(method=method, target=target, headers=(("Host", host), *headers), body=body)
        return edge.answer(request)

    return send


@pytest.fixture
def made(sandbox):
    """The id of the one resource of a type."""

    def find(kind, name=None):
        found = [entry for entry in sandbox.deployment.resources if entry.type.endswith(f":{kind}")]
        (one,) = [entry for entry in found if name in (None, entry.name)]
        return one.id

    return find


def event(answer):
    assert answer.response.status == 200, answer.trace.refusal
    return json.loads(answer.response.body)


def refused(answer):
    """The status and body of a refused request, and the hop that refused it."""
    hop = answer.trace.refusal
    return answer.response.status, json.loads(answer.response.body), hop and (hop.hop, hop.id)


def reason(answer):
    return answer.trace.refusal.detail


def test_a_request_passes_every_resource_that_the_program_made(sandbox, made):
    answer = sandbox.edge.answer(Request(method="GET", target="/hello", headers=(("Host", "127.0.0.1:8000"),)))
    assert (answer.response.status, json.loads(answer.response.body)) == (200, {"message": "Hello from Flask!"})
    assert [(hop.hop, hop.id) for hop in answer.trace.hops] == [
        ("domain", DOMAIN),
        ("mapping", made("ApiMapping")),
        ("stage", "$default"),
        ("route", made("Route")),
        ("integration", made("Integration")),
        ("alias", "live"),
        ("version", "1"),
        ("image", sandbox.deployment.outputs["image_uri"].partition("@")[2]),
    ]
    assert answer.trace.refusal is None


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1:8000", "127.1.2.3", "[::1]:8000", ""])
def test_this_machine_s_own_names_mean_the_custom_domain(ask, host):
    found = event(ask(host=host))
    assert (found["requestContext"]["domainName"], found["headers"]["host"]) == (DOMAIN, DOMAIN)


def test_the_event_is_the_one_of_this_api(sandbox, ask, made):
    found = event(ask("/a%20b?x=1", method="POST", headers=(("Content-Type", "text/plain"),), body=b"abc"))
    context = found["requestContext"]
    assert (found["version"], found["routeKey"], found["rawPath"], found["body"]) == ("2.0", "$default", "/a b", "abc")
    assert (context["accountId"], context["apiId"], context["stage"]) == (
        sandbox.account.account_id,
        made("Api"),
        "$default",
    )


@pytest.mark.case("G24")
@pytest.mark.parametrize(
    "host",
    ["nobody.example.com", "other.sandbox.test", "10.1.2.3", "0.0.0.0", "[2001:db8::1]", "127.0.0.1.evil.example"],
)
def test_an_unknown_host_is_forbidden(ask, host):
    answer = ask(host=f"{host}:8000")
    assert refused(answer)[:2] == (403, FORBIDDEN)
    assert answer.trace.refusal.id == host


def address_change(account, action, record):
    route53 = account.client("route53")
    (zone,) = route53.list_hosted_zones()["HostedZones"]
    batch = {"Changes": [{"Action": action, "ResourceRecordSet": record}]}
    return lambda: route53.change_resource_record_sets(HostedZoneId=zone["Id"], ChangeBatch=batch)


@pytest.fixture
def address(account):
    """The domain's A record."""
    route53 = account.client("route53")
    (zone,) = route53.list_hosted_zones()["HostedZones"]
    records = route53.list_resource_record_sets(HostedZoneId=zone["Id"])["ResourceRecordSets"]
    return next(record for record in records if record["Type"] == "A")


def test_a_name_whose_alias_record_is_gone_is_forbidden(account, ask, changed, address):
    changed(address_change(account, "DELETE", address), address_change(account, "UPSERT", address))
    answer = ask()
    assert refused(answer) == (403, FORBIDDEN, ("record", DOMAIN))
    assert "sandbox.test" in reason(answer)


def test_a_name_that_has_other_kinds_of_records_alone_is_said_to_have_them(account, ask, changed):
    record = {"Name": "text.sandbox.test.", "Type": "TXT", "TTL": 60, "ResourceRecords": [{"Value": '"hello"'}]}
    changed(address_change(account, "CREATE", record), address_change(account, "DELETE", record))
    answer = ask(host="text.sandbox.test")
    assert refused(answer) == (403, FORBIDDEN, ("record", "text.sandbox.test"))
    assert reason(answer).endswith(" has only TXT for it, but API Gateway is reached by an A alias or a CNAME")


def cname(name, target):
    return {"Name": f"{name}.", "Type": "CNAME", "TTL": 60, "ResourceRecords": [{"Value": target}]}


def test_a_cname_leads_as_an_alias_does(account, ask, changed, address):
    both = [address, {**address, "Type": "AAAA"}]
    for record in both:
        changed(address_change(account, "DELETE", record), address_change(account, "UPSERT", record))
    led = cname(DOMAIN, address["AliasTarget"]["DNSName"].upper())
    changed(address_change(account, "CREATE", led), address_change(account, "DELETE", led))
    answer = ask()
    assert event(answer)["requestContext"]["domainName"] == DOMAIN
    assert answer.trace.hops[0].detail.startswith("CNAME in zone ")


def test_a_cname_to_a_name_that_api_gateway_does_not_have_is_forbidden(account, ask, changed):
    led = cname("cname.sandbox.test", "d-1.execute-api.us-east-1.amazonaws.com")
    changed(address_change(account, "CREATE", led), address_change(account, "DELETE", led))
    answer = ask(host="cname.sandbox.test")
    assert refused(answer) == (403, FORBIDDEN, ("domain", "cname.sandbox.test"))
    assert reason(answer).endswith(
        " leads to d-1.execute-api.us-east-1.amazonaws.com, but API Gateway has no domain with this name"
    )


def test_a_domain_whose_dns_is_not_in_the_account_is_answered_by_its_name(account, ask, changed):
    gateway = account.client("apigatewayv2")
    (mapping,) = gateway.get_api_mappings(DomainName=DOMAIN)["Items"]
    certificate = account.client("acm").request_certificate(DomainName="app.example.com", ValidationMethod="DNS")
    configuration = {"CertificateArn": certificate["CertificateArn"], "EndpointType": "REGIONAL"}
    changed(
        lambda: gateway.create_domain_name(DomainName="app.example.com", DomainNameConfigurations=[configuration]),
        lambda: gateway.delete_domain_name(DomainName="app.example.com"),
    )
    gateway.create_api_mapping(DomainName="app.example.com", ApiId=mapping["ApiId"], Stage="$default")
    answer = ask(host="app.example.com")
    assert event(answer)["requestContext"]["domainName"] == "app.example.com"
    assert answer.trace.hops[0].detail.startswith("no public hosted zone of the account holds this name, certificate ")


def test_a_name_that_leads_to_another_target_is_forbidden(account, ask, changed, address):
    elsewhere = {**address, "AliasTarget": {**address["AliasTarget"], "DNSName": "d-other.execute-api.aws.test."}}
    changed(address_change(account, "UPSERT", elsewhere), address_change(account, "UPSERT", address))
    assert refused(ask()) == (403, FORBIDDEN, ("record", DOMAIN))


def test_a_domain_whose_certificate_covers_another_name_is_forbidden(account, ask, changed):
    gateway, acm = account.client("apigatewayv2"), account.client("acm")
    arn = acm.request_certificate(DomainName="other.sandbox.test", ValidationMethod="DNS")["CertificateArn"]
    before = gateway.get_domain_name(DomainName=DOMAIN)["DomainNameConfigurations"][0]["CertificateArn"]

    def use(certificate):
        configuration = {"CertificateArn": certificate, "EndpointType": "REGIONAL", "SecurityPolicy": "TLS_1_2"}
        return lambda: gateway.update_domain_name(DomainName=DOMAIN, DomainNameConfigurations=[configuration])

    changed(use(arn), use(before))
    assert refused(ask()) == (403, FORBIDDEN, ("certificate", arn))
    acm.delete_certificate(CertificateArn=arn)
    assert refused(ask()) == (403, FORBIDDEN, ("certificate", arn))


@pytest.mark.parametrize(
    "different",
    [{"Status": "PENDING_VALIDATION"}, {"Status": "EXPIRED"}, {"NotAfter": datetime.datetime(2020, 1, 1, tzinfo=UTC)}],
    ids=str,
)
def test_a_certificate_has_to_be_issued_and_valid(account, echo, monkeypatch, different):
    acm = account.client("acm")
    summary = acm.list_certificates()["CertificateSummaryList"][0]
    described = acm.describe_certificate(CertificateArn=summary["CertificateArn"])["Certificate"]
    # The emulated ACM issues every certificate at once, so this answer has to be made up.
    monkeypatch.setattr(acm, "describe_certificate", lambda **_: {"Certificate": described | different})
    edge = Edge(account, echo, default_name=DOMAIN)  # one that keeps no answers
    answer = edge.answer(Request(method="GET", target="/hello", headers=(("Host", DOMAIN),), body=b""))
    assert refused(answer)[:2] == (403, FORBIDDEN)
    assert answer.trace.refusal.hop == "certificate"


def test_a_domain_without_a_mapping_is_forbidden(account, ask, changed, made):
    gateway = account.client("apigatewayv2")
    changed(
        lambda: gateway.update_api_mapping(
            DomainName=DOMAIN, ApiMappingId=made("ApiMapping"), ApiId=made("Api"), ApiMappingKey="v9"
        ),
        lambda: gateway.update_api_mapping(
            DomainName=DOMAIN, ApiMappingId=made("ApiMapping"), ApiId=made("Api"), ApiMappingKey=""
        ),
    )
    answer = ask()
    assert refused(answer) == (403, FORBIDDEN, ("mapping", DOMAIN))


def remap(account, made, stage):
    gateway = account.client("apigatewayv2")
    return lambda: gateway.update_api_mapping(
        DomainName=DOMAIN, ApiMappingId=made("ApiMapping"), ApiId=made("Api"), Stage=stage
    )


def test_a_mapping_to_a_stage_that_does_not_exist_is_not_found(account, ask, changed, made):
    gateway = account.client("apigatewayv2")
    gateway.create_stage(ApiId=made("Api"), StageName="beta")
    changed(remap(account, made, "beta"), remap(account, made, "$default"))
    gateway.delete_stage(ApiId=made("Api"), StageName="beta")
    answer = ask()
    assert refused(answer) == (404, NOT_FOUND, ("stage", "beta"))
    assert made("Api") in reason(answer)


@pytest.fixture
def beta(account, changed, made):
    """Makes another stage."""

    def make(**settings):
        gateway = account.client("apigatewayv2")
        return changed(
            lambda: gateway.create_stage(ApiId=made("Api"), StageName="beta", **settings),
            lambda: gateway.delete_stage(ApiId=made("Api"), StageName="beta"),
        )

    return make


def test_a_mapping_to_a_stage_without_a_deployment_is_not_found(account, ask, changed, made, beta):
    beta(AutoDeploy=False)
    changed(remap(account, made, "beta"), remap(account, made, "$default"))
    assert refused(ask()) == (404, NOT_FOUND, ("stage", "beta"))


@pytest.mark.case("R16", "R56")
def test_a_mapping_to_another_stage_shows_in_the_path(account, ask, changed, made, beta):
    beta(AutoDeploy=True, StageVariables={"colour": "blue"})
    changed(remap(account, made, "beta"), remap(account, made, "$default"))
    found = event(ask())
    assert (found["rawPath"], found["requestContext"]["stage"]) == ("/beta/hello", "beta")
    assert found["stageVariables"] == {"colour": "blue"}


@pytest.mark.case("R15")
def test_the_longest_mapping_key_wins_and_stays_out_of_the_path(account, ask, changed, made, beta):
    beta(AutoDeploy=True)
    gateway = account.client("apigatewayv2")
    for key in ("v1", "v1/beta"):
        mapping = gateway.create_api_mapping(
            DomainName=DOMAIN, ApiId=made("Api"), Stage="beta" if "/" in key else "$default", ApiMappingKey=key
        )
        identity = mapping["ApiMappingId"]
        changed(
            lambda: None,
            lambda identity=identity: gateway.delete_api_mapping(DomainName=DOMAIN, ApiMappingId=identity),
        )
    assert event(ask("/v1/hello"))["rawPath"] == "/hello"
    assert event(ask("/v1"))["rawPath"] == "/"
    assert event(ask("/v1/beta/hello"))["rawPath"] == "/beta/hello"
    assert event(ask("/v1/beta/hello"))["requestContext"]["stage"] == "beta"
    assert event(ask("/v10/hello"))["rawPath"] == "/v10/hello"
    assert event(ask("/v1/betas"))["requestContext"]["stage"] == "$default"


@pytest.mark.case("G23")
def test_the_default_endpoint_is_not_found_while_it_is_disabled(account, ask, changed, made):
    gateway, api = account.client("apigatewayv2"), made("Api")
    host = f"{api}.execute-api.us-east-1.amazonaws.com"
    assert refused(ask(host=host)) == (404, NOT_FOUND, ("domain", host))
    changed(
        lambda: gateway.update_api(ApiId=api, DisableExecuteApiEndpoint=False),
        lambda: gateway.update_api(ApiId=api, DisableExecuteApiEndpoint=True),
    )
    found = event(ask(host=host))
    assert (found["rawPath"], found["requestContext"]["domainName"]) == ("/hello", host)


@pytest.mark.case("R13")
def test_a_named_stage_is_part_of_the_default_endpoints_path(account, ask, changed, made, beta):
    beta(AutoDeploy=True)
    gateway, api = account.client("apigatewayv2"), made("Api")
    changed(
        lambda: gateway.update_api(ApiId=api, DisableExecuteApiEndpoint=False),
        lambda: gateway.update_api(ApiId=api, DisableExecuteApiEndpoint=True),
    )
    found = event(ask("/beta/hello", host=f"{api}.execute-api.us-east-1.amazonaws.com"))
    assert (found["rawPath"], found["requestContext"]["stage"]) == ("/beta/hello", "beta")


@pytest.mark.case("G24")
def test_an_api_that_does_not_exist_is_forbidden(ask):
    host = "nonesuch00.execute-api.us-east-1.amazonaws.com"
    assert refused(ask(host=host)) == (403, FORBIDDEN, ("domain", host))


@pytest.mark.case("R20")
def test_a_request_that_no_route_takes_is_not_found(account, ask, changed, made):
    gateway, api, route = account.client("apigatewayv2"), made("Api"), made("Route")
    changed(
        lambda: gateway.update_route(ApiId=api, RouteId=route, RouteKey="GET /hello"),
        lambda: gateway.update_route(ApiId=api, RouteId=route, RouteKey="$default"),
    )
    assert event(ask("/hello"))["routeKey"] == "GET /hello"
    assert refused(ask("/")) == (404, NOT_FOUND, ("route", "GET /"))


def test_a_route_that_wants_authorization_lets_nobody_in(account, ask, changed, made):
    gateway, api, route = account.client("apigatewayv2"), made("Api"), made("Route")
    changed(
        lambda: gateway.update_route(ApiId=api, RouteId=route, AuthorizationType="AWS_IAM"),
        lambda: gateway.update_route(ApiId=api, RouteId=route, AuthorizationType="NONE"),
    )
    assert refused(ask()) == (403, FORBIDDEN, ("authorizer", "AWS_IAM"))
    assert reason(ask()) == "only AWS knows the secret keys that it could be signed with"


def limit(account, made, **limits):
    gateway = account.client("apigatewayv2")
    return lambda: gateway.update_stage(ApiId=made("Api"), StageName="$default", DefaultRouteSettings=limits)


@pytest.mark.parametrize(
    ("limits", "statuses"),
    [
        ({"ThrottlingRateLimit": 0.0, "ThrottlingBurstLimit": 0}, [429, 429]),
        ({"ThrottlingRateLimit": 0.001, "ThrottlingBurstLimit": 2}, [200, 200, 429]),
        ({"ThrottlingRateLimit": 1000.0}, [429]),
        ({"DetailedMetricsEnabled": True}, [200, 200, 200]),
    ],
)
def test_a_stage_admits_what_its_limits_say(account, ask, changed, made, limits, statuses):
    usual = {"ThrottlingRateLimit": 50.0, "ThrottlingBurstLimit": 100}
    changed(limit(account, made, **limits), limit(account, made, **usual))
    assert [ask().response.status for _ in statuses] == statuses


@pytest.mark.case("S37")
def test_a_throttled_request_is_told_so(account, ask, changed, made):
    usual = {"ThrottlingRateLimit": 50.0, "ThrottlingBurstLimit": 100}
    none = {"ThrottlingRateLimit": 0.0, "ThrottlingBurstLimit": 0}
    changed(limit(account, made, **none), limit(account, made, **usual))
    assert refused(ask()) == (429, TOO_MANY, ("throttle", "$default"))


@pytest.mark.case("R81", "R83")
def test_payload_format_1_0_makes_a_1_0_event(account, ask, changed, made):
    gateway, api, integration = account.client("apigatewayv2"), made("Api"), made("Integration")
    changed(
        lambda: gateway.update_integration(ApiId=api, IntegrationId=integration, PayloadFormatVersion="1.0"),
        lambda: gateway.update_integration(ApiId=api, IntegrationId=integration, PayloadFormatVersion="2.0"),
    )
    headers = (("X-Two", "a"), ("x-two", "b"), ("Cookie", "c=1; d=2"))
    found = event(ask("/a%20b?x=1&x=2", headers=headers))
    assert (found["version"], found["path"], found["httpMethod"], found["resource"]) == (
        "1.0",
        "/a%20b",
        "GET",
        "$default",
    )
    assert (found["queryStringParameters"], found["multiValueQueryStringParameters"]) == ({"x": "2"}, {"x": ["1", "2"]})
    assert (found["headers"]["X-Two"], found["multiValueHeaders"]["X-Two"]) == ("b", ["a", "b"])
    assert found["headers"]["Cookie"] == "c=1; d=2"
    assert found["pathParameters"] is None


def test_an_integration_that_is_gone_is_an_error(account, ask, changed, made):
    gateway, api, route = account.client("apigatewayv2"), made("Api"), made("Route")
    changed(
        lambda: gateway.update_route(ApiId=api, RouteId=route, Target="integrations/nothing"),
        lambda: gateway.update_route(ApiId=api, RouteId=route, Target=f"integrations/{made('Integration')}"),
    )
    assert refused(ask()) == (500, INTERNAL, ("integration", "nothing"))


@pytest.fixture
def permission(account, made):
    """Replaces the permission by another one, None for nothing, and puts the program's own back."""
    client, source = account.client("lambda"), f"arn:aws:execute-api:us-east-1:000000000000:{made('Api')}"
    identity, names = made("Permission"), itertools.count()
    present = [(identity, "live")]

    def replace(**different):
        for statement, qualifier in present:
            client.remove_permission(
                FunctionName="dualmode-dev", StatementId=statement, **({"Qualifier": qualifier} if qualifier else {})
            )
        present.clear()
        if different:
            wanted = {
                "FunctionName": "dualmode-dev",
                "Qualifier": "live",
                "StatementId": f"test-{next(names)}",
                "Action": "lambda:InvokeFunction",
                "Principal": "apigateway.amazonaws.com",
                "SourceArn": f"{source}/*/*",
            } | different
            wanted = {key: value for key, value in wanted.items() if value is not None}
            client.add_permission(**wanted)
            present.append((wanted["StatementId"], wanted.get("Qualifier")))

    yield replace
    replace(StatementId=identity)


@pytest.mark.case("S35")
def test_without_the_permission_the_function_is_not_invoked(account, ask, permission):
    permission()
    answer = ask()
    alias = f"arn:aws:lambda:us-east-1:{account.account_id}:function:dualmode-dev:live"
    assert refused(answer) == (500, INTERNAL, ("permission", alias))


@pytest.mark.parametrize(
    "different",
    [
        {"SourceArn": "arn:aws:execute-api:us-east-1:000000000000:other12345/*/*"},
        {"SourceArn": "arn:aws:execute-api:us-east-1:000000000000:*/*/*/*"},
        {"Qualifier": None},
        {"Principal": "events.amazonaws.com"},
        {"Action": "lambda:GetFunction"},
    ],
    ids=["for another API", "for routes with a path only", "without the alias", "for another service", "to look only"],
)
def test_a_permission_for_something_else_does_not_let_the_api_in(ask, permission, different):
    permission(**different)
    answer = ask()
    assert refused(answer)[:2] == (500, INTERNAL)
    assert answer.trace.refusal.hop == "permission"
    assert "apigateway.amazonaws.com" in reason(answer)


def test_a_permission_for_any_api_does(ask, permission):
    permission(SourceArn="arn:aws:execute-api:us-east-1:000000000000:*")
    event(ask())


def test_the_role_must_trust_lambda(account, ask, changed, made):
    iam, role = account.client("iam"), made("Role")
    before = iam.get_role(RoleName=role)["Role"]

    def trust(document):
        return lambda: iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(document))

    other = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
    }
    changed(trust(other), trust(before["AssumeRolePolicyDocument"]))
    answer = ask()
    assert refused(answer) == (500, INTERNAL, ("role", before["Arn"]))
    assert "lambda.amazonaws.com" in reason(answer)


def test_the_image_must_still_be_in_the_repository(account, ask, changed, sandbox):
    ecr, uri = account.client("ecr"), sandbox.deployment.outputs["image_uri"]
    identity = {"imageDigest": uri.partition("@")[2]}
    (image,) = ecr.batch_get_image(repositoryName="dualmode-dev", imageIds=[identity])["images"]
    changed(
        lambda: ecr.batch_delete_image(repositoryName="dualmode-dev", imageIds=[identity]),
        lambda: ecr.put_image(
            repositoryName="dualmode-dev",
            imageManifest=image["imageManifest"],
            imageManifestMediaType=image["imageManifestMediaType"],
            imageTag="latest",
        ),
    )
    answer = ask()
    assert refused(answer) == (500, INTERNAL, ("image", uri))
    assert "dualmode-dev" in reason(answer)


def test_the_repository_must_let_lambda_pull(account, ask, changed):
    ecr = account.client("ecr")
    before = ecr.get_repository_policy(repositoryName="dualmode-dev")["policyText"]
    changed(
        lambda: ecr.delete_repository_policy(repositoryName="dualmode-dev"),
        lambda: ecr.set_repository_policy(repositoryName="dualmode-dev", policyText=before),
    )
    assert refused(ask()) == (500, INTERNAL, ("repository", "dualmode-dev"))


def test_the_alias_must_exist(account, ask, changed):
    client = account.client("lambda")
    changed(
        lambda: client.delete_alias(FunctionName="dualmode-dev", Name="live"),
        lambda: client.create_alias(FunctionName="dualmode-dev", Name="live", FunctionVersion="1"),
    )
    assert refused(ask()) == (500, INTERNAL, ("alias", "live"))


def test_an_alias_shares_requests_between_its_versions(account, ask, changed, echo):
    client = account.client("lambda")
    client.update_function_configuration(FunctionName="dualmode-dev", MemorySize=1024)
    client.get_waiter("function_updated_v2").wait(FunctionName="dualmode-dev", WaiterConfig={"Delay": 1})
    version = client.publish_version(FunctionName="dualmode-dev")["Version"]

    def weigh(weights):
        return lambda: client.update_alias(
            FunctionName="dualmode-dev", Name="live", RoutingConfig={"AdditionalVersionWeights": weights}
        )

    changed(weigh({version: 0.5}), weigh({}))
    assert {event(ask()) and echo.called[0] for _ in range(40)} == {"1", version}


@pytest.mark.case("G22")
def test_a_function_without_concurrency_is_unavailable(account, ask, changed):
    client = account.client("lambda")
    changed(
        lambda: client.put_function_concurrency(FunctionName="dualmode-dev", ReservedConcurrentExecutions=0),
        lambda: client.delete_function_concurrency(FunctionName="dualmode-dev"),
    )
    assert refused(ask())[:2] == (503, {"message": "Service Unavailable"})


def test_the_function_is_invoked_by_its_alias_within_the_integrations_time(ask, echo):
    event(ask())
    assert echo.called == ("1", "live", 30.0)


@pytest.mark.parametrize(
    ("failure", "status", "message"),
    [
        pytest.param(FunctionFailedError("KeyError: 'x'"), 500, "Internal Server Error", marks=pytest.mark.case("S30")),
        pytest.param(FunctionTimedOutError(), 503, "Service Unavailable", marks=pytest.mark.case("S33")),
        (SandboxError("It can't run here."), 500, "Internal Server Error"),
    ],
    ids=["failed", "timed out", "not runnable"],
)
def test_the_client_is_not_told_how_a_function_failed(ask, echo, failure, status, message):
    echo.failure = failure
    answer = ask()
    assert refused(answer) == (status, {"message": message}, ("function", "dualmode-dev:1"))
    assert str(failure) in reason(answer)


@pytest.mark.case("R64")
def test_too_long_a_head_is_refused_before_anything_is_looked_up(ask):
    answer = ask(headers=(("X-Long", "x" * 10_240),))
    assert (answer.response.status, [hop.hop for hop in answer.trace.hops]) == (431, ["request"])


@pytest.mark.case("R63")
def test_too_large_a_body_is_refused_before_the_function(ask, echo):
    answer = ask(method="POST", body=b"x" * (5 * 1024 * 1024))
    assert refused(answer)[:2] == (413, {"message": "Request Entity Too Large"})
    assert not hasattr(echo, "called")


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (RefusedError(400, "A header is malformed."), "Bad Request"),
        (RefusedError(413, "The body is too long."), "Request Entity Too Large"),
        (RefusedError(431, "The head is too long."), "HTTP header is larger than 10240 bytes."),
        (RefusedError(501, "Only chunked is known."), "Only chunked is known."),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_request_is_refused_in_api_gateways_words(error, message):
    answer = refuse(error)
    assert (answer.status, json.loads(answer.body)) == (error.status, {"message": message})


@pytest.mark.case("G15")
def test_a_request_to_no_path_is_a_bad_one(ask):
    assert refused(ask("nowhere"))[:2] == (400, {"message": "Bad Request"})


def test_an_account_that_does_not_answer_is_said_to_be_at_fault(echo):
    nowhere = Account("http://127.0.0.1:1", "us-east-1", ReadOnlyCredentials("key", "secret", None))
    answer = Edge(nowhere, echo, default_name=DOMAIN).answer(Request(method="GET", target="/", headers=()))
    assert refused(answer) == (500, INTERNAL, ("account", "us-east-1"))
    assert "list_hosted_zones" in reason(answer)
