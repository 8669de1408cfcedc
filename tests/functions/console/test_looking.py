"""Looking: how integrations are, which deliveries there are, what became of an event."""

import json

import pytest

from causeway.acceptance.lines import Accepted
from causeway.api.app import make_app
from causeway.api.operation import Answer, Operation
from causeway.api.routes import OPERATIONS
from causeway.aws.client import AwsError
from causeway.aws.table import Table
from causeway.delivery.pages import Pages
from causeway.events.identity import delivery_id
from causeway.limiting.health import Healths
from causeway.operations.books import Book
from causeway.operations.ledger import Kept, Ledger
from causeway.operations.overview import COUNTED
from causeway.operations.showing import LARGEST
from causeway.settings.clock import rfc3339
from tests.support.console import CONTEXT, Console, event_of
from tests.support.deliveries import NOW, Stage, plan_of

NAME = "orders-to-ledger"
REDACTING = {"shop": {"redact": ["data.customer", "data.total"]}}


def stage_of(*answers, count=3, **plan):
    """Deliveries that ended as their target's answers say."""
    stage = Stage(plan_of(errors={"retry": {"first": 1e5, "factor": 1.0, "max": 1e5}}, **plan))
    for number in range(count):
        stage.target.on("/entries", answers[number % len(answers)])
        stage.accept(f"evt_{number}", data={"total": 7, "customer": {"email": "ann@example.com"}, "no": 17})
        stage.invoke()
    return stage


@pytest.fixture
def console():
    return Console(stage_of(200, 400, 500))


