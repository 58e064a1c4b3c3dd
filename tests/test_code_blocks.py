"""What the pages tell a reader to copy works: programs run, settings, targets and options are there."""

import argparse
import importlib
import json
import re
import shlex
import sys
from types import ModuleType

import flask
import pytest
import yaml

from operations.__main__ import VERBS
from sandbox import settings
from tests.support.events import CONTEXT, make_event
from tests.support.page_blocks import PAGES, ROOT, blocks

DECLARED = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
OF_DEPLOYER = yaml.safe_load((ROOT / "deployer" / "Pulumi.yaml").read_text())["config"]
TARGETS = set(re.findall(r"^([a-z][a-z-]*):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
OF_SANDBOX = set(re.findall(r'"(--[a-z-]+)"', (ROOT / "sandbox" / "command_line.py").read_text())) | {"--help"}
PYTHON = blocks("python")


def copied():
    """What a reader may copy into a terminal: blocks, and code within a line. Each with the page that has it."""
    for block in blocks("console", "sh"):
        yield from ((block.page.name, line) for line in block.text.splitlines())
    for page in PAGES:
        text = re.sub(r"^ *```.*?^ *```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
        yield from ((page.name, " ".join(code.split())) for code in re.findall(r"`([^`]+)`", text))


COPIED = sorted(set(copied()))


def found(pattern):
    """The places where a pattern's group was found, by page."""
    return [(page, match[1]) for page, line in COPIED for match in re.finditer(pattern, line)]


@pytest.mark.parametrize("block", PYTHON, ids=str)
def test_a_program_of_a_page_is_python(block):
    compile(block.text, str(block), "exec")


def test_every_program_of_a_page_is_run_by_a_test():
    run = {
        "docs/access.md",  # in tests/sandbox/edge/test_lambda_authorizer.py
        "docs/components.md",  # in tests/infra/test_docstring_programs.py
        "docs/jobs.md",
        "docs/runtime.md",
    }
    assert {str(block.page.relative_to(ROOT)) for block in PYTHON} == run


def program_of(page):
    (text,) = [block.text for block in PYTHON if block.page.name == page]
    return text


def test_the_jobs_of_the_page_take_what_its_settings_send():
    app, done = flask.Flask("jobs"), []
    names = {"app": app, "request": flask.request}
    names |= {"rebuild": lambda full: done.append(full), "send": lambda body: body == "good", "ship": done.append}
    exec(compile(program_of("jobs.md"), "jobs.md", "exec"), names)
    (given,) = [block.text for block in blocks("yaml") if block.page.name == "jobs.md"]
    config = yaml.safe_load(given)["config"]
    client = app.test_client()
    (nightly,), (mail,), (paid,) = (config[f"shop:{kind}"] for kind in ("schedules", "queues", "events"))
    assert client.post(nightly["path"], json=nightly["body"]).status_code == 204
    records = [{"messageId": str(number), "body": body} for number, body in enumerate(("good", "bad"))]
    assert client.post(mail["path"], json={"Records": records}).json == {"batchItemFailures": [{"itemIdentifier": "1"}]}
    assert client.post(paid["path"], json={"detail": {"order": 7}}).status_code == 204
    assert done == [True, {"order": 7}]


def test_the_zip_function_of_the_page_answers(monkeypatch):
    shop = ModuleType("shop")
    shop.app = flask.Flask("shop")
    shop.app.get("/")(lambda: "Hello")
    monkeypatch.setitem(sys.modules, "shop", shop)
    names = {}
    exec(compile(program_of("runtime.md"), "runtime.md", "exec"), names)
    assert names["handler"](make_event(), CONTEXT)["body"] == "Hello"


@pytest.mark.parametrize("block", blocks("yaml"), ids=str)
def test_the_settings_of_a_page_are_settings_with_values_of_their_types(block):
    read = yaml.safe_load(block.text)
    given = read.get("config", read) if isinstance(read, dict) else {}
    own = {key.partition(":")[2]: value for key, value in given.items() if ":" in key and not key.startswith("aws:")}
    assert own or block.page.name == "components.md"  # whose program tests/infra/test_package.py deploys
    assert set(own) <= set(DECLARED)
    project = settings.load_project(ROOT)
    settings.load(project, "dev", {project.full_key(key): value for key, value in own.items()})


def test_a_setting_that_a_command_sets_is_one():
    names = found(r"pulumi config (?:set|rm)(?: --\w+)* '?([A-Za-z:]+)") + found(r"--set '?([A-Za-z]+)[.\[=]")
    assert len(names) > 30
    others = {"KEY", "key", "aws:region", "aws:defaultTags"}
    declared = {page: {*DECLARED, *(OF_DEPLOYER if page == "github-actions.md" else ())} for page, _ in names}
    assert [(page, name) for page, name in names if name not in declared[page] | others] == []


def test_a_make_target_that_a_page_names_is_one():
    named = found(r"(?:^|\$ |&& |\band )make ([a-z][a-z-]*)")
    assert len(named) > 40
    assert [(page, target) for page, target in named if target not in TARGETS] == []


def test_an_option_of_the_sandbox_that_a_page_names_is_one():
    lines = [(page, line) for page, line in COPIED if "sandbox.sh" in line]
    named = [(page, option) for page, line in lines for option in re.findall(r"(?<![\w-])(--[a-z-]+)", line)]
    assert len(named) > 5
    assert [(page, option) for page, option in named if option not in OF_SANDBOX] == []


def options_of(verb):
    parser = argparse.ArgumentParser()
    importlib.import_module(f"operations.{verb}").add_arguments(parser)
    return {option for action in parser._actions for option in action.option_strings} | {"--json"}


def test_an_option_that_a_page_gives_to_a_target_is_one_of_its_command():
    named = []
    for page, line in COPIED:
        match = re.search(r"make ([a-z]+)\b.*?ARGS=(?:\"([^\"]*)\"|(--\S+))", line)
        if match and match[1] in VERBS:
            words = shlex.split(match[2] or match[3])
            named += [(page, match[1], word) for word in words if word.startswith("--")]
    assert len(named) > 2
    assert [(page, verb, option) for page, verb, option in named if option not in options_of(verb)] == []


FOLDERS = "|".join(sorted(path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")))


def test_a_file_of_the_repository_that_a_page_names_is_there():
    named = [each for each in found(rf"^((?:{FOLDERS})/[\w./-]*\w)$") if each[0] != "http-api.md"]  # has others' files
    assert len(named) > 8
    assert [(page, name) for page, name in named if not (ROOT / name).exists()] == []


def test_a_json_file_of_the_documentation_is_json():
    for path in (ROOT / "docs").glob("*.json"):
        json.loads(path.read_text())
