"""The programs in the components' docstrings and on their page, in a folder with none of this project's settings."""

import ast
import itertools
import shutil
import textwrap
from collections import Counter
from pathlib import Path

import pytest

from sandbox import settings
from sandbox.provider.provider import Provider
from sandbox.pulumi_drivers import mocks_driver
from tests.support.issuer import issuing
from tests.support.page_programs import page_s_program
from tests.support.provided import ROOT, ContentBuilder, make_zone, push_image, write_program
from tests.support.pulumi_command import needs_pulumi
from tests.support.slow_tests import slow_but

WAITED_FOR = "aws:acm/certificateValidation:CertificateValidation"
BEGIN = "In another Pulumi program"
CONFIG = """
    config:
      image: {type: string, default: ""}
      api: {type: string, default: ""}
      endpoint: {type: string, default: ""}
      certificate: {type: string, default: ""}
      issuer: {type: string, default: ""}
"""
FUNCTION = {"LogGroup": 1, "Role": 1, "RolePolicy": 1, "Function": 1, "Alias": 1, "ContainerFunction": 1}
GRANTED = {**FUNCTION, "RolePolicy": 2}
DEAD_LETTERS = {"DeadLetters": 1, "Queue": 1, "MetricAlarm": 1}
BY_SCHEDULER = {**FUNCTION, "Role": 2, "RolePolicy": 2, "Schedule": 1}
MADE = {
    "Alarms": {**dict.fromkeys(("Alarms", "Topic", "TopicPolicy", "TopicSubscription"), 1), "MetricAlarm": 4},
    "ApiRoute": {
        **FUNCTION,
        "LogGroup": 2,
        **dict.fromkeys(("HttpApi", "ApiRoute", "Api", "Integration", "Route", "Stage", "Permission"), 1),
    },
    "Cdn": {**dict.fromkeys(("Cdn", "Function", "CachePolicy", "Distribution"), 1), "Parameter": 2},
    "ContainerFunction": {**GRANTED, "Topic": 1},
    "ContainerImage": {
        **dict.fromkeys(("ContainerImage", "Repository", "LifecyclePolicy", "RepositoryPolicy"), 1),
        "Image": 2,  # awsx's component, and the builder's
    },
    "CorsSettings": {"HttpApi": 1, "Api": 1},
    "CustomDomain": {
        **dict.fromkeys(("CustomDomain", "Certificate", "CertificateValidation", "DomainName", "ApiMapping"), 1),
        "Record": 3,  # the certificate's proof, and the name's addresses for IPv4 and IPv6
    },
    "Dashboard": {**FUNCTION, "Dashboard": 2, "LogMetricFilter": 1},  # the component and CloudWatch's
    "DeadLetters": {**DEAD_LETTERS, "Queue": 2},
    "DeployerRole": {  # a policy of each file of the deployer's policy, but of that for a domain
        **dict.fromkeys(("DeployerRole", "OpenIdConnectProvider", "Role", "RolePolicy"), 1),
        **dict.fromkeys(("Policy", "RolePolicyAttachment"), 3),
    },
    "EventRules": {
        **FUNCTION,
        **DEAD_LETTERS,
        **dict.fromkeys(("EventRules", "EventRule", "EventTarget", "Permission", "QueuePolicy"), 1),
    },
    "FunctionUrl": {**FUNCTION, "FunctionUrl": 2, "Permission": 2},  # the component and Lambda's
    "HttpApi": {"HttpApi": 1, "Api": 1},
    "JwtAuthorizer": {"HttpApi": 1, "Api": 1, "JwtAuthorizer": 1, "Authorizer": 1},
    "KeepWarm": {**BY_SCHEDULER, "KeepWarm": 1},
    "OldVersions": {**FUNCTION, "OldVersions": 1},
    "ProvisionedConcurrency": {**FUNCTION, "ProvisionedConcurrency": 1, "ProvisionedConcurrencyConfig": 1},
    "Queues": {**GRANTED, **DEAD_LETTERS, "Queues": 1, "Queue": 2, "EventSourceMapping": 1},
    "Schedules": {**BY_SCHEDULER, **DEAD_LETTERS, "Schedules": 1},
    "Secrets": {**GRANTED, "Secrets": 1},
    "SessionKey": {**GRANTED, "SessionKey": 1, "Parameter": 1},
    "Table": {**GRANTED, "Table": 2},  # the component and DynamoDB's
}
MADE["docs/components.md"] = MADE["ApiRoute"]
MAIN_FOUR = ("ApiRoute", "ContainerFunction", "ContainerImage", "CustomDomain")


