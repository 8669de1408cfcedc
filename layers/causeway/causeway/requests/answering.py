"""Answering clients: one HTTP request becomes one answer, and at most one delivery.

The delivery is claimed first, so that no second request with the same key runs beside it. What is told with
2xx is done, or on the queue: the message first, then the journal, then the answer.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from causeway.acceptance.lines import LINE, told
from causeway.authorizing.clients import Refused as NotAllowed
from causeway.authorizing.clients import client_with
from causeway.delivery.claims import FORMAT
from causeway.delivery.gathering import Gathering
from causeway.delivery.history import in_words
from causeway.delivery.holding import wanted
from causeway.delivery.journal import NotClaimed, Superseded
from causeway.delivery.once import once
from causeway.delivery.pages import Pages
from causeway.delivery.received import Received
from causeway.delivery.work import MARGIN, Invocation
from causeway.limiting.admission import Admissions
from causeway.requests import answers
from causeway.requests.identity import is_of, read
from causeway.requests.standing import Standing, standing_of
from causeway.requests.waited import QUEUED, WITHDRAWN, Waited
from causeway.webhooks.gateway import Unacceptable, method_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_lambda_powertools.utilities.typing import LambdaContext

    from causeway.authorizing.clients import Client
    from causeway.aws.table import Item
    from causeway.delivery.work import Tools
    from causeway.plan.records import Integration
    from causeway.queueing.messages import Message
    from causeway.requests.identity import Asked
    from causeway.webhooks.gateway import Answer

LONGEST = 25.0
"""Seconds after which a client is answered at the latest; API Gateway waits for 30."""

SCOPE = "requests:call"

_ACCEPTED = ("delivered", "filtered", "skipped", "dead", QUEUED)
"""The fates of which the journal knows afterwards, as the books have it."""

_WAIT = re.compile(r"wait\s*=\s*(\d{1,9})", re.ASCII)
_RECORD = "request"
"""What stands for the id of a message's record: there is none."""


