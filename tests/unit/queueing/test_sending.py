"""Batches are as large as a service takes, and hold everything in its order."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from causeway.queueing import queue, stream
from causeway.queueing.sending import batches


@pytest.mark.parametrize("bounds", [queue.BOUNDS, stream.BOUNDS], ids=["queue", "stream"])
@given(data=st.data())
def test_batches_keep_order_and_the_bounds(bounds, data):
    sizes = data.draw(st.lists(st.integers(1, 2 * bounds.each), max_size=3 * bounds.entries // 2))
    entries = [({"number": number}, size) for number, size in enumerate(sizes)]
    found = list(batches(entries, bounds))
    assert [entry for batch in found for entry in batch] == entries
    for batch in found:
        assert 1 <= len(batch) <= bounds.entries
        assert len(batch) == 1 or sum(size for _, size in batch) <= bounds.together
    for batch, following in itertools.pairwise(found):
        room = bounds.together - sum(size for _, size in batch)
        assert len(batch) == bounds.entries or following[0][1] > room
