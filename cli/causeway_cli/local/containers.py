"""Opens the running local cloud to functions in containers: `sam local` against `causeway dev`.

The local cloud listens on loopback, which a container cannot reach. On Linux this relays connections from
Docker's bridge, and only from there, until it is ended; on other systems Docker itself does. The functions'
settings are written to a file for `sam local ... --env-vars`. It is run by `make sam-local`.
"""

from __future__ import annotations

import asyncio
import json
import platform
import signal
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from causeway_cli.account import local_clients
from causeway_cli.errors import CommandError
from causeway_cli.local import running
from causeway_cli.local.paths import state
from causeway_cli.local.stack import Stack

if TYPE_CHECKING:
    from pathlib import Path

PLAN = "/opt/plan"
"""Where a container has the layer of the plan; the local cloud has it elsewhere."""

_BRIDGE = ("docker", "network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}")


def host_address() -> str:
    """How containers call this machine.

    Raises:
        CommandError: there is no Docker.
    """
    if platform.system() != "Linux":
        return "host.docker.internal"
    try:
        found = subprocess.run(_BRIDGE, check=True, capture_output=True, text=True, timeout=10)  # noqa: S603
    except (OSError, subprocess.SubprocessError) as error:
        raise CommandError("Docker does not answer, and `sam local` needs it") from error
    return found.stdout.strip()


def settings(local: running.Running, endpoint: str) -> dict[str, dict[str, str]]:
    """The environment variables of each function of the stack, by its name in the template."""
    clients = local_clients(local.endpoint)
    functions = Stack(clients, local.stack).functions()
    return {
        name: {
            **clients("lambda").get_function_configuration(FunctionName=physical)["Environment"]["Variables"],
            "CAUSEWAY_PLAN": PLAN,
            "AWS_ENDPOINT_URL": endpoint,
        }
        for name, physical in functions.items()
    }


async def relay(host: str, port: int) -> None:
    """Pass on what arrives at this address and port to the same port of loopback, until cancelled."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            upstream_reader, upstream_writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            writer.close()
            return
        await asyncio.gather(_pump(reader, upstream_writer), _pump(upstream_reader, writer))

    server = await asyncio.start_server(connected, host, port)
    async with server:
        await server.serve_forever()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


def _write(path: Path, values: dict[str, dict[str, str]]) -> None:
    path.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")


async def _serve(host: str, port: int) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    relaying = asyncio.create_task(relay(host, port)) if host[0].isdigit() else None
    await ended.wait()
    if relaying:
        relaying.cancel()
        with suppress(asyncio.CancelledError):
            await relaying


def main() -> None:
    """Write the settings, and relay until told to end."""
    try:
        local = running.find()
        port = urlsplit(local.endpoint).port or 80
        host = host_address()
        path = state() / "sam-env.json"
        _write(path, settings(local, f"http://{host}:{port}"))
    except CommandError as error:
        sys.exit(f"causeway: {error}")
    print("ready. In another terminal, after `sam build` for this machine's architecture:")
    print(
        f"  sam local invoke WebhookFunction --event events/webhook/CASE.json --env-vars {path}", flush=True
    )
    asyncio.run(_serve(host, port))


if __name__ == "__main__":
    main()
