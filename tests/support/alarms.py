"""The template's alarms, evaluated over data points as CloudWatch does it, minute by minute.

What is here is what the template uses: statistics and percentiles, metric math, M of N periods, the four
treatments of missing data, and composite alarms. Sources:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html,
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
"""

from __future__ import annotations

import ast
import functools
import json
import math
import re
from bisect import bisect_left, insort
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from tests.support.resolving import STACK, Resolver
from tests.support.template import written

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

State = Literal["OK", "ALARM", "INSUFFICIENT_DATA"]

MINUTE = 60

LOOKED_BACK = 2
"""CloudWatch looks at more periods than it evaluates, for data that is late; how many more, it does not promise."""

COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
    "LessThanOrEqualToThreshold": lambda value, threshold: value <= threshold,
}


@dataclass(frozen=True)
class Metric:
    """What a data point belongs to; resources stand in dimensions by their names in the template."""

    namespace: str
    name: str
    dimensions: frozenset[tuple[str, str]]

    @classmethod
    def of(cls, described: Mapping[str, Any]) -> Metric:
        """The one that an alarm, or one of its ``MetricStat``, describes."""
        dimensions = frozenset((one["Name"], str(one["Value"])) for one in described["Dimensions"])
        return cls(described["Namespace"], described["MetricName"], dimensions)


class Data:
    """Data points, as functions and AWS would have brought them to CloudWatch.

    Args:
        late: Seconds until CloudWatch has a point: what AWS measures comes a minute or two after it was so.
        fills_never: Whether FILL fills a metric of which nothing is there, or leaves nothing of it. CloudWatch
            does not say, so alarms are to do the same either way.
    """

    def __init__(self, *, late: float = 0, fills_never: bool = True) -> None:
        self.late = late
        self.fills_never = fills_never
        self._points: defaultdict[Metric, list[tuple[float, float]]] = defaultdict(list)

    def add(self, namespace: str, name: str, value: float, at: float, **dimensions: str) -> None:
        """One value at a time, in seconds."""
        insort(self._points[Metric(namespace, name, frozenset(dimensions.items()))], (at, value))

    def take(self, line: str | Mapping[str, Any]) -> None:
        """What a log line in the embedded metric format holds; any other line holds nothing.

        https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
        """
        record = json.loads(line) if isinstance(line, str) else line
        about = record.get("_aws", {})
        for directive in about.get("CloudWatchMetrics", []):
            for names in directive["Dimensions"]:
                dimensions = {name: record[name] for name in names}
                for metric in directive["Metrics"]:
                    values = record[metric["Name"]]
                    for value in values if isinstance(values, list) else [values]:
                        at = about["Timestamp"] / 1000
                        self.add(directive["Namespace"], metric["Name"], value, at, **dimensions)

    def series(
        self, metric: Metric, statistic: str, starts: Sequence[float], period: int, now: float
    ) -> list[float | None]:
        """A statistic of each period that begins at one of these times; None where there is no value by now."""
        points = self._points.get(metric, [])
        ends = [min(start + period, now - self.late) for start in starts]
        cuts = [
            (bisect_left(points, (start,)), bisect_left(points, (end,)))
            for start, end in zip(starts, ends, strict=True)
        ]
        windows = ([value for _, value in points[low:high]] for low, high in cuts)
        return [aggregate(values, statistic) if values else None for values in windows]


def aggregate(values: Sequence[float], statistic: str) -> float:
    """A statistic by CloudWatch's name for it. A percentile is the least value that so many do not exceed."""
    if statistic.startswith("p"):
        rank = math.ceil(float(statistic[1:]) / 100 * len(values))
        return sorted(values)[max(rank, 1) - 1]
    return {
        "Sum": sum(values),
        "Maximum": max(values),
        "Minimum": min(values),
        "Average": sum(values) / len(values),
        "SampleCount": float(len(values)),
    }[statistic]


def calculate(
    expression: str, known: Mapping[str, float | None], never: Collection[str] = ()
) -> float | None:
    """Metric math at one point in time; None is a missing value.

    Arithmetic with a missing value, and division by zero, give none; SUM and MAX pass over those that are missing.

    Args:
        expression: As an alarm has it.
        known: Each metric's value, by its id.
        never: Those that FILL does not fill, for nothing of them is there.
    """
    return _calculate(expression, tuple(known.items()), frozenset(never))


