"""The lines from which the books are kept: whole however much one request brings, and each of a size that is kept."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from causeway.acceptance.acceptor import Acceptor
from causeway.acceptance.lines import LINE, PART, Accepted, parts, read
from causeway.events.envelope import make_event
from causeway.telemetry.metrics import Metrics

NOW = 1_700_000_000.0
TAKERS = ({"name": "a", "constants": {}}, {"name": "b", "constants": {}, "filter": "id == '0'"})


class Store:
    def __init__(self):
        self.messages = []

    def send(self, messages):
        self.messages += messages


def accept(count, capsys, id_=str):
    """What is stored of so many events, and the lines that say so."""
    store = Store()
    events = [make_event(id=id_(each), type="t", source="shop", time="") for each in range(count)]
    Acceptor(store, Metrics()).accept(events, lambda _: TAKERS, system="shop", now=NOW, answer=200)
    return store.messages, capsys.readouterr().out.splitlines()


@pytest.mark.parametrize("count", [1, PART - 1, PART, 3 * PART + 7])
def test_they_name_each_delivery_that_is_stored_and_no_other(count, capsys):
    messages, texts = accept(count, capsys)
    found = list(read(texts))
    assert {at for at, _ in found} == {NOW}
    named = [(name, *each) for _, by in found for name, rows in by.items() for each in rows]
    assert sorted(named) == sorted(
        (each["integration"], each["delivery"], each["acceptance"], each["event"]["id"]) for each in messages
    )


@pytest.mark.parametrize("count", [0, 1, 3 * PART + 7])
def test_what_they_count_adds_up_to_what_one_line_would_say(count, capsys):
    messages, texts = accept(count, capsys)
    lines = [json.loads(text) for text in texts]
    assert len(lines) == max(1, -(-len(messages) // PART))
    assert sum(line["events"] for line in lines) == count
    total = {
        name: sum((Counter(line[name]) for line in lines), Counter()) for name in ("accepted", "filtered")
    }
    assert total["accepted"].total() == len(messages)
    assert total["filtered"].total() == max(0, count - 1)
    assert {(line["message"], line["system"], line["answer"]) for line in lines} == {(LINE, "shop", 200)}


def test_each_is_kept_whole_by_cloudwatch_logs(capsys):
    """Ids are as long as they get: those of requests, of a client's name and a key of 255 characters, quoted."""
    _, texts = accept(2 * PART, capsys, id_=lambda each: f"{each:0900d}")
    assert len(texts) == 2
    assert max(map(len, texts)) < 256_000


def test_lines_of_others_are_passed_over():
    assert (
        list(read(["START x", "7", "[]", json.dumps({"message": "batch"}), json.dumps({"message": LINE})]))
        == []
    )
    (part,) = parts([])
    assert part == {"accepted": {}, "deliveries": {}}


def test_a_delivery_is_known_by_both_its_ids():
    assert Accepted("d", "a", "evt").pair != Accepted("d", "b", "evt").pair != Accepted("c", "b", "evt").pair
