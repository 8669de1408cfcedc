"""A batch of messages from the stream: carried out as one of the queue is, and nothing waits in the shard.

A shard hands out its records in order, and what a batch does not finish holds all that come after it. So
whatever is not finished goes to the queue of deliveries, with the ticket that it has, and waits there or in
the journal as any other; a refusal has done so anyway, with its next ticket. A batch is over when its calls
are, and a system that was slow to answer is not called from here for a while: its messages go to the queue
unseen, and so does the rest of the batch that met it. Only what cannot even be put there is a failure, which
the shard repeats.
"""

from __future__ import annotations

import base64
import math
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from causeway.delivery.processor import process
from causeway.delivery.received import Fate, Postponed
from causeway.queueing.messages import UnreadableMessageError, decode
from causeway.queueing.queue import LONGEST_DELAY
from causeway.queueing.sending import NotQueued

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_lambda_powertools.utilities.typing import LambdaContext

    from causeway.calls.caller import Caller
    from causeway.calls.outcome import Answer
    from causeway.delivery.work import Tools
    from causeway.plan.plan import Plan
    from causeway.plan.records import JSON, Call
    from causeway.queueing.messages import Message
    from causeway.queueing.queue import Queue
    from causeway.settings.clock import Clock

    Record = dict[str, Any]

SLOW = 1.0
"""Seconds of a call from which on its system is slow."""

LEFT_ALONE = 300.0
"""Seconds for which a slow system is not called from here."""


class Streaming:
    """Carries out batches from the stream; one object serves an instance of the function."""

    def __init__(self, tools: Tools) -> None:
        self._slow = _Slow(tools.plan, tools.clock)
        self._tools = replace(tools, caller=cast("Caller", _Timed(tools.caller, self._slow, tools.clock)))

    def carry_out(self, event: Mapping[str, Any], context: LambdaContext) -> dict[str, list[dict[str, str]]]:
        """Carry out a batch.

        Args:
            event: Lambda's event of a Kinesis stream.
            context: Lambda's context: until when.

        Returns:
            The records from which on the shard is to go on, as ``ReportBatchItemFailures`` has it.
        """
        records = [_as_of_a_queue(record) for record in event["Records"]]
        back = _Back(self._tools.queue)
        messages = {record["messageId"]: _message(record["body"]) for record in records}
        aside = {id_ for id_, message in messages.items() if message and self._slow.is_for(message)}
        here = [record for record in records if record["messageId"] not in aside]
        unfinished = {record["messageId"] for record in records} & aside
        if here:
            tools = replace(self._tools, queue=cast("Queue", back))
            response = process({"Records": here}, context, tools)
            unfinished |= {failure["itemIdentifier"] for failure in response["batchItemFailures"]}
        failed = self._hand_over({id_: messages[id_] for id_ in unfinished}, back.delays)
        if unfinished:
            self._tools.logger.info(
                "handed over to the queue", count=len(unfinished) - len(failed), of_slow_systems=len(aside)
            )
        return {
            "batchItemFailures": [
                {"itemIdentifier": record["messageId"]} for record in records if record["messageId"] in failed
            ]
        }

    def _hand_over(self, unfinished: Mapping[str, Message | None], delays: Mapping[str, float]) -> set[str]:
        """Put what is unfinished on the queue; returns what could not be put there."""
        failed = {id_ for id_, message in unfinished.items() if message is None}
        by_delay: dict[int, list[str]] = defaultdict(list)
        for id_ in unfinished.keys() - failed:
            by_delay[math.ceil(min(delays.get(id_, 0), LONGEST_DELAY))].append(id_)
        for delay, ids in by_delay.items():
            try:
                self._tools.queue.send([cast("Message", unfinished[id_]) for id_ in ids], delay=delay)
            except NotQueued as error:
                self._tell_failure(error)
                failed.update(ids)
        return failed

    def _tell_failure(self, error: NotQueued) -> None:
        self._tools.logger.error("not handed over, the shard repeats it", reason=str(error))


class _Back:
    """The queue, as a batch of the stream sees it: what is put back has never been there, and is noted."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self.delays: dict[str, float] = {}

    def put_back(self, receipt_handle: str, *, delay: float, **_: object) -> None:
        """Note in how many seconds it is to come again."""
        self.delays[receipt_handle] = delay

    def __getattr__(self, name: str) -> Any:
        return getattr(self._queue, name)


class _Slow:
    """Systems that were slow to answer, as this instance knows them."""

    def __init__(self, plan: Plan, clock: Clock) -> None:
        self._plan = plan
        self._clock = clock
        self._until: dict[str, float] = {}

    def note(self, system: str) -> None:
        """It was slow."""
        self._until[system] = self._clock.now() + LEFT_ALONE

    def knows(self, system: str) -> bool:
        """Whether it was, not long ago."""
        return self._until.get(system, 0) > self._clock.now()

    def is_for(self, message: Message) -> bool:
        """Whether a message's delivery calls a system that was slow."""
        integration = self._plan.integrations.get(message["integration"])
        if integration is None:
            return False
        places = [*integration["steps"], integration["target"]]
        called = {place["call"]["system"] for place in places if "call" in place}
        return any(map(self.knows, called))


class _Timed:
    """Calls, notes who was slow, and calls them no more."""

    def __init__(self, caller: Caller, slow: _Slow, clock: Clock) -> None:
        self._caller = caller
        self._slow = slow
        self._clock = clock

    def call(self, call: Call, scope: Mapping[str, JSON], **named: Any) -> Answer:
        """As :meth:`causeway.calls.caller.Caller.call`.

        Raises:
            Postponed: the system was slow, since this batch began.
        """
        if self._slow.knows(call["system"]):
            raise Postponed("its system is slow: it goes on by the queue", Fate("slow", 0))
        begun = self._clock.now()
        try:
            return self._caller.call(call, scope, **named)
        finally:
            if self._clock.now() - begun >= SLOW:
                self._slow.note(call["system"])


def _as_of_a_queue(record: Mapping[str, Any]) -> Record:
    """A record of the stream in the form of one of a queue; its number is also its receipt."""
    kinesis = record["kinesis"]
    return {
        "messageId": kinesis["sequenceNumber"],
        "receiptHandle": kinesis["sequenceNumber"],
        "body": base64.b64decode(kinesis["data"]).decode("utf-8", "replace"),
        "attributes": {
            "SentTimestamp": str(int(kinesis["approximateArrivalTimestamp"] * 1000)),
            "ApproximateReceiveCount": "1",
        },
    }


def _message(body: str) -> Message | None:
    """Its message; None when this version cannot read it."""
    try:
        return decode(body)
    except UnreadableMessageError:
        return None
