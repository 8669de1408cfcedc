"""``causeway keys``: API keys, by which clients are let in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from pydantic_core import PydanticCustomError
from rich.console import Console
from rich.table import Table

from causeway.authorizing.clients import SCOPES
from causeway.authorizing.keys import BadKeyRequestError, Keys
from causeway.plan.manifest.values import positive_duration
from causeway.settings.clock import rfc3339
from causeway_cli.errors import CommandError
from causeway_cli.options import AsJson
from causeway_cli.printing import print_json, wide_console
from causeway_cli.stacks import OnStack, on_stack

if TYPE_CHECKING:
    from causeway.authorizing.keys import Key
    from causeway.plan.records import JSON

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)

_STYLES = {"good": "green", "expired": "yellow", "revoked": "red"}


@app.callback()
def keys() -> None:
    """Make, list and revoke API keys of clients. A client rotates by having two for a while.

    Example: causeway keys create billing-app --scope requests:call
    """


@app.command()
@on_stack
def create(
    stack: OnStack,
    client: Annotated[str, typer.Argument(help="Whose it is: small letters, digits and -.")],
    *,
    scope: Annotated[list[str], typer.Option("--scope", help=f"What it allows: {', '.join(SCOPES)}.")],
    good_for: Annotated[str, typer.Option("--good-for", help="30d, 365d ...")] = "365d",
    as_json: AsJson = False,
) -> None:
    """Make a key, and show it: this once, for only its hash is kept.

    Example: causeway keys create billing-app --scope requests:call --good-for 90d
    """
    try:
        seconds = positive_duration(good_for)
    except PydanticCustomError as error:
        raise CommandError(f"--good-for {good_for}: {error.message()}") from error
    with stack() as place:
        try:
            text, key = Keys(place.state, place.clock).create(
                client, scopes=scope, good_for=seconds, by=place.by
            )
        except BadKeyRequestError as error:
            raise CommandError(str(error)) from error
        now = place.clock.now()
    if as_json:
        print_json({"key": text, **_described(key, now)})
        return
    print(text)
    Console(stderr=True).print(
        f"It is not shown again. It is sent as `Authorization: Bearer ...`, and good until "
        f"{rfc3339(key.expires_at)}; to end it before: causeway keys revoke {key.id}",
        highlight=False,
        soft_wrap=True,
    )


@app.command("list")
@on_stack
def list_(
    stack: OnStack,
    *,
    as_json: AsJson = False,
) -> None:
    """Show all keys until they are expired, but for the keys themselves.

    Example: causeway keys list --stack causeway
    """
    with stack() as place:
        now = place.clock.now()
        described = [_described(key, now) for key in Keys(place.state, place.clock).all()]
    if as_json:
        print_json(described)
        return
    table = Table(box=None, pad_edge=False)
    for name in ("id", "client", "scopes", "state", "good until", "made by"):
        table.add_column(name, overflow="fold")
    for each in described:
        state = f"[{_STYLES[each['state']]}]{each['state']}[/]"
        table.add_row(
            each["id"],
            each["client"],
            " ".join(each["scopes"]),
            state,
            each["expires_at"],
            each["created_by"],
        )
    wide_console().print(table)


@app.command()
@on_stack
def revoke(
    stack: OnStack,
    key: Annotated[str, typer.Argument(metavar="ID", help="The key's id, as `causeway keys list` shows it.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Let a key be good no longer. The API knows of it within a minute.

    Example: causeway keys revoke 0f3a9c5e21d47b86
    """
    with stack() as place:
        try:
            revoked = Keys(place.state, place.clock).revoke(key, by=place.by)
        except BadKeyRequestError as error:
            raise CommandError(str(error)) from error
        now = place.clock.now()
    if as_json:
        print_json(_described(revoked, now))
    else:
        print(f"{revoked.id} of {revoked.client} is revoked; the API knows of it within a minute")


def _described(key: Key, now: float) -> dict[str, JSON]:
    state = "revoked" if key.revoked_at is not None else "good" if key.is_good(now) else "expired"
    revoked = (
        {}
        if key.revoked_at is None
        else {"revoked_at": rfc3339(key.revoked_at), "revoked_by": key.revoked_by}
    )
    return {
        "id": key.id,
        "client": key.client,
        "scopes": key.scopes,
        "state": state,
        "created_at": rfc3339(key.created_at),
        "created_by": key.created_by,
        "expires_at": rfc3339(key.expires_at),
        **revoked,
    }
