"""A call: how steps, targets and polls say what to ask of a system (DESIGN 4.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from causeway.calls.outcome import parse_retry_on
from causeway.plan.manifest.base import Finding, Manifest
from causeway.plan.manifest.values import (
    Expression,
    HeaderName,
    Json,
    Name,
    Parameter,
    PositiveDuration,
    Text,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from causeway.plan.records import JSON

METHODS = ("get", "post", "put", "patch", "delete")

WITH_BODY = ("post", "put", "patch")
"""Methods whose body on a target is ``${data}`` unless it is written."""


def _retry_on(value: object) -> str:
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    try:
        if isinstance(text, str):
            parse_retry_on([text])
            return text
    except ValueError as error:
        raise PydanticCustomError("causeway", "{message}", {"message": str(error)}) from None
    raise PydanticCustomError("causeway", "must be a kind of failure or a status")


RetryOn = Annotated[
    str,
    BeforeValidator(_retry_on),
    WithJsonSchema(
        {"type": ["string", "integer"], "examples": ["connection", "timeout", 429, "500-599", "!503"]}
    ),
]


class CallWords(Manifest):
    """The words of a call; exactly one of get, post, put, patch and delete, and its path below base_url."""

    get: Text | None = None
    post: Text | None = None
    put: Text | None = None
    patch: Text | None = None
    delete: Text | None = None
    query: dict[str, Parameter] = {}
    """Parameters behind the path; a list repeats its parameter."""
    headers: dict[HeaderName, Text] = {}
    """Over the system's own."""
    body: Json = None
    """Any JSON with texts. On a target that posts, puts or patches ${data} unless it is written."""
    content: Literal["json", "form", "ndjson", "text"] = "json"
    """How the body is written; ndjson takes a list, text a text."""
    when: Expression | None = None
    """Asked first: false means that it is not called, and that is success."""
    reads: bool | None = None
    """It changes nothing, so a retry may do it again; true for get unless it is written."""
    timeout: PositiveDuration | None = None
    """Over the system's."""
    success_when: Expression | None = None
    """Over the system's; sees {status, headers, body}."""
    retry_on: list[RetryOn] | None = None
    """Over the system's: kinds of failure, statuses, ranges, "!503" to exclude."""
    retry_when: Expression | None = None
    """Over the system's; sees {status, headers, body} of a refusal."""

    @classmethod
    def findings(cls, value: Mapping[str, JSON]) -> Iterator[Finding]:
        """Exactly one method; a literal body that fits its content."""
        methods = [method for method in METHODS if method in value]
        if not methods:
            yield "", f"what to call is missing: one of {', '.join(METHODS)} with a path"
        for method in methods[1:]:
            yield method, f"{methods[0]} is there already: exactly one of {', '.join(METHODS)}"
        problem = _unfit(value.get("content"), value.get("body"))
        if problem:
            yield "body", problem

    @property
    def method(self) -> str:
        """Which of the methods is written, in small letters."""
        return next(method for method in METHODS if getattr(self, method) is not None)

    @property
    def path(self) -> str:
        """The path below base_url."""
        path: str = getattr(self, self.method)
        return path


class Call(CallWords):
    """A call to a system."""

    system: Name
    """Which system is called."""


def _unfit(content: JSON, body: JSON) -> str | None:
    """Why a body as written can never be of this content; a text with an expression may be anything."""
    wanted: dict[Any, tuple[type, str]] = {
        "form": (dict, "an object"),
        "ndjson": (list, "a list"),
        "text": (str, "a text"),
    }
    if body is None or content not in wanted or (isinstance(body, str) and "${" in body):
        return None
    kind, name = wanted[content]
    return None if isinstance(body, kind) else f"must be {name}, as content is {content}"
