import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from causeway.queueing.messages import UnreadableMessageError, decode, encode, new_acceptance
from tests.support.messages import message

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=[])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def without(*names):
    return {name: value for name, value in message().items() if name not in names}


@given(json_values)
def test_a_message_is_read_as_it_was_written_and_has_no_character_that_sqs_refuses(data):
    body = encode(message(event={"data": data}))
    assert decode(body) == message(event={"data": data})
    assert body.isascii()
    assert body.isprintable()


@pytest.mark.parametrize("number", [0, 1])
def test_the_format_of_this_version_and_the_one_before_are_read(number):
    assert decode(json.dumps(message(format=number)))["format"] == number


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[]", "not a JSON object"),
        ("{}", "has format None"),
        (json.dumps(message(format=2)), "has format 2, this version reads 0 and 1"),
        (json.dumps(message(format="1")), "has format '1'"),
        (
            json.dumps(without("ticket", "system")),
            "missing or of the wrong type in the message: system, ticket",
        ),
        (json.dumps(message(accepted_at="now")), "accepted_at"),
        (json.dumps(message(event="e")), "event"),
        (json.dumps(without("event")), "exactly one of event and event_at"),
        (json.dumps(message() | {"event_at": "journal"}), "exactly one of event and event_at"),
    ],
)
def test_what_is_no_message_is_refused_with_the_reason(body, reason):
    with pytest.raises(UnreadableMessageError, match=reason):
        decode(body)


@given(st.text() | json_values.map(json.dumps))
def test_whatever_is_on_the_queue_is_a_message_or_refused(body):
    with pytest.raises(UnreadableMessageError):
        decode(body)


def test_no_two_acceptances_have_the_same_name():
    assert len({new_acceptance() for _ in range(1000)}) == 1000
