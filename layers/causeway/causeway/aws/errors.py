"""What AWS says when it refuses, in one class."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from causeway.aws.connections import Response
    from causeway.plan.records import JSON

THROTTLED = frozenset(
    {
        "BandwidthLimitExceeded",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "Throttling",
        "ThrottledException",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)
"""Codes that mean "later", as botocore knows them."""

_TRANSIENT_STATUS = frozenset({500, 502, 503, 504})
_TRANSIENT_CODES = frozenset({"RequestTimeout", "RequestTimeoutException"})


class AwsError(Exception):
    """AWS refused; or did not answer: then the status is 0 and the code ``NotConnected`` or ``NoAnswer``.

    Attributes:
        code: AWS's name of the error, without namespace: ``ConditionalCheckFailedException``, ``NoSuchKey``.
        message: AWS's own words.
        status: The HTTP status.
        item: The item that failed the condition, in DynamoDB's typed JSON, where the call asked for it.
        maybe_done: One of the tries got no clear answer: it may have been carried out.
    """

    def __init__(
        self,
        code: str,
        message: str,
        status: int,
        *,
        item: dict[str, JSON] | None = None,
        maybe_done: bool = False,
    ) -> None:
        super().__init__(f"{code}: {message}" if message else code)
        self.code = code
        self.message = message
        self.status = status
        self.item = item
        self.maybe_done = maybe_done

    @property
    def throttled(self) -> bool:
        """AWS asks for fewer calls."""
        return self.code in THROTTLED

    @property
    def retryable(self) -> bool:
        """The same call may succeed later."""
        return self.throttled or self.status in {0, *_TRANSIENT_STATUS} or self.code in _TRANSIENT_CODES


def error_of(response: Response) -> AwsError:
    """The error that an answer other than success tells."""
    code, message, item = _json_error(response.body) or _xml_error(response.body) or ("", "", None)
    return AwsError(
        code or f"Http{response.status}",
        message,
        response.status,
        item=item,
        maybe_done=response.status in _TRANSIENT_STATUS and code not in THROTTLED,
    )


def _json_error(body: bytes) -> tuple[str, str, dict[str, JSON] | None] | None:
    """Like ``{"__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheck...", "message": ...}``."""
    try:
        answer: Any = json.loads(body)
        code = answer["__type"].rpartition("#")[2].partition(":")[0]
        return code, answer.get("message") or answer.get("Message") or "", answer.get("Item")
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _xml_error(body: bytes) -> tuple[str, str, None] | None:
    """S3's: ``<Error><Code>NoSuchKey</Code><Message>...``."""
    text = body.decode(errors="replace")
    code = re.search(r"<Code>([^<]*)</Code>", text)
    message = re.search(r"<Message>([^<]*)</Message>", text)
    return (code[1], message[1] if message else "", None) if code else None
