"""From manifests to the plan: defaults are filled in, shorthands spelled out, secrets stay names."""

from __future__ import annotations

import json

import pytest

from causeway.plan.compiler import write
from causeway.plan.plan import load
from causeway.webhooks.schemes import SCHEMES
from tests.support.maps import compiled, copy, copy_text, desk, plan


def test_an_integration_with_only_what_must_be_written_has_every_default(tmp_path):
    assert copy(tmp_path) == {
        "name": "copy",
        "description": "",
        "owner": {"team": "desk", "email": "desk@example.com"},
        "source": {"system": "hub", "events": ["*"]},
        "constants": {},
        "steps": [],
        "target": {
            "call": {
                "system": "desk",
                "method": "POST",
                "path": "/in",
                "query": {},
                "headers": {},
                "body": "${data}",
                "content": "json",
                "reads": False,
                "timeout": 10.0,
                "success_when": "status < `300`",
                "retry_on": ["connection", "timeout", "408", "425", "429", "500-599"],
            }
        },
        "frequency": {"expect_every": None, "during": "always", "deliver_within": 900.0},
        "errors": {
            "retry": {"first": 5.0, "factor": 3, "max": 21600.0},
            "attempts": None,
            "give_up_after": 259200.0,
            "keep_events": 0.0,
        },
    }


def test_a_system_with_only_what_must_be_written_has_every_default(tmp_path):
    systems = plan(tmp_path)["systems"]
    assert systems["hub"] == {
        "name": "hub",
        "description": "",
        "redact": [],
        "webhooks": {
            "schemes": SCHEMES["github"],
            "secrets": ["hub/webhook"],
            "dedupe_for": 604800.0,
        },
    }
    assert systems["desk"] == {
        "name": "desk",
        "description": "",
        "redact": [],
        "api": {
            "base_url": "https://desk.example.com/api",
            "auth": {"type": "none"},
            "headers": {},
            "allow_private": [],
            "keep_answers": False,
            "circuit_breaker": {"failures": 0.7, "of_at_least": 10, "within": 300.0, "open_for": 30.0},
        },
    }


def test_everything_that_may_be_written_is_compiled(tmp_path):
    result = copy(
        tmp_path,
        description="All of it.",
        owner="{team: t, email: t@example.com, runbook: 'https://wiki.example.com/x'}",
        constants="{codes: {EU: '1'}, limit: 3}",
        flow="{filter: data.ok == `true`, order_by: data.customer.id, buffer: queue}",
        target="""{system: desk, put: '/in/${id}', query: {a: [1, '${type}'], b: true}, headers: {X-A: '${id}'},
            body: null, content: json, when: data.go, reads: true, timeout: 2s, success_when: body.ok,
            retry_on: [429, '!503', timeout], retry_when: body.busy}""",
        frequency="{expect_every: 6h, during: 'mon-fri 07:00-21:00 Europe/Berlin', deliver_within: 1m}",
        errors="{retry: {first: 1s, factor: 1.5, max: 1m}, attempts: 7, give_up_after: 2h, keep_events: 30d}",
    )
    assert result["owner"]["runbook"] == "https://wiki.example.com/x"
    assert result["constants"] == {"codes": {"EU": "1"}, "limit": 3}
    assert result["filter"] == "data.ok == `true`"
    assert result["order_by"] == "data.customer.id"
    assert result["target"]["call"] == {
        "system": "desk",
        "method": "PUT",
        "path": "/in/${id}",
        "query": {"a": [1, "${type}"], "b": True},
        "headers": {"X-A": "${id}"},
        "body": None,
        "content": "json",
        "when": "data.go",
        "reads": True,
        "timeout": 2.0,
        "success_when": "body.ok",
        "retry_on": ["429", "!503", "timeout"],
        "retry_when": "body.busy",
    }
    assert result["frequency"] == {
        "expect_every": 21600.0,
        "during": "mon-fri 07:00-21:00 Europe/Berlin",
        "deliver_within": 60.0,
    }
    assert result["errors"] == {
        "retry": {"first": 1.0, "factor": 1.5, "max": 60.0},
        "attempts": 7,
        "give_up_after": 7200.0,
        "keep_events": 2592000.0,
    }


