"""What many threads ask for at once is read by one of them."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from causeway.watching.once import once


class Read:
    def __init__(self, *, fails=False):
        self.reads = 0
        self.fails = fails
        self.together = threading.Barrier(8, timeout=20)

    @once
    def value(self):
        """What there is."""
        self.reads += 1
        if self.fails:
            raise ValueError("no")
        return 0

    def ask(self):
        self.together.wait(10)
        return self.value


def test_it_is_read_once_though_eight_ask_at_once_and_though_it_is_false():
    read = Read()
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda _: read.ask(), range(8))) == [0] * 8
    assert read.reads == 1


def test_who_fails_fails_for_all():
    read = Read(fails=True)
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(read.ask) for _ in range(8)]
    for each in asked:
        with pytest.raises(ValueError, match="no"):
            each.result()
    assert read.reads == 1


def test_each_object_reads_for_itself():
    first, second = Read(), Read()
    assert (first.value, second.value) == (0, 0)
    assert (first.reads, second.reads) == (1, 1)
    assert Read.value.__doc__ == "What there is."
