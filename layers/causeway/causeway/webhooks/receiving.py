"""Receiving: one HTTP request of a provider becomes one answer.

The raw bytes are verified first and parsed after. The queue has every message, or the answer is 503; only
then is anything logged or counted. So a crash at any point makes the provider repeat a request that left
nothing behind but, at worst, messages of the same deliveries. There is no record of requests seen: a repeat
is recognised by the delivery's identity, later, where it is carried out.

What a request needs comes in as arguments (plan, secrets, queue, clock, metrics), so that tests can stop
between any two of its effects.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from causeway.aws.errors import AwsError
from causeway.events.envelope import MalformedBody, public_headers, read_body
from causeway.queueing.queue import NotQueued
from causeway.settings.secrets import SecretsUnavailable
from causeway.telemetry.logs import logger
from causeway.webhooks.compiled import compiled
from causeway.webhooks.gateway import (
    Unacceptable,
    answer,
    answer_json,
    method_of,
    problem,
    request_of,
    system_of,
)
from causeway.webhooks.handshakes import HANDSHAKES
from causeway.webhooks.identity import read_events
from causeway.webhooks.proving import prove
from causeway.webhooks.sorting import sort_events
from causeway.webhooks.verify import Rejected

if TYPE_CHECKING:
    from collections.abc import Mapping

    from causeway.events.envelope import Body
    from causeway.plan.plan import Plan
    from causeway.plan.records import Reply, Scheme, System, Webhooks
    from causeway.queueing.queue import Queue
    from causeway.settings.clock import Clock
    from causeway.settings.secrets import Secrets
    from causeway.telemetry.metrics import Metrics
    from causeway.webhooks.gateway import Answer
    from causeway.webhooks.sorting import Outcome

RETRY_AFTER = 10
"""Seconds after which what could not be stored may be sent again; most providers have their own schedule."""


_NOT_FOR_US = (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED)


class Receiver:
    """Answers providers. One object serves an instance of the function.

    Args:
        plan: what is received, and for whom.
        secrets: those that verify.
        queue: of deliveries.
        clock: the time.
        metrics: what is counted.
        base_url: the stack's public URL, for schemes that sign it.
    """

    def __init__(
        self,
        *,
        plan: Plan,
        secrets: Secrets,
        queue: Queue,
        clock: Clock,
        metrics: Metrics,
        base_url: str = "",
    ) -> None:
        self._plan = plan
        self._secrets = secrets
        self._queue = queue
        self._clock = clock
        self._metrics = metrics
        self._base_url = base_url

    def answer(self, event: Mapping[str, Any]) -> Answer:
        """The answer to one request, an event of API Gateway's HTTP API."""
        name = system_of(event)
        try:
            return self._receive(name, event)
        except Unacceptable as error:
            return self._refuse(name, error.status, str(error), headers=error.headers)
        except Rejected as error:
            return self._refuse(name, HTTPStatus.UNAUTHORIZED, str(error), more={"rule": error.rule})
        except MalformedBody:
            return self._refuse(name, HTTPStatus.BAD_REQUEST, "The body is not what its content type says.")
        except (NotQueued, SecretsUnavailable, AwsError) as error:
            logger().error("not received", answer=503, system=name, reason=str(error))
            return unavailable()

    def _receive(self, name: str, event: Mapping[str, Any]) -> Answer:
        system, webhooks = self._sender(name, method_of(event))
        now = self._clock.now()
        request = request_of(event, webhooks.get("base_url") or self._base_url)
        verified = prove(system, webhooks, request, secrets=self._secrets, now=now)
        body = read_body(request.body, request.headers.get("content-type"))
        reply = _handshake(verified.scheme, body)
        if reply:
            logger().info("handshake", answer=reply["status"], system=name)
            return answer(**reply)
        reading = read_events(webhooks, verified.scheme, request, body, verified.timestamp)
        outcome = sort_events(
            self._plan,
            name,
            reading.events,
            headers=public_headers(
                request.headers,
                signature_headers=[compiled(scheme).header for scheme in webhooks["schemes"]],
            ),
            time=now if verified.timestamp is None else verified.timestamp,
            now=now,
        )
        if outcome.messages:
            self._queue.send(outcome.messages)
        ids = [told.id for told in reading.events]
        self._tell(name, ids, outcome, reading.problems, now)
        return _accepted(webhooks, ids)

    def _sender(self, name: str, method: str) -> tuple[System, Webhooks]:
        system = self._plan.systems.get(name)
        if system is None or "webhooks" not in system:
            raise Unacceptable(HTTPStatus.NOT_FOUND, "There is no such system here.")
        if method != "POST":
            raise Unacceptable(HTTPStatus.METHOD_NOT_ALLOWED, "Events are sent by POST.", {"allow": "POST"})
        return system, system["webhooks"]

    def _tell(
        self, system: str, ids: list[str], outcome: Outcome, problems: list[str], accepted_at: float
    ) -> None:
        """The line from which the books are kept: after the queue has the messages, before the answer."""
        logger().info(
            "received",
            answer=200,
            system=system,
            events=len(ids),
            event_id=ids[0] if len(ids) == 1 else None,
            accepted=outcome.accepted,
            accepted_at=accepted_at,
            filtered=outcome.filtered,
            unmatched=outcome.unmatched,
        )
        for reason in problems:
            logger().error("an expression failed", system=system, reason=reason)
        counts = {
            "WebhooksAccepted": 1,
            "DeliveriesQueued": outcome.accepted.total(),
            "DeliveriesFiltered": outcome.filtered.total(),
            "EventsUnmatched": outcome.unmatched,
        }
        for name, count in counts.items():
            if count:
                self._metrics.add(name, count)

    def _refuse(
        self,
        name: str,
        status: HTTPStatus,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, str] | None = None,
    ) -> Answer:
        # A name that the plan does not know is a stranger's text, and is not repeated.
        system = name if name in self._plan.systems else None
        logger().warning(
            "refused", extra={"answer": status.value, "system": system, "reason": detail, **(more or {})}
        )
        if status not in _NOT_FOR_US:
            self._metrics.add("WebhooksRejected")
        return problem(status, detail, headers=headers, more=more)


def unavailable() -> Answer:
    """The answer when it is our fault: send it again."""
    return problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "It could not be stored: send it again.",
        headers={"retry-after": str(RETRY_AFTER)},
    )


def _handshake(scheme: Scheme, body: Body) -> Reply | None:
    return HANDSHAKES[scheme["handshake"]](body.data) if "handshake" in scheme else None


def _accepted(webhooks: Webhooks, ids: list[str]) -> Answer:
    if "reply" in webhooks:
        return answer(**webhooks["reply"])
    return answer_json(200, {"accepted": True, **({"id": ids[0]} if len(ids) == 1 else {"ids": ids})})
