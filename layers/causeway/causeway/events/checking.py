"""What can be said of an expression before any event has come. For the compiler; no function imports it."""

from __future__ import annotations

import difflib
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import jmespath
from jmespath import exceptions

from causeway.events.functions import FunctionError, check_format, signatures

if TYPE_CHECKING:
    from collections.abc import Collection

Node = dict[str, Any]
Path = tuple[str, ...]
"""A way from the scope to a value; ``()`` is the scope itself."""

_PROJECTIONS = {"projection", "value_projection", "filter_projection"}


@dataclass
class Findings:
    """What is wrong with an expression, and what it refers to."""

    errors: list[str] = field(default_factory=list)
    references: set[tuple[str, str]] = field(default_factory=set)
    """The first two names of every path: ``("steps", "account")`` of ``steps.account.body.id``."""


def check(expression: str, *, fields: Collection[str] | None) -> Findings:
    """Check an expression.

    Args:
        expression: as in the manifest.
        fields: what it sees at its place, such as :data:`causeway.events.envelope.SCOPE_FIELDS`; None where
            that is not known, such as a poll's record.
    """
    checker = _Checker(expression, fields)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", PendingDeprecationWarning)
            tree: Any = jmespath.compile(expression).parsed
    except PendingDeprecationWarning:
        checker.fail("between backticks stands JSON (`300`, `true`, `null`); a text is written 'so'")
    except Exception as error:  # noqa: BLE001 # jmespath raises IndexError and others on some malformed texts
        checker.fail(_syntax_problem(error))
    else:
        checker.walk(tree, ())
    return checker.findings


class _Checker:
    """Walks the syntax tree with the path of what each part is evaluated on; None where it is not known."""

    def __init__(self, expression: str, fields: Collection[str] | None) -> None:
        self.expression = expression
        self.fields = fields
        self.findings = Findings()

    def fail(self, problem: str) -> None:
        self.findings.errors.append(problem)

    def walk(self, node: Node, context: Path | None) -> Path | None:
        """Check a part; returns the path of its value."""
        match node["type"]:
            case "field":
                return self._field(node["value"], context)
            case "current" | "identity":
                return context
            case "subexpression" | "index_expression" | "pipe":
                return self._chain(node, context)
            case "literal" | "index" | "slice":
                pass
            case _:
                self._children(node, context)
        return None

    def _children(self, node: Node, context: Path | None) -> None:
        kind = node["type"]
        if kind == "function_expression":
            self._function(node)
        elif kind == "expref":
            self.fail("`&` stands only before an argument of a function, as in sort_by(data.items, &price)")
        for place, child in enumerate(node["children"]):
            each = kind in _PROJECTIONS and place > 0  # evaluated on each element, whose path nobody knows
            if kind == "function_expression" and child["type"] == "expref":
                child, each = child["children"][0], True  # noqa: PLW2901 # what the & stands before
            self.walk(child, None if each else context)

    def _chain(self, node: Node, context: Path | None) -> Path | None:
        if node["type"] != "pipe" and node["children"][0]["type"] == "not_expression":
            # ! binds more tightly than the dot: (!data).draft, which is null for every event.
            self.fail("`!` takes only the first name after it: write !(data.draft), with the brackets")
        for child in node["children"]:
            context = self.walk(child, context)
        return context

    def _field(self, name: str, context: Path | None) -> Path | None:
        if context is None:
            return None
        path = (*context, name)
        if len(path) == 1 and self.fields is not None and name not in self.fields:
            self.fail(self._unknown_name(name, self.fields))
        if len(path) == 2:  # noqa: PLR2004 # a root and a name
            self.findings.references.add((path[0], path[1]))
            if path[0] == "headers" and self.fields is not None and name != name.lower():
                self.fail(f'names of headers are in lower case here: headers."{name.lower()}"')
        return path

    def _unknown_name(self, name: str, fields: Collection[str]) -> str:
        if f'"{name}"' in self.expression:
            return (
                f"\"{name}\" in double quotes is the name of a field, which is not here; a text is '{name}'"
            )
        if name in {"true", "false", "null"}:
            return f"{name} is the name of a field, which is not here; the value is written `{name}`"
        close = difflib.get_close_matches(name, fields, n=1)
        meant = f"; did you mean {close[0]}?" if close else ""
        return f"there is no {name} here, only {', '.join(sorted(fields))}{meant}"

    def _function(self, node: Node) -> None:
        name, arguments = node["value"], node["children"]
        known = signatures()
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            self.fail(f"there is no function {name}()" + (f"; did you mean {close[0]}()?" if close else ""))
            return
        number, variadic = known[name]
        if len(arguments) != number and not (variadic and len(arguments) > number):
            least = "at least " if variadic else ""
            self.fail(f"{name}() takes {least}{number} argument{'s' * (number != 1)}, not {len(arguments)}")
        elif name == "date" and arguments[1]["type"] == "literal":
            self._date_format(arguments[1]["value"])

    def _date_format(self, form: object) -> None:
        try:
            check_format(str(form))
        except FunctionError as error:
            self.fail(str(error))


def _syntax_problem(error: Exception) -> str:
    match error:
        case exceptions.EmptyExpressionError():
            return "the expression is empty"
        case exceptions.IncompleteExpressionError():
            return "the expression is incomplete"
        case exceptions.LexerError():
            hint = ' (a name with - in it is written data."x-y")' if error.lexer_value == "-" else ""
            return f"{error.message} at character {error.lexer_position + 1}{hint}"
        case exceptions.ParseError():
            is_number = isinstance(error.token_value, int)
            hint = " (a number is written `300`, between backticks)" if is_number else ""
            return f"unexpected {error.token_value} at character {error.lex_position + 1}{hint}"
        case _:
            return "this is not JMESPath"
