"""The books: whether what was accepted in each hour is accounted for (:mod:`causeway.operations.books`)."""

from __future__ import annotations

import random
from collections import defaultdict
from functools import partial
from typing import TYPE_CHECKING

from causeway.operations.books import HOUR, NAMED, accepted_by, close, last_closed, lines_between, lost_of
from causeway.operations.ledger import SLICE, SLICES, Kept, Ledger
from causeway.settings.clock import rfc3339
from causeway.watching.finding import Finding
from causeway.watching.plain import listing
from causeway.watching.spans import count

if TYPE_CHECKING:
    from collections.abc import Iterator

    from causeway.operations.books import Book, ByIntegration
    from causeway.watching.world import World

LOOKS_BACK = 24
"""So many hours are looked after."""

ANEW_AFTER = 600.0
"""Seconds after which the journal is asked again about an hour whose books do not close."""

READS_FOR = 15.0
"""Seconds for which one run reads logs; the next one goes on."""

HELD = 50_000
"""So many acceptances a run has read before it keeps them: it must not matter how long an hour's log is."""

_ASKED_AT_ONCE = 16  # integrations: of each 33 queries
_DEPTHS = ("", "NotVisible", "Delayed")


def books(world: World, now: float) -> Iterator[Finding]:
    """More was accepted than is known of, and than lies on the queues."""
    ledger = Ledger(world.means.state)
    last = last_closed(now)
    kept = {each.hour: each for each in ledger.between(last - (LOOKS_BACK - 1) * HOUR, last)}
    first = min(kept, default=last)  # before that, nobody kept books
    until = min(world.until, world.means.clock.now() + READS_FOR)
    hour = last
    while hour >= first:
        each = kept.setdefault(hour, Kept(hour))
        _look_after(world, ledger, each, now, until)
        hour -= HOUR
    missing = [book for each in kept.values() for book in each.books.values() if book.unaccounted]
    on_queues = _on_queues(world) if missing else 0
    unaccounted = lost_of(missing, on_queues, now)
    world.means.metrics.add("Unaccounted", unaccounted)
    if unaccounted:
        yield _finding(missing, unaccounted, on_queues)


def _look_after(world: World, ledger: Ledger, kept: Kept, now: float, until: float) -> None:
    """Read on in the hour's logs; when they are read, ask the journal, and again while it does not close."""
    whole = len(world.means.settings.log_groups) * SLICES
    while kept.read < whole and world.means.clock.now() < until:
        _read_on(world, ledger, kept, whole, until)
    asked_of_late = kept.closed_at is not None and not (
        kept.unaccounted and now - kept.closed_at >= ANEW_AFTER
    )
    if kept.read >= whole and not asked_of_late:
        _close(world, ledger, kept, now, until)
        ledger.write(kept)


def _close(world: World, ledger: Ledger, kept: Kept, now: float, until: float) -> None:
    """Ask the journal of those whose book is not closed, as far as there is time.

    Who accepted nothing misses nothing, and is not asked for.
    """
    left = sorted(kept.accepted - kept.books.keys())
    if not left:  # all have been asked for once: again, in no order, those that miss something
        left = [name for name, book in kept.books.items() if book.unaccounted]
        random.shuffle(left)
        kept.closed_at = now
    while left and world.means.clock.now() < until:
        some, left = left[:_ASKED_AT_ONCE], left[_ASKED_AT_ONCE:]
        found = close(world.means.journal, kept.hour, some, partial(ledger.accepted, kept.hour))
        kept.books = {**kept.books, **{book.integration: book for book in found}}
    if not left:
        kept.closed_at = now


def _read_on(world: World, ledger: Ledger, kept: Kept, whole: int, until: float) -> None:
    """Read some slices, and keep what was accepted in them."""
    means, first = world.means, kept.read
    found: ByIntegration = defaultdict(list)
    try:
        while kept.read < whole and means.clock.now() < until and sum(map(len, found.values())) < HELD:
            number, at = divmod(kept.read, SLICES)
            since = kept.hour + at * SLICE
            lines = lines_between(means.aws, means.settings.log_groups[number], since, since + SLICE)
            for name, accepted in accepted_by(lines, kept.hour).items():
                found[name] += accepted
            kept.read += 1
    finally:  # what was read before a log could not be is not read again
        if kept.read != first:
            ledger.note(kept, first, found)


def _on_queues(world: World) -> int:
    """Messages of deliveries that are under way; SQS counts approximately."""
    settings = world.means.settings
    names = [f"ApproximateNumberOfMessages{name}" for name in _DEPTHS]
    total = 0
    for url in (settings.deliveries_url, settings.deliveries_fifo_url):
        answer = world.means.aws.call("sqs", "GetQueueAttributes", {"QueueUrl": url, "AttributeNames": names})
        total += sum(int(number) for number in answer["Attributes"].values())
    return total


def _finding(missing: list[Book], unaccounted: int, on_queues: int) -> Finding:
    names = sorted({book.integration for book in missing})
    lost = [(book.integration, each) for book in missing for each in book.lost][:NAMED]
    hours = sorted({book.hour for book in missing})
    return Finding(
        check="books",
        subject="books",
        level="critical",
        what=f"{count(unaccounted, 'delivery')} of {', '.join(names)} cannot be accounted for",
        cause=(
            "they were accepted, and the journal does not know of them; "
            + (f"{count(on_queues, 'message')} on the queues may be some of them; " if on_queues else "")
            + "of the events "
            + listing(list(dict.fromkeys(each.event_id for _, each in lost)))
        ),
        next_step=(
            f"causeway status --hour {rfc3339(hours[0])} names them; let the provider send these events "
            "again, or poll for them"
        ),
        since=hours[0],
        value=unaccounted,
        unit="delivery",
        detail={
            "hours": [rfc3339(each) for each in hours],
            "integrations": names,
            "lost": [
                {"integration": name, "delivery": each.delivery, "event_id": each.event_id}
                for name, each in lost
            ],
        },
    )
