"""What the build can't install is said with file and line; what it can is not, in whatever way it is declared."""

import io
import os
import sys
import tarfile
import textwrap
import zipfile

import pytest

from check_app import packages

PROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""
BACKEND = """
import subprocess, zipfile

def build_wheel(folder, settings=None, metadata=None):
    try:
        subprocess.run(["cc", "-c", "fast.c"], check=True)
    except OSError:
        if {compiled}:
            raise
    tag, about = "{tag}", "{name}-1.0.dist-info"
    with zipfile.ZipFile(f"{{folder}}/{name}-1.0-{{tag}}.whl", "w") as file:
        file.writestr(f"{{about}}/METADATA", "Metadata-Version: 2.1\\nName: {name}\\nVersion: 1.0\\n{requires}")
        file.writestr(f"{{about}}/WHEEL", f"Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: {{tag}}\\n")
        file.writestr(f"{{about}}/RECORD", "")
    return f"{name}-1.0-{{tag}}.whl"
"""
HERE = f"cp3{sys.version_info.minor}-cp3{sys.version_info.minor}-linux_x86_64"
PURE = {"compiled": False, "tag": "py3-none-any"}
COMPILED = {"compiled": True, "tag": HERE}
OPTIONAL = {"compiled": False, "tag": HERE}


@pytest.fixture
def index(tmp_path):
    """A folder of packages that pip asks instead of an index: wheels by their tags, sources by what they build."""
    folder = tmp_path / "index"
    folder.mkdir()

    def wheel(name, version, tag, requires=()):
        about = f"{name}-{version}.dist-info"
        lines = [f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}", *(f"Requires-Dist: {r}" for r in requires)]
        with zipfile.ZipFile(folder / f"{name}-{version}-{tag}.whl", "w") as file:
            file.writestr(f"{about}/METADATA", "\n".join(lines) + "\n")
            file.writestr(f"{about}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n")
            file.writestr(f"{about}/RECORD", "")

    def source(name, requires=(), **how):
        needed = "".join(f"Requires-Dist: {requirement}\\n" for requirement in requires)
        files = {
            "pyproject.toml": PROJECT,
            "backend.py": BACKEND.format(name=name, requires=needed, **how),
            "fast.c": "int fast(void) { return 1; }\n",
            "PKG-INFO": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        }
        with tarfile.open(folder / f"{name}-1.0.tar.gz", "w:gz") as file:
            for path, text in files.items():
                data = text.encode()
                member = tarfile.TarInfo(f"{name}-1.0/{path}")
                member.size = len(data)
                file.addfile(member, io.BytesIO(data))

    wheel.source, wheel.folder = source, folder
    return wheel


@pytest.fixture
def found(tmp_path, index, monkeypatch):
    """The findings about an application of these files, where its base has Python 3.15, and the index `index` has."""
    monkeypatch.chdir(tmp_path)
    offline = {"PIP_FIND_LINKS": str(index.folder), "PIP_NO_INDEX": "1"}

    def run(files, architecture="x86_64"):
        for name, text in files.items():
            path = tmp_path / "shop" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text))
        read = packages.findings(
            packages.Path("shop"),
            python="3.15",
            architecture=architecture,
            base="python:3.15-slim",
            environ={**os.environ, **offline},
        )
        return [str(finding) for finding in read]

    return run


def test_a_package_of_plain_python_without_a_wheel_is_no_finding(found, index):
    index.source("plain", requires=["other"], **PURE)
    index("other", "1.0", "py3-none-any")
    assert found({"requirements.txt": "plain\n"}) == []


@pytest.mark.slow
def test_a_package_that_can_do_without_its_extension_is_no_finding(found, index):
    index.source("optional", **OPTIONAL)
    assert found({"requirements.txt": "optional\n"}) == []


def test_a_package_that_must_be_compiled_is_an_error_that_names_the_newest_base(found, index):
    index.source("native", **COMPILED)
    index("native", "1.0", "cp313-cp313-manylinux_2_17_x86_64")
    index("native", "1.0", "cp312-cp312-manylinux_2_17_x86_64")
    index("other", "1.0", "py3-none-any")
    assert found({"requirements.txt": "other\nnative==1.0  # fast\n"}) == [
        "shop/requirements.txt:2: error: native==1.0 has no wheel for Python 3.15 on x86_64, and its source needs a"
        " compiler\n    The newest Python that has one is 3.13: set baseImage to python:3.13-slim."
    ]


