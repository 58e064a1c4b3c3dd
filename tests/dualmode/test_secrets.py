import json
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials

from dualmode import aws_call, secrets
from dualmode.aws_call import Caller
from dualmode.secrets import SecretError
from tests.support.emulator import ENTRYPOINT, Emulator, environment, write
from tests.support.events import make_event
from walk.account import Account

DENIED = (
    "User: arn:aws:sts::123456789012:assumed-role/shop/shop is not authorized to perform: ssm:GetParameters on "
    "resource: arn:aws:ssm:eu-west-1:123456789012:parameter/shop/two because no identity-based policy allows the "
    "ssm:GetParameters action"
)
CIPHERTEXT = "The ciphertext refers to a customer master key that you are not allowed to access."
CALLER = {
    "AWS_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
}


class Store:
    """An AWS that gives prepared answers, the last one again and again, and keeps what it was asked."""

    def __init__(self, *answers):
        self.asked = []
        store, left = self, list(answers)

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                store.asked.append((self.headers["x-amz-target"], body))
                status, answer = left.pop(0) if len(left) > 1 else left[0]
                content = json.dumps(answer(body) if callable(answer) else answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *arguments):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self):
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def parameters(body):
    """Systems Manager's answer where every parameter is there, with its name as its value."""
    return {"Parameters": [{"Name": name, "Value": f"value of {name}"} for name in body["Names"]]}


def failure(code, sentence):
    return 400, {"__type": code, "message": sentence}


def load(store, environ, **places):
    environ |= {**CALLER, "AWS_ENDPOINT_URL": store.url}
    environ |= {f"DUALMODE_SECRET_{variable}": place for variable, place in places.items()}
    secrets.load(environ)
    return {name: value for name, value in environ.items() if name in places}


def refused(*answers, **places):
    environ = {}
    with Store(*answers) as store, pytest.raises(SecretError) as refusal:
        load(store, environ, **places)
    assert not places.keys() & environ.keys()
    return str(refusal.value)


@pytest.mark.parametrize("session_token", ["", "FwoGZXIvYXdzEBYaD+with/slashes=="])
@pytest.mark.parametrize("region", ["us-east-1", "cn-north-1"])
@pytest.mark.parametrize("service", ["ssm", "secretsmanager"])
def test_a_call_is_signed_as_botocore_signs_it(service, region, session_token):
    caller = Caller(region, CALLER["AWS_ACCESS_KEY_ID"], CALLER["AWS_SECRET_ACCESS_KEY"], session_token)
    host, content = f"{service}.{region}.amazonaws.com", b'{"Names": ["/shop/\xc3\xa9"]}'
    headers = {"content-type": "application/x-amz-json-1.1", "x-amz-target": "AmazonSSM.GetParameters"}
    request = AWSRequest("POST", f"https://{host}/", headers=headers, data=content)
    credentials = ReadOnlyCredentials(caller.access_key, caller.secret_key, session_token or None)
    SigV4Auth(credentials, service, region).add_auth(request)
    moment = time.strptime(request.headers["X-Amz-Date"], "%Y%m%dT%H%M%SZ")
    ours = aws_call.signed(service, "AmazonSSM.GetParameters", host, content, caller, moment)
    assert ours["authorization"] == request.headers["Authorization"]


@pytest.mark.parametrize(
    ("environ", "address"),
    [
        ({}, "https://ssm.eu-west-1.amazonaws.com"),
        ({"AWS_ENDPOINT_URL": "http://all"}, "http://all"),
        ({"AWS_ENDPOINT_URL": "http://all", "AWS_ENDPOINT_URL_SSM": "http://own"}, "http://own"),
        ({"AWS_ENDPOINT_URL_SECRETS_MANAGER": "http://other"}, "https://ssm.eu-west-1.amazonaws.com"),
    ],
)
def test_a_service_is_called_at_its_address_or_where_the_sdks_variables_say(environ, address):
    assert aws_call.endpoint("ssm", "eu-west-1", environ) == address


