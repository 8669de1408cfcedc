"""Each thing broken in turn, in simulated time: which message, metric and event comes, how fast, and that all ends."""

from __future__ import annotations

import dataclasses
import json
import threading
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from causeway.aws.errors import AwsError
from causeway.calls.certificates import Noting
from causeway.calls.grants import GrantKey
from causeway.telemetry.logs import logger
from causeway.watching import world
from causeway.watching.checks import CHECKS
from causeway.watching.finding import Finding, StackCheck
from causeway.watching.watchdog import TELLING, NotToldError
from tests.support.deliveries import Stage, call_of, plan_of
from tests.support.watching import CONSOLE, DAY, OF_DELIVERIES, OPERATOR, OWNER, Watched

MINUTES = 60.0


@pytest.fixture
def stage():
    return Stage()


@pytest.fixture
def watched(stage):
    return Watched(stage)


def work(stage):
    """Everything that can be delivered now is."""

    def deliver():
        while stage.invoke() is not None:
            pass
        stage.schedule()
        stage.freeing.run(until=stage.clock.now() + 5)
        stage.resuming.run(until=stage.clock.now() + 5)
        while stage.invoke() is not None:
            pass

    return deliver


def one(mail):
    (message,) = mail
    return message


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


# Polls and tokens


def polled():
    poll = {
        "name": "orders",
        "system": "shop",
        "every": 600.0,
        "call": call_of("/orders.json", system="shop", method="GET"),
        "records": "body",
        "id": "id",
        "event_type": "orders",
        "credentials": [],
        "batch": 1,
    }
    api = plan_of().systems["ledger"]["api"] | {"base_url": "https://shop.example.com"}
    shop = {"api": api, "polls": {"orders": poll}}
    return Stage(plan_of(shop=shop, source={"system": "shop", "poll": "orders"}))


def test_a_poll_that_is_not_read_is_told_once_its_deliveries_are_late():
    stage = polled()
    watched = Watched(stage)
    slot = stage.clock.now() // 600 * 600

    def read(at):
        watched.means.state.put(
            {"id": "poll#shop/orders", "part": "state", "slot": at, "unfinished": False, "read_until": at}
        )

    read(slot)
    watched.minutes(22)
    assert watched.mail == []
    watched.minutes(1)
    message = one(watched.mail)
    assert message.subject.startswith(
        "[warning] shop/orders: the poll is late: it has not been read to its end"
    )
    assert message.at - (slot + 600) <= 900 + 60
    read(stage.clock.now())
    watched.minutes(4)
    assert one(watched.mail).attributes["state"] == "recovered"


def test_a_poll_that_never_runs_is_told_as_late_as_one_that_runs_no_more():
    stage = polled()
    watched = Watched(stage)
    began = stage.clock.now()
    watched.minutes(22)
    assert watched.mail == []
    watched.minutes(5)
    message = one(watched.mail)
    assert message.subject.startswith("[warning] shop/orders: the poll is late")
    assert message.at - began <= 600 + 900 + 120
    now = stage.clock.now()
    watched.means.state.put({"id": "poll#shop/orders", "part": "state", "slot": now, "read_until": now})
    watched.minutes(4)
    assert one(watched.mail).attributes["state"] == "recovered"


def granted(stage, **grant):
    auth = {"type": "oauth2", "grant": "refresh_token", "token_url": "https://id.example.com/token"}
    stage.deploy(plan_of(ledger={"auth": auth}))
    watched = Watched(stage)
    key = GrantKey.of("ledger", auth)
    watched.means.state.put({"id": key.id, "part": key.part, "sealed": "secret", **grant})
    return watched, key


def test_a_refresh_token_that_the_server_does_not_take_any_more_is_told(stage):
    now = stage.clock.now()
    watched, key = granted(stage, granted_at=now - DAY, good_until=now - 10, refused_at=now)
    watched.minutes(1)
    message = one(watched.mail)
    assert message.subject == "[critical] ledger does not take our refresh token any more"
    assert "causeway authorize ledger" in message.by_protocol["email"]
    assert "secret" not in json.dumps(message.by_protocol)
    later = stage.clock.now()
    watched.means.state.put({"id": key.id, "part": key.part, "granted_at": later, "good_until": later + 3600})
    watched.minutes(4)
    assert one(watched.mail).attributes["state"] == "recovered"


