"""A request's way goes through the account as it is now, although what was read of it is kept until it changes."""

import os
import subprocess
import sys
import threading

import pytest

from sandbox.provider.provider import Provider
from sandbox.writes import APART
from tests.support import stacks
from tests.support.program import ROOT
from tests.support.provided import ContentBuilder
from tests.support.pulumi_command import path_without_pulumi
from tests.support.recorded_calls import noting
from tests.support.waiting import until
from walk.kept_answers import KeptAnswers

NAME = "dualmode-dev"
SERVED, STOPPED = (200, "unset"), (503, '{"message":"Service Unavailable"}')
POLICY = '{"Effect": "Allow", "Action": "lambda:PutFunctionConcurrency", "Resource": "*"}'


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", path_without_pulumi())
        stack = stacks.Stack(tmp_path_factory.mktemp("kept"), ROOT / "tests" / "support" / "vault")
        with stack.running(policy=POLICY) as found:
            yield found


def ask(sandbox, target="/hash/NOTHING", method="GET"):
    return stacks.ask(sandbox, target, method)


@pytest.fixture
def calls(sandbox):
    """The calls to AWS that this thread makes: the delivery of logs makes its own, a moment later."""
    seen, own = [], threading.get_ident()

    def note(model, **_):
        if threading.get_ident() == own:
            seen.append(model.name)

    services = ("acm", "apigatewayv2", "ecr", "iam", "lambda", "route53", "sts")
    with noting(map(sandbox.account.client, services), note):
        yield seen


def test_a_request_like_the_one_before_asks_the_account_nothing(sandbox, calls):
    assert ask(sandbox) == SERVED
    calls.clear()
    assert [ask(sandbox) for _ in range(3)] == [SERVED] * 3
    assert calls == []


def test_the_next_request_sees_what_the_function_another_program_and_boto3_have_written(sandbox):
    assert ask(sandbox) == SERVED
    assert ask(sandbox, "/concurrency/0", "PUT") == (204, "")
    assert ask(sandbox) == STOPPED
    program = f"import boto3; boto3.client('lambda').delete_function_concurrency(FunctionName='{NAME}')"
    environment = {**os.environ, **sandbox.variables}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True, timeout=60)
    assert ask(sandbox) == SERVED
    functions = sandbox.account.client("lambda")
    functions.put_function_concurrency(FunctionName=NAME, ReservedConcurrentExecutions=0)
    assert ask(sandbox) == STOPPED
    functions.delete_function_concurrency(FunctionName=NAME)
    assert ask(sandbox) == SERVED


def test_the_next_request_sees_what_the_provider_has_updated(sandbox, tmp_path):
    (stage,) = [entry for entry in sandbox.deployment.resources if entry.type == "aws:apigatewayv2/stage:Stage"]
    provider = Provider(sandbox.account, ContentBuilder(), tmp_path)

    def burst(inputs):
        provider.update(stage.type, stage.name, stage.id, stage.outputs, inputs)
        answer = stacks.answer(sandbox, "/hash/NOTHING")
        return next(hop.detail.rpartition(", ")[2] for hop in answer.trace.hops if hop.hop == "stage")

    limits = {**stage.inputs["defaultRouteSettings"], "throttlingBurstLimit": 7}
    assert burst({**stage.inputs, "defaultRouteSettings": limits}) == "burst 7"
    assert burst(stage.inputs) == "burst 100"


def test_a_function_that_is_being_made_is_seen_to_be_made(sandbox):
    functions = sandbox.account.client("lambda")
    known = functions.get_function(FunctionName=NAME)
    functions.create_function(
        FunctionName="other",
        Role=known["Configuration"]["Role"],
        PackageType="Image",
        Code={"ImageUri": known["Code"]["ImageUri"]},
    )
    reading = sandbox.edge.account.client("lambda")
    until(lambda: reading.get_function(FunctionName="other")["Configuration"]["State"] == "Active")


def test_a_state_that_aws_leaves_by_itself_is_not_kept():
    kept = KeptAnswers(lambda: 0)
    states = [{"Configuration": {"State": "Pending"}}, {"Configuration": {"State": "Active"}}, {}]
    found = [kept.answer(("a",), lambda answer=answer: answer) for answer in states]
    assert [answer["Configuration"]["State"] for answer in found] == ["Pending", "Active", "Active"]


def test_what_is_absent_is_kept_until_it_is_there(sandbox, calls):
    reading = sandbox.edge.account.client("iam")
    for _ in range(2):
        with pytest.raises(reading.exceptions.NoSuchEntityException, match="later"):
            reading.get_role(RoleName="later")
    assert calls == ["GetRole"]
    sandbox.account.client("iam").create_role(RoleName="later", AssumeRolePolicyDocument="{}")
    assert reading.get_role(RoleName="later")["Role"]["RoleName"] == "later"


def test_the_code_of_a_function_of_cloudfront_is_read_again_from_what_is_kept(sandbox):
    distributed = sandbox.account.client("cloudfront")
    config = {"Comment": "", "Runtime": "cloudfront-js-2.0"}
    distributed.create_function(Name="viewer", FunctionConfig=config, FunctionCode=b"function handler() {}")
    reading = sandbox.edge.account.client("cloudfront")
    found = [reading.get_function(Name="viewer", Stage="DEVELOPMENT")["FunctionCode"].read() for _ in range(2)]
    assert found == [b"function handler() {}"] * 2


def test_what_was_read_while_something_was_written_is_not_kept():
    written = [0]
    kept = KeptAnswers(lambda: written[0])

    def read_before_the_write_ends():
        written[0] += 1
        kept.answer(("b",), lambda: "of another request, which comes in between")
        return "before"

    assert kept.answer(("a",), read_before_the_write_ends) == "before"
    assert [kept.answer(("a",), lambda: "after"), kept.answer(("a",), lambda: "later")] == ["after", "after"]


def test_no_number_of_different_requests_fills_the_memory():
    kept = KeptAnswers(lambda: 0)
    for number in range(5000):
        kept.answer((str(number),), lambda: "x")
    assert len(kept._answers) <= 1000


def test_what_functions_write_for_themselves_changes_no_answer_that_is_kept(sandbox, calls):
    assert ask(sandbox) == SERVED
    calls.clear()
    sandbox.account.client("sqs").create_queue(QueueName="own")
    sandbox.account.client("logs").create_log_group(logGroupName="own")
    assert (ask(sandbox), calls) == (SERVED, [])
    assert {"logs", "sqs"} <= APART
