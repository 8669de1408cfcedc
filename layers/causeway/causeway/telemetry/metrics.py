"""Metrics: CloudWatch's embedded metric format, written by Powertools, once per invocation.

Every custom metric and every value of a dimension costs money each month. So all have the dimension
``service`` (which stack's function) and no other; the few in :data:`BY_INTEGRATION` and :data:`BY_SYSTEM` are
also written with one more, beside the total.
"""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from typing import TYPE_CHECKING

from aws_lambda_powertools.metrics import EphemeralMetrics

from causeway.telemetry.logs import service

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    Group = tuple[str, str] | None
    """A dimension beside ``service``, and its value."""

NAMESPACE = "Causeway"

UNITS = {
    "WebhooksAccepted": "Count",
    "WebhooksRejected": "Count",
    "EventsUnmatched": "Count",
    "DeliveriesQueued": "Count",
    "DeliveriesFiltered": "Count",
    "DeliveriesDuplicate": "Count",
    "DeliveriesSucceeded": "Count",
    "DeliveriesRetried": "Count",
    "DeliveriesDead": "Count",
    "DeliveryLatency": "Milliseconds",  # accepted to delivered
    "TargetLatency": "Milliseconds",
    "RateLimitDeferred": "Count",
    "CircuitOpen": "Count",  # circuits that are open, each minute
    "PollRecords": "Count",  # that answers held
    "PollLag": "Seconds",  # since when nothing new has been read of a poll, whenever one is looked at
    "PollGaps": "Count",  # windows that reach back to what the API no longer has
    "MissedByWebhook": "Count",  # events that only a poll has brought
    "WatchdogRuns": "Count",  # whose absence is an alarm
    "WatchdogLeftOut": "Count",  # looks that a run had no time for, or that failed
    "SilentFor": "Seconds",  # beyond expect_every, of each integration that expects anything; 0 before
    "CanaryLatency": "Milliseconds",  # from the watchdog through the public URL and back
    "Unaccounted": "Count",  # accepted in the last day, and nowhere: once their hours' books should close
}
"""All metrics and their units. Counts are summed up; of the others, each value is kept."""

MAX_VALUES = 100
"""So many values of a metric may stand in one line, by the format's specification."""

BY_INTEGRATION = frozenset({"DeliveriesDead", "DeliveryLatency", "SilentFor"})
"""Metrics that are also written by integration, where the template's parameter says so."""

BY_SYSTEM = frozenset({"CircuitOpen"})
"""Metrics that are also written by system."""


class Metrics:
    """What one function counts. Any thread may add; the handler emits at the end of each invocation.

    Args:
        by_integration: Whether metrics by integration are wanted (``CAUSEWAY_METRICS_BY_INTEGRATION``).
    """

    def __init__(self, *, by_integration: bool = False) -> None:
        self._by_integration = by_integration
        self._values: defaultdict[Group, defaultdict[str, list[float]]]
        self._values = defaultdict(lambda: defaultdict(list))
        self._writers: dict[Group, EphemeralMetrics] = {}
        self._lock = threading.Lock()

    def add(
        self, name: str, value: float = 1, *, integration: str | None = None, system: str | None = None
    ) -> None:
        """Count something, or add one measured value.

        Args:
            name: One of :data:`UNITS`.
            value: In the metric's unit.
            integration: Whose it is; makes a difference for those in :data:`BY_INTEGRATION` only.
            system: The same, of :data:`BY_SYSTEM`.
        """
        counted = UNITS[name] == "Count"
        groups: list[Group] = [None]
        if integration and self._by_integration and name in BY_INTEGRATION:
            groups.append(("integration", integration))
        if system and name in BY_SYSTEM:
            groups.append(("system", system))
        with self._lock:
            for group in groups:
                values = self._values[group][name]
                if counted and values:
                    values[0] += value
                else:
                    values.append(value)

    def emit(self) -> None:
        """Write what was added since the last time; nothing when nothing was."""
        with self._lock:
            groups = {name: dict(values) for name, values in self._values.items()}
            self._values.clear()
            for group, values in groups.items():
                self._write(values, group)

    def _write(self, values: Mapping[str, list[float]], group: Group) -> None:
        emf = self._writers.get(group) or self._make_writer(group)
        for metrics in _lines(values):  # its add_metric, a value at a time, takes longer than all the rest
            print(json.dumps(emf.serialize_metric_set(metrics), separators=(",", ":")))  # noqa: T201 - its way, too

    def _make_writer(self, group: Group) -> EphemeralMetrics:
        """Powertools' writer for one set of dimensions: kept, for making one takes longer than using it."""
        emf = self._writers[group] = EphemeralMetrics(namespace=NAMESPACE, service=service())
        if group:
            emf.set_default_dimensions(**dict([group]))
        return emf


def _lines(values: Mapping[str, list[float]]) -> Iterator[dict[str, Any]]:
    """The values as Powertools has them, in portions that one line may hold."""
    for start in range(0, max(map(len, values.values())), MAX_VALUES):
        yield {
            name: {"Unit": UNITS[name], "Value": each[start : start + MAX_VALUES]}
            for name, each in values.items()
            if len(each) > start
        }
