"""What the template's alarms do when something breaks: which message, how soon, that it is one, and its end."""

from __future__ import annotations

import pytest

from tests.support.alarms import Alarms, Change, Data, told
from tests.support.resolving import STACK

START = 1_800_000_000.0
MINUTE = 60
BEFORE = 20
"""Minutes for which all has been well."""

LIVE = {"WebhookFunction", "ProcessorFunction", "RequestFunction"}


class Stack:
    """A stack that is watched: what breaks in it, minute by minute."""

    def __init__(self, name=STACK, data=None, **parameters):
        self.name = name
        self.alarms = Alarms(name, **parameters)
        self.data = data or Data()

    def healthy(self, minutes):
        """What comes each minute when all is well, and came before."""
        for at in self.times(minutes + BEFORE, since=-BEFORE):
            self.data.add("AWS/Lambda", "Invocations", 1, at, FunctionName="SchedulerFunction")
            self.data.add("Causeway", "WatchdogRuns", 1, at, service=f"{self.name}-watchdog")

    def times(self, minutes, since=0):
        return [START + (since + minute) * MINUTE + 5 for minute in range(minutes)]

    def fails(self, function, minutes, since=0, metric="Errors", value=1):
        more = {"Resource": f"{function}:live"} if function in LIVE else {}
        for at in self.times(minutes, since):
            self.data.add("AWS/Lambda", metric, value, at, FunctionName=function, **more)

    def on_queue(self, queue, minutes, since=0, metric="ApproximateNumberOfMessagesVisible", value=1):
        for at in self.times(minutes, since):
            self.data.add("AWS/SQS", metric, value, at, QueueName=queue)

    def counts(self, name, value, minutes, since=0, *, service="processor", every=1):
        for at in self.times(minutes, since)[::every]:
            self.data.add("Causeway", name, value, at, service=f"{self.name}-{service}")

    def messages(self, minutes):
        return self.alarms.messages(self.data, START, START + minutes * MINUTE)


@pytest.fixture
def stack():
    stack = Stack()
    stack.healthy(120)
    return stack


def minutes_until(change: Change) -> float:
    return (change.at - START) / MINUTE


def test_a_healthy_stack_says_nothing(stack):
    assert stack.messages(120) == []


def test_a_webhook_function_that_fails_is_told_once_within_two_minutes_and_so_is_its_end(stack):
    stack.fails("WebhookFunction", 10)
    stack.fails("WebhookFunction", 10, metric="Duration", value=9000)
    for at in stack.times(10):
        stack.data.add("AWS/ApiGateway", "5xx", 20, at, ApiId="Api")
    began, ended = stack.messages(60)
    assert told([began, ended]) == [("ReceivingBroken", "ALARM"), ("ReceivingBroken", "OK")]
    assert minutes_until(began) <= 2


def test_a_target_that_is_down_is_told_as_one_outage_and_what_it_cost_as_another(stack):
    stack.counts("DeliveriesRetried", 30, 30)
    stack.counts("DeliveriesSucceeded", 1, 30)
    stack.counts("CircuitOpen", 1, 30, since=2, service="scheduler")
    stack.counts("DeliveriesDead", 3, 5, since=25)
    stack.on_queue("DeadLetters", 20, since=25)
    assert told(stack.messages(120)) == [
        ("TargetsFail", "ALARM"),
        ("DeadDeliveries", "ALARM"),
        ("TargetsFail", "OK"),
        ("DeadDeliveries", "OK"),
    ]


def test_a_total_failure_has_a_share_too_though_nothing_succeeded():
    """No value is there for what did not happen once."""
    stack = Stack()
    stack.healthy(60)
    stack.counts("DeliveriesRetried", 30, 30)
    assert "TargetsFail" in dict(told(stack.messages(60)))


def test_a_few_failed_attempts_of_many_are_no_news(stack):
    stack.counts("DeliveriesRetried", 30, 60)
    stack.counts("DeliveriesSucceeded", 1000, 60)
    assert stack.messages(90) == []


