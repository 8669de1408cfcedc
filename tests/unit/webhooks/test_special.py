"""Code schemes: what each binds and refuses. Their vectors are in the conformance tests, this is what those lack."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from causeway.events.expressions import select
from causeway.webhooks.compiled import check
from causeway.webhooks.key_sets import SOURCES
from causeway.webhooks.patterns import SchemeError, SignedRequest
from causeway.webhooks.providers.code import CODE
from causeway.webhooks.special import SPECIAL, special
from causeway.webhooks.special.graph import PUBLISHER
from causeway.webhooks.verify import Rejected, Verified, signature_headers, unusable, verify
from tests.support.publishers import NOW, Web, fetcher, jwk, key_set, rsa_key

if TYPE_CHECKING:
    from causeway.plan.records import Scheme

URL = "https://hooks.example.com/webhooks/x?b=2&a=1%20x"
FORM = {"content-type": "application/x-www-form-urlencoded"}
JSON = {"content-type": "application/json"}
SECRETS = {
    "adyen-items": "44782DEF547AAA06C910C43932B1EB0C",
    "braintree": json.dumps({"public_key": "pub", "private_key": "priv"}),
    "contentful": "a" * 64,
    "atlassian-connect": "shared secret of an installation",
    "microsoft-graph": "client state",
    "twilio": "token",
    "twilio-sha256": "token",
}
ITEM = {"pspReference": "1", "merchantAccountCode": "M", "merchantReference": "R:1", "eventCode": "AUTHORISATION", "success": "true",
        "amount": {"value": 1130, "currency": "EUR"}}  # fmt: skip


def judge(
    code: str,
    request: SignedRequest,
    secrets: list[str] | None = None,
    web: Web | None = None,
    *,
    now: float = NOW,
    tolerance: float | None = None,
) -> Verified | str:
    try:
        return verify(
            [{"code": code}], request, [SECRETS[code]] if secrets is None else secrets, tolerance=tolerance, now=now,
            fetch=fetcher(web) if web else None,
        )  # fmt: skip
    except Rejected as error:
        return error.rule


def signed(
    code: str, body: bytes = b"", headers: dict[str, str] | None = None, *, url: str = URL
) -> SignedRequest:
    scheme: Scheme = {"code": code}
    module = special(scheme)
    assert module is not None
    return module.sign(scheme, SignedRequest("POST", url, headers or {}, body), SECRETS[code], now=NOW)


def test_the_table_and_its_records_are_right():
    for schemes in CODE.values():
        for scheme in schemes:
            check(scheme)
            assert all(name == name.lower() for name in signature_headers(scheme))
    assert {scheme["code"] for schemes in CODE.values() for scheme in schemes if "code" in scheme} == set(
        SPECIAL
    )
    with pytest.raises(SchemeError, match="not known"):
        check({"code": "nobody"})


@pytest.mark.parametrize("code", sorted(SPECIAL))
@given(
    body=st.binary(max_size=200),
    url=st.text(max_size=60),
    names=st.lists(st.text(max_size=40), max_size=4),
    data=st.data(),
)
def test_nothing_but_a_rejection_comes_of_what_is_no_delivery(code, body, url, names, data):
    known = ["x-twilio-signature", "authorization", "x-contentful-signature", "x-contentful-timestamp", "x-contentful-signed-headers",
             "paypal-cert-url", "paypal-transmission-id", "paypal-transmission-time", "paypal-transmission-sig", "paypal-auth-algo"]  # fmt: skip
    headers = {data.draw(st.sampled_from(known)): name for name in names}
    secrets = [data.draw(st.sampled_from([*SECRETS.values(), "", "{}", "[1]", '{"client_state": 1}']))]
    assert isinstance(judge(code, SignedRequest("POST", url, headers, body), secrets), str)


@pytest.mark.parametrize("code", sorted(SECRETS))
def test_any_secret_may_match_and_an_unusable_one_hinders_no_other(code):
    body = json.dumps(
        {"notificationItems": [{"NotificationRequestItem": ITEM}], "value": [{"id": "1"}]}
    ).encode()
    body = {"braintree": b"PGE+", "twilio": b"A=1", "twilio-sha256": b"A=1"}.get(code, body)
    request = signed(code, body, FORM if code.startswith("twilio") else JSON)
    verified = judge(code, request, ["", " ", SECRETS[code]])
    assert isinstance(verified, Verified)
    assert verified.secret_index == 2
    assert judge(code, request, []) == judge(code, request, ["", " "]) == "secret"
    assert unusable([{"code": code}], ["", SECRETS[code]]) == [0]


# ---- Twilio ----


@pytest.mark.parametrize("code", ["twilio", "twilio-sha256"])
def test_twilio_signs_url_and_sorted_form(code):
    request = signed(
        code, urlencode([("B", "2"), ("A", "é"), ("B", "1"), ("B", "2"), ("C", "")]).encode(), FORM
    )
    assert isinstance(judge(code, request), Verified)
    shuffled = urlencode([("B", "1"), ("C", ""), ("A", "é"), ("B", "2")]).encode()
    assert isinstance(judge(code, request._replace(body=shuffled)), Verified)
    assert judge(code, request._replace(body=request.body + b"&D=1")) == "signature"
    assert judge(code, request._replace(url=URL + "&c=3")) == "signature"
    assert judge(code, request._replace(url="")) == "scheme"
    other = "twilio" if code != "twilio" else "twilio-sha256"
    assert judge(other, request, ["token"]) == "signature"


@pytest.mark.parametrize(
    "settings", ["key=k,algorithm=HMAC_SHA256", "key=k,algorithm=HMAC_SHA1", "algorithm=none"]
)
def test_twilio_what_a_header_says_of_the_algorithm_is_not_read(settings):
    request = signed("twilio", b"A=1", FORM)
    asking = request._replace(headers={**request.headers, "x-twilio-webhooks-signature-settings": settings})
    assert isinstance(judge("twilio", asking), Verified)
    assert judge("twilio-sha256", asking) == "signature"


@pytest.mark.parametrize(
    ("ours", "theirs", "right"),
    [
        ("https://h.example/x", "https://h.example:443/x", True),
        ("https://h.example:443/x", "https://h.example/x", True),
        ("https://h.example:8443/x", "https://h.example/x", True),
        ("http://h.example/x", "http://h.example:80/x", True),
        ("https://u:p@h.example/x", "https://u:p@h.example:443/x", True),
        ("https://h.example/x", "https://h.example:8443/x", False),
        ("https://h.example/x", "http://h.example/x", False),
        ("https://h.example/x", "https://h.example/x/", False),
    ],
)
def test_twilio_may_have_the_url_with_its_port_or_without(ours, theirs, right):
    request = signed("twilio", b"A=1", FORM, url=theirs)._replace(url=ours)
    assert isinstance(judge("twilio", request), Verified) == right


def test_twilio_a_body_that_is_no_form_must_be_named_by_the_url():
    body = b'{"a": 1}'
    url = f"{URL}&bodySHA256={hashlib.sha256(body).hexdigest()}"
    request = signed("twilio", body, JSON, url=url)
    assert isinstance(judge("twilio", request), Verified)
    assert judge("twilio", request._replace(body=b'{"a": 2}')) == "signature"
    assert judge("twilio", request._replace(body=b"")) == "signature"
    assert judge("twilio", signed("twilio", b"", JSON)._replace(body=body)) == "malformed"  # named by nothing
    for named in (
        "",
        "x",
        hashlib.sha256(body).hexdigest().upper(),
        f"{hashlib.sha256(body).hexdigest()}&bodySHA256=x",
    ):
        odd = SignedRequest("POST", f"{URL}&bodySHA256={named}", request.headers, body)
        assert judge("twilio", odd) == "malformed"


def test_twilio_a_form_cannot_be_passed_off_as_a_body_that_the_url_names():
    """A URL with a digest is signed alone: with a form beside it, the form would be bound by nothing."""
    url = f"{URL}&bodySHA256={hashlib.sha256(b'{}').hexdigest()}"
    request = signed("twilio", b"{}", JSON, url=url)
    assert judge("twilio", request._replace(body=b"A=1", headers={**request.headers, **FORM})) == "signature"


@pytest.mark.parametrize("body", [b"\xff=1", b"A=%FF", b"&".join([b"a=1"] * 1001)])
def test_twilio_an_odd_form_is_malformed(body):
    assert (
        judge("twilio", SignedRequest("POST", URL, {**FORM, "x-twilio-signature": "x"}, body)) == "malformed"
    )


@pytest.mark.parametrize(
    ("headers", "body", "event_id"),
    [
        ({"i-twilio-idempotency-token": "t"}, {"MessageSid": "m"}, "t"),
        ({}, {"MessageSid": "m", "MessageStatus": "sent"}, "m/sent"),
        ({}, {"MessageSid": "m"}, "m"),
        ({}, {"CallSid": "c"}, "c"),
        ({}, {}, None),
    ],
)
def test_twilio_each_status_of_a_message_is_an_event(headers, body, event_id):
    assert {select(each["id"], {"headers": headers, "body": body}) for each in CODE["twilio"]} == {event_id}


def test_adyen_a_dispute_is_several_events_under_one_reference():
    def item_id(code: str) -> Any:
        return select(
            CODE["adyen"][1]["id"], {"body": {"NotificationRequestItem": {**ITEM, "eventCode": code}}}
        )

    codes = ("AUTHORISATION", "NOTIFICATION_OF_CHARGEBACK", "CHARGEBACK", "CHARGEBACK_REVERSED")
    assert [item_id(code) for code in codes] == ["1", *(f"{code}/1" for code in codes[1:])]


# ---- Adyen ----


def items(*changed: dict[str, Any]) -> bytes:
    return json.dumps(
        {"notificationItems": [{"NotificationRequestItem": {**ITEM, **each}} for each in changed]}
    ).encode()


def test_adyen_every_item_must_verify_not_only_the_first():
    request = signed("adyen-items", items({}, {"pspReference": "2"}))
    assert isinstance(judge("adyen-items", request), Verified)
    body = json.loads(request.body)
    for number in range(2):
        forged = json.loads(request.body)
        forged["notificationItems"][number]["NotificationRequestItem"]["amount"]["value"] = 1
        assert judge("adyen-items", request._replace(body=json.dumps(forged).encode())) == "signature"
        del forged["notificationItems"][number]["NotificationRequestItem"]["additionalData"]
        assert judge("adyen-items", request._replace(body=json.dumps(forged).encode())) in (
            "missing",
            "signature",
        )
    body["notificationItems"].append({"NotificationRequestItem": ITEM})
    assert judge("adyen-items", request._replace(body=json.dumps(body).encode())) == "missing"


def test_adyen_items_may_be_signed_by_the_old_key_and_the_new():
    first = json.loads(signed("adyen-items", items({})).body)["notificationItems"]
    other = "74F490DD33F7327BAECC88B2947C011F"
    module = special({"code": "adyen-items"})
    assert module is not None
    second = module.sign({"code": "adyen-items"}, SignedRequest("POST", "", {}, items({})), other, now=NOW)
    both = json.dumps({"notificationItems": first + json.loads(second.body)["notificationItems"]}).encode()
    request = SignedRequest("POST", "", {}, both)
    assert isinstance(judge("adyen-items", request, [SECRETS["adyen-items"], other]), Verified)
    assert judge("adyen-items", request) == "signature"


@pytest.mark.parametrize(
    "field", ["pspReference", "originalReference", "merchantAccountCode", "eventCode", "success"]
)
def test_adyen_a_colon_may_be_in_the_merchants_reference_alone(field):
    """The fields are joined by colons that nobody escapes, so two items could have one signature."""
    data = json.loads(signed("adyen-items", items({})).body)
    item = data["notificationItems"][0]["NotificationRequestItem"]
    item[field] = "a:b"
    assert judge("adyen-items", SignedRequest("POST", "", {}, json.dumps(data).encode())) == "malformed"


def test_adyen_a_shift_across_the_colons_is_not_the_same_item():
    data = json.loads(signed("adyen-items", items({"merchantReference": "R:1"})).body)
    item = data["notificationItems"][0]["NotificationRequestItem"]
    item["merchantAccountCode"], item["merchantReference"] = "M:R", "1"
    assert judge("adyen-items", SignedRequest("POST", "", {}, json.dumps(data).encode())) == "malformed"


@pytest.mark.parametrize("value", [1130.0, [1130], {"v": 1}])
def test_adyen_a_field_that_is_neither_text_nor_whole_number_is_malformed(value):
    data = json.loads(signed("adyen-items", items({})).body)
    data["notificationItems"][0]["NotificationRequestItem"]["amount"]["value"] = value
    assert judge("adyen-items", SignedRequest("POST", "", {}, json.dumps(data).encode())) == "malformed"


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b"[]",
        b"",
        b'{"notificationItems": []}',
        b'{"notificationItems": [1]}',
        b'{"notificationItems": [{}]}',
        b"\xff",
    ],
)
def test_adyen_no_items_are_no_proof(body):
    assert judge("adyen-items", SignedRequest("POST", "", {}, body)) in ("missing", "malformed")


# ---- Braintree ----


def test_braintree_tells_the_kind_inside_the_payload():
    xml = b"<notification><kind>check</kind><subject><kind>forged</kind></subject></notification>"
    verified = judge("braintree", signed("braintree", base64.encodebytes(xml)))
    assert isinstance(verified, Verified)
    assert verified.claims == {"kind": "check"}
    assert (
        judge("braintree", signed("braintree", b"AAAA=A=")) != "signature"
    )  # what cannot be decoded has no kind


def test_braintree_only_pairs_of_our_public_key_count():
    key = hashlib.sha1(b"priv").digest()
    mac = hmac.new(key, b"PGE+", "sha1").hexdigest()
    for signatures, right in (
        (f"pub|{mac}", True),
        (f"x|y&pub|{mac}", True),
        (f"pub|{'0' * 40}&pub|{mac}", True),
        (f"other|{mac}", False),
        (f"pub|{mac.upper()}", False),
        (f"pub|{mac}|", False),
        (mac, False),
        ("pub|", False),
    ):
        body = urlencode({"bt_signature": signatures, "bt_payload": "PGE+"}).encode()
        assert isinstance(judge("braintree", SignedRequest("POST", "", FORM, body)), Verified) == right, (
            signatures
        )


def test_braintree_the_key_is_the_private_keys_digest_and_not_itself():
    mac = hmac.new(b"priv", b"PGE+", "sha1").hexdigest()
    body = urlencode({"bt_signature": f"pub|{mac}", "bt_payload": "PGE+"}).encode()
    assert judge("braintree", SignedRequest("POST", "", FORM, body)) == "signature"


@pytest.mark.parametrize("body", [b"", b"bt_signature=a", b"bt_payload=a", b"bt_signature=&bt_payload=a", b"bt_signature=a&bt_signature=b&bt_payload=a",
                                  b"bt_signature=a&bt_payload=%3C", b"bt_signature=a&bt_payload=a&bt_payload=b", "é".encode()])  # fmt: skip
def test_braintree_an_odd_form_is_a_rejection(body):
    assert judge("braintree", SignedRequest("POST", "", FORM, body)) in ("missing", "malformed")


# ---- Contentful ----


def test_contentful_binds_method_path_query_named_headers_and_body():
    request = signed("contentful", b"{}", {"x-contentful-topic": "t", "content-type": "application/json"})
    verified = judge("contentful", request)
    assert isinstance(verified, Verified)
    assert verified.timestamp == NOW
    for changed in (
        request._replace(method="PUT"),
        request._replace(url=URL.replace("/x", "/y")),
        request._replace(url=URL.replace("b=2&a=1%20x", "a=1%20x&b=2")),
        request._replace(url=URL.replace("%20", "+")),
        request._replace(body=b"{ }"),
        request._replace(headers={**request.headers, "x-contentful-topic": "u"}),
    ):
        assert judge("contentful", changed) == "signature"
    assert judge("contentful", request._replace(url=URL + "?x")) == "malformed"
    assert isinstance(
        judge("contentful", request._replace(headers={**request.headers, "x-other": "1"})), Verified
    )


def test_contentful_encodes_the_query_twice():
    """As its toolkit does: querystring.escape of the whole query, then encodeURI of path and query."""
    names = "x-contentful-signed-headers,x-contentful-timestamp"
    listed = f"x-contentful-signed-headers:{names};x-contentful-timestamp:1760000000000"
    text = f"POST\n/a%2520b/hook?a%253D1%2526b%253Dc%252520d\n{listed}\nbody"
    headers = {
        "x-contentful-signed-headers": names,
        "x-contentful-timestamp": "1760000000000",
        "x-contentful-signature": hmac.new(b"a" * 64, text.encode(), "sha256").hexdigest(),
    }
    request = SignedRequest("POST", "https://h.example/a%20b/hook?a=1&b=c%20d", headers, b"body")
    assert isinstance(judge("contentful", request), Verified)


@pytest.mark.parametrize(
    "names",
    ["", "x-contentful-timestamp", "x-contentful-signed-headers", "x-contentful-timestamp,x-contentful-signed-headers",
     "x-contentful-signed-headers,x-contentful-timestamp,x-contentful-timestamp", "X-Contentful-Signed-Headers,x-contentful-timestamp",
     "x-contentful-signed-headers,x-contentful-timestamp,x-missing", ",".join(["x-a"] * 100)],
)  # fmt: skip
def test_contentful_the_list_of_headers_must_name_itself_and_the_time(names):
    request = signed("contentful", b"{}")
    rule = judge(
        "contentful", request._replace(headers={**request.headers, "x-contentful-signed-headers": names})
    )
    assert rule in ("missing", "malformed")


def test_contentful_a_value_that_reads_as_the_next_header_is_refused():
    """``b:2;c:3;c:4`` could be two values in two ways, and the signature would be the same."""
    request = signed("contentful", b"{}", {"b": "2", "c": "3;c:4"})
    assert isinstance(judge("contentful", request), Verified)
    moved = request._replace(headers={**request.headers, "b": "2;c:3", "c": "4"})
    assert judge("contentful", moved) == "malformed"


@pytest.mark.parametrize(("age", "right"), [(29.9, True), (30, False), (-30, True), (-31, False)])
def test_contentful_has_half_a_minute_unless_the_manifest_says_more(age, right):
    request = signed("contentful", b"{}")
    assert isinstance(judge("contentful", request, now=NOW + age), Verified) == right
    assert isinstance(judge("contentful", request, now=NOW + age, tolerance=300), Verified)


# ---- Atlassian Connect ----


def test_atlassian_binds_method_path_and_query():
    request = signed("atlassian-connect", b"{}")
    assert isinstance(judge("atlassian-connect", request), Verified)
    assert isinstance(
        judge("atlassian-connect", request._replace(url=URL.replace("b=2&a=1%20x", "a=1+x&b=2"))), Verified
    )
    assert isinstance(
        judge("atlassian-connect", request._replace(body=b"other")), Verified
    )  # which it does not bind
    for changed in (
        request._replace(method="GET"),
        request._replace(url=URL + "&c=1"),
        request._replace(url=URL.replace("/x", "/y")),
    ):
        assert judge("atlassian-connect", changed) == "signature"
    assert judge("atlassian-connect", request, now=NOW + 180) == "timestamp"
    assert judge("atlassian-connect", request._replace(url="")) == "scheme"


def test_atlassian_the_token_may_come_in_the_query_which_it_is_not_part_of():
    request = signed("atlassian-connect", b"{}")
    token = request.headers["authorization"].removeprefix("JWT ")
    inside = request._replace(url=f"{URL}&jwt={token}", headers={})
    assert isinstance(judge("atlassian-connect", inside), Verified)
    assert judge("atlassian-connect", inside._replace(url=f"{URL}&jwt={token}&jwt={token}")) == "malformed"
    assert judge("atlassian-connect", request._replace(headers={})) == "missing"
    assert (
        judge("atlassian-connect", inside._replace(headers={"authorization": f"Bearer {token}"}))
        == "malformed"
    )


@pytest.mark.parametrize(
    "changed",
    [
        {"qsh": None},
        {"qsh": 1},
        {"qsh": "context-qsh"},
        {"qsh": ""},
        {"exp": None},
        {"iat": None},
        {"iss": None},
        {"alg": "HS512"},
    ],
)
def test_atlassian_a_token_of_another_kind_is_rejected(changed):
    """A token for the front end says ``context-qsh``, and is good for no request."""
    request = signed("atlassian-connect", b"{}")
    key = SECRETS["atlassian-connect"] * 3
    claims = jwt.decode(
        request.headers["authorization"].removeprefix("JWT "), options={"verify_signature": False}
    )
    claims = {
        name: value for name, value in {**claims, **changed}.items() if value is not None and name != "alg"
    }
    token = jwt.encode(claims, key, changed.get("alg", "HS256"))
    assert isinstance(
        judge("atlassian-connect", request._replace(headers={"authorization": f"JWT {token}"}), [key]), str
    )


# ---- Microsoft Graph ----

TENANT, APP = "84bd8158-6d4d-4958-8b9f-9d6445542f95", "8e460676-ae3f-4b1e-8790-ee0fb5d6ae1e"
GRAPH = json.dumps({"client_state": "client state", "tenant_ids": [TENANT], "app_ids": [APP]})
MICROSOFT = {
    "aud": APP, "iss": f"https://login.microsoftonline.com/{TENANT}/v2.0", "tid": TENANT, "azp": PUBLISHER,
    "iat": int(NOW), "nbf": int(NOW), "exp": int(NOW) + 3600,
}  # fmt: skip


def changes(*states: Any, tokens: Any = None, content: bool = False) -> SignedRequest:
    entries = [
        {"id": str(number), "clientState": state, **({"encryptedContent": {}} if content else {})}
        for number, state in enumerate(states)
    ]
    body = {"value": entries, **({} if tokens is None else {"validationTokens": tokens})}
    return SignedRequest("POST", URL, JSON, json.dumps(body).encode())


def microsoft(key: int = 1, **changed: Any) -> str:
    claims = {name: value for name, value in {**MICROSOFT, **changed}.items() if value is not None}
    return jwt.encode(claims, rsa_key(key), "RS256", headers={"kid": "m1"})


def tokens_judged(*tokens: Any, secret: str = GRAPH, now: float = NOW) -> Verified | str:
    web = Web({SOURCES["microsoft"].url: key_set(m1=rsa_key(1))})
    return judge(
        "microsoft-graph", changes("client state", tokens=list(tokens), content=True), [secret], web, now=now
    )


@pytest.mark.parametrize("state", ["other", "", None, 1, ["client state"], "client stat", "client state "])
def test_graph_the_client_state_must_be_right_in_every_entry(state):
    assert isinstance(judge("microsoft-graph", changes("client state", "client state")), Verified)
    assert judge("microsoft-graph", changes("client state", state)) == "signature"
    assert judge("microsoft-graph", changes(state, "client state")) == "signature"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"value": []}',
        b'{"value": [1]}',
        b'{"value": {}}',
        b'{"value": [{}], "validationTokens": "x"}',
    ],
)
def test_graph_no_entries_are_no_proof(body):
    assert judge("microsoft-graph", SignedRequest("POST", URL, JSON, body)) in ("missing", "malformed")


def test_graph_content_needs_tokens_and_every_token_must_be_right():
    assert isinstance(tokens_judged(microsoft()), Verified)
    assert isinstance(
        tokens_judged(
            microsoft(), microsoft(azp=None, appid=PUBLISHER, iss=f"https://sts.windows.net/{TENANT}/")
        ),
        Verified,
    )
    assert tokens_judged() == "missing"
    assert tokens_judged(microsoft(), microsoft(key=2)) == "signature"
    assert tokens_judged(microsoft(), 1) == "malformed"
    assert tokens_judged(*[microsoft()] * 21) == "malformed"
    assert (
        tokens_judged(microsoft(), secret="client state") == "secret"
    )  # which does not say whose tokens are ours
    assert tokens_judged(microsoft(), now=NOW + 3600) == "timestamp"


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": "other"},
        {"aud": [APP]},
        {"tid": "00000000-0000-0000-0000-000000000000"},
        {"iss": "https://login.microsoftonline.com/00000000-0000-0000-0000-000000000000/v2.0"},
        {"iss": f"https://evil.example/{TENANT}/v2.0"},
        {"iss": f"https://login.microsoftonline.com/{TENANT}/v2.0/evil"},
        {"azp": "11111111-1111-1111-1111-111111111111"},
        {"azp": "11111111-1111-1111-1111-111111111111", "appid": PUBLISHER},
        {"azp": None},
        {"tid": None},
    ],
)
def test_graph_a_token_for_or_by_somebody_else_is_rejected(changed):
    assert tokens_judged(microsoft(**changed)) == "signature"


def test_graph_a_token_without_content_is_judged_all_the_same():
    web = Web({SOURCES["microsoft"].url: json.dumps({"keys": [jwk(rsa_key(1), "m1")]}).encode()})
    request = changes("client state", tokens=[microsoft(key=2)])
    assert judge("microsoft-graph", request, [GRAPH], web) == "signature"
