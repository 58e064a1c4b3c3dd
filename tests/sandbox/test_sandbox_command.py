import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.__main__ import main
from sandbox.command_line import UsageError, read_options
from sandbox.errors import SandboxError
from sandbox.lifecycle import check_platform
from sandbox.runner.container_engine import find_engine, why_none
from tests.support.planted import is_planted, plant
from tests.support.processes import children
from tests.support.program import ROOT
from tests.support.pulumi_command import needs_pulumi
from tests.support.sandboxes import ask, command, environment, serving, with_venvs

IDENTITY = "import boto3; print(boto3.client('sts').get_caller_identity()['Account'])"
ALLOWING = ("--set", "environment.DUALMODE_ALLOW_COMMANDS=1")
HOPS = ["domain", "mapping", "stage", "route", "integration", "alias", "version", "image"]


@pytest.fixture(scope="module")
def state(tmp_path_factory):
    """A state folder that takes the environments of the repository's own."""
    return with_venvs(tmp_path_factory.mktemp("command"))


def run(state, *arguments, **more):
    return subprocess.run(
        command(state, *arguments), cwd=ROOT, env=environment(**more), capture_output=True, text=True, timeout=120
    )


def options(*arguments, **environ):
    return read_options(arguments, environ)


def test_the_page_has_port_8001_another_one_or_none():
    asked = ((), ("--page-port", "9000"), ("--page-port", "0"))
    assert [options(*arguments).page_port for arguments in asked] == [8001, 9000, 0]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--request", "/hello"], "--request takes a method and a path, as in 'GET /hello', not '/hello'."),
        (["--request", "GET hello"], "--request takes a method and a path, as in 'GET /hello', not 'GET hello'."),
        (["--data", "x"], "--data belongs to a request: add --request 'METHOD /path'."),
        (["--header", "a: b"], "--header belongs to a request: add --request 'METHOD /path'."),
        (["--json"], "--json belongs to a request: add --request 'METHOD /path'."),
        (
            ["--request", "GET /", "--header", "nothing"],
            "--header takes a name and a value, as in 'Accept: text/html', not 'nothing'.",
        ),
        (
            ["--request", "POST /", "--data", "@/no/such/file"],
            "--data @/no/such/file: the file can't be read (No such file or directory).",
        ),
        (["--preview", "--request", "GET /"], "Argument --request: not allowed with argument --preview."),
        (["--preview", "--destroy"], "Argument --destroy: not allowed with argument --preview."),
        (["--destroy", "--json"], "--json belongs to a request: add --request 'METHOD /path'."),
        (["--port", "http"], "The port is 'http': it must be a number from 0 (any free one) to 65535."),
        (["--page-port", "65536"], "The port is '65536': it must be a number from 0 (no page) to 65535."),
        (["--zone", "my zone"], "--zone takes the name of a zone, as in example.com, not 'my zone'."),
        (["--event", "/no/such/file"], "--event /no/such/file: the file can't be read (No such file or directory)."),
        (
            ["--event", "README.md"],
            "--event README.md: the file is not valid JSON (Expecting value: line 1 column 1 (char 0)).",
        ),
        (["--command", "db 'upgrade"], "--command 'db 'upgrade': a quote in it is not closed."),
        (["--command", ""], "--command takes the words that follow `flask`, as in 'db upgrade', but got none."),
        (["--command", "routes", "--event", "a"], "Argument --event: not allowed with argument --command."),
        (["--command", "routes", "--json"], "--json belongs to a request: add --request 'METHOD /path'."),
        (["--reqest", "GET /"], "Unrecognized arguments: --reqest GET /."),
    ],
)
def test_wrong_usage_is_one_sentence_and_exits_with_2(arguments, sentence, capsys):
    assert main(arguments, {}) == 2
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", f"sandbox: {sentence} See python -m sandbox --help.\n")


def test_a_port_of_the_environment_is_checked_too():
    assert options(PORT="8123").port == 8123
    assert options().port == 8000
    assert options("--port", "9000", PORT="8123").port == 9000
    with pytest.raises(UsageError, match="The port is '80000'"):
        options(PORT="80000")


