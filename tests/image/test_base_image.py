import subprocess

from tests.conftest import build_image, image_tag
from tests.support.containers import base_image

COUNT = (
    "import pathlib, sysconfig; print(len(list(pathlib.Path(sysconfig.get_path('stdlib')).glob('__pycache__/*.pyc'))))"
)


def compiled_modules(engine, image):
    run = [engine, "run", "--rm", "--entrypoint", "python", image, "-B", "-c", COUNT]
    return int(subprocess.run(run, capture_output=True, text=True, timeout=60, check=True).stdout)


def test_a_base_without_bytecode_as_the_official_slim_images_are_gets_it(engine, tmp_path, monkeypatch):
    (tmp_path / "Dockerfile").write_text(f"FROM {base_image()}\nRUN find / -xdev -name '*.pyc' -delete\n")
    bare = image_tag("bare-base")
    subprocess.run([engine, "build", "--tag", bare, tmp_path], capture_output=True, timeout=300, check=True)
    assert compiled_modules(engine, bare) == 0
    monkeypatch.setenv("DUALMODE_BASE_IMAGE", bare)
    # The standard library has well over a hundred modules at its top alone.
    assert compiled_modules(engine, build_image(engine, image_tag("on-bare-base"))) > 100


def test_a_base_image_can_be_pinned_by_digest(engine, monkeypatch):
    inspect = [engine, "image", "inspect", "--format", "{{index .RepoDigests 0}}", base_image()]
    pinned = subprocess.run(inspect, capture_output=True, text=True, timeout=60, check=True).stdout.strip()
    assert "@sha256:" in pinned
    monkeypatch.setenv("DUALMODE_BASE_IMAGE", pinned)
    build_image(engine, image_tag("on-pinned-base"))
