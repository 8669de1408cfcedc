"""Every field of every built-in record is held by a vector: change it, and a verdict changes, or an event, or an answer."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest

from causeway.webhooks.compiled import check
from causeway.webhooks.patterns import SchemeError
from causeway.webhooks.schemes import SCHEMES
from causeway.webhooks.sign import sign
from causeway.webhooks.verify import Rejected
from causeway_cli.vectors import judge
from tests.conformance.deliveries import NOW
from tests.conformance.running import events_of, verified
from tests.conformance.test_vectors import ALL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from causeway.plan.records import Scheme
    from tests.conformance.deliveries import Vector

BY_PROVIDER: dict[str, list[Vector]] = {name: [] for name in SCHEMES}
for each in ALL:
    BY_PROVIDER.setdefault(each["provider"], []).append(each)

UNCONFIRMED = {
    *("airtable", "amazon-eventbridge", "auth0-log-stream", "calendly", "checkout-com", "coinbase-cdp", "datadog"),
    *("google-calendar", "heroku", "intercom", "klarna", "netlify", "npm", "persona", "pipedrive", "postmark"),
    *("salesforce-outbound", "shippo", "trello", "typeform", "vercel"),
}  # fmt: skip
"""What was not read from the provider's own pages."""

DEFAULTS = {"encoding": "hex", "key": "utf8", "key_prefix": "", "signed": "{body}", "header": "authorization"}
OTHERS: dict[str, tuple[str, ...]] = {
    "algorithm": ("hmac-sha256", "hmac-sha512", "ed25519", "token"),
    "encoding": ("hex", "base64", "base64url"),
    "key": ("utf8", "base64", "hex", "nfkd"),
    "unit": ("s", "ms", "rfc3339"),
    "separator": (",", ";", " "),
    "sets": (" ", "|"),
    "signed": ("{body}", "{body}{body}"),
}
"""What a field's value is exchanged for, where any other text would be refused at once."""

SIGNING_KEY = "whsk_AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="


def outcome(vector: Vector, schemes: list[Scheme]) -> Any:
    """All that a receiver makes of a vector."""
    if vector.get("kind") == "handshake":
        told: Any = None
    else:
        told = _told(vector, schemes)
    if told is None or any("refusal" in scheme or "reply" in scheme for scheme in schemes):
        with patch.dict("causeway_cli.vectors.SCHEMES", {vector["provider"]: schemes}):
            told = (told, judge(vector))
    return told


def _told(vector: Vector, schemes: list[Scheme]) -> Any:
    try:
        proof = verified(vector, schemes)
    except Rejected:
        return "rejected"
    pairs = zip(events_of(vector, schemes), events_of(vector, schemes), strict=True)
    return ([(one.type, one.id if one.id == two.id else "new") for one, two in pairs], proof.timestamp)


def signature(scheme: Scheme) -> Any:
    """What a stand-in for the provider makes, of a key that is not the one that verifies."""
    if "signing_key_prefix" not in scheme:
        return None
    try:
        return sign(scheme, body=b"{}", secret=SIGNING_KEY, id="msg_1", now=NOW)
    except Exception:  # noqa: BLE001 # any is a difference
        return "none"


def mutants(scheme: Scheme) -> Iterator[tuple[str, Scheme]]:
    """The record with each of its values lost or changed, and where that is."""
    for path, value in leaves(scheme):
        name = path[-1]
        if DEFAULTS.get(name) != value:
            yield from put(scheme, path, LOST)
        if isinstance(value, bool):
            yield from put(scheme, path, not value)
        elif isinstance(value, int | float):
            yield from (changed for other in (value + 1, value - 1) for changed in put(scheme, path, other))
        elif isinstance(value, str):
            others = (
                alternatives(value)
                if name in ("id", "type", "split")
                else {*OTHERS.get(name, ()), value + "x"}
            )
            for other in others - {value}:
                yield from put(scheme, path, other)


LOST = object()


def alternatives(expression: str) -> set[str]:
    """An expression without one of the places that it looks at in turn."""
    parts = expression.split(" || ")
    return {
        " || ".join([*parts[:at], *parts[at + 1 :]])
        for at, part in enumerate(parts)
        if part.isascii() and "." in part and "(" not in expression
    } - {""}


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """The values in a record, each with the way to it."""
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(inner, dict | list):
            yield from leaves(inner, (*path, key))
        else:
            yield (*path, key), inner


def put(scheme: Scheme, path: tuple[Any, ...], value: Any) -> Iterator[tuple[str, Scheme]]:
    changed: Any = deepcopy(scheme)
    inner = changed
    for key in path[:-1]:
        inner = inner[key]
    if value is LOST:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    yield f"{'.'.join(map(str, path))} -> {'nothing' if value is LOST else value!r}", changed


def is_noticed(provider: str, number: int, changed: Scheme, before: list[Any]) -> bool:
    """Whether something differs with the changed record."""
    try:
        check(changed)
    except (SchemeError, KeyError):
        return True
    if signature(changed) != signature(SCHEMES[provider][number]):
        return True
    schemes = [*SCHEMES[provider][:number], changed, *SCHEMES[provider][number + 1 :]]
    return any(
        outcome(vector, schemes) != was for vector, was in zip(BY_PROVIDER[provider], before, strict=True)
    )


@pytest.mark.parametrize("provider", SCHEMES)
def test_no_field_of_a_record_can_change_unnoticed(provider: str):
    before = [outcome(vector, SCHEMES[provider]) for vector in BY_PROVIDER[provider]]
    unnoticed = [
        f"{number}: {what}"
        for number, scheme in enumerate(SCHEMES[provider])
        for what, changed in mutants(scheme)
        if not what.startswith("unconfirmed") and not is_noticed(provider, number, changed, before)
    ]
    assert not unnoticed, "\n".join(["", *unnoticed])


@pytest.mark.parametrize("provider", SCHEMES)
def test_no_record_can_be_lost_unnoticed(provider: str):
    schemes = SCHEMES[provider]
    before = [outcome(vector, schemes) for vector in BY_PROVIDER[provider]]
    for number in range(len(schemes) if len(schemes) > 1 else 0):
        left = [*schemes[:number], *schemes[number + 1 :]]
        assert [outcome(vector, left) for vector in BY_PROVIDER[provider]] != before, f"record {number}"


def test_what_was_not_read_from_its_provider_says_so():
    said = {name for name, schemes in SCHEMES.items() if any(scheme.get("unconfirmed") for scheme in schemes)}
    assert said == UNCONFIRMED
    for name in said:
        assert all(scheme.get("unconfirmed") for scheme in SCHEMES[name])
