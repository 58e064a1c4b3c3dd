"""A program with a topic, a queue and a parameter, through the real engine: as a user would write it."""

import pytest

from sandbox import settings
from sandbox.ministack import MiniStack
from sandbox.provider.provider import Provider
from sandbox.pulumi_drivers import engine_driver
from sandbox.pulumi_drivers.servicer import Servicer
from tests.support.provided import ContentBuilder, write_program
from tests.support.pulumi_command import needs_pulumi
from walk.account import Account

PROGRAM = """
    import json
    import pulumi
    import pulumi_aws as aws

    config = pulumi.Config()
    topic = aws.sns.Topic("orders", display_name="Orders", tags={"team": "web"})
    dead = aws.sqs.Queue("dead")
    queue = aws.sqs.Queue(
        "jobs",
        visibility_timeout_seconds=config.require_int("patience"),
        redrive_policy=dead.arn.apply(lambda arn: json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 3})),
        tags={"team": "web"},
    )
    parameter = aws.ssm.Parameter("queue", name="/web/queue", type="String", value=queue.url)
    pulumi.export("topic", topic.arn)
    pulumi.export("version", parameter.version)
"""
CONFIG = """
    config:
      patience: {type: integer, default: 30}
"""

pytestmark = needs_pulumi


@pytest.fixture
def engine(tmp_path):
    folder = write_program(tmp_path / "program", PROGRAM, CONFIG)
    with MiniStack(tmp_path / "aws") as ministack:
        account = Account(ministack.endpoint_url, ministack.region, ministack.credentials)
        provider = Provider(account, ContentBuilder(), folder)
        servicer = Servicer(provider, account.region)

        def engine(**chosen):
            project = settings.load_project(folder)
            config = settings.load(project, "dev", chosen)
            state = tmp_path / "state"
            return engine_driver.Engine(project, config, provider, servicer, state, ministack.variables)

        engine.account = account
        yield engine


def test_a_topic_a_queue_and_a_parameter_are_made_kept_changed_and_removed(engine):
    first = engine()
    assert (first.preview(), first.up()) == ({"create": 5}, {"create": 5})
    assert first.up(refresh=True) == {"same": 5}

    changed = engine(patience=60)
    assert (changed.preview(), changed.up(refresh=True)) == ({"same": 4, "update": 1}, {"same": 4, "update": 1})
    sqs = engine.account.client("sqs")
    url = next(url for url in sqs.list_queues()["QueueUrls"] if "/jobs-" in url)
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])["Attributes"]
    assert attributes == {"VisibilityTimeout": "60"}

    changed.destroy()
    assert sqs.list_queues().get("QueueUrls", []) == []
    assert engine.account.client("sns").list_topics()["Topics"] == []
