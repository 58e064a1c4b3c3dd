"""The command itself: its help, its errors in one sentence, the deployment it works on, the permissions it needs."""

import json
import os
import re
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from operations.__main__ import VERBS
from tests.operations.conftest import NAME
from tests.support.program import ROOT
from tests.support.recorded_calls import recorded

KEYS = {"AWS_ACCESS_KEY_ID": "nobody", "AWS_SECRET_ACCESS_KEY": "nothing", "AWS_EC2_METADATA_DISABLED": "true"}
VERSIONS = ["versions", "--function", NAME, "--region", "us-east-1"]


@pytest.fixture(autouse=True)
def _no_account(monkeypatch):
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")


def test_help_names_each_verb():
    done = subprocess.run(
        [sys.executable, "-m", "operations", "--help"], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0
    assert re.findall(r"^    ([a-z]+) ", done.stdout, re.MULTILINE) == list(VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_has_help_json_and_a_make_target(verb):
    done = subprocess.run(
        [sys.executable, "-m", "operations", verb, "--help"], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0
    assert "--json" in done.stdout
    dry = subprocess.run(["make", "-n", verb, "STACK=s", "PYTHON=python3"], cwd=ROOT, capture_output=True, text=True)
    assert f'" operations {verb} --stack "$STACK"' in dry.stdout


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "The following arguments are required: VERB."),
        (["deploy"], "Argument VERB: invalid choice: 'deploy' (choose from"),
        (["versions", "--everything"], "Unrecognized arguments: --everything."),
    ],
)
def test_wrong_usage_is_one_sentence(operate, words, sentence):
    done = operate(*words)
    assert (done.status, done.out, done.err.count("\n")) == (2, "", 1)
    assert done.err.startswith(f"operations: {sentence}")


def fake_pulumi(folder, monkeypatch, script):
    (folder / "pulumi").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "pulumi").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def test_the_deployment_is_the_stacks(live, operate, tmp_path, monkeypatch):
    outputs = {name: live.sandbox.deployment.outputs[name] for name in ("url", "api_endpoint", "function_name")}
    (tmp_path / "outputs").write_text(json.dumps({**outputs, "image_uri": "none"}))
    fake_pulumi(
        tmp_path,
        monkeypatch,
        f'[ "$*" = "stack output --json --non-interactive --stack prod" ] && cat {tmp_path}/outputs',
    )
    for name, value in live.sandbox.variables.items():
        monkeypatch.setenv(name, value)
    done = operate("rollback", "--version", "999", "--stack", "prod")
    assert done.err.startswith("operations: There is no version 999")
    newest = live.publish(COLOUR="for the stack")
    try:
        done = operate("rollback", "--version", newest, "--stack", "prod")
    finally:
        live.serve("1")
    assert "pulumi config set liveVersion 0 --stack prod && pulumi config set canaryPercent 0 --stack prod" in done.err
    assert operate("logs", "--stack", "prod", "--since", "0s").status == 0


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        ("echo '{}'", "The selected stack has no output function_name: deploy it with `pulumi up` first."),
        (
            "echo 'error: no stack selected' >&2; exit 255",
            "`pulumi stack output` failed (no stack selected): log in with `pulumi login`, choose a stack with --stack "
            "NAME, or name the function with --function NAME.",
        ),
        (
            "echo nonsense",
            "`pulumi stack output` failed (no reason given): log in with `pulumi login`, choose a stack with --stack "
            "NAME, or name the function with --function NAME.",
        ),
    ],
)
def test_a_stack_that_tells_nothing_is_said(operate, tmp_path, monkeypatch, script, sentence):
    fake_pulumi(tmp_path, monkeypatch, script)
    done = operate("versions")
    assert (done.status, done.out, done.err) == (1, "", f"operations: {sentence}\n")


