"""A coverage-guided fuzz run of verification, for as long as one likes.

    .venv/bin/python -m tests.fuzz.webhooks [--seconds N] [--requests N] [--seed N] [--only NAME]

It begins with a right delivery of every kind and changes it: headers, body, URL, method, secrets, clock. A request
that reaches a line of ``causeway.webhooks`` from a line that none came from before is kept, and changed further. Two
things must hold whatever comes: the answer is a proof or a rejection and never an exception, and what is accepted
was signed: its body is that of a right delivery wherever the body is signed.

What breaks a rule is written as a vector, and the run fails. With its seed a run can be repeated.
"""

from __future__ import annotations

import argparse
import base64
import json
import math
import random
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qsl

import causeway.webhooks
from causeway.events.envelope import MalformedBody, read_body
from causeway.webhooks.identity import read_events
from causeway.webhooks.schemes import SCHEMES
from causeway.webhooks.verify import Rejected, SignedRequest, unusable, verify
from tests.conformance.deliveries import NOW, URL
from tests.conformance.oracles import KINDS
from tests.conformance.running import secret_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType, FrameType

    from tests.conformance.deliveries import Kind

WATCHED = str(Path(causeway.webhooks.__path__[0]))
ODD_TEXTS = [
    *("", " ", ",", ";", "=", ".", "|", "&", ":", "\x00", "\n", "é", "\ud800", "\u0661", "💥", "%", "%ff", "+", "null", "{}", "[]"),
    *("v1,", "v1a,", "t=", "v1=", "sha256=", "sha1=", "Basic ", "Bearer ", "JWT ", "none", "whsec_", "whpk_", "-----BEGIN "),
    *("NaN", "-1", "1e9", "0", "9" * 30, "9" * 5000, "2025-10-09T08:53:20Z", "0000-00-00T00:00:00Z", "a" * 9000, "A" * 43 + "="),
    *("eyJhbGciOiJub25lIn0.e30.", "eyJhbGciOiJub25lIn0", "..", "https://", "https://sns.us-east-1.amazonaws.com/x.pem"),
]  # fmt: skip
ODD_VALUES: list[Any] = [None, True, 0, -1, 1.5, 10**40, math.nan, "", "x", [], {}, [None], [[]], {"a": None}]
TYPES = [
    "application/json",
    "application/x-www-form-urlencoded",
    "text/plain",
    "application/json; charset=utf-16",
    "\ud800",
]


class Case(NamedTuple):
    """One input, and the kind that it was made of."""

    kind: Kind
    request: SignedRequest
    secrets: tuple[str, ...]
    now: float


class Found(NamedTuple):
    """A rule that was broken."""

    problem: str
    case: Case


