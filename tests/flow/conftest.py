"""One local cloud for all flow tests, on a map of their own, and the target that it delivers to."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from causeway_cli.local.server import free_port
from tests.flow.providers import SECRETS
from tests.support.local_cloud import LocalCloud
from tests.support.target import Reply, Target

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SENDING = """\
system: {name}
description: Sends events.
webhooks: {{scheme: {scheme}, secrets: [{name}/webhook]}}
"""

FIRST_ASKED = """\
system: {name}
description: Asks before it sends events.
webhooks: {{scheme: {scheme}, secrets: [{name}/webhook]{more}}}
"""

CALLED = """\
system: {name}
description: Takes events. Tests share it, so what it refuses in one of them opens no circuit for the others.
api:
  base_url: "http://127.0.0.1:{port}"
  allow_private: [127.0.0.0/8]
  timeout: 5s
  circuit_breaker: {{failures: 100%, of_at_least: 1000}}
"""

INTEGRATION = """\
integration: {name}
description: For the flow tests.
owner: {{team: flow, email: flow@example.com}}
source: {{system: {source}, events: [{events}]}}
flow: {{}}
target: {{system: {target}, post: "/{path}", body: {{id: "${{id}}", type: "${{type}}", data: "${{data}}"}}}}
frequency: {{expect_every: never}}
errors: {{retry: {{first: 1s, factor: 1, max: 1s}}, attempts: {attempts}}}
"""


ORDERED = """\
integration: standard-in-order
owner: {team: flow, email: flow@example.com}
source: {system: standard, events: ["step.*"]}
flow: {order_by: data.key}
target: {system: target, post: "/${data.scenario}", body: "${data}"}
frequency: {expect_every: never}
errors: {retry: {first: 1s, factor: 1, max: 1s}}
"""

TO_AWS = """\
integration: standard-to-{kind}
owner: {{team: flow, email: flow@example.com}}
source: {{system: standard, events: ["to-{kind}"]}}
flow: {{}}
target: {words}
frequency: {{expect_every: never}}
errors: {{retry: {{first: 1s, factor: 1, max: 1s}}, attempts: 3}}
"""

ASKED = """\
integration: {name}
owner: {{team: flow, email: flow@example.com}}
source: {{request: {{wait: 5s, otherwise: {otherwise}}}}}
flow: {{}}
target: {words}
frequency: {{expect_every: never}}
errors: {{retry: {{first: 1s, factor: 1, max: 1s}}}}
"""

ASKED_FOR = {
    "ask-target": ("queue", '{system: target, post: "/${data.scenario}"}'),
    "ask-or-refuse": ("refuse", '{system: target, post: "/${data.scenario}"}'),
    "ask-nobody": ("queue", "{reply: {status: 203, body: {twice: ['${data.a}', '${data.a}']}}}"),
}
"""What clients ask."""

FROM_BUS = """\
integration: bus-to-target
owner: {team: flow, email: flow@example.com}
source: {bus: {source: [com.example.flow], detail-type: [order.placed]}}
flow:
  steps: [{name: charge, system: target, post: "/${data.scenario}/charges"}]
target: {system: target, post: "/${data.scenario}", body: {charge: "${steps.charge.body.id}"}}
frequency: {expect_every: never}
errors: {attempts: 1}
"""

UNDOING = """\
integration: undo
owner: {team: flow, email: flow@example.com}
source: {bus: {detail-type: [causeway.delivery.dead], detail: {integration: [bus-to-target], steps: [charge]}}}
flow: {}
target:
  system: target
  post: "/${data.answers.charge.body.scenario}/undone"
  body: {charge: "${data.answers.charge.body.id}"}
frequency: {expect_every: never}
errors: {attempts: 1}
"""

STREAMED = """\
integration: standard-streamed
owner: {team: flow, email: flow@example.com}
source: {system: standard, events: [streamed]}
flow: {buffer: stream}
target: {system: target, post: "/${data.scenario}", body: "${data}"}
frequency: {expect_every: never}
errors: {retry: {first: 1s, factor: 1, max: 1s}, attempts: 3}
"""

POLLED = """\
system: polled
description: Is asked for what is new.
api: {{base_url: "http://127.0.0.1:{port}", allow_private: [127.0.0.0/8], timeout: 5s}}
polls:
  orders:
    every: 1d
    get: /polled/orders
    records: body.orders
    id: id
    version: version
    cursor: {{field: updated_at, param: since, start: "2023-01-01T00:00:00Z"}}
    paginate: link
