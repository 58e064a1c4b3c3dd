import pytest

from tests.support.cases import case_param
from walk.route import match_route

# The developer guide's own example, and its answers.
GUIDE = ["GET /pets/dog/1", "GET /pets/dog/{id}", "GET /pets/{proxy+}", "ANY /{proxy+}", "$default"]


def found(keys, method, path):
    match = match_route([{"RouteKey": key} for key in keys], method, path)
    return match and (match.key, match.parameters)


@pytest.mark.case("R19")
@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/pets/dog/1", ("GET /pets/dog/1", {})),
        ("GET", "/pets/dog/2", ("GET /pets/dog/{id}", {"id": "2"})),
        ("GET", "/pets/cat/1", ("GET /pets/{proxy+}", {"proxy": "cat/1"})),
        ("POST", "/test/5", ("ANY /{proxy+}", {"proxy": "test/5"})),
    ],
)
def test_the_most_specific_route_wins(method, path, expected):
    assert found(GUIDE, method, path) == expected
    assert found(reversed(GUIDE), method, path) == expected


@pytest.mark.parametrize(
    ("keys", "method", "path", "expected"),
    [
        (["$default"], "PATCH", "/", ("$default", {})),
        (["GET /hello"], "GET", "/", None),
        (["GET /hello"], "POST", "/hello", None),
        (["GET /hello"], "GET", "/Hello", None),
        (["GET /hello"], "GET", "/hello/", None),
        (["GET /"], "GET", "/", ("GET /", {})),
        (["ANY /a", "GET /a"], "GET", "/a", ("GET /a", {})),
        case_param(
            "R19", ["GET /pets/{id}", "ANY /{proxy+}"], "POST", "/pets/1", ("ANY /{proxy+}", {"proxy": "pets/1"})
        ),
        case_param(
            "R17", ["GET /pets/{name}"], "GET", "/pets/Chester Mall", ("GET /pets/{name}", {"name": "Chester Mall"})
        ),
        (["GET /pets/{name}"], "GET", "/pets/", None),
        case_param("R14", ["ANY /{proxy+}"], "GET", "/foo/", ("ANY /{proxy+}", {"proxy": "foo/"})),
        (["ANY /{proxy+}"], "GET", "/", ("ANY /{proxy+}", {"proxy": ""})),
        (["GET /a/{proxy+}"], "GET", "/a", None),
        (["GET /{proxy+}", "GET /a/{proxy+}"], "GET", "/a/b", ("GET /a/{proxy+}", {"proxy": "b"})),
        (["GET /{x}/b", "GET /a/{y}"], "GET", "/a/b", ("GET /a/{y}", {"y": "b"})),
        (["GET /a/{proxy+}", "GET /{x}/b"], "GET", "/a/b", ("GET /{x}/b", {"x": "a"})),
        ([], "GET", "/", None),
    ],
)
def test_a_request_takes_the_route_that_fits_it_best(keys, method, path, expected):
    assert found(keys, method, path) == expected


@pytest.mark.parametrize(
    ("key", "path", "expected"),
    [
        ("$default", "/hello", "$default"),
        ("GET /hello", "/hello", "GET/hello"),
        ("ANY /{proxy+}", "/a/b", "GET/{proxy+}"),
    ],
)
def test_the_source_of_a_request_is_its_route(key, path, expected):
    assert match_route([{"RouteKey": key}], "GET", path).source("GET") == expected