class Run:
    """One fuzz run."""

    def __init__(self, seed: int, only: str = "") -> None:
        self.random = random.Random(seed)
        self.kinds = [kind for kind in KINDS if kind.provider in SCHEMES and only in kind.name]
        self.corpus = [_right(kind) for kind in self.kinds]
        self.bodies = {
            kind.name: case.request.body for kind, case in zip(self.kinds, self.corpus, strict=True)
        }
        self.edges: set[tuple[CodeType, int, int]] = set()
        self.tried = self.accepted = 0

    def go_on(self, seconds: float, most: int = sys.maxsize) -> Found | None:
        """Try for some time, or so many cases; stop at what is found."""
        until = time.monotonic() + seconds
        for case in list(self.corpus):  # what they reach is where it begins
            found = self.attempt(case)
            if found:
                return found
        while time.monotonic() < until and self.tried < most:
            found = self.attempt(self.changed())
            if found:
                return found
        return None

    def attempt(self, case: Case) -> Found | None:
        """Try one case, and keep it where it reaches something new."""
        self.tried += 1
        known = len(self.edges)
        previous = sys.gettrace()
        sys.settrace(self._trace)
        try:
            problem = self._judge(case)
        finally:
            sys.settrace(previous)
        if len(self.edges) > known:
            self.corpus.append(case)
        return Found(problem, case) if problem else None

    def _judge(self, case: Case) -> str:
        schemes = SCHEMES[case.kind.provider]
        try:
            unusable(schemes, case.secrets)
            proof = verify(schemes, case.request, case.secrets, tolerance=None, now=case.now)
        except Rejected:
            return ""
        except Exception as error:  # noqa: BLE001 # that it may be any is the point
            return f"verifying raised {error!r}"
        self.accepted += 1
        signed = "body" in case.kind.covers and not case.kind.inside
        if signed and _bound(case.kind, case.request.body) != _bound(case.kind, self.bodies[case.kind.name]):
            return "another body was accepted"
        try:
            body = read_body(case.request.body, case.request.headers.get("content-type"))
            manifest: Any = {}
            read_events(manifest, proof.scheme, case.request, body, proof.timestamp, claims=proof.claims)
        except MalformedBody:
            return ""
        except Exception as error:  # noqa: BLE001 # likewise
            return f"reading the events raised {error!r}"
        return ""

    def _trace(self, frame: FrameType, event: str, _argument: Any) -> Any:
        if event != "call" or not frame.f_code.co_filename.startswith(WATCHED):
            return None
        code, last, edges = frame.f_code, 0, self.edges

        def line(inner: FrameType, event: str, _argument: Any) -> Any:
            nonlocal last
            if event == "line":
                edges.add((code, last, inner.f_lineno))
                last = inner.f_lineno
            return line

        return line

    # ---- changes ----

    def changed(self) -> Case:
        """A case of the corpus with some changes."""
        case = self.random.choice(self.corpus)
        for _ in range(self.random.choice([1, 1, 1, 2, 3, 5])):
            case = self.random.choice(CHANGES)(self, case)
        return case

    def headers(self, case: Case) -> Case:
        """One header lost, doubled, exchanged, touched, or taken from another provider."""
        headers = dict(case.request.headers)
        name = self.random.choice([*headers, "content-type", "authorization"])
        what = self.random.randrange(5)
        if what == 0:
            headers.pop(name, None)
        elif what == 1:
            headers[name] = self.random.choice(TYPES + ODD_TEXTS)
        elif what == 2:
            other = self.random.choice(self.corpus).request.headers
            headers.update(self.random.sample(sorted(other.items()), min(len(other), 2)))
        elif what == 3:
            value = headers.get(name, "")
            headers[name] = value + self.random.choice([",", ", ", " ", ";", ""]) + value
        else:
            headers[name] = self.text(headers.get(name, ""))
        return case._replace(request=case.request._replace(headers=headers))

    def body(self, case: Case) -> Case:
        """Some bytes of the body, or some value in it."""
        raw = case.request.body
        if self.random.random() < 0.5:
            try:
                raw = json.dumps(self.document(json.loads(raw))).encode("utf-8", "surrogatepass")
            except (ValueError, RecursionError):
                pass
            else:
                return case._replace(request=case.request._replace(body=raw))
        at = self.random.randint(0, len(raw))
        put = self.random.choice(
            [b"", b"\x00", b"\xff", b"&", b"=", b"{", b"[" * 2000, b'"', raw[:20], self.random.randbytes(3)]
        )
        end = at + self.random.choice([0, 1, 5, len(raw)])
        return case._replace(request=case.request._replace(body=raw[:at] + put + raw[end:]))

    def document(self, value: Any) -> Any:
        """A document with one value changed."""
        if isinstance(value, dict) and value and self.random.random() < 0.8:
            name = self.random.choice(list(value))
            if self.random.random() < 0.1:
                return {key: each for key, each in value.items() if key != name}
            return {**value, name: self.document(value[name])}
        if isinstance(value, list) and value and self.random.random() < 0.8:
            at = self.random.randrange(len(value))
            return [*value[:at], self.document(value[at]), *value[at + 1 :]]
        if isinstance(value, str) and self.random.random() < 0.6:
            return self.text(value)
        return self.random.choice(ODD_VALUES)

    def target(self, case: Case) -> Case:
        """URL or method."""
        if self.random.random() < 0.2:
            return case._replace(
                request=case.request._replace(method=self.random.choice(["GET", "PUT", "", "é", "post"]))
            )
        url = self.random.choice(
            ["", URL, case.request.url, self.text(case.request.url), f"{case.request.url}&token=x"]
        )
        return case._replace(request=case.request._replace(url=url))

    def secrets(self, case: Case) -> Case:
        """Secrets that are none, another's, or touched."""
        texts = list(case.secrets)
        what = self.random.randrange(3)
        if what == 0:
            texts.insert(0, self.random.choice([*ODD_TEXTS, *self.random.choice(self.corpus).secrets]))
        elif what == 1 and texts:
            try:
                texts[0] = json.dumps(self.document(json.loads(texts[0])))
            except (ValueError, RecursionError):
                texts[0] = self.text(texts[0])
        elif texts:
            texts[0] = self.text(texts[0])
        return case._replace(secrets=tuple(texts))

    def clock(self, case: Case) -> Case:
        """Another time."""
        return case._replace(
            now=self.random.choice([NOW, NOW + 300.0, NOW - 301.0, 0.0, math.nan, math.inf, -1e18, 1e18])
        )

    def text(self, value: str) -> str:
        """A text with something put in, taken out, doubled or turned."""
        at, end = sorted(self.random.randint(0, len(value)) for _ in range(2))
        made: list[Callable[[], str]] = [
            lambda: value[:at] + self.random.choice(ODD_TEXTS) + value[at:],
            lambda: value[:at] + value[end:],
            lambda: value[:end] + value[at:],
            lambda: value[:at] + value[at:end].swapcase() + value[end:],
            lambda: value[:at] + chr(self.random.randrange(0x250)) + value[at + 1 :],
            lambda: self.random.choice(ODD_TEXTS),
        ]
        return self.random.choice(made)()[:20_000]


