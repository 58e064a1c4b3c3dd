"""The images that the sandbox has built, by their digest in ECR."""

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox import variables
from sandbox.errors import SandboxError
from sandbox.function_log import placed
from sandbox.runner import process_disk
from sandbox.runner.base_python import difference
from sandbox.runner.build_context import BuildContext, left_out, read_context
from sandbox.runner.build_output import sentence_of, shown
from sandbox.runner.container_engine import build_image, inspect_image
from sandbox.runner.venvs import Needed, Venvs, process_environment

MANIFEST_TYPE = "application/vnd.docker.distribution.manifest.v2+json"
# As in infra/Dockerfile.
_ENTRYPOINT = [
    *("/opt/venv/bin/python", "-P", "/opt/dualmode/dualmode/lambda_mode.py"),
    "/opt/dualmode/scripts/entrypoint.sh",
]
_CONFIG_TYPE = "application/vnd.docker.container.image.v1+json"
_LAYER_TYPE = "application/vnd.docker.image.rootfs.diff.tar.gzip"

DEFAULT_ARGUMENTS = {"APP_DIR": "scripts", "FLASK_APP": "scripts.server:app", "CHECK_IMPORT": "1"}
"""The Dockerfile's own defaults, for builds that don't give them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """What a build pushes: `digest` is what ECR computes of `manifest`."""

    digest: str
    manifest: str
    media_type: str = MANIFEST_TYPE


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredImage:
    """An image that can run here: by an engine under its id, or from a copy of what the build would have put in it."""

    digest: str
    container_engine: str = ""
    image_id: str = ""
    folder: Path = Path()
    flask_app: str = ""

    app_dir: str = ""
    package: str = ""
    """Its folder's name below the task's folder, where it is a package itself."""

    @property
    def needed(self) -> Needed:
        """What its virtual environment is made of."""
        return Needed(
            lock=self.runtime / "dualmode" / "requirements.txt",
            installer=self.folder / "installer",
            declared=self.folder / "declared",
            application=self.application,
        )

    @property
    def application(self) -> Path:
        """The application's own folder, which may have a package of the same name in it."""
        return self.task / self.package

    @property
    def runtime(self) -> Path:
        """What lies at /opt/dualmode in a container."""
        return self.folder / "runtime"

    @property
    def task(self) -> Path:
        """What lies at /var/task in a container."""
        return self.folder / "task"


