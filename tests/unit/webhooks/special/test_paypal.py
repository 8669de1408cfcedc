"""PayPal names the certificate that it signs with: where from, whose, and for how long."""

from __future__ import annotations

import json
import zlib
from functools import cache
from unittest.mock import patch

import pytest

from causeway.webhooks.patterns import SignedRequest
from causeway.webhooks.special import paypal
from causeway.webhooks.verify import Verified, unusable, verify
from tests.support.code_schemes import judge
from tests.support.publishers import NOW, Chain, Web, fetcher, pem, private_pem, rsa_key, self_signed

SANDBOX = "https://api.sandbox.paypal.com/v1/notifications/certs/CERT-1"
NAME = "messageverificationcerts.sandbox.paypal.com"
WEBHOOK = "9660587"
BODY = b'{"id": "WH-1", "event_type": "PAYMENT"}'


@cache
def chain() -> Chain:
    return Chain()


def paid(body: bytes = BODY, key: int = 1, **headers: str) -> SignedRequest:
    secret = json.dumps({"webhook_id": WEBHOOK, "private_key": private_pem(rsa_key(key))})
    request = paypal.WAY.sign({}, SignedRequest("POST", "", {}, body), secret, now=NOW)
    changed = {name.replace("_", "-"): value for name, value in headers.items()}
    return request._replace(headers={**request.headers, **changed})


def published(leaf: str | None = None) -> Web:
    return Web({SANDBOX: ((leaf or chain().leaf(NAME)) + pem(chain().intermediate)).encode()})


@pytest.fixture
def _trusting():
    """This system trusts the tests' authority, as it else trusts those that it names."""
    with patch.object(paypal, "system_roots", lambda: (chain().root,)):
        yield


trusting = pytest.mark.usefixtures("_trusting")


@trusting
def test_paypals_chain_leads_to_an_authority_that_is_trusted():
    web = published()
    verified = judge("paypal", paid(), [WEBHOOK], web)
    assert isinstance(verified, Verified)
    assert verified.timestamp == NOW
    assert web.asked == [(SANDBOX, None)]


def test_an_authority_that_this_system_does_not_know_vouches_for_nobody():
    assert judge("paypal", paid(), [WEBHOOK], published()) == "signature"


@trusting
@pytest.mark.parametrize(
    "certificate",
    [
        lambda: self_signed(NAME),
        lambda: chain().leaf(
            "messageverificationcerts.paypal.com"
        ),  # production's, named by the sandbox's host
        lambda: chain().leaf("www.paypal.com"),
        lambda: chain().leaf(NAME + ".evil.example"),
        lambda: chain().leaf(NAME, starts=NOW + 60),
        lambda: chain().leaf(NAME, starts=NOW - 31 * 86400),
        lambda: pem(chain().intermediate),
    ],
    ids=[
        "self-signed",
        "another environment",
        "another purpose",
        "another host",
        "not yet",
        "expired",
        "an authority",
    ],
)
def test_a_certificate_that_is_not_paypals_for_this_is_rejected(certificate):
    assert judge("paypal", paid(), [WEBHOOK], published(certificate())) == "signature"


