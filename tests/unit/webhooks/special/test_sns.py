"""AWS SNS names the certificate that it signs with: where from, whose, and for how long."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15

from causeway.webhooks.encodings import ENCODINGS
from causeway.webhooks.patterns import SignedRequest
from causeway.webhooks.special import sns
from causeway.webhooks.verify import Verified, unusable
from tests.support.code_schemes import judge
from tests.support.publishers import NOW, Web, ec_key, private_pem, rsa_key, self_signed

TOPIC = "arn:aws:sns:eu-central-1:123456789012:MyTopic"
SNS_CERTIFICATE = "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-1.pem"


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
