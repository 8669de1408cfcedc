"""An S3 bucket: an object for each delivery, or lines of several deliveries in one object.

``json``: the key names the object, and a repeat of the delivery writes the same one again.

``ndjson``: deliveries of one integration that are in one invocation make one object. ``id`` in its key is
then not the event's but the object's own, which follows from the deliveries in it: no object is ever
overwritten by another one's lines. Deliveries whose keys differ otherwise (by date, say) are in objects of
their own. At least once: a line that is stored twice is so in two objects, and ``_delivery`` tells.

What ends in ``.gz`` is packed. Values in a key are URL-encoded, as Hive does in names of partitions.
"""

from __future__ import annotations

import hashlib
import time
import zlib
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from causeway.aws.errors import AwsError
from causeway.calls.outcome import Answer
from causeway.delivery.targets.sending import AWS_TIMEOUT, Shown, as_json, body_of, carry_out, refused
from causeway.events.expressions import ExpressionError
from causeway.events.texts import render_path

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from causeway.aws.client import Aws
    from causeway.delivery.targets.sending import About, Means
    from causeway.plan.records import JSON, BucketTarget, System

DELIVERY = "_delivery"
"""The key of a line that holds its delivery's id."""

_ANY_ID = "5ba4c8e1d2f74f0c9be9a36e0d1c7f42"
"""Stands in a key for the object's own id until it is known."""

_LONGEST_KEY = 1024  # bytes; https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
_GZIP = zlib.MAX_WBITS | 16
_TYPES = {"json": "application/json", "ndjson": "application/x-ndjson"}


class Line(NamedTuple):
    """One delivery's line, and the key of the object that it is to be in."""

    key: str  # with _ANY_ID for the object's id
    delivery: str
    text: str


def receiver(words: BucketTarget) -> str:
    """The bucket, by its name."""
    return f"bucket {words['name']}"


def described(words: BucketTarget) -> str:
    """The bucket and what is written there."""
    return f"{receiver(words)}: {words['content']}"


def timeout(_: BucketTarget) -> float:
    """As of all of AWS."""
    return AWS_TIMEOUT


def show(words: BucketTarget, scope: Mapping[str, JSON], about: About, _: Mapping[str, System]) -> Shown:
    """The object, unpacked; of lines one that holds this delivery alone."""
    headers = {"Content-Type": _TYPES[words["content"]]}
    if words["content"] == "json":
        key, body = _key(words, scope), as_json(body_of(words, scope))
    else:
        line = _line(words, scope, about)
        key, body = _named([line]), _text([line])
    if key.endswith(".gz"):
        headers["Packed"] = "gzip"
    return Shown("PutObject", f"s3://{words['name']}/{key}", headers, body)


def send(words: BucketTarget, scope: Mapping[str, JSON], about: About, means: Means) -> Answer:
    """Put it there, alone or with others."""
    name, content = words["name"], words["content"]
    if content == "json":
        key, body = _key(words, scope), as_json(body_of(words, scope))
        return carry_out(receiver(words), lambda: _put(means.aws, name, key, body, content))
    begun = time.monotonic()
    means.together(_line(words, scope, about), lambda lines: _store(means.aws, words, lines))
    return Answer(200, {}, None, time.monotonic() - begun)


def _store(aws: Aws, words: BucketTarget, lines: Sequence[Line]) -> list[Exception | None]:
    """Put lines into as few objects as their keys allow; what became of each line."""
    objects: dict[str, list[Line]] = defaultdict(list)
    for line in sorted(set(lines)):
        objects[line.key].append(line)
    failures: dict[str, AwsError] = {}
    for key, together in objects.items():
        try:
            _put(aws, words["name"], _named(together), _text(together), words["content"])
        except AwsError as error:
            failures[key] = error
    # Each its own exception: several threads raise them.
    return [refused(receiver(words), failures[line.key]) if line.key in failures else None for line in lines]


def _put(aws: Aws, bucket: str, key: str, text: str, content: str) -> None:
    body = text.encode()
    if key.endswith(".gz"):
        aws.put_object(bucket, key, zlib.compress(body, wbits=_GZIP), content_type="application/gzip")
    else:
        aws.put_object(bucket, key, body, content_type=_TYPES[content])


def _key(words: BucketTarget, scope: Mapping[str, JSON]) -> str:
    key = render_path(words["key"], scope)
    if len(key) > _LONGEST_KEY:
        raise ExpressionError(f"a key has at most {_LONGEST_KEY} bytes", "key")
    return key


def _line(words: BucketTarget, scope: Mapping[str, JSON], about: About) -> Line:
    body = body_of(words, scope)
    if not isinstance(body, dict):
        raise ExpressionError("content: ndjson needs an object, which becomes a line", "body")
    key = _key(words, {**scope, "id": _ANY_ID})
    if _ANY_ID not in key:
        raise ExpressionError(
            "with content: ndjson it must hold ${id}, or objects would overwrite each other", "key"
        )
    return Line(key, about.delivery, as_json({DELIVERY: about.delivery, **body}))


def _named(lines: Sequence[Line]) -> str:
    """The key of the object that holds these lines."""
    members = "\n".join(line.delivery for line in lines)
    return lines[0].key.replace(_ANY_ID, hashlib.sha256(members.encode()).hexdigest()[:32])


def _text(lines: Sequence[Line]) -> str:
    return "".join(f"{line.text}\n" for line in lines)