@trusting
@pytest.mark.parametrize(
    "page", [b"x", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", b"\xff" * 100]
)
def test_what_is_no_certificate_is_a_rejection(page):
    assert judge("paypal", paid(), [WEBHOOK], Web({SANDBOX: page})) == "malformed"


@trusting
@pytest.mark.parametrize(
    "url",
    [
        "http://api.sandbox.paypal.com/v1/notifications/certs/CERT-1",
        "https://api.sandbox.paypal.com.evil.example/v1/notifications/certs/CERT-1",
        "https://evil.example/https://api.paypal.com/v1/notifications/certs/CERT-1",
        "https://api.paypal.com@evil.example/v1/notifications/certs/CERT-1",
        "https://api.paypal.com:8443/v1/notifications/certs/CERT-1",
        "https://api.paypal.com/v1/notifications/../../evil",
        "https://api.paypal.com/v1/notifications/certs/%2e%2e",
        "https://api.paypal.com/v1/other/CERT-1",
        "https://api.paypal.com\\.evil.example/v1/notifications/certs/CERT-1",
        "https://API.paypal.com/v1/notifications/certs/CERT-1",
        "https://apixpaypal.com/v1/notifications/certs/CERT-1",
        "https://www.paypal.com/v1/notifications/certs/CERT-1",
        "https://api.paypal.com/v1/notifications/certs/CERT-1\n",
        "https://api.paypal.com/v1/notifications/certs/CERT-1#x",
        "https://api.paypal.com/v1/notifications/certs/CERT-1?x=1",
        "https://169.254.169.254/latest/meta-data",
        "file:///etc/passwd",
        "",
    ],
)
def test_nothing_is_fetched_from_where_paypal_is_not(url):
    web = published()
    web.pages[url] = web.pages[SANDBOX]
    assert judge("paypal", paid(paypal_cert_url=url), [WEBHOOK], web) in ("malformed", "missing")
    assert not web.asked


@trusting
@pytest.mark.parametrize(
    "algorithm", ["SHA1withRSA", "sha256withrsa", "SHA256withRSA ", "none", "SHA512withRSA", ""]
)
def test_no_algorithm_but_one_is_taken(algorithm):
    web = published()
    assert judge("paypal", paid(paypal_auth_algo=algorithm), [WEBHOOK], web) in ("malformed", "missing")
    assert not web.asked


@trusting
@pytest.mark.parametrize(
    ("request_", "rule"),
    [
        (paid()._replace(body=BODY + b" "), "signature"),
        (paid(key=2), "signature"),
        (paid(paypal_transmission_id="another"), "signature"),
        (paid(paypal_transmission_id="a|b"), "malformed"),
        (paid(paypal_transmission_time="2025-10-09T08:53:21Z"), "signature"),
        (paid(paypal_transmission_time="2025-10-09T08:48:19Z"), "timestamp"),
        (paid(paypal_transmission_time="2025-10-09T08:58:21Z"), "timestamp"),
        (paid(paypal_transmission_time="1760000000"), "malformed"),
        (paid(paypal_transmission_sig="AAAA"), "signature"),
        (paid(paypal_transmission_sig="no base64"), "malformed"),
        (paid(paypal_transmission_sig=""), "missing"),
    ],
)
def test_all_that_paypal_signs_is_held_to(request_, rule):
    assert judge("paypal", request_, [WEBHOOK], published()) == rule


@trusting
def test_another_webhook_id_is_another_secret():
    assert judge("paypal", paid(), ["other"], published()) == "signature"
    verified = judge("paypal", paid(), ["other", "", WEBHOOK], published())
    assert isinstance(verified, Verified)
    assert verified.secret_index == 2
    assert unusable([{"code": "paypal"}], [WEBHOOK, "", "a|b", "é", '{"webhook_id": ""}']) == [1, 2, 3, 4]


@trusting
def test_paypal_signs_a_checksum_only_which_is_why_the_docs_warn():
    """Another body with the same CRC32 verifies: no verifier can tell. The page of PayPal says so."""
    other = bytearray(b'{"id": "WH-9", "event_type": "FORGED_", "x": "    "}')
    other[-6:-2] = _patch_of(bytes(other), 46, zlib.crc32(BODY))
    assert zlib.crc32(bytes(other)) == zlib.crc32(BODY)
    assert isinstance(judge("paypal", paid()._replace(body=bytes(other)), [WEBHOOK], published()), Verified)


def _patch_of(body: bytes, place: int, wanted: int) -> bytes:
    """Four bytes that give a body a checksum: CRC32 is linear, so they are the solution of 32 equations."""
    base = zlib.crc32(body[:place] + bytes(4) + body[place + 4 :])
    rows = []
    for bit in range(32):
        changed = (1 << bit).to_bytes(4, "little")
        rows.append((zlib.crc32(body[:place] + changed + body[place + 4 :]) ^ base, 1 << bit))
    target, solution = wanted ^ base, 0
    for bit in range(32):
        pivot = next((row for row in rows if row[0] >> bit & 1), None)
        if pivot is None:
            continue
        rows = [
            (row[0] ^ pivot[0], row[1] ^ pivot[1]) if row[0] >> bit & 1 else row
            for row in rows
            if row is not pivot
        ]
        if target >> bit & 1:
            target, solution = target ^ pivot[0], solution ^ pivot[1]
    return solution.to_bytes(4, "little")


@trusting
def test_when_the_certificate_cannot_be_had_the_request_may_come_again():
    web = published()
    web.down = True
    assert judge("paypal", paid(), [WEBHOOK], web) == "keys"
    assert judge("paypal", paid(), [WEBHOOK], None) == "keys"


@trusting
def test_a_certificate_that_was_had_survives_an_outage():
    web = published()
    fetch = fetcher(web)
    for _ in range(2):
        verify([{"code": "paypal"}], paid(), [WEBHOOK], tolerance=None, now=NOW, fetch=fetch)
        web.down = True
    assert len(web.asked) == 1


def test_this_system_names_authorities():
    assert len(paypal.system_roots()) > 10
