import pytest

from dualmode.gateway.http.message import Request
from walk.cors import is_preflight, preflight_headers, response_headers


def request(method="GET", **headers):
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Request(method=method, target="/", headers=named, body=b"")


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (request("OPTIONS", Origin="https://a.example", Access_Control_Request_Method="PUT"), True),
        (request("OPTIONS", Origin="https://a.example"), False),
        (request("OPTIONS", Access_Control_Request_Method="PUT"), False),
        (request("PUT", Origin="https://a.example", Access_Control_Request_Method="PUT"), False),
    ],
)
def test_a_preflight_has_an_origin_and_the_method_it_asks_for(asked, found):
    assert is_preflight(asked) is found


@pytest.mark.case("G28")
@pytest.mark.parametrize(
    ("allowed", "origin", "answered"),
    [
        (["*"], "https://a.example", "*"),
        (["https://*"], "https://a.example", "https://a.example"),
        (["https://*"], "http://a.example", None),
        (["https://b.example", "https://a.example"], "https://a.example", "https://a.example"),
        (["https://a.example"], "https://a.example:8443", None),
        (["https://a.example"], "https://a.example.evil.example", None),
        ([], "https://a.example", None),
    ],
)
def test_an_origin_is_compared_as_a_whole(allowed, origin, answered):
    expected = {"access-control-allow-origin": answered} if answered else {}
    assert response_headers({"AllowOrigins": allowed}, request(Origin=origin)) == expected
    assert preflight_headers({"AllowOrigins": allowed}, request(Origin=origin)) == expected
