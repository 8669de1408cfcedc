"""Signing as a provider does: the mirror of verifying, for ``causeway send``, tests and outbound calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from causeway.webhooks.compiled import compiled, header_in
from causeway.webhooks.patterns import Malformed, Missing, SignedRequest, text_at
from causeway.webhooks.places import body_data, with_body_value
from causeway.webhooks.special import special
from causeway.webhooks.timestamps import WRITE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from causeway.plan.records import Scheme
    from causeway.webhooks.compiled import Compiled

KEY_ID = "key-1"
"""The name of a key whose secret does not say one, for schemes that name it in a header."""


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
    from headers. The arguments are those of :func:`sign_request`.

    Raises:
        CannotSign: with the reason; also where the signature is not in headers alone.
        SchemeError: the record asks for what the engine cannot do.
    """
    request = sign_request(
        scheme,
        body=body,
        secret=secret,
        id=id,
        now=now,
        type=type,
        method=method,
        url=url,
        nonce=nonce,
    )
    if request.body != body or request.url != url:
        raise CannotSign("this scheme signs inside the body or the URL, and not in headers alone")
    return dict(request.headers)


def sign_request(
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
    headers: Mapping[str, str] | None = None,
) -> SignedRequest:
    """The request that a provider would send with a body; its headers are the scheme's, and those given.

    Args:
        scheme: one record.
        body: the bytes to sign. Where the provider puts a signature or a time into it, it is written anew.
        secret: as a system's ``secrets`` hold it. Of asymmetric algorithms it is the private key.
        id: the event's id.
        now: epoch seconds.
        type: the event's type.
        method: of the request.
        url: the public URL, for schemes that sign it.
        nonce: where the scheme sends one.
        headers: more headers, by lower-case name; a content type says how the body is read.

    Raises:
        CannotSign: with the reason.
        SchemeError: the record asks for what the engine cannot do.
    """
    given = {**(headers or {}), **_event_headers(scheme, id, type)}
    request = SignedRequest(method=method, url=url, headers=given, body=body)
    module = special(scheme)
    try:
        if module is not None:
            return module.sign(scheme, request, secret, now=now)
        return _signed(compiled(scheme), request, secret, now, nonce)
    except Malformed as error:
        raise CannotSign(f"this value cannot be signed: {error}") from error
    except ValueError as error:
        raise CannotSign(f"the secret is no signing key of this scheme ({_name(scheme)})") from error


def scheme_for(schemes: Sequence[Scheme], secret: str) -> Scheme:
    """The first of the schemes for which a secret is a signing key.

    Raises:
        CannotSign: there is none.
    """
    for scheme in schemes:
        module = special(scheme)
        if module is not None:
            if module.usable(scheme, secret):
                return scheme
            continue
        try:
            _signature(compiled(scheme), secret, b"")
        except ValueError:
            continue
        return scheme
    raise CannotSign("the secret is a signing key of none of the schemes: prefix or encoding do not fit")


def _signed(ready: Compiled, request: SignedRequest, secret: str, now: float, nonce: str) -> SignedRequest:
    headers = {**request.headers, **dict(ready.require)}
    if "nonce" in ready.named_headers:
        headers[ready.named_headers["nonce"]] = nonce
    if ready.key_id_header:
        headers[ready.key_id_header] = ready.texts_in(secret)[0][0] or KEY_ID
    timestamp = WRITE[ready.unit](now) if ready.unit else ""
    if ready.timestamp_header:
        headers[ready.timestamp_header] = timestamp
    request = request._replace(headers=headers)
    if ready.timestamp_path:
        # A number where it is only read from a body that is signed; a text where it is signed as one.
        value = int(timestamp) if ready.timestamp_is_late and timestamp.isdigit() else timestamp
        request = with_body_value(request, ready.timestamp_path, value)
    for path in ready.signed.body_paths:
        request = _filled(request, path, nonce or f"{now:.0f}")
    data = body_data(request) if ready.reads_body else None
    raw = b"" if not ready.signed.has_secret else _raw_key(ready, secret)
    signature = ready.encoding.encode(
        _signature(ready, secret, ready.signed.bytes_of(request, timestamp.encode(), raw, data))
    )
    text = ready.pattern.write({"signature": signature.decode("utf-8"), "timestamp": timestamp})
    return ready.place.write(request, text)


def _filled(request: SignedRequest, path: str, value: str) -> SignedRequest:
    """The request with something at a path of its body that is signed."""
    try:
        text_at(body_data(request), path)
    except Missing:
        return with_body_value(request, path, value)
    return request


def _signature(ready: Compiled, secret: str, message: bytes) -> bytes:
    return ready.algorithm.sign(_raw_key(ready, secret), message)


def _raw_key(ready: Compiled, secret: str) -> bytes:
    texts = ready.texts_in(secret)
    if not texts:
        raise ValueError("not a secret of this scheme")
    return ready.raw_key(texts[0][1], ready.scheme.get("signing_key_prefix", ready.key_prefix))


def _name(scheme: Scheme) -> str:
    return scheme.get("algorithm") or scheme.get("code", "")


def _event_headers(scheme: Scheme, event_id: str, event_type: str | None) -> dict[str, str]:
    values = ((scheme.get("id"), event_id), (scheme.get("type"), event_type))
    return {header: value for key, value in values if value and (header := header_in(key))}
