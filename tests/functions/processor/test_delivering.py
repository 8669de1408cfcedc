"""Delivering: what the processor does with a batch of messages, by the rules of the design."""

import itertools
import json
import re

import pytest

from causeway.aws.client import AwsError
from causeway.delivery import processor
from causeway.delivery.journal import GRACE
from causeway.queueing.messages import encode, new_acceptance
from tests.support.deliveries import DEAD_LETTERS, NOW, QUEUE, VISIBILITY, Stage, call_of, plan_of

NOTHING_FAILED = {"batchItemFailures": []}


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


STEPS = [
    {"name": "look", "call": call_of("/look", method="GET")},
    {"name": "make", "call": call_of("/make", body={"seen": "${steps.look.body.n}"})},
    {"name": "again", "call": call_of("/again", method="GET")},
]


class TestSteps:
    TARGET = call_of(body={"made": "${steps.make.body.id}", "again": "${steps.again.body.n}"})

    def test_results_are_seen_by_later_steps_and_the_target(self):
        stage = Stage(plan_of(steps=STEPS, target=self.TARGET))
        stage.target.on("/look", (200, {"n": 7}))
        stage.target.on("/make", (201, {"id": "m1"}))
        stage.target.on("/again", (200, {"n": 8}))
        stage.accept()
        stage.invoke()
        assert stage.target.at("/make")[0].body == {"seen": 7}
        assert stage.target.at("/entries")[0].body == {"made": "m1", "again": 8}

    def test_a_retry_resumes_after_the_last_step_that_changed_something(self):
        stage = Stage(plan_of(steps=STEPS, target=self.TARGET))
        stage.target.on("/look", (200, {"n": 7}))
        stage.target.on("/make", (201, {"id": "m1"}))
        stage.target.on("/again", (200, {"n": 8}), (200, {"n": 9}))
        stage.target.on("/entries", 500, 200)
        stage.accept()
        stage.until_quiet()
        assert [len(stage.target.at(path)) for path in ("/look", "/make", "/again", "/entries")] == [
            1,
            1,
            2,
            2,
        ]
        assert stage.target.at("/entries")[1].body == {"made": "m1", "again": 9}, "what reads is done again"

    def test_a_large_answer_that_is_kept_lies_in_the_bucket_and_is_seen_again(self):
        target = call_of(body={"made": "${length(steps.make.body.text)}"})
        stage = Stage(plan_of(steps=STEPS, target=target))
        stage.target.on("/make", (201, {"text": "x" * 900_000}))
        stage.target.on("/entries", 500, 200)
        delivery = stage.accept()
        stage.invoke()
        assert stage.beside(delivery)["answers_at"].startswith("s3:")
        assert len(json.dumps(stage.memory.tables["journal"][delivery, "event"])) < 2048
        stage.until_quiet()
        assert [asked.body for asked in stage.target.at("/entries")] == [{"made": 900_000}] * 2
        assert len(stage.target.at("/make")) == 1
        assert stage.beside(delivery) is None

    def test_a_large_answer_of_a_dead_letter_is_there_when_it_is_replayed(self):
        target = call_of(body={"made": "${length(steps.make.body.text)}"})
        stage = Stage(plan_of(steps=STEPS, target=target))
        stage.target.on("/make", (201, {"text": "x" * 100_000}))
        stage.target.on("/entries", 422, 200)
        delivery = stage.accept()
        stage.until_quiet()
        stage.replay()
        stage.until_quiet()
        assert stage.item(delivery)["status"] == "delivered"
        assert len(stage.target.at("/make")) == 1

    def test_after_a_lost_answer_the_look_up_is_done_again(self):
        stage = Stage(plan_of(steps=STEPS, target=self.TARGET))
        stage.target.on("/look", (200, {"n": 0}), (200, {"n": 1}))
        stage.target.on("/make", "timeout", (201, {"id": "m1"}))
        stage.target.on("/again", (200, {"n": 8}))
        stage.accept()
        stage.until_quiet()
        assert [asked.body for asked in stage.target.at("/make")] == [{"seen": 0}, {"seen": 1}]

    def test_a_skipped_step_is_null(self):
        steps = [{"name": "maybe", "call": call_of("/maybe", when="data.total == `0`")}]
        stage = Stage(plan_of(steps=steps, target=call_of(body={"got": "${steps.maybe == null}"})))
        stage.accept()
        stage.invoke()
        assert stage.target.asked[0].body == {"got": True}

    def test_the_step_that_was_refused_is_named(self):
        stage = Stage(plan_of(steps=STEPS))
        stage.target.on("/look", 404)
        delivery = stage.accept()
        stage.invoke()
        assert stage.item(delivery)["reason"].startswith("step look: ledger answered 404")
        assert stage.item(delivery)["attempts"][0]["step"] == "look"

    def test_python_gets_what_expressions_see_and_returns_json(self):
        run = "tests.support.transforms:to_entry"
        stage = Stage(plan_of(steps=[{"name": "entry", "run": run}], target=call_of(body="${steps.entry}")))
        stage.accept()
        stage.invoke()
        assert stage.target.asked[0].body == {"id": "evt_1", "lines": [5]}

    @pytest.mark.parametrize(
        ("function", "reason"), [("fails", "raised ValueError"), ("not_json", "returned what is not JSON")]
    )
    def test_python_that_fails_is_dead_since_it_would_fail_again(self, function, reason):
        steps = [{"name": "entry", "run": f"tests.support.transforms:{function}"}]
        stage = Stage(plan_of(steps=steps))
        delivery = stage.accept()
        stage.invoke()
        assert (stage.item(delivery)["status"], stage.item(delivery)["error"]) == ("dead", "mapping")
        assert reason in stage.item(delivery)["reason"]

    def test_python_that_changes_what_it_gets_changes_nothing_else(self):
        run = "tests.support.transforms:spoils"
        stage = Stage(plan_of(steps=[{"name": "entry", "run": run}]))
        stage.accept()
        stage.invoke()
        assert stage.target.asked[0].body == {"total": 5}

    def test_steps_that_a_deploy_took_away_or_added_do_not_confuse_a_retry(self):
        stage = Stage(plan_of(steps=STEPS, target=self.TARGET))
        stage.target.on("/make", (201, {"id": "m1"}))
        stage.target.on("/look", (200, {"n": 1}))
        stage.target.on("/again", (200, {"n": 2}))
        stage.target.on("/entries", 500, 200)
        delivery = stage.accept()
        stage.invoke()
        added = {"name": "added", "call": call_of("/added", body={"made": "${steps.make.body.id}"})}
        stage.deploy(plan_of(steps=[*STEPS[1:], added], target=self.TARGET))
        stage.until_quiet()
        assert stage.item(delivery)["status"] == "delivered"
        assert len(stage.target.at("/make")) == 1
        assert stage.target.at("/added")[0].body == {"made": "m1"}

    def test_python_that_is_not_there_is_our_fault_and_waits_for_the_right_plan(self):
        stage = Stage(plan_of(steps=[{"name": "entry", "run": "tests.support.transforms:nowhere"}]))
        delivery = stage.accept()
        assert len(stage.invoke()["batchItemFailures"]) == 1
        assert stage.item(delivery)["status"] == "waiting"
        stage.deploy(plan_of())
        stage.until_quiet()
        assert stage.item(delivery)["status"] == "delivered"


