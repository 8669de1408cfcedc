"""What records are made of."""

from __future__ import annotations

from typing import Any, TypedDict

JSON = Any
"""Any JSON value."""

Expression = str
"""A JMESPath expression."""

Text = str
"""A string in which ``${...}`` holds an expression."""

SecretName = str
"""``NAME``, ``sm:NAME``, either with ``#field``."""


class SecretRef(TypedDict):
    """A secret in the place of a literal value."""

    secret: SecretName
