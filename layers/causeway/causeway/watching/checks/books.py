"""The books: whether what was accepted in each hour is accounted for (:mod:`causeway.operations.books`)."""

from __future__ import annotations

import random
from collections import Counter
from typing import TYPE_CHECKING

from causeway.operations.books import HOUR, close, count_accepted, last_closed, lines_between
from causeway.operations.ledger import SLICE, SLICES, Kept, Ledger
from causeway.settings.clock import rfc3339
from causeway.watching.finding import Finding
from causeway.watching.spans import count

if TYPE_CHECKING:
    from collections.abc import Iterator

    from causeway.watching.world import World

LOOKS_BACK = 24
"""So many hours are looked after."""

ANEW_AFTER = 600.0
"""Seconds after which the journal is asked again about an hour whose books do not close."""

READS_FOR = 15.0
"""Seconds for which one run reads logs; the next one goes on."""

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
    missing = sum(each.unaccounted for each in kept.values())
    unaccounted = max(0, missing - _on_queues(world)) if missing else 0
    world.means.metrics.add("Unaccounted", unaccounted)
    if unaccounted:
        yield _finding([each for each in kept.values() if each.unaccounted], unaccounted)


def _look_after(world: World, ledger: Ledger, kept: Kept, now: float, until: float) -> None:
    """Read on in the hour's logs; when they are read, ask the journal, and again while it does not close."""
    whole = len(world.means.settings.log_groups) * SLICES
    before = kept.read
    try:
        _read_on(world, kept, whole, until)
    finally:  # what was read before a log could not be is not read again
        if kept.read != before:
            ledger.write(kept)
    asked_of_late = kept.closed_at is not None and not (
        kept.unaccounted and now - kept.closed_at >= ANEW_AFTER
    )
    if kept.read >= whole and not asked_of_late:
        _close(world, kept, now, until)
        ledger.write(kept)


def _close(world: World, kept: Kept, now: float, until: float) -> None:
    """Ask the journal of those whose book is not closed, as far as there is time.

    Who accepted nothing misses nothing, and is not asked for.
    """
    left = sorted(kept.accepted.keys() - kept.books.keys())
    if not left:  # all have been asked for once: again, in no order, those that miss something
        left = [name for name, book in kept.books.items() if book.unaccounted]
        random.shuffle(left)
        kept.closed_at = now
    while left and world.means.clock.now() < until:
        some, left = left[:_ASKED_AT_ONCE], left[_ASKED_AT_ONCE:]
        accepted = Counter({name: kept.accepted[name] for name in some})
        found = close(world.means.journal, kept.hour, accepted, ())
        kept.books = {**kept.books, **{book.integration: book for book in found}}
    if not left:
        kept.closed_at = now


def _read_on(world: World, kept: Kept, whole: int, until: float) -> None:
    groups = world.means.settings.log_groups
    while kept.read < whole and world.means.clock.now() < until:
        number, at = divmod(kept.read, SLICES)
        since = kept.hour + at * SLICE
        lines = lines_between(world.means.aws, groups[number], since, since + SLICE)
        kept.accepted += count_accepted(lines, kept.hour)
        kept.read += 1


def _on_queues(world: World) -> int:
    """Messages of deliveries that are under way; SQS counts approximately."""
    settings = world.means.settings
    names = [f"ApproximateNumberOfMessages{name}" for name in _DEPTHS]
    total = 0
    for url in (settings.deliveries_url, settings.deliveries_fifo_url):
        answer = world.means.aws.call("sqs", "GetQueueAttributes", {"QueueUrl": url, "AttributeNames": names})
        total += sum(int(number) for number in answer["Attributes"].values())
    return total


def _finding(open_: list[Kept], unaccounted: int) -> Finding:
    names = sorted({name for each in open_ for name, book in each.books.items() if book.unaccounted})
    first = min(each.hour for each in open_)
    return Finding(
        check="books",
        subject="books",
        level="critical",
        what=f"{count(unaccounted, 'delivery')} of {', '.join(names)} cannot be accounted for",
        cause="they were accepted, and neither the journal nor a queue knows of them",
        next_step=(
            f"causeway status --hour {rfc3339(first)} shows whose; let the provider send again what it can; "
            "then look in the log of the webhook function for the events of that hour"
        ),
        since=first,
        value=unaccounted,
        unit="delivery",
        detail={"hours": [rfc3339(each.hour) for each in open_], "integrations": names},
    )
