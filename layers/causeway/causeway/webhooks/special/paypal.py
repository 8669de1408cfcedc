"""PayPal: RSA over the transmission's id and time, the webhook's id, and a checksum of the body.

https://developer.paypal.com/api/rest/webhooks/rest/#link-messagesignature

The secret is the webhook's id, which PayPal shows where the webhook is made. The certificate is named by URL:
it must be one of PayPal's two API hosts, before anything is fetched; the chain must lead to an authority that
this system trusts, at the time of the request, and the certificate must be of PayPal's name for this purpose.
``SHA1withRSA``, which a header could ask for, is refused.

A secret may be a JSON object instead: ``webhook_id``, and ``certificate_pem``, which is then trusted as it
is and not fetched, or must be issued by ``intermediate_pem`` where that is there, too.

What is not bound: the body, but for its CRC32. A checksum is no digest: whoever has seen one delivery can
make another body with the same one, and it verifies. Confirm what moves money with PayPal's API.

PayPal repeats a delivery for days with the time of the first. Beyond ``tolerance`` repeats are rejected.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from typing import TYPE_CHECKING, NamedTuple

from causeway.webhooks.encodings import ENCODINGS
from causeway.webhooks.patterns import Malformed, SchemeError, header_of
from causeway.webhooks.special import fields_of
from causeway.webhooks.special.certificates import (
    chain_in,
    common_name,
    fetched,
    is_issued,
    read_chain,
    signature_in,
    signature_of,
    signed_by,
    system_roots,
    valid_at,
)
from causeway.webhooks.special.secrets import text, utf8
from causeway.webhooks.special.way import Way
from causeway.webhooks.timestamps import READ, WRITE
from causeway.webhooks.verdicts import Rejected, Verified

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography.x509 import Certificate

    from causeway.plan.records import Scheme
    from causeway.webhooks.patterns import SignedRequest
    from causeway.webhooks.special import Fetch
    from causeway.webhooks.special.way import Moment

_ID, _TIME, _SIGNATURE, _URL, _ALGORITHM = (
    "paypal-transmission-id",
    "paypal-transmission-time",
    "paypal-transmission-sig",
    "paypal-cert-url",
    "paypal-auth-algo",
)
_CERTIFICATE = re.compile(r"https://api\.(sandbox\.)?paypal\.com/v1/notifications/[A-Za-z0-9/_-]{1,200}")
_SIGNS_BY = "SHA256withRSA"
_TRANSMISSION = re.compile(r"[A-Za-z0-9-]{1,128}")


class _Secret(NamedTuple):
    webhook_id: str
    chain: tuple[Certificate, ...]  # given instead of being fetched
    roots: tuple[Certificate, ...]  # given instead of the system's


def _verify(
    scheme: Scheme, request: SignedRequest, known: Sequence[tuple[int, _Secret]], moment: Moment
) -> Verified:
    url = _CERTIFICATE.fullmatch(header_of(request, _URL))
    if not url or header_of(request, _ALGORITHM) != _SIGNS_BY:
        raise Malformed("not as PayPal signs")
    signature = signature_in(header_of(request, _SIGNATURE))
    transmission, time = header_of(request, _ID), header_of(request, _TIME)
    if not _TRANSMISSION.fullmatch(transmission):
        raise Malformed(_ID)
    signed_at = READ["rfc3339"](time)
    window = moment.window
    if not -window <= moment.now - signed_at <= window:
        raise Rejected("timestamp")
    name = f"messageverificationcerts.{url[1] or ''}paypal.com"
    rejected: Rejected | ValueError = Rejected("signature")
    for index, secret in known:
        try:
            leaf = _certificate(secret, url[0], name, moment.now, moment.fetch)
        except (Rejected, ValueError) as error:  # of this secret; another may hold its certificate
            rejected = error
            continue
        message = _message(transmission, time, secret.webhook_id, request.body)
        if signed_by(leaf, signature, message, "sha256"):
            return Verified(scheme, index, signed_at)
    raise rejected


def _sign(_scheme: Scheme, request: SignedRequest, secret: str, now: float) -> SignedRequest:
    """The secret holds the ``private_key`` (PEM) that only PayPal has."""
    fields = fields_of(secret)
    headers = {
        **request.headers,
        _ID: hashlib.sha256(request.body).hexdigest()[:32],
        _TIME: WRITE["rfc3339"](now),
        _URL: "https://api.sandbox.paypal.com/v1/notifications/certs/CERT-1",
        _ALGORITHM: _SIGNS_BY,
    }
    message = _message(headers[_ID], headers[_TIME], _secret(secret).webhook_id, request.body)
    signature = signature_of(text(fields, "private_key"), message, "sha256")
    headers[_SIGNATURE] = ENCODINGS["base64"].encode(signature).decode("ascii")
    return request._replace(headers=headers)


def _secret(secret: str) -> _Secret:
    fields = fields_of(secret)
    if not fields:
        return _Secret(_webhook_id(secret), (), ())
    return _Secret(
        _webhook_id(text(fields, "webhook_id")),
        chain_in(fields, "certificate_pem"),
        chain_in(fields, "intermediate_pem"),
    )


def _message(transmission: str, time: str, webhook_id: str, body: bytes) -> bytes:
    return f"{transmission}|{time}|{webhook_id}|{zlib.crc32(body)}".encode("ascii")


def _webhook_id(text_: str) -> str:
    utf8(text_)
    if not text_.isascii() or "|" in text_:
        raise ValueError("not an id of a webhook")
    return text_


def _certificate(secret: _Secret, url: str, name: str, now: float, fetch: Fetch | None) -> Certificate:
    """The certificate that a request names, if it is PayPal's."""
    leaf, *others = secret.chain or read_chain(fetched(url, fetch))
    if common_name(leaf) != name or not valid_at(leaf, now):
        raise Rejected("signature")
    if secret.chain and not secret.roots:
        return leaf
    if not is_issued(leaf, others, name, secret.roots or _trusted(), now):
        raise Rejected("signature")
    return leaf


def _trusted() -> tuple[Certificate, ...]:
    try:
        return system_roots()
    except (OSError, ValueError) as error:
        raise SchemeError(f"no chain can be verified here: {error}") from error


WAY = Way(read=_secret, verify=_verify, sign=_sign, headers=(_SIGNATURE,))
