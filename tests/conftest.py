"""Fixtures that all tests may use; what they are is in tests/support."""

import gc
import os

from hypothesis import settings

pytest_plugins = ["tests.support.aws", "tests.support.browser"]

# A gate tries the same examples each time, so that it says something of the change; elsewhere new ones are tried.
settings.register_profile("gate", derandomize=True, deadline=None)
settings.register_profile("search", deadline=None)
settings.load_profile("gate" if os.environ.get("CI") else "search")


def pytest_collection_finish():
    """Have no garbage collection look at thousands of tests and libraries again: they stay to the end."""
    gc.collect()
    gc.freeze()
