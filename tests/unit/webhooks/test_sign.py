"""Signing is the mirror of verifying, and says when it cannot be done."""

from __future__ import annotations

import hmac

import pytest

from causeway.webhooks.schemes import SCHEMES
from causeway.webhooks.sign import CannotSign, scheme_for, sign
from causeway.webhooks.verify import SignedRequest, verify

NOW = 1_760_000_000.0
HMAC_SECRET = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
PRIVATE_KEY = "whsk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


def test_all_headers_that_a_provider_would_send_are_made():
    headers = sign(SCHEMES["github"][0], body=b"{}", secret="s", id="1-2-3", type="push", now=NOW)
    assert headers == {
        "x-github-delivery": "1-2-3",
        "x-github-event": "push",
        "x-hub-signature-256": "sha256=" + hmac.digest(b"s", b"{}", "sha256").hex(),
    }
    assert verify(SCHEMES["github"], SignedRequest("POST", "", headers, b"{}"), ["s"], tolerance=300, now=NOW)


def test_without_a_type_no_header_names_one():
    assert "x-github-event" not in sign(SCHEMES["github"][0], body=b"", secret="s", id="1", now=NOW)


@pytest.mark.parametrize(
    ("name", "secret", "algorithm"),
    [
        ("standard-webhooks", HMAC_SECRET, "hmac-sha256"),
        ("standard-webhooks", PRIVATE_KEY, "ed25519"),
        ("gitlab", HMAC_SECRET, "hmac-sha256"),
        ("gitlab", "a plain token", "token"),
    ],
)
def test_the_secret_says_which_scheme_signs(name: str, secret: str, algorithm: str):
    assert scheme_for(SCHEMES[name], secret)["algorithm"] == algorithm


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_%%%", "whpk_AAAA", "whsk_AAAA", "plain"])
def test_a_secret_that_signs_nothing_is_told_so(secret: str):
    with pytest.raises(CannotSign, match="signing key of none of the schemes"):
        scheme_for(SCHEMES["standard-webhooks"], secret)
    with pytest.raises(CannotSign, match="no signing key of this scheme"):
        sign(SCHEMES["standard-webhooks"][0], body=b"", secret=secret, id="1", now=NOW)


@pytest.mark.parametrize("identity", ["", "a.b", "é"])
def test_an_id_that_the_scheme_does_not_allow_is_told_so(identity: str):
    with pytest.raises(CannotSign, match="cannot be signed"):
        sign(SCHEMES["svix"][0], body=b"", secret=HMAC_SECRET, id=identity, now=NOW)
