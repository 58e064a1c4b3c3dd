"""An image on another base than the default one."""

import subprocess

import pytest

from tests.conftest import build_image, image_tag
from tests.support.containers import base_image

COUNT = (
    "import pathlib, sysconfig; print(len(list(pathlib.Path(sysconfig.get_path('stdlib')).glob('__pycache__/*.pyc'))))"
)


def compiled_modules(engine, image):
    run = [engine, "run", "--rm", "--entrypoint", "python", image, "-B", "-c", COUNT]
    return int(subprocess.run(run, capture_output=True, text=True, timeout=60, check=True).stdout)


@pytest.fixture(scope="module")
def bare_base(engine, tmp_path_factory):
    """A base without bytecode, as the official slim images are, by its digest."""
    folder, tag = tmp_path_factory.mktemp("bare"), image_tag("bare-base")
    (folder / "Dockerfile").write_text(f"FROM {base_image()}\nRUN find / -xdev -name '*.pyc' -delete\n")
    subprocess.run([engine, "build", "--tag", tag, folder], capture_output=True, timeout=300, check=True)
    inspect = [engine, "image", "inspect", "--format", "{{index .RepoDigests 0}}", tag]
    return subprocess.run(inspect, capture_output=True, text=True, timeout=60, check=True).stdout.strip()


def test_a_base_can_be_pinned_by_digest_and_gets_the_bytecode_that_it_lacks(engine, bare_base, monkeypatch):
    assert "@sha256:" in bare_base
    assert compiled_modules(engine, bare_base) == 0
    monkeypatch.setenv("DUALMODE_BASE_IMAGE", bare_base)
    # The standard library has well over a hundred modules at its top alone.
    assert compiled_modules(engine, build_image(engine, image_tag("on-bare-base"))) > 100
