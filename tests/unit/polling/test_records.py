"""From an answer to events: records, what they are called, and what is different about them."""

from __future__ import annotations

import pytest

from causeway.polling.comparing import compare, gone
from causeway.polling.records import BadRecordsError, events_of, identify, records_of
from tests.support.polls import answer, poll

NOW = 1_790_078_400.25
SHOP = """
webhooks: {scheme: svix, secrets: [hub/webhook], id: body.id}
api: {base_url: 'https://hub.example.com/api'}
"""


def events(poll, records, *, run="7"):
    return events_of(poll, [(identify(poll, record), record) for record in records], run=run, now=NOW)


def ids(poll, records, **more):
    return [event["id"] for event in events(poll, records, **more)]


# --- records --------------------------------------------------------------------------------------------------------


def test_the_records_are_where_the_map_says():
    assert records_of(poll(), answer({"items": [1, 2]})) == [1, 2]
    assert records_of(poll("records: body"), answer([{"id": 1}])) == [{"id": 1}]


@pytest.mark.parametrize(
    "body", [{}, {"items": None}, {"items": {"a": 1}}, {"error": "busy"}, "<html>", None]
)
def test_an_answer_without_records_is_not_one_without_news(body):
    with pytest.raises(BadRecordsError, match=r"records: `body.items` is"):
        records_of(poll(), answer(body))


def test_a_map_can_say_that_the_list_may_be_absent():
    assert records_of(poll("records: 'body.items || `[]`'"), answer({})) == []


# --- identity -------------------------------------------------------------------------------------------------------


def test_an_event_is_called_like_its_record():
    assert ids(poll(), [{"id": 17}, {"id": "a"}]) == ["17", "a"]


def test_with_a_version_an_update_is_a_new_event():
    versioned = poll("version: updated_at")
    assert ids(versioned, [{"id": 1, "updated_at": "t1"}, {"id": 1, "updated_at": "t2"}]) == ["1@t1", "1@t2"]


def test_of_what_reconciles_the_id_alone_counts():
    again = poll("cursor: {field: at, param: since}\nreconcile: true", system=SHOP)
    assert ids(again, [{"id": "evt_1", "at": "2026-09-22T12:00:00Z"}]) == ["evt_1"]


def test_of_a_batch_the_hash_of_its_members_ids():
    batched = poll("batch: 2")
    records = [{"id": 1, "n": 1}, {"id": 2}, {"id": 3}]
    first, second = events(batched, records)
    assert (first["data"], second["data"]) == (records[:2], records[2:])
    assert first["id"] != second["id"]
    assert ids(batched, [{"id": 1, "n": 2}, {"id": 2}]) == [first["id"]]
    assert ids(batched, [{"id": 2}, {"id": 1}]) != [first["id"]]


def test_with_diff_a_change_is_an_event_of_its_run():
    compared = poll("diff: {}")
    assert ids(compared, [{"id": 1}], run="7") == ["1@7"]
    assert ids(compared, [{"id": 1}], run="8") == ["1@8"]


@pytest.mark.parametrize("record", [{}, {"id": None}, {"id": ""}, {"id": [1]}, {"id": True}, "text", 7, None])
def test_a_record_without_an_id_is_not_lost_and_is_told(record):
    identity = identify(poll(), record)
    assert len(identity.id) == 32
    assert identity == identify(poll(), record)
    assert identity.problem == "id: there is no text and no number"


def test_an_id_that_fits_no_header_is_hashed():
    for strange in ("é", "a\nb", "x" * 257):
        assert identify(poll(), {"id": strange}).id.isalnum()


def test_a_record_without_a_version_or_value_is_not_lost_and_is_told():
    dated = poll("version: rev\ncursor: {field: at, param: since}")
    identity = identify(dated, {"id": 1, "at": "soon"})
    assert (identity.key, identity.value) == ("1", None)
    assert identity.problem == (
        "version: there is no text and no number; cursor.field: not RFC 3339, such as 2026-11-22T10:05:00Z"
    )


def test_a_problem_tells_no_value():
    dated = poll("cursor: {field: at, param: since}")
    assert "4111" not in identify(dated, {"id": ["4111"], "at": "4111"}).problem


