"""PayPal and AWS SNS, who name the certificate that they sign with: where from, whose, and for how long."""

from __future__ import annotations

import json
import zlib
from functools import cache
from typing import Any
from unittest.mock import patch

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15

from causeway.webhooks.encodings import ENCODINGS
from causeway.webhooks.patterns import SignedRequest
from causeway.webhooks.special import paypal, sns
from causeway.webhooks.verify import Rejected, Verified, unusable, verify
from tests.support.publishers import NOW, Chain, Web, ec_key, fetcher, pem, private_pem, rsa_key, self_signed

SANDBOX = "https://api.sandbox.paypal.com/v1/notifications/certs/CERT-1"
NAME = "messageverificationcerts.sandbox.paypal.com"
WEBHOOK = "9660587"
TOPIC = "arn:aws:sns:eu-central-1:123456789012:MyTopic"
SNS_CERTIFICATE = "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-1.pem"
BODY = b'{"id": "WH-1", "event_type": "PAYMENT"}'


@cache
def chain() -> Chain:
    return Chain()


def judge(
    code: str,
    request: SignedRequest,
    secrets: list[str],
    web: Web | None,
    *,
    now: float = NOW,
    tolerance: float | None = None,
) -> Verified | str:
    try:
        fetch = None if web is None else fetcher(web)
        return verify([{"code": code}], request, secrets, tolerance=tolerance, now=now, fetch=fetch)
    except Rejected as error:
        return error.rule


# ---- PayPal ----


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


# ---- AWS SNS ----


def told(message: dict[str, Any] | None = None, key: int = 1, topic: str = TOPIC) -> dict[str, Any]:
    secret = json.dumps({"topic_arn": topic, "private_key": private_pem(rsa_key(key))})
    request = SignedRequest(
        "POST", "", {}, json.dumps({"Message": "hello\nworld", **(message or {})}).encode()
    )
    return dict(json.loads(sns.WAY.sign({}, request, secret, now=NOW).body))


def posted(message: dict[str, Any]) -> SignedRequest:
    return SignedRequest(
        "POST", "", {"content-type": "text/plain; charset=UTF-8"}, json.dumps(message).encode()
    )


def aws(certificate: str | None = None) -> Web:
    return Web({SNS_CERTIFICATE: (certificate or self_signed("sns.amazonaws.com")).encode()})


CONFIRMATION = {
    "Type": "SubscriptionConfirmation",
    "Token": "t",
    "SubscribeURL": "https://sns.eu-central-1.amazonaws.com/?x",
}


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"Subject": "s"},
        {"Subject": None},
        CONFIRMATION,
        {**CONFIRMATION, "Type": "UnsubscribeConfirmation"},
    ],
    ids=["notification", "with a subject", "with none", "subscription", "end of one"],
)
def test_each_kind_of_message_has_its_own_signed_fields(message):
    message = told(message)
    assert isinstance(judge("aws-sns", posted(message), [TOPIC], aws()), Verified)
    reordered = dict(sorted(message.items(), reverse=True))
    assert isinstance(judge("aws-sns", posted(reordered), [TOPIC], aws()), Verified)
    for name in message:
        if name in ("Subject", "SigningCertURL", "Signature", "SignatureVersion") and message[name] is None:
            continue
        changed = {**message, name: str(message[name]) + "x"}
        assert isinstance(judge("aws-sns", posted(changed), [TOPIC], aws()), str), name
        less = {key: value for key, value in message.items() if key != name}
        assert isinstance(judge("aws-sns", posted(less), [TOPIC], aws()), str), name


def test_what_is_added_to_a_message_is_not_signed_and_does_no_harm():
    assert isinstance(judge("aws-sns", posted({**told(), "UnsubscribeURL": "x"}), [TOPIC], aws()), Verified)


def test_version_one_is_sha1_and_the_version_cannot_be_swapped():
    message = told()
    text = sns._message(message)
    old = rsa_key(1).sign(text, PKCS1v15(), hashes.SHA1())
    message |= {"SignatureVersion": "1", "Signature": ENCODINGS["base64"].encode(old).decode()}
    assert isinstance(judge("aws-sns", posted(message), [TOPIC], aws()), Verified)
    assert judge("aws-sns", posted({**message, "SignatureVersion": "2"}), [TOPIC], aws()) == "signature"
    for version in ("0", "3", "", 1, None, "1 "):
        assert (
            judge("aws-sns", posted({**message, "SignatureVersion": version}), [TOPIC], aws()) == "malformed"
        )


