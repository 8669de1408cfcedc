"""A stage for polls: scheduler and poller on an AWS in memory and a clock, against an API that changes while it is read.

The API is a transport: what would be sent to it is a request as the functions make it, what it answers is read as any
answer. It keeps rows in versions, and its lists are what real ones are: pages by link, cursor, number or offset, times
in whole seconds, rows that show later than their time says, errors in between.
"""

from __future__ import annotations

import json
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import parse_qs, urlsplit

import yaml

from causeway.aws.table import Table
from causeway.calls.caller import Caller
from causeway.calls.transport import NoAnswerError, RawAnswer
from causeway.limiting.turns import Limits
from causeway.plan.plan import Plan
from causeway.polling.dispatching import Dispatching
from causeway.polling.receiving import receive
from causeway.polling.states import REGULAR
from causeway.polling.ticks import PollQueue, make_tick
from causeway.polling.work import Tools
from causeway.queueing.queue import Queue
from causeway.settings.clock import SettableClock, from_rfc3339, rfc3339
from causeway.settings.secrets import Secrets
from causeway.telemetry.logs import logger
from tests.support.maps import plan as compiled_plan
from tests.support.memory_aws import MemoryAws

NOW = 1_700_000_400.0  # a multiple of ten minutes
POLLS, DELIVERIES = "https://sqs/polls.fifo", "https://sqs/deliveries"
TIMEOUT, VISIBILITY = 60.0, 360.0

ORDERS = {
    "every": "10m",
    "get": "/orders",
    "records": "body.orders",
    "id": "id",
    "version": "version",
    "event_type": "orders/updated",
    "cursor": {"field": "updated_at", "param": "since", "start": "2023-01-01T00:00:00Z"},
}
"""A poll that each test changes as it needs it."""

SHOP = {
    "system": "shop",
    "api": {"base_url": "https://shop.example.com", "circuit_breaker": {"of_at_least": 1000}},
    "polls": {},
}
TAKER = {
    "integration": "orders-copy",
    "owner": {"team": "desk", "email": "desk@example.com"},
    "source": {"system": "shop", "poll": "orders"},
    "flow": {},
    "target": {"system": "desk", "post": "/in"},
    "frequency": {"expect_every": "never"},
    "errors": {},
}


def plan_with(poll=None, *, system=None, integrations=None, **changes):
    """The plan of a shop with one poll, as the compiler makes it."""
    poll = {name: value for name, value in {**(poll or ORDERS), **changes}.items() if value is not None}
    shop = {**SHOP, **(system or {}), "polls": {"orders": poll}}
    files = {"systems/shop.yaml": yaml.safe_dump(shop, sort_keys=False)}
    for taker in integrations or [TAKER]:
        files[f"{taker['integration']}.yaml"] = yaml.safe_dump(taker, sort_keys=False)
    with TemporaryDirectory() as directory:
        return Plan(compiled_plan(Path(directory), files))


@dataclass
class Row:
    id: str
    version: int
    updated_at: float
    visible_at: float
    more: dict = field(default_factory=dict)

    @property
    def shown(self):
        at = rfc3339(self.updated_at)
        return {"id": self.id, "version": self.version, "updated_at": at, **self.more}


