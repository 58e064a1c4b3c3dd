"""What a page in a real browser gets from the ports on its user's machine: nothing, by no name and no trick."""

import contextlib
import html
import http.server
import json
import re
import signal
import subprocess
import threading

import pytest

from sandbox import ends_with_parent
from sandbox.page.port import PagePort
from tests.support.account_faults import faults_of
from tests.support.browser import CHROMIUM, OPTIONS, needs_chromium
from tests.support.gateways import gateway
from walk.account import Account

pytestmark = needs_chromium

# Another site's name, which leads to this machine: what a rebinding attack makes of its own.
EVIL = "evil.test"
INVOCATIONS = "/2015-03-31/functions/function/invocations"

# Sends each request in each way that needs no preflight, and with one; says what it could read of the answers.
PAGE = """<!doctype html><title>attack</title><pre id=result></pre><script>
async function attempt(target, options) {
  try {
    const answer = await fetch(target, options);
    return answer.type + " " + answer.status + " " + await answer.text();
  } catch (error) { return "refused"; }
}
(async () => {
  const results = {};
  for (const [url, body] of TARGETS) {
    results[url] = [
      await attempt(url, {}),
      await attempt(url, {method: "POST", body, headers: {"Content-Type": "text/plain"}}),
      await attempt(url, {method: "POST", body, mode: "no-cors"}),
      await attempt(url, {method: "POST", body, headers: {"Content-Type": "application/json"}}),
    ];
  }
  document.getElementById("result").textContent = JSON.stringify(results);
})();
</script>"""


def shown(url, folder):
    """The document that a browser shows at an address, once its scripts have ended."""
    command = [CHROMIUM, *OPTIONS]
    command += [f"--user-data-dir={folder}", f"--host-resolver-rules=MAP {EVIL} 127.0.0.1"]
    command += ["--virtual-time-budget=20000", "--timeout=30000", "--dump-dom", url]
    command = ends_with_parent.alone(command, signal.SIGKILL)
    return html.unescape(subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout)


@contextlib.contextmanager
def page(content):
    """A site on this machine that serves one page; its port."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(content.encode())

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def function(tmp_path):
    with gateway(tmp_path) as made:
        yield made


@pytest.fixture
def sent():
    return []


@pytest.fixture
def faults(ministack, tmp_path):
    with faults_of(ministack, tmp_path) as made:
        yield made


@pytest.fixture
def sandbox_page(ministack, tmp_path, sent, faults):
    def send(request):
        sent.append(request)
        return {}

    (tmp_path / "logs").mkdir()
    with PagePort(ministack.account, tmp_path / "logs", {}, send, faults, first=18_701) as made:
        yield made


def runtime_api(function):
    """The port of the Runtime API of the function's one environment."""
    status, _, body = function.post("environment")
    assert status == 200
    return json.loads(body)["AWS_LAMBDA_RUNTIME_API"].rpartition(":")[2]


def test_a_page_of_another_site_reads_nothing_and_starts_nothing(
    ministack, function, sandbox_page, sent, faults, tmp_path
):
    api = runtime_api(function)
    account = Account(ministack.endpoint_url, ministack.region, ministack.credentials)
    create = json.dumps({"FunctionName": "evil", "Runtime": "python3.12", "Handler": "x.y", "Role": "r", "Code": {}})
    paths = [
        (ministack.port, "/2015-03-31/functions", create),
        (ministack.port, "/_ministack/reset", ""),
        (function.events_port, INVOCATIONS, '{"do": ["print", "attacked"]}'),
        (api, "/2018-06-01/runtime/invocation/next", ""),
        (api, "/2018-06-01/runtime/init/error", "{}"),
        (sandbox_page.port, "/send", '{"line": "GET /", "headers": [], "body": ""}'),
        (sandbox_page.port, "/faults", '{"set": true, "names": ["crash"]}'),
        (sandbox_page.port, "/events", ""),
    ]
    targets = [(f"http://{host}:{port}{path}", body) for port, path, body in paths for host in ("127.0.0.1", EVIL)]
    account.client("sqs").create_queue(QueueName="kept")
    with page(PAGE.replace("TARGETS", json.dumps(targets))) as port:
        document = shown(f"http://{EVIL}:{port}/", tmp_path / "browser")
    results = json.loads(re.search(r'<pre id="result">(.*?)</pre>', document, re.DOTALL)[1])
    # "opaque 0" is an answer that the page may not look into.
    assert {attempt.strip() for attempts in results.values() for attempt in attempts} <= {"refused", "opaque 0"}
    assert account.client("lambda").list_functions()["Functions"] == []
    assert len(account.client("sqs").list_queues()["QueueUrls"]) == 1
    assert sent == []
    assert faults.standing() == ()
    assert "attacked" not in function.log.read_text()
    assert function.post("return", 1)[0] == 200  # the Runtime API still has its function, and nobody else's


@pytest.mark.parametrize("target", ["aws", "events", "runtime", "page"])
def test_a_name_that_was_led_to_this_machine_reads_nothing(ministack, function, sandbox_page, tmp_path, target):
    ports = {
        "aws": lambda: ministack.port,
        "events": lambda: function.events_port,
        "runtime": lambda: runtime_api(function),
        "page": lambda: sandbox_page.port,
    }
    path = {"aws": "/", "events": INVOCATIONS, "runtime": "/2018-06-01/runtime/invocation/next", "page": "/"}[target]
    document = shown(f"http://{EVIL}:{ports[target]()}{path}", tmp_path / "browser")
    assert "and web pages are refused: leave it out." in document or "no web page can use this port" in document
