"""Tickets: their order is that of their texts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from causeway.queueing.tickets import FIRST, Ticket

tickets = st.builds(Ticket, st.integers(0, 9999), st.integers(1, 999_999), st.integers(0, 9999))


@given(tickets, tickets)
def test_texts_compare_as_tickets_do(one, other):
    assert (one < other) == (str(one) < str(other))


@given(tickets)
def test_a_ticket_is_read_as_it_is_written(ticket):
    assert Ticket.parse(str(ticket)) == ticket


@given(tickets)
def test_a_chain_is_below_its_tickets_and_above_all_before(ticket):
    assert ticket.chain < str(ticket)
    assert str(Ticket(ticket.replay - 1, 999_999)) < ticket.chain or ticket.replay == 0


def test_the_next_attempt_keeps_the_replay_and_a_replay_starts_with_attempt_one():
    assert FIRST.next() == (0, 2, 0)
    assert FIRST.next().replayed() == (1, 1, 0)


def test_the_key_is_the_deliverys_id_until_a_replay_asks_for_one_of_its_own():
    keyed = FIRST.replayed().replayed(new_key=True)
    assert FIRST.replayed().key("id") == "id"
    assert (keyed.key("id"), keyed.next().key("id"), keyed.replayed().key("id")) == ("id-2",) * 3
    assert keyed.replayed(new_key=True).key("id") == "id-3"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1.1",
        "0000.000001.",
        "0000.000001.001",
        "0000.00001",
        "0000.0000001",
        "0000-000001",
        "0000.000001 ",
        "\u0661000.000001",
    ],
)
def test_what_is_no_ticket_is_refused(text):
    with pytest.raises(ValueError, match="is not a ticket"):
        Ticket.parse(text)
