"""Proving that a request comes from its provider: verification with the secrets that are stored."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from causeway.settings.secrets import SecretMissing
from causeway.telemetry.logs import logger
from causeway.webhooks.verify import Rejected, unusable, verify

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from causeway.plan.records import System, Webhooks
    from causeway.settings.secrets import Secrets
    from causeway.webhooks.special import Fetch
    from causeway.webhooks.verify import SignedRequest, Verified

_STORED_SECRETS_MAY_HELP = ("signature", "secret")


class Proof(NamedTuple):
    """What was verified, and the secret that did it."""

    verified: Verified
    secret: str

    def __repr__(self) -> str:
        return f"Proof({self.verified.scheme.get('header')}, ...)"


def prove(
    system: System,
    webhooks: Webhooks,
    request: SignedRequest,
    *,
    secrets: Secrets,
    now: float,
    fetch: Fetch | None = None,
) -> Proof:
    """Verify by the secrets as they are known; after a mismatch by those now stored, and those before them.

    A secret that is missing or unusable hinders no other. When nothing verifies, the operator hears of each.

    Raises:
        Rejected: it is not proven.
        SecretsUnavailable: the store of secrets does not answer, so nothing can be said.
    """
    rejected = Rejected("secret")
    for read in (secrets.current, secrets.reread):
        try:
            stored = present(read, webhooks["secrets"])
            tolerance = webhooks.get("tolerance")
            verified = verify(webhooks["schemes"], request, stored, tolerance=tolerance, now=now, fetch=fetch)
            return Proof(verified, stored[verified.secret_index])
        except Rejected as error:
            rejected = error
        if rejected.rule not in _STORED_SECRETS_MAY_HELP:
            break
    _tell_operator(system, webhooks, secrets, rejected)
    raise rejected


def present(read: Callable[[Sequence[str]], list[str]], names: Sequence[str]) -> list[str]:
    """The secrets that are there. All are read at once, and one by one only when one is not there."""
    with suppress(SecretMissing):
        return read(names)
    found: list[str] = []
    for name in names:
        with suppress(SecretMissing):
            found += read([name])
    return found


def _tell_operator(system: System, webhooks: Webhooks, secrets: Secrets, rejected: Rejected) -> None:
    """Tell what can never verify: a line per secret, and none when the request alone was wrong."""
    if rejected.rule == "scheme":
        logger().error("a scheme cannot verify", system=system["name"], reason=str(rejected.__cause__))
    if rejected.rule not in _STORED_SECRETS_MAY_HELP:
        return
    for name in webhooks["secrets"]:
        try:
            bad = unusable(webhooks["schemes"], secrets.current([name]))
            problem = "it is not what the scheme's key should be (prefix, encoding)" if bad else None
        except SecretMissing as error:
            problem = str(error)
        if problem:
            logger().error("a secret cannot verify", system=system["name"], secret=name, reason=problem)
    if not webhooks["secrets"]:
        logger().error("a system names no secret", system=system["name"])
