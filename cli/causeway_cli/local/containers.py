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
import socket
import struct
import sys
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from causeway_cli.account import LOCAL_KEY, LOCAL_REGION, local_clients
from causeway_cli.errors import CommandError
from causeway_cli.local import running
from causeway_cli.local.paths import state
from causeway_cli.local.stack import Stack

if TYPE_CHECKING:
    from pathlib import Path

PLAN = "/opt/plan"
"""Where a container has the layer of the plan; the local cloud has it elsewhere."""

_BRIDGE = b"docker0"
_SIOCGIFADDR = 0x8915  # https://man7.org/linux/man-pages/man7/netdevice.7.html


_READY = """\
ready. In another terminal, after `sam build` for this machine's architecture:
  export AWS_ACCESS_KEY_ID={key} AWS_SECRET_ACCESS_KEY={key} AWS_DEFAULT_REGION={region}
  sam local invoke WebhookFunction -e events/webhook/CASE.json --env-vars {path}"""


def host_address() -> str:
    """How containers call this machine.

    Raises:
        CommandError: there is no Docker.
    """
    if platform.system() != "Linux":
        return "host.docker.internal"
    import fcntl  # noqa: PLC0415 - only there where it is needed

    request = struct.pack("256s", _BRIDGE)
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            answer = fcntl.ioctl(probe.fileno(), _SIOCGIFADDR, request)
    except OSError as error:
        raise CommandError("Docker's bridge is not there, and `sam local` needs Docker") from error
    return socket.inet_ntoa(answer[20:24])


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
        with suppress(OSError, asyncio.CancelledError):  # the local cloud has gone, or the relay ends
            upstream_reader, upstream_writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                await asyncio.gather(_pump(reader, upstream_writer), _pump(upstream_reader, writer))
            finally:
                upstream_writer.close()
        writer.close()

    server = await asyncio.start_server(connected, host, port)
    async with server:
        await server.serve_forever()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.write_eof()  # the other direction may go on


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
    print(_READY.format(path=path, key=LOCAL_KEY, region=LOCAL_REGION), flush=True)
    asyncio.run(_serve(host, port))


if __name__ == "__main__":
    main()
