import pytest

from sandbox.provider.inputs import UNKNOWN, Inputs
from sandbox.provider.refusals import InvalidInputsError


def refused(inputs):
    with pytest.raises(InvalidInputsError) as caught:
        inputs.close()
    return caught.value.failures


def test_inputs_that_were_all_read_are_taken():
    inputs = Inputs({"name": "web", "imageConfig": {"commands": ["run"]}, "tags": {"team": "a"}})
    assert inputs.text("name") == "web"
    assert inputs.block("imageConfig").texts("commands") == ["run"]
    assert inputs.names("tags") == {"team": "a"}
    inputs.close()


def test_a_misspelt_key_is_named():
    inputs = Inputs({"memorysize": 512})
    inputs.integer("memorySize")
    assert refused(inputs) == [("memorysize", "is not an input of this type: check its spelling")]


def test_a_misspelt_key_in_a_nested_object_is_named_with_the_keys_above_it():
    inputs = Inputs({"imageConfig": {"entryPoint": ["sh"]}, "aliases": [{"name": "a"}, {"nmae": "b"}]})
    inputs.block("imageConfig").texts("entryPoints")
    for alias in inputs.blocks("aliases"):
        alias.text("name")
    assert [path for path, _ in refused(inputs)] == ["imageConfig.entryPoint", "aliases[1].nmae"]


def test_a_nested_object_that_nothing_asked_for_is_named():
    assert refused(Inputs({"vpcConfig": {"subnetIds": []}})) == [
        ("vpcConfig", "is not an input of this type: check its spelling")
    ]


@pytest.mark.parametrize(
    ("read", "value", "expected"),
    [
        (Inputs.integer, 512, 512),
        (Inputs.integer, 512.0, 512),
        (Inputs.integer, "512", 512),
        (Inputs.number, 0.5, 0.5),
        (Inputs.number, "0.5", 0.5),
        (Inputs.boolean, True, True),
        (Inputs.boolean, "false", False),
        (Inputs.text, "a", "a"),
        (Inputs.text, 60, "60"),
        (Inputs.text, True, "true"),
        (Inputs.texts, ["a", "b"], ["a", "b"]),
    ],
)
def test_scalars_are_read_as_leniently_as_the_real_provider_reads_them(read, value, expected):
    inputs = Inputs({"key": value})
    assert read(inputs, "key") == expected
    inputs.close()


@pytest.mark.parametrize(
    ("read", "value", "reason"),
    [
        (Inputs.integer, "512MB", "must be a number, but is '512MB'"),
        (Inputs.integer, 0.5, "must be a whole number, but is 0.5"),
        (Inputs.integer, True, "must be a number, but is True"),
        (Inputs.boolean, "yes", "must be true or false, but is 'yes'"),
        (Inputs.text, ["a"], "must be a string, but is a list"),
        (Inputs.texts, "a", "must be a list of strings, but is 'a'"),
        (Inputs.names, ["a"], "must be a map, but is a list"),
        (Inputs.block, "a", "must be an object, but is 'a'"),
        (Inputs.blocks, {"a": 1}, "must be a list, but is a dict"),
        (
            Inputs.json_text,
            "{",
            "must be JSON (Expecting property name enclosed in double quotes: line 1 column 2 (char 1))",
        ),
        (Inputs.required, "", "is missing"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused_with_the_value(read, value, reason):
    inputs = Inputs({"key": value})
    read(inputs, "key")
    assert refused(inputs) == [("key", reason)]


def test_every_mistake_is_said_at_once():
    inputs = Inputs({"memorySize": "big", "colour": "red"})
    inputs.integer("memorySize")
    assert [path for path, _ in refused(inputs)] == ["memorySize", "colour"]


def test_a_value_that_only_the_deployment_will_tell_is_taken_as_any_type():
    inputs = Inputs({"memorySize": UNKNOWN, "imageConfig": UNKNOWN, "aliases": UNKNOWN})
    assert inputs.integer("memorySize") is UNKNOWN
    assert inputs.block("imageConfig").texts("commands") is UNKNOWN
    assert inputs.blocks("aliases")[0].required("name") is UNKNOWN
    inputs.close()


def test_the_engines_own_keys_are_passed_over():
    Inputs({"__defaults": ["name"]}).close()


def test_an_input_that_the_provider_does_not_make_is_refused_rather_than_forgotten():
    inputs = Inputs({"vpcConfig": {"subnetIds": ["subnet-1"]}, "layers": []})
    inputs.unsupported("vpcConfig", "layers")
    assert refused(inputs) == [("vpcConfig", "is not supported by the sandbox's provider")]
