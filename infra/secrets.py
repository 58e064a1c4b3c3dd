"""Secrets: which parameters and secrets the runtime reads into environment variables at init."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from infra.grants import Grant
from infra.rules import check, checked_by, refuse
from infra.variable_names import check_name

PLACE_OF = "DUALMODE_SECRET_"
"""Begins the name of the variable that says where the value of another one is: the function never gets the value."""

STAND_IN = "a-secret-of-the-function"
"""What a secret is while the image's build imports the application: the build can't read it, and must not."""

PARAMETER = re.compile(r"/?[a-zA-Z0-9_.-]+(?:/[a-zA-Z0-9_.-]+)*(?::[a-zA-Z0-9_.-]+)?")
"""A parameter's name, and `:version` or `:label`. Source: `PutParameter`, Systems Manager API Reference."""

SECRET = re.compile(r"[a-zA-Z0-9/_+=.@-]{1,512}")
"""A secret's name. Source: `CreateSecret`, Secrets Manager API Reference."""

ARN = re.compile(
    rf"arn:[a-z-]+:(?:ssm:[a-z0-9-]+:[0-9]{{12}}:parameter/{PARAMETER.pattern}"
    rf"|secretsmanager:[a-z0-9-]+:[0-9]{{12}}:secret:{SECRET.pattern})"
)


def check_places(key: str, secrets: Mapping[str, pulumi.Input[str]]) -> None:
    """Each variable must have a name that can be set late, and a place where its value can be."""
    for name, given in secrets.items():
        check_name(f"{key}.{name}", name)
        if name.startswith("DUALMODE_"):
            refuse(f"{key}.{name}", "...", "the runtime reads that variable before it reads secrets", "rename it")
        if not isinstance(given, str):
            continue
        service, _, rest = place_of(given).partition(":")
        if not {"ssm": PARAMETER, "secretsmanager": SECRET, "arn": ARN}[service].fullmatch(
            given if service == "arn" else rest
        ):
            refuse(
                f"{key}.{name}",
                "...",  # it may be the secret itself
                "a secret is named by where it is, and not by its value",
                "set the name of a parameter, which begins with /, or of a secret of Secrets Manager, or an ARN",
            )


@dataclass(frozen=True, kw_only=True)
class SecretSettings:
    """Where the values of secret variables are."""

    secrets: Mapping[str, pulumi.Input[str]] = field(default_factory=dict, metadata=checked_by(check_places))

    def __post_init__(self) -> None:
        """Checks the settings that are already known.

        Raises:
            ConfigError: a variable or the place of its value has a name that can't be.
        """
        check(self)


class Secrets(pulumi.ComponentResource):
    """The secrets of a function: it is told where they are, and may read exactly these.

    In another Pulumi program:

        import pulumi
        from infra.container_function import ContainerFunction, FunctionSettings
        from infra.secrets import Secrets, SecretSettings

        secrets = Secrets("secrets", SecretSettings(secrets={"DATABASE_URL": "/shop/database-url"}))
        ContainerFunction(
            "function",
            FunctionSettings(),
            function_name="shop",
            image_uri=pulumi.Config().require("image"),
            grants=[secrets.grant],
        )
    """

    grant: Grant

    def __init__(self, name: str, settings: SecretSettings, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("dualmode:index:Secrets", name, None, opts)
        options = pulumi.InvokeOutputOptions(parent=self)
        account = aws.get_caller_identity_output(opts=options)
        region = aws.get_region_output(opts=options).region
        places = {
            variable: pulumi.Output.from_input(given).apply(place_of) for variable, given in settings.secrets.items()
        }
        arns = pulumi.Output.all(list(places.values()), account.arn, account.account_id, region).apply(
            lambda known: arns_of(*known)
        )
        self.grant = Grant(
            name=name,
            statements=arns.apply(read_statements),
            variables={f"{PLACE_OF}{variable}": place for variable, place in places.items()},
            stand_ins=dict.fromkeys(places, STAND_IN),
        )
        self.register_outputs({})


def place_of(given: str) -> str:
    """Returns the place of a secret as the runtime takes it: `ssm:NAME`, `secretsmanager:NAME` or an ARN."""
    if given.startswith(("arn:", "ssm:", "secretsmanager:")):
        return given
    return f"ssm:{given}" if given.startswith("/") else f"secretsmanager:{given}"


def arns_of(places: list[str], caller_arn: str, account_id: str, region: str) -> list[str]:
    """Returns the ARNs of secrets, for a policy."""
    partition = caller_arn.split(":")[1]
    found = []
    for place in places:
        service, _, name = place.partition(":")
        if service == "arn":
            _, _, service, _, _, kind, *rest = place.split(":")
            # A parameter's version or label isn't part of its ARN.
            place = ":".join(place.split(":")[:6]) if service == "ssm" else place
            complete = service == "ssm" or re.search(r"-[a-zA-Z0-9]{6}$", rest[0] if rest else kind)
            found.append(place if complete else f"{place}-??????")
        elif service == "ssm":
            bare = name.partition(":")[0].lstrip("/")
            found.append(f"arn:{partition}:ssm:{region}:{account_id}:parameter/{bare}")
        else:
            # Secrets Manager ends each ARN with six random characters.
            found.append(f"arn:{partition}:secretsmanager:{region}:{account_id}:secret:{name}-??????")
    return sorted(set(found))


def read_statements(arns: list[str]) -> list[dict[str, object]]:
    """Returns the permissions to read these parameters and secrets, and no others.

    A key of Key Management Service that is not AWS's own needs `kms:Decrypt` too, by the setting `policy`.
    """
    parameters = [arn for arn in arns if arn.split(":")[2] == "ssm"]
    secrets = [arn for arn in arns if arn.split(":")[2] == "secretsmanager"]
    statements: list[dict[str, object]] = []
    if parameters:
        statements.append({"Effect": "Allow", "Action": "ssm:GetParameters", "Resource": parameters})
    if secrets:
        statements.append({"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": secrets})
        # The action takes no resource; it only gives the secrets that the statement above allows.
        # Source: "Actions, resources, and condition keys for AWS Secrets Manager", Service Authorization Reference.
        statements.append({"Effect": "Allow", "Action": "secretsmanager:BatchGetSecretValue", "Resource": "*"})
    return statements
