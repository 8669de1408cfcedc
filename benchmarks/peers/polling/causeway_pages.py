"""Causeway's reading of pages alone: records as they come, as the peers' clients give them."""

import sys
import time
from pathlib import Path

from measuring import measure

sys.path.insert(0, str(Path(__file__).parents[3]))

from benchmarks.support.polled_map import poll_of
from causeway.calls.caller import Caller
from causeway.polling.fetching import fetch
from causeway.polling.paging import first_request, next_request
from causeway.polling.windows import first, window_of
from causeway.settings.clock import SystemClock


def read(url, size):
    plan, poll = poll_of(url, size)
    caller, now = Caller(plan, None, SystemClock()), time.time()
    window = window_of(poll, first(poll, now), now)
    request = first_request(poll, window)
    while request:
        page = fetch(caller, poll, request, window, headers={}, deadline=time.time() + 60)
        yield from page.records
        request = next_request(poll, request, page.answer, page.records)


measure(read)
