"""What every contestant of `benchmarks/poll.py` does around its read: measure it, and say it as JSON.

python CONTESTANT.py URL RECORDS SIZE
"""

import json
import resource
import sys
import time
from collections.abc import Callable, Iterable


def measure(read: Callable[[str, int], Iterable[object]], *, warm: bool = True) -> None:
    """Take all records, one after the other, and keep none of them.

    Args:
        read: the records of an API's list, in pages of a size.
        warm: make before what is made only once; not of what cannot be stopped after its first record.
    """
    url, expected, size = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    if warm:
        next(iter(read(url, size)))
    before, began, busy = peak(), time.perf_counter(), time.process_time()
    records = 0
    for _ in read(url, size):
        records += 1
    took, busy = time.perf_counter() - began, time.process_time() - busy
    assert records == expected, f"{records} of {expected} records"
    said = {"records": records, "seconds": took, "busy": busy, "before": before, "peak": peak()}
    print(json.dumps(said))


def peak() -> float:
    """The most memory that this process had so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
