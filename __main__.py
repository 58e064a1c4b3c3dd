"""A Flask application on AWS Lambda, behind an HTTP API and, if it has one, its own domain."""

import pulumi

from infra.container_function import ContainerFunction
from infra.container_image import ContainerImage
from infra.custom_domain import CustomDomain
from infra.data import data_grants
from infra.grants import stand_ins
from infra.http_api import HttpApi
from infra.jobs import Jobs
from infra.naming import deployment_name
from infra.operations import operate
from infra.releases import check_pinned
from infra.settings import load_settings

settings = load_settings()
deployment = deployment_name(settings.naming)
check_pinned(settings.releases, deployment)
jobs = Jobs(settings, deployment)
grants = [settings.policies.grant, settings.domain.grant, settings.capacity.grant]
grants += [*data_grants(settings, deployment), *jobs.grants]
domain = CustomDomain("domain", settings.domain) if settings.domain.domain_name else None
image = ContainerImage(
    "image",
    settings.image,
    repository_name=deployment,
    check_environment={**stand_ins(grants), **settings.function.environment},
    expire_images=not settings.releases.live_version and not settings.releases.keep_versions,
)
api = HttpApi(
    "api",
    settings.api,
    api_name=deployment,
    log_retention=settings.function.log_retention,
    has_domain=domain.serves if domain else False,
)
function = ContainerFunction(
    "function",
    settings.function,
    function_name=deployment,
    image_uri=image.image_uri,
    architecture=settings.image.architecture,
    releases=settings.releases,
    capacity=settings.capacity,
    grants=[api.grant, *grants],
)
jobs.lead_to(function.live)
operate(settings, deployment, function=function, image=image, api=api, jobs=jobs)
stage = api.route_to(function.live)
url = domain.lead_to(api_id=api.api_id, stage_name=stage, until_then=api.api_endpoint) if domain else api.api_endpoint

pulumi.export("url", url)
pulumi.export("api_endpoint", api.api_endpoint)
pulumi.export("function_name", function.function_name)
pulumi.export("image_uri", image.image_uri)
pulumi.export("live_version", function.live.function_version)
pulumi.export("newest_version", function.newest_version)
if domain and domain.dns_records:
    pulumi.export("dns_records", domain.dns_records)
