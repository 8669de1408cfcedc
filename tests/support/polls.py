"""Polls for tests: records as the compiler makes them, from a manifest in few words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from causeway.calls.outcome import Answer
from causeway.plan.call_records import poll_record
from causeway.plan.manifest.system import System
from causeway.plan.yaml import parse

if TYPE_CHECKING:
    from causeway.plan.records import JSON, Poll

URL = "https://hub.example.com/api/items"
"""Where the first page of :func:`poll` is."""


def poll(text: str = "", *, every: str = "10m", system: str = "") -> Poll:
    """The record of a poll ``items`` of the system ``hub``, which has these keys, too.

    Args:
        text: keys of the poll, one a line.
        every: how often it runs; empty: the text says it.
        system: keys of the system, instead of its ``api``.
    """
    manifest: dict[str, Any] = {
        "system": "hub",
        **parse(system or "api: {base_url: 'https://hub.example.com/api'}", "hub.yaml").value,
        "polls": {
            "items": {
                **({"every": every} if every else {}),
                "get": "/items",
                "records": "body.items",
                "id": "id",
                **(parse(text, "hub.yaml").value if text else {}),
            }
        },
    }
    for method in ("post", "put"):
        if method in manifest["polls"]["items"]:
            del manifest["polls"]["items"]["get"]
    return poll_record(System.model_validate(manifest), "items")


def answer(body: JSON = None, *, headers: dict[str, str] | None = None, url: str = URL) -> Answer:
    """An answer to one of its calls."""
    return Answer(200, headers or {}, body, 0.01, url=url)
