"""`causeway try`: what one event would make an integration send."""

from __future__ import annotations

import base64
import json

import pytest
import typer
from typer.testing import CliRunner

from causeway.events.identity import delivery_id
from causeway_cli.trying import try_integration

SHOP = """
system: shop
webhooks: {scheme: shopify, secrets: [shop/webhook]}
"""
BATCHER = """
system: batcher
webhooks: {scheme: standard-webhooks, secrets: [batcher/webhook], split: body.events, id: body.id, type: body.kind}
"""
LEDGER = """
system: ledger
api:
  base_url: https://ledger.example.com/v1
  auth: {type: basic, username: causeway, password: ledger/password}
  headers: {X-Tenant: {secret: ledger/tenant}}
  retry_on: [500-599]
"""
SEARCH = """
system: search
api:
  base_url: {secret: search/url}
  auth: {type: api_key, key: search/key, query: token}
"""
ORDERS = """
integration: orders
owner: {team: finance, email: finance@example.com}
source: {system: shop, events: ["orders/paid"]}
flow:
  filter: to_number(data.total) > `0`
  steps:
    - {name: account, system: ledger, get: "/accounts/${data.customer}"}
    - {name: gift, system: ledger, post: /gifts, when: data.gift == `true`}
    - {name: entry, run: transforms.trying_orders:to_entry}
target:
  system: ledger
  post: /entries
  body: {account: "${steps.account.body.id}", entry: "${steps.entry}", note: "${data.note?}"}
frequency: {expect_every: never}
errors: {}
"""
BATCHES = """
integration: batches
owner: {team: finance, email: finance@example.com}
source: {system: batcher, events: ["a.*", "b.*"]}
flow: {}
target: {system: search, put: "/${data.id}", query: {q: "${type}"}}
frequency: {expect_every: never}
errors: {}
"""
QUOTE = """
integration: quote
owner: {team: sales, email: sales@example.com}
source: {request: {}}
flow: {}
target: {reply: {status: 203, headers: {X-Kind: "${type}"}, body: {amount: "${data.amount}"}}}
frequency: {expect_every: never}
errors: {}
"""
PYTHON = """
def to_entry(scope):
    return {"total": float(scope["data"]["total"]), "account": scope["steps"]["account"]["body"]["id"]}
"""
ORDER = {"customer": "c/1", "total": "12.50", "note": None}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A map, in the current directory."""
    (tmp_path / "integrations" / "systems").mkdir(parents=True)
    (tmp_path / "integrations" / "transforms").mkdir()
    for name, text in {
        "systems/shop.yaml": SHOP,
        "systems/batcher.yaml": BATCHER,
        "systems/ledger.yaml": LEDGER,
        "systems/search.yaml": SEARCH,
        "orders.yaml": ORDERS,
        "batches.yaml": BATCHES,
        "quote.yaml": QUOTE,
        "transforms/trying_orders.py": PYTHON,
    }.items():
        (tmp_path / "integrations" / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def causeway_try(folder):
    """Runs the command on an event; gives the exit code and what it printed."""
    app = typer.Typer()
    app.command()(try_integration)

    def run(integration, event, *options, answers=None):
        content = event if isinstance(event, bytes) else json.dumps(event).encode()
        (folder / "event.json").write_bytes(content)
        if answers is not None:
            (folder / "answers.yaml").write_text(json.dumps(answers))
            options = (*options, "--answers", "answers.yaml")
        return CliRunner().invoke(app, [integration, "event.json", *options])

    return run


@pytest.fixture
def trials(causeway_try):
    """The same, as a list of objects."""

    def run(*arguments, **options):
        result = causeway_try(*arguments, "--json", **options)
        return json.loads(result.stdout)

    return run


def test_the_requests_are_shown_in_order_with_the_names_of_secrets(trials):
    (trial,) = trials("orders", ORDER, answers={"account": {"body": {"id": 77}}})
    event_id = trial["event"]["id"]
    delivery = delivery_id("shop", event_id, "orders")
    look_up, entry = trial["requests"]
    assert trial["outcome"] == "delivered"
    assert trial["event"] == {"id": event_id, "type": "orders/paid", "source": "shop"}
    assert (look_up["step"], look_up["method"]) == ("account", "GET")
    assert look_up["url"] == "https://ledger.example.com/v1/accounts/c%2F1"
    assert look_up["body"] is None
    assert look_up["headers"]["Idempotency-Key"] == f"{delivery}/account"
    assert entry["step"] is None
    assert entry["url"] == "https://ledger.example.com/v1/entries"
    assert entry["body"] == {"account": 77, "entry": {"total": 12.5, "account": 77}}
    assert entry["headers"]["Idempotency-Key"] == delivery
    assert entry["headers"]["Causeway-Event-Id"] == event_id
    assert entry["headers"]["Authorization"] == "Basic base64(causeway:<secret ledger/password>)"
    assert entry["headers"]["X-Tenant"] == "<secret ledger/tenant>"
    assert trial["steps"]["gift"] is None


def test_a_request_is_tried_with_the_body_that_a_client_posts(trials, causeway_try):
    (trial,) = trials("quote", {"amount": 3})
    assert (trial["outcome"], trial["event"]["source"]) == ("delivered", "requests")
    (reply,) = trial["requests"]
    assert (reply["method"], reply["url"], reply["body"]) == ("REPLY", "203", '{"amount":3}')
    assert reply["headers"]["x-kind"] == "request"
    assert "a request is JSON" in str(causeway_try("quote", b"{").exception)


def test_people_see_the_same(causeway_try):
    result = causeway_try("orders", ORDER, answers={"account": {"body": {"id": 77}}})
    assert result.exit_code == 0
    for line in (
        "step account: GET https://ledger.example.com/v1/accounts/c%2F1",
        "step gift: skipped",
        "step entry: ran",
        "target: POST https://ledger.example.com/v1/entries",
        "Authorization: Basic base64(causeway:<secret ledger/password>)",
        "this is what would be sent; nothing was",
    ):
        assert line in result.output.splitlines()


def test_an_events_order_key_is_shown(causeway_try, trials, folder):
    ordered = ORDERS.replace("flow:\n", "flow:\n  order_by: data.customer\n")
    (folder / "integrations" / "orders.yaml").write_text(ordered)
    answers = {"account": {"body": {"id": 77}}}
    result = causeway_try("orders", ORDER, answers=answers)
    assert "after all before it with the order key c/1" in result.output.splitlines()
    assert [trial["order_key"] for trial in trials("orders", ORDER, answers=answers)] == ["c/1"]
    (trial,) = trials("orders", {"total": "1"}, answers=answers)
    assert trial["outcome"] == "dead"
    assert "the order key is null" in trial["reason"]


def test_secrets_in_a_url_are_shown_by_their_names_too(trials):
    (trial,) = trials("batches", {"events": [{"id": "1", "kind": "a.x"}]})
    assert trial["requests"][0]["url"] == "<secret search/url>/1?q=a.x&token=<secret search/key>"


def test_without_an_answer_for_a_step_it_stops_there_and_says_so(causeway_try):
    result = causeway_try("orders", ORDER)
    assert result.exit_code == 1
    assert "step account: GET" in result.output
    assert "stopped: no answer is given for the step account" in result.output
    assert "target" not in result.output


def test_an_event_that_the_filter_refuses_sends_nothing(trials):
    (trial,) = trials("orders", ORDER | {"total": "0"})
    assert (trial["outcome"], trial["requests"]) == ("filtered", [])
    assert trial["reason"] == "the filter is false: to_number(data.total) > `0`"


def test_a_filter_without_an_answer_is_a_dead_letter_and_no_no(causeway_try):
    result = causeway_try("orders", {"customer": "c1"})
    assert result.exit_code == 1
    assert "a dead letter: the answer is null" in result.output


def test_an_event_of_another_type_is_not_for_the_integration(causeway_try):
    result = causeway_try("orders", ORDER, "--type", "orders/created")
    assert result.exit_code == 0
    assert "not for this integration: it takes orders/paid, and this is orders/created" in result.output


@pytest.mark.parametrize(("status", "outcome"), [(503, "retried"), (422, "dead")])
def test_an_answer_that_refuses_shows_what_would_follow(trials, status, outcome):
    (trial,) = trials("orders", ORDER, answers={"account": {"status": status}})
    assert trial["outcome"] == outcome
    assert str(status) in trial["reason"]


def test_the_target_may_be_given_an_answer_as_well(trials):
    answers = {"account": {"body": {"id": 1}}, "target": {"status": 500}}
    (trial,) = trials("orders", ORDER, answers=answers)
    assert trial["outcome"] == "retried"


def test_a_transform_that_fails_is_a_dead_letter_with_its_reason(trials):
    (trial,) = trials("orders", ORDER, answers={"account": {"body": {}}})
    assert trial["outcome"] == "dead"
    assert "transforms.trying_orders:to_entry raised KeyError" in trial["reason"]


TO_AWS = """
integration: elsewhere
owner: {{team: finance, email: finance@example.com}}
source: {{system: batcher, events: ["*"]}}
flow: {{}}
target: {target}
frequency: {{expect_every: never}}
errors: {{}}
"""


@pytest.mark.parametrize(
    ("target", "shown"),
    [
        ("{queue: jobs}", ("queue jobs", "SendMessage", "sqs://jobs", {"id": "1", "kind": "a.x"})),
        (
            "{bus: main, detail_type: 'of ${type}'}",
            ("bus main", "PutEvents", "events://main", {"id": "1", "kind": "a.x"}),
        ),
        (
            "{bucket: lake, key: 'of/${type}/${id}.json.gz', body: {id: '${id}'}}",
            ("bucket lake", "PutObject", "s3://lake/of/a.x/1.json.gz", {"id": "1"}),
        ),
    ],
)
def test_what_would_go_to_a_queue_a_bus_or_a_bucket_is_shown_alike(folder, trials, target, shown):
    (folder / "integrations" / "elsewhere.yaml").write_text(TO_AWS.format(target=target))
    (trial,) = trials("elsewhere", {"events": [{"id": "1", "kind": "a.x"}]})
    (request,) = trial["requests"]
    assert trial["outcome"] == "delivered"
    assert tuple(request[name] for name in ("system", "method", "url", "body")) == shown


def test_a_line_of_a_bucket_is_shown_with_its_deliverys_id(folder, causeway_try):
    target = "{bucket: lake, key: '${id}.ndjson', content: ndjson}"
    (folder / "integrations" / "elsewhere.yaml").write_text(TO_AWS.format(target=target))
    result = causeway_try("elsewhere", {"events": [{"id": "1", "kind": "a.x"}]})
    assert result.exit_code == 0
    delivery = delivery_id("batcher", "1", "elsewhere")
    assert f'{{"_delivery":"{delivery}","id":"1","kind":"a.x"}}' in result.output.splitlines()
    assert "target: PutObject s3://lake/" in result.output


def test_what_is_no_call_is_given_no_answer(folder, causeway_try):
    (folder / "integrations" / "elsewhere.yaml").write_text(TO_AWS.format(target="{queue: jobs}"))
    event = {"events": [{"id": "1", "kind": "a.x"}]}
    result = causeway_try("elsewhere", event, answers={"target": {"status": 500}})
    assert "'target' is no step that calls" in str(result.exception)


def test_an_event_of_ours_is_taken_as_it_is(trials):
    event = {
        "specversion": "1.0",
        "id": "evt_9",
        "type": "orders/paid",
        "source": "shop",
        "time": "2026-11-22T10:00:00Z",
        "data": ORDER,
        "headers": {},
    }
    (trial,) = trials("orders", event, answers={"account": {"body": {"id": 1}}})
    assert trial["event"]["id"] == "evt_9"


@pytest.mark.parametrize("encoded", [False, True])
def test_a_request_is_taken_as_a_function_gets_it(trials, encoded):
    body = json.dumps(ORDER | {"total": "0"})
    request = {
        "version": "2.0",
        "headers": {
            "Content-Type": "application/json",
            "X-Shopify-Topic": "orders/paid",
            "X-Shopify-Webhook-Id": "w9",
        },
        "pathParameters": {"system": "shop"},
        "requestContext": {"http": {"method": "POST"}},
        "body": base64.b64encode(body.encode()).decode() if encoded else body,
        "isBase64Encoded": encoded,
    }
    (trial,) = trials("orders", request)
    assert trial["event"] == {"id": "w9", "type": "orders/paid", "source": "shop"}
    assert trial["outcome"] == "filtered"


def test_a_body_that_the_system_splits_is_tried_event_by_event(trials):
    events = [{"id": "1", "kind": "a.x"}, {"id": "2", "kind": "c.x"}]
    first, second = trials("batches", {"events": events})
    assert (first["event"]["id"], first["outcome"]) == ("1", "delivered")
    assert (second["event"]["id"], second["outcome"]) == ("2", "unmatched")


def test_headers_may_be_given_where_the_scheme_reads_them(trials):
    headers = ["--header", "X-Shopify-Topic: orders/paid", "--header", "X-Shopify-Webhook-Id: w1"]
    (trial,) = trials("orders", ORDER | {"total": "0"}, *headers)
    assert trial["event"] == {"id": "w1", "type": "orders/paid", "source": "shop"}


@pytest.mark.parametrize(
    ("integration", "event", "options", "message"),
    [
        ("ordres", ORDER, [], "no integration 'ordres' in dev; did you mean 'orders'?"),
        (
            "orders",
            ORDER,
            ["--environment", "produktion"],
            "no environment 'produktion'; did you mean 'production'?",
        ),
        ("orders", b"{", [], "event.json: the body is not JSON"),
        ("orders", {"specversion": "1.0", "id": 5}, [], "an event has id and type, which are strings"),
        (
            "orders",
            {"specversion": "1.0", "id": "1", "type": "t", "source": "bank"},
            [],
            "an event of bank; the integration takes those of shop",
        ),
        ("orders", {"requestContext": {}}, [], "this request is not for /webhooks/shop"),
        (
            "orders",
            {"requestContext": {}, "pathParameters": {"system": "shop"}},
            [],
            "this is no request of an HTTP API",
        ),
        ("batches", {"events": [{}]}, [], "which type of event is this? The integration takes a.*, b.*"),
        ("orders", ORDER, ["--header", "nonsense"], "a header is written"),
        ("orders", ORDER, ["--answers", "gone.yaml"], "there is no file gone.yaml"),
    ],
)
def test_what_cannot_be_tried_says_why(causeway_try, integration, event, options, message):
    result = causeway_try(integration, event, *options)
    assert result.exit_code == 1
    assert message in str(result.exception)


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ({"acount": {}}, "'acount' is no step that calls; did you mean 'account'?"),
        ({"entry": {}}, "'entry' is no step that calls"),
        ({"account": {"stauts": 200}}, "an object of status, headers and body"),
        ({"account": "yes"}, "an object of status, headers and body"),
    ],
)
def test_answers_are_checked(causeway_try, answers, message):
    assert message in str(causeway_try("orders", ORDER, answers=answers).exception)
