"""The authorizer: API Gateway's question who calls in, the client or a refusal out."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING, Any

from causeway.authorizing.authorizer import Authorizer
from causeway.authorizing.keys import Keys
from causeway.aws.client import Aws
from causeway.aws.table import Table
from causeway.settings.clock import SystemClock
from causeway.settings.environment import Settings
from causeway.telemetry.logs import logger

if TYPE_CHECKING:
    from collections.abc import Mapping

    from causeway.authorizing.authorizer import Verdict
    from causeway.authorizing.issuer import Issuer
    from causeway.settings.clock import Clock
    from causeway.webhooks.special import Fetch


def make_authorizer(environ: Mapping[str, str], clock: Clock, fetch: Fetch | None = None) -> Authorizer:
    """What judges requests, made of the environment's settings."""
    settings = Settings.from_env(environ)
    keys = Keys(Table(Aws.from_env(environ), settings.state_table), clock)
    return Authorizer(keys, _issuer(settings, clock, fetch))


def _issuer(settings: Settings, clock: Clock, fetch: Fetch | None) -> Issuer | None:
    if not settings.oidc_issuer:
        return None
    from causeway.authorizing.issuer import Issuer  # noqa: PLC0415 - only who takes tokens needs them
    from causeway.webhooks.key_material import KeyMaterial  # noqa: PLC0415 - likewise

    return Issuer(
        issuer=settings.oidc_issuer,
        audience=settings.oidc_audience,
        keys_url=settings.oidc_jwks_url,
        fetch=fetch or KeyMaterial(clock),
        clock=clock,
    )


@functools.cache
def _authorizer() -> Authorizer:
    """Once per instance; tests of the handler put their own here."""
    return make_authorizer(os.environ, SystemClock())


def handler(event: dict[str, Any], context: Any) -> Verdict:
    """Judge one request. Settings that are no good raise, which API Gateway answers with 500."""
    logger().append_keys(function_request_id=context.aws_request_id)
    return _authorizer().judge(event)
