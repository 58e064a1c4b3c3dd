"""A Flask application on AWS Lambda, behind an HTTP API and, if it has one, its own domain."""

import pulumi

from infra.container_function import ContainerFunction
from infra.container_image import ContainerImage
from infra.custom_domain import CustomDomain
from infra.http_api import HttpApi
from infra.settings import load_settings

settings = load_settings()
deployment = f"{pulumi.get_project()}-{pulumi.get_stack()}"

image_uri = settings.image.image_uri
if not image_uri:
    image = ContainerImage(
        "image",
        settings.image,
        repository_name=deployment.lower(),
        check_environment=settings.function.environment,
    )
    image_uri = image.image_uri

api = HttpApi(
    "api",
    settings.api,
    api_name=deployment,
    log_retention=settings.function.log_retention,
    has_domain=bool(settings.domain.domain_name),
)

function = ContainerFunction(
    "function",
    settings.function,
    function_name=deployment,
    image_uri=image_uri,
    architecture=settings.image.architecture,
    grants=[api.grant],
)

stage_name = api.route_to(function.live)

url = api.api_endpoint
if settings.domain.domain_name:
    url = CustomDomain("domain", settings.domain, api_id=api.api_id, stage_name=stage_name).url

pulumi.export("url", url)
pulumi.export("api_endpoint", api.api_endpoint)
pulumi.export("function_name", function.function_name)
pulumi.export("image_uri", image_uri)
pulumi.export("live_version", function.live.function_version)
