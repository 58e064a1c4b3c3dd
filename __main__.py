"""A Flask application on AWS Lambda, behind an HTTP API and, if it has one, its own domain."""

import pulumi

from infra.config import load_settings
from infra.custom_domain import CustomDomain, CustomDomainArgs
from infra.function import ContainerFunction, ContainerFunctionArgs
from infra.http_api import HttpApi, HttpApiArgs
from infra.image import ContainerImage, ContainerImageArgs

settings = load_settings()
deployment = f"{pulumi.get_project()}-{pulumi.get_stack()}"

image_uri: pulumi.Input[str] = settings.image_uri
if not settings.image_uri:
    build = ContainerImageArgs(
        repository_name=deployment.lower(),
        app_dir=settings.app_dir,
        flask_app=settings.flask_app,
        platform=settings.platform,
        base_image=settings.base_image,
        check_import=settings.check_import,
    )
    image_uri = ContainerImage("image", build).image_uri

front = HttpApiArgs(
    api_name=deployment,
    throttle_rate=settings.throttle_rate,
    throttle_burst=settings.throttle_burst,
    log_retention=settings.log_retention,
    default_endpoint=settings.keep_default_endpoint or not settings.domain_name,
)
api = HttpApi("api", front)

workload = ContainerFunctionArgs(
    function_name=deployment,
    image_uri=image_uri,
    architecture=settings.architecture,
    memory_size=settings.memory_size,
    timeout=settings.timeout,
    environment={**settings.environment, "DUALMODE_API_ID": api.api_id},
    log_retention=settings.log_retention,
)
function = ContainerFunction("function", workload)

stage_name = api.route_to(
    function_name=function.function_name,
    alias_name=function.alias_name,
    alias_invoke_arn=function.alias_invoke_arn,
)

url = api.api_endpoint
if settings.domain_name:
    domain = CustomDomainArgs(
        domain_name=settings.domain_name, hosted_zone=settings.hosted_zone, api_id=api.api_id, stage_name=stage_name
    )
    url = CustomDomain("domain", domain).url

pulumi.export("url", url)
pulumi.export("api_endpoint", api.api_endpoint)
pulumi.export("function_name", function.function_name)
pulumi.export("image_uri", image_uri)
pulumi.export("live_version", function.live_version)
