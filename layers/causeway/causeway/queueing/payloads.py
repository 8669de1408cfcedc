"""The claim check: events, and what else is too large for a message or an item, lie in the payloads bucket.

A pointer is ``s3:KEY``. The key names the day, the acceptance and the content, so storing the same again
for the same acceptance is harmless and nothing overwrites anything else. The bucket's lifecycle deletes
them, later than any dead letter is kept.
"""

from __future__ import annotations

import hashlib
import json
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from causeway.aws.client import Aws
    from causeway.plan.records import JSON

_SCHEME = "s3:"


class Payloads:
    """JSON objects in the bucket: events, answers, replies."""

    def __init__(self, aws: Aws, bucket: str) -> None:
        self._aws = aws
        self._bucket = bucket

    def store(
        self, value: Mapping[str, JSON], *, acceptance: str, accepted_at: float, folder: str = "events"
    ) -> str:
        """Store an object and return the pointer to it.

        Raises:
            AwsError: it could not be stored.
        """
        body = json.dumps(value, separators=(",", ":")).encode()
        day = time.strftime("%Y/%m/%d", time.gmtime(accepted_at))
        key = f"{folder}/{day}/{acceptance}/{hashlib.sha256(body).hexdigest()[:32]}.json"
        self._aws.put_object(self._bucket, key, body, content_type="application/json")
        return _SCHEME + key

    def read(self, pointer: str) -> JSON:
        """The object that a pointer points to.

        Raises:
            AwsError: it could not be read, or is no longer there.
            ValueError: this is no pointer.
        """
        if not pointer.startswith(_SCHEME):
            raise ValueError(f"{pointer!r} does not point into the bucket")
        return json.loads(self._aws.get_object(self._bucket, pointer.removeprefix(_SCHEME)))
