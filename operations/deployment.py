"""Which deployment a command works on: a Pulumi stack's, or a function that is named directly."""

import argparse
import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from operations.errors import OperationError
from walk.account import Account

LIVE_ALIAS = "live"
"""The alias that every client goes through."""

_PULUMI_SECONDS = 120
_EXECUTE_API = re.compile(r"(?P<id>[a-z0-9]+)\.execute-api\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(\.cn)?")
_SANDBOX_API = re.compile(r"(?P<id>[a-z0-9]+)\.execute-api\.localhost")


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """A deployed function and where it is served; a text that isn't known is empty."""

    account: Account
    function_name: str
    url: str = ""
    api_endpoint: str = ""
    image_uri: str = ""
    stack: str = ""

    @property
    def name_for_pulumi(self) -> str:
        """The option with which a `pulumi` command means the same stack; empty for the selected one."""
        return f" --stack {self.stack}" if self.stack else ""

    @property
    def functions(self) -> Any:
        """Lambda's client."""
        return self.account.client("lambda")

    def configuration(self, qualifier: str = LIVE_ALIAS) -> dict[str, Any]:
        """Return Lambda's description of what a qualifier stands for."""
        found = self.functions.get_function_configuration(FunctionName=self.function_name, Qualifier=qualifier)
        return dict(found)

    def log_group(self) -> str:
        """Return the name of the function's log group."""
        logging = self.configuration().get("LoggingConfig") or {}
        return str(logging.get("LogGroup") or f"/aws/lambda/{self.function_name}")

    def api_id(self) -> str:
        """Return the id of the API in front of the function, or "" if no address tells it."""
        for address in (self.api_endpoint, self.url):
            host = urlsplit(address).hostname or ""
            if found := _EXECUTE_API.fullmatch(host) or _SANDBOX_API.fullmatch(host):
                return found["id"]
        domain_name = urlsplit(self.url).hostname
        if not domain_name:
            return ""
        mappings = self.account.client("apigatewayv2").get_api_mappings(DomainName=domain_name).get("Items", [])
        return str(mappings[0]["ApiId"]) if mappings else ""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that say which deployment is meant."""
    which = parser.add_argument_group("which deployment")
    which.add_argument(
        "--stack", metavar="NAME", help="Pulumi stack; the selected one if neither this nor --function is given"
    )
    which.add_argument(
        "--function", metavar="NAME", help="function, instead of a stack: no pulumi command is needed then"
    )
    which.add_argument("--url", metavar="URL", help="address at which the function is served, with --function")
    which.add_argument("--region", metavar="REGION", help="AWS region, if it is not the stack's or the environment's")


def find(options: argparse.Namespace) -> Deployment:
    """Return the deployment that the options name.

    Raises:
        OperationError: the stack has no deployment, or can't be read.
        BotoCoreError: there is no region, or the AWS profile doesn't exist.
    """
    if options.function:
        account = account_of(options.region)
        return Deployment(account=account, function_name=options.function, url=options.url or "")
    outputs = stack_outputs(options.stack)
    if not outputs.get("function_name"):
        which = f"stack {options.stack}" if options.stack else "selected stack"
        raise OperationError(f"The {which} has no output function_name: deploy it with `pulumi up` first.")
    endpoint = str(outputs.get("api_endpoint", ""))
    found = _EXECUTE_API.fullmatch(urlsplit(endpoint).hostname or "")
    return Deployment(
        account=account_of(options.region or (found["region"] if found else None)),
        function_name=str(outputs["function_name"]),
        url=str(options.url or outputs.get("url", "")),
        api_endpoint=endpoint,
        image_uri=str(outputs.get("image_uri", "")),
        stack=options.stack or "",
    )


def account_of(region: str | None) -> Account:
    """Return the account of the environment's credentials, in a region or else in the environment's.

    Raises:
        OperationError: no region is set.
    """
    import boto3

    region = region or os.environ.get("AWS_REGION") or boto3.Session().region_name
    if not region:
        raise OperationError("No AWS region is set: give --region, or set AWS_REGION.")
    return Account(None, region)


def stack_outputs(stack: str | None) -> dict[str, Any]:
    """Return the outputs of a Pulumi stack; of the selected one if none is named.

    Raises:
        OperationError: the pulumi command is missing or fails.
    """
    command = shutil.which("pulumi")
    if command is None:
        raise OperationError(
            "The pulumi command is not on the PATH, so the stack's outputs can't be read: install it, or name the "
            "function with --function NAME and its address with --url URL."
        )
    words = [command, "stack", "output", "--json", "--non-interactive", *(["--stack", stack] if stack else [])]
    try:
        done = subprocess.run(
            words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_PULUMI_SECONDS, check=False
        )
        outputs = json.loads(done.stdout) if done.returncode == 0 else None
    except subprocess.TimeoutExpired:
        raise OperationError(
            f"`pulumi stack output` gave no answer within {_PULUMI_SECONDS} s: check that its backend can be reached."
        ) from None
    except ValueError:
        outputs = None
    if not isinstance(outputs, dict):
        said = next((line.strip() for line in reversed(done.stderr.splitlines()) if line.strip()), "no reason given")
        raise OperationError(
            f"`pulumi stack output` failed ({said.removeprefix('error: ').rstrip('.')}): log in with `pulumi login`, "
            "choose a stack with --stack NAME, or name the function with --function NAME."
        )
    return outputs