class ImageStore:
    """Builds images with `container_engine`, or lays out what it would have built where that is None, below `state`.

    Versions published earlier still run: no build overwrites another one.
    """

    def __init__(
        self,
        state: Path,
        container_engine: str | None,
        *,
        venvs: Path | None = None,
        progress: Callable[[str], None] | None = None,
    ) -> None:
        self.container_engine = container_engine
        self._folder = state / "images"
        self._progress = progress or (lambda _: None)
        self._told: set[str] = set()
        self._venvs = Venvs(venvs or state / "venvs", self._progress)

    def build(
        self, *, context: Path, dockerfile: Path, args: Mapping[str, str], platform: str, target: str | None = None
    ) -> Built:
        """Build a context; the same content gives the same digest, and is built once.

        Raises:
            SandboxError: the context is incomplete, the build fails, or the application can't be imported.
        """
        read = read_context(context, dockerfile)
        content = read.digest(
            {**args, "platform": platform, "target": target or "", "engine": self.container_engine or ""}
        )
        self._tell_once(left_out(read, args.get("APP_DIR", DEFAULT_ARGUMENTS["APP_DIR"])))
        if self.container_engine is None:
            self._tell_once(difference(read.dockerfile, args))
            return self._lay_out(read, content, args, platform)
        return self._build_with(self.container_engine, read, dockerfile, content, args, platform, target)

    def _tell_once(self, sentence: str) -> None:
        if sentence and sentence not in self._told:
            self._told.add(sentence)
            self._progress(sentence)

    def python(self, image: StoredImage) -> Path:
        """The Python with an image's requirements, for a process; installed the first time."""
        return self._venvs.python(image.needed)

    def find(self, digest: str) -> StoredImage | None:
        """The image of that digest, or None if it wasn't built here."""
        record = self._record(self._of(digest))
        if record is None:
            return None
        return StoredImage(
            digest=digest,
            container_engine=record.get("engine", ""),
            image_id=record.get("image_id", ""),
            folder=self._of(digest),
            flask_app=record.get("flask_app", ""),
            app_dir=record.get("app_dir", ""),
            package=record.get("package", ""),
        )

    def _of(self, digest: str) -> Path:
        return self._folder / digest.removeprefix("sha256:")

    def _lay_out(self, context: BuildContext, content: str, args: Mapping[str, str], platform: str) -> Built:
        chosen = {**DEFAULT_ARGUMENTS, **args}
        manifest = _manifest(_config(platform, chosen["FLASK_APP"], [f"sha256:{content}"]), [f"sha256:{content}"])
        built = Built(digest=_digest(manifest.encode()), manifest=manifest)
        if self.find(built.digest) is None:
            self._progress(f"Laying out the image of {chosen['APP_DIR']} for a process (nothing is built)")
            with self._new_folder() as folder:
                context.copy("dualmode", folder / "runtime" / "dualmode")
                context.copy("scripts/entrypoint.sh", folder / "runtime" / "scripts")
                context.copy("infra/dependencies", folder / "installer" / "infra" / "dependencies")
                package = _package(context, chosen["APP_DIR"])
                context.copy(chosen["APP_DIR"], folder / "task" / package)
                (folder / "runtime" / "scripts" / "entrypoint.sh").chmod(0o755)
                record = {"flask_app": chosen["FLASK_APP"], "app_dir": chosen["APP_DIR"], "package": package}
                image = StoredImage(digest="", folder=folder, **record)
                self._declare(image)
                if chosen["CHECK_IMPORT"] != "0":
                    self._check_import(image, chosen.get("CHECK_ENVIRONMENT", ""))
                self._keep(folder, built, record)
        return built

    @staticmethod
    def _declare(image: StoredImage) -> None:
        """Set aside what declares the application's dependencies, as a stage of the Dockerfile does."""
        needed = image.needed
        answer = subprocess.run(
            [
                sys.executable,
                "-m",
                "infra.dependencies",
                "declared",
                needed.application,
                needed.declared,
                image.app_dir,
            ],
            env={**variables.ordinary(), "PYTHONPATH": str(needed.installer), "PYTHONDONTWRITEBYTECODE": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
        )
        _refuse_failure(answer, image.app_dir)

    def _check_import(self, image: StoredImage, told: str) -> None:
        """Import the application, as a stage of the Dockerfile does: a broken one is never deployed."""
        python = self.python(image)
        environment = {
            **process_environment(python),
            "PYTHONPATH": f"{image.runtime}:{image.task}",
            "FLASK_APP": image.flask_app,
            "APP_DIR": image.app_dir,
            "CHECK_ENVIRONMENT": told,
        }
        # The build's user can write /tmp alone, so an application that writes beside its code fails there as well.
        command = process_disk.on_lambdas_disk(
            [str(python), "-P", "-m", "dualmode.import_check"],
            task=image.task,
            folders=[image.folder, python.parents[1]],
        )
        answer = subprocess.run(
            command,
            cwd=image.task,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
        )
        _refuse_failure(answer, image.app_dir)

    def _build_with(
        self,
        container_engine: str,
        context: BuildContext,
        dockerfile: Path,
        content: str,
        args: Mapping[str, str],
        platform: str,
        target: str | None,
    ) -> Built:
        known = self._record(self._folder / "contexts" / content)
        if known is not None and inspect_image(container_engine, known["image_id"]):
            return Built(digest=known["digest"], manifest=known["manifest"])
        self._progress(f"Building the image with {container_engine} (the first build takes a minute or more)")
        # Named, so that pruning dangling images doesn't remove those of older versions; by this folder too, so that
        # another one with the same content keeps its image when this one no longer needs it.
        tag = f"localhost/dualmode-sandbox:{content[:16]}-{zlib.crc32(os.fsencode(self._folder.resolve())):08x}"
        image_id = build_image(
            container_engine,
            context=context.root,
            dockerfile=dockerfile,
            arguments=args,
            platform_name=platform,
            target=target,
            tag=tag,
            progress=self._progress,
        )
        layers = inspect_image(container_engine, image_id)["RootFS"]["Layers"]
        # The id is the digest of the image's configuration; the layers stored here aren't compressed.
        manifest = _manifest({"digest": image_id, "size": 0}, layers)
        built = Built(digest=_digest(manifest.encode()), manifest=manifest)
        record = {
            "engine": container_engine,
            "image_id": image_id,
            "tag": tag,
            "digest": built.digest,
            "manifest": manifest,
        }
        for place in (self._of(built.digest), self._folder / "contexts" / content):
            place.mkdir(parents=True, exist_ok=True)
            _write_whole(place / "image.json", record)
        return built

    @contextlib.contextmanager
    def _new_folder(self) -> Iterator[Path]:
        """A folder beside the finished ones, removed afterwards unless it was kept."""
        self._folder.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(dir=self._folder, prefix=".new-"))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _keep(self, folder: Path, built: Built, record: Mapping[str, str]) -> None:
        """Give a complete folder its name at once, so that no other run sees an incomplete one."""
        _write_whole(folder / "image.json", {**record, "digest": built.digest, "manifest": built.manifest})
        folder.chmod(0o755)
        target = self._of(built.digest)
        shutil.rmtree(target, ignore_errors=True)
        folder.rename(target)

    @staticmethod
    def _record(folder: Path) -> dict[str, Any] | None:
        try:
            record: dict[str, Any] = json.loads((folder / "image.json").read_text())
        except (OSError, ValueError):
            return None
        return record


