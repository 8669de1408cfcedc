"""`causeway dev --demo`: stand-ins for the example map's systems, and a signed sample of each provider."""

from __future__ import annotations

from typing import TYPE_CHECKING

import urllib3

from causeway_cli.local import stand_ins
from causeway_cli.local.signing import Provider
from causeway_cli.secret_names import SecretUse
from causeway_cli.stored_secrets import field_of

if TYPE_CHECKING:
    from http.server import ThreadingHTTPServer

    from causeway.plan.plan import Plan
    from causeway_cli.local.console import DevConsole
    from causeway_cli.local.stand_ins import Answered, Asked
    from causeway_cli.stored_secrets import StoredSecrets


def start_stand_ins(console: DevConsole) -> ThreadingHTTPServer:
    """Serve the stand-ins, and show what reaches them."""

    def show(asked: Asked, answered: Answered) -> None:
        attempt = f" (attempt {asked.attempt})" if asked.attempt else ""
        refused = answered.status >= 300 or answered.body.get("ok") is False  # noqa: PLR2004
        console.event(
            asked.system,
            "refuses" if refused else "got",
            f"{asked.method} {asked.path}  {answered.note}{attempt}",
            style="wait" if refused else "ok",
        )

    return stand_ins.serve(stand_ins.StandIns(show))


def send_samples(plan: Plan, secrets: StoredSecrets, url: str, console: DevConsole) -> None:
    """Post one signed event of every system that sends, as its provider would."""
    with urllib3.PoolManager(timeout=35.0) as pool:
        for name, system in plan.systems.items():
            if "webhooks" not in system or not plan.fed_by(name):
                continue
            written = system["webhooks"]["secrets"][0]
            value = secrets.get(SecretUse.of(written, "in"))
            if value is None:
                continue
            address = f"{url}/webhooks/{name}"
            provider = Provider(plan, name, secret=field_of(written, value), url=address)
            type_ = provider.default_type()
            event = provider.sample(type_)
            console.event(name, "sends", f"{type_}  {event.id}")
            pool.request("POST", event.at(address), body=event.body, headers=event.headers, retries=False)
