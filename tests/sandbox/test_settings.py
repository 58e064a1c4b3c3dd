import os
import subprocess
import textwrap

import pytest

from sandbox.assignments import parse_assignments
from sandbox.errors import SandboxError, SettingsError
from sandbox.presets import set_aside
from sandbox.settings import load, load_project, own_values
from tests.support.provided import SCHEMA
from tests.support.pulumi_command import needs_pulumi


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


def test_the_first_stack_has_the_defaults_without_a_file(project, tmp_path):
    stacks = project()
    (tmp_path / "Pulumi.dev.yaml").unlink()
    assert load(stacks, "dev").values["web:memorySize"] == "512"


def test_another_stack_without_a_file_is_refused_by_the_names_of_those_that_have_one(project, tmp_path):
    stacks = project()
    (tmp_path / "Pulumi.staging.yaml").write_text("config: {}\n")
    with pytest.raises(SettingsError) as caught:
        load(stacks, "prod")
    assert str(caught.value) == (
        "Stack 'prod' has no file Pulumi.prod.yaml for its settings: choose one of dev, staging with --stack, or "
        "create it (with the line `config: {}` every setting has its default)."
    )
    assert load(stacks, "staging").values["web:memorySize"] == "512"


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
        ("memorySize: big\n", "'memorySize' must be of type 'integer', but is 'big'."),
        ("memorySize: 0.5\n", "'memorySize' must be of type 'integer', but is '0.5'."),
        ("keep: yes\n", "'keep' must be of type 'boolean', but is 'yes'."),
        ("environment: [a]\n", "'environment' must be of type 'object', but is ['a']."),
        ("domainName: {a: b}\n", "'domainName' must be of type 'string', but is {'a': 'b'}."),
        ("zones: a\n", "'zones' must be of type 'array<string>', but is 'a'."),
        ("zones: [1]\n", "'zones' must be of type 'array<string>', but is [1]."),
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
        "Setting token of stack 'dev' is encrypted and the sandbox has no key for it: "
        "give it a value of its own with --set 'token=…'."
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
        ("a: {type: array, default: []}", "setting a is an array without a type for its items: add 'items'."),
        ("a: {default: x, value: y}", "setting a can't have both 'default' and 'value'."),
        ("a: {typ: integer}", "setting a has the unknown attribute 'typ'."),
        ("aws:region: {type: string}", "setting aws:region belongs to another namespace: it takes only 'value'."),
        ("aws:region: {default: x}", "setting aws:region belongs to another namespace: it takes only 'value'."),
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
        ("memorySize=big", "Setting memorySize must be of type 'integer', but is 'big'."),
        ("keep=yes", "Setting keep must be of type 'boolean', but is 'yes'."),
        ("memorysize=1", "'memorysize' is not a setting of web: did you mean memorySize?"),
        ("environmnt.A=1", "'environmnt' is not a setting of web: did you mean environment?"),
        (
            'environment={"TOKEN": "hunter2',
            'Setting environment is not JSON (line 1, column 11): write --set \'environment={"NAME": "value"}\', or '
            "one part of it as --set environment.NAME=value.",
        ),
        (
            "zones=a",
            'Setting zones is not JSON (line 1, column 1): write --set \'zones=["a", "b"]\', or one part of it as '
            "--set zones[0]=value.",
        ),
        ('environment=["hunter2"]', "Setting environment must be of type 'object', but is [secret]."),
        (
            "memorySize.a=1",
            "Setting memorySize is of type 'integer', so it has no parts to set: write memorySize=VALUE.",
        ),
        (
            "environment[0]=1",
            "Setting environment must be of type 'object', but 'environment[0]' would give it another type.",
        ),
        ("zones[3]=c", "'zones[3]' can't be set: the list has 0 values, so the next is [0]."),
        ("zones.a=c", "Setting zones must be of type 'array<string>', but 'zones.a' would give it another type."),
        (
            "environment.=a",
            "'environment.' is not a property path: a name is missing, or has a quote in it.",
        ),
        (
            "environment[A]=a",
            "'environment[A]' is not a property path: brackets hold a number, or a name in quotes, as in [\"a.b\"].",
        ),
        ("zones=[1]", "Setting zones must be of type 'array<string>', but is '[1]'."),
    ],
)
def test_an_assignment_that_can_not_be_is_refused(project, assignment, sentence):
    with pytest.raises(SettingsError) as caught:
        parse_assignments(project(), [assignment])
    assert str(caught.value) == sentence


