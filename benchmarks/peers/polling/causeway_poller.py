"""Causeway's poller whole: runs in a state, what was seen, batches of messages to a queue that takes all.

The state is in this process's memory; the queue makes its requests and drops them.
"""

import dataclasses
import sys
from pathlib import Path

from measuring import measure

sys.path.insert(0, str(Path(__file__).parents[3]))

from benchmarks.support.polled_map import poll_of
from causeway.calls.caller import Caller
from causeway.queueing.queue import Queue
from causeway.settings.clock import SettableClock
from tests.support.polling import PollStage

NOW = 1_790_078_400.0  # later than all that is read


class Taking:
    """SQS, as far as it takes messages; it remembers how many."""

    def __init__(self):
        self.taken = 0

    def call(self, _service, operation, parameters):
        assert operation == "SendMessageBatch"
        self.taken += len(parameters["Entries"])
        return {"Successful": [{"Id": entry["Id"]} for entry in parameters["Entries"]], "Failed": []}


def read(url, size):
    plan, _ = poll_of(url, size)
    stage = PollStage(plan)
    stage.clock.set(NOW)
    taking = Taking()
    store = Queue(taking, url="https://sqs/deliveries", bucket="payloads", clock=SettableClock(NOW))
    stage.tools = dataclasses.replace(stage.tools, caller=Caller(plan, None, stage.clock), store=store)
    stage.tick()
    while stage.invoke():
        pass
    yield from range(taking.taken)


poll_of(sys.argv[1], int(sys.argv[3]))
measure(read, warm=False)
