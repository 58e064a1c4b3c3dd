"""The same requests get the same answers, byte for byte, in local and in gateway mode of one image."""

import contextlib
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import pytest

from tests.image.parity.exceptions import DIFFERENCES, EVERYWHERE, normalised
from tests.image.parity.httpbin_cases import HTTPBIN
from tests.image.parity.sample_cases import SAMPLE
from tests.image.parity.wire import exchange
from tests.support.bundle_use import VERBOSE, check_bundle

# Sets are in another order in each process, and httpbin shows one (Allow).
ENVIRONMENT = {"PYTHONHASHSEED": "0"}


class Pair(NamedTuple):
    """One image in two modes: the ports on loopback."""

    local: int
    gateway: int
    check_bundle: Callable[..., None]


@contextlib.contextmanager
def pair_of(image):
    with (
        image.serving("local", environment=ENVIRONMENT) as local,
        image.serving("gateway", environment=ENVIRONMENT | VERBOSE) as gateway,
    ):
        check = partial(check_bundle, gateway, used=image.has_bundle)
        yield Pair(local.port(3000), gateway.port(3000), check)


@pytest.fixture(scope="module")
def sample(sample_anywhere):
    with pair_of(sample_anywhere) as pair:
        yield pair


@pytest.fixture(scope="module")
def httpbin(httpbin_anywhere):
    with pair_of(httpbin_anywhere) as pair:
        yield pair


def parameters(cases):
    """The requests, each with the cases of docs/http-api.md that explain how its answers differ."""
    marked = []
    for case in cases:
        cited = {difference.case for difference in [*EVERYWHERE, *(DIFFERENCES[name] for name in case.differs)]}
        marked.append(pytest.param(case, id=case.id, marks=pytest.mark.case(*sorted(cited))))
    return marked


def check(case, pair):
    local = exchange(pair.local, case.request, case.method)
    gateway = exchange(pair.gateway, case.request, case.method)
    case.facts.check(local)
    (case.gateway or case.facts).check(gateway)
    named = [DIFFERENCES[name] for name in case.differs]
    if case.gateway:
        assert [difference.is_of_whole_answers for difference in named] == [True], "one exception says why"
        normalised(local, gateway, EVERYWHERE)
        assert case.gateway != case.facts
        return
    same_local, same_gateway = normalised(local, gateway, [*EVERYWHERE, *named])
    assert same_gateway == same_local
    for difference in named:
        others = [other for other in named if other is not difference]
        try:
            first, second = normalised(local, gateway, [*EVERYWHERE, *others])
        except AssertionError:
            continue  # another exception builds on it
        assert first != second, f"the exception {difference.name!r} is not needed"


@pytest.mark.parametrize("case", parameters(SAMPLE))
def test_the_sample_answers_alike_in_both_modes(case, sample):
    check(case, sample)


@pytest.mark.parametrize("case", parameters(HTTPBIN))
def test_httpbin_answers_alike_in_both_modes(case, httpbin):
    check(case, httpbin)


def test_in_gateway_mode_the_modules_of_both_come_out_of_the_bundle(sample, httpbin):
    for pair, application in ((sample, "scripts.server"), (httpbin, "httpbin.core")):
        exchange(pair.gateway, SAMPLE[0].request, SAMPLE[0].method)
        pair.check_bundle([application, "flask.globals", "json.decoder"])


def test_the_corpus_has_at_least_150_requests_each_once():
    requests = [("sample", case.request) for case in SAMPLE] + [("httpbin", case.request) for case in HTTPBIN]
    assert len(set(requests)) == len(requests) >= 150
    assert len({case.id for case in SAMPLE}) == len(SAMPLE)
    assert len({case.id for case in HTTPBIN}) == len(HTTPBIN)


def test_each_exception_explains_a_case():
    assert {name for case in [*SAMPLE, *HTTPBIN] for name in case.differs} == set(DIFFERENCES)