@pytest.mark.slow
def test_a_package_that_is_not_on_the_index_is_no_matter_of_wheels(found):
    assert found({"requirements.txt": "flaks\n"}) == [
        "shop/requirements.txt:1: error: flaks has no wheel for Python 3.15 on x86_64, and no source\n"
        "    Check its name and its version, or take another version of it, or another package."
    ]


@pytest.mark.slow
def test_wheels_of_another_processor_are_none(found, index):
    index.source("native", **COMPILED)
    index("native", "1.0", "cp315-cp315-manylinux_2_17_x86_64")
    assert found({"requirements.txt": "native\n"}) == []
    assert found({"requirements.txt": "native\n"}, "arm64") == [
        "shop/requirements.txt:1: error: native has no wheel for Python 3.15 on aarch64, and its source needs a"
        " compiler\n    No older Python that the runtime supports has one: take another version of it, or another"
        " package."
    ]


@pytest.mark.slow
def test_a_package_that_another_one_brings_is_found_at_the_line_of_that(found, index):
    index.source("native", **COMPILED)
    index("framework", "2.0", "py3-none-any", requires=["native>=1"])
    (said,) = found({"requirements.txt": "-r more.txt\n", "more.txt": "\n\nframework==2.0\n"})
    assert said.startswith("shop/more.txt:3: error: native>=1, which framework requires, has no wheel for Python 3.15")


@pytest.mark.slow
def test_markers_are_those_of_the_base_and_not_of_this_machine(found, index):
    index.source("native", **COMPILED)
    index("framework", "2.0", "py3-none-any", requires=['native; python_version < "3.15"'])
    assert found({"requirements.txt": 'framework\nnative; python_version < "3.15"\n'}) == []
    (said,) = found({"requirements.txt": 'native; python_version >= "3.15"\n'})
    assert said.startswith("shop/requirements.txt:1: error: native")


@pytest.mark.slow
def test_a_project_file_alone_is_read_too(found, index):
    index.source("native", **COMPILED)
    project = '[project]\nname = "shop"\nversion = "1"\ndependencies = [\n  "native>=1",\n]\n'
    (said,) = found({"pyproject.toml": project})
    assert said.startswith("shop/pyproject.toml:5: error: native>=1 has no wheel for Python 3.15 on x86_64")


@pytest.mark.slow
def test_a_project_whose_build_alone_knows_what_it_needs_is_built_elsewhere(found, index, tmp_path):
    index.source("native", **COMPILED)
    backend = """
        from pathlib import Path

        def prepare_metadata_for_build_wheel(folder, settings=None):
            Path("left_behind").touch()
            about = Path(folder, "shop-1.0.dist-info")
            about.mkdir()
            lines = ["Metadata-Version: 2.1", "Name: shop", "Version: 1.0", "Requires-Dist: native"]
            Path(about, "METADATA").write_text("\\n".join(lines))
            return about.name

        def build_wheel(folder, settings=None, metadata=None):
            raise NotImplementedError  # a stand-in for a build that fails: the metadata alone must be enough
        """
    project = f'[project]\nname = "shop"\ndynamic = ["version", "dependencies"]\n{PROJECT}'
    (said,) = found({"pyproject.toml": project, "backend.py": backend})
    assert said.startswith("shop/pyproject.toml:2: error: native, which shop requires, has no wheel for Python 3.15")
    assert sorted(path.name for path in (tmp_path / "shop").iterdir()) == ["backend.py", "pyproject.toml"]


@pytest.mark.slow
def test_hashes_do_not_matter_to_what_is_not_installed(found, index):
    index.source("plain", **PURE)
    assert found({"requirements.txt": f"plain==1.0 \\\n    --hash=sha256:{'0' * 64}\n"}) == []


def test_what_can_not_be_read_is_said_in_the_installers_words(found):
    assert found({"requirements.txt": "flask\n-r more.txt\n"}) == [
        "shop/requirements.txt:2: error: shop/requirements.txt, line 2, names '-r more.txt', but shop has no such file"
        " or folder: correct the line, or add it."
    ]


def test_where_pip_fails_for_another_reason_it_is_a_warning(found):
    (said,) = found({"requirements.txt": "no valid line\n"})
    assert said.startswith(
        "shop/requirements.txt: warning: pip can't tell whether its packages can be installed on Python 3.15: "
    )
