"""Why a request was refused: each way in which it can be wrong is named, and nothing that is secret is shown."""

from __future__ import annotations

import base64
import hmac
import json

import jwt
import pytest

from causeway.webhooks.diagnosis import Case, diagnose, spelled
from causeway.webhooks.patterns import SignedRequest
from causeway.webhooks.schemes import SCHEMES
from causeway.webhooks.sign import sign

NOW = 1_764_000_000.0
SECRET = "test-secret-never-shown"
BODY = '{"id":"evt_1","type":"order/paid","name":"Zoë","price":614.0}'.encode()
URL_SIGNED = {
    "algorithm": "hmac-sha256",
    "header": "x-signature",
    "encoding": "hex",
    "signed": "{url}{body}",
}
PLAIN = {"algorithm": "hmac-sha256", "header": "x-signature", "encoding": "hex"}


def case(schemes, *, body=BODY, received=None, secret=SECRET, late=0.0, url="", received_url=None, names=()):
    headers = sign(schemes[0], body=body, secret=secret, id="evt_1", type="t", now=NOW, url=url)
    request = SignedRequest(
        "POST",
        url if received_url is None else received_url,
        {"content-type": "application/json", **headers},
        body if received is None else received,
    )
    return Case(schemes, request, dict(names or {"shop/webhook": SECRET}), None, NOW + late)


def kinds(found):
    return [each.kind for each in found]


def test_what_is_valid_is_said_to_be():
    assert kinds(diagnose(case(SCHEMES["stripe"]), others={})) == ["valid"]


def test_the_clock_is_told_with_the_difference():
    (finding,) = diagnose(case(SCHEMES["stripe"], late=7 * 60 + 12), others={})
    assert finding.kind == "clock"
    assert "7 m 12 s behind" in finding.text
    assert "5 m are accepted" in finding.text
    (finding,) = diagnose(case(SCHEMES["stripe"], late=-86_400), others={})
    assert "1 d ahead of" in finding.text


def test_another_secret_of_the_map_is_named():
    wrong = case(SCHEMES["stripe"], secret="the-other-one")
    (finding,) = diagnose(wrong, others={"bank/webhook of bank": "the-other-one", "c": "none"})
    assert finding.kind == "secret"
    assert "bank/webhook of bank" in finding.text


def test_a_secret_stored_with_a_newline_is_told():
    stored = {"shop/webhook": f"{SECRET}\n"}
    (finding,) = diagnose(case(SCHEMES["github"], names=stored), others={})
    assert (finding.kind, "white space" in finding.text) == ("secret", True)


def test_a_secret_that_is_not_one_of_the_scheme_is_told():
    stored = {"shop/webhook": "not base64!"}
    request = case(SCHEMES["github"]).request
    found = diagnose(Case(SCHEMES["standard-webhooks"], request, stored, None, NOW), others={})
    assert "secret" in kinds(found)


def respelled(**options):
    return json.dumps(json.loads(BODY), **options).encode()


@pytest.mark.parametrize(
    ("kind", "signed", "received"),
    [
        ("newline", BODY + b"\n", BODY),
        ("newline", BODY, BODY + b"\r\n"),
        ("newline", b'{\r\n"a": 1\r\n}', b'{\n"a": 1\n}'),
        ("base64", BODY, base64.b64encode(BODY)),
        ("base64", base64.b64encode(BODY), BODY),
        ("charset", BODY.decode().encode("latin-1"), BODY),
        ("charset", BODY, b"\xef\xbb\xbf" + BODY),
        ("json", BODY, respelled()),
        ("json", BODY, respelled(ensure_ascii=False, indent=2)),
        ("json", respelled(indent=4), BODY),
        ("json", respelled(sort_keys=True, separators=(",", ":")), BODY),
        ("json", BODY.replace(b"order/paid", b"order\\/paid"), BODY),
        ("json", respelled(separators=(",", ":")).replace(b"614.0", b"614"), BODY),
        ("json", respelled(separators=(",", ":")).replace(b"00eb", b"00EB"), BODY),
        ("json", respelled(indent=2, ensure_ascii=False) + b"\n", BODY),
        ("form", b"text=a%20b&c=%C3%A9", b"text=a+b&c=%C3%A9"),
    ],
)
def test_a_body_that_was_altered_on_its_way_is_recognised(kind, signed, received):
    (finding,) = diagnose(case([PLAIN], body=signed, received=received), others={})
    assert finding.kind == kind, finding


def test_an_altered_body_that_is_late_has_both_reasons():
    found = diagnose(case(SCHEMES["stripe"], body=BODY + b"\n", received=BODY, late=3600), others={})
    assert kinds(found) == ["newline", "clock"]


