"""Does a cold start and writes down which modules it loads: `bundle_maker` runs this as a script.

Nothing is imported before that: a module that is already loaded would not be written down.
"""

import sys


def _start() -> int:
    """Runs lambda mode until the Runtime API has no more events."""
    from dualmode import lambda_mode

    try:
        lambda_mode.run()
    except RuntimeError as error:  # what awslambdaric's client raises then
        print(f"The start ended: {error}", file=sys.stderr)  # noqa: T201 - a command
    return 0


def _application() -> int:
    """Imports the application as lambda mode does."""
    from dualmode import import_check

    return import_check.main()


def _write(file: str, before: set[str], path: list[str]) -> None:
    """Writes the name, kind of loader, file and searched folders of each module that was loaded since.

    It also writes each compiled regular expression, whether it is for bytes, and its flags.
    """
    modules = list(sys.modules.items())
    cached = list(sys.modules["re"]._cache) if "re" in sys.modules else []
    import json
    from pathlib import Path

    found = []
    for name, module in modules:
        spec = getattr(module, "__spec__", None)
        if name not in before and spec is not None and spec.name == name and spec.has_location:
            package = name.rpartition(".")[0]
            searched = getattr(sys.modules.get(package), "__path__", None) if package else path
            if isinstance(searched, list):  # otherwise in a namespace package, which may have parts anywhere
                found.append((name, type(spec.loader).__name__, spec.origin, searched))
    patterns = [
        (str(pattern, "latin-1") if kind is bytes else pattern, kind is bytes, int(flags))
        for kind, pattern, flags in cached
        if kind in (str, bytes)
    ]
    Path(file).write_text(json.dumps({"modules": found, "path": path, "patterns": patterns}))


if __name__ == "__main__":
    what, file = sys.argv[1:]
    before, path = set(sys.modules), sys.path[:]
    status = {"start": _start, "application": _application}[what]()
    if status:
        sys.exit(status)
    _write(file, before, [*sys.path, *(each for each in path if each not in sys.path)])
