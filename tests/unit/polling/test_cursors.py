"""What APIs order records by is compared as what it is, and written as they want it."""

from __future__ import annotations

import pytest

from causeway.polling.cursors import FORMATS, CursorError, format_cursor, parse_cursor

NOON = 1_790_078_400  # 2026-09-22T12:00:00Z


@pytest.mark.parametrize(
    ("text", "later"),
    [
        ("2026-09-22T12:00:00Z", 0),
        ("2026-09-22T12:00:00+00:00", 0),
        ("2026-09-22T14:00:00+02:00", 0),
        ("2026-09-22T14:00:00+0200", 0),
        ("2026-09-22T06:30:00-05:30", 0),
        ("2026-09-22t12:00:00z", 0),
        ("2026-09-22 12:00:00Z", 0),
        ("2026-09-22T12:00:00", 0),
        ("2026-09-22T11:59:60Z", 0),
        ("2026-09-22T12:00:00.5Z", 500_000_000),
        ("2026-09-22T12:00:00,5Z", 500_000_000),
        ("2026-09-22T12:00:00.123456789Z", 123_456_789),
        ("2026-09-22T12:00:00.1234567899Z", 123_456_789),
    ],
)
def test_a_time_is_the_same_however_it_is_written(text, later):
    assert parse_cursor(text, "rfc3339") == NOON * 10**9 + later


def test_nanoseconds_are_kept():
    """A cursor that rounds up loses what lies between."""
    text = "2026-09-22T12:00:00.123456789Z"
    assert format_cursor(parse_cursor(text, "rfc3339"), "rfc3339") == text


@pytest.mark.parametrize(
    ("value", "format_", "written"),
    [
        (NOON, "epoch", NOON),
        (str(NOON), "epoch", NOON),
        (f"{NOON}.75", "epoch", NOON),
        (NOON + 0.5, "epoch", NOON),
        (NOON * 1000 + 7, "epoch_ms", NOON * 1000 + 7),
        ("2026-09-22", "date", "2026-09-22"),
        ("2026-09-22T23:30:00-03:00", "date", "2026-09-23"),
        ("0042", "integer", 42),
        (-7, "integer", -7),
        (7.0, "integer", 7),
        ("01J8", "opaque", "01J8"),
        (17, "opaque", "17"),
    ],
)
def test_each_format_is_read_and_written(value, format_, written):
    assert format_cursor(parse_cursor(value, format_), format_) == written


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("value", [None, True, [], {}])
def test_what_is_neither_text_nor_number_is_no_cursor(value, format_):
    with pytest.raises(CursorError):
        parse_cursor(value, format_)


@pytest.mark.parametrize(
    ("value", "format_"),
    [
        ("yesterday", "rfc3339"),
        (NOON, "rfc3339"),
        ("2026-09-22", "rfc3339"),
        ("2026-02-30T12:00:00Z", "rfc3339"),
        ("2026-09-22T25:00:00Z", "rfc3339"),
        ("22.09.2026", "date"),
        (NOON, "date"),
        ("2026-13-01", "date"),
        ("soon", "epoch"),
        (10**15, "epoch"),
        (float("nan"), "epoch"),
        ("nan", "epoch"),
        ("1e999999999", "epoch"),
        ("1e900000", "epoch_ms"),
        (float("inf"), "epoch_ms"),
        (10**17, "epoch_ms"),
        ("1.5", "integer"),
        (1.5, "integer"),
        ("1_000", "integer"),
        ("", "integer"),
        ("9" * 39, "integer"),
    ],
)
def test_what_is_not_of_the_format_is_told_without_the_value(value, format_):
    with pytest.raises(CursorError) as told:
        parse_cursor(value, format_)
    assert str(value) not in str(told.value) or value == ""
