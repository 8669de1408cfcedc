"""Giving up, aloud: a dead delivery is told of on the dead-letter queue, in a metric and on the stack's bus.

All of it follows from the journal's item, so that whoever finds a dead delivery that was not announced (its
attempt was cut off) can do it. Telling twice is harmless: the message on the dead-letter queue carries a
ticket.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from causeway.aws.bus import put_event
from causeway.bus.announcements import DEAD, PAUSED, SOURCE
from causeway.delivery.going_on import message_of
from causeway.queueing.messages import encode
from causeway.queueing.tickets import Ticket

if TYPE_CHECKING:
    from causeway.aws.client import Aws
    from causeway.delivery.announcement import Announcements
    from causeway.delivery.journal import Journal
    from causeway.plan.records import JSON
    from causeway.telemetry.metrics import Metrics


class GivingUp:
    """Announces dead deliveries. Every method raises ``AwsError`` as AWS does.

    Args:
        aws: Whose calls.
        journal: Where the dead are found and marked.
        dead_letters: The URL of the dead-letter queue.
        bus: The stack's bus.
        announcements: What is said there.
        metrics: What is counted.
    """

    def __init__(
        self,
        aws: Aws,
        journal: Journal,
        *,
        dead_letters: str,
        bus: str,
        announcements: Announcements,
        metrics: Metrics,
    ) -> None:
        self._aws = aws
        self._journal = journal
        self._dead_letters = dead_letters
        self._bus = bus
        self._announcements = announcements
        self._metrics = metrics

    def announce(self, delivery: str) -> None:
        """Tell of a dead delivery, and mark it as told of; nothing when it is being replayed already."""
        item = self._journal.find(delivery)
        if item is None or item["status"] != "dead":
            return
        afresh = message_of(item, str(Ticket.parse(item["ticket"]).replayed()))
        self._put(encode(afresh), reason=item["reason"], integration=item["integration"])
        self._metrics.add("DeliveriesDead", integration=item["integration"])
        self._tell(DEAD, self._announcements.of(item))
        self._journal.announced(delivery, item["ticket"])

    def tell_paused(self, integration: str, *, of_announcement: bool, **detail: str) -> None:
        """Tell that an integration is paused, by whom and why.

        Args:
            integration: Which.
            of_announcement: Whether a delivery of an announcement led to it.
            detail: By whom and why.
        """
        self._tell(PAUSED, {"integration": integration, "of_announcement": of_announcement, **detail})

    def poison(self, body: str, reason: str) -> None:
        """Put away a message that is none of ours: nobody could ever deliver it."""
        self._put(body, reason=reason)
        self._metrics.add("DeliveriesDead")

    def _put(self, body: str, **attributes: str) -> None:
        described = {
            name: {"DataType": "String", "StringValue": _plain(text)} for name, text in attributes.items()
        }
        parameters = {"QueueUrl": self._dead_letters, "MessageBody": body, "MessageAttributes": described}
        self._aws.call("sqs", "SendMessage", parameters)

    def _tell(self, detail_type: str, detail: dict[str, JSON]) -> None:
        entry = {
            "EventBusName": self._bus,
            "Source": SOURCE,
            "DetailType": detail_type,
            "Resources": [],
            "Detail": json.dumps(detail),
        }
        put_event(self._aws, entry)


def _plain(text: str) -> str:
    """A text that SQS takes as an attribute: not empty, and without control characters."""
    return "".join(each if each.isprintable() else " " for each in text) or "-"