def test_china_has_a_domain_of_its_own():
    assert aws_call.endpoint("ssm", "cn-north-1", {}) == "https://ssm.cn-north-1.amazonaws.com.cn"


def test_eleven_parameters_take_two_calls_and_one_that_two_variables_have_is_asked_for_once():
    places = {f"V{number}": f"ssm:/shop/{number}" for number in range(11)} | {"AGAIN": "ssm:/shop/0"}
    with Store((200, parameters)) as store:
        assert load(store, {}, **places) == {
            variable: f"value of {place.removeprefix('ssm:')}" for variable, place in places.items()
        }
    assert store.asked == [
        ("AmazonSSM.GetParameters", {"WithDecryption": True, "Names": [f"/shop/{number}" for number in range(10)]}),
        ("AmazonSSM.GetParameters", {"WithDecryption": True, "Names": ["/shop/10"]}),
    ]


def test_secrets_whose_answer_has_two_pages_are_read_whole():
    arns = [f"arn:aws:secretsmanager:eu-west-1:123456789012:secret:{name}-AbCdEf" for name in ("one", "two")]
    pages = [
        (200, {"SecretValues": [{"Name": "one", "ARN": arns[0], "SecretString": "1"}], "NextToken": "next"}),
        (200, {"SecretValues": [{"Name": "two", "ARN": arns[1], "SecretString": "2"}]}),
    ]
    with Store(*pages) as store:
        assert load(store, {}, ONE="secretsmanager:one", TWO=arns[1]) == {"ONE": "1", "TWO": "2"}
    assert store.asked == [
        ("secretsmanager.BatchGetSecretValue", {"SecretIdList": ["one", arns[1]]}),
        ("secretsmanager.BatchGetSecretValue", {"SecretIdList": ["one", arns[1]], "NextToken": "next"}),
    ]


def test_a_secret_is_found_by_an_arn_without_its_random_end():
    arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:one"
    with Store((200, {"SecretValues": [{"Name": "one", "ARN": f"{arn}-AbCdEf", "SecretString": "1"}]})) as store:
        assert load(store, {}, ONE=arn) == {"ONE": "1"}


def test_a_throttled_call_is_made_again():
    with Store(failure("ThrottlingException", "Rate exceeded"), (200, parameters)) as store:
        assert load(store, {}, ONE="ssm:/shop/one") == {"ONE": "value of /shop/one"}
    assert len(store.asked) == 2


@pytest.mark.parametrize(
    ("answer", "places", "sentence"),
    [
        (
            (200, {"Parameters": [], "InvalidParameters": ["/shop/one"]}),
            {"ONE": "ssm:/shop/one"},
            "ONE can't be read: there is no parameter /shop/one in eu-west-1: "
            "create it, or correct it in the setting secrets.ONE.",
        ),
        (
            failure("AccessDeniedException", DENIED),
            {"ONE": "ssm:/shop/one", "TWO": "ssm:/shop/two"},
            "TWO (parameter /shop/two) can't be read: the function's role lacks the permission ssm:GetParameters "
            f"({DENIED}).",
        ),
        (
            failure("AccessDeniedException", CIPHERTEXT),
            {"ONE": "ssm:/shop/one", "TWO": "ssm:/shop/two"},
            "ONE (parameter /shop/one), TWO (parameter /shop/two) can't be read: the function's role lacks the "
            f"permission kms:Decrypt for its key ({CIPHERTEXT[:-1]}).",
        ),
        (
            failure("ValidationException", "a name is not valid."),
            {"ONE": "ssm:a b"},
            "ONE (parameter a b) can't be read: AWS refused ssm:GetParameters with ValidationException "
            "(a name is not valid).",
        ),
        (
            (200, {"Errors": [{"SecretId": "two", "ErrorCode": "ResourceNotFoundException", "Message": "gone"}]}),
            {"TWO": "secretsmanager:two"},
            "TWO can't be read: there is no secret two in eu-west-1: "
            "create it, or correct it in the setting secrets.TWO.",
        ),
        (
            (200, {"Errors": [{"SecretId": "two", "ErrorCode": "AccessDeniedException", "Message": "User x is not "
                               "authorized to perform: secretsmanager:GetSecretValue on resource: two"}]}),
            {"ONE": "secretsmanager:one", "TWO": "secretsmanager:two"},
            "TWO (secret two) can't be read: the function's role lacks the permission secretsmanager:GetSecretValue "
            "(User x is not authorized to perform: secretsmanager:GetSecretValue on resource: two).",
        ),
        (
            (200, {"SecretValues": [{"Name": "one", "ARN": "arn", "SecretBinary": "AAA="}]}),
            {"ONE": "secretsmanager:one"},
            "ONE can't be set: the secret one is binary, and a variable holds text: store it as text, such as base64.",
        ),
        (
            (200, {"Parameters": [{"Name": "/shop/one", "Value": "a\0b"}]}),
            {"ONE": "ssm:/shop/one"},
            "ONE can't be set: the parameter /shop/one is binary, and a variable holds text: "
            "store it as text, such as base64.",
        ),
        *(
            (
                (200, {}),
                {"ONE": place},
                f"DUALMODE_SECRET_ONE is {place!r}, which is not the place of a secret: "
                "set ssm:NAME, secretsmanager:NAME or an ARN of one of the two.",
            )
            for place in ("", "/shop/one", "ssm:", "vault:one", "arn:aws:s3:::bucket")
        ),
    ],
    ids=lambda value: value[:50] if isinstance(value, str) else "",
)  # fmt: skip
def test_a_secret_that_can_not_be_read_is_one_sentence_and_sets_nothing(answer, places, sentence):
    assert refused(answer, **places) == sentence


