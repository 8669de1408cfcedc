"""Verification never raises anything but a rejection, and never accepts what was not signed."""

from __future__ import annotations

import base64
from contextlib import nullcontext

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from causeway.webhooks.schemes import SCHEMES
from causeway.webhooks.sign import CannotSign, scheme_for, sign
from causeway.webhooks.verify import Rejected, SignedRequest, unusable, verify
from tests.support.signatures import CASES, NOW, TOLERANCE, with_header

cases = st.sampled_from(CASES)
any_text = st.text(alphabet=st.characters(), max_size=60)  # lone surrogates too, as JSON can bring them
digits = st.integers(-(10**18), 10**18).map(str)
signature_like = st.one_of(
    any_text,
    digits,
    st.binary(min_size=20, max_size=64).map(bytes.hex),
    st.binary(min_size=20, max_size=64).map(lambda raw: base64.b64encode(raw).decode()),
)
header_values = st.one_of(
    signature_like,
    st.builds(lambda sig: f"t={NOW:.0f},v1={sig}", signature_like),
    st.builds(lambda one, two: f"v1,{one} v1a,{two}", signature_like, signature_like),
    st.builds(
        lambda prefix, sig: prefix + sig,
        st.sampled_from(["sha256=", "sha1=", "v0=", "Basic "]),
        signature_like,
    ),
)
header_names = st.sampled_from(
    sorted({name for case in CASES for name in case.signed().headers} | {"host", "content-type"})
)
secrets = st.one_of(
    any_text, st.builds(str.__add__, st.sampled_from(["whsec_", "whpk_", "whsk_"]), signature_like)
)


@given(
    schemes=st.sampled_from([*SCHEMES.values(), *([case.scheme] for case in CASES)]),
    headers=st.dictionaries(header_names, header_values),
    body=st.binary(max_size=200),
    stored=st.lists(secrets, max_size=3),
    tolerance=st.floats(),
    now=st.floats(),
)
def test_whatever_comes_the_answer_is_a_rejection(*, schemes, headers, body, stored, tolerance, now):
    request = SignedRequest("POST", "", headers, body)
    unusable(schemes, stored)
    try:
        proof = verify(schemes, request, stored, tolerance=tolerance, now=now)
    except Rejected:
        return
    # Chance does not find a signature; only where the secret itself is sent can both be the same text.
    assert proof.scheme["algorithm"] in ("token", "basic")


@given(case=cases, body=st.binary(max_size=2000), now=st.floats(0, 4e9))
@example(case=CASES[0], body=b"", now=0.0)
def test_what_is_signed_is_verified_by_the_mirror(case, body, now):
    proof = case.verify(case.signed(body, now=now), now=now)
    assert proof.timestamp is None or abs(proof.timestamp - now) <= 1


@given(case=cases, data=st.data())
def test_a_changed_request_is_rejected(case, data):
    request = case.signed()
    signed = [name for name in request.headers if name == case.header]
    if case.covers_body and data.draw(st.booleans()):
        body = data.draw(st.binary(max_size=100))
        changed = request._replace(body=body)
    else:
        name = data.draw(st.sampled_from(signed))
        value = request.headers[name]
        at = data.draw(st.integers(0, len(value) - 1))
        changed = with_header(request, name, value[:at] + data.draw(st.characters()) + value[at + 1 :])
    if changed == request:
        return
    try:
        case.verify(changed)
    except Rejected:
        return
    raise AssertionError(changed)


@given(case=cases, offset=st.floats(allow_nan=False, min_value=-1e6, max_value=1e6))
def test_a_timestamp_holds_for_the_tolerance_and_no_longer(case, offset):
    if "timestamp" not in case.scheme:
        return
    within = abs(NOW + offset - NOW) <= TOLERANCE
    with nullcontext() if within else pytest.raises(Rejected, match="timestamp"):
        case.verify(case.signed(), now=NOW + offset)


@given(schemes=st.sampled_from(list(SCHEMES.values())), secret=secrets, identity=any_text)
def test_signing_works_or_says_that_it_cannot(schemes, secret, identity):
    said = ""
    try:
        sign(
            scheme_for(schemes, secret),
            body=b"{}",
            secret=secret,
            id=identity,
            now=NOW,
            url="https://hooks.example.com",
        )
    except CannotSign as error:
        said = str(error)
    assert len(secret) < 12 or secret not in said