def test_a_request_is_spelled_by_the_options():
    request = options("--request", "post /a?b=é", "--data", '{"a": 1}', "--header", "X-Two: a: b").request
    assert (request.method, request.target, request.body) == ("POST", "/a?b=%C3%A9", b'{"a": 1}')
    assert request.headers == (("Host", "localhost"), ("X-Two", "a: b"), ("Content-Type", "application/json"))


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        ("[1]", "application/json"),
        ("plain", "text/plain; charset=utf-8"),
        (b"\xff\x00", "application/octet-stream"),
    ],
)
def test_data_from_a_file_is_sent_as_it_is(tmp_path, data, kind):
    file = tmp_path / "body"
    file.write_bytes(data if isinstance(data, bytes) else data.encode())
    request = options("--request", "PUT /", "--data", f"@{file}").request
    assert (request.body, request.header("content-type")) == (file.read_bytes(), kind)
    chosen = options("--request", "PUT /", "--data", f"@{file}", "--header", "content-type: a/b").request
    assert [value for name, value in chosen.headers if name.lower() == "content-type"] == ["a/b"]


def test_a_setting_is_read_from_a_file(tmp_path):
    (tmp_path / "vars.json").write_text('{"TOKEN": "hunter2"}\n')
    asked = options("--set", f"environment=@{tmp_path}/vars.json", "--set", "flaskApp=@@a", "--set", "appDir=a@b")
    assert asked.settings == ('environment={"TOKEN": "hunter2"}', "flaskApp=@a", "appDir=a@b")


def test_a_settings_file_that_can_not_be_read_is_one_sentence(tmp_path):
    (tmp_path / "binary").write_bytes(b"\xff")
    for file, reason in (
        ("/no/such/file", "the file can't be read (No such file or directory)."),
        (f"{tmp_path}/binary", "the file is not text in UTF-8."),
    ):
        with pytest.raises(UsageError) as refused:
            options("--set", f"environment=@{file}")
        assert str(refused.value) == f"--set environment=@{file}: {reason}"


def test_the_help_names_every_option(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--help"], {})
    shown = capsys.readouterr().out
    assert ended.value.code == 0
    for option in (
        "--request",
        "--preview",
        "--destroy",
        "130",
        "--data",
        "--header",
        "--json",
        "--set",
        "--port",
        "--stack",
        "--state",
        "PORT",
    ):
        assert option in shown


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("memorySiz=1024", "memorySize"),
        ("memorySize=much", "must be of type 'integer'"),
        ("memorySize", "is not a setting: write key=value."),
        ("hostedZone=elsewhere.test", "elsewhere.test"),
    ],
)
def test_a_setting_that_is_refused_exits_with_2(state, setting, sentence):
    ended = run(state, "--set", setting, "--request", "GET /")
    assert (ended.returncode, ended.stdout) == (2, "")
    *_, last = ended.stderr.strip().splitlines()
    assert last.startswith("sandbox: ")
    assert sentence in last


def test_what_aws_would_refuse_exits_with_1(state):
    ended = run(state, "--set", "hostedZone=test", "--request", "GET /")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.strip().splitlines()[-1] == (
        "sandbox: aws:route53/getZone:getZone: NoSuchHostedZone: no matching Route 53 hosted zone found for 'test': "
        "the sandbox has only sandbox.test, so add a zone that your account has with --zone NAME."
    )


def test_a_domain_of_ones_own_is_served_in_a_zone_that_is_asked_for(state):
    ended = run(
        state, "--set", "domainName=shop.example.com", "--zone", "example.com.", "--request", "GET /hello", "--json"
    )
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["trace"][0]["id"] == "shop.example.com"


def test_a_misspelt_key_of_the_stacks_file_is_refused_before_anything_is_made(elsewhere):
    (elsewhere / "Pulumi.dev.yaml").write_text("config:\n  dualmode:appdir: shop\n")
    asked = command(elsewhere.parent / "state", "--request", "GET /")
    ended = subprocess.run(asked, cwd=elsewhere, env=environment(), capture_output=True, text=True, timeout=120)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.strip().splitlines()[-1] == (
        "sandbox: dualmode:appdir is not a setting of this project: rename it to appDir, or remove it "
        "(`pulumi config rm appdir`)."
    )


def test_a_stack_without_a_file_is_refused(state):
    ended = run(state, "--stack", "prod", "--request", "GET /")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("sandbox: Stack 'prod' has no file Pulumi.prod.yaml for its settings: ")


