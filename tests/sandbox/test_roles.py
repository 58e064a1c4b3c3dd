"""A function may do in the sandbox's AWS what its role's policies say, and is refused in AWS's words."""

import functools
import json
import urllib.request
from types import SimpleNamespace

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from sandbox.roles.sessions import RoleSessions

ACCOUNT = "000000000000"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/web/shop"
MANAGED = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"
ATTRIBUTES = {
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    "BillingMode": "PAY_PER_REQUEST",
}


@pytest.fixture(scope="module")
def roles(ministack):
    """The role `web`, with which the function `shop` runs, and what there is in the account."""
    account = ministack.account
    account.client("iam").create_role(RoleName="web", AssumeRolePolicyDocument="{}")
    account.client("s3").create_bucket(Bucket="shelf")
    account.client("s3").put_object(Bucket="shelf", Key="a b/c", Body=b"content")
    account.client("dynamodb").create_table(TableName="items", **ATTRIBUTES)
    account.client("sqs").create_queue(QueueName="orders")
    account.client("sns").create_topic(Name="news")
    account.client("ssm").put_parameter(Name="/shop/token", Value="a", Type="String")
    account.client("secretsmanager").create_secret(Name="shop/key", SecretString="b")
    account.client("logs").create_log_group(logGroupName="/shop")
    found = RoleSessions(ministack.reader)
    ministack.enforce(found)
    return found


