import pytest

from dualmode.gateway.http.message import Request, Response
from sandbox.edge.cdn import Passage
from sandbox.edge.cdn_cache import CdnCache, lifetime


def passed(key=("/static/app.js",), ages=(0, 0, 1000), error_ages=None, takes_cookies=False):
    request = Request(method="GET", target="/static/app.js", headers=())
    return Passage(request=request, key=key, ages=ages, error_ages=error_ages or {}, takes_cookies=takes_cookies)


class Origin:
    """Answers with prepared responses and keeps what it was asked."""

    def __init__(self, *answers):
        self._answers = list(answers)
        self.asked = []

    def __call__(self, request):
        self.asked.append(request.header("if-none-match"))
        return self._answers.pop(0)


def response(status=200, body=b"one", **headers):
    return Response(
        status=status, headers=tuple((name.replace("_", "-"), value) for name, value in headers.items()), body=body
    )


@pytest.fixture
def clock():
    return [0.0]


@pytest.fixture
def cache(clock):
    return CdnCache(lambda: clock[0])


@pytest.mark.case("S49")
def test_an_answer_is_given_again_as_long_as_its_cache_control_says(cache, clock):
    origin = Origin(response(cache_control="public, max-age=60"), response(body=b"two", cache_control="max-age=60"))
    found = []
    for clock[0] in (0.0, 59.0, 60.0):
        how, answer = cache.answer(passed(), origin)
        found.append((how, answer.body, dict(answer.headers).get("age"), dict(answer.headers)["x-cache"]))
    assert found == [
        ("Miss", b"one", None, "Miss from cloudfront"),
        ("Hit", b"one", "59", "Hit from cloudfront"),
        ("Miss", b"two", None, "Miss from cloudfront"),
    ]


@pytest.mark.case("S51")
def test_an_answer_that_must_be_asked_about_is_asked_about_by_its_tag(cache):
    origin = Origin(
        response(cache_control="no-cache", etag='"1"'), response(304, b"", cache_control="no-cache", etag='"1"')
    )
    found = [cache.answer(passed(), origin) for _ in "ab"]
    assert [(how, answer.status, answer.body) for how, answer in found] == [
        ("Miss", 200, b"one"),
        ("RefreshHit", 200, b"one"),
    ]
    assert origin.asked == [None, '"1"']


def test_what_has_no_key_is_never_kept(cache):
    origin = Origin(*[response(cache_control="max-age=60")] * 2)
    assert [cache.answer(passed(key=None), origin)[0] for _ in "ab"] == ["Miss", "Miss"]


@pytest.mark.case("S53")
def test_a_cookie_is_taken_out_of_an_answer_for_all_and_left_in_one_for_its_client(cache):
    kept, own = (
        cache.answer(passed(key=None, takes_cookies=takes), Origin(response(set_cookie="a=1")))[1]
        for takes in (False, True)
    )
    assert ("set-cookie" in dict(kept.headers), "set-cookie" in dict(own.headers)) == (False, True)


@pytest.mark.case("S49", "S50", "S52")
@pytest.mark.parametrize(
    ("status", "cache_control", "age"),
    [
        (200, "max-age=60", 60),
        (200, "max-age=60, s-maxage=5", 5),
        (200, "max-age=9999", 1000),
        (200, "", 0),
        (200, "no-cache", 0),
        (200, "no-store", None),
        (200, "private, max-age=60", None),
        (302, "max-age=60", None),
        (404, "", 10),
        (403, "", None),
    ],
)
def test_for_how_long_an_answer_is_kept(status, cache_control, age):
    assert lifetime(response(status, cache_control=cache_control), passed(error_ages={403: 0})) == age
