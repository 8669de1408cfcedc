"""What a drill breaks: its provider, its target, its authorization server, and its part of the stack."""

from __future__ import annotations

import base64
import json
import random
import threading
import time
from collections import defaultdict
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

import standardwebhooks
import urllib3

from causeway_cli.local.stack import Stack
from tests.support.target import Reply, Target

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.chaos.drills.expected import Drill
    from tests.support.local_cloud import LocalCloud
    from tests.support.target import Received

TAKES, POLLED, GRANTS = "/take", "/records", "/token"
"""What a drill's target serves: deliveries, a poll, and tokens."""

RETURNED_AFTER = 60
"""Seconds after which a message comes back whose function crashed, instead of the template's six minutes."""


def secret(text: str) -> str:
    """A secret of Standard Webhooks."""
    return "whsec_" + base64.b64encode(text.encode().ljust(32, b".")).decode()


class Provider:
    """Sends an event now and then, signed, until it is stopped; one that is not taken is sent again.

    Args:
        system: As which system.
        every: Seconds from one event to the next, on average.
        seed: Decides the moments.
    """

    def __init__(self, system: str, every: float, seed: int) -> None:
        self._system = system
        self._every = every
        self._dice = random.Random(f"{seed}/{system}")
        self._over = threading.Event()
        self._thread: threading.Thread | None = None
        self._number = 0
        self.secret = secret(system)
        self.sending = True
        self.accepted: dict[str, float] = {}
        self.answers: list[tuple[float, int]] = []  # when, and the status; 0: none came

    def start(self, cloud: LocalCloud) -> None:
        """Begin to send there."""
        self._cloud = cloud
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End it."""
        self._over.set()
        if self._thread:
            self._thread.join(60)

    def _run(self) -> None:
        while not self._over.wait(self._dice.uniform(0.5, 1.5) * self._every):
            if self.sending:
                self._send(f"evt_{self._number:05d}")

    def _send(self, event: str) -> None:
        now = datetime.now(UTC)
        body = json.dumps({"type": "drill.event", "number": self._number})
        headers = {
            "Content-Type": "application/json",
            "webhook-id": event,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": standardwebhooks.Webhook(self.secret).sign(event, now, body),
        }
        try:
            status = self._cloud.post(self._system, body.encode(), headers).status
        except urllib3.exceptions.HTTPError:
            status = 0
        self.answers.append((time.time(), status))
        if status == 200:
            self.accepted[event] = time.time()
            self._number += 1


class Deployed:
    """The stack that runs, by the names of the template."""

    def __init__(self, cloud: LocalCloud) -> None:
        self.cloud = cloud
        self._named: defaultdict[str, dict[str, str]] = defaultdict(dict)
        for name, (type_, physical) in Stack(cloud.clients, cloud.running["stack"]).resources().items():
            self._named[type_][name] = physical
        url = cloud.outputs["DeliveriesUrl"]
        attributes = {"VisibilityTimeout": str(RETURNED_AFTER)}
        cloud.clients("sqs").set_queue_attributes(QueueUrl=url, Attributes=attributes)

    @property
    def functions(self) -> Mapping[str, str]:
        """Functions."""
        return self._named["AWS::Lambda::Function"]

    @property
    def queues(self) -> Mapping[str, str]:
        """URLs of queues."""
        return self._named["AWS::SQS::Queue"]

    def log_of(self, function: str) -> str:
        """A function's log group."""
        found: str = self.cloud.clients("lambda").get_function_configuration(
            FunctionName=self.functions[function]
        )["LoggingConfig"]["LogGroup"]
        return found

    def handler(self, function: str, name: str) -> None:
        """Have a function begin at another place of its module, as a deployment does."""
        functions = self.cloud.clients("lambda")
        functions.update_function_configuration(FunctionName=self.functions[function], Handler=name)

    def read(self, queue: str, *, enabled: bool) -> None:
        """Let a queue be read, or not."""
        functions = self.cloud.clients("lambda")
        arn = self.cloud.clients("sqs").get_queue_attributes(
            QueueUrl=self.queues[queue], AttributeNames=["QueueArn"]
        )["Attributes"]["QueueArn"]
        (mapping,) = functions.list_event_source_mappings(EventSourceArn=arn)["EventSourceMappings"]
        functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=enabled)

    def schedule(self, function: str, *, enabled: bool) -> None:
        """Let a function's minutes come, or not."""
        scheduler = self.cloud.clients("scheduler")
        (name,) = [
            each["Name"]
            for each in scheduler.list_schedules()["Schedules"]
            if f"-{function}Minute-" in each["Name"]
        ]
        found = scheduler.get_schedule(Name=name)
        kept = {"Name", "ScheduleExpression", "FlexibleTimeWindow", "Target", "Description"}
        state = "ENABLED" if enabled else "DISABLED"
        scheduler.update_schedule(**{key: found[key] for key in kept}, State=state)


