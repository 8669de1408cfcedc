"""What every scheme must withstand. A scheme that joins the table is tried by being in it."""

from __future__ import annotations

import base64
import hmac
import math
from typing import TYPE_CHECKING

import pytest

from causeway.webhooks.algorithms import ALGORITHMS
from causeway.webhooks.compiled import compiled
from causeway.webhooks.verify import Rejected
from tests.support.signatures import BODY, CASES, NOW, TOLERANCE, with_header

if TYPE_CHECKING:
    from causeway.webhooks.verify import SignedRequest
    from tests.support.signatures import Case

every_scheme = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
every_signing_scheme = pytest.mark.parametrize(
    "case", [case for case in CASES if case.covers_body], ids=lambda case: case.name
)
every_hmac_scheme = pytest.mark.parametrize(
    "case",
    [case for case in CASES if case.scheme["algorithm"].startswith("hmac")],
    ids=lambda case: case.name,
)
every_scheme_with_an_id = pytest.mark.parametrize(
    "case", [case for case in CASES if "{id}" in case.scheme.get("signed", "")], ids=lambda case: case.name
)
every_timed_scheme = pytest.mark.parametrize(
    "case", [case for case in CASES if "timestamp" in case.scheme], ids=lambda case: case.name
)
every_list_scheme = pytest.mark.parametrize(
    "case", [case for case in CASES if "separator" in case.scheme], ids=lambda case: case.name
)


def rejected(
    case: Case, request: SignedRequest, secrets: list[str] | None = None, *, now: float = NOW
) -> str:
    with pytest.raises(Rejected) as error:
        case.verify(request, secrets, now=now)
    return error.value.rule


def signature_in(case: Case, request: SignedRequest) -> str:
    [signature], _ = compiled(case.scheme).pattern.read(request.headers[case.header])
    return signature


def with_signature(case: Case, request: SignedRequest, signature: str) -> SignedRequest:
    value = request.headers[case.header].replace(signature_in(case, request), signature)
    return with_header(request, case.header, value)


def timed(case: Case, text: str) -> SignedRequest:
    """A request with this timestamp text, and a signature that covers it."""
    ready = compiled(case.scheme)
    request = case.signed()
    if ready.timestamp_header:
        request = with_header(request, ready.timestamp_header, text)
    prefix = case.scheme.get("signing_key_prefix", ready.key_prefix)
    message = ready.signed.bytes_of(request, text.encode("utf-8", "surrogatepass"))
    signature = ready.encoding.encode(
        ready.algorithm.sign(ready.raw_key(case.signing, prefix), message)
    ).decode()
    return with_header(request, case.header, ready.pattern.write({"signature": signature, "timestamp": text}))


# ---- what is right ----


@every_scheme
def test_what_is_signed_rightly_is_verified(case: Case):
    proof = case.verify(case.signed())
    assert proof.scheme is case.scheme
    assert proof.secret_index == 0
    assert proof.timestamp == (NOW if "timestamp" in case.scheme else None)


@every_scheme
@pytest.mark.parametrize(
    "body", [b"", b"\x00\xff\xfe not text \r\n", b"x" * 1_000_000], ids=["empty", "binary", "large"]
)
def test_any_bytes_can_be_a_body(case: Case, body: bytes):
    assert case.verify(case.signed(body))


@every_scheme
def test_any_of_the_secrets_may_match_and_a_bad_one_hinders_none(case: Case):
    bad = ["", " ", "whsec_", "whpk_!", "é\ud800", case.other]
    assert case.verify(case.signed(), [*bad, case.verifying, *bad]).secret_index == len(bad)


@every_list_scheme
def test_any_of_the_signatures_may_match(case: Case):
    good, bad = case.signed(), case.signed(secret=case.twin)
    separator = compiled(case.scheme).pattern.separator or ""
    ours = good.headers[case.header].split(separator)[-1]
    theirs = bad.headers[case.header].split(separator)
    assert case.verify(with_header(good, case.header, separator.join([*theirs, ours])))
    assert (
        rejected(case, with_header(good, case.header, separator.join([*theirs, theirs[-1]]))) == "signature"
    )


# ---- secrets ----


@every_scheme
def test_without_a_usable_secret_nothing_is_verified(case: Case):
    prefix = case.scheme.get("key_prefix", "")
    for secrets in ([], [""], [" \n"], [prefix], [f"{prefix} "], [f"{prefix}ééé\ud800"] if prefix else [""]):
        assert rejected(case, case.signed(), secrets) == "secret"


@every_scheme
def test_another_secret_verifies_nothing(case: Case):
    assert rejected(case, case.signed(), [case.other]) == "signature"


@pytest.mark.parametrize(
    "case", [case for case in CASES if "key_prefix" in case.scheme], ids=lambda case: case.name
)
def test_a_secret_without_its_prefix_or_with_anothers_is_none(case: Case):
    """Else v1 of Standard Webhooks would take v1a's public key, which everybody knows, for an HMAC key."""
    bare = case.verifying.removeprefix(case.scheme["key_prefix"])
    for prefix in {"", "whsec_", "whpk_", "whsk_"} - {case.scheme["key_prefix"]}:
        assert rejected(case, case.signed(), [prefix + bare]) == "secret"


