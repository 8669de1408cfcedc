"""Polls in manifests: what becomes of them, and what is told of those that cannot work."""

from __future__ import annotations

from textwrap import indent

import pytest

from tests.support.maps import copy_text, errors, plan, problems

HUB = """\
system: hub
webhooks: {scheme: svix, secrets: [hub/webhook], dedupe_for: 3d}
api: {base_url: "https://hub.example.com/api", timeout: 7s, retry_on: [429]}
polls:
  items:
"""
ITEMS = {"every": "10m", "get": "/items", "records": "body.items", "id": "id"}


def files(hub=HUB, **keys):
    """A map whose ``copy`` takes the poll ``items`` of ``hub``, with these keys changed, or left out (empty)."""
    lines = "\n".join(f"{key}: {value}" for key, value in (ITEMS | keys).items() if value)
    return {
        "systems/hub.yaml": hub + indent(lines, "    ") + "\n",
        "copy.yaml": copy_text(source="{system: hub, poll: items}"),
    }


def record(tmp_path, **keys):
    return plan(tmp_path, files(**keys))["systems"]["hub"]["polls"]["items"]


def told(tmp_path, hub=HUB, **keys):
    """What is wrong with the poll, without place and the keys above."""
    return [
        error.split(": ", 1)[1].removeprefix("polls.items").lstrip(".: ")
        for error in errors(tmp_path, files(hub, **keys))
    ]


# --- the record -----------------------------------------------------------------------------------------------------


def test_a_poll_is_compiled_with_what_its_system_says_of_calls(tmp_path):
    assert record(tmp_path) == {
        "name": "items",
        "system": "hub",
        "every": 600.0,
        "call": {
            "system": "hub",
            "method": "GET",
            "path": "/items",
            "query": {},
            "headers": {},
            "content": "json",
            "reads": True,
            "timeout": 7.0,
            "success_when": "status < `300`",
            "retry_on": ["429"],
        },
        "records": "body.items",
        "id": "id",
        "event_type": "items",
        "credentials": [],
        "batch": 1,
    }


def test_everything_that_can_be_written_is_compiled(tmp_path):
    found = record(
        tmp_path,
        every="",
        cron='"0 6 * * mon-fri"',
        query='{limit: 250, to: "${until}"}',
        version="updated_at",
        event_type="item/${status}",
        cursor="{field: updated_at, param: from, format: epoch, start: now, lookback: 10m, window: 1d, delay: 1m}",
        paginate="{cursor: body.next, param: after, stop_when: body.last}",
        retention="30d",
        batch="1",
    )
    del found["call"]["retry_on"]
    assert found["call"]["query"] == {"limit": 250, "to": "${until}", "from": "${since?}"}
    assert found["cron"] == "0 6 * * mon-fri"
    assert (found["version"], found["event_type"], found["retention"]) == (
        "updated_at",
        "item/${status}",
        2_592_000.0,
    )
    assert found["cursor"] == {
        "field": "updated_at",
        "format": "epoch",
        "start": "now",
        "lookback": 600.0,
        "window": 86400.0,
        "delay": 60.0,
        "asks": True,
    }
    assert found["paginate"] == {
        "by": "cursor",
        "next": "body.next",
        "param": "after",
        "stop_when": "body.last",
    }


@pytest.mark.parametrize(
    ("written", "compiled"),
    [
        ("link", {"by": "link"}),
        ("{link: next, stop_when: seen}", {"by": "link", "stop_when": "seen"}),
        ("{next_url: body.next}", {"by": "next_url", "next": "body.next"}),
        ("{page: p}", {"by": "page", "param": "p", "start": 1}),
        ("{offset: skip, limit: 50}", {"by": "offset", "param": "skip", "limit": 50}),
    ],
)
def test_each_way_of_paging_is_compiled(tmp_path, written, compiled):
    assert record(tmp_path, paginate=written)["paginate"] == compiled


def test_a_search_that_is_a_post_changes_nothing(tmp_path):
    call = record(tmp_path, get="", post="/search", body='{after: "${since?}"}', cursor="{field: at}")["call"]
    assert (call["method"], call["reads"], call["body"]) == ("POST", True, {"after": "${since?}"})


def test_whether_the_api_is_asked_for_what_is_new_is_known(tmp_path):
    assert record(tmp_path, cursor="{field: at, param: since}")["cursor"]["asks"]
    assert record(tmp_path, cursor="{field: at}", headers='{If-After: "${since?}"}')["cursor"]["asks"]
    assert not record(tmp_path, cursor="{field: at}", query="{q: '$${since}'}")["cursor"]["asks"]


