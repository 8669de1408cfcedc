"""``causeway authorize``: a person's consent to what a system lets Causeway do, as its first refresh token.

Authorization code with PKCE (RFC 7636) and a loopback redirect (RFC 8252, 7.3): the browser comes back to
this process, and nothing but the refresh token is kept, where the map says.
"""

from __future__ import annotations

import json
import time
import webbrowser
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from causeway.calls.auth import each_auth
from causeway.calls.transport import Transport
from causeway.plan.problems import did_you_mean
from causeway_cli import consent
from causeway_cli.errors import CommandError
from causeway_cli.options import LAST_PORT, AsJson
from causeway_cli.place import FindPlace, at_place
from causeway_cli.secret_names import SecretUse
from causeway_cli.stored_secrets import field_of

if TYPE_CHECKING:
    from causeway.plan.plan import Plan
    from causeway.plan.records import Auth
    from causeway_cli.stored_secrets import StoredSecrets


@at_place
def authorize(
    find: FindPlace,
    system: Annotated[str, typer.Argument(help="The system, by its name in the map.")],
    *,
    port: Annotated[
        int,
        typer.Option(
            "--port",
            min=0,
            max=LAST_PORT,
            help="Where the browser comes back to; 0: any. Some servers want a known one.",
        ),
    ] = 0,
    browser: Annotated[bool, typer.Option(help="Open the page; it is printed in any case.")] = True,
    within: Annotated[float, typer.Option("--within", help="Seconds to wait for the consent.")] = 300.0,
    as_json: AsJson = False,
) -> None:
    """Ask for consent in a browser, and store the refresh token that it brings where functions look for it.

    For systems whose auth is oauth2 with grant refresh_token. Functions take it up at their next refresh.

    Example: causeway authorize crm --stack causeway
    """
    place = find()
    grant = _grant_of(place.plan, system)
    kept = OutSecrets(place.secrets)
    transport = Transport()
    try:
        client = consent.Client(
            grant.auth, grant.allow_private, kept.reveal, transport, identity=kept.identity(grant.mtls)
        )
        with consent.Redirect(port, client.state) as redirect:
            page = client.page(redirect.uri)
            if not as_json:
                typer.echo(f"Consent here: {page}")
            else:
                typer.echo(page, err=True)
            if browser:
                webbrowser.open(page)
            code = redirect.wait(within=within)
        token = client.exchange(code, redirect.uri, now=time.time())
    finally:
        transport.close()
    kept.put(grant.auth["refresh_token"], token)
    name = grant.auth["refresh_token"]
    typer.echo(json.dumps({"system": system, "stored": name}) if as_json else f"stored {name} (out)")


@dataclass(frozen=True)
class Granting:
    """What of a system's manifest concerns its consent."""

    auth: Auth
    allow_private: tuple[str, ...]
    mtls: dict[str, str] | None


def _grant_of(plan: Plan, system: str) -> Granting:
    if system not in plan.systems:
        raise CommandError(f"the map has no system {system!r}; {did_you_mean(system, plan.systems)}")
    api = plan.systems[system].get("api")
    for auth in each_auth(api) if api else ():
        if api and auth.get("grant") == "refresh_token":
            return Granting(auth, tuple(api["allow_private"]), dict(api["mtls"]) if "mtls" in api else None)  # type: ignore[arg-type]
    raise CommandError(f"{system} asks for no consent: its auth is not oauth2 with `grant: refresh_token`")


class OutSecrets:
    """The stack's secrets of direction ``out``."""

    def __init__(self, secrets: StoredSecrets) -> None:
        self._secrets = secrets

    def reveal(self, name: str) -> str:
        """A secret's value."""
        value = self._secrets.get(SecretUse.of(name, "out"))
        if value is None:
            raise CommandError(f"the secret {name} is missing: causeway secrets put {name.partition('#')[0]}")
        return field_of(name, value)

    def identity(self, mtls: dict[str, str] | None) -> consent.Identity | None:
        """The certificate to show to the server."""
        return consent.Identity(self.reveal(mtls["certificate"]), self.reveal(mtls["key"])) if mtls else None

    def put(self, name: str, value: str) -> None:
        """Store a value; that of ``NAME#field`` beside the object's other fields."""
        use = SecretUse.of(name, "out")
        _, _, field = name.partition("#")
        if field:
            try:
                stored = json.loads(self._secrets.get(use) or "{}")
            except ValueError:
                stored = None
            if not isinstance(stored, dict):
                raise CommandError(f"the secret {use.name} is no JSON object, so it has no field {field!r}")
            value = json.dumps({**stored, field: value})
        self._secrets.put(use, value)
