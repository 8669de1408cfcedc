"""What is read once, by whichever of several threads asks first: the others wait for it, and fail with it.

``functools.cached_property`` has no lock from Python 3.12 on: of sixteen threads each would read.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

_T = TypeVar("_T")


class once(Generic[_T]):  # noqa: N801 - it is written like `property`
    """A property that is read once for each object, be it a value or an error."""

    def __init__(self, read: Callable[[Any], _T]) -> None:
        self._read = read
        self._name = read.__name__
        self.__doc__ = read.__doc__

    def __get__(self, owner: Any, kind: type) -> _T:
        """What was read, or what it failed with."""
        if owner is None:  # of the class, as documentation asks
            return self  # type: ignore[return-value]
        slot = owner.__dict__.setdefault(f"_once_{self._name}", _Slot())
        with slot.lock:
            if not slot.outcome:
                try:
                    slot.outcome = (self._read(owner), None)
                except Exception as error:
                    slot.outcome = (None, error)
                    raise
        value, failed = slot.outcome
        if failed is not None:
            raise failed.with_traceback(None)  # or it would grow with each that raises it
        found: _T = value
        return found


class _Slot:
    """What one property of one object came to."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.outcome: tuple[Any, Exception | None] | None = None