@pytest.fixture(scope="module")
def client(roles, ministack):
    """boto3's clients with the variables that the function gets."""
    told = roles.variables(SimpleNamespace(name="shop", role="web"))
    session = boto3.Session(
        region_name="us-east-1",
        aws_access_key_id=told["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=told["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=told["AWS_SESSION_TOKEN"],
    )
    return functools.cache(lambda service, **more: session.client(service, endpoint_url=ministack.endpoint_url, **more))


@pytest.fixture
def allow(ministack, roles):
    """Gives the role these statements; afterwards it has none."""
    iam = ministack.account.client("iam")

    def put(*statements):
        iam.put_role_policy(RoleName="web", PolicyName="own", PolicyDocument=json.dumps({"Statement": statements}))

    put(statement("none:None"))
    yield put
    put(statement("none:None"))


def statement(action, resource="*", effect="Allow", **more):
    return {"Effect": effect, "Action": action, "Resource": resource, **more}


def refused(call):
    """The code and the sentence with which a call is refused."""
    with pytest.raises(ClientError) as error:
        call()
    return error.value.response["Error"]["Code"], error.value.response["Error"]["Message"]


def denial(action, resource):
    return (
        f"User: {SESSION} is not authorized to perform: {action} on resource: {resource} "
        f"because no identity-based policy allows the {action} action"
    )


def queue(client):
    return f"http://127.0.0.1:1/{ACCOUNT}/orders"


def arn(service, rest):
    return f"arn:aws:{service}:us-east-1:{ACCOUNT}:{rest}"


ITEM = {"id": {"S": "1"}}
KEY_ARN = arn("secretsmanager", "secret:shop/key-??????")
# The call, the action and the resource that its policy must allow, and the code that AWS answers otherwise.
CALLS = {
    "s3 list": (
        *(lambda c: c("s3").list_objects_v2(Bucket="shelf"), "s3:ListBucket", "arn:aws:s3:::shelf"),
        "AccessDenied",
    ),
    "s3 get": (
        *(lambda c: c("s3").get_object(Bucket="shelf", Key="a b/c"), "s3:GetObject", "arn:aws:s3:::shelf/a b/c"),
        "AccessDenied",
    ),
    "s3 put": (
        *(lambda c: c("s3").put_object(Bucket="shelf", Key="n", Body=b""), "s3:PutObject", "arn:aws:s3:::shelf/n"),
        "AccessDenied",
    ),
    "s3 buckets": (lambda c: c("s3").list_buckets(), "s3:ListAllMyBuckets", "*", "AccessDenied"),
    "dynamodb put": (
        *(lambda c: c("dynamodb").put_item(TableName="items", Item=ITEM), "dynamodb:PutItem"),
        *(arn("dynamodb", "table/items"), "AccessDeniedException"),
    ),
    "dynamodb batch": (
        lambda c: c("dynamodb").batch_get_item(RequestItems={"items": {"Keys": [ITEM]}}),
        *("dynamodb:BatchGetItem", arn("dynamodb", "table/items"), "AccessDeniedException"),
    ),
    "dynamodb transaction": (
        lambda c: c("dynamodb").transact_write_items(TransactItems=[{"Put": {"TableName": "items", "Item": ITEM}}]),
        *("dynamodb:PutItem", arn("dynamodb", "table/items"), "AccessDeniedException"),
    ),
    "dynamodb list": (
        *(lambda c: c("dynamodb").list_tables(), "dynamodb:ListTables"),
        *(arn("dynamodb", "table/*"), "AccessDeniedException"),
    ),
    "log groups": (
        lambda c: c("logs").describe_log_groups(logGroupNamePrefix="/shop"),
        *("logs:DescribeLogGroups", arn("logs", "log-group::log-stream:"), "AccessDeniedException"),
    ),
    "sqs send": (
        lambda c: c("sqs").send_message_batch(
            QueueUrl=queue(c), Entries=[{"Id": "1", "MessageBody": "a"}, {"Id": "2", "MessageBody": "b"}]
        ),
        *("sqs:SendMessage", arn("sqs", "orders"), "AccessDenied"),
    ),
    "sns publish": (
        lambda c: c("sns").publish(TopicArn=arn("sns", "news"), Message="a"),
        *("sns:Publish", arn("sns", "news"), "AuthorizationError"),
    ),
    "ssm get": (
        lambda c: c("ssm").get_parameters(Names=["/shop/token"]),
        *("ssm:GetParameters", arn("ssm", "parameter/shop/token"), "AccessDeniedException"),
    ),
    "secret": (
        lambda c: c("secretsmanager").get_secret_value(SecretId="shop/key"),
        *("secretsmanager:GetSecretValue", KEY_ARN, "AccessDeniedException"),
    ),
    "events": (
        lambda c: c("events").put_events(Entries=[{"Source": "s", "DetailType": "d", "Detail": "{}"}]),
        *("events:PutEvents", arn("events", "event-bus/default"), "AccessDeniedException"),
    ),
    "logs": (
        lambda c: c("logs").describe_log_streams(logGroupName="/shop"),
        *("logs:DescribeLogStreams", arn("logs", "log-group:/shop:log-stream:"), "AccessDeniedException"),
    ),
    "metric": (
        lambda c: c("cloudwatch").put_metric_data(Namespace="shop", MetricData=[{"MetricName": "m", "Value": 1}]),
        *("cloudwatch:PutMetricData", "*", "AccessDeniedException"),
    ),
    "lambda": (
        lambda c: c("lambda").list_versions_by_function(FunctionName="other"),
        *("lambda:ListVersionsByFunction", arn("lambda", "function:other"), "AccessDeniedException"),
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_function_may_do_what_its_role_allows_and_nothing_else(name, client, allow, ministack):
    call, action, resource, code = CALLS[name]
    shown = resource
    if resource == KEY_ARN:
        shown = ministack.account.client("secretsmanager").describe_secret(SecretId="shop/key")["ARN"]
    sentence = denial(action.lower() if name == "sqs send" else action, f'"{shown}"' if name[:2] == "s3" else shown)
    assert refused(lambda: call(client)) == (code, sentence)
    if resource != "*":
        allow(statement(action, resource[:-1] + "x"))
        assert refused(lambda: call(client)) == (code, sentence)
    allow(statement(action, resource))
    try:
        call(client)
    except ClientError as error:  # of what isn't there; the role was let through
        assert error.response["Error"]["Code"] == "ResourceNotFoundException", error  # noqa: PT017
    allow(statement(action, resource), statement(action, resource, effect="Deny", Sid="Never"))
    denied = sentence.partition(" because ")[0] + " with an explicit deny in an identity-based policy"
    assert refused(lambda: call(client)) == (code, denied)


def test_a_function_knows_itself_by_its_role_without_any_permission(client, allow):
    identity = client("sts").get_caller_identity()
    assert (identity["Arn"], identity["Account"]) == (SESSION, ACCOUNT)


def test_deleting_several_objects_needs_the_permission_for_each(client, allow, ministack):
    allow(statement("s3:DeleteObject", "arn:aws:s3:::shelf/a"))

    def delete(*keys):
        return client("s3").delete_objects(Bucket="shelf", Delete={"Objects": [{"Key": key} for key in keys]})

    assert delete("a")["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert refused(lambda: delete("a", "b<")) == (
        "AccessDenied",
        denial("s3:DeleteObject", '"arn:aws:s3:::shelf/b<"'),
    )


def test_a_managed_policy_allows_what_aws_says_it_does(client, allow, ministack):
    iam = ministack.account.client("iam")
    iam.attach_role_policy(RoleName="web", PolicyArn=MANAGED)
    try:
        assert client("s3").get_object(Bucket="shelf", Key="a b/c")["Body"].read() == b"content"
        assert refused(lambda: client("s3").delete_object(Bucket="shelf", Key="a b/c"))[0] == "AccessDenied"
    finally:
        iam.detach_role_policy(RoleName="web", PolicyArn=MANAGED)


def test_an_address_that_a_function_has_signed_gives_what_its_role_may_read(client, allow):
    address = client("s3", config=Config(signature_version="s3v4")).generate_presigned_url(
        "get_object", Params={"Bucket": "shelf", "Key": "a b/c"}
    )
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(address)
    with error.value as answer:
        assert "no identity-based policy allows the s3:GetObject action" in answer.read().decode()
    allow(statement("s3:GetObject", "arn:aws:s3:::shelf/*"))
    with urllib.request.urlopen(address) as answer:
        assert answer.read() == b"content"


def test_a_condition_that_is_only_known_to_aws_refuses_nothing(client, allow):
    condition = {"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}}
    allow(statement("s3:ListBucket", Condition=condition))
    client("s3").list_objects_v2(Bucket="shelf")
    allow(statement("s3:ListBucket"), statement("s3:*", effect="Deny", Condition=condition))
    client("s3").list_objects_v2(Bucket="shelf")
    allow(statement("s3:ListBucket", Condition={"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}))
    assert refused(lambda: client("s3").list_objects_v2(Bucket="shelf"))[0] == "AccessDenied"
    allow(statement("s3:ListBucket", "arn:aws:s3:::${aws:PrincipalTag/team}"))
    client("s3").list_objects_v2(Bucket="shelf")


def test_what_is_refused_is_said_with_the_statement_to_add(client, allow, roles):
    roles.new_remedies()
    refused(lambda: client("sqs").send_message(QueueUrl=queue(client), MessageBody="a"))
    wanted = statement("sqs:SendMessage", arn("sqs", "orders"))
    assert roles.new_remedies() == [
        f"The function was refused sqs:SendMessage on {wanted['Resource']}, as on AWS: its role web doesn't allow it. "
        f"Give it to the function with the setting policy: {json.dumps(wanted)}"
    ]
    assert roles.new_remedies() == []
