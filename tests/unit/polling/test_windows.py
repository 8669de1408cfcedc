"""What one run reads, and where the next begins."""

from __future__ import annotations

import json

import pytest

from causeway.polling.cursors import SECOND, CursorError
from causeway.polling.windows import advanced, backfill, first, is_older, is_within, missing, window_of
from tests.support.polls import poll

NOON = 1_790_078_400.0  # 2026-09-22T12:00:00Z, a Tuesday
MINUTE, HOUR, DAY = 60, 3600, 86400


def at(seconds):
    return int(seconds) * SECOND


def by_field(text="start: now"):
    return poll(f"cursor: {{field: updated_at, param: since, {text}}}")


def by_time(text="window: 1h, start: now"):
    return poll(f"cursor: {{{text}}}\nquery: {{from: '${{since}}', to: '${{until}}'}}")


def read(poll, stored, now, *, highest=None, token=None, upto=None):
    """One run of one window: the window, and what is remembered after it."""
    stored = json.loads(json.dumps(stored))  # as the state gives it back
    window = window_of(poll, stored, now, upto=upto)
    return window, advanced(poll, stored, window, highest=highest, token=token)


# --- by a field -----------------------------------------------------------------------------------------------------


def test_a_first_run_begins_at_start():
    assert window_of(by_field(), first(by_field(), NOON + 0.7), NOON + 0.7)["since"] == "2026-09-22T12:00:00Z"
    dated = by_field('start: "2026-01-01T00:00:00+01:00"')
    assert window_of(dated, first(dated, NOON), NOON)["since"] == "2025-12-31T23:00:00Z"


def test_without_start_the_first_run_reads_all_there_is():
    whole = by_field("lookback: 0s")
    window, stored = read(whole, first(whole, NOON), NOON, highest=at(NOON - DAY))
    assert window["since"] is None
    assert window_of(whole, stored, NOON + 60)["since"] == "2026-09-21T11:59:59Z"


def test_the_next_run_begins_one_unit_before_the_highest_value():
    """So ties are read whether the API means since inclusively or exclusively."""
    dated = by_field('start: "2026-01-01T00:00:00Z"')
    _, stored = read(dated, first(dated, NOON), NOON, highest=at(NOON - 60) + 999)
    assert window_of(dated, stored, NOON + 600)["since"] == "2026-09-22T11:58:59Z"


def test_and_so_much_earlier_as_lookback_says():
    late = by_field('start: "2026-01-01T00:00:00Z", lookback: 10m')
    _, stored = read(late, first(late, NOON), NOON, highest=at(NOON))
    assert window_of(late, stored, NOON + 600)["since"] == "2026-09-22T11:49:59Z"


def test_no_run_begins_before_start():
    late = by_field("start: now, lookback: 1h")
    _, stored = read(late, first(late, NOON), NOON, highest=at(NOON))
    assert window_of(late, stored, NOON + 600)["since"] == "2026-09-22T12:00:00Z"


def test_a_run_without_records_moves_nothing():
    dated = by_field('start: "2026-01-01T00:00:00Z"')
    _, stored = read(dated, first(dated, NOON), NOON)
    assert window_of(dated, stored, NOON + 600)["since"] == "2026-01-01T00:00:00Z"


def test_a_lower_value_moves_nothing_back():
    dated = by_field('start: "2026-01-01T00:00:00Z"')
    _, stored = read(dated, first(dated, NOON), NOON, highest=at(NOON - 60))
    _, again = read(dated, stored, NOON + 600, highest=at(NOON - 120))
    assert again["value"] == stored["value"]


def test_a_value_of_the_future_moves_no_further_than_the_runs_beginning():
    """One record of the year 2099 would hide all that come before it."""
    dated = by_field('start: "2026-01-01T00:00:00Z"')
    _, stored = read(dated, first(dated, NOON), NOON, highest=at(NOON + 365 * DAY))
    assert window_of(dated, stored, NOON + 600)["since"] == "2026-09-22T11:59:59Z"


def test_days_are_read_again_until_they_are_over():
    daily = by_field("format: date, start: now")
    window, stored = read(daily, first(daily, NOON), NOON, highest=at(NOON - NOON % DAY))
    assert window["since"] == "2026-09-22"
    _, stored = read(daily, stored, NOON + DAY, highest=at(NOON - NOON % DAY + DAY))
    assert window_of(daily, stored, NOON + DAY + 600)["since"] == "2026-09-22"


def test_epochs_are_numbers():
    seconds = by_field("format: epoch, start: now")
    assert window_of(seconds, first(seconds, NOON), NOON)["since"] == int(NOON)


