"""Events from files: a provider's body, an event as on the queue, or a request as the function gets it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import typer

from causeway.bus.receiving import event_of
from causeway.events.envelope import MalformedBody, make_event, public_headers, read_body
from causeway.plan import sources
from causeway.polling.records import events_of, identified
from causeway.requests.identity import TYPE
from causeway.settings.clock import SystemClock, rfc3339
from causeway.webhooks.gateway import Unacceptable, request_of, system_of
from causeway.webhooks.identity import DEFAULT_TYPE, read_events
from causeway.webhooks.patterns import SignedRequest
from causeway_cli.errors import CommandError
from causeway_cli.files import bytes_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from causeway.events.envelope import Event
    from causeway.plan.plan import Plan
    from causeway.plan.records import JSON, Integration

_CONTENT_TYPES = {
    ".json": "application/json",
    ".form": "application/x-www-form-urlencoded",
    ".txt": "text/plain",
    ".xml": "application/xml",
}
_WILD = set("*?")


def read(
    file: Path, plan: Plan, integration: Integration, *, type_: str | None, headers: Sequence[str]
) -> list[Event]:
    """The events of a file: one, unless it is a body that the system's manifest splits.

    Signatures are not looked at.

    Args:
        file: an event as CloudEvents JSON, a request of API Gateway, or a provider's body.
        plan: of the environment.
        integration: whose source sent it.
        type_: the events' type, where the body does not say it.
        headers: of the webhook, ``Name: value``.

    Raises:
        CommandError: it is none of these, or another system's.
    """
    given = _headers(headers)
    content = bytes_of(file)
    try:
        whole = json.loads(content)
    except ValueError:
        whole = None
    if isinstance(whole, dict) and "specversion" in whole:
        return [_event(file, whole, integration)]
    if isinstance(whole, dict) and "detail-type" in whole and "bus" in integration["source"]:
        return [_from_bus(file, whole)]
    if "request" in integration["source"]:
        return [_asked(file, content, given)]
    if "poll" in integration["source"] and whole is not None:
        return _polled(whole, plan, integration)
    if "events" not in integration["source"]:
        raise CommandError(
            f"{file}: must be JSON: a record, a list of them, or {{specversion, id, type, source, data}}"
        )
    if isinstance(whole, dict) and "requestContext" in whole:
        request = _request(file, whole, integration["source"]["system"])
        request = request._replace(headers={**request.headers, **given})
    else:
        content_type = {"content-type": _CONTENT_TYPES.get(file.suffix, "")}
        request = SignedRequest("POST", "", content_type | given, content)
    return _told(file, request, plan, integration, type_)


def _headers(written: Sequence[str]) -> dict[str, str]:
    headers = {}
    for line in written:
        name, colon, value = line.partition(":")
        if not colon:
            raise CommandError(f'a header is written "Name: value", not {line!r}', exit_code=2)
        headers[name.strip().lower()] = value.strip()
    return headers


def _request(file: Path, event: dict[str, JSON], source: str) -> SignedRequest:
    if system_of(event) != source:
        raise CommandError(f"{file}: this request is not for /webhooks/{source}, the integration's source")
    try:
        return request_of(event, "")
    except Unacceptable as error:
        raise CommandError(f"{file}: {error}") from error
    except (KeyError, TypeError, AttributeError) as error:
        raise CommandError(f"{file}: this is no request of an HTTP API (payload 2.0)") from error


def _event(file: Path, event: dict[str, JSON], integration: Integration) -> Event:
    source = sources.system_of(integration["source"])
    missing = [key for key in ("id", "type") if not isinstance(event.get(key), str)]
    if missing:
        raise CommandError(f"{file}: an event has {' and '.join(missing)}, which are strings")
    if event.get("source", source) != source != sources.BUS:  # on the bus, each program has a name of its own
        raise CommandError(
            f"{file}: this is an event of {event['source']}; the integration takes those of {source}"
        )
    return make_event(
        id=event["id"],
        type=event["type"],
        source=event.get("source", source),
        time=event.get("time") or rfc3339(SystemClock().now()),
        data=event.get("data"),
        data_base64=event.get("data_base64"),
        headers=event.get("headers"),
    )


def _polled(whole: JSON, plan: Plan, integration: Integration) -> list[Event]:
    """The events that a poll makes of a record, or of a list of them."""
    poll = plan.systems[integration["source"]["system"]]["polls"][integration["source"]["poll"]]
    records = whole if isinstance(whole, list) else [whole]
    return events_of(poll, identified(poll, records), run="1", now=SystemClock().now())


def _from_bus(file: Path, entry: dict[str, JSON]) -> Event:
    """An event as EventBridge sends it, or as a program puts it on the bus."""
    if not isinstance(entry.get("detail"), dict) or not isinstance(entry.get("source"), str):
        raise CommandError(
            f"{file}: an event of the bus has detail-type, source and detail, which is an object"
        )
    return event_of({"id": "1", "time": rfc3339(SystemClock().now()), **entry})


def _asked(file: Path, content: bytes, headers: dict[str, str]) -> Event:
    """The event of a client that posts what is in the file."""
    try:
        data = read_body(content, "application/json").data
    except MalformedBody as error:
        raise CommandError(f"{file}: a request is JSON: {error}") from error
    return make_event(
        id=f"key:you/{file.stem}",
        type=TYPE,
        source=sources.REQUESTS,
        time=rfc3339(SystemClock().now()),
        data=data,
        headers=public_headers({"content-type": "application/json", **headers}),
    )


def _told(
    file: Path, request: SignedRequest, plan: Plan, integration: Integration, type_: str | None
) -> list[Event]:
    """The events of a request, as if it had been verified by the system's first scheme."""
    source = integration["source"]["system"]
    webhooks = plan.systems[source]["webhooks"]
    try:
        body = read_body(request.body, request.headers.get("content-type"))
    except MalformedBody as error:
        raise CommandError(f"{file}: {error}") from error
    reading = read_events(webhooks, webhooks["schemes"][0], request, body, None)
    for problem in reading.problems:
        typer.echo(f"{source}: {problem}", err=True)
    return [
        make_event(
            id=told.id,
            type=type_ or _type(told.type, integration),
            source=source,
            time=rfc3339(SystemClock().now()),
            data=told.body.data,
            data_base64=told.body.data_base64,
            headers=public_headers(request.headers),
        )
        for told in reading.events
    ]


def _type(told: str, integration: Integration) -> str:
    """The type that the body tells; where its scheme reads it elsewhere, the only one that there is."""
    if told != DEFAULT_TYPE:
        return told
    taken = integration["source"]["events"]
    if len(taken) == 1 and not _WILD & set(taken[0]):
        return taken[0]
    raise CommandError(
        f"which type of event is this? The integration takes {', '.join(taken)}: say --type TYPE"
    )
