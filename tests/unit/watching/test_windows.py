"""When silence counts, by the clocks of a time zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from causeway.watching.windows import DAYS, elapsed, reached, window_of

BERLIN = "mon-fri 07:00-21:00 Europe/Berlin"
HOUR = 3600.0


def at(text: str, zone: str = "Europe/Berlin") -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


def is_within(during: str, instant: float) -> bool:
    """Whether clocks on the wall say so: a second way to ask, minute by minute."""
    days, hours, zone = during.split(" ")
    first, _, last = days.partition("-")
    begin, end = DAYS.index(first), DAYS.index(last or first)
    open_on = [DAYS[(begin + n) % 7] for n in range((end - begin) % 7 + 1)]
    opens, closes = hours.split("-")
    wall = datetime.fromtimestamp(instant, ZoneInfo(zone))
    today, now = DAYS[wall.weekday()], wall.strftime("%H:%M")
    yesterday = DAYS[wall.weekday() - 1]
    if opens < closes:
        return today in open_on and opens <= now < closes
    return (today in open_on and now >= opens) or (yesterday in open_on and now < closes)


def test_a_night_does_not_count():
    assert elapsed(BERLIN, at("2026-11-23 20:00"), at("2026-11-24 08:00")) == 2 * HOUR


def test_nor_does_a_weekend():
    assert elapsed(BERLIN, at("2026-11-20 20:30"), at("2026-11-23 07:15")) == 0.75 * HOUR


def test_always_is_always():
    assert elapsed("always", 100.0, 250.0) == 150.0
    assert elapsed("always", 250.0, 100.0) == 0.0


@pytest.mark.parametrize(
    ("since", "until", "hours"),
    [
        ("2026-03-29 00:00", "2026-03-30 00:00", 23),  # clocks go forward
        ("2026-10-25 00:00", "2026-10-26 00:00", 25),  # and back
    ],
)
def test_a_day_on_which_clocks_change_is_as_long_as_it_is(since, until, hours):
    assert elapsed("mon-sun 00:00-24:00 Europe/Berlin", at(since), at(until)) == hours * HOUR


def test_a_window_goes_past_midnight():
    night = "fri 22:00-06:00 UTC"
    assert elapsed(night, at("2026-11-20 00:00", "UTC"), at("2026-11-23 00:00", "UTC")) == 8 * HOUR


def test_days_go_around_the_week():
    assert window_of("sat-mon 00:00-24:00 UTC").days == {5, 6, 0}


def test_what_skips_and_repeats_is_no_trap():
    """In Berlin 02:30 is not there on one day, and there twice on another."""
    early = "mon-sun 00:00-02:30 Europe/Berlin"
    assert elapsed(early, at("2026-03-29 00:00"), at("2026-03-29 12:00")) == 2 * HOUR
    assert elapsed(early, at("2026-10-25 00:00"), at("2026-10-25 12:00")) == 3.5 * HOUR


DURING = st.builds(
    lambda first, last, opens, closes, zone: f"{first}-{last} {opens:02}:00-{closes:02}:00 {zone}",
    st.sampled_from(DAYS),
    st.sampled_from(DAYS),
    st.integers(0, 23),
    st.integers(
        4, 24
    ),  # of what is in the hour that clocks show twice, `is_within` would ask another question
    st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "UTC"]),
).filter(lambda text: not 1 <= int(text.split(" ")[1][:2]) <= 3)

NEAR_CHANGES = [
    datetime(2026, 3, 29, tzinfo=UTC),
    datetime(2026, 10, 25, tzinfo=UTC),
    datetime(2026, 3, 8, tzinfo=UTC),
    datetime(2026, 11, 1, tzinfo=UTC),
    datetime(2026, 4, 5, tzinfo=UTC),
    datetime(2026, 7, 1, tzinfo=UTC),
]
INSTANTS = st.builds(
    lambda day, minutes: (day + timedelta(minutes=minutes)).timestamp(),
    st.sampled_from(NEAR_CHANGES),
    st.integers(-2 * 1440, 2 * 1440),
)


@given(during=DURING, since=INSTANTS, minutes=st.integers(0, 3 * 1440))
@example(during=BERLIN, since=at("2026-10-23 20:00"), minutes=4000)
def test_what_elapses_is_what_a_count_of_minutes_says(during, since, minutes):
    counted = sum(is_within(during, since + 60 * minute) for minute in range(minutes))
    assert elapsed(during, since, since + 60 * minutes) == 60 * counted


@given(during=DURING | st.just("always"), since=INSTANTS, seconds=st.floats(1, 40 * 86400))
@example(
    during="sun 02:00-04:00 Europe/Berlin", since=at("2026-03-27 00:00"), seconds=20 * HOUR
)  # a short week
def test_a_time_is_reached_when_so_much_has_elapsed(during, since, seconds):
    when = reached(during, since, seconds)
    assert elapsed(during, since, when) == pytest.approx(seconds, abs=1e-3)
    assert elapsed(during, since, when - 1) < seconds


def test_what_is_no_window_is_an_error():
    with pytest.raises(ValueError, match="is no window"):
        window_of("mornings")
