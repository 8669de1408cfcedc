"""Tokens: what is taken for proof of who calls, and what never is."""

from __future__ import annotations

import base64
import json
import time

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from causeway.authorizing.clients import Client, Refused
from causeway.authorizing.issuer import SKEW, Issuer
from causeway.settings.clock import SettableClock
from causeway.webhooks.key_material import ASK_AGAIN_AFTER, KEPT_FOR, KeyMaterial
from causeway.webhooks.key_material import Web as RealWeb
from tests.support.clients import AUDIENCE, ISSUER, KEYS_URL, NOW, Provider
from tests.support.publishers import ec_key, private_pem, public_pem, rsa_key


@pytest.fixture
def clock():
    return SettableClock(NOW)


@pytest.fixture
def provider(clock):
    return Provider(clock)


def rule_of(issuer, token):
    with pytest.raises(Refused) as refused:
        issuer.client_of(token)
    return refused.value.rule


def unsigned(claims, header):
    parts = [base64.urlsafe_b64encode(json.dumps(each).encode()).rstrip(b"=") for each in (header, claims)]
    return b".".join([*parts, b""]).decode()


def test_a_good_token_names_the_client_and_what_it_may(provider):
    token = provider.token(scope="openid requests:call console:read")
    assert provider.issuer().client_of(token) == Client(
        "oidc:app-1", frozenset({"requests:call", "console:read"})
    )


@pytest.mark.parametrize("scp", ["requests:call console:read", ["requests:call", "console:read"]])
def test_scopes_may_stand_in_scp_as_entra_and_okta_write_them(provider, scp):
    client = provider.issuer().client_of(provider.token(leave=["scope"], scp=scp))
    assert client.scopes == {"requests:call", "console:read"}


def test_a_token_without_scopes_of_ours_may_nothing(provider):
    assert provider.issuer().client_of(provider.token(scope="admin *")).scopes == frozenset()


def test_the_audience_may_be_one_of_a_list(provider):
    assert provider.issuer().client_of(provider.token(aud=["https://other.example.com", AUDIENCE]))


@pytest.mark.parametrize("curve", ["ES256"])
def test_keys_of_elliptic_curves_are_taken(provider, curve):
    provider.publish(one=rsa_key(1), two=ec_key(1))
    token = provider.token(key=private_pem(ec_key(1)), kid="two", algorithm=curve)
    assert provider.issuer().client_of(token).name == "oidc:app-1"


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE"])
def test_an_unsigned_token_is_refused_however_it_is_written(provider, algorithm):
    claims = jwt.decode(provider.token(), options={"verify_signature": False})
    token = unsigned(claims, {"alg": algorithm, "kid": "one", "typ": "JWT"})
    assert rule_of(provider.issuer(), token) == "malformed"
    assert rule_of(provider.issuer(), token + "AAAA") == "signature"


def test_the_public_key_is_no_secret_of_an_hmac(provider):
    """Key confusion: whoever reads the published key could sign with it (CVE-2016-5431 and its like)."""
    claims = jwt.decode(provider.token(), options={"verify_signature": False})
    head = base64.urlsafe_b64encode(json.dumps({"alg": "HS256", "kid": "one"}).encode()).rstrip(b"=")
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=")
    signer = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
    for key in (public_pem(rsa_key(1)).encode(), provider.web.pages[KEYS_URL], b""):
        signature = base64.urlsafe_b64encode(signer.sign(head + b"." + body, key)).rstrip(b"=")
        assert rule_of(provider.issuer(), b".".join([head, body, signature]).decode()) == "signature"


def test_a_key_that_a_token_brings_along_is_not_read(provider):
    attacker = rsa_key(66)
    key = jwt.algorithms.RSAAlgorithm.to_jwk(attacker.public_key(), as_dict=True)
    for header in (
        {"jwk": key},
        {"jku": "https://evil.example.com/keys"},
        {"x5u": "https://evil.example.com"},
    ):
        token = provider.token(key=private_pem(attacker), header=header)
        assert rule_of(provider.issuer(), token) == "signature"
    assert {url for url, _ in provider.web.asked} == {KEYS_URL}


