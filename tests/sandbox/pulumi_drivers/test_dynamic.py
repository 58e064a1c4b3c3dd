"""Dynamic resources: providers that are a part of the program, under both drivers."""

import base64
import os
import pickle
import subprocess
from pathlib import Path
from textwrap import dedent

import pytest

from sandbox import settings
from sandbox.errors import SandboxError
from sandbox.ministack import MiniStack
from sandbox.provider.provider import Provider
from sandbox.pulumi_drivers import deployment, dynamic, engine_driver, mocks_driver
from sandbox.pulumi_drivers.servicer import Servicer
from tests.support.provided import ContentBuilder, write_program
from tests.support.pulumi_command import needs_pulumi
from tests.support.tasks import task

FILES = """
    from pathlib import Path

    import pulumi
    from pulumi.dynamic import CreateResult, DiffResult, Resource, ResourceProvider, UpdateResult


    class FileProvider(ResourceProvider):
        serialize_as_secret_always = False

        def diff(self, id_, olds, news):
            return DiffResult(changes=olds["text"] != news["text"])

        def create(self, props):
            Path(props["path"]).write_text(props["text"])
            return CreateResult(props["path"], {**props, "length": len(props["text"])})

        def update(self, id_, olds, news):
            Path(id_).write_text(news["text"])
            return UpdateResult({**news, "length": len(news["text"])})

        def delete(self, id_, props):
            Path(id_).unlink()


    class File(Resource, module="small", name="File"):
        length: pulumi.Output[int]

        def __init__(self, name, path, text):
            super().__init__(FileProvider(), name, {"path": path, "text": text, "length": None})
"""
MAIN = """
    import pulumi
    from files import File

    config = pulumi.Config()
    file = File("one", config.require("path"), config.require("text"))
    pulumi.export("length", file.length)
"""
CONFIG = """
    config:
      path: {type: string}
      text: {type: string}
"""


@pytest.fixture
def small(tmp_path):
    folder = write_program(tmp_path / "small", MAIN, CONFIG)
    (folder / "files.py").write_text(dedent(FILES))
    return folder


@needs_pulumi
def test_the_engine_makes_changes_and_removes_what_the_program_s_own_provider_does(ministack, account, small, tmp_path):
    def engine(**chosen):
        project = settings.load_project(small)
        provider = Provider(account, ContentBuilder(), small)
        config = settings.load(project, "dev", chosen)
        servicer = Servicer(provider, account.region)
        return engine_driver.Engine(project, config, provider, servicer, tmp_path / "state", ministack.variables)

    path = tmp_path / "made.txt"
    first = engine(path=str(path), text="hello")
    assert first.preview() == {"create": 2}
    assert not path.exists()
    assert first.up() == {"create": 2}
    assert (path.read_text(), first.resources()[0].outputs["length"]) == ("hello", 5)
    assert first.up() == {"same": 2}
    assert engine(path=str(path), text="other").up() == {"same": 1, "update": 1}
    assert path.read_text() == "other"
    assert engine(path=str(path), text="other").destroy() == {"delete": 2}
    assert not path.exists()


@needs_pulumi
def test_a_pulumi_command_in_another_terminal_removes_it_too(small, tmp_path):
    path = tmp_path / "made.txt"
    with MiniStack(tmp_path / "other") as ministack:
        made = task(small, ministack, path=str(path), text="hello")
        deployment.prepare(ministack)
        deployment.deploy(made)
        assert path.exists()
        with deployment.serving_others(made) as variables:
            environment = {**os.environ, **ministack.variables, **variables}
            command = ["pulumi", "--non-interactive", "destroy", "--yes", "--skip-preview", "--stack", "dev"]
            subprocess.run(command, cwd=small, env=environment, capture_output=True, check=True, timeout=120)
    assert not path.exists()


def test_mocks_make_it_too(ministack, account, small, tmp_path):
    project = settings.load_project(small)
    config = settings.load(project, "dev", {"path": str(tmp_path / "made.txt"), "text": "hello"})
    provider = Provider(account, ContentBuilder(), small)
    outputs, _ = mocks_driver.deploy(project, config, provider, ministack.variables, lambda _: None)
    assert ((tmp_path / "made.txt").read_text(), outputs) == ("hello", {"length": 5})


class Runs:
    def __reduce__(self):
        return Path.touch, (Path("planted"),)


def test_a_message_that_holds_anything_else_than_a_provider_of_the_program_runs_nothing(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for planted in (Runs(), ContentBuilder()):
        with pytest.raises(SandboxError, match="only if it is a class at the top of a module of the program"):
            dynamic.provider_of({"__provider": base64.b64encode(pickle.dumps(planted)).decode()})
    with pytest.raises(SandboxError, match="is no provider"):
        dynamic.provider_of({"__provider": base64.b64encode(pickle.dumps(["text"])).decode()})
    assert not (tmp_path / "planted").exists()
