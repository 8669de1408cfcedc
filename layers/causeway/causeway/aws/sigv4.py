"""AWS Signature Version 4, as far as Causeway's own calls need it: in headers, with the payload's hash.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html. A test
holds it against botocore's ``SigV4Auth`` and ``S3SigV4Auth``.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Mapping

    from causeway.aws.credentials import Credentials

_ALGORITHM = "AWS4-HMAC-SHA256"


class Scope(NamedTuple):
    """What a signature is good for."""

    region: str
    service: str


def signed_headers(
    method: str,
    path: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    credentials: Credentials,
    scope: Scope,
    now: float,
    query: str = "",
) -> dict[str, str]:
    """The headers with those that sign them: all that are given are signed.

    Args:
        method: The HTTP method.
        path: The path as sent, percent-encoded once.
        headers: Lower-case names, ``host`` among them.
        body: What is sent.
        credentials: Whose key signs.
        scope: Region and service.
        now: Epoch seconds.
        query: The query as sent, without its question mark.
    """
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
    digest = hashlib.sha256(body).hexdigest()
    signed = {**headers, "x-amz-date": stamp}
    if credentials.token:
        signed["x-amz-security-token"] = credentials.token
    if scope.service == "s3":  # S3 alone wants to be told the hash
        signed["x-amz-content-sha256"] = digest
    names = ";".join(sorted(signed))
    lines = "".join(f"{name}:{' '.join(signed[name].split())}\n" for name in sorted(signed))
    where = f"{_canonical_path(path, scope.service)}\n{_canonical_query(query)}"
    request = f"{method}\n{where}\n{lines}\n{names}\n{digest}"
    credential_scope = f"{stamp[:8]}/{scope.region}/{scope.service}/aws4_request"
    to_sign = f"{_ALGORITHM}\n{stamp}\n{credential_scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    signature = _hmac(_signing_key(credentials.secret_key, stamp[:8], scope), to_sign).hex()
    signed["authorization"] = (
        f"{_ALGORITHM} Credential={credentials.access_key}/{credential_scope}, "
        f"SignedHeaders={names}, Signature={signature}"
    )
    return signed


def _canonical_path(path: str, service: str) -> str:
    """S3 signs paths as they are sent; the others without empty parts and dots, and encoded once more."""
    if service == "s3" or path == "/":
        return path
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part not in ("", "."):
            parts.append(part)
    trailing = "/" if parts and path.endswith("/") else ""
    return quote("/" + "/".join(parts) + trailing, safe="/~")


def _canonical_query(query: str) -> str:
    """Sorted by name, then value, as they are encoded; a name without a value has an empty one."""
    pairs = sorted(
        (name, value) for name, _, value in (each.partition("=") for each in query.split("&") if each)
    )
    return "&".join(f"{name}={value}" for name, value in pairs)


@lru_cache(maxsize=8)  # it is the same all day
def _signing_key(secret_key: str, date: str, scope: Scope) -> bytes:
    key = f"AWS4{secret_key}".encode()
    for part in (date, scope.region, scope.service, "aws4_request"):
        key = _hmac(key, part)
    return key


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")
