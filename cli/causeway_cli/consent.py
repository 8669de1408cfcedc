"""The browser's part of an authorization: a page to open, a redirect to wait for, a code to exchange."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import secrets
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qs, urlencode, urlsplit

from causeway.calls.address import ForbiddenAddressError, check_base_url
from causeway.calls.connection import BadIdentityError, Identity, NoAnswerError
from causeway.calls.literals import literal
from causeway.calls.oauth import TokenRefused, client_proof, form_request, read_token
from causeway.calls.request import Request, user_agent
from causeway.settings.secrets import SecretMissing
from causeway_cli.errors import CommandError

if TYPE_CHECKING:
    from types import TracebackType

    from causeway.calls.literals import Reveal
    from causeway.calls.transport import RawAnswer, Transport
    from causeway.plan.records import Auth

__all__ = ["Client", "Identity", "Redirect"]

_ANSWER_WITHIN = 15.0  # seconds
_WELL_KNOWN = ("/.well-known/oauth-authorization-server", "/.well-known/openid-configuration")


class Client:
    """A client of an authorization server, for one authorization.

    Args:
        auth: of type ``oauth2``, with the grant ``refresh_token``.
        allow_private: networks on which its server may be reached.
        reveal: from a secret's name to its value.
        transport: reaches the server.
        identity: the certificate to show.
    """

    def __init__(
        self,
        auth: Auth,
        allow_private: tuple[str, ...],
        reveal: Reveal,
        transport: Transport,
        *,
        identity: Identity | None = None,
    ) -> None:
        self._auth = auth
        self._allow_private = allow_private
        self._reveal = reveal
        self._transport = transport
        self._identity = identity
        self._verifier = secrets.token_urlsafe(48)
        self.state = secrets.token_urlsafe(24)

    def page(self, redirect: str) -> str:
        """The address at which a person consents.

        What the map adds to token requests (``extra``) is asked for here, too: servers ignore what they do
        not know (RFC 6749, 3.1), and some want it here (``access_type: offline``). Never a secret.
        """
        digest = hashlib.sha256(self._verifier.encode()).digest()
        extra = {key: value for key, value in self._auth.get("extra", {}).items() if isinstance(value, str)}
        named = {
            key: self._auth[key] for key in ("scope", "audience") if isinstance(self._auth.get(key), str)
        }
        asked = {
            **extra,
            **named,
            "response_type": "code",
            "client_id": literal(self._auth["client_id"], self._reveal),
            "redirect_uri": redirect,
            "state": self.state,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        url = self._auth.get("authorize_url") or self._found()
        return f"{url}{'&' if '?' in url else '?'}{urlencode(asked)}"

    def exchange(self, code: str, redirect: str, *, now: float) -> str:
        """The refresh token for a code.

        Raises:
            CommandError: there is none.
        """
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect,
            "code_verifier": self._verifier,
        }
        try:
            client, headers = client_proof(self._auth, self._reveal, now=now)
            answer = self._ask(form_request(self._auth["token_url"], {**fields, **client}, headers))
            token = read_token(answer, now=now)
        except (TokenRefused, NoAnswerError, SecretMissing, BadIdentityError) as error:
            raise CommandError(f"the consent was given, but no token for it: {error}") from error
        if token.refresh is None:
            raise CommandError(
                "the server gave no refresh token: most want to be asked for one by a scope (offline_access)"
                " or a parameter (extra: {access_type: offline, prompt: consent})"
            )
        return token.refresh

    def _found(self) -> str:
        """The page as the server's metadata have it (RFC 8414, OpenID Connect Discovery)."""
        parts = urlsplit(self._auth["token_url"])
        for path in _WELL_KNOWN:
            headers = {"Accept": "application/json", "User-Agent": user_agent()}
            try:
                answer = self._ask(Request("GET", f"{parts.scheme}://{parts.netloc}{path}", headers, None))
                found = json.loads(answer.body)["authorization_endpoint"]
                check_base_url(found.partition("?")[0], self._allow_private)
            except (NoAnswerError, ValueError, KeyError, TypeError, AttributeError, ForbiddenAddressError):
                continue
            return str(found)
        raise CommandError(
            f"{parts.netloc} does not say where people consent: write `authorize_url` beside `token_url`"
        )

    def _ask(self, request: Request) -> RawAnswer:
        return self._transport.exchange(
            request,
            allow_private=self._allow_private,
            seconds=_ANSWER_WITHIN,
            repeatable=request.method == "GET",
            identity=self._identity,
        )


class Redirect:
    """Where the browser comes back to: a server on loopback that takes one answer. A context manager.

    Only an answer with the state counts; others are somebody else's (RFC 6749, 10.12).

    Args:
        port: 0 for any.
        state: what the page was given.
    """

    def __init__(self, port: int, state: str) -> None:
        self._state = state
        self._answer: dict[str, str] = {}
        self._came = threading.Event()
        try:
            self._server = HTTPServer(("127.0.0.1", port), self._handler())
        except OSError as error:
            raise CommandError(f"port {port} cannot be listened to: {error.strerror}") from error
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def uri(self) -> str:
        """Its address: an IP and not localhost, as RFC 8252 (8.3) wants it."""
        return f"http://127.0.0.1:{self._server.server_port}/callback"

    def wait(self, *, within: float) -> str:
        """The code that the browser brought.

        Raises:
            CommandError: none came in time, or the server refused.
        """
        if not self._came.wait(within):
            raise CommandError(f"nobody consented within {within:.0f} s")
        answer = self._answer
        if "error" in answer:
            raise CommandError(f"the server refused: {answer['error'][:100]}")
        if "code" not in answer:
            raise CommandError("the browser brought no code")
        return answer["code"]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _take(self, query: str) -> str:
        """Note an answer; what the browser shows for it."""
        answer = {name: values[0] for name, values in parse_qs(query).items()}
        if not secrets.compare_digest(answer.get("state", "").encode(), self._state.encode()):
            return "This is not the answer that was waited for."
        self._answer = answer
        self._came.set()
        return "Refused. See the terminal." if "error" in answer else "Done. You can close this page."

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        redirect = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                url = urlsplit(self.path)
                found = url.path == "/callback"
                shown = redirect._take(url.query) if found else "There is nothing here."
                page = f"<!doctype html><title>Causeway</title><p>{html.escape(shown)}</p>".encode()
                self.send_response(200 if found else 404)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(page)))
                self.end_headers()
                self.wfile.write(page)

            def log_message(self, *arguments: Any) -> None:
                """The address holds the code: it is not logged."""

        return Handler
