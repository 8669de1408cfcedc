"""The stack's alarms that ring: what CloudWatch watches, and the operator is told by it.

Queues, functions and tables are not the watchdog's to look at; whoever asks how things are is told of them,
too. An alarm's description ends with its runbook.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from causeway.aws.client import Aws
    from causeway.plan.records import JSON

SAID_BY_FINDINGS = frozenset({"DeadDeliveries", "SilentIntegrations", "Unaccounted", "WatchingBroken"})
"""Alarms on what the watchdog says more of: of which integration, and why."""

_MOST = 100


class Alarm(NamedTuple):
    """One that rings."""

    name: str  # in the template
    what: str
    runbook: str
    since: float


class Alarms:
    """A stack's alarms.

    Args:
        aws: Whose calls.
        stack: The stack's name.
    """

    def __init__(self, aws: Aws, stack: str) -> None:
        self._aws = aws
        self._stack = stack

    def ringing(self) -> list[Alarm]:
        """Those that ring and tell somebody; of what rings with another alarm, that one tells.

        Raises:
            AwsError: CloudWatch does not answer.
        """
        asked: dict[str, JSON] = {
            "AlarmNamePrefix": f"{self._stack}-",
            "AlarmTypes": ["MetricAlarm", "CompositeAlarm"],
            "StateValue": "ALARM",
            "MaxRecords": _MOST,
        }
        answer = self._aws.call("monitoring", "DescribeAlarms", asked)
        found = [*(answer.get("MetricAlarms") or []), *(answer.get("CompositeAlarms") or [])]
        return sorted(self._told(found), key=lambda alarm: alarm.since)

    def _told(self, found: list[dict[str, JSON]]) -> Iterator[Alarm]:
        for each in found:
            name, _, rest = str(each["AlarmName"]).removeprefix(f"{self._stack}-").partition("-")
            # Other stacks' names may begin as ours does: after the name in the template comes one part only.
            if not each.get("AlarmActions") or not rest or "-" in rest or name in SAID_BY_FINDINGS:
                continue
            what, _, runbook = str(each.get("AlarmDescription") or name).rpartition(" ")
            since = float(each.get("StateTransitionedTimestamp") or each["StateUpdatedTimestamp"])
            yield Alarm(name, (what or runbook).rstrip("."), runbook if what else "", since)
