import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields

import pulumi
import pytest
import yaml

from infra.app_folder import LEFT_OUT
from infra.capacity import CapacitySettings
from infra.container_function import FunctionSettings
from infra.custom_domain import DomainSettings
from infra.domain_names import zone_of
from infra.policies import PolicySettings
from infra.rules import ConfigError, key_of
from infra.secrets import SecretSettings
from infra.settings import RECORDS, SECTIONS, Settings, check_keys, kind_of, load, map_of
from tests.support.program import ROOT

DIGEST = "sha256:" + "0" * 64
ACL = "arn:aws:wafv2:us-east-1:123456789012:global/webacl/shop/11111111-2222-3333-4444-555555555555"


def settings_of(**given):
    """All sections, with the defaults except where a value is given by its field's name."""
    parts = {
        name: section(**{field.name: given.pop(field.name) for field in fields(section) if field.name in given})
        for name, section in SECTIONS.items()
    }
    assert not given, f"there are no fields {given}"
    return Settings(**parts)


def plain(default):
    """A default as YAML has it: it has no tuples."""
    return list(default) if isinstance(default, tuple) else default


def test_each_setting_of_pulumi_yaml_is_one_field_of_the_same_type_and_default():
    declared = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
    types = {str: "string", int: "integer", float: "number", bool: "boolean", Mapping: "object", Sequence: "array"}
    types[RECORDS] = "array"
    settings = settings_of()
    found = [
        (key_of(field.name), types[kind_of(type(section), field.name)], plain(getattr(section, field.name)))
        for section in (getattr(settings, name) for name in SECTIONS)
        for field in fields(section)
    ]
    assert sorted(found) == sorted((key, entry["type"], entry["default"]) for key, entry in declared.items())


def test_no_setting_has_to_be_set():
    settings_of()


