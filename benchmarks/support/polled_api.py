"""An API with a list in pages, which a cursor in the answer leads through: `GET /items?limit=N&after=CURSOR`.

    python polled_api.py RECORDS

It prints its port, and stops when its standard input is closed. Each record is about 300 bytes of JSON. The
page after the one that was asked for is made while the caller works on this one, so what is measured is the
caller.
"""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit

_RECORD = (
    '{"id":%d,"updated_at":"%s","name":"Customer %d","email":"customer-%d@example.com","status":"active",'
    '"total":"%d.50","currency":"EUR","tags":["a","b"],"address":{"street":"1 Example Street","city":'
    '"Berlin","country":"DE"},"note":"%s"}'
)


class Api(asyncio.Protocol):
    """HTTP/1.1 with Content-Length and keep-alive, one request after the other."""

    records = 0

    def __init__(self) -> None:
        self.buffer = b""
        self.made: tuple[tuple[int, int], bytes] = (0, 0), b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            query = parse_qs(urlsplit(self.buffer.split(b" ", 2)[1].decode()).query)
            self.buffer = self.buffer[end + 4 :]
            after, limit = int(query.get("after", ["0"])[0]), int(query.get("limit", ["100"])[0])
            body = self.made[1] if self.made[0] == (after, limit) else self.page(after, limit)
            head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            self.transport.write(head.encode() + body)
            asyncio.get_running_loop().call_soon(self.make, after + limit, limit)

    def make(self, after: int, limit: int) -> None:
        if after < self.records:
            self.made = (after, limit), self.page(after, limit)

    def page(self, after: int, limit: int) -> bytes:
        last = min(after + limit, self.records)
        items = ",".join(self.record(number) for number in range(after + 1, last + 1))
        following = f'"{last}"' if last < self.records else "null"
        return f'{{"items":[{items}],"next":{following}}}'.encode()

    @staticmethod
    def record(number: int) -> str:
        minutes, seconds = divmod(number, 60)
        hours, minutes = divmod(minutes, 60)
        days, hours = divmod(hours, 24)
        months, days = divmod(days, 28)
        at = f"2024-{months + 1:02}-{days + 1:02}T{hours:02}:{minutes:02}:{seconds:02}Z"
        return _RECORD % (number, at, number, number, number, "x" * 30)


@contextmanager
def running(records: int) -> Iterator[str]:
    """Such an API in a process of its own; its URL."""
    program = [sys.executable, __file__, str(records)]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        process.stdin.close()


async def serve() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Api, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    Api.records = int(sys.argv[1])
    asyncio.run(serve())
