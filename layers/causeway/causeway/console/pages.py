"""The routes below ``/console``: the page, which anyone may have, for it holds nothing but code.

What it shows comes from ``/api``, with the token or key of the person who looks.
"""

from __future__ import annotations

from dataclasses import asdict
from http import HTTPStatus
from pathlib import PurePath
from typing import TYPE_CHECKING

from causeway.api.operation import Answer, Operation
from causeway.api.parameters import Parameter, name
from causeway.api.problems import Problem
from causeway.console import files

if TYPE_CHECKING:
    from collections.abc import Callable

    from causeway.api.operation import Request
    from causeway.console.signing_in import SigningIn

_POLICY = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    # Nothing makes markup of a text: the browser refuses, should the code ever try.
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
)

_PAGE = {
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "x-frame-options": "DENY",
}

_FOR_GOOD = {
    "cache-control": "public, max-age=31536000, immutable",
    "cross-origin-resource-policy": "same-origin",
}


def policy(origins: list[str]) -> str:
    """The page's Content-Security-Policy.

    Args:
        origins: whom it may ask beside its own: the OpenID provider.
    """
    return "; ".join((*_POLICY, " ".join(("connect-src 'self'", *origins))))


def pages(signing_in: Callable[[], SigningIn]) -> tuple[Operation, ...]:
    """The page and what it loads, for :func:`causeway.api.app.make_app`.

    Args:
        signing_in: how people sign in, asked when the page is.
    """

    def page(_stack: None, _request: Request) -> Answer:
        told = signing_in()
        headers = _PAGE | {"content-security-policy": policy(told.origins)}
        return Answer(files.page(asdict(told)), headers, "text/html; charset=utf-8")

    return (
        Operation(
            id="getConsole",
            method="GET",
            path="/console",
            scope=None,
            summary="The page.",
            run=page,
            schema="",
            example=None,
            # What a provider hands back is read by the page, not here.
            any_query=True,
        ),
        Operation(
            id="getConsoleFile",
            method="GET",
            path="/console/{version}/{file}",
            scope=None,
            summary="What the page loads.",
            parameters=(
                Parameter("version", "path", name("[0-9a-f]{12}", "a version"), "Of all.", "", required=True),
                Parameter(
                    "file", "path", name("[a-z.]{1,40}", "a file's name"), "Its name.", "", required=True
                ),
            ),
            run=_file,
            schema="",
            example=None,
        ),
    )


def _file(_stack: None, request: Request) -> Answer:
    version, file = request.values["version"], request.values["file"]
    if version != files.version() or file not in files.names():
        raise Problem(HTTPStatus.NOT_FOUND, "there is no such file: load the console anew")
    return Answer(files.text(file), _FOR_GOOD, files.TYPES[PurePath(file).suffix])
