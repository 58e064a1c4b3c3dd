"""The deployment as boxes in columns with links between them, read from the account: names and numbers, no values."""

import itertools
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import urlsplit

from walk.account import Account
from walk.call import function_at
from walk.function_url import find_url
from walk.function_version import shares_of
from walk.queries import every, read
from walk.role_permission import own_policies, statements_of

COLUMNS = ("DNS", "Domain", "API and events", "Alias", "Versions", "What they use")
_DNS, _DOMAIN, _API, _ALIAS, _VERSION, _USED = range(len(COLUMNS))

_NEWEST = 4
"""Versions that are shown beside those that get requests."""

# What a role's statements name, by the service in the ARN: the kind, and where its name begins.
_KINDS = {
    "dynamodb": ("table", "table/"),
    "sqs": ("queue", ""),
    "ssm": ("parameter", "parameter"),
    "secretsmanager": ("secret", "secret:"),
    "sns": ("topic", ""),
    "s3": ("bucket", ""),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A resource. `column` is its place in COLUMNS, `live` says whether requests reach it."""

    id: str
    column: int
    kind: str
    name: str
    detail: str = ""
    live: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """The way from one resource to another one, with its share of the requests (0 to 1)."""

    begin: str
    end: str
    share: float = 1.0


@dataclass(slots=True)
class Picture:
    """What the account holds of a deployment; whatever nothing leads to is left out."""

    boxes: dict[str, Box] = field(default_factory=dict)
    links: dict[Link, None] = field(default_factory=dict)
    """A set that keeps its order."""

    def add(self, box: Box) -> None:
        """Add a box; of two with the same id, the first one stays."""
        self.boxes.setdefault(box.id, box)

    def link(self, begin: str, end: str, share: float = 1.0) -> None:
        """Link two boxes."""
        self.links[Link(begin=begin, end=end, share=share)] = None

    def document(self) -> dict[str, object]:
        """Return it as the page gets it."""
        links = [asdict(link) for link in self.links if link.begin in self.boxes and link.end in self.boxes]
        return {"columns": COLUMNS, "boxes": [asdict(box) for box in self.boxes.values()], "links": links}


def picture_of(account: Account) -> Picture:
    """Return the picture of what the account holds now.

    Raises:
        UnreadableAccountError: the account can't be read.
    """
    picture = Picture()
    _events(account, picture)
    _functions(account, picture)
    _apis(account, picture)
    targets = {**_distributions(account, picture), **_domains(account, picture)}
    _records(account, picture, targets)
    return picture


def _functions(account: Account, picture: Picture) -> None:
    client = account.client("lambda")
    for function in every(client, "list_functions", "Functions"):
        name = function["FunctionName"]
        given: dict[str, float] = {}
        for alias in every(client, "list_aliases", "Aliases", FunctionName=name):
            shares = {version: share for version, share in shares_of(account, name, alias["Name"]).items() if share > 0}
            words = ", ".join(f"{100 * share:g} % to version {version}" for version, share in shares.items())
            own = f"{name}:{alias['Name']}"
            picture.add(Box(id=own, column=_ALIAS, kind="alias", name=own, detail=words))
            for version, share in shares.items():
                picture.link(own, f"{name}:{version}", share)
                given[version] = max(share, given.get(version, 0.0))
        versions = every(client, "list_versions_by_function", "Versions", FunctionName=name)
        numbered = sorted((each for each in versions if each["Version"].isdecimal()), key=lambda v: int(v["Version"]))
        for version in reversed(numbered):
            if version["Version"] in given or version in numbered[-_NEWEST:]:
                _version(account, picture, version, live=version["Version"] in given)


def _version(account: Account, picture: Picture, configuration: Mapping[str, Any], *, live: bool) -> None:
    name, number = configuration["FunctionName"], configuration["Version"]
    own = f"{name}:{number}"
    found = read(
        account.client("lambda"),
        "get_function",
        absent="ResourceNotFoundException",
        FunctionName=name,
        Qualifier=number,
    )
    digest = str(((found or {}).get("Code") or {}).get("ImageUri", "")).partition("@sha256:")[2]
    details = [f"{configuration['MemorySize']} MB", f"{configuration['Timeout']} s"]
    details += [f"image {digest[:12]}"] if digest else []
    box = Box(id=own, column=_VERSION, kind="version", name=f"version {number}", detail=", ".join(details), live=live)
    picture.add(box)
    if live:
        group = (configuration.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{name}"
        picture.add(Box(id=f"logs:{group}", column=_USED, kind="log group", name=group))
        picture.link(own, f"logs:{group}")
        _role(account, picture, own, str(configuration["Role"]))


def _role(account: Account, picture: Picture, version: str, arn: str) -> None:
    """The role that a version runs as, and what its own policies name."""
    client, name = account.client("iam"), arn.rpartition("/")[2]
    if arn not in picture.boxes:
        if read(client, "get_role", absent="NoSuchEntity", RoleName=name) is None:
            return
        attached = every(client, "list_attached_role_policies", "AttachedPolicies", RoleName=name)
        detail = ", ".join(policy["PolicyName"] for policy in attached)
        picture.add(Box(id=arn, column=_USED, kind="role", name=name, detail=detail))
        for statement in itertools.chain.from_iterable(map(statements_of, own_policies(account, name))):
            resources = statement.get("Resource", [])
            for resource in resources if isinstance(resources, list) else [resources]:
                _used(picture, version, resource)
    picture.link(version, arn)


def _used(picture: Picture, version: str, arn: str) -> None:
    parts = arn.split(":", 5)
    if len(parts) < 6 or parts[2] not in _KINDS or "*" in parts[5].partition("/index/")[0].removesuffix("/*"):
        return
    kind, before = _KINDS[parts[2]]
    name = parts[5].partition("/index/")[0].removesuffix("/*").removeprefix(before)
    own = f"{kind}:{name}"
    picture.add(Box(id=own, column=_USED, kind=kind, name=name))
    if picture.boxes[own].column == _USED:  # not a queue whose messages the function gets
        picture.link(version, own)


def _events(account: Account, picture: Picture) -> None:
    """Queues, schedules and rules that give events to a function."""
    for mapping in every(account.client("lambda"), "list_event_source_mappings", "EventSourceMappings"):
        parts = str(mapping.get("EventSourceArn", "")).split(":", 5)
        if len(parts) == 6 and (target := _function(mapping.get("FunctionArn"))):
            kind = _KINDS.get(parts[2], ("event source", ""))[0]
            own = f"{kind}:{parts[5]}"
            detail = f"batches of {mapping.get('BatchSize', 1)}, {str(mapping.get('State', '')).lower()}"
            picture.add(Box(id=own, column=_API, kind=kind, name=parts[5], detail=detail))
            picture.link(own, target)
    scheduler = account.client("scheduler")
    for each in every(scheduler, "list_schedules", "Schedules"):
        if target := _function((each.get("Target") or {}).get("Arn")):
            named = {"Name": each["Name"], "GroupName": each.get("GroupName", "default")}
            found = read(scheduler, "get_schedule", absent="ResourceNotFoundException", **named) or {}
            own, state = f"schedule:{each['Name']}", str(each.get("State", "ENABLED")).lower()
            detail = f"{found.get('ScheduleExpression', '')}, {state}"
            picture.add(Box(id=own, column=_API, kind="schedule", name=each["Name"], detail=detail))
            picture.link(own, target)
    events = account.client("events")
    for bus in every(events, "list_event_buses", "EventBuses"):
        named = {"EventBusName": bus["Name"]}
        of_bus = "" if bus["Name"] == "default" else f" of bus {bus['Name']}"
        for rule in every(events, "list_rules", "Rules", **named):
            for goal in every(events, "list_targets_by_rule", "Targets", Rule=rule["Name"], **named):
                if target := _function(goal.get("Arn")):
                    own = f"rule:{bus['Name']}/{rule['Name']}"
                    detail = str(rule.get("ScheduleExpression") or f"events{of_bus} that match")
                    picture.add(Box(id=own, column=_API, kind="rule", name=rule["Name"], detail=detail))
                    picture.link(own, target)


def _apis(account: Account, picture: Picture) -> None:
    gateway = account.client("apigatewayv2")
    for api in every(gateway, "get_apis", "Items"):
        known = {"ApiId": api["ApiId"]}
        routes = every(gateway, "get_routes", "Items", **known)
        used = {str(route.get("Target", "")).removeprefix("integrations/") for route in routes}
        integrations = every(gateway, "get_integrations", "Items", **known)
        uris = {each.get("IntegrationUri") for each in integrations if each["IntegrationId"] in used}
        targets = {target for uri in uris if (target := _function(uri))}
        keys = ", ".join(sorted(route["RouteKey"] for route in routes)) or "no route"
        for stage in every(gateway, "get_stages", "Items", **known):
            own = f"{api['ApiId']}/{stage['StageName']}"
            limits = stage.get("DefaultRouteSettings") or {}
            rate, burst = limits.get("ThrottlingRateLimit"), limits.get("ThrottlingBurstLimit")
            throttle = f"; {float(rate or 0):g} requests/s, burst {burst or 0}" if rate or burst else ""
            name = f"{api['Name']}, stage {stage['StageName']}"
            picture.add(Box(id=own, column=_API, kind="API", name=name, detail=f"routes {keys}{throttle}"))
            for target in sorted(targets):
                picture.link(own, target)


def _function(uri: object) -> str:
    """The id of the box of the alias or version whose ARN is in an URI; "" for anything else."""
    found = function_at(str(uri or ""))
    return f"{found['name']}:{found['qualifier'] or '$LATEST'}" if found else ""


def _distributions(account: Account, picture: Picture) -> dict[str, str]:
    """The ids of distributions' boxes by the names in DNS that lead to them."""
    targets = {}
    for found in every(account.client("cloudfront"), "list_distributions", "DistributionList.Items"):
        own = str(found["Id"])
        state = "enabled" if found.get("Enabled") else "disabled"
        picture.add(
            Box(id=own, column=_DOMAIN, kind="distribution", name=found["DomainName"], detail=f"{own}, {state}")
        )
        for origin in (found.get("Origins") or {}).get("Items", []):
            labels = str(origin["DomainName"]).split(".")
            picture.link(own, f"{labels[0]}/$default")
        targets[str(found["DomainName"]).lower()] = own
    return targets


def _domains(account: Account, picture: Picture) -> dict[str, str]:
    """The ids of custom domains' boxes by the names in DNS that lead to them; Function URLs are drawn too."""
    gateway, client = account.client("apigatewayv2"), account.client("lambda")
    targets = {}
    for domain in every(gateway, "get_domain_names", "Items"):
        name = domain["DomainName"]
        own = f"domain:{name}"
        tls = ", ".join(sorted({each.get("SecurityPolicy", "") for each in domain["DomainNameConfigurations"]} - {""}))
        picture.add(Box(id=own, column=_DOMAIN, kind="domain", name=name, detail=tls.replace("TLS_1_", "TLS 1.")))
        for mapping in every(gateway, "get_api_mappings", "Items", DomainName=name):
            picture.link(own, f"{mapping['ApiId']}/{mapping['Stage']}")
        for configuration in domain["DomainNameConfigurations"]:
            targets[str(configuration["ApiGatewayDomainName"]).lower()] = own
    for function in every(client, "list_functions", "Functions"):
        named = {"FunctionName": function["FunctionName"]}
        for url in every(client, "list_function_url_configs", "FunctionUrlConfigs", **named):
            own = str(url["FunctionUrl"])
            picture.add(Box(id=own, column=_DOMAIN, kind="Function URL", name=own, detail=str(url["AuthType"])))
            found = find_url(account, str(urlsplit(own).hostname))
            picture.link(own, _function(found and found[0]))
    return targets


def _records(account: Account, picture: Picture, targets: Mapping[str, str]) -> None:
    """The records that lead to a domain or a distribution."""
    client = account.client("route53")
    found: dict[tuple[str, str, str], list[str]] = {}
    for zone in every(client, "list_hosted_zones", "HostedZones"):
        for record in every(client, "list_resource_record_sets", "ResourceRecordSets", HostedZoneId=zone["Id"]):
            alias = str((record.get("AliasTarget") or {}).get("DNSName", "")).rstrip(".").lower()
            values = [str(value["Value"]).rstrip(".").lower() for value in record.get("ResourceRecords") or []]
            for end in {targets[name] for name in (alias, *values) if name in targets}:
                key = (str(record["Name"]).rstrip("."), str(zone["Name"]).rstrip("."), end)
                found.setdefault(key, []).append(str(record["Type"]))
    for (name, zone_name, end), types in found.items():
        own = f"record:{name}"
        detail = f"{', '.join(sorted(types))} in zone {zone_name}"
        picture.add(Box(id=own, column=_DNS, kind="record", name=name, detail=detail))
        picture.link(own, end)