CHANGES: list[Callable[[Run, Case], Case]] = [
    *(Run.headers, Run.headers, Run.headers, Run.body, Run.body, Run.target, Run.secrets, Run.clock)
]


def _bound(kind: Kind, body: bytes) -> Any:
    """What a signature binds: the bytes but, by Twilio's of a form, names and values one after another.

    Where a name ends and its value begins is not bound there, by Twilio's own rule.
    """
    if kind.provider != "twilio":
        return body
    return "".join(name + value for name, value in sorted(set(parse_qsl(body.decode("latin-1"), True))))


def _right(kind: Kind) -> Case:
    sent = kind.delivery(kind.secrets[0])
    headers = {name.lower(): value for name, value in sent.headers.items()}
    request = SignedRequest(sent.method, sent.url, headers, sent.body.encode())
    return Case(kind, request, (secret_of({"secret": kind.secrets[0]}),), float(NOW))


def vector_of(found: Found) -> str:
    """What broke a rule, as JSON in the form of vectors."""
    case = found.case
    return json.dumps(
        {
            "problem": found.problem,
            "provider": case.kind.provider,
            "kind": case.kind.name,
            "secrets": case.secrets,
            "now": case.now,
            "method": case.request.method,
            "url": case.request.url,
            "headers": dict(case.request.headers),
            "body_base64": base64.b64encode(case.request.body).decode(),
        },
        indent=1,
    )


def main() -> None:
    """Run, and say what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0, help="0: another one every time")
    parser.add_argument("--requests", type=int, default=sys.maxsize, help="stop after so many")
    parser.add_argument("--only", default="", help="kinds whose name has this in it")
    arguments = parser.parse_args()
    seed = arguments.seed or random.SystemRandom().randrange(1, 2**31)
    run = Run(seed, arguments.only)
    found = run.go_on(arguments.seconds, arguments.requests)
    reached = f"{len(run.edges)} edges, {len(run.corpus)} kept"
    print(f"seed {seed}: {run.tried} requests, {run.accepted} accepted, {reached}")  # noqa: T201
    if found:
        print(vector_of(found))  # noqa: T201
        sys.exit(1)


if __name__ == "__main__":
    main()
