"""A scheme's record made ready for use, once per record and instance.

The keys of a record (:class:`causeway.plan.records.Scheme`), whether built in or spelled out in a manifest:

- ``algorithm``: a name of :data:`causeway.webhooks.algorithms.ALGORITHMS`, or ``jwt``
- ``code``: instead of all that says how it is signed, a name of :data:`causeway.webhooks.special.SPECIAL`
- ``header``: where the signature is; of ``basic`` the default is ``authorization``. With ``{number}`` in its
  name there may be several: 1, 2 ... 100
- ``signature``: where it is, if in no header: ``body.signature.signature``, ``query.token``
- ``pattern``: how it is written there (:class:`~causeway.webhooks.patterns.HeaderPattern`); default
  ``{signature}``
- ``separator``: between the elements of a header that holds a list
- ``sets``: between whole lists, each with its own timestamp
- ``require``: headers that must have this value: a version, an algorithm's name
- ``encoding``: ``hex`` (default), ``base64``, ``base64url`` (:mod:`causeway.webhooks.encodings`)
- ``signed``: the signed bytes (:class:`~causeway.webhooks.patterns.SignedPattern`); default ``{body}``
- ``body_unsigned``: says knowingly that the body is not among them
- ``key``: what the secret's text is: ``utf8`` (default), ``base64``, ``hex``, ``pem``, ``nfkd`` (text in that
  normal form)
- ``key_prefix``: stripped from the secret before it is decoded, and required; ``signing_key_prefix`` the same
  of a private key
- ``key_id``: which key of a secret that is a JSON object of them: ``value`` names it, or a ``header`` does
- ``timestamp``: its unit; its header, or a ``value`` such as ``body.sent_at``, unless it is in the pattern;
  ``past`` and ``future``, how far it may be from the clock
- ``nonce``: the header of ``{nonce}``
- ``jwt``: what a token must say (:mod:`causeway.webhooks.jwt`)
- ``id``, ``type``, ``split``: expressions over ``{headers, body, claims}``
  (:mod:`causeway.webhooks.identity`); an ``id`` that is a header is also what ``{id}`` in ``signed`` is
- ``ping``: different events have the same body and nothing that names them, so that none is a duplicate
- ``handshake``: a name of :data:`causeway.webhooks.handshakes.HANDSHAKES`
- ``reply``, ``refusal``: the answers that the provider wants to what is accepted, and to what is not proven
- ``unconfirmed``: of built-in records that were not read from the provider's own pages
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from causeway.webhooks.algorithms import ALGORITHMS
from causeway.webhooks.encodings import ENCODINGS, KEYS, PLAIN
from causeway.webhooks.patterns import HeaderPattern, SchemeError, SignedPattern, path_of
from causeway.webhooks.places import Place
from causeway.webhooks.special import fields_of, special
from causeway.webhooks.timestamps import READ, TOLERANCE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from causeway.plan.records import Scheme
    from causeway.webhooks.algorithms import Key
    from causeway.webhooks.special import Special

_HEADER_EXPRESSION = re.compile(r'headers\.(?:"([^"\\]+)"|([A-Za-z_][A-Za-z0-9_]*))')
_T = TypeVar("_T")
_KEPT = 256  # compiled records, and lists of keys of each: more than any plan has, and a bound all the same


class Held(NamedTuple):
    """A key, and the secret that holds it."""

    secret: int  # its index
    key: Key
    raw: bytes  # for `{secret}`
    id: str | None  # of a secret that holds several


class Compiled:
    """A scheme ready to verify and to sign."""

    def __init__(self, scheme: Scheme) -> None:
        """Compile a record.

        Raises:
            SchemeError: it asks for what the engine cannot do.
        """
        self.scheme = scheme
        name = scheme.get("algorithm", "")
        self.algorithm = _one_of(ALGORITHMS, "algorithm", name)
        basic = name == "basic"
        place = scheme.get("signature")
        self.header = (scheme.get("header") or ("authorization" if basic and not place else "")).lower()
        self.place = Place(self.header, place)
        self.pattern = HeaderPattern(
            scheme.get("pattern", "Basic {signature}" if basic else "{signature}"),
            scheme.get("separator"),
            frozenset({"signature", "timestamp"} if "timestamp" in scheme else {"signature"}),
        )
        self.sets = scheme.get("sets")
        encoding = scheme.get("encoding", "base64" if basic else "hex")
        self.encoding = PLAIN if name == "token" else _one_of(ENCODINGS, "encoding", encoding)
        self.unpadded_too = encoding == "base64url"
        self._read_key = _one_of(KEYS, "key", scheme.get("key", "utf8"))
        self.key_prefix = scheme.get("key_prefix", "")
        self.require = tuple((header.lower(), value) for header, value in scheme.get("require", {}).items())
        self._set_key_id(scheme)
        self._set_timestamp(scheme)
        self._set_signed(scheme)
        self.reads_body = bool(self.place.in_body or self.signed.body_paths)
        proofs = {self.place.header, *self.place.headers, self.timestamp_header, *self.named_headers.values()}
        self.headers = frozenset(proofs - {""} - {self.named_headers.get("id")})
        self._keys: dict[tuple[str, ...], tuple[Held, ...]] = {}

    def _set_key_id(self, scheme: Scheme) -> None:
        key_id = scheme.get("key_id", {})
        self.key_id_header, self._key_id = key_id.get("header", "").lower(), key_id.get("value", "")
        if "key_id" in scheme and bool(self.key_id_header) == bool(self._key_id):
            raise SchemeError("key_id: either a header names the key, or a value does")

    def _set_timestamp(self, scheme: Scheme) -> None:
        timestamp = scheme.get("timestamp")
        in_pattern = any(item.name == "timestamp" for item in self.pattern.items)
        self.timestamp_header = timestamp.get("header", "").lower() if timestamp else ""
        self.timestamp_path = path_of(timestamp["value"]) if timestamp and "value" in timestamp else ""
        self.unit = timestamp["unit"] if timestamp else None
        self.read_timestamp = _one_of(READ, "timestamp.unit", self.unit) if self.unit else None
        self.window = (TOLERANCE, TOLERANCE)
        if timestamp:
            self.window = (timestamp.get("past", TOLERANCE), timestamp.get("future", TOLERANCE))
        places = [in_pattern, bool(self.timestamp_header), bool(self.timestamp_path)]
        if timestamp and places.count(True) != 1:
            raise SchemeError(
                "timestamp: it is either in the pattern as {timestamp}, or in a header, or in the body"
            )
        if self.sets and not in_pattern:
            raise SchemeError("sets: each must have its own timestamp, in the pattern")

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
        if self.signed.has_secret != (scheme.get("algorithm") == "sha256"):
            raise SchemeError("signed: the secret is in it for a plain digest, as {secret}, and for no other")
        # A value of the body is signed with the body, and is then read after it is verified.
        self.timestamp_is_late = bool(self.timestamp_path) and "timestamp" not in self.signed.names
        timed = "timestamp" in self.signed.names or (self.timestamp_is_late and "body" in self.signed.names)
        if timed != ("timestamp" in scheme):
            raise SchemeError("signed: a timestamp must be described and signed, or anybody could set it")
        if not self.signed.covers_body and not scheme.get("body_unsigned"):
            raise SchemeError("signed: the body must be in it, as {body}, {body_sha256} or {form}")

    timestamp_is_late = False

    def keys(self, secrets: Sequence[str]) -> tuple[Held, ...]:
        """The keys that secrets hold for this scheme, with their indexes; what holds none is left out."""
        wanted = tuple(secrets)
        keys = self._keys.get(wanted)
        if keys is None:
            if len(self._keys) >= _KEPT:
                self._keys.clear()
            keys = tuple(
                held
                for index, secret in enumerate(wanted)
                for key_id, text in self.texts_in(secret)
                for held in self._held(index, text, key_id)
            )
            self._keys[wanted] = keys
        return keys

    def texts_in(self, secret: str) -> list[tuple[str | None, str]]:
        """The texts of the keys in a secret, with their ids where it holds several."""
        if not self.key_id_header and not self._key_id:
            return [(None, secret)]
        named = [(name, text) for name, text in fields_of(secret).items() if isinstance(text, str)]
        if self._key_id:
            return [(None, text) for name, text in named if name == self._key_id]
        return list(named) or [(None, secret)]

    def _held(self, index: int, text: str, key_id: str | None) -> list[Held]:
        try:
            raw = self.raw_key(text, self.key_prefix)
            return [Held(index, self.algorithm.key(raw), raw, key_id)]
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


_prepared: dict[int, tuple[Scheme, Compiled | None, Special | None]] = {}


def prepared(scheme: Scheme) -> tuple[Scheme, Compiled | None, Special | None]:
    """A record with its compiled form, or with the module that verifies it: whichever it has.

    It is made once; a record is not changed afterwards.

    Raises:
        SchemeError: it asks for what the engine cannot do.
    """
    # By identity: hashing a record's content would cost as much as verifying. The record is kept with it, so
    # that its id is not given to another.
    found = _prepared.get(id(scheme))
    if found is None:
        if len(_prepared) >= _KEPT:
            _prepared.clear()
        module = special(scheme)
        found = (scheme, Compiled(scheme) if module is None else None, module)
        _prepared[id(scheme)] = found
    return found


def compiled(scheme: Scheme) -> Compiled:
    """The compiled form of a record that is data alone.

    Raises:
        SchemeError: it asks for what the engine cannot do, or is not data alone.
    """
    _, made, _ = prepared(scheme)
    return Compiled(scheme) if made is None else made


def check(scheme: Scheme) -> None:
    """Raise SchemeError, which says what is wrong, where a manifest's scheme cannot be used."""
    if "handshake" in scheme:
        from causeway.webhooks.handshakes import HANDSHAKES  # noqa: PLC0415 - manifests are checked before they run

        _one_of(HANDSHAKES, "handshake", scheme["handshake"])
    if ("algorithm" in scheme) == ("code" in scheme):
        raise SchemeError("algorithm: either this or `code` must be there")
    module = special(scheme)
    if module is None:
        Compiled(scheme)
    else:
        module.check(scheme)
