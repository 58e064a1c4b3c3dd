"""All that a deployment can make, as the account lists it, and what of it the state doesn't know."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import jmespath

from sandbox.provider.provider import MAY_BE_LEFT
from sandbox.pulumi_drivers.resources import Resource
from walk.account import Account

# Ids of API Gateway and of zones, UUIDs, the ends of names that Pulumi makes, and the port of this run.
_UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_RANDOM = re.compile(rf"\b[0-9a-f]{{6,8}}$|{_UUID}|-[0-9a-f]{{7}}$|\bZ[0-9A-Z]{{9,}}_|:\d{{4,5}}/")
# Service, operation, and the ids in its answer.
_ALONE = (
    ("acm", "list_certificates", "CertificateSummaryList[].CertificateArn"),
    ("apigatewayv2", "get_apis", "Items[].ApiId"),
    ("apigatewayv2", "get_domain_names", "Items[].DomainName"),
    ("cloudwatch", "describe_alarms", "MetricAlarms[].AlarmName"),
    ("cloudwatch", "list_dashboards", "DashboardEntries[].DashboardName"),
    ("dynamodb", "list_tables", "TableNames"),
    ("ecr", "describe_repositories", "repositories[].repositoryName"),
    ("events", "list_rules", "Rules[].Name"),
    ("iam", "list_roles", "Roles[].RoleName"),
    ("lambda", "list_functions", "Functions[].FunctionName"),
    ("lambda", "list_event_source_mappings", "EventSourceMappings[].UUID"),
    ("logs", "describe_log_groups", "logGroups[].logGroupName"),
    ("logs", "describe_metric_filters", "metricFilters[].filterName"),
    ("scheduler", "list_schedules", "Schedules[].join('/', [GroupName, Name])"),
    ("sns", "list_topics", "Topics[].TopicArn"),
    ("sns", "list_subscriptions", "Subscriptions[].SubscriptionArn"),
    ("sqs", "list_queues", "QueueUrls"),
    ("ssm", "describe_parameters", "Parameters[].Name"),
)
_APIS = ("apigatewayv2", "get_apis", "Items[].ApiId", "ApiId")
_DOMAINS = ("apigatewayv2", "get_domain_names", "Items[].DomainName", "DomainName")
_ROLES = ("iam", "list_roles", "Roles[].RoleName", "RoleName")
_FUNCTIONS = ("lambda", "list_functions", "Functions[].FunctionName", "FunctionName")
# The same below each of another listing's ids, which is given by this name.
_BELOW = (
    (*_APIS, "get_routes", "Items[].RouteId"),
    (*_APIS, "get_integrations", "Items[].IntegrationId"),
    (*_APIS, "get_stages", "Items[].StageName"),
    (*_APIS, "get_authorizers", "Items[].AuthorizerId"),
    (*_DOMAINS, "get_api_mappings", "Items[].ApiMappingId"),
    (*_ROLES, "list_role_policies", "PolicyNames"),
    (*_FUNCTIONS, "list_aliases", "Aliases[].Name"),
)

# What an interrupted creation may leave, since AWS names it and nothing tells it from others: by its listing.
_NAMED_BY_AWS = {
    "get_apis": "aws:apigatewayv2/api:Api",
    "get_authorizers": "aws:apigatewayv2/authorizer:Authorizer",
    "get_integrations": "aws:apigatewayv2/integration:Integration",
    "list_certificates": "aws:acm/certificate:Certificate",
}
_SAID = re.compile(rf"(\S+) '(\S+)'.*{MAY_BE_LEFT}")


def said_to_be_left(lines: str) -> list[tuple[str, str]]:
    """Type and name of each resource of which a line says that something may be left that Pulumi doesn't know."""
    return sorted(set(_SAID.findall(lines)))


def names_in(account: Account) -> list[str]:
    """Each thing in the account, without what AWS or Pulumi names at random."""
    found = ((operation, _RANDOM.sub("", identity)) for operation, identity in _listed(account))
    return sorted(f"{operation}: {identity}" for operation, identity in found)


def unknown_to(resources: Iterable[Resource], account: Account) -> list[str]:
    """What is in the account and has no resource in the state."""
    ids = {resource.id for resource in resources}
    ids |= {part for identity in ids for part in identity.replace("|", ":").split(":")}
    ids |= {str(resource.outputs.get(key)) for resource in resources for key in ("name", "uuid", "arn")}
    return sorted(f"{operation}: {identity}" for operation, identity in _listed(account) if identity not in ids)


def without_said(found: list[str], expected: list[str], lines: str) -> list[str]:
    """A listing without what is more than expected, as far as a line has said that it may be left."""
    said, kept = [kind for kind, _ in said_to_be_left(lines)], list(found)
    for each in found:
        kind = _NAMED_BY_AWS.get(each.partition(":")[0])
        if kind in said and kept.count(each) > expected.count(each):
            said.remove(kind)
            kept.remove(each)
    return kept


def _listed(account: Account) -> Iterator[tuple[str, str]]:
    for service, operation, ids in _ALONE:
        yield from ((operation, identity) for identity in _ids(account, service, operation, ids))
    for service, above, keys, parameter, operation, ids in _BELOW:
        for key in _ids(account, service, above, keys):
            yield from (
                (operation, identity) for identity in _ids(account, service, operation, ids, **{parameter: key})
            )
    route53 = account.client("route53")
    for zone in route53.list_hosted_zones()["HostedZones"]:
        for record in route53.list_resource_record_sets(HostedZoneId=zone["Id"])["ResourceRecordSets"]:
            if record["Type"] not in ("NS", "SOA"):
                number = zone["Id"].removeprefix("/hostedzone/")
                yield "list_resource_record_sets", f"{number}_{record['Name'].rstrip('.')}_{record['Type']}"


def _ids(account: Account, service: str, operation: str, ids: str, **parameters: Any) -> list[str]:
    client = account.client(service)
    if client.can_paginate(operation):
        answer = client.get_paginator(operation).paginate(**parameters).build_full_result()
    else:
        answer = getattr(client, operation)(**parameters)
    return jmespath.search(ids, answer) or []
