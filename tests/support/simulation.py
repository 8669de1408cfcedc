"""Instances that run beside one another in simulated time: real code, real threads, no real waiting.

Time stands still while any thread works, and moves on to the earliest moment that somebody sleeps for when all do. So
a simulation is as exact as if code took no time, however slow the machine is.
"""

from __future__ import annotations

import heapq
import itertools
import threading
from concurrent.futures import ALL_COMPLETED, FIRST_COMPLETED
from concurrent.futures._base import DoneAndNotDoneFutures
from types import SimpleNamespace


class SimulatedClock:
    """A clock for threads that :meth:`run` starts, and for the pools that they make with :meth:`pool`."""

    def __init__(self, now):
        self._now = now
        self._changed = threading.Condition(threading.RLock())
        self._working = 0
        self._sleeping = []
        self._numbers = itertools.count()
        self._failures = []

    def now(self):
        return self._now

    def advance(self, seconds):
        """What takes time takes it from the thread that does it."""
        self.sleep(seconds)

    def sleep(self, seconds):
        if seconds <= 0:
            return
        woken = threading.Event()
        with self._changed:
            heapq.heappush(self._sleeping, (self._now + seconds, next(self._numbers), woken))
            self._stop()
        woken.wait()

    def run(self, *functions):
        """Run these beside one another; return what they return."""
        results = [None] * len(functions)
        with self._changed:
            threads = [self._thread(results, place, function, ()) for place, function in enumerate(functions)]
            self._working += len(threads)
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(600)
            assert not thread.is_alive(), "the simulation hangs"
        if self._failures:
            raise self._failures[0]
        return results

    def stand_in(self, processor, meanwhile, put=setattr):
        """Let the processor's threads be simulated ones."""
        put(processor, "ThreadPoolExecutor", self.pool)
        put(meanwhile, "ThreadPoolExecutor", self.executor)
        put(meanwhile, "wait", self.wait)

    def pool(self, workers):
        """A stand-in for a ThreadPoolExecutor, whose threads are simulated."""
        return _Pool(self, workers)

    def executor(self, workers):  # noqa: ARG002 - there are enough
        """A stand-in for a ThreadPoolExecutor that begins at once; with :meth:`wait` for its futures."""
        return _Executor(self)

    def wait(self, futures, timeout=None, return_when=ALL_COMPLETED):
        """A stand-in for concurrent.futures.wait."""
        futures = set(futures)
        until = self._now + timeout
        while True:
            with self._changed:
                done = {each for each in futures if each.done}
                enough = done if return_when == FIRST_COMPLETED else done == futures
                if enough or self._now >= until:
                    return DoneAndNotDoneFutures(done, futures - done)
                woken = threading.Event()
                for each in futures - done:
                    each.waiters.append(woken)
                heapq.heappush(self._sleeping, (until, next(self._numbers), woken))
                self._stop()
            woken.wait()

    def _wake(self, woken):
        """Whoever waits works again, unless it does already."""
        if not woken.is_set():
            self._working += 1
            woken.set()

    def _thread(self, results, place, function, arguments):
        def run():
            try:
                results[place] = function(*arguments)
            except BaseException as error:  # noqa: BLE001 - told by whoever waits
                self._failures.append(error)
            finally:
                with self._changed:
                    self._stop()

        return threading.Thread(target=run, daemon=True)

    def _stop(self):
        """One thread fewer works; if it was the last one, time moves on."""
        self._working -= 1
        while self._working == 0 and self._sleeping:
            moment, _, woken = heapq.heappop(self._sleeping)
            if woken.is_set():
                continue
            self._now = max(self._now, moment)
            self._wake(woken)
            while self._sleeping and self._sleeping[0][0] <= self._now:
                self._wake(heapq.heappop(self._sleeping)[2])


class _Future:
    def __init__(self):
        self.done = False
        self.waiters = []
        self.outcome = lambda: None

    def result(self):
        assert self.done, "it was waited for"
        return self.outcome()


class _Executor:
    def __init__(self, clock):
        self._clock = clock
        self._futures = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        assert all(each.done for each in self._futures)

    def submit(self, function, *arguments):
        clock, future = self._clock, _Future()
        self._futures.append(future)

        def work():
            try:
                result = function(*arguments)
                future.outcome = lambda: result
            finally:
                with clock._changed:
                    future.done = True
                    for woken in future.waiters:
                        clock._wake(woken)

        with clock._changed:
            clock._working += 1
        clock._thread([None], 0, work, ()).start()
        return future


class _Pool:
    def __init__(self, clock, workers):
        self._clock = clock
        self._workers = workers
        self._submitted = []
        self._results = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return False

    def submit(self, function, item):
        """Begun with all the others when the first result is asked for."""
        self._submitted.append(item)
        place = len(self._submitted) - 1
        return SimpleNamespace(result=lambda: self._result(function, place))

    def _result(self, function, place):
        if self._results is None:
            self._results = self.map(function, self._submitted)
        return self._results[place]

    def map(self, function, items):
        """All at once, up to the number of workers; in the meantime the caller waits."""
        clock, todo = self._clock, list(enumerate(items))
        results = [None] * len(todo)
        done = threading.Event()
        workers = min(self._workers, len(todo))
        if not workers:
            return []
        left = [workers]

        def work():
            while True:
                with clock._changed:
                    if not todo:
                        break
                    place, item = todo.pop(0)
                results[place] = function(item)

        def worker():
            try:
                work()
            finally:
                with clock._changed:
                    left[0] -= 1
                    if not left[0]:  # the caller works again before this thread stops
                        clock._working += 1
                        done.set()

        threads = [clock._thread([None], 0, worker, ()) for _ in range(workers)]
        with clock._changed:
            clock._working += workers - 1  # the caller waits
        for thread in threads:
            thread.start()
        done.wait()
        return results
