"""What a stack says while things break: messages to its owners, data points, and what alarms make of them.

Messages come by SNS to queues that are subscribed as ``causeway owners sync`` subscribes addresses. Metrics are
the lines in the embedded metric format that functions write to their logs. AWS's own, which the emulator does not
emit, are derived: of functions from the log of each invocation (one that failed has the runtime's record of it), of
queues by asking them every few seconds, of the API from what the providers were answered. The emulator throttles nobody.
"""

from __future__ import annotations

import json
import re
import time
from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

import urllib3

from causeway.watching.owners import OPERATOR, policy_of
from tests.chaos.drills.table import PARAMETERS
from tests.support.alarms import MINUTE, Alarms, Data
from tests.support.template import functions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tests.chaos.drills.stand import Deployed, Stand
    from tests.support.alarms import Change

BEFORE = 10
"""Minutes for which the scheduler and the watchdog are taken to have run before the stack was there: their alarms
count the minutes in which they did not."""

_ANY_METRIC: dict[str, Any] = {
    "Namespace": "Drills",
    "MetricName": "None",
    "Statistic": "Sum",
    "Period": MINUTE,
    "EvaluationPeriods": 1,
    "Threshold": 0.0,
    "ComparisonOperator": "GreaterThanThreshold",
}
"""Of an alarm whose state is set: the emulator evaluates none."""

_ALIASES = {name: own["AutoPublishAlias"] for name, own in functions().items() if "AutoPublishAlias" in own}
_QUEUES_EVERY = 5.0  # seconds
_LATE_BY = 4.0  # seconds after a minute's end in which what was counted in it still comes
_LATE = 5000  # milliseconds for which lines of an invocation may come after those of a later one
_DURATION = re.compile(r"\tDuration: (\d+) ms")
_AGED = ("Deliveries", "DeliveriesFifo", "Polls")
_DEPTHS = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")


class Message(NamedTuple):
    """What somebody was told."""

    at: float
    to: str
    check: str
    state: str
    subject: str
    text: str


class Point(NamedTuple):
    """A value of a metric."""

    at: float
    namespace: str
    name: str
    value: float


class Recorded(Data):
    """Data points that remember in which order they came."""

    def __init__(self) -> None:
        super().__init__()
        self.points: list[Point] = []
        self._lasting = {("Causeway", "WatchdogRuns"), ("AWS/Lambda", "Invocations", "SchedulerFunction")}

    def add(self, namespace: str, name: str, value: float, at: float, **dimensions: str) -> None:
        """One value; of what counts each minute, also those of the minutes before the first."""
        super().add(namespace, name, value, at, **dimensions)
        self.points.append(Point(at, namespace, name, value))
        heartbeat = self._lasting & {(namespace, name), (namespace, name, *dimensions.values())}
        if heartbeat:
            self._lasting -= heartbeat
            for back in range(1, BEFORE + 1):
                super().add(namespace, name, value, at - back * MINUTE, **dimensions)

    def first(self, namespace: str, name: str, *, above: float, since: float) -> float | None:
        """When a metric was above a value for the first time since then."""
        found = (
            each.at
            for each in self.points
            if (each.namespace, each.name) == (namespace, name) and each.value > above and each.at >= since
        )
        return min(found, default=None)


def take_invocation(data: Data, function: str, at: float, lines: Sequence[str]) -> None:
    """What AWS would have counted of an invocation, by what stands in its log, and what the function did."""
    own = [record for line in lines for record in records(line)]
    for line in own:
        data.take(line)
    seconds = next((int(match[1]) / 1000 for match in map(_DURATION.search, lines) if match), 0.0)
    crashed = any({"errorType", "requestId"} <= line.keys() for line in own)
    for name, value in (("Invocations", 1.0), ("Errors", float(crashed)), ("Duration", seconds * 1000)):
        data.add("AWS/Lambda", name, value, at - seconds, FunctionName=function)
        if function in _ALIASES:  # as which it is invoked on AWS, and counted, too
            resource = f"{function}:{_ALIASES[function]}"
            data.add("AWS/Lambda", name, value, at - seconds, FunctionName=function, Resource=resource)
    if function == "ProcessorFunction":  # it was handed something, be it of the ordered queue
        data.add("AWS/SQS", "NumberOfMessagesReceived", 1, at - seconds, QueueName="Deliveries")


def records(line: str) -> Iterator[dict[str, Any]]:
    """The objects of a log line; there are two where threads wrote at once, and none in Lambda's own lines."""
    decoder = json.JSONDecoder()
    at = 0
    while line[at : at + 1] == "{":
        try:
            record, at = decoder.raw_decode(line, at)
        except ValueError:
            return  # cut off
        yield record


