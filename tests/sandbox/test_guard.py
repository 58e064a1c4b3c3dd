import datetime
import http.client
import json
import urllib.error
import urllib.request

import boto3
import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials, ReadOnlyCredentials
from botocore.exceptions import ClientError

from dualmode.gateway.http.message import Request
from sandbox import signature
from sandbox.ministack import MiniStack
from sandbox.signature import SignatureError
from walk.account import Account

BODY = b"Action=ListRoles&Version=2010-05-08"
FORM = "application/x-www-form-urlencoded; charset=utf-8"
REMEDY = ": use the lines that `make sandbox` prints; they change at each start."


def signed(ministack, *, method="POST", path="/", body=BODY, host=None, credentials=None, token=None):
    """The headers of a call that botocore has signed."""
    given = credentials or ministack.credentials
    url = f"http://{host or f'127.0.0.1:{ministack.port}'}{path}"
    call = AWSRequest(method, url, {"Content-Type": FORM} if body else {}, body)
    SigV4Auth(Credentials(given.access_key, given.secret_key, token), "iam", "us-east-1").add_auth(call)
    return {"Host": url.split("/")[2], **dict(call.headers.items())}


def send(ministack, headers, *, method="POST", path="/", body=BODY):
    """Sends what a page, a program or a person's mistake would, with just these headers; status, headers and text."""
    connection = http.client.HTTPConnection("127.0.0.1", ministack.port, timeout=20)
    try:
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read().decode()
    finally:
        connection.close()


def refused(answer):
    """The code and the sentence of a refusal to a form."""
    status, _, text = answer
    assert status == 403
    code, _, rest = text.partition("<Code>")[2].partition("</Code><Message>")
    return code, rest.partition("</Message>")[0]


def test_a_signed_call_is_answered_and_says_nothing_to_pages(ministack):
    status, headers, text = send(ministack, signed(ministack))
    assert (status, "ListRolesResult" in text) == (200, True)
    assert [name for name in headers if name.startswith("access-control")] == []


@pytest.mark.parametrize("name", ["localhost", "host.docker.internal", "host.containers.internal"])
def test_a_container_s_name_for_this_machine_is_one_of_its_own(ministack, name):
    assert send(ministack, signed(ministack, host=f"{name}:{ministack.port}"))[0] == 200


