"""A new project from this repository, as `pulumi new` makes it."""

import os
import shutil
import subprocess

import pytest
import yaml

from infra.app_folder import SAMPLE, SAMPLE_DIR
from sandbox import settings
from tests.support.provided import ROOT
from tests.support.pulumi_command import needs_pulumi, needs_yaml_host

PARTS = ("Pulumi.yaml", "__main__.py", "infra")


def settings_file(folder):
    return yaml.safe_load((folder / "Pulumi.yaml").read_text())


@pytest.fixture
def new(tmp_path):
    """Makes a project from a copy of this repository, and gives its folder.

    The copy's language is YAML, whose host has nothing to install; what is asked for doesn't depend on the language.
    """

    def new(*arguments):
        template, project = tmp_path / "template", tmp_path / "shop"
        for folder in (template, project, tmp_path / "backend"):
            folder.mkdir()
        for part in PARTS:
            copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
            copy(ROOT / part, template / part)
        content = {**settings_file(template), "runtime": "yaml"}
        (template / "Pulumi.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
        variables = {
            "PULUMI_HOME": str(tmp_path / "home"),
            "PULUMI_BACKEND_URL": (tmp_path / "backend").as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": "new",
            "PULUMI_SKIP_UPDATE_CHECK": "1",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        }
        made = subprocess.run(
            ["pulumi", "new", template, "--offline", "--yes", "--non-interactive", "--name", "shop", *arguments],
            cwd=project,
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert made.returncode == 0, made.stdout + made.stderr
        return project

    return new


@needs_pulumi
@needs_yaml_host
def test_a_new_project_has_the_program_and_all_its_settings_under_a_name_of_its_own(new):
    project = new("--generate-only")
    source = settings_file(ROOT)
    made = settings_file(project)
    del made["config"]["pulumi:tags"]  # where the project is from, which the command notes
    kept = {key: source[key] for key in ("description", "requiredPulumiVersion", "config")}
    assert made == {**kept, "name": "shop", "runtime": "yaml"}
    assert (project / "__main__.py").read_text() == (ROOT / "__main__.py").read_text()
    assert (project / "infra" / "http_api.py").exists()


@needs_pulumi
@needs_yaml_host
def test_a_new_project_s_stack_has_what_was_asked_for(new):
    project = new("--stack", "prod", "--config", "shop:domainName=shop.example.com")
    stack = yaml.safe_load((project / "Pulumi.prod.yaml").read_text())
    assert stack["config"] == {
        "aws:region": "us-east-1",
        "shop:appDir": SAMPLE_DIR,
        "shop:flaskApp": SAMPLE,
        "shop:domainName": "shop.example.com",
    }


@needs_pulumi
@needs_yaml_host
def test_the_sandbox_takes_a_new_project_as_it_is(new):
    project = new("--stack", "dev", "--config", "shop:domainName=shop.example.com")
    values = settings.load(settings.load_project(project), "dev", {"memorySize": 256}).values
    chosen = {key: values[key] for key in ("aws:region", "shop:domainName", "shop:memorySize", "shop:timeout")}
    assert chosen == {
        "aws:region": "us-east-1",
        "shop:domainName": "shop.example.com",
        "shop:memorySize": "256",
        "shop:timeout": "29",
    }


@needs_pulumi
@needs_yaml_host
def test_a_new_project_without_a_domain_has_the_setting_s_default(new):
    project = new("--stack", "prod")
    stack = yaml.safe_load((project / "Pulumi.prod.yaml").read_text())
    assert stack["config"].get("shop:domainName", "") == settings_file(ROOT)["config"]["domainName"]["default"]


def test_what_a_new_project_is_asked_for_are_settings_with_their_defaults():
    source = settings_file(ROOT)
    asked = {key: value.get("default", "") for key, value in source["template"]["config"].items()}
    defaults = {key: source["config"][key]["default"] for key in ("appDir", "flaskApp", "domainName")}
    assert asked == {"aws:region": "us-east-1", **defaults}
