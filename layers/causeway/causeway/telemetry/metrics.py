"""Metrics: CloudWatch's embedded metric format, written by Powertools, once per invocation.

Every custom metric and every value of a dimension costs money each month. So all have the dimension
``service`` and no other; the few in :data:`BY_INTEGRATION` are also written with one more, beside the total.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from typing import TYPE_CHECKING

from aws_lambda_powertools.metrics import EphemeralMetrics

from causeway.telemetry.logs import service

if TYPE_CHECKING:
    from collections.abc import Mapping

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
}
"""All metrics and their units. Counts are summed up; of the others, each value is kept."""

BY_INTEGRATION = frozenset({"DeliveriesDead", "DeliveryLatency"})
"""Metrics that are also written by integration, where the template's parameter says so."""


class Metrics:
    """What one function counts. Any thread may add; the handler emits at the end of each invocation.

    Args:
        by_integration: Whether metrics by integration are wanted (``CAUSEWAY_METRICS_BY_INTEGRATION``).
    """

    def __init__(self, *, by_integration: bool = False) -> None:
        self._by_integration = by_integration
        self._values: defaultdict[str | None, defaultdict[str, list[float]]]
        self._values = defaultdict(lambda: defaultdict(list))
        self._writers: dict[str | None, EphemeralMetrics] = {}
        self._lock = threading.Lock()

    def add(self, name: str, value: float = 1, *, integration: str | None = None) -> None:
        """Count something, or add one measured value.

        Args:
            name: One of :data:`UNITS`.
            value: In the metric's unit.
            integration: Whose it is; makes a difference for those in :data:`BY_INTEGRATION` only.
        """
        counted = UNITS[name] == "Count"
        apart = integration and self._by_integration and name in BY_INTEGRATION
        groups = [None, integration] if apart else [None]
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
            for integration, values in groups.items():
                self._write(values, integration)

    def _write(self, values: Mapping[str, list[float]], integration: str | None) -> None:
        emf = self._writers.get(integration) or self._make_writer(integration)
        for name, each in values.items():
            for value in each:
                emf.add_metric(name, UNITS[name], value)
        if emf.metric_set:  # it was written and is empty when there were exactly 100 values
            emf.flush_metrics()

    def _make_writer(self, integration: str | None) -> EphemeralMetrics:
        """Powertools' writer for one set of dimensions: kept, for making one takes longer than using it."""
        emf = self._writers[integration] = EphemeralMetrics(namespace=NAMESPACE, service=service())
        if integration:
            emf.set_default_dimensions(integration=integration)
        return emf
