"""`smoke`: what is wrong between DNS and the image is named, and what isn't is measured."""

import http.server
import json
import shutil
import ssl
import subprocess
import threading

import pytest

from operations.errors import OperationError
from operations.front_door import FrontDoor, sandbox_of
from tests.operations.conftest import NAME


def checks(done):
    return {check["check"]: check["ok"] for check in done.document["checks"]}


def test_a_deployment_that_is_well_passes_and_is_measured(live, in_sandbox):
    uri = live.sandbox.deployment.outputs["image_uri"]
    live.serve(live.publish(COLD="yes"))
    done = in_sandbox("smoke", "--connect", live.address, "--requests", "4", "--image", uri, "--json")
    live.serve("1")
    assert (done.status, done.document["passed"]) == (0, True)
    assert checks(done) == {"name, TLS": None, "version": True, "image": True, "answer": True, "requests": True}
    # one to see that it answers, three at once, four one after another; the sandbox's function has one environment
    counted = {name: figures["n"] for name, figures in done.document["milliseconds"].items()}
    assert counted["round trip"] == 4
    assert counted["function, warm"] + counted["function, cold start"] == 8
    assert counted["function, cold start"] >= 1


def test_figures_are_a_table(live, in_sandbox):
    done = in_sandbox("smoke", "--connect", live.address, "--requests", "1", "--at-once", "0")
    assert done.status == 0
    lines = done.out.splitlines()
    assert lines[0] == f"- name, TLS   not checked, since the requests go to {live.address}"
    assert lines[6].split() == ["MILLISECONDS", "N", "MIN", "P50", "P95", "P99", "MAX"]
    assert lines[7].split()[:3] == ["round", "trip", "1"]


def test_another_image_than_the_one_that_was_deployed_fails(live, in_sandbox):
    other = f"123456789012.dkr.ecr.us-east-1.amazonaws.com/shop@sha256:{'a' * 64}"
    done = in_sandbox("smoke", "--connect", live.address, "--requests", "1", "--image", other)
    running = live.sandbox.deployment.outputs["image_uri"].partition("@")[2][:19]
    assert done.status == 1
    assert f"✗ image       live serves {running}, but sha256:aaaaaaaaaaaa was deployed: " in done.out


def test_a_path_that_the_application_has_not_is_said_with_the_remedy(live, in_sandbox):
    done = in_sandbox("smoke", "--connect", live.address, "--path", "/nothing")
    assert done.status == 1
    assert '✗ answer      GET /nothing: 404, {"error":"Not found"}: choose a path' in done.out


def test_a_name_of_a_sandbox_that_this_terminal_does_not_know_fails_with_what_to_set(in_sandbox):
    done = in_sandbox("smoke", "--wait", "0")  # app.sandbox.test is in no public DNS: .test is reserved, RFC 6761
    assert done.status == 1
    assert "✗ name        app.sandbox.test does not resolve (" in done.out
    assert (
        "only a sandbox has names below .test, so set the variables that it prints (DUALMODE_SANDBOX), or give its "
        "address with --connect.\n" in done.out
    )


def test_a_name_of_the_sandbox_is_asked_where_the_sandbox_serves_it(live, in_sandbox, monkeypatch):
    monkeypatch.setenv("DUALMODE_SANDBOX", live.address)
    done = in_sandbox("smoke", "--requests", "1", "--at-once", "0")
    assert (done.status, done.out.splitlines()[0]) == (
        0,
        f"- name, TLS   not checked, since the requests go to {live.address}",
    )


def test_only_a_name_below_test_is_asked_at_the_sandbox(monkeypatch):
    monkeypatch.setenv("DUALMODE_SANDBOX", "http://127.0.0.1:8000")
    assert [sandbox_of(url) for url in ("https://app.sandbox.test/shop", "https://api.example.com")] == [
        "http://127.0.0.1:8000",
        "",
    ]


@pytest.mark.parametrize(
    ("url", "path", "asked"),
    [
        ("https://api.example.com", "/health", "/health"),
        ("https://api.example.com/shop/v1", "/health", "/shop/v1/health"),
        ("https://api.example.com/shop/v1", "/shop/v1/health?a=b", "/shop/v1/health?a=b"),
        ("https://api.example.com/shop/v1", "/shop/v10", "/shop/v1/shop/v10"),
        ("https://abc.lambda-url.eu-west-1.on.aws/", "/health", "/health"),
    ],
)
def test_a_path_is_below_the_address_of_the_deployment(url, path, asked):
    assert FrontDoor(url=url).below(path) == asked


