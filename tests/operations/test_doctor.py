"""`doctor`: each thing that a deployment needs, with its remedy, also where nothing is installed or answers."""

import json
import os
import socket
import struct
import subprocess
import sys
import threading

import pytest

from operations.machine_checks import required_pulumi, satisfies
from tests.support.program import ROOT


def findings(done):
    return {finding["subject"]: finding for finding in done.document["findings"]}


def test_where_nothing_is_installed_it_says_what_to_install(tmp_path):
    done = subprocess.run(
        [sys.executable, "-S", "-m", "operations", "doctor"],  # without installed packages
        cwd=ROOT,
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (1, "")
    image = "`pulumi up` builds the image with it: start or install Docker; the sandbox works without it"
    lines = done.stdout.splitlines()
    assert lines[0].startswith("✓ Python")
    assert lines[1:7] == [
        "✗ packages         boto3 is not installed",
        "                   → run `make sandbox` once, which installs the packages into .venv",
        "✗ Pulumi           the pulumi command is not on the PATH",
        "                   → install it (https://www.pulumi.com/docs/install/); the sandbox works without it",
        "✗ container engine neither docker nor podman is on the PATH",
        f"                   → {image}",
    ]
    assert lines[-1] == "- AWS account      not checked, since boto3 is not installed"


def test_where_nothing_answers_it_says_so(operate, monkeypatch):
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    found = findings(operate("doctor", "--region", "eu-west-1", "--json"))
    assert found["region"]["level"] == "good"
    assert found["credentials"]["level"] == "wrong"
    assert found["credentials"]["found"] == "There are no credentials for AWS (Unable to locate credentials)"
    assert found["credentials"]["remedy"].startswith("log in with `aws login`")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "nothing")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    found = findings(operate("doctor", "--region", "eu-west-1", "--json"))
    assert found["credentials"]["found"].startswith("AWS does not answer (Could not connect")


def test_an_account_that_answers_is_described(live, in_sandbox, operate):
    in_sandbox("versions")  # which sets the variables
    found = findings(operate("doctor", "--json"))
    assert (found["region"]["level"], found["region"]["found"]) == ("good", "us-east-1")
    assert found["credentials"]["found"].startswith("account 000000000000, arn:aws:iam::")
    assert found["concurrency"]["level"] in ("good", "note")
    assert "zone" not in found


@pytest.fixture
def resolver(monkeypatch):
    """A resolver on loopback that answers every question for name servers with these."""
    told = {"servers": [], "code": 0}
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", 0))

    def serve():
        while True:
            question, sender = udp.recvfrom(512)
            if not question:  # the end
                return
            records = b""
            for server in told["servers"]:
                name = b"".join(bytes([len(label)]) + label.encode() for label in server.split(".")) + b"\0"
                records += b"\xc0\x0c" + struct.pack(">HHIH", 2, 1, 60, len(name)) + name
            head = question[:2] + struct.pack(">5H", 0x8180 | told["code"], 1, len(told["servers"]), 0, 0)
            udp.sendto(head + question[12:] + records, sender)

    thread = threading.Thread(target=serve)
    thread.start()
    monkeypatch.setenv("DUALMODE_RESOLVER", f"127.0.0.1:{udp.getsockname()[1]}")
    yield told
    udp.sendto(b"", udp.getsockname())
    thread.join()
    udp.close()


def name_servers(live):
    route53 = live.sandbox.account.client("route53")
    (zone,) = [zone for zone in route53.list_hosted_zones()["HostedZones"] if zone["Name"] == "sandbox.test."]
    found = route53.get_hosted_zone(Id=zone["Id"])["DelegationSet"]["NameServers"]
    return [server.rstrip(".") for server in found]


@pytest.mark.parametrize("case", ["delegated", "elsewhere", "nowhere", "unknown"])
def test_the_delegation_of_the_domains_zone_is_checked(live, in_sandbox, operate, resolver, case):
    in_sandbox("versions")
    own = name_servers(live)
    resolver["servers"] = {"delegated": own, "elsewhere": ["ns1.elsewhere.example"]}.get(case, [])
    resolver["code"] = {"nowhere": 3, "unknown": 2}.get(case, 0)  # no such name; the resolver failed
    zone = findings(operate("doctor", "--json", "--domain", "app.sandbox.test"))["zone"]
    remedy = f"set its name servers, where the domain is registered, to {', '.join(sorted(own))}"
    assert (zone["level"], zone["found"], zone["remedy"]) == {
        "delegated": ("good", "sandbox.test is delegated to its name servers in this account", ""),
        "elsewhere": ("wrong", "sandbox.test is delegated to ns1.elsewhere.example", remedy),
        "nowhere": ("wrong", "sandbox.test is not delegated", remedy),
        "unknown": (
            "unknown",
            "sandbox.test is in this account; whether it is delegated is not known, since no resolver answers",
            "",
        ),
    }[case]


def test_a_domain_without_a_zone_is_wrong(live, in_sandbox, operate):
    in_sandbox("versions")
    zone = findings(operate("doctor", "--json", "--domain", "api.example.com"))["zone"]
    assert zone["found"] == "this account has no public zone that holds api.example.com"


@pytest.mark.parametrize(
    ("version", "required", "holds"),
    [
        ("3.187.0", ">=3.187.0", True),
        ("3.186.9", ">=3.187.0", False),
        ("3.1000.0", ">=3.187.0", True),
        ("4.0.0", ">=3.187.0 <4.0.0", False),
        ("3.200.1", ">=3.187.0 <4.0.0", True),
        ("3.187.0", "3.187.0", True),
        ("3.187.1", "v3.187", False),
    ],
)
def test_the_pulumi_command_must_be_in_the_projects_range(version, required, holds):
    assert satisfies(version, required) is holds


def test_the_projects_range_is_read_from_its_file(tmp_path):
    assert required_pulumi(tmp_path) == ""
    (tmp_path / "Pulumi.yaml").write_text('name: shop\nrequiredPulumiVersion: ">=3.187.0"\n')
    assert required_pulumi(tmp_path) == ">=3.187.0"


def test_an_older_pulumi_command_is_wrong(operate, tmp_path, monkeypatch):
    (tmp_path / "Pulumi.yaml").write_text('requiredPulumiVersion: ">=3.187.0"\n')
    (tmp_path / "pulumi").write_text("#!/bin/sh\necho v3.100.0\n")
    (tmp_path / "pulumi").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    found = findings(operate("doctor", "--json"))["Pulumi"]
    assert (found["level"], found["found"]) == ("wrong", "3.100.0")
    assert found["remedy"] == "install a version >=3.187.0, which Pulumi.yaml asks for"


def test_region_and_domain_are_the_stacks(operate, tmp_path, monkeypatch, live, in_sandbox):
    in_sandbox("versions")
    (tmp_path / "Pulumi.prod.yaml").write_text(
        json.dumps({"config": {"aws:region": "eu-north-1", "shop:domainName": "api.example.com"}}, indent=2)
    )
    monkeypatch.chdir(tmp_path)
    found = findings(operate("doctor", "--json", "--stack", "prod"))
    assert found["region"]["found"] == "eu-north-1"
    assert "api.example.com" in found["zone"]["found"]
