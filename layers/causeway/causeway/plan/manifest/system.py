"""A system: how it signs what it sends, how it is called, what it limits (DESIGN 4.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Discriminator, Field, Tag

from causeway.plan.manifest.auth import AuthOrList, NoAuth
from causeway.plan.manifest.base import Manifest
from causeway.plan.manifest.call import RetryOn
from causeway.plan.manifest.polls import Poll
from causeway.plan.manifest.scheme import Reply, SchemeChoice
from causeway.plan.manifest.values import (
    BaseUrl,
    DataPath,
    Expression,
    HeaderName,
    Name,
    Network,
    PositiveDuration,
    SecretName,
    Share,
    TextOrSecret,
    UpToAWeek,
    written,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from causeway.plan.manifest.base import Finding
    from causeway.plan.records import JSON


class Webhooks(Manifest):
    """How a system signs what it sends."""

    scheme: SchemeChoice
    """A built-in scheme by name, or one spelled out, or a list of those of which any may match."""
    secrets: Annotated[list[SecretName], Field(min_length=1)]
    """Names of secrets; any of them may match."""
    tolerance: PositiveDuration | None = None
    """Accepted clock difference, both ways, where the scheme has a timestamp; else its own window."""
    dedupe_for: PositiveDuration = written("7d")
    """How long a repeated event is recognised: at least the provider's retry horizon."""
    id: Expression | None = None
    """Over the scheme's event id; sees {headers, body}."""
    type: Expression | None = None
    """Over the scheme's event type; sees {headers, body}."""
    split: Expression | None = None
    """The list in a body with many events: each becomes an event of its own."""
    token: SecretName | None = None
    """The name of the secret that the provider shows at first contact (Meta's verify token)."""
    reply: Reply | None = None
    base_url: BaseUrl | None = None
    """The public URL, where the scheme signs it; the stack's unless it is written."""
    keep_rejected: UpToAWeek = written("0s")
    """How long refused requests are kept, for `causeway verify`; at most 7d."""
    canary: bool = False
    """A signed synthetic event through the public URL every 5 minutes."""


class Mtls(Manifest):
    """The certificate that a call shows."""

    certificate: SecretName
    """In PEM, with those that vouch for it."""
    key: SecretName
    """Its private key, in PEM."""


class Signing(Manifest):
    """How what is sent to this system is signed."""

    scheme: SchemeChoice
    """As in webhooks."""
    secrets: Annotated[list[SecretName], Field(min_length=1)]
    """Names of secrets; all of them sign, where the scheme's header takes several signatures."""


class RateLimit(Manifest):
    """How often a system may be called, by all integrations together."""

    requests: Annotated[int, Field(ge=1)] | None = None
    """So many calls, in any time as long as per."""
    per: PositiveDuration | None = None
    burst: Annotated[int, Field(ge=1)] = 1
    """So many of them at once, after a pause."""
    concurrency: Annotated[int, Field(ge=1)] | None = None
    """So many calls under way at the same time."""

    @classmethod
    def findings(cls, value: Mapping[str, JSON]) -> Iterator[Finding]:
        """A rate needs both of its parts, and a limit limits something."""
        if ("requests" in value) != ("per" in value):
            key = "requests" if "requests" in value else "per"
            yield key, "requests and per belong together: {requests: 40, per: 1s}"
        elif "requests" not in value and "concurrency" not in value:
            yield "", "must say how often ({requests: 40, per: 1s}) or how many at once ({concurrency: 10})"
        if "burst" in value and "requests" not in value:
            yield "burst", "is of requests, and there are none"


class CircuitBreaker(Manifest):
    """When a failing system is left alone for a while."""

    failures: Share = written("70%")
    """The share of its calls that fail ..."""
    of_at_least: Annotated[int, Field(ge=1)] = 10
    """... of at least so many ..."""
    within: PositiveDuration = written("5m")
    """... within this time."""
    open_for: PositiveDuration = written("30s")
    """How long it is not called at all, before it is tried with one call."""


def _one_or_list(value: Any) -> str:
    return "<list>" if isinstance(value, list) else "<one>"


class Api(Manifest):
    """How a system is called."""

    base_url: TextOrSecret
    """Where its paths begin: https, or http on an address that allow_private names."""
    auth: AuthOrList = Field(default_factory=lambda: NoAuth(type="none"))
    """How a call proves who it is."""
    mtls: Mtls | None = None
    """The certificate that a call shows, with any auth."""
    signing: Signing | None = None
    """How what is sent is signed, anew on each attempt."""
    headers: dict[HeaderName, TextOrSecret] = {}
    """On every call."""
    timeout: PositiveDuration = written("10s")
    """For the whole answer."""
    rate_limit: (
        Annotated[
            Annotated[RateLimit, Tag("<one>")] | Annotated[list[RateLimit], Tag("<list>")],
            Discriminator(_one_or_list),
        ]
        | None
    ) = None
    circuit_breaker: CircuitBreaker = Field(default_factory=CircuitBreaker)
    success_when: Expression = "status < `300`"
    """What is not true is a failure; sees {status, headers, body}."""
    retry_on: list[RetryOn] = Field(["connection", "timeout", "408", "425", "429", "500-599"])
    """Failures that are tried again: connection, timeout, statuses, ranges, "!503" to exclude."""
    retry_when: Expression | None = None
    """Failures that are tried again, too, when this is true; sees {status, headers, body}."""
    keep_answers: bool = False
    """Keep the first 2 KiB of answers in the journal."""
    allow_private: list[Network] = []
    """Private networks on which it may be called; empty: public addresses only."""


class System(Manifest):
    """An external API. It sends webhooks, is called, is polled, or several of these."""

    system: Name
    """Its name, which is also the file's."""
    description: str = ""
    redact: list[DataPath] = []
    """Paths into its events (data.customer.email) that no log, error or journal may show."""
    webhooks: Webhooks | None = None
    """Absent: it sends nothing."""
    api: Api | None = None
    """Absent: it is never called."""
    polls: dict[Name, Poll] = {}
    """What is fetched on a schedule."""
