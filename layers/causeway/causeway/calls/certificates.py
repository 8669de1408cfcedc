"""When the certificates end that calls show: noted by who may read them, for who watches and may not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from causeway.settings.secrets import SecretMissing, SecretsUnavailable

if TYPE_CHECKING:
    from aws_lambda_powertools.logging import Logger

    from causeway.aws.table import Table
    from causeway.plan.plan import Plan
    from causeway.settings.clock import Clock
    from causeway.settings.secrets import Secrets

PART = "certificate"
"""The range key; the hash key is ``certificate#<system>``."""

EVERY = 3600.0
"""Seconds after which an instance looks again."""


class UnreadableCertificateError(Exception):
    """A secret that should be a certificate in PEM is none."""


class Noting:
    """Notes when each system's certificate ends; one object serves an instance."""

    def __init__(self, plan: Plan, secrets: Secrets, state: Table, clock: Clock, logger: Logger) -> None:
        self._names = {
            name: system["api"]["mtls"]["certificate"]
            for name, system in plan.systems.items()
            if "mtls" in system.get("api", {})
        }
        self._secrets = secrets
        self._state = state
        self._clock = clock
        self._logger = logger
        self._noted: dict[str, float] = {}

    def run(self, *, until: float) -> int:
        """Note what has not been noted within the hour; return how many that was.

        Raises:
            AwsError: it could not be written down.
        """
        due = [name for name in self._names if self._clock.now() >= self._noted.get(name, 0.0) + EVERY]
        return sum(self._note(name) for name in due if self._clock.now() < until)

    def _note(self, system: str) -> bool:
        now = self._clock.now()
        try:
            (pem,) = self._secrets.current([self._names[system]])
            ends_at = end_of(pem)
        except (SecretMissing, SecretsUnavailable, UnreadableCertificateError) as error:
            self._logger.error("certificate not read", system=system, reason=str(error))  # noqa: TRY400
            return False
        self._state.put({"id": f"certificate#{system}", "part": PART, "ends_at": ends_at, "noted_at": now})
        self._noted[system] = now
        return True


def end_of(pem: str) -> float:
    """When the first of a certificate and those that vouch for it ends, in epoch seconds.

    Raises:
        UnreadableCertificateError: it is none in PEM.
    """
    from cryptography.x509 import load_pem_x509_certificates  # noqa: PLC0415 - few maps have any

    try:
        chain = load_pem_x509_certificates(pem.encode())
    except ValueError:
        raise UnreadableCertificateError("it is no certificate in PEM") from None
    return min(each.not_valid_after_utc.timestamp() for each in chain)
