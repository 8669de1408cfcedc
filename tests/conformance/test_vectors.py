"""The engine and the providers' own verifiers agree on every vector."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from causeway.events.envelope import read_body
from causeway.webhooks.identity import read_events
from causeway.webhooks.schemes import SCHEMES
from causeway.webhooks.verify import Rejected, SignedRequest, Verified, verify
from tests.conformance.make_vectors import DIRECTORY, make
from tests.support.oracles import body_of, verdict

if TYPE_CHECKING:
    from causeway.webhooks.identity import Told
    from tests.support.oracles import Vector

OWN = [
    vector for path in sorted(DIRECTORY.glob("*.json")) for vector in json.loads(path.read_bytes())["vectors"]
]
FURTHER = Path(os.environ["CAUSEWAY_VECTORS"]) if "CAUSEWAY_VECTORS" in os.environ else None
"""More vectors, in the format of ours (``id``, ``provider``, ``secret``, ``url``, ``method``, ``headers``, ``body``, ``now``,
``valid``, ``policy``, ``expected_event_id``, ``expected_event_type``): those of the built-in schemes are tried, too."""
GIVEN = [
    vector
    for vector in (json.loads(FURTHER.read_bytes())["vectors"] if FURTHER else [])
    if vector["provider"] in SCHEMES
]


def verified(vector: Vector) -> Verified:
    headers = {name.lower(): value for name, value in vector["headers"].items()}
    request = SignedRequest(vector.get("method", "POST"), vector.get("url", ""), headers, body_of(vector))
    return verify(SCHEMES[vector["provider"]], request, [vector["secret"]], tolerance=300, now=vector["now"])


def accepts(vector: Vector) -> bool:
    try:
        verified(vector)
    except Rejected:
        return False
    return True


def event_of(vector: Vector) -> Told:
    proof = verified(vector)
    headers = {name.lower(): value for name, value in vector["headers"].items()}
    request = SignedRequest("POST", "", headers, body_of(vector))
    body = read_body(request.body, headers.get("content-type"))
    webhooks = {"schemes": [], "secrets": [], "tolerance": 300.0, "dedupe_for": 0.0}
    [told] = read_events(webhooks, proof.scheme, request, body, proof.timestamp).events
    return told


@pytest.mark.parametrize("vector", OWN, ids=lambda vector: vector["id"])
def test_the_engine_gives_the_vectors_verdict(vector: Vector):
    assert accepts(vector) is vector["valid"]


@pytest.mark.parametrize("vector", OWN, ids=lambda vector: vector["id"])
def test_the_providers_own_verifier_says_what_the_vector_says_of_it(vector: Vector):
    assert verdict(vector) == vector["oracle_verdict"]
    assert vector["valid"] is (vector["oracle_verdict"] == "accepts") or "policy" in vector


@pytest.mark.parametrize("vector", [each for each in OWN if each["valid"]], ids=lambda vector: vector["id"])
def test_a_valid_vector_brings_the_event_that_it_names(vector: Vector):
    told = event_of(vector)
    assert told.id == (vector.get("expected_event_id") or told.id)
    assert told.type == (vector.get("expected_event_type") or told.type)


def test_making_the_vectors_again_makes_the_same():
    files = {path.stem: json.loads(path.read_bytes())["vectors"] for path in DIRECTORY.glob("*.json")}
    assert files == make()


def test_every_built_in_scheme_has_vectors():
    assert {vector["provider"] for vector in OWN if vector["valid"]} == set(SCHEMES)


@pytest.mark.parametrize("vector", GIVEN, ids=lambda vector: vector["id"])
def test_given_vectors(vector: Vector):
    """Of those whose verdict is a recommendation (``policy``) the strict one holds: they are rejected."""
    assert accepts(vector) is (vector["valid"] and not vector.get("policy"))


@pytest.mark.parametrize(
    "vector",
    [each for each in GIVEN if each["valid"] and not each.get("policy")],
    ids=lambda vector: vector["id"],
)
def test_given_valid_vectors_bring_the_event_that_they_name(vector: Vector):
    told = event_of(vector)
    assert told.id == (vector["expected_event_id"] or told.id)
    assert told.type == (vector["expected_event_type"] or told.type)
