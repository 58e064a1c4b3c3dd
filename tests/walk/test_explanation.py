"""A request is explained on accounts that are broken in one way each: the cause is named in all of them."""

import datetime
import io
import json
import socket
import zipfile

import pytest

from tests.support.api_accounts import (
    ALIAS,
    DOMAIN,
    FUNCTION,
    LOG_GROUP,
    LOGS,
    NAME_SERVERS,
    REPOSITORY,
    ROLE,
    allow,
    publish,
)
from tests.support.explanations import POLICY, case, explained, outcome, several
from walk import dns_answers, explanation
from walk.reads import READS

ELSEWHERE = {"ns1.other.example"}


def test_a_request_passes_every_hop_of_an_account_in_order(made):
    found = explained(made)
    assert [(hop.hop, hop.id, outcome(hop)) for hop in found.hops] == [
        ("dns", DOMAIN, "ok"),
        ("domain", DOMAIN, "ok"),
        ("mapping", made.mapping, "ok"),
        ("stage", "$default", "ok"),
        ("route", made.route, "ok"),
        ("integration", made.integration, "ok"),
        ("alias", ALIAS, "ok"),
        ("version", "1", "ok"),
        ("image", made.image.partition("@")[2], "ok"),
    ]
    assert (found.notes, found.status, found.refusal) == ((), None, None)


# What breaks an account, in its own way each.


def record_gone(made):
    made.alias_record("DELETE", made.target)
    made.dns.known = {}


def record_of_an_old_server(made):
    made.alias_record("DELETE", made.target)
    made.record("CREATE", TTL=60, ResourceRecords=[{"Value": "203.0.113.9"}])


def record_to_another_domain(made):
    other = "d-other12345.execute-api.us-east-1.amazonaws.com"
    made.alias_record("UPSERT", other)
    made.dns.known[other] = made.dns.known[DOMAIN]


def records_in_a_circle(made):
    made.alias_record("DELETE", made.target)
    for name, value in ((DOMAIN, "www.example.com"), ("www.example.com", DOMAIN)):
        made.record("CREATE", Name=name, Type="CNAME", TTL=60, ResourceRecords=[{"Value": value}])


def unresolved(made):
    made.dns.known = {}


def zone_not_delegated(made):
    made.dns.known, made.dns.servers = {}, ELSEWHERE


def zone_delegated_to_nobody(made):
    made.dns.known, made.dns.servers = {}, set()


def zone_of_another_provider_answers(made):
    made.dns.known[DOMAIN], made.dns.servers = {"203.0.113.9"}, ELSEWHERE


def no_zone(made):
    made.alias_record("DELETE", made.target)
    made.route53.delete_hosted_zone(Id=made.zone)


def no_zone_and_unresolved(made):
    no_zone(made)
    made.dns.known = {}


def no_zone_and_resolves_elsewhere(made):
    no_zone(made)
    made.dns.known[DOMAIN] = {"203.0.113.9"}


def no_domain(made):
    made.gateway.delete_api_mapping(DomainName=DOMAIN, ApiMappingId=made.mapping)
    made.gateway.delete_domain_name(DomainName=DOMAIN)


def domain_in_another_region(made):
    no_domain(made)
    there = "d-1234567890.execute-api.eu-west-1.amazonaws.com"
    made.alias_record("UPSERT", there)
    made.dns.known[there] = made.dns.known[DOMAIN]


def domain_status(status):
    def change(parsed):
        parsed["DomainNameConfigurations"][0]["DomainNameStatus"] = status

    return lambda made: made.answered("apigatewayv2", "GetDomainName", change)


def certificate(**different):
    return lambda made: made.answered(
        "acm", "DescribeCertificate", lambda parsed: parsed["Certificate"].update(different)
    )


def certificate_gone(made):
    made.acm.delete_certificate(CertificateArn=made.certificate)


def certificate_of_another_name(made):
    arn = made.acm.request_certificate(DomainName="www.example.com", ValidationMethod="DNS")["CertificateArn"]
    configuration = {"CertificateArn": arn, "EndpointType": "REGIONAL", "SecurityPolicy": "TLS_1_2"}
    made.gateway.update_domain_name(DomainName=DOMAIN, DomainNameConfigurations=[configuration])
    made.certificate = arn


def mapping_gone(made):
    made.gateway.delete_api_mapping(DomainName=DOMAIN, ApiMappingId=made.mapping)


def mapping_of_another_path(made):
    made.gateway.update_api_mapping(
        DomainName=DOMAIN, ApiMappingId=made.mapping, ApiId=made.api, Stage="$default", ApiMappingKey="v9"
    )


def endpoint_disabled(made):
    made.gateway.update_api(ApiId=made.api, DisableExecuteApiEndpoint=True)


