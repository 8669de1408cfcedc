"""What single keys may hold, and what people are told when they hold something else."""

from __future__ import annotations

import pytest

from tests.support.maps import copy, copy_text, desk, errors


def told(directory, **changed):
    return [error.split(": ", 1)[1] for error in errors(directory, {"copy.yaml": copy_text(**changed)})]


@pytest.mark.parametrize("key", ["owner", "source", "flow", "target", "frequency", "errors"])
def test_an_integration_that_leaves_a_question_out_does_not_compile(tmp_path, key):
    (message,) = told(tmp_path, **{key: ""})
    assert message.startswith(f"{key}: missing: ")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"owner": "{email: a@example.com}"}, "owner.team: missing: which team it is"),
        ({"owner": "{team: a}"}, "owner.email: missing: where they are reached"),
        ({"owner": "{team: a, email: nobody}"}, "owner.email: must be an e-mail address"),
        ({"owner": "a team"}, "owner: must be an object: `key: value`"),
        ({"frequency": "{}"}, "frequency.expect_every: missing: silence longer than this"),
        ({"frequency": "{expect_every: never, during: nights}"}, "frequency.during: must be always, or days"),
        (
            {"frequency": "{expect_every: never, during: mon-fri 7-21 Europe/Berlin}"},
            "frequency.during: must be",
        ),
        ({"frequency": "{expect_every: 0s}"}, "frequency.expect_every: must be longer than 0s"),
        ({"source": "{system: hub}"}, "source.events: missing: types of events"),
        ({"source": "{system: hub, events: []}"}, "source.events: must not be empty"),
        ({"source": "{system: hub, events: '*'}"}, "source.events: must be a list"),
        (
            {"source": "{system: hub, events: ['*'], event: a}"},
            "source.event: unknown key; did you mean 'events'?",
        ),
        ({"flow": "{steps: [{system: desk, get: /a}]}"}, "flow.steps[0].name: missing"),
        (
            {"flow": "{steps: [{name: to-entry, system: desk, get: /a}]}"},
            "flow.steps[0].name: must be a name that",
        ),
        (
            {"flow": "{steps: [{name: a, run: os:system}]}"},
            "flow.steps[0].run: must be a function in transforms/",
        ),
        ({"flow": "{filter: }"}, "flow.filter: empty: give it a value, or leave the key out"),
        ({"target": "{system: desk, post: }"}, "target.post: empty: give it a value, or leave the key out"),
        ({"flow": "{filters: data.ok}"}, "flow.filters: unknown key; did you mean 'filter'?"),
        (
            {"constants": "{account-code: 1}"},
            "constants.account-code: must be a name that expressions can use",
        ),
        (
            {"target": "{system: desk}"},
            "target: what to call is missing: one of get, post, put, patch, delete",
        ),
        (
            {"target": "{system: desk, get: /a, post: /b}"},
            "target.post: get is there already: exactly one of",
        ),
        (
            {"target": "{system: desk, post: /a, timeout: 10}"},
            "target.timeout: must be a duration such as 30s",
        ),
        (
            {"target": "{system: desk, post: /a, timeout: 1.5s}"},
            "target.timeout: must be a duration such as 30s",
        ),
        ({"target": "{system: desk, post: /a, reads: 1}"}, "target.reads: must be true or false"),
        (
            {"target": "{system: desk, post: /a, content: xml}"},
            "target.content: must be 'json', 'form', 'ndjson' or",
        ),
        (
            {"target": "{system: desk, post: /a, content: form, body: [1]}"},
            "target.body: must be an object, as",
        ),
        (
            {"target": "{system: desk, post: /a, content: ndjson, body: {}}"},
            "target.body: must be a list, as",
        ),
        ({"target": "{system: desk, post: /a, content: text, body: 3}"}, "target.body: must be a text, as"),
        (
            {"target": "{system: desk, post: /a, query: {a: {b: 1}}}"},
            "target.query.a: must be a text, a number",
        ),
        (
            {"target": "{system: desk, post: /a, headers: {X-A: 1}}"},
            "target.headers.X-A: must be a text; put it in",
        ),
        (
            {"target": "{system: desk, post: /a, headers: {'X A': b}}"},
            "target.headers.X A: must be the name of an",
        ),
        ({"target": "{system: desk, post: /a, retry_on: [5xx]}"}, "target.retry_on[0]: '5xx' is not one of"),
        (
            {"target": "{system: desk, post: /a, retry_on: [599-500]}"},
            "target.retry_on[0]: '599-500' is a range that",
        ),
        (
            {"target": "{system: desk, post: /a, retry_on: [true]}"},
            "target.retry_on[0]: must be a kind of failure",
        ),
        ({"target": "{system: desk, post: /a, success_when: ''}"}, "target.success_when: must not be empty"),
        ({"errors": "{retry: {first: 0s}}"}, "errors.retry.first: must be longer than 0s"),
        ({"errors": "{retry: {factor: 0.5}}"}, "errors.retry.factor: must be at least 1"),
        ({"errors": "{attempts: 0}"}, "errors.attempts: must be unlimited or a number of at least 1"),
        ({"errors": "{attempts: '3'}"}, "errors.attempts: must be unlimited or a number of at least 1"),
        ({"errors": "{give_up_after: 3 days}"}, "errors.give_up_after: must be a duration such as 30s"),
        ({"description": "[a]"}, "description: must be a text; put it in quotes if it is one"),
        ({"description": "~"}, "description: empty; must be a text; put it in quotes if it is one"),
        ({"name": "copy"}, "name: unknown key; there are: constants"),
    ],
)
def test_a_key_that_holds_something_else_is_told(tmp_path, changed, message):
    (found,) = told(tmp_path, **changed)
    assert found.startswith(message)


