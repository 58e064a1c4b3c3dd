"""Any settings give a refusal of one sentence, or a deployment that answers: never a traceback."""

import json
import re

import pulumi
import pytest
from hypothesis import HealthCheck, Phase, assume, example, given
from hypothesis import settings as examples
from hypothesis import strategies as some
from pulumi.runtime.config import set_all_config

from dualmode.gateway.http.message import Request
from infra.naming import deployment_name
from infra.rules import ConfigError
from infra.settings import load_settings
from sandbox import settings
from sandbox.edge.edge import Edge
from sandbox.errors import SandboxError, SettingsError
from sandbox.provider.provider import Provider
from sandbox.pulumi_drivers import mocks_driver
from tests.infra.test_everything_on import CHANGED, ON
from tests.support.provided import ROOT, ContentBuilder

PROJECT = settings.load_project(ROOT)
ODD = ["", " ", "0", "-", ".", "..", "/", "*", "%", "a b", "A", "é", "\0", "a\nb", "[]", "{}", "null", "x" * 300]
NOT_OF_ANY_TYPE = [None, True, 0, -1, 1.5, 2**63, float("inf"), float("nan"), [], [[]], {}, {"a": {}}, {"secure": "x"}]
BOUNDED = examples(
    derandomize=True,
    database=None,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)


def of(declaration):
    """Values of a setting's type, in and around what its description names, and odd ones."""
    words = sorted({word.strip('.,:;()`"') for word in declaration.description.split()})
    numbers = {int(word) for word in re.findall(r"\b[0-9]+\b", declaration.description)}
    texts = some.sampled_from([*words, *ODD]) | some.text(some.characters(exclude_categories=["Cs"]), max_size=80)
    near = sorted({number + step for number in numbers | {0} for step in (-1, 0, 1)})
    names = some.sampled_from(["GREETING", "TOKEN", "A", "_A", "A-B", "RUN_MODE", "AWS_REGION", "TABLE_NAME", ""])
    scalars = texts | some.integers(-10, 10) | some.booleans()
    usual = {
        "string": texts,
        "integer": some.sampled_from(near) | some.integers(-2, 20_000) | some.sampled_from(["5", "1e3", "x"]),
        "boolean": some.booleans() | some.sampled_from(["true", "False", "yes"]),
        "array": some.lists(texts, max_size=3),
        "object": some.dictionaries(names | texts, scalars, max_size=3),
    }[declaration.type]
    return some.sampled_from([*[usual] * 9, some.sampled_from(NOT_OF_ANY_TYPE)]).flatmap(lambda values: values)


DECLARED = {PROJECT.short_key(key): declaration for key, declaration in PROJECT.declarations.items()}
USUAL = {**CHANGED, **ON, "imageUri": "", "hostedZone": "", "vpcSubnets": [], "vpcSecurityGroups": []}
"""Values that are taken."""


def some_of(keys, least, most, value_of):
    """Settings for so many of the keys."""
    chosen = some.lists(some.sampled_from(sorted(keys)), min_size=least, max_size=most, unique=True)
    return chosen.flatmap(lambda chosen: some.fixed_dictionaries({key: value_of(key) for key in chosen}))


usual = some_of(USUAL, 0, len(USUAL), lambda key: some.just(USUAL[key]))
anything = some_of(DECLARED, 1, 2, lambda key: of(DECLARED[key]))
chosen_settings = some.builds(lambda usual, anything: usual | anything, usual, anything)
"""Some of the usual settings, and one or two that may be anything."""


def refusal_of(chosen):
    """The refusal of settings by the command's rules or by the program's, or "" if they are taken."""
    try:
        config = settings.load(PROJECT, "dev", chosen)
        own = {key.removeprefix(f"{PROJECT.name}:"): text for key, text in config.values.items()}
        set_all_config({key if ":" in key else f"{pulumi.get_project()}:{key}": text for key, text in own.items()})
        deployment_name(load_settings().naming)
    except (SettingsError, ConfigError) as refused:
        return str(refused)
    finally:
        set_all_config({})
    return ""


def is_one_sentence(text):
    return (
        text.endswith(".") and "\n" not in text and "Traceback" not in text and not re.search(r"line \d+: \w+:", text)
    )


@pytest.mark.slow
@examples(BOUNDED, max_examples=500)
@given(chosen=chosen_settings)
@example(chosen={"memorySize": float("inf")})
@example(chosen={"memorySize": float("nan")})
@example(chosen={"environment": {"a\nb": "c"}})
def test_any_settings_are_taken_or_refused_in_one_sentence(chosen):
    refusal = refusal_of(chosen)
    assert refusal == "" or is_one_sentence(refusal)


class Echo:
    """A function whose result is its event, which API Gateway sends as it is."""

    def describe(self, version):
        return "here"

    def invoke(self, version, event, **_):
        return json.dumps({"statusCode": 200, "body": event.decode()}).encode()


def deployed(program, config):
    """The outputs of a deployment to an account that has nothing but a zone, or the sentence that refuses it.

    What AWS refuses is a sentence as well: a zone, a network or a version that isn't there.
    """
    program.empty()
    provider = Provider(program.account, ContentBuilder(), ROOT)
    try:
        return mocks_driver.deploy(PROJECT, config, provider, program.variables, lambda _: None)[0]
    except SandboxError as refused:
        return str(refused)


@pytest.fixture(scope="module")
def deployed_before():
    """The unusual settings of each example so far: Hypothesis likes those that were taken, and repeats them."""
    return []


@pytest.mark.slow
@examples(BOUNDED, max_examples=30)
@given(chosen=chosen_settings)
@example(chosen={"iamAuth": "true"})
def test_any_settings_that_are_taken_make_a_deployment_that_answers(program, deployed_before, chosen):
    unusual = {key: value for key, value in chosen.items() if USUAL.get(key) != value}
    assume(refusal_of(chosen) == "" and unusual not in deployed_before)
    config = settings.load(PROJECT, "dev", chosen)
    outputs = deployed(program, config)
    if isinstance(outputs, str):
        of_aws = re.match(r"[a-z][\w:/-]+ '\S+': \w+: ", outputs)  # its resource, its code, and what it says
        assert is_one_sentence(f"{outputs}." if of_aws else outputs)
        deployed_before.append(unusual)
        return
    host, _, path = outputs["url"].partition("://")[2].partition("/")
    request = Request(method="GET", target=f"/{path}/hello" if path else "/hello", headers=(("Host", host),), body=b"")
    answer = Edge(program.account, Echo()).answer(request).response
    needs_signature = config.values.get(f"{PROJECT.name}:iamAuth") == "true"
    expected = (403, None) if needs_signature else (200, "/hello")
    assert (answer.status, json.loads(answer.body).get("rawPath")) == expected
    deployed_before.append(unusual)
