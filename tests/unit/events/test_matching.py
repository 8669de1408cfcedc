"""Globs over event types."""

from __future__ import annotations

import time

import pytest

from causeway.events.matching import matches


@pytest.mark.parametrize(
    ("glob", "event_type", "expected"),
    [
        ("orders/paid", "orders/paid", True),
        ("orders/paid", "orders/paid/now", False),
        ("orders/*", "orders/paid", True),
        ("orders/*", "orders/", True),
        ("orders/*", "orders/paid/now", True),
        ("invoice.*", "invoice.payment_failed", True),
        ("invoice.*", "invoiceXpaid", False),
        ("*", "", True),
        ("*", "line\nbreak", True),
        ("v?", "v1", True),
        ("v?", "v12", False),
        ("Orders/*", "orders/paid", False),
        ("a[bc]", "a[bc]", True),
        ("a[bc]", "ab", False),
        ("a[!b", "a[!b", True),
        ("a+", "aa", False),
    ],
)
def test_star_and_question_mark_are_wild_and_everything_else_is_itself(glob, event_type, expected):
    assert matches([glob], event_type) is expected


def test_any_of_the_globs_will_do_and_none_matches_nothing():
    assert matches(["refunds/*", "orders/*"], "orders/paid")
    assert not matches([], "orders/paid")


def test_many_stars_do_not_make_it_slow():
    began = time.perf_counter()
    assert not matches(["*a" * 30 + "b"], "a" * 5000)
    assert time.perf_counter() - began < 1
