"""A batch of messages from the deliveries queue, concurrently, with partial batch response."""

from __future__ import annotations

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING

from causeway.aws.client import AwsError
from causeway.delivery.attempt import Attempt
from causeway.delivery.gathering import Gathering
from causeway.delivery.holding import expected
from causeway.delivery.journal import FORMAT as ITEM_FORMAT
from causeway.delivery.journal import NotClaimed, Superseded
from causeway.delivery.once import once
from causeway.delivery.pages import Pages
from causeway.delivery.settling import back, dedupe_for, in_words
from causeway.delivery.work import ALONE, Fate, Invocation, Received
from causeway.limiting.admission import Admissions
from causeway.queueing.messages import FORMAT, UnreadableMessageError, decode
from causeway.queueing.tickets import Ticket
from causeway.telemetry.logs import about

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from aws_lambda_powertools.utilities.typing import LambdaContext

    from causeway.aws.table import Item
    from causeway.delivery.work import Tools

CONCURRENCY = 10
"""So many deliveries of one batch are under way at once."""

UNKNOWN_FOR = 3600.0
"""Seconds after a message was sent during which an integration that the plan does not know may yet be
deployed."""

_LOOK_AGAIN = 60.0
_AFTER_THE_LEASE = 1.0


def process(
    event: Mapping[str, Any], context: LambdaContext, tools: Tools
) -> dict[str, list[dict[str, str]]]:
    """Carry out a batch of messages.

    Args:
        event: Lambda's event of an SQS queue.
        context: Lambda's context: until when.
        tools: What deliveries work with.

    Returns:
        The messages that are not to be deleted, as ``ReportBatchItemFailures`` has it.
    """
    batch = _Batch(tools, context)
    fates = batch.carry_out(event["Records"])
    for record_id in batch.invocation.pages.write():
        fates[record_id] = Fate("unlisted", 0)
    tools.logger.info("batch", outcomes=dict(Counter(fate.outcome for fate in fates.values())))
    tools.metrics.emit()
    return {
        "batchItemFailures": [
            {"itemIdentifier": record_id} for record_id, fate in fates.items() if fate.back is not None
        ]
    }


