"""The README is followed in a fresh copy of the repository, command by command: it prints what the README shows.

What differs from run to run is masked on both sides by the rules in `MASKS`. A line with an ellipsis stands for any
lines. What is installed already isn't installed again, and lines on standard error, which tell the progress, are not
shown.
"""

import re
import shlex
import shutil
import signal
import subprocess
import sys
import urllib.request
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from sandbox import ends_with_parent
from tests.support.page_blocks import ROOT, blocks, commands
from tests.support.sandboxes import environment, with_venvs

MASKS = [
    (r"\bZ[A-Z0-9]{12,}\b", "ZONE"),
    (r"\bd-[0-9a-f]{10}\b", "TARGET"),
    (r"\bsha256:[0-9a-f]{12}\b", "DIGEST"),
    (r"\b(permission|role)-[0-9a-f]{7}\b", r"\1-RANDOM"),
    (r"\b(?:[0-9a-f]{8}|[0-9a-f]{6})\b", "ID"),
    (r"\b\d+(?:\.\d+)? ms\b", "TIME"),
    (r"^date: .+", "date: DATE"),
    (r"^apigw-requestid: .+", "apigw-requestid: REQUEST"),
    (r"\bPython 3\.\d+\.\d+\w*", "PYTHON"),
    (r"\b127\.0\.0\.1:\d+\b", "ADDRESS"),
    (r" {2,}", "  "),
]
README = {
    command: printed
    for block in blocks("console", pages=[ROOT / "README.md"])
    for command, printed in commands(block.text)
}
SERVE, ASK = "./sandbox.sh", "./sandbox.sh --request 'GET /hello'"
OWN = "./sandbox.sh --set appDir=shop --set flaskApp=shop:app"
BUILD = "docker build -f infra/Dockerfile -t shop --build-arg APP_DIR=shop --build-arg FLASK_APP=shop:app ."
RUN = "docker run --rm -p 127.0.0.1:3000:3000 -e RUN_MODE=local shop"
INSPECT = "docker buildx imagetools inspect --format '{{.Manifest.Digest}}' $base:3.15-slim"
PIN = f"pulumi config set baseImage $base@$({INSPECT})"
RUN_HERE = {SERVE, ASK, OWN}
LIVE = "needs a live AWS account: docs/live-check.md has what it must print there"
NOT_RUN_HERE = {
    BUILD: "a build takes a minute: tests/image/test_container_builds.py makes such ones, with the same Dockerfile",
    RUN: "needs that image: tests/image/test_image_modes.py asks the sample's in each mode",
    "pulumi stack init dev": LIVE,
    "pulumi config set domainName api.example.com": LIVE,
    "pulumi up": LIVE,
    "base=public.ecr.aws/docker/library/python": "it names what the next command pins",
    PIN: "asks an image registry: tests/image/test_base_image.py builds on an image by its digest",
    "make test": "it is what runs this",
    "make check": "it runs this, too",
    "make audit": "tests/audit has its parts, and `make check` runs those that ask no service",
    "make lint": "continuous integration runs it, and it prints nothing",
    "make mutants": "it takes a quarter of an hour: tests/mutants runs it on a small repository",
    "make bench-runtime": "tests/benchmarks runs it with fewer rounds; its figures are this machine's",
}


def plain(command):
    """A command without the README's remark behind it."""
    return command.partition("  #")[0].rstrip()


def masked(lines):
    kept = [line.rstrip() for line in lines if not line.startswith("Installing ")]
    for pattern, instead in MASKS:
        kept = [re.sub(pattern, instead, line) for line in kept]
    return kept


def as_pattern(lines):
    return "".join(r"(?:.*\n)*?" if line.strip() == "…" else f"{re.escape(line)}\n" for line in masked(lines))


def assert_shown(command, printed):
    """Compares what a command printed with what the README shows."""
    shown = README[command]
    while shown and not shown[-1]:
        shown = shown[:-1]
    text = "".join(f"{line}\n" for line in masked(printed))
    assert re.fullmatch(as_pattern(shown), text), f"the README shows\n{as_pattern(shown)}\nand this was printed\n{text}"


