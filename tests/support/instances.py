"""Several instances of the processor and a scheduler, beside one another in simulated time, on a stage."""

import itertools
from collections import Counter

from causeway.delivery import meanwhile, processor
from tests.support.deliveries import QUEUE, Context, Stage, plan_of
from tests.support.simulation import SimulatedClock


def most_in_a_window(times, window):
    """The most calls in any window that is open at its end."""
    times = sorted(times)
    first, most = 0, 0
    for last, time in enumerate(times):
        while times[first] <= time - window:
            first += 1
        most = max(most, last - first + 1)
    return most


class Running:
    """A stage in simulated time, with several instances of the processor and a scheduler."""

    def __init__(self, monkeypatch, instances=5, plan=None, **planned):
        self.stage = Stage(
            plan or plan_of(**planned), wrap=lambda each: Counted(each) if hasattr(each, "tables") else each
        )
        clock = SimulatedClock(self.stage.clock.now())
        self.clock = self.stage.clock = self.stage.memory.clock = self.stage.target.clock = clock
        self.instances = instances
        self.plan = self.stage.tools.plan
        clock.stand_in(processor, meanwhile, put=monkeypatch.setattr)
        self.stage.deploy(self.plan)
        self.began = clock.now()

    def instance(self, until):
        """What Lambda does with one environment: batch after batch."""
        stage = Stage.__new__(Stage)
        stage.__dict__ |= self.stage.__dict__
        stage.deploy(self.plan)

        def work():
            for number in itertools.count():
                if self.clock.now() >= self.began + until:
                    return
                with stage.memory._lock:
                    records = stage.memory.receive(QUEUE)
                if not records:
                    self.clock.sleep(0.1)
                    continue
                context = Context(self.clock, f"{id(stage)}-{number}")
                response = meanwhile.process({"Records": records}, context, stage.tools)
                failed = {failure["itemIdentifier"] for failure in response["batchItemFailures"]}
                with stage.memory._lock:
                    stage.memory.delete(QUEUE, {record["messageId"] for record in records} - failed)

        return work

    def scheduler(self, until):
        def work():
            while self.clock.now() < self.began + until:
                self.stage.freeing.run(until=self.clock.now() + 45)
                self.clock.sleep(60)

        return work

    def run(self, seconds):
        workers = [self.instance(seconds) for _ in range(self.instances)]
        self.clock.run(*workers, self.scheduler(seconds))

    def times(self):
        """When the target was called, since the beginning."""
        return [asked.at - self.began for asked in self.stage.target.asked]


class Counted:
    """Counts writes by table."""

    def __init__(self, inner):
        self._inner = inner
        self.writes = Counter()

    def __getattr__(self, name):
        return getattr(self._inner, name)

    def call(self, service, operation, parameters):
        if operation in ("UpdateItem", "PutItem", "DeleteItem"):
            self.writes[parameters["TableName"]] += 1
        return self._inner.call(service, operation, parameters)