def test_a_secret_that_was_rotated_on_one_side_is_told_and_a_stranger_who_knocks_is_not(stack):
    stack.counts("WebhooksAccepted", 100, 120, service="webhook")
    stack.counts("WebhooksRejected", 4, 60, service="webhook")
    assert stack.messages(60) == []
    stack.counts("WebhooksRejected", 100, 30, since=60, service="webhook")
    assert told(stack.messages(120)) == [("WebhooksRejected", "ALARM"), ("WebhooksRejected", "OK")]


def test_a_queue_that_backs_up_is_told_as_one_outage(stack):
    stack.fails("ProcessorFunction", 60)
    stack.on_queue("Deliveries", 60, value=50_000)
    stack.on_queue("Deliveries", 60, metric="ApproximateAgeOfOldestMessage", value=4000)
    stack.on_queue("Deliveries", 60, metric="ApproximateNumberOfMessagesNotVisible", value=119_000)
    assert told(stack.messages(120)) == [("DeliveriesLate", "ALARM"), ("DeliveriesLate", "OK")]


def test_a_queue_that_nobody_reads_is_told_within_ten_minutes_however_few_wait(stack):
    """Long before its age could say so: one message may be there for 15 minutes because it is delayed."""
    stack.on_queue("Deliveries", 30)
    began, ended = stack.messages(60)
    assert told([began, ended]) == [("DeliveriesLate", "ALARM"), ("DeliveriesLate", "OK")]
    assert minutes_until(began) <= 10


def test_a_queue_that_is_read_slowly_is_no_news(stack):
    stack.on_queue("Deliveries", 60, value=500)
    for since in range(0, 60, 2):
        stack.on_queue("Deliveries", 1, since=since, metric="NumberOfMessagesReceived")
    assert stack.messages(60) == []


@pytest.mark.parametrize("timeout", [30, 60, 120, 300])
def test_a_delayed_message_that_gets_a_second_turn_is_no_news_at_any_timeout(timeout):
    stack = Stack(ProcessorTimeout=str(timeout))
    stack.healthy(120)
    stack.on_queue("Deliveries", 30, metric="ApproximateAgeOfOldestMessage", value=900 + 6 * timeout)
    assert stack.messages(30) == []
    older = 900 + 6 * timeout + 601
    stack.on_queue("Deliveries", 30, since=30, metric="ApproximateAgeOfOldestMessage", value=older)
    assert told(stack.messages(60)) == [("DeliveriesLate", "ALARM")]


def test_a_burst_that_is_worked_off_is_no_news(stack):
    stack.on_queue("Deliveries", 8, value=500_000)
    stack.on_queue("Deliveries", 8, metric="NumberOfMessagesReceived", value=60_000)
    stack.on_queue("Deliveries", 30, since=8, value=0)
    assert stack.messages(60) == []


@pytest.mark.parametrize("queue", ["Strays", "StraysFifo", "LostPolls", "MissedMinutes"])
def test_a_net_with_a_message_in_it_is_told(stack, queue):
    stack.on_queue(queue, 30)
    assert told(stack.messages(30)) == [("NetsNotEmpty", "ALARM")]


@pytest.mark.parametrize(
    ("function", "every", "message"),
    [("WebhookFunction", 4, "ReceivingBroken"), ("ProcessorFunction", 6, "DeliveriesLate")],
)
def test_an_error_now_and_then_is_one_message_and_not_one_each_time(stack, function, every, message):
    """What a batch was cut off by comes back with its messages, after six minutes."""
    for since in range(0, 60, every):
        stack.fails(function, 1, since=since)
    assert told(stack.messages(120)) == [(message, "ALARM"), (message, "OK")]


def test_a_poll_that_is_read_well_does_not_speak_for_one_that_lags(stack):
    stack.counts("PollLag", 5000, 60, service="poller", every=30)
    stack.counts("PollLag", 1, 120, service="poller", every=5)
    assert told(stack.messages(120)) == [("PollsLate", "ALARM"), ("PollsLate", "OK")]