def test_a_consent_is_told_before_it_ends_and_when_it_is_over(stage):
    now = stage.clock.now()
    ends = now + 60 * DAY
    grant = {"granted_at": now, "good_until": now + 3600, "refresh_until": ends, "refresh_lasts": 60 * DAY}
    watched, key = granted(stage, **grant)
    stage.clock.set(ends - 3 * DAY - 120)
    watched.means.state.put({"id": key.id, "part": key.part, **grant, "granted_at": stage.clock.now()})
    watched.minutes(1)
    assert watched.mail == []
    stage.clock.set(ends - 2.9 * DAY)
    watched.look()
    message = one(watched.mail)
    assert message.subject.startswith("[warning] our consent to call ledger ends at")
    assert "causeway authorize ledger" in message.by_protocol["email"]
    watched.means.state.put({"id": key.id, "part": key.part, **grant, "granted_at": ends - 60})
    stage.clock.set(ends + 60)
    watched.look()
    assert "[critical] worse" in one(watched.mail).subject
    again = stage.clock.now()
    renewed = {"granted_at": again, "refresh_until": again + 60 * DAY}
    watched.means.state.put({"id": key.id, "part": key.part, **grant, **renewed})
    watched.minutes(4)
    assert one(watched.mail).attributes["state"] == "recovered"


def test_a_refresh_token_of_a_short_life_is_told_of_in_its_last_quarter(stage):
    now = stage.clock.now()
    grant = {"good_until": now + 4 * DAY, "refresh_until": now + 4 * DAY, "refresh_lasts": 4 * DAY}
    watched, _ = granted(stage, granted_at=now, **grant)
    stage.clock.set(now + 2.9 * DAY)
    watched.look()
    assert watched.mail == []
    stage.clock.set(now + 3.1 * DAY)
    watched.look()
    assert one(watched.mail).subject.startswith("[warning] our consent to call ledger ends at")


def test_a_token_that_is_renewed_on_demand_is_never_told(stage):
    now = stage.clock.now()
    watched, _ = granted(stage, granted_at=now - 3600, good_until=now - 10)
    watched.minutes(3)
    assert watched.mail == []


# How it is told


def test_an_owner_who_has_confirmed_nothing_is_told_through_the_operator(stage):
    watched = Watched(stage, subscribed=[OPERATOR])
    watched.memory.subscribed[OWNER] = "PendingConfirmation"
    stage.tools.pauses.pause("orders-to-ledger", by="ann", reason="-")
    watched.minutes(1)
    message = one(watched.mail)
    assert (message.attributes["to"], message.attributes["team"]) == ("operator", "finance")
    assert OWNER in message.by_protocol["email"]
    assert "causeway owners sync" in message.by_protocol["email"]


def test_whoever_confirms_is_told_within_five_minutes(stage):
    watched = Watched(stage, subscribed=[OPERATOR])
    watched.minutes(1)
    watched.memory.subscribed[OWNER] = "arn:aws:sns:eu-central-1:123456789012:owners:1"
    watched.minutes(5)
    stage.tools.pauses.pause("orders-to-ledger", by="ann", reason="-")
    watched.minutes(1)
    assert one(watched.mail).attributes["to"] == OWNER


def test_what_still_is_not_well_is_told_again_after_a_while(stage):
    watched = Watched(stage, remind=3600.0)
    stage.tools.pauses.pause("orders-to-ledger", by="ann", reason="-")
    watched.minutes(125)
    assert [each.attributes["state"] for each in watched.mail] == ["began", "still", "still"]


def many(number):
    plan = plan_of()
    integration = plan.integrations["orders-to-ledger"]
    names = [f"flow-{each:03d}" for each in range(number)]
    plan.record["integrations"] = plan.integrations = {name: integration | {"name": name} for name in names}
    return plan, names


