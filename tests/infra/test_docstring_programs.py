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
from tests.support.page_programs import page_s_program
from tests.support.provided import ROOT, ContentBuilder, make_zone, push_image, write_program
from tests.support.pulumi_command import needs_pulumi

BEGIN = "In another Pulumi program"
CONFIG = """
    config:
      image: {type: string, default: ""}
      api: {type: string, default: ""}
      endpoint: {type: string, default: ""}
"""
FUNCTION = {"LogGroup": 1, "Role": 1, "RolePolicy": 1, "Function": 1, "Alias": 1, "ContainerFunction": 1}
GRANTED = {**FUNCTION, "RolePolicy": 2}
MADE = {
    "ContainerFunction": {**GRANTED, "Topic": 1},
    "ContainerImage": {
        **dict.fromkeys(("ContainerImage", "Repository", "LifecyclePolicy", "RepositoryPolicy"), 1),
        "Image": 2,  # awsx's component, and the builder's
    },
    "CustomDomain": {
        **dict.fromkeys(("CustomDomain", "Certificate", "CertificateValidation", "DomainName", "ApiMapping"), 1),
        "Record": 3,  # the certificate's proof, and the name's addresses for IPv4 and IPv6
    },
    "HttpApi": {
        **FUNCTION,
        "LogGroup": 2,
        **dict.fromkeys(("HttpApi", "Api", "Integration", "Route", "Stage", "Permission"), 1),
    },
    "OldVersions": {**FUNCTION, "OldVersions": 1},
    "Secrets": {**GRANTED, "Secrets": 1},
    "SessionKey": {**GRANTED, "SessionKey": 1, "Parameter": 1},
    "Table": {**GRANTED, "Table": 2},  # the component and DynamoDB's
}
MADE["docs/components.md"] = MADE["HttpApi"]
MAIN_FOUR = ("ContainerFunction", "ContainerImage", "CustomDomain", "HttpApi")


def docstring_programs():
    """The programs by the names of their components."""
    found = {}
    for path in sorted((ROOT / "infra").glob("*.py")):
        for node in ast.parse(path.read_text()).body:
            text = ast.get_docstring(node) if isinstance(node, ast.ClassDef) else None
            if text and BEGIN in text:
                lines = text.partition(BEGIN)[2].splitlines()[1:]
                block = itertools.takewhile(lambda line: not line or line.startswith("    "), lines)
                found[node.name] = textwrap.dedent("\n".join(block))
    return found


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
        return made

    return folder


@pytest.fixture
def chosen(account):
    """What the programs take from elsewhere: an image, and for the domain an API with its stage."""
    make_zone(account)
    gateway = account.client("apigatewayv2")
    api = gateway.create_api(Name="there", ProtocolType="HTTP")
    gateway.create_stage(ApiId=api["ApiId"], StageName="$default", AutoDeploy=True)
    return {"image": push_image(account, "shop-images"), "api": api["ApiId"], "endpoint": api["ApiEndpoint"]}


def made_by(resources):
    types = (resource.type for resource in resources if not resource.type.startswith("pulumi:"))
    return Counter(kind.rpartition(":")[2] for kind in types)


def test_every_component_s_program_is_tried_here():
    assert set(MADE) <= PROGRAMS.keys()


@pytest.mark.parametrize("component", PROGRAMS)
def test_a_docstring_s_program_has_twelve_lines_or_a_few_more(component):
    lines = [line for line in PROGRAMS[component].splitlines() if line]
    assert len(lines) <= 15, PROGRAMS[component]


@pytest.mark.parametrize("component", MADE)
def test_a_component_works_alone_with_mocks(component, folder, account, ministack, chosen):
    folder = folder(component)
    project = settings.load_project(folder)
    provider = Provider(account, ContentBuilder(), folder)
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
