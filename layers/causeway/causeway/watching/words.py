"""What people read: an e-mail in plain text, and the same for a chat.

A message answers, in this order, what someone asks who is woken by it: what, since when, how many, why, what
now, and where to look. It is about one thing, or about things of one kind that changed together.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from causeway.settings.clock import rfc3339
from causeway.watching.finding import LEVELS
from causeway.watching.plain import listing, plain, without_markup
from causeway.watching.spans import count, span

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from causeway.plan.plan import Plan
    from causeway.watching.standing import Change

SUBJECT = 99
"""So many characters has the subject of a message at most: SNS wants fewer than 100, ASCII, on one line."""

LISTED = 20
"""So many things one message tells in full."""

WHAT, CAUSE, NEXT_STEP = 200, 400, 500
"""So many characters these have at most; a next step is a command of ours with names of the map's."""

CHAT_TEXT, CHAT_ITEMS = 8000, 10
"""So long is the text of a chat's notification at most, and so many items have its lists."""

_LABEL = 11
_HEADS = {"began": ""}


class Recipient(NamedTuple):
    """Who is told."""

    to: str  # the owner's address, or OPERATOR
    teams: tuple[str, ...]
    instead_of: tuple[str, ...] = ()  # the owners' addresses, which have confirmed no subscription


class Message(NamedTuple):
    """A message for one recipient."""

    subject: str
    text: str
    chat: str  # JSON of AWS's custom notifications for chats


@dataclass(frozen=True)
class Words:
    """Puts changes into words.

    Args:
        plan: Whose runbooks are linked.
        console: The console's address, to be linked.
        stack: The stack's name.
    """

    plan: Plan
    console: str
    stack: str

    def message(self, changes: Sequence[Change], recipient: Recipient, now: float) -> Message:
        """Changes of one check and kind for one recipient."""
        first, head = changes[0], self._head(changes)
        severity = _severity(changes)
        blocks = [self._block(change, now) for change in changes[:LISTED]]
        if len(changes) > LISTED:
            blocks.append(f"... and {len(changes) - LISTED} more: {self.console}")
        text = "\n\n".join([f"{severity.upper()}  {head}", *blocks, self._foot(recipient)]) + "\n"
        chat = {
            "version": "1.0",
            "source": "custom",
            "content": {
                "textType": "client-markdown",
                "title": f"{_SIGNS[severity]} {without_markup(head)}"[:250],
                "description": self._description(changes, now),
                "nextSteps": sorted(
                    {plain(change.finding.next_step, NEXT_STEP) for change in changes if change.finding}
                )[:CHAT_ITEMS],
                "keywords": [first.standing.check, *recipient.teams, self.stack][:CHAT_ITEMS],
            },
            "metadata": {
                "threadId": f"{self.stack}#{first.standing.key}"[:256],
                "summary": head[:250],
                "eventType": f"causeway.{first.standing.check}.{first.kind}",
                "relatedResources": sorted(concerned(changes))[:CHAT_ITEMS],
                "additionalContext": {
                    "severity": severity,
                    "state": first.kind,
                    "team": ", ".join(recipient.teams),
                    "since": rfc3339(min(change.standing.since for change in changes)),
                },
            },
        }
        return Message(_subject(f"[{severity}] {head}"), text, json.dumps(chat, ensure_ascii=False))

    def _head(self, changes: Sequence[Change]) -> str:
        """One line: what is the matter with what."""
        first = changes[0]
        about = _HEADS.get(first.kind, f"{first.kind}: ")
        if len(changes) == 1:
            return f"{about}{_what(first)}"
        noun = _NOUNS.get(first.standing.check, "integration")
        alike = len({change.standing.what for change in changes}) == 1
        what = plain(first.standing.what, WHAT) if alike else f"{_what(first)}, and others"
        return f"{about}{count(len(changes), noun)}: {what}"

    def _block(self, change: Change, now: float) -> str:
        return "\n".join(
            f"{label:<{_LABEL}}{value}"  # however long: commands and links are to be copied whole
            for label, value in self._lines(change, now)
            if value
        )

    def _description(self, changes: Sequence[Change], now: float) -> str:
        """As much as a chat takes, and how much is left out."""
        blocks: list[str] = []
        room = CHAT_TEXT - len(self.console) - 40
        for change in changes[:LISTED]:
            block = self._chat(change, now)
            room -= len(block) + 2
            if room < 0:
                break
            blocks.append(block)
        if len(blocks) < len(changes):
            blocks.append(f"... and {len(changes) - len(blocks)} more: {self.console}")
        return "\n\n".join(blocks)

    def _chat(self, change: Change, now: float) -> str:
        lines = [
            (label, value) for label, value in self._lines(change, now) if value and label != "Next step"
        ]
        return "\n".join(f"*{label}*: {without_markup(value)}" for label, value in lines)

    def _lines(self, change: Change, now: float) -> Iterator[tuple[str, str]]:
        """What one thing is about, by labels."""
        standing, finding = change.standing, change.finding
        yield "What", _what(change)
        yield "Since", f"{rfc3339(standing.since)}, {span(now - standing.since)} ago"
        if finding is not None:
            yield "How many", _amount(finding.value, finding.unit, at_least=finding.at_least)
            yield "Cause", plain(finding.cause, CAUSE)
            yield "Next step", plain(finding.next_step, NEXT_STEP)
        elif change.kind == "ended":
            yield "Now", "nobody looks at it any more: the map does not have it"
        else:
            yield "Now", f"well again at {rfc3339(standing.well_since or now)}"
        yield "Concerns", listing(standing.integrations)
        yield from self._links(change)

    def _links(self, change: Change) -> Iterator[tuple[str, str]]:
        for name in change.standing.integrations[:1]:
            integration = self.plan.integrations.get(name)
            if integration:
                yield "Runbook", integration["owner"].get("runbook", "")
            yield "Console", f"{self.console}#/integrations/{quote(name, safe='')}"
        if not change.standing.integrations:
            yield "Console", self.console

    def _foot(self, recipient: Recipient) -> str:
        watched = (
            f"-- \nCauseway watches the stack {self.stack}: its commands mean it with --stack {self.stack}.\n"
        )
        if not recipient.instead_of:
            return f"{watched}You own what this is about, or operate it."
        return (
            f"{watched}You are told as its operator, instead of\n"
            f"{listing(recipient.instead_of)}: not confirmed (`causeway owners sync --remind` asks again)."
        )


