"""Clients ask, while the target fails and functions are killed: each is answered in its time, and served once."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import urllib3

from causeway.aws.errors import AwsError
from tests.chaos.reading.judging import Finding
from tests.chaos.reading.world import ASKING, WAIT
from tests.support.faults import BUSY, LATE, LOST, LOST_LATE, RESET, Weather, soon

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tests.chaos.reading.shop import Shop
    from tests.chaos.reading.world import World
    from tests.support.faulty_target import Exchange
    from tests.support.local_cloud import LocalCloud

OFFICE = {
    "/office/reserve": Weather(0.25, (BUSY, RESET, LOST, soon(503, 1))),
    "/office": Weather(0.3, (LATE, LOST_LATE, BUSY, LOST, soon(429, 2))),
}
"""What each request calls, in this order: a step, then the target; and what goes wrong there."""

CLIENTS = 6
"""So many ask at once."""

GATEWAY = 29.0
"""Seconds after which a client is answered, however busy the machine is: API Gateway waits for 30."""

_STARTS = (
    1.5  # times what first requests take, for which functions have to start, as for those of a killed process
)
_LEAST = 3.0  # but so many seconds at least

_SOON, _FOR = 0.5, 120.0  # seconds after which a client comes again, and for which it does
_MAY_BE_DEAD = 30.0  # seconds after which a delivery may have been given up: processes were killed under it


class Told(NamedTuple):
    """One answer to a request; status 0: there was none."""

    status: int
    took: float


@dataclass
class Client:
    """One request, until its client knew what became of it."""

    number: int
    told: list[Told] = field(default_factory=list)
    delivery: str = ""
    later: bool = False  # it heard 202
    status: int = 0  # of the reply
    reply: Any = None

    @property
    def key(self) -> str:
        """Its Idempotency-Key."""
        return f"ask-{self.number:04}"


@dataclass
class Answers:
    """What came of it."""

    clients: Sequence[Client]
    exchanges: Sequence[Exchange]
    killed: Sequence[tuple[float, str]]
    seconds: float
    within: float  # seconds in which a client is to be answered
    finished: bool  # all were asked before the time was up

    @property
    def told(self) -> list[Told]:
        """All answers to requests."""
        return [each for client in self.clients for each in client.told]

    @property
    def findings(self) -> list[Finding]:
        """What does not hold."""
        return list(judge(self.clients, self.exchanges, within=self.within))


def judge(clients: Sequence[Client], exchanges: Sequence[Exchange], *, within: float) -> Iterator[Finding]:
    """Every client is answered in its time, gets its reply, and what it asked for is done once, under one key."""
    asked = defaultdict(list)
    for each in exchanges:
        asked[each.body["number"]].append(each)
    for client in clients:
        slowest = max((each.took for each in client.told), default=0.0)
        if slowest > within:
            yield Finding("in time", f"an answer within {within:.1f} s, not {slowest:.1f} s", client.key)
        if client.status != 200 or not str(client.reply.get("done")).endswith(f"/{client.key}"):
            yield Finding("replied", f"its reply, not {client.status} {client.reply}", client.key)
        for place in OFFICE:
            step = place.removeprefix("/office")
            own = [each for each in asked[client.number] if each.place == place]
            keys, done = {each.key for each in own}, {each.key for each in own if each.fault.commits}
            if keys != {client.delivery + step} or done != keys:
                expected = f"{place} done under {client.delivery + step}, not asked {keys}, done {done}"
                yield Finding("done once", expected, client.key)


class Asking:
    """Clients at work.

    Args:
        cloud: A local cloud with the map.
        shop: With the office.
        world: The same cloud, as a dangerous place.
        until: When the time is up: epoch seconds.
        tell: Hears how it goes.
    """

    def __init__(
        self, cloud: LocalCloud, shop: Shop, world: World, *, until: float, tell: Callable[[str], None]
    ) -> None:
        self._cloud, self._shop, self._world = cloud, shop, world
        self._until, self._tell = until, tell
        self._headers: Mapping[str, str] = {}
        self._done = 0

    def carry_out(self, requests: int) -> Answers:
        """Let so many be made, and come to an end."""
        began = time.time()
        made = self._cloud.causeway("keys", "create", "reader", "--scope", "requests:call", "--json")
        self._headers = {"Authorization": f"Bearer {json.loads(made.stdout)['key']}"}
        with ThreadPoolExecutor(CLIENTS) as pool:
            starting = max(pool.map(self._start, range(CLIENTS)))
            within = min(GATEWAY, WAIT + max(_LEAST, _STARTS * starting))
            with self._world:
                clients = list(pool.map(self._ask, range(requests)))
        exchanges = [each for each in self._shop.exchanges if each.place in OFFICE]
        finished = time.time() < self._until
        return Answers(clients, exchanges, self._world.killed, time.time() - began, within, finished)

    def _start(self, _: int) -> float:
        """How many seconds a request takes that waits for nothing but functions that start."""
        began = time.time()
        headers = {**self._headers, "Prefer": "respond-async"}
        self._send("POST", f"/requests/{ASKING}", {"number": -1}, headers)
        return time.time() - began

    def _ask(self, number: int) -> Client:
        """Ask until there is an answer that is one; a client that hears nothing or 5xx comes again with its key."""
        client = Client(number)
        headers = {**self._headers, "Idempotency-Key": client.key}
        give_up = min(self._until, time.time() + _FOR)
        while time.time() < give_up:
            began = time.time()
            answer = self._send("POST", f"/requests/{ASKING}", {"number": number}, headers)
            client.told.append(Told(answer.status if answer else 0, time.time() - began))
            if answer is None or answer.status == 409 or answer.status >= 500:
                time.sleep(_SOON)
                continue
            client.delivery = answer.headers.get("causeway-delivery", "")
            client.later = answer.status == 202
            if client.later:
                answer = self._look(answer.headers["location"], give_up)
            client.status, client.reply = (answer.status, answer.json()) if answer else (0, {})
            break
        self._done += 1
        self._tell(f"{self._done} requests are done")
        return client

    def _look(self, place: str, give_up: float) -> urllib3.BaseHTTPResponse | None:
        """What became of a request that went on without its client; if it was given up, it is replayed."""
        began = time.time()
        while time.time() < give_up:
            answer = self._send("GET", place, None, self._headers)
            if answer and answer.status == 200:
                return answer
            if time.time() > began + _MAY_BE_DEAD:
                with suppress(AwsError):
                    self._world.replay_the_dead([ASKING])
            time.sleep(_SOON)
        return None

    def _send(
        self, method: str, path: str, body: object, headers: Mapping[str, str]
    ) -> urllib3.BaseHTTPResponse | None:
        try:
            return self._cloud.send(method, path, body, dict(headers))
        except urllib3.exceptions.HTTPError:
            return None
