"""The engine and the providers' own verifiers agree on every vector."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from causeway.webhooks.schemes import SCHEMES
from causeway_cli.vectors import check, read_vectors
from tests.conformance.make_vectors import DIRECTORY, make
from tests.conformance.oracles import verdict
from tests.conformance.running import accepts, events_of

if TYPE_CHECKING:
    from tests.conformance.deliveries import Vector

ALL = [
    vector for path in sorted(DIRECTORY.glob("*.json")) for vector in json.loads(path.read_bytes())["vectors"]
]
OWN = [vector for vector in ALL if vector.get("kind") != "handshake"]
HERE = [vector for vector in OWN if vector["provider"] in SCHEMES]
FURTHER = Path(os.environ["CAUSEWAY_VECTORS"]) if "CAUSEWAY_VECTORS" in os.environ else None
"""More vectors, in the format of ours, which is that of ``causeway verify --vectors``."""
GIVEN = [
    vector
    for vector in (json.loads(FURTHER.read_bytes())["vectors"] if FURTHER else [])
    if vector["provider"] in SCHEMES and vector.get("kind") != "handshake"
]


@pytest.mark.parametrize("vector", HERE, ids=lambda vector: vector["id"])
def test_the_engine_gives_the_vectors_verdict(vector: Vector):
    assert accepts(vector) is vector["valid"]


def test_the_providers_own_verifiers_say_what_the_vectors_say_of_them():
    """A vector on which we are stricter than they are says why."""
    for vector in OWN:
        assert verdict(vector) == vector["oracle_verdict"], vector["id"]
        assert vector["valid"] is (vector["oracle_verdict"] == "accepts") or "policy" in vector, vector["id"]


@pytest.mark.parametrize(
    "vector", [each for each in HERE if "expected_events" in each], ids=lambda vector: vector["id"]
)
def test_a_valid_vector_brings_the_events_that_it_names(vector: Vector):
    told = events_of(vector)
    assert len({each.id for each in told}) == len(told) == len(vector["expected_events"])
    for each, (identity, kind) in zip(told, vector["expected_events"], strict=True):
        assert identity is None or each.id == identity
        assert each.type == (kind or "event")


@pytest.mark.parametrize("path", sorted(DIRECTORY.glob("*.json")), ids=lambda path: path.stem)
def test_the_command_that_checks_vectors_agrees(path: Path):
    """First contacts and their answers are tried by it, too."""
    told = [each for each in read_vectors(path) if not each["valid"] or "expected_event_id" in each]
    checked = [check(vector) for vector in told if "body_base64" not in vector]
    assert [each.verdict.id for each in checked if each.differences] == []


def test_making_the_vectors_again_makes_the_same():
    files = {path.stem: json.loads(path.read_bytes())["vectors"] for path in DIRECTORY.glob("*.json")}
    assert files == make()


def test_every_built_in_scheme_has_vectors():
    assert {vector["provider"] for vector in OWN if vector["valid"]} == set(SCHEMES)


@pytest.mark.parametrize("vector", GIVEN, ids=lambda vector: vector["id"])
def test_given_vectors(vector: Vector):
    """Of those whose verdict is a recommendation (``policy``) the strict one holds: they are rejected."""
    assert accepts(vector) is (vector["valid"] and not vector.get("policy"))
