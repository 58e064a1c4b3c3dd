"""The program with every setting on, changed and off again: its policies, its calls, and the account after it."""

import fnmatch
import json
import shutil

import pytest
import yaml

from sandbox import settings
from sandbox.provider.provider import Provider
from sandbox.pulumi_drivers.engine_driver import Engine
from sandbox.pulumi_drivers.servicer import Servicer
from tests.support.provided import ROOT, ContentBuilder, make_zone, push_image
from tests.support.recorded_calls import recorded
from walk.account import Account

needs_pulumi = pytest.mark.skipif(shutil.which("pulumi") is None, reason="there is no pulumi command on the PATH")

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
}
PINNED = {"liveVersion": 1, "canaryPercent": 10, "memorySize": 1536}
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
}

# Settings whose effects and calls other tests see, and which docs/deployer-policy.md says to add to the policy.
ELSEWHERE = {
    *("logLevel", "reservedConcurrency", "provisionedConcurrency", "snapStart", "ephemeralStorage", "tracing"),
    *("alarmEmail", "dashboard", "schedules", "queues", "events", "keepWarm"),
    *("corsOrigins", "corsMethods", "corsHeaders", "corsExposeHeaders", "corsMaxAge", "corsCredentials"),
    *("jwtIssuer", "jwtAudiences", "jwtScopes", "publicPaths", "iamAuth", "functionUrl"),
    *("cdn", "cdnRotation", "webAclArn"),
}


class Life:
    """One stack's life: what the account had after each step, and the actions that all steps took."""

    def __init__(self, ministack, state):
        self.ministack, self.state = ministack, state
        self.account = Account(ministack.endpoint_url, ministack.region, ministack.credentials)
        self.zone = make_zone(self.account)
        self.image = push_image(self.account)
        self.client("ecr").set_repository_policy(repositoryName="ready", policyText=json.dumps(PULL))
        network = self.client("ec2").describe_subnets()["Subnets"][0]
        filters = [{"Name": "vpc-id", "Values": [network["VpcId"]]}, {"Name": "group-name", "Values": ["default"]}]
        (group,) = self.client("ec2").describe_security_groups(Filters=filters)["SecurityGroups"]
        self.on = {**ON, "hostedZone": self.zone, "vpcSubnets": [network["SubnetId"]]}
        self.on["vpcSecurityGroups"] = [group["GroupId"]]
        self.changed = {**self.on, **CHANGED, "imageUri": self.image, "hostedZone": ""}
        self.actions, self.seen = set(), {}
        self.live()

    def live(self):
        self.run("up", {})
        self.seen["before"] = self.inventory()
        self.run("up", self.on)
        self.seen["on"] = self.inventory()
        stack = self.run("up", {**self.on, **PINNED}, refresh=True)
        self.seen["pinned"] = self.inventory()
        self.documents, self.resources = list(self.policies()), stack.resources()
        self.run("up", self.changed)
        self.seen["changed"] = self.inventory()
        self.run("up", {})
        self.seen["after"] = self.inventory()
        self.run("destroy", {})
        self.seen["destroyed"] = self.inventory()

    def run(self, operation, chosen, **options):
        project = settings.load_project(ROOT)
        provider = Provider(self.account, ContentBuilder(), ROOT)
        servicer = Servicer(provider, self.account.region)
        config = settings.load(project, "dev", chosen)
        stack = Engine(project, config, provider, servicer, self.state, self.ministack.program_variables)
        with recorded() as actions:
            getattr(stack, operation)(**options)
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
            "roles": [
                sorted(name.rpartition("-")[0] for name in iam.list_role_policies(RoleName=role)["PolicyNames"])
                + [each["PolicyArn"] for each in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]]
                for role in roles
            ],
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
        }

    def function(self, found):
        functions, name = self.client("lambda"), {"FunctionName": found["FunctionName"]}
        alias = functions.get_alias(**name, Name="live")
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
    return Life(ministack, tmp_path_factory.mktemp("life"))


def listed(value):
    return value if isinstance(value, list) else [value]