def test_the_script_passes_every_argument_on_as_the_shell_read_it(tmp_path):
    shutil.copy(ROOT / "sandbox.sh", tmp_path)
    (tmp_path / "Makefile").write_text(".venv/sandbox.installed:\n\t@touch $@\n")
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").symlink_to(sys.executable)
    (tmp_path / "sandbox.py").write_text("import json, sys\nprint(json.dumps(sys.argv[1:]))\nsys.exit(3)\n")
    words = ["--data", "$HOME $$ `x` \\ 'a' \"b\"", "", "*", "a\nb"]
    ended = subprocess.run([tmp_path / "sandbox.sh", *words], cwd="/", capture_output=True, text=True, timeout=60)
    assert (ended.returncode, json.loads(ended.stdout), ended.stderr) == (3, words, "")
    assert (tmp_path / ".venv" / "sandbox.installed").exists()


def test_a_request_is_answered_as_json(state):
    ended = run(state, "--request", "POST /echo", "--data", '{"message":"abc"}', "--json")
    shown = json.loads(ended.stdout)
    assert ended.returncode == 0
    assert sorted(shown) == ["body", "duration_ms", "headers", "status", "trace"]
    assert (shown["status"], json.loads(shown["body"])) == (200, {"reversed": "cba"})
    assert shown["headers"]["content-type"] == "application/json"
    assert [hop["hop"] for hop in shown["trace"]] == HOPS
    assert all(sorted(hop) == ["detail", "hop", "id"] for hop in shown["trace"])
    assert shown["duration_ms"] > 0


def test_an_answer_of_400_or_more_exits_with_1(state):
    ended = run(state, "--request", "GET /nothing", "--set", "memorySize=256")
    assert ended.returncode == 1
    lines = ended.stdout.splitlines()
    assert [line.split()[1] for line in lines[:8]] == HOPS
    assert "256 MB" in lines[6]
    assert lines[9].startswith("404 Not Found")
    assert lines[-1] == '{"error":"Not found"}'


def test_a_command_runs_in_the_function_that_allows_it(state):
    ended = run(state, *ALLOWING, "--command", "routes --sort rule")
    assert ended.returncode == 0, ended.stderr
    assert "/hello" in ended.stdout


@pytest.mark.slow
def test_a_command_that_the_function_does_not_allow_or_that_fails_exits_with_1(state):
    refused = run(state, "--command", "routes")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.splitlines()[-1] == (
        "sandbox: The function runs no commands, since DUALMODE_ALLOW_COMMANDS is not 1 in its environment: set it "
        "with `pulumi config set --path environment.DUALMODE_ALLOW_COMMANDS 1`, or here with "
        "--set environment.DUALMODE_ALLOW_COMMANDS=1."
    )
    failed = run(state, *ALLOWING, "--command", "no-such-command")
    assert (failed.returncode, "No such command 'no-such-command'" in failed.stdout) == (1, True)


def test_an_event_is_given_to_the_function_and_its_failure_exits_with_1(state, tmp_path):
    (tmp_path / "event.json").write_text('{"Records": []}')
    ended = run(state, "--event", str(tmp_path / "event.json"))
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "The function's log is " in ended.stderr
    assert ended.stderr.splitlines()[-1] == (
        "sandbox: The function failed: EventError: This event is not an HTTP request, and DUALMODE_EVENTS_PATH is not "
        "set: set it to a route of the application that takes events as POST."
    )


@pytest.mark.slow
def test_an_events_result_is_printed_as_json(state, tmp_path):
    (tmp_path / "event.json").write_text('{"message": "abc"}')
    echo = ("--set", 'environment={"DUALMODE_EVENTS_PATH": "/echo"}')
    ended = run(state, *echo, "--event", str(tmp_path / "event.json"))
    assert (ended.returncode, json.loads(ended.stdout)) == (0, {"reversed": "cba"})


def test_a_schedule_is_fired_by_hand_and_its_result_is_printed(state):
    schedule = {"name": "turn", "path": "/echo", "cron": "0 3 * * ? *", "body": {"message": "abc"}}
    ended = run(state, "--set", f"schedules={json.dumps([schedule])}", "--fire", "turn")
    assert (ended.returncode, json.loads(ended.stdout)) == (0, {"reversed": "cba"}), ended.stderr
    assert "The function's log is " in ended.stderr


