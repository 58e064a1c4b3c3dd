"""What the READMEs of the examples say."""

import re

import pytest

from sandbox import settings
from tests.conftest import HTTPBIN
from tests.support.examples import EXAMPLES, build_arguments, project_with

NAMES = sorted(folder.name for folder in EXAMPLES.iterdir() if folder.is_dir())


def test_the_page_of_examples_lists_each():
    listed = re.findall(r"^\| \[(\w+)\]\((\w+)/README\.md\) \|", (EXAMPLES / "README.md").read_text(), re.MULTILINE)
    assert sorted(listed) == [(name, name) for name in NAMES]


@pytest.mark.parametrize("name", NAMES)
def test_an_example_s_readme_has_the_settings_that_deploy_it_and_is_short(name, tmp_path):
    config = settings.load(project_with(name, tmp_path), "dev")
    assert config.values["dualmode:appDir"] == f"examples/{name}"
    module = config.values["dualmode:flaskApp"].partition(":")[0]
    assert (EXAMPLES / name / f"{module}.py").exists() or name == "httpbin"
    assert len((EXAMPLES / name / "README.md").read_text().splitlines()) <= 32


def test_what_other_tests_deploy_of_httpbin_is_what_its_readme_says():
    assert build_arguments("httpbin") == HTTPBIN
