"""Who gets messages: each owner's address, where it has confirmed; otherwise the stack's operator.

A message names its one recipient in the attribute ``to``, and each subscription takes its own by a filter
policy on it. So a policy never changes with the map, and is far from the limit of 150 values in one.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from causeway.aws.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from causeway.aws.client import Aws
    from causeway.plan.plan import Plan
    from causeway.plan.records import JSON
    from causeway.settings.clock import Clock

OPERATOR = "operator"
"""What ``to`` says of messages for the stack's operator."""

ATTRIBUTE = "to"

KNOWN_FOR = 300.0
"""Seconds that an instance relies on which subscriptions there are."""

_MEMBER = re.compile(r"<member>(.*?)</member>", re.DOTALL)
_NEXT = re.compile(r"<NextToken>([^<]+)</NextToken>")


class Subscription(NamedTuple):
    """One subscription of the topic."""

    arn: str
    protocol: str
    endpoint: str

    @property
    def confirmed(self) -> bool:
        """Whether it gets messages."""
        return self.arn.startswith("arn:")


@dataclass
class Owner:
    """Somebody to be told, and of what."""

    email: str
    teams: list[str]
    integrations: list[str]


def policy_of(to: str) -> dict[str, JSON]:
    """The filter policy of a recipient's subscription."""
    return {ATTRIBUTE: [to]}


def owners_of(plan: Plan) -> dict[str, Owner]:
    """The owners of a map by their addresses, in lower case as SNS has them."""
    found: dict[str, Owner] = {}
    for name, integration in sorted(plan.integrations.items()):
        address, team = address_of(integration["owner"]["email"]), integration["owner"]["team"]
        owner = found.setdefault(address, Owner(address, [], []))
        owner.integrations.append(name)
        if team not in owner.teams:
            owner.teams.append(team)
    return found


def address_of(email: str) -> str:
    """An address as it is compared: whoever writes it with capitals means the same."""
    return email.strip().lower()


def subscriptions(aws: Aws, topic: str) -> Iterator[Subscription]:
    """All subscriptions of a topic.

    Raises:
        AwsError: they could not be listed.
    """
    fields = {"TopicArn": topic}
    while True:
        answer = aws.query("sns", "ListSubscriptionsByTopic", fields)
        for member in _MEMBER.findall(answer):
            yield Subscription(*(_text(member, name) for name in ("SubscriptionArn", "Protocol", "Endpoint")))
        following = _NEXT.search(answer)
        if not following:
            return
        fields = {"TopicArn": topic, "NextToken": html.unescape(following[1])}


def _text(member: str, name: str) -> str:
    found = re.search(f"<{name}>([^<]*)</{name}>", member)
    return html.unescape(found[1]) if found else ""


class Confirmed:
    """The addresses that have confirmed, as they were at most five minutes ago, or could last be read."""

    def __init__(self, aws: Aws, topic: str, clock: Clock) -> None:
        self._aws = aws
        self._topic = topic
        self._clock = clock
        self._known: tuple[float, frozenset[str]] | None = None

    def addresses(self) -> frozenset[str]:
        """All of them.

        Raises:
            AwsError: they could not be listed, and never were.
        """
        now = self._clock.now()
        if self._known is None or not 0 <= now - self._known[0] < KNOWN_FOR:
            try:
                self._known = now, frozenset(confirmed(list(subscriptions(self._aws, self._topic))))
            except AwsError:
                if self._known is None:
                    raise
        return self._known[1]


def confirmed(found: Sequence[Subscription]) -> Iterator[str]:
    """The addresses among these that get messages."""
    return (address_of(each.endpoint) for each in found if each.protocol == "email" and each.confirmed)