# --- events ---------------------------------------------------------------------------------------------------------


def test_an_event_is_the_record_as_a_cloud_event():
    (event,) = events(poll("event_type: item/changed"), [{"id": 1, "name": "a"}])
    assert event == {
        "specversion": "1.0",
        "id": "1",
        "type": "item/changed",
        "source": "hub",
        "time": "2026-09-22T12:00:00.250Z",
        "datacontenttype": "application/json",
        "headers": {},
        "data": {"id": 1, "name": "a"},
    }


def test_its_time_is_that_of_the_record_where_it_has_one():
    dated = poll("cursor: {field: at, param: since}")
    (event,) = events(dated, [{"id": 1, "at": "2026-01-02T03:04:05.678+01:00"}])
    assert event["time"] == "2026-01-02T02:04:05.678Z"


def test_its_type_is_the_polls_name_unless_the_map_says_it():
    assert events(poll(), [{"id": 1}])[0]["type"] == "items"


def test_a_record_may_say_its_type():
    typed = poll("event_type: order/${status}")
    told = [event["type"] for event in events(typed, [{"id": 1, "status": "paid"}, {"id": 2}, "text"])]
    assert told == ["order/paid", "items", "items"]


# --- what changed ---------------------------------------------------------------------------------------------------


def changed(poll, previous, records, *, met=()):
    named = [(identify(poll, record), record) for record in records]
    return compare(poll, previous, named, met=dict.fromkeys(met, ""))


def test_what_is_new_or_changed_is_told_and_nothing_else():
    compared = poll("diff: {}")
    before = changed(compared, {}, [{"id": 1, "n": 1}, {"id": 2, "n": 1}]).hashes
    after = changed(compared, before, [{"id": 2, "n": 1}, {"n": 2, "id": 1}, {"id": 3}])
    assert [record["id"] for _, record in after.records] == [1, 3]
    assert set(after.hashes) == {"1", "2", "3"}


def test_the_order_of_keys_is_no_change():
    compared = poll("diff: {}")
    before = changed(compared, {}, [{"id": 1, "a": 1, "b": {"c": 1, "d": 2}}]).hashes
    assert changed(compared, before, [{"b": {"d": 2, "c": 1}, "a": 1, "id": 1}]).records == []


def test_what_is_ignored_is_no_change():
    compared = poll("diff: {ignore: [seen_at, meta.etag, lines.at]}")
    before = {"id": 1, "seen_at": 1, "meta": {"etag": "a", "n": 1}, "lines": [{"at": 1, "n": 1}]}
    after = {"id": 1, "seen_at": 2, "meta": {"etag": "b", "n": 1}, "lines": [{"at": 2, "n": 1}]}
    hashes = changed(compared, {}, [before]).hashes
    assert changed(compared, hashes, [after]).records == []
    assert len(changed(compared, hashes, [{**after, "meta": {"n": 2}}]).records) == 1


def test_what_a_run_meets_twice_counts_as_it_was_met_first():
    """An event is one of its run; so a change in between is told by the next."""
    compared = poll("diff: {}")
    changes = changed(compared, {}, [{"id": 1, "n": 1}, {"id": 1, "n": 2}])
    assert [record["n"] for _, record in changes.records] == [1]
    assert changed(compared, {}, [{"id": 1, "n": 2}], met=["1"]).hashes == {}
    assert len(changed(compared, changes.hashes, [{"id": 1, "n": 2}]).records) == 1


def test_what_is_gone_is_told_where_the_map_asks_for_it():
    ((identity, record),) = gone(poll("diff: {deleted: true}"), ["1", "2"], {"2"})
    assert (identity.id, record) == ("1", {"id": "1", "_deleted": True})
    assert gone(poll("diff: {}"), ["1", "2"], {"2"}) == []


def test_what_is_gone_has_its_id_where_records_have_it():
    coded = poll("id: code\ndiff: {deleted: true}")
    assert gone(coded, ["1"], ())[0][1] == {"code": "1", "_deleted": True}
    nested = poll("id: key.code\ndiff: {deleted: true}")
    assert gone(nested, ["1"], ())[0][1] == {"id": "1", "_deleted": True}
