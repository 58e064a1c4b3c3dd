"""The container engine of this machine, where one answers: docker or podman, through its command."""

import json
import platform
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox import long_command, variables
from sandbox.errors import SandboxError
from sandbox.runner.build_output import sentence_of, shown

HOST_NAMES = {"docker": "host.docker.internal", "podman": "host.containers.internal"}
"""The engines, and the name of this machine in containers that don't share its network."""
_ANSWER_SECONDS = 20

# What engines say where the registry doesn't answer, or has no such image.
_NO_BASE = re.compile(
    r"(creating build container|pull access denied|failed to resolve source metadata|initializing source|"
    r"unable to (copy|pull)|manifest unknown|no such host|short-name .* did not resolve)",
    re.IGNORECASE,
)


def find_engine(environ: Mapping[str, str] | None = None) -> str | None:
    """The engine to use: the first of docker and podman whose daemon answers, or what DUALMODE_ENGINE says.

    Raises:
        SandboxError: DUALMODE_ENGINE names none of them, or one that doesn't answer.
    """
    wanted = (variables.users() if environ is None else environ).get("DUALMODE_ENGINE", "")
    if wanted == "none":
        return None
    if wanted and wanted not in HOST_NAMES:
        raise SandboxError(f"DUALMODE_ENGINE is '{wanted}': it must be docker, podman or none.")
    for container_engine in [wanted] if wanted else HOST_NAMES:
        if _information(container_engine) is not None:
            return container_engine
    if wanted:
        raise SandboxError(
            f"DUALMODE_ENGINE is '{wanted}', but '{wanted} info' fails: start it, or set DUALMODE_ENGINE=none."
        )
    return None


def why_none(environ: Mapping[str, str] | None = None) -> str:
    """Why `find_engine` found none: the user wants none, or none answers."""
    wanted = (variables.users() if environ is None else environ).get("DUALMODE_ENGINE", "")
    return "DUALMODE_ENGINE is none" if wanted == "none" else "no container engine answers"


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineTraits:
    """What an engine can do here: whether its containers may share this machine's loopback, and limit memory."""

    shares_loopback: bool
    limits_memory: bool


def traits(container_engine: str) -> EngineTraits:
    """Ask the engine."""
    information = _information(container_engine) or {}
    if container_engine == "podman":
        host = information.get("host") or {}
        return EngineTraits(
            shares_loopback=platform.system() == "Linux" and not host.get("serviceIsRemote", False),
            limits_memory="memory" in (host.get("cgroupControllers") or []),
        )
    rootless = any("rootless" in option for option in information.get("SecurityOptions") or [])
    desktop = "Docker Desktop" in (information.get("OperatingSystem") or "")
    local = variables.users().get("DOCKER_HOST", "unix://").startswith("unix://")
    return EngineTraits(
        shares_loopback=platform.system() == "Linux" and local and not rootless and not desktop,
        limits_memory=bool(information.get("MemoryLimit")),
    )


def build_image(
    container_engine: str,
    *,
    context: Path,
    dockerfile: Path,
    arguments: Mapping[str, str],
    platform_name: str,
    target: str | None,
    tag: str,
    progress: Callable[[str], None],
) -> str:
    """Build an image and return its id, `sha256:…`.

    Raises:
        SandboxError: the build fails, with the engine's last lines; or an argument has the name of a
            variable of the engine's own.
    """
    # Attestations would make the result an index, which Lambda refuses.
    passed = {**variables.building(), "BUILDX_NO_DEFAULT_ATTESTATIONS": "1", "BUILDKIT_PROGRESS": "plain"}
    command = [container_engine, "build", "--platform", platform_name, "--file", str(dockerfile), "--tag", tag]
    for name, value in sorted(arguments.items()):
        if variables.is_read_by_container_engines(name) and passed.get(name) != value:
            raise SandboxError(
                f"The build argument {name} is a variable that {container_engine} reads itself: rename it."
            )
        command += ["--build-arg", name]  # by name alone: a value would show in the list of processes
        passed[name] = value
    if target:
        command += ["--target", target]

    def told(line: str) -> None:
        if "STEP" in line or " RUN " in line or " COPY " in line:
            progress(f"  {line.strip()[:100]}")

    status, lines = long_command.run([*command, str(context)], variables=passed, told=told)
    if status != 0:
        raise SandboxError(f"{shown(lines)}\n{_why(container_engine, dockerfile, arguments, lines)}")
    return str(inspect_image(container_engine, tag)["Id"])


def _why(container_engine: str, dockerfile: Path, arguments: Mapping[str, str], lines: Sequence[str]) -> str:
    """The sentence for a build that failed: the error of a step of ours, or else the engine's."""
    sentence = sentence_of(lines)
    if sentence:
        return f"The image of {arguments.get('APP_DIR', 'the sample')} can't be built. {sentence}"
    if any(_NO_BASE.search(line) for line in lines):
        base = arguments.get("BASE_IMAGE", "its default base image")
        return (
            f"{container_engine} can't get {base}; its last lines are above: set baseImage to an image that it has or "
            "can reach, or set DUALMODE_ENGINE=none to run without containers."
        )
    return f"{container_engine} can't build {dockerfile.name}; its last lines are above."


def inspect_image(container_engine: str, image: str) -> dict[str, Any]:
    """What the engine says of an image, its id always with `sha256:`; empty where it has no such image."""
    answer = subprocess.run(
        [container_engine, "image", "inspect", image], env=variables.running(), capture_output=True, text=True
    )
    if answer.returncode != 0:
        return {}
    found: dict[str, Any] = json.loads(answer.stdout)[0]
    found["Id"] = "sha256:" + found["Id"].removeprefix("sha256:")
    return found


def _information(container_engine: str) -> dict[str, Any] | None:
    """What `info` says, None where the engine is missing or its daemon doesn't answer."""
    if shutil.which(container_engine) is None:
        return None
    form = "json" if container_engine == "podman" else "{{json .}}"
    try:
        answer = subprocess.run(
            [container_engine, "info", "--format", form],
            env=variables.running(),
            capture_output=True,
            text=True,
            timeout=_ANSWER_SECONDS,
        )
        information = json.loads(answer.stdout) if answer.returncode == 0 else {}
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
    # The docker command answers without its daemon, too: with an error among empty fields.
    if not isinstance(information, dict) or not information or information.get("ServerErrors"):
        return None
    return information
