"""What answers hold: JSON Schemas (2020-12) by name, for the description."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from causeway.plan.records import JSON

Schema = dict[str, "JSON"]

TIME: Schema = {"type": "string", "format": "date-time"}
TEXT: Schema = {"type": "string"}
COUNT: Schema = {"type": "integer", "minimum": 0}
SECONDS: Schema = {"type": "number", "minimum": 0}


def _or_null(schema: Schema) -> Schema:
    return schema | {"type": [schema["type"], "null"]}


def _of(schema: Schema, description: str) -> Schema:
    return schema | {"description": description}


def _object(properties: Schema, *, optional: tuple[str, ...] = ()) -> Schema:
    """An object that has all of these, but for the optional ones. More may come in later versions."""
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in optional],
    }


def _list(schema: Schema) -> Schema:
    return {"type": "array", "items": schema}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


_PAUSE = {
    "since": TIME,
    "by": _of(TEXT, "Who paused it: `key:CLIENT`, `oidc:SUBJECT`, or a caller of AWS."),
    "reason": TEXT,
}

_LINE: Schema = {
    "id": _of(TEXT, "32 hexadecimal digits, made of system, event and integration."),
    "integration": TEXT,
    "status": {"type": "string", "enum": ["running", "waiting", "delivered", "dead"]},
    "system": _of(_or_null(TEXT), "Null in lists of delivered ones, as are the next two."),
    "event_id": _or_null(TEXT),
    "event_type": _or_null(TEXT),
    "reason": _of(_or_null(TEXT), "Why the last attempt did not succeed."),
    "error": _of(_or_null(TEXT), "The reason's class, such as `http` or `timeout`."),
    "accepted_at": TIME,
    "updated_at": _or_null(TIME),
    "due_at": _of(_or_null(TIME), "When it is looked at again."),
    "replay": _of(_or_null(COUNT), "How often it was started afresh."),
    "attempt": _of(_or_null(COUNT), "The attempt that it is at, or that comes next."),
}

_OF_EVENT: Schema = _LINE | {
    "idempotency_key": _of(
        TEXT, "What its calls carry as `Idempotency-Key`; a step's has its name behind it."
    ),
    "trace": _of(_or_null(TEXT), "X-Amzn-Trace-Id of its acceptance."),
    "steps": _of(_list(TEXT), "The steps that were done when it died."),
    "event_kept": _of({"type": "boolean"}, "Whether it can be replayed."),
    "attempts": _of(_list(_ref("Attempt")), "The last ten, oldest first."),
}

SCHEMAS: dict[str, Schema] = {
    "Health": _object({"status": {"type": "string", "const": "ok"}}),
    "Integrations": _object({"integrations": _list(_ref("Integration"))}),
    "Integration": _object(
        {
            "integration": _of(TEXT, "Its name."),
            "state": _of(
                {"type": "string", "enum": ["active", "paused", "resuming"]},
                "`resuming`: it was resumed, and what waited for it is being released.",
            ),
            "paused": {"anyOf": [_object(_PAUSE), {"type": "null"}]},
            "last_event": _of(
                _or_null(TIME),
                "When it came. Null: none within a day, none is open, and the watchdog, which remembers the "
                "last one of an integration with `expect_every`, knows of none.",
            ),
            "oldest_waiting": _of(_or_null(TIME), "When what waits longest was accepted."),
            "oldest_dead": _of(_or_null(TIME), "When the oldest of what is dead was accepted."),
            "lag": _of(SECONDS, "Seconds since then; 0 when nothing waits."),
            "waiting": COUNT,
            "dead": COUNT,
            "delivered": _of(COUNT, "Of those accepted in this clock hour or the one before."),
            "at_least": _of(
                _list({"type": "string", "enum": ["waiting", "dead", "delivered"]}),
                "Those of the counts that are lower bounds: there are more than are counted.",
            ),
            "recent": _of(_list(_ref("Span")), "The same two hours in parts of five minutes, oldest first."),
            "description": TEXT,
            "owner": _object({"team": TEXT, "email": TEXT, "runbook": _or_null(TEXT)}),
            "source": _of({"type": "object"}, "As the map says it; `system` is where events come from."),
            "calls": _of(_list(TEXT), "The systems that its steps and its target call."),
            "target": _object({"kind": TEXT, "name": _or_null(TEXT)}),
            "expect_every": _of(_or_null(SECONDS), "Seconds; longer silence alarms. Null: never."),
            "during": _of(TEXT, "When that holds."),
            "deliver_within": _of(SECONDS, "Seconds; longer waits alarm."),
            "circuit": _of(_ref("Circuit"), "The worst of the systems that it calls."),
            "book": {
                "anyOf": [_ref("Book"), {"type": "null"}],
                "description": "The last hour whose books should close; null: none was counted yet.",
            },
        }
    ),
    "Findings": _object(
        {
            "watched_at": _of(_or_null(TIME), "When the watchdog last looked; null: never."),
            "late": _of({"type": "boolean"}, "It should have looked since: what it found is old."),
            "left_out": _of(COUNT, "So much its last run had no time for; the next one looks at it first."),
            "failed": _of(_list(TEXT), "The checks that could not tell in its last run, and `alarms`."),
            "findings": _of(_list(_ref("Finding")), "The worst first, then the longest."),
            "more": _of({"type": "boolean"}, "There are more than are listed."),
        }
    ),
    "Finding": _object(
        {
            "check": _of(TEXT, "Such as `dead`; `alarm`: the stack's; `watchdog`: it does not look."),
            "subject": _of(TEXT, "An integration, a system, `system/poll`, or a part of the stack."),
            "level": {"type": "string", "enum": ["warning", "critical"]},
            "what": _of(TEXT, "One sentence."),
            "how_many": _of(_or_null(TEXT), "A count, where the sentence does not say it."),
            "since": _or_null(TIME),
            "integrations": _of(_list(TEXT), "Whose owners are told; none: the operator is."),
            "owners": _list(_object({"team": TEXT, "email": TEXT})),
            "cause": _of(TEXT, "The probable one; may be empty."),
            "next_step": _of(TEXT, "What to do about it; commands stand between backticks."),
            "runbook": _of(_or_null(TEXT), "The owner's, or the stack's page: an address or a path."),
            "told_at": _of(_or_null(TIME), "When somebody was last told; null: nobody is."),
            "well_since": _of(_or_null(TIME), "It is not found any more; told when that has lasted."),
        }
    ),
    "Span": _object(
        {
            "since": TIME,
            "delivered": _of(COUNT, "Of what was accepted in these five minutes."),
            "retried": _of(COUNT, "Of these, those of which an attempt had failed before."),
            "latency": _of(_or_null(SECONDS), "Seconds from acceptance to delivery, the median."),
            "open": _of(COUNT, "Of the same, what waits or is dead."),
        }
    ),
    "Book": _object(
        {
            "hour": TIME,
            "accepted": COUNT,
            "delivered": COUNT,
            "waiting": COUNT,
            "dead": COUNT,
            "duplicates": _of(COUNT, "Acceptances that met a delivery that was there: a repeat."),
            "unaccounted": _of(COUNT, "Accepted, and nowhere; 0 when the book closes."),
            "surplus": _of(COUNT, "Known, and said to be accepted in no line: a crash, and harmless."),
            "lost": _of(
                _list(_object({"delivery": TEXT, "event_id": TEXT})),
                "The first of those that are unaccounted for.",
            ),
        }
    ),
    "Circuit": _object(
        {
            "state": _of(
                {"type": "string", "enum": ["closed", "held", "open"]},
                "`open`: the system failed too often and is not called; `held`: it asked to be left alone.",
            ),
            "system": _or_null(TEXT),
            "since": _or_null(TIME),
            "until": _of(_or_null(TIME), "When it is probed, or called again."),
        }
    ),
    "Paused": _object(
        {
            "integration": TEXT,
            "paused": {"type": "boolean"},
            "since": _or_null(TIME),
            **{name: _PAUSE[name] for name in ("by", "reason")},
            "changed": _of({"type": "boolean"}, "False: it was paused before."),
        }
    ),
    "Resumed": _object(
        {
            "integration": TEXT,
            "paused": {"type": "boolean", "const": False},
            "rate": _of(SECONDS, "Deliveries per second that are released."),
            "changed": _of({"type": "boolean"}, "False: it was not paused; what still waits is released."),
        }
    ),
    "Deliveries": _object(
        {
            "deliveries": _list(_ref("Delivery")),
            "cursor": _of(_or_null(TEXT), "For the next page; null: this is the last."),
        }
    ),
    "Delivery": _object(_LINE),
    "DeliveriesOfEvent": _object({"deliveries": _list(_object(_OF_EVENT))}),
    "DeliveryInFull": _object(
        _OF_EVENT
        | {
            "event": _of(
                {"type": ["object", "null"]},
                "The CloudEvent while it is kept, without what its system's manifest redacts.",
            ),
            "event_note": _of(_or_null(TEXT), "Why an event that is kept is not shown."),
        }
    ),
    "Attempt": _object(
        {
            "at": TIME,
            "ticket": _of(TEXT, "Replay and attempt."),
            "outcome": {
                "type": "string",
                "enum": ["delivered", "filtered", "skipped", "refused", "crashed", "fault", "dead"],
            },
            "seconds": SECONDS,
            "status": _of({"type": "integer"}, "Of the target's answer."),
            "headers": {"type": "object", "additionalProperties": TEXT},
            "step": _of(TEXT, "The one that was refused; absent: the target."),
            "reason": TEXT,
            "error": TEXT,
            "answer": _of(TEXT, "Its beginning, where the system's manifest keeps it."),
        },
        optional=("seconds", "status", "headers", "step", "reason", "error", "answer"),
    ),
    "Replay": _object(
        {
            "replay": _of(TEXT, "Its id."),
            "by": _of(TEXT, "Who wanted it."),
            "at": TIME,
            "state": {"type": "string", "enum": ["running", "done", "cancelled"]},
            "matched": _of(COUNT, "So many were found until now."),
            "replayed": COUNT,
            "skipped": _of(COUNT, "Those whose event is no longer kept."),
            "delivery": _of(TEXT, "The one that is replayed; absent: a filter's."),
            "integrations": _list(TEXT),
            "status": {"type": "string", "enum": ["dead", "delivered"]},
            "error": _or_null(TEXT),
            "since": _or_null(TIME),
            "until": TIME,
            "rate": _of(SECONDS, "Deliveries per second."),
            "dry_run": {"type": "boolean"},
            "new_key": _of({"type": "boolean"}, "Whether `Idempotency-Key`s are new."),
            "began_at": TIME,
            "ended_at": TIME,
            "cancelled_by": TEXT,
        },
        optional=(
            *("delivery", "integrations", "status", "error", "since", "until", "rate", "dry_run"),
            *("new_key", "began_at", "ended_at", "cancelled_by"),
        ),
    ),
    "Problem": _object(
        {
            "type": TEXT,
            "title": TEXT,
            "status": {"type": "integer"},
            "detail": _of(TEXT, "What is wrong, and what would be right."),
            "parameters": _list(
                _object(
                    {
                        "name": TEXT,
                        "in": {"type": "string", "enum": ["path", "query", "body"]},
                        "problem": TEXT,
                    }
                )
            ),
        },
        optional=("parameters",),
    ),
    "Description": _object({"openapi": TEXT, "info": {"type": "object"}, "paths": {"type": "object"}}),
}
