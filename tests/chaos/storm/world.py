"""The local cloud that a storm goes over: its map, its processes, its minutes, and what is read of it afterwards."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

from causeway.aws.client import AwsError
from causeway.delivery.pauses import Pauses
from causeway.events.identity import delivery_id
from causeway.operations import books
from tests.chaos.storm.judging import PLACES, SYSTEM, Evidence
from tests.support.faults import TIMEOUT
from tests.support.rough_cloud import RoughCloud

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from tests.chaos.storm.target import Storm
    from tests.support.faulty_target import Exchange
    from tests.support.local_cloud import LocalCloud

SECRET = "whsec_" + "c3Rvcm0gaW4gYSBnbGFzcyBvZiB3YXRlciwgMzIgYnk="
SECRET_NAME = f"{SYSTEM}/webhook"

INVOCATION = 10
"""Seconds that a batch may take; whoever is killed is missed for so long."""

_KILLED = ("ProcessorFunction",) * 4 + ("WebhookFunction", "SchedulerFunction")
_KILLS_EVERY = (1.5, 4.0)
_KNOWN_AFTER = 5.5  # seconds after which every instance knows that an integration is resumed

_SENDER = f"""\
system: {SYSTEM}
description: Sends events.
webhooks: {{scheme: standard-webhooks, secrets: [{SECRET_NAME}]}}
"""

_CALLED = """\
system: {name}
description: Takes events, in bad weather.
api:
  base_url: http://127.0.0.1:{port}
  allow_private: [127.0.0.0/8]
  timeout: {timeout}s
  circuit_breaker: {{failures: 60%, of_at_least: 10, within: 10s, open_for: 2s}}
"""

_INTEGRATION = """\
integration: {name}
owner: {{team: storm, email: storm@example.com}}
source: {{system: {source}, events: ["*"]}}
flow: {flow}
target: {{system: {name}, post: /{name}}}
frequency: {{expect_every: never}}
errors: {{retry: {{first: 1s, factor: 1.5, max: 3s}}, give_up_after: 1d}}
"""

_FLOWS = {
    "stepped": "{steps: [{name: reserve, system: stepped, post: /stepped/reserve, body: '${data}'}]}",
    "ordered": "{order_by: data.customer}",
}


def write_map(directory: Path, port: int) -> None:
    """The five integrations, each with a system of its own."""
    (directory / "systems").mkdir(parents=True)
    (directory / "environments").mkdir()
    (directory / "environments" / "dev.yaml").write_text("{}\n")
    (directory / "systems" / f"{SYSTEM}.yaml").write_text(_SENDER)
    for name in PLACES:
        system = _CALLED.format(name=name, port=port, timeout=int(TIMEOUT))
        (directory / "systems" / f"{name}.yaml").write_text(system)
        text = _INTEGRATION.format(name=name, source=SYSTEM, flow=_FLOWS.get(name, "{}"))
        (directory / f"{name}.yaml").write_text(text)


class World(RoughCloud):
    """A running local cloud with that map; a context manager under which it is a dangerous place.

    Args:
        cloud: The local cloud.
        storm: Its targets.
        seed: Decides when which process is killed.
        kill: Whether any is.
    """

    def __init__(self, cloud: LocalCloud, storm: Storm, seed: int, *, kill: bool) -> None:
        self._calls, self._kills = storm.exchanges, kill
        super().__init__(
            cloud,
            f"{seed}/world",
            killed=_KILLED if kill else (),
            every=_KILLS_EVERY,
            invocations={"ProcessorFunction": INVOCATION},
            queues=dict.fromkeys(("DeliveriesUrl", "DeliveriesFifoUrl"), INVOCATION + 1),
        )
        self.pauses: dict[str, list[tuple[float, float]]] = {}
        self._pauses = Pauses(self.state, self.clock)
        self._quiet_until = 0.0

    def works(self) -> Sequence[Callable[[], None]]:
        """Resuming, too, and the first to be killed."""
        return (self._resume, *([self._kill_the_first] if self._kills else []))

    def is_minute(self) -> bool:
        """Not while somebody may still believe in a pause that is over."""
        return time.time() >= self._quiet_until

    def lose(self, most: int) -> int:
        """Take messages off the queue, as a build does that forgets deliveries; how many there were."""
        url = self.outputs["DeliveriesUrl"]
        sqs = self.cloud.clients("sqs")
        taken = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=most).get("Messages", [])
        for each in taken:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=each["ReceiptHandle"])
        return len(taken)

    def deliver(self, *, enabled: bool) -> None:
        """Let the queues be read, or not."""
        functions = self.cloud.clients("lambda")
        for each in functions.list_event_source_mappings()["EventSourceMappings"]:
            functions.update_event_source_mapping(UUID=each["UUID"], Enabled=enabled)

    def evidence(self, events: Mapping[str, str], exchanges: list[Exchange], since: float) -> Evidence:
        """What there is to judge by."""
        log = self.cloud.clients("lambda").get_function_configuration(
            FunctionName=self.functions["WebhookFunction"]
        )["LoggingConfig"]["LogGroup"]
        hours = range(int(since // books.HOUR), int(time.time() // books.HOUR) + 1)
        kept = [
            book
            for hour in (number * books.HOUR for number in hours)
            for book in books.close(
                self.journal, hour, PLACES, books.accepted_in(self.aws, log, hour).__getitem__
            )
        ]
        ours = {delivery_id(SYSTEM, event, integration) for event in events for integration in PLACES}
        items = {id_: item for id_, item in self.items().items() if id_ in ours}
        return Evidence(events, exchanges, items, kept, self.pauses, self.on_queue())

    def _kill_the_first(self) -> None:
        """Cut off who is at work as soon as one is: a short storm may be over before chance has killed anybody."""
        while not (self._calls and self.kill("ProcessorFunction")) and not self._over.wait(0.02):
            pass

    def _resume(self) -> None:
        """Resume what its target has paused."""
        while not self._over.wait(1.0):
            for integration in PLACES:
                with suppress(AwsError):
                    self._resume_if_paused(integration)

    def _resume_if_paused(self, integration: str) -> None:
        pause = self._pauses.now(integration)
        if pause.since is None or time.time() < pause.since + 2:
            return
        # Who still believes in the pause parks what is released: the next minute comes once all know better.
        self._quiet_until = time.time() + _KNOWN_AFTER
        self.pauses.setdefault(integration, []).append((pause.since, time.time()))
        self._pauses.resume(integration, by="the storm", rate=200.0)
