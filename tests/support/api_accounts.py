"""An account with an API on a custom domain, made by boto3 as anyone could make it, and a DNS that leads to it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from walk.account import Account
from walk.dns_answers import Answer, Names

ZONE, DOMAIN = "example.com", "api.example.com"
FUNCTION, ALIAS, REPOSITORY, ROLE, LOG_GROUP = "shop", "live", "shop-image", "shop-role", "/aws/lambda/shop"
NAME_SERVERS = {"ns-1.awsdns-1.com", "ns-2.awsdns-2.net", "ns-3.awsdns-3.org", "ns-4.awsdns-4.co.uk"}  # MiniStack's


def allow(action: str | list[str], **more: object) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, **more}]}


TRUST = allow("sts:AssumeRole", Principal={"Service": "lambda.amazonaws.com"})
PULL = allow(["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"], Principal={"Service": "lambda.amazonaws.com"})
LOGS = allow(["logs:CreateLogStream", "logs:PutLogEvents"], Resource="*")


@dataclass
class Dns:
    """What DNS answers: addresses by name, the name that a CNAME ends at, the name servers of every zone."""

    known: dict[str, set[str]] = field(default_factory=dict)
    ends: dict[str, str] = field(default_factory=dict)
    servers: set[str] | None = field(default_factory=lambda: set(NAME_SERVERS))
    silent: bool = False

    def names(self) -> Names:
        return Names(addresses=self._addresses, servers=lambda _zone: self.servers)

    def _addresses(self, name: str) -> Answer | None:
        if self.silent:
            return None
        return Answer(addresses=frozenset(self.known.get(name, ())), canonical=self.ends.get(name, name))


@dataclass
class ApiAccount:
    """What `build` made; each part can be changed or removed."""

    account: Account
    dns: Dns
    undone: contextlib.ExitStack
    zone: str = ""
    target: str = ""
    api: str = ""
    integration: str = ""
    route: str = ""
    mapping: str = ""
    role: str = ""
    certificate: str = ""
    image: str = ""

    def __getattr__(self, service: str) -> Any:
        """The client of a service: `gateway` is API Gateway's, `functions` Lambda's."""
        return self.account.client({"gateway": "apigatewayv2", "functions": "lambda"}.get(service, service))

    @property
    def function_arn(self) -> str:
        return f"arn:aws:lambda:us-east-1:{self.account.account_id}:function:{FUNCTION}"

    @property
    def source(self) -> str:
        return f"arn:aws:execute-api:us-east-1:{self.account.account_id}:{self.api}"

    @property
    def host(self) -> str:
        return f"{self.api}.execute-api.us-east-1.amazonaws.com"

    def record(self, action: str, **record: Any) -> None:
        wanted = {"Name": DOMAIN, "Type": "A"} | record
        batch = {"Changes": [{"Action": action, "ResourceRecordSet": wanted}]}
        self.route53.change_resource_record_sets(HostedZoneId=self.zone, ChangeBatch=batch)

    def alias_record(self, action: str, target: str) -> None:
        self.record(
            action, AliasTarget={"HostedZoneId": "Z1UJRXOUMOOFQ8", "DNSName": target, "EvaluateTargetHealth": False}
        )

    def permit(self, *, qualifier: str | None = ALIAS, **different: Any) -> None:
        """Replaces the function's permission; no source removes it."""
        for present in (ALIAS, None):
            with_qualifier = {"Qualifier": present} if present else {}
            with contextlib.suppress(self.functions.exceptions.ResourceNotFoundException):
                self.functions.remove_permission(FunctionName=FUNCTION, StatementId="api", **with_qualifier)
        if "SourceArn" in different:
            wanted = {"Action": "lambda:InvokeFunction", "Principal": "apigateway.amazonaws.com"} | different
            with_qualifier = {"Qualifier": qualifier} if qualifier else {}
            self.functions.add_permission(FunctionName=FUNCTION, StatementId="api", **with_qualifier, **wanted)

    def call(self, arn: str, **different: Any) -> None:
        """Lets the integration call another ARN."""
        self.gateway.update_integration(ApiId=self.api, IntegrationId=self.integration, IntegrationUri=arn, **different)

    def answered(self, service: str, operation: str, change: Any) -> None:
        """Changes the answers of an operation, where the emulated account has no way to come into that state."""
        self._hook(f"after-call.{service}.{operation}", lambda parsed, **_: change(parsed))

    def deny(self, service: str, operation: str) -> None:
        """Denies an operation, as IAM does."""
        error = {"Error": {"Code": "AccessDeniedException", "Message": "not authorized"}}

        def refuse(**_: object) -> None:
            raise ClientError(error, operation)

        self._hook(f"before-call.{service}.{operation}", refuse)

    def _hook(self, event: str, handler: Callable[..., object]) -> None:
        events = self.account.client(event.split(".")[1]).meta.events
        events.register(event, handler)
        self.undone.callback(events.unregister, event, handler)


