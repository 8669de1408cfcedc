"""Requests for tokens as servers want them, and answers as they give them."""

from __future__ import annotations

import base64
import json
from email.utils import formatdate
from urllib.parse import parse_qs

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given
from hypothesis import strategies as st

from causeway.calls.jwts import own_token
from causeway.calls.oauth import UNKNOWN_LIFETIME, Token, TokenRefused, read_token, token_request
from causeway.calls.transport import RawAnswer
from causeway.settings.secrets import SecretMissing
from tests.support.tokens import oauth

NOW = 1_700_000_000.0
URL = "https://login.example.com/token"
PRIVATE = {
    "RS256": rsa.generate_private_key(65537, 2048),
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "ES384": ec.generate_private_key(ec.SECP384R1()),
    "ES512": ec.generate_private_key(ec.SECP521R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate(),
}


def pem(key):
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


SECRETS = {name: pem(key) for name, key in PRIVATE.items()} | {"secret": "s3:cr t", "nonsense": "n" * 40}


def fields_of(auth, **named):
    request = token_request(auth, SECRETS.__getitem__, now=NOW, **named)
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    return {name: value for name, [value] in parse_qs(request.body.decode()).items()}, request.headers


def verified(token, algorithm, audience):
    return jwt.decode(
        token,
        PRIVATE[algorithm].public_key(),
        algorithms=[algorithm],
        audience=audience,
        options={"verify_exp": False, "verify_iat": False},
    )


class TestRequests:
    def test_basic_encodes_both_parts_as_the_rfc_says(self):
        fields, headers = fields_of(oauth(URL, client_id="a:b", scope="x y", audience="z"))
        assert fields == {"grant_type": "client_credentials", "scope": "x y", "audience": "z"}
        assert base64.b64decode(headers["Authorization"].removeprefix("Basic ")) == b"a%3Ab:s3%3Acr+t"

    def test_body(self):
        fields, headers = fields_of(oauth(URL, client_auth="body"))
        assert (fields["client_id"], fields["client_secret"]) == ("us", "s3:cr t")
        assert "Authorization" not in headers

    def test_a_public_client_names_itself(self):
        fields, headers = fields_of(oauth(URL, client_secret=None, grant="refresh_token"), refresh_token="r")
        assert fields == {"grant_type": "refresh_token", "refresh_token": "r", "client_id": "us"}
        assert "Authorization" not in headers

    def test_extra_parameters_may_be_secrets(self):
        fields, _ = fields_of(oauth(URL, extra={"resource": "r", "password": {"secret": "secret"}}))
        assert (fields["resource"], fields["password"]) == ("r", "s3:cr t")

    @pytest.mark.parametrize("algorithm", PRIVATE)
    def test_private_key_jwt_is_verified_by_the_public_key(self, algorithm):
        auth = oauth(URL, client_auth="private_key_jwt", client_secret=None, key=algorithm, key_id="k1")
        fields, _ = fields_of(auth)
        assert fields["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        claims = verified(fields["client_assertion"], algorithm, URL)
        assert (claims["iss"], claims["sub"], claims["iat"], claims["exp"]) == ("us", "us", NOW, NOW + 180)
        assert jwt.get_unverified_header(fields["client_assertion"])["kid"] == "k1"
        assert fields_of(auth)[0]["client_assertion"] != fields["client_assertion"], "each has its own jti"

    @pytest.mark.parametrize("algorithm", PRIVATE)
    def test_jwt_bearer_is_verified_by_the_public_key(self, algorithm):
        auth = {"type": "jwt_bearer", "token_url": URL, "issuer": "us", "key": algorithm, "scope": "a b"}
        fields, _ = fields_of(auth)
        assert fields["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
        assert fields["scope"] == "a b"
        claims = verified(fields["assertion"], algorithm, URL)
        assert (claims["iss"], claims["sub"], claims["scope"]) == ("us", "us", "a b")
        fields, _ = fields_of(auth | {"subject": "them", "audience": "elsewhere"})
        assert verified(fields["assertion"], algorithm, "elsewhere")["sub"] == "them"

    @pytest.mark.parametrize("algorithm", PRIVATE)
    def test_a_token_of_our_own_is_verified_by_the_public_key(self, algorithm):
        auth = {
            "type": "jwt",
            "key": algorithm,
            "algorithm": algorithm,
            "claims": {"aud": "them", "sub": {"secret": "secret"}, "bid": 7},
            "lifetime": 60.0,
        }
        claims = verified(own_token(auth, SECRETS.__getitem__, now=NOW), algorithm, "them")
        assert claims == {"aud": "them", "sub": "s3:cr t", "bid": 7, "iat": NOW, "exp": NOW + 60}

    def test_a_token_of_our_own_may_be_signed_with_a_shared_key(self):
        auth = {"type": "jwt", "key": "nonsense", "algorithm": "HS256", "lifetime": 60.0}
        token = own_token(auth, SECRETS.__getitem__, now=NOW)
        assert jwt.decode(token, "n" * 40, algorithms=["HS256"], options={"verify_exp": False})["iat"] == NOW

    @pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
    def test_a_key_of_another_kind_is_told_without_its_text(self, algorithm):
        for key in ("nonsense", "ES384"):
            auth = {"type": "jwt", "key": key, "algorithm": algorithm, "lifetime": 60.0}
            with pytest.raises(SecretMissing, match=f"the secret {key} is not") as caught:
                own_token(auth, SECRETS.__getitem__, now=NOW)
            assert "nnnn" not in str(caught.value)
            assert caught.value.__cause__ is None


def read(body, *, status=200, content_type="application/json"):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read_token(RawAnswer(status, {"content-type": content_type}, content, "", 0.1), now=NOW)


def own_jwt(expires):
    return jwt.encode({"exp": expires}, "k" * 32, algorithm="HS256")


class TestAnswers:
    @pytest.mark.parametrize(
        "odd",
        [
            {"access_token": "t", "expires_in": 600},
            {"access_token": "t", "expires_in": "600"},
            {"access_token": "t", "expires_in": 600.0},
            {"access_token": "t", "expires_in": None, "expires": "600"},
            {"accessToken": "t", "expiresIn": 600},
            {"AccessToken": "t", "ExpiresIn": "600"},
            {"token": "t", "expires_at": NOW + 600},
            {"access_token": "t", "expires_on": str(int(NOW + 600))},
            {"access_token": "t", "expires_at": (NOW + 600) * 1000},
            {"access_token": "t", "expires_at": "2023-11-14T22:23:20Z"},
            {"access_token": "t", ".expires": formatdate(NOW + 600, usegmt=True)},
            {"data": {"access_token": "t", "expires_in": 600}},
            {"code": 0, "result": {"token": "t", "expiry": 600}},
            {"access_token": "t", "expires_in": 600, "refresh_token": "", "error": None},
            b"access_token=t&expires_in=600&token_type=bearer",
            b'\n {"access_token": "t", "expires_in": 600} ',
        ],
    )
    def test_odd_answers_are_read(self, odd):
        assert read(odd) == Token("t", NOW + 600)

    @pytest.mark.parametrize("lasts", [{}, {"expires_in": 0}, {"expires_in": -1}, {"expires_in": "soon"}])
    def test_a_lifetime_that_is_not_told_is_an_hour(self, lasts):
        assert read({"access_token": "t"} | lasts).good_until == NOW + UNKNOWN_LIFETIME

    def test_or_what_the_token_says_itself(self):
        assert read({"access_token": own_jwt(NOW + 77)}).good_until == NOW + 77

    def test_a_new_refresh_token_is_read(self):
        assert read({"access_token": "t", "refreshToken": "r"}).refresh == "r"

    @pytest.mark.parametrize(
        "told",
        [
            {"refresh_token_expires_in": 600},
            {"x_refresh_token_expires_in": "600"},
            {"refresh_expires_in": 600},
            {"refresh_token_expires_at": NOW + 600},
            {"data": {"refreshTokenExpiresIn": 600}},
        ],
    )
    def test_when_a_refresh_token_ends_is_read(self, told):
        token = read({"access_token": "t", "expires_in": 60, "refresh_token": "r"} | told)
        assert (token.good_until, token.refresh_until) == (NOW + 60, NOW + 600)

    def test_one_that_does_not_end_says_nothing(self):
        assert read({"access_token": "t", "refresh_expires_in": 0}).refresh_until is None

    @pytest.mark.parametrize(
        ("status", "body", "lost", "later"),
        [
            (400, {"error": "invalid_grant"}, True, False),
            (401, {"error": "invalid_grant"}, True, False),
            (200, {"error": "bad_refresh_token", "error_description": "s3cret"}, True, False),
            (200, {"ok": False, "error": "token_revoked"}, True, False),
            (400, {"error": {"code": "invalid_grant", "message": "s3cret"}}, True, False),
            (401, {"error": "invalid_client"}, False, False),
            (400, {"error": "unsupported_grant_type"}, False, False),
            (403, b"<html>s3cret", False, False),
            (302, b"", False, False),
            (500, {"error": "invalid_grant"}, False, True),
            (503, b"", False, True),
            (429, b"", False, True),
            (200, {"error": "temporarily_unavailable"}, False, True),
            (200, b"<html>s3cret", False, True),
            (200, {"access_token": "a\nb"}, False, True),
            (200, {"access_token": 7}, False, True),
            (200, {"access_token": "t", "token_type": "DPoP"}, False, False),
        ],
    )
    def test_what_is_no_token_says_what_it_means(self, status, body, lost, later):
        with pytest.raises(TokenRefused) as caught:
            read(body, status=status)
        assert (caught.value.lost, caught.value.later) == (lost, later)
        assert "s3cret" not in str(caught.value)

    @given(st.binary(max_size=200) | st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=10),
        lambda inner: st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["access_token", "expires_in", "error", "data", "x"]), inner),
    ).map(lambda value: json.dumps(value).encode()))  # fmt: skip
    def test_no_answer_does_anything_else(self, content):
        try:
            token = read(content)
        except TokenRefused:
            return
        assert token.access
        assert token.good_until > 0

    def test_no_repr_tells_a_token(self):
        assert "t0k" not in repr(read({"access_token": "t0k", "refresh_token": "t0k2"}))
