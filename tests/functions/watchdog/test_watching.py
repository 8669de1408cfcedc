"""Each thing broken in turn, in simulated time: which message, metric and event comes, how fast, and that all ends."""

from __future__ import annotations

from causeway.watching import world
from tests.support.deliveries import Stage, plan_of
from tests.support.watching import CONSOLE, DAY, OPERATOR, OWNER, Watched, many, one, work

MINUTES = 60.0


def test_a_stack_in_which_all_is_well_sends_nothing_and_remembers_nothing(stage, watched):
    stage.accept()
    watched.minutes(5, work(stage))
    assert (watched.mail, watched.announced, watched.standing) == ([], [], set())
    assert watched.metrics.of("WatchdogRuns") == [1] * 5
    assert sum(watched.metrics.of("WatchdogLeftOut")) == 0


def test_a_target_that_is_slow_to_take_deliveries_is_told_when_they_are_late_and_once_when_they_are_not(
    stage, watched
):
    stage.target.on("/entries", 503)
    began = stage.clock.now()
    stage.accept()
    watched.minutes(15, work(stage))
    assert watched.mail == []
    watched.minutes(1, work(stage))
    message = one(watched.mail)
    assert message.at - began <= 15 * MINUTES + 2 * MINUTES
    assert message.subject.startswith("[warning] orders-to-ledger: deliveries are late")
    text = message.by_protocol["email"]
    assert "the target refuses" in text
    assert "503" in text
    assert "1 delivery" in text
    assert f"{CONSOLE}#/integrations/orders-to-ledger" in text
    assert message.attributes == {
        "to": OWNER,
        "team": "finance",
        "integration": ["orders-to-ledger"],
        "severity": "warning",
        "check": "overdue",
        "state": "began",
    }

    watched.minutes(20, work(stage))
    assert watched.mail == [], "a state that does not change is not told"
    watched.minutes(30, work(stage))
    worse = one(watched.mail)
    assert worse.subject.startswith("[critical] worse: orders-to-ledger: deliveries are late")

    stage.target.on("/entries", 200)
    watched.minutes(240, work(stage))
    recovered = one(watched.mail)
    assert recovered.subject.startswith("[ok] recovered: orders-to-ledger: deliveries are late")
    assert "well again at" in recovered.by_protocol["email"]
    ((event, detail),) = watched.announced
    assert event == "causeway.integration.recovered"
    assert (detail["integration"], detail["check"]) == ("orders-to-ledger", "overdue")
    assert watched.standing == set()


def test_a_target_that_is_down_opens_its_circuit_and_its_callers_owner_is_told_within_a_minute():
    breaker = {"failures": 0.7, "of_at_least": 3, "within": 300.0, "open_for": 30.0}
    stage = Stage(plan_of(ledger={"circuit_breaker": breaker}))
    watched = Watched(stage)
    stage.target.on("/entries", "connection")
    for number in range(4):
        stage.accept(f"evt_{number}")
    watched.minutes(1, work(stage))
    opened = one(watched.mail)
    assert opened.subject.startswith("[critical] ledger fails: its circuit is open")
    assert opened.attributes["integration"] == ["orders-to-ledger"]
    ((event, detail),) = watched.announced
    assert event == "causeway.circuit.opened"
    assert (detail["system"], detail["integrations"]) == ("ledger", ["orders-to-ledger"])
    assert detail["of_announcement"] is False

    stage.target.on("/entries", 200)
    watched.minutes(5, work(stage))
    assert [each.subject for each in watched.mail] == ["[ok] recovered: ledger fails: its circuit is open"]
    assert [event for event, _ in watched.announced] == ["causeway.integration.recovered"]