def test_a_poll_that_lags_is_told_until_it_is_read_again(stack):
    """It is looked at every half an hour: between two looks, the last word holds."""
    stack.counts("PollLag", 5000, 60, service="poller", every=30)
    stack.counts("PollLag", 1, 60, since=60, service="poller", every=5)
    assert told(stack.messages(120)) == [("PollsLate", "ALARM"), ("PollsLate", "OK")]


def test_a_scheduler_that_stops_is_told_within_ten_minutes():
    stack = Stack()
    stack.healthy(10)
    stack.counts("WatchdogRuns", 1, 60, since=10, service="watchdog")
    (began,) = stack.messages(60)
    assert told([began]) == [("DeliveriesLate", "ALARM")]
    assert minutes_until(began) <= 10 + 10


def test_throttles_of_either_side_are_told_by_whom_they_hit(stack):
    stack.fails("WebhookFunction", 5, metric="Throttles")
    for at in stack.times(5):
        stack.data.add("AWS/Lambda", "Throttles", 1, at, FunctionName="WebhookFunction")
        stack.data.add("AWS/Lambda", "Throttles", 1, at, FunctionName="PollerFunction")
    assert set(dict(told(stack.messages(60)))) == {"ReceivingBroken", "DeliveriesLate"}


def test_a_table_that_throttles_is_told_by_table_or_index(stack):
    for at in stack.times(10):
        stack.data.add(
            "AWS/DynamoDB", "WriteThrottleEvents", 50, at, TableName="Journal", GlobalSecondaryIndexName="due"
        )
    assert told(stack.messages(60)) == [("DeliveriesLate", "ALARM"), ("DeliveriesLate", "OK")]


@pytest.mark.parametrize(
    ("function", "milliseconds"), [("ProcessorFunction", 58_000), ("PollerFunction", 58_000)]
)
def test_a_function_near_its_timeout_is_told_and_one_that_ends_as_it_should_is_not(
    stack, function, milliseconds
):
    for at in stack.times(60):
        stack.data.add("AWS/Lambda", "Duration", 0.9 * milliseconds, at, FunctionName=function)
    assert stack.messages(60) == []
    for at in stack.times(20, since=60):
        stack.data.add("AWS/Lambda", "Duration", milliseconds, at, FunctionName=function)
    assert told(stack.messages(120)) == [("FunctionsNearTimeout", "ALARM"), ("FunctionsNearTimeout", "OK")]


def test_the_processors_timeout_is_the_one_that_its_parameter_says():
    stack = Stack(ProcessorTimeout="300")
    stack.healthy(60)
    for at in stack.times(60):
        stack.data.add("AWS/Lambda", "Duration", 200_000, at, FunctionName="ProcessorFunction")
    assert stack.messages(60) == []


def test_a_stream_that_is_behind_is_told_where_there_is_one():
    stack = Stack(StreamMode="on-demand")
    stack.healthy(60)
    stack.fails("StreamFunction", 20, metric="IteratorAge", value=120_000)
    assert told(stack.messages(60)) == [("DeliveriesLate", "ALARM"), ("DeliveriesLate", "OK")]


def test_a_watchdog_that_stops_is_told_by_its_silence():
    """What stops says nothing, and fails nowhere."""
    stack = Stack()
    stack.healthy(10)
    for at in stack.times(60, since=10):
        stack.data.add("AWS/Lambda", "Invocations", 1, at, FunctionName="SchedulerFunction")
    (began,) = stack.messages(60)
    assert told([began]) == [("WatchingBroken", "ALARM")]
    assert minutes_until(began) <= 10 + 10


def test_another_stack_beside_it_neither_quiets_an_alarm_nor_rings_one():
    """They share account, region and namespace: what each counts bears its own name."""
    stack = Stack()
    stack.healthy(10)
    for at in stack.times(60, since=10):
        stack.data.add("AWS/Lambda", "Invocations", 1, at, FunctionName="SchedulerFunction")
    other = Stack("causeway-2", data=stack.data)
    other.healthy(60)
    for counted in ("DeliveriesDead", "DeliveriesRetried"):
        other.counts(counted, 100, 60)
    other.counts("Unaccounted", 5, 60, service="watchdog")
    assert told(stack.messages(60)) == [("WatchingBroken", "ALARM")]
    assert {alarm for alarm, _ in told(other.messages(60))} == {
        "TargetsFail",
        "DeadDeliveries",
        "Unaccounted",
    }


