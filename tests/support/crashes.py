"""Cutting a function off between any two of its effects.

Everything that a function does to the world goes through :class:`Effects`: each AWS call and each request to a
target is one effect, and before or after any of them the process can end, as Lambda ends one: nothing that comes
later in it happens, in no thread. A new invocation is a new process.
"""

from __future__ import annotations

import threading
import time

import pytest


class Crash(BaseException):
    """The process has ended; nothing may handle that."""


class Effects:
    """Counts effects, and ends the process at some of them.

    Args:
        crash_at: Numbers of effects, from 0, with which the process ends.
        after: The effect still happens, and only its answer is lost.
    """

    def __init__(self, crash_at=(), *, after=False):
        self.crash_at = set(crash_at)
        self.after = after
        self.seen = []
        self.crashes = 0
        self.poison = _harmless
        self.pause = 0.0  # real seconds before each request, so that other threads get on first
        self._dead = False
        self._lock = threading.Lock()

    def restart(self):
        """A new process."""
        self._dead = False

    def wrap(self, thing):
        """The same thing, with its effects counted."""
        return _Wrapped(thing, self)

    def happen(self, name, effect, arguments):
        if name == "exchange":
            time.sleep(self.pause)
        with self._lock:
            if self._dead:
                raise Crash
            number = len(self.seen)
            self.seen.append(name)
            ends = number in self.crash_at or self.poison(name, arguments)
            if ends:
                self._dead = True
                self.crashes += 1
            if ends and not self.after:
                raise Crash
            result = effect(*arguments[0], **arguments[1])
            if ends:
                raise Crash
            return result


def _harmless(name, arguments):
    return False


class _Wrapped:
    def __init__(self, thing, effects):
        self._thing = thing
        self._effects = effects

    def __getattr__(self, name):
        effect = getattr(self._thing, name)
        if name not in ("call", "put_object", "get_object", "exchange"):
            return effect

        def happen(*arguments, **named):
            label = ".".join((name, *(each for each in arguments[:2] if isinstance(each, str))))
            return self._effects.happen(label, effect, (arguments, named))

        return happen


def until_quiet(stage, effects, **named):
    """Until nothing is left to be done; each invocation of a function is a new process."""
    for name in ("invoke", "schedule"):
        function = getattr(type(stage), name)

        def restarted(*arguments, function=function, **named):
            effects.restart()
            return function(stage, *arguments, **named)

        setattr(stage, name, restarted)
    stage.until_quiet(crash=(Crash,), **named)
    del stage.invoke, stage.schedule


def crash_points(clean, *, in_order=True):
    """Of scenarios, by name, and the effects that they have when nothing is cut off: each place where it can be.

    Where threads have effects side by side there is no order to name them by, only how many there are.
    """
    return [
        pytest.param(
            name, number, after, id=" ".join((f"{name}:", when, str(number), *([effect] * in_order)))
        )
        for name, effects in clean.items()
        for number, effect in enumerate(effects.seen)
        for after, when in ((False, "before"), (True, "after"))
    ]
