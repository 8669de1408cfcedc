"""Requests: what a client is answered, and what goes on without it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from causeway.delivery.going_on import message_of
from causeway.limiting.health import Health
from causeway.requests.answering import patience
from tests.support.deliveries import QUEUE, call_of
from tests.support.requests import (
    CREATED,
    NAME,
    Asking,
    balance,
    history,
    is_problem,
    plan_for,
    request_of,
    staged,
)


def test_a_client_gets_the_targets_status_and_body_and_of_its_headers_the_content_type_alone(stage):
    reply = stage.ask({"total": 7})
    assert (reply.status, reply.body) == (201, {"id": "entry-1"})
    assert set(reply.headers) == {"content-type", "idempotency-key", "causeway-delivery"}
    (asked,) = stage.target.asked
    assert asked.body == {"total": 7}
    assert asked.headers["idempotency-key"] == reply.delivery
    assert stage.item(reply.delivery)["status"] == "delivered"


def test_what_the_map_sees_of_a_request_holds_no_credential(stage):
    stage.deploy(plan_for(target=call_of(body={"all": "${headers}", "type": "${type}", "from": "${source}"})))
    stage.ask(idempotency_key="k1")
    assert stage.target.asked[0].body == {
        "all": {"content-type": "application/json", "idempotency-key": "k1"},
        "type": "request",
        "from": "requests",
    }


def test_the_same_key_is_carried_out_once_and_answered_alike(stage):
    first, second = stage.ask(idempotency_key="k1"), stage.ask(idempotency_key="k1")
    assert (second.status, second.body) == (first.status, first.body)
    assert second.headers["idempotency-replayed"] == "true"
    assert len(stage.target.asked) == 1


def test_a_key_counts_per_client_and_integration(stage):
    stage.ask(idempotency_key="k1")
    stage.ask(idempotency_key="k1", client="key:other")
    assert len(stage.target.asked) == 2


def test_no_client_can_be_taken_for_another_by_its_name_and_key(stage):
    """Client `oidc:a` with key `b/c` is not client `oidc:a/b` with key `c`."""
    stage.ask(client="oidc:a", idempotency_key="b/c")
    stage.ask(client="oidc:a/b", idempotency_key="c")
    stage.ask(client="oidc:a%2Fb", idempotency_key="c")
    assert len(stage.target.asked) == 3


def test_without_a_key_each_request_is_its_own_and_its_key_is_told(stage):
    first, second = stage.ask(), stage.ask()
    assert first.headers["idempotency-key"] != second.headers["idempotency-key"]
    assert len(stage.target.asked) == 2
    again = stage.ask(idempotency_key=first.headers["idempotency-key"])
    assert again.delivery == first.delivery
    assert len(stage.target.asked) == 2


def test_the_same_key_with_another_body_is_refused(stage):
    stage.ask({"total": 1}, idempotency_key="k1")
    assert is_problem(stage.ask({"total": 2}, idempotency_key="k1"), 422)
    assert len(stage.target.asked) == 1


def test_the_same_json_written_otherwise_is_the_same_body(stage):
    stage.ask('{"a": 1, "b": 2}', idempotency_key="k1")
    assert stage.ask('{"b":2,"a":1}', idempotency_key="k1").status == 201


def test_a_request_with_the_key_of_one_that_runs_is_told_to_wait(stage):
    beside = []
    stage.target.on("/entries", lambda _: beside.append(stage.ask(idempotency_key="k1")) or 200)
    assert stage.ask(idempotency_key="k1").status == 200
    assert is_problem(beside[0], 409)
    assert beside[0].headers["retry-after"]
    assert len(stage.target.asked) == 1


@pytest.mark.parametrize("status", [400, 403, 404, 409, 422, 501])
def test_a_final_refusal_is_the_answer_and_nobody_else_is_told(status):
    """The client knows. A dead letter, of which the owner hears, would let any client ring the alarm."""
    stage = staged((status, {"why": "no"}), target=call_of(retry_on=["429"]))
    reply = stage.ask(idempotency_key="k1")
    assert (reply.status, reply.body) == (status, {"why": "no"})
    assert not stage.dead_letters()
    assert not stage.told()
    item = stage.item(reply.delivery)
    assert (item["status"], item["error"], history(stage, reply)) == ("delivered", "http", ["refused"])
    assert stage.beside(reply.delivery) is None
    assert stage.ask(idempotency_key="k1").status == status
    assert len(stage.target.asked) == 1


@pytest.mark.parametrize("status", [301, 401, 407])
def test_redirects_and_refusals_of_our_credentials_are_no_clients_business(status):
    assert is_problem(staged((status, {"secret": "hush"})).ask(), 502)


def test_a_map_that_makes_nothing_of_the_body_is_the_clients_answer():
    stage = staged(200, target=call_of(body={"a": "x ${data.missing} y"}))
    reply = stage.ask()
    assert is_problem(reply, 422)
    assert not stage.target.asked
    assert not stage.dead_letters()
    assert "missing" in stage.item(reply.delivery)["reason"]
    assert "missing" not in json.dumps(reply.body)


def test_a_refusal_is_tried_again_within_the_time_that_is_left():
    stage = staged(503, 503, CREATED, errors={"retry": {"first": 1.0, "factor": 1.0, "max": 1.0}})
    reply = stage.ask()
    assert reply.status == 201
    assert history(stage, reply) == ["refused", "refused", "delivered"]
    assert [asked.headers["causeway-attempt"] for asked in stage.target.asked] == ["1", "2", "3"]
    assert len({asked.headers["idempotency-key"] for asked in stage.target.asked}) == 1
    assert not stage.memory.queues[QUEUE]


def test_what_is_not_done_in_time_goes_on_through_the_queue_and_its_reply_can_be_fetched():
    stage = staged(503, 503, 503, CREATED)
    reply = stage.ask(idempotency_key="k1")
    assert reply.status == 202
    assert reply.headers["location"] == f"/requests/{NAME}/{reply.delivery}"
    assert stage.look(reply.delivery).status == 202
    assert stage.ask(idempotency_key="k1").status == 202
    stage.until_quiet()
    assert stage.item(reply.delivery)["status"] == "delivered"
    found = stage.look(reply.delivery)
    assert (found.status, found.body) == (201, {"id": "entry-1"})
    assert (stage.ask(idempotency_key="k1").status, len(stage.target.asked)) == (201, 4)


def test_the_queue_has_the_message_before_the_journal_says_so_and_the_client_hears():
    stage = staged("timeout")
    stage.ask()
    last = [call for call in stage.memory.calls if call[1] in ("SendMessageBatch", "UpdateItem", "PutItem")]
    assert last[-2:] == [("sqs", "SendMessageBatch"), ("dynamodb", "UpdateItem")]


def test_a_call_ends_when_the_client_has_waited_long_enough():
    stage = Asking(plan_for(wait=7.0))
    limits = []
    exchange = stage.target.exchange

    def watched(request, *, seconds, **more):
        limits.append(seconds)
        return exchange(request, seconds=seconds, **more)

    stage.target.exchange = watched
    stage.ask()
    assert limits == [7.0]


def test_no_client_waits_longer_than_25_seconds_whatever_the_plan_says():
    stage = staged(503, wait=600.0, errors={"retry": {"first": 1.0, "factor": 1.0, "max": 1.0}})
    began = stage.clock.now()
    assert stage.ask().status == 202
    assert stage.clock.now() - began <= 25


@pytest.mark.parametrize("ticket", ["0000.000001", "0000.000002"])
def test_a_message_of_a_delivery_does_not_run_while_its_client_waits(stage, ticket):
    """Two calls of one delivery are never under way at once, however early a message comes."""

    def meanwhile(_):
        (item,) = stage.items()
        stage.tools.queue.send([message_of(item, ticket)])
        stage.invoke()
        return CREATED

    stage.target.on("/entries", meanwhile)
    reply = stage.ask()
    assert reply.status == 201
    stage.until_quiet()
    assert len(stage.target.asked) == 1


def test_where_nothing_is_to_be_queued_nothing_is():
    stage = staged(503, otherwise="refuse")
    reply = stage.ask(idempotency_key="k1")
    assert reply.status == 503
    assert not stage.memory.queues[QUEUE]
    assert "open_shard" not in stage.item(reply.delivery)
    assert stage.beside(reply.delivery) is None
    stage.until_quiet()
    assert len(stage.target.asked) == 2  # one retry had its place within 20 s
    assert stage.look(reply.delivery).status == 404


def test_no_answer_in_time_is_504_where_nothing_is_queued():
    assert is_problem(staged("timeout", otherwise="refuse", wait=3.0).ask(), 504)


def test_what_was_refused_so_may_be_asked_again_with_the_same_key():
    stage = staged("timeout", CREATED, otherwise="refuse", wait=3.0)
    first = stage.ask(idempotency_key="k1")
    assert is_problem(stage.ask({"other": 1}, idempotency_key="k1"), 422)
    again = stage.ask(idempotency_key="k1")
    assert (again.status, again.delivery) == (201, first.delivery)
    keys = {asked.headers["idempotency-key"] for asked in stage.target.asked}
    assert len(keys) == 1
    assert history(stage, again) == ["refused", "delivered"]


def test_a_step_that_changed_something_is_not_done_again_then():
    steps = [{"name": "make", "call": call_of("/make")}]
    stage = staged("timeout", CREATED, otherwise="refuse", wait=3.0, steps=steps)
    stage.ask(idempotency_key="k1")
    assert stage.ask(idempotency_key="k1").status == 201
    assert len(stage.target.at("/make")) == 1
    assert stage.beside(stage.ask(idempotency_key="k1").delivery) is None


def test_nor_when_it_goes_on_through_the_queue():
    steps = [{"name": "make", "call": call_of("/make")}]
    stage = staged("timeout", CREATED, wait=3.0, steps=steps)
    reply = stage.ask()
    stage.until_quiet()
    assert stage.look(reply.delivery).status == 201
    assert len(stage.target.at("/make")) == 1


def test_a_client_that_does_not_want_to_wait_is_answered_at_once(stage):
    reply = stage.ask(prefer="respond-async", idempotency_key="k1")
    assert (reply.status, reply.headers["preference-applied"]) == (202, "respond-async")
    assert not stage.target.asked
    assert stage.look(reply.delivery).status == 202
    stage.until_quiet()
    assert stage.look(reply.delivery).body == {"id": "entry-1"}
    assert [asked.headers["causeway-attempt"] for asked in stage.target.asked] == ["1"]
    assert stage.ask(idempotency_key="k1").status == 201


def test_where_nothing_is_queued_every_client_waits():
    stage = staged(CREATED, otherwise="refuse")
    assert stage.ask(prefer="respond-async").status == 201


def test_a_paused_integration_queues_or_refuses():
    for otherwise, status in (("queue", 202), ("refuse", 503)):
        stage = staged(CREATED, otherwise=otherwise)
        stage.tools.pauses.pause(NAME, by="ann", reason="moving")
        assert stage.ask().status == status
        assert not stage.target.asked


def test_a_pause_that_outlasts_a_deliverys_time_is_told_as_its_end(stage, capsys):
    """Its time is the client's, whose key came first days ago."""
    stage.target.on("/entries", "timeout")
    errors = {"give_up_after": 1.0, "retry": {"first": 1.0, "factor": 1.0, "max": 1.0}}
    stage.deploy(plan_for(otherwise="refuse", errors={"give_up_after": 86000.0}, wait=1.0))
    reply = stage.ask(idempotency_key="k1")
    stage.clock.advance(3600)
    stage.deploy(plan_for(errors=errors))
    health = Health("ledger", opened_at=1.0, open_until=stage.clock.now() + 60)
    stage.tools.plan.systems["ledger"]["api"]["circuit_breaker"] = {
        "failures": 0.7, "of_at_least": 1, "within": 300.0, "open_for": 30.0,
    }  # fmt: skip
    stage.tools.limits.healths.of = {"ledger": health}.get
    again = stage.ask(idempotency_key="k1")
    assert is_problem(again, 500)
    assert stage.item(reply.delivery)["status"] == "dead"
    assert balance(stage, capsys) == [(0, 0), (1, 1)], "a dead letter"


