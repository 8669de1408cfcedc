"""Fixtures that all tests may use; what they are is in tests/support."""

pytest_plugins = ["tests.support.aws"]
