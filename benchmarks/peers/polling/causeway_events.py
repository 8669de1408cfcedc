"""Causeway's reading: pages to events, with their ids, their place in the cursor, and what was seen before.

Nothing is stored and nothing sent, as the peers do it, too.
"""

import sys
import time
from pathlib import Path

from measuring import measure

sys.path.insert(0, str(Path(__file__).parents[3]))

from benchmarks.support.polled_map import poll_of
from causeway.calls.caller import Caller
from causeway.polling.fetching import fetch
from causeway.polling.runs import begin
from causeway.polling.turning import turn_of
from causeway.polling.windows import first
from causeway.settings.clock import SystemClock


def read(url, size):
    plan, poll = poll_of(url, size)
    caller, now = Caller(plan, None, SystemClock()), time.time()
    state = begin(poll, {"run": 0, "slot": 0.0, "stored": first(poll, now)}, slot=now, now=now)
    while "open" in state:
        run = state["open"]
        page = fetch(caller, poll, run["request"], run["window"], headers={}, deadline=time.time() + 60)
        turn, _ = turn_of(poll, state, page, {"seen": set(), "previous": {}, "met": {}}, now=now)
        state = turn["after"]
        yield from turn["events"]


measure(read)