@pytest.mark.parametrize(
    ("method", "body"), [("post", True), ("put", True), ("patch", True), ("get", False), ("delete", False)]
)
def test_a_target_sends_the_events_data_where_its_method_has_a_body(tmp_path, method, body):
    call = copy(tmp_path, target=f"{{system: desk, {method}: /in}}")["target"]["call"]
    assert call.get("body") == ("${data}" if body else None)
    assert ("body" in call) == body
    assert call["reads"] == (method == "get")


def test_a_step_sends_a_body_only_when_it_is_written(tmp_path):
    flow = (
        "{steps: [{name: a, system: desk, post: /a}, {name: b, system: desk, post: /b, body: {x: '${id}'}}]}"
    )
    without, with_body = copy(tmp_path, flow=flow)["steps"]
    assert "body" not in without["call"]
    assert with_body["call"]["body"] == {"x": "${id}"}


def test_steps_call_or_run(tmp_path):
    files = {
        "transforms/orders.py": "def to_entry(scope): return scope\n",
        "copy.yaml": """
            integration: copy
            owner: {team: desk, email: desk@example.com}
            source: {system: hub, events: ["*"]}
            flow:
              steps:
                - name: account
                  system: desk
                  get: /accounts
                  query: {email: "${data.email}"}
                  when: data.email != `null`
                - {name: entry, run: transforms.orders:to_entry, when: "steps.account != `null`"}
            target: {system: desk, post: "/in/${steps.account.body.id}"}
            frequency: {expect_every: never}
            errors: {}
        """,
    }
    account, entry = plan(tmp_path, files)["integrations"]["copy"]["steps"]
    assert account["name"] == "account"
    assert account["call"]["reads"] is True
    assert account["call"]["when"] == "data.email != `null`"
    assert entry == {"name": "entry", "run": "transforms.orders:to_entry", "when": "steps.account != `null`"}


def test_a_system_says_how_it_is_called_and_a_call_says_otherwise(tmp_path):
    files = {
        "systems/desk.yaml": """
            system: desk
            api:
              base_url: https://desk.example.com/
              timeout: 3s
              success_when: body.ok
              retry_on: [timeout]
              retry_when: body.busy
              keep_answers: true
        """
    }
    result = plan(tmp_path, files)
    call = result["integrations"]["copy"]["target"]["call"]
    assert (call["timeout"], call["success_when"], call["retry_on"]) == (3.0, "body.ok", ["timeout"])
    assert call["retry_when"] == "body.busy"
    assert result["systems"]["desk"]["api"]["keep_answers"] is True
    assert result["systems"]["desk"]["api"]["base_url"] == "https://desk.example.com"


@pytest.mark.parametrize(
    ("auth", "record"),
    [
        ("{type: none}", {"type": "none"}),
        ("{type: bearer, token: desk/token}", {"type": "bearer", "token": "desk/token"}),
        (
            "{type: basic, username: me, password: 'sm:desk#password'}",
            {"type": "basic", "username": "me", "password": "sm:desk#password"},
        ),
        (
            "{type: basic, username: {secret: desk/user}, password: desk/password}",
            {"type": "basic", "username": {"secret": "desk/user"}, "password": "desk/password"},
        ),
        (
            "{type: api_key, key: desk/key, header: X-Key}",
            {"type": "api_key", "key": "desk/key", "header": "X-Key"},
        ),
        (
            "{type: api_key, key: desk/key, query: key}",
            {"type": "api_key", "key": "desk/key", "query": "key"},
        ),
    ],
)
def test_secrets_are_names_and_stay_names(tmp_path, auth, record):
    assert (
        desk(tmp_path, f"api: {{base_url: 'https://a.example.com', auth: {auth}}}")["api"]["auth"] == record
    )


