"""What `sam build` runs: the compiler with its own few dependencies, and nothing of the command line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support.maps import SIMPLE, copy_text, write_map

ROOT = Path(__file__).parents[3]

ONLY_COMPILE = """
import sys
class Refuse:
    names = {"boto3", "botocore", "cryptography", "urllib3", "aws_lambda_powertools", "typer", "rich", "causeway_cli"}
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self.names:
            raise ImportError(f"{name} is not among the dependencies of the build")
sys.meta_path.insert(0, Refuse())
from causeway.plan.compile import main
sys.exit(main(sys.argv[1:]))
"""


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-c", ONLY_COMPILE, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_compiles_the_example_map_with_the_dependencies_of_the_build_alone(tmp_path):
    done = run(ROOT / "integrations", "--out", tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert sorted(path.name for path in (tmp_path / "plan").iterdir()) == [
        "dev.json",
        "production.json",
        "staging.json",
    ]
    assert {path.name for path in (tmp_path / "python" / "transforms").iterdir()} == {
        "orders.py",
        "pull_requests.py",
    }


def test_a_map_with_mistakes_writes_nothing_and_says_why(tmp_path):
    directory = write_map(tmp_path / "map", SIMPLE | {"copy.yaml": copy_text(errors="{attempts: 0}")})
    done = run(directory, "--out", tmp_path / "out")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.endswith("copy.yaml:7: errors.attempts: must be unlimited or a number of at least 1\n")
    assert not (tmp_path / "out").exists()
