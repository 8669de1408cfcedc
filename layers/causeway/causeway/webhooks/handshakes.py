"""Replies to a provider's first contact, before it sends events.

A scheme names its handshake. All of these come signed, by POST, and are answered after verification, so
nobody else can have this endpoint echo what they like.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from causeway.plan.records import JSON, Reply


def _slack_url_verification(body: JSON) -> Reply | None:
    """Slack wants its challenge back, as plain text. https://docs.slack.dev/reference/events/url_verification."""
    if not isinstance(body, dict) or body.get("type") != "url_verification":
        return None
    challenge = body.get("challenge")
    if not isinstance(challenge, str):
        return None
    return {"status": 200, "headers": {"content-type": "text/plain"}, "body": challenge}


HANDSHAKES: dict[str, Callable[[JSON], Reply | None]] = {
    "slack-url-verification": _slack_url_verification,
}
"""By name: a verified body to the reply, or None when it is an event like any other."""
