import pytest
from hypothesis import given
from hypothesis import strategies as st

from causeway.settings.clock import SettableClock, SystemClock, from_rfc3339, rfc3339

times = st.floats(0, 4e9)


@given(times)
def test_a_time_is_the_same_to_the_millisecond_when_read_back(seconds):
    assert from_rfc3339(rfc3339(seconds)) == pytest.approx(seconds, abs=0.00051)


@given(times, times)
def test_times_sort_as_texts(one, other):
    first, second = sorted((one, other))
    assert rfc3339(first) <= rfc3339(second)


def test_a_time_is_written_in_utc_with_milliseconds():
    assert rfc3339(0) == "1970-01-01T00:00:00.000Z"


@pytest.mark.parametrize(
    "text", ["1970-01-01T01:00:00+01:00", "1970-01-01t00:00:00z", "1970-01-01T00:00:00.000000Z"]
)
def test_every_way_of_writing_a_time_is_read(text):
    assert from_rfc3339(text) == 0


@pytest.mark.parametrize("text", ["1970-01-01T00:00:00", "yesterday", ""])
def test_a_time_without_offset_is_none(text):
    with pytest.raises(ValueError, match=r"offset|isoformat"):
        from_rfc3339(text)


def test_the_settable_clock_moves_only_when_it_is_told():
    clock = SettableClock(100)
    clock.sleep(5)
    assert clock.now() == 105
    clock.set(50)
    clock.sleep(-1)
    assert clock.now() == 50


def test_the_systems_clock_does_not_wait_for_the_past():
    SystemClock().sleep(-1)
