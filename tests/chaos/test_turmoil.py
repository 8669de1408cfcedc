"""Under everything at once, with processes that are cut off, nothing is lost, done twice, or out of order.

Each seed is one history, the same each time. Many more of them than run here: ``python -m tests.chaos.test_turmoil
--seeds 1000``, which tells what does not hold for which.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import sys

import pytest

from tests.support.turmoil import ASKED, NAMES, Turmoil

SEEDS = range(12)


def problems(world):
    """What does not hold, in words."""
    yield from world.violations
    if not world.is_quiet():
        yield f"it is not quiet after a day: {world.open_items()[:3]}"
    if parked := world.parked():
        yield f"order keys are left parked: {parked[:3]}"
    for delivery in {*world.told, *(delivery for delivery, _ in world.accepted)}:
        yield from problems_of(world, delivery)
    for (path, event), keys in world.done.items():
        if len(set(keys)) > 1:
            yield f"{path} has done {event} under {set(keys)}"
    yield from of_the_books(world)


def problems_of(world, delivery):
    item = world.stage.item(delivery)
    if item is None or item["status"] not in ("delivered", "dead"):
        yield f"{delivery} is lost: {item}"
    elif item["status"] == "dead" and not item["announced"]:
        yield f"{delivery} is dead, and nobody knows"
    elif item["status"] == "delivered" and not world.done.get(world.place_of(item)):
        yield f"{delivery} is said to be delivered, and its target knows nothing of it"


def of_the_books(world):
    # A request function that was cut off after all it did has not said so: more is no harm.
    unsaid = {ASKED: world.numbers["requests cut off"] + world.clock.faults}
    for name in NAMES:
        found = list(world.books_of(name))
        for book in found:
            if book.unaccounted:
                yield f"of {name} {book.unaccounted} are unaccounted for: {book.lost}"
        if (surplus := sum(book.surplus for book in found)) > unsaid.get(name, 0):
            yield f"of {name} {surplus} more are known than were accepted"


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_is_cut_off_nothing_is_lost_or_done_twice_and_the_books_close(seed, monkeypatch):
    world = Turmoil(seed, monkeypatch.setattr, kills=10, faults=10)
    world.go_through()
    assert list(problems(world)) == []
    assert world.clock.kills + world.clock.faults > 10


def test_it_is_the_same_each_time(monkeypatch):
    def asked():
        world = Turmoil(5, monkeypatch.setattr)
        world.go_through()
        return [(each.at, each.path, each.headers["idempotency-key"]) for each in world.target.asked]

    assert asked() == asked()


def main():
    """Go through many histories."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000)
    parser.add_argument("--first", type=int, default=len(SEEDS))
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--faults", type=int, default=10)
    arguments = parser.parse_args()
    failed = 0
    for seed in range(arguments.first, arguments.first + arguments.seeds):
        with contextlib.redirect_stdout(io.StringIO()):
            world = Turmoil(seed, setattr, kills=arguments.kills, faults=arguments.faults)
            world.go_through()
        if found := list(problems(world)):
            failed += 1
            sys.stdout.write(f"seed {seed}: {found}\n")
    sys.stdout.write(f"{arguments.seeds} histories, {failed} of them with something that does not hold\n")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