class Stand:
    """One drill's world; a context manager.

    Args:
        drill: Which.
        seed: Decides when its provider sends.
    """

    deployed: Deployed
    """Once there is a cloud."""

    def __init__(self, drill: Drill, seed: int) -> None:
        self.drill = drill
        self.provider = Provider(drill.sender, drill.sends_every, seed)
        self.target = Target()
        self.consent_ends = time.time() + 365 * 86400.0
        self._polled = 0
        self._cleanup = ExitStack()

    def __enter__(self) -> Self:
        self.serve()
        self._cleanup.callback(self._stop_serving)
        self._cleanup.callback(self.provider.stop)
        return self

    def __exit__(self, *_: object) -> None:
        self._cleanup.close()

    def serve(self) -> None:
        """Begin to answer: on the same port where there was a target before."""
        self.target.on(TAKES, Reply())
        self.target.on(POLLED, self.records)
        self.target.on(GRANTS, self._token)
        self.target.__enter__()

    def _stop_serving(self) -> None:
        self.target.stop()

    def come_back(self) -> None:
        """The target is there again, after it was stopped."""
        before = self.target
        self.target = Target(port=before.port)
        self.target.requests = before.requests
        self.serve()

    @property
    def accepted(self) -> list[str]:
        """The events that were answered 200, or the records that were handed out to a poll."""
        if self.drill.source is not None:
            return [_record(number) for number in range(1, self._polled + 1)]
        return sorted(self.provider.accepted)

    @property
    def secrets(self) -> dict[str, str]:
        """The values of the secrets that its systems name."""
        if self.drill.source is not None:
            return {}
        return {f"{self.drill.sender}/webhook": self.provider.secret, "drill/refresh": "refresh-1"}

    def write_map(self, directory: Path) -> None:
        """Its systems and its integration; JSON is YAML."""
        drill = self.drill
        api = {"base_url": self.target.url, "allow_private": ["127.0.0.0/8"], "timeout": "1s"}
        webhooks = {"scheme": "standard-webhooks", "secrets": [f"{drill.sender}/webhook"]}
        source = {"api": api, **drill.source} if drill.source else {"webhooks": webhooks}
        takes = {"poll": "records"} if drill.source else {"events": ["*"]}
        manifests: dict[str, dict[str, Any]] = {
            f"systems/{drill.sender}": {"system": drill.sender, **source},
            f"systems/{drill.receiver}": {
                "system": drill.receiver,
                "api": {**api, **_with_url(drill.target or {}, self.target.url)},
            },
            drill.name: {
                "integration": drill.name,
                "description": drill.what,
                "owner": {"team": "drills", "email": drill.owner},
                "source": {"system": drill.sender, **takes},
                "flow": {},
                "target": {"system": drill.receiver, "post": TAKES},
                "frequency": {"expect_every": "never"},
                "errors": {"retry": {"first": "5s", "factor": 2, "max": "30s"}},
                **(drill.integration or {}),
            },
        }
        for name, manifest in manifests.items():
            (directory / f"{name}.yaml").write_text(json.dumps(manifest, indent=1))

    def records(self, _: Received) -> Reply:
        """A page of the poll: one record, that is new."""
        self._polled += 1
        return Reply(body={"records": [{"id": _record(self._polled)}]})

    def _token(self, _: Received) -> Reply:
        left = int(self.consent_ends - time.time())
        if left <= 0:
            return Reply(400, {"error": "invalid_grant"})
        granted = {"access_token": f"access-{time.time()}", "token_type": "Bearer", "expires_in": 30}
        return Reply(body=granted | {"refresh_token": "refresh-2", "refresh_token_expires_in": left})


def _record(number: int) -> str:
    return f"rec_{number:05d}"


def _with_url(keys: Mapping[str, Any], url: str) -> dict[str, Any]:
    """Keys in which the target's own address stands for ``{url}``."""
    found: dict[str, Any] = json.loads(json.dumps(keys).replace("{url}", url))
    return found
