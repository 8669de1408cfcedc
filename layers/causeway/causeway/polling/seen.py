"""Which records were seen: their keys, hashed, inside the window that will be read again.

A repeat is dropped before it is queued however long ago it was first seen, and nothing grows: each page's
keys are one item (``seen#<number>``, 12 bytes a key), which goes as soon as no later window reaches back to
it. What is written is only what a later window can bring again, so a first run over a million old records
leaves next to nothing behind.

A key is the beginning of its SHA-256, 9 bytes: among a million keys two are alike once in ten billion times.
"""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from causeway.aws.table import Table
    from causeway.polling.cursors import Comparable

MOST = 100_000
"""Keys that are kept where more would only spare the journal work, or is of no use."""

_PART = "seen#"
_BYTES = 9  # three times three: base64 of several is the several base64s
_IN_ITEM = 20_000


class _Chunk(NamedTuple):
    """One item's keys, and the value that the highest of them has."""

    value: Comparable
    keys: tuple[bytes, ...]


class Seen:
    """The keys of one poll. Methods that read or write raise ``AwsError`` as AWS does."""

    def __init__(self, table: Table, name: str) -> None:
        self._table = table
        self._id = f"poll#{name}"
        self._chunks: dict[int, _Chunk] = {}
        self._in: dict[bytes, int] = {}  # by key the chunk that has it; of several the last
        self._live: dict[int, int] = {}  # by chunk, how many of its keys no later one has
        for item in table.between(("id", self._id), ("part", _PART, _PART + "~"), page=1000):
            whole = base64.b64decode(item["keys"])
            keys = tuple(whole[at : at + _BYTES] for at in range(0, len(whole), _BYTES))
            self._know(int(item["part"].removeprefix(_PART)), _Chunk(item["value"], keys))

    def __len__(self) -> int:
        return len(self._in)

    def __contains__(self, key: object) -> bool:
        return _hash(str(key)) in self._in

    def add(self, keys: Iterable[str], value: Comparable) -> None:
        """Remember keys until no window reaches back to a value."""
        hashes = list(dict.fromkeys(_hash(key) for key in keys))
        for at in range(0, len(hashes), _IN_ITEM):
            chunk = _Chunk(value, tuple(hashes[at : at + _IN_ITEM]))
            number = max(self._chunks, default=0) + 1
            self._table.put(
                {
                    "id": self._id,
                    "part": f"{_PART}{number:012}",
                    "value": chunk.value,
                    "keys": base64.b64encode(b"".join(chunk.keys)).decode(),
                }
            )
            self._know(number, chunk)

    def forget(self, below: Comparable) -> None:
        """Forget what has a lower value, to which no later window reaches back; and what is there twice."""
        for number, chunk in list(self._chunks.items()):
            # A value of another kind is from before the map's cursor was changed.
            foreign = type(chunk.value) is not type(below)
            if foreign or chunk.value < below or not self._live[number]:  # type: ignore[operator]
                self._drop(number)

    def keep(self, most: int = MOST) -> None:
        """Forget the oldest beyond so many."""
        for number in sorted(self._chunks):
            if len(self._in) - self._live[number] < most:
                break
            self._drop(number)

    def _know(self, number: int, chunk: _Chunk) -> None:
        self._chunks[number] = chunk
        self._live[number] = len(chunk.keys)
        for key in chunk.keys:
            if key in self._in:
                self._live[self._in[key]] -= 1
            self._in[key] = number

    def _drop(self, number: int) -> None:
        self._table.delete(self._id, f"{_PART}{number:012}")
        for key in self._chunks.pop(number).keys:
            if self._in[key] == number:
                del self._in[key]
        del self._live[number]


def _hash(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()[:_BYTES]
