"""A scheme's record made ready for use, once per record and instance.

The keys of a record (:class:`causeway.plan.records.Scheme`), whether built in or spelled out in a manifest:

- ``algorithm``: a name of :data:`causeway.webhooks.algorithms.ALGORITHMS`
- ``header``: where the signature is; of ``basic`` the default is ``authorization``
- ``pattern``: how it is written there (:class:`~causeway.webhooks.patterns.HeaderPattern`); default
  ``{signature}``
- ``separator``: between the elements of a header that holds a list
- ``encoding``: ``hex`` (default), ``base64``, ``base64url`` (:mod:`causeway.webhooks.encodings`)
- ``signed``: the signed bytes (:class:`~causeway.webhooks.patterns.SignedPattern`); default ``{body}``
- ``key``: what the secret's text is: ``utf8`` (default), ``base64``, ``hex``
- ``key_prefix``: stripped from the secret before it is decoded, and required
- ``timestamp``: its unit, and its header unless it is in the pattern; checked against the clock
- ``nonce``: the header of ``{nonce}``
- ``id``, ``type``: expressions over ``{headers, body}`` (:mod:`causeway.webhooks.identity`); an ``id``
  that is a header is also what ``{id}`` in ``signed`` stands for
- ``handshake``: a name of :data:`causeway.webhooks.handshakes.HANDSHAKES`
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeVar

from causeway.webhooks.algorithms import ALGORITHMS
from causeway.webhooks.encodings import ENCODINGS, KEYS, PLAIN
from causeway.webhooks.handshakes import HANDSHAKES
from causeway.webhooks.patterns import HeaderPattern, SchemeError, SignedPattern
from causeway.webhooks.special import special
from causeway.webhooks.timestamps import READ, TOLERANCE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from causeway.plan.records import Scheme
    from causeway.webhooks.algorithms import Key

_HEADER_EXPRESSION = re.compile(r'headers\.(?:"([^"\\]+)"|([A-Za-z_][A-Za-z0-9_]*))')
_T = TypeVar("_T")
_KEPT = 256  # compiled records, and lists of keys of each: more than any plan has, and a bound all the same


class Compiled:
    """A scheme ready to verify and to sign."""

    def __init__(self, scheme: Scheme) -> None:
        """Compile a record.

        Raises:
            SchemeError: it asks for what the engine cannot do.
        """
        self.scheme = scheme
        name = scheme["algorithm"]
        self.algorithm = _one_of(ALGORITHMS, "algorithm", name)
        basic = name == "basic"
        self.header = (scheme.get("header") or ("authorization" if basic else "")).lower()
        if not self.header:
            raise SchemeError("header: the signature's header must be named")
        self.pattern = HeaderPattern(
            scheme.get("pattern", "Basic {signature}" if basic else "{signature}"),
            scheme.get("separator"),
            frozenset({"signature", "timestamp"} if "timestamp" in scheme else {"signature"}),
        )
        encoding = scheme.get("encoding", "base64" if basic else "hex")
        self.encoding = PLAIN if name == "token" else _one_of(ENCODINGS, "encoding", encoding)
        self.unpadded_too = encoding == "base64url"
        self._read_key = _one_of(KEYS, "key", scheme.get("key", "utf8"))
        self.key_prefix = scheme.get("key_prefix", "")
        if "handshake" in scheme:
            _one_of(HANDSHAKES, "handshake", scheme["handshake"])
        self._set_timestamp(scheme)
        self._set_signed(scheme)
        self.headers = frozenset({self.header})
        self._keys: dict[tuple[str, ...], tuple[tuple[int, Key], ...]] = {}

    def _set_timestamp(self, scheme: Scheme) -> None:
        timestamp = scheme.get("timestamp")
        in_pattern = any(item.name == "timestamp" for item in self.pattern.items)
        self.timestamp_header = timestamp.get("header", "").lower() if timestamp else ""
        self.unit = timestamp["unit"] if timestamp else None
        self.read_timestamp = _one_of(READ, "timestamp.unit", self.unit) if self.unit else None
        self.window = (TOLERANCE, TOLERANCE)
        if timestamp:
            self.window = (timestamp.get("past", TOLERANCE), timestamp.get("future", TOLERANCE))
        if timestamp and in_pattern == bool(self.timestamp_header):
            raise SchemeError("timestamp: it is either in the pattern as {timestamp}, or in a header")

    def _set_signed(self, scheme: Scheme) -> None:
        self.named_headers = {
            name: header.lower()
            for name, header in (
                ("id", header_in(scheme.get("id"))),
                ("nonce", scheme.get("nonce", {}).get("header")),
            )
            if header
        }
        if not self.algorithm.signs_bytes:
            if "signed" in scheme or "timestamp" in scheme:
                raise SchemeError(
                    "a secret that is sent as it is signs nothing: no `signed` and no `timestamp`"
                )
            self.signed = SignedPattern("", {})
            return
        self.signed = SignedPattern(scheme.get("signed", "{body}"), self.named_headers)
        if ("timestamp" in self.signed.names) != ("timestamp" in scheme):
            raise SchemeError("signed: a timestamp must be described and signed, or anybody could set it")
        if not {"body", "body_sha256"} & set(self.signed.names):
            raise SchemeError("signed: the body must be in it, as {body} or {body_sha256}")

    def keys(self, secrets: Sequence[str]) -> tuple[tuple[int, Key], ...]:
        """The keys that secrets hold for this scheme, with their indexes; what holds none is left out."""
        wanted = tuple(secrets)
        keys = self._keys.get(wanted)
        if keys is None:
            if len(self._keys) >= _KEPT:
                self._keys.clear()
            keys = tuple((index, key) for index, text in enumerate(wanted) for key in self._key(text))
            self._keys[wanted] = keys
        return keys

    def _key(self, secret: str) -> list[Key]:
        try:
            return [self.algorithm.key(self.raw_key(secret, self.key_prefix))]
        except ValueError:
            return []

    def raw_key(self, secret: str, prefix: str) -> bytes:
        """The bytes of a secret's text; raises ValueError where prefix or form are not as they should be."""
        text = secret.removeprefix(prefix)
        if (prefix and text == secret) or not text.strip():
            raise ValueError("not a secret of this scheme")
        return self._read_key(text)


