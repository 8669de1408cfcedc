"""The dead-letter queue's messages moved back: by AWS's own means, or batch by batch."""

import json

import botocore.session
import pytest
from botocore.validate import validate_parameters

from causeway.aws.client import AwsError
from causeway.operations.redriving import MoveFailedError, MoveTask, Redriving
from causeway.queueing.sending import NotQueued
from tests.support.deliveries import DEAD_LETTERS, QUEUE, Stage
from tests.support.replays import NAME, deaths, refuse, replays_of


class MovesByItself:
    """An AWS that knows message-move tasks: one moves everything at once, and tells so a look later.

    Its parameters and results are those of AWS's own model of the service.
    """

    model = botocore.session.get_session().get_service_model("sqs")

    def __init__(self, memory, fails=""):
        self.memory = memory
        self.fails = fails
        self.tasks = []

    def call(self, service, operation, parameters):
        assert service == "sqs"
        validate_parameters(parameters, self.model.operation_model(operation).input_shape)
        if operation == "GetQueueAttributes":
            return {"Attributes": {"QueueArn": f"arn:of:{parameters['QueueUrl']}"}}
        if operation == "StartMessageMoveTask":
            assert parameters["SourceArn"] == f"arn:of:{DEAD_LETTERS}"
            assert parameters["DestinationArn"] == f"arn:of:{QUEUE}"
            self.tasks.append(self.task(parameters))
            return {"TaskHandle": "handle"}
        assert operation == "ListMessageMoveTasks"
        return {"Results": [next(self.tasks[-1])]}

    def task(self, parameters):
        assert parameters["MaxNumberOfMessagesPerSecond"] == 20
        moved = self.memory.queues.pop(DEAD_LETTERS, [])
        for message in moved:
            self.memory.call("sqs", "SendMessage", {"QueueUrl": QUEUE, "MessageBody": message.body})
        yield {"Status": "RUNNING", "ApproximateNumberOfMessagesMoved": len(moved) - 1}
        if self.fails:
            yield {"Status": "FAILED", "FailureReason": self.fails}
        yield {"Status": "COMPLETED", "ApproximateNumberOfMessagesMoved": len(moved)}


class TestMoveTask:
    def start(self, aws):
        return MoveTask.start(aws, dead_letters=DEAD_LETTERS, deliveries=QUEUE, rate=20.0)

    def test_aws_moves_everything_and_is_asked_how_far_it_is(self):
        stage = Stage()
        deliveries = deaths(stage, 4)
        task = self.start(MovesByItself(stage.memory))
        assert [task.step(), task.step()] == [(3, 0, False), (1, 0, True)]
        stage.until_quiet()
        assert {stage.item(each)["status"] for each in deliveries} == {"delivered"}

    def test_a_move_that_fails_says_why(self):
        stage = Stage()
        deaths(stage, 1)
        task = self.start(MovesByItself(stage.memory, fails="AccessDenied"))
        task.step()
        with pytest.raises(MoveFailedError, match="AccessDenied"):
            task.step()

    @pytest.mark.parametrize("code", ["InvalidAction", "UnknownOperationException"])
    def test_where_there_is_no_such_operation_there_is_no_task(self, code):
        assert self.start(Refusing(code)) is None

    @pytest.mark.parametrize(
        "code", ["AccessDenied", "AWS.SimpleQueueService.UnsupportedOperation", "Http500"]
    )
    def test_any_other_refusal_is_told(self, code):
        """Or who may not move messages would be taken for an emulator, and move them one by one."""
        with pytest.raises(AwsError, match=code):
            self.start(Refusing(code))


class Refusing:
    """An AWS that refuses to start a task."""

    def __init__(self, code):
        self.code = code

    def call(self, _service, operation, _parameters):
        if operation == "StartMessageMoveTask":
            raise AwsError(self.code, "", 400)
        return {"Attributes": {"QueueArn": "arn"}}


class TestRedriving:
    def redriving(self, stage, **named):
        return Redriving(stage.memory, dead_letters=DEAD_LETTERS, queue=stage.tools.queue, **named)

    def run(self, redriving):
        moved = left = 0
        while not (step := redriving.step()).over:
            moved, left = moved + step.moved, left + step.left
        return moved, left

    def test_every_message_starts_its_delivery_afresh(self):
        stage = Stage()
        deliveries = deaths(stage, 25)
        assert self.run(self.redriving(stage)) == (25, 0)
        stage.until_quiet()
        assert {stage.item(each)["status"] for each in deliveries} == {"delivered"}
        assert stage.memory.queues[DEAD_LETTERS] == []

    def test_what_is_no_message_or_another_integrations_stays(self):
        stage = Stage()
        deaths(stage, 3)
        other = json.loads(stage.memory.queues[DEAD_LETTERS][0].body) | {"integration": "another"}
        for body in ("this is no message", json.dumps(other)):
            stage.memory.call("sqs", "SendMessage", {"QueueUrl": DEAD_LETTERS, "MessageBody": body})
        assert self.run(self.redriving(stage, integration="nobody")) == (0, 5), "and shows them to the next"
        assert self.run(self.redriving(stage, integration=NAME)) == (3, 2)
        assert len(stage.memory.queues[DEAD_LETTERS]) == 2

    def test_what_dies_again_stays_and_does_not_go_in_circles(self):
        stage = Stage()
        deaths(stage, 3)
        stage.target.on("/entries", 400)
        redriving = self.redriving(stage)
        steps = []
        while not (steps and steps[-1].over):
            assert len(steps) < 5, steps
            steps.append(redriving.step())
            stage.until_quiet()
        assert (sum(step.moved for step in steps), sum(step.left for step in steps)) == (3, 3)
        assert len(stage.memory.queues[DEAD_LETTERS]) == 3
        assert self.run(self.redriving(stage)) == (3, 0), "another redrive may move them once more"

    def test_a_message_that_could_not_be_sent_stays(self):
        stage = Stage()
        deaths(stage, 3)
        redriving = self.redriving(stage)
        stage.memory._sqs_send_message_batch = refuse
        with pytest.raises(NotQueued):
            redriving.step()
        assert len(stage.memory.queues[DEAD_LETTERS]) == 3

    def test_one_that_was_replayed_from_the_journal_meanwhile_is_stale(self):
        stage = Stage()
        (delivery,) = deaths(stage, 1)
        replays_of(stage).one(delivery, by="ann")
        self.run(self.redriving(stage))
        stage.until_quiet()
        assert len(stage.target.asked) == 2, "the one that it died of, and the replay"