class Hearing:
    """Listens to one stack.

    Args:
        deployed: The stack.
        stands: The drills on it, whose owners and providers are listened to.
    """

    def __init__(self, deployed: Deployed, stands: Iterable[Stand]) -> None:
        self._deployed = deployed
        self._cloud = deployed.cloud
        self._stands = list(stands)
        self.data = Recorded()
        self.messages: list[Message] = []
        self.since = time.time()
        self._alarms = Alarms(self._cloud.running["stack"], **PARAMETERS)
        self._logs = {deployed.log_of(name): name for name in deployed.functions}
        self._read = dict.fromkeys(self._logs, int(self.since * 1000))
        self._seen: defaultdict[str, set[str]] = defaultdict(set)
        self._answered = dict.fromkeys((each.drill.name for each in self._stands), 0)
        self._asked_at = 0.0
        self._evaluated_at = 0.0
        self._changes: list[Change] = []
        self._heard = {to: self._subscribe(to) for to in (OPERATOR, *(s.drill.owner for s in self._stands))}
        self._http = urllib3.PoolManager(timeout=10.0)

    def listen(self) -> None:
        """Hear what there is to hear by now."""
        for to, url in self._heard.items():
            self.messages += self._taken(to, url)
        for group, function in self._logs.items():
            for at, lines in self._invocations(group):
                take_invocation(self.data, function, at, lines)
        for stand in self._stands:
            self._count_answers(stand)
        if time.time() >= self._asked_at + _QUEUES_EVERY:
            self._asked_at = time.time()
            for name, url in self._deployed.queues.items():
                self._ask_queue(name, url)

    def runs(self) -> int:
        """How often the watchdog has run to its end."""
        return sum(point.name == "WatchdogRuns" for point in self.data.points)

    def alarms(self) -> list[Change]:
        """What the template's alarms that tell somebody have said by now; they are evaluated each minute."""
        minute = time.time() // MINUTE * MINUTE
        if time.time() >= max(minute + _LATE_BY, self._evaluated_at + MINUTE):
            self._evaluated_at = minute
            self._changes = self._alarms.messages(self.data, self.since // MINUTE * MINUTE, minute)
            self._show_alarms()
        return self._changes

    def _show_alarms(self) -> None:
        """Have the emulator's CloudWatch say what it would: the console asks it which alarms ring."""
        cloudwatch = self._cloud.clients("cloudwatch")
        for name, state in {change.alarm: change.state for change in self._changes}.items():
            alarm = f"{self._cloud.running['stack']}-{name}-DRILL"
            cloudwatch.put_metric_alarm(
                AlarmName=alarm,
                AlarmDescription=self._alarms.described(name),
                AlarmActions=[self._cloud.outputs["AlarmsTopic"]],
                **_ANY_METRIC,
            )
            cloudwatch.set_alarm_state(AlarmName=alarm, StateValue=state, StateReason="drill")

    def _subscribe(self, to: str) -> str:
        sqs, sns = self._cloud.clients("sqs"), self._cloud.clients("sns")
        url: str = sqs.create_queue(QueueName=f"heard-{re.sub('[^a-z]', '-', to)}")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        may = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": arn}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [may]})
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
        sns.subscribe(
            TopicArn=self._cloud.outputs["OwnersTopic"],
            Protocol="sqs",
            Endpoint=arn,
            Attributes={"FilterPolicy": json.dumps(policy_of(to))},
        )
        return url

    def _taken(self, to: str, url: str) -> Iterator[Message]:
        sqs = self._cloud.clients("sqs")
        while True:
            answer = sqs.receive_message(
                QueueUrl=url, MaxNumberOfMessages=10, MessageSystemAttributeNames=["SentTimestamp"]
            )
            if not answer.get("Messages"):
                return
            for each in answer["Messages"]:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=each["ReceiptHandle"])
                yield _message(to, int(each["Attributes"]["SentTimestamp"]) / 1000, json.loads(each["Body"]))

    def _invocations(self, group: str) -> Iterator[tuple[float, list[str]]]:
        """Those that ended since the last time: each has a stream of its own here."""
        since = self._read[group]
        pages = self._cloud.clients("logs").get_paginator("filter_log_events")
        found: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
        for page in pages.paginate(logGroupName=group, startTime=since):
            for event in page["events"]:
                found[event["logStreamName"]].append(event)
        for stream in found.keys() - self._seen[group]:
            lines = found[stream]
            if not any(each["message"].startswith("REPORT ") for each in lines):
                continue  # it is being written
            self._seen[group].add(stream)
            at = lines[-1]["timestamp"]
            self._read[group] = max(self._read[group], at - _LATE)
            yield at / 1000, [each["message"] for each in lines]

    def _count_answers(self, stand: Stand) -> None:
        answers = stand.provider.answers
        known, self._answered[stand.drill.name] = self._answered[stand.drill.name], len(answers)
        for at, status in answers[known : self._answered[stand.drill.name]]:
            self.data.add("AWS/ApiGateway", "5xx", float(not 0 < status < 500), at, ApiId="Api")

    def _ask_queue(self, name: str, url: str) -> None:
        answer = self._cloud.clients("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=list(_DEPTHS))
        visible, hidden = (float(answer["Attributes"][each]) for each in _DEPTHS)
        now = time.time()
        values = {
            "ApproximateNumberOfMessagesVisible": visible,
            "ApproximateNumberOfMessagesNotVisible": hidden,
            **({"ApproximateAgeOfOldestMessage": self._age(url, now)} if name in _AGED else {}),
        }
        for metric, value in values.items():
            self.data.add("AWS/SQS", metric, value, now, QueueName=name)

    def _age(self, url: str, now: float) -> float:
        """Of the oldest message. SQS tells nobody but CloudWatch; the emulator shows what lies there."""
        endpoint = f"{self._cloud.running['endpoint']}/_ministack/sqs/messages"
        shown = self._http.request("GET", endpoint, fields={"QueueUrl": url}).json()["messages"]
        sent = [
            int(each["Attributes"]["SentTimestamp"]) / 1000
            for regions in shown.values()
            for queues in regions.values()
            for messages in queues.values()
            for each in messages
        ]
        return now - min(sent, default=now)


def _message(to: str, at: float, envelope: Mapping[str, Any]) -> Message:
    """What SNS has put on a queue."""
    attributes = {name: each["Value"] for name, each in envelope["MessageAttributes"].items()}
    return Message(at, to, attributes["check"], attributes["state"], envelope["Subject"], envelope["Message"])
