"""What the processor does while calls of its batch take long: an instance that waits works."""

import pytest

from causeway.aws.client import AwsError
from causeway.delivery import meanwhile
from causeway.plan.plan import Plan
from tests.support.deliveries import QUEUE, Context, call_of, plan_of
from tests.support.instances import Running


def plan_for(*names):
    """An integration for each system."""
    base = plan_of()
    api, integration = base.systems["ledger"]["api"], base.integrations["orders-to-ledger"]
    systems = {name: {"name": name, "description": "", "redact": [], "api": api} for name in names}
    integrations = {
        name: integration | {"name": name, "target": {"call": call_of(f"/{name}", system=name)}}
        for name in names
    }
    systems["shop"] = base.systems["shop"]
    return Plan({"format": 1, "environment": "dev", "systems": systems, "integrations": integrations})


@pytest.fixture
def running(monkeypatch):
    """One instance, to which a slow system and a quick one are all there is."""
    running = Running(monkeypatch, instances=1, plan=plan_for("slow", "quick"))
    running.stage.target.on("/slow", lambda _: running.clock.sleep(10) or "timeout")
    return running


def accept(running, name, number=0):
    return running.stage.accept(f"{name}-{number}", integration=name)


def called(running, path):
    return [each.at - running.began for each in running.stage.target.at(path)]


def test_a_call_that_waits_for_its_timeout_keeps_nothing_else_waiting(running):
    accept(running, "slow")
    running.clock.run(running.instance(1), lambda: running.clock.sleep(2) or accept(running, "quick"))
    assert called(running, "/quick") == [pytest.approx(2, abs=0.5)]


def test_what_was_carried_out_beside_it_is_deleted_and_listed(running):
    accept(running, "slow")
    quick = [accept(running, "quick", number) for number in range(25)]
    running.stage.memory.queues[QUEUE].sort(key=lambda each: each.group, reverse=True)  # the slow one first
    running.clock.run(running.instance(1))
    assert {running.stage.item(each)["status"] for each in quick} == {"delivered"}
    assert len(called(running, "/quick")) == 25
    assert all(time < 2 for time in called(running, "/quick"))
    assert [each.group for each in running.stage.memory.queues[QUEUE]] == ["slow"]
    assert set(quick) <= set(running.stage.pages()[0])


def test_what_is_refused_beside_it_comes_again_by_the_schedule(running):
    running.stage.target.on("/quick", 500, 200)
    accept(running, "slow")
    running.clock.run(running.instance(1), lambda: running.clock.sleep(1) or accept(running, "quick"))
    attempts = [each.headers["causeway-attempt"] for each in running.stage.target.at("/quick")]
    assert attempts == ["1", "2"]
    first, second = called(running, "/quick")
    assert 5 <= second - first <= 6.5


def test_a_system_that_does_not_answer_gets_no_more_than_its_share(running):
    accept(running, "slow")

    def feed():
        running.clock.sleep(1)
        for number in range(1, 40):
            accept(running, "slow", number)
        accept(running, "quick")

    running.clock.run(running.instance(1), feed)
    assert len([time for time in called(running, "/slow") if time < 9]) == 1 + meanwhile.SHARE
    assert called(running, "/quick") == [pytest.approx(1, abs=2)]


def test_what_is_left_to_others_comes_back_later_each_time(running):
    accept(running, "slow")

    def feed():
        running.clock.sleep(1)
        for number in range(1, 20):
            accept(running, "slow", number)

    running.clock.run(running.instance(1), feed)
    receives = [each.receives for each in running.stage.memory.queues[QUEUE] if each.group == "slow"]
    assert max(receives) <= 4, "2 s, 4 s ... in ten seconds"


def test_none_is_taken_in_the_second_half_of_an_invocation(running):
    running.stage.target.on("/slow", lambda _: running.clock.sleep(50) or "timeout")
    accept(running, "slow")
    running.clock.run(running.instance(1), lambda: running.clock.sleep(31) or accept(running, "quick"))
    assert called(running, "/quick") == []
    assert len(running.stage.memory.queues[QUEUE]) == 2


def test_a_batch_that_is_done_soon_receives_nothing(running):
    running.stage.memory.calls.clear()
    accept(running, "quick")
    running.clock.run(running.instance(0.5))
    assert ("sqs", "ReceiveMessage") not in running.stage.memory.calls


def test_when_none_can_be_received_the_first_batch_is_not_the_worse_for_it(running, monkeypatch):
    def throttled(*_, **__):
        raise AwsError("ThrottlingException", "Rate exceeded", 400)

    slow = accept(running, "slow")
    monkeypatch.setattr("causeway.queueing.queue.Queue.receive", throttled)
    running.clock.run(running.instance(1))
    assert running.stage.item(slow)["attempts"][-1]["error"] == "timeout"


def test_a_further_batch_that_fails_as_a_whole_comes_again_and_fails_no_other(running, monkeypatch):
    process = meanwhile.processor.process

    def fails(event, context, tools, **named):
        if "." in context.aws_request_id:
            raise AwsError("InternalServerError", "Internal error", 500)
        return process(event, context, tools, **named)

    slow = accept(running, "slow")
    monkeypatch.setattr(meanwhile.processor, "process", fails)
    running.clock.run(running.instance(1), lambda: running.clock.sleep(1) or accept(running, "quick"))
    assert running.stage.item(slow)["attempts"][-1]["error"] == "timeout"
    (message,) = [each for each in running.stage.memory.queues[QUEUE] if each.group == "quick"]
    assert message.visible_at > running.clock.now(), "the visibility timeout brings it back"


def test_it_is_what_the_function_runs():
    """With real threads and real time, as on Lambda: the answer is that of the event's own batch."""
    from tests.support.deliveries import Stage

    stage = Stage()
    delivery = stage.accept()
    records = stage.memory.receive(QUEUE)
    response = meanwhile.process({"Records": records}, Context(stage.clock, 1), stage.tools)
    assert response == {"batchItemFailures": []}
    assert stage.item(delivery)["status"] == "delivered"
