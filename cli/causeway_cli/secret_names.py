"""Which secrets a map names, and in which direction: `in` verifies, `out` calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from causeway.calls.auth import each_auth

if TYPE_CHECKING:
    from collections.abc import Iterator

    from causeway.plan.plan import Plan
    from causeway.plan.records import Api

Direction = Literal["in", "out"]

SECRETS_MANAGER = "sm:"


class SecretUse(NamedTuple):
    """A secret that a map names."""

    name: str  # as a person writes it, without the field of a JSON object: `shop/webhook`, `sm:shop/webhook`
    direction: Direction
    used_by: str = ""  # the system or the integration

    @classmethod
    def of(cls, written: str, direction: Direction, used_by: str = "") -> SecretUse:
        """A secret as a manifest names it: ``NAME``, ``sm:NAME``, either with ``#field``."""
        return cls(written.partition("#")[0], direction, used_by)

    @property
    def in_secrets_manager(self) -> bool:
        """Whether it is in Secrets Manager, not in Parameter Store."""
        return self.name.startswith(SECRETS_MANAGER)

    def path(self, stack: str) -> str:
        """Where it is stored for a stack."""
        place = f"{stack}/causeway/{self.direction}/{self.name.removeprefix(SECRETS_MANAGER)}"
        return place if self.in_secrets_manager else f"/{place}"


def uses(plan: Plan) -> list[SecretUse]:
    """Every secret of a plan, once per direction, in the map's order."""
    found: dict[tuple[str, str], SecretUse] = {}
    for use in _all(plan):
        found.setdefault((use.name, use.direction), use)
    return list(found.values())


def signing_canaries(plan: Plan) -> list[SecretUse]:
    """The secrets by which the watchdog signs canaries: of each system that has one, the first."""
    return [
        SecretUse.of(secret, "in", name)
        for name, system in plan.systems.items()
        if system.get("webhooks", {}).get("canary")
        for secret in system["webhooks"]["secrets"][:1]
    ]


def _all(plan: Plan) -> Iterator[SecretUse]:
    for name, system in plan.systems.items():
        webhooks = system.get("webhooks")
        if webhooks:
            for secret in webhooks["secrets"]:
                yield SecretUse.of(secret, "in", name)
            if "token" in webhooks:
                yield SecretUse.of(webhooks["token"], "in", name)
            yield from (SecretUse.of(secret, "in", name) for secret in _references(webhooks))
        api = system.get("api")
        if api:
            yield from (SecretUse.of(secret, "out", name) for secret in _of_api(api))
            yield from (SecretUse.of(secret, "out", name) for secret in _references(api))
    for integration in plan.integrations.values():
        places = [*integration["steps"], integration["target"]]
        yield from (
            SecretUse.of(secret, "out", integration["name"])
            for place in places
            for secret in _references(place)
        )


_NAMES = ("token", "password", "key", "certificate", "client_secret", "refresh_token")
"""Keys of ``auth`` and ``mtls`` that hold a secret's name."""


def _of_api(api: Api) -> Iterator[str]:
    for part in (*each_auth(api), api.get("mtls", {})):
        yield from (str(part[key]) for key in _NAMES if key in part)  # type: ignore[literal-required]
    yield from api.get("signing", {}).get("secrets", [])


def _references(value: Any) -> Iterator[str]:
    """Names in `{secret: NAME}`, wherever one stands in a value's place."""
    if isinstance(value, dict):
        if set(value) == {"secret"}:
            yield value["secret"]
        else:
            for item in value.values():
                yield from _references(item)
    elif isinstance(value, list):
        for item in value:
            yield from _references(item)