class TestIntegrations:
    def one(self, console):
        (found,) = console.get("/api/integrations").body["integrations"]
        return found

    def test_one_says_whose_it_is_from_where_to_where_and_how_it_is(self, console):
        found = self.one(console)
        assert found["owner"] == {"team": "finance", "email": "finance@example.com", "runbook": None}
        assert (found["source"]["system"], found["calls"]) == ("shop", ["ledger"])
        assert found["target"] == {"kind": "call", "name": "ledger"}
        assert (found["state"], found["paused"]) == ("active", None)
        assert (found["waiting"], found["dead"], found["delivered"], found["at_least"]) == (1, 1, 1, [])
        assert found["circuit"] == {"state": "closed", "system": None, "since": None, "until": None}

    def test_lag_is_how_long_the_oldest_has_been_waiting(self, console):
        assert 0 < self.one(console)["lag"] < 1
        console.stage.clock.advance(600)
        assert self.one(console)["lag"] == pytest.approx(600, abs=1)

    def test_what_happened_of_late_comes_in_parts_that_add_up(self, console):
        recent = self.one(console)["recent"]
        assert sum(part["delivered"] for part in recent) == 1
        assert sum(part["open"] for part in recent) == 2
        (latency,) = [part["latency"] for part in recent if part["latency"] is not None]
        assert latency == pytest.approx(0.1, abs=0.01)

    def test_what_a_retry_made_good_is_told_apart_from_what_went_at_once(self):
        stage = Stage()
        for number, failures in enumerate([0, 1, 3, 0]):
            stage.target.on("/entries", *[500] * failures, 200)
            stage.accept(f"evt_{number}")
            stage.until_quiet()
        recent = self.one(Console(stage))["recent"]
        assert sum(part["delivered"] for part in recent) == 4
        assert sum(part["retried"] for part in recent) == 2

    def test_what_was_cut_off_before_it_was_listed_is_told_apart_too(self, monkeypatch):
        stage = Stage()
        stage.target.on("/entries", 500, 200)
        stage.accept("evt_0")
        stage.invoke()
        write, cut_off = Pages.write, []

        def fails_once(pages):
            if pages._lines and not cut_off:
                cut_off.extend(line.record_id for line in pages._lines)
                return cut_off
            return write(pages)

        monkeypatch.setattr(Pages, "write", fails_once)
        stage.until_quiet()
        assert cut_off
        recent = self.one(Console(stage))["recent"]
        assert [sum(part[name] for part in recent) for name in ("delivered", "retried")] == [1, 1]

    def test_the_books_are_those_of_the_last_hour_that_was_counted(self, console):
        assert self.one(console)["book"] is None
        console.stage.clock.advance(10)
        hour = NOW // 3600 * 3600
        lost = Accepted("0" * 32, "0" * 16, "evt_9")
        book = Book("orders-to-ledger", hour - 3600, 5, 3, 1, unaccounted=1, lost=(lost,))
        ledger = Ledger(Table(console.stage.memory, "state"))
        ledger.write(Kept(hour - 3600, 26, closed_at=NOW, books={"orders-to-ledger": book}))
        ledger.write(Kept(hour, 3))
        found = self.one(console)["book"]
        assert found["hour"] == rfc3339(hour - 3600)
        assert (found["accepted"], found["unaccounted"], found["surplus"]) == (5, 1, 0)
        assert found["lost"] == [{"delivery": lost.delivery, "event_id": "evt_9"}]

    def test_an_open_circuit_and_a_system_that_wants_to_be_left_alone_are_told(self, console):
        healths = Healths(console.stack.pauses._table, console.stage.clock)
        healths.hold("ledger", NOW + 600)
        assert self.one(console)["circuit"]["state"] == "held"
        rule = {"failures": 0.5, "of_at_least": 1, "within": 300.0, "open_for": 30.0}
        healths.count("ledger", rule, [(NOW, True), (NOW, True)])
        console.stack.forget()
        found = self.one(console)["circuit"]
        assert (found["state"], found["system"]) == ("open", "ledger")
        assert found["since"] < found["until"]

    def test_many_who_look_at_once_cost_as_much_as_one(self, console):
        self.one(console)
        before = len(console.stage.memory.calls)
        for _ in range(20):
            self.one(console)
        assert len(console.stage.memory.calls) == before
        console.stage.clock.advance(5)
        self.one(console)
        assert len(console.stage.memory.calls) > before

    def test_a_count_beyond_what_is_counted_says_that_it_is_a_lower_bound(self, console, monkeypatch):
        monkeypatch.setattr("causeway.operations.overview.COUNTED", 1)
        for number in range(40):
            console.stage.target.on("/entries", 500)
            console.stage.accept(f"more_{number}")
            console.stage.invoke()
        found = self.one(console)
        assert found["waiting"] <= 16
        assert found["at_least"] == ["waiting"]
        assert found["lag"] > 3  # of the oldest all the same
        assert COUNTED == 100

    def test_what_it_reads_does_not_grow_with_what_lies_there(self):
        def reads(count):
            stage = stage_of(400, count=count)
            before = stage.memory.count("dynamodb")
            Console(stage).get("/api/integrations")
            return stage.memory.count("dynamodb") - before

        assert reads(1) == reads(60)


