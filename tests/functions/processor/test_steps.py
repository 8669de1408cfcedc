"""Steps before the target: what each sees, what a retry does again."""

import json

import pytest

from tests.support.deliveries import Stage, call_of, plan_of

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

    def test_a_delivery_that_runs_out_of_time_between_calls_keeps_what_it_changed(self):
        stage = Stage(plan_of(steps=STEPS, target=self.TARGET))
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
