"""What a process can see of the modules it loaded: a script, run with a bundle and without, prints it as JSON.

Arguments: `bundle` or `files`, and the module to import. The keys of the output: `seen`, which must be the same in both
runs, and `bundled`, how many modules came out of the bundle.
"""

import hashlib
import importlib
import importlib.metadata
import importlib.resources
import importlib.util
import inspect
import json
import linecache
import pkgutil
import runpy
import sys
import traceback
import types
import warnings


def of_code(code):
    constants = [of_code(each) if isinstance(each, types.CodeType) else repr(each) for each in code.co_consts]
    if any(isinstance(each, frozenset) for each in code.co_consts):
        constants = [sorted(each) if isinstance(each, str) else each for each in constants]  # a set has no order
    return [code.co_filename, code.co_firstlineno, code.co_qualname, code.co_code.hex(), list(code.co_names), constants]


def digest(value):
    return hashlib.sha256(repr(value).encode()).hexdigest()[:16]


def of_loader(name, module, loader):
    if loader is None or isinstance(loader, type):
        return repr(loader)
    kinds = [kind.__name__ for kind in type(loader).__mro__ if "importlib" in kind.__module__]
    seen = [kinds, {key: value for key, value in vars(loader).items() if isinstance(value, str)}, sorted(vars(loader))]
    if "SourceLoader" in kinds:
        code = loader.get_code(name)
        seen += [loader.get_filename(name), loader.is_package(name), digest(loader.get_source(name))]
        seen += [digest(of_code(code)), digest(loader.get_data(loader.path)), loader.path_stats(loader.path)["size"]]
        functions = [each for each in vars(module).values() if isinstance(each, types.FunctionType)]
        own = [each for each in functions if each.__module__ == name and each.__code__.co_filename == module.__file__]
        seen += [
            [each.__qualname__, digest(of_code(each.__code__)), digest(inspect.getsource(each))] for each in own[:9]
        ]
    return seen


def of_spec(spec):
    keys = ("name", "origin", "cached", "has_location", "parent", "loader_state")
    searched = spec.submodule_search_locations
    return [*(getattr(spec, key) for key in keys), None if searched is None else [type(searched).__name__, *searched]]


def of_module(name, module):
    keys = ("__name__", "__file__", "__package__", "__cached__", "__doc__")
    seen = {key: repr(vars(module).get(key, "missing")) for key in keys}
    seen["repr"] = repr(module)
    seen["names"] = sorted(vars(module))
    seen["path"] = list(getattr(module, "__path__", ()))
    spec = vars(module).get("__spec__")
    if spec is not None:
        seen["spec"] = of_spec(spec)
        seen["loader"] = of_loader(spec.name, module, spec.loader)
        seen["loader is the spec's"] = vars(module).get("__loader__") is spec.loader
    return seen


def of_package(name):
    found = importlib.util.find_spec(name)
    files = sorted(path.name for path in importlib.resources.files(name).iterdir() if path.name != "__pycache__")
    return [files, sorted(each.name for each in pkgutil.iter_modules(sys.modules[name].__path__)), of_spec(found)]


def traceback_of(function, *arguments):
    try:
        function(*arguments)
    except Exception:  # noqa: BLE001 - the lines of any exception are compared
        return traceback.format_exc().split("\n")
    return None


def main(what, name):
    from dualmode import lazy_imports, module_bundle

    if what == "bundle":
        module_bundle.install()
    lazy_imports.install()
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        imported = importlib.import_module(name)
    module_bundle.close()
    order = list(sys.modules)
    modules = {each: sys.modules[each] for each in order if type(sys.modules[each]) is types.ModuleType}
    modules.pop("__main__")
    packages = [each for each, module in modules.items() if each in imported.PACKAGES]
    seen = {
        "order": order,
        "warned": [[str(each.message), each.filename, each.lineno] for each in warned],
        "path": sys.path,
        "modules": {each: of_module(each, module) for each, module in modules.items()},
        "packages": {each: of_package(each) for each in packages},
        "tracebacks": [traceback_of(*call) for call in imported.FAILING],
        "data": [digest(pkgutil.get_data(*each)) for each in imported.DATA],
        "versions": {each: importlib.metadata.version(each) for each in imported.DISTRIBUTIONS},
        "missing": [repr(importlib.util.find_spec(each)) for each in ("a_module_nobody_has", "json.nothing")],
        "lines": [linecache.getline(sys.modules[each].__file__, 1) for each in packages],
        "run": sorted(runpy.run_module(imported.RUN, run_name="__main__")),
        "results": imported.results(),
    }
    again = [importlib.reload(sys.modules[each]) for each in imported.RELOADED]
    seen["reloaded"] = [of_module(each.__name__, each) for each in again]
    bundled = sum(
        isinstance(getattr(each, "__loader__", None), module_bundle.BundledLoader) for each in modules.values()
    )
    print(json.dumps({"bundled": bundled, "seen": seen}, default=repr))


if __name__ == "__main__":
    main(*sys.argv[1:])
