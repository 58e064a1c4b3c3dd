"""A sandbox whose function runs in a container: faults in it, a call that its role doesn't allow, a changed file."""

import json
import os
import shutil

import pytest

from dualmode.gateway.http.message import Request
from sandbox import settings
from sandbox.presets import DOMAIN
from sandbox.runner.container_engine import traits
from sandbox.watch import Watch
from tests.support import sandboxes
from tests.support.program import ROOT

NAME = "dualmode-dev"
# It calls AWS as the runtime does for secrets: an image with boto3 would take longer to build.
APPLICATION = """
import os
import time

from dualmode.aws_call import RefusedError, call, caller_of, endpoint
from flask import Flask

app = Flask(__name__)


@app.get("/hello")
def hello():
    return {"message": "first"}


@app.get("/parameter")
def parameter():
    caller = caller_of(os.environ)
    address = endpoint("ssm", caller.region, os.environ)
    try:
        call("ssm", "AmazonSSM.GetParameters", {"Names": ["/shop/other"]}, caller, address, time.monotonic())
    except RefusedError as error:
        return {"code": error.code, "sentence": error.sentence}
    return {}
"""


def ask(sandbox, target):
    """The answer to a request, its status, and its document."""
    answer = sandbox.edge.answer(Request(method="GET", target=target, headers=(("Host", DOMAIN),)))
    return answer, answer.response.status, json.loads(answer.response.body)


def broken(sandbox, fault):
    """The status of a request while a fault is set, and what Lambda's report says of it."""
    sandbox.faults.set(fault)
    try:
        answer, status, _ = ask(sandbox, "/hello")
        answer.log.wait()
        lines = answer.log.path.read_text().splitlines()
    finally:
        sandbox.faults.clear(fault)
    reports = [json.loads(line)["record"] for line in lines if '"platform.report"' in line]
    return status, [(report["status"], report.get("errorType")) for report in reports]


@pytest.fixture(scope="module")
def seen(engine, tmp_path_factory):
    """What became of each, in one sandbox with one image."""
    if not traits(engine).shares_loopback:
        pytest.skip(f"{engine} runs on another machine: no fault can be put into its containers")
    seen, folder = {}, tmp_path_factory.mktemp("contained")
    left_out = (".git", ".venv", ".sandbox", "*_cache", "__pycache__", "tests", "benchmarks", "docs", "examples")
    shutil.copytree(ROOT, folder / "copy", ignore=shutil.ignore_patterns(*left_out))
    file = folder / "copy" / "shop" / "shop.py"
    file.parent.mkdir()
    file.write_text(APPLICATION)
    base = {"baseImage": os.environ["DUALMODE_BASE_IMAGE"]} if "DUALMODE_BASE_IMAGE" in os.environ else {}
    chosen = {"appDir": "shop", "flaskApp": "shop:app", "memorySize": 128, **base}
    project = settings.load_project(folder / "copy")
    with sandboxes.deployed(folder / "state", project, container_engine=engine, **chosen) as sandbox:
        seen["crash"] = broken(sandbox, "crash")
        seen["out of memory"] = broken(sandbox, "out-of-memory")
        seen["whole"] = ask(sandbox, "/hello")[1:]
        seen["refused"] = ask(sandbox, "/parameter")[1:]
        seen["remedies"] = sandbox.roles.new_remedies()
        function = sandbox.account.client("lambda").get_function_configuration(FunctionName=NAME)
        seen["role"] = function["Role"].rpartition("/")[2]
        watch = Watch(sandbox)
        seen["said"] = [watch.look()]
        file.write_text(APPLICATION.replace("first", "second"))
        seen["said"] += [watch.look() for _ in range(2)]
        answer, *seen["changed"] = ask(sandbox, "/hello")
        seen["image"] = next(hop for hop in answer.trace.hops if hop.hop == "image").detail
    return seen


def test_a_crash_and_a_full_memory_of_a_container_fail_as_on_lambda_and_the_next_request_is_answered(seen):
    assert seen["crash"] == (500, [("error", "Runtime.ExitError")])
    assert seen["out of memory"] == (500, [("error", "Runtime.OutOfMemory")])
    assert seen["whole"] == (200, {"message": "first"})


def test_a_call_that_a_containers_role_does_not_allow_is_refused_and_the_missing_statement_is_said(seen):
    action, resource = "ssm:GetParameters", "arn:aws:ssm:us-east-1:000000000000:parameter/shop/other"
    user = f"arn:aws:sts::000000000000:assumed-role/{seen['role']}/{NAME}"
    sentence = (
        f"User: {user} is not authorized to perform: {action} on resource: {resource} "
        f"because no identity-based policy allows the {action} action"
    )
    assert seen["refused"] == (200, {"code": "AccessDeniedException", "sentence": sentence})
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
    assert [remedy.rpartition("setting policy: ")[2] for remedy in seen["remedies"]] == [json.dumps(statement)]


def test_a_changed_file_runs_in_a_container_of_an_image_whose_last_layers_are_built_anew(seen, engine):
    assert seen["said"] == [[], [], ["shop/shop.py changed. The next request runs it."]]
    assert seen["changed"] == [200, {"message": "second"}]
    assert f"in a container of {engine}, with the files changed since" in seen["image"]
