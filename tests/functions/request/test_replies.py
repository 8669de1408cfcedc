"""Replies: what a client is given back, of a target, of steps or of the map alone, and for how long it is kept."""

from __future__ import annotations

import json

import pytest

from causeway.delivery.beside import REPLY_FOR
from tests.support.deliveries import call_of
from tests.support.requests import Asking, is_problem, plan_for, request_of, staged


def test_a_reply_can_be_made_of_the_map_alone():
    reply = {
        "status": 203,
        "headers": {"X-Kind": "${type}"},
        "content": "json",
        "body": {"sum": "${data.total}"},
    }
    stage = Asking(plan_for(target={"reply": reply}))
    got = stage.ask({"total": 9})
    assert (got.status, got.body, got.headers["x-kind"]) == (203, {"sum": 9}, "request")
    assert not stage.target.asked


@pytest.mark.parametrize(
    ("content", "body", "type_", "text"),
    [
        ("text", "hello ${data.name}", "text/plain; charset=utf-8", "hello ann"),
        ("form", {"a": "${data.name}"}, "application/x-www-form-urlencoded", "a=ann"),
        ("ndjson", ["${data}"], "application/x-ndjson", '{"name":"ann"}\n'),
    ],
)
def test_a_reply_is_written_as_it_says(content, body, type_, text):
    words = {"status": 200, "headers": {}, "content": content, "body": body}
    stage = Asking(plan_for(target={"reply": words}))
    answer = stage.requests.answer(request_of({"name": "ann"}), _context(stage))
    assert (answer["headers"]["content-type"], answer["body"]) == (type_, text)


def _context(stage):
    from tests.support.deliveries import Context

    return Context(stage.clock, "direct", 29.0)


def test_a_reply_of_steps_needs_no_target():
    steps = [{"name": "account", "call": call_of("/accounts", method="GET")}]
    words = {"status": 200, "headers": {}, "content": "json", "body": "${steps.account.body}"}
    stage = Asking(plan_for(target={"reply": words}, steps=steps))
    stage.target.on("/accounts", (200, {"id": 1}))
    assert stage.ask().body == {"id": 1}


def test_a_step_that_is_refused_for_good_is_502_and_its_answer_stays_here():
    steps = [{"name": "account", "call": call_of("/accounts", method="GET")}]
    stage = Asking(plan_for(steps=steps))
    stage.target.on("/accounts", (404, {"hush": "hush"}))
    reply = stage.ask()
    assert is_problem(reply, 502)
    assert "hush" not in json.dumps(reply.body)


def test_a_filtered_request_is_answered_so():
    stage = Asking(plan_for(filter="data.total > `100`"))
    reply = stage.ask()
    assert (reply.status, reply.body["outcome"]) == (200, "filtered")


def test_a_target_that_is_no_system_is_answered_with_the_deliverys_id():
    stage = Asking(plan_for(target={"queue": {"name": "jobs", "body": "${data}"}}))
    reply = stage.ask()
    assert (reply.status, reply.body) == (200, {"id": reply.delivery, "outcome": "delivered"})
    assert stage.memory.queues["https://sqs/jobs"]


@pytest.mark.parametrize("status", [204, 304])
def test_what_has_no_body_is_answered_without(status):
    stage = staged((status, {"ignored": 1}), target=call_of(success_when="status < `400`"))
    reply = stage.ask()
    assert (reply.status, reply.body) == (status, "")


def test_large_replies_are_kept_in_the_bucket():
    stage = staged((200, {"text": "x" * 100_000}))
    reply = stage.ask(idempotency_key="k1")
    assert stage.memory.objects
    assert stage.ask(idempotency_key="k1").body == reply.body


def test_a_reply_is_kept_for_a_day_and_the_delivery_is_known_for_longer(stage):
    reply = stage.ask(idempotency_key="k1")
    stage.clock.advance(REPLY_FOR - 1)
    assert stage.look(reply.delivery).status == 201
    stage.clock.advance(1)
    assert is_problem(stage.look(reply.delivery), 410)
    assert is_problem(stage.ask(idempotency_key="k1"), 410)
    assert len(stage.target.asked) == 1