class Api:
    """The shop's API: ``GET /orders?since=...``, in pages of ``size`` by ``paging``."""

    def __init__(
        self, clock, *, paging="link", size=10, newest_first=False, exclusive=False, ignores_since=False
    ):
        self.clock = clock
        self.paging, self.size = paging, size
        self.newest_first, self.exclusive, self.ignores_since = newest_first, exclusive, ignores_since
        self.rows: dict[str, Row] = {}
        self.versions = Counter()
        self.requests = []
        self.before = nothing  # may answer instead, or raise; called with the request's number
        self.after = nothing  # may change rows, once a page was read
        self.seconds = 0.1
        self.etags = False

    def put(self, id_, *, late=0.0, at=None, **more):
        """A row in a new version."""
        before = self.rows.get(id_)
        now = self.clock.now() if at is None else at
        row = Row(id_, before.version + 1 if before else 1, float(int(now)), now + late, more)
        self.rows[id_] = row
        self.versions[id_, row.version] += 1
        return row

    def exchange(self, request, *, allow_private, seconds, repeatable, identity):  # noqa: ARG002 - Transport's own
        number = len(self.requests)
        parts = urlsplit(request.url)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.requests.append(
            (parts.path, query, {name.lower(): value for name, value in request.headers.items()})
        )
        self.clock.advance(self.seconds)
        answer = self.before(number)
        if isinstance(answer, str):
            raise NoAnswerError(f"no answer ({answer})", kind=answer)
        if answer is not None:
            status, headers = answer
            return RawAnswer(status, headers, b"{}", "", self.seconds)
        page, headers, body = self._page(query)
        raw = json.dumps(body).encode()
        if self.etags:
            headers["etag"] = f'"{hash(raw)}"'
            if request.headers.get("If-None-Match") == headers["etag"]:
                return RawAnswer(304, headers, b"", "", self.seconds)
        self.after(number, page)
        return RawAnswer(200, {"content-type": "application/json", **headers}, raw, "", self.seconds)

    def close(self):
        pass

    def _page(self, query):
        rows = self._rows(query)
        headers, body = {}, {}
        match self.paging:
            case "link" | "cursor":
                if "after" in query:
                    at, id_ = query["after"].split("~")
                    rows = [row for row in rows if self._is_after(row, float(at), id_)]
                page = rows[: self.size]
                if len(rows) > self.size:
                    after = f"{page[-1].updated_at}~{page[-1].id}"
                    since = f"&since={query['since']}" if "since" in query else ""
                    headers["link"] = f'<https://shop.example.com/orders?after={after}{since}>; rel="next"'
                    body["next"] = after
            case "page":
                at = (int(query["page"]) - 1) * self.size
                page = rows[at : at + self.size]
            case "offset":
                page = rows[int(query["offset"]) :][: self.size]
            case _:
                page = rows
        body["orders"] = [row.shown for row in page]
        return page, headers, body

    def _is_after(self, row, at, id_):
        place, other = (row.updated_at, row.id), (at, id_)
        return place < other if self.newest_first else place > other

    def _rows(self, query):
        now = self.clock.now()
        rows = [row for row in self.rows.values() if row.visible_at <= now]
        if "since" in query and not self.ignores_since:
            since = from_rfc3339(query["since"])
            rows = [
                row for row in rows if (row.updated_at > since if self.exclusive else row.updated_at >= since)
            ]
        if "until" in query:
            rows = [row for row in rows if row.updated_at < from_rfc3339(query["until"])]
        return sorted(rows, key=lambda row: (row.updated_at, row.id), reverse=self.newest_first)


def nothing(*_):
    return None


PAGINATE = {
    "link": "link",
    "cursor": {"cursor": "body.next", "param": "after"},
    "page": {"page": "page"},
    "offset": {"offset": "offset", "limit": 10},
    "none": None,
}


class Context:
    """Lambda's context, on the stage's clock."""

    def __init__(self, clock, number, timeout):
        self.clock = clock
        self.deadline = clock.now() + timeout
        self.aws_request_id = f"invocation-{number}"

    def get_remaining_time_in_millis(self):
        return max(0, int((self.deadline - self.clock.now()) * 1000))


class Counted:
    """Metrics, added up."""

    def __init__(self):
        self.values = []

    def add(self, name, value=1, **_):
        self.values.append((name, value))

    def emit(self):
        pass

    def total(self, name):
        return sum(value for each, value in self.values if each == name)

    def last(self, name):
        return [value for each, value in self.values if each == name][-1]