def header_in(expression: str | None) -> str | None:
    """The header's name, if an expression is nothing but one: ``headers."x-github-event"``."""
    found = _HEADER_EXPRESSION.fullmatch(expression or "")
    return found and (found[1] or found[2])


def _one_of(table: Mapping[str, _T], key: str, name: str) -> _T:
    if name not in table:
        raise SchemeError(f"{key}: {name!r} is not known; there are {', '.join(table)}")
    return table[name]


_compiled: dict[int, tuple[Scheme, Compiled]] = {}


def compiled(scheme: Scheme) -> Compiled:
    """The compiled form of a record, made once; a record is not changed afterwards.

    Raises:
        SchemeError: it asks for what the engine cannot do.
    """
    # By identity: hashing a record's content would cost as much as verifying. The record is kept with it, so
    # that its id is not given to another.
    found = _compiled.get(id(scheme))
    if found is not None:
        return found[1]
    if len(_compiled) >= _KEPT:
        _compiled.clear()
    made = Compiled(scheme)
    _compiled[id(scheme)] = (scheme, made)
    return made


def check(scheme: Scheme) -> None:
    """Raise SchemeError, which says what is wrong, where a manifest's scheme cannot be used."""
    if ("algorithm" in scheme) == ("code" in scheme):
        raise SchemeError("algorithm: either this or `code` must be there")
    module = special(scheme)
    if module is None:
        Compiled(scheme)
    else:
        module.check(scheme)
