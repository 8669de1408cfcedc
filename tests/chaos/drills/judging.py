"""What must hold of a drill, by what was heard. Pure functions: each rule yields what was expected, and what came."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from causeway.watching.owners import OPERATOR

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tests.chaos.drills.expected import Drill
    from tests.chaos.drills.hearing import Message
    from tests.support.alarms import Change, State


@dataclass
class Evidence:
    """What there is to judge by of one drill. Times are epoch seconds; None: it never came."""

    drill: Drill
    broke_at: float
    mended_at: float = math.inf
    messages: Sequence[
        Message
    ] = ()  # to its owner, since its stack was there; to the operator, since it broke
    counted_at: float | None = None
    alarms: Sequence[Change] = ()  # since it broke; without those that another drill on the stack expects
    accepted: int = 0
    undelivered: Sequence[str] = field(
        default_factory=list
    )  # events that were accepted, and are not delivered
    picture: str = ""

    def told(self, check: str, *states: str) -> list[Message]:
        """Messages about a check, by their states."""
        return [each for each in self.messages if each.check == check and each.state in states]

    @property
    def first(self) -> Message | None:
        """The message that the drill is about."""
        expected = self.drill.told
        return next(iter(self.told(expected.check, "began")), None) if expected else None

    def rang(self, state: State) -> Change | None:
        """When the alarm that the drill is about went into a state."""
        expected = self.drill.rung
        return next(
            (c for c in self.alarms if expected and (c.alarm, c.state) == (expected.name, state)), None
        )

    @property
    def heard(self) -> bool:
        """Whether all that is expected has come, so that it can be mended."""
        drill = self.drill
        return (
            (drill.told is None or self.first is not None)
            and (drill.counted is None or self.counted_at is not None)
            and (drill.rung is None or self.rang("ALARM") is not None)
        )

    @property
    def over(self) -> bool:
        """Whether all that was told and rang is said to be well again."""
        checks = {each.check for each in self.messages}
        rung = self.drill.rung
        lingering = {rung.name} if rung and rung.lingers else set()
        ringing = {each.alarm: each.state for each in self.alarms if each.alarm not in lingering}
        return all(self.told(check, "recovered") for check in checks) and set(ringing.values()) <= {"OK"}


class Finding(NamedTuple):
    """Something that does not hold."""

    rule: str
    expected: str
    came: str


def quiet_before(evidence: Evidence) -> Iterator[Finding]:
    """As long as nothing is broken nobody is told anything."""
    early = [each for each in evidence.messages if each.at < evidence.broke_at]
    if early:
        yield Finding("quiet before", "no message before it broke", _subjects(early))


def told_in_time(evidence: Evidence) -> Iterator[Finding]:
    """The owner is told what is wrong, in the right words, in time."""
    expected, first = evidence.drill.told, evidence.first
    if expected is None:
        return
    words = f"{expected.check}: {expected.says!r} within {expected.within:.0f} s"
    if first is None:
        yield Finding("told in time", words, _subjects(evidence.messages))
    elif first.at - evidence.broke_at > expected.within:
        yield Finding("told in time", words, f"after {first.at - evidence.broke_at:.0f} s")
    elif expected.says not in f"{first.subject}\n{first.text}":
        yield Finding("told in time", words, f"{first.subject}: {first.text}")


def told_once(evidence: Evidence) -> Iterator[Finding]:
    """Each thing begins once, becomes worse at most once, and recovers once, after it was mended."""
    for check in sorted({each.check for each in evidence.messages}):
        counts = {state: len(evidence.told(check, state)) for state in ("began", "worse", "recovered")}
        if counts["began"] != 1 or counts["worse"] > 1 or counts["recovered"] != 1:
            expected = f"{check}: began once, worse at most once, recovered once"
            yield Finding("told once", expected, ", ".join(f"{n} {state}" for state, n in counts.items()))
        early = [each for each in evidence.told(check, "recovered") if each.at < evidence.mended_at]
        if early:
            yield Finding("told once", f"{check}: not recovered before it was mended", _subjects(early))
        others = [e for e in evidence.messages if e.check == check and e.state in ("again", "still")]
        if others:
            yield Finding("told once", f"{check}: no reminder so soon", _subjects(others))


def nothing_else_told(evidence: Evidence) -> Iterator[Finding]:
    """Nobody is told of anything but what broke, and nobody but its owner."""
    drill = evidence.drill
    known = drill.also | ({drill.told.check} if drill.told else set())
    other = [each for each in evidence.messages if each.check not in known or each.to == OPERATOR]
    if other:
        yield Finding("nothing else told", f"only {', '.join(sorted(known)) or 'nothing'}", _subjects(other))


def counted_in_time(evidence: Evidence) -> Iterator[Finding]:
    """The metric goes up in time."""
    expected, at = evidence.drill.counted, evidence.counted_at
    if expected and (at is None or at - evidence.broke_at > expected.within):
        came = "never" if at is None else f"after {at - evidence.broke_at:.0f} s"
        words = f"{expected.name} above {expected.above:g} within {expected.within:.0f} s"
        yield Finding("counted in time", words, came)


def rung_in_time(evidence: Evidence) -> Iterator[Finding]:
    """The alarm rings in time, once, and its end once, after it was mended."""
    expected = evidence.drill.rung
    if expected is None:
        return
    changes = [each for each in evidence.alarms if each.alarm == expected.name]
    end = "and may go on" if expected.lingers else "then OK, each once"
    words = f"{expected.name}: ALARM within {expected.within:.0f} s, {end}"
    in_time = bool(changes) and changes[0].at - evidence.broke_at <= expected.within
    ended = len(changes) > 1 and changes[1].at >= evidence.mended_at
    states = [each.state for each in changes]
    lingers = expected.lingers and states == ["ALARM"]
    if not in_time or not (lingers or (states == ["ALARM", "OK"] and ended)):
        yield Finding("rung in time", words, _changes(changes, evidence.broke_at))


def nothing_else_rung(evidence: Evidence) -> Iterator[Finding]:
    """No other alarm rings."""
    drill = evidence.drill
    other = [each for each in evidence.alarms if each.alarm not in drill.alarms]
    if other:
        came = _changes(other, evidence.broke_at)
        yield Finding("nothing else rung", f"only {', '.join(sorted(drill.alarms)) or 'nothing'}", came)


def nothing_lost(evidence: Evidence) -> Iterator[Finding]:
    """What was accepted is delivered in the end."""
    if evidence.undelivered:
        some = ", ".join(evidence.undelivered[:5])
        came = f"{len(evidence.undelivered)} are not: {some}"
        yield Finding("nothing lost", f"all of {evidence.accepted} accepted events delivered", came)


RULES: tuple[Callable[[Evidence], Iterator[Finding]], ...] = (
    quiet_before,
    told_in_time,
    told_once,
    nothing_else_told,
    counted_in_time,
    rung_in_time,
    nothing_else_rung,
    nothing_lost,
)


def judge(evidence: Evidence) -> list[Finding]:
    """All that does not hold."""
    return [finding for rule in RULES for finding in rule(evidence)]


def _subjects(messages: Sequence[Message]) -> str:
    return "; ".join(f"{each.subject} ({each.state}, to {each.to})" for each in messages) or "no message"


def _changes(changes: Sequence[Change], since: float) -> str:
    return ", ".join(f"{c.alarm} {c.state} after {c.at - since:.0f} s" for c in changes) or "no alarm"
