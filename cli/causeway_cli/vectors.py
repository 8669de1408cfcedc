"""Files of signature vectors: what a provider sent, and what a receiver must make of it.

The format is an object with ``vectors``, a list of objects: ``id``, ``provider``, ``kind`` (``delivery``
or ``handshake``), ``secret``, ``url``, ``method``, ``headers``, ``body``, ``now`` (epoch seconds),
``valid``, ``expected_event_id``, ``expected_event_type`` and, of handshakes, ``expected_response``. A
vector with ``policy`` is one that official libraries accept and a strict receiver refuses. Everything is
done offline, at the vector's own time and with its own secret, which holds keys and certificates, too.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from causeway.events.envelope import Body, MalformedBody
from causeway.webhooks.handshakes import Contact, Keys, Unwelcome, could_be_asked_for, meet
from causeway.webhooks.identity import DEFAULT_TYPE, content_id, read_events
from causeway.webhooks.patterns import SignedRequest
from causeway.webhooks.places import told_body
from causeway.webhooks.schemes import SCHEMES
from causeway.webhooks.verify import Rejected, verify

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from causeway.plan.records import JSON, Reply, Scheme
    from causeway.webhooks.verify import Verified

UNKNOWN = "unknown provider"
MALFORMED = "not written as vectors are"
ACCEPTED: Reply = {
    "status": 200,
    "headers": {"content-type": "application/json"},
    "body": '{"accepted": true}',
}
_FORBIDDEN: Reply = {"status": 403, "headers": {}, "body": ""}
_UNAUTHORIZED: Reply = {"status": 401, "headers": {}, "body": ""}
_REFUSED = 400  # and above: a response that refuses


class Verdict(NamedTuple):
    """What is made of a vector."""

    id: str
    valid: bool
    event_id: str | None = None  # the provider's own; None where it gives none
    event_type: str | None = None
    reason: str | None = None
    response: Reply | None = None


class Checked(NamedTuple):
    """A verdict, and in what it differs from what the vector expects."""

    verdict: Verdict
    differences: list[str]


class MalformedFile(Exception):  # noqa: N818 # named for what it is
    """A file is not one of vectors."""


def read_vectors(file: Path) -> list[dict[str, Any]]:
    """The vectors of a file.

    Raises:
        MalformedFile: it has none, or cannot be read.
    """
    try:
        content = json.loads(file.read_bytes())
    except (OSError, ValueError) as error:
        raise MalformedFile(f"{file} cannot be read: {error}") from error
    vectors = content.get("vectors") if isinstance(content, dict) else content
    if not isinstance(vectors, list) or not all(isinstance(each, dict) for each in vectors):
        raise MalformedFile(f"{file} holds no list of vectors")
    return vectors


def check(vector: Mapping[str, Any]) -> Checked:
    """Judge one vector. One that is not written as vectors are is told, too, and hinders no other."""
    try:
        verdict = judge(vector)
        return Checked(verdict, list(_differences(vector, verdict)))
    except (TypeError, ValueError, AttributeError, KeyError) as error:
        reason = f"{MALFORMED}: {type(error).__name__}: {error}"
        return Checked(Verdict(str(vector.get("id")), valid=False, reason=reason), [reason])


def judge(vector: Mapping[str, Any]) -> Verdict:
    """What a receiver makes of it, whatever it expects."""
    name = str(vector["id"])
    schemes = SCHEMES.get(vector["provider"])
    if schemes is None:
        return Verdict(name, valid=False, reason=f"{UNKNOWN}: {vector['provider']}")
    request = SignedRequest(
        method=str(vector.get("method", "POST")).upper(),
        url=str(vector.get("url", "")),
        headers={key.lower(): _header(value) for key, value in (vector.get("headers") or {}).items()},
        body=str(vector.get("body") or "").encode("utf-8", "surrogatepass"),
    )
    contact = Contact(request, request.url.partition("?")[2])
    keys = _keys(vector.get("secret"))
    try:
        for handshake in dict.fromkeys(each["handshake"] for each in schemes if "handshake" in each):
            met = meet(handshake, contact, keys, signed=False)
            if met:
                return Verdict(name, valid=True, response=met.reply)
        verdict = _verified(name, schemes, contact, _secrets(vector.get("secret")), float(vector["now"]))
    except Unwelcome as error:
        return Verdict(name, valid=False, reason=f"handshake: {error}", response=_FORBIDDEN)
    except Rejected as error:
        refusal = next((each["refusal"] for each in schemes if "refusal" in each), _UNAUTHORIZED)
        response = refusal if vector.get("kind") == "handshake" else None
        return Verdict(name, valid=False, reason=f"{error.rule}: {error}", response=response)
    if vector.get("kind") == "handshake" and verdict.response is None:
        return verdict._replace(response=ACCEPTED)  # as any event's: LINE's test has none, and wants 200
    return verdict


def _verified(
    name: str, schemes: Sequence[Scheme], contact: Contact, secrets: Sequence[str], now: float
) -> Verdict:
    request = contact.request
    verified = verify(schemes, request, secrets, tolerance=None, now=now)
    scheme = verified.scheme
    try:
        body = told_body(scheme, request)
    except MalformedBody:
        body = Body()  # proven all the same; a receiver answers 400
    event_id, event_type = _told(scheme, request, body, verified)
    if "handshake" in scheme:
        contact = contact._replace(data=body.data)
        if could_be_asked_for(scheme["handshake"], contact):
            raise Rejected("signature")
        met = meet(scheme["handshake"], contact, Keys(secrets[verified.secret_index]), signed=True)
        if met:
            own = event_id if met.handshake.is_event else None
            return Verdict(name, valid=True, event_id=own, event_type=event_type, response=met.reply)
    return Verdict(name, valid=True, event_id=event_id, event_type=event_type, response=scheme.get("reply"))


def _told(
    scheme: Scheme, request: SignedRequest, body: Body, verified: Verified
) -> tuple[str | None, str | None]:
    """The first event's id and type, as far as the provider gave them."""
    webhooks: Any = {}
    reading = read_events(webhooks, scheme, request, body, verified.timestamp, claims=verified.claims)
    if not reading.events:
        return None, None
    first = reading.events[0]
    made_up = "id" not in scheme or first.id.startswith(content_id(request.body, verified.timestamp))
    return None if made_up else first.id, None if first.type == DEFAULT_TYPE else first.type


