"""Signature schemes: a name must be known, and what is spelled out must be something the engine can do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from causeway.plan.checks.signing import check_sending
from causeway.plan.finding import find
from causeway.plan.manifest.scheme import Algorithm
from causeway.plan.problems import did_you_mean
from causeway.webhooks.compiled import check
from causeway.webhooks.patterns import SchemeError
from causeway.webhooks.schemes import SCHEMES

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from causeway.plan.environments import Merged
    from causeway.plan.problems import KeyPath, Problem
    from causeway.plan.records import JSON, Scheme
    from causeway.plan.yaml import Document


def check_schemes(merged: Merged) -> Iterator[Problem]:
    """Find schemes that nothing can be verified with, or that cannot sign what is sent."""
    for document in merged.systems.values():
        for pattern, sends in (("webhooks.scheme", False), ("api.signing.scheme", True)):
            for path, value in find(document.value, pattern):
                parts = enumerate(value) if isinstance(value, list) else [(None, value)]
                for index, part in parts:
                    yield from _one(document, path if index is None else (*path, index), part, sends=sends)


def _one(document: Document, path: KeyPath, value: JSON, *, sends: bool) -> Iterator[Problem]:
    if isinstance(value, str):
        records = SCHEMES.get(value, [])
        if not records:
            yield document.problem(
                path, f"there is no built-in scheme {value!r}; {did_you_mean(value, SCHEMES)}"
            )
    else:
        records = yield from _spelled_out(document, path, value)
    if sends and records:
        yield from check_sending(document, path, value, records)


def _spelled_out(document: Document, path: KeyPath, value: JSON) -> Generator[Problem, None, list[Scheme]]:
    """What is wrong with a scheme that is no name; returns its record, if nothing is."""
    if not isinstance(value, dict) or value.get("algorithm", "jwt") not in get_args(Algorithm):
        return []  # which the manifest's model tells
    try:
        record = spelled_out(value)
        check(record)
    except SchemeError as error:
        key, _, message = str(error).partition(": ")
        yield document.problem((*path, *key.split(".")), message)
    except (TypeError, AttributeError, KeyError, ValueError):
        pass  # a value of the wrong kind, which the manifest's model tells
    else:
        return [record]
    return []


def spelled_out(written: Any) -> Scheme:
    """The record of a scheme as a manifest spells it out: nothing absent, header names in lower case."""
    record: Any = {
        key: spelled_out(value) if isinstance(value, dict) else value.lower() if key == "header" else value
        for key, value in written.items()
        if value is not None
    }
    if "timestamp" in record:
        record["timestamp"].setdefault("unit", "s")
    scheme: Scheme = record
    return scheme
