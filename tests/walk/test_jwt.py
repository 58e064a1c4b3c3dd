import base64
import time

import pytest

from tests.support.issuer import KEY, N, encoded, issuing, number, signed
from walk.jwt import TokenError, checked_claims, scopes_of, told
from walk.key_sets import IssuerError, KeySets, keys_of
from walk.rsa_signature import is_signed

# RFC 7515, appendix A.2.
MESSAGE = (
    b"eyJhbGciOiJSUzI1NiJ9"
    b".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
)
SIGNATURE = base64.urlsafe_b64decode(
    "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t"
    "1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12j"
    "zDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQ"
    "Ge77Rw=="
)
MODULUS = number(N)
BLOCK = pow(int.from_bytes(SIGNATURE, "big"), 65537, MODULUS).to_bytes(256, "big")  # what the signature hides


@pytest.fixture(scope="module")
def issuer(tmp_path_factory):
    with issuing(tmp_path_factory.mktemp("issuer")) as found:
        yield found


@pytest.fixture
def check(issuer):
    key_sets = KeySets()

    def check(token, audiences=("shop",)):
        return checked_claims(token, issuer=issuer.address, audiences=audiences, key_sets=key_sets)

    return check


def test_the_example_of_rfc_7515_is_signed_by_its_key():
    assert is_signed(MESSAGE, SIGNATURE, algorithm="RS256", modulus=MODULUS, exponent=65537)


@pytest.mark.parametrize(
    "wrong",
    [
        {"message": MESSAGE + b"x"},
        {"signature": SIGNATURE[:-1] + b"x"},
        {"signature": SIGNATURE[1:]},
        {"signature": b"\x00" + SIGNATURE},
        {"signature": b""},
        {"signature": (int.from_bytes(SIGNATURE, "big") + MODULUS).to_bytes(257, "big")},
        {"signature": (1).to_bytes(256, "big")},
        {"algorithm": "RS512"},
        {"exponent": 1},
        {"exponent": 1, "signature": BLOCK},
        {"exponent": 3},
        {"modulus": 0},
        {"modulus": MODULUS + 2},
    ],
    ids=str,
)
def test_another_message_signature_or_key_is_not_signed(wrong):
    given = {"message": MESSAGE, "signature": SIGNATURE, "algorithm": "RS256", "modulus": MODULUS, "exponent": 65537}
    given |= wrong
    assert is_signed(given.pop("message"), given.pop("signature"), **given) is False


def test_a_token_of_the_issuer_has_its_claims(check, issuer):
    now = int(time.time())
    claims = {"exp": now + 60, "iat": now - 1, "nbf": now - 1, "role": "admin"}
    assert check(issuer.token(**claims)) == {"iss": issuer.address, "aud": "shop", "sub": "ann", **claims}


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"iss": "https://other.example"}, "the token does not have a valid issuer"),
        ({"aud": "other"}, "the token does not have a valid audience"),
        ({"aud": None}, "the token does not have a valid audience"),
        ({"aud": "other", "client_id": "shop"}, "the token does not have a valid audience"),
        ({"exp": 1}, "the token has expired"),
        ({"exp": None}, "the token has expired"),
        ({"exp": "4102444800"}, "the token's exp is not a number"),
        ({"nbf": 4102444800}, "the token is not valid yet"),
        ({"iat": 4102444800}, "the token is not valid yet"),
    ],
    ids=str,
)
def test_a_claim_that_is_not_right_is_refused_with_its_reason(check, issuer, claims, reason):
    with pytest.raises(TokenError) as refused:
        check(issuer.token(**claims))
    assert str(refused.value) == reason


