"""The drills: what breaks, how, and what must come of it. One line of evidence for each promise of watching."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from tests.chaos.drills.expected import Counted, Drill, Rung, Told
from tests.chaos.drills.stand import GRANTS, POLLED, TAKES, secret
from tests.support.target import Reply

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.chaos.drills.stand import Stand

PARAMETERS = {"AlarmPollLag": "180"}
"""Thresholds of alarms that are no longer than a drill; the others are the template's defaults."""

NEVER_OPENS = {"failures": "100%", "of_at_least": 1000, "within": "5m", "open_for": "30s"}


def _frequency(**more: str) -> Mapping[str, Any]:
    return {"frequency": {"expect_every": "never", **more}}


def _stop_sending(stand: Stand) -> None:
    stand.provider.sending = False


def _send_again(stand: Stand) -> None:
    stand.provider.sending = True


def _rotate_there(stand: Stand) -> None:
    stand.provider.secret = secret("rotated")


def _rotate_here(stand: Stand) -> None:
    put = stand.deployed.cloud.causeway(
        "secrets", "put", f"{stand.drill.sender}/webhook", stdin=stand.provider.secret
    )
    assert put.returncode == 0, put.stderr


def _go_down(stand: Stand) -> None:
    stand.target.stop()


def _come_back(stand: Stand) -> None:
    stand.come_back()


def _slow_down(stand: Stand) -> None:
    stand.target.on(TAKES, Reply(delay=3))


def _throttle(stand: Stand) -> None:
    stand.target.on(TAKES, Reply(429, headers={"Retry-After": "20"}))


def _answer(stand: Stand) -> None:
    stand.target.on(TAKES, Reply())


def _fail_the_poll(stand: Stand) -> None:
    stand.target.on(POLLED, Reply(500))


def _answer_the_poll(stand: Stand) -> None:
    stand.target.on(POLLED, stand.records)


def _end_the_consent(stand: Stand) -> None:
    stand.consent_ends = time.time() + 240


def _consent_again(stand: Stand) -> None:
    stand.consent_ends = time.time() + 365 * 86400.0
    put = stand.deployed.cloud.causeway("secrets", "put", "drill/refresh", stdin="refresh-3")
    assert put.returncode == 0, put.stderr


def _stop_reading(stand: Stand) -> None:
    stand.deployed.read("Deliveries", enabled=False)


def _read_again(stand: Stand) -> None:
    stand.deployed.read("Deliveries", enabled=True)


def _crash(stand: Stand) -> None:
    stand.deployed.handler("ProcessorFunction", "app.not_there")


def _repair(stand: Stand) -> None:
    stand.deployed.handler("ProcessorFunction", "app.handler")


def _stop_watching(stand: Stand) -> None:
    stand.deployed.schedule("WatchdogFunction", enabled=False)


def _watch_again(stand: Stand) -> None:
    stand.deployed.schedule("WatchdogFunction", enabled=True)


DRILLS = (
    Drill(
        "provider-stops",
        "the provider sends nothing any more",
        _stop_sending,
        _send_again,
        told=Told("silence", "sends nothing", within=150),
        counted=Counted("SilentFor", 0, within=150),
        rung=Rung("SilentIntegrations", within=360),
        integration=_frequency(expect_every="1m"),
    ),
    Drill(
        "secret-rotated",
        "the provider signs with a new secret, which we were not given",
        _rotate_there,
        _rotate_here,
        told=Told("silence", "we refuse what", within=150),
        counted=Counted("WebhooksRejected", 0, within=15),
        rung=Rung("WebhooksRejected", within=900),
        also=frozenset({"SilentIntegrations"}),
        integration=_frequency(expect_every="1m"),
    ),
    Drill(
        "target-down",
        "the target's port is closed",
        _go_down,
        _come_back,
        told=Told("circuit", "its circuit is open", within=150),
        counted=Counted("CircuitOpen", 0, within=150),
        rung=Rung("TargetsFail", within=360),
        target={"circuit_breaker": {"failures": "50%", "of_at_least": 5, "within": "1m", "open_for": "10s"}},
    ),
    Drill(
        "target-slow",
        "the target answers after three times its timeout",
        _slow_down,
        _answer,
        told=Told("overdue", "too slow to answer in time", within=150),
        counted=Counted("DeliveriesRetried", 0, within=15),
        rung=Rung("TargetsFail", within=900),
        target={"circuit_breaker": NEVER_OPENS},
        integration=_frequency(deliver_within="1m"),
        sends_every=6,
    ),
    Drill(
        "target-throttles",
        "the target answers 429 and wants to be left alone for 20 s",
        _throttle,
        _answer,
        told=Told("overdue", "wants no calls for now", within=150),
        counted=Counted("RateLimitDeferred", 0, within=60),
        target={"circuit_breaker": NEVER_OPENS},
        integration=_frequency(deliver_within="1m"),
    ),
    Drill(
        "poll-lags",
        "the API that is polled answers 500",
        _fail_the_poll,
        _answer_the_poll,
        told=Told("poll", "the poll is late", within=300),
        counted=Counted("PollLag", 180, within=400),
        rung=Rung("PollsLate", within=900, lingers=True),  # for an hour: of all polls, the worst counts
        also=frozenset({"circuit"}),
        source={"polls": {"records": {"every": "1m", "get": POLLED, "records": "body.records", "id": "id"}}},
        integration=_frequency(deliver_within="2m"),
    ),
    Drill(
        "token-ends",
        "the consent behind a refresh token ends in four minutes",
        _end_the_consent,
        _consent_again,
        told=Told("token", "ends at", within=300),
        target={
            "auth": {
                "type": "oauth2",
                "grant": "refresh_token",
                "token_url": f"{{url}}{GRANTS}",
                "client_id": "drill",
                "refresh_token": "drill/refresh",
            }
        },
    ),
    Drill(
        "queue-backs-up",
        "nobody reads the queue of deliveries",
        _stop_reading,
        _read_again,
        counted=Counted("ApproximateNumberOfMessagesVisible", 0, within=60, namespace="AWS/SQS"),
        rung=Rung("DeliveriesLate", within=600),
        integration=_frequency(expect_every="1m"),  # and the provider is not said to be silent
    ),
    Drill(
        "function-crashes",
        "the processor is deployed with a handler that is not there",
        _crash,
        _repair,
        counted=Counted("Errors", 0, within=15, namespace="AWS/Lambda"),
        rung=Rung("DeliveriesLate", within=180),
    ),
    Drill(
        "watchdog-stops",
        "the watchdog's schedule is switched off",
        _stop_watching,
        _watch_again,
        rung=Rung("WatchingBroken", within=600),
    ),
)

LANES = (
    (("provider-stops", "target-down", "poll-lags", "token-ends"),),
    (("secret-rotated", "target-slow"),),
    (("target-throttles",), ("queue-backs-up",)),
    (("function-crashes",), ("watchdog-stops",)),
)
"""Stacks that run beside each other, and what breaks in each, one stage after the other.

What breaks at once is on integrations of its own, and no two of a stage are told by the same alarm.
"""

BY_NAME = {drill.name: drill for drill in DRILLS}