class TestRepeats:
    def test_another_acceptance_of_the_event_is_a_duplicate_and_listed_as_one(self):
        stage = Stage()
        delivery = stage.accept()
        stage.invoke()
        stage.accept(acceptance="two")
        assert stage.invoke() == NOTHING_FAILED
        assert len(stage.target.asked) == 1
        assert stage.pages() == ([delivery], ["two"])

    def test_a_repeat_after_the_item_has_expired_is_delivered_anew(self):
        stage = Stage()
        stage.accept()
        stage.invoke()
        stage.clock.advance(7 * 86400 + 2)
        stage.accept(acceptance="two")
        stage.invoke()
        assert len(stage.target.asked) == 2

    def test_a_redelivered_message_is_listed_again_since_its_page_may_not_have_been_written(self):
        stage = Stage()
        delivery = stage.accept()
        stage.accept()  # the same acceptance twice: what SQS does once in a while
        stage.invoke(limit=1)
        stage.invoke(limit=1)
        assert len(stage.target.asked) == 1
        assert stage.pages() == ([delivery, delivery], [])

    def test_an_attempt_whose_lease_passes_while_its_message_is_refused_does_not_lose_it(self):
        """The claim was too early by a moment; when its answer is there the lease has passed."""
        stage = Stage()
        delivery = stage.accept()
        message = json.loads(stage.memory.queues[QUEUE][0].body)
        stage.tools.journal.claim(
            message, message["event"], sent_at=NOW, lease=NOW + 30
        )  # ... and is cut off
        stage.clock.advance(29.99)
        call = stage.memory.call

        def slow(service, operation, parameters):
            try:
                return call(service, operation, parameters)
            finally:
                if operation == "UpdateItem":
                    stage.clock.advance(0.02)

        stage.memory.call = slow
        stage.invoke()
        stage.memory.call = call
        stage.until_quiet()
        assert stage.item(delivery)["status"] == "delivered"

    def test_a_message_that_meets_a_running_attempt_comes_back_after_its_lease(self):
        stage = Stage()
        delivery = stage.accept()
        (record,) = stage.memory.receive(QUEUE)
        message = json.loads(record["body"])
        stage.tools.journal.claim(message, message["event"], sent_at=NOW, lease=NOW + 30)
        stage.memory.queues[QUEUE][0].visible_at = NOW
        assert len(stage.invoke()["batchItemFailures"]) == 1
        assert stage.memory.queues[QUEUE][0].visible_at == NOW + 31
        assert stage.target.asked == []
        stage.until_quiet()
        assert stage.item(delivery)["status"] == "delivered"

    def test_a_page_that_could_not_be_written_brings_its_messages_back(self):
        stage = Stage()
        delivery = stage.accept()
        put = stage.tools.table.put

        def refuse(item):
            raise AwsError("InternalServerError", "", 500)

        stage.tools.table.put = refuse
        assert len(stage.invoke()["batchItemFailures"]) == 1
        stage.tools.table.put = put
        stage.until_quiet()
        assert stage.pages() == ([delivery], [])
        assert len(stage.target.asked) == 1


