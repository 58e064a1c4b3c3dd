import botocore.session
import pytest
from botocore.credentials import ReadOnlyCredentials

from sandbox.provider.aws import Aws
from sandbox.provider.blocks import Block
from sandbox.provider.call import Call, filled_in, names_in, parameters
from sandbox.provider.fields import Field, Output, bind
from sandbox.provider.forms import INTEGER
from sandbox.provider.inputs import UNKNOWN, Inputs
from sandbox.provider.registry import resource_types
from sandbox.provider.resource_type import ResourceType
from tests.support.provided import ContentBuilder
from walk.account import Account


class Alarm(ResourceType):
    pulumi_type = "aws:example/alarm:Alarm"
    service = "sns"
    fields = (Field("name", required=True), Output("arn", "TopicArn"), Output("url"))
    create_call = Call("CreateTopic", "TopicArn")

    def read(self, identity, state):
        return {"Name": "bell", "TopicArn": identity}


class CompleteAlarm(Alarm):
    def computed_outputs(self, answer, state):
        return {"url": f"https://{state['name']}"}


@pytest.fixture(scope="module")
def aws(tmp_path_factory):
    account = Account("http://127.0.0.1:9", "us-east-1", ReadOnlyCredentials("key", "secret", None))  # nothing is sent
    account._account_id = "123456789012"
    return Aws(account, ContentBuilder(), tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="module")
def function_request():
    return botocore.session.get_session().get_service_model("lambda").operation_model("CreateFunction").input_shape


def test_an_output_that_a_type_declares_and_forgets_to_return_is_an_error(aws):
    with pytest.raises(TypeError, match="aws:example/alarm:Alarm declares other outputs than it returns: url"):
        Alarm(aws).find("arn:bell", {})
    assert CompleteAlarm(aws).find("arn:bell", {}) == {
        "region": "us-east-1",
        "name": "bell",
        "arn": "arn:bell",
        "url": "https://bell",
    }


def test_an_input_that_aws_does_not_have_is_an_error_of_the_table(function_request):
    with pytest.raises(TypeError, match="AWS's request has no member 'colour': set `at` to its place"):
        bind(["colour"], function_request)


def test_a_path_that_aws_does_not_have_is_an_error_of_the_table(function_request):
    with pytest.raises(TypeError, match="AWS's FunctionCode has no member 'Uri'"):
        bind([Field("imageUri", "Code.Uri")], function_request)


def test_a_nested_object_without_a_table_of_its_own_is_an_error_of_the_table(function_request):
    with pytest.raises(TypeError, match=r"'LoggingConfig' of AWS's request has members: declare them with Block\("):
        bind(["loggingConfig"], function_request)


def test_the_form_of_an_input_is_that_of_botocores_model(function_request):
    table = bind(["description", "memorySize", "publish", "architectures", "tags"], function_request)
    given = {"description": 1, "memorySize": "512", "publish": "true", "architectures": ["arm64"], "tags": {"a": 1}}
    inputs = Inputs(given)
    assert {field.path[0]: field.read(inputs) for field in table} == {
        "Description": "1",
        "MemorySize": 512,
        "Publish": True,
        "Architectures": ["arm64"],
        "Tags": {"a": "1"},
    }
    inputs.close()


def test_a_nested_object_is_read_and_written_by_its_own_table(function_request):
    block = Block(Field("logFormat", required=True), Field("logGroup", computed=True), Output("host", "Host"))
    (field,) = bind([Field("loggingConfig", form=block)], function_request)
    wanted = field.read(Inputs({"loggingConfig": {"logFormat": "JSON", "logGroup": UNKNOWN}}))
    assert wanted == {"LogFormat": "JSON", "LogGroup": UNKNOWN}
    answer = {"LoggingConfig": {"LogFormat": "JSON", "LogGroup": "web", "Host": "h"}}
    assert field.output(answer, {}) == {"logFormat": "JSON", "logGroup": "web", "host": "h"}
    assert list(field.form.added()) == ["logGroup", "host"]


def test_a_number_among_attributes_is_a_text_for_aws_and_a_number_for_the_program():
    shape = botocore.session.get_session().get_service_model("sqs").operation_model("CreateQueue").input_shape
    (field,) = bind([Field("delaySeconds", "Attributes.DelaySeconds", INTEGER, default=0)], shape)
    assert [field.read(Inputs(given)) for given in ({"delaySeconds": 5}, {})] == ["5", "0"]
    assert field.output({"Attributes": {"DelaySeconds": "5"}}, {}) == 5


@pytest.mark.parametrize(
    ("field", "before", "sent"),
    [
        (Field("description"), "old", ""),
        (Field("description", computed=True), "old", None),
        (Field("description", filled="as AWS has it"), "old", None),
        (Field("description"), "", None),
        (Field("architectures"), ["arm64"], []),
        (Field("tags"), {"a": "b"}, {}),
        (Field("memorySize"), 512, None),
        (Field("loggingConfig", form=Block("logFormat")), {"logFormat": "JSON"}, None),
        (Field("tags", removed_as=""), {"a": "b"}, {"a": ""}),
    ],
)
def test_an_update_empties_what_the_program_no_longer_gives_unless_aws_chooses_it(
    function_request, field, before, sent
):
    (bound,) = bind([field], function_request)
    assert bound.value_for_update(None, {field.name: before}) == sent


def test_a_name_in_braces_stands_for_a_value_and_alone_for_the_value_itself():
    known = {"id": "a", "force": True, "none": None}
    template = {"Names": ["{id}"], "Force": "{force}", "Arn": "arn:{id}:{none}", "Max": 5, "None": "{none}"}
    assert filled_in(template, known) == {"Names": ["a"], "Force": True, "Arn": "arn:a:", "Max": 5, "None": None}


@pytest.mark.parametrize(
    ("template", "text", "names"),
    [
        ("{role}:{name}", "web:logs", {"role": "web", "name": "logs"}),
        ("{arn}:{name}", "arn:aws:web:live", {"arn": "arn:aws:web", "name": "live"}),
        ("{role}:{name}", "web", {}),
        ("", "web", {}),
    ],
)
def test_an_id_tells_the_properties_that_it_was_made_of(template, text, names):
    assert names_in(template, text) == names


def test_the_wanted_part_of_an_answer_is_found_by_a_name_with_quotes():
    call = Call("GetRoutes", "Items[?Key=='{key}'].Id | [0]", ApiId="{api}")
    answer = {"Items": [{"Key": "GET /", "Id": "1"}, {"Key": "it's", "Id": "2"}]}
    assert (call.search(answer, {"key": "it's"}), call.search(answer, {"key": "no"})) == ("2", None)
    assert parameters(a="{b}") == {"a": "{b}"}


def test_a_type_is_known_by_being_in_a_module_of_services():
    found = {resource_type.pulumi_type: resource_type.__module__ for resource_type in resource_types()}
    assert found["aws:sns/topic:Topic"] == "sandbox.provider.services.sns"
    assert Alarm.pulumi_type not in found
