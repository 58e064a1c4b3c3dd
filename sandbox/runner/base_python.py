"""Which Python an image would have, as far as the name of its base says."""

import re
import sys
from collections.abc import Mapping

_DEFAULT = re.compile(rb"^ARG BASE_IMAGE=(\S+)", re.MULTILINE)
_VERSION = re.compile(r":(?:[^/]*-)?(3\.\d+)(?!\d)[^/]*$")


def base_python(dockerfile: bytes, arguments: Mapping[str, str]) -> str:
    """The version, such as `3.15`, of the Dockerfile's base or of the one in a build's arguments; "" where unknown."""
    named = _VERSION.search(base_image(dockerfile, arguments))
    return named[1] if named else ""


def base_image(dockerfile: bytes, arguments: Mapping[str, str]) -> str:
    """The name of the base that a build with these arguments has."""
    default = _DEFAULT.search(dockerfile)
    return arguments.get("BASE_IMAGE") or (default[1].decode() if default else "")


def difference(dockerfile: bytes, arguments: Mapping[str, str]) -> str:
    """The sentence that says how this machine's Python differs from the image's, "" if it doesn't."""
    here, there = f"3.{sys.version_info.minor}", base_python(dockerfile, arguments)
    if there in ("", here):
        return ""
    return (
        f"The function runs on this machine's Python {here}, but the image has {there}: packages and syntax may differ."
        f" For the same, use make PYTHON=python{there} after make clean, or set baseImage to one with Python {here}."
    )