class TestPoison:
    @pytest.mark.parametrize("body", ["not json", "[]", "{}", '{"format": -1}', "null", '{"format": "1"}'])
    def test_what_nobody_could_deliver_goes_to_the_dead_letters_with_a_reason(self, body):
        stage = Stage()
        stage.memory.call("sqs", "SendMessage", {"QueueUrl": QUEUE, "MessageBody": body})
        assert stage.invoke() == NOTHING_FAILED
        (letter,) = stage.memory.queues[DEAD_LETTERS]
        assert letter.body == body
        assert letter.attributes["reason"]["StringValue"]

    def test_a_ticket_that_is_none_is_poison(self):
        stage = Stage()
        stage.accept(ticket="first")
        stage.invoke()
        assert "not a ticket" in stage.memory.queues[DEAD_LETTERS][0].attributes["reason"]["StringValue"]

    def test_a_message_of_a_later_version_waits_for_it(self):
        stage = Stage()
        stage.accept(format=2)
        assert len(stage.invoke()["batchItemFailures"]) == 1
        assert stage.memory.queues[QUEUE][0].visible_at == NOW + 60
        assert stage.memory.queues[DEAD_LETTERS] == []

    def test_poison_does_not_keep_others_of_its_batch(self):
        stage = Stage()
        stage.memory.call("sqs", "SendMessage", {"QueueUrl": QUEUE, "MessageBody": "poison"})
        delivery = stage.accept()
        assert stage.invoke() == NOTHING_FAILED
        assert stage.item(delivery)["status"] == "delivered"


class TestTheEndOfAnInvocation:
    def test_what_could_not_end_in_time_does_not_begin_and_goes_back_at_once(self, monkeypatch):
        monkeypatch.setattr(processor, "CONCURRENCY", 1)  # so that one waits for the other
        stage = Stage()
        stage.target.seconds = 2.5  # ten of them do not fit in 30 s
        deliveries = [stage.accept(f"evt_{number}") for number in range(10)]
        failures = stage.invoke(timeout=30)["batchItemFailures"]
        begun = len(stage.target.asked)
        assert 0 < begun < 10
        assert len(failures) == 10 - begun
        assert {message.visible_at for message in stage.memory.queues[QUEUE]} <= {
            NOW + 2.5 * n for n in range(10)
        }
        waiting = [item for item in stage.items() if item["status"] != "delivered"]
        assert all(item["ticket"] == "0000.000001" for item in waiting), "not counted as anything"
        stage.until_quiet()
        assert {stage.item(delivery)["status"] for delivery in deliveries} == {"delivered"}
        assert len(stage.target.asked) == 10

    def test_a_call_that_no_invocation_has_time_for_begins_early_in_one(self):
        stage = Stage(plan_of(target=call_of(timeout=600.0)))
        delivery = stage.accept()
        stage.invoke()
        assert stage.item(delivery)["status"] == "delivered"

    def test_a_delivery_that_runs_out_of_time_between_calls_keeps_what_it_changed(self):
        stage = Stage(plan_of(steps=STEPS, target=TestSteps.TARGET))
        stage.target.on("/look", (200, {"n": 7}))
        stage.target.on("/make", (201, {"id": "m1"}))
        stage.target.on("/again", (200, {"n": 8}))
        stage.target.seconds = 25
        delivery = stage.accept()
        assert len(stage.invoke()["batchItemFailures"]) == 1
        item = stage.item(delivery)
        assert (item["status"], item["ticket"]) == ("waiting", "0000.000001")
        stage.target.seconds = 1
        stage.until_quiet()
        assert stage.item(delivery)["status"] == "delivered"
        assert len(stage.target.at("/make")) == 1
        assert stage.target.at("/entries")[0].headers["causeway-attempt"] == "1"


