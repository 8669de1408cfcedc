"""A target that answers 200 after a while, and remembers what reached it and when.

    python target.py SECONDS

It prints its port, and stops when its standard input is closed. ``GET /received`` returns a list of
``{"event": ..., "key": ..., "at": ...}``: Causeway-Event-Id, Idempotency-Key, and epoch seconds.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar
from urllib.request import urlopen


class Answering(asyncio.Protocol):
    """HTTP/1.1 with Content-Length and keep-alive, one request after the other."""

    seconds: ClassVar[float] = 0
    received: ClassVar[list[dict[str, object]]] = []

    def connection_made(self, transport):
        self.transport = transport
        self.buffer = b""

    def data_received(self, data):
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            lines = self.buffer[:end].decode("latin-1").split("\r\n")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
            size = end + 4 + int(headers.get("content-length", 0))
            if len(self.buffer) < size:
                return
            self.buffer = self.buffer[size:]
            if lines[0].startswith("GET /received"):
                self.answer(json.dumps(self.received).encode())
                continue
            event, key = headers.get("causeway-event-id"), headers.get("idempotency-key")
            self.received.append({"event": event, "key": key, "at": time.time()})
            if self.seconds:
                asyncio.get_running_loop().call_later(self.seconds, self.answer, b'{"ok":true}')
            else:
                self.answer(b'{"ok":true}')

    def answer(self, body):
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        if not self.transport.is_closing():
            self.transport.write(head.encode() + body)


@contextmanager
def running(seconds: float) -> Iterator[str]:
    """Such a target in a process of its own; its URL."""
    program = [sys.executable, __file__, str(seconds)]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        process.stdin.close()


def received(url: str) -> list[dict[str, object]]:
    """What reached a target so far."""
    with urlopen(f"{url}/received") as answer:
        return json.load(answer)


async def serve():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Answering, "127.0.0.1", 0, backlog=256)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    Answering.seconds = float(sys.argv[1])
    asyncio.run(serve())