def test_dead_letters_are_told_at_once_and_new_ones_once_an_hour_at_most(stage, watched):
    stage.target.on("/entries", 400)
    stage.accept("evt_0")
    watched.minutes(1, work(stage))
    first = one(watched.mail)
    assert first.subject == "[critical] orders-to-ledger: 1 delivery given up"
    assert "causeway replay --integration orders-to-ledger" in first.by_protocol["email"]
    assert "its commands mean it with --stack causeway-dev" in first.by_protocol["email"]
    for number in range(1, 60):
        stage.accept(f"evt_{number}")
        watched.minutes(1, work(stage))
    assert len(watched.mail) <= 1
    watched.minutes(120, work(stage))
    assert len(watched.mail) <= 1
    stage.accept("evt_60")
    watched.minutes(2, work(stage))
    again = one(watched.mail)
    assert again.subject == "[critical] again: orders-to-ledger: 61 deliveries given up"


def test_dead_letters_that_nobody_replays_are_told_a_week_before_they_are_deleted(stage, watched):
    stage.target.on("/entries", 400)
    stage.accept()
    watched.minutes(1, work(stage))
    _ = watched.mail
    stage.clock.advance(82 * DAY)
    watched.look()
    assert [each.attributes["check"] for each in watched.mail] == ["dead"], "the reminder"
    stage.clock.advance(1.1 * DAY)
    watched.look()
    warned = {each.attributes["check"]: each for each in watched.mail}
    assert warned["forgotten"].subject.startswith(
        "[warning] orders-to-ledger: 1 dead letter will be deleted from"
    )
    stage.clock.advance(7 * DAY)
    watched.minutes(4)
    assert {each.attributes["state"] for each in watched.mail} == {"recovered"}
    assert watched.standing == set()


def test_a_target_that_wants_no_more_is_told_and_so_is_that_deliveries_go_on(stage, watched):
    stage.target.on("/entries", 410)
    stage.accept()
    watched.minutes(1, work(stage))
    message = one(watched.mail)
    assert message.subject == "[critical] orders-to-ledger: paused: its target wants no more deliveries"
    assert "causeway resume orders-to-ledger" in message.by_protocol["email"]
    assert [event for event, _ in watched.announced] == ["causeway.integration.paused"], "by the delivery"

    stage.target.on("/entries", 200)
    stage.tools.pauses.resume("orders-to-ledger", by="ann")
    watched.minutes(3, work(stage))
    assert one(watched.mail).subject.startswith("[ok] recovered: orders-to-ledger: paused")


def test_a_pause_by_a_person_is_a_warning_and_an_event_on_the_bus(stage, watched):
    stage.tools.pauses.pause("orders-to-ledger", by="ann", reason="the ledger is being moved")
    watched.minutes(1)
    message = one(watched.mail)
    assert message.attributes["severity"] == "warning"
    ((event, detail),) = watched.announced
    assert event == "causeway.integration.paused"
    assert (detail["by"], detail["reason"]) == ("ann", "the ledger is being moved")


def test_what_waits_for_a_pause_is_not_late(stage, watched):
    stage.tools.pauses.pause("orders-to-ledger", by="ann", reason="the ledger is being moved")
    stage.accept()
    watched.minutes(60, work(stage))
    assert [each.attributes["check"] for each in watched.mail] == ["paused"]


def test_what_was_late_before_a_pause_is_not_said_to_be_well_while_it_lasts(stage, watched):
    stage.target.on("/entries", 503)
    stage.accept()
    watched.minutes(17, work(stage))
    assert [each.attributes["check"] for each in watched.mail] == ["overdue"]
    stage.tools.pauses.pause("orders-to-ledger", by="ann", reason="the ledger is being moved")
    watched.minutes(120, work(stage))
    assert [each.attributes["check"] for each in watched.mail] == ["paused"]
    stage.target.on("/entries", 200)
    stage.tools.pauses.resume("orders-to-ledger", by="ann")
    watched.minutes(60, work(stage))
    assert sorted((each.attributes["check"], each.attributes["state"]) for each in watched.mail) == [
        ("overdue", "recovered"),
        ("paused", "recovered"),
    ]