_SIGNS = {"ok": ":white_check_mark:", "warning": ":warning:", "critical": ":rotating_light:"}
_NOUNS = {"circuit": "system", "token": "system", "certificate": "system", "poll": "poll", "strays": "queue"}


def _what(change: Change) -> str:
    """What is the matter, and with what, unless that says so itself."""
    standing = change.standing
    what = plain(standing.what, WHAT)
    return what if standing.subject in what else f"{plain(standing.subject, WHAT)}: {what}"


def concerned(changes: Sequence[Change]) -> set[str]:
    """The integrations that changes concern."""
    return {name for change in changes for name in change.standing.integrations}


def severity_of(changes: Sequence[Change]) -> str:
    """How bad it is, or was."""
    return max((change.standing.level for change in changes), key=LEVELS.index)


def _severity(changes: Sequence[Change]) -> str:
    """What a message begins with: what is over is ok."""
    return "ok" if changes[0].kind in ("recovered", "ended") else severity_of(changes)


def _amount(value: float | None, unit: str, *, at_least: bool) -> str:
    if value is None or not unit:
        return ""
    return span(value) if unit == "s" else count(value, unit, at_least=at_least)


def _subject(text: str) -> str:
    """As SNS takes it."""
    plain = " ".join(text.encode("ascii", "replace").decode().split())
    plain = "".join(each if each.isprintable() else "?" for each in plain)
    return plain if len(plain) <= SUBJECT else f"{plain[: SUBJECT - 3]}..."
