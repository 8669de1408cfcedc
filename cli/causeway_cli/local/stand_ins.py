"""Stand-ins for the systems that the example map calls: what `causeway dev --demo` delivers to.

They answer as the real ones do where the example map looks: the ledger finds accounts and takes entries, the
chat is Slack's ``chat.postMessage``, which says no with 200 and ``ok: false``. Each takes a call with a known
Idempotency-Key once. The ledger is busy when the first entry comes, so that a retry is seen.
"""

from __future__ import annotations

import itertools
import json
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from causeway_cli.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Callable

PORT = 8901
"""Where the example map's dev environment expects them."""


@dataclass(frozen=True)
class Asked:
    """One call to a stand-in."""

    system: str
    method: str
    path: str  # behind the system's name
    query: dict[str, list[str]]
    body: Any  # of JSON, else text
    key: str | None  # Idempotency-Key
    attempt: str | None


@dataclass(frozen=True)
class Answered:
    """What a stand-in answers."""

    status: int
    body: Any
    note: str  # what is shown of it


class StandIns:
    """The systems, each below a path of its own.

    Args:
        on_call: Is told of every call and its answer.
    """

    def __init__(self, on_call: Callable[[Asked, Answered], None]) -> None:
        self._on_call = on_call
        self._systems = {"ledger": self._ledger, "chat": self._chat}
        self._known: dict[tuple[str, str], Answered] = {}
        self._ledger_is_busy = True
        self._entries = itertools.count(1)
        self._lock = threading.Lock()

    def answer(self, asked: Asked) -> Answered:
        """Answer one call."""
        system = self._systems.get(asked.system)
        if system is None:
            return Answered(404, {"error": "no such system"}, "no such system")
        with self._lock:
            known = self._known.get((asked.system, asked.key)) if asked.key else None
            answered = known or system(asked)
            if asked.key and answered.status < 300 and answered.body.get("ok", True):  # noqa: PLR2004
                self._known[asked.system, asked.key] = answered
        self._on_call(asked, answered)
        return answered

    def _ledger(self, asked: Asked) -> Answered:
        if asked.method == "GET" and asked.path.startswith("/accounts"):
            email = asked.query.get("email", [""])[0]
            account = f"acc-{sum(email.encode()) % 1000:03d}"
            return Answered(200, {"id": account, "email": email}, f"account {account}")
        if asked.method == "POST" and asked.path.startswith("/entries"):
            if self._ledger_is_busy:
                self._ledger_is_busy = False
                return Answered(503, {"error": "closing the books, come back"}, "503, busy")
            entry = f"entry-{next(self._entries)}"
            return Answered(201, {"id": entry}, f"{entry} {_short(asked.body)}")
        return Answered(404, {"error": "not found"}, "404")

    def _chat(self, asked: Asked) -> Answered:
        body = asked.body if isinstance(asked.body, dict) else {}
        if not asked.path.endswith("/chat.postMessage"):
            return Answered(200, {"ok": False, "error": "unknown_method"}, "refused: unknown_method")
        if not body.get("channel"):
            return Answered(200, {"ok": False, "error": "channel_not_found"}, "refused: channel_not_found")
        if not (body.get("text") or body.get("blocks")):
            return Answered(200, {"ok": False, "error": "no_text"}, "refused: no_text")
        stamp = f"{time.time():.6f}"
        return Answered(200, {"ok": True, "channel": body["channel"], "ts": stamp}, _short(body.get("text")))


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    most = 60
    return text if len(text) <= most else f"{text[: most - 1]}…"


def serve(stand_ins: StandIns, port: int = PORT) -> ThreadingHTTPServer:
    """Serve them on a loopback port, in threads of this process, until the server is shut down.

    Raises:
        CommandError: Something else listens there.
    """
    try:
        server = ThreadingHTTPServer(("127.0.0.1", port), _handler(stand_ins))
    except OSError as error:
        raise CommandError(
            f"the stand-ins need port {port}, which is in use: end what listens there"
        ) from error
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True, name="stand-ins").start()
    return server


def _handler(stand_ins: StandIns) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            url = urlsplit(self.path)
            _, system, *rest = url.path.split("/")
            answered = stand_ins.answer(
                Asked(
                    system=system,
                    method=self.command,
                    path="/" + "/".join(rest),
                    query=parse_qs(url.query),
                    body=_parsed(raw),
                    key=self.headers.get("Idempotency-Key"),
                    attempt=self.headers.get("Causeway-Attempt"),
                )
            )
            content = json.dumps(answered.body).encode()
            self.send_response(answered.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer  # noqa: N815 - the base class's names

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
            """Nothing: calls are told to `on_call`."""

    return Handler


def _parsed(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        return raw.decode("utf-8", "replace")