def test_one_outage_of_many_integrations_is_one_message_to_their_owner():
    plan, names = many(30)
    stage = Stage(plan)
    watched = Watched(stage)
    for name in names:
        stage.tools.pauses.pause(name, by="ann", reason="the ledger is being moved")
    watched.minutes(1)
    message = one(watched.mail)
    assert message.subject == "[warning] 30 integrations: paused by ann"
    assert message.attributes["integration"] == names
    assert "... and 10 more" in message.by_protocol["email"]


def test_the_chat_gets_the_same_as_a_custom_notification_of_aws(stage, watched):
    stage.tools.pauses.pause("orders-to-ledger", by="ann", reason="the ledger is being moved")
    watched.minutes(1)
    chat = json.loads(one(watched.mail).by_protocol["default"])
    assert (chat["version"], chat["source"]) == ("1.0", "custom")
    assert chat["content"]["title"] == ":warning: orders-to-ledger: paused by ann"
    assert "*Cause*: the ledger is being moved" in chat["content"]["description"]
    assert chat["content"]["nextSteps"]
    assert chat["metadata"]["additionalContext"]["severity"] == "warning"
    assert all(isinstance(value, str) for value in chat["metadata"]["additionalContext"].values())


# What may go wrong with the watchdog itself


def test_a_run_that_has_no_time_says_whom_it_left_out_and_the_next_one_begins_with_them(monkeypatch):
    plan, names = many(200)
    stage = Stage(plan)
    watched = Watched(stage)
    stage.target.on("/entries", 503)
    stage.accept(integration=names[0])
    work(stage)()
    monkeypatch.setattr(world, "READ_AT_ONCE", 0)
    for name in names:
        stage.tools.pauses.pause(name, by="ann", reason="-")
    looked = 0

    class Slow:
        """An AWS that takes its time once it has answered a thousand queries."""

        def __getattr__(self, name):
            return getattr(watched.memory, name)

        def call(self, service, operation, parameters):
            nonlocal looked
            if parameters.get("IndexName") == "open":
                looked += 1
                if looked == 1000:
                    watched.clock.advance(36)
            return watched.memory.call(service, operation, parameters)

    watched.make(OF_DELIVERIES, DAY, Slow())
    counts = watched.look()
    assert counts["left_out"] > 0
    assert watched.metrics.of("WatchdogLeftOut") == [counts["left_out"]]
    told = {name for each in watched.mail for name in each.attributes["integration"]}
    assert 0 < len(told) < 200
    watched.minutes(1)
    told |= {name for each in watched.mail for name in each.attributes["integration"]}
    assert told == set(names)
    assert watched.metrics.of("WatchdogLeftOut")[-1] == 0


def test_hundreds_of_integrations_are_looked_at_with_a_few_calls_while_little_is_open():
    plan, _ = many(300)
    watched = Watched(Stage(plan))
    watched.look()
    assert len(watched.memory.calls) <= 20


def test_however_much_is_open_the_number_of_calls_is_bounded_and_the_message_the_same(monkeypatch):
    plan, names = many(20)
    stage = Stage(plan)
    watched = Watched(stage)
    stage.target.on("/entries", 400)
    for number in range(40):
        stage.accept(f"evt_{number}", integration=names[number % 20])
    work(stage)()
    monkeypatch.setattr(world, "READ_AT_ONCE", 39)
    before = len(stage.memory.calls)
    watched.look()
    assert len(stage.memory.calls) - before <= 20 * 16 + 20 + 20 + 10, "of each its shards; and what is told"
    each = one(watched.mail)
    assert each.attributes["integration"] == names
    assert each.subject.startswith("[critical] 20 integrations: 2 deliveries given up")


@pytest.mark.parametrize("most", [0, 1, 2, 3])
def test_what_is_open_is_read_at_once_or_not_at_all(stage, watched, most):
    stage.target.on("/entries", 400)
    for number in range(2):
        stage.accept(f"evt_{number}")
    work(stage)()
    found = watched.means.journal.whole("open", most=most)
    assert (found is None) == (most < 2)
    assert found is None or len(found) == 2


def refusing_to_tell(watched, *, whom):
    """SNS takes no message for these recipients."""

    def query(service, action, fields):
        if action == "Publish" and whom(fields):
            raise AwsError("Throttling", "", 400)
        return type(watched.memory).query(watched.memory, service, action, fields)

    watched.memory.query = query


