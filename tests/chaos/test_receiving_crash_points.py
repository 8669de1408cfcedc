"""No event is lost, wherever the receiving function is cut off, and no retry of it looks like a duplicate.

Each request is first answered undisturbed, which counts the effects: AWS calls, the log's line, the metrics, the
answer. Then it is sent once for every effect, cut off before it, and once cut off after it. No answer reaches the
provider then, so it sends the same request again, to a new instance.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from causeway.acceptance import acceptor
from causeway.plan.plan import Plan
from causeway.queueing.messages import decode
from causeway.queueing.queue import Queue
from causeway.settings.clock import SettableClock
from causeway.settings.secrets import Secrets
from causeway.webhooks import receiving
from causeway.webhooks.receiving import Receiver
from tests.support.crashes import Crash, Effects
from tests.support.memory_aws import MemoryAws
from tests.support.receiving import NOW, SECRETS, record, signed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from causeway.queueing.messages import Message

OPENED = b'{"action": "opened"}'
ELEMENTS = [{"id": str(number), "type": "a"} for number in range(25)]
NEW_SECRET = "the new one"

REQUESTS: dict[str, dict[str, Any]] = {
    "one event for two integrations": signed("github", OPENED, event_id="e1", event_type="pull_request"),
    "an event without an id": signed("slack", b'{"type": "message"}'),
    "a large event": signed("shop", b'"' + b"x" * 9000 + b'"', event_id="e2", event_type="orders/paid"),
    "a batch of 25": signed("batch", json.dumps({"events": ELEMENTS}).encode()),
    "an event for nobody": signed("shop", b"{}", event_id="e3", event_type="carts/update"),
    "signed with the secret before the last": signed(
        "payments", b'{"id": "e4", "type": "payment_intent.created"}'
    ),
}
DELIVERIES = {
    "one event for two integrations": 2,
    "an event without an id": 1,
    "a large event": 1,
    "a batch of 25": 25,
    "an event for nobody": 0,
    "signed with the secret before the last": 1,
}


class World:
    """What outlives an instance: AWS, the log and the metrics."""

    def __init__(self, effects: Effects, patch: pytest.MonkeyPatch) -> None:
        self.clock = SettableClock(NOW)
        self.aws = _Aws(self.clock)
        self.effects = effects
        self.log: list[dict[str, Any]] = []
        self.counts: dict[str, float] = {}
        for module in (receiving, acceptor):
            patch.setattr(module, "logger", lambda: self)

    def send(self, request: dict[str, Any]) -> Any:
        """A request to a new instance; None when no answer comes."""
        self.effects.restart()
        aws: Any = self.effects.wrap(self.aws)
        secrets = Secrets(aws, prefix="/s/causeway", direction="in", clock=self.clock)
        queue = Queue(aws, url="deliveries", bucket="payloads", claim_check_over=5000, clock=self.clock)
        metrics: Any = self
        receiver = Receiver(
            plan=Plan(_plan()), secrets=secrets, store=queue, clock=self.clock, metrics=metrics
        )
        try:
            answer = receiver.answer(request)
            self.effects.happen("answer", lambda: None, ((), {}))
        except Crash:
            return None
        return answer

    def info(self, message: str, **keys: Any) -> None:
        """The log's line."""
        line = {"message": message, **keys}
        self.effects.happen("log", self.log.append, ((line,), {}))

    def add(self, name: str, value: float = 1) -> None:
        """A metric."""
        total = self.counts.get(name, 0) + value
        self.effects.happen("metric", self.counts.__setitem__, ((name, total), {}))

    @property
    def messages(self) -> list[Message]:
        return [decode(message.body) for message in self.aws.queues["deliveries"]]

    @property
    def deliveries(self) -> set[str]:
        return {message["delivery"] for message in self.messages}

    def event_of(self, message: Message) -> Any:
        if "event" in message:
            return message["event"]
        return json.loads(self.aws.get_object("payloads", message["event_at"].removeprefix("s3:")))


class _Aws(MemoryAws):
    """With the secrets of the tests; that of payments has just been replaced."""

    def _ssm_get_parameters(self, parameters: dict[str, Any]) -> dict[str, Any]:
        stored = {f"/s/causeway/in/{name}": value for name, value in SECRETS.items()}
        replaced = "/s/causeway/in/payments/webhook"
        stored[f"{replaced}:1"], stored[replaced] = stored[replaced], NEW_SECRET
        found = [
            {
                "Name": name.removesuffix(":1"),
                "Value": stored[name],
                "Version": 2,
                "LastModifiedDate": NOW - 60,
            }
            for name in parameters["Names"]
            if name in stored
        ]
        return {"Parameters": found}


def _plan() -> Any:
    plan: Any = record()
    plan["integrations"]["slack"] = {**plan["integrations"]["archive"], "name": "slack"}
    plan["integrations"]["slack"]["source"] = {"system": "slack", "events": ["*"]}
    return plan


def undisturbed(name: str) -> World:
    with pytest.MonkeyPatch.context() as patch:
        world = World(Effects(), patch)
        assert world.send(REQUESTS[name])["statusCode"] == 200
    return world


def effects_of(name: str) -> list[str]:
    """What is done, in order, without the names of objects, which are new each time."""
    return [effect.partition(".events/")[0] for effect in undisturbed(name).effects.seen]


def crash_points() -> Iterator[Any]:
    for name in REQUESTS:
        for number, effect in enumerate(effects_of(name)):
            for after in (False, True):
                where = "after" if after else "before"
                yield pytest.param(name, number, after, id=f"{name}: {where} {number}, {effect}")


@pytest.mark.parametrize(("name", "number", "after"), list(crash_points()))
def test_wherever_it_is_cut_off_the_retry_brings_everything(
    name: str,
    number: int,
    after: bool,  # noqa: FBT001
    monkeypatch: pytest.MonkeyPatch,
):
    world = World(Effects({number}, after=after), monkeypatch)
    assert world.send(REQUESTS[name]) is None
    assert world.effects.crashes == 1

    # The books never show more than the queue has.
    assert sum(sum(line["accepted"].values()) for line in world.log) <= len(world.deliveries)

    # The retry is no duplicate to the receiver: it is answered and queued as the first should have been.
    assert world.send(REQUESTS[name])["statusCode"] == 200
    assert world.deliveries == undisturbed(name).deliveries
    assert len(world.deliveries) == DELIVERIES[name]

    # What is on the queue twice is the same delivery with the same event; each acceptance has its own name.
    events: dict[str, Any] = {}
    for message in world.messages:
        event = world.event_of(message)
        assert events.setdefault(message["delivery"], event) == event
    names = {(message["delivery"], message["acceptance"]) for message in world.messages}
    assert len(names) == len(world.messages)


def test_every_effect_is_in_its_place():
    """Verify, store, tell, answer: nothing is told before the queue has it."""
    assert effects_of("a large event") == [
        "call.ssm.GetParameters",
        "put_object.payloads",
        "call.sqs.SendMessageBatch",
        "log",
        "metric",
        "metric",
        "answer",
    ]
    assert effects_of("a batch of 25").count("call.sqs.SendMessageBatch") == 3
