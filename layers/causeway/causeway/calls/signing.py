"""What is made from a whole request: signatures by a scheme (``signing``), and AWS's (``aws_sigv4``)."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from causeway.aws.sigv4 import Scope, signed_headers
from causeway.calls.address import origin_of
from causeway.calls.auth import each_auth
from causeway.settings.secrets import SecretMissing
from causeway.webhooks.sign import CannotSign, scheme_for, sign

if TYPE_CHECKING:
    from collections.abc import Mapping

    from causeway.aws.roles import Roles
    from causeway.calls.literals import Reveal
    from causeway.calls.request import Request
    from causeway.plan.records import Api, Auth, Signing

ID_HEADER = "Idempotency-Key"
"""Its value is the id that is signed, the same on every attempt: a receiver knows a repeat by it. A poll,
which repeats nothing, has a new one each time."""


def signed(request: Request, api: Api, reveal: Reveal, *, roles: Roles | None, now: float) -> Request:
    """The request with the signatures that its system wants, made anew for each attempt.

    Args:
        request: all but that.
        api: how its system is called.
        reveal: from a secret's name to its value.
        roles: whose AWS credentials sign, where some do.
        now: epoch seconds.

    Raises:
        SecretMissing: a secret is no key of the scheme.
        AwsError: a role could not be taken on.
    """
    if "signing" in api:
        request = _with(request, scheme_headers(request, api["signing"], reveal, now=now))
    for auth in each_auth(api):
        if auth["type"] == "aws_sigv4":
            assert roles, "a call that AWS verifies is given who signs"
            request = _with(request, _aws_headers(request, auth, roles, now=now))
    return request


def scheme_headers(request: Request, signing: Signing, reveal: Reveal, *, now: float) -> dict[str, str]:
    """The headers that sign a request, by all secrets where the scheme's header takes several."""
    headers: dict[str, str] = {}
    nonce = uuid.uuid4().hex
    identifier = request.headers.get(ID_HEADER, nonce)
    for name in signing["secrets"]:
        secret = reveal(name)
        try:
            scheme = scheme_for(signing["schemes"], secret)
            made = sign(
                scheme,
                body=request.body or b"",
                secret=secret,
                id=identifier,
                now=now,
                method=request.method,
                url=request.url,
                nonce=nonce,
            )
        except CannotSign as error:
            raise SecretMissing(f"the secret {name} cannot sign: {error}") from error
        for header, value in made.items():
            headers[header] = _joined(headers.get(header), value, scheme.get("separator"))
    return headers


def shown(api: Api) -> dict[str, str]:
    """What is shown in the signatures' stead."""
    headers = {}
    for scheme in api.get("signing", {}).get("schemes", [])[:1]:
        names = ", ".join(api["signing"]["secrets"])
        headers[scheme.get("header", "authorization")] = f"<signature with {names}>"
    if any(auth["type"] == "aws_sigv4" for auth in each_auth(api)):
        headers["Authorization"] = "<AWS signature, version 4>"
    return headers


def _joined(first: str | None, second: str, separator: str | None) -> str:
    """Two secrets' signatures in one header; one that takes a single signature has the first secret's."""
    if first is None or first == second:
        return second
    if separator is None:
        return first
    elements = first.split(separator)
    return separator.join([*elements, *(each for each in second.split(separator) if each not in elements)])


def _aws_headers(request: Request, auth: Auth, roles: Roles, *, now: float) -> dict[str, str]:
    """Signature Version 4 over method, path, query, body and what cannot change on the way."""
    url = urlsplit(request.url)
    kept = {
        name.lower(): value
        for name, value in request.headers.items()
        if name.lower() == "content-type" or name.lower().startswith("x-amz-")
    }
    region = auth.get("region") or roles.region
    headers = signed_headers(
        request.method,
        url.path or "/",
        {"host": origin_of(request.url).netloc, **kept},
        request.body or b"",
        query=url.query,
        credentials=roles.credentials(auth.get("role")),
        scope=Scope(region, auth["service"]),
        now=now,
    )
    return {name: value for name, value in headers.items() if name not in ("host", *kept)}


def _with(request: Request, headers: Mapping[str, str]) -> Request:
    ours = {name.lower() for name in headers}
    others = {name: value for name, value in request.headers.items() if name.lower() not in ours}
    return replace(request, headers={**others, **headers})
