"""What a creation leaves that AWS didn't answer, or refused when it was half done: nothing, or it is said."""

import pytest

from sandbox.provider.refusals import ResourceRefusedError
from tests.interruptions.faults import HALF_DONE, Operation, Watch, watching
from tests.support.provided import push_image

LATE = "timeout after it was done"


def refusal(provider, file, kind, pulumi_type, name, inputs):
    """What is said when a creation goes wrong."""
    with (
        watching(Watch({Operation("create", pulumi_type, name): kind}, file)),
        pytest.raises(ResourceRefusedError) as caught,
    ):
        provider.create(pulumi_type, name, inputs)
    return str(caught.value)


def test_what_a_creation_without_an_answer_has_made_is_removed_again(provider, account, tmp_path):
    kind = "aws:sqs/queue:Queue"
    said = refusal(provider, tmp_path / "struck", LATE, kind, "late", {"name": "late"})
    assert said.startswith(f"{kind} 'late': ReadTimeoutError: Read timeout on endpoint URL")
    assert "without Pulumi knowing it" not in said
    assert account.client("sqs").list_queues().get("QueueUrls", []) == []


def test_what_only_aws_names_is_said_to_be_left_perhaps(provider, account, tmp_path):
    kind, inputs = "aws:apigatewayv2/api:Api", {"name": "late", "protocolType": "HTTP"}
    said = refusal(provider, tmp_path / "struck", LATE, kind, "late", inputs)
    assert said.endswith(
        ". It may have been made all the same, without Pulumi knowing it: look for it in the account, and delete it"
    )
    assert "late" in [api["Name"] for api in account.client("apigatewayv2").get_apis()["Items"]]


@pytest.mark.parametrize(
    ("kind", "inputs", "listed"),
    [
        (  # a call of its own says how long it keeps its lines
            "aws:cloudwatch/logGroup:LogGroup",
            {"name": "half", "retentionInDays": 1},
            lambda account: account.client("logs").describe_log_groups()["logGroups"],
        ),
        (  # it is read when it is made
            "aws:apigatewayv2/api:Api",
            {"name": "half", "protocolType": "HTTP"},
            lambda account: account.client("apigatewayv2").get_apis()["Items"],
        ),
    ],
)
def test_what_was_made_before_a_later_call_was_refused_is_removed_again(
    kind, inputs, listed, provider, account, tmp_path
):
    before = listed(account)
    said = refusal(provider, tmp_path / "struck", HALF_DONE, kind, "half", inputs)
    assert said == f"{kind} 'half': ThrottlingException: by the test"
    assert listed(account) == before


def test_an_image_stays_when_reading_it_is_refused_since_an_earlier_build_may_run_by_that_digest(
    provider, account, tmp_path
):
    kind, repository = "docker-build:index:Image", push_image(account, "web").partition("@")[0]
    inputs = {
        "tags": [f"{repository}:latest"],
        "context": {"location": "app"},
        "platforms": ["linux/amd64"],
        "push": True,
    }
    said = refusal(provider, tmp_path / "struck", HALF_DONE, kind, "half", inputs)
    assert said == f"{kind} 'half': ThrottlingException: by the test"
    images = account.client("ecr").list_images(repositoryName="web")["imageIds"]
    assert sorted(image["imageTag"] for image in images) == ["first", "latest"]


def test_what_is_refused_since_it_exists_already_stays(provider, account):
    provider.create(
        "aws:dynamodb/table:Table",
        "kept",
        table := {
            "name": "kept",
            "billingMode": "PAY_PER_REQUEST",
            "hashKey": "id",
            "attributes": [{"name": "id", "type": "S"}],
        },
    )
    with pytest.raises(ResourceRefusedError, match="ResourceInUseException"):
        provider.create("aws:dynamodb/table:Table", "kept", table)
    assert account.client("dynamodb").list_tables()["TableNames"] == ["kept"]
