"""Every version of every record, exactly once, whatever happens while it is read.

An API that changes while it is paged through (ties, rows that are committed late, updates of what was just read), that
answers 429 with Retry-After, 500 and nothing at all, two ticks at once, and a process that is ended between any two of
its effects. Seeded, so that what fails once fails again:

    python -m tests.chaos.test_polling --records 50000 --runs 6
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections import Counter

import pytest

from tests.support.crashes import Crash, Effects
from tests.support.polling import DELIVERIES, PAGINATE, PollStage, plan_with

LATE = 120
"""Seconds by which rows are committed late; the poll looks back further."""

CURSOR = {"field": "updated_at", "param": "since", "start": "2023-01-01T00:00:00Z", "lookback": "5m"}


class Trouble:
    """What goes wrong with an API and with us, by dice."""

    def __init__(self, stage, effects, seed, *, records, runs, share=0.1):
        self.stage, self.effects = stage, effects
        self.api = stage.api
        self.dice = random.Random(seed)
        self.records, self.runs, self.share = records, runs, share
        self.api.before, self.api.after = self.answer, self.change
        self.counts = Counter()
        self.spent = 0  # changes while pages are read, of this run

    def answer(self, _):
        """Now and then something else than a page."""
        if self.dice.random() > self.share:
            return None
        kind = self.dice.choice(["429", "500", "503", "timeout", "connection"])
        self.counts[kind] += 1
        if kind in ("timeout", "connection"):
            return kind
        return int(kind), {"retry-after": str(self.dice.randint(1, 4))} if kind == "429" else {}

    def change(self, *_):
        """Change rows that were read before this page: those whose version is on the queue already."""
        queued = self.known()
        for _ in range(self.dice.choice([0, 0, 1, 2])):
            if self.spent >= self.records // 20 or not queued:
                return
            id_, version = self.dice.choice(queued)
            if self.api.rows[id_].version == version:
                self.counts["changed while read"] += 1
                self.spent += 1
                self.api.put(id_)

    def known(self):
        """Some of the versions that have been queued."""
        queue = self.stage.memory.queues[DELIVERIES]
        some = [json.loads(self.dice.choice(queue).body)["event"]["data"] for _ in range(4 if queue else 0)]
        return [(data["id"], data["version"]) for data in some]

    def commit(self, first, last):
        """New rows of the minutes before the next slot: many at the same second, and some that show late."""
        now = self.stage.clock.now()
        for number in range(first, last):
            at = now + self.dice.randrange(0, 590, 7)
            late = self.dice.choice([0, 0, 0, self.dice.uniform(0, LATE)])
            self.counts["late"] += late > 0
            self.api.put(f"r{number:06}", at=at, late=max(0.0, late))

    def carry_out(self):
        """So many slots, and some quiet ones at the end, in which what was late is read."""
        each = self.records // self.runs
        for run in range(self.runs):
            self.commit(run * each, (run + 1) * each)
            self.spent = 0
            self.slot()
        self.api.after = lambda *_: None
        self.share = 0.0
        self.effects.crash_at = set()
        for _ in range(3):
            self.slot()

    def slot(self):
        stage = self.stage
        stage.clock.set((stage.clock.now() // 600 + 1) * 600 + 1)
        until = stage.clock.now() + 590
        while stage.clock.now() < until:
            self.guarded(stage.minute)
            self.guarded(stage.minute)  # the scheduler runs twice
            while stage.clock.now() < until and self.guarded(self.invoke):
                pass
            stage.clock.advance(60)

    def invoke(self):
        if self.share and self.dice.random() < 0.5:
            self.effects.crash_at = {len(self.effects.seen) + self.dice.randrange(120)}
            self.effects.after = self.dice.random() < 0.5
        return self.stage.invoke()

    def guarded(self, function):
        self.effects.restart()
        try:
            return function()
        except Crash:
            self.counts["cut off"] += 1
            self.stage.deploy(self.stage.tools.plan)  # a new process: nothing in memory is left
            return True
        finally:
            self.effects.restart()


def troubled(seed, *, paging="link", records=480, runs=6, size=20, poll=None, **changes):
    effects = Effects()
    cursor = CURSOR | changes.pop("cursor", {})
    paginate = PAGINATE[paging]
    if paging == "offset":
        paginate = {"offset": "offset", "limit": size}
    plan = plan_with(poll, cursor=cursor, paginate=paginate, **changes)
    stage = PollStage(plan, wrap=effects.wrap, paging=paging, size=size)
    trouble = Trouble(stage, effects, seed, records=records, runs=runs)
    trouble.carry_out()
    return stage, trouble


def check(stage, trouble):
    """Downstream each delivery is carried out once, whatever stands on the queue twice: the journal sees to that."""
    deliveries = {message["delivery"]: message["event"] for message in stage.queued()}
    downstream = Counter((event["data"]["id"], event["data"]["version"]) for event in deliveries.values())
    assert downstream - stage.api.versions == Counter()
    assert stage.api.versions - downstream == Counter(), "versions that nobody got"
    assert set(downstream.values()) == {1}
    assert "open" not in stage.state()


@pytest.mark.parametrize("paging", ["link", "cursor", "page", "offset"])
@pytest.mark.parametrize("seed", range(2))
def test_every_version_of_every_record_arrives_exactly_once(paging, seed):
    stage, trouble = troubled(seed, paging=paging)
    check(stage, trouble)
    again = len(stage.queued()) - len(stage.api.versions)
    assert again <= (trouble.counts["cut off"] + 1) * 2 * stage.api.size, (
        "repeats are dropped before they are queued"
    )


def main():
    parser = argparse.ArgumentParser(description="The same at full size.")
    parser.add_argument("--records", type=int, default=50_000)
    parser.add_argument("--runs", type=int, default=6)
    parser.add_argument("--size", type=int, default=250)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--paging", choices=[*PAGINATE], default="link")
    arguments = parser.parse_args()
    begun = time.monotonic()
    stage, trouble = troubled(
        arguments.seed,
        paging=arguments.paging,
        records=arguments.records,
        runs=arguments.runs,
        size=arguments.size,
    )
    check(stage, trouble)
    versions = len(stage.api.versions)
    print(  # noqa: T201 - a program, when it is run
        f"{versions} versions of {len(stage.api.rows)} records, each exactly once; {len(stage.queued()) - versions} "
        f"queued again, {len(stage.api.requests)} requests, {stage.invocations} invocations, {dict(trouble.counts)}, "
        f"{time.monotonic() - begun:.1f} s"
    )


if __name__ == "__main__":
    main()
