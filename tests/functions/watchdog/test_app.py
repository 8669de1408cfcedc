"""The watchdog as Lambda runs it: on moto, with a topic, a queue that hears it, and the corpus of events."""

from __future__ import annotations

import functools
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from causeway.aws.table import Table
from causeway.delivery.pauses import Pauses
from causeway.settings.clock import SystemClock
from causeway.watching.owners import policy_of, subscriptions
from functions.watchdog import app
from tests.support.deliveries import plan_of

EVENT = json.loads((Path(__file__).parents[3] / "events" / "watchdog" / "minute.json").read_text())
CONTEXT = SimpleNamespace(aws_request_id="invocation-1", get_remaining_time_in_millis=lambda: 55_000)
OWNER = "finance@example.com"


@pytest.fixture
def topic(cloud):
    return cloud.boto("sns").create_topic(Name=f"{cloud.stack}-owners")["TopicArn"]


@pytest.fixture
def stack(cloud, topic, tmp_path, monkeypatch):
    (tmp_path / "dev.json").write_text(json.dumps(plan_of().record))
    for name, value in cloud.environ.items():
        monkeypatch.setenv(name, value)
    strays = [cloud.make_queue("strays"), cloud.make_queue("strays.fifo", {"FifoQueue": "true"})]
    for name, value in {
        "PLAN": str(tmp_path),
        "STACK": cloud.stack,
        "OWNERS_TOPIC": topic,
        "STRAYS_URLS": ",".join(strays),
        "CONSOLE_URL": "https://api.example.com/console",
        "LOG_GROUPS": f"{cloud.stack}-webhook",
    }.items():
        monkeypatch.setenv(f"CAUSEWAY_{name}", value)
    cloud.boto("logs").create_log_group(logGroupName=f"{cloud.stack}-webhook")
    monkeypatch.setattr(app, "_work", functools.cache(app._work.__wrapped__))
    return cloud


def hears(cloud, topic, to):
    """A queue with the subscription that an owner has."""
    url = cloud.make_queue(f"hears-{len(to)}")
    sqs = cloud.boto("sqs")
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps(policy_of(to))
    cloud.boto("sns").subscribe(
        TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"FilterPolicy": policy}
    )
    return lambda: [
        json.loads(each["Body"])
        for each in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    ]


def pause(cloud):
    state = Table(cloud.aws, cloud.state)
    Pauses(state, SystemClock()).pause("orders-to-ledger", by="ann", reason="the ledger is being moved")


def emitted(capsys, name):
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if name in line]
    return [value for line in lines if "_aws" in line for value in line[name]]


def test_a_run_in_which_all_is_well_counts_and_tells_nobody(stack, topic, capsys):
    heard = hears(stack, topic, OWNER)
    counts = app.handler(EVENT, CONTEXT)
    assert (counts["failed"], counts["left_out"], counts["told"]) == (0, 0, 0)
    assert emitted(capsys, "WatchdogRuns") == [1]
    assert heard() == []


def test_the_owner_hears_what_is_for_it_and_the_operator_does_not(stack, topic):
    stack.boto("sns").subscribe(TopicArn=topic, Protocol="email", Endpoint=OWNER)  # moto confirms at once
    owner, operator = hears(stack, topic, OWNER), hears(stack, topic, "operator")
    pause(stack)
    assert app.handler(EVENT, CONTEXT)["told"] == 1
    (message,) = owner()
    assert message["Subject"] == "[warning] orders-to-ledger: paused by ann"
    assert operator() == []
    assert app.handler(EVENT, CONTEXT)["told"] == 0


def test_the_operator_hears_it_instead_of_an_owner_without_a_subscription(stack, topic):
    owner, operator = hears(stack, topic, OWNER), hears(stack, topic, "operator")
    pause(stack)
    app.handler(EVENT, CONTEXT)
    assert owner() == []
    assert len(operator()) == 1


def test_many_subscriptions_are_read_page_by_page(stack, topic):
    for number in range(120):
        address = f"owner-{number}+a&b@example.com"
        stack.boto("sns").subscribe(TopicArn=topic, Protocol="email", Endpoint=address)
    found = {each.endpoint for each in subscriptions(stack.aws, topic)}
    assert found == {f"owner-{number}+a&b@example.com" for number in range(120)}
    assert all(each.confirmed for each in subscriptions(stack.aws, topic))


@pytest.mark.parametrize("most", [2, 3, 4])
def test_what_is_open_is_read_at_once_page_by_page_or_not_at_all(stack, most):
    journal = Table(stack.aws, stack.journal)
    for number in range(3):
        place = {"open_shard": f"orders-to-ledger#{number}", "open_at": "dead#2026-11-22T10:00:00.000Z"}
        journal.put({"id": str(number), "part": "delivery", **place})
    journal.put({"id": "delivered", "part": "delivery"})
    found = journal.whole("open", most=most)
    assert found is None if most < 3 else {each["id"] for each in found} == {"0", "1", "2"}


def test_a_run_that_could_not_tell_fails_and_counts_all_the_same(stack, topic, capsys):
    pause(stack)
    stack.boto("sns").delete_topic(TopicArn=topic)
    with pytest.raises(Exception, match="could not be told"):
        app.handler(EVENT, CONTEXT)
    assert emitted(capsys, "WatchdogRuns") == [1]


def test_its_cold_start_brings_nothing_heavy():
    heavy = ["boto3", "pydantic", "yaml", "cryptography"]
    program = (
        f"import sys; from functions.watchdog import app; print([n for n in {heavy!r} if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
