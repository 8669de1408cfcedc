"""DynamoDB's condition and update expressions, as far as Causeway writes them, evaluated in memory.

Causeway writes few different ones, and tests evaluate them by the hundred thousand: each is read once, into functions.
"""

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


class _Condition:
    """A condition as a function of (item, known): what its names and values stand for.

    ``used`` are those that DynamoDB wants to be told, whether it comes to look at them or not.
    """

    def __init__(self, text):
        self.used = set()
        self._tokens = TOKEN.findall(text)
        self._at = 0
        self.holds = self._or()
        assert self._at == len(self._tokens), text

    def _peek(self):
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _take(self, expected=None):
        token = self._tokens[self._at]
        assert expected in (None, token), (expected, token)
        self._at += 1
        return token

    def _operand(self):
        token = self._take()
        if token[0] in "#:":
            self.used.add(token)
        return token

    def _joined(self, word, part):
        parts = [part()]
        while self._peek() == word:
            self._take()
            parts.append(part())
        return parts

    def _or(self):
        parts = self._joined("OR", self._and)
        return parts[0] if len(parts) == 1 else lambda *where: any(part(*where) for part in parts)

    def _and(self):
        parts = self._joined("AND", self._one)
        return parts[0] if len(parts) == 1 else lambda *where: all(part(*where) for part in parts)

    def _one(self):
        match self._peek():
            case "NOT":
                self._take()
                denied = self._one()
                return lambda *where: not denied(*where)
            case "(":
                return self._in_brackets(self._or)
            case "attribute_exists" | "attribute_not_exists" as function:
                self._take()
                name = self._in_brackets(self._operand)
                wanted = function == "attribute_exists"
                return lambda item, known: (known.get(name, name) in item) == wanted
        return self._comparison(self._operand(), self._take())

    def _in_brackets(self, part):
        self._take("(")
        found = part()
        self._take(")")
        return found

    def _comparison(self, name, operator):
        if operator == "IN":
            choices = self._in_brackets(lambda: self._joined(",", self._operand))
            return lambda item, known: item.get(known.get(name, name)) in [known[each] for each in choices]
        right = self._operand()
        if operator != "BETWEEN":
            return lambda item, known: _compares(operator, item.get(known.get(name, name)), known[right])
        self._take("AND")
        high = self._operand()

        def between(item, known):
            if not _compares("<=", known[right], known[high]):
                raise AwsError(
                    "ValidationException", "BETWEEN: the upper bound is below the lower bound", 400
                )
            left = item.get(known.get(name, name))
            return _compares(">=", left, known[right]) and _compares("<=", left, known[high])

        return between


_condition = functools.cache(_Condition)


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


@functools.cache
def _used_by_update(text):
    tokens = {token for _, *tokens in _clauses(text) for token in tokens if token}
    return {token for token in tokens if token[0] in "#:"}


class Expressions:
    """The expressions of one request, with its names and values."""

    def __init__(self, parameters):
        names = parameters.get("ExpressionAttributeNames", {})
        self._known = names | parameters.get("ExpressionAttributeValues", {})
        self._used = set()

    def check_all_used(self):
        """Like DynamoDB: a name or value that no expression uses is an error."""
        unused = self._known.keys() - self._used
        assert not unused, f"unused in expressions: {unused}"

    def _use(self, tokens):
        """Like DynamoDB: one that is used and not there is an error, also where it would not be looked at."""
        assert tokens <= self._known.keys(), f"missing from expressions: {tokens - self._known.keys()}"
        self._used |= tokens

    def holds(self, text, item):
        """Whether a condition (also a key condition) holds of an item, or of none: {}."""
        condition = _condition(text)
        self._use(condition.used)
        return condition.holds(item, self._known)

    def update(self, text, item):
        """The item that an update expression makes of another."""
        self._use(_used_by_update(text))
        known, made = self._known, dict(item)
        for clause, left, right, default in _clauses(text):
            name = known.get(left, left)
            if clause == "REMOVE":
                made.pop(name, None)
            elif default:
                made[name] = item.get(known.get(default, default), known[right])
            else:
                made[name] = known[right]
        return made
