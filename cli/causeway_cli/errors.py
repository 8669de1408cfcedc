"""How a command fails: one message on stderr, and an exit code."""

from __future__ import annotations


class CommandError(Exception):
    """A command cannot do what it was asked; the message says why, and what to do about it.

    Args:
        message: What stands on stderr behind ``causeway: ``.
        exit_code: 1; 2 is for wrong usage.
    """

    def __init__(self, message: str, *, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code