@pytest.mark.parametrize(
    "case",
    [case for case in CASES if case.scheme.get("key") in ("base64", "hex")],
    ids=lambda case: case.name,
)
def test_a_secret_is_decoded_strictly(case: Case):
    """A mistyped secret must not become some other key."""
    prefix = case.scheme.get("key_prefix", "")
    bare = case.verifying.removeprefix(prefix)
    for odd in (
        f"{bare[:6]}!{bare[6:]}",
        f"{bare[:6]} {bare[6:]}",
        f"{bare}\n",
        bare[:5],
        f"{bare[:8]}=={bare[8:]}",
    ):
        assert rejected(case, case.signed(), [prefix + odd]) == "secret"


@pytest.mark.parametrize("name", ALGORITHMS)
def test_no_algorithm_has_an_empty_key(name: str):
    with pytest.raises(ValueError, match=r"key|password|seed"):
        ALGORITHMS[name].key(b"")
    with pytest.raises(ValueError, match=r"key|password|seed"):
        ALGORITHMS[name].sign(b"", b"message")


@every_hmac_scheme
def test_an_empty_key_is_no_key(case: Case):
    """A signature made with the empty key, which everybody knows, is worth nothing, whatever is stored."""
    ready, request = compiled(case.scheme), case.signed()
    message = ready.signed.bytes_of(request, b"%d" % NOW)
    empty = hmac.digest(b"", message, case.scheme["algorithm"].removeprefix("hmac-"))
    forged = with_signature(case, request, ready.encoding.encode(empty).decode())
    for secret in ("", " ", case.scheme.get("key_prefix", "")):
        assert rejected(case, forged, [secret]) == "secret"


# ---- headers ----


@every_scheme
def test_without_headers_nothing_is_verified(case: Case):
    assert rejected(case, case.signed()._replace(headers={})) == "missing"


@every_scheme
def test_a_missing_or_empty_header_is_a_refusal(case: Case):
    ready = compiled(case.scheme)
    for name in filter(None, [ready.header, ready.timestamp_header, *_signed_headers(case)]):
        assert rejected(case, with_header(case.signed(), name, None)) == "missing"
        assert rejected(case, with_header(case.signed(), name, "")) == "missing"


def _signed_headers(case: Case) -> list[str]:
    ready = compiled(case.scheme)
    return [header for name, header in ready.named_headers.items() if name in ready.signed.names]


@every_scheme
def test_a_header_sent_twice_is_not_read_as_one(case: Case):
    """The gateway joins repeated headers with commas. A list holds then a valid signature, or it does not."""
    request, forged = case.signed(), case.signed(secret=case.twin)
    value, bad = request.headers[case.header], forged.headers[case.header]
    joined = [f"{bad},{bad}", f"{bad}, {bad}"]
    if "separator" not in case.scheme:
        joined += [f"{value},{value}", f"{value}, {value}", f",{value}", f"{value},", f"{value},{bad}"]
    for each in joined:
        assert rejected(case, with_header(request, case.header, each)) in ("malformed", "signature")


@every_scheme
@pytest.mark.parametrize("odd", ["é", "\ud800", "\u0661", "\x00", "\n", "\r\nx: y", "%41", "💥"])
def test_odd_characters_in_a_signature_are_a_refusal(case: Case, odd: str):
    request = case.signed()
    signature = signature_in(case, request)
    for changed in (
        signature + odd,
        odd + signature,
        signature[:5] + odd + signature[5:],
        odd * len(signature),
        odd,
    ):
        assert rejected(case, with_signature(case, request, changed)) in ("malformed", "signature")


@every_scheme
def test_a_signature_has_one_length(case: Case):
    request = case.signed()
    signature = signature_in(case, request)
    unpadded = signature.rstrip("=")  # base64url alone is read with and without padding
    for changed in (
        unpadded[:-1],
        unpadded[:8],
        signature[1:],
        signature + "0",
        signature * 2,
        signature + "==",
    ):
        assert rejected(case, with_signature(case, request, changed)) in ("malformed", "signature")


@every_signing_scheme
def test_a_signature_has_one_spelling(case: Case):
    """Upper-case hex, base64 without padding, with stray bits or in the other alphabet: the same bytes, and refused."""
    request = case.signed()
    signature = signature_in(case, request)
    encoding = case.scheme.get("encoding", "hex")
    others = {signature.upper(), signature.lower()}
    others |= set() if case.scheme.get("separator") == " " else {f" {signature}", f"{signature} "}
    if encoding == "base64":
        raw = base64.b64decode(signature)
        others |= {
            signature.rstrip("="),
            base64.urlsafe_b64encode(raw).decode(),
            raw.hex(),
            _stray_bits(signature),
        }
    elif encoding == "hex":
        others |= {base64.b64encode(bytes.fromhex(signature)).decode()}
    if case.scheme.get("separator") and not compiled(case.scheme).pattern.items[-1].before:
        others.discard(f" {signature}")  # spaces after a separator are skipped
    for other in others - {signature}:
        assert rejected(case, with_signature(case, request, other)) in ("malformed", "signature", "missing")


