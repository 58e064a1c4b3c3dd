"""The bundle of a start's modules: nothing a module can see tells of it, and it never hides a file that changed."""

import json
import marshal
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from dualmode import module_bundle
from tests.conftest import ROOT
from tests.support.emulator import Emulator
from tests.support.events import make_event

# Packages with extension modules, resources, import hooks, modules that replace themselves, and parts in many places.
CORPUS = {
    "corpus.py": """
import json.decoder, sys, email.message, concurrent.futures, xml.dom.minidom, sqlite3, unittest.mock
import boto3, botocore.session, brotlicffi, certifi, cffi, charset_normalizer, dateutil.rrule, docker, fastapi
import google.protobuf.message, graphql, greenlet, grpc, h2.connection, httpbin, hypothesis, jinja2.ext, jmespath
import opentelemetry.trace, pkg_resources, pydantic, pygments.lexers, requests, rich.console, setuptools, six.moves
import sortedcontainers, uvicorn, wrapt, yaml
from six.moves import urllib_parse
import tricks.elsewhere, spaced.one, spaced.two, replaced, noisy, _later
import later
from flask import Flask

app = Flask(__name__)
PACKAGES = ["boto3", "certifi", "flask", "jinja2", "json", "pydantic", "requests", "tricks", "werkzeug", "yaml"]
FAILING = [(json.loads, "{"), (requests.get, "nowhere:"), (tricks.elsewhere.fail,), (jinja2.Template, "{% if %}")]
DATA = [("certifi", "cacert.pem"), ("tricks", "data.txt"), ("botocore", "data/endpoints.json")]
DISTRIBUTIONS = ["flask", "requests", "boto3"]
RUN = "run_me"
RELOADED = ["json.decoder", "tricks", "yaml", "re"]


def results():
    status = app.test_client().get("/").status_code
    return [six.moves.range(2)[1], yaml.safe_load("a: [1]"), status, later.VALUE]
""",
    "tricks/__init__.py": "import os\n__path__.append(os.path.join(os.path.dirname(__file__), 'more'))\n",
    "tricks/more/elsewhere.py": "def fail():\n    return 1 / 0  # here\n",
    "tricks/data.txt": "data\n",
    "spaced/one.py": "",
    "other/spaced/two.py": "",
    "other/later.py": "VALUE = 'later'\n",
    "_later.py": "import os, sys\nsys.path.append(os.path.join(os.path.dirname(__file__), 'other'))\n",
    "replaced.py": "import sys, types\nsys.modules[__name__] = types.SimpleNamespace(__name__=__name__, value=1)\n",
    "noisy.py": """
import re, warnings
re.compile("[[a]")
warnings.warn("from noisy")
warnings.warn("of who imports it", stacklevel=2)
""",
    "run_me.py": "import json.encoder\nvalue = 1\n",
}
LARGE = {
    "store.py": """
import collections, sys
from flask import Flask
from shelves import IMPORTED

app = Flask(__name__)

@app.get("/")
def show():
    loaders = [type(sys.modules[each].__spec__.loader).__name__ for each in IMPORTED]
    return {"total": sum(sys.modules[each].PRICE for each in IMPORTED), "loaders": collections.Counter(loaders)}

@app.get("/late/<int:number>")
def late(number):
    from shelves.shelf_0 import late
    return {"late": late.PRICE + number, "loader": type(late.__loader__).__name__}
""",
    "shelves/__init__.py": "\n".join(
        [f"import shelves.shelf_{n % 10}.ware_{n}" for n in range(300)]
        + ["IMPORTED = [f'shelves.shelf_{n % 10}.ware_{n}' for n in range(300)]", ""]
    ),
    **{f"shelves/shelf_{n}/__init__.py": "" for n in range(10)},
    **{f"shelves/shelf_{n % 10}/ware_{n}.py": f"PRICE = {n}\n" for n in range(300)},
    "shelves/shelf_0/late.py": "PRICE = 1000\n",
}
SMALL = {"shop.py": "import wares\nfrom flask import Flask\napp = Flask(__name__)\n", "wares.py": "PRICE = 1\n"}


