"""What several houses must say, and none may import from another, they say alike."""

import re
import subprocess
import sys
from pathlib import Path

import yaml

from benchmarks import stage
from dualmode import application, http_result
from dualmode.gateway.api_gateway import http_api
from dualmode.gateway.lambda_.execution_environment import DEFAULT_TIMEOUT
from dualmode.gateway.lambda_.invocation import RESPONSE_LIMIT
from infra import api_route, app_folder, container_function, container_image
from sandbox.runner.build_context import read_context
from sandbox.runner.images import ImageStore

ROOT = Path(__file__).parents[1]
DOCKERFILE = ROOT / "infra" / "Dockerfile"
SAMPLE = "examples/views"


def defaults_of_the_dockerfile():
    lines = re.findall(r"^ARG (.*)$", DOCKERFILE.read_text(), re.MULTILINE)
    return dict(word.split("=", 1) for line in lines for word in line.split() if "=" in word)


def defaults_of_the_program():
    declared = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
    return {name: declaration["default"] for name, declaration in declared.items()}


def image_files(app_dir):
    """The files of the repository that the Dockerfile copies to /opt/dualmode and /var/task, by their place there."""
    context = read_context(ROOT, DOCKERFILE)
    copied = re.findall(r"^COPY (\S+) (/opt/dualmode/\S*|/var/task/\S*)$", DOCKERFILE.read_text(), re.MULTILINE)
    assert {target.split("/")[1] for _, target in copied} == {"opt", "var"}
    files = set()
    for source, target in copied:
        source = source.replace("${APP_DIR}", app_dir)
        prefix = source if source.endswith("/") else source.rpartition("/")[0] + "/"
        files |= {f"{target}{path.removeprefix(prefix)}" for path in context.paths if path.startswith(source)}
    return files


def files_below(folder, place):
    found = {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}
    return {f"{place}/{name}" for name in found if "__pycache__" not in name}


def test_a_process_of_the_sandbox_has_the_files_of_a_container(tmp_path):
    store = ImageStore(tmp_path, None)
    arguments = {"APP_DIR": SAMPLE, "FLASK_APP": "app:app", "CHECK_IMPORT": "0"}
    built = store.build(context=ROOT, dockerfile=DOCKERFILE, args=arguments, platform="linux/amd64")
    image = store.find(built.digest)
    assert files_below(image.runtime, "/opt/dualmode") | files_below(image.task, "/var/task") == image_files(SAMPLE)


def test_a_benchmark_s_stage_has_the_runtime_of_a_container(tmp_path):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True, timeout=60)
    found = stage.Stage(folder=tmp_path, web_adapter=None)
    stage._copy(found)
    runtime = {file for file in image_files("scripts") if file.startswith("/opt/")}
    assert runtime <= files_below(found.root, "/opt/dualmode")


def test_the_sample_application_is_the_default_everywhere():
    dockerfile, program = defaults_of_the_dockerfile(), defaults_of_the_program()
    assert {
        application.DEFAULT,
        app_folder.SAMPLE,
        container_image.ImageSettings().flask_app,
        dockerfile["FLASK_APP"],
        program["flaskApp"],
    } == {"scripts.server:app"}
    assert {app_folder.SAMPLE_DIR, dockerfile["APP_DIR"], program["appDir"]} == {"scripts"}


def test_an_image_without_arguments_is_laid_out_by_the_dockerfile_s_own(tmp_path):
    store = ImageStore(tmp_path, None)
    found = []
    for arguments in ({}, defaults_of_the_dockerfile()):
        chosen = {**arguments, "CHECK_IMPORT": "0"}
        built = store.build(context=ROOT, dockerfile=DOCKERFILE, args=chosen, platform="linux/amd64")
        image = store.find(built.digest)
        found.append((image.flask_app, files_below(image.task, "/var/task")))
    assert found[0] == found[1]


def test_a_function_ends_before_its_api_gives_up():
    assert {container_function.LONGEST_REQUEST, DEFAULT_TIMEOUT, defaults_of_the_program()["timeout"]} == {29}
    assert api_route.INTEGRATION_TIMEOUT == http_api.INTEGRATION_SECONDS * 1000 == 30_000


def test_a_response_s_limit_is_the_same_before_and_behind_the_runtime_api():
    assert http_result.MOST_BYTES == RESPONSE_LIMIT == 6 * 1024 * 1024 + 100


def test_the_readme_states_the_limits():
    limits = (ROOT / "README.md").read_text().split("\n## What Lambda does differently\n")[1]
    assert f"has {http_api.INTEGRATION_SECONDS - 1:.0f} s (the setting `timeout`)" in limits
    assert f"request line and headers have {http_api.HEADER_LIMIT:,} bytes" in limits
