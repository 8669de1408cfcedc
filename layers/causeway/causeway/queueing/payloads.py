"""The claim check: events that are too large for a message or an item lie in the payloads bucket.

A pointer is ``s3:KEY``. The key names the day, the acceptance and the content, so storing the same event of
the same acceptance again is harmless and events never overwrite each other. The bucket's lifecycle deletes
them, later than any dead letter is kept.
"""

from __future__ import annotations

import hashlib
import json
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from causeway.aws.client import Aws
    from causeway.queueing.messages import Event

_SCHEME = "s3:"


class Payloads:
    """Events in the bucket."""

    def __init__(self, aws: Aws, bucket: str) -> None:
        self._aws = aws
        self._bucket = bucket

    def store(self, event: Event, *, acceptance: str, accepted_at: float, folder: str = "events") -> str:
        """Store an event, or another object, and return the pointer to it.

        Raises:
            AwsError: it could not be stored.
        """
        body = json.dumps(event, separators=(",", ":")).encode()
        day = time.strftime("%Y/%m/%d", time.gmtime(accepted_at))
        key = f"{folder}/{day}/{acceptance}/{hashlib.sha256(body).hexdigest()[:32]}.json"
        self._aws.put_object(self._bucket, key, body, content_type="application/json")
        return _SCHEME + key

    def read(self, pointer: str) -> Event:
        """The event that a pointer points to.

        Raises:
            AwsError: it could not be read, or is no longer there.
            ValueError: this is no pointer.
        """
        if not pointer.startswith(_SCHEME):
            raise ValueError(f"{pointer!r} does not point into the bucket")
        event: Event = json.loads(self._aws.get_object(self._bucket, pointer.removeprefix(_SCHEME)))
        return event
