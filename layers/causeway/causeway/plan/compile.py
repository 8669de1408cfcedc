"""``python -m causeway.plan.compile``: what `sam build` runs to make the plan layer.

It needs pydantic, PyYAML and jmespath, and nothing of the command line.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from causeway.plan.compiler import compile_map, write
from causeway.plan.problems import InvalidMapError


def main(arguments: list[str] | None = None) -> int:
    """Compile a map; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m causeway.plan.compile", description="Compile a map.")
    parser.add_argument("map", type=Path, help="the map's directory, such as integrations")
    parser.add_argument(
        "--out", type=Path, required=True, help="where plan/ and python/transforms/ are written"
    )
    options = parser.parse_args(arguments)
    try:
        write(compile_map(options.map), options.out)
    except InvalidMapError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
