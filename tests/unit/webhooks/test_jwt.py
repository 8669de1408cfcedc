"""JSON Web Tokens: what a record pins, no token can change."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from causeway.settings.clock import SettableClock
from causeway.webhooks.compiled import check
from causeway.webhooks.jwt import sign
from causeway.webhooks.key_material import ASK_AGAIN_AFTER, FRESH_FOR, KEPT_FOR
from causeway.webhooks.key_sets import SOURCES
from causeway.webhooks.patterns import SchemeError, SignedRequest
from causeway.webhooks.providers.web_tokens import WEB_TOKENS
from causeway.webhooks.verify import Rejected, Verified, signature_headers, unusable, verify
from tests.support.publishers import (
    NOW,
    Web,
    ec_key,
    fetcher,
    jwk,
    key_set,
    private_pem,
    public_pem,
    rsa_key,
)

if TYPE_CHECKING:
    from causeway.plan.records import Scheme

URL = "https://hooks.example.com/webhooks/x?a=1"
BODY = b'{"id": "evt_1"}'
SECRET = "a shared secret that is long enough for everybody, and for SHA-512, too"
PUSH = json.dumps({"audience": "https://push.example.com", "email": "push@project.iam.example.com"})
PLAID = json.dumps({"client_id": "c1", "secret": "s1"})
CLAIMS = {
    "iss": "https://accounts.google.com",
    "aud": "https://push.example.com",
    "email": "push@project.iam.example.com",
    "email_verified": True,
    "iat": int(NOW) - 60,
    "exp": int(NOW) + 3540,
}
GOOGLE = SOURCES["google"].url

HS256: Scheme = {
    "algorithm": "jwt",
    "header": "x-token",
    "jwt": {"algorithms": ["HS256"], "expires": True, "issued": True, "body_sha256": "hash"},
}


def google(web: Web | None = None) -> Web:
    return web or Web({GOOGLE: key_set(k1=rsa_key(1))})


def push(
    claims: dict[str, Any] = CLAIMS, key: Any = None, algorithm: str = "RS256", **header: Any
) -> SignedRequest:
    token = jwt.encode(claims, key or rsa_key(1), algorithm, headers={"kid": "k1", **header})
    return SignedRequest("POST", URL, {"authorization": f"Bearer {token}"}, BODY)


def judge(
    name: str | Scheme,
    request: SignedRequest,
    secrets: list[str],
    fetch: Any = None,
    *,
    now: float = NOW,
    tolerance: float | None = None,
) -> Verified | str:
    """The proof, or the rule that is broken."""
    schemes = WEB_TOKENS[name] if isinstance(name, str) else [name]
    try:
        return verify(schemes, request, secrets, tolerance=tolerance, now=now, fetch=fetch)
    except Rejected as error:
        return error.rule


def own(
    claims: dict[str, Any] | None = None, key: str = SECRET, body: bytes = BODY, algorithm: str = "HS256"
) -> SignedRequest:
    said = {"iat": int(NOW), "exp": int(NOW) + 60, "hash": hashlib.sha256(BODY).hexdigest(), **(claims or {})}
    token = jwt.encode({name: value for name, value in said.items() if value is not None}, key, algorithm)
    return SignedRequest("POST", URL, {"x-token": token}, body)


def raw_token(header: Any, claims: Any, signature: bytes = b"x") -> str:
    parts = [json.dumps(part).encode() if not isinstance(part, bytes) else part for part in (header, claims)]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in (*parts, signature))


def test_a_token_of_the_providers_key_proves():
    verified = judge("google-pubsub", push(), [PUSH], fetcher(google()))
    assert isinstance(verified, Verified)
    assert verified.claims == CLAIMS


@pytest.mark.parametrize(
    ("claim", "value", "rule"),
    [
        ("aud", "https://other.example.com", "signature"),
        ("aud", None, "signature"),
        ("aud", ["https://other.example.com"], "signature"),
        ("iss", "https://evil.example.com", "signature"),
        ("iss", "https://accounts.google.com.evil.example", "signature"),
        ("email", "other@project.iam.example.com", "signature"),
        ("email_verified", False, "signature"),
        ("email_verified", 1, "signature"),
        ("email_verified", "true", "signature"),
        ("exp", NOW, "timestamp"),
        ("exp", NOW - 1, "timestamp"),
        ("exp", None, "malformed"),
        ("exp", "1760003540", "malformed"),
        ("exp", True, "malformed"),
        ("exp", 10**400, "malformed"),
        ("exp", float("nan"), "malformed"),
        ("exp", float("inf"), "malformed"),
        ("nbf", NOW + 301, "timestamp"),
        ("iat", NOW + 301, "timestamp"),
        ("iat", [], "malformed"),
    ],
)
def test_a_claim_that_is_not_as_the_record_says_is_rejected(claim, value, rule):
    # Signed by hand: the library refuses to write some of these.
    claims = {key: each for key, each in {**CLAIMS, claim: value}.items() if each is not None}
    token = jwt.api_jws.encode(json.dumps(claims).encode(), rsa_key(1), "RS256", headers={"kid": "k1"})
    request = SignedRequest("POST", URL, {"authorization": f"Bearer {token}"}, BODY)
    assert judge("google-pubsub", request, [PUSH], fetcher(google())) == rule


def test_an_audience_may_be_one_of_a_list():
    request = push({**CLAIMS, "aud": ["https://other.example.com", "https://push.example.com"]})
    assert isinstance(judge("google-pubsub", request, [PUSH], fetcher(google())), Verified)


@pytest.mark.parametrize(
    "algorithm", ["none", "None", "NONE", "", None, 1, ["RS256"], "HS256", "RS1", "rs256"]
)
def test_no_algorithm_but_the_pinned_ones_is_believed(algorithm):
    token = raw_token({"alg": algorithm, "kid": "k1", "typ": "JWT"}, CLAIMS)
    request = SignedRequest("POST", URL, {"authorization": f"Bearer {token}"}, BODY)
    assert judge("google-pubsub", request, [PUSH], fetcher(google())) == "signature"


def test_an_unsigned_token_is_no_token():
    for token in (
        raw_token({"alg": "none"}, CLAIMS, b""),
        raw_token({"alg": "RS256", "kid": "k1"}, CLAIMS, b""),
    ):
        request = SignedRequest("POST", URL, {"authorization": f"Bearer {token}"}, BODY)
        assert judge("google-pubsub", request, [PUSH], fetcher(google())) == "malformed"


@pytest.mark.parametrize("spelling", ["pem", "der", "jwk"])
def test_a_public_key_is_never_the_key_of_an_hmac(spelling):
    """Key confusion: everybody knows the public key, so a token that is an HMAC with it proves nothing."""
    known = {
        "pem": public_pem(rsa_key(1)).encode(),
        "der": rsa_key(1).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        "jwk": json.dumps(jwk(rsa_key(1), "k1")).encode(),
    }[spelling]
    unsigned = raw_token({"alg": "HS256", "kid": "k1"}, CLAIMS, b"").rstrip(".")
    mac = base64.urlsafe_b64encode(hmac.digest(known, unsigned.encode(), "sha256")).rstrip(b"=").decode()
    request = SignedRequest("POST", URL, {"authorization": f"Bearer {unsigned}.{mac}"}, BODY)
    assert judge("google-pubsub", request, [PUSH], fetcher(google())) == "signature"


def test_another_key_under_the_same_id_is_rejected():
    assert judge("google-pubsub", push(key=rsa_key(2)), [PUSH], fetcher(google())) == "signature"


def test_a_key_of_another_kind_under_that_id_is_none():
    web = Web({GOOGLE: key_set(k1=ec_key(1))})
    assert judge("google-pubsub", push(), [PUSH], fetcher(web)) in ("signature", "malformed")
    weak = Web({GOOGLE: key_set(k1=rsa_key(3, 1024))})
    with pytest.warns(jwt.warnings.InsecureKeyLengthWarning):
        request = push(key=rsa_key(3, 1024))
    assert judge("google-pubsub", request, [PUSH], fetcher(weak)) == "signature"


@pytest.mark.parametrize("change", [{"use": "enc"}, {"alg": "RS512"}, {"expired_at": 1}])
def test_a_key_for_another_purpose_or_withdrawn_is_none(change):
    web = Web({GOOGLE: json.dumps({"keys": [jwk(rsa_key(1), "k1", **change)]}).encode()})
    assert judge("google-pubsub", push(), [PUSH], fetcher(web)) == "signature"


def test_two_keys_of_one_id_are_none():
    web = Web({GOOGLE: json.dumps({"keys": [jwk(rsa_key(2), "k1"), jwk(rsa_key(1), "k1")]}).encode()})
    assert judge("google-pubsub", push(), [PUSH], fetcher(web)) == "signature"


@pytest.mark.parametrize(
    "header", [{"kid": None}, {"kid": ""}, {"kid": 1}, {"kid": "x" * 300}, {"kid": {"a": 1}}]
)
def test_an_odd_key_id_is_malformed_and_fetches_nothing(header):
    web = google()
    token = raw_token({"alg": "RS256", **header}, CLAIMS)
    request = SignedRequest("POST", URL, {"authorization": f"Bearer {token}"}, BODY)
    assert judge("google-pubsub", request, [PUSH], fetcher(web)) == "malformed"
    assert not web.asked


@pytest.mark.parametrize(
    "header", [{"jku": "https://evil.example/keys"}, {"x5u": "https://evil.example/cert"}]
)
def test_where_a_token_says_its_keys_are_is_not_read(header):
    web = google(Web({GOOGLE: key_set(k1=rsa_key(1)), "https://evil.example/keys": key_set(k1=rsa_key(2))}))
    assert judge("google-pubsub", push(key=rsa_key(2), **header), [PUSH], fetcher(web)) == "signature"
    assert [url for url, _ in web.asked] == [GOOGLE]


def test_a_key_in_the_token_itself_is_not_read():
    request = push(key=rsa_key(2), jwk=jwk(rsa_key(2), "k1"))
    assert judge("google-pubsub", request, [PUSH], fetcher(google())) == "signature"


@pytest.mark.parametrize("header", [{"crit": ["exp"], "exp": 1}, {"b64": False, "crit": ["b64"]}])
def test_a_token_whose_header_changes_its_meaning_is_malformed(header):
    token = raw_token({"alg": "RS256", "kid": "k1", **header}, CLAIMS)
    request = SignedRequest("POST", URL, {"authorization": f"Bearer {token}"}, BODY)
    assert judge("google-pubsub", request, [PUSH], fetcher(google())) == "malformed"


@pytest.mark.parametrize(
    "value",
    ["", "Bearer ", "Bearer", "Basic x", "Bearer a.b", "Bearer a.b.c.d", "Bearer é.b.c", "Bearer ..", "bearer a.b.c",
     "Bearer eyJhbGciOiJSUzI1NiJ9.e30.=", "Bearer " + "a" * 9000, "Bearer a.b.c, Bearer a.b.c", "Bearer \x00.b.c"],
)  # fmt: skip
def test_what_is_no_token_is_a_rejection_and_no_exception(value):
    request = SignedRequest("POST", URL, {"authorization": value}, BODY)
    assert judge("google-pubsub", request, [PUSH], fetcher(google())) in ("missing", "malformed")


@pytest.mark.parametrize("part", [b"[]", b'"x"', b"1", b"{", b"\xff", b"[" * 100_000])
def test_parts_that_are_no_objects_are_rejections(part):
    for header, claims in ((part, b"{}"), (b'{"alg":"HS256"}', part)):
        text = raw_token(header, claims, b"")
        mac = hmac.digest(SECRET.encode(), text[:-1].encode(), "sha256")
        token = text + base64.urlsafe_b64encode(mac).rstrip(b"=").decode()
        assert judge(HS256, SignedRequest("POST", URL, {"x-token": token}, BODY), [SECRET]) in (
            "malformed",
            "signature",
        )


def test_a_second_spelling_of_the_same_token_is_malformed():
    request = own()
    token = request.headers["x-token"]
    last = token[-1]
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    other = alphabet[alphabet.index(last) ^ 1]  # a bit that no byte has
    for spelling in (token[:-1] + other, token + "=", token.replace(".", "=.", 1)):
        assert judge(HS256, request._replace(headers={"x-token": spelling}), [SECRET]) == "malformed"


def test_an_unknown_key_id_is_asked_for_once_and_found_after_a_rotation():
    web, clock = google(), SettableClock(NOW)
    fetch = fetcher(web, clock)
    assert isinstance(judge("google-pubsub", push(), [PUSH], fetch), Verified)
    web.pages[GOOGLE] = key_set(k1=rsa_key(1), k2=rsa_key(2))
    rotated = push(key=rsa_key(2), kid="k2")
    assert judge("google-pubsub", rotated, [PUSH], fetch) == "signature"  # five minutes are not over
    clock.advance(ASK_AGAIN_AFTER)
    assert isinstance(judge("google-pubsub", rotated, [PUSH], fetch), Verified)
    for number in range(50):
        assert judge("google-pubsub", push(kid=f"unknown-{number}"), [PUSH], fetch) == "signature"
    assert len(web.asked) == 2


def test_keys_survive_an_outage_of_the_provider():
    web, clock = google(), SettableClock(NOW)
    fetch = fetcher(web, clock)
    judge("google-pubsub", push(), [PUSH], fetch)
    web.down = True
    for hours in range(1, int(KEPT_FOR / FRESH_FOR)):
        clock.set(NOW + hours * FRESH_FOR)
        assert isinstance(judge("google-pubsub", push(), [PUSH], fetch), Verified)
    clock.set(NOW + KEPT_FOR)
    assert judge("google-pubsub", push(), [PUSH], fetch) == "keys"


@pytest.mark.parametrize(
    "page",
    [b"", b"not json", b"[]", b'{"keys": 1}', b'{"keys": [1]}', b'{"keys": [{"kid": "k1"}]}', b'{"k1": "x"}'],
)
def test_an_odd_set_of_keys_is_a_rejection(page):
    rule = judge("google-pubsub", push(), [PUSH], fetcher(Web({GOOGLE: page})))
    assert rule in ("keys", "malformed", "signature")


def test_without_anything_to_fetch_with_nothing_is_believed():
    assert judge("google-pubsub", push(), [PUSH], None) == "keys"


def test_a_secret_may_bring_the_keys_along():
    certificates = json.dumps({**json.loads(PUSH), "certs": {"k1": public_pem(rsa_key(1))}})
    assert isinstance(judge("google-pubsub", push(), [certificates], None), Verified)
    assert judge("google-pubsub", push(key=rsa_key(2)), [certificates], None) == "signature"


def test_plaid_is_asked_for_each_key_by_its_id_with_our_credentials():
    url = SOURCES["plaid"].url
    web = Web({url: json.dumps({"key": jwk(ec_key(1), "p1", alg="ES256", expired_at=None)}).encode()})
    claims = {"iat": int(NOW), "request_body_sha256": hashlib.sha256(BODY).hexdigest()}
    token = jwt.encode(claims, ec_key(1), "ES256", headers={"kid": "p1"})
    request = SignedRequest("POST", URL, {"plaid-verification": token}, BODY)
    verified = judge("plaid", request, [PLAID], fetcher(web))
    assert isinstance(verified, Verified)
    assert verified.timestamp == NOW
    assert web.asked == [(url, b'{"client_id": "c1", "secret": "s1", "key_id": "p1"}')]
    assert judge("plaid", request._replace(body=BODY + b" "), [PLAID], fetcher(web)) == "signature"
    assert judge("plaid", request, [PLAID], fetcher(web), now=NOW + 301) == "timestamp"
    assert judge("plaid", request, [PLAID], fetcher(web), now=NOW - 301) == "timestamp"
    assert isinstance(judge("plaid", request, [PLAID], fetcher(web), now=NOW + 900, tolerance=900), Verified)
    other = jwt.encode(claims, ec_key(1), "ES256", headers={"kid": "p2"})  # Plaid answers with another key
    assert (
        judge("plaid", request._replace(headers={"plaid-verification": other}), [PLAID], fetcher(web))
        == "signature"
    )


def test_a_withdrawn_key_of_plaids_is_none():
    web = Web(
        {
            SOURCES["plaid"].url: json.dumps(
                {"key": jwk(ec_key(1), "p1", alg="ES256", expired_at=int(NOW))}
            ).encode()
        }
    )
    claims = {"iat": int(NOW), "request_body_sha256": hashlib.sha256(BODY).hexdigest()}
    token = jwt.encode(claims, ec_key(1), "ES256", headers={"kid": "p1"})
    assert (
        judge("plaid", SignedRequest("POST", URL, {"plaid-verification": token}, BODY), [PLAID], fetcher(web))
        == "signature"
    )


def test_the_sandbox_is_asked_only_by_a_secret_that_says_so():
    url = SOURCES["plaid"].sandbox
    web = Web({url: json.dumps({"key": jwk(ec_key(1), "p1")}).encode()})
    claims = {"iat": int(NOW), "request_body_sha256": hashlib.sha256(BODY).hexdigest()}
    token = jwt.encode(claims, ec_key(1), "ES256", headers={"kid": "p1"})
    request = SignedRequest("POST", URL, {"plaid-verification": token}, BODY)
    sandbox = json.dumps({**json.loads(PLAID), "environment": "sandbox"})
    assert judge("plaid", request, [PLAID], fetcher(web)) == "signature"
    assert isinstance(judge("plaid", request, [sandbox], fetcher(web)), Verified)


def test_a_curve_that_is_not_the_algorithms_is_rejected():
    web = Web({SOURCES["plaid"].url: json.dumps({"key": jwk(ec_key(1, ec.SECP384R1), "p1")}).encode()})
    claims = {"iat": int(NOW), "request_body_sha256": hashlib.sha256(BODY).hexdigest()}
    token = jwt.encode(claims, ec_key(1), "ES256", headers={"kid": "p1"})
    assert judge(
        "plaid", SignedRequest("POST", URL, {"plaid-verification": token}, BODY), [PLAID], fetcher(web)
    ) in ("malformed", "signature")


@pytest.mark.parametrize(
    ("request_", "rule"),
    [
        (own(body=BODY + b" "), "signature"),
        (own(body=b""), "signature"),
        (own({"hash": None}), "signature"),
        (own({"hash": hashlib.sha256(BODY).hexdigest().upper()}), "signature"),
        (own(key="another secret that is long enough for everybody"), "signature"),
        (own(algorithm="HS512"), "signature"),
        (own({"iat": int(NOW) - 301}), "timestamp"),
        (own({"iat": int(NOW) + 301}), "timestamp"),
        (own({"iat": None}), "malformed"),
        (own({"exp": int(NOW)}), "timestamp"),
        (own({"exp": None}), "malformed"),
    ],
)
def test_a_shared_secret_binds_what_the_record_says(request_, rule):
    assert isinstance(judge(HS256, own(), [SECRET]), Verified)
    assert judge(HS256, request_, [SECRET]) == rule


def test_any_secret_may_match_and_a_bad_one_hinders_no_other():
    verified = judge(HS256, own(), ["", "  ", "other", SECRET])
    assert isinstance(verified, Verified)
    assert verified.secret_index == 3
    assert judge(HS256, own(), []) == judge(HS256, own(), ["", " "]) == "secret"
    assert unusable([HS256], ["", SECRET]) == [0]
    assert unusable(WEB_TOKENS["google-pubsub"], [PUSH, "text", "{}", '{"audience": 1, "email": "x"}']) == [
        1,
        2,
        3,
    ]
    assert unusable(WEB_TOKENS["plaid"], [PLAID, "text", '{"jwks": {}}']) == [1]


def test_of_two_secrets_for_two_audiences_the_right_one_is_told():
    other = json.dumps({"audience": "https://other.example.com", "email": "push@project.iam.example.com"})
    verified = judge("google-pubsub", push(), [other, PUSH], fetcher(google()))
    assert isinstance(verified, Verified)
    assert verified.secret_index == 1


@pytest.mark.parametrize("name", ["monday", "messagebird", "netlify"])
def test_what_is_signed_as_the_provider_does_verifies(name):
    [scheme] = WEB_TOKENS[name]
    request = sign(scheme, SignedRequest("POST", URL, {}, BODY), SECRET, now=NOW)
    assert isinstance(judge(name, request, [SECRET]), Verified)
    assert judge(name, request, ["another secret"]) == "signature"
    if name != "netlify":
        assert judge(name, request._replace(url=URL + "&b=2"), [SECRET]) == "signature"
        assert judge(name, request, [SECRET], now=NOW + 300) == "timestamp"
    if name != "monday":  # which does not bind the body
        assert judge(name, request._replace(body=b"{}"), [SECRET]) == "signature"


@pytest.mark.parametrize("name", ["plaid", "google-pubsub"])
def test_a_stand_in_with_a_private_key_signs_so(name):
    key = ec_key(1) if name == "plaid" else rsa_key(1)
    [scheme] = WEB_TOKENS[name]
    secret = json.dumps(
        {
            **json.loads(PUSH),
            **json.loads(PLAID),
            "private_key": private_pem(key),
            "key_id": "k1",
            "jwks": {"k1": jwk(key, "k1")},
        }
    )
    request = sign(scheme, SignedRequest("POST", URL, {}, BODY), secret, now=NOW)
    assert isinstance(judge(name, request, [secret]), Verified)


def test_a_scheme_that_signs_the_url_needs_one():
    [scheme] = WEB_TOKENS["monday"]
    request = sign(scheme, SignedRequest("POST", URL, {}, BODY), SECRET, now=NOW)
    assert judge("monday", request._replace(url=""), [SECRET]) == "scheme"


def test_an_empty_body_needs_no_digest_but_a_wrong_one_is_rejected():
    [scheme] = WEB_TOKENS["messagebird"]
    claims = {"iss": "MessageBird", "exp": NOW + 60, "url_hash": hashlib.sha256(URL.encode()).hexdigest()}
    for more, right in (
        ({}, True),
        ({"payload_hash": hashlib.sha256(b"").hexdigest()}, True),
        ({"payload_hash": "x"}, False),
    ):
        token = jwt.encode({**claims, **more}, SECRET, "HS256")
        verdict = judge(
            scheme, SignedRequest("POST", URL, {"messagebird-signature-jwt": token}, b""), [SECRET]
        )
        assert isinstance(verdict, Verified) == right


@pytest.mark.parametrize(
    "record",
    [
        None,
        {},
        {"algorithms": []},
        {"algorithms": ["none"]},
        {"algorithms": ["HS256", "none"]},
        {"algorithms": ["RS256"]},
        {"algorithms": ["HS256", "RS256"]},
        {"algorithms": ["HS256"], "keys": "google"},
        {"algorithms": ["RS256", "HS256"], "keys": "google"},
        {"algorithms": ["RS256"], "keys": "nobody"},
        {"algorithms": ["RS256"], "keys": "http://keys.example.com"},
        {"algorithms": ["HS256"], "claims": {"aud": "{host}"}},
        {"algorithms": ["HS256"], "claims": {"aud": "x {url}"}},
    ],
)
def test_a_record_that_would_weaken_it_is_refused(record):
    scheme: Any = {"algorithm": "jwt", "header": "x-token", **({} if record is None else {"jwt": record})}
    with pytest.raises(SchemeError):
        check(scheme)


def test_every_record_of_the_table_is_right_and_names_its_header():
    for schemes in WEB_TOKENS.values():
        for scheme in schemes:
            check(scheme)
            assert list(signature_headers(scheme)) == [scheme["header"]]


def test_keys_may_be_at_an_address_of_the_manifest():
    scheme: Scheme = {
        "algorithm": "jwt",
        "header": "x-token",
        "jwt": {"algorithms": ["ES256"], "keys": "https://issuer.example/keys"},
    }
    check(scheme)
    web = Web({"https://issuer.example/keys": key_set(k1=ec_key(1))})
    token = jwt.encode({"iat": NOW}, ec_key(1), "ES256", headers={"kid": "k1"})
    assert isinstance(
        judge(scheme, SignedRequest("POST", URL, {"x-token": token}, BODY), ["any"], fetcher(web)), Verified
    )