class TestOurFaults:
    def failing(self, stage, operation, times, error=("ProvisionedThroughputExceededException", "", 400)):
        """Let an operation of AWS fail so often."""
        call = stage.memory.call
        left = [times]

        def sometimes(service, name, parameters):
            if name == operation and left[0]:
                left[0] -= 1
                raise AwsError(*error)
            return call(service, name, parameters)

        stage.memory.call = sometimes

    @pytest.mark.parametrize("operation", ["UpdateItem", "PutItem", "SendMessageBatch"])
    @pytest.mark.parametrize("times", [1, 2, 3])
    def test_a_failing_aws_costs_time_and_no_delivery(self, operation, times):
        stage = Stage()
        stage.target.on("/entries", 500, 200)
        delivery = stage.accept()
        self.failing(stage, operation, times, ("AccessDenied", "", 403))
        stage.until_quiet()
        assert stage.item(delivery)["status"] == "delivered"
        assert len(stage.target.asked) <= 2 + times

    def test_a_message_that_could_not_be_put_back_comes_when_its_visibility_is_over(self):
        stage = Stage()
        stage.accept(format=2)
        self.failing(stage, "ChangeMessageVisibility", 1)
        assert len(stage.invoke()["batchItemFailures"]) == 1
        assert stage.memory.queues[QUEUE][0].visible_at == NOW + VISIBILITY

    def test_a_missing_secret_is_not_the_targets_fault(self):
        auth = {"type": "bearer", "token": "ledger/token"}
        stage = Stage(plan_of(ledger={"auth": auth}))
        delivery = stage.accept()
        stage.memory._ssm_get_parameters = lambda parameters: {
            "Parameters": [],
            "InvalidParameters": parameters["Names"],
        }
        assert len(stage.invoke()["batchItemFailures"]) == 1
        item = stage.item(delivery)
        assert (item["status"], item["ticket"], item["error"]) == ("waiting", "0000.000001", "fault")
        assert "ledger/token" in item["reason"]
        assert stage.memory.queues[QUEUE][0].visible_at == NOW + 5

    def test_it_lasts_until_the_deliverys_time_is_up(self):
        stage = Stage(plan_of(ledger={"auth": {"type": "bearer", "token": "ledger/token"}}))
        delivery = stage.accept()
        stage.memory._ssm_get_parameters = lambda parameters: {
            "Parameters": [],
            "InvalidParameters": parameters["Names"],
        }
        stage.until_quiet(most=1000)
        item = stage.item(delivery)
        assert (item["status"], item["error"]) == ("dead", "time")
        assert stage.clock.now() == pytest.approx(NOW + 3 * 86400, abs=1000)
        assert stage.target.asked == []
        assert len(item["attempts"]) <= 2, "the same fault over and over is one line of the history"

    def test_an_unexpected_error_is_ours_and_tells_nothing_of_the_event(self):
        stage = Stage()

        def broken(*_, **__):
            raise KeyError("jo@example.com")

        stage.tools.caller.call = broken
        delivery = stage.accept()
        assert len(stage.invoke()["batchItemFailures"]) == 1
        assert re.fullmatch(r"unexpected KeyError at \w+\.py:\d+", stage.item(delivery)["reason"])


class TestUnknownIntegrations:
    def test_for_an_hour_it_may_be_a_deploy_under_way(self):
        stage = Stage()
        delivery = stage.accept()
        known = stage.tools.plan
        stage.deploy(type(known)({**known.record, "integrations": {}}))
        assert len(stage.invoke()["batchItemFailures"]) == 1
        assert stage.item(delivery) is None, "a wait, not an attempt"
        stage.clock.advance(61)
        stage.deploy(known)
        stage.invoke()
        assert stage.item(delivery)["status"] == "delivered"

    def test_then_it_is_dead_as_removed_and_can_be_replayed(self):
        stage = Stage()
        delivery = stage.accept()
        known = stage.tools.plan
        stage.deploy(type(known)({**known.record, "integrations": {}}))
        stage.until_quiet()
        item = stage.item(delivery)
        assert (item["status"], item["error"]) == ("dead", "removed")
        assert stage.clock.now() == pytest.approx(NOW + 3600, abs=61)
        stage.deploy(known)
        stage.replay()
        stage.until_quiet()
        assert stage.item(delivery)["status"] == "delivered"


