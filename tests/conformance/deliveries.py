"""What the makers of vectors share: a delivery, a kind of delivery, and how a provider's sample is run."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

NOW = 1_760_000_000
URL = "https://hooks.example.com/webhooks/provider?tenant=1&a=b%20c"
AWKWARD = {"name": "Zoë 日本語", "total": 12.50, "escaped": "/"}
"""What changes its bytes when it is read and written again."""

Headers = dict[str, str]
Vector = dict[str, Any]
Secret = Any
"""A text or, where a provider gives more than one value, a record of them."""


def event(**fields: Any) -> str:
    """A body as a provider writes it: compact, unescaped, with values that do not survive being written again."""
    text = json.dumps({**fields, "note": AWKWARD}, ensure_ascii=False, separators=(",", ":"))
    return text.replace("12.5", "12.50").replace('"escaped":"/"', '"escaped":"\\/"')


class Delivery(NamedTuple):
    """One request of a provider."""

    headers: Headers
    body: str
    method: str = "POST"
    url: str = URL

    def with_headers(self, headers: Mapping[str, str]) -> Delivery:
        """The delivery with more headers."""
        return self._replace(headers={**self.headers, **headers})


class Kind(NamedTuple):
    """What signs, who says whether it is right, two secrets, what is covered, and what the event is."""

    name: str  # the provider's, and after a slash which of its ways
    oracle: str
    sign: Callable[[Delivery, Secret, int], Delivery]  # at these epoch seconds
    secrets: tuple[Secret, Secret] = ("secret one", "secret two")
    body: str = event(id="evt_1", type="invoice.paid")
    header: str | None = None  # what carries the proof; none where it is in the body
    sent: Mapping[str, str] = {}  # further headers
    window: tuple[int, int] | None = None  # seconds of past and of future, where a time is signed
    lives: int | None = None  # seconds until a token ends
    covers: frozenset[str] = frozenset({"body"})  # of body, url, method
    events: tuple[tuple[str | None, str | None], ...] = ((None, None),)  # id and type of each; None: not told
    method: str = "POST"
    url: str = URL
    lists: Callable[[str, str], str] | None = None  # two signed headers' values to one that holds both
    empty: bool = True  # an empty body can be signed
    inside: bool = False  # the proof is in the body
    source: str | None = None
    tampered: tuple[str, str] = ("12.50", "12.5")  # what is changed in the body that is covered
    cases: Mapping[
        str, Callable[[Delivery], Delivery]
    ] = {}  # changes of a signed delivery that are this kind's own
    stricter: Mapping[str, str] = {}  # cases that the oracle accepts and we do not, and why

    @property
    def provider(self) -> str:
        """The name in the table of schemes."""
        return self.name.partition("/")[0]

    def delivery(self, secret: Secret, now: int = NOW, *, body: str | None = None) -> Delivery:
        """A signed delivery."""
        plain = Delivery(dict(self.sent), self.body if body is None else body, self.method, self.url)
        return self.sign(plain, secret, now)


def edited(find: str, put: str) -> Callable[[Delivery], Delivery]:
    """A change of the body."""

    def change(delivery: Delivery) -> Delivery:
        assert find in delivery.body, find
        return delivery._replace(body=delivery.body.replace(find, put))

    return change


def headed(**headers: str) -> Callable[[Delivery], Delivery]:
    """A change of headers, whose names are written with underscores."""
    given = {name.replace("_", "-").lower(): value for name, value in headers.items()}

    def change(delivery: Delivery) -> Delivery:
        kept = {name: value for name, value in delivery.headers.items() if name.lower() not in given}
        return delivery._replace(headers={**kept, **given})

    return change


def header(vector: Vector, name: str) -> str | None:
    """A vector's header, in any case."""
    return {key.lower(): value for key, value in vector["headers"].items()}.get(name.lower())


def body_of(vector: Vector) -> bytes:
    """A vector's body, which is text or, where it is not UTF-8, base64."""
    return base64.b64decode(vector["body_base64"]) if "body_base64" in vector else vector["body"].encode()


