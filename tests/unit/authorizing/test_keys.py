"""API keys: shown once, kept as hashes, good until they are expired or revoked."""

from __future__ import annotations

import json

import pytest

from causeway.authorizing import keys as keys_module
from causeway.authorizing.clients import Client, Refused
from causeway.authorizing.keys import BadKeyRequestError, Keys
from causeway.aws.table import Table
from causeway.settings.clock import SettableClock
from tests.support.memory_aws import MemoryAws

DAY = 86400.0


@pytest.fixture
def clock():
    return SettableClock()


@pytest.fixture
def memory(clock):
    return MemoryAws(clock)


@pytest.fixture
def keys(memory, clock):
    return Keys(Table(memory, "state"), clock)


def make(keys, client="billing", scopes=("requests:call",), good_for=DAY):
    return keys.create(client, scopes=scopes, good_for=good_for, by="ann")


def rule_of(keys, text):
    with pytest.raises(Refused) as refused:
        keys.client_of(text)
    return refused.value.rule


def test_a_key_lets_its_client_in_with_its_scopes(keys):
    text, _ = make(keys, scopes=["console:read", "requests:call"])
    assert keys.client_of(text) == Client("key:billing", frozenset({"requests:call", "console:read"}))


def test_only_a_hash_of_a_key_is_kept(keys, memory):
    text, key = make(keys)
    stored = json.dumps(memory.tables["state"]["key#all", key.id])
    assert text.split("_", 2)[2] not in stored


def test_a_key_is_good_until_it_is_expired(keys, clock):
    text, key = make(keys, good_for=DAY)
    clock.set(key.expires_at - 1)
    assert keys.client_of(text)
    clock.set(key.expires_at)
    assert rule_of(keys, text) == "expired"


def test_a_revoked_key_is_good_no_longer_and_is_listed_with_who_revoked_it(keys, clock):
    text, key = make(keys)
    clock.advance(5)
    revoked = keys.revoke(key.id, by="bob")
    assert rule_of(keys, text) == "revoked"
    assert (revoked.revoked_by, revoked.revoked_at) == ("bob", clock.now())
    assert keys.all() == [revoked]


def test_revoking_again_changes_nothing(keys, clock):
    _, key = make(keys)
    first = keys.revoke(key.id, by="bob")
    clock.advance(5)
    assert keys.revoke(key.id, by="eve") == first


def test_a_key_that_is_not_there_cannot_be_revoked(keys, memory):
    with pytest.raises(BadKeyRequestError, match="causeway keys list"):
        keys.revoke("0" * 16, by="bob")
    assert not memory.tables["state"]


def test_a_client_rotates_with_two_keys_and_never_has_three(keys, clock):
    first, key = make(keys)
    second, _ = make(keys)
    assert keys.client_of(first) == keys.client_of(second)
    with pytest.raises(BadKeyRequestError, match=key.id):
        make(keys)
    keys.revoke(key.id, by="ann")
    make(keys)
    make(keys, client="other")
    clock.advance(DAY)
    make(keys)  # those before are expired


@pytest.mark.parametrize(
    "wrong",
    [
        {"client": "Billing"},
        {"client": ""},
        {"client": "a" * 49},
        {"scopes": []},
        {"scopes": ["requests:call", "admin"]},
        {"good_for": 0},
    ],
)
def test_a_key_that_makes_no_sense_is_not_made(keys, memory, wrong):
    with pytest.raises(BadKeyRequestError):
        make(keys, **wrong)
    assert not memory.tables["state"]


def test_the_right_id_with_another_secret_is_refused(keys):
    first, _ = make(keys)
    second, _ = make(keys)
    assert rule_of(keys, first[:-43] + second[-43:]) == "key"


@pytest.mark.parametrize(
    "text",
    ["", "causeway_", "causeway_0123456789abcdef_", "causeway_0123456789abcdef_" + "A" * 43 + "\n",
     "causeway_" + "é" * 16 + "_" + "A" * 43],
)  # fmt: skip
def test_what_is_no_key_is_refused_without_asking_the_table(keys, memory, text):
    assert rule_of(keys, text) == "key"
    assert not memory.calls


def test_an_unknown_id_costs_the_same_comparison(keys, monkeypatch):
    compared = []
    real = keys_module.hmac.compare_digest
    monkeypatch.setattr(
        keys_module.hmac, "compare_digest", lambda a, b: compared.append(len(b)) or real(a, b)
    )
    assert rule_of(keys, "causeway_0123456789abcdef_" + "A" * 43) == "key"
    assert compared == [64]


def test_a_call_with_a_key_reads_once_and_writes_nothing(keys, memory):
    text, _ = make(keys)
    memory.calls.clear()
    keys.client_of(text)
    assert memory.calls == [("dynamodb", "GetItem")]