def test_every_setting_of_the_program_is_turned_on_here_or_is_known_to_be_elsewhere():
    made_here = {"hostedZone", "vpcSubnets", "vpcSecurityGroups", "imageUri"}
    declared = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
    assert ON.keys() | PINNED.keys() | CHANGED.keys() | made_here | ELSEWHERE == declared.keys()


@needs_pulumi
def test_every_setting_that_is_on_has_its_effect_and_changes(life):
    def logs(days):
        return {"/aws/lambda/shop": days, "/aws/vendedlogs/apis/shop": days}

    variables = ["DUALMODE_API_ID", "DUALMODE_BASE_PATH"]
    variables += [f"DUALMODE_SECRET_{name}" for name in ("OTHER", "SECRET_KEY", "TOKEN")] + ["GREETING", "TABLE_NAME"]
    grants = ["network", "policy", "secrets", "session-key", "table", "write-logs"]
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
    }
    on = {
        "functions": {"shop": function},
        "repositories": {"ready": 1, "shop": 1},
        "logs": logs(30),
        "roles": [[*(f"function-{grant}" for grant in grants), READ_ONLY]],
        "apis": [("shop", False)],
        "limits": [(7, 9)],
        "domains": {MAIN: ["v1"], ALIAS: ["v1"]},
        "certificates": [MAIN],
        "records": sorted([*own, *proofs, *addresses]),
        "parameters": ["/dualmode/shop/SECRET_KEY"],
        "tables": {"shop": True},
    }
    assert life.seen["on"] == on
    pinned = {"memory": 1536, "live": ("1", {"2": 0.1}), "versions": ["1", "2"]}
    assert life.seen["pinned"] == {**on, "functions": {"shop": {**function, **pinned}}}
    changed = {"memory": 2048, "timeout": 10, "greeting": "goodbye", "repository": "ready"}
    assert life.seen["changed"] == {
        **on,
        "functions": {"shop": {**function, **changed, "live": ("3", {}), "versions": ["3"]}},
        "logs": logs(60),
        "limits": [(8, 10)],
        "domains": {MAIN: ["v2"]},  # its proof is still there for the new certificate
        "records": sorted([*own, *proofs]),
        "tables": {"shop": False},
    }


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
}


@needs_pulumi
def test_each_policy_of_the_deployment_names_its_actions_and_resources(life):
    assert {place for place, _ in life.documents} == {
        *("trust", "repository", "alias", "function-network", "function-policy", "function-secrets"),
        *("function-session-key", "function-table", "function-write-logs"),
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


# Calls by which the provider finds out what AWS itself would refuse, and one that IAM allows everybody.
# Source of the latter: "Actions, resources, and condition keys for AWS Security Token Service".
NOT_THE_DEPLOYERS = {
    *("cloudfront:ListDistributions", "iam:GetPolicy", "iam:GetPolicyVersion"),
    "lambda:GetProvisionedConcurrencyConfig",
    "sts:GetCallerIdentity",
}


@needs_pulumi
def test_the_deployers_policy_allows_every_call_of_a_whole_life(life):
    statements = filled_in(life)
    allowed = {action for statement in statements for action in statement["Action"]}
    assert life.actions - allowed - NOT_THE_DEPLOYERS == set()


@needs_pulumi
def test_the_deployers_policy_names_every_resource_of_the_deployment(life):
    statements = filled_in(life)
    patterns = [resource for statement in statements for resource in listed(statement["Resource"]) if resource != "*"]
    arns = {resource.outputs["arn"] for resource in life.resources if str(resource.outputs.get("arn")) != "None"}
    services = {arn.split(":")[2] for arn in arns}
    assert services >= {"acm", "apigateway", "dynamodb", "ecr", "iam", "lambda", "logs", "ssm"}
    assert [arn for arn in arns if not any(fnmatch.fnmatchcase(arn, pattern) for pattern in patterns)] == []


def filled_in(life):
    """The statements of the deployer's policy for this deployment."""
    text = (ROOT / "docs" / "deployer-policy.json").read_text()
    values = {"ACCOUNT": life.account.account_id, "REGION": life.account.region, "NAME": "shop"}
    for placeholder, value in {**values, "ZONE": life.zone, "DOMAIN": "sandbox.test"}.items():
        text = text.replace(placeholder, value)
    return json.loads(text)["Statement"]
