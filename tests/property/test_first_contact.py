"""What must hold of first contacts, whatever anybody sends."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from causeway.webhooks.handshakes import HANDSHAKES, Contact, Keys, Unwelcome, could_be_asked_for, meet
from causeway.webhooks.patterns import SignedRequest

PLACES = [
    place
    for each in HANDSHAKES.values()
    for handshake in each
    for place in (*handshake.where, handshake.takes, handshake.knows, handshake.without)
    if place
]
NAMES = sorted({place.partition(":")[2] or place for place in PLACES})
VALUES = st.text() | st.sampled_from(["subscribe", "a" * 40, "0" * 20, "142", "abc\r\nx: y", "<script>"])
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | VALUES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3),
    max_leaves=8,
)
QUERIES = (
    st.lists(st.tuples(st.sampled_from(NAMES), VALUES), max_size=4).map(
        lambda pairs: "&".join(f"{name}={value}" for name, value in pairs)
    )
    | st.text()
)
BODIES = st.binary() | JSON_VALUES.map(lambda value: json.dumps(value).encode()) | QUERIES.map(str.encode)
CONTENT_TYPES = st.sampled_from(["application/json", "application/x-www-form-urlencoded", "", "text/plain"])


@st.composite
def contacts(draw):
    headers = draw(st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=3))
    request = SignedRequest(
        draw(st.sampled_from(["GET", "HEAD", "POST", "PUT"])),
        "",
        {"content-type": draw(CONTENT_TYPES), **headers},
        draw(BODIES),
    )
    return Contact(request, draw(QUERIES), draw(JSON_VALUES))


@pytest.mark.parametrize("name", HANDSHAKES)
@given(contact=contacts(), signed=st.booleans(), secret=VALUES, token=VALUES)
def test_an_answer_is_one_of_the_tables_and_cannot_be_taken_for_more(name, contact, signed, secret, token):
    could_be_asked_for(name, contact)
    try:
        met = meet(name, contact, Keys(secret, [token]), signed=signed)
    except Unwelcome:
        return
    if met is None:
        return
    assert met.handshake in HANDSHAKES[name]
    assert met.handshake.signed == signed
    assert met.handshake.method == contact.request.method
    assert met.reply["status"] == met.handshake.status
    for value in met.reply["headers"].values():
        assert value.isascii()
        assert value.isprintable()
    kind = met.reply["headers"].get("content-type")
    if met.reply["body"]:
        assert kind in ("text/plain", "application/json")
    if kind == "application/json" and met.reply["body"]:
        json.loads(met.reply["body"])
    if kind == "text/plain":
        assert met.reply["headers"]["x-content-type-options"] == "nosniff"
