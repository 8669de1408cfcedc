"""What records can say beyond one header with one signature, key by key."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any
from unicodedata import normalize

import pytest

from causeway.events.envelope import Body
from causeway.plan.checks.schemes import spelled_out
from causeway.plan.manifest.scheme import Scheme as SchemeManifest
from causeway.webhooks.compiled import check, compiled
from causeway.webhooks.identity import read_events
from causeway.webhooks.patterns import SchemeError, SignedRequest
from causeway.webhooks.schemes import SCHEMES
from causeway.webhooks.sign import CannotSign, sign, sign_request
from causeway.webhooks.verify import MAX_SETS, Rejected, Verified, signature_headers, verify

NOW = 1_760_000_000
BODY = b'{"id":"1"}'
URL = "https://hooks.example.com/webhooks/shop"


def hex_of(message: bytes, secret: str = "s", digest: str = "sha256") -> str:
    return hmac.new(secret.encode(), message, digest).hexdigest()


def proof(
    scheme: Any, headers: dict[str, str], body: bytes = BODY, *, secrets: Any = ("s",), url: str = URL, now: float = NOW,
    tolerance: float | None = None, query: str = "",
) -> Verified:  # fmt: skip
    request = SignedRequest("POST", url, headers, body, query)
    return verify([scheme], request, list(secrets), tolerance=tolerance, now=now)


def rejected(*args: Any, **options: Any) -> str:
    with pytest.raises(Rejected) as error:
        proof(*args, **options)
    return error.value.rule


# ---- where a signature is ----

NUMBERED: Any = {"algorithm": "hmac-sha256", "header": "x-sig-{number}"}


def test_any_of_the_numbered_headers_may_match():
    good = hex_of(BODY)
    for number in (1, 2, 100):
        assert proof(NUMBERED, {"x-sig-1": "0" * 64, f"x-sig-{number}": good})
    for number in (0, 101, "01"):
        assert rejected(NUMBERED, {"x-sig-1": "0" * 64, f"x-sig-{number}": good}) == "signature"
    assert rejected(NUMBERED, {"x-sig-": good}) == "missing"
    assert signature_headers(NUMBERED) >= {"x-sig-1", "x-sig-100"}


IN_BODY: Any = {
    "algorithm": "hmac-sha256",
    "signature": "body.proof.sig",
    "signed": "{timestamp}.{body.proof.nonce}",
    "timestamp": {"value": "body.proof.at", "unit": "s"},
    "body_unsigned": True,
}


def proven(at: Any = str(NOW), nonce: Any = "n", sig: Any = None) -> bytes:
    signature = hex_of(f"{at}.{nonce}".encode()) if sig is None else sig
    return json.dumps({"proof": {"at": at, "nonce": nonce, "sig": signature}, "data": 1}).encode()


def test_a_signature_can_be_in_the_body_and_cover_only_values_of_it():
    assert proof(IN_BODY, {}, proven()).timestamp == NOW
    assert proof(IN_BODY, {}, proven(at=NOW)).timestamp == NOW
    assert proof(IN_BODY, {}, proven().replace(b'"data": 1', b'"data": 2'))
    assert rejected(IN_BODY, {}, proven(nonce="m", sig=hex_of(f"{NOW}.n".encode()))) == "signature"
    assert rejected(IN_BODY, {}, proven(at=str(NOW - 301))) == "timestamp"


@pytest.mark.parametrize("odd", [1.5, True, [], {}, "é", "a" * 9000, 10**30])
def test_what_is_no_plain_text_in_a_body_is_malformed(odd: Any):
    for body in (proven(at=odd), proven(sig=odd)):
        assert rejected(IN_BODY, {}, body) in ("malformed", "signature")


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b"{", b"\xff", b'"proof"', b'{"proof": 1}', b"[" * 100_000]
)
def test_a_body_without_its_signature_is_a_refusal(body: bytes):
    assert rejected(IN_BODY, {"content-type": "application/json"}, body) in ("missing", "malformed")


IN_URL: Any = {"algorithm": "token", "signature": "query.token"}


def test_a_token_can_be_in_the_url_once():
    assert proof(IN_URL, {}, url=f"{URL}?token=s")
    assert proof(IN_URL, {}, url="", query="a=b&token=s")
    assert proof(IN_URL, {}, url=f"{URL}?token=%C3%A9".replace("%C3%A9", "%73"))
    for query in ("", "token=", "Token=s", "token", "a=s"):
        assert rejected(IN_URL, {}, url=f"{URL}?{query}") == "missing"
    for query in ("token=s&token=s", "token=s&token=", "token=%FF", "token=%C3%A9", "to%6ben=s&token=t"):
        assert rejected(IN_URL, {}, url=f"{URL}?{query}") == "malformed"
    assert rejected(IN_URL, {}, url=f"{URL}?token=t") == "signature"


SETS: Any = {
    "algorithm": "hmac-sha256",
    "header": "x-sig",
    "pattern": "t={timestamp},v1={signature}",
    "separator": ",",
    "sets": " ",
    "signed": "{timestamp}.{body}",
    "timestamp": {"unit": "s"},
}


def one_set(secret: str = "s", now: int = NOW) -> str:
    return f"t={now},v1={hex_of(f'{now}.'.encode() + BODY, secret)}"


def test_each_set_has_its_own_timestamp():
    assert proof(SETS, {"x-sig": f"{one_set('old')} {one_set()}"}).timestamp == NOW
    assert proof(SETS, {"x-sig": f"{one_set(now=NOW - 999)} {one_set(now=NOW - 9)}"}).timestamp == NOW - 9
    mixed = one_set(now=NOW - 999).replace(str(NOW - 999), str(NOW))
    assert rejected(SETS, {"x-sig": f"{mixed} {one_set('old')}"}) == "signature"
    for odd in (
        f"{one_set()} ",
        f" {one_set()}",
        f"{one_set()}  {one_set()}",
        " ".join([one_set()] * (MAX_SETS + 1)),
    ):
        assert rejected(SETS, {"x-sig": odd}) == "malformed"


# ---- headers that must be as they are ----


def test_a_required_header_has_one_value():
    scheme: Any = {"algorithm": "hmac-sha256", "header": "x-sig", "require": {"X-Version": "1"}}
    headers = {"x-sig": hex_of(BODY)}
    assert proof(scheme, {**headers, "x-version": "1"})
    assert rejected(scheme, headers) == "missing"
    for odd in ("2", "1,1", " 1", "01"):
        assert rejected(scheme, {**headers, "x-version": odd}) == "malformed"


def test_a_header_says_which_key_of_a_secret_that_holds_several():
    scheme: Any = {"algorithm": "hmac-sha256", "header": "x-sig", "key_id": {"header": "X-Key"}}
    secret = json.dumps({"a": "one", "b": "two", "c": 3})
    for named, key in (("a", "one"), ("b", "two")):
        assert (
            proof(scheme, {"x-sig": hex_of(BODY, key), "x-key": named}, secrets=["bad", secret]).secret_index
            == 1
        )
        assert rejected(scheme, {"x-sig": hex_of(BODY, key), "x-key": "c"}, secrets=[secret]) == "signature"
    assert rejected(scheme, {"x-sig": hex_of(BODY, "one"), "x-key": "b"}, secrets=[secret]) == "signature"
    assert rejected(scheme, {"x-sig": hex_of(BODY, "one")}, secrets=[secret]) == "missing"
    assert proof(scheme, {"x-sig": hex_of(BODY, "s"), "x-key": "any"})


def test_a_record_can_take_one_key_of_several_and_no_other():
    scheme: Any = {"algorithm": "hmac-sha256", "header": "x-sig", "key_id": {"value": "b"}}
    secret = json.dumps({"a": "one", "b": "two"})
    assert proof(scheme, {"x-sig": hex_of(BODY, "two")}, secrets=[secret])
    assert rejected(scheme, {"x-sig": hex_of(BODY, "one")}, secrets=[secret]) == "signature"
    for odd in ("two", '{"a": "two"}', '{"b": 2}', '["b"]'):
        assert rejected(scheme, {"x-sig": hex_of(BODY, "two")}, secrets=[odd]) == "secret"


# ---- keys and algorithms ----


def test_a_key_in_a_normal_form_is_the_same_however_it_was_typed():
    scheme: Any = {"algorithm": "hmac-sha256", "header": "x-sig", "key": "nfkd"}
    signature = hex_of(BODY, normalize("NFKD", "clé"))
    assert proof(scheme, {"x-sig": signature}, secrets=[normalize("NFC", "clé")])
    assert proof(scheme, {"x-sig": signature}, secrets=[normalize("NFD", "clé")])


def test_a_plain_digest_holds_the_secret():
    scheme: Any = {"algorithm": "sha256", "header": "x-sig", "signed": "{secret}{method}{url}{body}"}
    signature = hashlib.sha256(b"sPOST" + URL.encode() + BODY).hexdigest()
    assert proof(scheme, {"x-sig": signature}, secrets=["t", "s"]).secret_index == 1
    assert rejected(scheme, {"x-sig": signature}, url=URL + "/") == "signature"
    assert rejected(scheme, {"x-sig": signature}, url="") == "scheme"


@pytest.mark.parametrize("algorithm", ["rsa-sha256", "rsa-sha1", "ecdsa-p256-sha256", "ed25519"])
@pytest.mark.parametrize(
    "secret", ["-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", "AAAA", "-----BEGIN "]
)
def test_what_is_no_public_key_is_an_unusable_secret(algorithm: str, secret: str):
    scheme: Any = {"algorithm": algorithm, "header": "x-sig", "encoding": "base64", "key": "pem"}
    assert rejected(scheme, {"x-sig": "AAAA"}, secrets=[secret]) == "secret"


def test_a_form_is_signed_as_its_fields_sorted():
    scheme: Any = {"algorithm": "hmac-sha1", "header": "x-sig", "signed": "{url}{form}"}
    body, form = b"b=2&a=1&b=1&b=2&e=", {"content-type": "application/x-www-form-urlencoded"}
    signature = hex_of(URL.encode() + b"a1b1b2e", digest="sha1")
    assert proof(scheme, {"x-sig": signature, **form}, body)
    assert rejected(scheme, {"x-sig": signature, **form}, b"a=1") == "signature"
    assert rejected(scheme, {"x-sig": signature}, body) == "malformed"
    for odd in (b"\xff", b"a&b", b"a=1;b"):
        assert rejected(scheme, {"x-sig": signature, **form}, odd) in ("malformed", "signature")


# ---- time ----

WINDOW: Any = {
    "algorithm": "hmac-sha256",
    "header": "x-sig",
    "signed": "{body}{timestamp}",
    "timestamp": {"header": "x-at", "unit": "s", "past": 600, "future": 0},
}


def test_a_providers_own_window_holds_unless_the_manifest_says_a_tolerance():
    headers = {"x-at": str(NOW), "x-sig": hex_of(BODY + str(NOW).encode())}
    for now in (NOW, NOW + 600):
        assert proof(WINDOW, headers, now=now)
    for now in (NOW - 1, NOW + 601):
        assert rejected(WINDOW, headers, now=now) == "timestamp"
    assert proof(WINDOW, headers, now=NOW - 5, tolerance=5)
    assert rejected(WINDOW, headers, now=NOW + 6, tolerance=5) == "timestamp"


LATE: Any = {"algorithm": "hmac-sha256", "header": "x-sig", "timestamp": {"value": "body.at", "unit": "ms"}}


def test_a_timestamp_in_a_signed_body_is_read_after_the_signature():
    def sent(body: bytes) -> tuple[dict[str, str], bytes]:
        return {"x-sig": hex_of(body)}, body

    assert proof(LATE, *sent(b'{"at":%d000}' % NOW)).timestamp == NOW
    assert rejected(LATE, {"x-sig": "0" * 64}, b"{") == "signature"
    assert rejected(LATE, *sent(b"{}")) == "missing"
    assert rejected(LATE, *sent(b"{")) == "missing"
    assert rejected(LATE, *sent(b'{"at":1.5}')) == "malformed"
    assert rejected(LATE, *sent(b'{"at":%d000}' % (NOW - 301))) == "timestamp"


# ---- what cannot be ----


@pytest.mark.parametrize(
    ("scheme", "message"),
    [
        ({"algorithm": "token"}, "header: the signature's header must be named"),
        (
            {"algorithm": "token", "header": "a", "signature": "body.a"},
            "header: the signature's header must be named",
        ),
        ({"algorithm": "token", "signature": "cookie.a"}, "signature: it is body.NAME"),
        ({"algorithm": "token", "signature": "body.a..b"}, "is not body.NAME"),
        ({**NUMBERED, "signed": "{secret}{body}"}, "the secret is in it for a plain digest"),
        ({**NUMBERED, "algorithm": "sha256"}, "the secret is in it for a plain digest"),
        ({**NUMBERED, "signed": "{body.id}"}, "signed: the body must be in it"),
        ({**NUMBERED, "key_id": {}}, "key_id: either a header names the key, or a value does"),
        ({**NUMBERED, "key_id": {"header": "a", "value": "b"}}, "key_id: either"),
        ({**NUMBERED, "sets": " "}, "sets: each must have its own timestamp"),
        ({**LATE, "signed": "{url}", "body_unsigned": True}, "a timestamp must be described and signed"),
        ({**LATE, "timestamp": {"value": "at", "unit": "s"}}, "is not body.NAME"),
        ({**LATE, "timestamp": {"value": "body.at", "header": "x", "unit": "s"}}, "timestamp: it is either"),
        ({"code": "nobody"}, "code: 'nobody' is not known"),
        ({"code": "twilio", "algorithm": "token"}, "algorithm: either this or `code`"),
        ({}, "algorithm: either this or `code`"),
    ],
)
def test_what_a_record_cannot_say(scheme: Any, message: str):
    with pytest.raises(SchemeError) as error:
        check(scheme)
    assert message in str(error.value)


# ---- signing ----


@pytest.mark.parametrize(
    "scheme", [IN_BODY, IN_URL, LATE, NUMBERED, SETS, WINDOW], ids=lambda each: each["algorithm"]
)
def test_what_is_signed_is_verified_wherever_it_is(scheme: Any):
    request = sign_request(scheme, body=b'{"id":"1"}', secret="s", id="1", now=NOW, url=URL, nonce="n")
    assert verify([scheme], request, ["s"], tolerance=None, now=NOW)


@pytest.mark.parametrize("scheme", [IN_BODY, IN_URL, LATE], ids=["body", "url", "late"])
def test_what_is_not_in_headers_alone_cannot_be_given_as_headers(scheme: Any):
    with pytest.raises(CannotSign, match="not in headers alone"):
        sign(scheme, body=b'{"id":"1"}', secret="s", id="1", now=NOW, url=URL)


# ---- events ----


def test_a_ping_is_never_a_duplicate():
    request = SignedRequest("POST", URL, {}, BODY)
    webhooks: Any = {}
    pings, posts = (
        {read_events(webhooks, scheme, request, Body({}), None).events[0].id for _ in range(3)}
        for scheme in ({"algorithm": "token", "ping": True}, {"algorithm": "token"})
    )
    assert (len(pings), len(posts)) == (3, 1)


def test_quickbooks_events_keep_the_company_that_they_are_of():
    entities = [{"name": "Customer", "operation": "Create"}, {"name": "Bill", "operation": "Update"}]
    body = {"eventNotifications": [{"realmId": "7", "dataChangeEvent": {"entities": entities}}]}
    request = SignedRequest("POST", URL, {}, json.dumps(body).encode())
    webhooks: Any = {}
    reading = read_events(webhooks, SCHEMES["quickbooks"][0], request, Body(body), None)
    assert [(event.type, event.body.data["realmId"]) for event in reading.events] == [
        ("Customer.Create", "7"),
        ("Bill.Update", "7"),
    ]
    assert len({event.id for event in reading.events}) == 2


@pytest.mark.parametrize("name", SCHEMES)
@pytest.mark.parametrize("body", [None, "text", 1, [], {}, [1, None], {"events": 1, "entry": [1]}], ids=str)
def test_no_signed_body_is_lost_for_what_it_holds(name: str, body: Any):
    request = SignedRequest("POST", URL, {}, b"x")
    webhooks: Any = {}
    for scheme in SCHEMES[name]:
        events = read_events(webhooks, scheme, request, Body(body), None).events
        assert events or body == []
        assert all(event.id and event.type for event in events)


# ---- manifests ----


@pytest.mark.parametrize("name", SCHEMES)
def test_a_manifest_can_say_everything_that_a_built_in_record_says(name: str):
    for record in SCHEMES[name]:
        written: Any = json.loads(json.dumps(record))
        written.pop("unconfirmed", None)
        for key in ("past", "future"):
            if key in written.get("timestamp", {}):
                written["timestamp"][key] = f"{written['timestamp'][key]}s"
        said = spelled_out(SchemeManifest.model_validate(written).model_dump(exclude_none=True))
        assert said == {key: value for key, value in record.items() if key != "unconfirmed"}


def test_a_base64_key_of_an_elliptic_curve_is_one():
    """SendGrid's own example."""
    key = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g=="
    assert compiled(SCHEMES["sendgrid"][0]).keys([key])
    assert not compiled(SCHEMES["sendgrid"][0]).keys([base64.b64encode(base64.b64decode(key)[:-1]).decode()])
