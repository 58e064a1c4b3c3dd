"""A Flask application on AWS Lambda, behind an HTTP API with its own domain if it has one, or a Function URL."""

import pulumi

from infra.alarms import alarms_of
from infra.container_function import ContainerFunction
from infra.container_image import ContainerImage
from infra.data import data_grants
from infra.front_door import FrontDoor
from infra.grants import stand_ins
from infra.jobs import Jobs
from infra.naming import deployment_name
from infra.operations import operate
from infra.package.plugin import serve_if_started_as_one
from infra.releases import check_pinned, check_share
from infra.settings import load_settings

serve_if_started_as_one()
settings = load_settings()
deployment = deployment_name(settings.naming)
check_pinned(settings.releases, deployment)
check_share(settings.releases)
alarms = alarms_of(settings.alarms, deployment)
jobs = Jobs(settings, deployment, alarms)
grants = [settings.policies.grant, settings.domain.grant, settings.capacity.grant]
grants += [*data_grants(settings, deployment), *jobs.grants]

door = FrontDoor(settings, deployment)

image = ContainerImage(
    "image",
    settings.image,
    repository_name=deployment,
    check_environment={**stand_ins(grants), **settings.function.environment},
    expire_images=not settings.releases.live_version and not settings.releases.keep_versions,
)

function = ContainerFunction(
    "function",
    settings.function,
    function_name=deployment,
    image_uri=image.image_uri,
    architecture=settings.image.architecture,
    releases=settings.releases,
    capacity=settings.capacity,
    grants=[*door.grants, *grants],
)

jobs.lead_to(function.live)
operate(settings, deployment, function=function, image=image, api=door.api, alarms=alarms)

for name, output in door.open_to(function.live).items():
    pulumi.export(name, output)
pulumi.export("function_name", function.function_name)
pulumi.export("image_uri", image.image_uri)
pulumi.export("live_version", function.live.function_version)
pulumi.export("newest_version", function.newest_version)
