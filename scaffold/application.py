"""What an application's folder tells: its files, where the application is, what it needs. It is never run."""

import ast
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

_NOT_COPIED = {"node_modules", "venv", "__pycache__", "instance"}
_NOT_READ = {"tests", "test", "docs", "migrations", "examples"}
_CLASSES = {
    "Flask",
    "APIFlask",
    "OpenAPI",
    "FastAPI",
    "Starlette",
    "Quart",
    "Litestar",
    "Bottle",
    "FlaskApp",
    "AsyncApp",
}
_CALLS = {"get_wsgi_application", "get_asgi_application", "make_wsgi_app"}
_OF_FALCON = {"falcon.App", "falcon.API", "falcon.asgi.App"}
_FACTORIES = ("create_app", "make_app")
_FIRST = ("wsgi", "app", "application", "main", "__init__", "server", "run")


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """An application's files, by their path in it, and those that stay behind."""

    taken: tuple[str, ...]
    left_out: tuple[str, ...]


def files_of(folder: Path) -> Files:
    """Return the files that git tracks, or if it tracks none, all but hidden and installed ones."""
    tracked = _git(folder, "ls-files", "-z")
    names = tracked.split("\0")[:-1] if tracked else [path.relative_to(folder).as_posix() for path in _walk(folder)]
    others = _git(folder, "ls-files", "-z", "--others", "--exclude-standard").split("\0")[:-1] if tracked else []
    secret = [name for name in names if _is_secret(name)]
    links = [name for name in names if (folder / name).is_symlink()]
    taken = [name for name in names if name not in {*secret, *links} and (folder / name).is_file()]
    return Files(taken=tuple(sorted(taken)), left_out=tuple(sorted([*secret, *links, *others])))


def flask_apps(folder: Path, name: str, files: Sequence[str]) -> list[str]:
    """Return what FLASK_APP may be, most likely first, from its code; `name` is the folder's name in the repository."""
    found: list[tuple[tuple[int, int, int], str]] = []
    for file in files:
        path = PurePosixPath(file)
        if path.suffix != ".py" or _NOT_READ & set(path.parts[:-1]) or path.name.startswith(("test_", "conftest")):
            continue
        try:
            tree = ast.parse((folder / file).read_bytes())
        except (SyntaxError, ValueError):
            continue
        order = _FIRST.index(path.stem) if path.stem in _FIRST else len(_FIRST)
        for kind, spelled in _applications(tree):
            module = _module(path, name, set(files))
            found.append(((len(path.parts), kind, order), f"{module}:{spelled}"))
    return [text for _, text in sorted(found)]


def dependencies(folder: Path) -> str | None:
    """Return the name of the file that declares what the application needs, None where there is none."""
    if (folder / "requirements.txt").is_file():
        return "requirements.txt"
    return "pyproject.toml" if _project(folder).get("dependencies") else None


def python(folder: Path) -> tuple[int, int] | None:
    """Return the Python that it asks for: `.python-version`, or the newest that `requires-python` allows."""
    file = folder / ".python-version"
    found = re.match(r"\s*3\.(\d+)", file.read_text() if file.is_file() else "")
    if found:
        return 3, int(found[1])
    required = str(_project(folder).get("requires-python") or "")
    below = re.search(r"<\s*3\.(\d+)", required)
    exact = re.search(r"(?:==|~=|<=)\s*3\.(\d+)", required)
    if below:
        return 3, int(below[1]) - 1
    return (3, int(exact[1])) if exact else None


def _applications(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """The names of applications and factories in a module: an application object is more likely than a factory."""
    for node in tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Call):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            called = _last_name(node.value.func)
            if called in _CLASSES | _CALLS or called in _FACTORIES or ast.unparse(node.value.func) in _OF_FALCON:
                yield from ((0, target.id) for target in targets if isinstance(target, ast.Name))
        elif isinstance(node, ast.FunctionDef) and node.name in _FACTORIES:
            arguments = node.args
            required = len(arguments.args) - len(arguments.defaults) + len(arguments.posonlyargs)
            if required <= 0 and all(default is not None for default in arguments.kw_defaults):
                yield 1, f"{node.name}()"


def _module(path: PurePosixPath, name: str, files: set[str]) -> str:
    """A file as FLASK_APP names it: its module where the image can import that, else its path."""
    packages = [str(parent / "__init__.py") for parent in path.parents if str(parent) != "."]
    parts = path.parts[:-1] if path.stem == "__init__" else (*path.parts[:-1], path.stem)
    if not set(packages) <= files or not all(part.isidentifier() for part in parts):
        return str(path)
    if "__init__.py" in files:
        parts = (name, *parts)  # a folder that is a package is imported by its name
    return ".".join(parts)


def _last_name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _project(folder: Path) -> dict[str, object]:
    try:
        content = tomllib.loads((folder / "pyproject.toml").read_text())
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError):
        return {}
    project = content.get("project")
    return project if isinstance(project, dict) else {}


def _walk(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name in _NOT_COPIED or (path.name.startswith(".") and path.name != ".python-version"):
            continue
        if path.is_dir() and not path.is_symlink():
            yield from _walk(path)
        else:
            yield path


def _is_secret(name: str) -> bool:
    base = PurePosixPath(name).name
    return base.startswith(".env") or base.endswith((".pem", ".key"))


def _git(folder: Path, *arguments: str) -> str:
    git = shutil.which("git")
    if git is None:
        return ""
    ended = subprocess.run(
        [git, "-C", str(folder), *arguments], capture_output=True, text=True, errors="surrogateescape"
    )
    return ended.stdout if ended.returncode == 0 else ""
