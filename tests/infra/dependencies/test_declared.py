"""What an application's folder declares is found, and set aside from its code."""

import json
import textwrap

import pytest

from infra.dependencies.declared import copy, read_plan
from infra.dependencies.errors import DependencyError
from infra.dependencies.lock import without
from infra.dependencies.requirements_file import Line, lines


@pytest.fixture
def declared(tmp_path):
    """Writes an application's files; what of them is set aside, by path, and how it is installed."""

    def run(files):
        folder = tmp_path / "shop"
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(content))
        plan = copy(folder, "apps/shop", tmp_path / "declared")
        found = {
            str(path.relative_to(tmp_path / "declared")): path.read_text()
            for path in (tmp_path / "declared").rglob("*")
            if path.is_file()
        }
        assert read_plan(tmp_path / "declared") == plan
        del found["plan.json"]
        return found, plan

    return run


def test_lines_are_read_as_pip_reads_them():
    text = "a==1  # why\n\n# -r not.txt\nb \\\n  --hash=sha256:00 \\\n  --hash=sha256:11\n-r more.txt\nc#d\n"
    assert list(lines(text)) == [
        Line(1, 1, "a==1"),
        Line(4, 6, "b   --hash=sha256:00   --hash=sha256:11"),
        Line(7, 7, "-r more.txt"),
        Line(8, 8, "c#d"),
    ]


def test_a_folder_that_declares_nothing_installs_nothing(declared):
    found, plan = declared({"shop.py": ""})
    assert (found, plan.source, plan.requirements, plan.project) == ({}, "", [], [])


def test_requirements_bring_along_every_file_that_they_name_and_no_code(declared):
    files = {
        "requirements.txt": "-r requirements/prod.txt\n./wheels/a-1.0-py3-none-any.whl\n--find-links wheels\n",
        "requirements/prod.txt": "-c constraints.txt\n--requirement=base.txt\n",
        "requirements/base.txt": "flask\nb @ file:wheels/b-1.0-py3-none-any.whl\n",
        "requirements/constraints.txt": "flask<4\n",
        "requirements/dev.txt": "pytest\n",
        "wheels/a-1.0-py3-none-any.whl": "a",
        "wheels/b-1.0-py3-none-any.whl": "b",
        "shop.py": "code",
    }
    found, plan = declared(files)
    assert found == {name: text for name, text in files.items() if name not in ("shop.py", "requirements/dev.txt")}
    assert (plan.source, plan.requirements, plan.project) == ("requirements.txt", [], [])


PYPROJECT = """
    [build-system]
    requires = ["flit_core"]
    [project]
    name = "shop"
    dependencies = ["flask>=3", "rich; python_version > '3'"]
    [project.optional-dependencies]
    mail = ["flask-mail"]
    all = ["shop[mail]", "redis"]
    """


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("-e .", []),
        (".", []),
        ("--editable=.[mail]", ["flask-mail"]),
        ("./[all]", ["redis"]),
        ("-e ./lib", None),
    ],
)
def test_what_its_own_projects_need_comes_before_their_code(declared, line, wanted):
    lib = {"lib/pyproject.toml": "[project]\nname = 'lib'\ndependencies = ['six']\n", "lib/lib.py": "code"}
    found, plan = declared({"requirements.txt": f"flask\n{line}\nrich\n", "pyproject.toml": PYPROJECT, **lib})
    assert found == {"requirements.txt": "flask\n\nrich\n"}
    assert plan.requirements == (["six"] if wanted is None else ["flask>=3", "rich; python_version > '3'", *wanted])
    assert plan.project == ["-r", "requirements.txt"]


def test_a_project_s_own_dependencies_are_read_where_there_is_no_requirements_file(declared):
    found, plan = declared({"pyproject.toml": PYPROJECT, "src/shop/__init__.py": ""})
    assert (found, plan.source, plan.project) == ({}, "pyproject.toml", ["-e", "."])
    assert plan.requirements == ["flask>=3", "rich; python_version > '3'"]


def test_a_project_that_says_nothing_of_how_it_is_built_is_a_folder_with_code(declared):
    _, plan = declared({"pyproject.toml": "[project]\nname = 'shop'\ndependencies = ['flask']\n"})
    assert (plan.requirements, plan.project) == (["flask"], [])


@pytest.mark.parametrize("lock", ["uv.lock", "poetry.lock"])
def test_a_lock_is_read_by_its_own_tool(declared, lock):
    found, plan = declared({"pyproject.toml": PYPROJECT, lock: "version = 1\n"})
    assert (set(found), plan.lock) == ({"pyproject.toml", lock}, lock)
    assert plan.project == ["--no-deps", "-e", "."]


