"""What the table of built-in schemes promises beyond its vectors."""

from __future__ import annotations

import base64

import pytest

from causeway.webhooks.schemes import SCHEMES
from causeway.webhooks.sign import sign
from causeway.webhooks.verify import Rejected, SignedRequest, verify


def test_a_standard_webhooks_secret_may_come_without_its_prefix():
    """As the official libraries have it; the public key of v1a is no HMAC key all the same."""
    secret = base64.b64encode(bytes(range(32))).decode()
    now = 1_760_000_000
    scheme = SCHEMES["standard-webhooks"][0]
    headers = sign(scheme, body=b"{}", secret=f"whsec_{secret}", id="msg_1", now=now)
    request = SignedRequest("POST", "", headers, b"{}")
    arguments = {"tolerance": 300.0, "now": now}
    assert verify(SCHEMES["standard-webhooks"], request, [secret], **arguments)
    with pytest.raises(Rejected):
        verify(SCHEMES["standard-webhooks"], request, [f"whpk_{secret}"], **arguments)