def test_what_proves_who_asks_is_known(tmp_path):
    hub = HUB.replace("timeout: 7s", "auth: {type: api_key, key: hub/key, query: api_key}")
    assert plan(tmp_path, files(hub))["systems"]["hub"]["polls"]["items"]["credentials"] == ["api_key"]


def test_what_reconciles_reaches_as_far_as_deliveries_are_known(tmp_path):
    hub = HUB.replace("dedupe_for: 3d", "id: body.id, dedupe_for: 3d")
    found = plan(tmp_path, files(hub, **RECONCILING))["systems"]["hub"]["polls"]["items"]
    assert found["reach"] == 3 * 86400


def test_an_integration_takes_a_poll(tmp_path):
    assert plan(tmp_path, files())["integrations"]["copy"]["source"] == {"system": "hub", "poll": "items"}


# --- what cannot work -----------------------------------------------------------------------------------------------

FIELD = "{field: at, param: since, "

WRONG = {
    "when it runs: exactly one of every and cron": [{"every": ""}, {"cron": '"* * * * *"'}],
    "every: must be 1m at least: the scheduler looks once a minute": [{"every": "59s"}],
    "cron: '61' is no minute: it is 0 to 59": [{"every": "", "cron": '"61 * * * *"'}],
    "what to call is missing: one of get, post, put, patch, delete with a path": [{"get": ""}],
    "when: asks of an event, and a poll has none: leave this key out": [{"when": "body.ok"}],
    "get: a path below the system's base_url: it begins with one /": [{"get": "items"}],
    "records: `data.items`: there is no data here, only body, headers, status": [{"records": "data.items"}],
    "id: `to_strin(id)`: there is no function to_strin(); did you mean to_string()?": [
        {"id": "to_strin(id)"}
    ],
    "query.q: `data.id`: there is no data here, only since, until": [{"query": '{q: "${data.id}"}'}],
    "event_type: a batch has one type: write it without ${...}": [{"batch": "5", "event_type": '"a/${b}"'}],
    "${since} is of a cursor, and there is none": [{"query": '{a: "${since}"}'}],
    "${until} is of a cursor, and there is none": [{"body": '{a: "${until}"}'}],
    "cursor.token: field is there already: one of field and token, or neither": [
        {"cursor": "{field: at, token: body.t, param: t}"}
    ],
    "cursor: what is remembered: field, token, or time itself (window, with a format that is a time)": [
        {"cursor": "{param: since}"},
        {"cursor": "{param: since, format: integer, start: 1}"},
    ],
    "cursor.lookback: says how values compare; a token is the server's own: leave this key out": [
        {"cursor": "{token: body.t, param: t, lookback: 1m}"}
    ],
    "cursor.start: of a token it is the first request's query: {PARAMETER: VALUE}": [
        {"cursor": "{token: body.t, param: t, start: now}"}
    ],
    "cursor.delay: is a span of time, and integer is none: leave this key out": [
        {"cursor": f"{FIELD}format: integer, delay: 1m}}"}
    ],
    "cursor.start: missing: where the first window begins: now, or a time": [
        {"cursor": f"{FIELD}window: 1h}}", "query": '{to: "${until}"}'}
    ],
    "cursor.start: must be now or a value of the format: not RFC 3339, such as 2026-11-22T10:05:00Z": [
        {"cursor": f"{FIELD}start: yesterday}}"},
        {"cursor": f'{FIELD}start: "2026-11-22"}}'},
    ],
    "cursor.start: now is a time, and integer is none: write a value": [
        {"cursor": f"{FIELD}format: integer, start: now}}"}
    ],
    "cursor.window: must be longer than the 3601 s by which windows overlap, and whole units": [
        {"cursor": f"{FIELD}start: now, window: 1h, lookback: 1h}}", "query": '{to: "${until}"}'}
    ],
    "cursor.window: the call must say ${until}, or each slice would be all there is": [
        {"cursor": f"{FIELD}start: now, window: 1h}}"}
    ],
    "cursor: time is read by window: the call must say ${since} and ${until}": [
        {"cursor": "{start: now, window: 1h}", "query": '{to: "${until}"}'}
    ],
    "${until} is a time, and this cursor knows none": [
        {"cursor": f"{FIELD}format: integer}}", "query": '{to: "${until?}"}'}
    ],
    "the first run has no since: write `${since?}`, which leaves it out there, or a start": [
        {"cursor": "{field: at}", "query": '{a: "${since}"}'},
        {"cursor": "{token: body.t, start: {a: 1}}", "query": '{a: "${since}"}'},
    ],
    "retention: is of what a cursor remembers, and there is none": [{"retention": "30d"}],
    "parse: there is no transforms/hub.py; there are none": [{"parse": "transforms.hub:read"}],
    "paginate: must be 'link'": [{"paginate": "links"}],
    "paginate.stop_when: `data.ok`: there is no data here, only body, headers, status": [
        {"paginate": "{next_url: body.n, stop_when: data.ok}"}
    ],
    "paginate.limit: missing": [{"paginate": "{offset: skip}"}],
    "cursor: goes not together with diff: diff compares whole lists": [
        {"diff": "{}", "cursor": f"{FIELD}start: now}}"}
    ],
    "version: goes not together with diff: a change is an event of its run": [{"diff": "{}", "version": "v"}],
    "version: goes not together with reconcile: ids are those of the webhooks": [
        {"reconcile": "true", "version": "v", "cursor": f"{FIELD}start: now}}"}
    ],
    "reconcile: reads back as far as deliveries are known, `dedupe_for`: it needs a cursor that is a time": [
        {"reconcile": "true"},
        {"reconcile": "true", "cursor": f"{FIELD}format: integer, start: 1}}"},
        {"reconcile": "true", "cursor": "{token: body.t, param: t}"},
    ],
}


