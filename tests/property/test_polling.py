"""Whatever an API holds, and however it shows it: all of it is read, once, and nothing twice without need."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from causeway.polling.comparing import compare, gone
from causeway.polling.cursors import FORMATS, SECOND, format_cursor, parse_cursor, time_of, unit_of
from causeway.polling.paging import first_request, next_request
from causeway.polling.records import identified, identify
from causeway.polling.windows import advanced, first, is_within, window_of
from causeway.settings.clock import rfc3339
from tests.support.polls import answer, poll

NOON = 1_790_078_400  # 2026-09-22T12:00:00Z
WINDOW = {"since": None, "until": None, "end": 0.0, "last": True}

# --- pages ----------------------------------------------------------------------------------------------------------

FORMS = {
    "none": "",
    "link": "paginate: link",
    "next_url": "paginate: {next_url: body.next}",
    "cursor": "paginate: {cursor: body.next, param: from}",
    "page": "paginate: {page: from, start: 0}",
    "offset": "paginate: {offset: from, limit: 7}",
}


class Pages:
    """An API that shows a list in pages of any size, which a caller names by what came before."""

    def __init__(self, form, records, size):
        self.form, self.records, self.size = form, records, size

    def answer(self, request):
        asked = request.get("values", {}).get("from", 0)
        if "target" in request:
            asked = parse_qs(urlsplit(request["target"]).query)["from"][0]
        at = int(asked) * (self.size if self.form == "page" else 1)
        size = len(self.records) if self.form == "none" else self.size
        found, after = self.records[at : at + size], at + size
        body, headers = {"items": found}, {}
        if after < len(self.records):
            if self.form == "link":
                headers["link"] = f'</first>; rel="first", <?from={after}>; title="a, b"; rel="NEXT last"'
            elif self.form == "next_url":
                body["next"] = f"https://hub.example.com/api/items?from={after}"
            elif self.form == "cursor":
                body["next"] = str(after)
        return answer(body, headers=headers)


@pytest.mark.parametrize("form", FORMS)
@given(length=st.integers(0, 60), size=st.integers(1, 20))
def test_every_way_of_paging_brings_each_record_once_and_in_order(form, length, size):
    paged = poll(FORMS[form])
    pages = Pages(form, list(range(length)), size)
    request, brought = first_request(paged, WINDOW), []
    while request:
        request = json.loads(json.dumps(request))  # as the state gives it back
        came = pages.answer(request)
        brought += came.body["items"]
        request = next_request(paged, request, came, came.body["items"])
    if form == "offset" and size > 7:  # more than `limit` came: what lies behind it is read again
        brought = list(dict.fromkeys(brought))
    assert brought == list(range(length))


# --- values ---------------------------------------------------------------------------------------------------------

_NANOSECONDS = st.integers(-62135596800 * SECOND, 253402300799 * SECOND)


@given(_NANOSECONDS, st.sampled_from(["rfc3339", "date", "epoch", "epoch_ms"]))
def test_a_time_that_is_written_is_read_as_itself_or_a_little_earlier(value, format_):
    again = parse_cursor(format_cursor(value, format_), format_)
    assert value - unit_of(format_) < again <= value
    assert parse_cursor(format_cursor(again, format_), format_) == again
    if format_ == "rfc3339":
        assert again == value


@given(
    st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1)),  # noqa: DTZ001 # offsets are drawn
    st.integers(-23 * 60, 23 * 60),
)
def test_a_time_is_the_same_at_any_offset(moment, minutes):
    moment = moment.replace(tzinfo=UTC)
    elsewhere = moment.astimezone(timezone(timedelta(minutes=minutes)))
    assert parse_cursor(elsewhere.isoformat(), "rfc3339") == parse_cursor(moment.isoformat(), "rfc3339")


@given(st.integers(-(10**38) + 1, 10**38 - 1))
def test_numbers_are_themselves(value):
    assert format_cursor(parse_cursor(str(value), "integer"), "integer") == value


# --- windows --------------------------------------------------------------------------------------------------------


def _windows(polled, kept, now):
    """The windows of one time, each by what was kept last; those that do not move on would never end."""
    for _ in range(20_000):
        window = window_of(polled, kept[-1], now)
        if window:
            yield window
        if not window or window["last"]:
            return
    raise AssertionError("windows do not move on")


@given(
    st.lists(st.integers(0, 5 * 3600), min_size=1, max_size=12),
    st.integers(0, 900),
    st.integers(1, 4 * 3600),
    st.integers(0, 900),
)
def test_windows_tile_time_without_gaps_and_overlap_by_lookback_alone(pauses, lookback, length, delay):
    window_s = lookback + 1 + length
    timed = poll(
        f"cursor: {{window: {window_s}s, lookback: {lookback}s, delay: {delay}s, start: now}}\n"
        "query: {from: '${since}', to: '${until}'}"
    )
    now, read = NOON, []
    kept = [first(timed, now)]
    for pause in pauses:
        now += pause
        for window in _windows(timed, kept, now):
            read.append((parse_cursor(window["since"], "rfc3339"), parse_cursor(window["until"], "rfc3339")))
            kept.append(advanced(timed, kept[-1], window))
    for (since, until), (after, _) in pairwise(read):
        assert after == max(NOON * SECOND, until - (lookback + 1) * SECOND)
        assert until - since <= window_s * SECOND
    assert all(until <= (now - delay) * SECOND for _, until in read)
    if read:
        assert read[0][0] == NOON * SECOND
        assert read[-1][1] == (now - delay) * SECOND


# --- nothing is missed ----------------------------------------------------------------------------------------------

_HALVES = st.integers(0, 120).map(lambda halves: halves * 5)
_ROWS = st.lists(st.tuples(_HALVES, st.sampled_from([0, 5, 45, 50])), max_size=25)
"""When rows are changed (in tenths of a second from noon), and how much later they are committed."""

_PAUSES = st.lists(st.one_of(st.integers(1, 100), _HALVES), min_size=1, max_size=15)
"""Between runs, in tenths of a second."""


@settings(max_examples=150)
@given(
    _ROWS,
    _PAUSES,
    st.sampled_from(["exact", "whole seconds"]),
    st.booleans(),
    st.sampled_from(["field", "window", "window and field", "feed"]),
)
def test_what_is_committed_late_or_at_the_boundary_is_read(rows, pauses, precision, inclusive, way):
    """Whether an API means its bounds inclusively or not, and cuts off fractions or not."""
    late = {
        "field": "cursor: {field: at, param: since, start: now, lookback: 5s}",
        "window": "cursor: {window: 20s, start: now, lookback: 5s}\nquery: {a: '${since}', b: '${until}'}",
        "window and field": "cursor: {field: at, window: 20s, start: now, lookback: 5s}\n"
        "query: {a: '${since}', b: '${until}'}",
        "feed": "cursor: {field: at, start: now, lookback: 5s}",
    }[way]
    polled = poll(late)
    table = []
    for number, (tenths, delay) in enumerate(rows):
        changed = NOON * SECOND + tenths * SECOND // 10 + SECOND
        shown = changed if precision == "exact" else changed // SECOND * SECOND
        committed = changed + delay * SECOND // 10
        table.append((committed, {"id": number, "at": format_cursor(shown, "rfc3339")}))
    now, kept, read = float(NOON), [first(polled, NOON)], set()
    for pause in pauses:
        now += pause / 10
        for window in _windows(polled, kept, now):
            highest = None
            for committed, record in table:
                identity = identify(polled, record)
                if committed > now * SECOND or not _shows(polled, window, record, inclusive=inclusive):
                    continue
                if is_within(window, identity.value):
                    read.add(record["id"])
                    if identity.value is not None:
                        highest = max(highest or identity.value, identity.value)
            kept.append(json.loads(json.dumps(advanced(polled, kept[-1], window, highest=highest))))
    # Of what is younger than the last run, and of the second that was not over, the next one will read.
    due = {record["id"] for committed, record in table if committed <= (now - 1) * SECOND}
    assert due <= read


def _shows(polled, window, record, *, inclusive):
    """Whether an API shows a record that is asked for with a window."""
    at = parse_cursor(record["at"], "rfc3339")
    if polled["cursor"]["asks"]:
        since = parse_cursor(window["since"], "rfc3339")
        if at < since or (at == since and not inclusive):
            return False
    if "b" in polled["call"]["query"]:
        until = parse_cursor(window["until"], "rfc3339")
        return at < until or (at == until and inclusive)
    return True


@settings(max_examples=150)
@given(_ROWS, _PAUSES, st.booleans())
def test_numbers_that_are_committed_out_of_order_are_read(rows, pauses, inclusive):
    numbered = poll("cursor: {field: id, param: after, format: integer, start: 0, lookback: 5s}")
    made = sorted(NOON + 1 + tenths / 10 for tenths, _ in rows)
    table = [
        (at + delay / 10, {"id": number})
        for number, (at, (_, delay)) in enumerate(zip(made, rows, strict=True), start=1)
    ]
    now, stored, read = float(NOON), first(numbered, NOON), set()
    for pause in pauses:
        now += pause / 10
        window = window_of(numbered, stored, now)
        shown = {
            record["id"]
            for committed, record in table
            if committed <= now and record["id"] > window["since"] - inclusive
        }
        read |= shown
        highest = max(shown, default=None)
        stored = json.loads(json.dumps(advanced(numbered, stored, window, highest=highest)))
    assert {record["id"] for committed, record in table if committed <= now} <= read


# --- what changed ---------------------------------------------------------------------------------------------------

_LISTS = st.dictionaries(st.integers(1, 30), st.tuples(st.integers(0, 2), st.integers(0, 2)), max_size=20)


@given(_LISTS, _LISTS, st.integers(1, 7))
def test_the_difference_of_any_two_lists_is_right_in_pages_of_any_size(before, after, size):
    """Each record is a value that counts and one that is ignored."""
    compared = poll("diff: {ignore: [seen], deleted: true}")

    def run(rows, previous):
        named = [
            (identify(compared, record), record)
            for record in ({"id": id_, "n": n, "seen": seen} for id_, (n, seen) in rows.items())
        ]
        told, met = {}, {}
        for at in range(0, len(named), size):
            changes = compare(compared, previous, named[at : at + size], met=met)
            told |= {record["id"]: record["n"] for _, record in changes.records}
            met |= changes.hashes
        return told, met, {int(identity.id) for identity, _ in gone(compared, previous, met)}

    told, hashes, _ = run(before, {})
    assert told == {id_: n for id_, (n, _) in before.items()}
    told, _, left = run(after, hashes)
    assert told == {id_: n for id_, (n, _) in after.items() if id_ not in before or before[id_][0] != n}
    assert left == set(before) - set(after)


# --- many at once ---------------------------------------------------------------------------------------------------

VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**300), 10**300),
    st.floats(),
    st.text(max_size=300),
    st.sampled_from(["2024-02-29T10:05:07Z", "2024-02-29 10:05:07Z", "2024-02-30T10:05:07Z", "2024-02-29"]),
    st.lists(st.integers(), max_size=2),
)
RECORDS = st.one_of(
    st.fixed_dictionaries({}, optional={"id": VALUES, "updated_at": VALUES}),
    st.builds(
        lambda id_, at: {"id": id_, "updated_at": time_of(at)}, st.integers(), st.integers(0, 4 * 10**18)
    ),
    VALUES,
)


@given(records=st.lists(RECORDS, max_size=5), format_=st.sampled_from(FORMATS))
def test_the_records_of_a_page_are_called_as_each_of_them_would_be(records, format_):
    named = poll(f"version: updated_at\ncursor: {{field: updated_at, param: since, format: {format_}}}")
    assert identified(named, records) == [(identify(named, record), record) for record in records]


@given(st.integers(0, 4 * 10**18))
def test_a_time_is_written_as_all_times_are(nanoseconds):
    assert time_of(nanoseconds) == rfc3339(nanoseconds // 10**6 / 1000)
