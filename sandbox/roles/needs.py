"""What a role must be allowed to for a call to AWS: actions on resources.

Source: "Actions, resources, and condition keys for AWS services", Service Authorization Reference.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dualmode.gateway.http.message import Request
from sandbox.roles import s3_needs
from sandbox.roles.operation import Operation
from walk.account import Account
from walk.queries import read

NO_RESOURCE = "*"
"""For actions on no resource: a policy must name `*`."""
UNKNOWN = ""
"""Where the call doesn't say on which resource it is: then a policy's resources can't be compared."""

# Operations that ask for nothing but a signature.
_FREE = {("sts", "GetCallerIdentity"), ("sts", "GetSessionToken")}
_PREFIXES = {"monitoring": "cloudwatch", "email": "ses"}
# Operations whose action has another name.
_ACTIONS = {
    ("sqs", "SendMessageBatch"): "SendMessage",
    ("sqs", "DeleteMessageBatch"): "DeleteMessage",
    ("sqs", "ChangeMessageVisibilityBatch"): "ChangeMessageVisibility",
    ("sns", "PublishBatch"): "Publish",
    ("lambda", "Invoke"): "InvokeFunction",
    ("lambda", "InvokeAsync"): "InvokeFunction",
    ("lambda", "InvokeWithResponseStream"): "InvokeFunction",
}
_ITEM_ACTIONS = {
    "Get": "GetItem",
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
}


@dataclass(frozen=True, slots=True)
class Need:
    """An IAM action such as `s3:GetObject`, and the ARN of its resource, or `NO_RESOURCE` or `UNKNOWN`."""

    action: str
    resource: str


def needs_of(operation: Operation, request: Request, account: Account) -> list[Need]:
    """Return what the call needs: nothing for what every caller may do."""
    service, name, given = operation.service, operation.name, operation.parameters
    if (service, name) in _FREE:
        return []
    if service == "s3":
        return [Need(*each) for each in s3_needs.of(operation, request)]
    if service == "apigateway":  # the action is the method
        return [Need(f"apigateway:{request.method}", UNKNOWN)]
    if service == "dynamodb" and "TransactItems" in given:
        return list(_of_transaction(given, account))
    action = f"{_PREFIXES.get(service, service)}:{_ACTIONS.get((service, name), name)}"
    found = [Need(action, resource) for resource in _resources(operation, account)]
    if (service, name) == ("secretsmanager", "BatchGetSecretValue"):
        secrets = given.get("SecretIdList") or ()
        found += [Need("secretsmanager:GetSecretValue", _secret(account, str(each))) for each in secrets]
    return found


def _of_transaction(given: Mapping[str, Any], account: Account) -> Iterator[Need]:
    for item in given["TransactItems"]:
        for kind, each in item.items():
            resource = _table(account, str(each.get("TableName")))
            yield Need(f"dynamodb:{_ITEM_ACTIONS.get(kind, kind)}", resource)


def _resources(operation: Operation, account: Account) -> list[str]:
    call = (operation.service, operation.name)
    if call in _ON_NO_RESOURCE:
        return [NO_RESOURCE]
    if call in _ON_ALL:
        return [_arn(account, operation.service, _ON_ALL[call])]
    find = _FINDERS.get(operation.service)
    found = [] if find is None else [each for each in find(operation, account) if each]
    return list(dict.fromkeys(found)) or [UNKNOWN]


_ON_NO_RESOURCE = {
    ("lambda", "ListFunctions"),
    ("monitoring", "PutMetricData"),
    ("secretsmanager", "BatchGetSecretValue"),
    ("secretsmanager", "GetRandomPassword"),
    ("secretsmanager", "ListSecrets"),
}
# Lists of which AWS's refusals name everything in the account as the resource.
_ON_ALL = {
    ("dynamodb", "ListTables"): "table/*",
    ("logs", "DescribeLogGroups"): "log-group::log-stream:",
    ("sns", "ListTopics"): "*",
    ("sqs", "ListQueues"): "",
    ("ssm", "DescribeParameters"): "*",
}


def _arn(account: Account, service: str, rest: str) -> str:
    return f"arn:aws:{service}:{account.region}:{account.account_id}:{rest}"


def _of_dynamodb(operation: Operation, account: Account) -> Iterator[str]:
    given = operation.parameters
    index = given.get("IndexName")
    if given.get("TableName"):
        yield _table(account, str(given["TableName"])) + (f"/index/{index}" if index else "")
    for name in given.get("RequestItems") or {}:
        yield _table(account, str(name))