@pytest.mark.parametrize(
    "given",
    [
        {"architecture": "arm64"},
        {"timeout": 1},
        {"memory_size": 128},
        {"memory_size": 10240},
        {"log_retention": 1},
        {"log_retention": 3653},
        {"log_level": "ERROR"},
        {"alarm_email": "first.last+alarms@mail.example.com", "dashboard": True},
        {"reserved_concurrency": 2, "provisioned_concurrency": 2, "ephemeral_storage": 10240, "tracing": True},
        {"provisioned_concurrency": 2, "live_version": 3},
        {"provisioned_concurrency": 2, "provisioned_concurrency_max": 2},
        {"snap_start": True, "ephemeral_storage": 512, "reserved_concurrency": 1, "tracing": True},
        {"throttle_rate": 1, "throttle_burst": 1},
        {"image_uri": f"000000000000.dkr.ecr.us-east-1.amazonaws.com/app@{DIGEST}", "app_dir": "gone"},
        {"domain_name": "api.example.com", "hosted_zone": "example.com"},
        {"domain_name": "API.Example.com.", "hosted_zone": "example.COM."},
        {"domain_name": "api.example.com"},
        {"domain_name": "example.com", "hosted_zone": "example.com"},
        {"domain_name": "*.example.com", "hosted_zone": "example.com"},
        {"domain_name": "1.xn--bcher-kva.example"},
        {"domain_name": f"{'a' * 52}.example.com"},
        {"domain_name": "www.example.com", "aliases": ("example.com", "*.example.com", "A.b.Example.com.")},
        {"domain_name": "www.example.com", "aliases": (".".join(["a" * 63] * 3) + ".a.example.com",)},
        {"domain_name": "a.example.com", "aliases": ("other.test",), "dns_provider": "external"},
        {"domain_name": "a.example.com", "aliases": ("other.test",), "hosted_zone": "Z0123456789ABC"},
        *(
            {"domain_name": "a.example.com", "base_path": path}
            for path in ("v1", "/v1/", "shop/v1", "a$-_.+!*'()", "p" * 300)
        ),
        {"app_dir": "examples/httpbin", "flask_app": "httpbin:app"},
        {"app_dir": "./scripts/"},
        {"base_image": "python"},
        {"base_image": "python:3.15-slim"},
        {"base_image": f"python@{DIGEST}"},
        {"base_image": f"registry.example.com:5000/library/python:3.15-slim@{DIGEST}"},
        {"environment": {"AA": "x" * (4096 - len('{"AA":""}'))}},
        {"secrets": {"AA": "/shop/token", "BB": "shop/token", "CC": "ssm:token", "DD": "secretsmanager:/token"}},
        {"secrets": {"AA": "arn:aws:ssm:eu-west-1:123456789012:parameter/shop/token", "BB": "/token:3"}},
        {"secrets": {"AA": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop/token-AbCdEf"}},
        {"session_key": True, "table": "id", "protect": True},
        {"table": "customer, created:N"},
        {"table": "é" * 127},
        {"vpc_subnets": ["subnet-01234567"], "vpc_security_groups": ["sg-0123456789abcdef0"]},
        {"policy_arns": ["arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess", "arn:aws:iam::123456789012:policy/a/b"]},
        {"policy": '{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}'},
        {"policy": '[{"Effect": "Deny", "NotAction": "s3:GetObject", "NotResource": "*"}]'},
        {"policy": '{"Statement": [{"Effect": "Allow", "Action": ["s3:*"], "Resource": ["*"]}]}'},
    ],
    ids=lambda given: str(given)[:60],
)
def test_settings_that_can_work_are_taken(given):
    settings_of(**given)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"architecture": "amd64"},
            "architecture is 'amd64', but Lambda runs x86_64 and arm64: set one of the two.",
        ),
        ({"timeout": 30}, "timeout is 30, but API Gateway gives up after 30 s: set 29 or less."),
        ({"timeout": 0}, "timeout is 0, but Lambda takes 1 s or more: set 1 or more."),
        ({"memory_size": 127}, "memorySize is 127, but Lambda takes 128 to 10240 MB: set 128 or more."),
        ({"memory_size": 10241}, "memorySize is 10241, but Lambda takes 128 to 10240 MB: set 10240 or less."),
        *(
            (
                {"log_retention": days},
                f"logRetention is {days}, but CloudWatch Logs keeps logs for certain periods only: "
                "set one of 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, "
                "2922, 3288, 3653.",
            )
            for days in (0, 2, 15, 366, 3654)
        ),
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
                f"baseImage is {name!r}, but that is not an image name: "
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
            "move the application into a folder of this repository, and set that folder.",
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
            {"flask_app": "shop:app"},
            "flaskApp is 'shop:app', but appDir is 'scripts', the sample's folder, and this application is not in it: "
            "set appDir to the folder of your application.",
        ),
        (
            {"app_dir": "shopp"},
            "appDir is 'shopp', but that folder doesn't exist in this repository: set the folder of your application.",
        ),
        *(
            (
                {"domain_name": name},
                f"domainName is {name!r}, but that is not a domain name: set a name such as api.example.com, in ASCII.",
            )
            for name in (
                "https://api.example.com",
                "api.example.com/v1",
                "localhost",
                "api..example.com",
                "-api.example.com",
                "a_b.example.com",
                "bücher.example",
                "api.*.example.com",
                "api.example.com\n",
                f"{'a' * 64}.example.com",
            )
        ),
        (
            {"domain_name": f"{'a' * 53}.example.com"},
            f"domainName is '{'a' * 53}.example.com', but a certificate's name has 64 characters at most: "
            "set a shorter one.",
        ),
        (
            {"cdn": True},
            "cdn is True, but its certificate and its addresses are those of domainName, and domainName is not set: "
            "set domainName as well.",
        ),
        (
            {"cdn": True, "domain_name": "api.example.com", "dns_provider": "external"},
            "cdn is True, but dnsProvider is external, and CloudFront needs a certificate that this deployment waits "
            "for: set dnsProvider to route53, or remove cdn.",
        ),
        (
            {"cdn": True, "domain_name": "api.example.com", "base_path": "v1"},
            "cdn is True, but CloudFront serves the whole domain, and basePath is set: remove one of the two.",
        ),
        (
            {"cdn": True, "domain_name": "api.example.com", "keep_default_endpoint": True},
            "keepDefaultEndpoint is True, but cdn is set, and the function refuses what comes around the CDN: "
            "remove one of the two.",
        ),
        (
            {"cdn": True, "domain_name": "api.example.com", "iam_auth": True},
            "iamAuth is True, but cdn is set, and a client's signature names another host than the one that CloudFront "
            "sends: remove one of the two.",
        ),
        (
            {"web_acl_arn": ACL},
            f"webAclArn is {ACL!r}, but it protects the CDN, and cdn is not set: set cdn to true as well.",
        ),
        (
            {"cdn_rotation": 1},
            "cdnRotation is 1, but it changes the secret of the CDN, and cdn is not set: set cdn to true as well.",
        ),
        (
            {"cdn": True, "domain_name": "api.example.com", "cdn_rotation": -1},
            "cdnRotation is -1, but it counts how often the secret was changed: set 0 or more.",
        ),
        *(
            (
                {"cdn": True, "domain_name": "api.example.com", "web_acl_arn": arn},
                f"webAclArn is {arn!r}, but CloudFront takes the ARN of a web ACL of WAFv2 with the scope CLOUDFRONT, "
                "which is in us-east-1: set arn:aws:wafv2:us-east-1:ACCOUNT:global/webacl/NAME/ID.",
            )
            for arn in (
                ACL.replace("us-east-1", "eu-west-1"),
                ACL.replace("global", "regional"),
                "11111111-2222-3333-4444-555555555555",
                f"{ACL}\n",
            )
        ),
        (
            {"cdn": True, "domain_name": "api.example.com", "environment": {"DUALMODE_CDN_SECRETS": "x"}},
            "environment.DUALMODE_CDN_SECRETS is '...', but cdn sets it as well: remove it, or unset cdn.",
        ),
        (
            {"hosted_zone": "example.com"},
            "hostedZone is 'example.com', but it is the zone of domainName, and domainName is not set: "
            "set domainName as well.",
        ),
        (
            {"domain_name": "api.notexample.com", "hosted_zone": "example.com"},
            "hostedZone is 'example.com', but domainName api.notexample.com does not end with it: "
            "set the zone that the domain belongs to.",
        ),
        *(
            ({field: value}, f"{key} is {shown}, but {rule}, and domainName is not set: set domainName as well.")
            for field, value, key, shown, rule in (
                ("aliases", ("A.example.com",), "aliases", "['a.example.com']", "they are further names of domainName"),
                ("base_path", "v1", "basePath", "'v1'", "it is a path of domainName"),
                (
                    "dns_provider",
                    "external",
                    "dnsProvider",
                    "'external'",
                    "it says where the records of domainName are",
                ),
            )
        ),
        (
            {"domain_name": "a.example.com", "aliases": ("b.example.com", "b_c.example.com")},
            "aliases[1] is 'b_c.example.com', but that is not a domain name: "
            "set a name such as api.example.com, in ASCII.",
        ),
        (
            {"domain_name": "a.example.com", "aliases": ("",)},
            "aliases[0] is '', but that is not a domain name: set a name such as api.example.com, in ASCII.",
        ),
        (
            {"domain_name": "a.example.com", "aliases": (".".join(["a" * 63] * 3) + f".{'a' * 50}.example.com",)},
            f"aliases[0] is '{'.'.join(['a' * 63] * 3)}.{'a' * 50}.example.com', "
            "but a name has 253 characters at most: set a shorter one.",
        ),
        (
            {"domain_name": "a.example.com", "aliases": ("B.example.com", "c.example.com", "b.example.com.")},
            "aliases[2] is 'b.example.com.', but aliases[0] is the same name: remove one.",
        ),
        (
            {"domain_name": "A.example.com", "aliases": ("b.example.com", "a.example.com.")},
            "aliases[1] is 'a.example.com', but that is domainName itself: remove it.",
        ),
        (
            {"domain_name": "a.example.com", "aliases": ("a.example.org",)},
            "aliases[0] is 'a.example.org', but it is not in the zone example.com, where domainName is: "
            "remove it, or set hostedZone to a zone that holds both.",
        ),
        (
            {"domain_name": "a.b.example.com", "aliases": ("example.com",), "hosted_zone": "b.example.com"},
            "aliases[0] is 'example.com', but it is not in the zone b.example.com, where domainName is: "
            "remove it, or set hostedZone to a zone that holds both.",
        ),
        *(
            (
                {"domain_name": "a.example.com", "base_path": path},
                f"basePath is {path!r}, but it is made of letters, digits and $-_.+!*'(), in parts with one / between "
                "them: set one such as v1 or shop/v1.",
            )
            for path in ("/", "a//b", "a b", "v1?x", "caf\u00e9", "a/../b", ".", "v1\n")
        ),
        (
            {"domain_name": "a.example.com", "base_path": "p" * 301},
            f"basePath is '{'p' * 20}...', but it has 300 characters at most: set a shorter one.",
        ),
        (
            {"domain_name": "a.example.com", "dns_provider": "cloudflare"},
            "dnsProvider is 'cloudflare', but a domain's records are either in a zone of this account or elsewhere: "
            "set route53 or external.",
        ),
        (
            {"domain_name": "a.example.com", "dns_provider": "external", "hosted_zone": "Example.com"},
            "hostedZone is 'example.com', but dnsProvider is external, so no zone of this account is used: "
            "remove one of the two, or set dnsProvider to route53.",
        ),
        (
            {"domain_name": "a.example.com", "base_path": "v1", "environment": {"DUALMODE_BASE_PATH": "/v1"}},
            "environment.DUALMODE_BASE_PATH is '...', but basePath sets it as well: remove it, or unset basePath.",
        ),
        *(
            (
                {"jwt_issuer": issuer, "jwt_audiences": ["shop"]},
                f"jwtIssuer is {issuer!r}, but an issuer is an https URL without query: "
                "set the iss of your tokens, such as https://id.example.com/.",
            )
            for issuer in (
                *("id.example.com", "http://id.example.com", "https://", "https://id.example.com/?a=b"),
                *("https://ann:word@id.example.com", "https://id.example.com\n", "https://id.example.com/#a"),
            )
        ),
        (
            {"jwt_issuer": "https://id.example.com/.well-known/openid-configuration", "jwt_audiences": ["shop"]},
            "jwtIssuer is 'https://id.example.com/.well-known/openid-configuration', but API Gateway appends "
            "/.well-known/openid-configuration itself: remove it from the end.",
        ),
        *(
            (
                {"function_url": True, **given},
                f"functionUrl is True, but {key} is set, which needs the API that a Function URL replaces: "
                "remove one of the two.",
            )
            for key, given in {
                "domainName": {"domain_name": "api.example.com"},
                "keepDefaultEndpoint": {"keep_default_endpoint": True},
                "throttleRate": {"throttle_rate": 7},
                "corsOrigins": {"cors_origins": ["*"]},
                "jwtIssuer": {"jwt_issuer": "https://id.example.com", "jwt_audiences": ["shop"]},
                "iamAuth": {"iam_auth": True},
                "dashboard": {"dashboard": True},
            }.items()
        ),
        (
            {"jwt_issuer": "https://id.example.com"},
            "jwtIssuer is 'https://id.example.com', but without audiences its tokens for other applications would be "
            "accepted too: set jwtAudiences as well.",
        ),
        (
            {"jwt_audiences": ["shop"]},
            "jwtAudiences is ['shop'], but it is for the tokens of jwtIssuer, which is not set: set jwtIssuer as well.",
        ),
        (
            {"jwt_scopes": ["read"]},
            "jwtScopes is ['read'], but it is for the tokens of jwtIssuer, which is not set: set jwtIssuer as well.",
        ),
        (
            {"jwt_issuer": "https://id.example.com", "jwt_audiences": ["shop"], "jwt_scopes": ["read write"]},
            "jwtScopes[0] is 'read write', but it is one word, without spaces: set each one as an entry of the list.",
        ),
        (
            {"jwt_issuer": "https://id.example.com", "jwt_audiences": [f"a{n}" for n in range(51)]},
            "jwtAudiences is 51, but API Gateway takes 50 for an authorizer: remove some.",
        ),
        (
            {"jwt_issuer": "https://id.example.com", "jwt_audiences": ["shop"], "jwt_scopes": list("abcdefghijk")},
            "jwtScopes is 11, but API Gateway takes 10 for a route: remove some.",
        ),
        (
            {"jwt_issuer": "https://id.example.com", "jwt_audiences": ["shop"], "iam_auth": True},
            "iamAuth is True, but jwtIssuer is set, and a route has one kind of authorization: remove one of them.",
        ),
        (
            {"public_paths": ["/health"]},
            "publicPaths is ['/health'], but every path is public without jwtIssuer or iamAuth: "
            "set one of them, or remove publicPaths.",
        ),
        *(
            (
                {"iam_auth": True, "public_paths": [path]},
                f"publicPaths[0] is {path!r}, but a public path begins with / and a segment of its own, and has no / "
                "at its end: set one such as /health, /items/{id} or /public/{proxy+}.",
            )
            for path in (
                *("health", "/health/", "", "/{proxy+}", "/{name}/a", "//health", "/a b", "/a?b", "/a%20b", "/a/*"),
                *("/a/{proxy+}/b", "/a/{}", "GET /health", "/a\n"),
            )
        ),
        (
            {"iam_auth": True, "public_paths": ["/items/{id}", "/items/{name}"]},
            "publicPaths[1] is '/items/{name}', but the list has that route already: remove it.",
        ),
        *(
            (
                {"cors_origins": [origin]},
                f"corsOrigins[0] is {origin!r}, but an origin is a scheme, a host in lower case and perhaps a port, "
                "without a path: set one such as https://www.example.com, or * for every origin.",
            )
            for origin in (
                *("www.example.com", "https://www.example.com/", "https://WWW.example.com", "https://*.example.com"),
                *("https://", "null", "https://a.example:x", "https://a.example\n", ""),
            )
        ),
        (
            {"cors_origins": ["https://a.example", "*"], "cors_credentials": True},
            "corsCredentials is True, but API Gateway refuses it where corsOrigins has *: "
            "name the origins, or set corsCredentials to false.",
        ),
        (
            {"cors_credentials": True},
            "corsCredentials is True, but it is for corsOrigins, which is not set: set corsOrigins as well.",
        ),
        (
            {"cors_origins": ["*"], "cors_methods": ["GET, POST"]},
            "corsMethods[0] is 'GET, POST', but that is not a name that HTTP allows: set one name, or * for all.",
        ),
        (
            {"cors_origins": ["*"], "cors_headers": [""]},
            "corsHeaders[0] is '', but that is not a name that HTTP allows: set one name, or * for all.",
        ),
        (
            {"cors_origins": ["*"], "cors_max_age": 86401},
            "corsMaxAge is 86401, but API Gateway takes 0 to 86400 s: set 86400 or less.",
        ),
        (
            {"cors_origins": ["*"], "cors_max_age": -1},
            "corsMaxAge is -1, but API Gateway takes 0 to 86400 s: set 0 or more.",
        ),
        *(
            (
                {"environment": {name: "hunter2"}},
                f"environment.{name} is '...', but a name is a letter, followed by letters, digits or _: rename it.",
            )
            for name in ("1ST", "A-B", "A", "", "_AB")
        ),
        (
            {"environment": {"AB\n": "hunter2"}},
            "'environment.AB\\n' is '...', but a name is a letter, followed by letters, digits or _: rename it.",
        ),
        *(
            (
                {"environment": {name: "hunter2"}},
                f"environment.{name} is '...', but Lambda sets that variable itself: rename it.",
            )
            for name in (
                *("_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV"),
                *("AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION"),
                *("AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME"),
                *("AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"),
                *("AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR"),
            )
        ),
        (
            {"environment": {"RUN_MODE": "local"}},
            "environment.RUN_MODE is 'local', but a deployed image always runs in lambda mode: remove it.",
        ),
        (
            {"environment": {"DUALMODE_API_ID": "abc"}},
            "environment.DUALMODE_API_ID is '...', but the deployment sets it to its own API: remove it.",
        ),
        (
            {"environment": {"AA": "a\0b"}},
            "environment.AA is '...', but a variable's value can't contain a NUL character: remove it.",
        ),
        (
            {"secrets": {"AWS_REGION": "/region"}},
            "secrets.AWS_REGION is '...', but Lambda sets that variable itself: rename it.",
        ),
        (
            {"secrets": {"DUALMODE_BASE_PATH": "/path"}},
            "secrets.DUALMODE_BASE_PATH is '...', but the runtime reads that variable before it reads secrets: "
            "rename it.",
        ),
        *(
            (
                {"secrets": {"TOKEN": place}},
                "secrets.TOKEN is '...', but a secret is named by where it is, and not by its value: "
                "set the name of a parameter, which begins with /, or of a secret of Secrets Manager, or an ARN.",
            )
            for place in (
                "",
                "/",
                "/shop//token",
                "hunter2!",
                "postgres://user:hunter2@db/shop",
                "arn:aws:s3:::bucket",
                "arn:aws:ssm:eu-west-1:123456789012:document/shop",
            )
        ),
        (
            {"environment": {"DUALMODE_SECRET_TOKEN": "ssm:/token"}},
            "environment.DUALMODE_SECRET_TOKEN is '...', but the function may only read what secrets names: "
            "set secrets.TOKEN instead.",
        ),
        (
            # [{"Effect":"Allow","Action":"","Resource":"*"}] has 47 characters.
            {"policy": '[{"Effect": "Allow", "Action": "%s", "Resource": "*"}]' % ("a" * 10194)},
            f"""policy is '[{{"Effect": "Allow", "Action": "{"a" * 25}...', but it has 10241 characters, and a role """
            "holds 10240: use policyArns.",
        ),
        (
            {"secrets": {"TOKEN": "/token"}, "environment": {"TOKEN": "hunter2"}},
            "environment.TOKEN is '...', but secrets sets it as well: remove one of the two.",
        ),
        *(
            (
                {"session_key": True, key: {"SECRET_KEY": "/key"}},
                f"{key}.SECRET_KEY is '...', but sessionKey sets it as well: remove it, or unset sessionKey.",
            )
            for key in ("environment", "secrets")
        ),
        *(
            (
                {"table": "id", key: {"TABLE_NAME": "/mine"}},
                f"{key}.TABLE_NAME is '...', but table sets it as well: remove it, or unset table.",
            )
            for key in ("environment", "secrets")
        ),
        *(
            (
                {"table": key},
                f"table is {key!r}, but a table's key is a partition key, or that and a sort key: "
                "set one such as id, or customer,created:N where one of the two is a number.",
            )
            for key in ("a,b,c", "a,a", "a,a:N", ",", "id:T", "a b")
        ),
        (
            {"table": "é" * 128},
            f"table is '{'é' * 128}', but a key's name has 255 bytes at most: set a shorter one.",
        ),
        (
            {"vpc_subnets": ["subnet-01234567"]},
            "vpcSubnets is ['subnet-01234567'], but a function in a VPC has at least one security group: "
            "set vpcSecurityGroups as well, or neither.",
        ),
        (
            {"vpc_security_groups": ["sg-01234567"]},
            "vpcSecurityGroups is ['sg-01234567'], but a function in a VPC has at least one subnet: "
            "set vpcSubnets as well, or neither.",
        ),
        (
            {"vpc_subnets": ["sg-01234567"], "vpc_security_groups": ["sg-01234567"]},
            "vpcSubnets[0] is 'sg-01234567', but it is an identifier in EC2, subnet-...: set that.",
        ),
        (
            {"vpc_subnets": ["subnet-01234567"], "vpc_security_groups": ["sg-01234567", "sg-01234567"]},
            "vpcSecurityGroups[1] is 'sg-01234567', but it is in the list already: remove it.",
        ),
        (
            {"vpc_subnets": ["subnet-01234567"], "vpc_security_groups": [f"sg-0123456{n}" for n in range(6)]},
            "vpcSecurityGroups is 6, but Lambda takes 5 at most: leave some out.",
        ),
        (
            {"policy_arns": ["AmazonS3ReadOnlyAccess"]},
            "policyArns[0] is 'AmazonS3ReadOnlyAccess', but that is not the ARN of a policy: set one such as "
            "arn:aws:iam::123456789012:policy/NAME, or arn:aws:iam::aws:policy/NAME for AWS's own.",
        ),
        (
            {"policy_arns": ["arn:aws:iam::aws:policy/A", "arn:aws:iam::aws:policy/A"]},
            "policyArns[1] is 'arn:aws:iam::aws:policy/A', but it is in the list already: remove it.",
        ),
        (
            {"policy_arns": [f"arn:aws:iam::aws:policy/{n}" for n in range(11)]},
            "policyArns is 11, but IAM attaches 10 policies to a role: write the rest into policy.",
        ),
        *(
            (
                {"policy": policy},
                f"policy is {policy!r}, but {reason}: set a JSON policy, its list of statements or one of them, with "
                "Effect, Action and Resource each.",
            )
            for policy, reason in (
                ("s3:*", "that is not JSON (Expecting value: line 1 column 1 (char 0))"),
                ("[]", "it has no statement"),
                ('{"Statement": []}', "it has no statement"),
                ('"s3:*"', "a statement says Allow or Deny as its Effect"),
                ('{"Action": "s3:*", "Resource": "*"}', "a statement says Allow or Deny as its Effect"),
                ('{"Effect": "Allow", "Action": "s3:*"}', "a statement names an Action and a Resource"),
            )
        ),
        (
            {"policy": '{"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*"}'},
            """policy is '{"Effect": "Allow", "Principal": "*", "Action": "s3:*", "...', but a role's own policy """
            "can't have a Principal: remove it.",
        ),
        (
            # é has two bytes in UTF-8: {"AA":"...","BB":"é"} is 19 bytes longer than AA's text.
            {"environment": {"AA": "x" * 4078, "BB": "é"}},
            "environment is 4097 bytes of names and values, but Lambda takes 4096: "
            "keep long values in a file or a store, and set only where they are.",
        ),
        *(
            (
                {"alarm_email": address},
                f"alarmEmail is {address!r}, but that is not an email address: set one such as me@example.com.",
            )
            for address in ("me", "me@example", "a@example.com, b@example.com")
        ),
        (
            {"log_level": "info"},
            "logLevel is 'info', but Lambda filters logs by certain levels only: set one of DEBUG, INFO, WARN, ERROR.",
        ),
        (
            {"reserved_concurrency": -1},
            "reservedConcurrency is -1, but it is a number of environments, and 0 is for none: set 0 or more.",
        ),
        (
            {"provisioned_concurrency": -1},
            "provisionedConcurrency is -1, but it is a number of environments, and 0 is for none: set 0 or more.",
        ),
        (
            {"provisioned_concurrency": 3, "reserved_concurrency": 2},
            "provisionedConcurrency is 3, but it is part of reservedConcurrency, which is 2: "
            "set reservedConcurrency to as many or more, or remove it.",
        ),
        (
            {"provisioned_concurrency": 1, "provisioned_concurrency_max": 3, "reserved_concurrency": 2},
            "provisionedConcurrencyMax is 3, but it is part of reservedConcurrency, which is 2: "
            "set reservedConcurrency to as many or more, or remove it.",
        ),
        (
            {"provisioned_concurrency_max": 3},
            "provisionedConcurrencyMax is 3, but it is what provisionedConcurrency may grow to, which is not set: "
            "set provisionedConcurrency as well, to the number that is always there.",
        ),
        (
            {"provisioned_concurrency": 3, "provisioned_concurrency_max": 2},
            "provisionedConcurrencyMax is 2, but it is what provisionedConcurrency may grow to, which is 3: "
            "set 3 or more, or remove it.",
        ),
        (
            {"provisioned_concurrency": 1, "live_version": 3, "canary_percent": 10},
            "canaryPercent is 10, but an alias with provisioned concurrency leads to one version: "
            "remove canaryPercent or provisionedConcurrency.",
        ),
        (
            {"snap_start": True, "provisioned_concurrency": 1},
            "snapStart is True, but Lambda takes no snapshot of a version with provisioned concurrency: "
            "remove snapStart or provisionedConcurrency.",
        ),
        (
            {"snap_start": True, "ephemeral_storage": 513},
            "snapStart is True, but Lambda takes no snapshot of a function with more than 512 MB at /tmp: "
            "remove snapStart or ephemeralStorage.",
        ),
        *(
            (
                {"ephemeral_storage": size},
                f"ephemeralStorage is {size}, but Lambda takes 512 to 10240 MB: set {bound}.",
            )
            for size, bound in ((511, "512 or more"), (10241, "10240 or less"))
        ),
    ],
    ids=lambda given: str(given)[:60] if isinstance(given, dict) else "",
)
def test_a_setting_that_cannot_work_is_refused_with_key_value_rule_and_remedy(given, message):
    with pytest.raises(ConfigError) as refusal:
        settings_of(**given)
    assert str(refusal.value) == message


