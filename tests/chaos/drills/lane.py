"""One stack on which things break: a stage of drills at a time, each mended when all that it expects was heard."""

from __future__ import annotations

import re
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from causeway.aws.dynamodb import from_item
from causeway.events.identity import delivery_id
from causeway.watching.owners import OPERATOR
from tests.chaos.drills.hearing import Hearing
from tests.chaos.drills.judging import Evidence
from tests.chaos.drills.stand import Deployed, Stand
from tests.chaos.drills.table import BY_NAME
from tests.support.local_cloud import LocalCloud

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tests.support.browser import Browser

HEARD_WITHIN = 1200.0
"""Seconds in which all that is expected must have come; the limits of the single things are far below."""

OVER_WITHIN = 1200.0
"""Seconds after which nobody waits for the end of alarms any more."""

QUIET_FOR = 130.0
"""Seconds: two runs of the watchdog, in which nothing is to be told twice."""

_LOOK_EVERY = 2.0
_WELL_AFTER = 2  # runs of the watchdog


class StoppedError(Exception):
    """The drills were ended before they were over."""


@dataclass
class Lane:
    """A stack of its own.

    Args:
        number: Of the lane.
        stages: Names of drills: those of a stage break at once, one stage comes after the other.
        folder: For the stack's state and output.
        out: For pictures.
        seed: Decides when providers send.
        browser: Takes pictures; None: there is none.
        tell: Hears how it goes.
        stopped: Set by somebody when there is nothing to wait for any more.
    """

    number: int
    stages: Sequence[Sequence[str]]
    folder: Path
    out: Path
    seed: int
    browser: Browser | None
    tell: Callable[[str], None]
    stopped: threading.Event
    evidence: list[Evidence] = field(default_factory=list)

    def run(self) -> list[Evidence]:
        """Break everything, and return what came of it."""
        with ExitStack() as cleanup:
            names = [name for stage in self.stages for name in stage]
            self._stands = {name: cleanup.enter_context(Stand(BY_NAME[name], self.seed)) for name in names}
            self._cloud = cleanup.enter_context(self._make_cloud())
            deployed = Deployed(self._cloud)
            self._cloud.causeway("owners", "sync")
            self._hearing = Hearing(deployed, self._stands.values())
            for stand in self._stands.values():
                stand.deployed = deployed
                if stand.drill.source is None:
                    stand.provider.start(self._cloud)
            self._begin()
            for stage in self.stages:
                self._go_through([self._stands[name] for name in stage])
            for evidence in self.evidence:
                self._settle(evidence)
        return self.evidence

    def _make_cloud(self) -> LocalCloud:
        directory = self.folder / "integrations"
        for folder in ("systems", "environments"):
            (directory / folder).mkdir(parents=True)
        (directory / "environments" / "dev.yaml").write_text("{}\n")
        secrets = self.folder / "secrets.yaml"
        lines: dict[str, str] = {}
        for stand in self._stands.values():
            stand.write_map(directory)
            lines |= stand.secrets
        secrets.write_text("".join(f"{name}: {value}\n" for name, value in lines.items()))
        arguments = ("--integrations", str(directory), "--secrets", str(secrets))
        return LocalCloud(self.folder, *arguments, ready_within=120)

    def _begin(self) -> None:
        """All is well for a while."""
        self._tell("all is well, and is watched")
        self._wait(lambda: self._hearing.runs() >= _WELL_AFTER, 240)
        self._picture(f"healthy-{self.number}")

    def _go_through(self, stands: Sequence[Stand]) -> None:
        self._running: dict[str, Evidence] = {}
        for stand in stands:
            self._tell(f"{stand.drill.name}: {stand.drill.what}")
            self._running[stand.drill.name] = Evidence(stand.drill, time.time())
            stand.drill.broken(stand)
        self.evidence += self._running.values()
        self._wait(lambda: self._of_each(self._mend_heard), HEARD_WITHIN)
        for evidence in self._running.values():
            self._mend(evidence)
        self._wait(lambda: self._of_each(lambda each: self._look_at(each).over), OVER_WITHIN)
        last = max((each.at for one in self._running.values() for each in one.messages), default=0.0)
        self._wait(lambda: time.time() > last + QUIET_FOR, QUIET_FOR)
        for evidence in self._running.values():
            self._look_at(evidence)
            self._tell(f"{evidence.drill.name}: {'over' if evidence.over else 'NOT OVER in time'}")

    def _of_each(self, holds: Callable[[Evidence], bool]) -> bool:
        """Whether something holds of all that is broken now, each of which is asked."""
        return sum(not holds(each) for each in self._running.values()) == 0

    def _mend_heard(self, evidence: Evidence) -> bool:
        """Whether all was heard; then a picture is taken, and it is mended."""
        self._look_at(evidence)
        name = evidence.drill.name
        first, rang = evidence.first, evidence.rang("ALARM")
        if (first or rang) and not evidence.picture:
            self._tell(f"{name}: {first.subject if first else f'{rang.alarm} rings'}")
            evidence.picture = self._picture(name)
        if evidence.heard:
            self._mend(evidence)
        return evidence.heard

    def _mend(self, evidence: Evidence) -> None:
        if evidence.mended_at > time.time():
            self._tell(f"{evidence.drill.name}: mended")
            evidence.mended_at = time.time()
            stand = self._stands[evidence.drill.name]
            stand.drill.mended(stand)

    def _look_at(self, evidence: Evidence) -> Evidence:
        """Bring the evidence up to what has been heard."""
        drill, hearing = evidence.drill, self._hearing
        evidence.messages = [
            each
            for each in hearing.messages
            if each.to == drill.owner or (each.to == OPERATOR and each.at >= evidence.broke_at)
        ]
        if drill.counted and evidence.counted_at is None:
            name, above, _, namespace = drill.counted
            evidence.counted_at = hearing.data.first(namespace, name, above=above, since=evidence.broke_at)
        others = {
            name for each in self._running.values() if each.drill != drill for name in each.drill.alarms
        } - drill.alarms
        evidence.alarms = [
            each for each in self._alarms if each.at >= evidence.broke_at and each.alarm not in others
        ]
        return evidence

    def _settle(self, evidence: Evidence) -> None:
        """Wait until all that was accepted is delivered; what is not then is lost."""
        stand = self._stands[evidence.drill.name]
        stand.provider.stop()
        accepted = stand.accepted
        evidence.accepted = len(accepted)

        def done() -> bool:
            delivered = self._delivered()
            evidence.undelivered = [
                event
                for event in accepted
                if delivery_id(stand.drill.sender, event, stand.drill.name) not in delivered
            ]
            return not evidence.undelivered

        self._wait(done, 240)

    def _delivered(self) -> set[str]:
        pages = self._cloud.clients("dynamodb").get_paginator("scan")
        items = (
            from_item(item)
            for page in pages.paginate(TableName=self._cloud.outputs["Journal"])
            for item in page["Items"]
        )
        return {item["id"] for item in items if item.get("status") == "delivered"}

    def _wait(self, done: Callable[[], bool], seconds: float) -> None:
        give_up = time.time() + seconds
        while True:
            self._hearing.listen()
            self._alarms = self._hearing.alarms()
            if done() or time.time() > give_up:
                return
            if self.stopped.wait(_LOOK_EVERY):
                raise StoppedError

    def _picture(self, name: str) -> str:
        """The console, as a picture in a file; its name, or nothing where there is no browser."""
        found = re.search(r"http://\S+/console#key=\S+", self._cloud.output)
        if self.browser is None or not found:
            return ""
        page = self.browser.page(width=1440)
        page.open(found[0])
        for drill in self._stands:
            page.sees(drill, 30)
        page.picture(self.out / f"{name}.png")
        page.close()
        return f"{name}.png"

    def _tell(self, text: str) -> None:
        self.tell(f"stack {self.number}: {text}")
