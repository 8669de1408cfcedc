"""AWS SNS over HTTPS: RSA over fields of the message, by a certificate that the message names.

https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message-verify-message-signature.html

The secret is the topic's ARN, or a JSON object with ``topic_arn``: AWS signs for every topic of every
account, so a signature without the topic proves nothing. It is compared before anything is fetched. The
certificate's URL must be one of SNS's own hosts, of a region, with nothing but a file name behind it. The
chain of trust to that certificate is the TLS connection that it comes by (SNS sends it alone, without its
issuers); its dates and its name are checked, too.

A message is signed when it is published. SNS repeats a delivery for an hour at most, so an hour (and the
tolerance) is what a message may be old.

What is not bound: the headers, and fields of the body that the signed text does not have
(``UnsubscribeURL``). Raw message delivery is not signed at all and cannot be received by this scheme.
"""

from __future__ import annotations

import hmac
import json
import re
from typing import TYPE_CHECKING, NamedTuple

from causeway.webhooks.encodings import ENCODINGS
from causeway.webhooks.patterns import Malformed, Missing
from causeway.webhooks.special import fields_of
from causeway.webhooks.special.bodies import json_of
from causeway.webhooks.special.certificates import (
    chain_in,
    common_name,
    fetched,
    read_chain,
    signature_in,
    signature_of,
    signed_by,
    valid_at,
)
from causeway.webhooks.special.secrets import text
from causeway.webhooks.special.way import Way
from causeway.webhooks.timestamps import READ, WRITE
from causeway.webhooks.verdicts import Rejected, Verified

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cryptography.x509 import Certificate

    from causeway.plan.records import JSON, Scheme
    from causeway.webhooks.patterns import SignedRequest
    from causeway.webhooks.special import Fetch
    from causeway.webhooks.special.way import Moment

RETRIED_FOR = 3600.0
"""Seconds for which SNS repeats a delivery, at most.

https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html
"""

_REGION = "[a-z]{2}(?:-[a-z]+){1,3}-[0-9]{1,2}"  # not any word: sns.s3-us-west-2.amazonaws.com is a bucket
_CERTIFICATE = re.compile(
    rf"https://sns\.{_REGION}\.amazonaws\.com(?:\.cn)?/[A-Za-z0-9_-]{{1,200}}\.pem", re.ASCII
)
_NAME = re.compile(rf"sns(?:\.{_REGION})?\.amazonaws\.com(?:\.cn)?", re.ASCII)
_TOPIC = re.compile(r"arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_.-]{1,256}", re.ASCII)
_DIGESTS = {"1": "sha1", "2": "sha256"}
_CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
_SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": _CONFIRMATION,
    "UnsubscribeConfirmation": _CONFIRMATION,
}
_MAY_BE_ABSENT = "Subject"


class _Secret(NamedTuple):
    topic: str
    chain: tuple[Certificate, ...]  # given instead of being fetched


def _verify(
    scheme: Scheme, request: SignedRequest, known: Sequence[tuple[int, _Secret]], moment: Moment
) -> Verified:
    data = json_of(request.body)
    if not isinstance(data, dict):
        raise Malformed("no message")
    message = _message(data)
    digest = _DIGESTS.get(_field(data, "SignatureVersion"))
    url = _field(data, "SigningCertURL", "SigningCertUrl")
    if digest is None or not _CERTIFICATE.fullmatch(url):
        raise Malformed("not as SNS signs")
    signature = signature_in(_field(data, "Signature"))
    signed_at = READ["rfc3339"](_field(data, "Timestamp"))
    window = moment.window
    if not -window <= moment.now - signed_at <= window + RETRIED_FOR:
        raise Rejected("timestamp")
    topic = _field(data, "TopicArn").encode("utf-8", "replace")
    rejected: Rejected | ValueError = Rejected("signature")
    for index, secret in known:
        if not hmac.compare_digest(secret.topic.encode(), topic):
            continue
        try:
            leaf = _certificate(secret, url, moment.now, moment.fetch)
        except (Rejected, ValueError) as error:  # of this secret; another may hold its certificate
            rejected = error
            continue
        if signed_by(leaf, signature, message, digest):
            return Verified(scheme, index, signed_at)
    raise rejected


def _sign(_scheme: Scheme, request: SignedRequest, secret: str, now: float) -> SignedRequest:
    """The secret holds the ``private_key`` (PEM) that only SNS has."""
    data = json_of(request.body)
    if not isinstance(data, dict):
        raise Malformed("no message")
    added = {
        "TopicArn": _secret(secret).topic,
        "Timestamp": WRITE["rfc3339"](now),
        "SignatureVersion": "2",
        "SigningCertURL": "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-1.pem",
    }
    data = {"Type": "Notification", "MessageId": "1", "Message": "", **data, **added}
    signature = signature_of(text(fields_of(secret), "private_key"), _message(data), "sha256")
    data["Signature"] = ENCODINGS["base64"].encode(signature).decode("ascii")
    return request._replace(body=json.dumps(data).encode())


def _secret(secret: str) -> _Secret:
    fields = fields_of(secret)
    topic = text(fields, "topic_arn") if fields else secret.strip()
    if not _TOPIC.fullmatch(topic):
        raise ValueError("not the ARN of a topic")
    return _Secret(topic, chain_in(fields, "certificate_pem"))


def _message(data: Mapping[str, JSON]) -> bytes:
    """The signed text: a line with each field's name, and one with its value."""
    names = _SIGNED.get(_field(data, "Type"))
    if names is None:
        raise Malformed("Type")
    lines = []
    for name in names:
        if name == _MAY_BE_ABSENT and data.get(name) is None:
            continue
        value = _field(data, "SubscribeURL", "SubscribeUrl") if name == "SubscribeURL" else _field(data, name)
        if "\n" in value and name != "Message":  # or a value could pass for the fields behind it
            raise Malformed(name)
        lines.append(f"{name}\n{value}\n")
    return "".join(lines).encode("utf-8")


def _field(data: Mapping[str, JSON], *spellings: str) -> str:
    """A field that must be there; some have a second spelling on Lambda, but nothing has both."""
    found = [data[name] for name in spellings if name in data]
    if not found:
        raise Missing(spellings[0])
    if len(found) > 1 or not isinstance(found[0], str):
        raise Malformed(spellings[0])
    return found[0]


def _certificate(secret: _Secret, url: str, now: float, fetch: Fetch | None) -> Certificate:
    leaf = (secret.chain or read_chain(fetched(url, fetch)))[0]
    if not valid_at(leaf, now) or not _NAME.fullmatch(common_name(leaf) or ""):
        raise Rejected("signature")
    return leaf


WAY = Way(read=_secret, verify=_verify, sign=_sign)