def api_gone(made):
    made.gateway.delete_api(ApiId=made.api)


def stage_gone(made):
    made.gateway.delete_stage(ApiId=made.api, StageName="$default")


def only_a_named_stage(made):
    stage_gone(made)
    made.gateway.create_stage(ApiId=made.api, StageName="prod", AutoDeploy=True)


def mapped_to_a_named_stage(made):
    made.gateway.create_stage(ApiId=made.api, StageName="prod", AutoDeploy=True)
    made.gateway.update_api_mapping(DomainName=DOMAIN, ApiMappingId=made.mapping, ApiId=made.api, Stage="prod")


def named_stage_and_one_route(made):
    mapped_to_a_named_stage(made)
    routes("GET /hello")(made)


def stage_without_deployment(made):
    stage_gone(made)
    made.gateway.create_stage(ApiId=made.api, StageName="$default", AutoDeploy=False)


def stage_with_an_old_deployment(made):
    stage_without_deployment(made)
    deployment = made.gateway.create_deployment(ApiId=made.api)["DeploymentId"]
    made.gateway.update_stage(ApiId=made.api, StageName="$default", DeploymentId=deployment)


def routes(key, *more):
    def change(made):
        made.gateway.update_route(ApiId=made.api, RouteId=made.route, RouteKey=key)
        for other in more:
            made.gateway.create_route(ApiId=made.api, RouteKey=other, Target=f"integrations/{made.integration}")

    return change


def throttle(**limits):
    return lambda made: made.gateway.update_stage(ApiId=made.api, StageName="$default", DefaultRouteSettings=limits)


def throttle_of_the_route(made):
    limits = {"$default": {"ThrottlingRateLimit": 0.0, "ThrottlingBurstLimit": 0}}
    made.gateway.update_stage(ApiId=made.api, StageName="$default", RouteSettings=limits)


def jwt_authorizer(made):
    authorizer = made.gateway.create_authorizer(
        ApiId=made.api,
        AuthorizerType="JWT",
        IdentitySource=["$request.header.Authorization"],
        Name="people",
        JwtConfiguration={"Issuer": "https://issuer.example", "Audience": ["shop"]},
    )["AuthorizerId"]
    made.gateway.update_route(ApiId=made.api, RouteId=made.route, AuthorizationType="JWT", AuthorizerId=authorizer)
    made.authorizer = authorizer


def authorizer_gone(made):
    jwt_authorizer(made)
    made.gateway.delete_authorizer(ApiId=made.api, AuthorizerId=made.authorizer)


INVOKED = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{}/invocations"


def lambda_authorizer(function="{made.function_arn}:live", sources=(), **different):
    """The function as a Lambda authorizer of its own API."""

    def change(made):
        made.authorizer = made.gateway.create_authorizer(
            ApiId=made.api,
            AuthorizerType="REQUEST",
            AuthorizerUri=INVOKED.format(function.format(made=made)),
            AuthorizerPayloadFormatVersion="2.0",
            EnableSimpleResponses=True,
            IdentitySource=list(sources),
            Name="decider",
            **different,
        )["AuthorizerId"]
        known = {"ApiId": made.api, "RouteId": made.route}
        made.gateway.update_route(**known, AuthorizationType="CUSTOM", AuthorizerId=made.authorizer)

    return change


def authorizer_without_permission(made):
    lambda_authorizer()(made)
    made.permit(SourceArn=f"{made.source}/*/$default")


def authorizer_with_the_functions_own_role(made):
    lambda_authorizer(AuthorizerCredentialsArn=made.role)(made)


def integration_gone(made):
    made.gateway.update_route(ApiId=made.api, RouteId=made.route, Target="integrations/nothing")


def integration_to(uri, **different):
    return lambda made: made.call(uri, **different)


def permission(qualifier=ALIAS, source="{made.source}/*/*", **different):
    return lambda made: made.permit(qualifier=qualifier, SourceArn=source.format(made=made), **different)


def permission_on_the_alias_alone(made):
    made.call(made.function_arn)


def permission_with_a_condition(made):
    def change(parsed):
        policy = json.loads(parsed["Policy"])
        policy["Statement"][0]["Condition"]["IpAddress"] = {"aws:SourceIp": "192.0.2.0/24"}
        parsed["Policy"] = json.dumps(policy)

    made.answered("lambda", "GetPolicy", change)


def alias_gone(made):
    made.functions.delete_alias(FunctionName=FUNCTION, Name=ALIAS)


def function_gone_behind_its_own_arn(made):
    made.call(made.function_arn)
    made.functions.delete_function(FunctionName=FUNCTION)


def role_gone(made):
    made.iam.delete_role_policy(RoleName=ROLE, PolicyName="logs")
    made.iam.delete_role(RoleName=ROLE)