def test_without_a_pulumi_command_the_function_must_be_named(operate, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    done = operate("versions")
    assert (done.status, done.err) == (
        1,
        "operations: The pulumi command is not on the PATH, so the stack's outputs can't be read: install it, or name "
        "the function with --function NAME and its address with --url URL.\n",
    )


def test_no_region_and_no_credentials_are_said(operate, monkeypatch):
    done = operate("versions", "--function", NAME)
    assert (done.status, done.err) == (1, "operations: No AWS region is set: give --region, or set AWS_REGION.\n")
    done = operate(*VERSIONS)
    assert (done.status, done.err) == (
        1,
        "operations: There are no credentials for AWS (Unable to locate credentials): log in with `aws login` or `aws "
        "sso login`, or set AWS_PROFILE, or for a sandbox the variables that it prints.\n",
    )
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    done = operate(*VERSIONS)
    assert done.err.startswith("operations: The config profile (nobody) could not be found: set AWS_PROFILE to one")


@pytest.fixture
def refusing(monkeypatch):
    """An AWS that refuses every call with what it is told."""
    told = {}

    class Refuse(BaseHTTPRequestHandler):
        def do_GET(self):
            body = json.dumps({"Message": told["message"]}).encode()
            self.send_response(told["status"])
            self.send_header("x-amzn-errortype", told["code"])
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Refuse)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
    yield told
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("status", "code", "message", "sentence"),
    [
        (
            403,
            "AccessDeniedException",
            "User x is not authorized to perform lambda:GetAlias",
            "AWS denies GetAlias (User x is not authorized to perform lambda:GetAlias): use credentials that may do "
            "this; docs/operations.md lists the permissions of each command.",
        ),
        (
            403,
            "ExpiredTokenException",
            "The security token is expired",
            "AWS does not accept the credentials (The security token is expired): log in again, or for a restarted "
            "sandbox, use the variables that it prints now.",
        ),
        (
            429,
            "TooManyRequestsException",
            "Rate exceeded",
            "AWS limits how often GetAlias may be called (Rate exceeded): wait a minute and try again.",
        ),
        (
            404,
            "ResourceNotFoundException",
            "Cannot find alias",
            "AWS has nothing for GetAlias (Cannot find alias): check --stack or --function, the region and the "
            "account.",
        ),
        (500, "ServiceException", "An error", "GetAlias failed with ServiceException: An error."),
    ],
)
def test_what_aws_refuses_is_one_sentence_with_the_way_out(operate, refusing, status, code, message, sentence):
    refusing |= {"status": status, "code": code, "message": message}
    done = operate(*VERSIONS)
    assert (done.status, done.out, done.err) == (1, "", f"operations: {sentence}\n")


def test_an_aws_that_does_not_answer_is_said(operate, monkeypatch):
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    done = operate(*VERSIONS)
    assert (done.status, done.err.count("\n")) == (1, 1)
    assert done.err.startswith("operations: AWS does not answer (Could not connect to the endpoint URL:")


def test_a_function_that_is_not_there_is_said(live, operate, monkeypatch):
    for name, value in live.sandbox.variables.items():
        monkeypatch.setenv(name, value)
    for verb in ("versions", "rollback", "restart", "release", "logs"):
        done = operate(verb, "--function", "nobody")
        assert (done.status, done.out, "Traceback" in done.err) == (1, "", False)
        assert "operations: AWS has nothing for Get" in done.err


def documented_permissions():
    text = (ROOT / "docs" / "operations.md").read_text()
    rows = re.findall(r"^\| `([a-z]+)` \| (.*) \|$", text, re.MULTILINE)
    return {verb: set(re.findall(r"`([a-z0-9]+:[A-Za-z]+)`", actions)) for verb, actions in rows}


@pytest.mark.parametrize(
    ("verb", "words"),
    [
        ("logs", []),
        ("invoke", ["EVENT"]),
        ("manage", ["--command", "routes"]),
        ("smoke", ["--connect", "ADDRESS", "--requests", "1", "--at-once", "0", "--image", "x@sha256:0"]),
        ("versions", []),
        ("rollback", ["--version", "NEWEST"]),
        ("restart", []),
        ("release", ["--minutes", "0"]),
        ("doctor", ["--domain", "app.sandbox.test"]),
    ],
)
def test_the_documented_permissions_of_a_verb_are_those_it_uses(live, operate, tmp_path, monkeypatch, verb, words):
    (tmp_path / "event.json").write_text('{"flask": ["routes"]}')
    newest = live.publish(PERMISSIONS=verb)
    live.serve(newest if verb == "restart" else "1")
    named = {"EVENT": str(tmp_path / "event.json"), "ADDRESS": live.address, "NEWEST": newest}
    for name, value in live.sandbox.variables.items():
        monkeypatch.setenv(name, value)
    with recorded(this_thread=True) as used, monkeypatch.context() as patch:  # other threads are the sandbox's own
        patch.setenv("DUALMODE_RESOLVER", "127.0.0.1:1")
        operate(verb, *(named.get(word, word) for word in words), *(live.words if verb != "doctor" else []))
    live.serve("1")
    assert used == documented_permissions()[verb]