def test_an_application_that_fails_is_tried_again_until_the_time_is_over(live, in_sandbox):
    broken = live.publish(FLASK_APP="nothing:app")
    live.serve(broken)
    try:
        done = in_sandbox("smoke", "--connect", live.address, "--wait", "0")
    finally:
        live.serve("1")
    assert done.status == 1
    assert '✗ answer      GET /health: 500, {"message":"Internal Server Error"}: `make logs` shows' in done.out


@pytest.fixture
def preparing(monkeypatch):
    """An AWS with a function whose version is in these states, one call after another, and stays in the last."""
    states = []

    class Lambda(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = {"FunctionVersion": "1"}
            if "/aliases/" not in self.path:
                body = {"State": states.pop(0) if len(states) > 1 else states[0]}
            content = json.dumps(body).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Lambda)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    variables = {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}", "AWS_ACCESS_KEY_ID": "nobody"}
    for name, value in {**variables, "AWS_SECRET_ACCESS_KEY": "nothing", "AWS_REGION": "us-east-1"}.items():
        monkeypatch.setenv(name, value)
    yield states
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("states", "said"),
    [
        (["Pending"], "✗ version     Version 1 was still Pending after 0 s: wait, and try again."),
        (["Inactive"], "✓ version     live serves version 1"),
        (["Active"], "✓ version     live serves version 1"),
    ],
)
def test_a_version_that_is_not_ready_in_time_fails(operate, preparing, states, said):
    preparing += states
    words = ["--function", NAME, "--url", "https://app.sandbox.test", "--connect", "http://127.0.0.1:1"]
    done = operate("smoke", *words, "--wait", "0")
    assert done.out.splitlines()[1] == said


def test_a_version_that_lambda_still_prepares_is_waited_for(operate, preparing):
    preparing += ["Pending", "Active"]
    words = ["--function", NAME, "--url", "https://app.sandbox.test", "--connect", "http://127.0.0.1:1"]
    done = operate("smoke", *words, "--wait", "3")
    assert done.out.splitlines()[1] == "✓ version     live serves version 1"
    assert done.err.startswith("Waiting until version 1 is no longer Pending ...\n")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--path", "health"], "--path takes a path such as /health, in ASCII and without spaces, not 'health'."),
        (["--path", "/a\r\nHost: b"], "--path takes a path such as /health, in ASCII and without spaces, not"),
        (["--requests", "0"], "--requests takes a number from 1 to 10000, and --at-once one from 0 to 100."),
        (["--connect", "localhost:80"], "--connect takes an address such as https://api.example.com, not"),
    ],
)
def test_wrong_usage_is_said(in_sandbox, words, sentence):
    done = in_sandbox("smoke", *words)
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith(f"operations: {sentence}")


def test_without_an_address_there_is_nothing_to_smoke(operate, live, monkeypatch):
    done = operate("smoke", "--function", NAME, "--region", "us-east-1")
    assert (done.status, done.err) == (1, "operations: The address is not known: give it with --url URL.\n")


@pytest.fixture(scope="module")
def certified(tmp_path_factory):
    """A server with a certificate for `localhost` that nobody has signed but itself, valid for 30 days."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs the openssl command, to make a certificate")
    folder = tmp_path_factory.mktemp("tls")
    made = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=localhost"]
    made += ["-addext", "subjectAltName=DNS:localhost", "-keyout", folder / "key", "-out", folder / "certificate"]
    subprocess.run(made, check=True, capture_output=True, timeout=60)
    server = http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate", folder / "key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield FrontDoor(url=f"https://localhost:{server.server_port}"), folder / "certificate"
    server.shutdown()
    server.server_close()


def test_a_certificate_that_nobody_trusts_is_refused(certified, monkeypatch):
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    with pytest.raises(OperationError, match=r"The certificate of localhost is refused \(self.signed certificate\)"):
        certified[0].certificate_days()


def test_a_certificate_is_valid_for_its_own_name_only_and_as_long_as_it_says(certified, monkeypatch):
    door, certificate = certified
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert 29.9 < door.certificate_days() <= 30
    port = door.url.rpartition(":")[2]
    with pytest.raises(OperationError, match=r"certificate is not valid for '127\.0\.0\.1'"):
        FrontDoor(url=f"https://127.0.0.1:{port}").certificate_days()
