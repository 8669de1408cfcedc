"""Secrets by name: read when first used, kept for minutes, read anew after a mismatch.

A name in the map, ``shop/webhook``, means the SecureString ``<prefix>/<direction>/shop/webhook`` in Parameter
Store; ``sm:shop/webhook`` the secret ``<prefix>/<direction>/shop/webhook`` in Secrets Manager (there without
the leading slash); ``NAME#field`` a field of the JSON object that lies there. The direction is part of the
path, so that a function's role can be limited to it: ``in`` verifies, ``out`` calls.

No value is ever part of an error, a log line or a ``repr``.
"""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from typing import TYPE_CHECKING, Literal, NamedTuple

from causeway.aws.errors import AwsError
from causeway.settings.clock import SystemClock
from causeway.settings.secret_stores import ParameterStore, SecretsManager

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from causeway.aws.client import Aws
    from causeway.plan.records import SecretName
    from causeway.settings.clock import Clock
    from causeway.settings.secret_stores import Store

MAX_AGE = 300.0
"""Seconds after which a secret is read again."""

REREAD_EVERY = 30.0
"""Seconds between two readings that mismatches cause, so that wrong signatures cause no load."""

PREVIOUS_FOR = 86_400.0
"""Seconds after a change for which the value before it still counts."""

STALE_FOR = 3_600.0
"""Seconds for which a secret that was read is used while its store does not answer."""

_MISSING_FOR = 5.0


class SecretMissing(Exception):  # noqa: N818 - an outcome with a name of its own
    """A secret that the map names is not there, is empty, or has no such field: an operator must put it."""


class SecretsUnavailable(Exception):  # noqa: N818
    """The secrets' store did not answer: later it may."""


class _Reference(NamedTuple):
    """Where a name's secret lies."""

    store: Literal["ssm", "sm"]
    path: str
    field: str | None


class _Kept:
    """What is known of one stored secret; no dataclass, whose ``repr`` would show it."""

    def __init__(
        self,
        current: str | None,
        previous: str | None,
        *,
        since: float,
        read_at: float,
        due: float,
        reread_due: float,
    ) -> None:
        self.current = current
        self.since = since  # when the current one was put
        self.previous = previous
        self.read_at = read_at
        self.due = due  # when it is read again
        self.reread_due = reread_due  # from when a mismatch has it read again


class Secrets:
    """The secrets of one direction. One object serves all threads of a function.

    Args:
        aws: Whose calls.
        prefix: ``/<stack>/causeway``.
        direction: ``in`` verifies, ``out`` calls.
        clock: For ages.
    """

    def __init__(
        self, aws: Aws, *, prefix: str, direction: Literal["in", "out"], clock: Clock | None = None
    ) -> None:
        self._prefix = f"{prefix}/{direction}/"
        self._clock = clock or SystemClock()
        self._stores: dict[str, Store] = {"ssm": ParameterStore(aws), "sm": SecretsManager(aws)}
        self._kept: dict[tuple[str, str], _Kept] = {}
        self._lock = threading.Lock()

    def current(self, names: Sequence[SecretName]) -> list[str]:
        """The secrets with these names, in their order.

        Raises:
            SecretMissing: one is not there.
            SecretsUnavailable: one could not be read, and none was read lately.
        """
        with self._lock:
            return self._values(names, reread=False)

    def reread(self, names: Sequence[SecretName]) -> list[str]:
        """The secrets as they are now, then those that they replaced lately: what may match after a mismatch.

        Read anew at most every :data:`REREAD_EVERY` seconds, in between the answer is the same. Who calls
        with a secret uses :meth:`current` after it, which then has the new values.

        Raises:
            SecretMissing: one is not there.
            SecretsUnavailable: one could not be read, and none was read lately.
        """
        with self._lock:
            current = self._values(names, reread=True)
            replaced = [self._previous(self._reference(name)) for name in names]
        return current + [each for each in replaced if each is not None]

    def since(self, name: SecretName) -> float:
        """When the current value of a secret was put (epoch seconds), as it was last read.

        Raises:
            SecretMissing: it is not there.
            SecretsUnavailable: it could not be read, and was not lately.
        """
        self.current([name])
        return self._kept[self._reference(name)[:2]].since

    def _values(self, names: Sequence[SecretName], *, reread: bool) -> list[str]:
        references = [self._reference(name) for name in names]
        now = self._clock.now()
        self._read(self._due(references, now, reread=reread), now, reread=reread)
        return [self._value(*pair) for pair in zip(names, references, strict=True)]

    def _reference(self, name: SecretName) -> _Reference:
        path, _, part = name.partition("#")
        if path.startswith("sm:"):
            return _Reference("sm", f"{self._prefix.lstrip('/')}{path.removeprefix('sm:')}", part or None)
        return _Reference("ssm", f"{self._prefix}{path}", part or None)

    def _due(self, references: Iterable[_Reference], now: float, *, reread: bool) -> set[_Reference]:
        kept = {each: self._kept.get(each[:2]) for each in references}
        return {
            each
            for each, known in kept.items()
            if not known or now >= (known.reread_due if reread else known.due)
        }

    def _read(self, references: Iterable[_Reference], now: float, *, reread: bool) -> None:
        by_store: defaultdict[str, set[str]] = defaultdict(set)
        for reference in references:
            by_store[reference.store].add(reference.path)
        for store, paths in by_store.items():
            try:
                self._read_from(store, sorted(paths), now, reread=reread)
            except AwsError as error:
                self._use_stale(store, paths, now, error)

    def _read_from(self, store: str, paths: Sequence[str], now: float, *, reread: bool) -> None:
        found = self._stores[store].current(paths)
        lately = {path: stored for path, stored in found.items() if now - stored.since < PREVIOUS_FOR}
        replaced = self._stores[store].previous(lately) if reread and lately else {}
        for path in paths:
            value = found[path].value if path in found else None
            known = self._kept.get((store, path))
            previous = replaced.get(path) if reread else _replaced(known, value)
            self._kept[store, path] = _Kept(
                value,
                previous,
                since=found[path].since if path in found else 0.0,
                read_at=now,
                due=now + (_MISSING_FOR if value is None else MAX_AGE),
                reread_due=now + REREAD_EVERY if reread else known.reread_due if known else now,
            )

    def _use_stale(self, store: str, paths: Iterable[str], now: float, error: AwsError) -> None:
        """Go on with what is known, for a while, without asking again at each request."""
        for path in paths:
            known = self._kept.get((store, path))
            if known is None or known.current is None or now - known.read_at > STALE_FOR:
                raise SecretsUnavailable(f"the secret {path} could not be read: {error.code}") from error
            known.due = known.reread_due = now + REREAD_EVERY

    def _value(self, name: SecretName, reference: _Reference) -> str:
        kept = self._kept[reference[:2]]
        value = _field(kept.current, reference.field)
        if value is None:
            raise SecretMissing(f"the secret {name} is not there or empty: put it at {reference.path}")
        return value

    def _previous(self, reference: _Reference) -> str | None:
        return _field(self._kept[reference[:2]].previous, reference.field)


def _replaced(known: _Kept | None, value: str | None) -> str | None:
    """The value before this one, as far as it was seen here."""
    if known is None:
        return None
    return known.previous if known.current == value else known.current


def _field(text: str | None, name: str | None) -> str | None:
    """The secret in what is stored; none where there is none, or an empty one."""
    value = text
    if text is not None and name is not None:
        try:
            stored = json.loads(text)
        except ValueError:
            return None
        value = stored.get(name) if isinstance(stored, dict) else None
    return value if isinstance(value, str) and value.strip() else None
