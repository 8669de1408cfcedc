"""By what schemes calls can be signed: those that sign in headers, with what their sender has."""

from __future__ import annotations

import pytest

from causeway.webhooks.schemes import SCHEMES
from tests.support.maps import errors, told_of_api

RIGHT = (
    "; what is sent is signed in headers alone, by a key that you have: take a scheme that does so, such as "
    "standard-webhooks, stripe or github, or spell one out with `header`"
)
BODY = "writes into the body"
URL = "writes into the URL"
FORM = "signs the fields of a form, and not every body"
KEY = "signs with a key that only the provider has"

REFUSED = {
    "atlassian-connect": "names the installation that sends, which only the provider has",
    "aws-sns": BODY,
    "braintree": BODY,
    "docker-hub": URL,
    "google-pubsub": KEY,
    "gumroad": URL,
    "linear": BODY,
    "mailgun": BODY,
    "microsoft-graph": BODY,
    "mollie-legacy": URL,
    "paypal": KEY,
    "plaid": KEY,
    "salesforce-outbound": URL,
    "twilio": FORM,
}
"""That all others do sign is tried in tests/unit/calls/test_built_in_signing.py."""


def test_a_built_in_scheme_that_cannot_sign_what_is_sent_is_refused_by_file_line_and_key(tmp_path):
    files = {
        f"systems/{name}.yaml": (
            f"system: {name}\napi:\n  base_url: https://a.example.com\n"
            f"  signing:\n    secrets: [a]\n    scheme: {name}\n"
        )
        for name in SCHEMES
    }
    assert errors(tmp_path, files) == [
        f"systems/{name}.yaml:6: api.signing.scheme: {name!r} {why}{RIGHT}"
        for name, why in sorted(REFUSED.items())
    ]


@pytest.mark.parametrize(
    ("scheme", "told"),
    [
        ("[github, mailgun]", f"[1]: 'mailgun' {BODY}"),
        ("{code: aws-sns}", f".code: this scheme {BODY}"),
        ("{algorithm: hmac-sha256, signature: body.s, signed: '{body}'}", f".signature: this scheme {BODY}"),
        ("{algorithm: token, signature: query.key}", f".signature: this scheme {URL}"),
        (
            "{algorithm: hmac-sha256, header: X-S, timestamp: {value: body.at}}",
            f".timestamp.value: this scheme {BODY}",
        ),
        ("{algorithm: hmac-sha256, header: X-S, signed: '{url}{form}'}", f".signed: this scheme {FORM}"),
        (
            "{algorithm: hmac-sha256, header: X-S, signed: '{header:X-Topic}.{body}'}",
            ".signed: this scheme signs the header X-Topic, which it does not set",
        ),
        (
            "{algorithm: jwt, header: X-T, jwt: {algorithms: [RS256], keys: google}}",
            f".jwt.keys: this scheme {KEY}",
        ),
    ],
)
def test_one_that_is_spelled_out_is_refused_by_the_key_that_hinders_it(tmp_path, scheme, told):
    api = f"base_url: https://a.example.com, signing: {{scheme: {scheme}, secrets: [a]}}"
    assert told_of_api(tmp_path, api) == [f"api.signing.scheme{told}{RIGHT}"]


@pytest.mark.parametrize(
    "scheme",
    [
        "[github, adyen]",
        "{code: contentful}",
        "{algorithm: hmac-sha256, header: X-S, signed: '{header:X-V}.{body}', require: {X-V: '1'}}",
        (
            "{algorithm: hmac-sha256, header: X-S, signed: '{header:X-At}.{timestamp}.{nonce}.{id}.{url}.{body}', "
            "timestamp: {header: X-At}, nonce: {header: X-N}, id: headers.xid}"
        ),
        "{algorithm: jwt, header: X-T, jwt: {algorithms: [RS256], keys: 'https://a.example.com/keys'}}",
    ],
)
def test_what_signs_in_headers_by_a_key_of_ones_own_is_right(tmp_path, scheme):
    api = f"base_url: https://a.example.com, signing: {{scheme: {scheme}, secrets: [a]}}"
    assert told_of_api(tmp_path, api) == []


@pytest.mark.parametrize("scheme", ["mailgun", "{algorithm: token, signature: query.key}"])
def test_what_is_received_may_be_signed_anywhere(tmp_path, scheme):
    hub = f"system: hub\nwebhooks: {{scheme: {scheme}, secrets: [a]}}\n"
    assert errors(tmp_path, {"systems/hub.yaml": hub}) == []
