"""The smallest map: what one system says by Standard Webhooks goes to another one."""

from pathlib import Path

SENDER = """\
system: sender
webhooks:
  scheme: standard-webhooks
  secrets: [sender/webhook]
"""

RECEIVER = """\
system: receiver
api:
  base_url: {url}
  auth: {{type: bearer, token: receiver/token}}
  allow_private: [127.0.0.0/8]
"""

INTEGRATION = """\
integration: benchmark
description: What is sent is received.
owner: {team: benchmarks, email: benchmarks@example.com}
source: {system: sender, events: ["*"]}
flow: {}
target: {system: receiver, post: /events}
frequency: {expect_every: never}
errors: {}
"""


def write(folder: Path, target: str) -> Path:
    """Write the map whose target is at this URL; its folder."""
    (folder / "systems").mkdir(parents=True)
    (folder / "environments").mkdir()
    (folder / "environments/dev.yaml").write_text("{}\n")
    (folder / "systems/sender.yaml").write_text(SENDER)
    (folder / "systems/receiver.yaml").write_text(RECEIVER.format(url=target))
    (folder / "benchmark.yaml").write_text(INTEGRATION)
    return folder
