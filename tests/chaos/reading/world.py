"""The map of the reading, and the local cloud that it is deployed to."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from causeway.polling.states import covered
from tests.chaos.reading.lists import PAGINATE
from tests.support.faults import TIMEOUT as ANSWERED_WITHIN
from tests.support.rough_cloud import RoughCloud

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.support.local_cloud import LocalCloud

SHOP = "shop"

ASKING = "asking"
"""The integration that clients ask."""

WAIT = 3
"""Seconds for which a client waits."""

TIMEOUT = 2.0
"""Seconds for which the shop's pages are waited for."""

BATCH = 25
"""So many records of a list that is read in batches are one event."""

SHARES = {"link": 0.1, "cursor": 0.3, "page": 0.3, "offset": 0.3}
"""How much of the records is in which list."""

BATCHED = ("cursor", "page", "offset")
"""The lists that are read in batches, which are called by what was read together; of the other each record is an
event. That one is shorter, since a delivery costs the local cloud the same, whatever is in it."""


class Danger(NamedTuple):
    """Whose processes are killed, and when, as a rough cloud knows it."""

    killed: Sequence[str]
    every: tuple[float, float] = (1.5, 4.0)
    worked: float = 1.2


WHILE_READ = Danger(
    ("PollerFunction",) * 3 + ("ProcessorFunction",) * 3 + ("SchedulerFunction",),
    every=(3.0, 10.0),
    worked=1.6,  # of a long reading most is to be work, not starting
)
WHILE_ASKED = Danger(("RequestFunction",) * 3 + ("ProcessorFunction",) * 2)
CALM = Danger(())

_DELIVERING, _READING = 18, 18  # seconds that an invocation may take; a poller's keeps 8 of them back
_MINUTES_EVERY = 3.0

_API = """\
system: {name}
description: {description}
api:
  base_url: http://127.0.0.1:{port}
  allow_private: [127.0.0.0/8]
  timeout: {timeout}s
  circuit_breaker: {{failures: 60%, of_at_least: 10, within: 10s, open_for: 2s}}
"""

_POLL = """\
  {name}:
    every: 1m
    get: /lists/{name}
    records: body.records
    id: id
    version: version
    cursor: {{field: updated_at, param: since, start: "2026-01-01T00:00:00Z", lookback: 30s}}
    batch: {batch}
    paginate: {paginate}
"""

_INTEGRATION = """\
integration: {name}
owner: {{team: reading, email: reading@example.com}}
source: {source}
flow: {flow}
target: {{system: {system}, post: {path}, body: "${{data}}"}}
frequency: {{expect_every: never}}
errors: {{retry: {{first: 1s, factor: 1.5, max: 3s}}, give_up_after: 1d}}
"""

_STEP = "{steps: [{name: reserve, system: office, post: /office/reserve, body: '${data}'}]}"


def write_map(directory: Path, port: int, size: int) -> None:
    """Four polls whose records arrive at a desk, and requests that an office carries out."""
    (directory / "systems").mkdir(parents=True)
    (directory / "environments").mkdir()
    (directory / "environments" / "dev.yaml").write_text("{}\n")
    polls = "polls:\n"
    for name, words in PAGINATE.items():
        polls += _POLL.format(
            name=name,
            paginate=words % size if "%" in words else words,
            batch=BATCH if name in BATCHED else 1,
        )
        source = f"{{system: {SHOP}, poll: {name}}}"
        _integrate(directory, name=name, source=source, flow="{}", system="desk", path=f"/arrived/{name}")
    source = f"{{request: {{wait: {WAIT}s, otherwise: queue}}}}"
    _integrate(directory, name=ASKING, source=source, flow=_STEP, system="office", path="/office")
    for name, description, timeout in (
        (SHOP, "Is read.", TIMEOUT),
        ("desk", "Takes records.", TIMEOUT),
        ("office", "Is asked.", ANSWERED_WITHIN),
    ):
        api = _API.format(name=name, description=description, port=port, timeout=int(timeout))
        (directory / "systems" / f"{name}.yaml").write_text(api + (polls if name == SHOP else ""))


def _integrate(directory: Path, **words: str) -> None:
    (directory / f"{words['name']}.yaml").write_text(_INTEGRATION.format(**words))


class World(RoughCloud):
    """A running local cloud with that map, made before anything has happened there."""

    def __init__(self, cloud: LocalCloud, seed: int, danger: Danger) -> None:
        super().__init__(
            cloud,
            f"{seed}/world",
            **danger._asdict(),
            minutes=_MINUTES_EVERY,
            invocations={"ProcessorFunction": _DELIVERING, "PollerFunction": _READING},
            queues={"DeliveriesUrl": _DELIVERING + 1, "PollsUrl": _READING + 1},
        )

    def is_covered(self, slot: float) -> bool:
        """Whether every poll has read what was due then."""
        return all(covered(self.state, SHOP, name) >= slot for name in PAGINATE)