@pytest.mark.parametrize(
    ("api", "message"),
    [
        ("api: {}", "api.base_url: missing: where its paths begin"),
        (
            "api: {base_url: 'https://a.example.com', auth: {type: beerer}}",
            "api.auth: `type` is none, bearer, basic",
        ),
        (
            "api: {base_url: 'https://a.example.com', auth: {token: a}}",
            "api.auth: `type` is none, bearer, basic",
        ),
        ("api: {base_url: 'https://a.example.com', auth: {type: bearer}}", "api.auth.token: missing"),
        (
            "api: {base_url: 'https://a.example.com', auth: {type: bearer, token: 'eyJ hbGciOi'}}",
            "api.auth.token: must be the name of a secret (shop/webhook, sm:NAME, NAME#field), never the secret",
        ),
        (
            "api: {base_url: 'https://a.example.com', auth: {type: bearer, token: {secret: a}}}",
            "api.auth.token: must be the name of a secret",
        ),
        (
            "api: {base_url: 'https://a.example.com', auth: {type: basic, username: 'a:b', password: c}}",
            "api.auth.username: may not have a colon in it",
        ),
        (
            "api: {base_url: 'https://a.example.com', auth: {type: api_key, key: a}}",
            "api.auth: where the key goes: exactly one of header and query",
        ),
        (
            "api: {base_url: 'https://a.example.com', auth: {type: api_key, key: a, header: X, query: y}}",
            "api.auth: where the key goes: exactly one of header and query",
        ),
        ("api: {base_url: {secrets: a}}", "api.base_url.secret: missing"),
        (
            "api: {base_url: 'https://a.example.com', allow_private: [10.0.0.1]}",
            "api.allow_private[0]: must be a network",
        ),
        (
            "api: {base_url: 'https://a.example.com', allow_private: [10.0.0.1/8]}",
            "api.allow_private[0]: must be a",
        ),
        ("redact: [customer.email]", "redact[0]: must be a path such as data.customer.email"),
        ("redact: [data]", "redact[0]: must be a path such as data.customer.email"),
        ("webhooks: {scheme: github, secrets: []}", "webhooks.secrets: must not be empty"),
        ("webhooks: {scheme: github, secrets: [123]}", "webhooks.secrets[0]: must be the name of a secret"),
        ("webhooks: {scheme: [], secrets: [a]}", "webhooks.scheme: must not be empty"),
        (
            "webhooks: {scheme: github, secrets: [a], tolerance: 0s}",
            "webhooks.tolerance: must be longer than 0s",
        ),
        (
            "webhooks: {scheme: github, secrets: [a], reply: {status: 500}}",
            "webhooks.reply.status: must be at most 299",
        ),
    ],
)
def test_a_systems_key_that_holds_something_else_is_told(tmp_path, api, message):
    files = {"systems/other.yaml": f"system: other\n{api}\n"}
    found = [error.split(": ", 1)[1] for error in errors(tmp_path, files)]
    assert any(each.startswith(message) for each in found), found
    assert not any("hbGciOi" in each for each in found)


def test_unknown_and_missing_keys_and_wrong_values_of_one_object_are_told_together(tmp_path):
    assert set(told(tmp_path, target="{sytem: desk, get: a, post: /b, timeout: 3}")) == {
        "target.get: a path below the system's base_url: it begins with one /",
        "target.post: get is there already: exactly one of get, post, put, patch, delete",
        "target.sytem: unknown key; did you mean 'system'?",
        "target.system: missing: which system is called",
        "target.timeout: must be a duration such as 30s, 10m, 6h or 3d",
    }


@pytest.mark.parametrize(("written", "seconds"), [("30s", 30), ("10m", 600), ("6h", 21600), ("3d", 259200)])
def test_durations_are_seconds(tmp_path, written, seconds):
    assert copy(tmp_path, errors=f"{{give_up_after: {written}}}")["errors"]["give_up_after"] == seconds


@pytest.mark.parametrize("during", ["always", "mon-fri 07:00-21:00 Europe/Berlin", "sat 00:00-24:00 UTC"])
def test_silence_counts_at_certain_times(tmp_path, during):
    assert (
        copy(tmp_path, frequency=f"{{expect_every: 1h, during: '{during}'}}")["frequency"]["during"] == during
    )


def test_a_country_stays_a_country(tmp_path):
    """`no` is Norway, and false only to YAML 1.1."""
    assert copy(tmp_path, constants="{countries: [se, no]}")["constants"] == {"countries": ["se", "no"]}


def test_a_body_may_be_any_json(tmp_path):
    body = "[1, -2.5, true, null, 'text', {a: {b: []}}, '010', 2024-01-01]"
    assert copy(tmp_path, target=f"{{system: desk, post: /in, body: {body}}}")["target"]["call"]["body"] == [
        1,
        -2.5,
        True,
        None,
        "text",
        {"a": {"b": []}},
        "010",
        "2024-01-01",
    ]


def test_a_text_may_be_written_over_several_lines(tmp_path):
    api = desk(
        tmp_path,
        "api:\n  base_url: https://a.example.com\n  success_when: >-\n    status == `200` &&\n    body.ok\n",
    )
    assert api["api"]["base_url"] == "https://a.example.com"
