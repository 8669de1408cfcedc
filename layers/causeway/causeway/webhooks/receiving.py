"""Receiving: one HTTP request of a provider becomes one answer.

The raw bytes are verified first and parsed after. The queue has every message, or the answer is 503; only
then is anything logged or counted. So a crash at any point makes the provider repeat a request that left
nothing behind but, at worst, messages of the same deliveries. There is no record of requests seen: a repeat
is recognised by the delivery's identity, later, where it is carried out.

What a request needs comes in as arguments (plan, secrets, queue, clock, metrics), so that tests can stop
between any two of its effects.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from causeway.acceptance.acceptor import Acceptor
from causeway.acceptance.sorting import by_type
from causeway.aws.errors import AwsError
from causeway.events.envelope import MalformedBody, make_event, public_headers
from causeway.queueing.sending import NotQueued
from causeway.settings.clock import rfc3339
from causeway.settings.secrets import SecretsUnavailable
from causeway.telemetry.logs import logger
from causeway.webhooks.gateway import (
    Unacceptable,
    answer,
    answer_json,
    not_by_post,
    problem,
    query_of,
    request_of,
    system_of,
)
from causeway.webhooks.identity import read_events
from causeway.webhooks.places import told_body
from causeway.webhooks.proving import prove
from causeway.webhooks.verify import Rejected, signature_headers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from causeway.acceptance.acceptor import Store
    from causeway.acceptance.sightings import Sightings
    from causeway.events.envelope import Event
    from causeway.plan.plan import Plan
    from causeway.plan.records import Scheme, System, Webhooks
    from causeway.settings.clock import Clock
    from causeway.settings.secrets import Secrets
    from causeway.telemetry.metrics import Metrics
    from causeway.webhooks.accepting import Accepting
    from causeway.webhooks.canaries import Canaries
    from causeway.webhooks.contacting import Contacts
    from causeway.webhooks.gateway import Answer
    from causeway.webhooks.handshakes import Met
    from causeway.webhooks.identity import Told
    from causeway.webhooks.patterns import SignedRequest
    from causeway.webhooks.rejections import Rejections
    from causeway.webhooks.special import Fetch

RETRY_AFTER = 10
"""Seconds after which what could not be stored may be sent again; most providers have their own schedule."""


_NOT_FOR_US = (404, 405)


class Receiver:
    """Answers providers. One object serves an instance of the function.

    Args:
        plan: what is received, and for whom.
        secrets: those that verify.
        store: where messages go.
        clock: the time.
        metrics: what is counted.
        base_url: the stack's public URL, for schemes that sign it.
        accepting: opens where secrets go that a provider brings at first contact; None: none is accepted.
        rejections: opens where refused requests are kept, for systems that say so; None: none is.
        sightings: where it is noted, once in a while, that requests are refused, or left out by filters.
        canaries: opens the watchdog's requests, which go no further; None: they are requests as all others.
        visit: fetches a URL that a provider wants visited at first contact; None: none is.
        fetch: fetches keys and certificates that providers publish; None: what needs them is not verified.
    """

    def __init__(
        self,
        *,
        plan: Plan,
        secrets: Secrets,
        store: Store,
        clock: Clock,
        metrics: Metrics,
        base_url: str = "",
        accepting: Callable[[], Accepting] | None = None,
        rejections: Callable[[], Rejections] | None = None,
        sightings: Sightings | None = None,
        canaries: Callable[[], Canaries] | None = None,
        visit: Callable[[str], object] | None = None,
        fetch: Fetch | None = None,
    ) -> None:
        self._plan = plan
        self._secrets = secrets
        self._acceptor = Acceptor(store, metrics, sightings)
        self._clock = clock
        self._metrics = metrics
        self._base_url = base_url
        self._accepting = accepting
        self._visit = visit
        self._rejections = rejections
        self._sightings = sightings
        self._canaries = canaries
        self._fetch = fetch

    def answer(self, event: Mapping[str, Any]) -> Answer:
        """The answer to one request, an event of API Gateway's HTTP API."""
        name = system_of(event)
        try:
            return self._receive(name, event)
        except Unacceptable as error:
            return self._refuse(name, error.status, str(error), headers=error.headers)
        except MalformedBody:
            return self._refuse(name, 400, "The body is not what its content type says.")
        except (NotQueued, SecretsUnavailable, AwsError) as error:
            logger().error("not received", answer=503, system=name, reason=str(error))
            return unavailable()

    def _receive(self, name: str, event: Mapping[str, Any]) -> Answer:
        system, webhooks = self._sender(name)
        request, query = request_of(event, webhooks.get("base_url") or self._base_url), query_of(event)
        met = self._met_unsigned(system, webhooks, request, query)
        if met:
            return _met(name, met)
        now = self._clock.now()
        try:
            verified, secret = prove(
                system, webhooks, request, secrets=self._secrets, now=now, fetch=self._fetch
            )
            body = told_body(verified.scheme, request)
            met = (
                self._contacts.signed(verified.scheme, request, query, body, secret)
                if "handshake" in verified.scheme
                else None
            )
        except Rejected as error:
            if error.rule == "keys":
                logger().error("not received", answer=503, system=name, reason=str(error.__cause__ or error))
                return unavailable()
            self._keep_rejected(name, webhooks, request, query, error)
            return self._refuse_unproven(name, webhooks, error)
        if met and not met.handshake.is_event:
            return _met(name, met)
        if self._canaries and webhooks.get("canary") and (canary := self._canaries().met(name, body)):
            logger().info("canary", answer=200, system=name)
            return _accepted(webhooks, verified.scheme, [canary])
        reading = read_events(
            webhooks, verified.scheme, request, body, verified.timestamp, claims=verified.claims
        )
        time = rfc3339(now if verified.timestamp is None else verified.timestamp)
        headers = public_headers(request.headers, signature_headers=_signature_headers(webhooks))
        events = [_event(name, told, time=time, headers=headers) for told in reading.events]
        self._acceptor.accept(events, by_type(self._plan, name), system=name, now=now, answer=200)
        self._metrics.add("WebhooksAccepted")
        for reason in reading.problems:
            logger().error("an expression failed", system=name, reason=reason)
        ids = [event["id"] for event in events]
        return _accepted(webhooks, verified.scheme, ids)

    def _sender(self, name: str) -> tuple[System, Webhooks]:
        system = self._plan.systems.get(name)
        if system is None or "webhooks" not in system:
            raise Unacceptable(404, "There is no such system here.")
        return system, system["webhooks"]

    @cached_property
    def _contacts(self) -> Contacts:
        from causeway.webhooks.contacting import Contacts  # noqa: PLC0415 - few schemes have a handshake

        return Contacts(secrets=self._secrets, accepting=self._accepting, visit=self._visit)

    def _met_unsigned(
        self, system: System, webhooks: Webhooks, request: SignedRequest, query: str
    ) -> Met | None:
        if any("handshake" in scheme for scheme in webhooks["schemes"]):
            return self._contacts.unsigned(system, webhooks, request, query)
        if request.method != "POST":
            raise not_by_post()
        return None

    def _keep_rejected(
        self, name: str, webhooks: Webhooks, request: SignedRequest, query: str, error: Rejected
    ) -> None:
        """Keep it for the operator. That it cannot be kept changes nothing for its sender."""
        seconds = webhooks.get("keep_rejected", 0)
        if not seconds or self._rejections is None:
            return
        try:
            self._rejections().keep(name, request, query, rule=error.rule, seconds=seconds)
        except AwsError as problem:
            logger().error("a refused request was not kept", system=name, reason=str(problem))

    def _refuse_unproven(self, name: str, webhooks: Webhooks, error: Rejected) -> Answer:
        refused = self._refuse(name, 401, str(error), more={"rule": error.rule})
        wanted = next((each["refusal"] for each in webhooks["schemes"] if "refusal" in each), None)
        return answer(**wanted) if wanted else refused

    def _refuse(
        self,
        name: str,
        status: int,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, str] | None = None,
    ) -> Answer:
        # A name that the plan does not know is a stranger's text, and is not repeated.
        system = name if name in self._plan.systems else None
        logger().warning(
            "refused", extra={"answer": status, "system": system, "reason": detail, **(more or {})}
        )
        if status not in _NOT_FOR_US:
            self._metrics.add("WebhooksRejected")
            if system and self._sightings:
                self._sightings.refused(system, (more or {}).get("rule") or str(status))
        return problem(status, detail, headers=headers, more=more)


def unavailable() -> Answer:
    """The answer when it is our fault: send it again."""
    return problem(
        503,
        "It could not be stored: send it again.",
        headers={"retry-after": str(RETRY_AFTER)},
    )


def _signature_headers(webhooks: Webhooks) -> set[str]:
    return {name for scheme in webhooks["schemes"] for name in signature_headers(scheme)}


def _event(system: str, told: Told, *, time: str, headers: Mapping[str, str]) -> Event:
    return make_event(
        id=told.id,
        type=told.type,
        source=system,
        time=time,
        data=told.body.data,
        data_base64=told.body.data_base64,
        headers=headers,
    )


def _met(system: str, met: Met) -> Answer:
    logger().info("handshake", answer=met.reply["status"], system=system)
    return answer(**met.reply)


def _accepted(webhooks: Webhooks, scheme: Scheme, ids: list[str]) -> Answer:
    reply = webhooks.get("reply") or scheme.get("reply")
    if reply:
        return answer(**reply)
    return answer_json(200, {"accepted": True, **({"id": ids[0]} if len(ids) == 1 else {"ids": ids})})