@functools.lru_cache(maxsize=10_000)  # most minutes are like others
def _calculate(
    expression: str, values: tuple[tuple[str, float | None], ...], never: frozenset[str]
) -> float | None:
    known = dict(values)
    for name in never:
        expression = re.sub(rf"FILL\({name}, [\d.]+\)", name, expression)
    if "METRICS(" in expression:
        known = {name: value for name, value in known.items() if name not in never}
    node = ast.parse(expression.strip(), mode="eval").body
    result = _value(node, known)
    assert not isinstance(result, list), f"an alarm watches one series, not those of {expression}"
    return result


Value = float | None | list[float | None]

ARITHMETIC: dict[type, Callable[[float, float], float]] = {
    ast.Add: lambda left, right: left + right,
    ast.Sub: lambda left, right: left - right,
    ast.Mult: lambda left, right: left * right,
    ast.Div: lambda left, right: left / right,
    ast.Gt: lambda left, right: float(left > right),
    ast.Lt: lambda left, right: float(left < right),
}


def _value(node: ast.expr, known: Mapping[str, float | None]) -> Value:
    match node:
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.Name(id=name):
            return known[name]
        case ast.List(elts=items):
            return [one for item in items for one in _flat(_value(item, known))]
        case (
            ast.BinOp(left=left, op=operator, right=right)
            | ast.Compare(left=left, ops=[operator], comparators=[right])
        ):
            return _pairwise(ARITHMETIC[type(operator)], _value(left, known), _value(right, known))
        case ast.Call(func=ast.Name(id="METRICS"), args=arguments):
            part = arguments[0].value if arguments and isinstance(arguments[0], ast.Constant) else ""
            return [value for name, value in known.items() if str(part) in name]
        case ast.Call(func=ast.Name(id=name), args=arguments):
            return _function(name, [_value(one, known) for one in arguments])
    raise AssertionError(f"the template did not use this before: {ast.unparse(node)}")


def _flat(value: Value) -> list[float | None]:
    return value if isinstance(value, list) else [value]


def _pairwise(operator: Callable[[float, float], float], left: Value, right: Value) -> float | None:
    assert not isinstance(left, list)
    assert not isinstance(right, list)
    if left is None or right is None:
        return None
    try:
        return operator(left, right)
    except ZeroDivisionError:
        return None


def _function(name: str, arguments: Sequence[Value]) -> Value:
    match name, arguments:
        case "FILL", [list(values), float(filling)]:
            return [filling if value is None else value for value in values]
        case "FILL", [value, float(filling)]:
            return filling if value is None else value
        case "IF", [condition, then, otherwise]:
            return None if condition is None else then if condition else otherwise
        case "SUM" | "MAX", [list(values)]:
            present = [value for value in values if value is not None]
            return (sum if name == "SUM" else max)(present) if present else None
    raise AssertionError(f"the template did not use {name} like this before")


