"""Taking a secret that a provider brings at first contact: the operator's half of ``webhooks.accepting``."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from causeway.webhooks.accepting import mailbox_name, window_name
from causeway.webhooks.contacting import handshakes_of
from causeway.webhooks.handshakes import HANDSHAKES
from causeway_cli.errors import CommandError
from causeway_cli.secret_names import SecretUse

if TYPE_CHECKING:
    from collections.abc import Callable

    from causeway_cli.place import Place

_LOOK_EVERY = 1.0


def chosen(place: Place, system: str, name: str | None) -> SecretUse:
    """The secret that is to be stored.

    Raises:
        CommandError: The system's provider brings none, or the system names no such secret.
    """
    found = place.plan.systems.get(system)
    webhooks = found.get("webhooks") if found else None
    if webhooks is None:
        raise CommandError(f"the map has no system {system!r} that sends webhooks")
    brings = any(each.keeps for one in handshakes_of(webhooks) for each in HANDSHAKES[one])
    if not brings:
        raise CommandError(f"{system} brings no secret itself: causeway secrets put stores one")
    known = [SecretUse.of(each, "in", system) for each in webhooks["secrets"] if "#" not in each]
    if name is not None:
        known = [use for use in known if use.name == name]
    if not known:
        raise CommandError(
            f"{system} names no secret {name!r}" if name else f"{system} names no whole secret"
        )
    return next((use for use in known if not place.secrets.is_there(use)), known[0])


def accept(
    place: Place,
    system: str,
    use: SecretUse,
    *,
    seconds: float,
    clock: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Open the window, wait for the secret, store it, and close the window, whatever happens.

    Raises:
        CommandError: None came.
    """
    ssm = place.clients("ssm")
    prefix = f"/{place.stack}/causeway"
    window, mailbox = window_name(prefix, system), mailbox_name(prefix, system)
    _delete(ssm, mailbox)
    until = clock() + seconds
    try:
        ssm.put_parameter(Name=window, Value=str(int(until)), Type="String", Overwrite=True)
        while (secret := _read(ssm, mailbox)) is None:
            if clock() >= until:
                raise CommandError(f"{system} brought no secret: the window is closed")
            sleep(_LOOK_EVERY)
        place.secrets.put(use, secret)
    finally:
        _delete(ssm, window)
        _delete(ssm, mailbox)


def _read(ssm: Any, name: str) -> str | None:
    try:
        value: str = ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ParameterNotFound":
            raise
        return None
    return value


def _delete(ssm: Any, name: str) -> None:
    with suppress(ssm.exceptions.ParameterNotFound):
        ssm.delete_parameter(Name=name)
