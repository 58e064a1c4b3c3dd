"""The repository as a package of components, for programs in other languages."""

import json
import os
import subprocess
import sys
from dataclasses import fields

import pytest
import yaml

from infra.capacity import CapacitySettings
from infra.container_function import FunctionSettings
from infra.custom_domain import DomainSettings
from infra.http_api import ApiSettings
from infra.package.plugin import is_started_as_one
from infra.policies import PolicySettings
from infra.releases import ReleaseSettings
from infra.rules import key_of
from sandbox.pulumi_drivers import deployment
from tests.support.page_programs import page_s_program
from tests.support.provided import ROOT, make_zone, push_image, write_program
from tests.support.pulumi_command import needs_pulumi, needs_yaml_host
from tests.support.tasks import task

TEXT = {"type": "string"}
SETTINGS = {
    "ContainerFunction": (FunctionSettings, ReleaseSettings, PolicySettings, CapacitySettings),
    "CustomDomain": (DomainSettings,),
    "ApiRoute": (ApiSettings,),
    "HttpApi": (ApiSettings,),
}
ELSEWHERE = {
    "ContainerFunction": {"keepVersions"},
    "ApiRoute": {"keepDefaultEndpoint"},
    "HttpApi": {"throttleRate", "throttleBurst"},
}
YAML = page_s_program("yaml")
JOINING = {
    "ApiRoute": {"api", "target", "logRetention"},
    "ContainerFunction": {"functionName", "imageUri", "architecture", "apiId", "basePath"},
    "CustomDomain": {"apiId", "stageName", "apiEndpoint"},
    "HttpApi": {"apiName", "hasDomain"},
}


@pytest.fixture
def path(tmp_path):
    """A PATH with the plugin as an executable, as a package that was installed has one."""
    executable = tmp_path / "bin" / "pulumi-resource-dualmode"
    executable.parent.mkdir()
    executable.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{ROOT}" "$@"\n')
    executable.chmod(0o755)
    return f"{executable.parent}{os.pathsep}{os.environ['PATH']}"


