"""Processes beside one another, one effect at a time: a seed decides who is next, and who is cut off.

Real code runs in threads of which one works at any moment. Before each of its effects (a call of AWS, a request to a
target) it stands back, and whoever the seed says goes on; time moves when all sleep. So what a seed shows it shows
again, and between any two effects of one process anything may happen in another, or it ends there.
"""

from __future__ import annotations

import random
import threading
from types import SimpleNamespace

from causeway.aws.client import AwsError
from tests.support.crashes import Crash

STALLS_ONE_IN = 100
"""Effects, before one of which a process stands still for seconds."""

EFFECTS = ("call", "put_object", "get_object", "exchange")


class Ended(BaseException):
    """The simulation is over."""


class Interleaving:
    """The order of what happens, and the clock.

    Args:
        seed: Decides.
        now: When it begins.
    """

    def __init__(self, seed, now):
        self.dice = random.Random(seed)
        self.kills = 0
        self.kill_at_most = 0
        self.kill_one_in = 40  # effects
        self.faults = 0
        self.fault_at_most = 0
        self.fault_one_in = 30  # calls of AWS
        self._now = now
        self._threads = []
        self._current = None
        self._back = threading.Semaphore(0)

    def now(self):
        return self._now

    def advance(self, seconds):
        """What takes time takes it from whoever does it."""
        self.sleep(seconds)

    def sleep(self, seconds):
        if self._current is None:
            self._now += seconds
        elif seconds > 0:
            self._current.stand_back(until=self._now + seconds)

    def start(self, function):
        """Let a function run beside the others, from the next :meth:`run` on."""
        self._threads.append(_Thread(self, function))

    def run(self, until):
        """Let all go on until a time."""
        while self._now < until:
            self._threads = [each for each in self._threads if not each.over]
            ready = [each for each in self._threads if each.wakes <= self._now]
            if ready:
                self._step(self.dice.choice(ready))
            else:
                self._now = min([until, *(each.wakes for each in self._threads)])

    def end(self):
        """Nobody goes on."""
        for each in self._threads:
            each.ended = True
            while not each.over:
                self._step(each)

    def process(self):
        """A new process, which ends when it is cut off."""
        return Process(self)

    def stand_in(self, put, *modules):
        """Let what these modules do in pools of threads be done by the one who asks for it."""
        for module in modules:
            put(module, "ThreadPoolExecutor", InTurn)

    def _step(self, thread):
        self._current = thread
        thread.go.release()
        self._back.acquire()
        self._current = None
        if thread.failure is not None:
            raise thread.failure


class _Thread:
    def __init__(self, interleaving, function):
        self.wakes = interleaving.now()
        self.go = threading.Semaphore(0)
        self.over = self.ended = False
        self.failure = None
        self._interleaving = interleaving
        self._function = function
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        self.go.acquire()
        try:
            if not self.ended:
                self._function()
        except Ended:
            pass
        except BaseException as error:  # noqa: BLE001 - raised where the simulation runs
            self.failure = error
        self.over = True
        self._interleaving._back.release()

    def stand_back(self, until):
        self.wakes = until
        self._interleaving._back.release()
        self.go.acquire()
        if self.ended:
            raise Ended


class Process:
    """One process: what it does to the world goes through :meth:`wrap`."""

    def __init__(self, interleaving):
        self._interleaving = interleaving
        self.ends_at = float("inf")  # as Lambda ends an invocation whose time is up
        self.is_safe = False  # it is not cut off, and AWS answers it
        self._dead = False

    def wrap(self, thing):
        """The same thing, before whose effects others may go on, and with any of which the process may end."""
        return _Wrapped(thing, self)

    def happen(self, name, effect, arguments, named):
        interleaving = self._interleaving
        interleaving._current.stand_back(until=interleaving.now())
        if self._strikes(1, STALLS_ONE_IN):
            interleaving.sleep(interleaving.dice.uniform(1.0, 20.0))
        if self._dead or interleaving.now() >= self.ends_at:
            self._dead = True
            raise Crash
        dice = interleaving.dice
        if self._strikes(interleaving.kill_at_most - interleaving.kills, interleaving.kill_one_in):
            self._dead = True
            interleaving.kills += 1
            if dice.random() < 0.5:  # it still happens, and only its answer is lost
                effect(*arguments, **named)
            raise Crash
        faults_left = interleaving.fault_at_most - interleaving.faults
        if name != "exchange" and self._strikes(faults_left, interleaving.fault_one_in):
            interleaving.faults += 1
            return dice.choice([_refuse, _answer_nothing, _answer_the_second_try])(effect, arguments, named)
        return effect(*arguments, **named)

    def _strikes(self, left, one_in):
        return not self.is_safe and left > 0 and self._interleaving.dice.random() * one_in < 1


def _refuse(*_):
    raise AwsError("ThrottlingException", "", 400)


def _answer_nothing(effect, arguments, named):
    """It was done, but nobody hears of it."""
    effect(*arguments, **named)
    raise AwsError("NoAnswer", "", 0, maybe_done=True)


def _answer_the_second_try(effect, arguments, named):
    """The first one was done, too, but its answer was lost."""
    effect(*arguments, **named)
    try:
        return effect(*arguments, **named)
    except AwsError as error:
        error.maybe_done = True
        raise


class _Wrapped:
    def __init__(self, thing, process):
        self._thing = thing
        self._process = process

    def __getattr__(self, name):
        found = getattr(self._thing, name)
        if name not in EFFECTS:
            return found
        return lambda *arguments, **named: self._process.happen(name, found, arguments, named)


class InTurn:
    """A pool of threads that has none."""

    def __init__(self, workers):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return False

    def submit(self, function, *arguments, **named):
        result = function(*arguments, **named)
        return SimpleNamespace(result=lambda: result)

    def map(self, function, *iterables):
        return [function(*each) for each in zip(*iterables, strict=False)]
