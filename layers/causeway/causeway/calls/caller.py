"""One call to a system, from the map's words to an answer that counts as success."""

from __future__ import annotations

import json
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING

from causeway.calls.address import ForbiddenAddressError, check_base_url
from causeway.calls.connection import BadIdentityError, NoAnswerError
from causeway.calls.outcome import Answer, Refused, is_retried, judge
from causeway.calls.proof import Means, Proof
from causeway.calls.request import make_request
from causeway.calls.signing import signed
from causeway.calls.transport import Transport
from causeway.events.envelope import public_headers
from causeway.settings.secrets import SecretMissing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from contextlib import AbstractContextManager

    from causeway.calls.connection import Identity
    from causeway.calls.literals import Reveal
    from causeway.calls.request import Request
    from causeway.calls.transport import RawAnswer
    from causeway.plan.plan import Plan
    from causeway.plan.records import JSON, Api, Call
    from causeway.settings.clock import Clock
    from causeway.settings.secrets import Secrets

_UNAUTHORIZED = 401

_NO_CHARSETS = frozenset({"idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape"})
"""Codecs that Python alone knows: they are no charsets, and not alike in all its versions.

Source: https://docs.python.org/3/library/codecs.html#python-specific-encodings
"""


class Caller:
    """Calls systems; one for all threads of a function.

    Args:
        plan: whose systems are called.
        secrets: those of direction ``out``.
        clock: for deadlines.
        transport: what sends; its idle connections are shared by all calls.
        means: what calls prove themselves with besides secrets.
    """

    def __init__(
        self,
        plan: Plan,
        secrets: Secrets,
        clock: Clock,
        *,
        transport: Transport | None = None,
        means: Means | None = None,
    ) -> None:
        self._systems = plan.systems
        self._means = means or Means(secrets, clock)
        self._clock = clock
        self._transport = transport or Transport()

    def call(
        self,
        call: Call,
        scope: Mapping[str, JSON],
        *,
        headers: Mapping[str, str],
        deadline: float,
        at: str | None = None,
        read: Callable[[RawAnswer], JSON] | None = None,
        admitted: Callable[[], AbstractContextManager[object]] = nullcontext,
    ) -> Answer:
        """Carry out one call. Its ``when`` has been asked before.

        Args:
            call: of a step, a target or a poll.
            scope: what its expressions see.
            headers: those of this attempt, such as ``Idempotency-Key``.
            deadline: epoch seconds; the call ends by then, also where its timeout is later. The timeout does
                not run while a token is asked for.
            at: path and query on the system's origin, instead of the call's: a link that the system gave.
            read: what makes the answer's body of its bytes, instead of JSON where it is JSON, else text.
            admitted: entered for as long as a request is under way, when all else is ready for it, so that it
                can be waited there until the system may be called.

        Raises:
            Refused: the system refused, or could not be reached.
            ExpressionError: the call cannot be filled in with this event.
            SecretMissing: a secret is not there, or cannot be used.
            SecretsUnavailable: a secret could not be read.
            AwsError: the state with the tokens could not be read or written.
        """
        api = self._systems[call["system"]]["api"]
        proof = Proof(self._means, call["system"], api, until=deadline)
        spent = 0.0

        def attempt() -> Answer:
            nonlocal spent
            _check_secret_url(api, proof.reveal)
            request = make_request(
                call, api, scope, reveal=proof.reveal, headers=headers, token=proof.token, at=at
            )
            request = signed(request, api, proof.reveal, roles=self._means.roles, now=self._clock.now())
            identity = proof.identity()
            proofs = _proofs(request, proof.revealed)
            with admitted():
                begun = self._clock.now()
                end = min(deadline, begun + call["timeout"] - spent)
                answer = self._exchange(call, api, request, end, identity=identity, read=read or read_body)
            spent += self._clock.now() - begun
            return replace(answer, proofs=proofs)

        answer = attempt()
        if answer.status == _UNAUTHORIZED and proof.may_be_renewed():
            answer = attempt()
        proof.note(refused=answer.status == _UNAUTHORIZED)
        judge(call, answer, now=self._clock.now())
        return answer

    def close(self) -> None:
        """Close idle connections."""
        self._transport.close()

    def _exchange(
        self,
        call: Call,
        api: Api,
        request: Request,
        deadline: float,
        *,
        identity: Identity | None,
        read: Callable[[RawAnswer], JSON],
    ) -> Answer:
        try:
            raw = self._transport.exchange(
                request,
                allow_private=tuple(api["allow_private"]),
                seconds=deadline - self._clock.now(),
                # Whoever lists timeout has said that a lost answer is to be followed by the same request.
                repeatable=call["reads"] or is_retried(call, "timeout"),
                identity=identity,
            )
        except BadIdentityError as error:
            mtls = api["mtls"]
            raise SecretMissing(f"the secrets {mtls['certificate']} and {mtls['key']}: {error}") from error
        except NoAnswerError as error:
            raise Refused(
                f"{call['method']} {call['path']} of {call['system']}: {error}",
                kind=error.kind,
                retry=is_retried(call, error.kind),
            ) from error
        # A cookie is a credential: expressions do not see it, so no answer that is kept holds one.
        headers = {name: value for name, value in raw.headers.items() if name != "set-cookie"}
        return Answer(raw.status, headers, read(raw), raw.seconds, raw.unread, request.url)


def _check_secret_url(api: Api, reveal: Reveal) -> None:
    """A base URL of the map was checked when it was compiled; one that is a secret is checked here."""
    base = api["base_url"]
    if isinstance(base, str):
        return
    try:
        check_base_url(reveal(base["secret"]), api["allow_private"])
    except (ValueError, ForbiddenAddressError) as error:
        raise SecretMissing(f"the secret {base['secret']} is no base URL: {error}") from error


def _proofs(request: Request, revealed: Iterable[str]) -> frozenset[str]:
    """What a request proves itself with: its receiver may repeat it in the answer, which people are shown."""
    public = public_headers(request.headers)
    sent = [value for name, value in request.headers.items() if name.lower() not in public]
    # Of "Bearer TOKEN" the token alone, too.
    return frozenset({*revealed, *sent, *(value.rpartition(" ")[2] for value in sent)})


def read_body(raw: RawAnswer) -> JSON:
    """The body: JSON where it is JSON, else text; None where there is none.

    Content types are not relied on: many systems send JSON as text. Only an object or a list is taken for
    JSON where the type does not say so; a text that happens to be ``12`` stays a text.
    """
    if not raw.body:
        return None
    content_type = raw.headers.get("content-type", "").lower()
    if "json" in content_type or raw.body.lstrip()[:1] in (b"{", b"["):
        try:
            return json.loads(raw.body, parse_constant=_no_constant)
        except (ValueError, RecursionError):
            pass
    _, _, rest = content_type.partition("charset=")
    charset = rest.partition(";")[0].strip(' "').replace("_", "-")
    if not charset or charset in _NO_CHARSETS:
        charset = "utf-8"
    try:
        return raw.body.decode(charset, errors="replace")
    except (LookupError, ValueError):  # it is none that is known, or no name at all
        return raw.body.decode("utf-8", errors="replace")


def _no_constant(name: str) -> JSON:
    """NaN and Infinity are no JSON."""
    raise ValueError(name)
