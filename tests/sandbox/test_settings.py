import textwrap

import pytest

from sandbox.errors import SandboxError, SettingsError
from sandbox.settings import load, load_project, parse_assignments

SCHEMA = """
    config:
      memorySize: {type: integer, default: 512}
      domainName: {type: string, default: ""}
      keep: {type: boolean, default: false}
      environment: {type: object, default: {}}
      zones: {type: array, items: {type: string}, default: [a, b]}
"""


@pytest.fixture
def project(tmp_path):
    def project(schema=SCHEMA, stack=""):
        (tmp_path / "Pulumi.yaml").write_text(f"name: web\nruntime: python\n{textwrap.dedent(schema)}")
        (tmp_path / "Pulumi.dev.yaml").write_text(f"config:\n{textwrap.indent(textwrap.dedent(stack), '  ')}")
        return load_project(tmp_path)

    return project


def test_defaults_apply_where_the_stack_says_nothing(project):
    assert load(project(), "dev").values == {
        "web:memorySize": "512",
        "web:domainName": "",
        "web:keep": "false",
        "web:environment": "{}",
        "web:zones": '["a","b"]',
    }


def test_the_stacks_file_goes_over_the_defaults_and_what_is_set_over_both(project):
    loaded = load(project(stack="memorySize: 1024\nweb:domainName: a.test\n"), "dev", {"memorySize": 2048})
    assert (loaded.values["web:memorySize"], loaded.values["web:domainName"]) == ("2048", "a.test")


def test_a_stack_without_a_file_has_the_defaults(project):
    assert load(project(), "other").values["web:memorySize"] == "512"


def test_keys_of_other_namespaces_are_passed_through(project):
    schema = "config:\n  aws:region: {value: eu-west-1}\n"
    assert load(project(schema), "dev").values == {"aws:region": "eu-west-1"}
    assert load(project(schema, "aws:region: us-east-1\n"), "dev").values == {"aws:region": "us-east-1"}


def test_a_plain_value_is_the_default_of_an_own_key_and_the_value_of_a_foreign_one(project):
    assert load(project("config:\n  size: 3\n  aws:region: eu-west-1\n"), "dev").values == {
        "web:size": "3",
        "aws:region": "eu-west-1",
    }


@pytest.mark.parametrize(
    ("stack", "sentence"),
    [
        ("memorySize: big\n", "'memorySize' must be of type 'integer', and is 'big'."),
        ("memorySize: 0.5\n", "'memorySize' must be of type 'integer', and is '0.5'."),
        ("keep: yes\n", "'keep' must be of type 'boolean', and is 'yes'."),
        ("environment: [a]\n", "'environment' must be of type 'object', and is ['a']."),
        ("domainName: {a: b}\n", "'domainName' must be of type 'string', and is {'a': 'b'}."),
        ("zones: a\n", "'zones' must be of type 'array<string>', and is 'a'."),
        ("zones: [1]\n", "'zones' must be of type 'array<string>', and is [1]."),
    ],
)
def test_a_value_of_another_type_is_refused_with_key_value_and_type(project, stack, sentence):
    with pytest.raises(SettingsError) as caught:
        load(project(stack=stack), "dev")
    assert str(caught.value) == f"Stack 'dev' with configuration key {sentence}"


@pytest.mark.parametrize(
    ("stack", "key", "text"),
    [
        ("memorySize: '1024'\n", "memorySize", "1024"),
        ("memorySize: 1024.0\n", "memorySize", "1024"),
        ("keep: 'true'\n", "keep", "true"),
        ("keep: true\n", "keep", "true"),
        ("domainName: 12\n", "domainName", "12"),
        ("environment: {A: on}\n", "environment", '{"A":"on"}'),
        ("zones: [no, 'off']\n", "zones", '["no","off"]'),
        ("domainName: 2024-01-01\n", "domainName", "2024-01-01"),
    ],
)
def test_what_the_command_takes_is_taken_and_reads_the_same(project, stack, key, text):
    assert load(project(stack=stack), "dev").values[f"web:{key}"] == text


def test_keys_without_a_value_are_refused_together(project):
    with pytest.raises(SettingsError) as caught:
        load(project("config:\n  size: {type: integer}\n  name: {type: string}\n"), "dev")
    assert str(caught.value) == "Stack 'dev' is missing configuration for 'name' and 'size': set it in Pulumi.dev.yaml."