def role_of_another_service(made):
    trust = allow("sts:AssumeRole", Principal={"Service": "ec2.amazonaws.com"})
    made.iam.update_assume_role_policy(RoleName=ROLE, PolicyDocument=json.dumps(trust))


def function_answers(**different):
    return lambda made: made.answered("lambda", "GetFunction", lambda parsed: parsed["Configuration"].update(different))


def no_concurrency(made):
    made.functions.put_function_concurrency(FunctionName=FUNCTION, ReservedConcurrentExecutions=0)


def image_of_no_registry(made):
    made.answered("lambda", "GetFunction", lambda parsed: parsed.update(Code={"ImageUri": "example.com/shop:1"}))


def image_gone(made):
    made.ecr.batch_delete_image(repositoryName=REPOSITORY, imageIds=[{"imageDigest": made.image.partition("@")[2]}])


def repository_gone(made):
    made.ecr.delete_repository(repositoryName=REPOSITORY, force=True)


def repository_without_policy(made):
    made.ecr.delete_repository_policy(repositoryName=REPOSITORY)


def a_share_without_image(made):
    """One request in ten runs a version whose image is gone."""
    other = made.ecr.put_image(repositoryName=REPOSITORY, imageManifest='{"a": 1}', imageTag="two")["image"]["imageId"]
    made.functions.update_function_code(
        FunctionName=FUNCTION, ImageUri=f"{made.image.partition('@')[0]}@{other['imageDigest']}"
    )
    made.ecr.batch_delete_image(repositoryName=REPOSITORY, imageIds=[{"imageDigest": other["imageDigest"]}])
    weights = {"AdditionalVersionWeights": {publish(made): 0.1}}
    made.functions.update_alias(FunctionName=FUNCTION, Name=ALIAS, RoutingConfig=weights)
    made.image = f"{made.image.partition('@')[0]}@{other['imageDigest']}"


def function_url(made):
    url = made.functions.create_function_url_config(FunctionName=FUNCTION, Qualifier=ALIAS, AuthType="NONE")
    made.url = url["FunctionUrl"].removeprefix("https://").rstrip("/")


def function_url_by_the_rules_of_before(made):
    function_url(made)
    made.functions.add_permission(
        FunctionName=FUNCTION,
        Qualifier=ALIAS,
        StatementId="url",
        Action="lambda:InvokeFunctionUrl",
        Principal="*",
        FunctionUrlAuthType="NONE",
    )


THROTTLED = {"ThrottlingRateLimit": 0.0, "ThrottlingBurstLimit": 0}
ONLY_A_RATE = {"ThrottlingRateLimit": 50.0}
ALIAS_ARN = "{made.function_arn}:live"
EXECUTE_API = {"name": "{made.host}"}


