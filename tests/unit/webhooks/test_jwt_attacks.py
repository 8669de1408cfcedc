"""What no JSON Web Token can do, whatever it says of itself."""

from __future__ import annotations

import base64
import hmac
import json

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from causeway.webhooks.patterns import SignedRequest
from tests.support.publishers import (
    Web,
    ec_key,
    fetcher,
    jwk,
    key_set,
    public_pem,
    rsa_key,
)
from tests.support.web_tokens import (
    BODY,
    CLAIMS,
    GOOGLE,
    HS256,
    PUSH,
    SECRET,
    URL,
    google,
    judge,
    own,
    push,
    raw_token,
)


@pytest.mark.parametrize(
    "algorithm", ["none", "None", "NONE", "", None, 1, ["RS256"], "HS256", "RS1", "rs256"]
)
def test_no_algorithm_but_the_pinned_ones_is_believed(algorithm):
    token = raw_token({"alg": algorithm, "kid": "k1", "typ": "JWT"}, CLAIMS)
    request = SignedRequest("POST", URL, {"authorization": f"Bearer {token}"}, BODY)
    assert judge("google-pubsub", request, [PUSH], fetcher(google())) == "signature"


def test_an_unsigned_token_is_no_token():
    for token in (
        raw_token({"alg": "none"}, CLAIMS, b""),
        raw_token({"alg": "RS256", "kid": "k1"}, CLAIMS, b""),
    ):
        request = SignedRequest("POST", URL, {"authorization": f"Bearer {token}"}, BODY)
        assert judge("google-pubsub", request, [PUSH], fetcher(google())) == "malformed"


@pytest.mark.parametrize("spelling", ["pem", "der", "jwk"])
def test_a_public_key_is_never_the_key_of_an_hmac(spelling):
    """Key confusion: everybody knows the public key, so a token that is an HMAC with it proves nothing."""
    known = {
        "pem": public_pem(rsa_key(1)).encode(),
        "der": rsa_key(1).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        "jwk": json.dumps(jwk(rsa_key(1), "k1")).encode(),
    }[spelling]
    unsigned = raw_token({"alg": "HS256", "kid": "k1"}, CLAIMS, b"").rstrip(".")
    mac = base64.urlsafe_b64encode(hmac.digest(known, unsigned.encode(), "sha256")).rstrip(b"=").decode()
    request = SignedRequest("POST", URL, {"authorization": f"Bearer {unsigned}.{mac}"}, BODY)
    assert judge("google-pubsub", request, [PUSH], fetcher(google())) == "signature"


def test_another_key_under_the_same_id_is_rejected():
    assert judge("google-pubsub", push(key=rsa_key(2)), [PUSH], fetcher(google())) == "signature"


def test_a_key_of_another_kind_under_that_id_is_none():
    web = Web({GOOGLE: key_set(k1=ec_key(1))})
    assert judge("google-pubsub", push(), [PUSH], fetcher(web)) in ("signature", "malformed")
    weak = Web({GOOGLE: key_set(k1=rsa_key(3, 1024))})
    with pytest.warns(jwt.warnings.InsecureKeyLengthWarning):
        request = push(key=rsa_key(3, 1024))
    assert judge("google-pubsub", request, [PUSH], fetcher(weak)) == "signature"


@pytest.mark.parametrize("change", [{"use": "enc"}, {"alg": "RS512"}, {"expired_at": 1}])
def test_a_key_for_another_purpose_or_withdrawn_is_none(change):
    web = Web({GOOGLE: json.dumps({"keys": [jwk(rsa_key(1), "k1", **change)]}).encode()})
    assert judge("google-pubsub", push(), [PUSH], fetcher(web)) == "signature"


def test_two_keys_of_one_id_are_none():
    web = Web({GOOGLE: json.dumps({"keys": [jwk(rsa_key(2), "k1"), jwk(rsa_key(1), "k1")]}).encode()})
    assert judge("google-pubsub", push(), [PUSH], fetcher(web)) == "signature"


@pytest.mark.parametrize(
    "header", [{"kid": None}, {"kid": ""}, {"kid": 1}, {"kid": "x" * 300}, {"kid": {"a": 1}}]
)
def test_an_odd_key_id_is_malformed_and_fetches_nothing(header):
    web = google()
    token = raw_token({"alg": "RS256", **header}, CLAIMS)
    request = SignedRequest("POST", URL, {"authorization": f"Bearer {token}"}, BODY)
    assert judge("google-pubsub", request, [PUSH], fetcher(web)) == "malformed"
    assert not web.asked


@pytest.mark.parametrize(
    "header", [{"jku": "https://evil.example/keys"}, {"x5u": "https://evil.example/cert"}]
)
def test_where_a_token_says_its_keys_are_is_not_read(header):
    web = google(Web({GOOGLE: key_set(k1=rsa_key(1)), "https://evil.example/keys": key_set(k1=rsa_key(2))}))
    assert judge("google-pubsub", push(key=rsa_key(2), **header), [PUSH], fetcher(web)) == "signature"
    assert [url for url, _ in web.asked] == [GOOGLE]


def test_a_key_in_the_token_itself_is_not_read():
    request = push(key=rsa_key(2), jwk=jwk(rsa_key(2), "k1"))
    assert judge("google-pubsub", request, [PUSH], fetcher(google())) == "signature"


@pytest.mark.parametrize("header", [{"crit": ["exp"], "exp": 1}, {"b64": False, "crit": ["b64"]}])
def test_a_token_whose_header_changes_its_meaning_is_malformed(header):
    token = raw_token({"alg": "RS256", "kid": "k1", **header}, CLAIMS)
    request = SignedRequest("POST", URL, {"authorization": f"Bearer {token}"}, BODY)
    assert judge("google-pubsub", request, [PUSH], fetcher(google())) == "malformed"


@pytest.mark.parametrize(
    "value",
    ["", "Bearer ", "Bearer", "Basic x", "Bearer a.b", "Bearer a.b.c.d", "Bearer é.b.c", "Bearer ..", "bearer a.b.c",
     "Bearer eyJhbGciOiJSUzI1NiJ9.e30.=", "Bearer " + "a" * 9000, "Bearer a.b.c, Bearer a.b.c", "Bearer \x00.b.c"],
)  # fmt: skip
def test_what_is_no_token_is_a_rejection_and_no_exception(value):
    request = SignedRequest("POST", URL, {"authorization": value}, BODY)
    assert judge("google-pubsub", request, [PUSH], fetcher(google())) in ("missing", "malformed")


@pytest.mark.parametrize("part", [b"[]", b'"x"', b"1", b"{", b"\xff", b"[" * 100_000])
def test_parts_that_are_no_objects_are_rejections(part):
    for header, claims in ((part, b"{}"), (b'{"alg":"HS256"}', part)):
        text = raw_token(header, claims, b"")
        mac = hmac.digest(SECRET.encode(), text[:-1].encode(), "sha256")
        token = text + base64.urlsafe_b64encode(mac).rstrip(b"=").decode()
        assert judge(HS256, SignedRequest("POST", URL, {"x-token": token}, BODY), [SECRET]) in (
            "malformed",
            "signature",
        )


def test_a_second_spelling_of_the_same_token_is_malformed():
    request = own()
    token = request.headers["x-token"]
    last = token[-1]
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    other = alphabet[alphabet.index(last) ^ 1]  # a bit that no byte has
    for spelling in (token[:-1] + other, token + "=", token.replace(".", "=.", 1)):
        assert judge(HS256, request._replace(headers={"x-token": spelling}), [SECRET]) == "malformed"
