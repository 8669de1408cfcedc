"""Messages of a large page go out over several connections; all of them, or it fails."""

import threading

import pytest

from causeway.polling.lanes import LANES, Lanes
from causeway.queueing.sending import NotQueued


class Store:
    def __init__(self, refuses=None):
        self.sent, self.threads, self.refuses = [], set(), refuses

    def send(self, messages):
        if self.refuses in messages:
            raise NotQueued("no")
        self.sent.append(list(messages))
        self.threads.add(threading.get_ident())


@pytest.mark.parametrize(("count", "parts"), [(1, 1), (50, 1), (51, 2), (400, LANES), (1003, LANES)])
def test_every_message_is_sent_once_and_in_its_place(count, parts):
    store = Store()
    Lanes(store).send(range(count))
    assert len(store.sent) == parts
    assert sorted(each for part in store.sent for each in part) == list(range(count))
    if parts == 1:
        assert store.threads == {threading.get_ident()}


def test_what_one_part_comes_to_the_whole_does():
    store = Store(refuses=399)
    with pytest.raises(NotQueued):
        Lanes(store).send(range(400))
    assert sum(len(part) for part in store.sent) == 350
