"""The lines from which the books are kept are written, whatever level a stack logs."""

from __future__ import annotations

import pytest

from causeway.operations.books import ACCEPTING
from tests.support.resolving import Resolver
from tests.support.template import written


@pytest.mark.parametrize("level", ["DEBUG", "INFO", "WARN", "ERROR"])
def test_functions_that_accept_events_log_what_they_accept(level):
    """With fewer lines nothing would be accepted by the books, and they would close over any loss."""
    functions = Resolver(written(), {"LogLevel": level}).resources("AWS::Serverless::Function")
    levels = {name: each["LoggingConfig"]["ApplicationLogLevel"] for name, each in functions.items()}
    for name, found in levels.items():
        assert found == ("INFO" if name in ACCEPTING and level in ("WARN", "ERROR") else level)
