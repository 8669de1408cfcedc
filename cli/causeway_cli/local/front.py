"""The door to the local cloud: an HTTP server that hands requests to the emulated API Gateway, byte for byte.

It has the limits of API Gateway and Lambda on sizes, holds requests while the stack is being redeployed, and
lets only a few through at once: each concurrent request needs a process of its own, which on a laptop costs
more than the wait.
"""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from hypercorn.asyncio import serve
from hypercorn.config import Config
from urllib3 import HTTPConnectionPool
from urllib3._collections import HTTPHeaderDict
from urllib3.exceptions import HTTPError

from causeway_cli.local.differences import AT_ONCE

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

LARGEST_REQUEST = 10 * 1024 * 1024
"""API Gateway's limit on a request's body, bytes."""

LARGEST_EVENT = 6 * 1024 * 1024
"""Lambda's limit on what a function is invoked with, bytes."""

ANSWER_WITHIN = 30.0
"""API Gateway's limit on an integration's answer, seconds."""

_HOP_BY_HOP = {
    b"connection",
    b"host",
    b"content-length",
    b"keep-alive",
    b"proxy-authorization",
    b"te",
    b"trailer",
    b"transfer-encoding",
    b"upgrade",
}
_TEXT_TYPES = ("application/json", "application/xml", "application/javascript")

_TOO_LARGE = (413, "Request Entity Too Large")
_UNAVAILABLE = (503, "Service Unavailable")


class Front:
    """Forwards HTTP requests to an API.

    Args:
        upstream: The API's base URL.
    """

    def __init__(self, upstream: str) -> None:
        url = urlsplit(upstream)
        self._path = url.path
        self._pool = HTTPConnectionPool(url.hostname or "", url.port, maxsize=AT_ONCE, timeout=ANSWER_WITHIN)
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._open = asyncio.Event()
        self._open.set()

    def hold(self) -> None:
        """Let requests wait, from now on."""
        self._open.clear()

    def release(self) -> None:
        """Let them through again."""
        self._open.set()

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Answer one request (ASGI)."""
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
        elif scope["type"] == "http":
            body = await _read(receive)
            if body is None or _event_size(body, scope["headers"]) > LARGEST_EVENT:
                status, headers, content = _own(*_TOO_LARGE)
            else:
                await self._open.wait()
                async with self._turns:
                    status, headers, content = await asyncio.to_thread(self._forward, scope, body)
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": content})

    def _forward(self, scope: dict[str, Any], body: bytes) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        headers = HTTPHeaderDict()
        for name, value in scope["headers"]:
            if name not in _HOP_BY_HOP:
                headers.add(name.decode("latin-1"), value.decode("latin-1"))
        headers["X-Forwarded-For"] = scope["client"][0]
        headers["X-Forwarded-Proto"] = scope["scheme"]
        path = self._path + scope["raw_path"].decode("latin-1").partition("?")[0]
        query = scope["query_string"].decode("latin-1")
        try:
            answer = self._pool.urlopen(
                scope["method"],
                f"{path}?{query}" if query else path,
                body=body,
                headers=headers,
                redirect=False,
                retries=False,
                decode_content=False,
            )
        except HTTPError:
            return _own(*_UNAVAILABLE)
        kept = [
            (name.lower().encode("latin-1"), value.encode("latin-1"))
            for name, value in answer.headers.items()
            if name.lower().encode("latin-1") not in _HOP_BY_HOP
        ]
        return answer.status, [*kept, (b"content-length", str(len(answer.data)).encode())], answer.data


def _own(status: int, message: str) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    return status, [(b"content-type", b"application/json")], json.dumps({"message": message}).encode()


async def _read(receive: Any) -> bytes | None:
    """The request's body; None when it is over API Gateway's limit."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        part = message.get("body", b"")
        size += len(part)
        if size <= LARGEST_REQUEST:
            parts.append(part)
        if not message.get("more_body"):
            return b"".join(parts) if size <= LARGEST_REQUEST else None


def _event_size(body: bytes, headers: list[tuple[bytes, bytes]]) -> int:
    """How large the function's event is, which holds the body as a JSON string."""
    type_ = dict(headers).get(b"content-type", b"").decode("latin-1").split(";")[0].strip().lower()
    if not body or len(body) * 6 < LARGEST_EVENT:
        return len(body)
    if type_.startswith("text/") or type_ in _TEXT_TYPES:
        return len(json.dumps(body.decode("utf-8", "replace"), ensure_ascii=False).encode())
    return len(b64encode(body))


async def _lifespan(receive: Any, send: Any) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def serve_on(port: int, front: Front, until: Callable[[], Awaitable[Any]]) -> None:
    """Serve on a loopback port until `until` returns."""
    config = Config()
    config.bind = [f"127.0.0.1:{port}"]
    config.accesslog = None
    config.include_date_header = False  # the API's are passed on
    config.include_server_header = False
    config.errorlog = None
    config.graceful_timeout = 1
    config.keep_alive_timeout = 75
    config.max_app_queue_size = 100
    await serve(front, config, shutdown_trigger=until)  # type: ignore[arg-type]
