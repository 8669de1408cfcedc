"""What answers look like: the examples of the description. Tests hold them against its schemas."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from causeway.plan.records import JSON

INTEGRATION: dict[str, JSON] = {
    "integration": "orders-to-ledger",
    "state": "active",
    "paused": None,
    "last_event": "2026-11-22T10:05:00.250Z",
    "oldest_waiting": "2026-11-22T10:04:10.000Z",
    "oldest_dead": "2026-11-22T10:03:59.000Z",
    "lag": 50.25,
    "waiting": 3,
    "dead": 1,
    "delivered": 240,
    "at_least": [],
    "recent": [
        {"since": "2026-11-22T10:00:00.000Z", "delivered": 20, "retried": 2, "latency": 0.42, "open": 1}
    ],
    "description": "Every paid order becomes an entry in the ledger.",
    "owner": {"team": "finance-platform", "email": "finance-oncall@example.com", "runbook": None},
    "source": {"system": "shop", "events": ["orders/paid"]},
    "calls": ["ledger"],
    "target": {"kind": "call", "name": "ledger"},
    "expect_every": 21600.0,
    "during": "always",
    "deliver_within": 900.0,
    "circuit": {"state": "closed", "system": None, "since": None, "until": None},
    "book": {
        "hour": "2026-11-22T08:00:00.000Z",
        "accepted": 42,
        "delivered": 40,
        "waiting": 1,
        "dead": 0,
        "duplicates": 1,
        "unaccounted": 0,
        "surplus": 0,
        "lost": [],
    },
}

FINDINGS: dict[str, JSON] = {
    "watched_at": "2026-11-22T10:05:00.000Z",
    "late": False,
    "left_out": 0,
    "failed": [],
    "findings": [
        {
            "check": "overdue",
            "subject": "orders-to-ledger",
            "level": "warning",
            "what": "deliveries are late: not done within 15 min",
            "how_many": "12 deliveries",
            "since": "2026-11-22T09:48:10.000Z",
            "integrations": ["orders-to-ledger"],
            "owners": [{"team": "finance-platform", "email": "finance-oncall@example.com"}],
            "cause": "the target refuses: ledger answered 503 to POST /entries",
            "next_step": "look at the target's answer: `causeway deliveries show ID`",
            "runbook": "https://wiki.example.com/ledger",
            "told_at": "2026-11-22T09:49:00.000Z",
            "well_since": None,
        }
    ],
    "more": False,
}

PAUSED: dict[str, JSON] = {
    "integration": "orders-to-ledger",
    "paused": True,
    "since": "2026-11-22T10:05:00.250Z",
    "by": "oidc:ann",
    "reason": "the ledger is being moved",
    "changed": True,
}

RESUMED: dict[str, JSON] = {"integration": "orders-to-ledger", "paused": False, "rate": 20.0, "changed": True}

DELIVERY_LINE: dict[str, JSON] = {
    "id": "3a7bd3e2360a3d29eea436fcfb7e44c7",
    "integration": "orders-to-ledger",
    "status": "dead",
    "system": "shop",
    "event_id": "4711",
    "event_type": "orders/paid",
    "reason": "ledger answered 400 to POST /entries",
    "error": "http",
    "accepted_at": "2026-11-22T10:05:00.250Z",
    "updated_at": "2026-11-22T10:05:00.710Z",
    "due_at": None,
    "replay": 0,
    "attempt": 1,
}

DELIVERY_OF_EVENT: dict[str, JSON] = DELIVERY_LINE | {
    "idempotency_key": "3a7bd3e2360a3d29eea436fcfb7e44c7",
    "trace": "Root=1-6921a2bc-3f5e0c1d2b4a69788776a5b4",
    "steps": ["account"],
    "event_kept": True,
    "attempts": [
        {
            "at": "2026-11-22T10:05:00.700Z",
            "ticket": "0000.000001",
            "outcome": "dead",
            "seconds": 0.42,
            "status": 400,
            "headers": {"content-type": "application/json"},
            "reason": "ledger answered 400 to POST /entries",
            "error": "http",
        }
    ],
}

DELIVERY: dict[str, JSON] = DELIVERY_OF_EVENT | {
    "event": {
        "specversion": "1.0",
        "id": "4711",
        "type": "orders/paid",
        "source": "shop",
        "time": "2026-11-22T10:05:00.250Z",
        "datacontenttype": "application/json",
        "data": {"total_price": "12.50", "customer": {"email": "[redacted]"}},
    },
    "event_note": None,
}

REPLAY_OF_ONE: dict[str, JSON] = {
    "replay": "2026-11-22-101500-1f2e3d4c",
    "by": "oidc:ann",
    "at": "2026-11-22T10:15:00.000Z",
    "state": "done",
    "ended_at": "2026-11-22T10:15:00.000Z",
    "new_key": False,
    "matched": 1,
    "replayed": 1,
    "skipped": 0,
    "delivery": "3a7bd3e2360a3d29eea436fcfb7e44c7",
}

REPLAY: dict[str, JSON] = {
    "replay": "2026-11-22-101500-1f2e3d4c",
    "by": "oidc:ann",
    "at": "2026-11-22T10:15:00.000Z",
    "state": "running",
    "matched": 20,
    "replayed": 20,
    "skipped": 0,
    "integrations": ["orders-to-ledger"],
    "status": "dead",
    "error": "http",
    "since": "2026-11-22T10:00:00.000Z",
    "until": "2026-11-22T10:15:00.000Z",
    "rate": 20.0,
    "dry_run": False,
    "new_key": False,
    "began_at": "2026-11-22T10:15:00.100Z",
}

PROBLEM: dict[str, JSON] = {
    "type": "about:blank",
    "title": "Bad Request",
    "status": 400,
    "detail": 'limit: must be a whole number from 1 to 200, not "many"',
    "parameters": [
        {"name": "limit", "in": "query", "problem": 'must be a whole number from 1 to 200, not "many"'}
    ],
}
