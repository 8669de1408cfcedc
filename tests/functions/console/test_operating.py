"""Operating: pause and resume, replays of one and of many; who did it stands in the records and in the log."""

import json

import pytest

from causeway.events.identity import delivery_id
from tests.support.console import Console, authorizer
from tests.support.deliveries import QUEUE, Stage, plan_of

NAME = "orders-to-ledger"
BOB = authorizer("oidc:bob")


def dying(count=3, **plan):
    stage = Stage(plan_of(**plan))
    stage.target.on("/entries", 400)
    for number in range(count):
        stage.accept(f"evt_{number}")
        stage.invoke()
    stage.target.on("/entries", 200)
    stage.clock.advance(1)
    return stage


@pytest.fixture
def console():
    return Console(dying())


def lines(capsys):
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [line for line in found if line["message"] == "answered"]


class TestPauses:
    def test_a_paused_integration_says_since_when_by_whom_and_why(self, console):
        answered = console.post(f"/api/integrations/{NAME}/pause", {"reason": "it is moved"}, said=BOB)
        assert answered.status == 202
        assert (answered.body["paused"], answered.body["changed"]) == (True, True)
        (found,) = console.get("/api/integrations").body["integrations"]
        assert found["state"] == "paused"
        assert found["paused"] == {
            "since": answered.body["since"],
            "by": "oidc:bob",
            "reason": "it is moved",
        }

    def test_one_that_was_paused_before_keeps_who_paused_it(self, console):
        console.post(f"/api/integrations/{NAME}/pause", {"reason": "first"})
        again = console.post(f"/api/integrations/{NAME}/pause", {"reason": "second"}, said=BOB).body
        assert (again["by"], again["reason"], again["changed"]) == ("key:ann", "first", False)

    def test_resumed_it_goes_on_at_the_rate_that_is_wanted(self, console):
        console.post(f"/api/integrations/{NAME}/pause", {"reason": "why"})
        answered = console.post(f"/api/integrations/{NAME}/resume", {"rate": 5})
        assert (answered.status, answered.body["changed"], answered.body["rate"]) == (202, True, 5.0)
        (found,) = console.get("/api/integrations").body["integrations"]
        assert found["state"] == "resuming"
        assert console.post(f"/api/integrations/{NAME}/resume").body["changed"] is False

    @pytest.mark.parametrize(
        ("body", "name"),
        [
            (None, "reason"),
            ({}, "reason"),
            ({"reason": ""}, "reason"),
            ({"reason": "   "}, "reason"),
            ({"reason": 5}, "reason"),
            ({"reason": "x" * 501}, "reason"),
            ({"reason": "x", "rate": 5}, "rate"),
            ("{", "body"),
            ("[]", "body"),
            ("[" * 10_000, "body"),
        ],
    )
    def test_a_pause_says_why(self, console, body, name):
        answered = console.post(f"/api/integrations/{NAME}/pause", body)
        assert answered.status == 400
        assert name in {fault["name"] for fault in answered.body["parameters"]}
        assert not console.stack.pauses.now(NAME).paused

    def test_a_reason_is_one_line_wherever_it_is_shown(self, console):
        console.post(f"/api/integrations/{NAME}/pause", {"reason": "a\n\x1b[31mb"})
        assert console.stack.pauses.now(NAME).reason == "a  [31mb"

    @pytest.mark.parametrize("verb", ["pause", "resume"])
    def test_an_integration_that_is_not_there_is_404_with_those_that_are(self, console, verb):
        body = {"reason": "x"} if verb == "pause" else None
        answered = console.post(f"/api/integrations/nobody/{verb}", body)
        assert answered.status == 404
        assert NAME in answered.body["detail"]


class TestOneReplay:
    def test_a_dead_delivery_starts_afresh_and_the_record_says_who_wanted_it(self, console):
        delivery = delivery_id("shop", "evt_1", NAME)
        answered = console.post(f"/api/deliveries/{delivery}/replay", said=BOB)
        assert (answered.status, answered.body["by"]) == (202, "oidc:bob")
        record = console.get(answered.headers["location"]).body
        assert (record["delivery"], record["state"], record["replayed"]) == (delivery, "done", 1)
        console.stage.until_quiet()
        assert console.stage.item(delivery)["status"] == "delivered"

    def test_one_whose_event_is_gone_is_409(self):
        stage = Stage()
        delivery = stage.accept()
        stage.invoke()
        answered = Console(stage).post(f"/api/deliveries/{delivery}/replay")
        assert answered.status == 409
        assert "no longer kept" in answered.body["detail"]

    def test_one_that_is_not_there_is_404(self, console):
        assert console.post(f"/api/deliveries/{'0' * 32}/replay").status == 404


