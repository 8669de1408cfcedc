"""Queues, buses and buckets that a map names as targets: made in the local cloud, and buckets looked into.

On AWS they are somebody else's; here nobody else is.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from causeway_cli.account import LOCAL_REGION
from causeway_cli.local.cloud import STACK
from causeway_cli.secret_names import signing_canaries

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator

    from causeway.plan.plan import Plan
    from causeway_cli.local.console import DevConsole

_EVERY = 1.0  # seconds between looks
_SHOWN = 60  # characters of an object
_THERE_ALREADY = ("BucketAlreadyOwnedByYou", "ResourceAlreadyExistsException")


def make(clients: Callable[[str], Any], plan: Plan) -> dict[str, str]:
    """Make what a plan's targets name and is not there yet.

    Args:
        clients: The local cloud's.
        plan: Whose targets.

    Returns:
        The stack's parameters that let the processor send there, that make a stream if one is needed, and
        that let the watchdog sign canaries.
    """
    queues = [
        clients("sqs").create_queue(QueueName=name, Attributes=_of_queue(name))["QueueUrl"]
        for name in _named(plan, "queue")
    ]
    for name in _named(plan, "bucket"):
        _make_unless_there(clients("s3").create_bucket, Bucket=name)
    buses = _named(plan, "bus")
    for name in buses:
        if name != "default" and not name.startswith("arn:"):
            _make_unless_there(clients("events").create_event_bus, Name=name)
    return {
        "TargetQueues": ",".join(_arn_of_queue(clients("sqs"), url) for url in queues),
        "TargetBuses": ",".join(clients("events").describe_event_bus(Name=name)["Arn"] for name in buses),
        "CanarySecrets": ",".join(sorted(set(_secrets_of_canaries(clients, plan)))),
        "StreamMode": "on-demand" if _needs_stream(plan) else "none",
        "TargetBuckets": ",".join(f"arn:aws:s3:::{name}/*" for name in _named(plan, "bucket")),
    }


def _secrets_of_canaries(clients: Callable[[str], Any], plan: Plan) -> Iterator[str]:
    """The ARNs of the secrets that sign canaries."""
    uses = signing_canaries(plan)
    if not uses:
        return
    account = clients("sts").get_caller_identity()["Account"]
    for use in uses:
        path = use.path(STACK)
        if use.in_secrets_manager:
            yield f"arn:aws:secretsmanager:{LOCAL_REGION}:{account}:secret:{path}-*"
        else:
            yield f"arn:aws:ssm:{LOCAL_REGION}:{account}:parameter{path}"


class Objects:
    """Shows objects in a plan's buckets as they come.

    Args:
        s3: The local cloud's client.
        plan: Gives the plan of the moment.
        console: Where to print.
    """

    def __init__(self, s3: Any, plan: Callable[[], Plan], console: DevConsole) -> None:
        self._s3 = s3
        self._plan = plan
        self._console = console
        self._seen: set[tuple[str, str, str]] = set()

    def run(self, stop: threading.Event) -> None:
        """Look until told to stop."""
        while not stop.wait(_EVERY):
            self.look()

    def look(self) -> None:
        """Show what has come since the last look."""
        try:
            for bucket in _named(self._plan(), "bucket"):
                for key, at in self._new(bucket):
                    detail = f"{key}  {self._beginning(bucket, key)}"
                    self._console.event(bucket, "got", detail, style="ok", at=at)
        except (ClientError, BotoCoreError) as error:
            self._console.event("buckets", "unread", str(error), style="bad")

    def _new(self, bucket: str) -> Iterator[tuple[str, float]]:
        for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            for found in page.get("Contents", []):
                seen = (bucket, found["Key"], found["ETag"])
                if seen not in self._seen:
                    self._seen.add(seen)
                    yield found["Key"], found["LastModified"].timestamp()

    def _beginning(self, bucket: str, key: str) -> str:
        body = self._s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        if key.endswith(".gz"):
            body = zlib.decompress(body, wbits=zlib.MAX_WBITS | 16)
        text = body.decode("utf-8", "replace").rstrip("\n")
        lines = text.count("\n") + 1
        first = text.partition("\n")[0]
        short = first if len(first) <= _SHOWN else f"{first[: _SHOWN - 1]}…"
        return f"{lines} lines, {short}" if lines > 1 else short


def _needs_stream(plan: Plan) -> bool:
    return any(each.get("buffer") == "stream" for each in plan.integrations.values())


def _named(plan: Plan, kind: str) -> list[str]:
    targets = (integration["target"] for integration in plan.integrations.values())
    return sorted({target[kind]["name"] for target in targets if kind in target})  # type: ignore[literal-required]


def _of_queue(name: str) -> dict[str, str]:
    return {"FifoQueue": "true"} if name.endswith(".fifo") else {}


def _arn_of_queue(sqs: Any, url: str) -> str:
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    arn: str = attributes["QueueArn"]
    return arn


def _make_unless_there(make_it: Callable[..., Any], **named: str) -> None:
    try:
        make_it(**named)
    except ClientError as error:
        if error.response["Error"]["Code"] not in _THERE_ALREADY:
            raise
