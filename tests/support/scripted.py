"""Clients of AWS that say something else to the next calls: what a service at its limits answers."""

from collections.abc import Callable
from typing import Any

Refusing = Callable[[dict[str, Any], Any], tuple[dict[str, Any] | None, dict[str, Any]]]
"""Of a request and what is refused of it: what is left of the request, if anything, and the answer to it."""


class Scripted:
    """A client; to its next calls it says instead: an error, or what is refused. None lets a call through."""

    def __init__(self, aws, *script, refusing: Refusing):
        self._aws = aws
        self._refusing = refusing
        self.script = list(script)
        self.calls = []

    def call(self, service, operation, parameters):
        self.calls.append(parameters)
        instead = self.script.pop(0) if self.script else None
        if isinstance(instead, Exception):
            raise instead
        if instead is None:
            return self._aws.call(service, operation, parameters)
        taken, answer = self._refusing(parameters, instead)
        if taken:
            self._aws.call(service, operation, taken)
        return answer

    def __getattr__(self, name):
        return getattr(self._aws, name)


def by_sqs(parameters, refused):
    """Refused: by an entry's id its code, and whether it is the sender's fault."""
    taken = [each for each in parameters["Entries"] if each["Id"] not in refused]
    failed = [{"Id": id_, "Code": code, "SenderFault": fault} for id_, (code, fault) in refused.items()]
    return {**parameters, "Entries": taken} if taken else None, {"Failed": failed}


def by_kinesis(parameters, refused):
    """Refused: by a record's place its code."""
    records = parameters["Records"]
    taken = [each for place, each in enumerate(records) if place not in refused]
    codes = [refused.get(place) for place in range(len(records))]
    answers = [{"ErrorCode": code} if code else {"SequenceNumber": "1"} for code in codes]
    left = {**parameters, "Records": taken} if taken else None
    return left, {"FailedRecordCount": len(refused), "Records": answers}
