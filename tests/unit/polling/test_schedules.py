"""When polls run."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from causeway.polling.schedules import CronError, last_slot, next_slot, parse_cron


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def text_of(seconds):
    return datetime.fromtimestamp(seconds, UTC).strftime("%a %Y-%m-%d %H:%M")


NOW = at("2026-11-22T13:30:30")  # a Sunday


@pytest.mark.parametrize(
    ("cron", "last", "following"),
    [
        ("*/10 * * * *", "Sun 2026-11-22 13:30", "Sun 2026-11-22 13:40"),
        ("30 13 * * *", "Sun 2026-11-22 13:30", "Mon 2026-11-23 13:30"),
        ("0 6 * * mon-fri", "Fri 2026-11-20 06:00", "Mon 2026-11-23 06:00"),
        ("0 6 * * 1-5", "Fri 2026-11-20 06:00", "Mon 2026-11-23 06:00"),
        ("0 0 1,15 * *", "Sun 2026-11-15 00:00", "Tue 2026-12-01 00:00"),
        ("5/20 8-9 * * *", "Sun 2026-11-22 09:45", "Mon 2026-11-23 08:05"),
        ("0 0 * feb *", "Sat 2026-02-28 00:00", "Mon 2027-02-01 00:00"),
        ("0 0 29 2 *", "Thu 2024-02-29 00:00", "Tue 2028-02-29 00:00"),
        ("0 0 * * 7", "Sun 2026-11-22 00:00", "Sun 2026-11-29 00:00"),
        # As cron has it: of a day of the month and one of the week that are both written, either is enough.
        ("0 0 20 * tue", "Fri 2026-11-20 00:00", "Tue 2026-11-24 00:00"),
    ],
)
def test_cron_is_read_as_cron_reads_it(cron, last, following):
    assert text_of(last_slot({"cron": cron}, NOW)) == last
    assert text_of(next_slot({"cron": cron}, NOW)) == following


@pytest.mark.parametrize(
    ("cron", "told"),
    [
        ("* * * *", "has 4 fields and not five"),
        ("60 * * * *", "'60' is no minute: it is 0 to 59"),
        ("* 24 * * *", "'24' is no hour: it is 0 to 23"),
        ("* * 0 * *", "'0' is no day of the month: it is 1 to 31"),
        ("* * * mai *", "'mai' is no month: it is 1 to 12"),
        ("* * * * 8", "'8' is no day of the week: it is 0 to 7"),
        ("*/0 * * * *", "'*/0' of the minute has nothing in it"),
        ("30-10 * * * *", "'30-10' of the minute has nothing in it"),
        ("? * * * *", "'?' is no minute"),
        ("1,,2 * * * *", "'' is no minute"),
        ("0 0 31 2 *", "never comes"),
    ],
)
def test_what_is_no_cron_is_told(cron, told):
    with pytest.raises(CronError, match=told.replace("*", r"\*").replace("?", r"\?")):
        parse_cron(cron)


def test_every_counts_from_whole_hours_and_days():
    assert text_of(last_slot({"every": 600.0}, NOW)) == "Sun 2026-11-22 13:30"
    assert text_of(next_slot({"every": 600.0}, NOW)) == "Sun 2026-11-22 13:40"
    assert text_of(last_slot({"every": 86400.0}, NOW)) == "Sun 2026-11-22 00:00"


_FIELDS = st.tuples(
    st.sampled_from(["*", "0", "7,23", "*/7", "10-40/9"]),
    st.sampled_from(["*", "5", "1-3", "*/6"]),
    st.sampled_from(["*", "1", "28,31", "*/2"]),
    st.sampled_from(["*", "2", "jun-aug"]),
    st.sampled_from(["*", "0", "sat,sun", "1-5"]),
)


@settings(max_examples=25)
@given(_FIELDS, st.integers(int(at("2025-01-01")), int(at("2027-01-01"))))
def test_no_time_lies_between_a_slot_and_the_next(fields, now):
    """As they are found by looking at every minute of the days around."""
    poll = {"cron": " ".join(fields)}
    cron = parse_cron(poll["cron"])

    def is_due(minute):
        return cron.is_on(minute) and minute.hour in cron.hours and minute.minute in cron.minutes

    start = datetime.fromtimestamp(now, UTC).replace(second=0)
    ahead = next(
        (start + timedelta(minutes=n) for n in range(1, 1500) if is_due(start + timedelta(minutes=n))), None
    )
    behind = next(
        (start - timedelta(minutes=n) for n in range(1500) if is_due(start - timedelta(minutes=n))), None
    )
    if ahead:
        assert next_slot(poll, now) == ahead.timestamp()
    else:
        assert next_slot(poll, now) > now + 1499 * 60 - 60
    if behind:
        assert last_slot(poll, now) == behind.timestamp()
