"""What the modules that verify by code have in common: secrets are read first, and each judges by those."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from causeway.webhooks.special.secrets import is_readable, readable
from causeway.webhooks.timestamps import TOLERANCE

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from causeway.plan.records import Scheme
    from causeway.webhooks.patterns import SignedRequest
    from causeway.webhooks.special import Fetch
    from causeway.webhooks.verdicts import Verified

_S = TypeVar("_S")


class Moment(NamedTuple):
    """When a request is judged, and what may be fetched for it; as in ``Special``."""

    now: float
    tolerance: float | None
    fetch: Fetch | None

    @property
    def window(self) -> float:
        """The operator's tolerance, or the usual one."""
        return TOLERANCE if self.tolerance is None else self.tolerance


class Way(Generic[_S]):
    """A :class:`causeway.webhooks.special.Special` of a record that says nothing but its name.

    Args:
        read: What a secret's text holds; raises ValueError where it is none of this scheme.
        verify: Verifies by secrets that could be read, of which there is at least one, with their indexes.
        sign: As ``Special``.
        headers: Those that hold signatures, in lower case.
    """

    def __init__(
        self,
        *,
        read: Callable[[str], _S],
        verify: Callable[[Scheme, SignedRequest, Sequence[tuple[int, _S]], Moment], Verified],
        sign: Callable[[Scheme, SignedRequest, str, float], SignedRequest],
        headers: Collection[str] = (),
    ) -> None:
        self._read = read
        self._verify = verify
        self._sign = sign
        self._headers = headers

    def check(self, scheme: Scheme) -> None:
        """There is nothing that a record could ask for."""

    def headers(self, _scheme: Scheme) -> Collection[str]:
        """See there, as for all of these."""
        return self._headers

    def usable(self, _scheme: Scheme, secret: str) -> bool:
        """See there."""
        return is_readable(self._read, secret)

    def verify(
        self,
        scheme: Scheme,
        request: SignedRequest,
        secrets: Sequence[str],
        *,
        tolerance: float | None,
        now: float,
        fetch: Fetch | None,
    ) -> Verified:
        """See there."""
        return self._verify(scheme, request, readable(self._read, secrets), Moment(now, tolerance, fetch))

    def sign(self, scheme: Scheme, request: SignedRequest, secret: str, *, now: float) -> SignedRequest:
        """See there."""
        return self._sign(scheme, request, secret, now)
