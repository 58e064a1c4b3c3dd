"""The alias `live`: which versions of the function get the requests, and a way to change that."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from operations.deployment import LIVE_ALIAS, Deployment
from operations.errors import OperationError
from walk.queries import read as read_answer


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveAlias:
    """The version of the alias, and the shares (0 to 1) of others; `revision` changes with each update."""

    version: str
    weights: Mapping[str, float] = field(default_factory=dict)
    revision: str = field(default="", compare=False)

    def share(self, version: str) -> float:
        """Return the share of the requests that a version gets, from 0 to 1."""
        if version == self.version:
            return 1 - sum(self.weights.values())
        return self.weights.get(version, 0.0)

    def __str__(self) -> str:
        if not self.weights:
            return f"version {self.version}"
        return " and ".join(
            f"version {version} to {100 * self.share(version):g} %" for version in (self.version, *self.weights)
        )


def read(deployment: Deployment) -> LiveAlias:
    """Return the alias as it is now."""
    return _described(deployment.functions.get_alias(FunctionName=deployment.function_name, Name=LIVE_ALIAS))


def check_shares(deployment: Deployment) -> None:
    """Check that the alias can give a share of the requests to a second version.

    Raises:
        OperationError: it has provisioned concurrency, and then leads to one version.
    """
    found = read_answer(
        deployment.functions,
        "get_provisioned_concurrency_config",
        absent=("ProvisionedConcurrencyConfigNotFoundException", "ResourceNotFoundException"),
        FunctionName=deployment.function_name,
        Qualifier=LIVE_ALIAS,
    )
    if found is not None:
        number, stack = found["RequestedProvisionedConcurrentExecutions"], deployment.name_for_pulumi
        raise OperationError(
            f"live has provisioned concurrency ({number}), and then AWS lets it lead to one version only: run `pulumi "
            f"config set provisionedConcurrency 0{stack}` and `pulumi up`, release, then set it to {number} again."
        )


def move(deployment: Deployment, before: LiveAlias, after: LiveAlias) -> LiveAlias:
    """Change the alias, if it is still as it was read; return it as it is then.

    Raises:
        ClientError: something else has changed it since.
    """
    answer = deployment.functions.update_alias(
        FunctionName=deployment.function_name,
        Name=LIVE_ALIAS,
        FunctionVersion=after.version,
        RoutingConfig={"AdditionalVersionWeights": dict(after.weights)},
        **({"RevisionId": before.revision} if before.revision else {}),
    )
    return _described(answer)


def _described(answer: Mapping[str, Any]) -> LiveAlias:
    weights = (answer.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    return LiveAlias(
        version=str(answer["FunctionVersion"]),
        weights={str(version): float(weight) for version, weight in weights.items() if weight},
        revision=str(answer.get("RevisionId", "")),
    )
