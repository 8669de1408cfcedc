"""The edge to API Gateway's HTTP API: its events to requests, answers to its responses.

Payload format 2.0:
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from causeway.webhooks.patterns import SignedRequest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import TypedDict

    from causeway.plan.records import JSON

    class Answer(TypedDict):
        """What the gateway turns into an HTTP response."""

        statusCode: int
        headers: dict[str, str]
        body: str


MAX_BODY = 6 * 1024 * 1024
"""Lambda's limit for what invokes a function, in bytes as they arrive: base64 where the gateway encodes."""


class Unacceptable(Exception):  # noqa: N818 # an outcome, not a fault
    """A request that cannot even be verified; carries what to answer."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.headers = headers


def not_by_post(other_methods: Iterable[str] = ()) -> Unacceptable:
    """How a request is refused that comes by a method of no event, nor of a first contact."""
    allowed = ", ".join(sorted({"POST", *other_methods}))
    return Unacceptable(405, "Events are sent by POST.", {"allow": allowed})


def method_of(event: Mapping[str, Any]) -> str:
    """The request's method."""
    method: str = event["requestContext"]["http"]["method"]
    return method.upper()


def system_of(event: Mapping[str, Any]) -> str:
    """The system that a request's path names."""
    system: str = (event.get("pathParameters") or {}).get("system") or ""
    return system


def query_of(event: Mapping[str, Any]) -> str:
    """The request's query, as it was sent."""
    query: str = event.get("rawQueryString") or ""
    return query


def request_of(event: Mapping[str, Any], base_url: str) -> SignedRequest:
    """The request with its body as the raw bytes that were sent.

    Args:
        event: of API Gateway.
        base_url: where the provider believes to send it, as configured. The Host header is not asked: whoever
            sends a request chooses it. Empty where none is known; a scheme that signs the URL then rejects.

    Raises:
        Unacceptable: too large, or not the base64 that the event says it is.
    """
    query = query_of(event)
    url = f"{base_url.rstrip('/')}/webhooks/{system_of(event)}" + (f"?{query}" if query else "")
    return SignedRequest(
        method=method_of(event),
        url=url if base_url else "",
        headers=_headers(event),
        body=_body(event),
        query=query or "",
    )


def _headers(event: Mapping[str, Any]) -> dict[str, str]:
    """Lower-case names. Repeated ones are one list, as the gateway joins them, and never quietly the last."""
    headers: dict[str, str] = {}
    for name, value in (event.get("headers") or {}).items():
        lower = name.lower()
        headers[lower] = f"{headers[lower]},{value}" if lower in headers else value
    return headers


def _body(event: Mapping[str, Any]) -> bytes:
    text: str = event.get("body") or ""
    if len(text) > MAX_BODY:
        raise Unacceptable(413, f"The body is larger than {MAX_BODY} bytes.")
    if not event.get("isBase64Encoded"):
        return text.encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise Unacceptable(400, "The body cannot be decoded.") from None


def answer(status: int, headers: Mapping[str, str], body: str) -> Answer:
    """Any answer."""
    return {"statusCode": status, "headers": dict(headers), "body": body}


def answer_json(status: int, body: JSON) -> Answer:
    """A JSON answer."""
    return answer(status, {"content-type": "application/json"}, json.dumps(body))


def problem(
    status: int,
    detail: str,
    *,
    headers: Mapping[str, str] | None = None,
    more: Mapping[str, JSON] | None = None,
) -> Answer:
    """Problem details (RFC 9457): what went wrong, for programs and people.

    Args:
        status: of the answer.
        detail: one sentence, that may be told to anybody.
        headers: more headers.
        more: extension members.
    """
    from http import HTTPStatus  # noqa: PLC0415 - making its table takes a millisecond, and most requests are right

    title = HTTPStatus(status).phrase
    members = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return answer(
        status,
        {"content-type": "application/problem+json", **(headers or {})},
        json.dumps({**members, **(more or {})}),
    )
