"""Makes the imports of the standard library and of the image's packages lazy, on Python 3.15 and later (PEP 810)."""

import sys

# Packages whose modules were tried with every import of theirs made lazy: what the image's lock brings, and nothing
# else. A user's modules, and packages nobody here knows, may be imported for their side effects: they stay eager.
SHIPPED = frozenset(
    {
        "awslambdaric",
        "blinker",
        "click",
        "flask",
        "itsdangerous",
        "jinja2",
        "mangum",
        "markupsafe",
        "simplejson",
        "snapshot_restore_py",
        "werkzeug",
    }
)

_LAZY = SHIPPED | sys.stdlib_module_names


def may_be_lazy(importing: str | None, imported: str, names: tuple[str, ...] | None, /) -> bool:
    """Tells whether an import statement of the module `importing` may wait until its name is used.

    Code that is executed without a module's name, as Jinja executes its templates, stays eager.
    """
    return importing is not None and importing.partition(".")[0] in _LAZY


def install() -> None:
    """Turns lazy imports on for the modules that `may_be_lazy` allows; before Python 3.15 changes nothing."""
    if sys.version_info >= (3, 15):
        sys.set_lazy_imports_filter(may_be_lazy)
        sys.set_lazy_imports("all")
