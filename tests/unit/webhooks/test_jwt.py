"""JSON Web Tokens: what a record says that they must say."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import jwt
import pytest

from causeway.webhooks.compiled import check
from causeway.webhooks.jwt import sign
from causeway.webhooks.patterns import SchemeError, SignedRequest
from causeway.webhooks.providers.web_tokens import WEB_TOKENS
from causeway.webhooks.verify import Verified, signature_headers, unusable
from tests.support.publishers import (
    NOW,
    ec_key,
    fetcher,
    jwk,
    private_pem,
    rsa_key,
)
from tests.support.web_tokens import BODY, CLAIMS, HS256, PLAID, PUSH, SECRET, URL, google, judge, own, push


def test_a_token_of_the_providers_key_proves():
    verified = judge("google-pubsub", push(), [PUSH], fetcher(google()))
    assert isinstance(verified, Verified)
    assert verified.claims == CLAIMS


@pytest.mark.parametrize(
    ("claim", "value", "rule"),
    [
        ("aud", "https://other.example.com", "signature"),
        ("aud", None, "signature"),
        ("aud", ["https://other.example.com"], "signature"),
        ("iss", "https://evil.example.com", "signature"),
        ("iss", "https://accounts.google.com.evil.example", "signature"),
        ("email", "other@project.iam.example.com", "signature"),
        ("email_verified", False, "signature"),
        ("email_verified", 1, "signature"),
        ("email_verified", "true", "signature"),
        ("exp", NOW, "timestamp"),
        ("exp", NOW - 1, "timestamp"),
        ("exp", None, "malformed"),
        ("exp", "1760003540", "malformed"),
        ("exp", True, "malformed"),
        ("exp", 10**400, "malformed"),
        ("exp", float("nan"), "malformed"),
        ("exp", float("inf"), "malformed"),
        ("nbf", NOW + 301, "timestamp"),
        ("iat", NOW + 301, "timestamp"),
        ("iat", [], "malformed"),
    ],
)
def test_a_claim_that_is_not_as_the_record_says_is_rejected(claim, value, rule):
    # Signed by hand: the library refuses to write some of these.
    claims = {key: each for key, each in {**CLAIMS, claim: value}.items() if each is not None}
    token = jwt.api_jws.encode(json.dumps(claims).encode(), rsa_key(1), "RS256", headers={"kid": "k1"})
    request = SignedRequest("POST", URL, {"authorization": f"Bearer {token}"}, BODY)
    assert judge("google-pubsub", request, [PUSH], fetcher(google())) == rule


def test_an_audience_may_be_one_of_a_list():
    request = push({**CLAIMS, "aud": ["https://other.example.com", "https://push.example.com"]})
    assert isinstance(judge("google-pubsub", request, [PUSH], fetcher(google())), Verified)


@pytest.mark.parametrize(
    ("request_", "rule"),
    [
        (own(body=BODY + b" "), "signature"),
        (own(body=b""), "signature"),
        (own({"hash": None}), "signature"),
        (own({"hash": hashlib.sha256(BODY).hexdigest().upper()}), "signature"),
        (own(key="another secret that is long enough for everybody"), "signature"),
        (own(algorithm="HS512"), "signature"),
        (own({"iat": int(NOW) - 301}), "timestamp"),
        (own({"iat": int(NOW) + 301}), "timestamp"),
        (own({"iat": None}), "malformed"),
        (own({"exp": int(NOW)}), "timestamp"),
        (own({"exp": None}), "malformed"),
    ],
)
def test_a_shared_secret_binds_what_the_record_says(request_, rule):
    assert isinstance(judge(HS256, own(), [SECRET]), Verified)
    assert judge(HS256, request_, [SECRET]) == rule


def test_any_secret_may_match_and_a_bad_one_hinders_no_other():
    verified = judge(HS256, own(), ["", "  ", "other", SECRET])
    assert isinstance(verified, Verified)
    assert verified.secret_index == 3
    assert judge(HS256, own(), []) == judge(HS256, own(), ["", " "]) == "secret"
    assert unusable([HS256], ["", SECRET]) == [0]
    assert unusable(WEB_TOKENS["google-pubsub"], [PUSH, "text", "{}", '{"audience": 1, "email": "x"}']) == [
        1,
        2,
        3,
    ]
    assert unusable(WEB_TOKENS["plaid"], [PLAID, "text", '{"jwks": {}}']) == [1]


def test_of_two_secrets_for_two_audiences_the_right_one_is_told():
    other = json.dumps({"audience": "https://other.example.com", "email": "push@project.iam.example.com"})
    verified = judge("google-pubsub", push(), [other, PUSH], fetcher(google()))
    assert isinstance(verified, Verified)
    assert verified.secret_index == 1


@pytest.mark.parametrize("name", ["monday", "messagebird", "netlify"])
def test_what_is_signed_as_the_provider_does_verifies(name):
    [scheme] = WEB_TOKENS[name]
    request = sign(scheme, SignedRequest("POST", URL, {}, BODY), SECRET, now=NOW)
    assert isinstance(judge(name, request, [SECRET]), Verified)
    assert judge(name, request, ["another secret"]) == "signature"
    if name != "netlify":
        assert judge(name, request._replace(url=URL + "&b=2"), [SECRET]) == "signature"
        assert judge(name, request, [SECRET], now=NOW + 300) == "timestamp"
    if name != "monday":  # which does not bind the body
        assert judge(name, request._replace(body=b"{}"), [SECRET]) == "signature"


@pytest.mark.parametrize("name", ["plaid", "google-pubsub"])
def test_a_stand_in_with_a_private_key_signs_so(name):
    key = ec_key(1) if name == "plaid" else rsa_key(1)
    [scheme] = WEB_TOKENS[name]
    secret = json.dumps(
        {
            **json.loads(PUSH),
            **json.loads(PLAID),
            "private_key": private_pem(key),
            "key_id": "k1",
            "jwks": {"k1": jwk(key, "k1")},
        }
    )
    request = sign(scheme, SignedRequest("POST", URL, {}, BODY), secret, now=NOW)
    assert isinstance(judge(name, request, [secret]), Verified)


def test_a_scheme_that_signs_the_url_needs_one():
    [scheme] = WEB_TOKENS["monday"]
    request = sign(scheme, SignedRequest("POST", URL, {}, BODY), SECRET, now=NOW)
    assert judge("monday", request._replace(url=""), [SECRET]) == "scheme"


def test_an_empty_body_needs_no_digest_but_a_wrong_one_is_rejected():
    [scheme] = WEB_TOKENS["messagebird"]
    claims = {"iss": "MessageBird", "exp": NOW + 60, "url_hash": hashlib.sha256(URL.encode()).hexdigest()}
    for more, right in (
        ({}, True),
        ({"payload_hash": hashlib.sha256(b"").hexdigest()}, True),
        ({"payload_hash": "x"}, False),
    ):
        token = jwt.encode({**claims, **more}, SECRET, "HS256")
        verdict = judge(
            scheme, SignedRequest("POST", URL, {"messagebird-signature-jwt": token}, b""), [SECRET]
        )
        assert isinstance(verdict, Verified) == right


@pytest.mark.parametrize(
    "record",
    [
        None,
        {},
        {"algorithms": []},
        {"algorithms": ["none"]},
        {"algorithms": ["HS256", "none"]},
        {"algorithms": ["RS256"]},
        {"algorithms": ["HS256", "RS256"]},
        {"algorithms": ["HS256"], "keys": "google"},
        {"algorithms": ["RS256", "HS256"], "keys": "google"},
        {"algorithms": ["RS256"], "keys": "nobody"},
        {"algorithms": ["RS256"], "keys": "http://keys.example.com"},
        {"algorithms": ["HS256"], "claims": {"aud": "{host}"}},
        {"algorithms": ["HS256"], "claims": {"aud": "x {url}"}},
    ],
)
def test_a_record_that_would_weaken_it_is_refused(record):
    scheme: Any = {"algorithm": "jwt", "header": "x-token", **({} if record is None else {"jwt": record})}
    with pytest.raises(SchemeError):
        check(scheme)


def test_every_record_of_the_table_is_right_and_names_its_header():
    for schemes in WEB_TOKENS.values():
        for scheme in schemes:
            check(scheme)
            assert list(signature_headers(scheme)) == [scheme["header"]]
