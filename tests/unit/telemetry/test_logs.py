import json
import subprocess
import sys

import pytest

from causeway.telemetry.logs import about, logger


@pytest.fixture
def line(capsys):
    def read():
        return json.loads(capsys.readouterr().out)

    return read


def test_a_line_is_json_that_says_what_it_is_about(line):
    logger().warning("refused", **about(system="ledger", integration="a", delivery_id="d", attempt=2))
    written = line()
    assert written["message"] == "refused"
    assert written["level"] == "WARNING"
    assert {key: written[key] for key in ("system", "integration", "delivery_id", "attempt")} == {
        "system": "ledger",
        "integration": "a",
        "delivery_id": "d",
        "attempt": 2,
    }
    assert "event_id" not in written


def test_keys_of_one_line_do_not_stick_to_the_next(line):
    logger().info("one", **about(integration="a"))
    line()
    logger().info("two")
    assert "integration" not in line()


def test_the_trace_of_the_invocation_is_in_the_line(line, monkeypatch):
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0")
    logger().info("hello")
    assert line()["xray_trace_id"] == "1-5759e988-bd862e3fe1be46a994272793"


@pytest.mark.parametrize(
    "module", ["boto3", "botocore.session", "aws_xray_sdk", "pydantic", "yaml", "requests", "urllib3"]
)
def test_logs_and_metrics_import_nothing_heavy(module):
    """What a receiving function imports decides how long a provider waits for its first answer."""
    program = (
        "import sys, causeway.telemetry.logs, causeway.telemetry.metrics, causeway.telemetry.tracing, "
        "causeway.aws.client, causeway.queueing.queue, causeway.settings.secrets, causeway.settings.environment; "
        f"sys.exit('{module}' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
