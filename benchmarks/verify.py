"""How long verifying takes, for every scheme, beside the provider's own library in the same run.

    .venv/bin/python benchmarks/verify.py [--rounds N] [--only NAME]

Each time is the median of rounds in which all contestants take turns, over a body of 1 KiB, and is shown as a
ratio to the bare primitive over the same bytes: one HMAC, one check of a public key's signature, or one
comparison. `ours, 2` holds two active secrets of which the second is the right one, so both are tried. The
libraries get the right secret alone; what they are built of is built beforehand.

It tells when an HMAC scheme with a timestamp in a header takes, with two secrets, more than three times the
bare HMAC, or with one more than a library that checks the same. Of a provider with several records that is
asked of the first. (Of the other libraries some check less than we do, and Discord's uses libsodium, whose
Ed25519 is faster than OpenSSL's.)
"""

import argparse
import logging
import statistics
import time
import warnings
from typing import NamedTuple

from support.libraries import LIBRARIES
from support.primitives import Call, bare

from causeway.webhooks.schemes import SCHEMES
from causeway.webhooks.verify import SignedRequest, Verified, verify
from tests.conformance.deliveries import NOW, Kind
from tests.conformance.oracles import KINDS
from tests.conformance.running import secret_of

SIZE = 1024
BATCH = 0.0005  # seconds that one turn takes, of the processor: others on the machine do not count
LIMIT = 3.0
WARM = 5


class Row(NamedTuple):
    """What was measured of one scheme, in seconds per call."""

    name: str
    bare: float
    one: float
    two: float
    library: float | None
    judged: bool


def grown(body: str) -> str:
    """A delivery's body, made as large as all of them are here."""
    pad = "x" * (SIZE - len(body.encode()) - 12)
    if body.startswith("{"):
        return f'{body[:-1]},"pad":"{pad}"}}'
    if body.startswith("["):
        return f'{body.rstrip()[:-1]},{{"pad":"{pad}"}}]'
    return f"{body}<!--{pad}-->" if body.startswith("<") else f"{body}&pad={pad}"


def measure(kind: Kind, rounds: int) -> Row:
    """All contestants by turns."""
    now = int(time.time()) if kind.name in LIBRARIES else NOW  # libraries look at the clock
    right, other = kind.secrets
    sent = kind.delivery(right, now, body=grown(kind.body))
    headers = {name.lower(): value for name, value in sent.headers.items()}
    request = SignedRequest(sent.method, sent.url, headers, sent.body.encode())
    schemes, one, two = SCHEMES[kind.provider], [secret_of({"secret": right})], secret_of({"secret": other})
    calls: list[Call] = [
        bare(kind, request.body),
        lambda: verify(schemes, request, one, tolerance=300, now=now),
        lambda: verify(schemes, request, [two, *one], tolerance=300, now=now),
    ]
    if kind.name in LIBRARIES:
        calls.append(LIBRARIES[kind.name](sent, right))
    medians = [statistics.median(turns) for turns in by_turns(calls, rounds)]
    library = medians[3] if len(medians) > 3 else None
    return Row(kind.name, medians[0], medians[1], medians[2], library, is_judged(kind, calls[1]()))


def is_judged(kind: Kind, proof: Verified) -> bool:
    """Whether it is an HMAC over a time in a header, by the provider's first record."""
    scheme = SCHEMES[kind.provider][0]
    by_hmac = scheme.get("algorithm", "").startswith("hmac") and "timestamp" in scheme
    return proof.scheme is scheme and by_hmac and "value" not in scheme["timestamp"]


def by_turns(calls: list[Call], rounds: int) -> list[list[float]]:
    """Seconds per call of each, in each round."""
    counts = []
    for call in calls:
        for _ in range(WARM):
            call()
        began = time.thread_time()
        call()
        counts.append(max(1, int(BATCH / max(time.thread_time() - began, 1e-7))))
    times: list[list[float]] = [[] for _ in calls]
    for _ in range(rounds):
        for call, count, found in zip(calls, counts, times, strict=True):
            began = time.thread_time()
            for _ in range(count):
                call()
            found.append((time.thread_time() - began) / count)
    return times


def show(rows: list[Row]) -> None:
    """The table."""
    print(f"{'scheme':34} {'bare':>9} {'ours':>7} {'ours, 2':>8} {'library':>8}   (ratios to bare)")
    for row in rows:
        library = "" if row.library is None else f"{row.library / row.bare:8.2f}"
        ours = f"{row.one / row.bare:7.2f} {row.two / row.bare:8.2f}"
        print(f"{row.name:34} {row.bare * 1e6:7.2f}us {ours} {library}")


def judge(rows: list[Row]) -> list[str]:
    """What is not as it should be."""
    slow = [
        f"{row.name}: {row.two / row.bare:.2f} times the bare HMAC with two secrets, more than {LIMIT:g}"
        for row in rows
        if row.judged and row.two > LIMIT * row.bare
    ]
    beaten = [
        f"{row.name}: its library is faster, {row.library / row.bare:.2f} to {row.one / row.bare:.2f}"
        for row in rows
        if row.library is not None and row.library < row.one and row.judged
    ]
    return slow + beaten


def main() -> None:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=41)
    parser.add_argument("--only", default="", help="schemes whose name has this in it")
    arguments = parser.parse_args()
    logging.disable()
    warnings.simplefilter("ignore")
    chosen = [
        kind
        for kind in KINDS
        if arguments.only in kind.name
        and kind.provider in SCHEMES
        and not kind.name.startswith("microsoft-graph/tokens-")
    ]
    rows = [measure(kind, arguments.rounds) for kind in chosen]
    show(rows)
    print("\n".join(judge(rows)) or "all goals reached")


if __name__ == "__main__":
    main()