def test_a_message_that_is_not_taken_keeps_nobody_else_from_being_told_and_nobody_hears_twice(stage):
    plan, names = many(6)
    for number, name in enumerate(names):
        plan.integrations[name]["owner"] = {"team": "t", "email": f"owner-{number}@example.com"}
    stage.deploy(plan)
    owners = [f"owner-{number}@example.com" for number in range(6)]
    watched = Watched(stage, subscribed=[*owners, OPERATOR])
    for name in names:
        stage.tools.pauses.pause(name, by="ann", reason="-")
    refusing_to_tell(watched, whom=lambda fields: "owner-2@example.com" in fields.values())
    for _ in range(5):
        with pytest.raises(NotToldError):
            watched.minutes(1)
    told = sorted(each.attributes["to"] for each in watched.mail)
    assert told == [each for each in owners if each != "owner-2@example.com"]
    del watched.memory.query
    watched.minutes(2)
    assert [each.attributes["to"] for each in watched.mail] == ["owner-2@example.com"]


def test_of_what_concerns_several_owners_only_those_hear_again_who_have_not_heard(stage):
    """A circuit is open: two owners; SNS takes the message for one of them only, for some minutes."""
    plan, names = many(2)
    for number, name in enumerate(names):
        plan.integrations[name]["owner"] = {"team": "t", "email": f"owner-{number}@example.com"}
    stage.deploy(plan)
    watched = Watched(stage, subscribed=["owner-0@example.com", "owner-1@example.com"])
    health = {"opened_at": stage.clock.now(), "open_until": stage.clock.now() + 9000, "counts": []}
    watched.means.state.put({"id": "health#all", "part": "ledger", "version": 1, **health})
    refusing_to_tell(watched, whom=lambda fields: "owner-1@example.com" in fields.values())
    for _ in range(3):
        with pytest.raises(NotToldError):
            watched.minutes(1)
    assert [each.attributes["to"] for each in watched.mail] == ["owner-0@example.com"]
    assert watched.announced == [], "programs hear of it when all owners have"
    del watched.memory.query
    watched.minutes(3)
    assert [each.attributes["to"] for each in watched.mail] == ["owner-1@example.com"]
    assert [event for event, _ in watched.announced] == ["causeway.circuit.opened"]


def test_words_that_cannot_be_found_for_one_thing_keep_no_other_from_being_told(stage, watched):
    def strange(world, now):
        yield Finding(check="strange", subject="x", level="warning", what=7)  # a fault of ours

    stage.tools.pauses.pause("orders-to-ledger", by="ann", reason="-")
    watched.make([StackCheck("strange", strange), *OF_DELIVERIES], DAY, stage.memory)
    with pytest.raises(NotToldError):
        watched.minutes(1)
    assert [each.attributes["check"] for each in watched.mail] == ["paused"]


def test_a_check_that_hangs_keeps_nothing_from_being_told_and_is_looked_at_again(stage, watched):
    ends = threading.Event()

    def hangs(world, now):
        ends.wait(30)
        yield from ()

    stage.tools.pauses.pause("orders-to-ledger", by="ann", reason="-")
    watched.make([StackCheck("hangs", hangs, every=300.0), *OF_DELIVERIES], DAY, stage.memory)
    counts = watched.look(within=TELLING + 0.5)
    assert (counts["left_out"], counts["told"]) == (1, 1)
    ends.set()
    stage.clock.advance(60)
    assert watched.look()["left_out"] == 0


def test_a_table_that_fails_is_one_line_of_the_log_and_not_one_for_each_integration(stage, caplog):
    plan, _ = many(200)
    stage.deploy(plan)
    watched = Watched(stage)
    asked = []

    def fails(service, operation, parameters):
        if operation in ("Scan", "BatchGetItem"):
            asked.append(operation)
            raise AwsError("InternalServerError", "", 500)
        return type(watched.memory).call(watched.memory, service, operation, parameters)

    watched.memory.call = fails
    counts = watched.look()
    assert counts["failed"] == 200 * 4 + 1, "all that look at deliveries, and what is left of removed ones"
    assert len([each for each in caplog.records if each.message == "a check failed"]) == 5
    assert len(asked) == 2, "who fails together is not asked again by each"


