"""What every provider's way to sign must withstand: whatever is done to a right delivery, the answer is a refusal.

A provider that joins the table of schemes is tried by being in it, whether a record says how it signs or code does.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import pytest

from causeway.webhooks.schemes import SCHEMES
from causeway.webhooks.verify import Rejected, unusable, verify
from tests.conformance.deliveries import NOW, Vector
from tests.conformance.oracles import KINDS
from tests.conformance.running import request_of, secret_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conformance.deliveries import Delivery, Kind

HERE = [
    kind
    for kind in KINDS
    if kind.provider in SCHEMES and "-of-another-" not in kind.name and "-expired" not in kind.name
]


def kinds(*, when: Any = lambda _kind: True) -> Any:
    chosen = [kind for kind in HERE if when(kind)]
    return pytest.mark.parametrize("kind", chosen, ids=[kind.name for kind in chosen])


def vector_of(kind: Kind, delivery: Delivery | None = None, secret: Any = None, **more: Any) -> Vector:
    sent = kind.delivery(kind.secrets[0]) if delivery is None else delivery
    return {"secret": kind.secrets[0] if secret is None else secret, "now": NOW, **sent._asdict(), **more}


def judged(kind: Kind, vector: Vector, secrets: list[str] | None = None) -> str:
    """``accepted``, or the rule that was broken. Anything else that comes of it is a failure."""
    texts = [secret_of(vector)] if secrets is None else secrets
    try:
        proof = verify(SCHEMES[kind.provider], request_of(vector), texts, tolerance=None, now=vector["now"])
    except Rejected as error:
        return error.rule
    assert 0 <= proof.secret_index < len(texts)
    return "accepted"


def refused(kind: Kind, vector: Vector, secrets: list[str] | None = None) -> None:
    assert judged(kind, vector, secrets) != "accepted", vector


# ---- what is right ----


@kinds()
def test_a_right_delivery_is_accepted(kind: Kind):
    assert judged(kind, vector_of(kind)) == "accepted"


@kinds()
def test_any_of_the_secrets_may_match_and_a_bad_one_hinders_none(kind: Kind):
    right, other = (secret_of({"secret": each}) for each in kind.secrets)
    bad = [
        "",
        " ",
        "whsec_",
        "whpk_!",
        "é\ud800",
        "{",
        "null",
        "[]",
        '{"a":1}',
        "-----BEGIN PUBLIC KEY-----",
        "a:b",
        other,
    ]
    vector = vector_of(kind)
    proof = verify(SCHEMES[kind.provider], request_of(vector), [*bad, right, *bad], tolerance=None, now=NOW)
    assert proof.secret_index == len(bad)


# ---- secrets ----


@kinds()
def test_without_its_secret_nothing_is_accepted(kind: Kind):
    vector = vector_of(kind)
    for secrets in (
        [],
        [""],
        [" \n"],
        ["é\ud800"],
        ["null"],
        ["{}"],
        ["[]"],
        ['""'],
        ["\x00"],
        [secret_of({"secret": kind.secrets[1]})],
    ):
        refused(kind, vector, secrets)
    assert unusable(SCHEMES[kind.provider], ["", " \n"]) == [0, 1]


@kinds(when=lambda kind: isinstance(kind.secrets[0], dict))
def test_a_secret_of_several_values_needs_them_all_as_they_are(kind: Kind):
    secret = kind.secrets[0]
    for name, value in secret.items():
        for odd in (
            None,
            "",
            1,
            True,
            [],
            {},
            [value, value],
            {"x": value},
            f"{value}x",
            {value} if isinstance(value, int) else 0.5,
        ):
            changed = {**secret, name: list(odd) if isinstance(odd, set) else odd}
            judged(kind, vector_of(kind, secret=changed))
        refused_or_optional(kind, {key: each for key, each in secret.items() if key != name})


def refused_or_optional(kind: Kind, secret: dict[str, Any]) -> None:
    """Without one of its values a secret is either unusable, or that value was for another way to sign."""
    optional = {"box/primary": "secondary", "box/secondary": "primary", "box/both": ""}
    optional |= dict.fromkeys(("microsoft-graph/client-state", "microsoft-graph/lifecycle"), "")
    if kind.name not in optional or (optional[kind.name] and optional[kind.name] in secret):
        refused(kind, vector_of(kind, secret=secret))


# ---- headers ----


@kinds()
def test_without_any_header_nothing_that_is_proven_by_one_is_accepted(kind: Kind):
    delivery = kind.delivery(kind.secrets[0])
    if kind.header:
        refused(kind, vector_of(kind, delivery._replace(headers={})))
    for name in delivery.headers:
        kept = {key: value for key, value in delivery.headers.items() if key != name}
        said = judged(kind, vector_of(kind, delivery._replace(headers=kept)))
        assert name != kind.header or said != "accepted"


@kinds(when=lambda kind: kind.header)
def test_a_proof_that_was_touched_is_none(kind: Kind):
    good = kind.delivery(kind.secrets[0])
    value = good.headers[kind.header or ""]
    for changed in touched(value, lists=has_list(kind)):
        if changed != value:
            refused(kind, vector_of(kind, good.with_headers({kind.header or "": changed})))


def has_list(kind: Kind) -> bool:
    """Whether a header is read as a list, of which what is not known is skipped."""
    return kind.lists is not None or any("separator" in scheme for scheme in SCHEMES[kind.provider])


def touched(value: str, *, lists: bool) -> Iterator[str]:
    """A header's value with something lost, doubled, added, exchanged or hidden in it."""
    yield from (
        "",
        " ",
        ",",
        "=",
        ".",
        "..",
        "v1,",
        "none",
        "Bearer",
        "Bearer ",
        "Basic ",
        "9" * 100_000,
        "v1," * 40_000,
        "a" * 8193,
    )
    yield from (value[1:], value[:-1], value[:10], value[: len(value) // 2], value[::-1], value.swapcase())
    yield from (f"{value}x", f"{value}==", f"{value}\n", f"\t{value}", f"{value}\x00", f"x{value}")
    for odd in ("é", "\ud800", "\u0661", "\x00", "\n", "\r\nx: y", "%41", "💥"):
        for at in (0, 1, len(value) // 2, len(value) - 1):
            yield value[:at] + odd + value[at + 1 :]
            yield value[:at] + odd + value[at:]
        yield odd * len(value)
    if not lists:
        yield from (
            f"{value},{value}",
            f"{value}, {value}",
            f",{value}",
            f"{value},",
            f"{value};{value}",
            f"{value} {value}",
        )
    for prefix in ("sha1=", "md5=", "none=", "v0=", "v2,"):
        yield prefix + value.rpartition("=" if "=" in value.rstrip("=") else ",")[2]


@kinds(when=lambda kind: kind.header)
def test_the_last_character_of_a_signature_has_one_spelling(kind: Kind):
    """Of base64 the last character has bits to spare: the same bytes in another text are refused."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    good = kind.delivery(kind.secrets[0])
    value = good.headers[kind.header or ""]
    text = value.rstrip("=")
    for letter in alphabet:
        changed = text[:-1] + letter + value[len(text) :]
        if changed != value:
            refused(kind, vector_of(kind, good.with_headers({kind.header or "": changed})))


@kinds()
def test_odd_headers_of_any_name_raise_nothing(kind: Kind):
    good = kind.delivery(kind.secrets[0])
    for name in {*good.headers, "content-type", "authorization", "host", "content-length"}:
        for odd in (
            "",
            "é",
            "\ud800",
            "\x00",
            "9" * 9000,
            "application/x-www-form-urlencoded",
            "application/json; charset=\ud800",
            "{}",
        ):
            said = judged(kind, vector_of(kind, good.with_headers({name: odd})))
            assert name != kind.header or said != "accepted"


# ---- what is signed ----

BODIES = (b"", b"\x00", b"\xff\xfe", b"null", b"0", b"[]", b"{}", b'""', b"[" * 100_000, b'{"a":' * 50_000, b"{", b"a=b&a=b", b"%", b"&=&=%ff",
          b'{"value":[null]}', b'{"notificationItems":[{}]}', b'{"notificationItems":[null]}', b'{"Type":"Notification"}', b'{"signature":null}',
          b'{"signature":{"timestamp":[],"token":{},"signature":1}}', b"bt_signature=a|b&bt_payload=", b'{"a":1e999}', b"1" * 5000,
          b'{"a":NaN}', b"\xef\xbb\xbf{}", "é".encode("utf-16"))  # fmt: skip


@kinds()
def test_another_body_is_a_refusal_and_an_odd_one_no_surprise(kind: Kind):
    vector = request_of(vector_of(kind))
    for body in BODIES:
        for content_type in (
            "",
            "application/json",
            "application/x-www-form-urlencoded",
            "text/plain; charset=utf-16",
        ):
            request = vector._replace(body=body, headers={**vector.headers, "content-type": content_type})
            try:
                verify(SCHEMES[kind.provider], request, [secret_of(vector_of(kind))], tolerance=None, now=NOW)
            except Rejected:
                continue
            assert not kind.inside, body
            assert "body" not in kind.covers, body


@kinds(when=lambda kind: kind.inside and kind.body[0] == "{")
def test_whatever_stands_in_a_body_that_holds_its_proof_nothing_is_raised(kind: Kind):
    good = kind.delivery(kind.secrets[0])
    for changed in altered(json.loads(good.body)):
        judged(kind, vector_of(kind, good._replace(body=json.dumps(changed))))


def altered(value: Any) -> Iterator[Any]:
    """A document with each of its places lost, or holding something else."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield {key: each for key, each in value.items() if key != name}
            yield from (
                {**value, name: odd}
                for odd in (
                    None,
                    "",
                    1,
                    -1.5,
                    True,
                    [],
                    {},
                    [inner],
                    {"x": inner},
                    "é\ud800",
                    "9" * 40,
                    10**40,
                    math.nan,
                )
            )
            yield from ({**value, name: each} for each in altered(inner))
    elif isinstance(value, list):
        yield from ([*value[:at], *value[at + 1 :]] for at in range(len(value)))
        yield from (
            [*value[:at], each, *value[at + 1 :]]
            for at, inner in enumerate(value)
            for each in [None, 1, "x", *altered(inner)]
        )


WITHOUT_HOST = ("atlassian-connect", "contentful")
"""Of these, path and query are signed; host and scheme are not. An empty parameter is none to the first."""


@kinds(when=lambda kind: "url" in kind.covers)
def test_another_url_is_a_refusal(kind: Kind):
    good = kind.delivery(kind.secrets[0])
    others = [
        "",
        "x",
        "/",
        f"{good.url}/",
        f"{good.url}\ud800",
        "https://[",
        "https://x:99999/",
        f"{good.url}é",
        good.url.replace("/webhooks", "/Webhooks"),
    ]
    if kind.provider not in WITHOUT_HOST:
        others += [
            good.url.replace("hooks.", "evil."),
            good.url.replace("https", "http"),
            good.url.upper(),
            f"{good.url}#x",
            f"{good.url}&",
        ]
    for url in others:
        refused(kind, vector_of(kind, good._replace(url=url)))


# ---- time ----


@kinds(when=lambda kind: kind.window)
@pytest.mark.parametrize("now", [math.nan, math.inf, -math.inf, 0.0, -1e18, 1e18, NOW + 1e6, NOW - 1e6])
def test_a_clock_that_is_far_away_or_no_number_refuses(kind: Kind, now: float):
    refused(kind, vector_of(kind, now=now))


@kinds(when=lambda kind: kind.window)
@pytest.mark.parametrize("tolerance", [math.nan, -1.0, -math.inf])
def test_a_tolerance_that_is_none_refuses(kind: Kind, tolerance: float):
    vector = vector_of(kind)
    with pytest.raises(Rejected):
        verify(SCHEMES[kind.provider], request_of(vector), [secret_of(vector)], tolerance=tolerance, now=NOW)
