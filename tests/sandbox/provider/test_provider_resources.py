import importlib
import warnings

import pytest

from sandbox.ministack import MiniStack
from sandbox.provider.function_versions import latest_version, publish
from sandbox.provider.inputs import UNKNOWN
from sandbox.provider.provider import Provider
from sandbox.provider.refusals import ResourceRefusedError
from tests.support.provided import ContentBuilder, Made, examples, make_everything
from walk.account import Account

EXAMPLES = examples()


def declared(pulumi_type):
    """The outputs that the SDK's class declares, and those of them that are no inputs."""
    package, module, *_, name = pulumi_type.replace("/", ":").split(":")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if package == "docker-build":
            resource, arguments = _classes("pulumi_docker_build", name)
        else:
            resource, arguments = _classes(f"pulumi_aws.{'lambda_' if module == 'lambda' else module}", name)
    outputs, inputs = _properties(resource), _properties(arguments)
    return outputs, outputs - inputs


def _classes(module, name):
    resource = getattr(importlib.import_module(module), name)
    return resource, getattr(importlib.import_module(resource.__module__), f"{name}Args")


def _properties(cls):
    return {entry.fget._pulumi_name for entry in vars(cls).values() if isinstance(entry, property)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    (folder / "context").mkdir()
    (folder / "context" / "app.txt").write_text("one")
    return folder


@pytest.fixture(scope="module")
def unchanged():
    """What make_everything() made, for as long as no test changes it."""
    return {}


@pytest.fixture
def everything(unchanged, ministack, provider, account):
    """One resource of every type, for tests that only look."""
    if not unchanged:
        ministack.reset()
        unchanged.update(make_everything(provider, account))
    return unchanged


@pytest.fixture
def to_change(unchanged, ministack, provider, account):
    """An account for a test that changes something: what the test names is made there, with what that needs."""
    unchanged.clear()
    ministack.reset()
    return Made(provider, account)


def types():
    return {key: example.pulumi_type for key, example in EXAMPLES.items()}


def test_one_of_each_type_is_made(everything, provider):
    assert sorted(types()[key] for key in everything) == sorted(provider.types)


def test_in_another_region_everything_is_of_that_region(folder, tmp_path):
    with MiniStack(tmp_path, region="eu-central-1") as ministack:
        account = Account(ministack.endpoint_url, "eu-central-1", ministack.credentials)
        made = make_everything(Provider(account, ContentBuilder(), folder), account)
    assert made["DomainName"].outputs["domainNameConfiguration"]["hostedZoneId"] == "Z1U9ULNL0V5AJ3"
    assert [short for short, found in made.items() if "us-east-1" in repr(found)] == []


def test_every_output_that_the_sdk_declares_is_returned(everything, provider):
    missing = {
        short: sorted(declared(pulumi_type)[0] - everything[short].outputs.keys())
        for short, pulumi_type in types().items()
    }
    assert {short: names for short, names in missing.items() if names} == {}


def test_every_output_that_only_aws_knows_has_a_value(everything):
    for short, pulumi_type in types().items():
        outputs = everything[short].outputs
        valueless = {name for name in declared(pulumi_type)[1] if outputs[name] in (None, "", [])}
        assert valueless <= EXAMPLES[short].valueless, short


def test_every_type_declares_the_inputs_and_outputs_that_the_sdk_declares(provider):
    for pulumi_type, resource_type in provider.resource_types.items():
        outputs, computed = declared(pulumi_type)
        assert (pulumi_type, resource_type.declared_outputs) == (pulumi_type, outputs)
        assert (pulumi_type, resource_type.declared_outputs - resource_type.declared_inputs) == (pulumi_type, computed)


def test_every_input_that_replaces_is_one_that_the_sdk_declares(provider):
    for pulumi_type, resource_type in provider.resource_types.items():
        named = resource_type.replace_on_changes | resource_type.kept_when_removed | resource_type.normalised
        assert named <= resource_type.declared_inputs, pulumi_type


def test_what_was_just_made_is_read_back_without_a_difference(everything, provider):
    for short, pulumi_type in types().items():
        found = everything[short]
        again = provider.read(pulumi_type, short, found.identity, found.outputs, found.inputs)
        # A certificate is issued only once the record that proves it is in the zone, which was made after it; a role
        # has the policies that were attached to it later, and a topic and a queue their own.
        later = {
            "Certificate": {"status": "ISSUED"},
            "Queue": {"policy": everything["QueuePolicy"].outputs["policy"]},
            "Role": {"managedPolicyArns": [everything["RolePolicyAttachment"].outputs["policyArn"]]},
            "Topic": {"policy": everything["TopicPolicy"].outputs["policy"]},
        }
        expected = {**found.outputs, **later.get(short, {})}
        assert (short, again.inputs, again.outputs) == (short, found.inputs, expected)


@pytest.mark.parametrize(
    ("short", "told"),
    [
        ("Alias", ("name", "functionName", "functionVersion")),
        ("Function", ("name", "imageUri", "environment")),
        ("Queue", ("name", "url", "visibilityTimeoutSeconds")),
        ("RolePolicy", ("name", "role")),
        ("Topic", ("name", "arn", "displayName")),
    ],
)
def test_a_resource_can_be_read_by_its_id_alone(everything, provider, short, told):
    found = everything[short]
    read = provider.read(types()[short], short, found.identity, {}, {})
    assert {key: read.outputs[key] for key in told} == {key: found.outputs[key] for key in told}


def test_a_certificate_is_pending_until_its_record_is_in_the_zone(everything):
    assert everything["Certificate"].outputs["status"] == "PENDING_VALIDATION"


def test_the_same_inputs_are_no_difference(everything, provider):
    for short, pulumi_type in types().items():
        found = everything[short]
        diff = provider.diff(pulumi_type, found.inputs, found.inputs, found.outputs)
        assert (short, diff.changes) == (short, frozenset())


def test_an_image_whose_files_changed_is_different_although_no_input_is(everything, provider, folder):
    found = everything["Image"]
    (folder / "context" / "app.txt").write_text("two")
    diff = provider.diff("docker-build:index:Image", found.inputs, found.inputs, found.outputs)
    (folder / "context" / "app.txt").write_text("one")
    assert (diff.changes, diff.replaces) == ({"contextHash"}, frozenset())


@pytest.mark.parametrize("short", [key for key, example in EXAMPLES.items() if example.updates])
def test_an_update_changes_what_it_says_in_place_and_nothing_else(to_change, provider, short):
    example, found = EXAMPLES[short], to_change[short]
    pulumi_type = example.pulumi_type
    inputs = {**found.inputs, **example.updates}
    assert provider.diff(pulumi_type, found.inputs, inputs, found.outputs).replaces == frozenset()
    updated = provider.update(pulumi_type, short, found.identity, found.outputs, inputs)
    read = provider.read(pulumi_type, short, found.identity, updated.outputs, inputs)
    assert (read.inputs, read.outputs) == (inputs, updated.outputs)
    changed = {key for key in updated.outputs if updated.outputs[key] != found.outputs.get(key)} - {"tagsAll"}
    assert changed - example.follow == example.updates.keys()
    in_aws = provider.resource_types[pulumi_type].find(found.identity, updated.outputs)
    assert in_aws.get("tags", {}) == inputs.get("tags", {})


@pytest.mark.parametrize(
    ("short", "changed", "unknown"),
    [
        ("Parameter", {"value": "good night"}, {"version"}),
        ("Parameter", {"tags": {}}, set()),
        ("Function", {"memorySize": 256}, {"lastModified", "version", "qualifiedArn", "qualifiedInvokeArn"}),
    ],
)
def test_a_preview_of_an_update_knows_what_it_can_not_know(everything, provider, short, changed, unknown):
    found = everything[short]
    inputs = {**found.inputs, **changed}
    foreseen = provider.foreseen(types()[short], inputs, found.inputs, found.outputs)
    assert {name for name, value in foreseen.items() if value is UNKNOWN} == unknown


def test_what_a_program_no_longer_says_of_the_command_is_removed_from_the_function(to_change, provider, account):
    found, token = to_change["Function"], "aws:lambda/function:Function"
    with_folder = {**found.inputs, "imageConfig": {"commands": ["app.handler"], "workingDirectory": "/srv"}}
    before = provider.update(token, "web", found.identity, found.outputs, with_folder)
    without = {**found.inputs, "imageConfig": {"commands": ["app.handler"]}}
    provider.update(token, "web", found.identity, before.outputs, without)
    configuration = account.client("lambda").get_function_configuration(FunctionName="web")
    assert configuration["ImageConfigResponse"]["ImageConfig"] == {"Command": ["app.handler"]}


def test_an_update_of_a_function_publishes_a_version_and_an_alias_can_be_moved_to_it(to_change, provider, account):
    found, alias = to_change["Function"], to_change["Alias"]
    larger = {**found.inputs, "memorySize": 1024}
    updated = provider.update("aws:lambda/function:Function", "web", found.identity, found.outputs, larger)
    assert updated.outputs["version"] == "2"
    inputs = {**alias.inputs, "functionVersion": "2", "routingConfig": {"additionalVersionWeights": {"1": 0.25}}}
    provider.update("aws:lambda/alias:Alias", "alias", alias.identity, alias.outputs, inputs)
    answer = account.client("lambda").get_alias(FunctionName="web", Name="live")
    assert (answer["FunctionVersion"], answer["RoutingConfig"]["AdditionalVersionWeights"]) == ("2", {"1": 0.25})


def test_publishing_what_did_not_change_gives_the_version_there_is(to_change, account):
    assert to_change["Function"].outputs["version"] == "1"
    before = latest_version(account.client("lambda"), "web")
    account.client("lambda").update_function_configuration(FunctionName="web", MemorySize=512)  # as it is already
    assert publish(account.client("lambda"), "web") == before
    assert latest_version(account.client("lambda"), "web") == before


@pytest.mark.parametrize(
    ("given", "other"),
    [("throttlingBurstLimit", "ThrottlingRateLimit"), ("throttlingRateLimit", "ThrottlingBurstLimit")],
)
def test_throttling_that_is_given_by_halves_is_zero_in_the_other_half(to_change, provider, account, given, other):
    stage = to_change["Stage"]
    inputs = {**stage.inputs, "defaultRouteSettings": {given: 5}}
    provider.update("aws:apigatewayv2/stage:Stage", "stage", stage.identity, stage.outputs, inputs)
    settings = account.client("apigatewayv2").get_stage(ApiId=stage.inputs["apiId"], StageName="$default")
    assert settings["DefaultRouteSettings"][other] == 0


def test_a_stage_keeps_its_throttling_when_the_program_stops_giving_it(everything, provider):
    stage = everything["Stage"]
    inputs = {key: value for key, value in stage.inputs.items() if key != "defaultRouteSettings"}
    assert provider.diff("aws:apigatewayv2/stage:Stage", stage.inputs, inputs, stage.outputs).changes == frozenset()


@pytest.mark.parametrize("short", [key for key, example in EXAMPLES.items() if example.replaces])
def test_an_input_that_can_not_be_changed_in_place_replaces_the_resource(everything, provider, short):
    changed = EXAMPLES[short].replaces
    found = everything[short]
    diff = provider.diff(types()[short], found.inputs, {**found.inputs, **changed}, found.outputs)
    assert diff.replaces == changed.keys()


def test_a_resource_whose_name_the_program_gave_goes_before_its_replacement_comes(provider):
    old = {"name": "web", "path": "/"}
    assert provider.diff("aws:iam/role:Role", old, {"name": "web", "path": "/app/"}).deletes_first


def test_a_resource_whose_name_was_made_for_it_goes_after_its_replacement(provider):
    old = provider.named("aws:iam/role:Role", "web", {"path": "/"}, seed=b"1")
    new = provider.named("aws:iam/role:Role", "web", {"path": "/app/"}, seed=b"2")
    assert (old["name"] != new["name"], provider.diff("aws:iam/role:Role", old, new).deletes_first) == (True, False)


def test_a_name_that_was_made_stays_while_the_program_gives_none(provider):
    first = provider.named("aws:iam/role:Role", "web", {}, seed=b"1")
    assert provider.named("aws:iam/role:Role", "web", {}, seed=b"2", old=first) == first


@pytest.mark.parametrize(
    ("pulumi_type", "fifo_input"), [("aws:sqs/queue:Queue", "fifoQueue"), ("aws:sns/topic:Topic", "fifoTopic")]
)
def test_a_name_that_is_made_for_something_first_in_first_out_says_so(provider, pulumi_type, fifo_input):
    names = [provider.named(pulumi_type, "jobs", {fifo_input: fifo}, seed=b"1")["name"] for fifo in (True, False)]
    assert names == [f"{names[1]}.fifo", names[1]]


def test_an_attribute_that_the_program_no_longer_gives_is_emptied_and_its_neighbours_stay(provider, account):
    given = {"name": "told", "displayName": "Told", "deliveryPolicy": "{}"}
    made = provider.create("aws:sns/topic:Topic", "told", given)
    assert made.outputs["displayName"] == "Told"
    rest = {"name": "told", "deliveryPolicy": "{}"}
    provider.update("aws:sns/topic:Topic", "told", made.identity, made.outputs, rest)
    attributes = account.client("sns").get_topic_attributes(TopicArn=made.identity)["Attributes"]
    assert (attributes["DisplayName"], attributes["DeliveryPolicy"]) == ("", "{}")
    provider.delete("aws:sns/topic:Topic", "told", made.identity, made.outputs)


def test_a_new_certificate_that_an_earlier_run_waited_for_can_be_used(to_change, account, folder):
    later = Provider(account, ContentBuilder(), folder)
    domain, validation = to_change["DomainName"], to_change["CertificateValidation"]
    change = ("aws:apigatewayv2/domainName:DomainName", "domain", domain.identity, domain.outputs, domain.inputs)
    with pytest.raises(ResourceRefusedError, match="nothing waited for that"):
        later.update(*change)
    token = "aws:acm/certificateValidation:CertificateValidation"
    later.diff(token, validation.inputs, validation.inputs, validation.outputs)
    later.update(*change)


def test_what_is_gone_is_read_as_gone(provider):
    state = {
        "apiId": "a1b2c3",
        "certificateArn": "arn:aws:acm:us-east-1:000000000000:certificate/gone",
        "domainName": "gone.sandbox.test",
        "function": "gone",
        "name": "gone",
        "tags": ["000000000000.dkr.ecr.us-east-1.amazonaws.com/gone:latest"],
        "type": "A",
        "zoneId": "ZGONE",
    }
    for short, example in EXAMPLES.items():
        assert provider.read(example.pulumi_type, short, example.gone, state, {}) is None, short


def test_everything_can_be_removed_and_what_is_gone_already_is_no_error(provider, everything, unchanged, account):
    made = dict(everything)
    unchanged.clear()
    for _ in range(2):
        for short in reversed(made):
            found = made[short]
            provider.delete(types()[short], short, found.identity, found.outputs)
    for short, found in made.items():
        assert provider.read(types()[short], short, found.identity, found.outputs, found.inputs) is None, short
    assert account.client("lambda").list_functions()["Functions"] == []
    assert account.client("iam").list_roles()["Roles"] == []
    assert account.client("ecr").describe_repositories()["repositories"] == []
    assert account.client("apigatewayv2").get_apis()["Items"] == []
    assert account.client("apigatewayv2").get_domain_names()["Items"] == []
    assert account.client("acm").list_certificates()["CertificateSummaryList"] == []
    assert account.client("logs").describe_log_groups()["logGroups"] == []