@pytest.mark.parametrize(
    "signed",
    [
        "http://hooks.example.com/webhooks/shop",
        "https://hooks.example.com/webhooks/shop/",
        "https://hooks.example.com:443/webhooks/shop",
        "https://hooks.example.com/webhooks/shop?a=1",
    ],
)
def test_a_url_that_differs_is_told_with_the_one_that_was_signed(signed):
    other = "https://hooks.example.com/webhooks/shop"
    if "?" in signed:
        signed, other = other, signed
    (finding,) = diagnose(case([URL_SIGNED], url=signed, received_url=other), others={})
    assert finding.kind == "url"
    assert f"{signed} was signed, {other} is configured" in finding.text


def test_the_wrong_scheme_is_told_by_its_name():
    request = case(SCHEMES["github"]).request
    found = diagnose(Case(SCHEMES["stripe"], request, {"a": SECRET}, None, NOW), others={})
    assert (found[0].kind, "github" in found[0].text) == ("scheme", True)


@pytest.mark.parametrize(
    ("digest", "write"), [("sha1", "hex"), ("sha512", "hex"), ("sha256", "base64"), ("sha512", "base64")]
)
def test_another_algorithm_or_encoding_is_told(digest, write):
    raw = hmac.new(SECRET.encode(), BODY, digest).digest()
    text = raw.hex() if write == "hex" else base64.b64encode(raw).decode()
    request = SignedRequest("POST", "", {"x-signature": text}, BODY)
    (finding,) = diagnose(Case([PLAIN], request, {"a": SECRET}, None, NOW), others={})
    assert finding.kind == "algorithm"
    assert f"hmac-{digest}, written in {write}" in finding.text


MONDAY = {
    "algorithm": "jwt",
    "header": "authorization",
    "jwt": {"algorithms": ["HS256"], "expires": True},
}


def _token(**claims):
    key = "a-key-of-32-characters-at-least-1"
    return Case(
        [MONDAY],
        SignedRequest("POST", "", {"authorization": jwt.encode(claims, key, "HS256")}, BODY),
        {"a": key},
        None,
        NOW,
    )


def test_a_token_that_is_over_is_told_with_the_time():
    (finding,) = diagnose(_token(exp=int(NOW) - 3600, iat=int(NOW) - 3700), others={})
    assert (finding.kind, "ended 1 h ago" in finding.text) == ("clock", True)


def test_a_token_of_a_stranger_is_not_explained_by_the_clock():
    case_ = _token(exp=int(NOW) - 3600)._replace(secrets={"a": "another-key-of-32-characters-or-so"})
    assert kinds(diagnose(case_, others={})) == ["unknown"]


def test_the_wrong_method_is_told():
    scheme = {**PLAIN, "signed": "{method}{body}"}
    wrong = case([scheme])
    wrong = wrong._replace(request=wrong.request._replace(method="PUT"))
    (finding,) = diagnose(wrong, others={})
    assert (finding.kind, "POST was signed" in finding.text) == ("method", True)


def test_a_missing_header_is_named():
    request = SignedRequest("POST", "", {}, BODY)
    found = diagnose(Case(SCHEMES["github"], request, {"a": SECRET}, None, NOW), others={})
    assert found[0].kind == "missing"
    assert "x-hub-signature-256" in found[0].text


def test_headers_of_another_provider_tell_the_scheme_even_without_its_secret():
    request = case(SCHEMES["stripe"], secret="unknown").request
    found = diagnose(Case(SCHEMES["github"], request, {"a": SECRET}, None, NOW), others={})
    assert any(each.kind == "scheme" and "stripe" in each.text for each in found)


def test_a_forgery_is_not_explained_away():
    tampered = case(SCHEMES["stripe"], received=BODY.replace(b"614", b"999"))
    assert kinds(diagnose(tampered, others={"b": "other"})) == ["unknown"]


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"[" * 5000, b"a" * 300_000, b"null", b"{}", b"a=1&b"])
def test_no_body_is_too_odd(body):
    wrong = case(SCHEMES["stripe"], received=body, late=1e9)
    assert diagnose(wrong, others={})


def test_nothing_that_is_secret_is_shown():
    for changed in (
        case(SCHEMES["stripe"], secret="the-other-one"),
        case(SCHEMES["github"], names={"shop/webhook": f"{SECRET} "}),
        case(SCHEMES["stripe"], received=b"{}"),
    ):
        text = str(diagnose(changed, others={"b": "the-other-one"}))
        assert SECRET not in text
        assert "the-other-one" not in text
        assert not any(
            value.partition("v1=")[2][:16] in text
            for name, value in changed.request.headers.items()
            if "v1=" in value
        )


def test_a_url_is_shown_without_what_in_it_may_be_secret():
    url = "https://hooks.example.com/webhooks/shop?token=never-shown&a=1"
    (finding,) = diagnose(case([URL_SIGNED], url=url, received_url=url.replace("https", "http")), others={})
    assert "token=...&a=1 was signed" in finding.text
    assert "never-shown" not in finding.text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.2, "0 s"), (59.6, "1 m"), (3661, "1 h 1 m"), (172_800, "2 d")]
)
def test_lengths_of_time_are_for_people(seconds, text):
    assert spelled(seconds) == text