@pytest.mark.slow
def test_a_schedule_that_is_not_there_can_not_be_fired(state):
    missing = run(state, "--fire", "turn")
    assert (missing.returncode, missing.stdout) == (1, "")
    assert missing.stderr.splitlines()[-1] == "sandbox: There is no schedule turn: the account has no schedule."


@pytest.fixture
def elsewhere(tmp_path):
    """A copy of the repository whose stack file is of a real deployment, with its own region, domain and image."""
    left_out = shutil.ignore_patterns(".git", ".venv", ".sandbox", "*_cache", "__pycache__", "tests", "benchmarks")
    shutil.copytree(ROOT, tmp_path / "copy", ignore=left_out)
    (tmp_path / "copy" / "Pulumi.dev.yaml").write_text(
        f"""
        config:
          aws:region: eu-central-1
          dualmode:domainName: shop.example.com
          dualmode:hostedZone: example.com
          dualmode:imageUri: 123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop@sha256:{"0" * 64}
        """
    )
    with_venvs(tmp_path / "state")
    return tmp_path / "copy"


def test_a_stack_of_a_real_deployment_runs_in_its_region_with_the_sandboxs_domain_and_image(elsewhere):
    asked = command(elsewhere.parent / "state", "--request", "GET /hello", "--json")
    ended = subprocess.run(asked, cwd=elsewhere, env=environment(), capture_output=True, text=True, timeout=120)
    shown = json.loads(ended.stdout)
    assert (shown["status"], json.loads(shown["body"])) == (200, {"message": "Hello from Flask!"})
    assert [hop["hop"] for hop in shown["trace"]] == HOPS
    assert shown["trace"][0]["id"] == "app.sandbox.test"


def test_only_the_pulumi_command_previews_and_destroys(tmp_path):
    for option in ("--preview", "--destroy"):
        ended = run(tmp_path / "state", option)
        assert (ended.returncode, ended.stdout, ended.stderr) == (
            1,
            "",
            "sandbox: There is no pulumi command on the PATH, and --preview and --destroy need it: install it.\n",
        )
    assert not (tmp_path / "state").exists()


@needs_pulumi
def test_a_preview_changes_nothing_and_destroy_leaves_nothing(tmp_path):
    with_venvs(tmp_path)

    def changes(*arguments):
        ended = run(tmp_path, *arguments, PATH=os.environ["PATH"])
        assert ended.returncode == 0, ended.stderr
        return ended.stdout.split()

    title, word, count = changes("--preview")
    assert (title, word) == ("Changes", "create")
    assert changes("--preview") == [title, "create", count]
    assert changes("--request", "GET /hello")[-1] == 'Flask!"}'
    assert changes("--destroy") == [title, "delete", count]