@contextlib.contextmanager
def built(account: Account) -> Iterator[ApiAccount]:
    """Makes the account's parts, from the zone to the image, and a request passes all of them."""
    with contextlib.ExitStack() as undone:
        made = ApiAccount(account=account, dns=Dns(), undone=undone)
        # MiniStack keeps new functions pending for a moment.
        made.answered("lambda", "GetFunction", lambda parsed: parsed.get("Configuration", {}).update(State="Active"))
        _build(made)
        yield made


def _build(made: ApiAccount) -> None:
    made.zone = made.route53.create_hosted_zone(Name=ZONE, CallerReference="1")["HostedZone"]["Id"]
    made.certificate = made.acm.request_certificate(DomainName=DOMAIN, ValidationMethod="DNS")["CertificateArn"]
    _build_function(made)
    made.api = made.gateway.create_api(Name="shop", ProtocolType="HTTP")["ApiId"]
    made.integration = made.gateway.create_integration(
        ApiId=made.api,
        IntegrationType="AWS_PROXY",
        IntegrationUri=f"{made.function_arn}:{ALIAS}",
        PayloadFormatVersion="2.0",
        TimeoutInMillis=30000,
    )["IntegrationId"]
    made.route = made.gateway.create_route(
        ApiId=made.api, RouteKey="$default", Target=f"integrations/{made.integration}"
    )["RouteId"]
    made.gateway.create_stage(ApiId=made.api, StageName="$default", AutoDeploy=True)
    configuration = {"CertificateArn": made.certificate, "EndpointType": "REGIONAL", "SecurityPolicy": "TLS_1_2"}
    domain = made.gateway.create_domain_name(DomainName=DOMAIN, DomainNameConfigurations=[configuration])
    made.target = domain["DomainNameConfigurations"][0]["ApiGatewayDomainName"]
    made.mapping = made.gateway.create_api_mapping(DomainName=DOMAIN, ApiId=made.api, Stage="$default")["ApiMappingId"]
    made.alias_record("CREATE", made.target)
    made.dns.known = {DOMAIN: {"192.0.2.1"}, made.target: {"192.0.2.1", "192.0.2.2"}}
    made.functions.create_alias(FunctionName=FUNCTION, Name=ALIAS, FunctionVersion="1")
    made.permit(SourceArn=f"{made.source}/*/*")


def _build_function(made: ApiAccount) -> None:
    made.role = made.iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    made.iam.put_role_policy(RoleName=ROLE, PolicyName="logs", PolicyDocument=json.dumps(LOGS))
    made.logs.create_log_group(logGroupName=LOG_GROUP)
    made.ecr.create_repository(repositoryName=REPOSITORY)
    made.ecr.set_repository_policy(repositoryName=REPOSITORY, policyText=json.dumps(PULL))
    pushed = made.ecr.put_image(repositoryName=REPOSITORY, imageManifest="{}", imageTag="one")["image"]["imageId"]
    registry = f"{made.account.account_id}.dkr.ecr.us-east-1.amazonaws.com"
    made.image = f"{registry}/{REPOSITORY}@{pushed['imageDigest']}"
    made.functions.create_function(
        FunctionName=FUNCTION,
        Role=made.role,
        PackageType="Image",
        Code={"ImageUri": made.image},
        MemorySize=512,
        Timeout=29,
        Publish=True,
    )


def publish(made: ApiAccount) -> str:
    """Publishes a version once the function is active; its number."""
    made.functions.get_waiter("function_active_v2").wait(FunctionName=FUNCTION, WaiterConfig={"Delay": 0.2})
    made.functions.get_waiter("function_updated_v2").wait(FunctionName=FUNCTION, WaiterConfig={"Delay": 0.2})
    return str(made.functions.publish_version(FunctionName=FUNCTION)["Version"])
