"""First contact: who is answered, with exactly what, and who is not."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from urllib.parse import urlencode

import pytest

from causeway.webhooks.handshakes import (
    HANDSHAKES,
    Contact,
    Keys,
    Unwelcome,
    could_be_asked_for,
    meet,
    methods,
)
from causeway.webhooks.patterns import SignedRequest

KEYS = Keys("secret", ["meatyhamhock"])


def contact(method="POST", *, body=b"", headers=None, data=None, **query):
    encoded = query.pop("raw_query", None) or urlencode(query)
    return Contact(SignedRequest(method, "", headers or {}, body), encoded, data)


def reply(name, found, *, signed, keys=KEYS):
    met = meet(name, found, keys, signed=signed)
    return met and (met.reply["status"], met.reply["headers"], met.reply["body"])


JSON = {"content-type": "application/json"}
PLAIN = {"content-type": "text/plain", "x-content-type-options": "nosniff"}


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("slack", {"type": "url_verification", "challenge": "3eZbrw1a"}, (200, PLAIN, "3eZbrw1a")),
        (
            "zoom",
            {"event": "endpoint.url_validation", "payload": {"plainToken": "qgg8vlvZ"}},
            (
                200,
                JSON,
                json.dumps(
                    {
                        "plainToken": "qgg8vlvZ",
                        "encryptedToken": hmac.new(b"secret", b"qgg8vlvZ", "sha256").hexdigest(),
                    }
                ),
            ),
        ),
        ("discord", {"type": 1}, (200, JSON, '{"type": 1}')),
        ("discord", {"type": 0}, (204, JSON, "")),
        (
            "aws-sns",
            {
                "Type": "SubscriptionConfirmation",
                "SubscribeURL": "https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&Token=1",
            },
            (200, {}, ""),
        ),
    ],
)
def test_what_a_provider_signs_is_answered_after_verification_only(name, data, expected):
    found = contact(data=data)
    assert reply(name, found, signed=True) == expected
    assert reply(name, found._replace(data=None), signed=False) is None
    unverified = SignedRequest("POST", "", {}, json.dumps(data).encode())
    assert reply(name, Contact(unverified, ""), signed=False) is None


@pytest.mark.parametrize(
    ("name", "found", "expected"),
    [
        (
            "x",
            contact("GET", crc_token="9b4507b3-9040"),
            (
                200,
                JSON,
                json.dumps(
                    {
                        "response_token": "sha256="
                        + base64.b64encode(hmac.digest(b"secret", b"9b4507b3-9040", "sha256")).decode()
                    }
                ),
            ),
        ),
        (
            "meta",
            contact(
                "GET",
                **{
                    "hub.mode": "subscribe",
                    "hub.challenge": "1158201444",
                    "hub.verify_token": "meatyhamhock",
                },
            ),
            (200, PLAIN, "1158201444"),
        ),
        ("dropbox", contact("GET", challenge="abc123"), (200, PLAIN, "abc123")),
        (
            "okta",
            contact("GET", headers={"x-okta-verification-challenge": "Va9FaRRw"}),
            (200, JSON, '{"verification": "Va9FaRRw"}'),
        ),
        ("monday", contact(body=b'{"challenge": "3eZb"}'), (200, JSON, '{"challenge": "3eZb"}')),
        (
            "microsoft-graph",
            contact(raw_query="validationToken=Validation%3A+Testing+client"),
            (200, PLAIN, "Validation: Testing client"),
        ),
        (
            "woocommerce",
            contact(body=b"webhook_id=142", headers={"content-type": "application/x-www-form-urlencoded"}),
            (200, {}, ""),
        ),
        ("trello", contact("HEAD"), (200, {}, "")),
        (
            "asana",
            contact(body=b"{}", headers={"x-hook-secret": "b537207f20cbfa02"}),
            (200, {"x-hook-secret": "b537207f20cbfa02"}, ""),
        ),
        ("notion", contact(body=b'{"verification_token": "secret_tMrlL1qK5vuQAh1b"}'), (200, {}, "")),
    ],
)
def test_what_a_provider_does_not_sign_is_answered_as_it_wants(name, found, expected):
    assert reply(name, found, signed=False) == expected
    assert reply(name, found._replace(data={}), signed=True) is None
    other = "GET" if found.request.method == "POST" else "POST"
    assert reply(name, found._replace(request=found.request._replace(method=other)), signed=False) is None


def test_braintree_gets_its_challenge_signed_by_the_digest_of_the_private_key():
    keys = Keys(json.dumps({"public_key": "public", "private_key": "private"}))
    challenge = "20f9f8ed05f77439fe955c977e4c8a53"
    key = hashlib.sha1(b"private").digest()
    assert reply("braintree", contact("GET", bt_challenge=challenge), signed=False, keys=keys) == (
        200,
        PLAIN,
        f"public|{hmac.new(key, challenge.encode(), 'sha1').hexdigest()}",
    )


@pytest.mark.parametrize("secret", ["", "text", "[]", "{}", '{"public_key": "a", "private_key": 1}'])
def test_without_a_usable_secret_no_challenge_is_signed(secret):
    with pytest.raises(Unwelcome):
        reply("braintree", contact("GET", bt_challenge="0" * 20), signed=False, keys=Keys(secret))


def test_an_empty_key_signs_nothing():
    with pytest.raises(Unwelcome):
        reply("x", contact("GET", crc_token="a"), signed=False, keys=Keys(""))


@pytest.mark.parametrize("token", ["nope", "", "meatyhamhoc", "Zoë"])
@pytest.mark.parametrize("keys", [KEYS, Keys("secret", []), Keys("secret", [""])])
def test_meta_is_refused_without_the_agreed_token(token, keys):
    query = {"hub.mode": "subscribe", "hub.challenge": "1", "hub.verify_token": token}
    with pytest.raises(Unwelcome):
        reply("meta", contact("GET", **query), signed=False, keys=keys)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        # More than one value, none, one that no provider sends.
        ("dropbox", contact("GET", raw_query="challenge=a&challenge=b")),
        ("dropbox", contact("GET", challenge="")),
        ("dropbox", contact("GET", challenge="a\nb")),
        ("dropbox", contact("GET", challenge="<" * 2000)),
        ("dropbox", contact("GET", challenge="Zoë")),
        ("dropbox", contact("GET", raw_query="challenge=%FF")),
        ("dropbox", contact("GET", raw_query="&".join(f"a{n}=1" for n in range(50)) + "&challenge=a")),
        ("x", contact("GET", crc_token='{"for_user_id":"1"}')),
        ("braintree", contact("GET", bt_challenge="PHNvbWU+")),
        ("asana", contact(headers={"x-hook-secret": "b537207f20cbfa02\r\nx: y"})),
        ("asana", contact(headers={"x-hook-secret": "short"})),
        # An event, not a first contact.
        ("asana", contact(headers={"x-hook-secret": "b537207f20cbfa02", "x-hook-signature": "1"})),
        ("notion", contact(body=b'{"verification_token": "secret_tMrlL1qK5vuQAh1b", "id": "1"}')),
        ("monday", contact(body=b'{"challenge": "3eZb", "event": {}}')),
        ("monday", contact(body=b'{"challenge": 1}')),
        ("monday", contact(body=b"[]")),
        ("monday", contact(body=b"\xff")),
        ("monday", contact(body=b"[" * 4000)),
        ("monday", contact(body=b'{"challenge": "' + b"a" * 5000 + b'"}')),
        ("microsoft-graph", contact(body=b'{"value": []}', validationToken="a")),
        (
            "woocommerce",
            contact(
                body=b"webhook_id=142",
                headers={
                    "content-type": "application/x-www-form-urlencoded",
                    "x-wc-webhook-signature": "1",
                },
            ),
        ),
    ],
)
def test_what_is_odd_is_no_first_contact(name, found):
    assert meet(name, found, KEYS, signed=False) is None


@pytest.mark.parametrize(
    "data",
    [
        {"type": True},
        {"type": False},
        {"type": "1"},
        {"type": 1.0},
        {"type": 2},
        {},
        [],
        None,
    ],
)
def test_a_ping_is_the_number_and_nothing_that_equals_it(data):
    assert meet("discord", contact(data=data), KEYS, signed=True) is None


@pytest.mark.parametrize(
    "url",
    [
        "http://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription",
        "https://sns.us-east-1.amazonaws.com.evil.example/?a",
        "https://evil.example/sns.us-east-1.amazonaws.com/?a",
        "https://sns.us-east-1.amazonaws.com:8443/?a",
        "https://user@sns.us-east-1.amazonaws.com/?a",
        "https://sns.us-east-1.amazonaws.com/?a\n",
        "https://sns.a.b.amazonaws.com/?a",
        "https://s3.us-east-1.amazonaws.com/?a",
    ],
)
def test_only_hosts_of_sns_are_visited(url):
    data = {"Type": "SubscriptionConfirmation", "SubscribeURL": url}
    assert meet("aws-sns", contact(data=data), KEYS, signed=True) is None


def test_an_event_that_could_have_been_a_challenge_proves_nothing():
    """Anybody may have a challenge signed, with the key that signs events."""
    for body in (b"9b4507b3-9040", b"9b4507b3-9040\n", b"12345", b"true"):
        assert could_be_asked_for("x", contact(body=body))
    assert not could_be_asked_for("x", contact(body=b'{"for_user_id": "1"}'))
    assert could_be_asked_for("braintree", contact(data={"bt_payload": "20f9f8ed05f77439fe95\n"}))
    assert not could_be_asked_for("braintree", contact(data={"bt_payload": "PG5vdGlmaWNhdGlvbj4="}))


@pytest.mark.parametrize("name", HANDSHAKES)
def test_whatever_is_signed_for_strangers_is_never_taken_for_an_event(name):
    """A kind that answers anybody with a signature says what an event signs with the same key."""
    for handshake in HANDSHAKES[name]:
        made = f"{handshake.text}{json.dumps(handshake.json)}"
        shows_signature = "{hmac" in made or "{braintree}" in made
        assert bool(handshake.signs) == (shows_signature and not handshake.signed)


def test_the_methods_that_first_contacts_come_by_are_known():
    assert methods(["meta"]) == {"GET"}
    assert methods(["trello", "slack"]) == {"HEAD", "POST"}