def test_a_taken_port_is_said_before_anything_is_deployed(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = run(tmp_path / "state", PORT=str(port))
    assert ended.returncode == 1
    assert ended.stderr == (
        f"sandbox: Port {port} can't be used (Address already in use): "
        "stop the program that uses it, or set PORT to another number.\n"
    )
    assert not (tmp_path / "state").exists()


def test_a_folder_that_no_sandbox_made_is_refused_before_anything_in_it_is_changed(tmp_path):
    documents = tmp_path / "documents"
    (documents / "pulumi").mkdir(parents=True)
    (documents / "pulumi" / "mine").write_text("kept")
    documents.chmod(0o755)
    ended = run(documents, "--request", "GET /")
    assert (ended.returncode, ended.stdout, ended.stderr) == (
        1,
        "",
        f"sandbox: {documents} has content that is not from a sandbox, but a sandbox uses only a folder that is new, "
        "empty or made by a sandbox: choose another with --state, or remove this one if an earlier version of "
        "the sandbox made it.\n",
    )
    assert [path.relative_to(documents).as_posix() for path in documents.rglob("*")] == ["pulumi", "pulumi/mine"]
    assert documents.stat().st_mode & 0o777 == 0o755


def test_a_folder_without_a_program_is_said(tmp_path):
    ended = subprocess.run(
        command(tmp_path / "state", "--request", "GET /"),
        cwd=tmp_path,
        env=environment(PYTHONPATH=str(ROOT)),
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 1
    assert (
        ended.stderr == f"sandbox: {tmp_path}/Pulumi.yaml doesn't exist: run from the folder of the Pulumi program.\n"
    )


def in_another_terminal(printed, folder):
    """The account's variables, but for its credentials, in somebody's shell after the lines that are printed for it."""
    planted, listener = plant(folder)
    listener.server_close()
    lines = [line for line in printed if line.startswith(("  unset ", "  export "))]
    shell = subprocess.run(
        ["sh", "-c", f"{''.join(lines)}env -0"],
        env={**planted.variables, "PATH": os.environ["PATH"], "PULUMI_TEXT": "a\nAWS_PROFILE=b"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert shell.stderr == ""
    found = dict(line.split("=", 1) for line in shell.stdout.split("\0") if line)
    keys = {name: found.pop(name, "") for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")}
    assert keys["AWS_ACCESS_KEY_ID"]
    assert not any(is_planted(name, value, planted) for name, value in keys.items())
    return {name: value for name, value in found.items() if name.startswith(("AWS_", "PULUMI_"))}


def test_a_sandbox_serves_until_ctrl_c_and_leaves_nothing(state, tmp_path):
    with serving(state) as (process, address, printed):
        assert ask(address, "/hello") == (200, {"message": "Hello from Flask!"})
        for other in ("nobody.example.com", "evil.example:8000", "192.0.2.1:8000", "0.0.0.0:8000"):
            assert ask(address, "/hello", Host=other) == (403, {"message": "Forbidden"})
        shown = "".join(printed)
        assert "dualmode:index:CustomDomain domain" in shown
        assert re.search(r"^  url +https://app.sandbox.test$", shown, re.MULTILINE)
        (endpoint,) = [line.partition("=")[2] for line in shown.split() if line.startswith("AWS_ENDPOINT_URL=")]
        assert in_another_terminal(printed, tmp_path) == {
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        exported = dict(line.strip()[7:].split("=", 1) for line in printed if line.startswith("  export "))
        assert exported["DUALMODE_SANDBOX"] == address
        asked = [sys.executable, "-c", IDENTITY]
        for given, account in ((exported, "000000000000\n"), ({**exported, "AWS_ACCESS_KEY_ID": "test"}, "")):
            ended = subprocess.run(asked, env={**environment(), **given}, capture_output=True, text=True, timeout=60)
            assert ended.stdout == account
        second = run(state, "--request", "GET /")
        assert second.returncode == 1
        assert f"Another sandbox (process {process.pid}) uses" in second.stderr
        started = children(process.pid)
        assert len(started) == 2  # the AWS and one function
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
        assert "Traceback" not in process.stderr.read()
        assert not [child for child in started if Path(f"/proc/{child}").exists()]


def test_no_engine_is_looked_for_where_none_is_wanted():
    assert find_engine({"DUALMODE_ENGINE": "none"}) is None
    assert why_none({"DUALMODE_ENGINE": "none"}) == "DUALMODE_ENGINE is none"
    assert why_none({}) == "no container engine answers"


def test_an_unknown_engine_is_refused():
    with pytest.raises(SandboxError, match="DUALMODE_ENGINE is 'lxc': it must be docker, podman or none"):
        find_engine({"DUALMODE_ENGINE": "lxc"})


def test_an_engine_that_does_not_answer_is_refused_when_it_was_asked_for(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SandboxError, match="'podman info' fails"):
        find_engine({"DUALMODE_ENGINE": "podman"})
    assert find_engine({}) is None


@pytest.mark.parametrize(
    ("system", "machine", "libc", "found"),
    [
        ("Darwin", "arm64", "", "this is Darwin on arm64"),
        ("Linux", "riscv64", "glibc", "this is Linux on riscv64 with glibc"),
        ("Linux", "x86_64", "", "this is Linux on x86_64 with another C library"),
    ],
)
def test_a_machine_where_no_function_could_run_is_refused(monkeypatch, system, machine, libc, found):
    monkeypatch.setattr("platform.system", lambda: system)
    monkeypatch.setattr("platform.machine", lambda: machine)
    monkeypatch.setattr("platform.libc_ver", lambda: (libc, ""))
    with pytest.raises(SandboxError) as refused:
        check_platform(None)
    assert found in str(refused.value)
    check_platform("podman")
