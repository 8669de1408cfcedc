"""DynamoDB's condition and update expressions, as far as Causeway writes them, evaluated in memory."""

from __future__ import annotations

import functools
import re
from decimal import Decimal

from causeway.aws.errors import AwsError

TOKEN = re.compile(r"\s*(<=|>=|<>|[#:]?\w+|[=<>(),])")
COMPARE = {
    "=": lambda a, b: a == b,
    "<>": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def _comparable(typed):
    ((kind, value),) = typed.items()
    return kind, Decimal(value) if kind == "N" else value


def _compares(operator, left, right):
    if left is None:
        return False
    (kind, a), (other, b) = _comparable(left), _comparable(right)
    return kind == other and COMPARE[operator](a, b)


@functools.cache
def _tokens(text):
    return TOKEN.findall(text)


@functools.cache
def _clauses(text):
    """What an update expression does: (SET or REMOVE, name, value, name whose value counts if it is there)."""
    found = []
    for clause, body in re.findall(r"(SET|REMOVE) (.*?)(?= REMOVE |$)", text):
        for part in re.split(r",\s*(?![^(]*\))", body):
            left, _, right = (side.strip() for side in part.partition("="))
            default = re.fullmatch(r"if_not_exists\((#?\w+),\s*(:\w+)\)", right)
            found.append((clause, left, default[2] if default else right, default[1] if default else None))
    return found


class Expressions:
    """The expressions of one request, with its names and values."""

    def __init__(self, parameters):
        self.names = parameters.get("ExpressionAttributeNames", {})
        self.values = parameters.get("ExpressionAttributeValues", {})
        self.used = set()

    def check_all_used(self):
        """Like DynamoDB: a name or value that no expression uses is an error."""
        unused = {*self.names, *self.values} - self.used
        assert not unused, f"unused in expressions: {unused}"

    def _name(self, token):
        self.used.add(token)
        return self.names[token] if token.startswith("#") else token

    def _value(self, token):
        self.used.add(token)
        return self.values[token]

    def holds(self, text, item):
        """Whether a condition (also a key condition) holds of an item, or of none: {}."""
        self.tokens = _tokens(text)
        self.at = 0
        result = self._or(item)
        assert self.at == len(self.tokens), text
        return result

    def update(self, text, item):
        """The item that an update expression makes of another."""
        made = dict(item)
        for clause, left, right, default in _clauses(text):
            if clause == "REMOVE":
                made.pop(self._name(left), None)
            elif default:
                made[self._name(left)] = item.get(self._name(default), self._value(right))
            else:
                made[self._name(left)] = self._value(right)
        return made

    def _peek(self):
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def _take(self, expected=None):
        token = self.tokens[self.at]
        assert expected in (None, token), (expected, token)
        self.at += 1
        return token

    def _or(self, item):
        result = self._and(item)
        while self._peek() == "OR":
            self._take()
            result = self._and(item) or result
        return result

    def _and(self, item):
        result = self._one(item)
        while self._peek() == "AND":
            self._take()
            result = self._one(item) and result
        return result

    def _one(self, item):
        token = self._take()
        if token == "NOT":
            return not self._one(item)
        if token == "(":
            result = self._or(item)
            self._take(")")
            return result
        if token in ("attribute_exists", "attribute_not_exists"):
            self._take("(")
            there = self._name(self._take()) in item
            self._take(")")
            return there == (token == "attribute_exists")
        left = item.get(self._name(token))
        operator = self._take()
        if operator == "IN":
            self._take("(")
            choices = [self._value(self._take())]
            while self._take() == ",":
                choices.append(self._value(self._take()))
            return left in choices
        right = self._value(self._take())
        if operator == "BETWEEN":
            self._take("AND")
            high = self._value(self._take())
            if not _compares("<=", right, high):
                raise AwsError(
                    "ValidationException", "BETWEEN: the upper bound is below the lower bound", 400
                )
            return _compares(">=", left, right) and _compares("<=", left, high)
        return _compares(operator, left, right)
