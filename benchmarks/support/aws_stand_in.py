"""An AWS that says yes at once: so that a benchmark measures functions and not an emulator.

Run as a program it prints its port, answers the few operations that functions call, and stops when its
standard input is closed. ``GET /calls`` tells what it was asked: ``{"SendMessageBatch": 12}``. The argument
is the value of every secret.
"""

import asyncio
import json
import sys
import time
from collections import Counter
from typing import ClassVar


class StandIn(asyncio.Protocol):
    """HTTP/1.1 with Content-Length and keep-alive, as far as AWS's clients speak it."""

    calls: ClassVar[Counter[str]] = Counter()
    secret = ""

    def connection_made(self, transport):
        self.transport = transport
        self.received = b""

    def data_received(self, data):
        self.received += data
        while (end := self.received.find(b"\r\n\r\n")) >= 0:
            head = self.received[:end].decode("latin-1").split("\r\n")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:])}
            size = end + 4 + int(headers.get("content-length", 0))
            if len(self.received) < size:
                return
            body, self.received = self.received[end + 4 : size], self.received[size:]
            self.answer(headers, body)

    def answer(self, headers, body):
        operation = headers.get("x-amz-target", "").rpartition(".")[2]
        content = json.dumps(self.result(operation, body)).encode()
        kind = headers.get("content-type", "application/json")
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(content)}\r\n\r\n"
        self.transport.write(head.encode() + content)

    def result(self, operation, body):
        if not operation:
            return self.calls
        self.calls[operation] += 1
        return getattr(self, f"on_{operation}", lambda _: {})(json.loads(body or b"{}"))

    def on_SendMessage(self, _):  # noqa: N802 - AWS's name
        return {"MessageId": "1"}

    def on_SendMessageBatch(self, request):  # noqa: N802
        return {"Successful": [{"Id": each["Id"], "MessageId": "1"} for each in request["Entries"]]}

    def on_PutEvents(self, request):  # noqa: N802
        return {"FailedEntryCount": 0, "Entries": [{"EventId": "1"} for _ in request["Entries"]]}

    def on_GetSecretValue(self, request):  # noqa: N802
        return {"Name": request["SecretId"], "SecretString": self.secret, "CreatedDate": time.time()}

    def on_GetParameters(self, request):  # noqa: N802
        common = {"Value": self.secret, "Version": 1, "LastModifiedDate": time.time()}
        return {"Parameters": [{"Name": name, **common} for name in request["Names"]]}

    def on_Query(self, _):  # noqa: N802
        return {"Items": [], "Count": 0}


async def serve():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(StandIn, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    StandIn.secret = sys.argv[1]
    asyncio.run(serve())
