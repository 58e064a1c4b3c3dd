"""An application's Python files, and the full names of what they call."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

_NOT_DEPLOYED = {"node_modules", "venv", "site-packages", "__pycache__", "instance"}
_NOT_SERVED = {"tests", "test", "docs", "migrations", "alembic"}
_NOT_SERVED_FILES = {
    "setup.py",
    "conftest.py",
    "manage.py",
    "wsgi_dev.py",
    "noxfile.py",
    "fabfile.py",
    "gunicorn.conf.py",
}


@dataclass(frozen=True)
class Source:
    """One Python file: `name` is its path for a reader."""

    name: str
    tree: ast.Module

    @cached_property
    def names(self) -> dict[str, str]:
        """What each imported name stands for: `Thread` for `threading.Thread`, by any alias."""
        found: dict[str, str] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    found[alias.asname or alias.name.partition(".")[0]] = (
                        alias.name if alias.asname else alias.name.partition(".")[0]
                    )
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                for alias in node.names:
                    found[alias.asname or alias.name] = f"{node.module}.{alias.name}"
        return found

    @cached_property
    def constants(self) -> dict[str, ast.expr]:
        """The last value of each name at the module's top level."""
        return {
            target.id: node.value
            for node in self.tree.body
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }

    @cached_property
    def generators(self) -> frozenset[str]:
        """Names of the functions in the file that yield."""
        return frozenset(
            node.name
            for node in ast.walk(self.tree)
            if isinstance(node, ast.FunctionDef) and any(isinstance(part, ast.Yield) for part in ast.walk(node))
        )

    def is_upload(self, node: ast.expr) -> bool:
        """Whether an expression is a file that a request brought, or a variable that holds one."""
        parts = list(ast.walk(node))
        named = {part.id for part in parts if isinstance(part, ast.Name)} & self._uploads
        return bool(named) or any(self.name_of(part) == "flask.request.files" for part in parts)

    @cached_property
    def _uploads(self) -> frozenset[str]:
        found = set()
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Assign):
                targets, value = node.targets, node.value
            elif isinstance(node, ast.For):
                targets, value = [node.target], node.iter
            else:
                continue
            if any(self.name_of(part) == "flask.request.files" for part in ast.walk(value)):
                found |= {target.id for target in targets if isinstance(target, ast.Name)}
        return frozenset(found)

    def name_of(self, node: ast.AST) -> str:
        """The full name of what an expression refers to, such as `threading.Thread`; "" where it isn't a name."""
        if isinstance(node, ast.Name):
            return self.names.get(node.id, node.id)
        if isinstance(node, ast.Attribute):
            owner = self.name_of(node.value)
            return f"{owner}.{node.attr}" if owner else f"?.{node.attr}"
        return ""

    def nodes(self) -> Iterator[ast.AST]:
        """Every node of the code that runs during import and requests: scripts and commands are left out."""
        waiting: list[ast.AST] = [self.tree]
        while waiting:
            node = waiting.pop()
            if self._is_script(node):
                continue
            yield node
            waiting.extend(reversed(list(ast.iter_child_nodes(node))))

    def _is_script(self, node: ast.AST) -> bool:
        if isinstance(node, ast.If):
            return "__main__" in {part.value for part in ast.walk(node.test) if isinstance(part, ast.Constant)}
        if isinstance(node, ast.FunctionDef):
            names = [self.name_of(part.func if isinstance(part, ast.Call) else part) for part in node.decorator_list]
            return any(name.endswith(".command") for name in names)
        return False


def sources(folder: Path) -> Iterator[Source | str]:
    """Every Python file that serves requests, or a sentence for a file that isn't valid Python."""
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(folder).parts
        if any(part.startswith(".") or part in _NOT_DEPLOYED | _NOT_SERVED for part in parts):
            continue
        if path.name in _NOT_SERVED_FILES or path.name.startswith("test_") or path.name.endswith("_test.py"):
            continue
        try:
            yield Source(str(path), ast.parse(path.read_bytes()))
        except (SyntaxError, ValueError) as error:
            yield f"{path}: {type(error).__name__}"
