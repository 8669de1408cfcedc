"""Steps and target of one delivery, in order.

A retry resumes after the last step that changed something: when such a step is done, its answer and those of
the steps before it are kept before the next one begins. What only reads (``get``, ``reads: true``, ``run``)
and came after it is done again, so that after a lost answer a look-up finds what the lost call made.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from causeway.delivery import transforms
from causeway.delivery.targets import place_of
from causeway.events.envelope import scope_of
from causeway.events.expressions import ask

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from causeway.calls.outcome import Answer
    from causeway.delivery.targets import Place
    from causeway.events.envelope import Event
    from causeway.plan.records import JSON, Integration, Step


class Carrier(Protocol):
    """Sends something of this delivery; raises what :meth:`causeway.delivery.targets.Kind.send` does."""

    def __call__(self, place: Place, scope: Mapping[str, JSON], *, step: str | None) -> Answer:
        """Send to this place; ``step`` is the step's name, None for the target."""


@dataclass
class Progress:
    """How far a delivery has come."""

    answers: dict[str, JSON] = field(default_factory=dict)  # by step, what expressions see of it
    at: str | None = None  # the step under way; None: the target

    @property
    def done(self) -> list[str]:
        """The steps that were carried out; a skipped one's answer is null."""
        return [name for name, answer in self.answers.items() if answer is not None]


def carry_out(
    integration: Integration,
    event: Event,
    progress: Progress,
    *,
    carry: Carrier,
    keep: Callable[[dict[str, JSON]], None],
) -> Answer | None:
    """Do what is left of a delivery.

    Args:
        integration: What is to be done.
        event: With what.
        progress: Where to resume; it moves on.
        carry: Calls, or sends to the target.
        keep: Keeps the answers so far, since a step has changed something.

    Returns:
        The target's answer; None when its ``when`` was false.

    Raises:
        Refused: a system refused, or could not be reached.
        ExpressionError: the map cannot be evaluated on this event.
        TransformFailed: a ``run`` failed.
    """
    constants = integration["constants"]
    for step in _left(integration["steps"], progress):
        name = progress.at = step["name"]
        scope = scope_of(event, constants, progress.answers)
        question = step["call"].get("when") if "call" in step else step.get("when")
        if question is not None and not ask(question, scope):
            progress.answers[name] = None
        elif "run" in step:
            progress.answers[name] = transforms.run(step["run"], scope)
        else:
            progress.answers[name] = carry(place_of(step), scope, step=name).scope
            if not step["call"]["reads"]:
                keep(progress.answers)
    progress.at = None
    place = place_of(integration["target"])
    scope = scope_of(event, constants, progress.answers)
    if place.when is not None and not ask(place.when, scope):
        return None
    return carry(place, scope, step=None)


def own_headers(key: str, event: Event, *, step: str | None, attempt: int) -> dict[str, str]:
    """What every call of a delivery says of itself: on each attempt the same, but for the attempt's number.

    Args:
        key: Its idempotency key.
        event: What it delivers.
        step: The step that calls; None: the target.
        attempt: From 1.
    """
    return {
        "Idempotency-Key": f"{key}/{step}" if step else key,
        "Causeway-Event-Id": "".join(each if " " < each < "\x7f" else "?" for each in event["id"]),
        "Causeway-Attempt": str(attempt),
    }


def resumable(steps: list[Step] | None, answers: dict[str, JSON]) -> dict[str, JSON]:
    """Of kept answers those up to the last step that changed something: what only reads is done again.

    Args:
        steps: The integration's; None: nothing was called since, so all are as good as they were.
        answers: By step.
    """
    names = [step["name"] for step in steps or () if step["name"] in answers]
    changed = [step["name"] for step in steps or () if "call" in step and not step["call"]["reads"]]
    while names and not (names[-1] in changed and answers[names[-1]] is not None):
        answers = {name: answer for name, answer in answers.items() if name != names[-1]}
        names.pop()
    return answers


def _left(steps: list[Step], progress: Progress) -> list[Step]:
    """The steps after the last one whose answer is kept. Steps that the plan no longer has do not count."""
    kept = [place for place, step in enumerate(steps, 1) if step["name"] in progress.answers]
    return steps[kept[-1] :] if kept else steps