def test_another_topic_is_rejected_before_anything_is_fetched():
    """AWS signs for every account: a message of a stranger's topic is signed as well as ours."""
    web = aws()
    stranger = told(topic="arn:aws:sns:eu-central-1:999999999999:Evil")
    assert judge("aws-sns", posted(stranger), [TOPIC], web) == "signature"
    assert not web.asked
    assert judge("aws-sns", posted(told()), [], web) == "secret"
    assert unusable(
        [{"code": "aws-sns"}],
        [TOPIC, "", "MyTopic", "arn:aws:sqs:eu-central-1:1:q", "{}", '{"topic_arn": 1}'],
    ) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    "url",
    [
        "http://sns.eu-central-1.amazonaws.com/x.pem",
        "https://sns.eu-central-1.amazonaws.com.evil.example/x.pem",
        "https://evil.example/sns.eu-central-1.amazonaws.com/x.pem",
        "https://sns.eu-central-1.amazonaws.com@evil.example/x.pem",
        "https://sns.eu-central-1.amazonaws.com:444/x.pem",
        "https://sns.eu-central-1.amazonaws.com/x.pem?a=.pem",
        "https://sns.eu-central-1.amazonaws.com/x.pem#.pem",
        "https://sns.eu-central-1.amazonaws.com/x.crt",
        "https://sns.eu-central-1.amazonaws.com/../x.pem",
        "https://sns.eu-central-1.amazonaws.com/a/x.pem",
        "https://sns.amazonaws.com/x.pem",
        "https://sns.s3.amazonaws.com/x.pem",
        "https://sns.s3-us-west-2.amazonaws.com/x.pem",
        "https://sns.evil.amazonaws.com/x.pem",
        "https://s3.eu-central-1.amazonaws.com/x.pem",
        "https://evil.sns.eu-central-1.amazonaws.com/x.pem",
        "https://snsxeu-central-1.amazonaws.com/x.pem",
        "https://sns.eu-central-1.amazonaws.comx/x.pem",
        "https://sns.eu-central-1.amazonaws.com/x.pem\n",
        "https://sns.eu-central-\u0661.amazonaws.com/x.pem",
        "https://169.254.169.254/x.pem",
        "",
        None,
        ["https://sns.eu-central-1.amazonaws.com/x.pem"],
    ],
)
def test_nothing_is_fetched_from_where_sns_is_not(url):
    web = aws()
    if isinstance(url, str):
        web.pages[url] = web.pages[SNS_CERTIFICATE]
    assert judge("aws-sns", posted({**told(), "SigningCertURL": url}), [TOPIC], web) in (
        "malformed",
        "missing",
    )
    assert not web.asked


@pytest.mark.parametrize("region", ["us-east-1", "ap-southeast-5", "us-gov-west-1", "cn-north-1"])
def test_sns_has_a_host_in_each_region(region):
    url = f"https://sns.{region}.amazonaws.com{'.cn' if region.startswith('cn-') else ''}/SimpleNotificationService-9c2.pem"
    web = Web({url: self_signed("sns.amazonaws.com").encode()})
    assert isinstance(judge("aws-sns", posted({**told(), "SigningCertURL": url}), [TOPIC], web), Verified)


@pytest.mark.parametrize(
    ("certificate", "rule"),
    [
        (lambda: self_signed("evil.example.com"), "signature"),
        (lambda: self_signed("sns.amazonaws.com.evil.example"), "signature"),
        (lambda: self_signed("sns.amazonaws.com", starts=NOW + 60), "signature"),
        (lambda: self_signed("sns.amazonaws.com", days=1, starts=NOW - 2 * 86400), "signature"),
        (lambda: self_signed("sns.amazonaws.com", rsa_key(2)), "signature"),
        (lambda: self_signed("sns.amazonaws.com", ec_key(1)), "signature"),
        (lambda: "no certificate", "malformed"),
    ],
)
def test_a_certificate_that_is_not_sns_own_is_rejected(certificate, rule):
    assert judge("aws-sns", posted(told()), [TOPIC], aws(certificate())) == rule


def test_a_name_that_holds_a_second_line_is_not_two_fields():
    """Without a check, the text of a message with a subject could pass for one without, and the reverse."""
    message = told({"MessageId": "1", "Subject": "s"})
    forged = {**message, "MessageId": "1\nSubject\ns"}
    del forged["Subject"]
    assert sns._SIGNED["Notification"][2] == "Subject"
    assert judge("aws-sns", posted(forged), [TOPIC], aws()) == "malformed"


def test_a_message_may_be_as_old_as_a_repeat_can_be():
    """A repeat has the time of the first, and SNS repeats for an hour."""
    request = posted(told())
    for age, right in ((0, True), (3900, True), (3901, False), (-300, True), (-301, False)):
        verdict = judge("aws-sns", request, [TOPIC], aws(), now=NOW + age)
        assert isinstance(verdict, Verified) == right, age


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"null", b'"x"', b"\xff", b"{", b"{}", b'{"Type": 1}', b'{"Type": "Other"}', b"[" * 5000],
)
def test_what_is_no_message_is_a_rejection(body):
    rule = judge("aws-sns", SignedRequest("POST", "", {}, body), [TOPIC], aws())
    assert rule in ("malformed", "missing")


def test_fields_under_both_spellings_are_refused():
    message = told()
    message["SigningCertUrl"] = message["SigningCertURL"]
    assert judge("aws-sns", posted(message), [TOPIC], aws()) == "malformed"
    del message["SigningCertURL"]
    assert isinstance(judge("aws-sns", posted(message), [TOPIC], aws()), Verified)


def test_a_secret_whose_certificate_does_not_fit_hinders_no_other():
    def secret(certificate: str) -> str:
        return json.dumps({"topic_arn": TOPIC, "certificate_pem": certificate})

    secrets = [secret(self_signed("evil.example.com")), secret("x"), secret(self_signed("sns.amazonaws.com"))]
    verified = judge("aws-sns", posted(told()), secrets, None)
    assert isinstance(verified, Verified)
    assert verified.secret_index == 2
