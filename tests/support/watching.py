"""The watchdog on a stage of deliveries, minute by minute."""

from __future__ import annotations

import json

from causeway.aws.table import Table
from causeway.settings.environment import Settings
from causeway.telemetry.logs import logger
from causeway.telemetry.metrics import Metrics
from causeway.watching.checks import CHECKS
from causeway.watching.owners import Confirmed
from causeway.watching.telling import Teller
from causeway.watching.watchdog import Watchdog
from causeway.watching.words import Words
from causeway.watching.world import Means
from tests.support.deliveries import plan_of

TOPIC = "arn:aws:sns:eu-central-1:123456789012:owners"
CONSOLE = "https://api.example.com/console"
OWNER = "finance@example.com"
OPERATOR = "operator@example.com"
DAY = 86400.0

NEEDS_MORE = {"books", "canary", "silence"}
"""Checks that look at more than a stage of deliveries has: logs, the public address, what was last accepted."""

OF_DELIVERIES = tuple(check for check in CHECKS if check.name not in NEEDS_MORE)


CHECKS_OF_A_STAGE = tuple(check for check in CHECKS if check.name not in {"books", "canary"})
"""The same, and silence: what was accepted a stage knows once it has stood for a while."""


class Recorded(Metrics):
    """Metrics that remember what was added, and when."""

    def __init__(self, clock):
        super().__init__()
        self.clock = clock
        self.added = []

    def add(self, name, value=1, **more):
        self.added.append((name, value, self.clock.now()))
        super().add(name, value, **more)

    def of(self, name):
        return [value for each, value, _ in self.added if each == name]


class Watched:
    """A stage that is watched. Owner and operator have confirmed, unless ``subscribed`` says otherwise."""

    def __init__(self, stage, *, checks=OF_DELIVERIES, subscribed=(OWNER, OPERATOR), remind=DAY, aws=None):
        self.stage = stage
        self.memory = stage.memory
        self.clock = stage.clock
        self.memory.subscribed = {each: f"{TOPIC}:{each}" for each in subscribed}
        self.metrics = Recorded(self.clock)
        self.make(checks, remind, aws or self.memory)

    def make(self, checks, remind, aws):
        plan = self.stage.tools.plan
        self.means = Means(
            plan=plan,
            settings=Settings(
                {
                    "CAUSEWAY_KEEP_DEAD": str(90 * DAY),
                    "CAUSEWAY_OWNERS_TOPIC": TOPIC,
                    "CAUSEWAY_LOG_GROUPS": "webhook,poller",
                    "CAUSEWAY_STRAYS_URLS": "https://sqs/strays,https://sqs/strays.fifo",
                }
            ),
            aws=aws,
            journal=Table(aws, "journal"),
            state=Table(aws, "state"),
            metrics=self.metrics,
            clock=self.clock,
        )
        teller = Teller(
            aws,
            topic=TOPIC,
            bus="bus",
            confirmed=Confirmed(aws, TOPIC, self.clock),
            words=Words(plan, CONSOLE, "causeway-dev"),
            plan=plan,
            clock=self.clock,
            logger=logger(),
        )
        self.watchdog = Watchdog(self.means, checks, teller, remind=remind, logger=logger())

    def look(self, within=45.0):
        """One run."""
        return self.watchdog.run(until=self.clock.now() + within)

    def minutes(self, number, meanwhile=lambda: None):
        """So many minutes pass, with a run at the beginning of each."""
        for _ in range(number):
            self.clock.set((self.clock.now() // 60 + 1) * 60)
            meanwhile()
            self.look()

    @property
    def mail(self):
        """What was published, and forgotten with that."""
        found, self.memory.published = self.memory.published, []
        return found

    @property
    def announced(self):
        """Types and details of what is on the bus, which are forgotten with that."""
        found, self.memory.events = self.memory.events, []
        return [(each["DetailType"], json.loads(each["Detail"])) for each in found]

    @property
    def standing(self):
        """The keys of what is not well."""
        return {key[1] for key in self.memory.tables["state"] if key[0] == "watch#all"}


def work(stage):
    """Everything that can be delivered now is."""

    def deliver():
        while stage.invoke() is not None:
            pass
        stage.schedule()
        stage.freeing.run(until=stage.clock.now() + 5)
        stage.resuming.run(until=stage.clock.now() + 5)
        while stage.invoke() is not None:
            pass

    return deliver


def one(mail):
    (message,) = mail
    return message


def many(number):
    plan = plan_of()
    integration = plan.integrations["orders-to-ledger"]
    names = [f"flow-{each:03d}" for each in range(number)]
    plan.record["integrations"] = plan.integrations = {name: integration | {"name": name} for name in names}
    return plan, names
