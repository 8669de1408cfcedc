"""Tells of changes: owners by SNS, programs on the stack's bus.

Changes of one check and kind go to a recipient in one message, so that one outage sends one. A change is told
when all whom it concerns have been; what could not be told is told in the next run, to those who have not
heard it: an instance remembers who has, until it is written down that the change has been told.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from causeway.aws.bus import put_event
from causeway.aws.errors import AwsError
from causeway.bus.announcements import RECOVERED, SOURCE, may_take
from causeway.settings.clock import rfc3339
from causeway.watching.owners import ATTRIBUTE, OPERATOR, address_of
from causeway.watching.words import Recipient, concerned, severity_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aws_lambda_powertools.logging import Logger

    from causeway.aws.client import Aws
    from causeway.plan.plan import Plan
    from causeway.plan.records import JSON
    from causeway.settings.clock import Clock
    from causeway.watching.owners import Confirmed
    from causeway.watching.standing import Change
    from causeway.watching.words import Words

SAID = 10
"""So many changes one line of the log names that could not be told."""

_OF_AN_INTEGRATION = "causeway.integration."
_AT_ONCE = 8


class Teller:
    """Tells owners, and the bus.

    Args:
        aws: Whose calls.
        topic: Where messages are published.
        bus: Where events are put.
        confirmed: Who gets messages.
        words: What is said.
        plan: Whose integrations.
        clock: The time.
        logger: Hears of what could not be told.
    """

    def __init__(
        self,
        aws: Aws,
        *,
        topic: str,
        bus: str,
        confirmed: Confirmed,
        words: Words,
        plan: Plan,
        clock: Clock,
        logger: Logger,
    ) -> None:
        self._aws = aws
        self._topic = topic
        self._bus = bus
        self._confirmed = confirmed
        self._words = words
        self._plan = plan
        self._clock = clock
        self._logger = logger
        self._heard: set[tuple[str, str]] = set()

    def tell(self, changes: Sequence[Change], *, until: float) -> Iterator[Change]:
        """Tell them; yield each as soon as it has been told to all whom it concerns."""
        wanted = {_about(change) for change in changes}
        self._heard = {each for each in self._heard if each[0] in wanted}
        groups: dict[tuple[str, str], list[Change]] = defaultdict(list)
        for change in changes:
            groups[change.standing.check, change.kind].append(change)
        for group in groups.values():
            yield from self._tell(group, until)

    def remembered(self, change: Change) -> None:
        """It is written down that this one has been told: if it comes again, it is another."""
        self._heard = {each for each in self._heard if each[0] != _about(change)}

    def _tell(self, changes: Sequence[Change], until: float) -> Iterator[Change]:
        """One group. What fails for one recipient keeps nobody else from being told."""
        try:
            by_recipient = self._by_recipient(changes)
        except AwsError as error:
            self._not_told(changes, error)
            return
        missing = Counter(_about(change) for each in by_recipient.values() for change in each)
        for recipient, each in by_recipient.items():
            if self._clock.now() >= until:
                return
            if not self._publish(recipient, each):
                continue
            self._heard |= {(_about(change), recipient.to) for change in each}
            missing.subtract(_about(change) for change in each)
            for change in each:
                if not missing[_about(change)] and self._announce(change):
                    yield change

    def _not_told(self, changes: Sequence[Change], error: Exception) -> None:
        about = [change.standing.key for change in changes]
        self._logger.error("not told", changes=about[:SAID], times=len(about), exc_info=error)

    def _announce(self, change: Change) -> bool:
        """Put on the bus what programs are to hear; whether it could be."""
        try:
            found = list(announcements(change, self._plan, self._clock.now()))
            with ThreadPoolExecutor(_AT_ONCE) as pool:  # an outage can concern hundreds of integrations
                for _ in pool.map(lambda each: put_event(self._aws, self._entry(*each)), found):
                    pass
        except Exception as error:  # noqa: BLE001 - what fails for one change keeps no other from being told
            self._not_told([change], error)
            return False
        return True

    def _by_recipient(self, changes: Sequence[Change]) -> dict[Recipient, list[Change]]:
        """Who is told of what: each in one message, be it for several teams or instead of several owners."""
        told: dict[str, list[Change]] = defaultdict(list)
        teams: dict[str, set[str]] = defaultdict(set)
        absent: dict[str, set[str]] = defaultdict(set)
        for change in changes:
            owners = [self._owner(name) for name in change.standing.integrations] or [Recipient(OPERATOR, ())]
            for owner in owners:
                teams[owner.to].update(owner.teams)
                absent[owner.to].update(owner.instead_of)
            for to in sorted({owner.to for owner in owners}):
                told[to].append(change)
        return {
            Recipient(to, tuple(sorted(teams[to])) or (to,), tuple(sorted(absent[to]))): each
            for to, each in told.items()
        }

    def _owner(self, integration: str) -> Recipient:
        """Who is told of an integration."""
        if integration not in self._plan.integrations:
            return Recipient(OPERATOR, ())
        owner = self._plan.integrations[integration]["owner"]
        address, teams = address_of(owner["email"]), (owner["team"],)
        if address in self._confirmed.addresses():
            return Recipient(address, teams)
        return Recipient(OPERATOR, teams, instead_of=(address,))

    def _publish(self, recipient: Recipient, changes: Sequence[Change]) -> bool:
        """Publish what a recipient has not heard; whether it could be."""
        unheard = [change for change in changes if (_about(change), recipient.to) not in self._heard]
        try:
            if unheard:
                self._aws.query("sns", "Publish", self._fields(recipient, unheard))
        except Exception as error:  # noqa: BLE001 - nor what fails for one recipient
            self._not_told(unheard, error)
            return False
        return True

    def _fields(self, recipient: Recipient, changes: Sequence[Change]) -> dict[str, str]:
        message = self._words.message(changes, recipient, self._clock.now())
        # Each text counts towards what SNS takes: programs and chats get the default.
        by_protocol = {"default": message.chat, "email": message.text, "sms": message.subject}
        return {
            "TopicArn": self._topic,
            "Subject": message.subject,
            "Message": json.dumps(by_protocol, ensure_ascii=False),
            "MessageStructure": "json",
            **_attributes(
                {
                    ATTRIBUTE: recipient.to,
                    "team": recipient.teams[0] if len(recipient.teams) == 1 else list(recipient.teams),
                    "integration": sorted(concerned(changes)),
                    "severity": severity_of(changes),
                    "check": changes[0].standing.check,
                    "state": changes[0].kind,
                }
            ),
        }

    def _entry(self, event: str, detail: dict[str, JSON]) -> dict[str, JSON]:
        return {
            "EventBusName": self._bus,
            "Source": SOURCE,
            "DetailType": event,
            "Resources": [],
            "Detail": json.dumps(detail),
        }


def _about(change: Change) -> str:
    """What a change is known by while it is being told."""
    return f"{change.standing.key}/{change.kind}"


def announcements(change: Change, plan: Plan, now: float) -> Iterator[tuple[str, dict[str, JSON]]]:
    """What is put on the bus: types and details. The same change told twice is one event by its ``id``."""
    standing, finding = change.standing, change.finding
    event: str
    more: dict[str, JSON]
    if finding is None:
        event, more = (
            RECOVERED,
            {"check": standing.check, "recovered_at": rfc3339(standing.well_since or now)},
        )
        if change.kind == "ended":
            more["removed"] = True
    elif change.kind == "began" and finding.event is not None:
        event, more = finding.event, dict(finding.detail)
    else:
        return
    common = {"what": standing.what, "since": rfc3339(standing.since), **more}
    about = f"{standing.key}@{rfc3339(standing.since)}/{change.kind}"
    if not event.startswith(_OF_AN_INTEGRATION):
        circling = any(_takes_announcements(plan, name) for name in standing.integrations)
        named = {"id": about, "of_announcement": circling, "integrations": standing.integrations}
        yield event, named | common
        return
    for name in standing.integrations:
        circling = _takes_announcements(plan, name)
        yield event, {"id": f"{about}/{name}", "of_announcement": circling, "integration": name} | common


def _takes_announcements(plan: Plan, integration: str) -> bool:
    known = plan.integrations.get(integration)
    return known is not None and may_take(known["source"])


def _attributes(values: dict[str, str | list[str]]) -> dict[str, str]:
    """Message attributes as the query protocol has them; a list is one of SNS's arrays."""
    fields: dict[str, str] = {}
    for number, (name, value) in enumerate(((name, each) for name, each in values.items() if each), 1):
        entry = f"MessageAttributes.entry.{number}"
        is_list = isinstance(value, list)
        fields[f"{entry}.Name"] = name
        fields[f"{entry}.Value.DataType"] = "String.Array" if is_list else "String"
        fields[f"{entry}.Value.StringValue"] = json.dumps(value) if is_list else str(value)
    return fields