class PollStage:
    """All of it. ``wrap`` may put something around AWS and API that counts, or ends the process."""

    def __init__(self, plan=None, *, api=None, wrap=lambda thing: thing, timeout=TIMEOUT, **api_of):
        self.clock = SettableClock(NOW)
        self.memory = MemoryAws(self.clock, visibility=VISIBILITY)
        self.api = api or Api(self.clock, **api_of)
        self.aws, self.transport = wrap(self.memory), wrap(self.api)
        self.timeout = timeout
        self.metrics = Counted()
        self.invocations = 0
        self.deploy(plan or plan_with(paginate=PAGINATE[self.api.paging]))

    def deploy(self, plan):
        """Put a plan in force, in a new process."""
        aws, clock = self.aws, self.clock
        state = Table(aws, "state")
        ticks = PollQueue(aws, POLLS)
        self.tools = Tools(
            plan=plan,
            aws=aws,
            bucket="payloads",
            caller=Caller(
                plan, Secrets(aws, prefix="/s", direction="out", clock=clock), clock, transport=self.transport
            ),
            state=state,
            journal=Table(aws, "journal"),
            store=Queue(aws, url=DELIVERIES, bucket="payloads", clock=clock),
            ticks=ticks,
            limits=Limits.of(plan.systems, state, clock, jitter=lambda: 0.0),
            metrics=self.metrics,
            logger=logger(),
            clock=clock,
        )
        self.dispatching = Dispatching(plan, state, ticks, clock)

    def minute(self):
        """One invocation of the scheduler; returns how many messages it sent."""
        return self.dispatching.run(until=self.clock.now() + 45)

    def tick(self, slot=None, *, backfill=None):
        """A message by hand, as the command sends it."""
        self.tools.ticks.send(make_tick("shop", "orders", slot or self.clock.now(), backfill))

    def invoke(self):
        """One invocation of the poller, if a message is visible. Returns whether there was one."""
        records = self.memory.receive(POLLS, 1)
        if not records:
            return False
        self.invocations += 1
        response = receive(
            {"Records": records}, Context(self.clock, self.invocations, self.timeout), self.tools
        )
        failed = {failure["itemIdentifier"] for failure in response["batchItemFailures"]}
        self.memory.delete(POLLS, {record["messageId"] for record in records} - failed)
        return True

    def until_quiet(self, *, crash=(), until=None):
        """Invoke, and let time pass, until no message is left, or a time comes."""
        for _ in range(5000):
            with suppress(*crash):
                if self.invoke():
                    continue
                later = min((message.visible_at for message in self.memory.queues[POLLS]), default=None)
                if later is None or (until is not None and later >= until):
                    return
                self.clock.set(max(later, self.clock.now()))
        raise AssertionError(f"still not quiet: {self.memory.queues[POLLS]}")

    def slot(self, *, after=600.0, **named):
        """Let the next slot come, and read what is due."""
        self.clock.set((self.clock.now() // after + 1) * after + 1)
        self.minute()
        self.until_quiet(**named)

    def state(self, part=REGULAR):
        item = Table(self.memory, "state").get("poll#shop/orders", part)
        return json.loads(item["state"]) if item and "state" in item else None

    def covers(self, slot):
        """Whether a slot has been read to its end."""
        state = self.state()
        return state is not None and state["slot"] >= slot and "open" not in state

    def seen(self):
        """How many items remember keys, and how many bytes of them."""
        found = [item for key, item in self.memory.tables["state"].items() if key[1].startswith("seen#")]
        return len(found), sum(len(item["keys"]["S"]) for item in found)

    def queued(self):
        """The messages on the queue of deliveries."""
        return [json.loads(message.body) for message in self.memory.queues[DELIVERIES]]

    def events(self):
        return [message["event"] for message in self.queued()]

    def versions(self):
        """What has been queued, by id and version, and how often."""
        return Counter((event["data"]["id"], event["data"]["version"]) for event in self.events())
