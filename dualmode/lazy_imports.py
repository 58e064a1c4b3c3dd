"""Makes the imports of the standard library and of the image's packages lazy, on Python 3.15 and later (PEP 810)."""

import sys

# Packages whose modules were tested with all of their imports lazy: only those in the image's lock. A user's modules
# and other packages may be imported for their side effects: they stay eager.
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

    Code that runs without a module name, such as Jinja's templates, stays eager.
    """
    return importing is not None and importing.partition(".")[0] in _LAZY


def install() -> None:
    """Turns on lazy imports for the modules that `may_be_lazy` allows; does nothing before Python 3.15."""
    if sys.version_info >= (3, 15):
        sys.set_lazy_imports_filter(may_be_lazy)
        sys.set_lazy_imports("all")