# --- delay, and records that lie outside ----------------------------------------------------------------------------


def test_what_is_younger_than_delay_is_left_for_a_later_run():
    settled = by_field('start: "2026-01-01T00:00:00Z", delay: 15m')
    window = window_of(settled, first(settled, NOON), NOON)
    assert window["until"] == "2026-09-22T11:45:00Z"
    assert is_within(window, at(NOON - 15 * MINUTE))
    assert not is_within(window, at(NOON - 15 * MINUTE) + 1)


def test_there_is_nothing_to_read_within_delay_of_the_start():
    settled = by_field("start: now, delay: 15m")
    stored = first(settled, NOON)
    assert window_of(settled, stored, NOON + 14 * MINUTE) is None
    assert window_of(settled, stored, NOON + 16 * MINUTE)


def test_where_the_api_is_not_asked_for_since_what_is_older_is_left_out():
    feed = poll("cursor: {field: updated_at, start: now}\npaginate: {link: next, stop_when: seen}")
    window = window_of(feed, first(feed, NOON), NOON)
    assert is_older(window, at(NOON - 1))
    assert not is_within(window, at(NOON - 1))
    assert is_within(window, at(NOON))
    assert not is_older(window, at(NOON))


def test_where_it_is_asked_it_decides():
    window = window_of(by_field(), first(by_field(), NOON), NOON)
    assert is_within(window, at(NOON - DAY))


def test_a_record_without_a_value_is_never_left_out():
    settled = by_field("start: now, delay: 15m")
    window = window_of(settled, first(settled, NOON), NOON + HOUR)
    assert is_within(window, None)
    assert not is_older(window, None)


# --- windows --------------------------------------------------------------------------------------------------------


def test_a_long_time_is_read_in_slices_one_after_the_other():
    sliced = by_time('window: 1d, start: "2026-09-20T00:00:00Z"')
    window, stored = read(sliced, first(sliced, NOON), NOON)
    assert (window["since"], window["until"]) == ("2026-09-20T00:00:00Z", "2026-09-21T00:00:00Z")
    assert not window["last"]
    window, stored = read(sliced, stored, NOON)
    assert (window["since"], window["until"]) == ("2026-09-20T23:59:59Z", "2026-09-21T23:59:59Z")
    window, stored = read(sliced, stored, NOON)
    assert (window["since"], window["until"]) == ("2026-09-21T23:59:58Z", "2026-09-22T12:00:00Z")
    assert window["last"]


def test_days_are_read_once():
    daily = by_time('window: 1d, format: date, start: "2026-09-20"')
    stored, days = first(daily, NOON), []
    while (window := window_of(daily, stored, NOON)) is not None:
        days.append((window["since"], window["until"]))
        stored = advanced(daily, stored, window)
    assert days == [("2026-09-20", "2026-09-21"), ("2026-09-21", "2026-09-22")]


def test_slices_of_a_field_go_on_where_nothing_was_found():
    sliced = poll(
        'cursor: {field: at, param: from, window: 1d, start: "2026-09-20T00:00:00Z"}\nquery: {to: "${until}"}'
    )
    _, stored = read(sliced, first(sliced, NOON), NOON)
    window, stored = read(sliced, stored, NOON)
    assert window["until"] == "2026-09-21T23:59:59Z"


def test_after_the_last_slice_of_a_field_the_highest_value_counts():
    """What is committed late may still come behind it."""
    sliced = poll('cursor: {field: at, param: from, window: 1d, start: now}\nquery: {to: "${until}"}')
    _, stored = read(sliced, first(sliced, NOON), NOON + HOUR, highest=at(NOON + 60))
    assert window_of(sliced, stored, NOON + 2 * HOUR)["since"] == "2026-09-22T12:00:59Z"


# --- numbers and texts ----------------------------------------------------------------------------------------------


def test_numbers_begin_one_before_the_highest():
    numbered = by_field("format: integer, start: 100")
    window, stored = read(numbered, first(numbered, NOON), NOON, highest=170)
    assert (window["since"], window["until"]) == (100, None)
    assert window_of(numbered, stored, NOON + 60)["since"] == 169


def test_opaque_values_are_compared_as_texts():
    ulids = by_field("format: opaque, start: 01J8")
    _, stored = read(ulids, first(ulids, NOON), NOON, highest="01J9")
    assert window_of(ulids, stored, NOON + 60)["since"] == "01J9"


