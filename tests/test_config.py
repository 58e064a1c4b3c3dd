import dataclasses

import pytest

from infra.config import LEFT_OUT, ConfigError, Settings, check, environment_of, parent_zone
from tests.program import ROOT

DIGEST = "sha256:" + "0" * 64


def make_settings(**changes):
    defaults = Settings(
        app_dir="scripts",
        flask_app="scripts.server:app",
        architecture="x86_64",
        memory_size=512,
        timeout=29,
        environment={},
        image_uri="",
        base_image="",
        check_import=True,
        domain_name="",
        hosted_zone="",
        keep_default_endpoint=False,
        throttle_rate=50,
        throttle_burst=100,
        log_retention=14,
    )
    return dataclasses.replace(defaults, **changes)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"architecture": "arm64"},
        {"timeout": 1},
        {"throttle_rate": 1, "throttle_burst": 1},
        {"image_uri": f"000000000000.dkr.ecr.us-east-1.amazonaws.com/app@{DIGEST}", "app_dir": "gone"},
        {"domain_name": "api.example.com", "hosted_zone": "example.com"},
        {"domain_name": "example.com", "hosted_zone": "example.com"},
        {"domain_name": "*.example.com", "hosted_zone": "example.com"},
        {"app_dir": "examples/httpbin", "flask_app": "httpbin:app"},
        {"base_image": "python"},
        {"base_image": "python:3.15-slim"},
        {"base_image": f"python@{DIGEST}"},
        {"base_image": f"registry.example.com:5000/library/python:3.15-slim@{DIGEST}"},
    ],
    ids=str,
)
def test_settings_that_can_work_are_taken(changes):
    check(make_settings(**changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"architecture": "amd64"},
            "architecture is 'amd64', but Lambda runs x86_64 and arm64: set one of the two.",
        ),
        ({"timeout": 30}, "timeout is 30, but API Gateway gives up after 30 s: set 29 or less."),
        (
            {"throttle_rate": 0},
            "throttleRate is 0, but below 1 API Gateway answers every request with 429: set 1 or more.",
        ),
        (
            {"throttle_burst": 0},
            "throttleBurst is 0, but below 1 API Gateway answers every request with 429: set 1 or more.",
        ),
        (
            {"image_uri": "registry/app:latest"},
            "imageUri is 'registry/app:latest', but a tag can move, so the image is named by digest: "
            "append @sha256:... to the repository's URI.",
        ),
        *(
            (
                {"base_image": name},
                f"baseImage is {name!r}, but that is not the name of an image: "
                "set name:tag, or name@sha256:... with the digest's 64 digits to pin it.",
            )
            for name in (
                "python:3.15 slim",
                "python@sha256:0",
                f"python@{DIGEST}0",
                f"python@{DIGEST.upper()}",
                f"@{DIGEST}",
                "Python:3.15",
                "-python",
                "https://registry.example.com/python",
                "python:3.15\n",
            )
        ),
        (
            {"app_dir": "../shop"},
            "appDir is '../shop', but a container build sees only this repository: "
            "move the application into a folder of it and name that.",
        ),
        *(
            (
                {"app_dir": folder},
                f"appDir is {folder!r}, but a container build leaves that folder out (.dockerignore): "
                "move the application into a folder of its own, without a dot in its name.",
            )
            for folder in (".", "tests", "sandbox/edge", ".venv", "shop.v2")
        ),
        (
            {"app_dir": "examples/httpbin"},
            "flaskApp is 'scripts.server:app', but that is the sample, and appDir is 'examples/httpbin': "
            "set the application in that folder, such as shop:app.",
        ),
        (
            {"app_dir": "shopp"},
            "appDir is 'shopp', but this repository has no such folder: set the folder of your application.",
        ),
        (
            {"hosted_zone": "example.com"},
            "hostedZone is 'example.com', but it holds domainName, which is not set: set domainName as well.",
        ),
        (
            {"domain_name": "api.notexample.com", "hosted_zone": "example.com"},
            "hostedZone is 'example.com', but domainName api.notexample.com does not end in it: "
            "set the zone that the domain belongs to.",
        ),
    ],
    ids=str,
)
def test_a_setting_that_cannot_work_is_refused_with_key_value_rule_and_remedy(changes, message):
    with pytest.raises(ConfigError) as refusal:
        check(make_settings(**changes))
    assert str(refusal.value) == message


def test_folders_that_config_refuses_are_those_that_dockerignore_leaves_out():
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert {line.rstrip("/") for line in ignored if line.count("/") == 1 and line.endswith("/")} - {"!*"} == LEFT_OUT


def test_variables_of_any_scalar_type_become_text():
    value = {"GREETING": "hello", "LIMIT": 5, "RATIO": 0.5, "VERBOSE": True}
    assert environment_of(value) == {"GREETING": "hello", "LIMIT": "5", "RATIO": "0.5", "VERBOSE": "true"}


@pytest.mark.parametrize(
    "value",
    [
        [],
        {"1ST": "x"},
        {"A-B": "x"},
        {"RUN_MODE": "local"},
        {"DUALMODE_API_ID": "abc"},
        {"LIST": ["x"]},
        {"AA": "a\0b"},
    ],
    ids=str,
)
def test_variables_that_a_function_cannot_have_are_refused(value):
    with pytest.raises(ConfigError):
        environment_of(value)


def test_the_value_of_a_refused_variable_is_not_shown_since_it_may_be_secret():
    with pytest.raises(ConfigError) as refusal:
        environment_of({"MY-TOKEN": "hunter2"})
    assert "hunter2" not in str(refusal.value)


@pytest.mark.parametrize(
    ("domain", "zone"),
    [
        ("api.example.com", "example.com"),
        ("a.b.example.com", "b.example.com"),
        ("example.com", "example.com"),
        ("", ""),
    ],
)
def test_a_domain_is_expected_in_its_parent_zone(domain, zone):
    assert parent_zone(domain) == zone
