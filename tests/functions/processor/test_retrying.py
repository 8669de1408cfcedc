"""When an attempt is tried again, when no longer, and what is on record of each."""

import itertools
import json

import pytest

from causeway.delivery.journal import GRACE
from causeway.queueing.messages import new_acceptance
from tests.support.deliveries import NOTHING_FAILED, NOW, QUEUE, Stage, call_of, plan_of


def stored(value):
    """The bytes of a value as DynamoDB counts them: its documentation of item sizes."""
    ((kind, content),) = value.items()
    match kind:
        case "N":
            return len(content.replace(".", "")) // 2 + 2
        case "L":
            return 3 + sum(1 + stored(each) for each in content)
        case "M":
            return 3 + sum(1 + len(name) + stored(each) for name, each in content.items())
    return len(content)


class TestRetrying:
    def test_a_short_wait_is_a_new_message_with_the_next_ticket(self):
        stage = Stage()
        stage.target.on("/entries", 503, 200)
        delivery = stage.accept()
        assert stage.invoke() == NOTHING_FAILED
        (message,) = stage.memory.queues[QUEUE]
        body = json.loads(message.body)
        assert (body["ticket"], body["event_at"], "event" in body) == ("0000.000002", "journal", False)
        assert message.visible_at == pytest.approx(NOW + 0.1 + 5, abs=1)
        item = stage.item(delivery)
        assert (item["status"], item["ticket"], item["error"]) == ("waiting", "0000.000002", "http")
        assert item["due_at"] / 1000 == pytest.approx(NOW + 5.1 + GRACE)
        stage.until_quiet()
        assert stage.item(delivery)["status"] == "delivered"

    def test_a_long_wait_has_no_message_until_the_scheduler_releases_it(self):
        stage = Stage()
        stage.target.on("/entries", (429, {}, {"retry-after": "3600"}), 200)
        delivery = stage.accept()
        stage.invoke()
        assert stage.memory.queues[QUEUE] == []
        assert stage.item(delivery)["due_at"] / 1000 == pytest.approx(NOW + 3600.1)
        assert stage.schedule() == 0
        stage.clock.advance(3601)
        assert stage.schedule() == 1
        stage.invoke()
        assert stage.item(delivery)["status"] == "delivered"

    def test_a_target_that_is_down_for_long_costs_few_writes_and_one_read_per_attempt(self):
        stage = Stage()
        stage.target.on("/entries", 500, (429, {}, {"retry-after": "3600"}))
        stage.accept()
        stage.invoke()
        stage.clock.advance(6)
        stage.memory.calls.clear()
        stage.invoke()
        calls = [operation for _, operation in stage.memory.calls]
        assert calls == ["UpdateItem", "GetItem", "GetItem", "GetItem", "UpdateItem", "UpdateItem"], (
            "claim, event, pause, circuit, that the system is held, waiting"
        )

    def test_retries_are_spaced_by_the_schedule(self):
        stage = Stage()
        stage.target.on("/entries", 500, 500, 500, 500, 200)
        stage.accept()
        stage.until_quiet()
        times = [asked.at for asked in stage.target.asked]
        gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
        assert gaps == pytest.approx([5, 15, 45, 135], abs=1.2)

    def test_jitter_only_adds(self):
        stage = Stage(jitter=1.0)
        stage.target.on("/entries", 500, 200)
        stage.accept()
        stage.until_quiet()
        assert stage.target.asked[1].at - stage.target.asked[0].at >= 5.5

    def test_a_lost_connection_is_tried_again(self):
        stage = Stage()
        stage.target.on("/entries", "connection", "timeout", 200)
        delivery = stage.accept()
        stage.until_quiet()
        assert [entry["outcome"] for entry in stage.item(delivery)["attempts"]] == [
            "refused",
            "refused",
            "delivered",
        ]

    def test_what_nothing_names_is_dead_at_once(self):
        stage = Stage()
        stage.target.on("/entries", 422)
        delivery = stage.accept()
        stage.invoke()
        assert (stage.item(delivery)["status"], stage.item(delivery)["error"]) == ("dead", "http")
        assert "422" in stage.item(delivery)["reason"]

    def test_a_target_may_say_that_it_wants_this_one_never_again(self):
        stage = Stage()
        stage.target.on("/entries", (503, {}, {"webhook-delivery": "abort-message"}))
        delivery = stage.accept()
        stage.invoke()
        assert stage.item(delivery)["status"] == "dead"

    def test_attempts_are_limited(self):
        stage = Stage(plan_of(errors={"attempts": 3}))
        stage.target.on("/entries", 500)
        delivery = stage.accept()
        stage.until_quiet()
        assert len(stage.target.asked) == 3
        assert "after attempt 3 of 3" in stage.item(delivery)["reason"]

    def test_the_last_attempt_is_when_time_is_up(self):
        stage = Stage(plan_of(errors={"give_up_after": 100.0}))
        stage.target.on("/entries", 500)
        delivery = stage.accept()
        stage.until_quiet()
        assert stage.target.asked[-1].at == pytest.approx(NOW + 100, abs=1.5)
        assert stage.item(delivery)["status"] == "dead"
        assert "time is up (100 s)" in stage.item(delivery)["reason"]

    def test_a_retry_after_beyond_the_time_given_is_dead_at_once(self):
        stage = Stage(plan_of(errors={"give_up_after": 100.0}))
        stage.target.on("/entries", (503, {}, {"retry-after": "101"}))
        delivery = stage.accept()
        stage.invoke()
        assert "asked to wait 101 s" in stage.item(delivery)["reason"]

    def test_the_event_is_beside_the_item_from_the_first_failure_and_gone_when_delivered(self):
        stage = Stage()
        stage.target.on("/entries", 500, 200)
        delivery = stage.accept()
        stage.invoke()
        assert json.loads(stage.beside(delivery)["event"])["data"] == {"total": 5}
        assert "expires_at" not in stage.beside(delivery)
        stage.until_quiet()
        assert stage.beside(delivery) is None

    def test_a_large_event_is_in_the_bucket_meanwhile(self):
        stage = Stage()
        stage.target.on("/entries", 500, 200)
        data = {"text": "x" * 100_000}
        delivery = stage.accept(data=data)
        stage.invoke()
        assert stage.beside(delivery)["event_at"].startswith("s3:")
        stage.until_quiet()
        assert stage.target.asked[1].body == data

    def test_delivered_events_are_kept_where_the_map_says_so(self):
        stage = Stage(plan_of(errors={"keep_events": 1000.0}))
        delivery = stage.accept()
        stage.invoke()
        assert stage.beside(delivery)["expires_at"] == int(NOW + 1000.1)


