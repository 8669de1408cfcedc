"""Delivering: what the processor does with a batch of messages, by the rules of the design."""

import json

from tests.support.deliveries import NOTHING_FAILED, NOW, QUEUE, Stage, call_of, plan_of


class TestTheHappyPath:
    def test_it_is_delivered_listed_and_gone_from_the_queue(self):
        stage = Stage()
        delivery = stage.accept()
        assert stage.invoke() == NOTHING_FAILED
        assert stage.item(delivery)["status"] == "delivered"
        assert [asked.body for asked in stage.target.asked] == [{"total": 5}]
        assert stage.pages() == ([delivery], [])
        assert stage.memory.queues[QUEUE] == []

    def test_it_costs_two_writes_of_the_item_and_one_of_the_page(self):
        """Beside the reading, once in five seconds, of whether its integration is paused."""
        stage = Stage()
        stage.accept("evt_0")
        stage.invoke()
        stage.accept()
        stage.memory.calls.clear()
        stage.invoke()
        assert stage.memory.calls == [("dynamodb", "UpdateItem")] * 2 + [("dynamodb", "PutItem")]

    def test_a_batch_of_one_integration_is_one_page(self):
        stage = Stage()
        deliveries = [stage.accept(f"evt_{number}") for number in range(10)]
        stage.memory.calls.clear()
        stage.invoke()
        assert sorted(stage.pages()[0]) == sorted(deliveries)
        assert stage.memory.count("dynamodb", "PutItem") == 1

    def test_every_call_carries_its_headers(self):
        stage = Stage(plan_of(steps=[{"name": "account", "call": call_of("/accounts", method="GET")}]))
        root = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
        delivery = stage.accept(trace=root)
        stage.target.on("/entries", 500, 200)
        stage.until_quiet()
        first, last = stage.target.asked[0], stage.target.asked[-1]
        assert first.headers["idempotency-key"] == f"{delivery}/account"
        assert last.headers["idempotency-key"] == delivery
        assert last.headers["causeway-event-id"] == "evt_1"
        assert (first.headers["causeway-attempt"], last.headers["causeway-attempt"]) == ("1", "2")
        assert last.headers["traceparent"] == "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01"
        assert last.headers["user-agent"].startswith("causeway/")

    def test_an_event_in_the_bucket_is_fetched(self):
        stage = Stage()
        stage.accept(data={"text": "x" * 300_000})
        stage.invoke()
        assert stage.target.asked[0].body == {"text": "x" * 300_000}

    def test_a_provider_id_that_no_header_can_hold_is_made_visible(self):
        stage = Stage()
        stage.accept("evt ☃\n1")
        stage.invoke()
        assert stage.target.asked[0].headers["causeway-event-id"] == "evt???1"


class TestFiltersAndWhens:
    def test_a_filter_that_says_no_now_delivers_without_a_call(self):
        stage = Stage(plan_of(filter="data.total > `10`"))
        delivery = stage.accept()
        stage.invoke()
        assert stage.item(delivery)["attempts"][0]["outcome"] == "filtered"
        assert stage.item(delivery)["status"] == "delivered"
        assert stage.target.asked == []

    def test_a_filter_that_cannot_answer_is_dead_with_the_reason(self):
        stage = Stage(plan_of(filter="data.missing"))
        delivery = stage.accept()
        stage.invoke()
        item = stage.item(delivery)
        assert (item["status"], item["error"]) == ("dead", "mapping")
        assert "data.missing" in item["reason"]

    def test_a_target_whose_when_is_false_is_success_without_a_call(self):
        stage = Stage(plan_of(target=call_of(when="data.total == `0`")))
        delivery = stage.accept()
        stage.invoke()
        assert stage.item(delivery)["attempts"][0]["outcome"] == "skipped"
        assert stage.target.asked == []

    def test_a_mapping_that_cannot_be_filled_in_is_dead(self):
        stage = Stage(plan_of(target=call_of(body={"name": "Order ${data.name}"})))
        delivery = stage.accept()
        stage.invoke()
        assert (stage.item(delivery)["status"], stage.item(delivery)["error"]) == ("dead", "mapping")

    def test_a_success_when_that_cannot_answer_is_a_refusal_that_retry_on_judges(self):
        stage = Stage(plan_of(target=call_of(success_when="body.ok", retry_on=["200"])))
        stage.target.on("/entries", (200, {"fine": 1}), (200, {"ok": True}))
        delivery = stage.accept()
        stage.until_quiet()
        assert [entry["outcome"] for entry in stage.item(delivery)["attempts"]] == ["refused", "delivered"]