# These are read when the program runs: whether a component is there at all depends on them.
KNOWN = {"environment", "policy", "policy_arns", "protect", "secrets", "session_key", "table"}
KNOWN_SECTIONS = (CapacitySettings, DomainSettings)


@pytest.mark.parametrize("section", [found for found in SECTIONS.values() if found not in KNOWN_SECTIONS])
def test_an_input_that_is_known_only_later_is_left_to_aws(section):
    with asyncio.Runner() as runner:
        runner.get_loop()  # the SDK takes the thread's event loop, and would leave open one that it had to make
        later = pulumi.Output.from_input("anything")
        lists = {"vpc_subnets": [later], "vpc_security_groups": [later]}
        section(**{field.name: lists.get(field.name, later) for field in fields(section) if field.name not in KNOWN})
        FunctionSettings(environment={"URL": later})
        SecretSettings(secrets={"URL": later})
        PolicySettings(policy_arns=[later])


def test_folders_that_are_refused_are_those_that_dockerignore_leaves_out():
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert {line.rstrip("/") for line in ignored if line.count("/") == 1 and line.endswith("/")} - {"!*"} == LEFT_OUT


def test_variables_of_any_scalar_type_become_text():
    value = {"GREETING": "hello", "LIMIT": 5, "RATIO": 0.5, "VERBOSE": True}
    assert map_of("environment", value) == {"GREETING": "hello", "LIMIT": "5", "RATIO": "0.5", "VERBOSE": "true"}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([], "environment is 'list', but it maps names to values: set environment.NAME with --path."),
        ({"LIST": ["x"]}, "environment.LIST is 'list', but it takes a string: set a string, such as JSON."),
        ({"MAP": {"x": 1}}, "environment.MAP is 'dict', but it takes a string: set a string, such as JSON."),
    ],
)
def test_what_is_not_a_map_of_texts_is_refused(value, message):
    with pytest.raises(ConfigError) as refusal:
        map_of("environment", value)
    assert str(refusal.value) == message


