"""What is around a running function, each only if it is set: its old versions, warm environments, alarms, dashboard."""

from infra.alarms import Alarms
from infra.capacity import ProvisionedConcurrency
from infra.container_function import ContainerFunction
from infra.container_image import ContainerImage
from infra.dashboard import Dashboard
from infra.http_api import HttpApi
from infra.old_versions import OldVersions
from infra.settings import Settings


def operate(
    settings: Settings,
    deployment: str,
    *,
    function: ContainerFunction,
    image: ContainerImage,
    api: HttpApi | None,
    alarms: Alarms | None,
) -> None:
    """Makes what is set."""
    if settings.releases.keep_versions:
        OldVersions("old-versions", settings.releases, function=function, repository_name=image.repository_name)
    if settings.capacity.provisioned_concurrency:
        ProvisionedConcurrency("capacity", settings.capacity, alias=function.live)
    if api and alarms:
        alarms.watch(function_name=function.function_name, timeout=settings.function.timeout, api_id=api.api_id)
    if api and settings.dashboard.dashboard:
        Dashboard(
            "dashboard",
            deployment=deployment,
            function_arn=function.function_arn,
            log_group=function.log_group,
            memory_size=settings.function.memory_size,
            api_id=api.api_id,
        )