def mac(secret: str | bytes, message: bytes, digest: str = "sha256") -> bytes:
    """HMAC; a text's key is its UTF-8."""
    return hmac.digest(secret.encode() if isinstance(secret, str) else secret, message, digest)


def b64(raw: bytes) -> str:
    """Base64 text."""
    return base64.b64encode(raw).decode()


def sha256(text: bytes) -> str:
    """The hexadecimal digest."""
    return hashlib.sha256(text).hexdigest()


def same(expected: str, got: str | None) -> bool:
    """Whether two texts are the same."""
    return got is not None and hmac.compare_digest(expected.encode(), got.encode("utf-8", "surrogatepass"))


def said(right: bool) -> str:  # noqa: FBT001 # the one thing that it says
    """An oracle's word."""
    return "accepts" if right else "rejects"


class BodySample(NamedTuple):
    """A sample that compares one header with a text made of secret and body."""

    header: str
    expected: Callable[[Secret, bytes], str]

    def sign(self, delivery: Delivery, secret: Secret, _now: int) -> Delivery:
        """As the provider does."""
        return delivery.with_headers({self.header: self.expected(secret, delivery.body.encode())})

    def __call__(self, vector: Vector) -> str:
        """The sample's verdict."""
        return said(same(self.expected(vector["secret"], body_of(vector)), header(vector, self.header)))


class TimedSample(NamedTuple):
    """A sample that reads a timestamp and signatures, checks the one by a clock and compares the others."""

    write: Callable[[str, str], Headers]  # timestamp and signature to headers
    read: Callable[[Callable[[str], str]], tuple[str, list[str]]]  # headers to timestamp and signatures
    expected: Callable[[Secret, Vector, str], str]  # secret, request and timestamp to a signature
    stamp: Callable[[int], str] = str
    seconds: Callable[[str], float] = float
    window: tuple[int, int] = (300, 300)

    def sign(self, delivery: Delivery, secret: Secret, now: int) -> Delivery:
        """As the provider does."""
        stamp = self.stamp(now)
        request = {"body": delivery.body, "url": delivery.url, "method": delivery.method}
        return delivery.with_headers(self.write(stamp, self.expected(secret, request, stamp)))

    def __call__(self, vector: Vector) -> str:
        """The sample's verdict."""

        def get(name: str) -> str:
            value = header(vector, name)
            if not value:
                raise ValueError(name)
            return value

        try:
            stamp, signatures = self.read(get)
            past, future = self.window
            if not -future <= vector["now"] - self.seconds(stamp) <= past:
                return "rejects"
        except ValueError:
            return "rejects"
        expected = self.expected(vector["secret"], vector, stamp)
        return said(any(same(expected, each) for each in signatures))


def pairs(text: str, separator: str) -> list[tuple[str, str]]:
    """``t=1,v1=2`` as pairs."""
    return [
        (name, value) for name, _, value in (each.strip().partition("=") for each in text.split(separator))
    ]


def listed(name: str, separator: str, stamp: str, signature: str) -> dict[str, Any]:
    """How to write and read a header such as ``t=...,v1=...``."""

    def read(get: Callable[[str], str]) -> tuple[str, list[str]]:
        found = pairs(get(name), separator)
        stamps = [value for key, value in found if key == stamp]
        if len(stamps) != 1:
            raise ValueError(stamp)
        return stamps[0], [value for key, value in found if key == signature]

    return {
        "write": lambda at, made: {name: f"{stamp}={at}{separator}{signature}={made}"},
        "read": read,
    }


def two_headers(signature: str, stamp: str, prefix: str = "") -> dict[str, Any]:
    """How to write and read a signature and a timestamp in two headers."""

    def read(get: Callable[[str], str]) -> tuple[str, list[str]]:
        found = get(signature)
        if not found.startswith(prefix):
            raise ValueError(prefix)
        return get(stamp), [found.removeprefix(prefix)]

    return {"write": lambda at, made: {signature: prefix + made, stamp: at}, "read": read}
