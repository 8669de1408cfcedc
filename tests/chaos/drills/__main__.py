"""Break everything that an integration hangs on, one thing after the other, and show who hears of it how soon.

    python -m tests.chaos.drills [--only NAME]... [--seed N] [--out DIRECTORY]

It runs on local clouds of its own, beside each other: the deployed stack, its functions under their roles, its
real minutes. A provider stops, or signs with a secret that we do not have; a target is down, slow, or wants to be
left alone; a poll lags; a consent is about to end; a queue is not read; a function crashes; the watchdog itself
stops. For each it is told which message came to the owner through SNS, which metric was counted, which of the
template's alarms would ring, how many seconds after it broke, that its end was told once, that nothing accepted
was lost; and the console is photographed, before and in each broken state. It takes about twenty minutes, and
the exit code is 1 if one thing is not as it should be.

The emulator evaluates no alarms and emits none of AWS's own metrics: alarms are evaluated here over what the
functions wrote to their logs and what their queues were like (tests.chaos.drills.hearing).
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from tests.chaos.drills.lane import Lane
from tests.chaos.drills.report import record, summary
from tests.chaos.drills.table import BY_NAME, DRILLS, LANES
from tests.support.browser import MISSING, Browser, chromium

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.chaos.drills.judging import Evidence

OUT = Path("build/drills")


def main() -> None:
    """Go through the drills, and say what came of them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", action="append", choices=list(BY_NAME), help="this one; may be repeated")
    parser.add_argument("--seed", type=int, default=1, help="decides when providers send")
    parser.add_argument("--out", type=Path, default=OUT, help=f"for pictures and results; default {OUT}")
    parser.add_argument("--list", action="store_true", help="show the drills, and end")
    arguments = parser.parse_args()
    if arguments.list:
        sys.stdout.write("".join(f"{each.name:<17} {each.what}\n" for each in DRILLS))
        return
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # ends the stacks, too
    arguments.out.mkdir(parents=True, exist_ok=True)
    began = time.time()
    names = sorted(set(arguments.only or BY_NAME))
    evidence = go_through(names, seed=arguments.seed, out=arguments.out)
    records = [record(each) for each in evidence]
    (arguments.out / "drills.json").write_text(json.dumps(records, indent=1) + "\n")
    text = summary(records, wanted=len(names), seconds=time.time() - began, seed=arguments.seed)
    (arguments.out / "drills.md").write_text(text + "\n")
    sys.stdout.write(text + "\n")
    if len(records) < len(names) or any(each["findings"] for each in records):
        sys.exit(1)


def go_through(names: Sequence[str], *, seed: int, out: Path) -> list[Evidence]:
    """Run these drills, on as many stacks as they need; what of one was heard before it failed is judged, too."""
    lanes = [
        [stage for drills in lane if (stage := [name for name in drills if name in names])] for lane in LANES
    ]
    with ExitStack() as cleanup:
        folder = Path(cleanup.enter_context(tempfile.TemporaryDirectory()))
        browser = None
        if chromium():
            browser = cleanup.enter_context(Browser(folder / "browser"))
        else:
            tell(f"no pictures: {MISSING}")
        stopped = threading.Event()
        running = [
            Lane(number, stages, folder / str(number), out, seed, browser, tell, stopped)
            for number, stages in enumerate(lanes, 1)
            if stages
        ]
        pool = cleanup.enter_context(ThreadPoolExecutor(len(running)))
        cleanup.callback(stopped.set)  # when somebody has had enough
        for future in as_completed([pool.submit(lane.run) for lane in running]):
            if error := future.exception():
                tell("".join(traceback.format_exception(error)))
        found = [each for lane in running for each in lane.evidence]
    order = list(BY_NAME)
    return sorted(found, key=lambda each: order.index(each.drill.name))


def tell(text: str) -> None:
    """Say how it goes, where it is no part of the result."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')}  {text}\n")


if __name__ == "__main__":
    main()
