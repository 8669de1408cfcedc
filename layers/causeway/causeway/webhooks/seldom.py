"""What few requests need: imported and made when the first of them comes, so cold starts pay for none."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from causeway.aws.client import Aws
    from causeway.aws.table import Table
    from causeway.settings.clock import Clock
    from causeway.settings.environment import Settings
    from causeway.webhooks.accepting import Accepting
    from causeway.webhooks.canaries import Canaries
    from causeway.webhooks.key_material import KeyMaterial
    from causeway.webhooks.rejections import Rejections


class Seldom:
    """Opens each of them once per instance.

    Args:
        aws: whose calls.
        settings: of the function.
        clock: the time.
    """

    def __init__(self, aws: Aws, settings: Settings, clock: Clock) -> None:
        self._aws = aws
        self._settings = settings
        self._clock = clock
        self.state = cache(self._state)
        self.accepting = cache(self._accepting)
        self.canaries = cache(self._canaries)
        self.rejections = cache(self._rejections)
        self.key_material = cache(self._key_material)

    def fetch(self, url: str, body: bytes | None = None, *, anew: bool = False) -> bytes:
        """What is at a URL, as :class:`causeway.webhooks.key_material.KeyMaterial` says it."""
        return self.key_material()(url, body, anew=anew)

    def _state(self) -> Table:
        from causeway.aws.table import Table  # noqa: PLC0415 - see the module's docstring

        return Table(self._aws, self._settings.state_table)

    def _accepting(self) -> Accepting:
        from causeway.webhooks.accepting import Accepting  # noqa: PLC0415

        return Accepting(self._aws, prefix=self._settings.secrets_prefix, clock=self._clock)

    def _canaries(self) -> Canaries:
        from causeway.webhooks.canaries import Canaries  # noqa: PLC0415

        return Canaries(self.state, self._clock)

    def _rejections(self) -> Rejections:
        from causeway.webhooks.rejections import Rejections  # noqa: PLC0415

        return Rejections(self._aws, bucket=self._settings.payloads, clock=self._clock)

    def _key_material(self) -> KeyMaterial:
        from causeway.webhooks.key_material import KeyMaterial  # noqa: PLC0415

        return KeyMaterial(self._clock)