REFUSALS = [
    case("the alias record is gone", record_gone, 403, "record", DOMAIN, "record-missing"),
    case("the record is an old server's address", record_of_an_old_server, 403, "record", DOMAIN, "record-kind"),
    case("the record leads to another domain", record_to_another_domain, 403, "record", DOMAIN, "record-target"),
    case("the records lead in a circle", records_in_a_circle, 403, "record", DOMAIN, "record-loop"),
    case("DNS does not know the name yet", unresolved, 403, "dns", DOMAIN, "dns-unresolved"),
    case("the zone is not delegated", zone_not_delegated, 403, "dns", DOMAIN, "zone-not-delegated"),
    case("the zone has no delegation at all", zone_delegated_to_nobody, 403, "dns", DOMAIN, "zone-not-delegated"),
    case("another zone answers", zone_of_another_provider_answers, 403, "dns", DOMAIN, "zone-not-delegated"),
    case("no zone and no name in DNS", no_zone_and_unresolved, 403, "dns", DOMAIN, "dns-unresolved"),
    case("DNS elsewhere leads elsewhere", no_zone_and_resolves_elsewhere, 403, "dns", DOMAIN, "dns-elsewhere"),
    case("the domain is gone", no_domain, 403, "domain", DOMAIN, "domain-missing"),
    case("the domain is in another region", domain_in_another_region, 403, "domain", DOMAIN, "other-region"),
    case(
        "the domain waits for its certificate",
        domain_status("PENDING_CERTIFICATE_REIMPORT"),
        *(403, "domain", DOMAIN, "domain-pending"),
    ),
    case("the certificate is gone", certificate_gone, 403, "certificate", "{made.certificate}", "certificate-missing"),
    case(
        "the certificate was never validated",
        certificate(Status="PENDING_VALIDATION"),
        *(403, "certificate", "{made.certificate}", "certificate-not-issued"),
    ),
    case(
        "the certificate has expired",
        certificate(Status="EXPIRED"),
        *(403, "certificate", "{made.certificate}", "certificate-expired"),
    ),
    case(
        "an imported certificate has expired",
        certificate(NotAfter=datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)),
        *(403, "certificate", "{made.certificate}", "certificate-expired"),
    ),
    case(
        "the certificate is for another name",
        certificate_of_another_name,
        *(403, "certificate", "{made.certificate}", "certificate-name"),
    ),
    case("the mapping is gone", mapping_gone, 403, "mapping", DOMAIN, "mapping-missing"),
    case("the mapping is for another path", mapping_of_another_path, 403, "mapping", DOMAIN, "mapping-missing"),
    case(
        "the default endpoint is closed",
        endpoint_disabled,
        *(404, "domain", "{made.host}", "endpoint-disabled"),
        **EXECUTE_API,
    ),
    case("the address is of no API", api_gone, 403, "domain", "{made.host}", "api-missing", **EXECUTE_API),
    case("the mapping is to no API", api_gone, 404, "api", "{made.api}", "api-missing"),
    case("the stage is gone", stage_gone, 404, "stage", "$default", "stage-missing"),
    case(
        "the path lacks the stage's name",
        only_a_named_stage,
        *(404, "stage", "$default", "stage-not-in-path"),
        **EXECUTE_API,
    ),
    case("nothing was deployed to the stage", stage_without_deployment, 404, "stage", "$default", "stage-empty"),
    case(
        "the path has the stage's name behind a domain",
        named_stage_and_one_route,
        *(404, "route", "GET /prod/hello", "stage-in-path"),
        path="/prod/hello",
    ),
    case("no route has the path", routes("GET /hello"), 404, "route", "GET /", "route-missing", path="/"),
    case(
        "no route has the method",
        routes("GET /hello", "GET /pets/{id}"),
        *(404, "route", "POST /pets/1", "route-missing"),
        path="/pets/1",
        method="POST",
    ),
    case("the throttle is 0", throttle(**THROTTLED), 429, "throttle", "$default", "throttle-zero"),
    case("the throttle has a rate alone", throttle(**ONLY_A_RATE), 429, "throttle", "$default", "throttle-zero"),
    case("the route's own throttle is 0", throttle_of_the_route, 429, "throttle", "$default", "throttle-zero"),
    case("the authorizer is gone", authorizer_gone, 500, "authorizer", "{made.authorizer}", "authorizer-missing"),
    case(
        "the authorizer's URI is not a function's",
        lambda_authorizer("shop"),
        *(500, "authorizer", "{made.authorizer}", "authorizer-uri"),
    ),
    case(
        "the authorizer's function is gone",
        lambda_authorizer("arn:aws:lambda:us-east-1:000000000000:function:gone"),
        *(500, "authorizer", "{made.authorizer}", "authorizer-function"),
    ),
    case(
        "API Gateway may not invoke the authorizer's function",
        authorizer_without_permission,
        *(500, "authorizer", "{made.authorizer}", "authorizer-permission"),
    ),
    case(
        "API Gateway may not take the authorizer's role",
        authorizer_with_the_functions_own_role,
        *(500, "authorizer", "{made.authorizer}", "authorizer-role"),
    ),
    case("the route has no integration", integration_gone, 500, "integration", "nothing", "integration-missing"),
    case(
        "the integration calls no function",
        integration_to("arn:aws:s3:::bucket"),
        *(500, "integration", "{made.integration}", "integration-uri"),
    ),
    case("the permission is gone", lambda made: made.permit(), 500, "permission", ALIAS_ARN, "permission-missing"),
    case(
        "the permission is another service's",
        permission(Principal="events.amazonaws.com"),
        *(500, "permission", ALIAS_ARN, "permission-missing"),
    ),
    case(
        "the permission has no qualifier",
        permission(qualifier=None),
        *(500, "permission", ALIAS_ARN, "permission-unqualified"),
    ),
    case(
        "the permission is on the alias alone",
        permission_on_the_alias_alone,
        *(500, "permission", "{made.function_arn}", "permission-other-qualifier"),
    ),
    case(
        "the permission is a REST API's",
        permission(source="{made.source}/*/*/*"),
        *(500, "permission", ALIAS_ARN, "permission-rest-arn"),
    ),
    case(
        "the permission is another API's",
        permission(source="arn:aws:execute-api:us-east-1:000000000000:other12345/*/*"),
        *(500, "permission", ALIAS_ARN, "permission-other-source"),
    ),
    case("the alias is gone", alias_gone, 500, "alias", ALIAS, "alias-missing"),
    case(
        "the function is gone",
        function_gone_behind_its_own_arn,
        *(500, "version", "{made.function_arn}", "version-missing"),
    ),
    case("the role is gone", role_gone, 500, "role", "{made.role}", "role-missing"),
    case("the role trusts another service", role_of_another_service, 500, "role", "{made.role}", "role-trust"),
    case(
        "the function failed",
        function_answers(State="Failed", StateReasonCode="ImageAccessDenied"),
        *(500, "version", "shop:1", "state-failed"),
    ),
    case("the function is pending", function_answers(State="Pending"), 500, "version", "shop:1", "state-pending"),
    case("the function fell asleep", function_answers(State="Inactive"), 500, "version", "shop:1", "state-inactive"),
    case("the reserved concurrency is 0", no_concurrency, 503, "version", "shop:1", "concurrency-zero"),
    case("the image is of no ECR", image_of_no_registry, 500, "image", "example.com/shop:1", "image-uri"),
    case("the image was deleted", image_gone, 500, "image", "{made.image}", "image-missing"),
    case("a share's image was deleted", a_share_without_image, 500, "image", "{made.image}", "image-missing"),
    case("the repository was deleted", repository_gone, 500, "image", "{made.image}", "repository-missing"),
    case(
        "Lambda may not pull the image",
        repository_without_policy,
        *(500, "repository", REPOSITORY, "repository-policy"),
    ),
    case(
        "the Function URL is another one",
        function_url,
        *(404, "domain", "gone.lambda-url.us-east-1.on.aws", "function-url-missing"),
        name="gone.lambda-url.us-east-1.on.aws",
    ),
    case(
        "the Function URL has no permission",
        function_url,
        *(403, "permission", ALIAS_ARN, "function-url-permission"),
        name="{made.url}",
    ),
    case(
        "the Function URL has one permission of two",
        function_url_by_the_rules_of_before,
        *(403, "permission", ALIAS_ARN, "function-url-permission"),
        name="{made.url}",
    ),
    case(
        "the head is too long",
        lambda made: None,
        *(431, "request", "GET", "head-too-long"),
        path=f"/{'a' * 10_240}",
    ),
]


