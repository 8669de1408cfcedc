import json
import re
import socket
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from causeway.telemetry.tracing import subsegment, traceparent

W3C = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-0[01]")

PROGRAM = """
import threading
from causeway.telemetry.tracing import subsegment

def call():
    with subsegment("ledger: POST /entries?", integration="a", status=201):
        pass

call()
thread = threading.Thread(target=call)
thread.start()
thread.join()
try:
    with subsegment("failing"):
        raise ValueError("broken")
except ValueError:
    pass
"""


def test_a_trace_goes_on_in_the_header_that_goes_out():
    header = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
    assert traceparent(header) == "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01"
    assert traceparent(header.replace("Sampled=1", "Sampled=0")).endswith("-53995c3f42cd8ad8-00")
    assert traceparent(header + ";Lineage=a:0") == traceparent(header)


def test_a_trace_without_a_parent_gets_one():
    first, second = (traceparent("Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1") for _ in range(2))
    assert first[:36] == second[:36] == "00-5759e988bd862e3fe1be46a994272793-"
    assert first != second


@given(
    st.none() | st.text() | st.from_regex(r"Root=1-[0-9a-f]{8}-[0-9a-f]{0,24};Parent=\w{0,16};Sampled=[01?]")
)
def test_whatever_comes_in_what_goes_out_is_valid(header):
    assert W3C.fullmatch(traceparent(header))


def test_outside_lambda_a_subsegment_does_nothing():
    with subsegment("call", integration="a"):
        pass
    assert "aws_xray_sdk" not in sys.modules


def test_an_unsampled_invocation_does_not_import_the_sdk(monkeypatch):
    monkeypatch.setenv("LAMBDA_TASK_ROOT", "/var/task")
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0")
    with subsegment("call"):
        pass
    assert "aws_xray_sdk" not in sys.modules


@pytest.fixture
def daemon():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as daemon:
        daemon.bind(("127.0.0.1", 0))
        daemon.settimeout(5)
        yield daemon


def test_in_lambda_calls_from_all_threads_are_subsegments_of_the_invocation(daemon):
    environ = {
        "POWERTOOLS_SERVICE_NAME": "shop-processor",
        "LAMBDA_TASK_ROOT": "/var/task",
        "_X_AMZN_TRACE_ID": "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1",
        "AWS_XRAY_DAEMON_ADDRESS": f"127.0.0.1:{daemon.getsockname()[1]}",
    }
    subprocess.run([sys.executable, "-c", PROGRAM], env=environ, check=True)
    segments = [json.loads(daemon.recv(65536).split(b"\n", 1)[1]) for _ in range(3)]
    assert {each["parent_id"] for each in segments} == {"53995c3f42cd8ad8"}
    assert {each["trace_id"] for each in segments} == {"1-5759e988-bd862e3fe1be46a994272793"}
    assert [each["name"] for each in segments] == ["ledger: POST /entries_"] * 2 + ["failing"]
    assert segments[1]["annotations"] == {"service": "shop-processor", "integration": "a", "status": 201}
    assert segments[2]["fault"] is True