class TestGivingUp:
    def test_the_dead_letter_is_the_message_that_replays(self):
        stage = Stage()
        stage.target.on("/entries", 400)
        delivery = stage.accept()
        stage.invoke()
        (letter,) = stage.dead_letters()
        assert (letter["delivery"], letter["ticket"], letter["event_at"]) == (
            delivery,
            "0001.000001",
            "journal",
        )
        assert "event" not in letter
        (raw,) = stage.memory.queues[DEAD_LETTERS]
        assert "400" in raw.attributes["reason"]["StringValue"]

    def test_the_bus_hears_of_it_with_what_undoing_needs(self):
        steps = [{"name": "make", "call": call_of("/make")}]
        stage = Stage(plan_of(steps=steps))
        stage.target.on("/entries", 400)
        delivery = stage.accept()
        stage.invoke()
        assert stage.told() == [
            {
                "id": f"{delivery}@0000.000001",
                "of_announcement": False,
                "delivery": delivery,
                "integration": "orders-to-ledger",
                "system": "shop",
                "event_id": "evt_1",
                "event_type": "orders/paid",
                "steps": ["make"],
                "answers": {
                    "make": {"status": 200, "headers": {"content-type": "application/json"}, "body": {}}
                },
                "accepted_at": "2023-11-14T22:13:20.000Z",
                "attempts": 1,
                "reason": "ledger answered 400 to POST /entries",
                "error": "http",
            }
        ]
        assert stage.memory.events[0]["DetailType"] == "causeway.delivery.dead"

    def test_event_and_item_are_kept_as_long_as_each_other(self):
        stage = Stage()
        stage.target.on("/entries", 400)
        delivery = stage.accept()
        stage.invoke()
        expected = int(stage.clock.now() + 90 * 86400)
        assert stage.item(delivery)["expires_at"] == stage.beside(delivery)["expires_at"] == expected
        assert stage.item(delivery)["announced"] is True

    def test_moving_it_back_with_awss_own_tools_starts_it_afresh(self):
        stage = Stage(plan_of(errors={"attempts": 2}))
        stage.target.on("/entries", 500, 500, 500, 200)
        delivery = stage.accept()
        stage.until_quiet()
        assert stage.item(delivery)["status"] == "dead"
        stage.clock.advance(30 * 86400)
        stage.replay()
        stage.until_quiet()
        item = stage.item(delivery)
        assert (item["status"], item["ticket"]) == ("delivered", "0001.000002")
        assert len({asked.headers["idempotency-key"] for asked in stage.target.asked}) == 1
        assert stage.beside(delivery) is None

    def test_what_is_open_again_does_not_expire(self):
        stage = Stage(plan_of(errors={"attempts": 1}))
        stage.target.on("/entries", 500, 500)
        delivery = stage.accept()
        stage.until_quiet()
        stage.deploy(plan_of())
        stage.replay()
        stage.invoke()
        assert stage.item(delivery)["status"] == "waiting"
        assert "expires_at" not in stage.item(delivery)
        assert "expires_at" not in stage.beside(delivery)

    def test_an_old_dead_letter_of_a_delivery_that_was_replayed_since_is_stale(self):
        stage = Stage(plan_of(errors={"attempts": 1}))
        stage.target.on("/entries", 500, 200)
        stage.accept()
        stage.until_quiet()
        letters = list(stage.dead_letters())
        stage.replay()
        stage.until_quiet()
        stage.memory.call("sqs", "SendMessage", {"QueueUrl": QUEUE, "MessageBody": encode(letters[0])})
        stage.until_quiet()
        assert len(stage.target.asked) == 2

    def test_a_dead_letter_whose_event_is_gone_is_dead_as_lost(self):
        stage = Stage()
        stage.target.on("/entries", 400)
        delivery = stage.accept()
        stage.until_quiet()
        stage.tools.table.delete(delivery, "event")
        stage.replay()
        stage.until_quiet()
        assert (stage.item(delivery)["status"], stage.item(delivery)["error"]) == ("dead", "lost")


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
