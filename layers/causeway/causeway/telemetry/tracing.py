"""Traces: a subsegment per call where calls go out, and ``traceparent`` for the systems that are called.

X-Ray's SDK costs a quarter of a second to import. So it is imported by the first sampled call, in Lambda
only, and never by the receiving function.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
from typing import TYPE_CHECKING, Any

from causeway.telemetry.logs import service

if TYPE_CHECKING:
    from collections.abc import Iterator

# Texts, which `re` compiles when they are first used: the receiving function has no use for them.
_TRACE = r"Root=1-(?P<time>[0-9a-f]{8})-(?P<random>[0-9a-f]{24})(?:;|$)"
_PARENT = r"(?:^|;)Parent=(?P<id>[0-9a-f]{16})(?:;|$)"
_NOT_IN_NAMES = (
    r"[^\w\s.:/%&#=+\-@]"  # https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html
)


def trace_header() -> str | None:
    """The ``X-Amzn-Trace-Id`` of the invocation that is running; Lambda sets it anew for each."""
    return os.environ.get("_X_AMZN_TRACE_ID")


@contextlib.contextmanager
def subsegment(name: str, **annotations: str | float) -> Iterator[None]:
    """Time what is done inside, in whichever thread; does nothing outside Lambda or when it is not sampled.

    Args:
        name: What is done, such as the system that is called.
        annotations: What traces can be searched by: integration, system; ``service`` is added.
    """
    if not _is_sampled():
        yield
        return
    with _provider().in_subsegment(name=re.sub(_NOT_IN_NAMES, "_", name)) as segment:
        for key, value in {"service": service(), **annotations}.items():
            segment.put_annotation(key, value)
        yield


def traceparent(header: str | None) -> str:
    """The W3C header that continues a trace of X-Ray; without one, a new trace that is not sampled.

    Source: https://www.w3.org/TR/trace-context/#traceparent-header; X-Ray's ``Root=1-<8 hex>-<24 hex>`` is
    the same 16 bytes as a W3C trace id.
    """
    root = re.search(_TRACE, header or "")
    parent = re.search(_PARENT, header or "")
    trace_id = root["time"] + root["random"] if root else os.urandom(16).hex()
    parent_id = parent["id"] if root and parent else os.urandom(8).hex()
    sampled = bool(root) and "Sampled=1" in (header or "")
    return f"00-{trace_id}-{parent_id}-{int(sampled):02x}"


def _is_sampled() -> bool:
    return "LAMBDA_TASK_ROOT" in os.environ and "Sampled=1" in (trace_header() or "")


@functools.cache
def _provider() -> Any:
    from aws_lambda_powertools.tracing import Tracer  # noqa: PLC0415 - see the module's docstring

    return Tracer(auto_patch=False).provider
