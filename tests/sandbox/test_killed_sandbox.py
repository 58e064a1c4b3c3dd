"""What a sandbox has started ends with it, also when it is killed and can't do anything about it."""

import os
import re
import subprocess
import sys

from tests.support.processes import commands_of, descendants, lives
from tests.support.program import ROOT
from tests.support.pulumi_command import needs_pulumi
from tests.support.sandboxes import ask, command, environment, serving, with_venvs
from tests.support.waiting import until

# Runs a command that takes long, whose child doesn't notice that nobody reads its output.
BUILDING = """
import os, sys
from sandbox import long_command
build = "sleep 600 & echo $!; wait"
long_command.run(["sh", "-c", build], variables=os.environ, told=lambda line: print(line, flush=True))
"""

# Runs a command in the place of pulumi's that goes on when it is interrupted, and when nobody reads what it says.
DEPLOYING = """
import os
from sandbox.pulumi_drivers.pulumi_command import InterruptibleCommand
InterruptibleCommand(os.environ).run(["up"], ".", {}, on_output=lambda line: print(line, flush=True))
"""
STUBBORN = """#!/bin/sh
[ "$1" = version ] && echo v3.259.0 && exit
trap "" INT PIPE
echo $$
exec sleep 600
"""


def kill(process):
    """Kills a process, and waits until nothing lives of it nor of what it had started."""
    started = descendants(process.pid)
    assert len(started) > 1
    process.kill()
    until(lambda: not any(map(lives, started)), logs=lambda: str([pid for pid in started if lives(pid)]))


def test_a_sandbox_that_is_killed_while_it_serves_leaves_no_process_and_no_file_of_one(tmp_path):
    with serving(with_venvs(tmp_path)) as (process, address, _):
        assert ask(address, "/hello") == (200, {"message": "Hello from Flask!"})
        kill(process)
    assert [file.name for file in tmp_path.glob("ministack.[ps]*")] == ["ministack.port"]


def test_a_sandbox_that_is_killed_leaves_no_container(tmp_path, engine):
    base = ["--set", f"baseImage={os.environ['DUALMODE_BASE_IMAGE']}"] if "DUALMODE_BASE_IMAGE" in os.environ else []

    def exists():
        asked = [engine, "ps", "--all", "--quiet", "--filter", f"name={name}"]
        return subprocess.run(asked, capture_output=True, text=True, timeout=60, check=True).stdout != ""

    with serving(with_venvs(tmp_path), *base, DUALMODE_ENGINE=engine) as (process, address, _):
        assert ask(address, "/hello") == (200, {"message": "Hello from Flask!"})
        clients = commands_of(descendants(process.pid))
        (name,) = {found[1] for line in clients if (found := re.search(r"--name (dualmode-\S+)", line))}
        assert exists()
        kill(process)
        until(lambda: not exists())


@needs_pulumi
def test_a_sandbox_that_is_killed_while_it_deploys_leaves_no_process(tmp_path):
    asked = command(with_venvs(tmp_path), "--request", "GET /hello")
    with subprocess.Popen(
        asked,
        cwd=ROOT,
        env=environment(PATH=os.environ["PATH"]),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        until(lambda: any("pulumi --non-interactive up " in line for line in commands_of(descendants(process.pid))))
        kill(process)


def test_a_command_that_takes_long_ends_with_all_its_processes_when_the_sandbox_is_killed():
    with subprocess.Popen([sys.executable, "-c", BUILDING], cwd=ROOT, stdout=subprocess.PIPE, text=True) as owner:
        pid = int(owner.stdout.readline())
        assert lives(pid)
        kill(owner)
    assert not lives(pid)


def test_the_pulumi_command_does_not_go_on_without_its_sandbox_so_that_it_can_not_note_that_nothing_was_made(tmp_path):
    (tmp_path / "pulumi").write_text(STUBBORN)
    (tmp_path / "pulumi").chmod(0o755)
    asked, variables = [sys.executable, "-c", DEPLOYING], {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    with subprocess.Popen(asked, cwd=ROOT, env=variables, stdout=subprocess.PIPE, text=True) as owner:
        pid = int(owner.stdout.readline())
        assert lives(pid)
        kill(owner)
    assert not lives(pid)
