"""A stage for deliveries: the processor and the scheduler on an AWS in memory, a clock, and a target by script.

It plays SQS and Lambda: what the processor does not report as failed is deleted, everything else becomes visible
again when it would on AWS. ``until_quiet`` lets time pass until nothing is left to be done.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, field

from causeway.acceptance.sorting import ordered
from causeway.aws.table import Table
from causeway.calls.caller import Caller
from causeway.calls.transport import NoAnswerError, RawAnswer
from causeway.delivery.announcement import Announcements
from causeway.delivery.beside import Beside
from causeway.delivery.freeing import Freeing
from causeway.delivery.giving_up import GivingUp
from causeway.delivery.journal import Journal
from causeway.delivery.order_keys import OrderKeys
from causeway.delivery.pauses import Pauses
from causeway.delivery.processor import process
from causeway.delivery.releasing import Releaser
from causeway.delivery.resuming import Resuming
from causeway.delivery.work import Tools
from causeway.events.envelope import make_event
from causeway.events.identity import delivery_id
from causeway.limiting.health import Healths
from causeway.limiting.reservations import Reservations
from causeway.limiting.turns import Limits
from causeway.plan.plan import Plan
from causeway.queueing.messages import decode
from causeway.queueing.payloads import Payloads
from causeway.queueing.queue import Queue
from causeway.settings.clock import SettableClock, rfc3339
from causeway.settings.secrets import Secrets
from causeway.telemetry.logs import logger
from causeway.telemetry.metrics import Metrics
from tests.support.memory_aws import MemoryAws

NOW = 1_700_000_000.0
QUEUE, FIFO, DEAD_LETTERS = (
    "https://sqs/deliveries",
    "https://sqs/deliveries.fifo",
    "https://sqs/dead-letters",
)
TIMEOUT = 60.0
VISIBILITY = 6 * TIMEOUT
NOTHING_FAILED = {"batchItemFailures": []}


def call_of(path="/entries", *, system="ledger", method="POST", **more):
    """A call as a plan has it."""
    call = {
        "system": system,
        "method": method,
        "path": path,
        "query": {},
        "headers": {},
        "content": "json",
        "reads": method == "GET",
        "timeout": 10.0,
        "success_when": "status < `300`",
        "retry_on": ["connection", "timeout", "408", "425", "429", "500-599"],
    }
    if method in ("POST", "PUT", "PATCH"):
        call["body"] = "${data}"
    return call | more


def plan_of(*, steps=(), target=None, errors=None, ledger=None, shop=None, **integration):
    """A plan with one integration, orders-to-ledger, from the shop to the ledger."""
    api = {
        "base_url": "https://ledger.example.com",
        "auth": {"type": "none"},
        "headers": {},
        "allow_private": [],
        "keep_answers": False,
    }
    hooks = {"schemes": [], "secrets": ["shop/webhook"], "tolerance": 300.0, "dedupe_for": 7 * 86400.0}
    return Plan(
        {
            "format": 1,
            "environment": "dev",
            "systems": {
                "shop": {"name": "shop", "description": "", "redact": [], "webhooks": hooks} | (shop or {}),
                "ledger": {"name": "ledger", "description": "", "redact": [], "api": api | (ledger or {})},
            },
            "integrations": {
                "orders-to-ledger": {
                    "name": "orders-to-ledger",
                    "description": "",
                    "owner": {"team": "finance", "email": "finance@example.com"},
                    "source": {"system": "shop", "events": ["*"]},
                    "constants": {},
                    "steps": list(steps),
                    "target": target if _is_no_call(target) else {"call": target or call_of()},
                    "frequency": {"expect_every": None, "during": "always", "deliver_within": 900.0},
                    "errors": {
                        "retry": {"first": 5.0, "factor": 3.0, "max": 21600.0},
                        "attempts": None,
                        "give_up_after": 3 * 86400.0,
                        "keep_events": 0.0,
                    }
                    | (errors or {}),
                }
                | integration
            },
        }
    )


def _is_no_call(target):
    return target is not None and not target.keys().isdisjoint({"queue", "bus", "bucket", "reply"})


@dataclass
class Asked:
    """A request that reached the target."""

    method: str
    path: str
    headers: dict
    body: object
    at: float


@dataclass
class Script:
    """The target's transport: answers by script, the last answer of a path stays.

    An answer is a status, a status with a body or with body and headers, "connection" or "timeout" for none, or a
    function of the request that returns one of these.
    """

    clock: SettableClock
    answers: dict = field(default_factory=dict)
    asked: list = field(default_factory=list)
    seconds: float = 0.1

    def on(self, path, *answers):
        self.answers[path] = list(answers)

    def at(self, path):
        return [each for each in self.asked if each.path == path]

    def exchange(self, request, *, allow_private, seconds, repeatable, identity):  # noqa: ARG002 - Transport's own
        path = "/" + request.url.split("/", 3)[3]
        headers = {name.lower(): value for name, value in request.headers.items()}
        asked = Asked(request.method, path, headers, json.loads(request.body or b"null"), self.clock.now())
        self.asked.append(asked)
        answers = self.answers.get(path, [200])
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        answer = answer(asked) if callable(answer) else answer
        self.clock.advance(self.seconds)
        if isinstance(answer, str):
            raise NoAnswerError(f"no answer ({answer})", kind=answer)
        status, body, more = (*answer, {}, {})[:3] if isinstance(answer, tuple) else (answer, {}, {})
        raw = {"content-type": "application/json"} | more
        return RawAnswer(status, raw, json.dumps(body).encode(), "", self.seconds)

    def close(self):
        pass


class Context:
    """Lambda's context, on the stage's clock."""

    def __init__(self, clock, number, timeout=TIMEOUT):
        self.clock = clock
        self.deadline = clock.now() + timeout
        self.aws_request_id = f"invocation-{number}"

    def get_remaining_time_in_millis(self):
        return max(0, int((self.deadline - self.clock.now()) * 1000))


class Stage:
    """All of it. ``aws`` and ``transport`` may be wrapped in something that counts or fails."""

    def __init__(self, plan=None, *, wrap=lambda thing: thing, jitter=0.0):
        self.clock = SettableClock(NOW)
        self.memory = MemoryAws(self.clock, visibility=VISIBILITY)
        self.target = Script(self.clock)
        self.aws = wrap(self.memory)
        self.transport = wrap(self.target)
        self.invocations = 0
        self.deploy(plan or plan_of(), jitter=jitter)

    def deploy(self, plan, *, jitter=0.0):
        """Put a plan in force, with tools made anew."""
        table, state = Table(self.aws, "journal"), Table(self.aws, "state")
        journal = Journal(table, self.clock)
        metrics = Metrics()
        secrets = Secrets(self.aws, prefix="/stack/causeway", direction="out", clock=self.clock)
        payloads = Payloads(self.aws, "payloads")
        queue = Queue(self.aws, url=QUEUE, fifo_url=FIFO, bucket="payloads", clock=self.clock)
        self.limits = Limits.of(plan.systems, state, self.clock, jitter=lambda: jitter)
        beside = Beside(table, payloads)
        self.tools = Tools(
            plan=plan,
            aws=self.aws,
            caller=Caller(plan, secrets, self.clock, transport=self.transport),
            table=table,
            journal=journal,
            beside=beside,
            order_keys=OrderKeys(table, payloads),
            queue=queue,
            pauses=Pauses(state, self.clock),
            limits=self.limits,
            giving_up=GivingUp(
                self.aws,
                journal,
                dead_letters=DEAD_LETTERS,
                bus="bus",
                announcements=Announcements(plan, beside, payloads),
                metrics=metrics,
            ),
            metrics=metrics,
            logger=logger(),
            clock=self.clock,
            keep_dead=90 * 86400.0,
            jitter=lambda: jitter,
        )
        self.freeing = Freeing(
            plan=plan,
            journal=journal,
            healths=Healths(state, self.clock),
            reservations=Reservations(state, self.clock),
            pauses=Pauses(state, self.clock),
            queue=queue,
            metrics=metrics,
            clock=self.clock,
            logger=logger(),
        )
        self.releaser = Releaser(journal, queue, self.clock, logger())
        pauses = Pauses(state, self.clock)
        self.resuming = Resuming(
            journal=table, state=state, pauses=pauses, queue=queue, clock=self.clock, logger=logger()
        )

    def accept(self, event_id="evt_1", *, acceptance="one", data=None, **more):
        """What the receiving function does: put the first message on the queue. Returns the delivery's id."""
        message = self.first_message(event_id, acceptance=acceptance, data=data, **more)
        self.send([message])
        return message["delivery"]

    def send(self, messages):
        """Put messages on the queues."""
        Queue(self.memory, url=QUEUE, fifo_url=FIFO, bucket="payloads", clock=self.clock).send(messages)

    def first_message(self, event_id="evt_1", *, acceptance="one", data=None, **more):
        """A delivery's first message."""
        now = self.clock.now()
        event = make_event(
            id=event_id, type="orders/paid", source="shop", time=rfc3339(now), data=data or {"total": 5}
        )
        integration = more.get("integration", "orders-to-ledger")
        delivery = delivery_id("shop", event_id, integration)
        message = {
            "format": 1,
            "delivery": delivery,
            "integration": integration,
            "system": "shop",
            "ticket": "0000.000001",
            "acceptance": acceptance,
            "accepted_at": now,
            "event": event,
            **more,
        }
        integration = self.tools.plan.integrations.get(message["integration"])
        return ordered(integration, message) if integration else message

    def invoke(self, limit=10, timeout=TIMEOUT):
        """One invocation of the processor, if a message is visible. Returns the response, or None."""
        url = QUEUE
        records = self.memory.receive(url, limit)
        if not records:
            url = FIFO
            records = self.memory.receive(url, limit)
        if not records:
            return None
        self.invocations += 1
        response = process({"Records": records}, Context(self.clock, self.invocations, timeout), self.tools)
        failed = {failure["itemIdentifier"] for failure in response["batchItemFailures"]}
        assert failed <= {record["messageId"] for record in records}
        self.memory.delete(url, {record["messageId"] for record in records} - failed)
        return response

    def schedule(self):
        """One invocation of the scheduler."""
        return self.releaser.run(until=self.clock.now() + 50)

    def next_thing(self):
        """When something can happen next: a message becomes visible, or an item is due."""
        times = [time for time in map(self.memory.next_at, (QUEUE, FIFO)) if time is not None]
        for item in self.memory.tables["journal"].values():
            if item.get("due_shard", {"S": ""})["S"].startswith("held#"):
                healths = self.freeing._healths.all()
                times.append(max([self.clock.now() + 60, *(health.held_until for health in healths)]))
            elif "due_shard" in item:
                times.append(int(item["due_at"]["N"]) / 1000)
        return min(times, default=None)

    def until_quiet(self, most=400, crash=()):
        """Invoke, and let time pass, until nothing is under way. Exceptions of type ``crash`` end an invocation."""
        for _ in range(most):
            with suppress(*crash):
                if self.invoke() is not None:
                    continue
                later = self.next_thing()
                if later is None:
                    return
                self.clock.set(max(later + 0.001, self.clock.now()))
                visible = [time for time in map(self.memory.next_at, (QUEUE, FIFO)) if time is not None]
                if not any(time <= self.clock.now() for time in visible):
                    self.schedule()
                    self.freeing.run(until=self.clock.now() + 45)
        left = [*self.memory.queues[QUEUE], *self.memory.queues[FIFO]]
        raise AssertionError(f"still not quiet: {left[:20]}, {self.items()[:20]}")

    def items(self, part="delivery"):
        """All items of the journal with this range key."""
        return [self.tools.table.get(*key) for key in list(self.memory.tables["journal"]) if key[1] == part]

    def item(self, delivery):
        return Table(self.memory, "journal").get(delivery, "delivery")

    def beside(self, delivery):
        return Table(self.memory, "journal").get(delivery, "event")

    def pages(self):
        """The pages, as (delivered ids, duplicates' acceptances)."""
        table = Table(self.memory, "journal")
        found = [table.get(*key) for key in list(self.memory.tables["journal"]) if key[0].startswith("page#")]
        delivered = [entry[0] for page in found for entry in page.get("delivered", [])]
        return delivered, [entry[1] for page in found for entry in page.get("duplicates", [])]

    def dead_letters(self):
        return [decode(message.body) for message in self.memory.queues[DEAD_LETTERS]]

    def told(self):
        """Details of the events on the bus."""
        return [json.loads(entry["Detail"]) for entry in self.memory.events]

    def replay(self):
        """Move all of the dead-letter queue back, as AWS's own tools do."""
        for message in self.memory.queues.pop(DEAD_LETTERS, []):
            self.memory.call("sqs", "SendMessage", {"QueueUrl": QUEUE, "MessageBody": message.body})
