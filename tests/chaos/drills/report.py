"""What came of drills, for people and for programs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tests.chaos.drills.judging import judge

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.chaos.drills.judging import Evidence

_CAUSE = re.compile(r"\*Cause\*: (.*?)(?:\\n|\"|$)")

_HEAD = (
    "what breaks",
    "the owner is told",
    "after",
    "metric",
    "after",
    "alarm",
    "after",
    "recovered told",
    "lost",
)


def record(evidence: Evidence) -> dict[str, Any]:
    """One drill, as JSON."""
    drill, first = evidence.drill, evidence.first
    rang, ended = evidence.rang("ALARM"), evidence.rang("OK")
    check = drill.told.check if drill.told else None
    recovered = evidence.told(check, "recovered") if check else []
    return {
        "drill": drill.name,
        "what": drill.what,
        "check": check,
        "subject": first.subject if first else None,
        "cause": _cause(first.text) if first else None,
        "seconds_to_message": _since(first, evidence.broke_at),
        "messages": [{"state": each.state, "subject": each.subject} for each in evidence.messages],
        "recovered_told": len(recovered),
        "seconds_to_recovered": _since(recovered[0] if recovered else None, evidence.mended_at),
        "metric": drill.counted.name if drill.counted else None,
        "seconds_to_metric": None
        if evidence.counted_at is None
        else round(evidence.counted_at - evidence.broke_at, 1),
        "alarm": drill.rung.name if drill.rung else None,
        "seconds_to_alarm": _since(rang, evidence.broke_at),
        "seconds_to_alarm_over": _since(ended, evidence.mended_at),
        "alarms": [[each.alarm, each.state, round(each.at - evidence.broke_at)] for each in evidence.alarms],
        "accepted": evidence.accepted,
        "undelivered": len(evidence.undelivered),
        "screenshot": evidence.picture or None,
        "findings": [finding._asdict() for finding in judge(evidence)],
    }


def table(records: Sequence[dict[str, Any]]) -> str:
    """The drills as a table in Markdown."""
    rows = [_HEAD, tuple("---" for _ in _HEAD), *map(_row, records)]
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in rows)


def summary(records: Sequence[dict[str, Any]], *, wanted: int, seconds: float, seed: int) -> str:
    """The table, and what does not hold; of so many drills that were wanted, those that were begun are there."""
    broken = [each for each in records if each["findings"]]
    lines = [table(records), "", f"{len(records)} drills in {seconds:.0f} s, seed {seed}"]
    lines += [line for each in broken for line in _told(each)]
    if len(records) < wanted:
        lines.append(f"{wanted - len(records)} were not begun: their stack failed")
    elif not broken:
        lines.append("everything holds")
    return "\n".join([*lines, f"{len(broken)} do not hold"] if broken else lines)


def _told(each: dict[str, Any]) -> Iterator[str]:
    for finding in each["findings"]:
        yield f"- {each['drill']}: {finding['rule']}"
        yield f"  expected: {finding['expected']}"
        yield f"  came:     {finding['came']}"


def _row(each: dict[str, Any]) -> tuple[str, ...]:
    recovered = f"{each['recovered_told']} time" + ("" if each["recovered_told"] == 1 else "s")
    told = f"{each['subject']}. Cause: {each['cause']}" if each["subject"] else "nothing"
    return (
        each["what"],
        told,
        _seconds(each["seconds_to_message"]),
        f"`{each['metric']}`" if each["metric"] else "none",
        _seconds(each["seconds_to_metric"]),
        f"`{each['alarm']}`" if each["alarm"] else "none",
        _seconds(each["seconds_to_alarm"]),
        recovered if each["check"] else "by the alarm",
        f"{each['undelivered']} of {each['accepted']}",
    )


def _cause(text: str) -> str:
    """Of a message as chats and queues get it."""
    found = _CAUSE.search(text)
    return found[1] if found else ""


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.0f} s"


def _since(what: Any, since: float) -> float | None:
    return None if what is None else round(what.at - since, 1)
