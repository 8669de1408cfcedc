"""Integrations that take events from the bus, and those that are buffered in a stream."""

from __future__ import annotations

import json

from tests.support.maps import copy_text, errors, plan, problems


def told(directory, **changed):
    """What is told of the simple integration with these keys changed, without its place."""
    return [error.split(": ", 1)[1] for error in errors(directory, {"copy.yaml": copy_text(**changed)})]


def test_what_is_wrong_with_a_pattern_is_told_where_it_stands(tmp_path):
    assert told(tmp_path, source="{bus: {detail-type: order.paid, detail: {total: [{numeric: ['>']}]}}}") == [
        "source.bus.detail-type: a list of what may stand there: [value, ...]",
        'source.bus.detail.total[0].numeric: one comparison or a range: ["=", 5], [">", 0, "<=", 10]',
    ]


def test_an_expression_in_a_pattern_would_be_taken_as_it_is(tmp_path):
    (message,) = told(tmp_path, source='{bus: {detail-type: ["${type}"]}}')
    assert message == "source.bus.detail-type[0]: taken as it is: no expression can stand here"


def test_a_pattern_is_compiled_as_it_is_written(tmp_path):
    pattern = {"detail-type": ["order.paid"], "detail": {"total": [{"numeric": [">", 0]}]}}
    compiled = plan(tmp_path, {"copy.yaml": copy_text(source=json.dumps({"bus": pattern}))})
    assert compiled["integrations"]["copy"]["source"] == {"bus": pattern}


def test_no_system_is_called_as_what_is_none(tmp_path):
    for name in ("bus", "requests"):
        files = {f"systems/{name}.yaml": f"system: {name}\n"}
        assert any("is a reserved name" in error for error in errors(tmp_path / name, files))


def test_a_stream_is_noted_for_whoever_deploys_and_keeps_no_order(tmp_path):
    files = {"copy.yaml": copy_text(flow="{buffer: stream}")}
    notes = [
        problem.message for problem in problems(tmp_path / "noted", files) if problem.key == "flow.buffer"
    ]
    assert notes == ["needs the stack's stream (StreamMode=on-demand or provisioned); else the queue is used"]
    assert plan(tmp_path / "compiled", files)["integrations"]["copy"]["buffer"] == "stream"
    assert any(
        message == "flow.order_by: goes only with `buffer: queue`"
        for message in told(tmp_path / "ordered", flow="{buffer: stream, order_by: data.id}")
    )