@dataclass(frozen=True)
class Alarm:
    """One alarm on metrics, as the template makes it with some parameters."""

    name: str
    properties: Mapping[str, Any]

    @functools.cached_property
    def metrics(self) -> dict[str, tuple[Metric, str]]:
        """What it watches, with the statistic of each, by the ids of its expression."""
        own = self.properties
        if "Metrics" not in own:
            return {"watched": (Metric.of(own), own.get("Statistic") or own["ExtendedStatistic"])}
        stats = {one["Id"]: one["MetricStat"] for one in own["Metrics"] if "MetricStat" in one}
        return {id_: (Metric.of(stat["Metric"]), stat["Stat"]) for id_, stat in stats.items()}

    @property
    def expression(self) -> str:
        """The metric math that it watches; a single metric's own id where it uses none."""
        if "Metrics" not in self.properties:
            return "watched"
        (watched,) = [one for one in self.properties["Metrics"] if one.get("ReturnData", True)]
        return str(watched["Expression"])

    @property
    def period(self) -> int:
        """Seconds."""
        if "Metrics" not in self.properties:
            return int(self.properties["Period"])
        (period,) = {one["MetricStat"]["Period"] for one in self.properties["Metrics"] if "MetricStat" in one}
        return int(period)

    def state(self, data: Data, now: float, before: State) -> State:
        """Its state when the last period that has ended by then is evaluated."""
        number = self.properties["EvaluationPeriods"]
        wanted = self.properties.get("DatapointsToAlarm", number)
        last = int(now // self.period) * self.period
        starts = [last - self.period * back for back in range(number + LOOKED_BACK, 0, -1)]
        columns = {
            id_: data.series(metric, statistic, starts, self.period, now)
            for id_, (metric, statistic) in self.metrics.items()
        }
        rows = [{id_: column[index] for id_, column in columns.items()} for index in range(len(starts))]
        gone = {id_ for id_, column in columns.items() if not any(value is not None for value in column)}
        values = [calculate(self.expression, row, () if data.fills_never else gone) for row in rows]
        return self._judge(values, number, wanted, before)

    def _judge(self, values: Sequence[float | None], number: int, wanted: int, before: State) -> State:
        breaches = COMPARISONS[self.properties["ComparisonOperator"]]
        threshold = float(self.properties["Threshold"])
        judged = [None if value is None else breaches(value, threshold) for value in values]
        present = [one for one in judged if one is not None]
        return decide(present[-number:], number, wanted, self.properties["TreatMissingData"], before)


def decide(present: Sequence[bool], number: int, wanted: int, treatment: str, before: State) -> State:
    """As CloudWatch's own table has it: what is real counts, and the treatment makes up what lacks.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
    """
    breaching, lacking = sum(present), number - len(present)
    if breaching >= wanted:
        return "ALARM"
    if not present and treatment == "missing":
        return "INSUFFICIENT_DATA"
    if lacking and all(present):
        return before if treatment == "ignore" else "OK" if treatment == "notBreaching" else "ALARM"
    return "ALARM" if treatment == "breaching" and breaching + lacking >= wanted else "OK"


@dataclass(frozen=True)
class Change:
    """An alarm went into another state."""

    at: float
    alarm: str
    state: State


class Alarms:
    """All alarms of the template.

    Args:
        stack: The stack's name.
        parameters: Of the stack, where they are not the template's defaults.
    """

    def __init__(self, stack: str = STACK, **parameters: str) -> None:
        resolver = Resolver(written(), parameters, stack=stack)
        self.single = {
            name: Alarm(name, properties)
            for name, properties in resolver.resources("AWS::CloudWatch::Alarm").items()
        }
        self.composite = resolver.resources("AWS::CloudWatch::CompositeAlarm")

    def children(self, composite: str) -> set[str]:
        """The alarms of a composite's rule."""
        return {
            str(node.args[0].value)
            for node in ast.walk(_rule(self.composite[composite]["AlarmRule"]))
            if isinstance(node, ast.Call) and isinstance(node.args[0], ast.Constant)
        }

    def acting(self) -> set[str]:
        """Those that tell somebody."""
        everyone = {name: alarm.properties for name, alarm in self.single.items()} | self.composite
        return {name for name, properties in everyone.items() if properties.get("AlarmActions")}

    def described(self, name: str) -> str:
        """What one says."""
        properties = self.single[name].properties if name in self.single else self.composite[name]
        return str(properties["AlarmDescription"])

    def run(self, data: Data, since: float, until: float) -> list[Change]:
        """Every change of state from one time to another; all is well before.

        Alarms begin as OK: a stack that has been there for a while.
        """
        states: dict[str, State] = dict.fromkeys([*self.single, *self.composite], "OK")
        changes: list[Change] = []
        for step in range(math.ceil((until - since) / MINUTE) + 1):
            now = since + step * MINUTE
            after = dict(self._states(data, now, states))
            changes += [Change(now, name, state) for name, state in after.items() if state != states[name]]
            states = after
        return changes

    def messages(self, data: Data, since: float, until: float) -> list[Change]:
        """What of it people are told."""
        acting = self.acting()
        return [change for change in self.run(data, since, until) if change.alarm in acting]

    def _states(self, data: Data, now: float, before: Mapping[str, State]) -> Iterator[tuple[str, State]]:
        states = {name: alarm.state(data, now, before[name]) for name, alarm in self.single.items()}
        yield from states.items()
        for name, properties in self.composite.items():
            yield name, "ALARM" if _holds(_rule(properties["AlarmRule"]), states) else "OK"


def _rule(rule: str) -> ast.expr:
    """A composite's rule, whose grammar is Python's but for the case of its operators."""
    return ast.parse(rule.replace(" OR ", " or ").replace(" AND ", " and "), mode="eval").body


def _holds(node: ast.expr, states: Mapping[str, State]) -> bool:
    match node:
        case ast.BoolOp(op=ast.Or(), values=parts):
            return any(_holds(part, states) for part in parts)
        case ast.BoolOp(op=ast.And(), values=parts):
            return all(_holds(part, states) for part in parts)
        case ast.Call(func=ast.Name(id="ALARM"), args=[ast.Constant(value=str(name))]):
            return states[name] == "ALARM"
    raise AssertionError(f"the template did not use this before: {ast.unparse(node)}")


def told(messages: Iterable[Change]) -> list[tuple[str, State]]:
    """Messages without their times."""
    return [(message.alarm, message.state) for message in messages]
