"""Messages as they are on the queue."""

ACCEPTED_AT = 1_700_000_000.0


def message(number=0, *, event=None, **changes):
    """One of a delivery and an integration of its own, with an event or, if that is said, with `event_at`."""
    made = {
        "format": 1,
        "delivery": f"{number:032x}",
        "integration": f"integration-{number}",
        "system": "shop",
        "ticket": "0000.000001",
        "acceptance": "acceptance",
        "accepted_at": ACCEPTED_AT,
        "event": event or {"id": f"e{number}"},
        **changes,
    }
    if "event_at" in changes:
        del made["event"]
    return made