class Requests:
    """Answers clients. One object serves an instance of the function."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    def answer(self, event: Mapping[str, Any], context: LambdaContext) -> Answer:
        """The answer to one request, an event of API Gateway's HTTP API."""
        try:
            client = client_with(SCOPE, event)
            integration = self._integration(event)
            if method_of(event) == "GET":
                return self._look(event, client, integration["name"])
            return self._ask(event, client, integration, context)
        except NotAllowed as error:
            status = HTTPStatus.FORBIDDEN if error.rule == "scope" else HTTPStatus.UNAUTHORIZED
            return self._refuse(status, f"This needs a client with the scope {SCOPE}.")
        except Unacceptable as error:
            return self._refuse(HTTPStatus(error.status), str(error), error.headers)
        except Exception as error:  # noqa: BLE001 - the edge: nothing was promised, the client may come again
            # Not the exception itself: its text may quote anything.
            self._tools.logger.error("not answered", answer=503, reason=in_words(error))  # noqa: TRY400
            return answers.unavailable()
        finally:
            self._tools.metrics.emit()

    def _integration(self, event: Mapping[str, Any]) -> Integration:
        name = (event.get("pathParameters") or {}).get("integration") or ""
        integration = self._tools.plan.integrations.get(name)
        if integration is None or "request" not in integration["source"]:
            raise Unacceptable(HTTPStatus.NOT_FOUND, "There is no such integration for requests.")
        return integration

    def _look(self, event: Mapping[str, Any], client: Client, integration: str) -> Answer:
        """The reply of what this client asked for before; others do not even learn that it is there."""
        delivery = (event.get("pathParameters") or {}).get("id") or ""
        item = self._tools.journal.find(delivery) if delivery else None
        standing = standing_of(item, now=self._tools.clock.now())
        if item is None or standing in (Standing.NEW, Standing.LEFT) or not is_of(item, client, integration):
            raise Unacceptable(HTTPStatus.NOT_FOUND, "There is no such request.")
        if standing is Standing.DONE:
            return self._reply_of(delivery, {})
        return answers.under_way(delivery, integration, {})

    def _ask(
        self, event: Mapping[str, Any], client: Client, integration: Integration, context: LambdaContext
    ) -> Answer:
        asked = read(event, client, integration["name"], now=self._tools.clock.now())
        item = self._tools.journal.find(asked.message["delivery"]) if asked.given else None
        for _ in range(2):
            standing = self._standing(item, asked)
            if standing not in (Standing.NEW, Standing.LEFT):
                return self._met(standing, integration["name"], asked)
            message = asked.message
            if item is not None and standing is Standing.LEFT:
                message = _again(item, message)
            try:
                return self._carry_out(message, asked, integration, context)
            except NotClaimed as met:  # somebody else was faster
                item = met.item
        return self._met(Standing.RUNNING, integration["name"], asked)

    def _standing(self, item: Item | None, asked: Asked) -> Standing:
        standing = standing_of(item, now=self._tools.clock.now())
        if item is None or standing is Standing.NEW:
            return Standing.NEW
        if item["format"] > FORMAT:
            raise Unacceptable(
                HTTPStatus.SERVICE_UNAVAILABLE, "Ask again.", {"retry-after": str(answers.RETRY_AFTER)}
            )
        if item.get("fingerprint") != asked.message.get("fingerprint"):
            raise Unacceptable(
                HTTPStatus.UNPROCESSABLE_ENTITY, "This Idempotency-Key came with another body before."
            )
        return standing

    def _met(self, standing: Standing, integration: str, asked: Asked) -> Answer:
        """The answer to a request that was asked before."""
        delivery = asked.message["delivery"]
        headers = _headers(asked)
        if standing is Standing.DONE:
            return self._reply_of(delivery, {**headers, "idempotency-replayed": "true"})
        if standing is Standing.QUEUED:
            return answers.under_way(delivery, integration, headers)
        return answers.conflicting(delivery, headers)

    def _reply_of(self, delivery: str, headers: Mapping[str, str]) -> Answer:
        kept = self._tools.beside.reply(delivery, now=self._tools.clock.now())
        if kept is None:
            return answers.gone(delivery, headers)
        return answers.told(kept, headers)

    def _carry_out(
        self, message: Message, asked: Asked, integration: Integration, context: LambdaContext
    ) -> Answer:
        words = integration["source"]["request"]
        refuses = words["otherwise"] == "refuse"
        wait, at_once = patience(asked.headers.get("prefer", ""), min(words["wait"], LONGEST))
        received = Received(message, _RECORD, "", self._tools.clock.now(), 1)
        invocation = self._invocation(message, wait, context)
        attempt = Waited(self._tools, invocation, received, refuses=refuses, at_once=at_once and not refuses)
        try:
            once(attempt, context)
        except (NotClaimed, Superseded):
            raise
        except Exception:
            if attempt.fate is None:  # not even that could be written down
                raise
        finally:
            invocation.gathering.left(integration["name"], _RECORD)
            invocation.admissions.end()
        self._list(attempt)
        return _said(attempt, asked)

    def _invocation(self, message: Message, wait: float, context: LambdaContext) -> Invocation:
        now = self._tools.clock.now()
        deadline = now + min(wait + MARGIN, context.get_remaining_time_in_millis() / 1000)
        return Invocation(
            context=context,
            started=now,
            deadline=deadline,
            pages=Pages(self._tools.table, invocation=context.aws_request_id, started=now),
            gathering=Gathering([(message["integration"], _RECORD)], at_once=1),
            admissions=Admissions(
                self._tools.limits,
                holder=context.aws_request_id,
                until=deadline,
                wanted=wanted(self._tools.plan, [message]),
            ),
        )

    def _list(self, attempt: Waited) -> None:
        """For the books and the console: what was delivered is on a page, what was accepted in a line."""
        assert attempt.fate is not None, "what is claimed is settled"
        logger, message, outcome = self._tools.logger, attempt.message, attempt.fate.outcome
        if outcome == QUEUED:
            self._tools.metrics.add("DeliveriesQueued")
        if attempt.invocation.pages.write():  # so the books know nothing of it, on either side
            logger.error("a delivery was not listed", **attempt.about)
        elif outcome in _ACCEPTED:
            more: dict[str, Any] = {"accepted_at": message["accepted_at"], "outcome": outcome}
            logger.info(LINE, **attempt.about, **told([message]), **more)

    def _refuse(self, status: HTTPStatus, detail: str, headers: Mapping[str, str] | None = None) -> Answer:
        self._tools.logger.warning("refused", answer=status.value, reason=detail)
        return answers.refused(status, detail, headers)


def patience(prefer: str, wait: float) -> tuple[float, bool]:
    """How long a client waits (RFC 7240): seconds, and whether it does not want to wait at all.

    Args:
        prefer: The header, empty where there is none.
        wait: The manifest's, which the client's can shorten.
    """
    preferences = [each.strip().lower() for each in prefer.replace(";", ",").split(",")]
    wanted = [float(match[1]) for each in preferences if (match := _WAIT.fullmatch(each))]
    if wanted:
        return max(1.0, min(wait, wanted[0])), wanted[0] == 0
    return wait, "respond-async" in preferences


def _again(item: Item, message: Message) -> Message:
    """The message with which a delivery goes on that its client left."""
    return {**message, "ticket": item["ticket"], "acceptance": item["acceptance"]}


def _headers(asked: Asked) -> dict[str, str]:
    return {"idempotency-key": asked.key, "causeway-delivery": asked.message["delivery"]}


def _said(attempt: Waited, asked: Asked) -> Answer:
    headers = _headers(asked)
    outcome = attempt.fate.outcome if attempt.fate else None
    if attempt.reply is not None:
        return answers.told(attempt.reply, headers)
    if outcome == QUEUED:
        applied = {"preference-applied": "respond-async"} if attempt.at_once else {}
        return answers.under_way(attempt.id, attempt.message["integration"], {**headers, **applied})
    if outcome == WITHDRAWN:
        return answers.not_done(attempt, headers)
    return answers.unavailable(headers)