def test_each_command_of_the_readme_is_run_here_or_it_is_said_why_not():
    assert {plain(command) for command in README} == RUN_HERE | set(NOT_RUN_HERE)
    assert RUN_HERE.isdisjoint(NOT_RUN_HERE)


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """A copy of what git tracks, with an application in `shop/`, where the packages are installed already."""
    folder = tmp_path_factory.mktemp("readme") / "dualmode"
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, timeout=60).stdout
    for name in filter(None, listed.decode().split("\0")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / name)
    (folder / ".venv").mkdir()
    for part in Path(sys.prefix).iterdir():
        (folder / ".venv" / part.name).symlink_to(part)
    installed = folder / ".venv" / "sandbox.installed"
    installed.unlink(missing_ok=True)
    installed.touch()
    with_venvs(folder / ".sandbox")
    (folder / "shop").mkdir()
    (folder / "shop" / "shop.py").write_text(
        "import flask\n\napp = flask.Flask(__name__)\napp.get('/')(lambda: 'The shop is open.\\n')\n"
    )
    return folder


@contextmanager
def served(clone, command):
    """A sandbox that serves, started as the README says; what it printed until then, and its address."""
    words = ends_with_parent.alone(shlex.split(command))
    with subprocess.Popen(
        words,
        cwd=clone,
        env=environment(PORT="0"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            printed = []
            for line in process.stdout:
                printed.append(line.rstrip("\n"))
                if line.startswith("Serving "):
                    break
            else:
                pytest.fail(process.stderr.read())
            yield printed, re.search(r"http://127\.0\.0\.1:\d+", printed[-1])[0]
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=60)
    assert process.returncode == 0


def get(address):
    with urllib.request.urlopen(address, timeout=60) as answer:
        return answer.read().decode()


def test_the_sandbox_prints_what_it_has_made_and_serves_it(clone):
    with served(clone, SERVE) as (printed, address):
        assert_shown(SERVE, printed)
        assert get(f"{address}/") == '{"ok":true}\n'


@pytest.mark.slow
def test_one_request_is_printed_with_its_way_through_the_account(clone):
    done = subprocess.run(
        shlex.split(ASK), cwd=clone, env=environment(), capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert_shown(ASK, done.stdout.splitlines())


@pytest.mark.slow
def test_an_application_of_one_s_own_is_served(clone):
    with served(clone, OWN) as (_, address):
        assert get(f"{address}/") == "The shop is open.\n"


def test_make_alone_lists_every_target_that_the_readme_names(clone):
    done = subprocess.run(["make"], cwd=clone, capture_output=True, text=True, timeout=60, check=True)
    listed = set(re.findall(r"^  make ([a-z-]+) ", done.stdout, re.MULTILINE))
    assert set(re.findall(r"`make ([a-z-]+)", (ROOT / "README.md").read_text())) <= listed


def test_the_check_of_an_application_finds_nothing_in_one_that_works_on_lambda(clone):
    words = ["make", "check-app", "APP=shop", "FLASK_APP=shop:app", "ARGS=--code-only"]
    done = subprocess.run(words, cwd=clone, env=environment(), capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout) == (0, "shop: nothing found that Lambda does differently.\n"), done.stderr


def test_the_words_of_the_readme_s_container_commands_are_those_of_the_dockerfile_and_the_entrypoint():
    build, run = shlex.split(BUILD), shlex.split(RUN)
    declared = re.findall(r"^ARG (\w+)", (ROOT / "infra" / "Dockerfile").read_text(), re.MULTILINE)
    given = [word.partition("=")[0] for before, word in pairwise(build) if before == "--build-arg"]
    assert build[:6] == ["docker", "build", "-f", "infra/Dockerfile", "-t", "shop"]
    assert (sorted(given), set(given) <= set(declared)) == (["APP_DIR", "FLASK_APP"], True)
    (mode,) = [word.removeprefix("RUN_MODE=") for word in run if word.startswith("RUN_MODE=")]
    modes = re.findall(r"^    (\w+)\)$", (ROOT / "scripts" / "entrypoint.sh").read_text(), re.MULTILINE)
    assert (run[-1], mode in modes) == ("shop", True)