def test_the_time_of_a_pause_makes_nothing_late(stage, watched):
    stage.tools.pauses.pause("orders-to-ledger", by="ann", reason="the ledger is being moved")
    stage.accept()
    watched.minutes(60, work(stage))
    _ = watched.mail
    stage.target.on("/entries", 503)
    stage.tools.pauses.resume("orders-to-ledger", by="ann")
    watched.minutes(14, work(stage))
    assert [each.attributes["check"] for each in watched.mail] == ["paused"], "that it is over"
    watched.minutes(4, work(stage))
    assert [each.attributes["check"] for each in watched.mail] == ["overdue"]


def test_a_delivery_is_not_late_at_its_time_and_is_after_it(stage, watched):
    stage.target.on("/entries", 503)
    began = stage.clock.now()
    stage.accept()
    stage.invoke()
    stage.clock.set(began + 900)
    watched.look()
    assert watched.mail == []
    stage.clock.set(began + 900.001)
    watched.look()
    assert one(watched.mail).attributes["severity"] == "warning"


# What the map does not have any more


def test_what_is_open_of_an_integration_that_was_removed_is_the_operators(stage, watched):
    """Its own checks are gone with it, and nobody else would look at what it left behind."""
    stage.target.on("/entries", 400)
    stage.accept()
    watched.minutes(1, work(stage))
    _ = watched.mail
    plan, _ = many(1)
    stage.deploy(plan)
    after = Watched(stage)
    after.minutes(3)
    ended, found = sorted(after.mail, key=lambda each: each.attributes["check"])
    assert (ended.attributes["check"], ended.attributes["state"]) == ("dead", "ended")
    assert found.subject == (
        "[warning] 1 delivery of orders-to-ledger, which the map does not have, cannot be made"
    )
    assert found.attributes["to"] == "operator"
    assert "deploy it again under this name" in found.by_protocol["email"]
    stage.clock.advance(90 * DAY)
    after.minutes(4)
    assert [(each.attributes["check"], each.attributes["state"]) for each in after.mail] == [
        ("removed", "recovered")
    ]


def test_while_a_deployment_may_be_under_way_what_waits_for_it_is_nobodys_trouble(stage):
    stage.target.on("/entries", 503)
    stage.accept()
    work(stage)()
    plan, _ = many(1)
    stage.deploy(plan)
    watched = Watched(stage)
    watched.minutes(58)
    assert watched.mail == []
    watched.minutes(5)
    assert one(watched.mail).attributes["check"] == "removed"


def test_when_too_much_is_open_to_look_for_it_it_is_not_said_to_be_over(stage, watched, monkeypatch):
    stage.target.on("/entries", 400)
    for number in range(3):
        stage.accept(f"evt_{number}")
    work(stage)()
    plan, _ = many(1)
    stage.deploy(plan)
    after = Watched(stage)
    after.minutes(1)
    assert one(after.mail).attributes["check"] == "removed"
    monkeypatch.setattr(world, "READ_AT_ONCE", 2)
    after.minutes(5)
    assert after.mail == []
    assert after.metrics.of("WatchdogLeftOut")[-1] == 0


# Whether anybody hears it


def test_that_nobody_hears_anything_stands_where_people_look(stage):
    watched = Watched(stage, subscribed=())
    watched.memory.subscribed[OWNER] = "PendingConfirmation"
    watched.minutes(1)
    assert watched.standing == {"unheard#owners"}
    message = one(watched.mail)
    assert message.subject == "[critical] owners: nobody hears what is told of 1 integration"
    watched.memory.subscribed["https://chat.example.com"] = "arn:aws:sns:eu-central-1:123456789012:owners:1"
    watched.minutes(16)
    assert watched.standing == set()


def test_an_owner_who_has_confirmed_nothing_is_no_trouble_while_the_operator_hears_it(stage):
    watched = Watched(stage, subscribed=[OPERATOR])
    watched.minutes(16)
    assert watched.mail == []