def test_what_could_not_be_told_is_told_by_the_next_run(stage, watched):
    stage.tools.pauses.pause("orders-to-ledger", by="ann", reason="-")

    def refuses(service, action, fields):
        if action == "Publish":
            raise AwsError("Throttling", "", 400)
        return type(watched.memory).query(watched.memory, service, action, fields)

    watched.memory.query = refuses
    with pytest.raises(NotToldError):
        watched.minutes(1)
    assert watched.standing == set()
    del watched.memory.query
    watched.minutes(1)
    assert len(watched.mail) == 1


def test_a_check_that_fails_keeps_no_other_from_being_made_and_takes_nothing_for_recovered(stage, watched):
    stage.tools.pauses.pause("orders-to-ledger", by="ann", reason="-")
    stage.target.on("/entries", 400)
    watched.minutes(1)
    assert len(watched.mail) == 1

    def fails(service, operation, parameters):
        if operation == "BatchGetItem":
            raise AwsError("InternalServerError", "", 500)
        return type(watched.memory).call(watched.memory, service, operation, parameters)

    watched.memory.call = fails
    watched.minutes(5)
    assert watched.mail == []
    assert watched.metrics.of("WatchdogLeftOut")[-1] > 0
    assert watched.standing == {"paused#orders-to-ledger"}


def test_of_an_integration_that_is_gone_it_is_told_once_that_nobody_looks_at_it_any_more(stage, watched):
    """Neither that it is well, nor nothing at all: whoever was told that it is not waits for an end."""
    stage.tools.pauses.pause("orders-to-ledger", by="ann", reason="-")
    watched.minutes(1)
    _ = watched.mail, watched.announced
    plan, _ = many(1)
    stage.deploy(plan)
    after = Watched(stage)
    after.minutes(3)
    message = one(after.mail)
    assert message.subject == "[ok] ended: orders-to-ledger: paused by ann"
    assert (message.attributes["to"], message.attributes["state"]) == ("operator", "ended")
    assert "the map does not have it" in message.by_protocol["email"]
    ((event, detail),) = after.announced
    assert (event, detail["removed"]) == ("causeway.integration.recovered", True)
    assert after.standing == set()


@pytest.mark.parametrize("gone", ["circuit#ledger", "poll#shop/orders", "silence#orders-to-ledger"])
def test_what_the_map_has_no_more_is_not_said_to_be_well(stage, watched, gone):
    check, _, subject = gone.partition("#")
    known = {"level": "critical", "what": "it is not well", "since": 1.0, "told_at": stage.clock.now()}
    watched.means.state.put({"id": "watch#all", "part": gone, "check": check, "subject": subject, **known})
    plan, _ = many(1)
    del plan.systems["ledger"]
    stage.tools.plan.record["systems"] = plan.systems
    stage.tools = dataclasses.replace(stage.tools, plan=plan)
    after = Watched(stage, checks=[each for each in CHECKS if each.name == check])
    after.minutes(3)
    assert [each.attributes["state"] for each in after.mail] == ["ended"]
    assert after.standing == set()


def test_an_integration_that_takes_announcements_is_announced_to_nobody():
    plan = plan_of(source={"bus": {"source": ["causeway"]}})
    stage = Stage(plan)
    watched = Watched(stage)
    stage.tools.pauses.pause("orders-to-ledger", by="ann", reason="-")
    watched.minutes(1)
    ((_, detail),) = watched.announced
    assert detail["of_announcement"] is True, "the stack's rule does not bring it"


# Strays and certificates


STRAYS = "https://sqs/strays"


def strayed(stage, ticket="0000.000001"):
    """A delivery's message that SQS has put away."""
    message = stage.first_message()
    stage.memory.call(
        "sqs", "SendMessage", {"QueueUrl": STRAYS, "MessageBody": json.dumps(message | {"ticket": ticket})}
    )


