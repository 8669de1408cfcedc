"""Manifests of requests and replies: how they compile, and what goes not together."""

from __future__ import annotations

import pytest

from tests.support.maps import copy, copy_text, errors

ASKED = "{request: {wait: 5s, otherwise: refuse}}"


def told(directory, **changed):
    """What is told of the simple integration with these keys changed, without its place."""
    return [error.split(": ", 1)[1] for error in errors(directory, {"copy.yaml": copy_text(**changed)})]


def test_a_request_is_compiled_with_its_defaults(tmp_path):
    assert copy(tmp_path, source="{request: {}}")["source"] == {
        "request": {"wait": 20.0, "otherwise": "queue"}
    }


def test_a_request_is_compiled_as_it_is_written(tmp_path):
    assert copy(tmp_path, source=ASKED)["source"] == {"request": {"wait": 5.0, "otherwise": "refuse"}}


def test_a_reply_is_compiled_with_its_defaults(tmp_path):
    record = copy(tmp_path, source=ASKED, target="{reply: {}}")
    assert record["target"] == {"reply": {"status": 200, "headers": {}, "content": "json", "body": "${data}"}}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"source": "{request: {wait: 26s}}"}, "source.request.wait: must be 25s at most"),
        ({"source": "{request: {wait: 0s}}"}, "source.request.wait: must be longer than 0s"),
        ({"source": "{request: {otherwise: wait}}"}, "source.request.otherwise: must be 'queue' or 'refuse'"),
        (
            {"source": ASKED, "flow": "{buffer: stream}"},
            "flow.buffer: goes not with `source.request`: a client waits for no stream",
        ),
        (
            {"target": "{reply: {}}"},
            "target.reply: needs `source: {request: ...}`: there is no client to reply to",
        ),
        (
            {"source": ASKED, "target": "{reply: {status: 100}}"},
            "target.reply.status: must be at least 200",
        ),
        (
            {"source": ASKED, "target": "{reply: {headers: {Content-Length: '1'}}}"},
            "target.reply.headers.Content-Length: belongs to the connection: no manifest sets it",
        ),
        (
            {"source": ASKED, "target": "{reply: {body: '${step.a}'}}"},
            "target.reply.body: `step.a`: there is no step here, only constants, data, data_base64, headers, id, source, steps, time, type; did you mean steps?",
        ),
    ],
)
def test_what_cannot_be_is_told(tmp_path, changed, message):
    assert told(tmp_path, **changed) == [message]