def test_a_store_that_does_not_answer_is_one_sentence_that_says_what_a_vpc_needs(monkeypatch):
    monkeypatch.setattr(secrets, "SECONDS", 0.5)
    with Store((200, {})) as store:
        gone = store.url
    environ = {**CALLER, "AWS_ENDPOINT_URL": gone, "DUALMODE_SECRET_ONE": "ssm:/shop/one"}
    with pytest.raises(SecretError) as refusal:
        secrets.load(environ)
    assert str(refusal.value) == (
        f"ONE (parameter /shop/one) can't be read: {gone} doesn't answer ([Errno 111] Connection refused): a function "
        "in a VPC reaches it through a NAT gateway, or through an interface endpoint for ssm."
    )


def test_without_credentials_the_sentence_says_what_to_set():
    with pytest.raises(SecretError) as refusal:
        secrets.load({"DUALMODE_SECRET_ONE": "ssm:/shop/one"})
    assert str(refusal.value) == (
        "ONE is read from the parameter /shop/one, and there are no AWS credentials here: "
        "set AWS_REGION, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or set ONE itself."
    )


def test_a_variable_that_is_set_is_kept_where_that_is_asked_for_and_then_nobody_is_called():
    environ = {"DUALMODE_SECRET_ONE": "ssm:/shop/one", "ONE": "mine"}
    secrets.load(environ, keep=True)
    assert environ["ONE"] == "mine"


def test_a_variable_of_the_image_does_not_win_over_the_secret():
    with Store((200, parameters)) as store:
        assert load(store, {"ONE": "of the image"}, ONE="ssm:/shop/one") == {"ONE": "value of /shop/one"}


def test_parameters_and_secrets_of_an_account_are_read_by_name_and_by_arn(ministack):
    account = Account(ministack.endpoint_url, ministack.region, ministack.credentials)
    account.client("ssm").put_parameter(Name="/shop/one", Type="SecureString", Value="1")
    account.client("ssm").put_parameter(Name="plain", Type="String", Value="2")
    arn = account.client("secretsmanager").create_secret(Name="three", SecretString="3")["ARN"]
    environ = {
        **ministack.variables,
        "DUALMODE_SECRET_ONE": "ssm:/shop/one",
        "DUALMODE_SECRET_VERSION": "ssm:/shop/one:1",
        "DUALMODE_SECRET_ARN": f"arn:aws:ssm:us-east-1:{account.account_id}:parameter/shop/one",
        "DUALMODE_SECRET_TWO": "ssm:plain",
        "DUALMODE_SECRET_THREE": "secretsmanager:three",
        "DUALMODE_SECRET_FOUR": arn,
    }
    secrets.load(environ)
    names = ("ONE", "VERSION", "ARN", "TWO", "THREE", "FOUR")
    assert [environ[name] for name in names] == ["1", "1", "1", "2", "3", "3"]


