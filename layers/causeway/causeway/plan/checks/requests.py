"""Requests: what cannot be while a client waits, and replies that have nobody to go to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from causeway.plan.finding import find

if TYPE_CHECKING:
    from collections.abc import Iterator

    from causeway.plan.environments import Merged
    from causeway.plan.problems import Problem
    from causeway.plan.yaml import Document

_SET_HERE = frozenset({"idempotency-key", "causeway-delivery", "location", "retry-after"})


def check_requests(merged: Merged) -> Iterator[Problem]:
    """Find integrations whose clients could not be answered."""
    for document in merged.integrations.values():
        source = document.value.get("source")
        asked = isinstance(source, dict) and "request" in source
        yield from _waited_for(document) if asked else _nobody(document)
        for path, headers in find(document.value, "target.reply.headers"):
            for name in headers if isinstance(headers, dict) else ():
                if str(name).lower() in _SET_HERE:
                    yield document.problem((*path, name), "set by Causeway: leave it out")


def _waited_for(document: Document) -> Iterator[Problem]:
    for path, value in find(document.value, "flow.order_by"):
        if value is not None:
            yield document.problem(path, "goes not with `source.request`: a client that waits is in no order")
    for path, value in find(document.value, "flow.buffer"):
        if value == "stream":
            yield document.problem(path, "goes not with `source.request`: a client waits for no stream")


def _nobody(document: Document) -> Iterator[Problem]:
    for path, _ in find(document.value, "target.reply"):
        yield document.problem(path, "needs `source: {request: ...}`: there is no client to reply to")