@pytest.mark.parametrize(("breaks", "expected", "asked"), REFUSALS)
def test_the_cause_of_a_refusal_is_named(made, breaks, expected, asked):
    breaks(made)
    found = explained(made, **{key: value.format(made=made) for key, value in asked.items()})
    status, hop, identity, cause = expected
    refusal = found.refusal
    assert refusal is not None
    assert refusal == found.hops[-1]
    assert (found.status, refusal.hop, refusal.id, refusal.cause) == (status, hop, identity.format(made=made), cause)


def rest_api(made):
    made.rest = made.apigateway.create_rest_api(name="old")["id"]


def websocket_api(made):
    made.answered("apigatewayv2", "GetApi", lambda parsed: parsed.update(ProtocolType="WEBSOCKET"))


def integration_over_http(made):
    other = made.gateway.create_integration(
        ApiId=made.api, IntegrationType="HTTP_PROXY", IntegrationUri="https://example.com", IntegrationMethod="ANY"
    )["IntegrationId"]
    made.gateway.update_route(ApiId=made.api, RouteId=made.route, Target=f"integrations/{other}")
    made.integration = other


ENDS = [
    case(
        "the API is a REST API",
        rest_api,
        *(None, "api", "{made.rest}", "rest-api"),
        name="{made.rest}.execute-api.us-east-1.amazonaws.com",
    ),
    case("the API is a WebSocket API", websocket_api, None, "api", "{made.api}", "websocket-api"),
    case(
        "the function is another account's",
        integration_to("arn:aws:lambda:us-east-1:111111111111:function:shop:live"),
        *(None, "integration", "{made.integration}", "function-elsewhere"),
    ),
    case("the route goes to a URL", integration_over_http, None, "integration", "{made.integration}", "not-a-function"),
]


@pytest.mark.parametrize(("breaks", "expected", "asked"), ENDS)
def test_where_the_walk_ends_is_said_and_is_not_a_refusal(made, breaks, expected, asked):
    breaks(made)
    found = explained(made, **{key: value.format(made=made) for key, value in asked.items()})
    status, hop, identity, cause = expected
    last = found.hops[-1]
    assert (found.status, last.hop, last.id, last.cause) == (status, hop, identity.format(made=made), cause)
    assert (outcome(last), found.refusal) == ("unread", None)


def zone_that_nobody_asks(made):
    made.alias_record("DELETE", made.target)
    made.dns.ends, made.dns.servers = {DOMAIN: made.target}, ELSEWHERE


def addresses_that_change(made):
    made.dns.known[DOMAIN], made.dns.servers = {"192.0.2.9"}, None


def function_changes(**different):
    """Makes the alias serve a version with another configuration."""

    def change(made):
        made.functions.update_function_configuration(FunctionName=FUNCTION, **different)
        made.functions.update_alias(FunctionName=FUNCTION, Name=ALIAS, FunctionVersion=publish(made))

    return change


def update_failed(made):
    made.answered("lambda", "GetFunctionConfiguration", lambda parsed: parsed.update(LastUpdateStatus="Failed"))


