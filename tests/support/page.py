"""A stack to look at: the console's own function behind a gateway of a few lines, over deliveries in memory."""

from __future__ import annotations

import re
import threading
from contextlib import contextmanager
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

import functions.console.app as console
from causeway.limiting.health import Healths
from causeway.plan.plan import Plan
from tests.support.console import CONTEXT, authorizer, event_of, stack_of
from tests.support.deliveries import NOW, Stage, call_of, plan_of
from tests.support.watching import CHECKS_OF_A_STAGE, Watched

KEY = "causeway_test_key"
SOURCES = ("shop", "payments", "github")
INTEGRATIONS = (
    (
        "orders-to-ledger",
        "shop",
        "ledger",
        "finance-platform",
        "Every paid order becomes an entry in the ledger.",
    ),
    ("orders-to-warehouse", "shop", "warehouse", "fulfilment", "Paid orders are picked."),
    ("refunds-to-ledger", "shop", "ledger", "finance-platform", "Refunds are booked."),
    ("charges-to-ledger", "payments", "ledger", "finance-platform", "Charges are booked."),
    ("disputes-to-desk", "payments", "desk", "customer-care", "A dispute opens a ticket."),
    (
        "pull-requests-to-chat",
        "github",
        "chat",
        "developer-experience",
        "Pull requests are told in a channel.",
    ),
)

WATCHED_BEFORE = 7 * 3600.0
"""Seconds in which nothing came, before all that happens: whoever is quiet then, too, is silent."""


def plan():
    """Six integrations between three sources and four targets."""
    record = plan_of().record
    shop, ledger = record["systems"]["shop"], record["systems"]["ledger"]
    one = record["integrations"]["orders-to-ledger"]
    systems = {name: shop | {"name": name} for name in SOURCES}
    integrations = {}
    for name, source, target, team, description in INTEGRATIONS:
        systems[target] = ledger | {"name": target}
        integrations[name] = one | {
            "name": name,
            "description": description,
            "owner": {"team": team, "email": f"{team}@example.com", "runbook": f"https://example.com/{name}"},
            "source": {"system": source, "events": ["*"]},
            "target": {"call": call_of(f"/{name}", system=target)},
            "frequency": {"expect_every": 6 * 3600.0, "during": "always", "deliver_within": 900.0},
            "errors": one["errors"]
            | {"retry": {"first": 1e5, "factor": 1.0, "max": 1e5}, "keep_events": 86400.0},
        }
    return Plan(record | {"systems": systems, "integrations": integrations})


class Landscape:
    """What lies in the journal, after a time in which everything went well."""

    def __init__(self, *, quiet=(), minutes=90):
        self.stage = Stage(plan())
        self.stack = stack_of(self.stage)
        self.watched = Watched(self.stage, checks=CHECKS_OF_A_STAGE)
        self.state = self.watched.means.state
        self.stage.clock.set(NOW - WATCHED_BEFORE)
        self.watched.look()
        self.stage.clock.set(NOW)
        self._number = 0
        for minute in range(0, minutes, 2):
            for index, (name, source, *_) in enumerate(INTEGRATIONS):
                if name not in quiet and (minute * (index + 3)) % (7 + index * 2) < 3:
                    self.stage.target.seconds = 0.08 + 0.05 * index + 0.01 * (minute % 7)
                    self.come(name, source)
            self.stage.clock.advance(120 - (self.stage.clock.now() - NOW) % 120)
        self.watched.look()

    def come(self, name, source="shop", count=1, **more):
        """Events that come in, and what becomes of them."""
        found = []
        for _ in range(count):
            self._number += 1
            data = {"name": f"#{1000 + self._number}", "total": "12.50", "currency": "EUR"}
            found.append(
                self.stage.accept(
                    f"evt_{self._number}", integration=name, system=source, **{"data": data} | more
                )
            )
            self.stage.invoke()
        return found

    def later(self, seconds):
        """So much later, and the watchdog has looked."""
        self.stage.clock.advance(seconds)
        self.watched.look()

    def open_circuit(self, system):
        rule = {"failures": 0.5, "of_at_least": 1, "within": 300.0, "open_for": 30.0}
        calls = [(self.stage.clock.now(), True)]
        Healths(self.stack.pauses._table, self.stage.clock).count(system, rule, calls)


class Gateway:
    """The HTTP API: its routes, its authorizer, which knows one key, and its own answers."""

    def __init__(self, stack, clock):
        self.stack, self.clock = stack, clock
        self.keys = {KEY: authorizer()}
        self.broken = None  # a status, and a Retry-After: what it answers instead
        self.says = '{"message": "no"}'  # with that
        self.asked = []
        self.turn = threading.Lock()  # an instance has one request at a time

    def answer(self, method, target, headers, body):
        path, _, query = target.partition("?")
        self.asked.append((method, target, body))
        said = {}
        if path.startswith("/api/"):
            if self.broken:
                status, after = self.broken
                return (
                    status,
                    {"retry-after": str(after), "content-type": "application/json"},
                    self.says,
                )
            given = headers.get("authorization")
            if given is None:
                return 401, {"content-type": "application/json"}, '{"message": "Unauthorized"}'
            said = self.keys.get(given.removeprefix("Bearer "))
            if said is None:
                return 403, {"content-type": "application/json"}, '{"message": "Forbidden"}'
        event = event_of(method, path, query=query, body=body, said=said)
        if file := re.fullmatch("/console/([^/]+)/([^/]+)", path):
            event["pathParameters"] = {"version": unquote(file[1]), "file": unquote(file[2])}
        with self.turn:
            found = console.handler(event, CONTEXT)
        return (
            found["statusCode"],
            {**found["headers"], "date": formatdate(self.clock.now(), usegmt=True)},
            found["body"],
        )


@contextmanager
def serving(gateway, monkeypatch, **environ):
    """The gateway on a port of its own; gives its URL."""
    monkeypatch.setattr(console, "_stack", lambda: gateway.stack)
    monkeypatch.setenv("CAUSEWAY_ENVIRONMENT", "production")
    for name, value in environ.items():
        monkeypatch.setenv(name, value)

    def answer(handler):
        size = int(handler.headers.get("content-length") or 0)
        body = handler.rfile.read(size).decode() if size else None
        headers = {name.lower(): value for name, value in handler.headers.items()}
        return gateway.answer(handler.command, handler.path, headers, body)

    with listening(answer) as url:
        yield url


@contextmanager
def listening(answer):
    """An HTTP server whose answers a function gives: (status, headers, text) of a request's handler."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            status, headers, text = answer(self)
            data = text.encode()
            self.send_response_only(status)
            for name, value in {**headers, "content-length": len(data)}.items():
                self.send_header(name, str(value))
            self.end_headers()
            self.wfile.write(data)

        do_POST = do_DELETE = do_OPTIONS = do_GET  # noqa: N815 - http.server's names

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