def test_a_literal_may_be_a_secret_instead(tmp_path):
    api = desk(
        tmp_path, "api: {base_url: {secret: desk/url}, headers: {X-Tenant: {secret: desk/tenant}, X-A: b}}"
    )["api"]
    assert api["base_url"] == {"secret": "desk/url"}
    assert api["headers"] == {"X-Tenant": {"secret": "desk/tenant"}, "X-A": "b"}


def test_everything_of_webhooks_is_compiled(tmp_path):
    files = {
        "systems/hub.yaml": """
            system: hub
            redact: [data.customer.email, 'data."e-mail"', "data.items[].name"]
            webhooks:
              scheme:
                - standard-webhooks
                - algorithm: hmac-sha256
                  header: X-Signature
                  pattern: "v1={signature}"
                  encoding: base64
                  signed: "{timestamp}.{body}"
                  timestamp: {header: X-Timestamp}
                  id: headers."x-id"
              secrets: [hub/new, hub/old]
              tolerance: 1m
              dedupe_for: 30d
              id: body.id
              type: body.kind
              split: body.events
              reply: {status: 202, headers: {X-Seen: "yes"}, body: thanks}
              base_url: https://hooks.example.com/
        """
    }
    system = plan(tmp_path, files)["systems"]["hub"]
    assert system["redact"] == ["data.customer.email", 'data."e-mail"', "data.items[].name"]
    assert system["webhooks"] == {
        "schemes": [
            *SCHEMES["standard-webhooks"],
            {
                "algorithm": "hmac-sha256",
                "header": "x-signature",
                "pattern": "v1={signature}",
                "encoding": "base64",
                "signed": "{timestamp}.{body}",
                "timestamp": {"header": "x-timestamp", "unit": "s"},
                "id": 'headers."x-id"',
            },
        ],
        "secrets": ["hub/new", "hub/old"],
        "tolerance": 60.0,
        "dedupe_for": 2592000.0,
        "id": "body.id",
        "type": "body.kind",
        "split": "body.events",
        "reply": {"status": 202, "headers": {"X-Seen": "yes"}, "body": "thanks"},
        "base_url": "https://hooks.example.com",
    }


def test_what_is_written_is_what_functions_load(tmp_path):
    result = compiled(tmp_path / "map", {"transforms/orders.py": "def to_entry(scope): return scope\n"})
    write(result, tmp_path / "out")
    for environment, record in result.plans.items():
        assert load(tmp_path / "out" / "plan", environment).record == record
    assert (tmp_path / "out" / "python" / "transforms" / "orders.py").read_text().startswith("def to_entry")


def test_writing_again_leaves_nothing_of_the_last_time_and_nothing_to_chance(tmp_path):
    out = tmp_path / "out"
    write(
        compiled(tmp_path / "map", {"environments/old.yaml": "systems: {}\n", "transforms/old.py": ""}), out
    )
    for path in ("environments/old.yaml", "transforms/old.py"):
        (tmp_path / "map" / path).unlink()
    write(compiled(tmp_path / "map"), out)
    first = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    assert sorted(path.name for path in first) == ["dev.json", "production.json", "staging.json"]
    write(compiled(tmp_path / "map"), out)
    assert first == {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}


def test_keys_keep_the_order_in_which_they_are_written(tmp_path):
    target = "{system: desk, get: /in, query: {z: 1, a: 2, m: 3}, body: {y: 1, b: 2}}"
    write(compiled(tmp_path / "map", {"copy.yaml": copy_text(target=target)}), tmp_path / "out")
    call = load(tmp_path / "out" / "plan", "dev").integrations["copy"]["target"]["call"]
    assert (list(call["query"]), list(call["body"])) == (["z", "a", "m"], ["y", "b"])


def test_a_plan_is_plain_json(tmp_path):
    record = plan(tmp_path)
    assert json.loads(json.dumps(record, allow_nan=False)) == record
