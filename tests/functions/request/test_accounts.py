"""What a request costs, and how the books count it."""

from __future__ import annotations

import json

from causeway.delivery.pages import Pages
from causeway.operations import books
from tests.support.requests import NAME, Asking, balance, plan_for


def test_each_answer_is_counted_once(stage, capsys):
    stage.ask(idempotency_key="k1")
    stage.ask(idempotency_key="k1")
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    accepted = [line["accepted"] for line in lines if line.get("message") == "received"]
    assert accepted == [{NAME: 1}]
    assert len(stage.pages()[0]) == 1


def test_a_request_that_was_withdrawn_is_in_the_books_of_the_hour_in_which_it_is_asked_again(capsys):
    stage = Asking(plan_for(otherwise="refuse", wait=3.0))
    stage.target.on("/entries", "timeout", 201)
    assert stage.ask(idempotency_key="k1").status == 504
    stage.clock.advance(books.HOUR)
    assert stage.ask(idempotency_key="k1").status == 201
    assert balance(stage, capsys) == [(0, 0), (1, 1)]


def test_a_request_whose_delivery_could_not_be_listed_is_not_in_the_books(stage, monkeypatch, capsys):
    monkeypatch.setattr(Pages, "write", lambda _: ["request"])
    assert stage.ask().status == 201
    assert balance(stage, capsys) == [(0, 0)]


def test_the_happy_path_of_a_request_with_a_key_costs_two_reads_and_four_writes(stage):
    """A look for the key and the pause; the claim, the reply, what it came to, and a line for the books."""
    stage.ask()
    stage.memory.calls.clear()
    stage.ask(idempotency_key="k1")
    calls = [call[1] for call in stage.memory.calls]
    assert calls.count("UpdateItem") + calls.count("PutItem") == 4
    assert stage.memory.count("sqs") == 0
