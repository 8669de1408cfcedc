"""A dead delivery: who hears of it, what is kept of it, and how it starts afresh."""

from causeway.queueing.messages import encode
from tests.support.deliveries import DEAD_LETTERS, QUEUE, Stage, call_of, plan_of


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
