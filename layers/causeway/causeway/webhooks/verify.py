"""Verifying a request's signature: the raw bytes, before anything is parsed.

Whatever the request holds, the answer is :class:`Verified` or :class:`Rejected`, and nothing else. Everything
that is missing, odd or unknown is a rejection; there is no way to say "not signed, so never mind".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from causeway.webhooks.compiled import compiled, prepared
from causeway.webhooks.encodings import padded
from causeway.webhooks.patterns import Malformed, Missing, SchemeError, SignedRequest, header_of, text_at
from causeway.webhooks.places import body_data
from causeway.webhooks.special import special
from causeway.webhooks.verdicts import RULES, Rejected, Verified

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from causeway.plan.records import JSON, Scheme
    from causeway.webhooks.compiled import Compiled, Held
    from causeway.webhooks.special import Fetch

__all__ = ["Rejected", "SignedRequest", "Verified", "signature_headers", "unusable", "verify"]

MAX_SETS = 8
"""Whole sets of signature and timestamp that are tried: each is a hash of the body."""

_RANK = {rule: rank for rank, rule in enumerate(RULES)}


def verify(
    schemes: Sequence[Scheme],
    request: SignedRequest,
    secrets: Sequence[str],
    *,
    tolerance: float | None,
    now: float,
    fetch: Fetch | None = None,
) -> Verified:
    """Verify a request by any of the schemes and any of the secrets.

    A secret that is unusable (empty, wrong prefix, not base64 ...) verifies nothing and hinders no other.

    Args:
        schemes: records; any of them may match.
        request: as it came, with the body's raw bytes.
        secrets: their texts; any of them may match.
        tolerance: seconds by which a timestamp may differ from the clock, into the past and into the future;
            None: the scheme's own window, or 5 minutes.
        now: epoch seconds.
        fetch: fetches keys and certificates that are named by URL or id; None: nothing is fetched.

    Raises:
        Rejected: it is not proven; never anything else.
    """
    rejected: Rejected | None = None
    for scheme in schemes:
        try:
            _, made, module = prepared(scheme)
            if made is not None:
                return _verify(made, request, secrets, tolerance, now)
            if module is not None:
                return module.verify(scheme, request, secrets, tolerance=tolerance, now=now, fetch=fetch)
        except (Rejected, SchemeError, ValueError) as error:
            rejected = _furthest(rejected, error)
    raise rejected or Rejected("scheme")


def _furthest(before: Rejected | None, error: Rejected | SchemeError | ValueError) -> Rejected:
    """Of two rejections the one that came further. Odd bytes raise ValueErrors of several kinds."""
    if isinstance(error, Rejected):
        problem = error
    elif isinstance(error, SchemeError):
        problem = Rejected("scheme")
        problem.__cause__ = error
    else:
        problem = Rejected("missing" if isinstance(error, Missing) else "malformed")
    return problem if before is None or _RANK[problem.rule] > _RANK[before.rule] else before


def unusable(schemes: Sequence[Scheme], secrets: Sequence[str]) -> list[int]:
    """The indexes of secrets that none of the schemes can use: for the operator's log."""
    return [
        index
        for index, secret in enumerate(secrets)
        if not any(_is_usable(scheme, secret) for scheme in schemes)
    ]


def signature_headers(scheme: Scheme) -> Collection[str]:
    """The headers, in lower case, that hold signatures or credentials."""
    module = special(scheme)
    return compiled(scheme).headers if module is None else module.headers(scheme)


def _is_usable(scheme: Scheme, secret: str) -> bool:
    module = special(scheme)
    return bool(compiled(scheme).keys([secret])) if module is None else module.usable(scheme, secret)


def _verify(
    scheme: Compiled, request: SignedRequest, secrets: Sequence[str], tolerance: float | None, now: float
) -> Verified:
    keys = scheme.keys(secrets)
    if not keys:
        raise Rejected("secret")
    for header, wanted in scheme.require:
        if request.headers.get(header) != wanted:
            header_of(request, header)  # which says if it is missing
            raise Malformed(header)
    if scheme.key_id_header:
        named = header_of(request, scheme.key_id_header)
        keys = tuple(held for held in keys if held.id is None or held.id == named)
    data = body_data(request) if scheme.reads_body else None
    past, future = scheme.window if tolerance is None else (tolerance, tolerance)
    place = scheme.place
    texts = [header_of(request, place.header)] if place.is_one_header else place.read(request, data)
    if scheme.sets is None:
        return _verify_set(scheme, request, keys, texts, data, (now - past, now + future))
    rejected: Rejected | None = None
    sets = [each for text in texts for each in text.split(scheme.sets)]
    if len(sets) > MAX_SETS or not all(sets):
        raise Malformed("sets")
    for each in sets:
        try:
            return _verify_set(scheme, request, keys, [each], data, (now - past, now + future))
        except (Rejected, ValueError) as error:
            rejected = _furthest(rejected, error)
    raise rejected or Malformed("no signature")


def _verify_set(  # noqa: PLR0917 # the hot path: a call with names costs more
    scheme: Compiled,
    request: SignedRequest,
    keys: Sequence[Held],
    texts: Sequence[str],
    data: JSON,
    window: tuple[float, float],
) -> Verified:
    found, others = scheme.pattern.read(texts[0])
    for text in texts[1:]:
        found += scheme.pattern.read(text)[0]
    signatures = [*map(str.encode, found)]  # places give ASCII alone
    if scheme.unpadded_too:
        signatures = [padded(signature) for signature in signatures]
    timestamp, signed_at = b"", None
    if scheme.read_timestamp is not None and not scheme.timestamp_is_late:
        if scheme.timestamp_header:
            text = header_of(request, scheme.timestamp_header)
        else:
            text = (
                text_at(data, scheme.timestamp_path) if scheme.timestamp_path else others.get("timestamp", "")
            )
        signed_at = _in_window(scheme.read_timestamp(text), window)
        timestamp = text.encode("ascii")
    signed, matches, encoding = scheme.signed, scheme.algorithm.matches, scheme.encoding
    message = b"" if signed.has_secret else signed.bytes_of(request, timestamp, b"", data)
    for index, key, raw, _ in keys:
        if signed.has_secret:
            message = signed.bytes_of(request, timestamp, raw, data)
        if matches(key, message, signatures, encoding):
            if scheme.read_timestamp is not None and scheme.timestamp_is_late:
                text = text_at(body_data(request), scheme.timestamp_path)
                signed_at = _in_window(scheme.read_timestamp(text), window)
            return Verified(scheme.scheme, index, signed_at)
    raise Rejected("signature")


def _in_window(signed_at: float, window: tuple[float, float]) -> float:
    # Written so that a clock or a tolerance that is not a number rejects.
    if not window[0] <= signed_at <= window[1]:
        raise Rejected("timestamp")
    return signed_at
