"""The environment variables of a function: its own and those of its grants, as far as Lambda takes them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

import pulumi
import pulumi_aws as aws

from infra.grants import Grant
from infra.rules import ConfigError, is_known, refuse
from infra.variable_names import check_name

ENVIRONMENT_SIZE = 4096
"""Bytes of all variables of a function together, counted as JSON.

Source: "Lambda quotas", Lambda Developer Guide; Lambda's refusals show what is counted
(github-aws-runners/terraform-aws-github-runner#3594).
"""


def check_variables(key: str, variables: Mapping[str, pulumi.Input[str]]) -> None:
    """Variables must have names and values that Lambda accepts and that the image doesn't reserve."""
    for name, text in variables.items():
        check_name(f"{key}.{name}", name, text)
        if isinstance(text, str) and "\0" in text:
            refuse(f"{key}.{name}", "...", "a variable's value can't contain a NUL character", "remove it")
    check_size(variables)


def variables_of(environment: Mapping[str, pulumi.Input[str]], grants: Iterable[Grant]) -> dict[str, pulumi.Input[str]]:
    """Returns the variables of a function: its own, and those of its grants.

    Raises:
        ConfigError: two set the same variable, or Lambda would not accept one of them, or all of them together.
    """
    variables = dict(environment)
    for grant in grants:
        for name, value in grant.variables.items():
            if name in variables:
                refuse(f"environment.{name}", "...", f"the grant {grant.name} sets it as well", "rename one of the two")
            variables[name] = value
    check_variables("environment", variables)
    return variables


def check_size(variables: Mapping[str, pulumi.Input[str]]) -> None:
    """Refuses more variables than Lambda accepts; if a value isn't known yet, only its name counts.

    Raises:
        ConfigError: there are too many.
    """
    known = {name: text if is_known(text) else "" for name, text in variables.items()}
    size = len(json.dumps(known, separators=(",", ":"), ensure_ascii=False).encode())
    if size > ENVIRONMENT_SIZE:
        raise ConfigError(
            f"environment is {size} bytes of names and values, but Lambda takes {ENVIRONMENT_SIZE}: "
            "keep long values in a file or a store, and set only where they are."
        )


def function_environment(
    variables: Mapping[str, pulumi.Input[str]],
) -> aws.lambda_.FunctionEnvironmentArgs | None:
    """Returns the variables, always encrypted in the state, even if a setting wasn't given as a secret: many are."""
    if not variables:
        return None  # an empty block would be a change at every update
    return aws.lambda_.FunctionEnvironmentArgs(variables=pulumi.Output.secret(dict(variables)))
