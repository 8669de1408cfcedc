"""What people read: subjects that SNS takes, spans and counts in words, every owner by the right address."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from causeway.watching.finding import LEVELS, Finding
from causeway.watching.owners import address_of, owners_of
from causeway.watching.spans import count, span
from causeway.watching.standing import step
from causeway.watching.words import SUBJECT, Recipient, Words
from tests.support.deliveries import plan_of

WORDS = Words(plan_of(), "https://api.example.com/console", "causeway-dev")


def message(finding, number=1):
    _, change = step(None, finding, 100.0, settles=0, remind=1)
    return WORDS.message([change] * number, Recipient("finance@example.com", "finance"), 200.0)


@given(
    what=st.text(max_size=300),
    subject=st.text(min_size=1, max_size=60),
    level=st.sampled_from(LEVELS[1:]),
    number=st.integers(1, 30),
)
def test_a_subject_is_one_line_of_ascii_under_100_characters_whatever_it_is_about(
    what, subject, level, number
):
    finding = Finding(
        check="late", subject=subject, level=level, what=what, integrations=("orders-to-ledger",)
    )
    said = message(finding, number)
    assert re.fullmatch(r"[!-~][ -~]*", said.subject)
    assert len(said.subject) <= SUBJECT < 100
    assert json.loads(said.chat)["source"] == "custom"


def test_a_message_stays_far_below_what_sns_takes():
    finding = Finding(
        check="late",
        subject="orders-to-ledger",
        level="critical",
        what="w" * 200,
        cause="c" * 300,
        next_step="n" * 300,
        integrations=tuple(f"integration-{number}" for number in range(100)),
    )
    said = message(finding, 500)
    assert len(said.text) + len(said.chat) * 4 < 256 * 1024


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (3661, "1 h 1 min"),
        (90000, "1 d 1 h"),
        (86460, "1 d"),
        (-5, "0 s"),
    ],
)
def test_a_span_is_its_two_largest_units(seconds, words):
    assert span(seconds) == words


@pytest.mark.parametrize(
    ("number", "noun", "words"),
    [(1, "delivery", "1 delivery"), (2, "delivery", "2 deliveries"), (3, "dead letter", "3 dead letters")],
)
def test_a_count_says_one_or_many(number, noun, words):
    assert count(number, noun) == words


def test_owners_are_found_by_their_address_however_it_is_written():
    plan = plan_of(owner={"team": "finance", "email": "Finance@Example.com"})
    assert list(owners_of(plan)) == [address_of("finance@example.com")]
