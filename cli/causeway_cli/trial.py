"""What an integration would do with one event: its own code runs, its calls are written down and not sent."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

from causeway.bus import patterns
from causeway.bus.receiving import entry_of
from causeway.calls.outcome import Answer, Refused, judge
from causeway.delivery.steps import Progress, carry_out, own_headers
from causeway.delivery.targets.sending import About
from causeway.delivery.transforms import TransformFailed, TransformMissing
from causeway.events.envelope import scope_of
from causeway.events.expressions import ExpressionError, ask
from causeway.events.identity import delivery_id
from causeway.events.matching import matches
from causeway.events.ordering import key_of
from causeway.plan.sources import system_of, taken_by

if TYPE_CHECKING:
    from collections.abc import Mapping

    from causeway.delivery.targets import Place, sending
    from causeway.events.envelope import Event
    from causeway.plan.plan import Plan
    from causeway.plan.records import JSON, Integration, Source

TARGET = "target"
"""The name under which an answer of the target is given."""

Outcome = Literal["unmatched", "filtered", "skipped", "delivered", "retried", "dead", "unanswered"]

GOOD: tuple[Outcome, ...] = ("unmatched", "filtered", "skipped", "delivered")
"""Outcomes that the map can mean; the others are something to look at."""


@dataclass(frozen=True)
class Shown:
    """A request as it would be sent, with the names of secrets in their stead."""

    step: str | None  # None: the target
    system: str  # or the target that is none: ``bucket lake``
    method: str
    url: str
    headers: dict[str, str]
    body: str | None

    @property
    def is_json(self) -> bool:
        """Whether the body is sent as JSON."""
        return self.headers.get("Content-Type") == "application/json"


@dataclass
class Trial:
    """What became of one event."""

    event: Event
    outcome: Outcome = "delivered"
    reason: str = ""
    order_key: str | None = None  # None: the integration keeps no order
    requests: list[Shown] = field(default_factory=list)
    progress: Progress = field(default_factory=Progress)


class UnansweredError(Exception):
    """A call of a step would be sent here, and no answer was given for it."""


def run(plan: Plan, integration: Integration, event: Event, answers: Mapping[str, Answer]) -> Trial:
    """Try an integration on an event.

    Args:
        plan: of the environment.
        integration: which one of it.
        event: what came.
        answers: by the names of steps that call, and ``target``.
    """
    trial = Trial(event)
    try:
        _run(plan, integration, trial, answers)
    except UnansweredError as error:
        trial.outcome, trial.reason = "unanswered", str(error)
    except Refused as error:
        trial.outcome, trial.reason = ("retried" if error.retry else "dead"), error.reason
    except (ExpressionError, TransformFailed, TransformMissing) as error:
        trial.outcome, trial.reason = "dead", str(error)
    return trial


def _run(plan: Plan, integration: Integration, trial: Trial, answers: Mapping[str, Answer]) -> None:
    event = trial.event
    if not _is_taken(integration["source"], event):
        taken = taken_by(integration["source"])
        trial.outcome, trial.reason = "unmatched", f"it takes {taken}, and this is {event['type']}"
        return
    question = integration.get("filter")
    if question is not None and not ask(question, scope_of(event, integration["constants"], {})):
        trial.outcome, trial.reason = "filtered", f"the filter is false: {question}"
        return
    trial.order_key = key_of(integration, event)
    carrier = _Carrier(plan, integration, trial, answers)
    if carry_out(integration, event, trial.progress, carry=carrier, keep=lambda _: None) is None:
        trial.outcome, trial.reason = "skipped", "the target's `when` is false"


def _is_taken(source: Source, event: Event) -> bool:
    if "bus" in source:
        return patterns.matches(source["bus"], entry_of(event))
    return "events" not in source or matches(source["events"], event["type"])


class _Carrier:
    """Stands where calls are sent: shows the request, and gives the answer that was given for it."""

    def __init__(
        self, plan: Plan, integration: Integration, trial: Trial, answers: Mapping[str, Answer]
    ) -> None:
        self._plan = plan
        self._trial = trial
        self._answers = answers
        self._integration = integration["name"]
        event = trial.event
        self._id = delivery_id(system_of(integration["source"]), event["id"], integration["name"])

    def __call__(self, place: Place, scope: Mapping[str, JSON], *, step: str | None) -> Answer:
        headers = own_headers(self._id, self._trial.event, step=step, attempt=1)
        about = About(self._id, self._integration, headers)
        shown = place.kind.show(place.words, scope, about, self._plan.systems)
        self._trial.requests.append(_shown(step, place.receiver, shown))
        answer = self._answers.get(step or TARGET)
        if answer is not None:
            judge(place.words, answer, now=0.0)  # only calls are answered
        elif step:
            raise UnansweredError(f"no answer is given for the step {step}, so nothing after it can be shown")
        return answer or Answer(status=200, headers={}, body=None, seconds=0.0)


def _shown(step: str | None, receiver: str, sent: sending.Shown) -> Shown:
    return Shown(
        step=step,
        system=receiver,
        method=sent.method,
        url=_readable(sent.url),
        headers={name: _decoded(value) for name, value in sent.headers.items()},
        body=sent.body,
    )


def _readable(url: str) -> str:
    """A URL in which placeholders are not encoded."""
    opening, space, closing = quote("<secret "), quote(" "), quote(">")
    before, found, after = url.partition(opening)
    if not found:
        return url
    name, _, rest = after.partition(closing)
    return f"{before}<secret {name.replace(space, ' ').replace('%2F', '/')}>{_readable(rest)}"


def _decoded(value: str) -> str:
    """A header in which a placeholder can be read, also where it is part of what is encoded."""
    kind, _, encoded = value.partition(" ")
    if kind == "Basic":
        try:
            return f"Basic base64({base64.b64decode(encoded, validate=True).decode()})"
        except (binascii.Error, UnicodeDecodeError):
            return value
    return value


def as_json(trial: Trial) -> dict[str, JSON]:
    """A trial for programs: bodies of JSON are JSON, other ones are texts."""
    event = trial.event
    return {
        "event": {name: event[name] for name in ("id", "type", "source")},
        "outcome": trial.outcome,
        "reason": trial.reason,
        "order_key": trial.order_key,
        "steps": trial.progress.answers,
        "requests": [
            {
                "step": request.step,
                "system": request.system,
                "method": request.method,
                "url": request.url,
                "headers": request.headers,
                "body": json.loads(request.body) if request.body and request.is_json else request.body,
            }
            for request in trial.requests
        ],
    }
