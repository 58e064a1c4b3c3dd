"""Which calls count as writes: all those that may change what is kept of the account, in the form that boto3 sends."""

import datetime

import pytest
from botocore.credentials import ReadOnlyCredentials

from dualmode.gateway.http.message import Request
from sandbox.writes import APART, may_write
from walk.account import Account
from walk.reads import READS

WALKED = sorted({service for service, _ in READS} - {"logs"})
# Read as their names don't say.
OTHER_READS = {"ExportApi", "TestDNSAnswer"}


class SentError(Exception):
    """The call is complete, and isn't sent."""


@pytest.fixture(scope="module")
def account():
    return Account("http://127.0.0.1:9", "us-east-1", ReadOnlyCredentials("key", "secret", None))  # nothing is sent


def call(client, operation):
    """The call of an operation, with something for each parameter that it needs."""
    caught = []

    def catch(request, **_):
        caught.append(request)
        raise SentError

    events = client.meta.events
    events.register("before-send", catch)
    try:
        with pytest.raises(SentError):
            client._make_api_call(operation, some(client.meta.service_model.operation_model(operation).input_shape))
    finally:
        events.unregister("before-send", catch)
    (request,) = caught
    text = {name: value.decode() if isinstance(value, bytes) else value for name, value in request.headers.items()}
    target = "/" + request.url.split("/", 3)[3]
    body = request.body or b""
    body = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else body.read()
    return Request(method=request.method, target=target, headers=tuple(text.items()), body=body)


def some(shape):
    """A value of a shape, with what is required of its members."""
    if shape is None:
        return {}
    if shape.type_name == "structure":
        needed = shape.required_members or list(shape.members)[: shape.is_tagged_union]
        return {name: some(shape.members[name]) for name in needed}
    if shape.type_name == "string":
        return shape.enum[0] if shape.enum else "x" * max(1, shape.metadata.get("min", 1))
    if shape.type_name == "list":
        return [some(shape.member)] * max(1, shape.metadata.get("min", 1))
    simple = {"map": {}, "blob": b"x", "boolean": True, "timestamp": datetime.datetime.now(datetime.UTC)}
    return simple.get(shape.type_name, max(1, shape.metadata.get("min", 1)))


@pytest.mark.parametrize("service", WALKED)
def test_every_call_that_is_not_a_read_by_its_name_counts_as_a_write(account, service):
    client = account.client(service)
    reads = {name for name in client.meta.service_model.operation_names if not may_write(call(client, name))}
    assert {name for name in reads if not name.startswith(("Get", "List", "Describe", "Head"))} <= OTHER_READS
    walked = {client.meta.method_to_api_mapping[operation] for of, operation in READS if of == service}
    assert walked <= reads


def test_no_service_that_a_request_passes_is_one_whose_writes_do_not_count(account):
    assert {account.client(service).meta.service_model.signing_name for service in WALKED} & APART == set()


@pytest.mark.parametrize(
    ("method", "target", "headers", "body", "writes"),
    [
        ("GET", "/?Action=ListRoles", (), b"", False),
        ("GET", "/?Action=DeleteRole&RoleName=a", (), b"", True),
        ("PUT", "/2015-03-31/functions/a?Action=ListRoles", (), b"", True),
        ("POST", "/", (("X-Amz-Target", "CertificateManager.ListCertificates"),), b"{}", False),
        ("POST", "/", (("X-Amz-Target", "CertificateManager.DeleteCertificate"),), b"{}", True),
        ("POST", "/?Action=ListRoles", (("Content-Type", "application/x-www-form-urlencoded"),), b"Action=Tag", True),
        ("POST", "/", (), b"", True),
    ],
)
def test_a_call_is_a_read_only_if_all_of_it_says_so(method, target, headers, body, writes):
    assert may_write(Request(method=method, target=target, headers=headers, body=body)) is writes
