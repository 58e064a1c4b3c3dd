"""Application Auto Scaling, which MiniStack lacks, in the form of its services: for provisioned concurrency alone.

It keeps targets and policies, and brings the number of environments within a target's bounds. It never scales by load.
Source: Application Auto Scaling API Reference.
"""

import copy
import json
import time
import uuid
from collections.abc import Mapping
from typing import Any

from ministack.core.responses import (  # type: ignore[import-untyped]
    AccountRegionScopedDict,
    error_response_json,
    get_account_id,
    get_region,
)
from ministack.services import lambda_svc  # type: ignore[import-untyped]

Values = dict[str, Any]
_JSON = "application/x-amz-json-1.1"
_DIMENSION = {"ServiceNamespace": "lambda", "ScalableDimension": "lambda:function:ProvisionedConcurrency"}
_SUSPENDED = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")
# Source: "AWS Lambda and Application Auto Scaling", Application Auto Scaling User Guide.
_ROLE = (
    "role/aws-service-role/lambda.application-autoscaling.amazonaws.com/"
    "AWSServiceRoleForApplicationAutoScaling_LambdaConcurrency"
)

_targets = AccountRegionScopedDict()  # by the resource's id, such as function:shop:live
_policies = AccountRegionScopedDict()  # by the resource's id and the policy's name, with a line break between
_tags = AccountRegionScopedDict()  # by the target's ARN
_STORES = {"targets": _targets, "policies": _policies, "tags": _tags}


class _RefusedError(Exception):
    """An error of AWS's: its code, and its message."""


async def handle_request(
    _method: str, _path: str, headers: Mapping[str, str], body: bytes, _query: Mapping[str, object]
) -> tuple[int, dict[str, str], bytes]:
    """Answer one request."""
    operation = headers.get("x-amz-target", "").partition(".")[2]
    try:
        if operation not in _OPERATIONS:
            raise _RefusedError("UnknownOperationException", f"the sandbox doesn't have {operation}")
        answer = _OPERATIONS[operation](json.loads(body or b"{}"))
    except _RefusedError as error:
        status, headers_of_error, text = error_response_json(*error.args, content_type=_JSON)
        return status, headers_of_error, text
    return 200, {"Content-Type": _JSON}, json.dumps(answer).encode()


def reset() -> None:
    """Forget everything."""
    for store in _STORES.values():
        store.clear()


def get_state() -> Values:
    """Return what is written when MiniStack ends."""
    return {name: copy.deepcopy(store) for name, store in _STORES.items()}


def load_persisted_state(state: Mapping[str, Any]) -> None:
    """Take what was written when MiniStack ended."""
    reset()
    for name, store in _STORES.items():
        store.update(state.get(name) or {})


def _register(request: Values) -> Values:
    resource = request["ResourceId"]
    before = _targets.get(resource)
    if before is None:
        identity = uuid.uuid4().hex
        before = {
            **_DIMENSION,
            "ResourceId": resource,
            "RoleARN": f"arn:aws:iam::{get_account_id()}:{_ROLE}",
            "CreationTime": time.time(),
            "SuspendedState": dict.fromkeys(_SUSPENDED, False),
            "ScalableTargetARN": (
                f"arn:aws:application-autoscaling:{get_region()}:{get_account_id()}:scalable-target/{identity}"
            ),
        }
        _tags[before["ScalableTargetARN"]] = request.get("Tags", {})
    changed = {name: request[name] for name in ("MinCapacity", "MaxCapacity") if name in request}
    suspended = {"SuspendedState": {**before["SuspendedState"], **request.get("SuspendedState", {})}}
    _targets[resource] = target = {**before, **changed, **suspended}
    _bring_within(target)
    return {"ScalableTargetARN": target["ScalableTargetARN"]}


def _bring_within(target: Values) -> None:
    """Change the number of environments to one within the bounds, as `RegisterScalableTarget` does."""
    _, function, qualifier = target["ResourceId"].split(":")
    _, _, found = lambda_svc._get_provisioned_concurrency(function, qualifier)
    now = json.loads(found).get("RequestedProvisionedConcurrentExecutions", 0)
    wanted = min(max(now, target["MinCapacity"]), target["MaxCapacity"])
    if wanted != now:
        lambda_svc._put_provisioned_concurrency(function, qualifier, {"ProvisionedConcurrentExecutions": wanted})


def _deregister(request: Values) -> Values:
    target = _targets.pop(_registered(request)["ResourceId"])
    _tags.pop(target["ScalableTargetARN"], None)
    for key, policy in list(_policies.items()):
        if policy["ResourceId"] == target["ResourceId"]:
            del _policies[key]
    return {}


def _registered(request: Values) -> Values:
    target: Values | None = _targets.get(request["ResourceId"])
    if target is None:
        raise _RefusedError(
            "ObjectNotFoundException",
            f"No scalable target registered for service namespace: {request['ServiceNamespace']}, resource ID: "
            f"{request['ResourceId']}, scalable dimension: {request['ScalableDimension']}",
        )
    return target


def _put_policy(request: Values) -> Values:
    resource, name = _registered(request)["ResourceId"], request["PolicyName"]
    arn = (
        f"arn:aws:autoscaling:{get_region()}:{get_account_id()}:scalingPolicy:{uuid.uuid4()}:"
        f"resource/lambda/{resource}:policyName/{name}"
    )
    before = _policies.get(_key(request), {"PolicyARN": arn, "CreationTime": time.time(), "Alarms": []})
    _policies[_key(request)] = {**before, **request}
    return {"PolicyARN": before["PolicyARN"], "Alarms": []}


def _key(request: Values) -> str:
    return f"{request['ResourceId']}\n{request['PolicyName']}"


def _delete_policy(request: Values) -> Values:
    if _policies.pop(_key(request), None) is None:
        raise _RefusedError("ObjectNotFoundException", f"No scaling policy found for {request['PolicyName']}")
    return {}


def _describe_targets(request: Values) -> Values:
    wanted = request.get("ResourceIds")
    return {"ScalableTargets": [each for each in _targets.values() if not wanted or each["ResourceId"] in wanted]}


def _describe_policies(request: Values) -> Values:
    wanted, resource = request.get("PolicyNames"), request.get("ResourceId")
    found = [each for each in _policies.values() if not wanted or each["PolicyName"] in wanted]
    return {"ScalingPolicies": [each for each in found if resource in (None, each["ResourceId"])]}


def _list_tags(request: Values) -> Values:
    return {"Tags": _tags.get(request["ResourceARN"], {})}


def _tag(request: Values) -> Values:
    _tags[request["ResourceARN"]] = {**_tags.get(request["ResourceARN"], {}), **request["Tags"]}
    return {}


def _untag(request: Values) -> Values:
    tags = _tags.get(request["ResourceARN"], {})
    _tags[request["ResourceARN"]] = {key: value for key, value in tags.items() if key not in request["TagKeys"]}
    return {}


_OPERATIONS = {
    "RegisterScalableTarget": _register,
    "DeregisterScalableTarget": _deregister,
    "DescribeScalableTargets": _describe_targets,
    "PutScalingPolicy": _put_policy,
    "DeleteScalingPolicy": _delete_policy,
    "DescribeScalingPolicies": _describe_policies,
    "ListTagsForResource": _list_tags,
    "TagResource": _tag,
    "UntagResource": _untag,
}
