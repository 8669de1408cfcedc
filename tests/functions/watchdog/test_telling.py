"""Who is told, how, and how often; and what may go wrong with the watchdog itself."""

from __future__ import annotations

import dataclasses
import json
import threading

import pytest

from causeway.aws.errors import AwsError
from causeway.watching import world
from causeway.watching.checks import CHECKS
from causeway.watching.finding import Finding, StackCheck
from causeway.watching.watchdog import TELLING, NotToldError
from tests.support.deliveries import Stage, plan_of
from tests.support.watching import DAY, OF_DELIVERIES, OPERATOR, OWNER, Watched, many, one, work

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


def test_the_operator_is_told_once_instead_of_many_owners(stage):
    plan, names = many(30)
    for number, name in enumerate(names):
        plan.integrations[name]["owner"] = {"team": f"t{number % 2}", "email": f"o{number:02d}@example.com"}
    stage.deploy(plan)
    watched = Watched(stage, subscribed=[OPERATOR])
    for name in names:
        stage.tools.pauses.pause(name, by="ann", reason="-")
    watched.minutes(1)
    message = one(watched.mail)
    assert (message.attributes["to"], message.attributes["team"]) == ("operator", ["t0", "t1"])
    assert "o00@example.com, o01@example.com" in message.by_protocol["email"]
    assert "and 10 more: not confirmed" in message.by_protocol["email"]


def test_who_answers_for_two_teams_hears_of_one_outage_once(stage):
    plan, names = many(2)
    for number, name in enumerate(names):
        plan.integrations[name]["owner"] = {"team": f"t{number}", "email": OWNER}
    stage.deploy(plan)
    watched = Watched(stage)
    health = {"opened_at": stage.clock.now(), "open_until": stage.clock.now() + 9000, "counts": []}
    watched.means.state.put({"id": "health#all", "part": "ledger", "version": 1, **health})
    watched.minutes(1)
    assert one(watched.mail).attributes["team"] == ["t0", "t1"]


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


def test_where_there_is_no_time_to_tell_all_the_others_are_told_by_the_next_run_and_nobody_twice(stage):
    plan, names = many(60)
    owners = [f"owner-{number:02d}@example.com" for number in range(60)]
    for name, owner in zip(names, owners, strict=True):
        plan.integrations[name]["owner"] = {"team": "t", "email": owner}
    stage.deploy(plan)
    watched = Watched(stage, subscribed=owners)
    for name in names:
        stage.tools.pauses.pause(name, by="ann", reason="-")

    def slowly(service, action, fields):
        stage.clock.advance(1 if action == "Publish" else 0)
        return type(watched.memory).query(watched.memory, service, action, fields)

    watched.memory.query = slowly
    with pytest.raises(NotToldError):
        watched.minutes(1)
    first = [each.attributes["to"] for each in watched.mail]
    assert 30 < len(first) < 60
    watched.minutes(1)
    assert sorted(first + [each.attributes["to"] for each in watched.mail]) == owners


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