def test_an_open_circuit_queues_or_refuses():
    breaker = {"failures": 0.7, "of_at_least": 1, "within": 300.0, "open_for": 30.0}
    for otherwise, status in (("queue", 202), ("refuse", 503)):
        stage = Asking(plan_for(otherwise=otherwise))
        api = stage.tools.plan.systems["ledger"]["api"]
        api["circuit_breaker"] = breaker
        health = Health("ledger", opened_at=1.0, open_until=stage.clock.now() + 60)
        stage.tools.limits.healths.of = {"ledger": health}.get
        reply = stage.ask()
        assert (reply.status, stage.item(reply.delivery)["error"]) == (status, "circuit")
        assert not stage.target.asked


def test_nobody_else_learns_of_a_request(stage):
    reply = stage.ask()
    assert is_problem(stage.look(reply.delivery, client="key:other"), 404)
    assert is_problem(stage.look(reply.delivery, client="key:ap"), 404)
    assert is_problem(stage.look("0" * 32), 404)
    assert stage.look(reply.delivery).status == 201


def test_a_delivery_that_is_no_request_is_nobodys(stage):
    stage.deploy(plan_for())
    delivery = stage.accept()
    stage.until_quiet()
    assert is_problem(stage.look(delivery), 404)


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"scopes": "console:read"}, 403),
        ({"scopes": ""}, 403),
        ({"client": ""}, 401),
        ({"integration": "none"}, 404),
        ({"body": "{"}, 400),
        ({"body": '{"a": NaN}'}, 400),
        ({"content_type": "text/plain"}, 415),
        ({"content_type": "application/x-www-form-urlencoded"}, 415),
        ({"idempotency_key": ""}, 400),
        ({"idempotency_key": "a b"}, 400),
        ({"idempotency_key": "x" * 256}, 400),
    ],
)
def test_what_is_no_request_is_told_why_and_leaves_nothing(stage, change, status):
    assert is_problem(stage.ask(**change), status)
    assert not stage.items()
    assert not stage.target.asked


