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
