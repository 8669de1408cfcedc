"""What is not the target's fault costs time and no delivery."""

import re

import pytest

from causeway.aws.client import AwsError
from tests.support.deliveries import NOW, QUEUE, VISIBILITY, Stage, plan_of


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