SHOP = """
    import os
    from flask import Flask

    TOKEN = os.environ["TOKEN"]
    app = Flask(__name__)
    app.add_url_rule("/", "length", lambda: str(len(TOKEN)))
"""


def test_a_function_has_its_secrets_when_its_module_is_imported(rie, tmp_path):
    write(tmp_path, shop=SHOP)
    with Store((200, parameters)) as store:
        variables = {**CALLER, "AWS_ENDPOINT_URL": store.url, "DUALMODE_SECRET_TOKEN": "ssm:/shop/token"}
        with Emulator(rie, tmp_path, tmp_path / "log", FLASK_APP="shop", **variables) as function:
            for _ in range(2):
                assert function.invoke(make_event(path="/"))["body"] == "20"  # characters of "value of /shop/token"
    assert len(store.asked) == 1


def test_a_secret_that_a_function_can_not_read_is_an_init_error_of_one_sentence(rie, tmp_path):
    write(tmp_path, shop=SHOP)
    with Store((200, {"Parameters": []})) as store:
        variables = {**CALLER, "AWS_ENDPOINT_URL": store.url, "DUALMODE_SECRET_TOKEN": "ssm:/shop/token"}
        with Emulator(rie, tmp_path, tmp_path / "log", FLASK_APP="shop", **variables) as function:
            assert function.invoke(make_event(path="/")) == {
                "errorMessage": "TOKEN can't be read: there is no parameter /shop/token in eu-west-1: "
                "create it, or correct it in the setting secrets.TOKEN.",
                "errorType": "Runtime.SecretError",
                "requestId": "",
                "stackTrace": [],
            }


def local(folder, **variables):
    """The exit status and the output of local mode, with an application that only tells its variable."""
    write(folder, shop='import os, sys\nsys.exit("TOKEN is " + os.environ["TOKEN"])')
    variables = {"RUN_MODE": "local", "FLASK_APP": "shop", "PORT": "0", "PYTHONWARNINGS": "", **variables}
    ended = subprocess.run(
        [ENTRYPOINT], cwd=folder, env=environment(**variables), capture_output=True, text=True, timeout=60
    )
    return ended.returncode, ended.stderr


def test_local_mode_without_credentials_says_what_to_set(tmp_path):
    assert local(tmp_path, DUALMODE_SECRET_TOKEN="ssm:/shop/token") == (
        1,
        "TOKEN is read from the parameter /shop/token, and there are no AWS credentials here: "
        "set AWS_REGION, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or set TOKEN itself.\n",
    )


def test_local_mode_takes_a_variable_that_is_set_and_otherwise_reads_the_secret(tmp_path):
    place = {"DUALMODE_SECRET_TOKEN": "ssm:/shop/token"}
    assert local(tmp_path, **place, TOKEN="mine") == (1, "TOKEN is mine\n")
    with Store((200, parameters)) as store:
        assert local(tmp_path, **place, **CALLER, AWS_ENDPOINT_URL=store.url) == (1, "TOKEN is value of /shop/token\n")


LOADED = """
    import sys
    from flask import Flask

    app = Flask(__name__)
    OURS = ("dualmode.secrets", "dualmode.aws_call")
    app.add_url_rule("/", "loaded", lambda: [name for name in OURS if name in sys.modules])
"""


def test_an_application_without_secrets_loads_nothing_for_them(rie, tmp_path):
    write(tmp_path, shop=LOADED)
    with Emulator(rie, tmp_path, tmp_path / "log", FLASK_APP="shop") as function:
        assert function.invoke(make_event(path="/"))["body"] == "[]\n"
