"""Everything at once: all ways in which deliveries come and go, under several processes that are cut off at random.

Instances of the processor, the function of the stream, the scheduler and the request function run beside one another
in simulated time. A provider sends and repeats events, SQS delivers some of them twice, clients ask, somebody pauses,
resumes and replays, and targets refuse, are slow and lose answers. Then all is well again, and goes on until it is
quiet; what has to hold then is asked by the test.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from contextlib import nullcontext, suppress
from dataclasses import replace

from causeway.acceptance.lines import LINE
from causeway.aws.client import AwsError
from causeway.aws.table import Table
from causeway.delivery import parking, processor, releasing, waiting
from causeway.delivery.going_on import KEY
from causeway.operations import books, selecting
from causeway.operations.replays import NotPossibleError, NotThereError, Replays, StuckError
from causeway.operations.selecting import Selection
from causeway.plan.plan import Plan
from causeway.queueing.sending import NotQueued
from causeway.queueing.tickets import Ticket
from causeway.requests.answering import Requests
from tests.support import deliveries
from tests.support.crashes import Crash
from tests.support.deliveries import DEAD_LETTERS, FIFO, NOW, QUEUE, Context, Stage, call_of, plan_of
from tests.support.interleaving import Interleaving
from tests.support.late_indexes import LateIndexes
from tests.support.logs import line_of
from tests.support.requests import request_of
from tests.support.streams import Shard

TIMEOUT = 15.0
VISIBILITY = 6 * TIMEOUT
MINUTE = 60.0
TAKEN, ORDERED, STREAMED, ASKED = ("plain", "stepped"), "ordered", "streamed", "asked"
NAMES = (*TAKEN, ORDERED, STREAMED, ASKED)
EVENTS = 6
FAILURES = (
    *(500, 503, 503, "connection", "timeout", 400),
    *((429, {}, {"retry-after": "5"}), (503, {}, {"retry-after": "100"})),
)
ERRORS = {
    "retry": {"first": 2.0, "factor": 3.0, "max": 1000.0},
    "attempts": 5,
    "give_up_after": 3 * 86400.0,
    "keep_events": 1000.0,
}
LIMITS = {
    "plain": {"rate_limits": [{"requests": 1, "per": 2.0, "burst": 1}]},
    "stepped": {"concurrency": 1},
}
FAULTS = (AwsError, NotQueued)


def map_of_all():
    """An integration of each kind, each with a system of its own, all with a circuit breaker."""
    given = plan_of().record
    breaker = {"failures": 0.6, "of_at_least": 3, "within": 60.0, "open_for": 30.0}
    systems, integrations = {"shop": given["systems"]["shop"]}, {}
    more = {
        "stepped": {
            "steps": [{"name": "make", "call": call_of("/stepped/make", system="stepped", timeout=5.0)}]
        },
        ORDERED: {"order_by": "data.customer"},
        STREAMED: {"buffer": "stream"},
        ASKED: {"source": {"request": {"wait": 5.0, "otherwise": "queue"}}},
    }
    for name in NAMES:
        api = given["systems"]["ledger"]["api"] | {"circuit_breaker": breaker} | LIMITS.get(name, {})
        systems[name] = {"name": name, "description": "", "redact": [], "api": api}
        target = {"call": call_of(f"/{name}", system=name, timeout=5.0)}
        own = {"name": name, "target": target, "errors": ERRORS, **more.get(name, {})}
        integrations[name] = given["integrations"]["orders-to-ledger"] | own
    return Plan(given | {"systems": systems, "integrations": integrations})


class Log:
    """Hears what is said, instead of a logger."""

    def __init__(self):
        self.received = []

    def info(self, message, **said):
        if message == LINE:
            self.received.append(json.dumps({"message": message, **said}))

    def warning(self, message, **said):
        """Nobody looks."""

    error = debug = exception = append_keys = warning


class Turmoil:
    """All of it.

    Args:
        seed: Decides what happens.
        put: Puts stand-ins into modules, as ``monkeypatch.setattr`` does.
        kills: So many processes are cut off at most.
        faults: So many calls of AWS fail at most, or are done twice.
    """

    def __init__(self, seed, put, *, kills=6, faults=0):
        self.clock = Interleaving(seed, NOW)
        self.clock.fault_at_most = faults
        self.clock.stand_in(put, processor, releasing, waiting, selecting, books)
        put(parking, "_PAUSING", nullcontext())  # which processes do not share
        self.dice = self.clock.dice
        self.clock.kill_at_most = kills
        self.clock.kill_one_in = self.dice.choice([10, 40, 200])
        self.bad = self.dice.choice([0.2, 0.4, 0.8])  # so many answers are refusals
        self.plan = map_of_all()
        self.log = Log()
        put(deliveries, "MemoryAws", LateIndexes)
        self.stage = Stage(self.plan)
        self.memory, self.target = self.stage.memory, self.stage.target
        self.memory.visibility = VISIBILITY
        for thing in (self.stage, self.memory, self.target):
            thing.clock = self.clock
        self.stage.deploy(self.plan)
        self.shard = Shard(self.stage)
        self.accepted = []  # deliveries and their acceptances
        self.deliveries = defaultdict(list)  # of each customer, in order of acceptance
        self.numbers = Counter()
        self.done = defaultdict(list)  # with which keys, by path and event
        self.settled = Counter()  # so many of a customer's are, from the first one on
        self.violations = []
        self.told = []  # deliveries of which a client heard a 2xx
        self.calm = False
        for name in NAMES:
            self.target.on(f"/{name}", self.answer)
        self.target.on("/stepped/make", self.answer)

    # ---- targets ----

    def answer(self, asked):
        event, key = asked.headers["causeway-event-id"], asked.headers["idempotency-key"]
        if asked.path == f"/{ORDERED}":
            self.check_order(asked.body["customer"], asked.body["n"])
        self.target.seconds = self.dice.choice([0.05, 0.2, 2.0])
        answer = 200 if self.calm or self.dice.random() > self.bad else self.dice.choice(FAILURES)
        if not self.calm and self.dice.random() < 0.01:
            answer = 410
        if answer == 200 or (answer == "timeout" and self.dice.random() < 0.5):
            self.done[asked.path, event].append(key)
        return answer

    def check_order(self, customer, number):
        mine = self.deliveries[customer]
        while self.settled[customer] < number and self.is_settled(mine[self.settled[customer]]):
            self.settled[customer] += 1
        if self.settled[customer] < number:
            self.violations.append(f"{customer}-{number} came before {customer}-{self.settled[customer]}")

    def is_settled(self, delivery):
        """Whether it was once; what is replayed by now was."""
        item = self.stage.item(delivery)
        return item is not None and (
            item["status"] in ("delivered", "dead") or Ticket.parse(item["ticket"]).replay > 0
        )

    # ---- who sends ----

    def provider(self):
        """Sends events, and some of them again."""
        for _ in range(3 * EVENTS):
            self.clock.sleep(self.dice.choice([0.1, 1.0, 20.0, 60.0]))
            name = self.dice.choice(NAMES[:-1])
            if name == ORDERED:
                self.send_in_order()
            else:
                self.send(name, f"e{self.dice.randrange(EVENTS)}")

    def send_in_order(self):
        customer = self.dice.choice(["ann", "bob"])
        count = len(self.deliveries[customer])
        number = self.dice.randrange(count) if count and self.dice.random() < 0.3 else count
        data = {"customer": customer, "n": number}
        delivery = self.send(ORDERED, f"{customer}-{number}", data=data)
        if number == count:
            self.deliveries[customer].append(delivery)

    def send(self, name, event, **more):
        self.numbers["acceptance"] += 1
        acceptance = f"a{self.numbers['acceptance']}"
        message = self.stage.first_message(event, acceptance=acceptance, integration=name, **more)
        self.accepted.append((message["delivery"], acceptance))
        (self.shard if name == STREAMED else self.stage).send([message])
        self.log.received.append(line_of([message]))
        return message["delivery"]

    def twice(self):
        """SQS delivers at least once: a message is visible although somebody has it."""
        while True:
            self.clock.sleep(self.dice.uniform(20, 200))
            if self.memory.queues[QUEUE]:
                body = self.dice.choice(self.memory.queues[QUEUE]).body
                self.memory.call("sqs", "SendMessage", {"QueueUrl": QUEUE, "MessageBody": body})

    def indexes(self):
        """They catch up, again and again."""
        while True:
            self.memory.catch_up()
            self.clock.sleep(self.dice.choice([0.1, 0.5, 3.0]))

    def client(self, key):
        """Asks until it is answered."""

        def ask():
            self.clock.sleep(self.dice.uniform(0, 400))
            while not self.calm:
                process = self.clock.process()
                requests = Requests(self.fresh(process).tools)
                self.numbers["request"] += 1
                context = Context(self.clock, f"request-{self.numbers['request']}", TIMEOUT)
                process.ends_at = context.deadline
                try:
                    answer = requests.answer(
                        request_of(integration=ASKED, idempotency_key=key, client="key:app"), context
                    )
                except Crash:
                    self.numbers["requests cut off"] += 1
                else:
                    if answer["statusCode"] < 300:
                        self.told.append(answer["headers"]["causeway-delivery"])
                    if answer["statusCode"] not in (409, 503):
                        return
                self.clock.sleep(self.dice.choice([1.0, 10.0, 40.0]))

        return ask

    # ---- functions ----

    def fresh(self, process):
        """A stage of a new process: its own caches, and all that it does can be its end."""
        stage = Stage.__new__(Stage)
        stage.__dict__ |= self.stage.__dict__
        stage.aws, stage.transport = process.wrap(self.memory), process.wrap(self.target)
        stage.deploy(self.plan)
        stage.tools = replace(stage.tools, logger=self.log)
        return stage

    def function(self, work, *, idle):
        """Invocations of a function, one after the other, in processes that are made anew when they end.

        Args:
            work: One invocation; says whether there was anything to do.
            idle: Seconds until the next one if there was not.
        """

        def forever():
            while True:
                process = self.clock.process()
                stage = self.fresh(process)
                with suppress(Crash, *FAULTS):
                    while True:
                        # Clocks differ: some go on when their lease has passed.
                        process.ends_at = self.clock.now() + TIMEOUT + self.dice.choice([0.0, 30.0])
                        if not work(stage):
                            self.clock.sleep(idle())

        return forever

    def process_batch(self, stage):
        urls = [QUEUE, FIFO]
        self.dice.shuffle(urls)
        for url in urls:
            records = self.memory.receive(url, self.dice.randint(1, 10))
            if records:
                self.numbers["invocation"] += 1
                context = Context(self.clock, f"invocation-{self.numbers['invocation']}", TIMEOUT)
                response = processor.process({"Records": records}, context, stage.tools)
                failed = {failure["itemIdentifier"] for failure in response["batchItemFailures"]}
                self.memory.delete(url, {record["messageId"] for record in records} - failed)
                return True
        return False

    def stream_batch(self, stage):
        if not self.shard.records:
            return False
        shard = Shard(stage)
        shard.records, shard.batches = self.shard.records, self.numbers["stream"]
        self.numbers["stream"] += 1
        shard.invoke(self.dice.randint(1, 10))
        return True

    def minute(self, stage):
        """One invocation of the scheduler, whose tasks run in any order."""
        table, state = Table(stage.aws, "journal"), Table(stage.aws, "state")
        replays = Replays(journal=table, state=state, queue=stage.tools.queue, clock=self.clock)
        tasks = [stage.releaser.run, stage.freeing.run, stage.resuming.run, replays.run]
        self.dice.shuffle(tasks)
        for task in tasks:
            with suppress(*FAULTS):
                try:
                    task(until=self.clock.now() + 2.0)
                except StuckError as stuck:
                    raise stuck.__cause__ or stuck from None
        return False

    def operator(self):
        """Somebody who pauses, resumes and replays."""
        stage = self.fresh(process := self.clock.process())
        process.is_safe = True
        table, state = Table(stage.aws, "journal"), Table(stage.aws, "state")
        replays = Replays(journal=table, state=state, queue=stage.tools.queue, clock=self.clock)
        while True:
            self.clock.sleep(self.dice.uniform(10, 150))
            name = self.dice.choice(NAMES)
            match self.dice.choice(["pause", "resume", "resume", "replay", "one", "move back"]):
                case "pause":
                    stage.tools.pauses.pause(name, by="ann", reason="")
                case "resume":
                    stage.tools.pauses.resume(name, by="ann", rate=self.dice.choice([0.5, 5.0]))
                case "replay":
                    replays.start(Selection([name]), by="ann", rate=self.dice.choice([1.0, 20.0]))
                case "one" if self.accepted:
                    with suppress(NotPossibleError, NotThereError):
                        replays.one(self.dice.choice(sorted(self.accepted))[0], by="ann")
                case "move back":
                    for letter in self.memory.queues.pop(DEAD_LETTERS, []):
                        parameters = {"QueueUrl": QUEUE, "MessageBody": letter.body}
                        self.memory.call("sqs", "SendMessage", parameters)

    # ---- how it goes ----

    def go_through(self):
        """Turmoil, then calm until it is quiet."""
        patience = [1.0]
        for _ in range(3):
            self.clock.start(
                self.function(self.process_batch, idle=lambda: self.dice.uniform(0.1, 2.0) * patience[0])
            )
        self.clock.start(self.function(self.stream_batch, idle=lambda: patience[0]))
        self.clock.start(self.function(self.minute, idle=lambda: MINUTE))
        clients = self.client("k1"), self.client("k2")
        for work in (self.provider, self.twice, self.operator, self.indexes, *clients):
            self.clock.start(work)
        self.clock.run(until=NOW + 900)
        self.heal(patience)

    def heal(self, patience):
        self.calm = True
        self.clock.kill_at_most = self.clock.fault_at_most = 0
        self.clock.end()
        self.memory.shown = None
        for name in NAMES:
            self.stage.tools.pauses.resume(name, by="ann", rate=100.0)
        patience[0] = 5.0
        for work, idle in ((self.process_batch, 5.0), (self.stream_batch, 5.0), (self.minute, MINUTE)):
            self.clock.start(self.function(work, idle=lambda idle=idle: idle))
        until = self.clock.now() + 26 * 3600.0
        while not self.is_quiet() and self.clock.now() < until:
            self.clock.run(until=self.clock.now() + 300.0)
        self.clock.end()

    def is_quiet(self):
        on_queues = any(len(self.memory.queues[url]) for url in (QUEUE, FIFO)) or self.shard.records
        return not on_queues and not self.open_items()

    def open_items(self):
        """What is not settled; but what only a client could go on with."""
        return [
            item
            for item in self.stage.items()
            if item["status"] in ("waiting", "running") and "expires_at" not in item
        ]

    # ---- what came of it ----

    def books_of(self, name):
        """The books of an integration, of all hours."""
        journal = Table(self.memory, "journal")
        first, last = NOW // books.HOUR, self.clock.now() // books.HOUR
        for hour in (number * books.HOUR for number in range(int(first), int(last) + 1)):
            yield from books.close(
                journal, hour, [name], books.accepted_by(self.log.received, hour).__getitem__
            )

    def place_of(self, item):
        """Where it is to be seen that a delivery was done: the target's path, and the event."""
        return f"/{item['integration']}", item["event_id"]

    def parked(self):
        """Order keys that still wait."""
        return [key for key in self.memory.tables["journal"] if key[0].startswith(KEY)]
