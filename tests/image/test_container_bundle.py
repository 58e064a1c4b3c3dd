"""The bundle of a start's modules in a real image, with the image's own Python."""

import json
import re
import subprocess

import pytest

from tests.conftest import ROOT, image_tag

LOADERS = """
from dualmode import module_bundle
module_bundle.install()
from dualmode import lambda_mode, lazy_imports
lazy_imports.install()
from dualmode import application
application.load(application.import_string())
import json, sys
names = {names!r}
print(json.dumps([type(sys.modules[name].__spec__.loader).__name__ for name in names]))
"""

LOOK = """
from flask import Flask
import json.decoder, httpbin, jinja2.ext, werkzeug.http
app = Flask(__name__)
PACKAGES = ["flask", "jinja2", "json", "werkzeug", "click", "httpbin"]
FAILING = [(json.loads, "{"), (jinja2.Template, "{% if %}")]
DATA = [("httpbin", "templates/index.html")]
DISTRIBUTIONS = ["flask", "httpbin"]
RUN = "decimal"
RELOADED = ["json.decoder", "jinja2.ext", "re"]
def results(): return [httpbin.app.test_client().get("/get?a=1").json["args"]]
"""


def python(engine, image, program, *options):
    run = [engine, "run", "--rm", "--network=none", "--env=PYTHONPATH=/opt/dualmode:/var/task", "--entrypoint=python"]
    done = subprocess.run([*run, *options, image, "-P", "-c", program], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("application", ["sample", "httpbin"])
def test_a_start_takes_the_library_packages_runtime_and_application_out_of_the_bundle(application, engine, request):
    image = request.getfixturevalue(f"{application}_image")
    own = {"sample": "scripts.server", "httpbin": "httpbin"}[application]
    names = ["logging", "flask", "flask.app", "werkzeug.routing.map", "dualmode.application", own]
    assert python(engine, image, LOADERS.format(names=names)) == ["BundledLoader"] * 6


def test_modules_look_alike_with_a_bundle_and_without_where_imports_are_lazy(engine, httpbin_image, tmp_path):
    (tmp_path / "look.py").write_text(LOOK)
    (tmp_path / "observed_modules.py").write_text((ROOT / "tests" / "support" / "observed_modules.py").read_text())
    tmp_path.chmod(0o755)
    seen = []
    for what in ("bundle", "files"):
        program = (
            f"import sys; sys.path.append('/look'); import observed_modules; observed_modules.main('{what}', 'look')"
        )
        printed = json.dumps(python(engine, httpbin_image, program, f"--volume={tmp_path}:/look:ro"))
        seen.append(json.loads(re.sub("0x[0-9a-f]+", "0x", printed)))
    with_bundle, without = seen
    assert without["bundled"] == 0
    assert with_bundle["bundled"] > 80
    assert with_bundle["seen"] == without["seen"]


def test_an_image_on_top_with_another_application_starts_that_one(engine, sample_image, tmp_path):
    changed = (ROOT / "scripts" / "server.py").read_text().replace("Hello from Flask!", "Hello from above!")
    (tmp_path / "server.py").write_text(changed)
    tag = image_tag("on-top")
    steps = ["USER 0", "COPY server.py /var/task/scripts/", "RUN rm -r /var/task/scripts/__pycache__", "USER 10001"]
    (tmp_path / "Dockerfile").write_text("\n".join([f"FROM {sample_image}", *steps, ""]))
    subprocess.run([engine, "build", "--tag", tag, str(tmp_path)], check=True, capture_output=True, timeout=120)
    try:
        program = LOADERS.format(names=["scripts.server", "flask"])
        answer = "from scripts.server import app; print(json.dumps(app.test_client().get('/hello').json))"
        assert python(engine, tag, program) == ["SourceFileLoader", "BundledLoader"]
        assert python(engine, tag, f"{program}\n{answer}") == {"message": "Hello from above!"}
    finally:
        subprocess.run([engine, "rmi", "--force", tag], capture_output=True, timeout=60)


def test_the_bundle_adds_less_than_five_megabytes_to_an_image(engine, httpbin_image):
    program = "import os; print(os.stat('/opt/dualmode/start/modules').st_size)"
    assert 1_000_000 < python(engine, httpbin_image, program) < 5_000_000