class TestWhatIsTold:
    PLAN = plan_of(
        shop={"redact": ["data.customer.email", "data.cards[*].number"]},
        ledger={"keep_answers": True},
        steps=[{"name": "check", "run": "tests.support.transforms:quotes"}],
        errors={"attempts": 2},
    )

    def test_redacted_values_are_in_no_reason_history_log_or_event(self, capsys):
        stage = Stage(self.PLAN)
        data = {
            "customer": {"email": "jo+1@example.com"},
            "cards": [{"number": 4242424242424242}],
            "quote": False,
        }
        stage.target.on(
            "/entries", lambda asked: (500, {"you sent": asked.body, "mail": "jo%2B1%40example.com"})
        )
        delivery = stage.accept(data=data)
        stage.until_quiet()
        written = json.dumps([stage.item(delivery), stage.told()]) + capsys.readouterr().out
        assert "[redacted]" in written
        for secret in ("jo+1@example.com", "jo%2B1%40example.com", "4242424242424242"):
            assert secret not in written
        assert "jo+1@example.com" in stage.beside(delivery)["event"], "the kept event stays whole"

    def test_also_not_in_what_a_transform_says(self):
        stage = Stage(self.PLAN)
        delivery = stage.accept(data={"customer": {"email": "jo@example.com"}, "cards": [], "quote": True})
        stage.invoke()
        assert stage.item(delivery)["reason"].endswith("raised ValueError: no account for [redacted]")

    def test_a_credential_that_a_target_repeats_is_in_no_history_and_no_log(self, capsys):
        auth = [
            {"type": "basic", "username": "me", "password": "ledger/password"},
            {"type": "api_key", "key": "ledger/key", "query": "key"},
        ]
        plan = plan_of(ledger={"auth": auth, "headers": {"X-Who": {"secret": "who"}}, "keep_answers": True})
        stage = Stage(plan)
        put = {"Value": "kept/secret", "Version": 1, "LastModifiedDate": NOW}
        stage.memory._ssm_get_parameters = lambda asked: {
            "Parameters": [put | {"Name": name} for name in asked["Names"]],
            "InvalidParameters": [],
        }
        path = "/entries?key=kept%2Fsecret"
        stage.target.on(path, lambda asked: (422, {"path": asked.path, "got": asked.headers}, asked.headers))
        delivery = stage.accept()
        stage.invoke()
        written = json.dumps(stage.item(delivery)) + capsys.readouterr().out
        (asked,) = stage.target.asked
        assert stage.item(delivery)["attempts"][0]["headers"]["x-who"] == "[redacted]"
        for secret in ("kept/secret", "kept%2Fsecret", asked.headers["authorization"].split()[1]):
            assert secret in json.dumps([asked.path, asked.headers])
            assert secret not in written

    def test_the_beginning_of_an_answer_is_kept_where_the_map_says_so(self):
        stage = Stage(plan_of(ledger={"keep_answers": True}))
        stage.target.on("/entries", (422, "n" * 5000))
        delivery = stage.accept()
        stage.invoke()
        assert stage.item(delivery)["attempts"][0]["answer"] == "n" * 2048

    def test_one_line_per_invocation_and_one_per_delivery_that_did_not_succeed_at_once(self, capsys):
        stage = Stage()
        stage.target.on("/entries", 500, 200)
        stage.accept("evt_1")
        stage.accept("evt_2")
        stage.invoke()
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        refused, batch = [line for line in lines if "message" in line]
        assert {refused[key] for key in ("integration", "attempt")} == {"orders-to-ledger", 1}
        assert batch["outcomes"] == {"retried": 1, "delivered": 1}

    def test_metrics_are_written_once_per_invocation(self, capsys):
        stage = Stage()
        stage.accept("evt_1")
        stage.accept("evt_2")
        stage.invoke()
        (emf,) = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line]
        assert emf["DeliveriesSucceeded"] == [2.0]
        assert len(emf["DeliveryLatency"]) == len(emf["TargetLatency"]) == 2
