"""Sends what failed to a dead-letter queue, if whoever sends it may."""

from sandbox.errors import SandboxError
from walk.account import Account
from walk.role_permission import role_verdict


def send_as_role(account: Account, role_arn: str, queue_arn: str, message: str) -> None:
    """Send a message to a queue with the permissions of a role.

    Raises:
        SandboxError: the role may not, or the ARN isn't a queue's.
    """
    verdict = role_verdict(account, role_arn, "sqs:SendMessage", queue_arn)
    if not verdict.allowed:
        raise SandboxError(f"The role {role_arn} may not send to {queue_arn}: {verdict.reason}.")
    send(account, queue_arn, message)


def send(account: Account, queue_arn: str, message: str) -> None:
    """Send a message to a queue.

    Raises:
        SandboxError: the ARN isn't a queue's.
    """
    if queue_arn.split(":")[2:3] != ["sqs"]:
        raise SandboxError(f"The sandbox sends failed events to queues only, not to {queue_arn}.")
    sqs = account.client("sqs")
    url = sqs.get_queue_url(QueueName=queue_arn.rpartition(":")[2])["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody=message)
