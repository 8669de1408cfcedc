"""Replays in a made-up stack."""

from causeway.aws.client import AwsError
from causeway.aws.table import Table
from causeway.operations.replays import Replays
from tests.support.deliveries import QUEUE

NAME = "orders-to-ledger"


def replays_of(stage, aws=None):
    aws = aws or stage.memory
    queue = type(stage.tools.queue)(aws, url=QUEUE, bucket="payloads", clock=stage.clock)
    return Replays(journal=Table(aws, "journal"), state=Table(aws, "state"), queue=queue, clock=stage.clock)


def work_off(stage, replays, replay):
    """Steps until it is over, when it is time for each."""
    while (record := replays.step(replay["part"]))["state"] == "running":
        stage.clock.set(max(stage.clock.now(), record["not_before"]))
    return record


def deaths(stage, count, *answers):
    stage.target.on("/entries", *(answers or (400,)))
    deliveries = [stage.accept(f"evt_{number}") for number in range(count)]
    while stage.invoke():
        pass
    stage.target.on("/entries", 200)
    return deliveries


def refuse(parameters):
    raise AwsError("AccessDenied", "", 403)
