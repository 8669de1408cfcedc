"""Refused requests and why: from a file, or as they were kept; shown without what a manifest redacts."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from causeway.delivery.redaction import redactor
from causeway.events.envelope import MalformedBody, make_event, public_headers, read_body
from causeway.settings.clock import rfc3339
from causeway.webhooks import rejections
from causeway.webhooks.diagnosis import Case, Finding, diagnose
from causeway.webhooks.verify import signature_headers
from causeway_cli import request_files
from causeway_cli.errors import CommandError
from causeway_cli.secret_names import SecretUse
from causeway_cli.stored_secrets import field_of

if TYPE_CHECKING:
    from pathlib import Path

    from causeway.plan.records import System, Webhooks
    from causeway.webhooks.rejections import Rejection
    from causeway_cli.place import Place

_SHOWN = 400  # characters of a body


@dataclass
class Diagnosed:
    """A request, and what is said of it."""

    title: str
    findings: list[Finding]
    shown: str  # the request, redacted

    @property
    def valid(self) -> bool:
        """Whether it is."""
        return self.findings[0].kind == "valid"

    def plain(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "request": self.title,
            "valid": self.valid,
            "findings": [each._asdict() for each in self.findings],
        }


def diagnose_file(place: Place, system: str, file: Path, *, now: float) -> Diagnosed:
    """What is said of the request in a file.

    Raises:
        CommandError: there is no such system, or no request in the file.
    """
    webhooks = _webhooks(place, system)
    rejection = request_files.read(file, base_url=_base_url(place, webhooks), now=now)
    return _diagnosed(place, system, rejection, str(file))


def diagnose_kept(place: Place, system: str, *, last: int, now: float) -> list[Diagnosed]:
    """What is said of the last requests that were kept, the newest first.

    Raises:
        CommandError: there is no such system.
    """
    _webhooks(place, system)
    bucket, client = place.output("Payloads"), place.clients("s3")
    pages = client.get_paginator("list_objects_v2").paginate(
        Bucket=bucket, Prefix=rejections.prefix_of(system)
    )
    keys = sorted((each["Key"] for page in pages for each in page.get("Contents", [])), reverse=True)
    found = []
    for key in keys[:last]:
        content = json.loads(client.get_object(Bucket=bucket, Key=key)["Body"].read())
        rejection = rejections.read(content)
        if rejection.expires_at > now:
            found.append(_diagnosed(place, system, rejection, rfc3339(rejection.at)))
    return found


def _diagnosed(place: Place, system: str, rejection: Rejection, name: str) -> Diagnosed:
    webhooks = _webhooks(place, system)
    own, others = _secrets(place, system)
    case = Case(webhooks["schemes"], rejection.request, own, webhooks.get("tolerance"), rejection.at)
    refused = f", refused: {rejection.rule}" if rejection.rule else ""
    return Diagnosed(
        f"{name}: {rejection.request.method} {len(rejection.request.body)} bytes{refused}",
        diagnose(case, others=others),
        _shown(place.plan.systems[system], webhooks, rejection),
    )


def _shown(system: System, webhooks: Webhooks, rejection: Rejection) -> str:
    """Headers and body, without signatures, credentials, and what the manifest redacts."""
    request = rejection.request
    secret = {name for scheme in webhooks["schemes"] for name in signature_headers(scheme)}
    headers = public_headers(request.headers, signature_headers=secret)
    try:
        body = read_body(request.body, request.headers.get("content-type"))
    except MalformedBody:
        text = "not what its content type says" if system["redact"] else repr(request.body[:_SHOWN])
        return f"{headers} {text}"
    event = make_event(
        id="", type="", source=system["name"], time="", data=body.data, data_base64=body.data_base64
    )
    redact = redactor(system["redact"], event)
    return f"{headers} {redact(request.body.decode('utf-8', 'replace'))[:_SHOWN]}"


def _webhooks(place: Place, name: str) -> Webhooks:
    system = place.plan.systems.get(name)
    if system is None or "webhooks" not in system:
        known = ", ".join(each for each, found in place.plan.systems.items() if "webhooks" in found)
        raise CommandError(f"the map has no system {name!r} that sends webhooks; there are {known or 'none'}")
    return system["webhooks"]


def _base_url(place: Place, webhooks: Webhooks) -> str:
    if "base_url" in webhooks:
        return webhooks["base_url"]
    if not any("{url}" in each.get("signed", "") or "code" in each for each in webhooks["schemes"]):
        return ""
    return place.output("WebhookBaseUrl").removesuffix("/webhooks")


def _secrets(place: Place, system: str) -> tuple[dict[str, str], dict[str, str]]:
    """This system's secrets, and those of all others, each by a name that says whose it is."""
    own: dict[str, str] = {}
    others: dict[str, str] = {}
    for name, found in place.plan.systems.items():
        for written in found["webhooks"]["secrets"] if "webhooks" in found else []:
            value = place.secrets.get(SecretUse.of(written, "in", name))
            if value is None:
                continue
            if name == system:
                own[written] = field_of(written, value)
            else:
                others[f"{written} of {name}"] = field_of(written, value)
    return own, others
