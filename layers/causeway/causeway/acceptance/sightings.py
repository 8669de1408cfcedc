"""What a source sent that leaves no delivery behind: for whoever asks later whether it is silent.

What is accepted is in the journal, and needs no more. What filters leave out, and what is refused, is noted
here, per instance and minute and never per event: an event that comes while all is well costs nothing.
That a note cannot be written changes nothing for whoever sent it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from causeway.aws.errors import AwsError
from causeway.settings.clock import rfc3339
from causeway.telemetry.logs import logger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from causeway.aws.table import Item, Table
    from causeway.plan.plan import Plan
    from causeway.plan.records import Integration
    from causeway.settings.clock import Clock

MINUTE = 60.0

KEPT_FOR = 86_400.0
"""Seconds for which it is known that requests were refused."""

KNOWN = "watch#silence"
"""The hash key of what the watchdog knows of last events; the range key is the integration."""

FILTERED = "filtered"
"""The range key of the item that says when an integration's filter last left something out."""


_BY_ANYBODY = ("missing", "malformed")
"""Rules that strangers break, who find the address: what only the provider can break tells more."""


class Refused(NamedTuple):
    """Requests of a system that were refused by one rule."""

    times: int  # at least
    rule: str  # of those that were broken, the one that tells most; empty: none was
    last: float | None


class Sightings:
    """The state's notes. One object serves an instance of a function.

    Args:
        plan: Whose silence matters to anybody.
        state: Opens the state's table: most instances never need it.
        clock: The time.
    """

    def __init__(self, plan: Plan, state: Callable[[], Table], clock: Clock) -> None:
        self._expected = {name for name, each in plan.integrations.items() if _expects(each)}
        self._state = state
        self._clock = clock
        self._noted: dict[str, float] = {}
        self._refused: dict[tuple[str, str], int] = {}
        self._minute = 0.0
        self._instance = ""

    def filtered(self, integrations: Iterable[str]) -> None:
        """These integrations' source sent something, which their filters left out."""
        now = self._clock.now()
        for name in self._expected.intersection(integrations):
            if now - self._noted.get(name, -MINUTE) >= MINUTE:
                self._noted[name] = now
                self._note({"id": heard_of(name), "part": FILTERED, "at": now})

    def refused(self, system: str, rule: str) -> None:
        """A request to a system of the map was refused.

        In each minute an instance writes the first of them and then whenever there are ten times as many.
        """
        now = self._clock.now()
        minute = now // MINUTE * MINUTE
        if minute != self._minute:
            self._minute, self._refused = minute, {}
        count = self._refused[system, rule] = self._refused.get((system, rule), 0) + 1
        if count == 10 ** (len(str(count)) - 1):
            part = f"{rfc3339(minute)}#{self._name()}#{rule}"
            note = {"count": count, "rule": rule, "at": now, "expires_at": int(now + KEPT_FOR)}
            self._note({"id": refused_of(system), "part": part, **note})

    def _name(self) -> str:
        """Of this instance, among those that write in the same minute."""
        if not self._instance:
            from secrets import token_hex  # noqa: PLC0415 - few instances refuse anything

            self._instance = token_hex(4)
        return self._instance

    def _note(self, item: Item) -> None:
        try:
            self._state().put(item)
        except AwsError as error:
            logger().error("a sighting was not noted", note=item["id"], reason=str(error))


def heard_of(integration: str) -> str:
    """The hash key of what is noted of an integration."""
    return f"heard#{integration}"


def refused_of(system: str) -> str:
    """The hash key of what is noted of a system's refused requests."""
    return f"refused#{system}"


def refusals(state: Table, system: str, since: float) -> Refused:
    """What was refused of a system's requests since a time, of the last day.

    Raises:
        AwsError: the state could not be read.
    """
    notes = list(state.between(("id", refused_of(system)), ("part", rfc3339(since // MINUTE * MINUTE), "~")))
    by_rule: dict[str, int] = {}
    for note in notes:
        by_rule[note["rule"]] = by_rule.get(note["rule"], 0) + note["count"]
    rule = max(by_rule, key=lambda each: (each not in _BY_ANYBODY, by_rule[each]), default="")
    return Refused(by_rule.get(rule, 0), rule, max((note["at"] for note in notes), default=None))


def _expects(integration: Integration) -> bool:
    frequency = integration.get("frequency")
    return frequency is not None and frequency["expect_every"] is not None