def test_an_integration_of_webhooks_takes_no_requests():
    from tests.support.deliveries import plan_of

    stage = Asking(plan_of())
    assert is_problem(stage.ask(), 404)


def test_a_request_without_a_body_is_null(stage):
    event = request_of()
    del event["body"], event["headers"]["content-type"]
    assert stage.send(event).status == 201
    assert stage.target.asked[0].body is None


def test_our_own_fault_is_handed_over_or_told(stage, monkeypatch):
    from causeway.settings.secrets import SecretMissing

    def missing(*_, **__):
        raise SecretMissing("the secret ledger/token is missing")

    monkeypatch.setattr(type(stage.tools.caller), "call", missing)
    assert stage.ask().status == 202
    stage.deploy(plan_for(otherwise="refuse"))
    reply = stage.ask()
    assert is_problem(reply, 503)
    assert "ledger/token" not in json.dumps(reply.body)


def test_a_queue_that_takes_nothing_is_told_and_nothing_is_left_open(stage, monkeypatch):
    from causeway.queueing.sending import NotQueued

    def refuse(*_, **__):
        raise NotQueued("no")

    stage.target.on("/entries", 503, 503, 503, CREATED)
    with monkeypatch.context() as patch:
        patch.setattr(type(stage.tools.queue), "send", refuse)
        reply = stage.ask(idempotency_key="k1")
    assert is_problem(reply, 503)
    assert "open_shard" not in stage.item(reply.delivery)
    assert stage.ask(idempotency_key="k1").status in (201, 202)


@pytest.mark.parametrize(
    ("prefer", "expected"),
    [
        ("", (20.0, False)),
        ("respond-async", (20.0, True)),
        ("Respond-Async, wait=5", (5.0, False)),
        ("wait=5", (5.0, False)),
        ("wait=600", (20.0, False)),
        ("respond-async, wait=0", (1.0, True)),
        ("return=minimal", (20.0, False)),
        ("wait=x", (20.0, False)),
    ],
)
def test_a_client_may_prefer_to_wait_less(prefer, expected):
    assert patience(prefer, 20.0) == expected


@given(st.text())
def test_no_preference_breaks_anything(prefer):
    wait, _ = patience(prefer, 20.0)
    assert 1 <= wait <= 20
