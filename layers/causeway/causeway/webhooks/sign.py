"""Signing as a provider does: the mirror of verifying, for ``causeway send``, tests and outbound calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from causeway.webhooks.compiled import compiled, header_in
from causeway.webhooks.patterns import Malformed, SignedRequest
from causeway.webhooks.timestamps import WRITE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from causeway.plan.records import Scheme
    from causeway.webhooks.compiled import Compiled


class CannotSign(Exception):  # noqa: N818 # named for what it is
    """No signature can be made: the secret is not one of this scheme, or a value is not allowed in it."""


def sign(
    scheme: Scheme,
    *,
    body: bytes,
    secret: str,
    id: str,  # noqa: A002 # what schemes call it
    now: float,
    type: str | None = None,  # noqa: A002 # likewise
    method: str = "POST",
    url: str = "",
    nonce: str = "",
) -> dict[str, str]:
    """The headers that a provider would send with a body, by lower-case name.

    Besides the signature's own they are those that carry the event's id and type, where the scheme reads them
    from headers.

    Args:
        scheme: one record.
        body: the bytes to sign.
        secret: as a system's ``secrets`` hold it. For Ed25519 the private key, with its own prefix.
        id: the event's id.
        now: epoch seconds.
        type: the event's type.
        method: of the request.
        url: the public URL, for schemes that sign it.
        nonce: where the scheme sends one.

    Raises:
        CannotSign: with the reason.
        SchemeError: the record asks for what the engine cannot do.
    """
    ready = compiled(scheme)
    headers = dict(_event_headers(scheme, id, type))
    if "nonce" in ready.named_headers:
        headers[ready.named_headers["nonce"]] = nonce
    timestamp = WRITE[ready.unit](now) if ready.unit else ""
    if ready.timestamp_header:
        headers[ready.timestamp_header] = timestamp
    request = SignedRequest(method=method, url=url, headers=headers, body=body)
    try:
        message = ready.signed.bytes_of(request, timestamp.encode())
        signature = ready.encoding.encode(_signature(ready, secret, message))
    except Malformed as error:
        raise CannotSign(f"this value cannot be signed: {error}") from error
    except ValueError as error:
        raise CannotSign(f"the secret is no signing key of this scheme ({scheme['algorithm']})") from error
    headers[ready.header] = ready.pattern.write(
        {"signature": signature.decode("utf-8"), "timestamp": timestamp}
    )
    return headers


def scheme_for(schemes: Sequence[Scheme], secret: str) -> Scheme:
    """The first of the schemes for which a secret is a signing key.

    Raises:
        CannotSign: there is none.
    """
    for scheme in schemes:
        ready = compiled(scheme)
        try:
            _signature(ready, secret, b"")
        except ValueError:
            continue
        return scheme
    raise CannotSign("the secret is a signing key of none of the schemes: prefix or encoding do not fit")


def _signature(ready: Compiled, secret: str, message: bytes) -> bytes:
    prefix = ready.scheme.get("signing_key_prefix", ready.key_prefix)
    return ready.algorithm.sign(ready.raw_key(secret, prefix), message)


def _event_headers(scheme: Scheme, event_id: str, event_type: str | None) -> list[tuple[str, str]]:
    values = ((scheme.get("id"), event_id), (scheme.get("type"), event_type))
    return [(header, value) for key, value in values if value and (header := header_in(key))]