@pytest.mark.parametrize("claims", [{"aud": ["other", "shop"]}, {"aud": None, "client_id": "shop"}], ids=str)
def test_one_of_several_audiences_or_the_client_counts(check, issuer, claims):
    assert check(issuer.token(**claims))["sub"] == "ann"


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        ("", "the token is not three parts with dots between them"),
        ("a.b", "the token is not three parts with dots between them"),
        ("\u00e9.b.c", "the token's parts are not base64"),
        ("YQ.YQ.YQ", "the token's parts are not JSON"),
        (f"{encoded([])}.{encoded({})}.YQ", "the token's parts are not JSON objects"),
        (f"{encoded({'alg': 'none'})}.{encoded({})}.", "the token is not signed with an algorithm of RSA"),
        (f"{encoded({'alg': 'HS256'})}.{encoded({})}.YQ", "the token is not signed with an algorithm of RSA"),
        (f"{encoded({'alg': ['RS256']})}.{encoded({})}.YQ", "the token is not signed with an algorithm of RSA"),
        (signed({}, kid="other"), "the token's kid is not the id of a key of the issuer"),
        (signed({}, kid=None), "the token's kid is not the id of a key of the issuer"),
        (signed({}, alg="RS384"), "the token's signature is not valid"),
        (signed({}).rpartition(".")[0] + ".YQ", "the token's signature is not valid"),
    ],
)
def test_a_text_that_is_no_token_of_the_issuer_is_refused_with_its_reason(check, token, reason):
    with pytest.raises(TokenError) as refused:
        check(token)
    assert str(refused.value) == reason


def test_the_claims_of_another_token_are_not_signed(check, issuer):
    head, _, signature = issuer.token().split(".")
    _, claims, _ = issuer.token(sub="eve").split(".")
    with pytest.raises(TokenError, match="the token's signature is not valid"):
        check(f"{head}.{claims}.{signature}")


def test_an_issuer_is_asked_once_for_its_keys_and_again_for_one_that_it_did_not_have(check, issuer):
    check(issuer.token())
    before = len(issuer.asked)
    check(issuer.token())
    assert issuer.asked[before:] == []
    issuer.published["/keys"] = {"keys": [KEY, {**KEY, "kid": "second"}]}
    check(issuer.token({"kid": "second"}))
    assert issuer.asked[before:] == ["/.well-known/openid-configuration", "/keys"]


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("http://localhost:1", "http://localhost:1/.well-known/openid-configuration is not an https URL"),
        ("https://localhost:1", "https://localhost:1/.well-known/openid-configuration gives no JSON: .*refused.*"),
        ("{address}/none", "{address}/none/.well-known/openid-configuration gives no JSON: HTTP Error 404: Not Found"),
        ("{address}/list", "{address}/list/.well-known/openid-configuration gives no JSON object"),
        ("{address}/empty", "{address}/empty/.well-known/openid-configuration has no jwks_uri"),
        ("{address}/plain", "http://localhost/keys is not an https URL"),
        ("{address}/keyless", "{address}/empty/.well-known/openid-configuration has no keys"),
    ],
)
def test_an_issuer_without_keys_is_refused_with_its_reason(issuer, address, reason):
    for path, document in {
        "list": [1],
        "empty": {"a": 1},
        "plain": {"jwks_uri": "http://localhost/keys"},
        "keyless": {"jwks_uri": f"{issuer.address}/empty/.well-known/openid-configuration"},
    }.items():
        issuer.published[f"/{path}/.well-known/openid-configuration"] = document
    with pytest.raises(IssuerError, match=f"^{reason.format(address=issuer.address)}$"):
        keys_of(address.format(address=issuer.address))


def test_an_issuer_s_error_page_leaves_no_connection_open(issuer):
    with pytest.raises(IssuerError) as refused:
        keys_of(f"{issuer.address}/none")
    assert refused.value.__cause__.fp.closed


@pytest.mark.parametrize(
    ("claims", "scopes"),
    [
        ({"scope": "read write"}, ["read", "write"]),
        ({"scp": ["read", "write"]}, ["read", "write"]),
        ({"scp": "read"}, ["read"]),
        ({"scope": "read", "scp": ["write"]}, ["read"]),
        ({}, []),
        ({"scope": 7}, []),
    ],
)
def test_scopes_are_in_one_of_two_claims(claims, scopes):
    assert scopes_of(claims) == scopes


@pytest.mark.case("R57")
def test_every_claim_is_text_in_the_event():
    claims = {"n": 1, "b": True, "a": ["x", "y"], "z": None, "s": "t", "o": {"k": [1]}}
    assert told(claims) == {"n": "1", "b": "true", "a": "[x y]", "s": "t", "o": '{"k":[1]}'}
