"""A batch of messages from the deliveries queue, concurrently, with partial batch response."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING

from causeway.aws.errors import AwsError
from causeway.delivery.carrying import LOOK_AGAIN, Carrier
from causeway.delivery.gathering import Gathering
from causeway.delivery.holding import follow, wanted
from causeway.delivery.ordering import Group
from causeway.delivery.pages import Pages
from causeway.delivery.received import ALONE, Fate, Received
from causeway.delivery.work import Invocation
from causeway.limiting.admission import Admissions
from causeway.queueing.messages import FORMAT, UnreadableMessageError, decode
from causeway.queueing.sending import NotQueued
from causeway.queueing.tickets import Ticket

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from aws_lambda_powertools.utilities.typing import LambdaContext

    from causeway.delivery.work import Tools
    from causeway.plan.records import JSON

CONCURRENCY = 10
"""So many deliveries of one batch are under way at once."""


def process(
    event: Mapping[str, Any], context: LambdaContext, tools: Tools, *, started: float | None = None
) -> dict[str, list[dict[str, str]]]:
    """Carry out a batch of messages.

    Args:
        event: Lambda's event of an SQS queue.
        context: Lambda's context: until when.
        tools: What deliveries work with.
        started: When the invocation began, if not with this batch.

    Returns:
        The messages that are not to be deleted, as ``ReportBatchItemFailures`` has it.
    """
    batch = _Batch(tools, context, tools.clock.now() if started is None else started)
    fates = batch.carry_out(event["Records"])
    unlisted = set(batch.carrier.invocation.pages.write())
    for record in event["Records"]:
        if record["messageId"] in unlisted:  # it comes again, and is listed then
            fates[record["messageId"]] = batch.put_back(record, Fate("unlisted", 0))
    outcomes = dict(Counter(fate.outcome for fate in fates.values()))
    tools.logger.info("batch", outcomes=outcomes, **_slowest(batch.carrier.invocation.calls))
    tools.metrics.emit()
    return {
        "batchItemFailures": [
            {"itemIdentifier": record_id} for record_id, fate in fates.items() if fate.back is not None
        ]
    }


def _slowest(calls: Sequence[tuple[float, str]]) -> dict[str, JSON]:
    """Which target was the slowest of the batch: enough to see who keeps deliveries waiting."""
    if not calls:
        return {}
    seconds, target = max(calls)
    return {"slowest": target, "slowest_ms": round(seconds * 1000)}


class _Batch:
    """The messages of one invocation."""

    carrier: Carrier
    """Set by :meth:`carry_out`, before anything is begun."""

    def __init__(self, tools: Tools, context: LambdaContext, started: float) -> None:
        self.tools = tools
        self.context = context
        self.started = started

    def carry_out(self, records: Iterable[Mapping[str, Any]]) -> dict[str, Fate]:
        """What became of each record, by its id."""
        fates: dict[str, Fate] = {}
        rows: defaultdict[str, list[Received]] = defaultdict(list)  # each in order, all beside one another
        stuck: dict[str, Fate] = {}
        for record in records:
            name, id_ = _row(record), record["messageId"]
            if name in stuck:
                fates[id_] = self.put_back(record, stuck[name])
                continue
            try:
                received = _read(record)
            except (UnreadableMessageError, ValueError) as error:
                fates[id_] = self._unreadable(record, error)
                if fates[id_].back is not None:
                    stuck[name] = fates[id_]._replace(outcome="behind")
            else:
                rows[name].append(received)
        every = list(rows.values())
        self.carrier = Carrier(self.tools, self._invocation([row[0] for row in every]))
        with ThreadPoolExecutor(CONCURRENCY) as pool:
            # Not pool.map: it leaves out those that have not begun when one ends the process, and others wait
            # for them.
            futures = [pool.submit(self._carry_out, row) for row in every]
            for future in futures:
                fates |= future.result()
        for row in every:  # one after the other, now that all else is done
            rest = [each for each in row if fates.get(each.record_id, ALONE) == ALONE]
            if rest:
                fates |= self._carry_out(rest, alone=True)
        follow(self.tools, self.carrier.invocation.admissions.end())
        return fates

    def _invocation(self, first: Sequence[Received]) -> Invocation:
        now = self.tools.clock.now()
        members = [(each.message["integration"], each.record_id) for each in first]
        return Invocation(
            context=self.context,
            started=self.started,
            deadline=now + self.context.get_remaining_time_in_millis() / 1000,
            pages=Pages(self.tools.table, invocation=self.context.aws_request_id, started=now),
            gathering=Gathering(members, at_once=CONCURRENCY),
            admissions=Admissions(
                self.tools.limits,
                holder=self.context.aws_request_id,
                until=now + self.context.get_remaining_time_in_millis() / 1000,
                wanted=wanted(self.tools.plan, (each.message for each in first)),
            ),
        )

    def _carry_out(self, row: Sequence[Received], *, alone: bool = False) -> dict[str, Fate]:
        """What became of messages that are done one after the other; only up to one that is to be alone."""
        first = row[0]
        if "order" not in first.message:
            fates = {first.record_id: self.carrier.carry_out(first, alone=alone)}
        elif first.sequence is None:
            fates = {first.record_id: self._forward(first)}
        else:
            fates = Group(self.carrier, row).carry_out(alone=alone)
        for each in row:
            fate = fates.get(each.record_id, ALONE)
            if fate.back is not None and fate != ALONE:
                with suppress(AwsError):  # then the queue's visibility timeout brings it back
                    self.tools.queue.put_back(each.receipt, delay=fate.back, fifo=each.sequence is not None)
        return fates

    def _forward(self, received: Received) -> Fate:
        """What keeps an order and came by the other queue, moved there by hand, goes to its own."""
        self.carrier.invocation.gathering.left(received.message["integration"], received.record_id)
        try:
            self.tools.queue.send([received.message])
        except NotQueued as error:
            return self.carrier.fault(received, error)
        return Fate("forwarded")

    def _unreadable(self, record: Mapping[str, Any], error: Exception) -> Fate:
        """A message of a later version waits for it; anything else nobody could ever deliver."""
        if _is_newer(record["body"]):
            fate = Fate("newer", LOOK_AGAIN)
        else:
            try:
                self.tools.giving_up.poison(record["body"], str(error))
                fate = Fate("poison")
            except AwsError:
                fate = Fate("fault", LOOK_AGAIN)
        self.tools.logger.error(
            "unreadable message", reason=str(error), message_id=record["messageId"], outcome=fate.outcome
        )
        return self.put_back(record, fate)

    def put_back(self, record: Mapping[str, Any], fate: Fate) -> Fate:
        """Let a record's message be received again, if that is its fate."""
        if fate.back is not None:
            with suppress(AwsError):
                self.tools.queue.put_back(record["receiptHandle"], delay=fate.back, fifo=is_fifo(record))
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
        sequence=attributes["SequenceNumber"] if is_fifo(record) else None,
    )


def is_fifo(record: Mapping[str, Any]) -> bool:
    """Whether a record came from the FIFO queue."""
    return "SequenceNumber" in record["attributes"]


def _row(record: Mapping[str, Any]) -> str:
    """The name of what is done one after the other: a group of the FIFO queue, else each for itself."""
    name: str = record["attributes"]["MessageGroupId"] if is_fifo(record) else record["messageId"]
    return name


def _is_newer(body: str) -> bool:
    try:
        message = json.loads(body)
    except ValueError:
        return False
    return isinstance(message, dict) and isinstance(message.get("format"), int) and message["format"] > FORMAT
