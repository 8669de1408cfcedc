"""What polls keep in the bucket: states too large for an item, hashes of lists, pages that are being queued.

Objects are named ``polls/<system>/<poll>/...``; nothing that is still needed stands there for longer than it
takes until the next run, so the bucket's lifecycle, which deletes what is months old, takes nothing away.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING

from causeway.aws.errors import AwsError

if TYPE_CHECKING:
    from causeway.aws.client import Aws
    from causeway.plan.records import JSON


class Shelf:
    """One poll's objects. ``put`` and ``get`` raise ``AwsError`` as AWS does.

    Args:
        aws: Whose calls.
        bucket: Its name.
        name: The poll, ``<system>/<poll>``.
    """

    def __init__(self, aws: Aws, bucket: str, name: str) -> None:
        self._aws = aws
        self._bucket = bucket
        self._prefix = f"polls/{name}/"

    def put(self, name: str, value: JSON) -> str:
        """Keep a value, over what was there; return the pointer to it."""
        body = json.dumps(value, separators=(",", ":")).encode()
        key = self.pointer(name)
        self._aws.put_object(self._bucket, key, body, content_type="application/json")
        return key

    def pointer(self, name: str) -> str:
        """What leads to a value of this name."""
        return f"{self._prefix}{name}.json"

    def get(self, pointer: str) -> JSON:
        """What a pointer leads to."""
        return json.loads(self._aws.get_object(self._bucket, pointer))

    def drop(self, pointer: str) -> None:
        """Take away what nobody needs any more; what stays is the lifecycle's."""
        with suppress(AwsError):
            self._aws.delete_object(self._bucket, pointer)
