"""CloudWatch Logs Insights, as far as the queries of docs/logs.md use it, over lines that are at hand.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html. What it does not know is an error.
"""

from __future__ import annotations

import json
import operator
import re
from statistics import fmean

COMPARE = {
    "=": operator.eq,
    "!=": operator.ne,
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
AGGREGATES = {
    "count": len,
    "sum": sum,
    "max": max,
    "avg": fmean,
}

_CONDITION = re.compile(r"(\w+) (!=|>=|<=|=|>|<) (.+)")
_IN = re.compile(r"(\w+) in (\[.+\])")
_LIKE = re.compile(r"(\S+) like /(.+)/")
_PRESENT = re.compile(r"ispresent\((\w+)\)")
_AGGREGATE = re.compile(r"(\w+)\((\*|\w+)\) as (\w+)")


def run(query, lines):
    """The rows that a query gives: dictionaries."""
    rows = [line | {"@timestamp": line["timestamp"], "@message": json.dumps(line)} for line in lines]
    shown = None
    for command in (part.strip() for part in re.split(r"\n\| |^", query.strip()) if part.strip()):
        name, _, rest = command.partition(" ")
        match name:
            case "fields":
                shown = rest.split(", ")
            case "filter":
                rows = [row for row in rows if all(_holds(each, row) for each in rest.split(" and "))]
            case "stats":
                rows, shown = _stats(rest, rows), None
            case "sort":
                by, order = rest.split(" ")
                rows = sorted(rows, key=operator.itemgetter(by), reverse={"asc": False, "desc": True}[order])
            case _:
                raise ValueError(f"{name!r} is no command that is known here")
    return [{field: row.get(field) for field in shown} for row in rows] if shown else rows


def _holds(condition, row):
    if found := _PRESENT.fullmatch(condition):
        return row.get(found[1]) is not None
    if found := _LIKE.fullmatch(condition):
        return re.search(found[2], row.get(found[1]) or "") is not None
    if found := _IN.fullmatch(condition):
        return row.get(found[1]) in json.loads(found[2])
    found = _CONDITION.fullmatch(condition)
    if not found:
        raise ValueError(f"{condition!r} is no condition that is known here")
    value = row.get(found[1])
    return value is not None and COMPARE[found[2]](value, json.loads(found[3]))


def _stats(text, rows):
    aggregates, _, by = text.partition(" by ")
    groups = {}
    for row in rows:
        groups.setdefault(tuple(row.get(field) for field in by.split(", ")), []).append(row)
    found = []
    for key, members in groups.items():
        values = dict(zip(by.split(", "), key, strict=True))
        for part in aggregates.split(", "):
            function, field, name = _AGGREGATE.fullmatch(part).groups()
            of = members if field == "*" else [row[field] for row in members if row.get(field) is not None]
            values[name] = AGGREGATES[function](of) if of else None
        found.append(values)
    return found
