"""The program with every setting on, changed and off again: its policies, its calls, and the account after it."""

import fnmatch
import json

import pytest
import yaml

from sandbox import settings
from sandbox.provider.provider import Provider
from sandbox.provider.refusals import or_none
from sandbox.pulumi_drivers.engine_driver import Engine
from sandbox.pulumi_drivers.servicer import Servicer
from tests.support.issuer import issuing
from tests.support.provided import ROOT, ContentBuilder, make_zone, push_image
from tests.support.pulumi_command import needs_pulumi
from tests.support.recorded_calls import recorded
from walk.account import Account

READ_ONLY = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"
MAIN, ALIAS = "app.sandbox.test", "www.sandbox.test"
PULL = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
        }
    ],
}
ON = {
    "name": "shop",
    "appDir": "examples/httpbin",
    "flaskApp": "httpbin:app",
    "architecture": "arm64",
    "memorySize": 1024,
    "timeout": 20,
    "environment": {"GREETING": "hello"},
    "baseImage": "python:3.13-slim",
    "checkImport": False,
    "domainName": MAIN,
    "aliases": [ALIAS],
    "basePath": "v1",
    "keepDefaultEndpoint": True,
    "throttleRate": 7,
    "throttleBurst": 9,
    "logRetention": 30,
    "secrets": {"TOKEN": "/shop/token", "OTHER": "shop/other"},
    "sessionKey": True,
    "table": "id",
    "protect": True,
    "policyArns": [READ_ONLY],
    "policy": json.dumps({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::files/a"}),
    "schedules": [{"name": "nightly", "path": "/nightly", "cron": "30 3 * * ? *"}],
    "queues": [{"name": "orders", "path": "/orders", "batchSize": 5}],
    "events": [{"name": "sold", "path": "/sold", "pattern": {"source": ["shop"]}}],
    "keepWarm": 5,
    "alarmEmail": "team@example.com",
    "dashboard": True,
    "reservedConcurrency": 4,
    "ephemeralStorage": 1024,
    "tracing": True,
    "logLevel": "DEBUG",
    "corsOrigins": ["https://www.example.com"],
    "corsMethods": ["GET", "POST"],
    "corsHeaders": ["authorization"],
    "corsExposeHeaders": ["x-total"],
    "corsCredentials": True,
    "corsMaxAge": 600,
    "jwtAudiences": ["shop"],
    "jwtScopes": ["read"],
    "publicPaths": ["/health"],
}
CHANGED = {
    "keepVersions": 1,
    "memorySize": 2048,
    "timeout": 10,
    "environment": {"GREETING": "goodbye"},
    "aliases": [],
    "basePath": "v2",
    "keepDefaultEndpoint": False,
    "throttleRate": 8,
    "throttleBurst": 10,
    "logRetention": 60,
    "protect": False,
    "dnsProvider": "external",
    "schedules": [{"name": "nightly", "path": "/nightly", "rate": "1 day"}],
    "queues": [{"name": "orders", "path": "/orders", "batchSize": 7}],
    "events": [{"name": "sold", "path": "/sold", "pattern": {"source": ["store"]}}],
    "keepWarm": 60,
    "reservedConcurrency": 3,
    # What follows excludes what was on before.
    "ephemeralStorage": 512,
    "snapStart": True,
    "tracing": False,
    "logLevel": "WARN",
    "corsMaxAge": 60,
    "jwtIssuer": "",
    "jwtAudiences": [],
    "jwtScopes": [],
    "iamAuth": True,
}
ACL = "arn:aws:wafv2:us-east-1:123456789012:global/webacl/shop/11111111-2222-3333-4444-555555555555"
# CloudFront excludes basePath, keepDefaultEndpoint, iamAuth and a domain elsewhere; a Function URL excludes the API.
# Provisioned concurrency excludes canaryPercent and snapStart.
FRONTED = {"name": "shop", "domainName": MAIN, "cdn": True, "webAclArn": ACL, "cdnRotation": 1}
FRONTED |= {"provisionedConcurrency": 2, "provisionedConcurrencyMax": 5}
WITHOUT_API = {"name": "shop", "functionUrl": True}


class Life:
    """One stack's life: what the account had after each step, and the actions that all steps took."""

    def __init__(self, ministack, state, issuer, folder=ROOT, images=None):
        self.ministack, self.state = ministack, state
        self.folder, self.images = folder, images or ContentBuilder()
        self.account = Account(ministack.endpoint_url, ministack.region, ministack.credentials)
        self.zone = make_zone(self.account)
        self.image = push_image(self.account)
        self.client("ecr").set_repository_policy(repositoryName="ready", policyText=json.dumps(PULL))
        network = self.client("ec2").describe_subnets()["Subnets"][0]
        filters = [{"Name": "vpc-id", "Values": [network["VpcId"]]}, {"Name": "group-name", "Values": ["default"]}]
        (group,) = self.client("ec2").describe_security_groups(Filters=filters)["SecurityGroups"]
        self.on = {**ON, "jwtIssuer": issuer, "hostedZone": self.zone, "vpcSubnets": [network["SubnetId"]]}
        self.on["vpcSecurityGroups"] = [group["GroupId"]]
        self.changed = {**self.on, **CHANGED, "imageUri": self.image, "hostedZone": ""}
        self.actions, self.seen = set(), {}

    def live(self):
        self.run("up", {})
        self.seen["before"] = self.inventory()
        stack = self.run("up", self.on)
        self.seen["on"] = self.inventory()
        self.documents, self.resources = list(self.policies()), list(stack.resources())
        self.run("up", self.changed, refresh=True)
        self.seen["changed"] = self.inventory()
        stack = self.run("up", {**FRONTED, "imageUri": self.image, "hostedZone": self.zone})
        self.seen["fronted"] = self.inventory()
        self.resources += stack.resources()
        self.run("up", {**WITHOUT_API, "imageUri": self.image})
        self.seen["without API"] = self.inventory()
        self.run("up", {})
        self.seen["after"] = self.inventory()
        self.run("destroy", {})
        self.seen["destroyed"] = self.inventory()

    def run(self, operation, chosen, **options):
        project = settings.load_project(self.folder)
        provider = Provider(self.account, self.images, self.folder)
        servicer = Servicer(provider, self.account.region)
        config = settings.load(project, "dev", chosen)
        stack = Engine(project, config, provider, servicer, self.state, self.ministack.program_variables)
        with recorded(endpoint_url=self.ministack.endpoint_url) as actions:
            self.counts = getattr(stack, operation)(**options)
        self.actions |= actions
        return stack

    def client(self, service):
        return self.account.client(service)

    def inventory(self):
        """All that a setting can make or change, without what AWS names at random."""
        gateway, iam = self.client("apigatewayv2"), self.client("iam")
        roles = [role["RoleName"] for role in iam.list_roles()["Roles"]]
        records = self.client("route53").list_resource_record_sets(HostedZoneId=self.zone)["ResourceRecordSets"]
        certificates = self.client("acm").list_certificates()["CertificateSummaryList"]
        domains = gateway.get_domain_names()["Items"]
        apis = gateway.get_apis()["Items"]
        return {
            "functions": {
                each["FunctionName"]: self.function(each)
                for each in self.client("lambda").list_functions()["Functions"]
            },
            "repositories": {
                each["repositoryName"]: len(self.digests(each["repositoryName"]))
                for each in self.client("ecr").describe_repositories()["repositories"]
            },
            "logs": {
                each["logGroupName"]: each["retentionInDays"]
                for each in self.client("logs").describe_log_groups()["logGroups"]
            },
            "roles": sorted(
                sorted(name.rpartition("-")[0] for name in iam.list_role_policies(RoleName=role)["PolicyNames"])
                + [each["PolicyArn"] for each in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]]
                for role in roles
            ),
            "apis": [(api["Name"], api.get("DisableExecuteApiEndpoint", False)) for api in apis],
            "limits": [
                tuple(stage["DefaultRouteSettings"][f"Throttling{kind}Limit"] for kind in ("Rate", "Burst"))
                for api in apis
                for stage in gateway.get_stages(ApiId=api["ApiId"])["Items"]
            ],
            "domains": {
                each["DomainName"]: [
                    mapping.get("ApiMappingKey", "")
                    for mapping in gateway.get_api_mappings(DomainName=each["DomainName"])["Items"]
                ]
                for each in domains
            },
            "certificates": sorted(each["DomainName"] for each in certificates),
            "records": sorted((record["Name"], record["Type"]) for record in records),
            "parameters": [each["Name"] for each in self.client("ssm").describe_parameters()["Parameters"]],
            "tables": {
                name: self.client("dynamodb").describe_table(TableName=name)["Table"]["DeletionProtectionEnabled"]
                for name in self.client("dynamodb").list_tables()["TableNames"]
            },
            **self.jobs(),
            **self.operations(),
            **self.doors(),
        }

    def jobs(self):
        scheduler, events = self.client("scheduler"), self.client("events")
        return {
            "schedules": {
                each["Name"]: scheduler.get_schedule(Name=each["Name"])["ScheduleExpression"]
                for each in scheduler.list_schedules()["Schedules"]
            },
            "queues": sorted(url.rpartition("/")[2] for url in self.client("sqs").list_queues().get("QueueUrls", [])),
            "mappings": [
                each["BatchSize"] for each in self.client("lambda").list_event_source_mappings()["EventSourceMappings"]
            ],
            "rules": {each["Name"]: json.loads(each["EventPattern"]) for each in events.list_rules()["Rules"]},
        }

    def operations(self):
        watch = self.client("cloudwatch")
        return {
            "alarms": sorted(each["AlarmName"] for each in watch.describe_alarms()["MetricAlarms"]),
            "emails": [each["Endpoint"] for each in self.client("sns").list_subscriptions()["Subscriptions"]],
            "topics": [each["TopicArn"].rpartition(":")[2] for each in self.client("sns").list_topics()["Topics"]],
            "dashboards": [each["DashboardName"] for each in watch.list_dashboards()["DashboardEntries"]],
            "filters": len(self.client("logs").describe_metric_filters()["metricFilters"]),
        }

    def doors(self):
        gateway, cdn, functions = self.client("apigatewayv2"), self.client("cloudfront"), self.client("lambda")
        apis = gateway.get_apis()["Items"]
        return {
            "cors": [api["CorsConfiguration"]["MaxAge"] for api in apis if api.get("CorsConfiguration")],
            "routes": sorted(
                (route["RouteKey"], route.get("AuthorizationType", "NONE"))
                for api in apis
                for route in gateway.get_routes(ApiId=api["ApiId"])["Items"]
            ),
            "authorizers": [
                each["JwtConfiguration"]["Issuer"]
                for api in apis
                for each in gateway.get_authorizers(ApiId=api["ApiId"])["Items"]
            ],
            "distributions": [
                (each["Aliases"]["Items"], each["WebACLId"])
                for each in cdn.list_distributions()["DistributionList"].get("Items", [])
            ],
            "urls": [
                url["AuthType"]
                for each in functions.list_functions()["Functions"]
                for url in functions.list_function_url_configs(FunctionName=each["FunctionName"])["FunctionUrlConfigs"]
            ],
        }

    def function(self, found):
        functions, name = self.client("lambda"), {"FunctionName": found["FunctionName"]}
        alias = functions.get_alias(**name, Name="live")
        provisioned = or_none(lambda: functions.get_provisioned_concurrency_config(**name, Qualifier="live"))
        return {
            "memory": found["MemorySize"],
            "timeout": found["Timeout"],
            "architectures": found["Architectures"],
            "variables": sorted(found["Environment"]["Variables"]),
            "greeting": found["Environment"]["Variables"].get("GREETING"),
            "network": found.get("VpcConfig", {}).get("SubnetIds") or [],
            "repository": functions.get_function(**name)["Code"]["ImageUri"].partition("/")[2].partition("@")[0],
            "live": (alias["FunctionVersion"], alias.get("RoutingConfig", {}).get("AdditionalVersionWeights") or {}),
            "versions": [each["Version"] for each in functions.list_versions_by_function(**name)["Versions"]][1:],
            "reserved": functions.get_function_concurrency(**name).get("ReservedConcurrentExecutions"),
            "provisioned": (provisioned or {}).get("RequestedProvisionedConcurrentExecutions"),
            "scaled": [
                (target["ResourceId"], target["MinCapacity"], target["MaxCapacity"])
                for target in self.client("application-autoscaling").describe_scalable_targets(
                    ServiceNamespace="lambda"
                )["ScalableTargets"]
            ],
            "storage": found["EphemeralStorage"]["Size"],
            "tracing": found["TracingConfig"]["Mode"],
            "log level": found["LoggingConfig"]["ApplicationLogLevel"],
            "snapshots": found.get("SnapStart", {}).get("ApplyOn", "None"),
        }

    def digests(self, repository):
        return {each["imageDigest"] for each in self.client("ecr").list_images(repositoryName=repository)["imageIds"]}

    def policies(self):
        """Yields each policy that the deployment made, by where it is."""
        iam = self.client("iam")
        for role in iam.list_roles()["Roles"]:
            yield "trust", role["AssumeRolePolicyDocument"]
            for name in iam.list_role_policies(RoleName=role["RoleName"])["PolicyNames"]:
                found = iam.get_role_policy(RoleName=role["RoleName"], PolicyName=name)
                yield name.rpartition("-")[0], found["PolicyDocument"]
        yield "repository", json.loads(self.client("ecr").get_repository_policy(repositoryName="shop")["policyText"])
        yield "alias", json.loads(self.client("lambda").get_policy(FunctionName="shop", Qualifier="live")["Policy"])


@pytest.fixture(scope="module")
def life(ministack, tmp_path_factory):
    with issuing(tmp_path_factory.mktemp("issuer")) as issuer:
        life = Life(ministack, tmp_path_factory.mktemp("life"), issuer.address)
        life.live()
        return life


def listed(value):
    return value if isinstance(value, list) else [value]


def test_every_setting_of_the_program_is_turned_on_here():
    made_here = {"hostedZone", "vpcSubnets", "vpcSecurityGroups", "imageUri"}
    released = {"liveVersion", "canaryPercent"}  # in test_life_cycle.py
    declared = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
    turned_on = ON.keys() | CHANGED.keys() | FRONTED.keys() | WITHOUT_API.keys()
    assert turned_on | made_here | released == declared.keys()


@needs_pulumi
def test_every_setting_that_is_on_has_its_effect_and_changes(life):
    def logs(days):
        return {"/aws/lambda/shop": days, "/aws/vendedlogs/apis/shop": days}

    variables = ["DUALMODE_API_ID", "DUALMODE_BASE_PATH", "DUALMODE_JOBS"]
    variables += [f"DUALMODE_SECRET_{name}" for name in ("OTHER", "SECRET_KEY", "TOKEN")] + ["GREETING", "TABLE_NAME"]
    grants = ["jobs", "network", "policy", "secrets", "session-key", "table", "tracing", "write-logs"]
    alarms = ["5xx", "errors", "failed", "orders-failed", "slow", "throttles"]
    # A preflight has no token.
    public = [("ANY /health", "NONE"), ("OPTIONS /", "NONE"), ("OPTIONS /{proxy+}", "NONE")]
    proofs = [(f"_acme-challenge.{name}.", "CNAME") for name in (MAIN, ALIAS)]
    addresses = [(f"{name}.", kind) for name in (MAIN, ALIAS) for kind in ("A", "AAAA")]
    own = life.seen["before"]["records"]
    function = {
        "memory": 1024,
        "timeout": 20,
        "architectures": ["arm64"],
        "variables": variables,
        "greeting": "hello",
        "network": life.on["vpcSubnets"],
        "repository": "shop",
        "live": ("1", {}),
        "versions": ["1"],
        "reserved": 4,
        "provisioned": None,
        "scaled": [],
        "storage": 1024,
        "tracing": "Active",
        "log level": "DEBUG",
        "snapshots": "None",
    }
    on = {
        "functions": {"shop": function},
        "repositories": {"ready": 1, "shop": 1},
        "logs": logs(30),
        "roles": [[*(f"function-{grant}" for grant in grants), READ_ONLY], ["keep-warm-invoke"], ["schedule-invoke"]],
        "apis": [("shop", False)],
        "limits": [(7, 9)],
        "domains": {MAIN: ["v1"], ALIAS: ["v1"]},
        "certificates": [MAIN],
        "records": sorted([*own, *proofs, *addresses]),
        "parameters": ["/dualmode/shop/SECRET_KEY"],
        "tables": {"shop": True},
        "schedules": {"shop-nightly": "cron(30 3 * * ? *)", "shop.keep-warm": "rate(5 minutes)"},
        "queues": ["shop-failed", "shop-orders", "shop-orders-failed"],
        "mappings": [5],
        "rules": {"shop-sold": {"source": ["shop"]}},
        "alarms": [f"shop-{name}" for name in alarms],
        "emails": ["team@example.com"],
        "topics": ["shop-alarms"],
        "dashboards": ["shop"],
        "filters": 1,
        "cors": [600],
        "routes": [("$default", "JWT"), *public],
        "authorizers": [life.on["jwtIssuer"]],
        "distributions": [],
        "urls": [],
    }
    assert life.seen["on"] == on
    changed = {"memory": 2048, "timeout": 10, "greeting": "goodbye", "repository": "ready", "reserved": 3}
    changed |= {"storage": 512, "tracing": "PassThrough", "log level": "WARN", "snapshots": "PublishedVersions"}
    assert (
        life.seen["changed"]
        == {
            **on,
            "functions": {"shop": {**function, **changed, "live": ("2", {}), "versions": ["2"]}},
            "logs": logs(60),
            "limits": [(8, 10)],
            "domains": {MAIN: ["v2"]},  # its proof is still there for the new certificate
            "records": sorted([*own, *proofs]),
            "tables": {"shop": False},
            "roles": [[role for role in on["roles"][0] if role != "function-tracing"], *on["roles"][1:]],
            "schedules": {"shop-nightly": "rate(1 day)", "shop.keep-warm": "rate(60 minutes)"},
            "mappings": [7],
            "rules": {"shop-sold": {"source": ["store"]}},
            "cors": [60],
            "routes": [("$default", "AWS_IAM"), *public],
            "authorizers": [],
        }
    )


@needs_pulumi
def test_cloudfront_and_a_function_url_which_exclude_other_settings_have_their_effect_too(life):
    fronted, without_api = life.seen["fronted"], life.seen["without API"]
    assert (fronted["distributions"], fronted["domains"], fronted["urls"]) == ([([MAIN], ACL)], {}, [])
    assert fronted["parameters"] == ["/dualmode/shop/CDN_KEY", "/dualmode/shop/CDN_SECRETS"]
    assert fronted["functions"]["shop"]["provisioned"] == 2
    assert fronted["functions"]["shop"]["scaled"] == [("function:shop:live", 2, 5)]
    assert (without_api["distributions"], without_api["apis"], without_api["urls"]) == ([], [], ["NONE"])
    assert without_api["parameters"] == []
    assert without_api["functions"]["shop"]["provisioned"] is None
    assert without_api["functions"]["shop"]["scaled"] == []


@needs_pulumi
def test_after_every_setting_was_on_the_account_is_as_before_but_for_proofs_that_others_may_share(life):
    before, proofs = life.seen["before"], [(f"_acme-challenge.{name}.", "CNAME") for name in (MAIN, ALIAS)]
    assert life.seen["after"] == {**before, "records": sorted([*before["records"], *proofs])}
    assert {key: value for key, value in life.seen["destroyed"].items() if value and key != "records"} == {
        "repositories": {"ready": 1}
    }


# What each resource with a `*` in it is, and why AWS takes no narrower one.
WIDE_RESOURCES = {
    "arn:aws:logs:*:log-group:/aws/lambda/shop:*": "the streams of the function's own group, which Lambda names",
    "arn:aws:ec2:*:network-interface/*": "EC2 names an interface when it makes it; subnets and groups are named",
    "arn:aws:dynamodb:*:table/shop/index/*": "the indexes of the deployment's own table",
    "arn:aws:secretsmanager:*:secret:shop/other-??????": "Secrets Manager ends each ARN with random characters",
}
# Source of each: "Actions, resources, and condition keys", Service Authorization Reference, of the service.
TAKE_NO_RESOURCE = {
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "secretsmanager:BatchGetSecretValue",
    *("xray:GetSamplingRules", "xray:GetSamplingTargets", "xray:PutTelemetryRecords", "xray:PutTraceSegments"),
}


@needs_pulumi
def test_each_policy_of_the_deployment_names_its_actions_and_resources(life):
    assert {place for place, _ in life.documents} == {
        *("trust", "repository", "alias", "function-network", "function-policy", "function-secrets"),
        *("function-session-key", "function-table", "function-write-logs", "function-tracing", "function-jobs"),
        *("keep-warm-invoke", "schedule-invoke"),
    }
    statements = [
        (place, statement) for place, document in life.documents for statement in listed(document["Statement"])
    ]
    allowed = [(place, statement) for place, statement in statements if statement["Effect"] == "Allow"]
    assert [place for place, statement in statements if statement["Effect"] == "Deny"] == ["function-network"]
    actions = [(place, action) for place, statement in allowed for action in listed(statement["Action"])]
    assert [found for found in actions if "*" in found[1]] == []
    for place, statement in allowed:
        resources = listed(statement.get("Resource", []))
        if "*" in resources:
            assert set(listed(statement["Action"])) <= TAKE_NO_RESOURCE, place
            continue
        wide = [resource for resource in resources if "*" in resource or "?" in resource]
        assert [found for found in wide if not is_one_of(found, WIDE_RESOURCES)] == [], place
    public = [place for place, statement in allowed if "*" in json.dumps(statement.get("Principal", ""))]
    assert public == []


def is_one_of(resource, known):
    """Whether a resource is one of these but for its region and account."""
    service, place = resource.split(":")[2], resource.split(":", 5)[5]
    return any((each.split(":")[2], each.split(":*:", 1)[1]) == (service, place) for each in known)


# Calls by which the sandbox's provider finds out what AWS itself would refuse, calls that the real one does without (it
# knows a queue's URL, and gets a whole distribution), and one that IAM allows everybody.
# Source of the last: "Actions, resources, and condition keys for AWS Security Token Service".
NOT_THE_DEPLOYERS = {
    *("cloudfront:GetDistributionConfig", "cloudfront:GetOriginRequestPolicy", "cloudfront:ListDistributions"),
    *("events:DescribeEventBus", "iam:GetPolicy", "iam:GetPolicyVersion", "sqs:GetQueueUrl"),
    "lambda:ListEventSourceMappings",
    "sts:GetCallerIdentity",
}


@needs_pulumi
def test_the_deployers_policy_allows_every_call_of_a_whole_life(life):
    statements = filled_in(life)
    allowed = {action for statement in statements for action in statement["Action"]}
    assert life.actions - allowed - NOT_THE_DEPLOYERS == set()


# IAM knows topics, and not their subscriptions. Source: "Actions, resources, and condition keys for Amazon SNS".
SUBSCRIPTION = "aws:sns/topicSubscription:TopicSubscription"
# As above, for AWS Application Auto Scaling: it knows targets, and not their policies.
SCALING_POLICY = "aws:appautoscaling/policy:Policy"


@needs_pulumi
def test_the_deployers_policy_names_every_resource_of_the_deployment(life):
    statements = filled_in(life)
    patterns = [resource for statement in statements for resource in listed(statement["Resource"]) if resource != "*"]
    made = [resource for resource in life.resources if resource.type not in (SUBSCRIPTION, SCALING_POLICY)]
    arns = {resource.outputs["arn"] for resource in made if str(resource.outputs.get("arn")) != "None"}
    services = {arn.split(":")[2] for arn in arns}
    assert services >= {"acm", "apigateway", "dynamodb", "ecr", "iam", "lambda", "logs", "ssm"}
    assert services >= {"cloudfront", "cloudwatch", "events", "scheduler", "sns", "sqs"}
    assert [arn for arn in arns if not any(fnmatch.fnmatchcase(arn, pattern) for pattern in patterns)] == []


def filled_in(life):
    """The statements of the deployer's policy for this deployment."""
    files = sorted((ROOT / "docs").glob("deployer-policy*.json"))
    text = json.dumps([statement for file in files for statement in json.loads(file.read_text())["Statement"]])
    values = {"ACCOUNT": life.account.account_id, "REGION": life.account.region, "NAME": "shop"}
    for placeholder, value in {**values, "ZONE": life.zone, "DOMAIN": "sandbox.test"}.items():
        text = text.replace(placeholder, value)
    return json.loads(text)
