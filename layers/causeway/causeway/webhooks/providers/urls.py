"""Providers that sign the URL with the body: the public one, as it was registered, byte for byte."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from causeway.plan.records import Scheme

_SQUARE: Scheme = {
    # https://developer.squareup.com/docs/webhooks/step3validate
    "algorithm": "hmac-sha256",
    "header": "x-square-hmacsha256-signature",
    "encoding": "base64",
    "signed": "{url}{body}",
    "id": "body.event_id",
    "type": "body.type",
}

_TRELLO: Scheme = {
    # https://developer.atlassian.com/cloud/trello/guides/rest-api/webhooks/. The key is the app's secret.
    "algorithm": "hmac-sha1",
    "header": "x-trello-webhook",
    "encoding": "base64",
    "signed": "{body}{url}",
    "id": "body.action.id",
    "type": "body.action.type",
    "handshake": "trello",
    "unconfirmed": True,
}

_HUBSPOT_V3: Scheme = {
    # https://developers.hubspot.com/docs/apps/legacy-apps/authentication/validating-requests
    # An event's id is not promised to be unique, so the content is what repeats.
    "algorithm": "hmac-sha256",
    "header": "x-hubspot-signature-v3",
    "encoding": "base64",
    "signed": "{method}{url}{body}{timestamp}",
    "timestamp": {"header": "x-hubspot-request-timestamp", "unit": "ms"},
    "split": "body",
    "type": "body.subscriptionType",
}


def _hubspot_digest(version: str, signed: str) -> Scheme:
    """The older versions: a plain digest with the secret in front, and no timestamp.

    Weaker by design: whoever holds one such signature can make that of a longer body, which is no JSON.
    """
    return {
        "algorithm": "sha256",
        "header": "x-hubspot-signature",
        "require": {"x-hubspot-signature-version": version},
        "encoding": "hex",
        "signed": signed,
        "split": "body",
        "type": "body.subscriptionType",
    }


URLS: dict[str, list[Scheme]] = {
    "square": [_SQUARE],
    "trello": [_TRELLO],
    "hubspot": [
        _HUBSPOT_V3,
        _hubspot_digest("v2", "{secret}{method}{url}{body}"),
        _hubspot_digest("v1", "{secret}{body}"),
    ],
}
