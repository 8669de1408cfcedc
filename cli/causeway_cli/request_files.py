"""Requests from files: as they were kept when refused, as functions get them, or as they came by wire."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from causeway.webhooks import rejections
from causeway.webhooks.gateway import Unacceptable, query_of, request_of
from causeway.webhooks.patterns import SignedRequest
from causeway.webhooks.rejections import Rejection
from causeway_cli.errors import CommandError
from causeway_cli.files import bytes_of

if TYPE_CHECKING:
    from pathlib import Path

    from causeway.plan.records import JSON

_MS = 1000


def read(file: Path, *, base_url: str, now: float) -> Rejection:
    """The request in a file.

    Args:
        file: JSON with method, url, headers, and body or body_base64; a request of API Gateway; or HTTP/1.1.
        base_url: the public URL, of a request that does not say it.
        now: when it was received, where the file does not say it; epoch seconds.

    Raises:
        CommandError: it is none of these.
    """
    content = bytes_of(file)
    try:
        whole = json.loads(content)
    except ValueError:
        return _wire(file, content, base_url, now)
    if isinstance(whole, dict) and "requestContext" in whole:
        return _gateway(file, whole, base_url, now)
    try:
        found = rejections.read(whole)
    except ValueError as error:
        raise CommandError(f"{file}: {error}") from error
    return found._replace(at=found.at or now)


def _gateway(file: Path, event: dict[str, JSON], base_url: str, now: float) -> Rejection:
    try:
        received = event["requestContext"].get("timeEpoch", now * _MS) / _MS
        return Rejection(request_of(event, base_url), query_of(event), "", received, 0)
    except Unacceptable as error:
        raise CommandError(f"{file}: {error}") from error
    except (KeyError, TypeError, AttributeError) as error:
        raise CommandError(f"{file}: this is no request of an HTTP API (payload 2.0)") from error


def _wire(file: Path, content: bytes, base_url: str, now: float) -> Rejection:
    ends = b"\r\n" if b"\r\n\r\n" in content else b"\n"
    head, _, body = content.partition(ends * 2)
    first, *lines = head.decode("latin-1").split(ends.decode())
    method, _, rest = first.partition(" ")
    path = rest.rpartition(" HTTP/")[0] or rest
    if not method.isupper() or not path.startswith("/"):
        raise CommandError(
            f"{file} holds no request: JSON with method, url, headers and body, a request of API Gateway, or "
            "HTTP/1.1 as it came by wire"
        )
    headers: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        lower, value = name.strip().lower(), value.strip()
        headers[lower] = f"{headers[lower]},{value}" if lower in headers else value
    url = f"{base_url.rstrip('/')}{path}" if base_url else ""
    return Rejection(SignedRequest(method, url, headers, body), path.partition("?")[2], "", now, 0)
