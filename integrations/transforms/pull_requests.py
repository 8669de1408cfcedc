"""Pull requests, in Slack's words."""

from __future__ import annotations

from typing import Any


def to_message(scope: dict[str, Any]) -> str:
    """One line with a link, in Slack's mrkdwn."""
    data = scope["data"]
    request = data["pull_request"]
    what = "merged" if data["action"] == "closed" else "opened"
    title = _escaped(f"#{request['number']} {request['title']}")
    return f"{_escaped(data['sender']['login'])} {what} <{request['html_url']}|{title}>"


def _escaped(text: str) -> str:
    """Text that Slack shows as it is: https://docs.slack.dev/messaging/formatting-message-text/#escaping."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