class Installed:
    """The runtime and an application in folders of their own, as an image has them, and the bundle of both."""

    def __init__(self, folder, files, flask_app):
        self.root, self.task = folder / "root", folder / "task"
        shutil.copytree(ROOT / "dualmode", self.root / "dualmode", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copytree(ROOT / "scripts", self.root / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
        (self.root / "start").mkdir()
        self.bundle = self.root / "start" / "modules"
        for name, content in files.items():
            path = self.task / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        self.flask_app = flask_app

    def run(self, *arguments, **environ):
        variables = {
            "FLASK_APP": self.flask_app,
            "HOME": "/tmp",
            "PATH": os.environ["PATH"],
            "PYTHONPATH": f"{self.root}:{self.task}:{self.task / 'other'}",
            "PYTHONHASHSEED": "0",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        command = [sys.executable, "-P", *map(str, arguments)]
        done = subprocess.run(
            command, cwd=self.task, env=variables | environ, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
        return done

    def bundled(self, most_bytes=10**9, **environ):
        """Makes the bundle; by default it has room for all modules."""
        program = "import sys; from dualmode import bundle_maker; "
        program += f"bundle_maker.MOST_BYTES = {most_bytes}; sys.exit(bundle_maker.main([]))"
        self.run("-c", program, **environ)
        return self

    def loaders(self, *modules, after=""):
        """The class that loads each of these modules in a start, by name."""
        program = f"""
from dualmode import module_bundle
module_bundle.install()
import importlib, json, sys
{after}
loaders = [type(importlib.import_module(name).__spec__.loader).__name__ for name in {modules!r}]
print(json.dumps(loaders))
"""
        return json.loads(self.run("-c", program).stdout)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    installed = Installed(tmp_path_factory.mktemp("corpus"), CORPUS, "corpus:app").bundled()
    shutil.copy(ROOT / "tests" / "support" / "observed_modules.py", installed.task)
    return installed


@pytest.fixture
def shop(tmp_path):
    return Installed(tmp_path, SMALL, "shop:app").bundled()


@pytest.mark.slow
def test_a_thousand_modules_look_alike_with_a_bundle_and_without(corpus):
    with_bundle, without = (
        json.loads(re.sub("0x[0-9a-f]+", "0x", corpus.run("observed_modules.py", what, "corpus").stdout))
        for what in ("bundle", "files")
    )
    assert without["bundled"] == 0
    assert with_bundle["bundled"] > 1000
    for key, seen in without["seen"].items():
        if key == "modules":
            differing = [name for name in seen if seen[name] != with_bundle["seen"][key].get(name)]
            assert [(name, seen[name], with_bundle["seen"][key].get(name)) for name in differing[:1]] == []
        assert (key, with_bundle["seen"][key]) == (key, seen)


def test_an_application_s_modules_and_all_that_they_import_come_out_of_the_bundle(shop):
    assert shop.loaders("shop", "wares", "flask", "click.core", "json.decoder") == ["BundledLoader"] * 5


def test_three_hundred_modules_come_out_of_the_bundle_in_lambda_mode_and_answer_requests(rie, tmp_path):
    store = Installed(tmp_path, LARGE, "store:app").bundled()
    entrypoint = str(store.root / "scripts" / "entrypoint.sh")
    variables = {"FLASK_APP": "store:app", "PYTHONDONTWRITEBYTECODE": "1"}
    with Emulator(rie, store.task, tmp_path / "log", bootstrap=(entrypoint,), **variables) as function:
        answers = [json.loads(function.invoke(make_event(path=path))["body"]) for path in ("/", "/late/1", "/late/2")]
    assert answers == [
        {"total": 299 * 300 / 2, "loaders": {"BundledLoader": 300}},
        {"late": 1001, "loader": "SourceFileLoader"},
        {"late": 1002, "loader": "SourceFileLoader"},
    ]


def test_an_extension_module_is_found_and_is_loaded_as_ever(shop):
    assert shop.loaders("simplejson._speedups", "runtime_client") == ["ExtensionFileLoader"] * 2


def test_a_bundle_has_a_size_at_most_and_then_only_finds_the_largest_modules(tmp_path):
    files = {"shop.py": "import large, small\nfrom flask import Flask\napp = Flask(__name__)\n"}
    files |= {"large.py": "\n".join(f"name_{n} = {n}" for n in range(50_000)), "small.py": ""}
    shop = Installed(tmp_path, files, "shop:app").bundled(most_bytes=1_000_000)
    assert 900_000 < shop.bundle.stat().st_size <= 1_000_000
    assert shop.loaders("shop", "small", "large") == ["BundledLoader", "BundledLoader", "SourceFileLoader"]
    alone = "sys.meta_path[:] = [each for each in sys.meta_path if type(each) is module_bundle.Bundle]"
    assert shop.loaders("large", after=alone) == ["SourceFileLoader"]


def test_a_build_makes_a_bundle_of_less_than_five_megabytes_of_whatever_application(tmp_path):
    shop = Installed(tmp_path, {"shop.py": SMALL["shop.py"], "wares.py": "TEXT = " + repr("x" * 5_000_000)}, "shop:app")
    shop.run("-m", "dualmode.bundle_maker")
    assert 1_000_000 < shop.bundle.stat().st_size < 5_000_000


def test_without_its_application_a_bundle_has_the_runtime_s_modules(tmp_path):
    (tmp_path / "effect").touch()
    files = {"shop.py": f"open({str(tmp_path / 'effect')!r}, 'w').write('imported')\nimport wares\n", "wares.py": ""}
    installed = Installed(tmp_path, files, "shop:app").bundled(CHECK_IMPORT="0")
    assert (tmp_path / "effect").read_text() == ""
    assert installed.loaders("flask", "awslambdaric.bootstrap", "wares") == [*["BundledLoader"] * 2, "SourceFileLoader"]


def touched_later(path):
    later = path.stat().st_mtime + 3600
    os.utime(path, (later, later))


def changed(path):
    path.write_text("PRICE = 2\n")  # as long as it was
    touched_later(path)


def made_longer(path):
    before = path.stat()
    path.write_text("PRICE = 10 - 8\n")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def replaced_by_a_package(path):
    path.with_suffix("").mkdir()
    (path.with_suffix("") / "__init__.py").write_text("PRICE = 2\n")
    touched_later(path.parent)


def hidden_by_one_that_comes_first(path):
    first = path.parents[1] / "root" / "wares.py"
    first.write_text("PRICE = 2\n")
    touched_later(first.parent)


def mounted(path):
    """Puts a folder of another file system in place of the application's, with files of the same age and size."""
    task = path.parent
    elsewhere = Path(tempfile.mkdtemp(dir="/dev/shm"))
    path.write_text("PRICE = 2\n")
    shutil.copytree(task, elsewhere, dirs_exist_ok=True)
    for file in [elsewhere, *elsewhere.iterdir()]:
        os.utime(file, (0, 0))
    task.rename(task.with_name("before"))
    task.symlink_to(elsewhere)
    return elsewhere


@pytest.mark.parametrize(
    "change", [changed, made_longer, replaced_by_a_package, hidden_by_one_that_comes_first, mounted]
)
def test_a_module_that_changed_after_the_bundle_was_made_is_the_changed_one(shop, change):
    created = change(shop.task / "wares.py")
    try:
        program = "from dualmode import module_bundle; module_bundle.install(); import wares; print(wares.PRICE)"
        assert shop.run("-c", program).stdout == "2\n"
    finally:
        if created:
            shutil.rmtree(created)


def test_a_module_that_was_removed_is_missing(shop):
    (shop.task / "wares.py").unlink()
    program = "from dualmode import module_bundle; module_bundle.install(); import importlib.util as util; "
    assert shop.run("-c", f"{program} print(util.find_spec('wares'))").stdout == "None\n"


def test_a_module_written_while_the_process_runs_is_seen_once_caches_are_invalidated(shop):
    program = """
from dualmode import module_bundle
module_bundle.install()
import importlib, os, pathlib, flask
pathlib.Path("wares").mkdir()
pathlib.Path("wares/__init__.py").write_text("PRICE = 2")
os.utime(".", (2**32, 2**32))
importlib.invalidate_caches()
import wares
print(wares.PRICE)
"""
    assert shop.run("-c", program).stdout == "2\n"


def test_a_hook_that_reads_modules_its_own_way_reads_them_all(shop):
    hook = """
from importlib.machinery import FileFinder, SourceFileLoader
class Own(SourceFileLoader): pass
sys.path_hooks.insert(0, FileFinder.path_hook((Own, [".py"])))
sys.path_importer_cache.clear()
"""
    assert shop.loaders("wares", after=hook) == ["Own"]


def nothing(bundle):
    bundle.unlink()


def an_empty_file(bundle):
    bundle.write_bytes(b"")


def a_half(bundle):
    bundle.write_bytes(bundle.read_bytes()[: bundle.stat().st_size // 2])


def one_without_its_last_byte(bundle):
    bundle.write_bytes(bundle.read_bytes()[:-1])


def one_of_another_format(bundle):
    bundle.write_bytes(b"D" + bundle.read_bytes()[1:])


def one_of_another_python(bundle):
    data = bundle.read_bytes()
    begin = int.from_bytes(data[len(module_bundle.FORMAT) : module_bundle.START], "little")
    index = marshal.loads(data[begin:]) | {"python": "3.99.0"}
    bundle.write_bytes(data[:begin] + marshal.dumps(index))


def one_whose_code_objects_are_zeros(bundle):
    data = bundle.read_bytes()
    begin = int.from_bytes(data[len(module_bundle.FORMAT) : module_bundle.START], "little")
    bundle.write_bytes(data[: module_bundle.START] + bytes(begin - module_bundle.START) + data[begin:])


@pytest.mark.parametrize(
    "damage",
    [
        a_half,
        one_of_another_python,
        *(
            pytest.param(damage, marks=pytest.mark.slow)
            for damage in (nothing, an_empty_file, one_without_its_last_byte, one_of_another_format)
        ),
    ],
)
def test_a_start_goes_on_without_a_bundle_that_is_none(shop, damage):
    damage(shop.bundle)
    assert shop.loaders("shop", "wares", "flask") == ["SourceFileLoader"] * 3


def test_a_code_object_that_can_t_be_read_is_that_of_the_module_s_file(shop):
    data = shop.bundle.read_bytes()
    begin = int.from_bytes(data[len(module_bundle.FORMAT) : module_bundle.START], "little")
    shop.bundle.write_bytes(data[: module_bundle.START] + bytes(begin - module_bundle.START) + data[begin:])
    program = "from dualmode import module_bundle; module_bundle.install(); import shop; print(shop.wares.PRICE)"
    assert shop.run("-c", program).stdout == "1\n"


def test_a_package_that_looks_elsewhere_first_finds_what_is_there(tmp_path):
    store = "import os\n__path__[:0] = [os.environ['FIRST']] if 'FIRST' in os.environ else []\n"
    files = {"shop.py": SMALL["shop.py"].replace("wares", "store.item"), "store/__init__.py": store}
    shop = Installed(tmp_path, files | {"store/item.py": "VALUE = 1\n", "first/item.py": "VALUE = 2\n"}, "shop:app")
    program = "from dualmode import module_bundle; module_bundle.install(); import store.item; print(store.item.VALUE)"
    assert shop.bundled().run("-c", program, FIRST=str(shop.task / "first")).stdout == "2\n"


def test_a_regular_expression_that_is_warned_of_is_warned_of(tmp_path):
    files = {"shop.py": "import re\nfrom flask import Flask\napp = Flask(__name__)\nre.compile('[[a]')\n"}
    shop = Installed(tmp_path, files, "shop:app").bundled()
    program = "from dualmode import module_bundle; module_bundle.install(); import shop"
    assert "shop.py:4: FutureWarning: Possible nested set" in shop.run("-c", program).stderr


def test_an_application_may_close_whatever_is_open(shop):
    program = """
from dualmode import module_bundle
module_bundle.install()
import os
os.closerange(3, 100)
with open("../another", "rb") as file:
    import wares
    module_bundle.close()
    print(wares.PRICE, len(file.read()) > 1_000_000)
"""
    (shop.task.parent / "another").write_bytes(shop.bundle.read_bytes().replace(b"PRICE", b"PRIZE"))
    assert shop.run("-c", program).stdout == "1 True\n"


def test_once_a_start_is_over_nothing_is_open_and_modules_still_come_out_of_the_bundle(shop):
    program = """
from dualmode import module_bundle
import os
before = os.listdir("/proc/self/fd")
module_bundle.install()
import flask
module_bundle.close()
print(os.listdir("/proc/self/fd") == before)
import wares
print(type(wares.__loader__).__name__)
"""
    assert shop.run("-c", program).stdout == "True\nBundledLoader\n"


def test_regular_expressions_that_a_start_compiles_are_there_compiled_and_are_the_same(shop):
    program = """
from dualmode import module_bundle
module_bundle.install()
import re
cached = dict(re._cache)
called = []
compiler = re._compiler.compile
re._compiler.compile = lambda *arguments: called.append(arguments) or compiler(*arguments)
import shop, werkzeug.http
assert called == [], called
re.purge()
fresh = {key: re.compile(key[1], key[2]) for key in cached}
assert fresh == cached and [each.groupindex for each in fresh.values()] == [each.groupindex for each in cached.values()]
print(len(cached) > 20)
"""
    assert shop.run("-c", program).stdout == "True\n"


def test_a_traceback_through_a_bundled_module_is_the_one_without_a_bundle(tmp_path):
    files = SMALL | {"wares.py": "import os\nPRICE = 1 / len(os.environ.get('STOCK', 'x'))  # here\n"}
    shop = Installed(tmp_path, files, "shop:app").bundled()
    imports = "try: import shop\nexcept ZeroDivisionError:\n    import traceback\n    traceback.print_exc()\n"
    install = "from dualmode import module_bundle; module_bundle.install()"
    with_bundle = shop.run("-c", f"{install}\n{imports}", STOCK="").stderr
    assert "# here" in with_bundle
    assert shop.run("-c", f"pass\n{imports}", STOCK="").stderr == with_bundle


def test_only_lambda_mode_reads_the_bundle(shop):
    program = (
        "import sys; import dualmode.local_mode, dualmode.commands; print('dualmode.module_bundle' in sys.modules)"
    )
    assert shop.run("-c", program).stdout == "False\n"
