"""The retry schedule, whatever a manifest says: monotone, bounded, and never beyond the time given."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from causeway.delivery.schedule import JITTER, NoMoreAttempts, base_wait, next_attempt, waits

retries = st.fixed_dictionaries(
    {"first": st.floats(0.1, 3600), "factor": st.floats(1, 10), "max": st.floats(0.1, 86400)}
)
errors = st.fixed_dictionaries(
    {
        "retry": retries,
        "attempts": st.none() | st.integers(1, 50),
        "give_up_after": st.floats(1, 30 * 86400),
        "keep_events": st.just(0.0),
    }
)
NOW = 1_700_000_000.0


@given(retries, st.integers(1, 5000))
def test_the_base_never_shrinks_and_is_never_above_the_maximum(retry, attempt):
    assert base_wait(retry, attempt) <= base_wait(retry, attempt + 1) <= retry["max"]


@given(errors, st.integers(1, 60), st.floats(0, 1), st.floats(0, 1), st.none() | st.floats(0, 1e6))
def test_jitter_only_adds_retry_after_is_a_floor_and_the_deadline_a_ceiling(
    rules, attempt, jitter, elapsed, floor
):
    since = NOW - elapsed * rules["give_up_after"]
    deadline = since + rules["give_up_after"]
    try:
        due = next_attempt(rules, attempt=attempt, since=since, now=NOW, jitter=jitter, retry_after=floor)
    except NoMoreAttempts:
        too_many = rules["attempts"] is not None and attempt >= rules["attempts"]
        assert too_many or deadline <= NOW or NOW + (floor or 0) > deadline
        return
    base = base_wait(rules["retry"], attempt)
    assert due >= min(NOW + max(base, floor or 0), deadline)
    assert due <= min(NOW + max(base * (1 + JITTER), floor or 0), deadline)


@given(errors)
def test_the_last_attempt_is_at_the_deadline_at_the_latest(rules):
    assume(rules["attempts"] is None)
    schedule = waits(rules, limit=200)
    assert sum(schedule) <= rules["give_up_after"] * (1 + 1e-9)
    if len(schedule) < 200:
        assert sum(schedule) == pytest.approx(rules["give_up_after"])


def test_the_schedule_of_the_design():
    rules = {"retry": {"first": 5, "factor": 3, "max": 21600}, "attempts": None, "give_up_after": 259200}
    schedule = waits(rules)
    assert schedule[:9] == [5, 15, 45, 135, 405, 1215, 3645, 10935, 21600]
    assert sum(schedule) == 259200


def test_attempts_are_counted_in_words_that_say_which_it_was():
    rules = {"retry": {"first": 5, "factor": 3, "max": 60}, "attempts": 3, "give_up_after": 100}
    with pytest.raises(NoMoreAttempts, match="after attempt 3 of 3"):
        next_attempt(rules, attempt=3, since=NOW, now=NOW, jitter=0)


def test_a_retry_after_beyond_the_deadline_is_not_waited_for():
    rules = {"retry": {"first": 5, "factor": 3, "max": 60}, "attempts": None, "give_up_after": 100}
    with pytest.raises(NoMoreAttempts, match="asked to wait 101 s"):
        next_attempt(rules, attempt=1, since=NOW, now=NOW, jitter=0, retry_after=101)
