"""Canaries: a request that we sign ourselves goes through the public URL, and must be recognised.

It goes the whole way of a provider's request: name, certificate, gateway, function, secret, signature. It
never reaches a target nor the books (:mod:`causeway.webhooks.canaries`).
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from secrets import token_hex
from typing import TYPE_CHECKING

from causeway.settings.secrets import SecretMissing, Secrets, SecretsUnavailable
from causeway.watching.finding import Finding
from causeway.webhooks.canaries import Canaries, body_with, symmetric
from causeway.webhooks.patterns import SchemeError
from causeway.webhooks.sign import CannotSign, scheme_for, sign_request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from causeway.plan.records import Webhooks
    from causeway.watching.world import World
    from causeway.webhooks.patterns import SignedRequest

EVERY = 300.0

ANSWERED_WITHIN = 10.0
"""Seconds that a request may take; a provider waits no longer either."""

TYPE = "causeway.canary"

_TRIES = 2  # one that is lost on the way is no outage
_AT_ONCE = 8
_SUCCESS = range(200, 300)


class CanaryError(Exception):
    """What is the matter with a canary; says the probable cause."""

    def __init__(self, cause: str, next_step: str) -> None:
        super().__init__(cause)
        self.next_step = next_step


class NotArrivedError(CanaryError):
    """It was sent, and did not arrive: what the system sends probably does not either."""


class NotSentError(CanaryError):
    """It could not be sent: which says nothing of the system, and is the operator's to mend."""


class NoTimeError(Exception):
    """There was no time to wait for it."""


def canaries(world: World, now: float) -> Iterator[Finding]:
    """A canary did not arrive, nor did a second one; or none can be sent."""
    sending = [
        (name, system["webhooks"])
        for name, system in world.plan.systems.items()
        if system.get("webhooks", {}).get("canary")
    ]
    if sending:  # others first each time: where many are not answered, there is no time for all
        first = int(now // EVERY) * _AT_ONCE % len(sending)
        sending = sending[first:] + sending[:first]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        results = pool.map(lambda each: _arrives(world, *each), sending)
        for (name, _), trouble in zip(sending, results, strict=True):
            if trouble is not None:
                yield _finding(world, name, trouble, now)


def _arrives(world: World, system: str, webhooks: Webhooks) -> CanaryError | NoTimeError | None:
    trouble: CanaryError | NoTimeError | None = None
    for _ in range(_TRIES):
        if world.means.clock.now() + ANSWERED_WITHIN > world.until:
            return NoTimeError()
        try:
            seconds = _send(world, system, webhooks)
        except NotSentError as error:
            return error
        except NotArrivedError as error:
            trouble = error
        else:
            world.means.metrics.add("CanaryLatency", seconds * 1000)
            return None
    return trouble


def _send(world: World, system: str, webhooks: Webhooks) -> float:
    """Send one; return the seconds that it took, there and back.

    Raises:
        NotArrivedError: it did not arrive.
        NotSentError: it could not be sent.
        AwsError: the state does not answer.
    """
    means = world.means
    base = webhooks.get("base_url") or means.settings.base_url
    request = None
    number = token_hex(16)
    if base:
        request = _signed(world, webhooks, number, f"{base.rstrip('/')}/webhooks/{system}")
    if request is None:
        raise NotSentError(
            "the watchdog does not know the public URL",
            "deploy the stack's template as it is, or with BaseUrl",
        )
    under_way = Canaries(lambda: means.state, means.clock)
    under_way.sent(system, number, means.clock.now())
    begun = time.monotonic()
    _post(request, system)
    seconds = time.monotonic() - begun
    if not under_way.arrived(system, number):
        raise NotArrivedError(
            "it was answered, and not recognised: what answers there is another stack, or has another map",
            "see where the public URL leads",
        )
    return seconds


def _signed(world: World, webhooks: Webhooks, number: str, url: str) -> SignedRequest:
    means = world.means
    secrets = Secrets(means.aws, prefix=means.settings.secrets_prefix, direction="in", clock=means.clock)
    try:
        secret = secrets.current(webhooks["secrets"][:1])[0]
    except (SecretMissing, SecretsUnavailable) as error:
        raise NotSentError(
            f"the watchdog has no secret to sign with: {error}",
            "put the secret, and name it in the stack's parameter CanarySecrets",
        ) from error
    try:
        return sign(webhooks, secret, number, url=url, now=means.clock.now())
    except (CannotSign, SchemeError) as error:
        raise NotSentError(
            f"it could not be signed: {error}", "compare the secret with what the scheme's secrets are like"
        ) from error


def sign(webhooks: Webhooks, secret: str, number: str, *, url: str, now: float) -> SignedRequest:
    """A canary as the system would send it.

    Raises:
        CannotSign: the secret is none that signs.
        SchemeError: the scheme is none.
    """
    scheme = scheme_for(symmetric(webhooks["schemes"]), secret)
    body, content_type = body_with(number, form="{form}" in scheme.get("signed", ""))
    return sign_request(
        scheme,
        body=body,
        secret=secret,
        id=f"canary_{number}",
        now=now,
        type=TYPE,
        url=url,
        nonce=number,
        headers={"content-type": content_type},
    )


def _post(request: SignedRequest, system: str) -> None:
    from urllib3 import PoolManager, Timeout  # noqa: PLC0415 - few maps have a canary
    from urllib3.exceptions import HTTPError  # noqa: PLC0415

    timeout = Timeout(total=ANSWERED_WITHIN)
    try:
        with PoolManager(timeout=timeout) as pool:
            answer = pool.request(
                "POST", request.url, body=request.body, headers=request.headers, retries=False, redirect=False
            )
    except HTTPError as error:
        raise NotArrivedError(
            f"the public URL cannot be reached: {type(error).__name__}",
            "look at its name, its certificate, the gateway and what stands before it",
        ) from error
    if answer.status not in _SUCCESS:
        raise NotArrivedError(
            f"it was answered {answer.status}",
            f"causeway verify {system} says why a request is refused; of 5xx, see the webhook function's log",
        )


def _finding(world: World, system: str, trouble: CanaryError | NoTimeError, now: float) -> Finding:
    if isinstance(trouble, NoTimeError):
        what = f"a canary of {system} was not waited for"
        return Finding(check="canary", subject=system, level="warning", what=what, held=True)
    arrived_not = isinstance(trouble, NotArrivedError)
    return Finding(
        check="canary",
        subject=system,
        level="critical" if arrived_not else "warning",
        what=(
            f"a canary of {system} did not arrive: what it sends probably does not either"
            if arrived_not
            else f"canaries of {system} cannot be sent: nobody looks whether what it sends arrives"
        ),
        cause=str(trouble),
        next_step=trouble.next_step,
        since=now,
        integrations=world.depending_on(system) if arrived_not else (),
    )