def test_a_silent_provider_and_books_that_do_not_close_are_told_until_the_figure_is_good_again(stack):
    stack.counts("SilentFor", 600, 30, service="watchdog")
    stack.counts("SilentFor", 0, 60, since=30, service="watchdog")
    stack.counts("Unaccounted", 2, 1, service="watchdog")
    stack.counts("Unaccounted", 0, 1, since=61, service="watchdog")
    messages = stack.messages(120)
    assert sorted(told(messages)) == [
        ("SilentIntegrations", "ALARM"),
        ("SilentIntegrations", "OK"),
        ("Unaccounted", "ALARM"),
        ("Unaccounted", "OK"),
    ]
    ended = {change.alarm: minutes_until(change) for change in messages if change.state == "OK"}
    assert ended["Unaccounted"] >= 61


def test_what_functions_log_becomes_data_points():
    stack = Stack()
    stack.healthy(60)
    for at in stack.times(3):
        line = {
            "_aws": {
                "Timestamp": int(at * 1000),
                "CloudWatchMetrics": [
                    {
                        "Namespace": "Causeway",
                        "Dimensions": [["service"]],
                        "Metrics": [{"Name": "PollGaps", "Unit": "Count"}],
                    }
                ],
            },
            "service": f"{STACK}-poller",
            "PollGaps": [1.0],
        }
        stack.data.take(line)
        stack.data.take({"level": "INFO", "message": "another line"})
    assert told(stack.messages(60)) == [("PollGaps", "ALARM"), ("PollGaps", "OK")]


# ---- what comes late, and what never came -------------------------------------------------------------------------

EVERYTHING = Alarms(StreamMode="on-demand")
COUNTING = [
    name for name, one in EVERYTHING.single.items() if "Greater" in one.properties["ComparisonOperator"]
]
SILENCE = sorted(set(EVERYTHING.single) - set(COUNTING))


def states(alarm, data, minutes):
    """Its state at each minute, all being well before."""
    found = ["OK"]
    for minute in range(minutes):
        found.append(alarm.state(data, START + minute * MINUTE, found[-1]))
    return found


@pytest.mark.parametrize(("late", "fills_never"), [(0, True), (120, False)])
@pytest.mark.parametrize("name", COUNTING)
def test_what_lasts_rings_and_keeps_ringing_however_late_its_figures_come(name, late, fills_never):
    """FILL puts its value where the last minutes' figures have not come yet, again and again.

    An alarm that wants all of the last periods would never ring. One metric of several breaches here; of the others
    nothing has ever come. https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
    """
    alarm = EVERYTHING.single[name]
    (metric, _), *_ = alarm.metrics.values()
    data = Data(late=late, fills_never=fills_never)
    for minute in range(50):
        at = START + minute * MINUTE + 5
        data.add(metric.namespace, metric.name, 1e9, at, **dict(metric.dimensions))
    found = states(alarm, data, 50)
    began = found.index("ALARM")
    assert began <= alarm.properties["EvaluationPeriods"] * alarm.period / MINUTE + late / MINUTE + 6
    assert set(found[began:]) == {"ALARM"}


@pytest.mark.parametrize("late", [0, 120])
@pytest.mark.parametrize("name", SILENCE)
def test_figures_that_come_late_are_no_silence(name, late):
    alarm = EVERYTHING.single[name]
    ((metric, _),) = alarm.metrics.values()
    data = Data(late=late)
    for minute in range(-20, 60):
        data.add(metric.namespace, metric.name, 1, START + minute * MINUTE + 5, **dict(metric.dimensions))
    assert set(states(alarm, data, 60)) == {"OK"}