class TestHistory:
    @pytest.mark.parametrize(
        ("answer", "error", "attempts"),
        [
            (503, "http", ["refused", "delivered"]),
            ("connection", "connection", ["refused", "delivered"]),
            ("dns", "dns", ["refused", "delivered"]),
            ("tls", "tls", ["refused", "delivered"]),
            ("timeout", "timeout", ["refused", "delivered"]),
            ("address", "address", ["dead"]),
            (422, "http", ["dead"]),
        ],
    )
    def test_an_attempt_has_its_time_duration_and_class_of_error(self, answer, error, attempts):
        stage = Stage()
        stage.target.on("/entries", answer, 200)
        delivery = stage.accept()
        stage.until_quiet()
        history = stage.item(delivery)["attempts"]
        assert [entry["outcome"] for entry in history] == attempts
        assert (history[0]["error"], history[0]["at"], history[0]["seconds"]) == (error, NOW, 0.1)
        assert history[0].get("status") == (answer if isinstance(answer, int) else None)

    def test_a_mapping_that_cannot_be_filled_in_is_one_of_mapping(self):
        stage = Stage(plan_of(target=call_of(body={"name": "Order ${data.name}"})))
        delivery = stage.accept()
        stage.invoke()
        (entry,) = stage.item(delivery)["attempts"]
        assert (entry["error"], "status" in entry, "headers" in entry) == ("mapping", False, False)

    def test_a_refusals_headers_are_kept_without_credentials_and_what_is_redacted(self):
        stage = Stage(plan_of(shop={"redact": ["data.email"]}))
        sent = {"x-request-id": "r1", "x-about": "jon@example.com", "x-auth-token": "t", "x-long": "y" * 999}
        stage.target.on("/entries", (422, {}, sent | {f"x-{n}": "" for n in range(99)}))
        delivery = stage.accept(data={"email": "jon@example.com"})
        stage.invoke()
        headers = stage.item(delivery)["attempts"][0]["headers"]
        assert (headers["x-request-id"], headers["x-about"]) == ("r1", "[redacted]")
        assert "x-auth-token" not in headers
        assert (len(headers), len(headers["x-long"])) == (20, 200)

    def test_a_delivery_that_succeeds_at_once_stays_below_a_kilobyte(self):
        stage = Stage()
        stage.target.on("/entries", (200, {}, {f"x-{n}": "y" * 50 for n in range(99)}))
        delivery = stage.accept()
        stage.invoke()
        assert len(json.dumps(stage.memory.tables["journal"][delivery, "delivery"])) < 1024

    def test_the_page_of_a_whole_batch_stays_below_a_kilobyte(self):
        stage = Stage()
        for number in range(10):
            stage.clock.advance(0.1)
            stage.accept(f"evt_{number}", acceptance=new_acceptance())
        stage.invoke()
        ((key, page),) = [
            each for each in stage.memory.tables["journal"].items() if each[0][0].startswith("page#")
        ]
        assert len(page["delivered"]["L"]) == 10
        assert stored({"M": page}) + len("0" * 36) - len("invocation-1") < 1024, key