def _table(account: Account, name: str) -> str:
    return name if name.startswith("arn:") else _arn(account, "dynamodb", f"table/{name}")


def _of_sqs(operation: Operation, account: Account) -> Iterator[str]:
    name = str(operation.parameters.get("QueueUrl") or operation.parameters.get("QueueName") or "")
    if name:
        yield _arn(account, "sqs", name.rstrip("/").rpartition("/")[2])


def _of_ssm(operation: Operation, account: Account) -> Iterator[str]:
    given = operation.parameters
    for name in (given.get("Name"), given.get("Path"), *(given.get("Names") or ())):
        if name:
            # A version or a label isn't part of the ARN.
            bare = str(name) if str(name).startswith("arn:") else str(name).partition(":")[0]
            yield bare if bare.startswith("arn:") else _arn(account, "ssm", f"parameter/{bare.lstrip('/')}")


def _of_secretsmanager(operation: Operation, account: Account) -> Iterator[str]:
    name = operation.parameters.get("SecretId") or operation.parameters.get("Name")
    if name:
        yield _secret(account, str(name))


def _secret(account: Account, name: str) -> str:
    """A secret's ARN, which ends with six random characters."""
    client = account.client("secretsmanager")
    found = read(client, "describe_secret", absent="ResourceNotFoundException", SecretId=name)
    if found is not None:
        return str(found["ARN"])
    return name if name.startswith("arn:") else _arn(account, "secretsmanager", f"secret:{name}")


def _of_sns(operation: Operation, account: Account) -> Iterator[str]:
    given = operation.parameters
    yield str(given.get("TopicArn") or given.get("TargetArn") or given.get("ResourceArn") or "")
    if operation.name == "CreateTopic":
        yield _arn(account, "sns", str(given.get("Name")))
    if given.get("PhoneNumber"):
        yield NO_RESOURCE


def _of_events(operation: Operation, account: Account) -> Iterator[str]:
    given = operation.parameters
    buses = [entry.get("EventBusName") or "default" for entry in given.get("Entries") or ()]
    rule, bus = given.get("Rule") or given.get("Name"), str(given.get("EventBusName") or "default")
    if rule and not buses:
        inner = "" if bus == "default" else f"{bus.rpartition('/')[2]}/"
        yield _arn(account, "events", f"{'event-bus/' if operation.name.endswith('Bus') else f'rule/{inner}'}{rule}")
    for name in buses:
        yield name if name.startswith("arn:") else _arn(account, "events", f"event-bus/{name}")


def _of_lambda(operation: Operation, account: Account) -> Iterator[str]:
    name, qualifier = operation.parameters.get("FunctionName"), operation.parameters.get("Qualifier")
    if name:
        bare = re.sub(r"\A(arn:aws:lambda:[^:]*:)?(\d{12}:)?(function:)?", "", str(name))
        yield _arn(account, "lambda", f"function:{bare}{f':{qualifier}' if qualifier else ''}")


def _of_logs(operation: Operation, account: Account) -> Iterator[str]:
    given = operation.parameters
    group = str(given.get("logGroupName") or given.get("logGroupIdentifier") or "").rpartition(":log-group:")[2]
    if group:
        yield _arn(account, "logs", f"log-group:{group}:log-stream:{given.get('logStreamName') or ''}")


def _of_kms(operation: Operation, account: Account) -> Iterator[str]:
    key = operation.parameters.get("KeyId")
    if key:
        found = read(account.client("kms"), "describe_key", absent="NotFoundException", KeyId=key)
        yield str(found["KeyMetadata"]["Arn"]) if found else _arn(account, "kms", f"key/{key}")


def _of_sts(operation: Operation, _account: Account) -> Iterator[str]:
    yield str(operation.parameters.get("RoleArn") or "")


_FINDERS: Mapping[str, Callable[[Operation, Account], Iterator[str]]] = {
    "dynamodb": _of_dynamodb,
    "sqs": _of_sqs,
    "ssm": _of_ssm,
    "secretsmanager": _of_secretsmanager,
    "sns": _of_sns,
    "events": _of_events,
    "lambda": _of_lambda,
    "logs": _of_logs,
    "kms": _of_kms,
    "sts": _of_sts,
}