@pytest.fixture
def schema(path, tmp_path):
    """The package's schema, as the real command asks for it."""
    variables = {"PATH": path, "PULUMI_HOME": str(tmp_path / "home"), "PULUMI_SKIP_UPDATE_CHECK": "1"}
    made = subprocess.run(
        ["pulumi", "package", "get-schema", "./bin/pulumi-resource-dualmode"],
        cwd=tmp_path,
        env={**os.environ, **variables, "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert made.returncode == 0, made.stderr
    return json.loads(made.stdout)


@pytest.fixture
def pulumi(path, account, ministack, tmp_path):
    """Runs the command on the page's YAML program, changed or not, and gives what it printed."""
    make_zone(account, "example.com")
    image = push_image(account, "shop")
    program = tmp_path / "shop"
    program.mkdir()

    with deployment.serving_others(task(write_program(tmp_path / "other", ""), ministack)) as lines:
        variables = {**ministack.program_variables, **lines, "PATH": path, "PULUMI_IGNORE_AMBIENT_PLUGINS": "false"}
        variables["PULUMI_BACKEND_URL"] = tmp_path.as_uri()

        def pulumi(*arguments, source=YAML, succeeds=True):
            (program / "Pulumi.yaml").write_text(source)
            ran = subprocess.run(
                ["pulumi", "--non-interactive", "--color", "never", *arguments],
                cwd=program,
                env={**os.environ, **variables},
                capture_output=True,
                text=True,
                timeout=300,
            )
            assert (ran.returncode == 0) == succeeds, ran.stdout + ran.stderr
            return ran.stdout

        pulumi("stack", "init", "dev")
        pulumi("config", "set", "image", image)
        pulumi("config", "set", "aws:region", ministack.region)
        yield pulumi


@needs_pulumi
def test_the_schema_has_each_component_with_its_settings_as_pulumi_yaml_describes_them(schema):
    described = {
        key: declaration["description"]
        for key, declaration in yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"].items()
    }
    for component, sections in SETTINGS.items():
        inputs = schema["resources"][f"dualmode:index:{component}"]["inputProperties"]
        settings = {key_of(field.name) for section in sections for field in fields(section)}
        settings -= ELSEWHERE.get(component, set())
        assert inputs.keys() == settings | JOINING[component]
        assert {key: inputs[key]["description"] for key in settings} == {key: described[key] for key in settings}
    assert schema["resources"].keys() == {f"dualmode:index:{component}" for component in SETTINGS}


@needs_pulumi
def test_the_schema_says_which_values_may_be_outputs_of_other_resources(schema):
    function = schema["resources"]["dualmode:index:ContainerFunction"]
    domain = schema["resources"]["dualmode:index:CustomDomain"]
    shapes = {
        key: {name: value for name, value in inputs[key].items() if name != "description"}
        for inputs, keys in (
            (function["inputProperties"], ("memorySize", "environment", "vpcSubnets", "liveVersion", "imageUri")),
            (domain["inputProperties"], ("domainName", "apiId")),
        )
        for key in keys
    }
    assert shapes == {
        "memorySize": {"type": "integer"},
        "environment": {"type": "object", "additionalProperties": TEXT},
        "vpcSubnets": {"type": "array", "items": TEXT},
        "liveVersion": {"type": "integer", "plain": True},
        "imageUri": TEXT,
        "domainName": {"type": "string", "plain": True},
        "apiId": TEXT,
    }
    assert function["requiredInputs"] == ["functionName", "imageUri"]
    assert domain["requiredInputs"] == ["apiEndpoint", "apiId", "stageName"]


@needs_pulumi
@needs_yaml_host
def test_the_page_s_yaml_program_makes_an_api_with_a_domain_and_is_there_no_more_after_destroy(pulumi, account):
    pulumi("up", "--yes", "--skip-preview")
    function = account.client("lambda").get_function_configuration(FunctionName="shop")
    (api,) = account.client("apigatewayv2").get_apis()["Items"]
    variables = {"GREETING": "Hello", "DUALMODE_API_ID": api["ApiId"]}
    assert (function["MemorySize"], function["Environment"]["Variables"]) == (1024, variables)
    (stage,) = account.client("apigatewayv2").get_stages(ApiId=api["ApiId"])["Items"]
    assert stage["DefaultRouteSettings"]["ThrottlingRateLimit"] == 20
    (mapping,) = account.client("apigatewayv2").get_api_mappings(DomainName="shop.example.com")["Items"]
    assert (mapping["ApiId"], mapping["Stage"]) == (api["ApiId"], "$default")
    assert json.loads(pulumi("stack", "output", "--json")) == {"url": "https://shop.example.com"}
    assert "23 unchanged" in pulumi("up", "--yes", "--skip-preview")
    pulumi("destroy", "--yes", "--skip-preview")
    assert account.client("lambda").list_functions()["Functions"] == []


@needs_pulumi
@needs_yaml_host
def test_values_that_are_secret_or_not_known_yet_reach_a_component_and_stay_secret(pulumi, account):
    source = YAML.replace("GREETING: Hello", "{TOKEN: {fn::secret: hunter2}, ROLE: '${other.roleName}'}")
    other = (
        "  other:\n    type: dualmode:ContainerFunction\n    properties: {functionName: other, imageUri: '${image}'}\n"
    )
    pulumi("up", "--yes", "--skip-preview", source=source.replace("resources:\n", f"resources:\n{other}"))
    lambda_ = account.client("lambda")
    role = lambda_.get_function_configuration(FunctionName="other")["Role"].rpartition("/")[2]
    function = lambda_.get_function_configuration(FunctionName="shop")
    variables = function["Environment"]["Variables"]
    assert (variables["TOKEN"], variables["ROLE"]) == ("hunter2", role)
    assert "hunter2" not in pulumi("stack", "export")
    pulumi("destroy", "--yes", "--skip-preview")


@needs_pulumi
@needs_yaml_host
def test_a_function_pins_a_version_and_keeps_environments_warm_in_another_language_too(pulumi, account):
    source = YAML.partition("  route:\n")[0]
    pulumi("up", "--yes", "--skip-preview", source=source)
    further = "memorySize: 512\n      liveVersion: 1\n      provisionedConcurrency: 2"
    pulumi("up", "--yes", "--skip-preview", source=source.replace("memorySize: 1024", further))
    lambda_ = account.client("lambda")
    assert lambda_.get_alias(FunctionName="shop", Name="live")["FunctionVersion"] == "1"
    warm = lambda_.get_provisioned_concurrency_config(FunctionName="shop", Qualifier="live")
    assert warm["RequestedProvisionedConcurrentExecutions"] == 2
    pulumi("destroy", "--yes", "--skip-preview")


@needs_pulumi
@needs_yaml_host
def test_a_refused_setting_is_one_sentence_in_another_language_too(pulumi):
    refused = pulumi("preview", source=YAML.replace("memorySize: 1024", "memorySize: 99999"), succeeds=False)
    assert (
        "error: dualmode:index:ContainerFunction resource 'function' has a problem: "
        "memorySize is 99999, but Lambda takes 128 to 10240 MB: set 10240 or less.\n"
    ) in refused
    assert "Traceback" not in refused


@pytest.mark.parametrize(
    ("arguments", "plugin"),
    [
        ([str(ROOT), "127.0.0.1:4000"], True),
        ([f"{ROOT}/.", "127.0.0.1:4000", "--logtostderr"], True),
        ([str(ROOT)], False),  # how the language host runs a program
        (["."], False),
        (["/usr/bin/pytest", "127.0.0.1:4000"], False),
    ],
)
def test_the_program_is_a_plugin_only_when_the_engine_starts_it_as_one(arguments, plugin):
    assert is_started_as_one(arguments) == plugin


def test_the_repository_says_in_which_language_its_package_is_written():
    assert yaml.safe_load((ROOT / "PulumiPlugin.yaml").read_text()) == {"runtime": "python"}
