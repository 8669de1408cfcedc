"""The local cloud, opened to containers."""

from __future__ import annotations

import asyncio
import platform
from contextlib import suppress

import pytest

from causeway_cli.local import containers

ELSEWHERE = "127.0.0.2"
"""An address of this machine other than the one that the local cloud listens on."""

pytestmark = pytest.mark.skipif(platform.system() != "Linux", reason="relays on Linux only")


async def ask(host: str, port: int, question: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(question)
    writer.write_eof()
    answer = await reader.read()
    writer.close()
    return answer


async def through_relay(serve, question: bytes) -> bytes:
    """Ask a server on loopback by the address that the relay listens on."""
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    relaying = asyncio.create_task(containers.relay(ELSEWHERE, port))
    try:
        for _ in range(100):
            with suppress(ConnectionRefusedError):
                return await ask(ELSEWHERE, port, question)
            await asyncio.sleep(0.01)
        raise AssertionError("the relay does not listen")
    finally:
        relaying.cancel()
        with suppress(asyncio.CancelledError):
            await relaying
        server.close()
        await server.wait_closed()


def test_what_is_sent_and_what_is_answered_pass_unchanged():
    """However long, and with both ends closed as they were: an answer may end with the connection."""

    async def echo(reader, writer):
        writer.write((await reader.read())[::-1])
        writer.close()

    question = bytes(range(256)) * 4096
    assert asyncio.run(through_relay(echo, question)) == question[::-1]


def test_a_local_cloud_that_has_gone_closes_the_connection():
    async def scenario():
        server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        server.close()
        await server.wait_closed()
        relaying = asyncio.create_task(containers.relay(ELSEWHERE, port))
        await asyncio.sleep(0.05)
        try:
            return await ask(ELSEWHERE, port, b"")
        finally:
            relaying.cancel()

    assert asyncio.run(scenario()) == b""


def test_without_docker_it_says_what_is_missing(monkeypatch):
    monkeypatch.setattr(containers, "_BRIDGE", b"no-such-bridge")
    with pytest.raises(containers.CommandError, match="Docker"):
        containers.host_address()
