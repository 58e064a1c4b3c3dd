"""Deletes old versions of a function, and images that no version runs any more: AWS keeps both for ever.

No provider has a resource for that, so this is a dynamic resource of Pulumi's, whose code runs in the program's own
environment, with boto3. What it would delete is an input, which `pulumi preview` shows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pulumi
from pulumi.dynamic import CheckResult, CreateResult, DiffResult, Resource, ResourceProvider, UpdateResult
from pulumi.runtime.rpc import UNKNOWN

if TYPE_CHECKING:
    # Not at run time: the plugin that runs this file needs no pulumi_aws.
    from infra.container_function import ContainerFunction
    from infra.releases import ReleaseSettings


class OldVersions(Resource, module="dualmode", name="OldVersions"):
    """The versions of a function that go: all but the newest ones and the one that the alias serves.

    In another Pulumi program:

        import pulumi
        from infra.container_function import ContainerFunction, FunctionSettings
        from infra.old_versions import OldVersions
        from infra.releases import ReleaseSettings

        function = ContainerFunction(
            "function",
            FunctionSettings(),
            function_name="shop",
            image_uri=pulumi.Config().require("image"),
        )
        OldVersions("old-versions", ReleaseSettings(keep_versions=5), function=function, repository_name="shop-images")
    """

    def __init__(
        self,
        name: str,
        settings: ReleaseSettings,
        *,
        function: ContainerFunction,
        repository_name: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        given = {
            "keep": settings.keep_versions,
            "function": function.function_arn,
            "live": function.live.function_version,
            "newest": function.newest_version,
            "repository": repository_name,
            "profile": pulumi.Config("aws").get("profile") or "",
        }
        super().__init__(OldVersionsProvider(), name, given, opts)


class OldVersionsProvider(ResourceProvider):
    """Finds what goes before anything is done, and deletes exactly that."""

    serialize_as_secret_always = False

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Adds what would be deleted to the inputs."""
        versions, images = found_old(news) if news["function"] != UNKNOWN else ((), ())
        return CheckResult({**news, "deletedVersions": list(versions), "deletedImages": list(images)}, [])

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Says that there is something to do if something is to be deleted, or another number is kept."""
        doomed = _news["deletedVersions"] or _news["deletedImages"]
        replaces = [key for key in ("function", "repository") if _olds[key] != _news[key]]
        return DiffResult(changes=bool(doomed or replaces or _olds["keep"] != _news["keep"]), replaces=replaces)

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Deletes what `check` found."""
        delete(props)
        return CreateResult(props["function"], dict(props))

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Deletes what `check` found."""
        delete(_news)
        return UpdateResult(dict(_news))


def found_old(given: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Returns the versions and the digests of the images to delete."""
    functions, registry = client("lambda", given), client("ecr", given)
    pages = functions.get_paginator("list_versions_by_function").paginate(FunctionName=given["function"])
    there = [version["Version"] for page in pages for version in page["Versions"]]
    published = [int(version) for version in there if version.isdecimal()]
    doomed = old_versions(published, keep=int(given["keep"]), live=given["live"], newest=given["newest"])
    staying = (version for version in there if version not in doomed)
    running = {image_of(functions, given["function"], version) for version in staying}
    return doomed, sorted(untagged(registry, given["repository"]) - running)


def old_versions(published: Iterable[int], *, keep: int, live: str, newest: str) -> list[str]:
    """Returns the versions beyond the newest so many; one that is to be published, and isn't known yet, counts too."""
    there = sorted(published)
    new = 0 if newest.isdecimal() else 1
    kept = there[max(0, len(there) - keep + new) :]
    return [str(version) for version in there if version not in kept and str(version) != live]


def untagged(registry: Any, repository: str) -> set[str]:
    """Returns the images without a tag: each build takes it from the one before. An image that somebody tags stays."""
    if repository == UNKNOWN:
        return set()
    pages = registry.get_paginator("list_images").paginate(repositoryName=repository, filter={"tagStatus": "UNTAGGED"})
    return {image["imageDigest"] for page in pages for image in page["imageIds"]}


def image_of(functions: Any, function_arn: str, version: str) -> str:
    """Returns the digest of the image that a version runs."""
    code = functions.get_function(FunctionName=function_arn, Qualifier=version)["Code"]
    return str(code.get("ResolvedImageUri") or code["ImageUri"]).partition("@")[2]


def delete(given: Mapping[str, Any]) -> None:
    """Deletes the versions and then the images that only they ran. Lambda refuses a version that an alias serves."""
    for version in given["deletedVersions"]:
        client("lambda", given).delete_function(FunctionName=given["function"], Qualifier=version)
    for some in batches(given["deletedImages"], 100):  # the most that one request takes
        client("ecr", given).batch_delete_image(
            repositoryName=given["repository"], imageIds=[{"imageDigest": digest} for digest in some]
        )


def batches(items: Collection[str], most: int) -> Iterator[list[str]]:
    """Yields the items in lists of no more than so many."""
    listed = list(items)
    for start in range(0, len(listed), most):
        yield listed[start : start + most]


def client(service: str, given: Mapping[str, Any]) -> Any:
    """Returns boto3's client in the function's region, with the credentials of the environment or of `aws:profile`."""
    import boto3  # here, since a program that keeps all versions need not wait for it

    region = str(given["function"]).split(":")[3]
    return boto3.Session(region_name=region, profile_name=given["profile"] or None).client(service)