def _header(value: JSON) -> str:
    """A header that came several times is a list, as the gateway joins it."""
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _secrets(secret: JSON) -> list[str]:
    """A vector's secret as the store of secrets would hold it: a text; of several values a JSON object."""
    if secret is None:
        return []
    if isinstance(secret, str):
        return [secret]
    if isinstance(secret, list):
        return [text for each in secret for text in _secrets(each)]
    if isinstance(secret, dict) and set(secret) == {"username", "password"}:
        return [f"{secret['username']}:{secret['password']}"]
    values = [value for name, value in secret.items() if name != "verify_token"]
    alone = [value for value in values if isinstance(value, str)] if len(values) == 1 else []
    return [json.dumps(secret), *alone]  # one value in an object may also be the whole secret


def _keys(secret: JSON) -> Keys:
    token = secret.get("verify_token") if isinstance(secret, dict) else None
    texts = _secrets(secret)
    return Keys(texts[0] if texts else "", [token] if isinstance(token, str) else [])


def _differences(vector: Mapping[str, Any], verdict: Verdict) -> Iterator[str]:
    if verdict.reason and verdict.reason.startswith(UNKNOWN):
        yield verdict.reason
    expected = bool(vector.get("valid")) and not vector.get("policy")
    if verdict.valid != expected:
        yield f"valid: {verdict.valid}, expected {expected}"
    elif expected:
        for key in ("event_id", "event_type"):
            found, wanted = getattr(verdict, key), vector.get(f"expected_{key}")
            if found != wanted:
                yield f"{key}: {found!r}, expected {wanted!r}"
    yield from _different_response(vector, verdict, expected=expected)


def _different_response(vector: Mapping[str, Any], verdict: Verdict, *, expected: bool) -> Iterator[str]:
    wanted = vector.get("expected_response")
    # A vector that was made by changing a valid one may still have the response of that one.
    if not wanted or (not expected and wanted.get("status", 0) < _REFUSED):
        return
    if verdict.response is None:
        return
    variants = [wanted, *({**wanted, **other} for other in wanted.get("alternatives", []))]
    if not any(_fits(verdict.response, variant) for variant in variants):
        yield f"response: {json.dumps(verdict.response)}, expected {json.dumps(wanted)}"


def _fits(found: Reply, wanted: Mapping[str, Any]) -> bool:
    headers = {key.lower(): value for key, value in found["headers"].items()}
    named = {key.lower(): value for key, value in wanted.get("headers", {}).items()}
    media_type = headers.get("content-type", "").partition(";")[0].strip()
    return (
        found["status"] == wanted.get("status", found["status"])
        and found["body"] == wanted.get("body", found["body"])
        and media_type == wanted.get("content_type", media_type)
        and all(headers.get(key) == value for key, value in named.items())
        and ("json" not in wanted or _json(found["body"]) == wanted["json"])
    )


def _json(text: str) -> JSON:
    try:
        return json.loads(text)
    except ValueError:
        return None