@dataclass(frozen=True, kw_only=True)
class Everything:
    a_text: pulumi.Input[str] = ""
    whole_number: pulumi.Input[int] = 0
    broken_number: pulumi.Input[float] = 0.0
    switch: pulumi.Input[bool] = False
    many_texts: pulumi.Input[Sequence[str]] = ()
    texts: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)


STORED = {
    "aText": "5",
    "wholeNumber": "5",
    "brokenNumber": "0.5",
    "switch": "true",
    "manyTexts": '["a", 2, true]',
    "texts": '{"A": "b", "N": 5}',
}


def loaded(**changed):
    for key, value in {**STORED, **changed}.items():
        pulumi.runtime.set_config(f"everything:{key}", value)
    return load(Everything, pulumi.Config("everything"))


def test_a_setting_is_read_as_its_field_s_type_says():
    assert loaded() == Everything(
        a_text="5",
        whole_number=5,
        broken_number=0.5,
        switch=True,
        many_texts=("a", "2", "true"),
        texts={"A": "b", "N": "5"},
    )


def test_a_list_that_is_none_is_refused():
    with pytest.raises(ConfigError, match=r"^manyTexts is 'dict', but it lists values: set manyTexts\[0\] with --path"):
        loaded(manyTexts='{"a": 1}')