"""

OF_A_POLL = """\
integration: polled-to-target
owner: {team: flow, email: flow@example.com}
source: {system: polled, poll: orders}
flow: {}
target: {system: target, post: "/polled/arrived", body: {id: "${id}", data: "${data}"}}
frequency: {expect_every: never}
errors: {retry: {first: 1s, factor: 1, max: 1s}, attempts: 3}
"""

TARGETS = {
    "queue": "{queue: flow-jobs}",
    "bus": "{bus: flow-bus}",
    "bucket": "{bucket: flow-lake, key: 'of/${type}/${id}.ndjson.gz', content: ndjson}",
}
"""Targets that are no system, each with an integration of its own."""


def write_map(directory: Path, *, target: int, sometimes: int) -> None:
    """A map of three providers; what an event's `scenario` says is the path that it is delivered to."""
    (directory / "systems").mkdir(parents=True)
    (directory / "environments").mkdir()
    (directory / "environments" / "dev.yaml").write_text("{}\n")
    for name, scheme in (("payments", "stripe"), ("github", "github"), ("standard", "standard-webhooks")):
        text = SENDING.format(name=name, scheme=scheme)
        (directory / "systems" / f"{name}.yaml").write_text(text)
    for name, scheme, more in (
        ("files", "dropbox", ", keep_rejected: 1h, canary: true"),
        ("boards", "trello", ""),
        ("tasks", "asana", ""),
    ):
        text = FIRST_ASKED.format(name=name, scheme=scheme, more=more)
        (directory / "systems" / f"{name}.yaml").write_text(text)
    for name, port in (("target", target), ("sometimes", sometimes)):
        (directory / "systems" / f"{name}.yaml").write_text(CALLED.format(name=name, port=port))
    (directory / "systems" / "polled.yaml").write_text(POLLED.format(port=target))
    (directory / "polled-to-target.yaml").write_text(OF_A_POLL)
    own = "${data.scenario}"
    integrations = [
        ("payments-to-target", "payments", '"*"', "target", "${data.data.object.scenario}", "unlimited"),
        ("pulls-to-target", "github", "pull_request", "target", own, "unlimited"),
        ("standard-to-target", "standard", '"order.*"', "target", own, "unlimited"),
        ("standard-to-dead", "standard", '"dead.*"', "target", own, "2"),
        ("standard-to-sometimes", "standard", '"sometimes.*"', "sometimes", own, "unlimited"),
    ]
    for name, source, events, system, path, attempts in integrations:
        text = INTEGRATION.format(
            name=name, source=source, events=events, target=system, path=path, attempts=attempts
        )
        (directory / f"{name}.yaml").write_text(text)

    for name, text in (("bus-to-target", FROM_BUS), ("undo", UNDOING), ("standard-streamed", STREAMED)):
        (directory / f"{name}.yaml").write_text(text)
    for name, (otherwise, words) in ASKED_FOR.items():
        text = ASKED.format(name=name, otherwise=otherwise, words=words)
        (directory / f"{name}.yaml").write_text(text)
    (directory / "standard-in-order.yaml").write_text(ORDERED)
    for kind, words in TARGETS.items():
        text = TO_AWS.format(kind=kind, words=words)
        (directory / f"standard-to-{kind}.yaml").write_text(text)


@pytest.fixture(scope="session")
def target() -> Iterator[Target]:
    with Target() as running:
        # The poll's first run may come with a minute that is over before its test begins.
        running.on("/polled/orders", Reply(body={"orders": []}))
        yield running


@pytest.fixture(scope="session")
def sometimes() -> int:
    """The port of a target that a test starts when it is due."""
    return free_port()


@pytest.fixture(scope="session")
def flow_map(tmp_path_factory: pytest.TempPathFactory, target: Target, sometimes: int) -> Path:
    directory = tmp_path_factory.mktemp("flow") / "integrations"
    write_map(directory, target=target.port, sometimes=sometimes)
    return directory


@pytest.fixture(scope="session")
def cloud(flow_map: Path) -> Iterator[LocalCloud]:
    home = flow_map.parent
    secrets = home / "secrets.yaml"
    secrets.write_text("".join(f"{name}: {value}\n" for name, value in SECRETS.items()))
    with LocalCloud(home, "--integrations", str(flow_map), "--secrets", str(secrets)) as running:
        yield running


@pytest.fixture
def scenario(request: pytest.FixtureRequest) -> str:
    """A name of its own for each test: the path on the target to which its events are delivered."""
    return f"{request.node.name.replace('[', '-').replace(']', '')}-{int(time.time() * 1000)}"
