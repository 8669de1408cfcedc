"""Expressions: JMESPath with ``lookup``, ``date`` and ``each``, evaluated strictly.

jmespath is imported by the first expression that is more than a path such as ``data.customer.id``: most
schemes and many mappings need no more.
"""

from __future__ import annotations

import math
import re
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from causeway.plan.records import JSON

    Evaluate = Callable[[Mapping[str, JSON]], JSON]

CACHED = 1024
"""So many compiled expressions are kept; a map with more of them compiles some again."""

_NAME = r'(?:[A-Za-z_][A-Za-z0-9_]*|"[^"\\\x00-\x1f]+")'
_PATH = re.compile(rf"[ \t\r\n]*({_NAME}(?:\.{_NAME})*)[ \t\r\n]*")
_NAMES = re.compile(_NAME)
_TYPES = {
    type(None): "null",
    bool: "a boolean",
    str: "a string",
    int: "a number",
    float: "a number",
    list: "an array",
    dict: "an object",
}


class ExpressionError(Exception):
    """The map cannot be evaluated on this event.

    The message names the expression and what would be right, and never a value: values may be secret.
    """

    def __init__(self, problem: str, expression: str) -> None:
        super().__init__(f"{problem}: {expression}")
        self.problem = problem
        self.expression = expression


def select(expression: str, scope: Mapping[str, JSON]) -> JSON:
    """The value of an expression. It may be part of the scope itself: it is read, never changed.

    Raises:
        ExpressionError: it cannot be evaluated.
    """
    return compiled(expression)(scope)


def ask(expression: str, scope: Mapping[str, JSON]) -> bool:
    """The answer to a question: true or false, and nothing that is merely like one of them.

    Raises:
        ExpressionError: it has another value (null above all), or cannot be evaluated.
    """
    answer = select(expression, scope)
    if answer is True or answer is False:
        return answer
    if answer is None:
        raise ExpressionError(
            "the answer is null where only true or false will do (a field that it reads may be missing)",
            expression,
        )
    raise ExpressionError(
        f"the answer is {_TYPES[type(answer)]} where only true or false will do (compare it with something)",
        expression,
    )


@lru_cache(maxsize=CACHED)
def compiled(expression: str) -> Evaluate:
    """What :func:`select` evaluates, ready.

    Raises:
        ExpressionError: it is no expression.
    """
    names = _path(expression)
    if names is None:
        return _interpreted(expression)

    def follow(scope: Mapping[str, JSON]) -> JSON:
        value: JSON = scope
        try:
            for name in names:
                value = value.get(name)
        except AttributeError:  # what is no object has no fields: null, as JMESPath has it
            return None
        return value

    return follow


def select_each(expression: str, scopes: Sequence[JSON]) -> list[JSON]:
    """The values of an expression over each of very many scopes, as :func:`select` gives them.

    Raises:
        ExpressionError: it cannot be evaluated on one of them.
    """
    names = _path(expression)
    if names and len(names) == 1:
        name = names[0]
        with suppress(AttributeError):  # not all of them are objects
            return [scope.get(name) for scope in scopes]
    evaluate = compiled(expression)
    return [evaluate(scope) for scope in scopes]


@lru_cache(maxsize=CACHED)
def _path(expression: str) -> list[str] | None:
    """The names of an expression that is nothing but some with dots between them."""
    path = _PATH.fullmatch(expression)
    return path and [name.strip('"') for name in _NAMES.findall(path[1])]


def _interpreted(expression: str) -> Evaluate:
    from jmespath import compile as parse  # noqa: PLC0415 # see the module's docstring
    from jmespath.visitor import Options  # noqa: PLC0415

    from causeway.events.functions import CausewayFunctions  # noqa: PLC0415

    try:
        parsed = parse(expression)
    except Exception as error:  # noqa: BLE001 # jmespath raises IndexError and others on some malformed texts
        raise ExpressionError(f"this is not JMESPath ({type(error).__name__})", expression) from None
    options = Options(custom_functions=CausewayFunctions())

    def evaluate(scope: Mapping[str, JSON]) -> JSON:
        try:
            value = parsed.search(scope, options)
        # Whatever a provider's data makes jmespath raise is this delivery's failure, with a reason.
        # Its messages quote values, so they are neither repeated nor chained.
        except Exception as error:  # noqa: BLE001
            raise ExpressionError(_problem(error), expression) from None
        if type(value) not in _TYPES or (isinstance(value, float) and not math.isfinite(value)):
            raise ExpressionError("the value is nothing that JSON can say", expression)
        return value

    return evaluate


def _problem(error: Exception) -> str:
    from jmespath import exceptions  # noqa: PLC0415
    from jmespath.functions import TYPES_MAP  # noqa: PLC0415

    from causeway.events.functions import FunctionError  # noqa: PLC0415

    match error:
        case exceptions.JMESPathTypeError():
            actual = TYPES_MAP.get(error.actual_type, error.actual_type)
            expected = " or ".join(error.expected_types)
            return f"{error.function_name}() takes {expected}, and was given {actual}"
        case FunctionError() | exceptions.ArityError() | exceptions.UnknownFunctionError():
            return str(error)
        case TypeError():
            return "values of different types are compared or combined (to_number() makes a number of a text)"
        case RecursionError():
            return "it or its data is nested too deeply"
        case _:
            return f"it cannot be evaluated ({type(error).__name__})"
