"""What a function in a VPC names, and what its role must be allowed for that."""

from typing import Any

from botocore.exceptions import ClientError

from sandbox.provider.aws import Aws, Values
from sandbox.provider.refusals import ResourceRefusedError
from sandbox.provider.services.iam import role_allows

_REFUSED = "InvalidParameterValueException"


def check(aws: Aws, config: Values | None, role_name: str) -> None:
    """Refuse what Lambda refuses of a function's VPC.

    Raises:
        ResourceRefusedError: a subnet or security group doesn't exist, they are in different VPCs, there is only one of
            the two kinds, or the role may not make network interfaces.

    Source: "VpcConfig", Lambda API Reference, and "Giving Lambda functions access to resources in an Amazon VPC".
    """
    if not config:
        return
    subnets, groups = config.get("SubnetIds") or [], config.get("SecurityGroupIds") or []
    if bool(subnets) != bool(groups):
        missing = "SecurityGroupIds" if subnets else "SubnetIds"
        raise ResourceRefusedError(_REFUSED, f"{missing} must not be empty in a VpcConfig", "vpcConfig")
    ec2 = aws.client("ec2")
    found = _found(lambda: ec2.describe_subnets(SubnetIds=subnets)["Subnets"])
    found += _found(lambda: ec2.describe_security_groups(GroupIds=groups)["SecurityGroups"])
    if len({each["VpcId"] for each in found}) > 1:
        raise ResourceRefusedError(_REFUSED, "the subnets and security groups are in different VPCs", "vpcConfig")
    place = f"arn:aws:ec2:{aws.region}:{aws.account_id}"
    resources = (f"{place}:network-interface/eni-0", *(f"{place}:subnet/{subnet}" for subnet in subnets))
    if not all(role_allows(aws.client("iam"), role_name, "ec2:CreateNetworkInterface", each) for each in resources):
        raise ResourceRefusedError(
            _REFUSED,
            "The provided execution role does not have permissions to call CreateNetworkInterface on EC2",
            "role",
        )


def _found(ask: Any) -> list[Any]:
    try:
        return list(ask())
    except ClientError as error:
        raise ResourceRefusedError(_REFUSED, error.response["Error"]["Message"].rstrip("."), "vpcConfig") from None