def test_lookback_of_numbers_is_what_was_the_highest_so_long_before():
    """Rows get their numbers when they are made, and are seen when they are committed."""
    numbered = by_field("format: integer, start: 0, lookback: 10m")
    stored = first(numbered, NOON)
    for minute in range(30):
        _, stored = read(numbered, stored, NOON + minute * MINUTE, highest=100 + minute)
    # The last run was at 12:29; ten minutes before it the highest was 119.
    assert window_of(numbered, stored, NOON + 30 * MINUTE)["since"] == 118


def test_what_is_remembered_for_lookback_is_bounded():
    numbered = by_field("format: integer, start: 0, lookback: 1d")
    stored = first(numbered, NOON)
    for minute in range(3 * 24 * 60):
        _, stored = read(numbered, stored, NOON + minute * MINUTE, highest=minute)
    assert len(stored["marks"]) < 40


# --- tokens, whole lists --------------------------------------------------------------------------------------------


def test_a_token_is_kept_until_there_is_another():
    by_token = poll("cursor: {token: body.sync, param: sync}")
    window, stored = read(by_token, first(by_token, NOON), NOON, token="t1")
    assert window["since"] is None
    window, stored = read(by_token, stored, NOON)
    assert window["since"] == "t1"
    assert window_of(by_token, stored, NOON)["since"] == "t1"


def test_a_whole_list_has_no_window():
    window, _ = read(poll(), first(poll(), NOON), NOON)
    assert (window["since"], window["until"], window["last"]) == (None, None, True)


# --- backfills ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format_", ["rfc3339", "epoch", "epoch_ms"])
@pytest.mark.parametrize("since", ["2026-09-01T00:00:00Z", "2026-09-01"])
def test_a_backfill_of_any_time_is_said_in_rfc_3339(format_, since):
    dated = by_field(f"format: {format_}, start: now")
    stored = backfill(dated, since, NOON)
    window, after = read(dated, stored, NOON, upto="2026-09-02T00:00:00Z")
    assert window["end"] == at(NOON - NOON % DAY - 20 * DAY) / SECOND
    assert window_of(dated, after, NOON)["last"]
    assert not is_within(window, at(window["end"]) + 1)


def test_a_backfill_of_numbers_is_said_in_numbers():
    numbered = by_field("format: integer, start: 100")
    window = window_of(numbered, backfill(numbered, "10", NOON), NOON, upto="20")
    assert (window["since"], is_within(window, 20), is_within(window, 21)) == (10, True, False)


@pytest.mark.parametrize("text", ["", "cursor: {token: body.t, param: t}"])
def test_what_has_no_values_cannot_be_backfilled(text):
    with pytest.raises(CursorError, match="no cursor that a value could be given for"):
        backfill(poll(text), "2026-09-01", NOON)


def test_a_backfill_from_nowhere_is_told():
    with pytest.raises(CursorError, match="not a time"):
        backfill(by_field(), "yesterday", NOON)


# --- what can no longer be read -------------------------------------------------------------------------------------


def test_what_is_older_than_retention_is_missing_and_told():
    kept = poll("cursor: {field: at, param: since, start: now}\nretention: 30d")
    stored = first(kept, NOON)
    assert missing(kept, stored, NOON + 30 * DAY) == 0
    assert missing(kept, stored, NOON + 31 * DAY) == DAY


def test_a_quiet_api_is_not_told_as_missing():
    """Its cursor is old; but up to the last run there was nothing."""
    kept = poll("cursor: {field: at, param: since, start: now}\nretention: 30d")
    stored = first(kept, NOON)
    for day in range(1, 100):
        assert missing(kept, stored, NOON + day * DAY) == 0
        _, stored = read(kept, stored, NOON + day * DAY)


RECONCILING = """
webhooks: {scheme: svix, secrets: [hub/webhook], dedupe_for: 7d, id: body.id}
api: {base_url: 'https://hub.example.com/api'}
"""


def test_what_reconciles_reaches_back_no_further_than_deliveries_are_known():
    again = poll(
        "cursor: {field: at, param: since, start: now, lookback: 30d}\nreconcile: true", system=RECONCILING
    )
    stored = first(again, NOON - 60 * DAY)
    window = window_of(again, stored, NOON)
    assert window["since"] == "2026-09-15T12:00:00Z"
    assert not is_within(window, at(NOON - 7 * DAY) - 1)
    assert missing(again, stored, NOON) == 53 * DAY


def test_without_start_it_reaches_back_as_far():
    again = poll("cursor: {field: at, param: since}\nreconcile: true", system=RECONCILING)
    assert window_of(again, first(again, NOON), NOON)["since"] == "2026-09-15T12:00:00Z"