def test_a_secret_can_not_be_plain(project):
    schema = "config:\n  token: {type: string, secret: true, default: abc}\n"
    with pytest.raises(SettingsError) as caught:
        load(project(schema), "dev")
    assert str(caught.value) == "Stack 'dev' with configuration key 'token' must be encrypted as it's secret."


def test_a_secret_that_is_set_is_secret(project):
    loaded = load(project("config:\n  token: {type: string, secret: true}\n"), "dev", {"token": "hunter2"})
    assert (loaded.values, loaded.secrets) == ({"web:token": "hunter2"}, {"web:token"})


def test_an_encrypted_value_asks_for_another_one(project):
    schema = "config:\n  token: {type: string, secret: true}\n"
    stack = "token:\n  secure: v1:abc\n"
    with pytest.raises(SettingsError) as caught:
        load(project(schema, stack), "dev")
    assert str(caught.value) == (
        "Setting token of stack 'dev' is encrypted and the sandbox has no key to it: "
        "give it a value of its own with --set token=…"
    )
    assert load(project(schema, stack), "dev", {"token": "mine"}).values == {"web:token": "mine"}


@pytest.mark.parametrize(
    ("schema", "sentence"),
    [
        (
            "a: {type: number}",
            "setting a has the type 'number'; the types are string, integer, boolean, array, object.",
        ),
        ("a: {type: integer, default: x}", "the default of setting a is not of its type 'integer'."),
        ("a: {type: array, default: []}", "setting a is an array and doesn't say of what: add 'items'."),
        ("a: {default: x, value: y}", "setting a can't have both 'default' and 'value'."),
        ("a: {typ: integer}", "setting a has the unknown attribute 'typ'."),
        ("aws:region: {type: string}", "setting aws:region is another namespace's: it takes 'value' only."),
        ("aws:region: {default: x}", "setting aws:region is another namespace's: it takes 'value' only."),
    ],
)
def test_a_schema_that_contradicts_itself_is_refused(project, tmp_path, schema, sentence):
    with pytest.raises(SandboxError) as caught:
        project(f"config:\n  {schema}\n")
    assert str(caught.value) == f"{tmp_path / 'Pulumi.yaml'}: {sentence}"


def test_a_folder_without_a_program_is_one_sentence(tmp_path):
    with pytest.raises(SandboxError) as caught:
        load_project(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path / 'Pulumi.yaml'} doesn't exist: run from the folder of the Pulumi program."
    )


@pytest.mark.parametrize(
    ("assignment", "value"),
    [
        ("memorySize=1024", 1024),
        ("domainName=a=b", "a=b"),
        ("domainName=12", "12"),
        ("keep=true", True),
        ('environment={"A": "b"}', {"A": "b"}),
        ('zones=["a"]', ["a"]),
    ],
)
def test_an_assignment_has_the_type_of_its_key(project, assignment, value):
    key = assignment.partition("=")[0]
    assert parse_assignments(project(), [assignment]) == {f"web:{key}": value}


@pytest.mark.parametrize(
    ("assignment", "sentence"),
    [
        ("memorySize", "'memorySize' is not a setting: write key=value."),
        ("memorySise=1", "'memorySise' is not a setting of web: did you mean memorySize?"),
        (
            "colour=red",
            "'colour' is not a setting of web: the settings are domainName, environment, keep, memorySize, zones.",
        ),
        ("memorySize=big", "Setting memorySize must be of type 'integer', and is 'big'."),
        ("keep=yes", "Setting keep must be of type 'boolean', and is 'yes'."),
        ("environment={", "Setting environment must be of type 'object', and is [secret]."),
        ("zones=[1]", "Setting zones must be of type 'array<string>', and is '[1]'."),
    ],
)
def test_an_assignment_that_can_not_be_is_refused(project, assignment, sentence):
    with pytest.raises(SettingsError) as caught:
        parse_assignments(project(), [assignment])
    assert str(caught.value) == sentence


def test_a_foreign_key_is_taken_as_text(project):
    assert parse_assignments(project(), ["aws:region=eu-west-1"]) == {"aws:region": "eu-west-1"}
