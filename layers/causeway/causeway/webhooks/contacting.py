"""Answering first contacts as the table says, with this stack's secrets, window and connections."""

from __future__ import annotations

from typing import TYPE_CHECKING

from causeway.telemetry.logs import logger
from causeway.webhooks.gateway import Unacceptable, not_by_post
from causeway.webhooks.handshakes import Contact, Keys, Unwelcome, could_be_asked_for, meet, methods
from causeway.webhooks.proving import present
from causeway.webhooks.verdicts import Rejected

if TYPE_CHECKING:
    from collections.abc import Callable

    from causeway.events.envelope import Body
    from causeway.plan.records import Scheme, System, Webhooks
    from causeway.settings.secrets import Secrets
    from causeway.webhooks.accepting import Accepting
    from causeway.webhooks.handshakes import Met
    from causeway.webhooks.patterns import SignedRequest


class Contacts:
    """Answers first contacts of systems whose schemes have a handshake.

    Args:
        secrets: those that verify.
        accepting: opens where secrets go that a provider brings; None: none is accepted.
        visit: fetches a URL that a provider wants visited; None: none is.
    """

    def __init__(
        self,
        *,
        secrets: Secrets,
        accepting: Callable[[], Accepting] | None = None,
        visit: Callable[[str], object] | None = None,
    ) -> None:
        self._secrets = secrets
        self._accepting = accepting
        self._visit = visit

    def unsigned(self, system: System, webhooks: Webhooks, request: SignedRequest, query: str) -> Met | None:
        """The answer to a contact that its provider does not sign, or None: there is nothing to answer.

        Raises:
            Unacceptable: it is refused, or no method that this system's provider uses.
        """
        names = handshakes_of(webhooks)
        contact = Contact(request, query)
        for name in names:
            try:
                met = meet(name, contact, self._keys(webhooks, name, request), signed=False)
            except Unwelcome as error:
                raise Unacceptable(403, str(error)) from None
            if met:
                self._keep(system, met)
                return met
        if request.method != "POST":
            raise not_by_post(methods(names))
        return None

    def signed(
        self, scheme: Scheme, request: SignedRequest, query: str, body: Body, secret: str
    ) -> Met | None:
        """The answer to a contact that is verified, or None: it is an event like any other.

        Raises:
            Rejected: its signature might be an answer of ours.
            Unacceptable: what is to be done for it failed; the provider may send it again.
        """
        name = scheme["handshake"]
        contact = Contact(request, query, body.data)
        if could_be_asked_for(name, contact):
            raise Rejected("signature")
        met = meet(name, contact, Keys(secret), signed=True)
        if met and met.handshake.visits and self._visit:
            try:
                self._visit(met.value)
            except (OSError, ValueError) as error:
                logger().error("not confirmed", reason=str(error))
                raise Unacceptable(503, "It could not be confirmed.") from error
        return met

    def _keys(self, webhooks: Webhooks, name: str, request: SignedRequest) -> Keys:
        """What an answer to anybody may need; nothing is read for a request that is an ordinary event's."""
        if request.method == "POST" or request.method not in methods([name]):
            return Keys()
        secrets = present(self._secrets.current, webhooks["secrets"])
        tokens = present(self._secrets.current, [webhooks["token"]]) if "token" in webhooks else []
        return Keys(secrets[0] if secrets else "", tokens)

    def _keep(self, system: System, met: Met) -> None:
        if not met.handshake.keeps:
            return
        if self._accepting is None or not self._accepting().keep(system["name"], met.value):
            raise Unacceptable(403, "No secret is expected now.")


def handshakes_of(webhooks: Webhooks) -> list[str]:
    """The names of the handshakes that a system's schemes have."""
    return list(dict.fromkeys(each["handshake"] for each in webhooks["schemes"] if "handshake" in each))
