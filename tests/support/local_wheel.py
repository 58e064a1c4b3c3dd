"""A wheel that an application brings along, for installations without an index."""

import zipfile
from pathlib import Path


def write_wheel(folder: Path) -> str:
    """Write the package `greeting`, whose `TEXT` is "hello", and return the wheel's name."""
    name, about = "greeting-1.0-py3-none-any.whl", "greeting-1.0.dist-info"
    folder.mkdir()
    with zipfile.ZipFile(folder / name, "w") as wheel:
        wheel.writestr("greeting.py", "TEXT = 'hello'\n")
        wheel.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: greeting\nVersion: 1.0\n")
        wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{about}/RECORD", f"greeting.py,,\n{about}/METADATA,,\n{about}/WHEEL,,\n{about}/RECORD,,\n")
    return name
