"""Runs function versions: each is started at its first event, all are stopped at the end."""

import contextlib
import http.client
import json
import os
import subprocess
import sys
import tempfile
import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Self
from urllib.parse import quote

from dualmode.gateway.http.message import Response
from sandbox import variables
from sandbox.edge.functions import FunctionFailedError, FunctionTimedOutError
from sandbox.errors import SandboxError
from sandbox.function_log import LogPart, placed
from sandbox.runner import process_disk
from sandbox.runner.container_engine import HOST_NAMES, inspect_image, traits
from sandbox.runner.function_program import HOST, FunctionProgram, free_port
from sandbox.runner.images import ImageStore, StoredImage
from sandbox.runner.venvs import process_environment
from walk.function_version import FunctionVersion

_INVOCATIONS = "/2015-03-31/functions/function/invocations"
_CONTAINER_HTTP_PORT, _CONTAINER_EVENTS_PORT = 3000, 8080

# Lambda runs a function as a user that no image knows; any user but root will do.
_USER = "993:990"
# What the gateway itself needs, beside the function in the same container.
_GATEWAY_MB = 128


class VersionRunner:
    """Runs function versions from the images in the store, each in a container or in a process.

    `reaching` are variables that reach the sandbox's AWS, `role` gives those of a version's role; its own win over
    both. `starting` is told which version starts, and the file that it logs to. `now` says which image runs for a
    version's own.
    """

    def __init__(
        self,
        images: ImageStore,
        *,
        logs: Path,
        reaching: Mapping[str, str],
        account_id: str,
        role: Callable[[FunctionVersion], Mapping[str, str]] = lambda _version: {},
        starting: Callable[[FunctionVersion, Path], object] = lambda _version, _log: None,
        now: Callable[[str], str] = lambda digest: digest,
    ) -> None:
        self.fault = ""
        """What every function that runs is to do wrong (sandbox/faults.py); one that doesn't yet starts again."""
        self._role = role
        self._starting = starting
        self._now = now
        self._images = images
        self._logs = logs
        self._reaching = {**variables.DETACHED, **reaching}
        self._account_id = account_id
        self._running: dict[str, tuple[str, FunctionProgram]] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()
        self._stopped = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def describe(self, version: FunctionVersion) -> str:
        """How this version runs here."""
        runs = self._now(version.image)
        image = self._images.find(runs)
        if image is None:
            return "not built here"
        since = "" if runs == version.image else ", with the files changed since"
        if image.container_engine:
            return f"in a container of {image.container_engine}{since}"
        return f"in a process, Python {'.'.join(map(str, sys.version_info[:3]))}{since}"

    def invoke(
        self,
        version: FunctionVersion,
        event: bytes,
        *,
        qualifier: str,
        timeout: float,
        logged: Callable[[LogPart], object] = lambda _: None,
    ) -> bytes:
        """Give the event to the version's gateway.

        Raises:
            FunctionFailedError: the function answered with an error object.
            FunctionTimedOutError: nothing came within `timeout` seconds, not counting the start.
            SandboxError: the version can't run here.
        """
        answer = self.send(version, event, qualifier=qualifier, timeout=timeout, logged=logged)
        if answer.status != http.client.OK or "x-amz-function-error" in dict(answer.headers):
            raise FunctionFailedError(_error_in_words(answer.body))
        return answer.body

    def send(
        self,
        version: FunctionVersion,
        event: bytes,
        *,
        qualifier: str,
        timeout: float,
        headers: Mapping[str, str] = MappingProxyType({}),
        logged: Callable[[LogPart], object] = lambda _: None,
    ) -> Response:
        """Have the version's gateway answer the event as Lambda's Invoke does, by the `X-Amz-` headers of the call.

        Raises:
            FunctionFailedError: the gateway closed the connection.
            FunctionTimedOutError: nothing came within `timeout` seconds, not counting the start.
            SandboxError: the version can't run here.
        """
        program = self.start(version)
        part = LogPart(path=program.log, begin=program.log.stat().st_size)
        target = f"{_INVOCATIONS}?Qualifier={quote(qualifier)}" if qualifier else _INVOCATIONS
        try:
            with program.connections.one(timeout) as connection:
                connection.request("POST", target, event, {"Content-Type": "application/json", **headers})
                answer = connection.getresponse()
                payload = answer.read()
        except TimeoutError as error:
            raise FunctionTimedOutError from error
        except (OSError, http.client.HTTPException) as error:
            raise FunctionFailedError(f"its gateway ended the connection ({error})") from error
        else:
            part = replace(part, request_id=answer.getheader("x-amzn-requestid") or "")
        finally:
            logged(part)
        if answer.getheader("x-amz-function-error"):
            payload = placed(payload.decode("utf-8", "replace")).encode()
        return Response(status=answer.status, headers=tuple(answer.getheaders()), body=payload)

    def start(self, version: FunctionVersion) -> FunctionProgram:
        """The version's running program; started the first time, and again if it ended or the version was changed."""
        name = f"{version.name}-{version.version.removeprefix('$')}"
        with self._lock:
            lock = self._locks.setdefault(name, threading.Lock())
        with lock:
            # Published versions never change; $LATEST does, a function may be made again under its name, and the files
            # that an image was made of may have changed.
            identity = f"{self._now(version.image)} {version.revision} {self.fault}"
            known, program = self._running.get(name, ("", None))
            if program is not None and program.alive and known == identity:
                return program
            if program is not None:
                program.signal_stop()
                program.wait_stopped()
            program = self._program(version, name)
            with self._lock:
                if self._stopped:
                    raise SandboxError("The sandbox is stopping.")
                self._running[name] = (identity, program)
            self._starting(version, program.log)
            program.start()
            return program

    def stop(self) -> None:
        """Stop every function; none starts afterwards."""
        with self._lock:
            self._stopped = True
            programs = [program for _, program in self._running.values()]
            self._running.clear()
        for program in programs:
            program.signal_stop()
        for program in programs:
            program.wait_stopped()

    def _program(self, version: FunctionVersion, name: str) -> FunctionProgram:
        image = self._images.find(self._now(version.image))
        if image is None:
            raise SandboxError(
                f"The image {version.image[:19]}… of {version.name}:{version.version} was not built by this sandbox, "
                "so there is nothing to run: deploy again."
            )
        self._logs.mkdir(parents=True, exist_ok=True)
        log = self._logs / f"{name}.log"
        log.write_bytes(b"")
        if image.container_engine:
            return self._container(image, version, log, name)
        return self._process(image, version, log)

    def _told(self, version: FunctionVersion) -> dict[str, str]:
        told = {
            **self._reaching,
            **self._role(version),
            **version.variables,
            "RUN_MODE": "gateway",
            "AWS_LAMBDA_FUNCTION_NAME": version.name,
            "AWS_LAMBDA_FUNCTION_VERSION": version.version,
            "AWS_LAMBDA_FUNCTION_TIMEOUT": str(version.timeout),
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(version.memory_size),
            "AWS_LAMBDA_LOG_FORMAT": version.log_format,
            "AWS_LAMBDA_LOG_GROUP_NAME": version.log_group,
            "GATEWAY_ACCOUNT_ID": self._account_id,
        }
        levels = {"AWS_LAMBDA_LOG_LEVEL": version.log_level, "GATEWAY_SYSTEM_LOG_LEVEL": version.system_log_level}
        more = {**levels, "DUALMODE_FAULT": self.fault}
        return told | {name: value for name, value in more.items() if value}

    def _process(self, image: StoredImage, version: FunctionVersion, log: Path) -> FunctionProgram:
        python = self._images.python(image)
        events_port = free_port()
        ports = {"PORT": "0", "EVENTS_PORT": str(events_port), "GATEWAY_HOST": HOST}
        own = self._told(version)
        base = {**process_environment(python), "FLASK_APP": image.flask_app}
        disk = process_disk.environment(own.get("PYTHONPATH", ""))
        entrypoint = image.runtime / "scripts" / "entrypoint.sh"
        command = process_disk.on_lambdas_disk(
            [str(entrypoint)],
            task=image.task,
            folders=[image.folder, python.parents[1]],
            storage=version.storage,
        )
        return FunctionProgram(
            command,
            variables={**base, **own, **ports, **disk},
            folder=image.task,
            log=log,
            events_port=events_port,
        )

    def _container(self, image: StoredImage, version: FunctionVersion, log: Path, name: str) -> FunctionProgram:
        container_engine = image.container_engine
        if not inspect_image(container_engine, image.image_id):
            raise SandboxError(
                f"{container_engine} no longer has the image of {version.name}:{version.version}: "
                "deploy again to build it."
            )
        can = traits(container_engine)
        if self.fault and not can.shares_loopback:
            raise SandboxError(
                f"The fault {self.fault} is in the function's process, but {container_engine} runs that on another "
                "machine: set DUALMODE_ENGINE=none."
            )
        container = f"dualmode-{name}-{uuid.uuid4().hex[:8]}"
        events_port = free_port()
        command = [container_engine, "run", "--rm", "--name", container, "--user", _USER]
        command += ["--read-only", "--tmpfs", f"/tmp:size={version.storage}m"]  # noqa: S108
        command += ["--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--stop-timeout", "1"]
        if can.limits_memory:
            command += ["--memory", f"{version.memory_size + _GATEWAY_MB}m"]
        told = self._told(version)
        if can.shares_loopback:
            # On this machine's own loopback the function reaches the sandbox's AWS, and nothing else reaches it.
            command += ["--network", "host"]
            told |= {"GATEWAY_HOST": HOST, "PORT": "0", "EVENTS_PORT": str(events_port)}
            # The engine runs on this machine, so that it can give a folder of it to the container.
            options, disk = process_disk.environment_of_container(told.get("PYTHONPATH", ""))
            command += options
            told |= disk
        else:
            command += ["-p", f"{HOST}:{free_port()}:{_CONTAINER_HTTP_PORT}"]
            command += ["-p", f"{HOST}:{events_port}:{_CONTAINER_EVENTS_PORT}"]
            if container_engine == "docker":  # podman knows its name for the host by itself
                command += ["--add-host", f"{HOST_NAMES[container_engine]}:host-gateway"]
            told |= {"PORT": str(_CONTAINER_HTTP_PORT), "EVENTS_PORT": str(_CONTAINER_EVENTS_PORT)}
            endpoint = told.get("AWS_ENDPOINT_URL", "")
            told["AWS_ENDPOINT_URL"] = endpoint.replace(HOST, HOST_NAMES[container_engine])
        written, by_name = _divided(told, version, container_engine)
        command += [option for key in by_name for option in ("--env", key)]
        file = self._write(written)

        def remove() -> None:
            file.unlink(missing_ok=True)
            with contextlib.suppress(OSError, subprocess.TimeoutExpired):
                subprocess.run(
                    [container_engine, "rm", "--force", container],
                    env=variables.running(),
                    capture_output=True,
                    timeout=10,
                )

        return FunctionProgram(
            [*command, "--env-file", str(file), image.image_id],
            variables={**variables.running(), **by_name},
            folder=Path("/"),
            log=log,
            events_port=events_port,
            started=lambda: file.unlink(missing_ok=True),
            discard=remove,
        )

    def _write(self, told: Mapping[str, str]) -> Path:
        """Write variables to a file of this user's, for as long as a container starts."""
        number, name = tempfile.mkstemp(dir=self._logs, prefix=".variables-")  # mode 0600
        with os.fdopen(number, "w") as file:
            file.writelines(f"{key}={value}\n" for key, value in told.items())
        return Path(name).resolve()


def _divided(
    told: Mapping[str, str], version: FunctionVersion, container_engine: str
) -> tuple[dict[str, str], dict[str, str]]:
    """Which variables go to a container by a file, and which through its command's own environment, by name.

    On the command line every user of the machine could read them. A file holds one variable on each line. So those with
    line breaks must go the other way, which the engine's own variables can't.

    Raises:
        SandboxError: one of the engine's own has a line break.
    """
    by_name = {key: value for key, value in told.items() if "\n" in value or "\r" in value}
    for key in filter(variables.is_read_by_container_engines, by_name):
        raise SandboxError(
            f"The variable {key} of {version.name}:{version.version} has a line break, but {container_engine} "
            "can't pass that on in a variable that it reads itself: remove the line break."
        )
    return {key: value for key, value in told.items() if key not in by_name}, by_name


def _error_in_words(payload: bytes) -> str:
    """The error object of a function or of its gateway as one line."""
    try:
        error = json.loads(payload)
        kind = error.get("errorType") or error.get("Type") or "error"
        text = error.get("errorMessage") or error.get("Message") or ""
    except (ValueError, AttributeError):
        return payload[:200].decode("utf-8", "replace")
    return f"{kind}: {text}".strip().splitlines()[0]