LIBRARY = {"lib/pyproject.toml": "[project]\nname = 'lib'\n", "wheels/a-1-py3-none-any.whl": "a", "edit/setup.py": ""}
LOCKS = {
    "uv.lock": """
        [[package]]
        name = "shop"
        source = { editable = "." }
        dependencies = [{ name = "lib" }, { name = "flask" }]
        [package.dev-dependencies]
        dev = [{ name = "unused" }]
        [[package]]
        name = "flask"
        source = { registry = "https://index.example/simple" }
        dependencies = [{ name = "a" }]
        [[package]]
        name = "a"
        source = { path = "wheels/a-1-py3-none-any.whl" }
        [[package]]
        name = "lib"
        source = { directory = "lib" }
        dependencies = [{ name = "edit" }]
        [[package]]
        name = "edit"
        source = { editable = "edit" }
        [[package]]
        name = "unused"
        source = { directory = "../unused" }
        """,
    "poetry.lock": """
        [[package]]
        name = "flask"
        [package.dependencies]
        Lib = "*"
        a = { version = "*", markers = "os_name == 'nt'" }
        [[package]]
        name = "a"
        source = { type = "file", url = "wheels/a-1-py3-none-any.whl" }
        [[package]]
        name = "lib"
        source = { type = "directory", url = "./lib" }
        [package.dependencies]
        edit = "*"
        [[package]]
        name = "edit"
        develop = true
        source = { type = "directory", url = "edit" }
        [[package]]
        name = "unused"
        source = { type = "directory", url = "../unused" }
        """,
}


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_s_projects_in_the_folder_are_installed_with_the_code_and_its_archives_before(declared, lock):
    found, plan = declared({"pyproject.toml": PYPROJECT, lock: LOCKS[lock], **LIBRARY})
    assert sorted(found) == sorted(["pyproject.toml", lock, "lib/pyproject.toml", "wheels/a-1-py3-none-any.whl"])
    assert plan.project == ["--no-deps", "-e", ".", "-e", "./edit", "./lib"]


def test_lines_for_projects_of_the_folder_are_left_out_of_an_export(tmp_path):
    exported = (
        "# by a tool\n-e ./edit\n    # via shop\n./lib ; python_version > '3'\n./library\n"
        f"lib @ file://{tmp_path}/lib ; os_name == 'nt'\n-e file://{tmp_path}/edit\n"
        "flask==3.1.0 \\\n    --hash=sha256:00\n"
    )
    assert without(exported, ["lib", "edit"], tmp_path) == (
        "# by a tool\n\n    # via shop\n\n./library\n\n\nflask==3.1.0 \\\n    --hash=sha256:00\n"
    )
    assert without(exported, [], tmp_path) == exported


def test_a_file_for_tools_alone_declares_nothing(declared):
    assert declared({"pyproject.toml": "[tool.ruff]\nline-length = 120\n"})[1].source == ""


def test_a_setup_script_declares_what_its_build_says(declared):
    plan = declared({"setup.py": "", "shop.py": ""})[1]
    assert (plan.source, plan.project) == ("setup.py", ["-e", "."])


REFUSED = {
    "a file that isn't there": (
        {"requirements.txt": "flask\n-r base.txt\n"},
        "apps/shop/requirements.txt, line 2, names '-r base.txt', but apps/shop has no such file or folder: correct"
        " the line, or add it.",
    ),
    "a project elsewhere": (
        {"requirements.txt": "-e ../lib\n"},
        "apps/shop/requirements.txt, line 1, names '-e ../lib', but that is outside apps/shop: a build sees only that"
        " folder, so move it there.",
    ),
    "a locked project elsewhere": (
        {
            "pyproject.toml": "[project]\nname = 'shop'\ndependencies = ['lib']\n",
            "uv.lock": "[[package]]\nname = 'lib'\nsource = { editable = '../lib' }\n",
        },
        "apps/shop/uv.lock takes lib from ../lib, but that is outside apps/shop: a build sees only that folder, so"
        " move it there and lock again.",
    ),
    "a locked project that isn't there": (
        {
            "pyproject.toml": "[tool.poetry.dependencies]\nlib = { path = 'lib' }\n",
            "poetry.lock": "[[package]]\nname = 'lib'\nsource = { type = 'directory', url = 'lib' }\n",
        },
        "apps/shop/poetry.lock takes lib from lib, but there is no such file or folder: lock again.",
    ),
    "a broken project": (
        {"pyproject.toml": "[project\n"},
        "apps/shop/pyproject.toml is not valid TOML: Expected ']' at the end of a table declaration (at line 1, column"
        " 9).",
    ),
    "a tool's own dependencies without its lock": (
        {"pyproject.toml": "[tool.poetry]\npackage-mode = false\n"},
        "apps/shop/pyproject.toml leaves its dependencies to a tool, and has no build-system: add the tool's lock"
        " (uv.lock, poetry.lock), or a requirements.txt.",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_installed_is_said_of_the_user_s_own_file(declared, what):
    files, sentence = REFUSED[what]
    with pytest.raises(DependencyError) as refused:
        declared(files)
    assert str(refused.value) == sentence


def test_the_plan_is_the_same_text_for_the_same_files(declared, tmp_path):
    declared({"requirements.txt": "flask\n"})
    first = (tmp_path / "declared" / "plan.json").read_bytes()
    declared({"requirements.txt": "flask\n"})
    plan = tmp_path / "declared" / "plan.json"
    assert (plan.read_bytes(), plan.stat().st_mtime) == (first, 0)
    assert json.loads(first)["name"] == "apps/shop"
