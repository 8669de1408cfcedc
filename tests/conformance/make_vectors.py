"""Makes the signature vectors: ``python -m tests.conformance.make_vectors`` writes them anew.

Signatures are made by the providers' own libraries or, where there is none, by the sample in the provider's
documentation, re-typed; never by the engine that they test. Published ones say where. Everything is fixed (secrets,
keys, times, ids), so that a second run writes the same files.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.conformance.deliveries import NOW, Delivery
from tests.conformance.first_contacts import FIRST_CONTACTS
from tests.conformance.oracles import KINDS, verdict
from tests.conformance.published import PUBLISHED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conformance.deliveries import Kind, Vector

DIRECTORY = Path(__file__).parent / "vectors"


def _vector(case: str, secret: Any, delivery: Delivery, **changes: Any) -> Vector:
    return {"case": case, "secret": secret, **delivery._asdict(), "now": NOW, **changes}


def _without(delivery: Delivery, name: str) -> Delivery:
    return delivery._replace(headers={key: value for key, value in delivery.headers.items() if key != name})


def _variants(kind: Kind) -> Iterator[Vector]:
    """Each kind's vectors: what must be accepted, and what must not be."""
    secret, other = kind.secrets
    good = kind.delivery(secret)
    first = kind.events[0]
    yield _vector(
        "valid",
        secret,
        good,
        expected_event_id=first[0],
        expected_event_type=first[1],
        expected_events=[list(each) for each in kind.events],
    )
    yield _vector("wrong-secret", other, good)
    if kind.empty:
        yield _vector("empty-body", secret, kind.delivery(secret, body=""))
    for case, change in kind.cases.items():
        yield _vector(case, secret, change(good))
    yield from _of_headers(kind, good)
    yield from _of_what_is_covered(kind, good)
    yield from _of_time(kind, good)
    if kind.lists and kind.header:
        yield from _of_lists(kind, good)


def _of_headers(kind: Kind, good: Delivery) -> Iterator[Vector]:
    secret, name = kind.secrets[0], kind.header
    if name is None:
        return
    value = good.headers[name]
    yield _vector("missing-header", secret, _without(good, name))
    for case, changed in {
        "empty-header": "",
        "truncated": value[:-1],
        "padded": f"{value}=",
        "repeated-header": f"{value},{value}",
        "upper-case": value.upper(),
    }.items():
        if changed != value:
            yield _vector(case, secret, good.with_headers({name: changed}))


def _of_what_is_covered(kind: Kind, good: Delivery) -> Iterator[Vector]:
    secret = kind.secrets[0]
    if "body" in kind.covers:
        old, new = kind.tampered
        assert old in good.body, kind.name
        yield _vector("tampered-body", secret, good._replace(body=good.body.replace(old, new)))
        yield _vector(
            "other-bytes", secret, good._replace(body=""), body_base64=base64.b64encode(b"\xff\xfe").decode()
        )
        if "reserialised-is-right" not in kind.covers and good.body[0] in "{[":
            yield _vector("reserialised-body", secret, good._replace(body=json.dumps(json.loads(good.body))))
    if "url" in kind.covers:
        yield _vector("another-query", secret, good._replace(url=good.url.replace("?", "?x=1&")))
        yield _vector(
            "another-path", secret, good._replace(url=good.url.replace("/webhooks/", "/webhooks/x"))
        )
    if "method" in kind.covers:
        yield _vector("another-method", secret, good._replace(method="PUT"))


def _of_time(kind: Kind, good: Delivery) -> Iterator[Vector]:
    if kind.lives is not None:
        yield _vector("last-second", kind.secrets[0], good, now=NOW + kind.lives - 1)
        yield _vector("ended", kind.secrets[0], good, now=NOW + kind.lives + 2)
    if kind.window is None:
        return
    secret, (past, future) = kind.secrets[0], kind.window
    for case, offset in {
        "at-the-edge": past,
        "stale": past + 1,
        "early-edge": -future,
        "from-the-future": -future - 1,
    }.items():
        yield _vector(case, secret, good, now=NOW + offset)
    later = kind.delivery(secret, NOW + 1)
    for name, value in later.headers.items():
        if good.headers[name] != value and name != kind.header:
            yield _vector(f"another-{name.lower()}", secret, good.with_headers({name: value}))


def _of_lists(kind: Kind, good: Delivery) -> Iterator[Vector]:
    assert kind.lists
    assert kind.header
    secret, other = kind.secrets
    ours, theirs = good.headers[kind.header], kind.delivery(other).headers[kind.header]
    for case, value in {
        "rotation": kind.lists(theirs, ours),
        "rotation-the-other-way": kind.lists(ours, theirs),
        "neither": kind.lists(theirs, theirs),
        "unknown-version": ours.replace("v1", "v2").replace("h1", "h2"),
    }.items():
        if value != ours:
            yield _vector(case, secret, good.with_headers({kind.header: value}))


def _finished(vector: Vector, stricter: dict[str, str]) -> Vector:
    """With the oracle's verdict, and ours where it is to differ."""
    said = verdict(vector)
    vector["oracle_verdict"] = said
    vector["valid"] = said == "accepts"
    reason = stricter.get(vector["id"].rpartition("/")[2])
    if reason and vector["valid"]:
        vector.update(valid=False, policy=reason)
    if not vector["valid"]:
        for key in ("expected_event_id", "expected_event_type", "expected_events"):
            vector.pop(key, None)
    return vector


def make() -> dict[str, list[Vector]]:
    """All vectors, by the name of the file they are in."""
    files: dict[str, list[Vector]] = {}
    for published in PUBLISHED:
        files.setdefault(published["provider"], []).append(_finished(dict(published), {}))
    for kind in KINDS:
        source = {} if kind.source is None else {"source": kind.source}
        for vector in _variants(kind):
            named = {
                "id": f"{kind.name}/{vector.pop('case')}",
                "provider": kind.provider,
                "oracle": kind.oracle,
            }
            files.setdefault(kind.provider, []).append(
                _finished({**named, **source, **vector}, dict(kind.stricter))
            )
    files["first-contacts"] = list(FIRST_CONTACTS)
    return files


if __name__ == "__main__":
    DIRECTORY.mkdir(exist_ok=True)
    for stale in DIRECTORY.glob("*.json"):
        stale.unlink()
    for name, vectors in make().items():
        text = json.dumps({"vectors": vectors}, indent=1, ensure_ascii=False)
        (DIRECTORY / f"{name}.json").write_text(text + "\n", encoding="utf-8")
        print(f"{name}.json: {len(vectors)}")  # noqa: T201