def docstring_programs():
    """The programs by the names of their components, or of the settings that another component takes."""
    found = {}
    for node in classes():
        text = ast.get_docstring(node)
        if text and BEGIN in text:
            lines = text.partition(BEGIN)[2].splitlines()[1:]
            block = itertools.takewhile(lambda line: not line or line.startswith("    "), lines)
            found[node.name] = textwrap.dedent("\n".join(block))
    return found


def classes():
    files = sorted((ROOT / "infra").glob("*.py"))
    return [node for file in files for node in ast.parse(file.read_text()).body if isinstance(node, ast.ClassDef)]


PROGRAMS = {**docstring_programs(), "docs/components.md": page_s_program("python")}


@pytest.fixture
def folder(tmp_path):
    """Makes a folder with a component's program, and with what a repository has that takes these components over."""

    def folder(component: str) -> Path:
        made = write_program(tmp_path / "program", PROGRAMS[component], CONFIG)
        (made / "shop").mkdir()
        (made / "shop" / "shop.py").write_text("app = lambda environ, start_response: []\n")
        for part in ("infra", "dualmode"):
            shutil.copytree(ROOT / part, made / part, ignore=shutil.ignore_patterns("__pycache__"))
        (made / "docs").mkdir()
        for policy in (ROOT / "docs").glob("deployer-policy*.json"):
            shutil.copy(policy, made / "docs")
        return made

    return folder


@pytest.fixture(scope="module")
def issuer(tmp_path_factory):
    with issuing(tmp_path_factory.mktemp("issuer")) as found:
        yield found.address


@pytest.fixture
def chosen(account, issuer):
    """What the programs take from elsewhere: an image, an API with its stage, a certificate, an issuer of tokens."""
    zone = make_zone(account)
    gateway = account.client("apigatewayv2")
    api = gateway.create_api(Name="there", ProtocolType="HTTP")
    gateway.create_stage(ApiId=api["ApiId"], StageName="$default", AutoDeploy=True)
    return {
        "image": push_image(account, "shop-images"),
        "api": api["ApiId"],
        "endpoint": api["ApiEndpoint"],
        "certificate": issued_certificate(account, zone),
        "issuer": issuer,
    }


def issued_certificate(account, zone):
    acm = account.client("acm")
    arn = acm.request_certificate(DomainName="shop.sandbox.test", ValidationMethod="DNS")["CertificateArn"]
    (proof,) = acm.describe_certificate(CertificateArn=arn)["Certificate"]["DomainValidationOptions"]
    record = proof["ResourceRecord"]
    wanted = {"Name": record["Name"], "Type": "CNAME", "TTL": 60, "ResourceRecords": [{"Value": record["Value"]}]}
    changes = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": wanted}]}
    account.client("route53").change_resource_record_sets(HostedZoneId=zone, ChangeBatch=changes)
    return arn


def made_by(resources):
    types = (resource.type for resource in resources if not resource.type.startswith("pulumi:"))
    return Counter(kind.rpartition(":")[2] for kind in types)


def test_every_component_has_a_program_which_is_tried_here():
    components = {node.name for node in classes() if "pulumi.ComponentResource" in map(ast.unparse, node.bases)}
    assert components - PROGRAMS.keys() == set()
    assert MADE.keys() == PROGRAMS.keys()


@pytest.mark.parametrize("component", PROGRAMS)
def test_a_docstring_s_program_has_twelve_lines_or_a_few_more(component):
    lines = [line for line in PROGRAMS[component].splitlines() if line]
    assert len(lines) <= 15, PROGRAMS[component]


@pytest.mark.parametrize("component", slow_but(MAIN_FOUR, MADE))
def test_a_component_works_alone_with_mocks(component, folder, account, ministack, chosen):
    folder = folder(component)
    project = settings.load_project(folder)
    provider = Provider(account, ContentBuilder(), folder)
    provider.create(WAITED_FOR, "issued", {"certificateArn": chosen["certificate"]})
    config = settings.load(project, "dev", chosen)
    _, resources = mocks_driver.deploy(project, config, provider, ministack.program_variables, lambda _: None)
    assert made_by(resources) == MADE[component]


@needs_pulumi
@pytest.mark.parametrize("component", MAIN_FOUR)
def test_a_component_works_alone_under_the_engine(component, folder, stack, chosen):
    engine = stack(folder(component), **chosen)
    engine.up()
    assert made_by(engine.resources()) == MADE[component]
    assert set(engine.up()) == {"same"}
    engine.destroy()
    assert engine.resources() == ()