def _refuse_failure(answer: subprocess.CompletedProcess[str], app_dir: str) -> None:
    lines = placed(f"{answer.stdout}{answer.stderr}").strip().splitlines()
    if answer.returncode != 0:
        sentence = sentence_of(lines) or f"It ended with exit status {answer.returncode}."
        raise SandboxError(f"{shown(lines)}\nThe image of {app_dir} can't be built. {sentence}".lstrip("\n"))


def _manifest(config: Mapping[str, object], layers: Sequence[str]) -> str:
    """An image manifest, the same text for the same image.

    Source: "Image Manifest Version 2, Schema 2", distribution/distribution.
    """
    return json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "config": {"mediaType": _CONFIG_TYPE, **config},
            "layers": [{"mediaType": _LAYER_TYPE, "size": 0, "digest": layer} for layer in layers],
        }
    )


def _config(platform: str, flask_app: str, layers: Sequence[str]) -> dict[str, object]:
    """The manifest's entry for the configuration of an image that was laid out, not built."""
    system, _, architecture = platform.partition("/")
    content = json.dumps(
        {
            "architecture": architecture,
            "os": system,
            "config": {"Env": [f"FLASK_APP={flask_app}"], "Entrypoint": _ENTRYPOINT},
            "rootfs": {"type": "layers", "diff_ids": list(layers)},
        }
    ).encode()
    return {"digest": _digest(content), "size": len(content)}


def _package(context: BuildContext, app_dir: str) -> str:
    """The folder that an application lies in below its task folder: its own name where it is a package itself.

    As the Dockerfile does: such a folder is imported by its name, from the folder above it.
    """
    folder = app_dir.strip("/")
    return folder.rpartition("/")[2] if f"{folder}/__init__.py" in context.paths else ""


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _write_whole(file: Path, document: Mapping[str, str]) -> None:
    partial = file.with_suffix(".partial")
    partial.write_text(json.dumps(document, indent=1))
    partial.replace(file)
