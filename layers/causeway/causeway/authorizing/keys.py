"""API keys: made once, shown once, kept as hashes.

A key is ``causeway_ID_SECRET``. The id finds its item; the secret is 256 random bits, so its SHA-256 is as
good as any slow hash: there is nothing to guess from. A client rotates by having two keys for a while.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from typing import TYPE_CHECKING, NamedTuple

from causeway.authorizing.clients import SCOPES, Client, Refused
from causeway.aws.table import ConditionFailed

if TYPE_CHECKING:
    from collections.abc import Collection

    from causeway.aws.table import Item, Table
    from causeway.settings.clock import Clock

KEYS = "key#all"
"""The hash key of all of them, so that they can be listed; the range key is the key's id."""

AT_ONCE = 2
"""So many keys of one client are good at the same time: the one in use, and the one that follows it."""

_KEY = re.compile(r"causeway_([0-9a-f]{16})_([A-Za-z0-9_-]{43})")
_CLIENT = re.compile(r"[a-z][a-z0-9-]{0,47}")
_NO_HASH = "0" * 64


class BadKeyRequestError(ValueError):
    """A key cannot be made or revoked as asked; says why."""


class Key(NamedTuple):
    """What is known of a key, but for the key."""

    id: str
    client: str
    scopes: list[str]
    created_at: float
    created_by: str
    expires_at: float
    revoked_at: float | None
    revoked_by: str | None

    def is_good(self, now: float) -> bool:
        """Whether it lets its client in."""
        return self.revoked_at is None and now < self.expires_at


class Keys:
    """All keys of a stack. Every method raises ``AwsError`` as AWS does."""

    def __init__(self, state: Table, clock: Clock) -> None:
        self._state = state
        self._clock = clock

    def create(self, client: str, *, scopes: Collection[str], good_for: float, by: str) -> tuple[str, Key]:
        """Make a key; returns it, which nobody can do again, and what is kept of it.

        Args:
            client: whose: a name as those of the map.
            scopes: what it allows.
            good_for: seconds.
            by: who makes it.

        Raises:
            BadKeyRequestError: the name, a scope or the time is none, or the client has two good keys.
        """
        _check(client, scopes, good_for)
        now = self._clock.now()
        good = [key.id for key in self.all() if key.client == client and key.is_good(now)]
        if len(good) >= AT_ONCE:
            raise BadKeyRequestError(
                f"{client} has {AT_ONCE} good keys, {' and '.join(good)}: revoke one of them first"
            )
        id_, secret = secrets.token_hex(8), secrets.token_urlsafe(32)
        item: Item = {
            "id": KEYS,
            "part": id_,
            "hash": _hash(secret),
            "client": client,
            "scopes": [scope for scope in SCOPES if scope in scopes],
            "created_at": round(now, 3),
            "created_by": by,
            "expires_at": int(now + good_for),
        }
        self._state.put(item)
        return f"causeway_{id_}_{secret}", _key(item)

    def all(self) -> list[Key]:
        """All keys, those that are good no longer too until they are expired; oldest first."""
        return sorted(map(_key, self._state.parts(KEYS)), key=lambda key: key.created_at)

    def revoke(self, id_: str, *, by: str) -> Key:
        """Let a key be good no longer. Revoking it again changes nothing.

        Raises:
            BadKeyRequestError: there is no such key.
        """
        try:
            self._state.update(
                KEYS,
                id_,
                values={},
                defaults={"revoked_at": round(self._clock.now(), 3), "revoked_by": by},
                condition="attribute_exists(#hash)",
            )
        except ConditionFailed:
            raise BadKeyRequestError(
                f"there is no key {id_}: `causeway keys list` shows those there are"
            ) from None
        return _key(self._state.get(KEYS, id_) or {})

    def client_of(self, text: str) -> Client:
        """The client to whom a key belongs.

        Raises:
            Refused: it is none (``key``), or is good no longer (``expired``, ``revoked``).
        """
        match = _KEY.fullmatch(text)
        if match is None:
            raise Refused("key")
        item = self._state.get(KEYS, match[1])
        # Compared also where there is none: how long a refusal takes tells nothing of ids.
        same = hmac.compare_digest(_hash(match[2]), item["hash"] if item else _NO_HASH)
        if item is None or not same:
            raise Refused("key")
        key = _key(item)
        if key.revoked_at is not None:
            raise Refused("revoked")
        if not key.is_good(self._clock.now()):
            raise Refused("expired")
        return Client(f"key:{key.client}", frozenset(key.scopes))


def is_key(text: str) -> bool:
    """Whether a credential means to be one of these keys."""
    return text.startswith("causeway_")


def _check(client: str, scopes: Collection[str], good_for: float) -> None:
    if not _CLIENT.fullmatch(client):
        raise BadKeyRequestError(
            f"{client!r} is no name of a client: small letters, digits and -, a letter first, 48 at most"
        )
    odd = sorted(set(scopes) - set(SCOPES))
    if odd or not scopes:
        raise BadKeyRequestError(f"{', '.join(odd) or 'nothing'} is no scope; there are {', '.join(SCOPES)}")
    if not good_for > 0:
        raise BadKeyRequestError("a key is good for some time: more than 0 seconds")


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("ascii")).hexdigest()


def _key(item: Item) -> Key:
    return Key(
        id=item["part"],
        client=item["client"],
        scopes=item["scopes"],
        created_at=item["created_at"],
        created_by=item["created_by"],
        expires_at=item["expires_at"],
        revoked_at=item.get("revoked_at"),
        revoked_by=item.get("revoked_by"),
    )