@pytest.mark.parametrize(
    ("domain", "given", "zone"),
    [
        ("api.example.com", "", "example.com"),
        ("a.b.example.com", "", "b.example.com"),
        ("example.com", "", "example.com"),
        ("a.b.example.com", "Example.com.", "example.com"),
    ],
)
def test_a_domain_is_expected_in_its_parent_zone_unless_a_zone_is_given(domain, given, zone):
    assert zone_of(domain, given) == zone


@pytest.mark.parametrize(
    "flask_app", ["scripts", "scripts.shop:create_app()", "scripts/shop.py", "./scripts/shop.py:app"]
)
def test_an_application_may_take_the_samples_place(flask_app):
    settings_of(flask_app=flask_app)


def test_a_folder_behind_a_symbolic_link_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "code" / "web").mkdir(parents=True)
    (tmp_path / "shop").symlink_to("code")
    for folder in ("shop", "shop/web"):
        with pytest.raises(ConfigError) as refusal:
            settings_of(app_dir=folder, flask_app="shop:app")
        assert str(refusal.value) == (
            f"appDir is {folder!r}, but 'shop' is a symbolic link, and a container build copies the link, not what it "
            "points to: copy the application into a folder of this repository, and set that folder."
        )


@pytest.mark.parametrize(
    ("key", "remedy"),
    [
        ("appdir", "rename it to appDir, or remove it (`pulumi config rm appdir`)."),
        ("memorySiz", "rename it to memorySize, or remove it (`pulumi config rm memorySiz`)."),
        (
            "environment.GREETING",
            "add --path to the command that sets it, or nest it below web:environment, or remove it "
            "(`pulumi config rm environment.GREETING`).",
        ),
        (
            "colour",
            "its settings are appDir, memorySize, environment: choose one, or remove it (`pulumi config rm colour`).",
        ),
    ],
)
def test_a_key_that_is_not_a_setting_is_refused_by_the_nearest_one(key, remedy):
    known = ["appDir", "memorySize", "environment"]
    with pytest.raises(ConfigError) as refusal:
        check_keys("web", known, ["aws:region", "web:memorySize", f"web:{key}"])
    assert str(refusal.value) == f"web:{key} is not a setting of this project: {remedy}"
    check_keys("web", known, ["aws:region", "other:colour", "web:memorySize", "webshop:colour"])


