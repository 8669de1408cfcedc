"""Signatures on what is sent: the scheme must sign in headers, with what its sender has.

A provider may write a signature into the body that it signs. Causeway sends the body and the URL that the
call says, whatever its scheme, so what signs there signs nothing here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from causeway.webhooks.compiled import Compiled
from causeway.webhooks.special import special

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from causeway.plan.problems import KeyPath, Problem
    from causeway.plan.records import JSON, Scheme
    from causeway.plan.yaml import Document

_RIGHT = (
    "what is sent is signed in headers alone, by a key that you have: take a scheme that does so, such as "
    "standard-webhooks, stripe or github, or spell one out with `header`"
)
_BODY = "writes into the body"
_URL = "writes into the URL"
_FORM = "signs the fields of a form, and not every body"
_KEY = "signs with a key that only the provider has"

_CODE = {
    "adyen-items": _BODY,
    "atlassian-connect": "names the installation that sends, which only the provider has",
    "aws-sns": _BODY,
    "braintree": _BODY,
    "microsoft-graph": _BODY,
    "paypal": _KEY,
    "twilio": _FORM,
    "twilio-sha256": _FORM,
}
"""Why not, of what is signed by code."""


def check_sending(
    document: Document, path: KeyPath, value: JSON, records: Sequence[Scheme]
) -> Iterator[Problem]:
    """Find a scheme that can sign nothing that is sent.

    Args:
        document: the system's manifest.
        path: where the scheme stands in it.
        value: what stands there: a built-in scheme's name, or one spelled out.
        records: what it means, each of which the engine can do.
    """
    reason = why_not(records)
    if reason:
        key, why = reason
        where, which = (
            (path, repr(value)) if isinstance(value, str) else ((*path, *key.split(".")), "this scheme")
        )
        yield document.problem(where, f"{which} {why}; {_RIGHT}")


def why_not(records: Sequence[Scheme]) -> tuple[str, str] | None:
    """The key that keeps a scheme from signing what is sent, and how it does; None: the scheme can sign it.

    Of several records one is enough: by which of them is signed, the secret says.
    """
    reasons = [_why_not(record) for record in records]
    return None if None in reasons else reasons[0]


def _why_not(scheme: Scheme) -> tuple[str, str] | None:
    """The key that hinders signing, and in what way."""
    if special(scheme):
        return _why_not_by_code(scheme)
    ready = Compiled(scheme)
    if "signature" in scheme:
        return "signature", _BODY if ready.place.in_body else _URL
    if ready.timestamp_path:
        return "timestamp.value", _BODY
    if "form" in ready.signed.names:
        return "signed", _FORM
    ours = {ready.timestamp_header, ready.key_id_header, *ready.named_headers.values(), *dict(ready.require)}
    for name in ready.signed.names:
        kind, _, header = name.partition(":")
        if kind == "header" and header.lower() not in ours:
            return "signed", f"signs the header {header}, which it does not set"
    return None


def _why_not_by_code(scheme: Scheme) -> tuple[str, str] | None:
    code = scheme.get("code")
    if code:
        return ("code", _CODE[code]) if code in _CODE else None
    keys = scheme["jwt"].get("keys", "https://")
    return None if keys.startswith("https://") else ("jwt.keys", _KEY)
