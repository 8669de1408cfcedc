"""What watching a stack costs each month: its metrics, alarms and dashboard, by the number of integrations.

    .venv/bin/python benchmarks/costs.py

Counted in the template, with its defaults, at the list prices of CloudWatch without its free tier. The page
``docs/costs.md`` has what this prints.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from causeway.telemetry.metrics import BY_INTEGRATION, UNITS
from tests.support.alarms import Alarms
from tests.support.resolving import Resolver
from tests.support.template import written

if TYPE_CHECKING:
    from collections.abc import Iterator

METRIC = 0.30
"""US dollars a month, of each of the first 10,000 custom metrics: https://aws.amazon.com/cloudwatch/pricing/"""

MANY_METRICS, MANY = 0.10, 10_000
"""Of each beyond these."""

ALARM_METRIC, COMPOSITE, DASHBOARD = 0.10, 0.50, 3.00
"""Of each metric that an alarm of standard resolution watches, of each composite alarm, of each dashboard."""

INTEGRATIONS = (1, 10, 50, 100, 500)

CARRIED_OUT = (
    "DeliveriesSucceeded",
    "DeliveriesRetried",
    "DeliveriesDead",
    "DeliveriesDuplicate",
    "DeliveryLatency",
    "TargetLatency",
    "RateLimitDeferred",
)
ACCEPTED = ("DeliveriesQueued", "DeliveriesFiltered", "EventsUnmatched")

EMITTED: dict[str, tuple[str, ...]] = {
    "webhook": ("WebhooksAccepted", "WebhooksRejected", *ACCEPTED),
    "poller": ("PollRecords", "PollLag", "PollGaps", *ACCEPTED),
    "processor": ("MissedByWebhook", *CARRIED_OUT),
    "stream": ("MissedByWebhook", *CARRIED_OUT),
    "request": ("DeliveriesQueued", *CARRIED_OUT),
    "scheduler": ("CircuitOpen",),
    "watchdog": ("WatchdogRuns", "WatchdogLeftOut", "SilentFor", "CanaryLatency", "Unaccounted"),
}
"""What each function counts, at the most. Each is one custom metric, paid for while it comes."""

COLUMNS = (
    "integrations",
    "`MetricsByIntegration`",
    "custom metrics",
    "metrics in alarms",
    "composite alarms",
    "dashboards",
    "US$ a month",
)


class Parts(NamedTuple):
    """What is paid for."""

    metrics: int
    watched: int
    composites: int
    dashboards: int

    @property
    def dollars(self) -> float:
        """A month."""
        metrics = min(self.metrics, MANY) * METRIC + max(0, self.metrics - MANY) * MANY_METRICS
        return (
            metrics + self.watched * ALARM_METRIC + self.composites * COMPOSITE + self.dashboards * DASHBOARD
        )


def parts(integrations: int, *, by_integration: bool, stream: bool = False) -> Parts:
    """What a stack with so many integrations has at the most, with no circuit open."""
    mode = {"StreamMode": "on-demand"} if stream else {}
    alarms = Alarms(**mode)
    own = sum(len(names) for function, names in EMITTED.items() if stream or function != "stream")
    each = len(BY_INTEGRATION) if by_integration else 0
    return Parts(
        metrics=own + integrations * each,
        watched=sum(len(alarm.metrics) for alarm in alarms.single.values()),
        composites=len(alarms.composite),
        dashboards=len(Resolver(written(), mode).resources("AWS::CloudWatch::Dashboard")),
    )


def table() -> Iterator[str]:
    """Lines of Markdown."""
    yield f"| {' | '.join(COLUMNS)} |"
    yield f"| ---: | --- |{' ---: |' * (len(COLUMNS) - 2)}"
    for number in INTEGRATIONS:
        for by_integration in (True, False):
            found = parts(number, by_integration=by_integration)
            cells = (number, "on" if by_integration else "off", *found, f"{found.dollars:.2f}")
            yield f"| {' | '.join(map(str, cells))} |"


def stream_adds() -> float:
    """US dollars a month that a stream's own metrics and alarms add."""
    return parts(1, by_integration=False, stream=True).dollars - parts(1, by_integration=False).dollars


def main() -> None:
    """Print the table, and what a stream adds."""
    assert set().union(*EMITTED.values()) == set(UNITS), "a metric has come or gone"
    print(*table(), sep="\n")
    print(f"\nA stream adds {stream_adds():.2f} US$ a month.")


if __name__ == "__main__":
    main()
