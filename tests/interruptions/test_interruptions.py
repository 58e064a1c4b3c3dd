"""Some of what `python -m tests.interruptions` does to every operation: each kind of fault, and each stage."""

import pytest

from tests.interruptions.faults import HALF_DONE, KINDS, Operation
from tests.interruptions.runs import Deployments
from tests.interruptions.stages import UP_INSTEAD
from tests.support.pulumi_command import needs_pulumi

pytestmark = needs_pulumi
UP = {
    Operation("create", "aws:dynamodb/table:Table", "table-table"): "timeout after it was done",
    Operation("create", "aws:iam/rolePolicy:RolePolicy", "function-policy"): "access denied",
    Operation("create", "aws:apigatewayv2/api:Api", "api-api"): "engine killed",
    Operation("create", "aws:lambda/alias:Alias", "function-live"): "program killed",
    Operation("create", "aws:sqs/queuePolicy:QueuePolicy", "event-may-send"): "status 500",
    Operation("create", "aws:route53/record:Record", "domain-a-app.sandbox.test"): "throttled",
}
UPDATE = {
    Operation("update", "aws:lambda/function:Function", "function-function"): "throttled",
    Operation("update", "aws:lambda/alias:Alias", "function-live"): "timeout after it was done",
    Operation("create", "aws:route53/record:Record", "domain-a-web.sandbox.test"): HALF_DONE,
    Operation("create", "aws:scheduler/schedule:Schedule", "schedule-weekly"): "engine killed",
}
DESTROY = {
    Operation("delete", "aws:ecr/repository:Repository", "image-repository"): "access denied",
    Operation("delete", "aws:lambda/function:Function", "function-function"): "timeout after it was done",
    Operation("delete", "aws:apigatewayv2/domainName:DomainName", "domain-domain-app.sandbox.test"): "program killed",
}


@pytest.fixture(scope="module")
def deployments(tmp_path_factory):
    return Deployments(tmp_path_factory.mktemp("interruptions"))


def test_every_kind_of_fault_has_an_example():
    assert {*UP.values(), *UPDATE.values(), *DESTROY.values()} == set(KINDS)


@pytest.mark.parametrize(("stage", "faults"), [("up", UP), ("update", UPDATE), ("destroy", DESTROY)])
def test_a_deployment_that_was_interrupted_goes_on_with_the_next_one_and_ends_as_if_nothing_had_been(
    deployments, stage, faults
):
    run = deployments.interrupted(stage, faults)
    assert (sorted(run.struck), run.stuck) == (sorted(faults), {})
    assert run.differences(deployments.clean(stage)) == []
    killed = "The pulumi command was ended by SIGKILL while it worked: start again, and what it had begun is looked for"
    assert (killed in run.lines) == ("engine killed" in faults.values())


def test_an_up_after_a_destroy_that_was_interrupted_makes_again_what_is_gone(deployments):
    alias = Operation("delete", "aws:lambda/alias:Alias", "function-live")
    run = deployments.interrupted(UP_INSTEAD, {alias: "timeout after it was done"})
    assert (run.struck, run.stuck) == ([alias], {})
    assert run.differences(deployments.clean("up")) == []