def test_a_path_changes_one_part_of_what_the_stack_has(project):
    stack = "environment: {GREETING: hi, NESTED: {a: 1}}\n"
    stacks = project(stack=stack)
    given = [
        "environment.GREETING=hello",
        'environment["A.B"]=x=y',
        "environment.NESTED.b=true",
        "zones[0]=c",
        "zones[1]=d",
    ]
    parsed = parse_assignments(stacks, given, own_values(stacks, "dev"))
    assert parsed == {
        "web:environment": {"GREETING": "hello", "NESTED": {"a": 1, "b": True}, "A.B": "x=y"},
        "web:zones": ["c", "d"],
    }
    assert own_values(stacks, "dev") == {"web:environment": {"GREETING": "hi", "NESTED": {"a": 1}}}


def test_an_encrypted_part_asks_for_a_value_of_its_own(project):
    stacks = project(stack="environment: {GREETING: hi, TOKEN: {secure: v1:abc}}\n")
    with pytest.raises(SettingsError) as caught:
        load(stacks, "dev")
    assert str(caught.value) == (
        "Setting environment.TOKEN of stack 'dev' is encrypted and the sandbox has no key for it: "
        "give it a value of its own with --set 'environment.TOKEN=…'."
    )
    mine = parse_assignments(stacks, ["environment.TOKEN=mine"], own_values(stacks, "dev"))
    assert load(stacks, "dev", mine).values["web:environment"] == '{"GREETING":"hi","TOKEN":"mine"}'


@needs_pulumi
def test_a_path_sets_what_the_pulumi_command_sets(project, tmp_path):
    stacks = project()
    given = [
        "environment.A=true",
        "environment.B=007",
        "environment.C=12",
        'environment["d.e"]=1.5',
        "environment.F=+5",
        "environment.G=",
        '["environment"].H=1_000',
        "environment.I.J=x",
        'environment.K["quote\\"d"]=y',
        "zones[0]=x",
        "zones[1]=no",
    ]
    (tmp_path / "backend").mkdir()
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "PULUMI_HOME": str(tmp_path / "home"),
        "PULUMI_BACKEND_URL": f"file://{tmp_path}/backend",
        "PULUMI_CONFIG_PASSPHRASE": "sandbox",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }

    def pulumi(*arguments):
        subprocess.run(["pulumi", *arguments], cwd=tmp_path, env=environ, check=True, capture_output=True, timeout=120)

    (tmp_path / "Pulumi.dev.yaml").unlink()
    pulumi("stack", "init", "dev")
    for assignment in given:
        key, _, value = assignment.partition("=")
        pulumi("config", "set", "--stack", "dev", "--path", key, value)
    assert parse_assignments(stacks, given) == own_values(stacks, "dev")


def test_the_stacks_own_domain_is_said_to_be_set_aside(project):
    stacks = project(stack="domainName: shop.example.com\n")
    own = own_values(stacks, "dev")
    assert set_aside(stacks, own, {"web:domainName": "app.sandbox.test"}) == (
        "Not used here: the stack's domainName shop.example.com. The sandbox builds the image, and serves "
        "app.sandbox.test; --set domainName=shop.example.com --zone ZONE tries your own"
    )
    assert set_aside(stacks, own, {"web:domainName": "shop.example.com"}) is None


def test_a_foreign_key_is_taken_as_text(project):
    assert parse_assignments(project(), ["aws:region=eu-west-1"]) == {"aws:region": "eu-west-1"}