def test_a_key_that_is_not_a_setting_is_refused_as_pulumi_up_passes_it():
    program = "\n".join(
        [
            "from pulumi.runtime import settings",
            "settings.configure(settings.Settings(project='dualmode', stack='dev'))",
            "from infra.settings import load_settings",
            "load_settings()",
        ]
    )
    # Pulumi's language host passes the stack's settings in this variable.
    given = {"PULUMI_CONFIG": json.dumps({"aws:region": "us-east-1", "dualmode:memorysize": "1024"})}
    ended = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**os.environ, **given},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.stderr.splitlines()[-1] == (
        "infra.rules.ConfigError: dualmode:memorysize is not a setting of this project: rename it to memorySize, or "
        "remove it (`pulumi config rm memorysize`)."
    )


@pytest.mark.parametrize(
    "path", ["/", "/health", "/a-b/c.d/~e", "/items/{id}/parts", "/public/{proxy+}", "/v1/{a}/{b+}"]
)
def test_a_public_path_may_be_any_route_of_its_own(path):
    assert settings_of(iam_auth=True, public_paths=[path]).access.public_paths == [path]


@pytest.mark.parametrize("origin", ["*", "https://*", "http://localhost:3000", "https://a-b.example", "app://shop"])
def test_an_origin_may_be_any_that_a_browser_sends(origin):
    assert settings_of(cors_origins=[origin]).cors.cors_origins == [origin]