def test_a_stray_whose_delivery_nobody_carries_on_is_told_until_it_is_put_back(stage, watched):
    strayed(stage)
    watched.minutes(20)
    message = one(watched.mail)
    assert message.subject == "[critical] 1 message went astray in strays"
    assert message.attributes["integration"] == ["orders-to-ledger"]
    stage.memory.queues[STRAYS] = []
    watched.minutes(4)
    assert one(watched.mail).attributes["state"] == "recovered"


@pytest.mark.parametrize("answer", [200, 400])
def test_a_stray_that_the_journal_has_done_with_is_taken_away_and_not_told(stage, watched, answer):
    stage.target.on("/entries", answer)
    stage.accept()
    work(stage)()
    strayed(stage)
    watched.minutes(1)
    assert {each.attributes["check"] for each in watched.mail} <= {"dead"}
    assert stage.memory.queues[STRAYS] == []


def test_a_stray_that_a_later_message_carries_on_is_taken_away(stage, watched):
    stage.target.on("/entries", 503)
    stage.accept()
    work(stage)()
    strayed(stage)
    watched.minutes(1)
    assert watched.mail == []
    assert stage.memory.queues[STRAYS] == []


def test_a_stray_that_is_none_of_ours_is_the_operators(stage, watched):
    stage.memory.call("sqs", "SendMessage", {"QueueUrl": STRAYS, "MessageBody": "what is this?"})
    watched.minutes(1)
    assert one(watched.mail).attributes["to"] == "operator"


def test_a_certificate_is_told_of_two_weeks_before_it_ends_as_the_scheduler_has_noted(stage):
    mtls = {"certificate": "ledger/cert", "key": "ledger/key"}
    stage.deploy(plan_of(ledger={"mtls": mtls}))
    watched = Watched(stage)
    pem, ends = certificate()
    stage.clock.set(ends - 30 * DAY)
    secrets = SimpleNamespace(current=lambda names: [pem] if names == ["ledger/cert"] else [])
    noting = Noting(stage.tools.plan, secrets, watched.means.state, stage.clock, logger())
    assert noting.run(until=stage.clock.now() + 1) == 1
    assert noting.run(until=stage.clock.now() + 1) == 0, "once an hour"
    watched.look()
    assert watched.mail == []
    stage.clock.set(ends - 13.9 * DAY)
    watched.look()
    assert one(watched.mail).subject.startswith("[warning] the certificate that we show ledger ends at")
    stage.clock.set(ends - 0.5 * DAY)
    watched.look()
    assert one(watched.mail).attributes["severity"] == "critical"


def test_a_certificate_that_nobody_can_read_any_more_is_told_after_a_day(stage):
    stage.deploy(plan_of(ledger={"mtls": {"certificate": "ledger/cert", "key": "ledger/key"}}))
    watched = Watched(stage)
    now = stage.clock.now()
    noted = {"id": "certificate#ledger", "part": "certificate", "ends_at": now + 300 * DAY}
    watched.means.state.put(noted | {"noted_at": now})
    stage.clock.advance(DAY)
    watched.look()
    assert watched.mail == []
    watched.minutes(1)
    assert one(watched.mail).subject == "[warning] the certificate that we show ledger cannot be read"
    watched.means.state.put(noted | {"noted_at": stage.clock.now()})
    watched.minutes(4)
    assert one(watched.mail).attributes["state"] == "recovered"


def test_a_certificate_that_cannot_be_read_is_told_in_the_log_without_its_content(stage, caplog):
    mtls = {"certificate": "ledger/cert", "key": "ledger/key"}
    stage.deploy(plan_of(ledger={"mtls": mtls}))
    watched = Watched(stage)
    secrets = SimpleNamespace(current=lambda _: ["-----BEGIN PRIVATE KEY----- sesame"])
    noting = Noting(stage.tools.plan, secrets, watched.means.state, stage.clock, logger())
    assert noting.run(until=stage.clock.now() + 1) == 0
    assert "certificate not read" in caplog.text
    assert "sesame" not in caplog.text


def certificate():
    """A certificate in PEM, and when it ends."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "us")])
    ends = datetime(2027, 5, 1, tzinfo=UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2026, 5, 1, tzinfo=UTC))
        .not_valid_after(ends)
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(Encoding.PEM).decode(), ends.timestamp()
