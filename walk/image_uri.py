"""The URI under which ECR has an image."""

import re
from dataclasses import dataclass

_URI = re.compile(
    r"(?P<host>(?P<account>\d+)\.dkr\.ecr\.[^/]+)/(?P<repository>[^@:]+)(?::(?P<tag>[^@:]+))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageUri:
    """The parts of an image's URI; a missing part is empty."""

    host: str
    account: str
    repository: str
    tag: str
    digest: str

    @property
    def identifier(self) -> dict[str, str]:
        """The image as ECR's API names it in its repository: by digest, else by tag."""
        return {"imageDigest": self.digest} if self.digest else {"imageTag": self.tag or "latest"}


def split(uri: str) -> ImageUri | None:
    """The parts of an image's URI in ECR, or None if it isn't one."""
    found = _URI.fullmatch(uri)
    return ImageUri(**found.groupdict("")) if found else None