def _stray_bits(signature: str) -> str:
    """The same bytes, with the bits set that the last character has to spare."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    text = signature.rstrip("=")
    spare = alphabet[alphabet.index(text[-1]) ^ 1] if text != signature else text[-1]
    return text[:-1] + spare + signature[len(text) :]


@every_scheme
def test_another_version_or_algorithm_is_not_read(case: Case):
    """The algorithm is the scheme's and never the header's."""
    request = case.signed()
    value = request.headers[case.header]
    signature = signature_in(case, request)
    before = value[: value.index(signature)]
    for downgraded in ("none=", "v0=", "v2,", "sha1=", "md5=", "=", ",", "V1=", "SHA256="):
        if before.endswith(downgraded):
            continue
        changed = rejected(case, with_header(request, case.header, f"{downgraded}{signature}"))
        assert changed in ("malformed", "signature", "timestamp")


@every_scheme
def test_a_huge_header_is_a_refusal(case: Case):
    ready = compiled(case.scheme)
    for name in filter(None, [ready.header, ready.timestamp_header, *_signed_headers(case)]):
        for value in ("9" * 100_000, "v1," * 100_000, "a" * 8193):
            assert rejected(case, with_header(case.signed(), name, value)) == "malformed"


# ---- what is signed ----


@every_signing_scheme
def test_another_body_is_a_refusal(case: Case):
    for body in (BODY + b" ", BODY[:-1], b"", BODY.replace(b"\xc3\xab", b"e"), BODY + b"\x00"):
        assert rejected(case, case.signed()._replace(body=body)) == "signature"


@every_signing_scheme
def test_every_signed_header_is_covered(case: Case):
    request = case.signed()
    for name in _signed_headers(case):
        assert rejected(case, with_header(request, name, request.headers[name] + "x")) == "signature"


@every_scheme_with_an_id
def test_an_id_cannot_reach_into_what_follows_it(case: Case):
    """If an id could hold the separator, ("a", "b.c") and ("a.b", "c") would have one signature."""
    request = case.signed()
    [name] = _signed_headers(case)
    assert rejected(case, with_header(request, name, "msg_1.1760000000")) == "malformed"


# ---- time ----


@every_timed_scheme
@pytest.mark.parametrize("offset", [-TOLERANCE, -1, 0, 1, TOLERANCE])
def test_within_the_tolerance_either_way_it_is_verified(case: Case, offset: float):
    assert case.verify(case.signed(), now=NOW + offset)


@every_timed_scheme
@pytest.mark.parametrize(
    "offset", [-1e9, -TOLERANCE - 0.01, TOLERANCE + 0.01, 1e9, math.inf, -math.inf, math.nan]
)
def test_outside_the_tolerance_either_way_it_is_refused(case: Case, offset: float):
    assert rejected(case, case.signed(), now=NOW + offset) == "timestamp"


@every_timed_scheme
@pytest.mark.parametrize(
    "text",
    [
        *("-1", "-1760000000", "+1760000000", "1760000000.0", "1760000000.5", "1.76e9", "1_760_000_000", "one"),
        *("NaN", "nan", "inf", "-Infinity", "0x68e77d80", "٠١٢٣", "¹²³", "9" * 30, "9" * 5000, "1760000000\n", "\ud800"),
        *("1760000000 ", "0000-00-00T00:00:00Z", "2025-02-30T08:53:20Z", "2025-10-09 08:53:20Z", "2025-10-09T08:53:20"),
        *("2025-10-09T08:53:60+00:00", "9999-12-31T23:59:59.999999999-23:59:59", "٢٠٢٥-10-09T08:53:20Z"),
        *("Thu, 99 Xyz 2025 08:53:20 GMT", "Thu, 09 Oct 2025 08:53:20 +0000", "09 Oct 2025"),
    ],
)  # fmt: skip
def test_an_odd_timestamp_is_refused_even_when_it_is_signed(case: Case, text: str):
    assert rejected(case, timed(case, text)) == "malformed"


@every_timed_scheme
def test_a_changed_timestamp_breaks_the_signature(case: Case):
    now, later = (case.signed(now=at) for at in (NOW, NOW + 1))
    ready = compiled(case.scheme)
    if ready.timestamp_header:
        forged = with_header(now, ready.timestamp_header, later.headers[ready.timestamp_header])
    else:
        forged = with_signature(case, later, signature_in(case, now))
    assert rejected(case, forged) == "signature"


@every_timed_scheme
def test_a_second_timestamp_is_a_refusal(case: Case):
    """Which of the two would be checked, and which signed?"""
    ready, request, stale = compiled(case.scheme), case.signed(), case.signed(now=NOW - 100)
    if ready.timestamp_header:
        name = ready.timestamp_header
        doubled = with_header(request, name, f"{request.headers[name]},{request.headers[name]}")
    else:
        separator = ready.pattern.separator or ""
        first = stale.headers[case.header].split(separator)[0]
        doubled = with_header(request, case.header, f"{first}{separator}{request.headers[case.header]}")
    assert rejected(case, doubled) in ("malformed", "signature")
