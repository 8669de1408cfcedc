"""What went wrong, as problem details (RFC 9457): for programs and people, and never our internals."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

from causeway.authorizing.clients import Refused
from causeway.aws.errors import AwsError
from causeway.operations.deliveries import BadQueryError
from causeway.operations.replays import NotPossibleError, NotThereError
from causeway.plan.plan import UnreadablePlanError
from causeway.queueing.sending import NotQueued

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from causeway.plan.records import JSON


class Fault(NamedTuple):
    """One part of a request that is no good."""

    name: str
    place: str  # path, query or body
    problem: str


class Problem(Exception):  # noqa: N818 - an outcome, not a fault of ours
    """A request that cannot be answered as asked, with what would be right."""

    def __init__(
        self,
        status: HTTPStatus,
        detail: str,
        *,
        faults: Sequence[Fault] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.faults = tuple(faults)
        self.headers = dict(headers or {})

    @property
    def body(self) -> dict[str, JSON]:
        """The members of RFC 9457, and ``parameters``: what is wrong with which of them."""
        members: dict[str, JSON] = {
            "type": "about:blank",
            "title": self.status.phrase,
            "status": self.status.value,
            "detail": self.detail,
        }
        if self.faults:
            members["parameters"] = [
                {"name": fault.name, "in": fault.place, "problem": fault.problem} for fault in self.faults
            ]
        return members


def bad(faults: Sequence[Fault]) -> Problem:
    """Parts of the request are no good: 400."""
    detail = "; ".join(f"{fault.name}: {fault.problem}" for fault in faults)
    return Problem(HTTPStatus.BAD_REQUEST, detail, faults=faults)


def problem_of(error: Exception, place: str) -> Problem | None:
    """What to answer to an error; None: it is none that anybody foresaw.

    Args:
        error: while it was answered.
        place: where the request says what it wants: query or body.
    """
    if isinstance(error, Problem):
        return error
    if isinstance(error, BadQueryError):
        return bad([Fault(error.part, place, str(error))])
    if isinstance(error, Refused):
        return _REFUSED.get(error.rule, _NOT_ENOUGH)
    for kind, status in _TOLD.items():
        if isinstance(error, kind):
            return Problem(status, str(error))
    return _UNREACHABLE if isinstance(error, AwsError | NotQueued | UnreadablePlanError) else None


_TOLD = {NotThereError: HTTPStatus.NOT_FOUND, NotPossibleError: HTTPStatus.CONFLICT}
"""Errors whose text is meant for who asked."""

_NOT_ENOUGH = Problem(HTTPStatus.FORBIDDEN, "the key or token lacks the scope that this needs")
_REFUSED = {
    "unauthorized": Problem(
        HTTPStatus.UNAUTHORIZED,
        "it is not known who asks: send `Authorization: Bearer` with an API key or a token",
        headers={"www-authenticate": "Bearer"},
    )
}
_UNREACHABLE = Problem(
    HTTPStatus.SERVICE_UNAVAILABLE,
    "what this asks for cannot be reached at the moment: try again",
    headers={"retry-after": "2"},
)