@pytest.mark.parametrize(
    ("message", "keys"), [(message, keys) for message, cases in WRONG.items() for keys in cases], ids=str
)
def test_what_cannot_work_is_told(tmp_path, message, keys):
    hub = HUB.replace("dedupe_for: 3d", "id: body.id")
    assert told(tmp_path, hub, **keys) == [message]


RECONCILING = {"reconcile": "true", "cursor": "{field: at, param: since, start: now}"}


@pytest.mark.parametrize(
    ("scheme", "told_"),
    [
        ("shopify", 'that of a webhook is `headers."x-shopify-webhook-id"`, which no record has'),
        ("github", 'that of a webhook is `headers."x-github-delivery"`, which no record has'),
        ("asana", "a webhook of this scheme has none of its own"),
    ],
)
def test_ids_that_can_never_meet_are_told(tmp_path, scheme, told_):
    (message,) = told(tmp_path, HUB.replace("svix", scheme), **RECONCILING)
    assert message == f"reconcile: ids cannot meet: {told_}; write `webhooks.id` over the body"
    assert told(tmp_path, HUB.replace("svix", f"{scheme}, id: body.id"), **RECONCILING) == []


def test_what_reconciles_needs_webhooks(tmp_path):
    hub = HUB.replace("webhooks:", "description: a\nredact: []\n#")
    assert told(tmp_path, hub, **RECONCILING) == [
        "reconcile: returns what webhooks should have brought: the system has none"
    ]


def test_a_system_that_is_polled_is_called(tmp_path):
    hub = HUB.replace("api:", "#")
    assert told(tmp_path, hub) == ["polls: it cannot be called: its manifest has no `api`"]


def test_a_header_of_the_system_that_is_of_an_event_is_told(tmp_path):
    hub = HUB.replace("timeout: 7s", 'headers: {X-Id: "${id}"}')
    (message,) = told(tmp_path, hub)
    assert (
        message == "api.headers.X-Id: a poll has no event: write `${...?}`, which leaves the header out there"
    )
    assert told(tmp_path, HUB.replace("timeout: 7s", 'headers: {X-Id: "${id?}"}')) == []


def test_a_poll_that_is_not_there_is_told(tmp_path):
    changed = files() | {"copy.yaml": copy_text(source="{system: hub, poll: item}")}
    assert errors(tmp_path, changed) == [
        "copy.yaml:3: source.poll: hub has no poll 'item'; did you mean 'items'?"
    ]


def test_a_poll_that_nobody_takes_is_noted(tmp_path):
    notes = [
        problem.message
        for problem in problems(tmp_path, {"systems/hub.yaml": files()["systems/hub.yaml"]})
        if problem.severity == "note"
    ]
    assert "no integration takes this poll: it is not read" in notes
