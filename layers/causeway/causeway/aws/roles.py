"""Credentials with which calls to systems on AWS are signed: the function's own, or those of a role.

Those of a role are kept by the instance until shortly before they end; STS hands them out freely.
Source: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from causeway.aws.client import Aws
    from causeway.aws.credentials import AccessKey, Credentials
    from causeway.settings.clock import Clock

_LASTS = 3600  # seconds, the most of a role that is taken on by another
_AHEAD = 300.0


class Roles:
    """One object serves all threads of a function."""

    def __init__(self, aws: Aws, clock: Clock) -> None:
        self._aws = aws
        self._clock = clock
        self._kept: dict[str, tuple[AccessKey, float]] = {}
        self._lock = threading.Lock()

    @property
    def region(self) -> str:
        """The function's own."""
        return self._aws.region

    def credentials(self, role: str | None) -> Credentials:
        """Whose key signs.

        Args:
            role: ARN of a role; None: the function's own.

        Raises:
            AwsError: the role could not be taken on.
        """
        if role is None:
            return self._aws.credentials()
        with self._lock:
            kept, until = self._kept.get(role, (None, 0.0))
            now = self._clock.now()
            if kept is None or now >= until:
                kept = self._aws.assume_role(role, seconds=_LASTS)
                self._kept[role] = (kept, now + _LASTS - _AHEAD)
            return kept