@pytest.mark.parametrize(
    ("claims", "rule"),
    [
        ({"iss": ISSUER + "/"}, "issuer"),
        ({"iss": "https://evil.example.com"}, "issuer"),
        ({"iss": [ISSUER]}, "issuer"),
        ({"aud": "https://other.example.com"}, "audience"),
        ({"aud": [AUDIENCE + "/"]}, "audience"),
        ({"aud": []}, "audience"),
        ({"aud": {"a": AUDIENCE}}, "audience"),
        ({"exp": NOW - SKEW}, "timestamp"),
        ({"exp": 0}, "timestamp"),
        ({"exp": "soon"}, "malformed"),
        ({"exp": 1e300}, "malformed"),
        ({"nbf": NOW + SKEW + 1}, "timestamp"),
        ({"iat": NOW + SKEW + 1}, "timestamp"),
        ({"sub": ""}, "subject"),
        ({"sub": "a\nb"}, "subject"),
        ({"sub": "a" * 257}, "subject"),
    ],
)
def test_a_token_that_is_not_for_us_or_not_for_now_is_refused(provider, claims, rule):
    assert rule_of(provider.issuer(), _signed(provider, claims)) == rule


def _signed(provider, claims):
    """Past what PyJWT would refuse to write."""
    good = jwt.decode(provider.token(), options={"verify_signature": False})
    return jwt.api_jws.encode(
        json.dumps({**good, **claims}).encode(), rsa_key(1), "RS256", headers={"kid": "one"}
    )


@pytest.mark.parametrize(
    ("missing", "rule"), [("iss", "issuer"), ("aud", "audience"), ("exp", "malformed"), ("sub", "subject")]
)
def test_a_token_says_who_for_whom_by_whom_and_how_long(provider, missing, rule):
    assert rule_of(provider.issuer(), provider.token(leave=[missing])) == rule


@pytest.mark.parametrize("claims", [{"exp": NOW - SKEW + 1}, {"nbf": NOW + SKEW}, {"iat": NOW + SKEW}])
def test_clocks_may_differ_by_a_minute(provider, claims):
    assert provider.issuer().client_of(_signed(provider, claims))


def test_a_token_that_was_changed_is_refused(provider):
    head, body, signature = provider.token().split(".")
    other = provider.token(scope="console:operate").split(".")[1]
    assert rule_of(provider.issuer(), f"{head}.{other}.{signature}") == "signature"
    flipped = ("B" if signature[9] == "A" else "A").join([signature[:9], signature[10:]])
    assert rule_of(provider.issuer(), f"{head}.{body}.{flipped}") == "signature"


@pytest.mark.parametrize("token", ["", "a", "a.b", "a.b.c.d", "...", "e30.e30.e30", "bm8.e30.AA"])
def test_what_is_no_token_is_refused(provider, token):
    assert rule_of(provider.issuer(), token) in ("malformed", "signature")


def test_a_token_nested_beyond_reason_is_refused(provider):
    deep = base64.urlsafe_b64encode(b'{"alg":' + b"[" * 50_000).rstrip(b"=").decode()
    assert rule_of(provider.issuer(), f"{deep}.e30.AAAA") == "malformed"


def test_a_token_needs_the_id_of_a_key(provider):
    assert rule_of(provider.issuer(), provider.token(kid=None)) == "malformed"


def test_an_unknown_key_id_asks_for_the_keys_once_more_and_then_not_for_five_minutes(provider, clock):
    """So a rotation is seen at once, and a flood of invented ids does not become one of ours."""
    issuer = provider.issuer()
    issuer.client_of(provider.token())
    assert rule_of(issuer, provider.token(kid="two")) == "signature"
    clock.advance(ASK_AGAIN_AFTER)
    for number in range(20):
        assert rule_of(issuer, provider.token(kid=f"invented-{number}")) == "signature"
    assert len(provider.web.asked) == 2