class _Batch:
    """The messages of one invocation."""

    invocation: Invocation
    """Set by :meth:`carry_out`, before anything is begun."""

    def __init__(self, tools: Tools, context: LambdaContext) -> None:
        self.tools = tools
        self.context = context

    def carry_out(self, records: Iterable[Mapping[str, Any]]) -> dict[str, Fate]:
        """What became of each record, by its id."""
        fates: dict[str, Fate] = {}
        received = []
        for record in records:
            try:
                received.append(_read(record))
            except (UnreadableMessageError, ValueError) as error:
                fates[record["messageId"]] = self._unreadable(record, error)
        self.invocation = self._invocation(received)
        with ThreadPoolExecutor(CONCURRENCY) as pool:
            # Not pool.map: it leaves out those that have not begun when one ends the process, and others wait
            # for them.
            futures = [pool.submit(self._carry_out, each) for each in received]
            fates |= {each.record_id: future.result() for each, future in zip(received, futures, strict=True)}
        for each in received:  # one after the other, now that all else is done
            if fates[each.record_id] == ALONE:
                fates[each.record_id] = self._carry_out(each, alone=True)
        self.invocation.admissions.end()
        return fates

    def _invocation(self, received: Sequence[Received]) -> Invocation:
        now = self.tools.clock.now()
        members = [(each.message["integration"], each.record_id) for each in received]
        return Invocation(
            context=self.context,
            started=now,
            deadline=now + self.context.get_remaining_time_in_millis() / 1000,
            pages=Pages(self.tools.table, invocation=self.context.aws_request_id, started=now),
            gathering=Gathering(members, at_once=CONCURRENCY),
            admissions=Admissions(
                self.tools.limits,
                holder=self.context.aws_request_id,
                until=now + self.context.get_remaining_time_in_millis() / 1000,
                expected=expected(self.tools.plan, (each.message for each in received)),
            ),
        )

    def _carry_out(self, received: Received, *, alone: bool = False) -> Fate:
        try:
            fate = self._attempt(received, alone=alone)
        finally:
            self.invocation.gathering.left(received.message["integration"], received.record_id)
        if fate.back is not None and fate != ALONE:
            with suppress(AwsError):  # then the queue's visibility timeout brings it back
                self.tools.queue.put_back(received.receipt, delay=fate.back)
        return fate

    def _attempt(self, received: Received, *, alone: bool) -> Fate:
        attempt = Attempt(self.tools, self.invocation, received, alone=alone)
        if attempt.integration is None and self.tools.clock.now() < received.sent_at + UNKNOWN_FOR:
            return Fate("unknown", _LOOK_AGAIN)
        if not attempt.has_time():
            return Fate("no time", 0)
        try:
            once(attempt, self.invocation.context)
        except NotClaimed as refused:
            return self._met(received, refused.item)
        except Superseded:
            return Fate("superseded", back(received))
        except Exception as error:  # noqa: BLE001 - the edge: no delivery's failure may become another's
            return attempt.fate or self._fault(received, error)
        assert attempt.fate is not None, "what ends without an exception is settled"
        return attempt.fate

    def _fault(self, received: Received, error: Exception) -> Fate:
        """The journal could not be read or written: the message comes again, and finds things as they are."""
        self.tools.logger.error(
            "could not be written down, comes again",
            **about(
                integration=received.message["integration"],
                system=received.message["system"],
                delivery_id=received.message["delivery"],
            ),
            reason=in_words(error),
        )
        return Fate("fault", back(received))

    def _met(self, received: Received, item: Item) -> Fate:
        """What becomes of a message that may not run, by the item that it met."""
        now = self.tools.clock.now()
        lease = item["lease"] / 1000
        dead = item["status"] == "dead" and not item.get("announced")
        if item["format"] > ITEM_FORMAT:
            return Fate("newer", _LOOK_AGAIN)
        if (item["status"] == "running" or dead) and lease >= now:
            return Fate("running", lease - now + _AFTER_THE_LEASE)
        try:
            if dead:  # whoever gave it up was cut off before saying so
                self.tools.giving_up.announce(item["id"])
            if item["status"] == "delivered" and item.get("kept"):  # ... before tidying up
                self.tools.beside.delete(item["id"])
        except AwsError as error:
            return self._fault(received, error)
        return self._list(received, item)

    def _list(self, received: Received, item: Item) -> Fate:
        """List repeats, and what was delivered by an invocation that was cut off before it listed it."""
        message, pages = received.message, self.invocation.pages
        expires_at = self.tools.clock.now() + dedupe_for(self.tools, message)
        if item["acceptance"] != message["acceptance"]:
            pages.duplicate(message, record_id=received.record_id, expires_at=expires_at)
            self.tools.metrics.add("DeliveriesDuplicate")
            return Fate("duplicate")
        if item["status"] == "delivered":
            pages.delivered(
                message, at=item["updated_at"], record_id=received.record_id, expires_at=expires_at
            )
        return Fate("stale")

    def _unreadable(self, record: Mapping[str, Any], error: Exception) -> Fate:
        """A message of a later version waits for it; anything else nobody could ever deliver."""
        if _is_newer(record["body"]):
            fate = Fate("newer", _LOOK_AGAIN)
        else:
            try:
                self.tools.giving_up.poison(record["body"], str(error))
                fate = Fate("poison")
            except AwsError:
                fate = Fate("fault", _LOOK_AGAIN)
        self.tools.logger.error(
            "unreadable message", reason=str(error), message_id=record["messageId"], outcome=fate.outcome
        )
        if fate.back is not None:
            with suppress(AwsError):
                self.tools.queue.put_back(record["receiptHandle"], delay=fate.back)
        return fate


def _read(record: Mapping[str, Any]) -> Received:
    """A record's message.

    Raises:
        UnreadableMessageError: it is none.
        ValueError: its ticket is none.
    """
    message = decode(record["body"])
    Ticket.parse(message["ticket"])
    attributes = record["attributes"]
    return Received(
        message=message,
        record_id=record["messageId"],
        receipt=record["receiptHandle"],
        sent_at=int(attributes["SentTimestamp"]) / 1000,
        receives=int(attributes["ApproximateReceiveCount"]),
    )


def _is_newer(body: str) -> bool:
    try:
        message = json.loads(body)
    except ValueError:
        return False
    return isinstance(message, dict) and isinstance(message.get("format"), int) and message["format"] > FORMAT
