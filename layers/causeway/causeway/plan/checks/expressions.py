"""Expressions and the texts that hold them: what each place sees, and what stands where it cannot work."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from causeway.events import checking, texts
from causeway.events.envelope import SCOPE_FIELDS
from causeway.plan.finding import find
from causeway.plan.manifest.call import METHODS
from causeway.plan.problems import did_you_mean
from causeway.polling.paging import SEEN

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from causeway.plan.environments import Merged
    from causeway.plan.problems import KeyPath, Problem
    from causeway.plan.records import JSON
    from causeway.plan.yaml import Document

ANSWER = frozenset({"status", "headers", "body"})
"""What an expression over an answer sees."""

REQUEST = frozenset({"headers", "body", "claims"})
"""What an expression over a webhook sees, before it is an event."""

BEFORE_STEPS = SCOPE_FIELDS - {"steps"}
EVENT_ALONE = SCOPE_FIELDS - {"steps", "constants"}

WINDOW = frozenset({"since", "until"})
"""What a poll's call sees."""

CALLS = ("flow.steps.*", "target")
"""Where an integration calls."""

POLLS = "polls.*"
"""Where a system is polled."""

PATHS = tuple(f"{call}.{method}" for call in (*CALLS, POLLS) for method in METHODS)
"""Where the paths of calls stand."""

_IN_URLS = (*PATHS, *(f"{call}.query.**" for call in (*CALLS, POLLS)), "target.key")

QUESTIONS: dict[str, Collection[str] | None] = {
    "flow.filter": BEFORE_STEPS,
    "flow.order_by": BEFORE_STEPS,
    **{f"{call}.when": SCOPE_FIELDS for call in CALLS},
    **{f"{call}.{key}": ANSWER for call in CALLS for key in ("success_when", "retry_when")},
    **{f"api.{key}": ANSWER for key in ("success_when", "retry_when")},
    **{
        f"{POLLS}.{key}": ANSWER
        for key in (
            *("success_when", "retry_when", "records", "cursor.token"),
            *("paginate.next_url", "paginate.cursor", "paginate.stop_when"),
        )
    },
    **dict.fromkeys((f"{POLLS}.id", f"{POLLS}.version", f"{POLLS}.cursor.field"), None),
    **{
        f"{place}.{key}": REQUEST
        for place in ("webhooks", "webhooks.scheme", "webhooks.scheme.*")
        for key in ("id", "type", "split")
    },
}
"""Keys that are an expression as a whole, and what they see; None: a record, of which nothing is known."""

TEXTS: dict[str, Collection[str] | None] = {
    **dict.fromkeys(_IN_URLS, SCOPE_FIELDS),
    **dict.fromkeys((f"{POLLS}.{method}" for method in METHODS), WINDOW),
    **{f"{POLLS}.{part}.**": WINDOW for part in ("query", "headers", "body")},
    f"{POLLS}.event_type": None,
    **{f"{call}.{part}.**": SCOPE_FIELDS for call in CALLS for part in ("headers", "body")},
    **{f"target.reply.{part}.**": SCOPE_FIELDS for part in ("headers", "body")},
    "target.detail_type": SCOPE_FIELDS,
    "api.headers.*": EVENT_ALONE,
}
"""Where texts stand, and what their expressions see."""

LITERALS = (
    "constants.**",
    "api.base_url",
    "webhooks.base_url",
    "webhooks.reply.**",
    "owner.*",
    "source.events.*",
    f"{POLLS}.cursor.param",
    f"{POLLS}.cursor.start.**",
    *(f"{POLLS}.paginate.{key}" for key in ("param", "page", "offset")),
    "source.bus.**",
    *(f"target.{kind}" for kind in ("queue", "bus", "bucket")),
)
"""Where texts are taken as they are."""

_LOOKS_LIKE_A_PATH = re.compile(r"(data|steps|constants|headers)(\.[A-Za-z_]\w*|\[\d+\])+")


def check_expressions(merged: Merged) -> Iterator[Problem]:
    """Find expressions that can never be right, and texts that were meant otherwise."""
    for document in (*merged.systems.values(), *merged.integrations.values()):
        for pattern, fields in QUESTIONS.items():
            for path, value in find(document.value, pattern):
                yield from _question(document, path, value, fields)
        for pattern, fields in TEXTS.items():
            for path, value in find(document.value, pattern):
                if isinstance(value, str):
                    yield from _text(document, path, value, fields, in_url=pattern in _IN_URLS)
        for pattern in LITERALS:
            for path, value in find(document.value, pattern):
                if isinstance(value, str) and "${" in value:
                    yield document.problem(path, "taken as it is: no expression can stand here")


def _question(
    document: Document, path: KeyPath, value: JSON, fields: Collection[str] | None
) -> Iterator[Problem]:
    if not isinstance(value, str) or not value or (path[-1] == "stop_when" and value == SEEN):
        return
    if "${" in value:
        yield document.problem(path, "this key is an expression as a whole: write it without `${` and `}`")
        return
    yield from _expression(document, path, value, fields)


def _text(
    document: Document, path: KeyPath, text: str, fields: Collection[str] | None, *, in_url: bool
) -> Iterator[Problem]:
    try:
        embedded = texts.check(text)
    except texts.TextError as error:
        yield document.problem(path, error.problem)
        return
    for part in embedded:
        yield from _expression(document, path, part.expression, fields)
    if in_url and any(part.quoted for part in embedded):
        yield document.problem(
            path,
            "an expression between quotes: URL-encoding does not make it safe in a query language",
            "warning",
        )
    if _LOOKS_LIKE_A_PATH.fullmatch(text):
        yield document.problem(path, f"a text, sent as it is; to send the value write ${{{text}}}", "warning")


def _expression(
    document: Document, path: KeyPath, expression: str, fields: Collection[str] | None
) -> Iterator[Problem]:
    findings = checking.check(expression, fields=fields)
    for error in findings.errors:
        yield document.problem(path, f"`{expression}`: {error}")
    for root, name in sorted(findings.references):
        known = _known(document, path, root) if fields and root in fields else None
        if known is not None and name not in known.names:
            yield document.problem(path, f"`{expression}`: {known.wrong(name)}")


class _Known(NamedTuple):
    """The names below a root that expressions at one place may use."""

    root: str
    names: Collection[str]
    later: Collection[str] = ()

    def wrong(self, name: str) -> str:
        if name in self.later:
            return f"the step {name!r} is not done yet here: it comes later"
        return f"there is no {self.root}.{name}; {did_you_mean(name, self.names)}"


def _known(document: Document, path: KeyPath, root: str) -> _Known | None:
    if root == "constants":
        constants = document.value.get("constants")
        return _Known(root, constants if isinstance(constants, dict) else ())
    if root != "steps":
        return None
    steps = [str(name) for _, name in find(document.value, "flow.steps.*.name")]
    done = int(path[2]) if path[:2] == ("flow", "steps") else len(steps)
    return _Known(root, steps[:done], steps[done:])
