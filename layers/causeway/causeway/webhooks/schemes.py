"""The built-in signature schemes, as data: one table, of a module per family.

A system's ``scheme`` is a list of records of which any may match, so that a provider that changes how it
signs (a second header name, a second algorithm) is one more record. What the keys mean is said once, in
:mod:`causeway.webhooks.compiled`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from causeway.webhooks.providers.bodies import BODIES
from causeway.webhooks.providers.code import CODE
from causeway.webhooks.providers.public_keys import PUBLIC_KEYS
from causeway.webhooks.providers.standard import STANDARD
from causeway.webhooks.providers.timestamped import TIMESTAMPED
from causeway.webhooks.providers.tokens import TOKENS
from causeway.webhooks.providers.urls import URLS
from causeway.webhooks.providers.web_tokens import WEB_TOKENS

if TYPE_CHECKING:
    from causeway.plan.records import Scheme

SCHEMES: dict[str, list[Scheme]] = {
    **STANDARD,
    **BODIES,
    **TIMESTAMPED,
    **URLS,
    **PUBLIC_KEYS,
    **WEB_TOKENS,
    **CODE,
    **TOKENS,
}
"""The schemes that a manifest may name."""