def log_group_gone(made):
    made.logs.delete_log_group(logGroupName=LOG_GROUP)


def role_logs_elsewhere(made):
    document = allow(LOGS["Statement"][0]["Action"], Resource="arn:aws:logs:*:*:log-group:/other:*")
    made.iam.put_role_policy(RoleName=ROLE, PolicyName="logs", PolicyDocument=json.dumps(document))


def function_url_for_signed_requests(made):
    url = made.functions.create_function_url_config(FunctionName=FUNCTION, Qualifier=ALIAS, AuthType="AWS_IAM")
    made.url = url["FunctionUrl"].removeprefix("https://").rstrip("/")


NOTES = [
    case("the account's zone is not used", zone_that_nobody_asks, None, "record", DOMAIN, "zone-unused"),
    case("the target's addresses are others", addresses_that_change, None, "dns", DOMAIN, "dns-differs"),
    case(
        "the domain wants client certificates",
        lambda made: made.answered(
            "apigatewayv2",
            "GetDomainName",
            lambda parsed: parsed.update(MutualTlsAuthentication={"TruststoreUri": "s3://a"}),
        ),
        *(None, "domain", DOMAIN, "mutual-tls"),
    ),
    case(
        "the gateway answers CORS itself",
        lambda made: made.gateway.update_api(ApiId=made.api, CorsConfiguration={"AllowOrigins": ["*"]}),
        *(None, "api", "{made.api}", "gateway-cors"),
    ),
    case(
        "the stage shows an old deployment", stage_with_an_old_deployment, None, "stage", "$default", "no-auto-deploy"
    ),
    case(
        "the stage's deployment failed",
        lambda made: made.answered(
            "apigatewayv2",
            "GetStage",
            lambda parsed: parsed.update(LastDeploymentStatusMessage="Deployment attempt failed: no routes"),
        ),
        *(None, "stage", "$default", "deployment-failed"),
    ),
    case(
        "a greedy route takes the root",
        routes("ANY /{proxy+}"),
        None,
        "route",
        "{made.route}",
        "greedy-root",
        path="/",
    ),
    case("a route wants a JWT", jwt_authorizer, None, "authorizer", "{made.authorizer}", "authorizer"),
    case(
        "a function decides who may ask",
        lambda_authorizer(),
        *(None, "authorizer", "{made.authorizer}", "authorizer-function-decides"),
    ),
    case(
        "a Function URL wants signatures",
        function_url_for_signed_requests,
        *(None, "domain", "{made.url}", "function-url-signature"),
        name="{made.url}",
    ),
    case(
        "the payload is 1.0",
        integration_to("arn:aws:lambda:us-east-1:000000000000:function:shop:live", PayloadFormatVersion="1.0"),
        *(None, "integration", "{made.integration}", "payload-1"),
    ),
    case(
        "the stage is in the path", mapped_to_a_named_stage, None, "integration", "{made.integration}", "stage-prefix"
    ),
    case(
        "a condition is not evaluated", permission_with_a_condition, None, "permission", ALIAS_ARN, "condition-unknown"
    ),
    case(
        "the function has more time than the API",
        function_changes(Timeout=60),
        *(None, "version", "shop:2", "function-timeout"),
    ),
    case(
        "the function has Lambda's own memory",
        function_changes(MemorySize=128),
        None,
        "version",
        "shop:2",
        "small-memory",
    ),
    case("the last update failed", update_failed, None, "version", "shop", "update-failed"),
    case("the log group is gone", log_group_gone, None, "logs", LOG_GROUP, "log-group-missing"),
    case("the role may not write logs", role_logs_elsewhere, None, "logs", LOG_GROUP, "role-lacks-logs"),
]


@pytest.mark.parametrize(("changes", "expected", "asked"), NOTES)
def test_what_lets_requests_pass_but_is_seldom_wanted_is_noted(made, changes, expected, asked):
    changes(made)
    found = explained(made, **{key: value.format(made=made) for key, value in asked.items()})
    status, hop, identity, cause = expected
    assert (found.status, found.refusal) == (status, None)
    assert [(note.hop, note.id, note.cause) for note in found.notes] == [(hop, identity.format(made=made), cause)]


def test_what_a_lambda_authorizer_knows_clients_by_is_noted_and_that_its_function_was_not_asked(made):
    lambda_authorizer(sources=["$request.header.Authorization", "$request.querystring.key"])(made)
    found = explained(made)
    assert [(note.cause, note.detail) for note in found.notes] == [
        (
            "authorizer",
            "a request without $request.header.Authorization, $request.querystring.key is answered with 401 "
            "Unauthorized, and its function is not invoked",
        ),
        (
            "authorizer-function-decides",
            "whether its function lets a request through is not known before it is invoked: if not, the answer is 403 "
            "Forbidden, and 500 Internal Server Error if the function fails or returns no isAuthorized",
        ),
    ]
    assert (found.refusal, found.hops[-1].hop) == (None, "image")


