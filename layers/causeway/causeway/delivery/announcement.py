"""What a dead delivery's announcement says: enough for an integration on the bus to undo the steps done."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from causeway.bus.announcements import of_announcement
from causeway.delivery.beside import LARGE
from causeway.delivery.redaction import redacted, redactor
from causeway.events.envelope import public_headers
from causeway.queueing.tickets import Ticket
from causeway.settings.clock import rfc3339

if TYPE_CHECKING:
    from causeway.aws.table import Item
    from causeway.delivery.beside import Beside
    from causeway.plan.plan import Plan
    from causeway.plan.records import JSON
    from causeway.queueing.payloads import Payloads

FOLDER = "announced"
"""Where answers lie in the bucket that are too large for an announcement."""


class Announcements:
    """Makes them of what the journal knows.

    Args:
        plan: Which steps changed something, and what is redacted.
        beside: Where their answers are.
        payloads: Where large answers go.
    """

    def __init__(self, plan: Plan, beside: Beside, payloads: Payloads) -> None:
        self._plan = plan
        self._beside = beside
        self._payloads = payloads

    def of(self, item: Item) -> dict[str, JSON]:
        """The announcement of one dead delivery; of the same death always the same.

        Raises:
            AwsError: its answers could not be read, or not be stored.
        """
        return {
            "id": f"{item['id']}@{item['ticket']}",
            "of_announcement": of_announcement(item["system"], item.get("event_type")),
            **{name: item.get(name) for name in ("integration", "system", "event_id", "event_type", "steps")},
            **self._told(item),
            "delivery": item["id"],
            "accepted_at": rfc3339(item["accepted_at"]),
            "attempts": Ticket.parse(item["ticket"]).attempt,
            "reason": item["reason"],
            "error": item["error"],
        }

    def _told(self, item: Item) -> dict[str, JSON]:
        """The answers, or where they lie."""
        answers = self._answers(item)
        if len(json.dumps(answers)) <= LARGE:
            return {"answers": answers}
        at = self._payloads.store(
            answers, acceptance=item["acceptance"], accepted_at=item["accepted_at"], folder=FOLDER
        )
        return {"answers_at": at}

    def _answers(self, item: Item) -> dict[str, JSON]:
        """By step, the answers of those that changed something, without what the source redacts."""
        kept = self._beside.read(item["id"], item["acceptance"])
        source = self._plan.systems.get(item["system"])
        paths = source["redact"] if source else []
        if paths and kept.event is None:
            return {}  # nobody could say what is to be redacted
        redact = redactor(paths, kept.event)
        reading = self._reading(item["integration"])
        return {
            step: redacted({**answer, "headers": public_headers(answer["headers"])}, redact)
            for step, answer in kept.answers.items()
            if answer is not None and step not in reading
        }

    def _reading(self, integration: str) -> set[str]:
        """Its steps that change nothing, as far as the plan still knows them."""
        known = self._plan.integrations.get(integration)
        steps = known["steps"] if known else []
        return {step["name"] for step in steps if "run" in step or step["call"]["reads"]}
