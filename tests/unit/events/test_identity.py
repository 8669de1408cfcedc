"""The identity of a delivery."""

from __future__ import annotations

import hashlib

from causeway.events.identity import delivery_id


def test_it_is_the_first_32_hex_digits_of_sha256_over_system_event_and_integration():
    expected = hashlib.sha256(b"shop\nevt_1\norders-to-ledger").hexdigest()[:32]
    assert delivery_id("shop", "evt_1", "orders-to-ledger") == expected


def test_each_part_matters():
    ids = {
        delivery_id("shop", "evt_1", "a"),
        delivery_id("bank", "evt_1", "a"),
        delivery_id("shop", "evt_2", "a"),
        delivery_id("shop", "evt_1", "b"),
    }
    assert len(ids) == 4


def test_an_id_with_half_a_surrogate_pair_has_an_identity_too():
    r"""JSON can hold "\ud83d" alone, and a signed event must not crash the function that receives it."""
    assert delivery_id("shop", "\ud83d", "a") != delivery_id("shop", "\ud83e", "a")