class TestDeliveries:
    def test_all_are_listed_newest_first_with_a_cursor_while_there_are_more(self, console):
        first = console.get("/api/deliveries", "limit=2").body
        rest = console.get("/api/deliveries", f"limit=2&cursor={first['cursor']}").body
        found = [*first["deliveries"], *rest["deliveries"]]
        assert [each["status"] for each in found] == ["waiting", "dead", "delivered"]
        assert rest["cursor"] is None

    @pytest.mark.parametrize(
        ("query", "count"),
        [
            ("status=dead", 1),
            ("error=http", 2),
            ("error=dns", 0),
            ("error=no%20time", 0),
            (f"integration={NAME}&status=waiting&error=http", 1),
            ("since=2023-11-14T22:13:20Z", 3),
            ("since=2023-11-15T22:13:20Z", 0),
            ("until=2023-11-14T22:13:19Z", 0),
            ("since=2023-11-14T22:13:20Z&until=2023-11-14T23:13:20%2B01:00", 1),
        ],
    )
    def test_filters_choose(self, console, query, count):
        assert len(console.get("/api/deliveries", query).body["deliveries"]) == count

    def test_one_is_found_by_its_id_with_its_attempts(self, console):
        delivery = delivery_id("shop", "evt_1", NAME)
        found = console.get(f"/api/deliveries/{delivery}").body
        assert (found["status"], found["event_kept"]) == ("dead", True)
        assert [attempt["outcome"] for attempt in found["attempts"]] == ["dead"]

    def test_the_deliveries_of_an_event_are_a_look_up(self, console):
        (found,) = console.get("/api/events/shop/evt_2").body["deliveries"]
        assert (found["integration"], found["status"]) == (NAME, "waiting")

    @pytest.mark.parametrize("event", ["a/b/c", "ä ö?#%", "poll@2026-11-22T10:00:00Z", "../../x", "%2F"])
    def test_an_events_id_may_hold_anything(self, event):
        from urllib.parse import quote

        stage = Stage()
        stage.accept(event)
        stage.invoke()
        console = Console(stage)
        (found,) = console.get(f"/api/events/shop/{quote(event, safe='')}").body["deliveries"]
        assert found["event_id"] == event

    @pytest.mark.parametrize(
        "path", ["/api/deliveries/" + "0" * 32, "/api/events/shop/nothing", "/api/events/no/1"]
    )
    def test_what_is_not_there_is_404_and_says_so(self, console, path):
        answered = console.get(path)
        assert answered.status == 404
        assert "nothing is known" in answered.body["detail"] or "there is no" in answered.body["detail"]


class TestEvents:
    def shown(self, stage):
        delivery = delivery_id("shop", "evt_0", NAME)
        return Console(stage).get(f"/api/deliveries/{delivery}").body

    def test_a_kept_event_is_shown_without_what_the_manifest_redacts(self):
        found = self.shown(stage_of(400, count=1, **REDACTING))
        assert found["event"]["data"] == {
            "total": "[redacted]",
            "customer": {"email": "[redacted]"},
            "no": 17,  # in which a redacted number stands
        }
        assert "ann@example.com" not in json.dumps(found)

    def test_a_large_one_is_fetched_and_redacted_as_well(self):
        stage = Stage(plan_of(**REDACTING))
        stage.target.on("/entries", 400)
        stage.accept("evt_0", data={"total": 5, "customer": "ann@example.com", "text": "x" * 100_000})
        stage.invoke()
        assert stage.memory.objects
        found = self.shown(stage)
        assert found["event"]["data"]["customer"] == "[redacted]"
        assert len(found["event"]["data"]["text"]) == 100_000

    def test_one_that_is_too_large_for_an_answer_is_not_shown_and_says_why(self):
        stage = Stage()
        stage.target.on("/entries", 400)
        stage.accept("evt_0", data={"text": "x" * (LARGEST + 1)})
        stage.invoke()
        found = self.shown(stage)
        assert (found["event"], found["event_kept"]) == (None, True)
        assert "bytes" in found["event_note"]

    def test_one_whose_system_is_gone_is_not_shown_for_nobody_knows_what_is_redacted(self):
        stage = stage_of(400, count=1, **REDACTING)
        console = Console(stage)
        del console.stack.plan.systems["shop"]
        found = console.get(f"/api/deliveries/{delivery_id('shop', 'evt_0', NAME)}").body
        assert found["event"] is None
        assert "redacted" in found["event_note"]

    def test_one_that_is_no_longer_kept_is_null(self):
        found = self.shown(stage_of(200, count=1))
        assert (found["event"], found["event_note"], found["event_kept"]) == (None, None, False)


