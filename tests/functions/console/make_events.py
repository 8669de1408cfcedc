"""Makes the corpus: ``python -m tests.functions.console.make_events`` writes events/console anew.

What the function is invoked with by ``sam local invoke``, by these tests and in the documentation.
"""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.console import authorizer, event_of

DIRECTORY = Path(__file__).parents[3] / "events" / "console"


def make() -> dict[str, dict]:
    """All events by their names, and what each is about."""
    nobody: dict = {}
    return {
        "health": event_of("GET", "/api/health", said=nobody),
        "openapi": event_of("GET", "/api/openapi.json", said=nobody),
        "findings": event_of("GET", "/api/findings", said=authorizer()),
        "integrations": event_of("GET", "/api/integrations", said=authorizer()),
        "dead": event_of("GET", "/api/deliveries", query="status=dead&limit=20", said=authorizer()),
        "event": event_of("GET", "/api/events/shop/820982911946154508", said=authorizer()),
        "pause": event_of(
            "POST",
            "/api/integrations/orders-to-ledger/pause",
            body={"reason": "the ledger is being moved"},
            said=authorizer(),
        ),
        "dry-run": event_of("POST", "/api/replays", body={"all": True, "dry_run": True}, said=authorizer()),
        "bad-limit": event_of("GET", "/api/deliveries", query="limit=many", said=authorizer()),
        "nobody": event_of("GET", "/api/deliveries", said=nobody),
        "only-looking": event_of("POST", "/api/replays", said=authorizer(scopes="console:read")),
    }


if __name__ == "__main__":
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    for name, event in make().items():
        (DIRECTORY / f"{name}.json").write_text(json.dumps(event, indent=2) + "\n")
