"""The functions of expressions: JMESPath's own, and ``lookup``, ``date`` and ``each``.

Imports jmespath, so this module is imported by the first expression that needs more than a path.
"""

from __future__ import annotations

import json
import math
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from jmespath.functions import Functions, signature

if TYPE_CHECKING:
    from causeway.plan.records import JSON

NAMED_FORMATS = ("rfc3339", "epoch", "epoch_ms")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBER = re.compile(r"-?\d+(\.\d+)?", re.ASCII)
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)", re.ASCII)
# 10^11 s is the year 5138, 10^11 ms is 1973: between them no provider means the other unit.
_MILLISECONDS_FROM = 10**11


class FunctionError(Exception):
    """A function cannot work with what it was given; the message does not contain it."""


class CausewayFunctions(Functions):
    """What may be called in an expression. JMESPath finds the methods by their prefix ``_func_``."""

    @signature({"types": ["object"]}, {"types": ["string", "number", "boolean", "null"]}, {"types": []})
    def _func_lookup(self, table: dict[str, JSON], key: JSON, default: JSON) -> JSON:
        """The table's value under the key, or the default. Numbers and booleans are looked up as JSON."""
        return table.get(key if isinstance(key, str) else json.dumps(key), default)

    @signature({"types": ["string", "number", "null"]}, {"types": ["string"]})
    def _func_date(self, value: str | float | None, form: str) -> str | int | None:
        """The moment, written in another form, in UTC; null stays null."""
        check_format(form)
        return None if value is None else _write(_read(value), form)

    @signature({"types": ["array", "null"]}, {"types": ["string"]})
    def _func_each(self, elements: list[JSON] | None, path: str) -> list[JSON] | None:
        """The elements once for each member of the list at the path, with that member in the list's place.

        So a body that holds lists in a list is split without losing what stands around the inner ones. An
        element without such a list stays as it is; null stays null.
        """
        if elements is None:
            return None
        return [one for element in elements for one in _each(element, path.split("."))]

    @signature({"types": []})
    def _func_to_number(self, value: JSON) -> int | float | None:
        """JMESPath's own, without the texts that only Python calls numbers ("nan", "inf", "1_000")."""
        if isinstance(value, str) and "_" in value:
            return None
        number: int | float | None = super()._func_to_number(value)  # type: ignore[misc] # not in its stubs
        return None if isinstance(number, float) and not math.isfinite(number) else number


def check_format(form: str) -> None:
    """Refuse what ``date`` cannot write: a name that it does not know is no strftime pattern either.

    Raises:
        FunctionError: it is neither.
    """
    if form not in NAMED_FORMATS and "%" not in form:
        raise FunctionError(
            f"date() does not know its format: it writes {', '.join(NAMED_FORMATS)} "
            "or a pattern such as '%Y-%m-%d'"
        )


def signatures() -> dict[str, tuple[int, bool]]:
    """Of each function the number of its arguments, and whether more may follow."""
    table: dict[str, Any] = CausewayFunctions.FUNCTION_TABLE
    return {
        name: (len(entry["signature"]), bool(entry["signature"] and entry["signature"][-1].get("variadic")))
        for name, entry in table.items()
    }


def _each(value: JSON, path: list[str]) -> list[JSON]:
    if not path:
        return value if isinstance(value, list) else [value]
    name, *rest = path
    if not isinstance(value, dict) or name not in value:
        return [value]
    return [{**value, name: one} for one in _each(value[name], rest)]


def _read(value: str | float) -> datetime:
    if isinstance(value, str):
        if not _NUMBER.fullmatch(value):
            return _read_rfc3339(value)
        value = float(value) if "." in value else int(value)
    unit = "milliseconds" if abs(value) >= _MILLISECONDS_FROM else "seconds"
    try:
        return _EPOCH + timedelta(**{unit: value})
    except (OverflowError, ValueError):
        raise FunctionError("date() was given a number that is no time of the years 1 to 9999") from None


def _read_rfc3339(value: str) -> datetime:
    text = value.upper().replace(" ", "T", 1)  # RFC 3339, section 5.6, allows both
    if _RFC3339.fullmatch(text):
        try:
            return datetime.fromisoformat(text).astimezone(UTC)
        except (OverflowError, ValueError):
            pass
    raise FunctionError(
        "date() was given a text that is no time: it reads RFC 3339, with an offset such as Z or +01:00, "
        "and epoch seconds or milliseconds"
    )


def _write(moment: datetime, form: str) -> str | int:
    if form == "epoch":
        return (moment - _EPOCH) // timedelta(seconds=1)
    if form == "epoch_ms":
        return (moment - _EPOCH) // timedelta(milliseconds=1)
    if form == "rfc3339":
        precision = (
            "auto" if moment.microsecond % 1000 else "milliseconds" if moment.microsecond else "seconds"
        )
        return moment.isoformat(timespec=precision).replace("+00:00", "Z")
    return moment.strftime(form)
