"""A failed installation names the package, the line of the user's file that asks for it, and the way out."""

import pytest

from infra.dependencies import failure
from infra.dependencies.declared import Plan

# What pip 23 to 26 print; the addresses and hashes are shortened.
SAID = {
    "a name that nobody has": (
        {"requirements.txt": "flask\n# ours\nno-such-thing==1\n"},
        "ERROR: Could not find a version that satisfies the requirement no-such-thing==1 (from versions: none)\n"
        "ERROR: No matching distribution found for no-such-thing==1\n",
        ", because of no-such-thing==1 (line 3): the package index has no package of that name; correct the name, or"
        " check that the right index is reached.",
    ),
    "a version that nobody has": (
        {"requirements.txt": "-r more/base.txt\n", "more/base.txt": "\nItsDangerous==99\n"},
        "ERROR: Could not find a version that satisfies the requirement itsdangerous==99 (from versions: 2.1, 2.2.0)\n"
        "ERROR: No matching distribution found for itsdangerous==99\n",
        ", because of itsdangerous==99 (app/more/base.txt, line 2): the package index has no such version for this"
        " Python; choose one that it has, such as 2.2.0.",
    ),
    "an index that does not answer": (
        {"requirements.txt": "flask\n"},
        "WARNING: Retrying (Retry(total=4, connect=None)) after connection broken by 'NewConnectionError(...)'\n"
        "ERROR: Could not find a version that satisfies the requirement flask (from versions: none)\n"
        "ERROR: No matching distribution found for flask\n",
        ", because of flask (line 1): the package index does not answer; check that it can be reached, and start"
        " again.",
    ),
    "a package for another Python": (
        {"requirements.txt": "newest\n"},
        "ERROR: Ignored the following versions that require a different python version: 1.0 Requires-Python >=3.99\n"
        "ERROR: Could not find a version that satisfies the requirement newest (from versions: none)\n"
        "ERROR: No matching distribution found for newest\n",
        ", because of newest (line 1): all its versions need Python >=3.99; run the sandbox on such a Python (make"
        " PYTHON=...), or take another package.",
    ),
    "what another package needs": (
        {"requirements.txt": "flask\nshelf==2\n"},
        "Collecting shelf==2 (from -r requirements.txt (line 2))\n"
        "ERROR: Could not find a version that satisfies the requirement inner>=3 (from shelf) (from versions: 1, 2)\n"
        "ERROR: No matching distribution found for inner>=3\n",
        ", because of inner>=3 (which shelf needs, line 2): the package index has no such version for this Python;"
        " choose one that it has, such as 2.",
    ),
    "versions that exclude each other": (
        {"requirements.txt": "-r r2.txt\n", "r2.txt": "flask==3.1.0\nwerkzeug==1.0\n"},
        "ERROR: Cannot install -r r2.txt (line 1) and werkzeug==1.0 because these package versions have conflicting"
        " dependencies.\n\nThe conflict is caused by:\n    The user requested werkzeug==1.0\n"
        "    flask 3.1.0 depends on Werkzeug>=3.1\n\nTo fix this you could try to:\n",
        ", because of versions that exclude each other: werkzeug==1.0 (app/r2.txt, line 2) is asked for, and flask"
        " 3.1.0 depends on Werkzeug>=3.1; change one of them.",
    ),
    "a line that is not a requirement": (
        {"requirements.txt": "\nflask=3.1.0\n"},
        "ERROR: Invalid requirement: 'flask=3.1.0' (from line 2 of requirements.txt)\n"
        "Hint: = is not a valid operator. Did you mean == ?\n",
        ", because 'flask=3.1.0' (line 2) is not a valid requirement: write it as name==version.",
    ),
    "a line that is not a requirement, as newer pip says it": (
        {"requirements.txt": "a b\n"},
        "ERROR: Invalid requirement: 'a b': Expected semicolon (after name with no version specifier) or end\n"
        "    a b\n      ^ (from line 1 of requirements.txt)\n",
        ", because 'a b' (line 1) is not a valid requirement: write it as name==version.",
    ),
    "another file than the hash says": (
        {"requirements.txt": "flask==3.1.0 \\\n  --hash=sha256:00\n"},
        "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE. If you have updated ...\n"
        "    flask==3.1.0 from https://index.example/flask.whl (from -r requirements.txt (line 1)):\n"
        "        Expected sha256 00\n",
        ", because of flask==3.1.0 (line 1): its file in the package index has another hash; lock again, with that"
        " one.",
    ),
    "one hash alone": (
        {"requirements.txt": "flask>=3 --hash=sha256:00\n"},
        "ERROR: In --require-hashes mode, all requirements must have their versions pinned with ==. These do not:\n"
        "    flask>=3 from https://index.example/flask.whl (from -r requirements.txt (line 1))\n",
        ", because of flask>=3 (line 1): if one requirement has a hash, all need == and a hash; lock again, with all.",
    ),
    "a repository without git": (
        {"requirements.txt": "git+https://git.example/shelf\n"},
        "ERROR: Cannot find command 'git' - do you have 'git' installed and in your PATH?\n",
        ", because one comes from git, which is not there: name it by the address of an archive (.zip, .tar.gz).",
    ),
    "what pip alone knows": (
        {"requirements.txt": "flask\n"},
        "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device\n",
        "; pip says why above. Correct that file, or check that a package index can be reached.",
    ),
}


@pytest.fixture
def explain(tmp_path, monkeypatch):
    """Explains what pip said of the files, where the environment's Python is the oldest that runs here."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho 11\n")
    python.chmod(0o755)

    def run(files, said, **plan):
        for name, content in files.items():
            (tmp_path / "declared" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "declared" / name).write_text(content)
        plan = Plan(name="app", **plan)
        return failure.explain(said.splitlines(), plan, tmp_path / "declared", python, "")

    return run


@pytest.mark.parametrize("what", SAID)
def test_a_failed_installation_names_the_package_its_line_and_the_way_out(explain, what):
    files, said, sentence = SAID[what]
    assert explain(files, said, source="requirements.txt") == (
        f"The packages of app/requirements.txt can't be installed{sentence}"
    )


def test_a_package_that_can_not_be_built_is_named_with_its_line(explain):
    said = (
        "Collecting native==1.2 (from -r requirements.txt (line 2))\n"
        "  Downloading native-1.2.tar.gz (500 kB)\n"
        "  ERROR: Failed building wheel for native\n"
    )
    assert explain({"requirements.txt": "flask\nnative\n"}, said, source="requirements.txt") == (
        "The packages of app/requirements.txt can't be installed. native==1.2 (line 2) has no"
        " wheel for Python 3.11, nor for an older one that the runtime supports, and its source can't be built here, as"
        " pip says above: take another version of it, or another package."
    )


def test_a_package_of_a_lock_is_named_without_a_line(explain):
    assert explain({}, SAID["a name that nobody has"][1], source="pyproject.toml", lock="uv.lock") == (
        "The packages of app/uv.lock can't be installed, because of no-such-thing==1: the package index has no package"
        " of that name; correct the name, or check that the right index is reached."
    )