def test_a_lambda_authorizer_whose_function_is_in_another_account_ends_the_walk_there(made):
    lambda_authorizer("arn:aws:lambda:us-east-1:111111111111:function:decider")(made)
    end = explained(made).hops[-1]
    assert (end.hop, end.unread, end.cause, end.detail) == (
        *("authorizer", True, "function-elsewhere"),
        "its function decider is in account 111111111111, region us-east-1",
    )


def test_a_name_whose_dns_is_elsewhere_passes_when_it_ends_at_the_domain_s_target(made):
    no_zone(made)
    made.dns.known[DOMAIN], made.dns.ends = {"203.0.113.9"}, {DOMAIN: made.target}
    found = explained(made)
    assert ([hop.hop for hop in found.hops[:2]], found.refusal) == (["dns", "domain"], None)


def test_a_record_that_leads_to_another_one_of_the_zone_is_followed_to_the_domain_s_target(made):
    made.record("CREATE", Name="www.example.com", Type="CNAME", TTL=60, ResourceRecords=[{"Value": "API.example.com."}])
    made.dns.known["www.example.com"] = made.dns.known[DOMAIN]
    refusal = explained(made, name="www.example.com").refusal
    zone = made.zone.rpartition("/")[2]
    assert (refusal.cause, refusal.detail) == (
        "domain-missing",
        f"CNAME in zone {zone} to {DOMAIN}, A alias in zone {zone} leads to {made.target}, "
        "but API Gateway has no domain with this name",
    )


def test_addresses_of_a_zone_that_dns_asks_are_right_whatever_they_are(made):
    made.dns.known[DOMAIN] = {"192.0.2.9"}
    made.dns.servers = set(NAME_SERVERS)
    found = explained(made)
    assert (found.refusal, found.notes, found.hops[-1].hop) == (None, (), "image")


def test_where_no_resolver_answers_the_zone_is_believed(made):
    made.dns.silent = True
    found = explained(made)
    assert [(hop.hop, hop.cause) for hop in found.hops if hop.unread] == [("dns", "dns-silent")]
    assert (found.refusal, found.hops[-1].hop) == (None, "image")


def test_without_dns_the_zone_is_believed_and_nothing_is_asked(made):
    made.dns.known = {}
    found = explained(made, dns=False)
    assert (found.refusal, found.hops[0].hop, found.hops[-1].hop) == (None, "domain", "image")


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("/pets/dog/1", "GET /pets/dog/1"),
        ("/pets/dog/2", "GET /pets/dog/{id}"),
        ("/pets/cat/1", "GET /pets/{proxy+}"),
        ("/test/5", "ANY /{proxy+}"),
    ],
)
def test_the_route_of_the_developer_guide_s_example_takes_the_request(made, path, key):
    keys = ("GET /pets/dog/1", "GET /pets/dog/{id}", "GET /pets/{proxy+}", "ANY /{proxy+}")
    for wanted in keys:
        made.gateway.create_route(ApiId=made.api, RouteKey=wanted, Target=f"integrations/{made.integration}")
    found = explained(made, path=path)
    assert [hop.detail for hop in found.hops if hop.hop == "route"] == [key]
    assert found.refusal is None


def test_a_terraform_api_of_payload_1_0_without_an_alias_passes(made):
    made.permit(qualifier=None, SourceArn=f"{made.source}/*/*")
    made.call(made.function_arn, PayloadFormatVersion="1.0")
    found = explained(made)
    assert [(hop.hop, hop.id) for hop in found.hops[-3:]] == [
        ("function", FUNCTION),
        ("version", "$LATEST"),
        ("image", made.image.partition("@")[2]),
    ]
    assert ([note.cause for note in found.notes], found.refusal) == (["payload-1"], None)


def test_a_function_from_a_zip_file_passes_without_an_image(made):
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("app.py", "def handler(event, context): ...")
    made.functions.delete_function(FunctionName=FUNCTION)
    made.functions.create_function(
        FunctionName=FUNCTION,
        Role=made.role,
        Runtime="python3.12",
        Handler="app.handler",
        Code={"ZipFile": code.getvalue()},
        MemorySize=512,
    )
    made.functions.add_permission(
        FunctionName=FUNCTION,
        StatementId="api",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
        SourceArn=f"{made.source}/*/*",
    )
    made.call(made.function_arn)
    found = explained(made)
    assert [hop.hop for hop in found.hops[-2:]] == ["function", "version"]
    assert (found.refusal, found.notes) == (None, ())


