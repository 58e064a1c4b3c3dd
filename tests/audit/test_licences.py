"""Every package in the image and the toolchain has a licence that the table accepts; a new one fails."""

from importlib.metadata import PathDistribution, distributions

import pytest

from audit import licences
from audit.locks import IMAGE, TOOLCHAIN, normal, pinned, present
from tests.support.provided import ROOT

TABLE = licences.Table(
    accepted={"MIT": "the notice", "Apache-2.0": "the notice"},
    names={"MIT License": "MIT"},
    packages={"argued": "MIT"},
)


@pytest.fixture
def package(tmp_path):
    """Makes an installed package with these lines of metadata."""

    def package(name, *lines):
        folder = tmp_path / f"{name}-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text("\n".join(["Metadata-Version: 2.4", f"Name: {name}", "Version: 1.0", *lines]))
        return PathDistribution(folder)

    return package


def test_every_package_of_every_lock_that_is_installed_here_has_an_accepted_licence():
    locked = {name for lock in present(ROOT, (IMAGE, *TOOLCHAIN)) for name in pinned(lock)}
    installed = [found for found in distributions() if normal(found.name) in locked]
    assert {normal(found.name) for found in installed} >= {"flask", "awslambdaric", "pulumi", "ministack", "pytest"}
    assert list(licences.refused(installed, "this environment", licences.read_table())) == []


def test_each_licence_in_the_table_is_accepted_for_a_reason():
    table = licences.read_table()
    assert [name for name, reason in table.accepted.items() if not reason] == []
    assert set(table.names.values()) | set(table.packages.values()) <= table.accepted.keys()


@pytest.mark.parametrize(
    "lines",
    [
        ("License-Expression: MIT",),
        ("License-Expression: (MIT OR Apache-2.0) AND MIT",),
        ("Classifier: License :: OSI Approved :: MIT License",),
        ("License: MIT",),
        ("License: MIT License", "Classifier: Programming Language :: Python"),
    ],
)
def test_a_licence_in_the_table_is_accepted_however_the_package_says_it(package, lines):
    assert list(licences.refused([package("good", *lines)], "the image", TABLE)) == []


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ((), "says no licence"),
        (("License-Expression: GPL-3.0-only",), "is under GPL-3.0-only"),
        (("License-Expression: MIT OR GPL-2.0-only",), "is under GPL-2.0-only"),
        (("License-Expression: Apache-2.0 WITH LLVM-exception",), "is under LLVM-exception"),
        (("Classifier: License :: Other/Proprietary License",), "is under Other/Proprietary License"),
        (
            ("Classifier: License :: OSI Approved :: MIT License", "Classifier: License :: OSI Approved :: Zope"),
            "is under Zope",
        ),
        (("License: All rights reserved; ask us, please.",), "is under All rights reserved; ask us, please."),
    ],
)
def test_a_new_licence_is_refused_with_the_way_out(package, lines, says):
    assert list(licences.refused([package("New_Package", *lines)], "the image", TABLE)) == [
        f"new-package 1.0 in the image {says}, which audit/licences.toml doesn't accept: use another package, or add "
        "it there with the reason."
    ]


def test_a_package_that_was_argued_is_accepted(package):
    assert list(licences.refused([package("argued", "License: see the file")], "the image", TABLE)) == []
