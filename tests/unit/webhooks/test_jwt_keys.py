"""Public keys of JSON Web Tokens: where they come from, for how long, and whose they are."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from causeway.settings.clock import SettableClock
from causeway.webhooks.compiled import check
from causeway.webhooks.key_material import ASK_AGAIN_AFTER, FRESH_FOR, KEPT_FOR
from causeway.webhooks.key_sets import SOURCES
from causeway.webhooks.patterns import SignedRequest
from causeway.webhooks.verify import Verified
from tests.support.publishers import (
    NOW,
    Web,
    ec_key,
    fetcher,
    jwk,
    key_set,
    public_pem,
    rsa_key,
)
from tests.support.web_tokens import BODY, GOOGLE, PLAID, PUSH, URL, google, judge, push

if TYPE_CHECKING:
    from causeway.plan.records import Scheme


def test_an_unknown_key_id_is_asked_for_once_and_found_after_a_rotation():
    web, clock = google(), SettableClock(NOW)
    fetch = fetcher(web, clock)
    assert isinstance(judge("google-pubsub", push(), [PUSH], fetch), Verified)
    web.pages[GOOGLE] = key_set(k1=rsa_key(1), k2=rsa_key(2))
    rotated = push(key=rsa_key(2), kid="k2")
    assert judge("google-pubsub", rotated, [PUSH], fetch) == "signature"  # five minutes are not over
    clock.advance(ASK_AGAIN_AFTER)
    assert isinstance(judge("google-pubsub", rotated, [PUSH], fetch), Verified)
    for number in range(50):
        assert judge("google-pubsub", push(kid=f"unknown-{number}"), [PUSH], fetch) == "signature"
    assert len(web.asked) == 2


def test_keys_survive_an_outage_of_the_provider():
    web, clock = google(), SettableClock(NOW)
    fetch = fetcher(web, clock)
    judge("google-pubsub", push(), [PUSH], fetch)
    web.down = True
    for hours in range(1, int(KEPT_FOR / FRESH_FOR)):
        clock.set(NOW + hours * FRESH_FOR)
        assert isinstance(judge("google-pubsub", push(), [PUSH], fetch), Verified)
    clock.set(NOW + KEPT_FOR)
    assert judge("google-pubsub", push(), [PUSH], fetch) == "keys"


@pytest.mark.parametrize(
    "page",
    [b"", b"not json", b"[]", b'{"keys": 1}', b'{"keys": [1]}', b'{"keys": [{"kid": "k1"}]}', b'{"k1": "x"}'],
)
def test_an_odd_set_of_keys_is_a_rejection(page):
    rule = judge("google-pubsub", push(), [PUSH], fetcher(Web({GOOGLE: page})))
    assert rule in ("keys", "malformed", "signature")


def test_without_anything_to_fetch_with_nothing_is_believed():
    assert judge("google-pubsub", push(), [PUSH], None) == "keys"


def test_a_secret_may_bring_the_keys_along():
    certificates = json.dumps({**json.loads(PUSH), "certs": {"k1": public_pem(rsa_key(1))}})
    assert isinstance(judge("google-pubsub", push(), [certificates], None), Verified)
    assert judge("google-pubsub", push(key=rsa_key(2)), [certificates], None) == "signature"


def test_plaid_is_asked_for_each_key_by_its_id_with_our_credentials():
    url = SOURCES["plaid"].url
    web = Web({url: json.dumps({"key": jwk(ec_key(1), "p1", alg="ES256", expired_at=None)}).encode()})
    claims = {"iat": int(NOW), "request_body_sha256": hashlib.sha256(BODY).hexdigest()}
    token = jwt.encode(claims, ec_key(1), "ES256", headers={"kid": "p1"})
    request = SignedRequest("POST", URL, {"plaid-verification": token}, BODY)
    verified = judge("plaid", request, [PLAID], fetcher(web))
    assert isinstance(verified, Verified)
    assert verified.timestamp == NOW
    assert web.asked == [(url, b'{"client_id": "c1", "secret": "s1", "key_id": "p1"}')]
    assert judge("plaid", request._replace(body=BODY + b" "), [PLAID], fetcher(web)) == "signature"
    assert judge("plaid", request, [PLAID], fetcher(web), now=NOW + 301) == "timestamp"
    assert judge("plaid", request, [PLAID], fetcher(web), now=NOW - 301) == "timestamp"
    assert isinstance(judge("plaid", request, [PLAID], fetcher(web), now=NOW + 900, tolerance=900), Verified)
    other = jwt.encode(claims, ec_key(1), "ES256", headers={"kid": "p2"})  # Plaid answers with another key
    assert (
        judge("plaid", request._replace(headers={"plaid-verification": other}), [PLAID], fetcher(web))
        == "signature"
    )


def test_a_withdrawn_key_of_plaids_is_none():
    web = Web(
        {
            SOURCES["plaid"].url: json.dumps(
                {"key": jwk(ec_key(1), "p1", alg="ES256", expired_at=int(NOW))}
            ).encode()
        }
    )
    claims = {"iat": int(NOW), "request_body_sha256": hashlib.sha256(BODY).hexdigest()}
    token = jwt.encode(claims, ec_key(1), "ES256", headers={"kid": "p1"})
    assert (
        judge("plaid", SignedRequest("POST", URL, {"plaid-verification": token}, BODY), [PLAID], fetcher(web))
        == "signature"
    )


def test_the_sandbox_is_asked_only_by_a_secret_that_says_so():
    url = SOURCES["plaid"].sandbox
    web = Web({url: json.dumps({"key": jwk(ec_key(1), "p1")}).encode()})
    claims = {"iat": int(NOW), "request_body_sha256": hashlib.sha256(BODY).hexdigest()}
    token = jwt.encode(claims, ec_key(1), "ES256", headers={"kid": "p1"})
    request = SignedRequest("POST", URL, {"plaid-verification": token}, BODY)
    sandbox = json.dumps({**json.loads(PLAID), "environment": "sandbox"})
    assert judge("plaid", request, [PLAID], fetcher(web)) == "signature"
    assert isinstance(judge("plaid", request, [sandbox], fetcher(web)), Verified)


def test_a_curve_that_is_not_the_algorithms_is_rejected():
    web = Web({SOURCES["plaid"].url: json.dumps({"key": jwk(ec_key(1, ec.SECP384R1), "p1")}).encode()})
    claims = {"iat": int(NOW), "request_body_sha256": hashlib.sha256(BODY).hexdigest()}
    token = jwt.encode(claims, ec_key(1), "ES256", headers={"kid": "p1"})
    assert judge(
        "plaid", SignedRequest("POST", URL, {"plaid-verification": token}, BODY), [PLAID], fetcher(web)
    ) in ("malformed", "signature")


def test_keys_may_be_at_an_address_of_the_manifest():
    scheme: Scheme = {
        "algorithm": "jwt",
        "header": "x-token",
        "jwt": {"algorithms": ["ES256"], "keys": "https://issuer.example/keys"},
    }
    check(scheme)
    web = Web({"https://issuer.example/keys": key_set(k1=ec_key(1))})
    token = jwt.encode({"iat": NOW}, ec_key(1), "ES256", headers={"kid": "k1"})
    assert isinstance(
        judge(scheme, SignedRequest("POST", URL, {"x-token": token}, BODY), ["any"], fetcher(web)), Verified
    )