class TestProblems:
    @pytest.mark.parametrize(
        ("query", "name", "says"),
        [
            ("limit=0", "limit", "whole number from 1 to 200"),
            ("limit=201", "limit", "whole number from 1 to 200"),
            ("limit=many", "limit", "whole number"),
            ("limit=1&limit=2", "limit", "more than once"),
            ("cursor=x", "cursor", "no cursor"),
            ("cursor=WyIxIiwgIjIiXQ==", "cursor", "no cursor"),
            ("since=yesterday", "since", "RFC 3339"),
            ("since=2023-11-14T22:13:20", "since", "RFC 3339"),
            ("until=9999-12-31T23:59:59-23:59", "until", "RFC 3339"),
            ("status=lost", "status", "waiting or delivered or dead"),
            ("error=HTTP", "error", "a class of reasons"),
            ("integration=nobody", "integration", NAME),
            ("integration=No%20Name", "integration", "lower-case"),
            ("intergration=x", "intergration", "there are: integration, status"),
        ],
    )
    def test_a_parameter_that_is_no_good_is_named_with_what_would_be_right(self, console, query, name, says):
        answered = console.get("/api/deliveries", query)
        assert answered.status == 400
        assert answered.headers["Content-Type"] == "application/problem+json"
        (fault,) = answered.body["parameters"]
        assert (fault["name"], fault["in"]) == (name, "query")
        assert says in fault["problem"]

    def test_all_that_is_wrong_is_told_at_once(self, console):
        answered = console.get("/api/deliveries", "limit=0&status=x&since=y")
        assert {fault["name"] for fault in answered.body["parameters"]} == {"limit", "status", "since"}

    def test_a_list_over_too_many_integrations_wants_one_named(self, console):
        one = console.stack.plan.integrations[NAME]
        console.stack.plan.integrations |= {f"copy-{n}": {**one, "name": f"copy-{n}"} for n in range(80)}
        answered = console.get("/api/deliveries")
        assert answered.status == 400
        assert "name one of them" in answered.body["detail"]
        assert console.get("/api/deliveries", "status=dead").status == 200
        assert console.get("/api/deliveries", "integration=copy-7").status == 200

    def test_an_aws_that_does_not_answer_is_503_and_its_words_stay_here(self, console, capsys):
        stage = console.stage

        class Down:
            def call(self, *_):
                raise AwsError("AccessDenied", "arn:aws:dynamodb:eu-central-1:123:table/secret", 400)

        answered = Console(stage, Down()).get("/api/deliveries")
        assert (answered.status, answered.headers["retry-after"]) == (503, "2")
        assert "arn:aws" not in json.dumps(answered.body)
        assert "AccessDenied" in capsys.readouterr().out

    def test_what_nobody_foresaw_is_500_and_its_words_stay_here(self, console, capsys):
        console.stack.deliveries = None
        answered = console.get("/api/deliveries")
        assert answered.status == 500
        assert "NoneType" not in json.dumps(answered.body)
        assert "NoneType" in capsys.readouterr().out

    @pytest.mark.parametrize("path", ["/api", "/api/nothing", "/api/deliveries/x/y", "/"])
    def test_there_is_nothing_elsewhere(self, console, path):
        answered = console.get(path)
        assert (answered.status, answered.body["status"]) == (404, 404)
        assert "/api/openapi.json" in answered.body["detail"]

    def test_answers_are_of_this_moment_and_what_their_type_says(self, console):
        headers = console.get("/api/deliveries").headers
        assert (headers["cache-control"], headers["x-content-type-options"]) == ("no-store", "nosniff")


def test_a_route_that_answers_something_else_than_json_is_served_beside_the_others(console):
    page = Operation(
        id="getPage",
        method="GET",
        path="/page",
        scope=None,
        summary="A page.",
        run=lambda _stack, _request: Answer("<h1>hi</h1>", {"cache-control": "max-age=60"}, "text/html"),
        schema="",
        example=None,
    )
    app = make_app(lambda: console.stack, [*OPERATIONS, page])
    found = app.resolve(event_of("GET", "/page"), CONTEXT)
    assert (found["statusCode"], found["body"]) == (200, "<h1>hi</h1>")
    assert (found["headers"]["Content-Type"], found["headers"]["cache-control"]) == (
        "text/html",
        "max-age=60",
    )
