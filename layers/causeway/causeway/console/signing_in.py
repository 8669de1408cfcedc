"""How people sign in: what the page is told of the stack's OpenID provider."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from causeway.settings.environment import Settings


@dataclass(frozen=True)
class SigningIn:
    """What the page must know; nothing of it is secret."""

    environment: str = ""
    issuer: str = ""  # empty, or without a client id: by API key alone
    client_id: str = ""  # of the page, a public client with PKCE
    audience: str = ""  # what its tokens must be for
    scope: str = ""  # what it asks for
    token_origin: str = ""  # where tokens are had, if that is not the issuer's origin

    @classmethod
    def from_settings(cls, settings: Settings) -> SigningIn:
        """What the template says."""
        return cls(
            settings.environment,
            settings.oidc_issuer,
            settings.console_client_id,
            settings.oidc_audience,
            settings.console_scope,
            settings.console_token_origin,
        )

    @property
    def origins(self) -> list[str]:
        """The origins beside its own that the page may ask: none without a provider."""
        if not (self.issuer and self.client_id):
            return []
        parts = [urlsplit(url) for url in (self.issuer, self.token_origin) if url]
        return sorted({f"{part.scheme}://{part.netloc}" for part in parts})
