"""Targets that are no call: what the plan says of them, and what the compiler tells."""

from __future__ import annotations

import pytest

from tests.support.maps import copy_text, errors, plan, problems


def target_of(directory, text):
    return plan(directory, {"copy.yaml": copy_text(target=text)})["integrations"]["copy"]["target"]


@pytest.mark.parametrize(
    ("text", "record"),
    [
        ("{queue: jobs}", {"queue": {"name": "jobs", "body": "${data}"}}),
        ("{queue: jobs.fifo, body: {a: 1}}", {"queue": {"name": "jobs.fifo", "body": {"a": 1}}}),
        ("{bus: main}", {"bus": {"name": "main", "detail_type": "${type}", "body": "${data}"}}),
        (
            "{bus: 'arn:aws:events:eu-central-1:123456789012:event-bus/main', detail_type: paid}",
            {
                "bus": {
                    "name": "arn:aws:events:eu-central-1:123456789012:event-bus/main",
                    "detail_type": "paid",
                    "body": "${data}",
                }
            },
        ),
        (
            "{bucket: a.lake, key: 'orders/${id}.json'}",
            {"bucket": {"name": "a.lake", "key": "orders/${id}.json", "content": "json", "body": "${data}"}},
        ),
        (
            "{bucket: lake, key: '${id}.ndjson.gz', content: ndjson, body: {id: '${id}'}}",
            {
                "bucket": {
                    "name": "lake",
                    "key": "${id}.ndjson.gz",
                    "content": "ndjson",
                    "body": {"id": "${id}"},
                }
            },
        ),
    ],
)
def test_a_target_is_a_record_below_its_kind(tmp_path, text, record):
    assert target_of(tmp_path, text) == record


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{queue: a/b}", "target.queue: must be the name of a queue in the stack's account and region"),
        ("{queue: '${data.queue}'}", "target.queue: must be the name of a queue"),
        ("{bus: main, body: [a]}", "target.body: must be an object, the event's detail"),
        ("{bus: ''}", "target.bus: must be the name of a bus, or its ARN"),
        ("{bucket: Lake, key: a}", "target.bucket: must be the name of a bucket"),
        ("{bucket: lake}", "target.key: missing"),
        ("{bucket: lake, key: a, content: csv}", "target.content: must be 'json' or 'ndjson'"),
        ("{bucket: lake, key: ''}", "target.key: the key of an object: it does not begin with /"),
        ("{bucket: lake, key: '/a'}", "target.key: the key of an object: it does not begin with /"),
        ("{bucket: lake, key: 'a/../b'}", "target.key: leads elsewhere"),
        ("{bucket: lake, key: 'a/${id?}'}", "target.key: nothing can be left out of a key"),
        ("{bucket: lake, key: 'a/${dat}'}", "target.key: `dat`: there is no dat here"),
        ("{bus: main, detail_type: '${dat}'}", "target.detail_type: `dat`: there is no dat here"),
        ("{queue: jobs, body: {a: '${dat}'}}", "target.body.a: `dat`: there is no dat here"),
        ("{queue: jobs, when: data.ok}", "target.when: unknown key; there are: body, queue"),
    ],
)
def test_what_is_wrong_is_told(tmp_path, text, message):
    told = [error.split(": ", 1)[1] for error in errors(tmp_path, {"copy.yaml": copy_text(target=text)})]
    assert any(each.startswith(message) for each in told), told


@pytest.mark.parametrize("key", ["orders.ndjson", "dt=${date(time, '%Y-%m-%d')}/all.ndjson", "${data.id}"])
def test_lines_need_a_key_that_is_their_objects_own(tmp_path, key):
    """Otherwise the next object would take the place of this one, and its lines would be lost."""
    text = f'{{bucket: lake, key: "{key}", content: ndjson}}'
    (error,) = errors(tmp_path, {"copy.yaml": copy_text(target=text)})
    assert "must hold ${id}" in error
    target_of(tmp_path, f'{{bucket: lake, key: "{key}-${{id}}", content: ndjson}}')


def test_what_is_sent_between_quotes_of_a_key_is_told(tmp_path):
    remarks = problems(tmp_path, {"copy.yaml": copy_text(target="""{bucket: lake, key: "'${id}'"}""")})
    assert any("an expression between quotes" in remark.message for remark in remarks)
