"""Gathering: what deliveries of one invocation do together."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from causeway.delivery.gathering import Gathering


class Meeting:
    """Members in threads of their own; each comes with its name, or leaves."""

    def __init__(self, *members, at_once=10, effect=None):
        self.gathering = Gathering(members, at_once=at_once)
        self.done = []
        self.effect = effect or (lambda items: [None] * len(items))
        self.pool = ThreadPoolExecutor(10)

    def come(self, integration, record, *, patience=20):
        def effect(items):
            self.done.append(sorted(items))
            return self.effect(items)

        return self.pool.submit(
            self.gathering.together, integration, record, record, effect, patience=patience
        )


def test_what_all_bring_is_done_once():
    meeting = Meeting(("a", "1"), ("a", "2"), ("a", "3"))
    futures = [meeting.come("a", record) for record in "123"]
    assert [future.result(20) for future in futures] == [None] * 3
    assert meeting.done == [["1", "2", "3"]]


def test_nobody_waits_for_who_has_left_and_leaving_twice_is_harmless():
    meeting = Meeting(("a", "1"), ("a", "2"), ("a", "3"))
    first = meeting.come("a", "1")
    meeting.gathering.left("a", "2")
    meeting.gathering.left("a", "2")
    assert not first.done()
    meeting.gathering.left("a", "3")
    first.result(20)
    meeting.gathering.left("a", "1")
    assert meeting.done == [["1"]]


def test_integrations_do_not_wait_for_each_other():
    meeting = Meeting(("a", "1"), ("b", "2"))
    meeting.come("a", "1").result(20)
    assert meeting.done == [["1"]]
    meeting.come("b", "2").result(20)
    assert meeting.done == [["1"], ["2"]]


def test_who_comes_after_the_others_is_alone():
    """As a delivery that was cut off before, which runs after all others of its batch."""
    meeting = Meeting(("a", "1"))
    meeting.gathering.left("a", "1")
    meeting.come("a", "1").result(20)
    assert meeting.done == [["1"]]


def test_when_all_threads_wait_nobody_else_can_come():
    meeting = Meeting(*(("a", str(number)) for number in range(5)), ("b", "x"), at_once=3)
    futures = [meeting.come("a", "0"), meeting.come("a", "1"), meeting.come("b", "x")]
    for future in futures:
        future.result(20)
    assert sorted(record for records in meeting.done for record in records) == ["0", "1", "x"]


def test_who_waits_too_long_goes_ahead():
    meeting = Meeting(("a", "1"), ("a", "slow"))
    meeting.come("a", "1", patience=0.01).result(20)
    assert meeting.done == [["1"]]
    meeting.come("a", "slow").result(20)
    assert meeting.done == [["1"], ["slow"]]


def test_each_has_its_own_failure():
    meeting = Meeting(
        ("a", "1"),
        ("a", "2"),
        effect=lambda items: [ValueError(each) if each == "2" else None for each in items],
    )
    first, second = meeting.come("a", "1"), meeting.come("a", "2")
    assert first.result(20) is None
    with pytest.raises(ValueError, match="2"):
        second.result(20)


def test_what_nobody_expected_is_everybodys_failure():
    def broken(_):
        raise KeyError("oops")

    meeting = Meeting(("a", "1"), ("a", "2"), effect=broken)
    for future in [meeting.come("a", "1"), meeting.come("a", "2")]:
        with pytest.raises(KeyError, match="oops"):
            future.result(20)


def test_many_that_come_and_leave_at_random_are_all_done_once():
    members = [(integration, f"{integration}{number}") for integration in "abc" for number in range(40)]
    meeting = Meeting(*members)
    begun = threading.Barrier(10, timeout=20)

    def work(share):
        begun.wait(20)
        for integration, record in share:
            if hash(record) % 3:
                meeting.gathering.together(
                    integration,
                    record,
                    record,
                    lambda items: meeting.done.append(items) or [None] * len(items),
                    patience=0.05,
                )
            meeting.gathering.left(integration, record)

    list(meeting.pool.map(work, [members[start::10] for start in range(10)]))
    came = [record for records in meeting.done for record in records]
    assert sorted(came) == sorted(record for _, record in members if hash(record) % 3)
