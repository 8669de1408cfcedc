"""An integration as people and programs read it: what the map says of it, and how it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from causeway.operations.books import Book
from causeway.plan.sources import system_of
from causeway.settings.clock import rfc3339

if TYPE_CHECKING:
    from collections.abc import Mapping

    from causeway.limiting.health import Health
    from causeway.operations.ledger import Kept
    from causeway.operations.overview import Integration
    from causeway.plan.records import JSON
    from causeway.plan.records import Integration as Record


COUNTS = ("accepted", "delivered", "waiting", "dead", "duplicates", "unaccounted", "surplus")
"""What the books count of an integration's hour."""


def mapped(record: Record) -> dict[str, JSON]:
    """What the map says: whose it is, from where to where, what is expected."""
    (kind, target) = next(iter(record["target"].items()))
    owner, frequency = record["owner"], record["frequency"]
    return {
        "description": record["description"],
        "owner": {name: owner.get(name) for name in ("team", "email", "runbook")},
        "source": {"system": system_of(record["source"])} | record["source"],
        "calls": systems_called(record),
        "target": {"kind": kind, "name": _named(target)},
        "expect_every": frequency["expect_every"],
        "during": frequency["during"],
        "deliver_within": frequency["deliver_within"],
    }


def live(found: Integration, now: float) -> dict[str, JSON]:
    """How it is."""
    pause = found.pause
    paused = {"since": _time(pause.since), "by": pause.by, "reason": pause.reason} if pause.paused else None
    return {
        "integration": found.name,
        "state": found.state,
        "paused": paused,
        "last_event": _time(found.last_event),
        "oldest_waiting": _time(found.oldest),
        "oldest_dead": _time(found.oldest_dead),
        "lag": 0.0 if found.oldest is None else round(max(0.0, now - found.oldest), 3),
        "waiting": found.waiting,
        "dead": found.dead,
        "delivered": found.delivered,
        "at_least": list(found.at_least),
        "recent": [span._asdict() | {"since": rfc3339(span.since)} for span in found.recent],
    }


def circuit(systems: list[str], healths: Mapping[str, Health], now: float) -> dict[str, JSON]:
    """The worst of these systems' circuits: open, held (the system wants to be left alone) or closed."""
    known = [healths[system] for system in systems if system in healths]
    for health in known:
        if health.is_open:
            return _circuit("open", health.system, health.opened_at, health.open_until)
    for health in known:
        if health.held_until > now:
            return _circuit("held", health.system, None, health.held_until)
    return _circuit("closed", None, None, None)


def book(kept: Kept | None, integration: str) -> dict[str, JSON] | None:
    """Its hour in the books; None: no hour was counted yet."""
    if kept is None:
        return None
    found = kept.books.get(integration) or Book(integration, kept.hour)
    return {"hour": rfc3339(kept.hour), **said(found)}


def said(found: Book) -> dict[str, JSON]:
    """What the books say of an hour: its counts, and the first of those that are unaccounted for."""
    lost = [{"delivery": each.delivery, "event_id": each.event_id} for each in found.lost]
    return {name: getattr(found, name) for name in COUNTS} | {"lost": lost}


def systems_called(record: Record) -> list[str]:
    """The systems that its steps and its target call."""
    calls = [step.get("call") for step in record["steps"]]
    calls.append(record["target"].get("call"))
    return sorted({call["system"] for call in calls if call})


def _circuit(state: str, system: str | None, since: float | None, until: float | None) -> dict[str, JSON]:
    return {"state": state, "system": system, "since": _time(since), "until": _time(until)}


def _named(target: JSON) -> str | None:
    """A call's system, or the name of a queue, bus or bucket."""
    name: str | None = target.get("system") or target.get("name")
    return name


def _time(seconds: float | None) -> str | None:
    return None if seconds is None else rfc3339(seconds)
