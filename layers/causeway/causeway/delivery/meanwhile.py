"""What the processor does while calls of its batch take long: it takes further batches beside it.

Lambda gives an instance its next batch when all of this one is done. So one call that waits for its timeout
would keep an instance from everything else, and as many such calls as there are instances, all integrations.
Therefore a batch that is not done soon is joined by others, which the function receives by itself from the
same queue: an instance that waits works.

Of these few go to the same system: one that does not answer gets hardly more of an instance than without all
this, and there is always room for the others.
"""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import suppress
from typing import TYPE_CHECKING, cast

from causeway.aws.errors import AwsError
from causeway.delivery import processor
from causeway.delivery.history import in_words
from causeway.delivery.targets import place_of
from causeway.queueing.messages import UnreadableMessageError, decode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from concurrent.futures import Future
    from typing import Any

    from aws_lambda_powertools.utilities.typing import LambdaContext

    from causeway.delivery.work import Tools

    _Batch = tuple[str, list[dict[str, Any]]]

SOON = 0.5
"""Seconds after which a batch takes long."""

MOST = 40
"""So many deliveries at most are taken beside the first batch."""

SHARE = 10
"""So many of them at most go to one system that does not answer soon."""

_LOOK = 0.2
_RECEIVE_FOR = 1  # seconds; SQS counts whole ones
_ELSEWHERE = 2.0  # after which a message that is left to others can be received, and longer each time
_LONGEST_ELSEWHERE = 60.0
_LONGEST_PAUSE = 1.0


def process(
    event: Mapping[str, Any], context: LambdaContext, tools: Tools
) -> dict[str, list[dict[str, str]]]:
    """Carry out a batch of messages, and others while it takes long.

    Args:
        event: Lambda's event of an SQS queue.
        context: Lambda's context: until when.
        tools: What deliveries work with.

    Returns:
        The event's messages that are not to be deleted, as ``ReportBatchItemFailures`` has it.
    """
    if any(map(processor.is_fifo, event["Records"])):  # a key's next messages wait for the end of this batch
        return processor.process(event, context, tools)
    return _Meanwhile(context, tools).process(event)


class _Meanwhile:
    """One invocation and its batches."""

    def __init__(self, context: LambdaContext, tools: Tools) -> None:
        self._context = context
        self._tools = tools
        self._clock = tools.clock
        self._started = tools.clock.now()
        # A batch that is taken later than this would have too little time.
        self._last_taken = self._started + context.get_remaining_time_in_millis() / 2000
        self._taken: Counter[str] = Counter()  # so many deliveries are under way beside the first batch
        self._lock = threading.Lock()

    def process(self, event: Mapping[str, Any]) -> dict[str, list[dict[str, str]]]:
        """Carry out the event's batch, and others until it and they are done."""
        with ThreadPoolExecutor(1 + MOST) as pool:
            first = pool.submit(processor.process, event, self._context, self._tools)
            under_way: set[Future[Any]] = set(wait([first], timeout=SOON).not_done)
            pause = _LOOK
            while under_way:
                batches, left = self._receive() if self._clock.now() < self._last_taken else ([], 0)
                under_way |= {pool.submit(self._beside, *batch) for batch in batches}
                pause = min(pause * 2, _LONGEST_PAUSE) if left and not batches else _LOOK
                under_way = wait(under_way, timeout=pause, return_when=FIRST_COMPLETED).not_done
        return first.result()

    def _beside(self, receiver: str, records: Sequence[Mapping[str, Any]]) -> None:
        """Carry out a further batch, and delete what is done of it."""
        context = cast("LambdaContext", _Named(self._context, records[0]["messageId"]))
        try:
            answer = processor.process({"Records": records}, context, self._tools, started=self._started)
            failed = {each["itemIdentifier"] for each in answer["batchItemFailures"]}
            done = [each["receiptHandle"] for each in records if each["messageId"] not in failed]
            self._tools.queue.delete(done)
        except Exception as error:  # noqa: BLE001 - what went wrong here is not the first batch's fault
            self._tools.logger.error("a further batch failed", reason=in_words(error))  # noqa: TRY400 - no payload
        finally:
            with self._lock:
                self._taken[receiver] -= len(records)

    def _receive(self) -> tuple[list[_Batch], int]:
        """Further batches, and how many messages were left.

        There is a batch for each receiver, so that none waits for another.
        """
        room = MOST - self._taken.total()
        try:
            received = self._tools.queue.receive(room, seconds=_RECEIVE_FOR) if room else []
        except AwsError as error:
            self._tools.logger.warning("no further batch could be received", reason=str(error))
            return [], 1
        batches = defaultdict(list)
        left = 0
        for record in received:
            receiver = self._receiver(record)
            if self._take(receiver):
                batches[receiver].append(record)
            else:
                self._leave(record)
                left += 1
        return list(batches.items()), left

    def _take(self, receiver: str) -> bool:
        """Whether one more may be taken for it."""
        soon = self._tools.limits.under_way.longest(receiver) < SOON
        with self._lock:
            taken = soon or self._taken[receiver] < SHARE
            self._taken[receiver] += taken
            return taken

    def _leave(self, record: Mapping[str, Any]) -> None:
        """Leave a message to others."""
        receives = int(record["attributes"]["ApproximateReceiveCount"])
        with suppress(AwsError):  # then the queue's visibility timeout brings it back
            delay = min(_ELSEWHERE * receives, _LONGEST_ELSEWHERE)
            self._tools.queue.put_back(record["receiptHandle"], delay=delay)

    def _receiver(self, record: Mapping[str, Any]) -> str:
        """Whom a message's delivery goes to in the end; nobody, if that cannot be said."""
        try:
            integration = self._tools.plan.integrations.get(decode(record["body"])["integration"])
        except UnreadableMessageError:
            return ""
        return place_of(integration["target"]).receiver if integration else ""


class _Named:
    """Lambda's context under a name of its own, for what is written down by invocation."""

    def __init__(self, context: LambdaContext, name: str) -> None:
        self.aws_request_id = f"{context.aws_request_id}.{name}"
        self.get_remaining_time_in_millis = context.get_remaining_time_in_millis
