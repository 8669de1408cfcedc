"""One HTTP exchange with a server of a test's."""

from __future__ import annotations

import pytest

from causeway.calls.connection import NoAnswerError
from causeway.calls.request import Request

LOOPBACK = ("127.0.0.0/8",)


def post(
    transport, url, body=b"{}", *, seconds=5.0, repeatable=False, allow=LOOPBACK, headers=None, method="POST"
):
    request = Request(method, url, headers or {"Accept-Encoding": "gzip"}, body)
    return transport.exchange(request, allow_private=allow, seconds=seconds, repeatable=repeatable)


def failure(*arguments, **named) -> NoAnswerError:
    with pytest.raises(NoAnswerError) as caught:
        post(*arguments, **named)
    return caught.value