def test_a_named_stage_of_the_default_endpoint_passes_with_its_name_in_the_path(made):
    only_a_named_stage(made)
    found = explained(made, name=made.host, path="/prod/hello")
    assert (found.refusal, [note.cause for note in found.notes]) == (None, ["stage-prefix"])


def test_a_function_url_with_both_permissions_passes(made):
    function_url_by_the_rules_of_before(made)
    made.functions.add_permission(
        FunctionName=FUNCTION,
        Qualifier=ALIAS,
        StatementId="url2",
        Action="lambda:InvokeFunction",
        Principal="*",
        InvokedViaFunctionUrl=True,
    )
    found = explained(made, name=made.url)
    assert [hop.hop for hop in found.hops] == ["domain", "version", "image"]
    assert (found.refusal, found.notes) == (None, ())


def test_every_version_that_an_alias_gives_requests_to_is_followed(made):
    function_changes(MemorySize=1024)(made)
    weights = {"AdditionalVersionWeights": {"1": 0.25}}
    made.functions.update_alias(FunctionName=FUNCTION, Name=ALIAS, RoutingConfig=weights)
    found = explained(made)
    assert [(hop.hop, hop.id) for hop in found.hops if hop.hop in ("alias", "version")] == [
        ("alias", "live"),
        ("version", "2"),
        ("version", "1"),
    ]
    assert "versions 2 (75 %), 1 (25 %)" in next(hop.detail for hop in found.hops if hop.hop == "alias")


GOES_ON = [
    ("route53", "ListHostedZones"),
    ("route53", "ListResourceRecordSets"),
    ("acm", "DescribeCertificate"),
    ("apigatewayv2", "GetApi"),
    ("apigatewayv2", "GetStage"),
    ("lambda", "GetPolicy"),
    ("lambda", "GetFunctionConfiguration"),
    ("iam", "GetRole"),
    ("iam", "ListRolePolicies"),
    ("logs", "DescribeLogGroups"),
    ("ecr", "GetRepositoryPolicy"),
]
ENDS_THERE = [
    ("apigatewayv2", "GetDomainName"),
    ("apigatewayv2", "GetApiMappings"),
    ("apigatewayv2", "GetRoutes"),
    ("apigatewayv2", "GetIntegration"),
    ("lambda", "GetAlias"),
    ("lambda", "GetFunction"),
]


@pytest.mark.parametrize(
    ("goes_on", "call"), [*((True, call) for call in GOES_ON), *((False, call) for call in ENDS_THERE)], ids=str
)
def test_a_hop_that_may_not_be_read_is_said_and_the_walk_goes_on_where_it_can(made, goes_on, call):
    made.deny(*call)
    found = explained(made)
    denied = [hop for hop in found.hops if hop.cause == "denied"]
    assert (found.refusal, {outcome(hop) for hop in denied}) == (None, {"unread"})
    assert ("image" in [hop.hop for hop in found.hops]) == goes_on


def test_a_denied_read_names_the_action_and_the_resource_to_allow(made):
    made.deny("apigatewayv2", "GetRoutes")
    last = explained(made).hops[-1]
    assert (last.hop, last.detail) == (
        "route",
        f"this hop could not be read: allow apigateway:GET on /apis/{made.api}/routes",
    )


def test_the_documented_policy_allows_what_the_walk_may_read_and_nothing_else():
    actions = {action for statement in POLICY["Statement"] for action in several(statement["Action"])}
    assert actions == {read.action for read in READS.values()} | {"sts:GetCallerIdentity"}
    names = {action.partition(":")[2] for action in actions}
    assert {name for name in names if not name.startswith(("Get", "GET", "List", "Describe"))} == set()
    effects = {statement["Effect"] for statement in POLICY["Statement"]}
    assert effects == {"Allow"}


def test_the_system_s_resolver_answers_for_this_machine():
    answer = dns_answers.ask("localhost")
    assert answer is not None
    assert answer.addresses <= {"127.0.0.1", "::1"}
    assert answer.addresses


@pytest.mark.parametrize(
    ("number", "expected"),
    [(socket.EAI_NONAME, dns_answers.Answer(addresses=frozenset(), canonical="a.example")), (socket.EAI_AGAIN, None)],
    ids=["no such name", "no resolver"],
)
def test_a_name_that_does_not_exist_is_told_from_a_resolver_that_does_not_answer(monkeypatch, number, expected):
    def fail(*_words, **_more):
        raise socket.gaierror(number, "not resolved")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    assert dns_answers.ask("a.example") == expected


def test_the_program_s_own_deployment_passes_without_a_note(program):
    deployed = program.deploy(domainName="app.sandbox.test")
    found = explanation.explain(deployed.account, "GET", "/hello", "app.sandbox.test", None)
    assert (found.refusal, found.notes, found.hops[-1].hop) == (None, (), "image")