class TestManyReplays:
    def test_it_begins_at_once_and_the_scheduler_goes_on_with_it(self):
        console = Console(dying(30))
        answered = console.post("/api/replays", {"integration": NAME, "rate": 10}, said=BOB)
        assert answered.status == 202
        assert (answered.body["state"], answered.body["replayed"]) == ("running", 10)
        assert len(console.stage.memory.queues[QUEUE]) == 10
        console.stack.replays.run(until=console.stage.clock.now() + 50)
        record = console.get(answered.headers["location"]).body
        assert (record["state"], record["replayed"], record["by"]) == ("done", 30, "oidc:bob")

    def test_a_dry_run_counts_at_once_and_replays_nothing(self, console):
        answered = console.post("/api/replays", {"error": "http", "dry_run": True})
        assert (answered.body["state"], answered.body["matched"]) == ("done", 3)
        assert console.stage.memory.queues[QUEUE] == []

    def test_cancelled_it_goes_no_further_and_the_record_says_who_did_it(self):
        console = Console(dying(30))
        location = console.post("/api/replays", {"all": True, "rate": 10}).headers["location"]
        assert console.delete(location, said=BOB).body["state"] == "cancelled"
        console.stage.clock.advance(60)
        assert console.stack.replays.run(until=console.stage.clock.now() + 50) == 0
        record = console.get(location).body
        assert (record["replayed"], record["cancelled_by"]) == (10, "oidc:bob")

    def test_delivered_ones_are_replayed_whose_events_are_kept(self):
        stage = Stage(plan_of(errors={"keep_events": 86400.0}))
        stage.accept()
        stage.invoke()
        stage.clock.advance(1)
        console = Console(stage)
        assert console.post("/api/replays", {"all": True}).body["matched"] == 0
        body = {"all": True, "status": "delivered", "until": "9999-12-31T00:00:00Z", "new_key": True}
        assert console.post("/api/replays", body).body["replayed"] == 1
        stage.until_quiet()
        assert len({asked.headers["idempotency-key"] for asked in stage.target.asked}) == 2

    @pytest.mark.parametrize(
        ("body", "name"),
        [
            (None, "body"),
            ({}, "body"),
            ({"dry_run": True}, "body"),
            ({"all": False}, "body"),
            ({"all": "yes"}, "all"),
            ({"all": True, "rate": 0}, "rate"),
            ({"all": True, "rate": True}, "rate"),
            ({"all": True, "rate": 101}, "rate"),
            ({"all": True, "status": "waiting"}, "status"),
            ({"all": True, "status": "delivered", "error": "http"}, "error"),
            ({"since": 5}, "since"),
            ({"all": True, "since": None}, "since"),
            ({"since": "yesterday"}, "since"),
            ({"integration": "nobody"}, "integration"),
            ({"integratoin": NAME}, "integratoin"),
        ],
    )
    def test_what_is_not_clear_replays_nothing(self, console, body, name):
        answered = console.post("/api/replays", body)
        assert answered.status == 400
        assert name in {fault["name"] for fault in answered.body["parameters"]}
        assert {fault["in"] for fault in answered.body["parameters"]} == {"body"}
        assert console.stage.memory.queues[QUEUE] == []

    def test_one_that_is_not_there_is_404(self, console):
        for answered in (
            console.get("/api/replays/2023-11-14-221320-00000000"),
            console.delete("/api/replays/2023-11-14-221320-00000000"),
        ):
            assert answered.status == 404


def test_the_log_says_who_did_what_and_what_came_of_it(console, capsys):
    console.post(f"/api/integrations/{NAME}/pause", {"reason": "why"}, said=BOB)
    console.get("/api/deliveries", "status=lost", said=BOB)
    console.post("/api/replays", {"all": True}, said={})
    paused, looked, refused = lines(capsys)
    assert (paused["client"], paused["operation"], paused["status"]) == ("oidc:bob", "pauseIntegration", 202)
    assert paused["asked"] == {"name": NAME, "reason": "why"}
    assert (looked["client"], looked["operation"], looked["status"]) == ("oidc:bob", "listDeliveries", 400)
    assert (refused["client"], refused["status"], refused["asked"]) == ("", 401, {})
