"""What each read of a walk is for, and the permission that it needs."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """The hop that a call tells about, the IAM action that allows it, and the path that API Gateway's action is for."""

    hop: str
    action: str
    path: str = ""

    def permission(self, parameters: Mapping[str, object]) -> str:
        """The permission for a call with these parameters, in words."""
        return f"{self.action} on {self.path.format_map(defaultdict(str, parameters))}" if self.path else self.action


# Source: "Actions, resources, and condition keys for Amazon API Gateway Management", Service Authorization Reference:
# the action is the HTTP method, the resource the path.
_GET = "apigateway:GET"

READS: Mapping[tuple[str, str], Read] = {
    ("route53", "list_hosted_zones"): Read(hop="record", action="route53:ListHostedZones"),
    ("route53", "list_resource_record_sets"): Read(hop="record", action="route53:ListResourceRecordSets"),
    ("route53", "get_hosted_zone"): Read(hop="record", action="route53:GetHostedZone"),
    ("cloudfront", "list_distributions"): Read(hop="distribution", action="cloudfront:ListDistributions"),
    ("cloudfront", "get_distribution"): Read(hop="distribution", action="cloudfront:GetDistribution"),
    ("cloudfront", "get_cache_policy"): Read(hop="behavior", action="cloudfront:GetCachePolicy"),
    ("cloudfront", "get_origin_request_policy"): Read(hop="behavior", action="cloudfront:GetOriginRequestPolicy"),
    ("apigatewayv2", "get_domain_name"): Read(hop="domain", action=_GET, path="/domainnames/{DomainName}"),
    ("apigatewayv2", "get_api_mappings"): Read(
        hop="mapping", action=_GET, path="/domainnames/{DomainName}/apimappings"
    ),
    ("apigatewayv2", "get_api"): Read(hop="api", action=_GET, path="/apis/{ApiId}"),
    ("apigateway", "get_rest_api"): Read(hop="api", action=_GET, path="/restapis/{restApiId}"),
    ("apigatewayv2", "get_stage"): Read(hop="stage", action=_GET, path="/apis/{ApiId}/stages/{StageName}"),
    ("apigatewayv2", "get_stages"): Read(hop="stage", action=_GET, path="/apis/{ApiId}/stages"),
    ("apigatewayv2", "get_routes"): Read(hop="route", action=_GET, path="/apis/{ApiId}/routes"),
    ("apigatewayv2", "get_authorizer"): Read(
        hop="authorizer", action=_GET, path="/apis/{ApiId}/authorizers/{AuthorizerId}"
    ),
    ("apigatewayv2", "get_integration"): Read(
        hop="integration", action=_GET, path="/apis/{ApiId}/integrations/{IntegrationId}"
    ),
    ("acm", "describe_certificate"): Read(hop="certificate", action="acm:DescribeCertificate"),
    ("lambda", "list_functions"): Read(hop="domain", action="lambda:ListFunctions"),
    ("lambda", "list_function_url_configs"): Read(hop="domain", action="lambda:ListFunctionUrlConfigs"),
    ("lambda", "get_function_url_config"): Read(hop="domain", action="lambda:GetFunctionUrlConfig"),
    ("lambda", "get_policy"): Read(hop="permission", action="lambda:GetPolicy"),
    ("lambda", "list_aliases"): Read(hop="permission", action="lambda:ListAliases"),
    ("lambda", "get_alias"): Read(hop="alias", action="lambda:GetAlias"),
    ("lambda", "get_function"): Read(hop="version", action="lambda:GetFunction"),
    ("lambda", "get_function_configuration"): Read(hop="version", action="lambda:GetFunctionConfiguration"),
    ("iam", "get_role"): Read(hop="role", action="iam:GetRole"),
    ("iam", "list_role_policies"): Read(hop="role", action="iam:ListRolePolicies"),
    ("iam", "get_role_policy"): Read(hop="role", action="iam:GetRolePolicy"),
    ("iam", "list_attached_role_policies"): Read(hop="role", action="iam:ListAttachedRolePolicies"),
    ("iam", "get_policy"): Read(hop="role", action="iam:GetPolicy"),
    ("iam", "get_policy_version"): Read(hop="role", action="iam:GetPolicyVersion"),
    ("logs", "describe_log_groups"): Read(hop="logs", action="logs:DescribeLogGroups"),
    ("ecr", "describe_images"): Read(hop="image", action="ecr:DescribeImages"),
    ("ecr", "describe_repositories"): Read(hop="image", action="ecr:DescribeRepositories"),
    ("ecr", "get_repository_policy"): Read(hop="repository", action="ecr:GetRepositoryPolicy"),
}
"""Every read of a walk, by service and operation in boto3's names."""
