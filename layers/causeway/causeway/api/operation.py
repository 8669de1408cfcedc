"""What a route is: a record that says all of it, to what serves it and to what describes it."""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from causeway.api.parameters import Parameter
    from causeway.plan.records import JSON


class Request(NamedTuple):
    """What is asked, read and checked."""

    by: str  # the client; empty where anyone may ask
    values: Mapping[str, Any]  # of all the route's parameters; None: absent


class Answer(NamedTuple):
    """What is answered: JSON, or a text of another type."""

    body: JSON
    headers: Mapping[str, str] = {}
    type: str = "application/json"


@dataclass(frozen=True)
class Operation:
    """One route."""

    id: str  # the description's operationId, and the name in the log
    method: str
    path: str
    summary: str
    scope: str | None  # None: anyone may ask
    run: Callable[[Any, Request], Answer]  # is given the Stack; where anyone may ask, None
    schema: str  # of the answer: a name of causeway.api.schemas
    example: JSON
    description: str = ""
    status: HTTPStatus = HTTPStatus.OK
    parameters: Sequence[Parameter] = ()
    problems: Mapping[int, str] = field(default_factory=dict)  # beside 400, 401, 403, 429, 500 and 503
    body_rule: Mapping[str, JSON] = field(default_factory=dict)  # JSON Schema: what its members are together
    any_query: bool = False  # its query is for others: neither read nor logged

    @property
    def has_body(self) -> bool:
        """Whether a request may have a body."""
        return any(each.place == "body" for each in self.parameters)