@pytest.mark.parametrize(
    "said",
    [
        {"Origin": "https://evil.example"},
        {"origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "none"},
        {"sec-fetch-mode": "no-cors"},
    ],
    ids=str,
)
def test_a_web_page_gets_nothing_even_with_the_credentials(ministack, said):
    answer = send(ministack, {**signed(ministack), **said})
    (name,) = said
    assert refused(answer) == (
        "AccessDenied",
        f"The header {name} says that a web page sent this request, and web pages are refused: leave it out.",
    )
    assert "access-control-allow-origin" not in answer[1]


def test_a_page_s_preflight_gets_nothing(ministack):
    said = {"Host": f"127.0.0.1:{ministack.port}", "Origin": "https://evil.example"}
    status, headers, _ = send(
        ministack, {**said, "Access-Control-Request-Method": "PUT"}, method="OPTIONS", path="/bucket", body=b""
    )
    assert (status, [name for name in headers if name.startswith("access-control")]) == (403, [])


@pytest.mark.parametrize("host", ["evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "0.0.0.0:{port}", "10.1.2.3", ""])
def test_a_page_whose_name_was_led_to_this_machine_gets_nothing(ministack, host):
    host = host.format(port=ministack.port)
    answer = send(ministack, {**signed(ministack), "Host": host})
    assert refused(answer) == (
        "AccessDenied",
        f"The Host '{host}' is not allowed here, so that no web page can use this port: "
        f"use 127.0.0.1:{ministack.port}.",
    )


def test_a_call_without_credentials_gets_nothing(ministack):
    answer = send(ministack, {"Host": f"127.0.0.1:{ministack.port}", "Content-Type": FORM})
    assert refused(answer) == ("MissingAuthenticationToken", f"The request has no signature of version 4{REMEDY}")


def test_the_attack_of_a_page_with_a_plain_text_body_gets_nothing(ministack, account):
    before = account.client("lambda").list_functions()["Functions"]
    attack = json.dumps({"FunctionName": "evil", "Runtime": "python3.12", "Handler": "i.h", "Role": "arn:aws:iam::0:r"})
    status, _, text = send(
        ministack,
        {"Host": f"127.0.0.1:{ministack.port}", "Content-Type": "text/plain"},
        path="/2015-03-31/functions",
        body=attack.encode(),
    )
    assert (status, json.loads(text)["__type"]) == (403, "MissingAuthenticationToken")
    assert account.client("lambda").list_functions()["Functions"] == before == []


@pytest.mark.parametrize("key", ["test", "000000000000", "SANDBOX0123456789ABCDEF"])
def test_another_access_key_gets_nothing(ministack, key):
    other = ReadOnlyCredentials(key, ministack.credentials.secret_key, None)
    assert refused(send(ministack, signed(ministack, credentials=other))) == (
        "InvalidClientTokenId",
        f"The access key is not from this run of the sandbox{REMEDY}",
    )


def test_the_access_key_without_its_secret_key_gets_nothing(ministack):
    other = ReadOnlyCredentials(ministack.credentials.access_key, "test", None)
    assert refused(send(ministack, signed(ministack, credentials=other))) == (
        "SignatureDoesNotMatch",
        f"The signature is not from the secret key of this run of the sandbox{REMEDY}",
    )


def test_what_was_signed_is_what_is_passed_on(ministack):
    headers = signed(ministack)
    for changed in (
        send(ministack, headers, body=BODY.replace(b"ListRoles", b"ListUsers")),
        send(ministack, headers, path="/?Action=ListUsers"),
        send(ministack, {**headers, "X-Amz-Date": "20200101T000000Z"}),
        send(ministack, {**headers, "Host": f"localhost:{ministack.port}"}),
    ):
        assert refused(changed)[0] == "SignatureDoesNotMatch"


SCOPE = "Credential={key}/20260101/us-east-1/iam/aws4_request"


@pytest.mark.parametrize(
    ("authorization", "code"),
    [
        ("AWS4-HMAC-SHA256 nothing", "IncompleteSignature"),
        ("AWS4-HMAC-SHA256 Credential=a/b/c, SignedHeaders=host, Signature=0", "IncompleteSignature"),
        (f"AWS4-HMAC-SHA256 {SCOPE}, SignedHeaders=x-amz-date, Signature=0", "IncompleteSignature"),
        (f"AWS4-HMAC-SHA256 {SCOPE}, SignedHeaders=host", "IncompleteSignature"),
        (f"AWS4-HMAC-SHA256 {SCOPE}, SignedHeaders=host, Signature=\xe9", "SignatureDoesNotMatch"),
        ("AWS {key}:c2lnbmF0dXJl", "MissingAuthenticationToken"),
        ("Bearer {key}", "MissingAuthenticationToken"),
    ],
)
def test_an_odd_authorization_gets_nothing(ministack, authorization, code):
    said = authorization.format(key=ministack.credentials.access_key)
    headers = {"Host": f"127.0.0.1:{ministack.port}", "Content-Type": FORM, "Authorization": said}
    assert refused(send(ministack, headers))[0] == code


def test_a_body_that_is_not_the_one_whose_hash_was_signed_gets_nothing(ministack):
    call = AWSRequest("PUT", f"http://127.0.0.1:{ministack.port}/bucket/key", data=b"signed")
    S3SigV4Auth(Credentials(*ministack.credentials), "s3", "us-east-1").add_auth(call)
    headers = {"Host": f"127.0.0.1:{ministack.port}", **dict(call.headers.items())}
    answers = [send(ministack, headers, method="PUT", path="/bucket/key", body=body) for body in (b"signed", b"other")]
    assert ["<Code>NoSuchBucket</Code>" in answers[0][2], refused(answers[1])[0]] == [True, "SignatureDoesNotMatch"]


def test_session_credentials_with_the_access_key_pass(ministack):
    assert send(ministack, signed(ministack, token="a/session+token=="))[0] == 200


@pytest.mark.parametrize(
    "path",
    [
        "/_ministack/reset",
        "/_ministack/health",
        "/%5Fministack/reset",
        "//_ministack/reset",
        "/_localstack/health",
        "/_aws/sqs/messages",
        "http://127.0.0.1/_ministack/reset",
        "*",
    ],
)
def test_what_empties_the_account_is_out_of_reach_even_with_the_credentials(ministack, account, path):
    zones = account.client("route53")
    zones.create_hosted_zone(Name="kept.test", CallerReference=path)
    before = zones.list_hosted_zones()["HostedZones"]
    answer = send(ministack, signed(ministack, path=path if path.startswith("/") else "/"), path=path)
    assert refused(answer) == ("AccessDenied", "AWS has no such path.")
    assert zones.list_hosted_zones()["HostedZones"] == before


def test_boto3_speaks_every_protocol_through_it(account):
    s3 = account.client("s3")
    s3.create_bucket(Bucket="shelf")
    key = "a folder/é +%&=~(1).txt"
    s3.put_object(Bucket="shelf", Key=key, Body=b"\x00content", Metadata={"note": "two  words"})
    s3.put_object(Bucket="shelf", Key="//_empty", Body=b"")
    assert s3.get_object(Bucket="shelf", Key=key)["Body"].read() == b"\x00content"
    head = s3.head_object(Bucket="shelf", Key=key)
    assert (head["ContentLength"], head["Metadata"]) == (8, {"note": "two  words"})
    assert [entry["Key"] for entry in s3.list_objects_v2(Bucket="shelf", Prefix="a folder/é +")["Contents"]] == [key]
    large = bytes(9 * 1024 * 1024)
    s3.put_object(Bucket="shelf", Key="large", Body=large)
    assert s3.head_object(Bucket="shelf", Key="large")["ContentLength"] == len(large)

    queues = account.client("sqs")
    url = queues.create_queue(QueueName="jobs")["QueueUrl"]
    queues.send_message(QueueUrl=url, MessageBody="<é>")
    assert [message["Body"] for message in queues.receive_message(QueueUrl=url)["Messages"]] == ["<é>"]

    parameters = account.client("ssm")
    parameters.put_parameter(Name="/shop/token", Value="a=b&c", Type="String")
    assert parameters.get_parameter(Name="/shop/token")["Parameter"]["Value"] == "a=b&c"
    assert account.client("lambda").list_functions(MaxItems=5)["Functions"] == []
    arn = account.client("sns").create_topic(Name="news")["TopicArn"]
    assert account.client("sts").get_caller_identity()["Account"] == arn.split(":")[4] == "000000000000"


def test_a_presigned_address_of_s3_is_good_as_it_is(ministack, account):
    s3 = boto3.client(
        "s3",
        region_name="us-east-1",
        endpoint_url=ministack.endpoint_url,
        aws_access_key_id=ministack.credentials.access_key,
        aws_secret_access_key=ministack.credentials.secret_key,
        config=Config(signature_version="s3v4"),
    )
    s3.create_bucket(Bucket="presigned")
    s3.put_object(Bucket="presigned", Key="a b", Body=b"content")
    address = s3.generate_presigned_url("get_object", {"Bucket": "presigned", "Key": "a b"})
    with urllib.request.urlopen(address) as answer:
        assert answer.read() == b"content"
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(address.replace("a%20b", "c"))


@pytest.mark.parametrize("service", ["route53", "lambda", "sts", "s3", "ssm"])
def test_a_refusal_is_read_by_the_client_of_each_protocol(ministack, service):
    other = Account(ministack.endpoint_url, "us-east-1", ReadOnlyCredentials("other", "secret", None)).client(service)
    calls = {
        "route53": "list_hosted_zones",
        "lambda": "list_functions",
        "sts": "get_caller_identity",
        "s3": "list_buckets",
        "ssm": "describe_parameters",
    }
    with pytest.raises(ClientError) as caught:
        getattr(other, calls[service])()
    assert caught.value.response["Error"]["Code"] == "InvalidClientTokenId"
    assert caught.value.response["Error"]["Message"] == f"The access key is not from this run of the sandbox{REMEDY}"


def test_ministack_that_is_gone_is_said(tmp_path):
    with MiniStack(tmp_path) as ministack:
        headers = signed(ministack)
        assert send(ministack, headers)[0] == 200
        ministack._process.kill()
        ministack._process.wait()
        status, _, text = send(ministack, headers)
        assert (status, "MiniStack ended the connection" in text) == (503, True)


# The example of AWS's documentation, "Create a signed AWS API request": the signature there is checked here.
def test_the_signature_of_aws_s_own_example_is_known():
    request = Request(
        method="GET",
        target="/?Action=ListUsers&Version=2010-05-08",
        headers=(
            ("Content-Type", "application/x-www-form-urlencoded; charset=utf-8"),
            ("Host", "iam.amazonaws.com"),
            ("X-Amz-Date", "20150830T123600Z"),
            (
                "Authorization",
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, "
                "SignedHeaders=content-type;host;x-amz-date, "
                "Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
            ),
        ),
    )
    signature.check(request, ReadOnlyCredentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", None))
    with pytest.raises(SignatureError):
        signature.check(request, ReadOnlyCredentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEX", None))


@pytest.mark.parametrize("signer", [SigV4QueryAuth, S3SigV4QueryAuth])
def test_a_signature_in_the_query_is_checked_too(signer):
    service = "s3" if signer is S3SigV4QueryAuth else "sts"
    credentials = Credentials("AKIDEXAMPLE", "secret", "session/token")
    call = AWSRequest("GET", "http://127.0.0.1:1/a%20b?z=1&a=x%2Fy&flag=", {"Host": "127.0.0.1:1"})
    signer(credentials, service, "us-east-1").add_auth(call)
    target = call.url.removeprefix("http://127.0.0.1:1")
    assert str(datetime.datetime.now(datetime.UTC).year) in target
    request = Request(method="GET", target=target, headers=(("Host", "127.0.0.1:1"),))
    signature.check(request, ReadOnlyCredentials("AKIDEXAMPLE", "secret", None))
    for changed in (target.replace("flag", "flog"), target.replace("Expires=", "Expires=1")):
        with pytest.raises(SignatureError) as refused:
            signature.check(
                Request(method="GET", target=changed, headers=request.headers),
                ReadOnlyCredentials("AKIDEXAMPLE", "secret", None),
            )
        assert refused.value.code == "SignatureDoesNotMatch"