def test_a_key_that_comes_new_is_found(provider, clock):
    issuer = provider.issuer()
    issuer.client_of(provider.token())
    provider.publish(one=rsa_key(1), two=rsa_key(2))
    clock.advance(ASK_AGAIN_AFTER)
    assert issuer.client_of(provider.token(kid="two", key=private_pem(rsa_key(2))))


def test_a_key_for_something_else_signs_nothing(provider):
    page = json.loads(provider.web.pages[KEYS_URL])
    page["keys"][0]["use"] = "enc"
    provider.web.pages[KEYS_URL] = json.dumps(page).encode()
    assert rule_of(provider.issuer(), provider.token()) == "signature"


def test_a_weak_key_signs_nothing(provider):
    with pytest.warns(jwt.warnings.InsecureKeyLengthWarning):
        token = provider.token(key=private_pem(rsa_key(7, 1024)))
    provider.publish(one=rsa_key(7, 1024))
    assert rule_of(provider.issuer(), token) == "signature"


def test_while_the_keys_cannot_be_had_everybody_is_refused(provider):
    provider.web.down = True
    assert rule_of(provider.issuer(), provider.token()) == "keys"


@pytest.mark.parametrize("page", [b"", b"<html>", b"[]", b"{}", b'{"keys": [1]}'])
def test_keys_that_cannot_be_read_let_nobody_in(provider, page):
    provider.web.pages[KEYS_URL] = page
    assert rule_of(provider.issuer(), provider.token()) in ("malformed", "signature", "keys")


def test_keys_that_were_had_outlive_an_outage_but_not_for_ever(provider, clock):
    issuer = provider.issuer()
    issuer.client_of(provider.token())
    provider.web.down = True
    clock.advance(KEPT_FOR - 1)
    assert issuer.client_of(provider.token())
    clock.advance(1)
    assert rule_of(issuer, provider.token()) == "keys"


def test_a_slow_provider_of_keys_is_not_waited_for(provider, clock, slow_server):
    """A real connection that is taken and never answered."""
    began = time.monotonic()
    fetch = KeyMaterial(clock, RealWeb(allow_private=("127.0.0.0/8",), seconds=0.2))
    issuer = Issuer(
        issuer=ISSUER, audience=AUDIENCE, keys_url=f"https://{slow_server}/keys", fetch=fetch, clock=clock
    )
    assert rule_of(issuer, provider.token()) == "keys"
    assert time.monotonic() - began < 2


@pytest.fixture
def slow_server():
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.parametrize("missing", ["issuer", "audience", "keys_url"])
def test_a_provider_that_is_not_wholly_configured_is_none(clock, missing):
    known = {"issuer": ISSUER, "audience": AUDIENCE, "keys_url": KEYS_URL, missing: ""}
    with pytest.raises(ValueError, match="OidcAudience"):
        Issuer(**known, fetch=lambda *_, **__: b"", clock=clock)


def test_keys_do_not_come_in_the_clear(clock):
    with pytest.raises(ValueError, match="https"):
        Issuer(
            issuer=ISSUER,
            audience=AUDIENCE,
            keys_url="http://login.example.com",
            fetch=lambda *_, **__: b"",
            clock=clock,
        )


@given(
    st.text(max_size=200) | st.from_regex(r"[A-Za-z0-9_-]{0,40}\.[A-Za-z0-9_-]{0,40}\.[A-Za-z0-9_-]{0,40}")
)
def test_nothing_that_was_made_up_gets_in_and_nothing_else_is_raised(token):
    issuer = Provider(SettableClock(NOW)).issuer()
    with pytest.raises(Refused):
        issuer.client_of(token)
