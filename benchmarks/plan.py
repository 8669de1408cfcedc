"""How long a plan of 100 integrations takes to load, in a fresh interpreter as in a cold start.

Beside it in the same run: parsing its JSON alone, which is the floor, and compiling the map. Importing counts
only what is not there in Lambda anyway (its runtime imports json and pathlib first), with compiled bytecode
as the layer has it.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from causeway.plan.compiler import compile_map, write

INTEGRATIONS = 100
SYSTEMS = 20
RUNS = 15

MEASURE = """
import sys, time
{prepare}
started = time.perf_counter()
{measured}
print((time.perf_counter() - started) * 1000)
"""
CASES = {
    "parse the JSON (the floor)": ("import json", "json.loads(open(sys.argv[1] + '/dev.json', 'rb').read())"),
    "load the plan": ("from causeway.plan.plan import load", "load(sys.argv[1], 'dev').fed_by('hub-0')"),
    "import and load": (
        "import json, pathlib, functools, typing",
        "from causeway.plan.plan import load; load(sys.argv[1], 'dev').fed_by('hub-0')",
    ),
}


def write_map(directory: Path) -> None:
    """A map whose integrations are like the example's: a filter, a look-up, a body."""
    (directory / "systems").mkdir()
    for number in range(SYSTEMS):
        (directory / "systems" / f"hub-{number}.yaml").write_text(
            f"system: hub-{number}\nwebhooks: {{scheme: svix, secrets: [hub-{number}/webhook]}}\n"
        )
        (directory / "systems" / f"desk-{number}.yaml").write_text(
            f"system: desk-{number}\napi:\n  base_url: https://desk-{number}.example.com\n"
            f"  auth: {{type: bearer, token: desk-{number}/token}}\n"
        )
    for number in range(INTEGRATIONS):
        hub, desk = f"hub-{number % SYSTEMS}", f"desk-{number % SYSTEMS}"
        (directory / f"copy-{number}.yaml").write_text(
            f"integration: copy-{number}\nowner: {{team: desk, email: desk@example.com}}\n"
            f"source: {{system: {hub}, events: ['orders/*']}}\n"
            "constants: {codes: {EU: '8400', US: '8410'}}\n"
            "flow:\n  filter: to_number(data.total_price) > `0`\n  steps:\n"
            f"    - {{name: account, system: {desk}, get: /accounts, query: {{email: '${{data.email}}'}}}}\n"
            f"target:\n  system: {desk}\n  post: /entries\n  body:\n    account: ${{steps.account.body.id}}\n"
            "    code: ${lookup(constants.codes, data.region, '8499')}\n    memo: 'Order ${data.name}'\n"
            "frequency: {expect_every: 6h}\nerrors: {}\n"
        )


def measure(prepare: str, measured: str, directory: Path) -> float:
    """Median milliseconds in fresh interpreters."""
    script = MEASURE.format(prepare=prepare, measured=measured)
    command = [sys.executable, "-c", script, str(directory)]
    environ = {
        **os.environ,
        "PYTHONPYCACHEPREFIX": str(directory / "bytecode"),
        "PYTHONDONTWRITEBYTECODE": "",
    }
    found = [
        float(subprocess.run(command, capture_output=True, text=True, check=True, env=environ).stdout)
        for _ in range(RUNS + 1)
    ]
    return statistics.median(found[1:])  # the first writes the bytecode


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        (directory / "map").mkdir()
        write_map(directory / "map")
        started = time.perf_counter()
        compiled = compile_map(directory / "map")
        seconds = time.perf_counter() - started
        write(compiled, directory / "out")
        plan = directory / "out" / "plan"
        size = (plan / "dev.json").stat().st_size
        print(f"{INTEGRATIONS} integrations, {2 * SYSTEMS} systems, {size / 1024:.0f} KiB of plan")
        for name, (prepare, measured) in CASES.items():
            print(f"  {name:28} {measure(prepare, measured, plan):7.2f} ms")
        print(f"  {'compile, 3 environments':28} {seconds * 1000:7.0f} ms")
        print(json.dumps({"integrations": INTEGRATIONS, "bytes": size}))


if __name__ == "__main__":
    main()
