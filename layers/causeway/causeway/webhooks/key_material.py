"""Keys and certificates that providers publish: fetched, and kept for a while.

Whoever asks here has checked the URL before: it is a record's own, or fits a provider's anchored pattern
whole, and is never of a stranger's choice. What is left to do here is to ask with patience and to remember:
an answer serves for an hour, then it is asked for again; while the provider cannot be reached it goes on
serving, until a day has passed. Whoever sends unknown key ids can make this ask again every five minutes
and no oftener, and no URL is asked twice within half a minute of a failure, so a flood of forged requests
becomes no flood of ours.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple, TypeVar

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from causeway.calls.transport import Transport
    from causeway.settings.clock import Clock

    Exchange = Callable[[str, bytes | None], tuple[int, bytes]]
    """Sends a GET, or a POST with a JSON body, and returns status and body. Raises OSError."""

_T = TypeVar("_T")

FRESH_FOR = 3600.0
"""Seconds after which key material is asked for again, if it can be."""

KEPT_FOR = 24 * 3600.0
"""Seconds after which it is no longer used: a key that was withdrawn must not live on in a long outage."""

ASK_AGAIN_AFTER = 300.0
"""Seconds between two fetches of what was had before, whatever the reason."""

FAILED_FOR = 30.0
"""Seconds for which a failure stands where nothing was had before."""

MAX_BYTES = 128 * 1024
_MAX_KEPT = 64  # answers, and failures; a certificate's URL is partly a sender's choice
_COME_BACK = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS)

_Key = tuple[str, bytes | None]


class NotToBeHad(OSError):  # noqa: N818 # an outcome, not a fault
    """Key material cannot be had now: the request may be right, and should be sent again."""


class _Kept(NamedTuple):
    body: bytes
    since: float
    asked: float


class _Failed(NamedTuple):
    error: ValueError | NotToBeHad
    since: float


class KeyMaterial:
    """Fetches and remembers; one object serves an instance of the function.

    Args:
        clock: the time.
        exchange: sends one request; the default sends it to public addresses only.
    """

    def __init__(self, clock: Clock, exchange: Exchange | None = None) -> None:
        self._clock = clock
        self._exchange = exchange or Web()
        self._kept: dict[_Key, _Kept] = {}
        self._failed: dict[_Key, _Failed] = {}

    def __call__(self, url: str, body: bytes | None = None, *, anew: bool = False) -> bytes:
        """What is at a URL.

        Args:
            url: https, checked by the caller.
            body: of a POST; without one it is a GET.
            anew: what was had before does not hold the key that is wanted.

        Raises:
            ValueError: the provider says that there is no such thing.
            NotToBeHad: it cannot be had now.
        """
        if not url.startswith("https://"):
            raise ValueError("key material comes by https only")
        key, now = (url, body), self._clock.now()
        kept, failed = self._kept.get(key), self._failed.get(key)
        if kept and now - kept.since >= KEPT_FOR:
            kept = None
        if kept:
            due = anew or now - kept.since >= FRESH_FOR
            if not due or now - kept.asked < ASK_AGAIN_AFTER:
                return kept.body
            self._kept[key] = kept._replace(asked=now)
        elif failed and now - failed.since < FAILED_FOR:
            raise failed.error
        try:
            found = self._ask(url, body)
        except (NotToBeHad, ValueError) as error:
            if kept:
                return kept.body
            _put(self._failed, key, _Failed(error.with_traceback(None), now))
            raise
        _put(self._kept, key, _Kept(found, now, now))
        return found

    def _ask(self, url: str, body: bytes | None) -> bytes:
        try:
            status, found = self._exchange(url, body)
        except OSError as error:
            raise NotToBeHad(f"the provider's keys cannot be had: {error}") from error
        if status == HTTPStatus.OK and found:
            return found
        if HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR and status not in _COME_BACK:
            raise ValueError(f"the provider has no such key: {status}")
        raise NotToBeHad(f"the provider answered {status}")


class Web:
    """Exchanges with public addresses, within seconds and kilobytes; redirects are failures.

    Args:
        tls: what to trust instead of the system's authorities.
        allow_private: networks in CIDR notation that may be asked besides public addresses.
        seconds: for one exchange: less than the patience of any provider.
    """

    def __init__(
        self,
        *,
        tls: ssl.SSLContext | None = None,
        allow_private: tuple[str, ...] = (),
        seconds: float = 3.0,
    ) -> None:
        self._tls = tls
        self._allow_private = allow_private
        self._seconds = seconds
        self._transport: Transport | None = None

    def __call__(self, url: str, body: bytes | None) -> tuple[int, bytes]:
        """Send one request; returns status and body. Raises OSError."""
        # Most systems need no key from anywhere, and none of this.
        from causeway.calls.connection import NoAnswerError  # noqa: PLC0415
        from causeway.calls.request import Request  # noqa: PLC0415
        from causeway.calls.transport import Transport  # noqa: PLC0415

        self._transport = self._transport or Transport(tls=self._tls, max_answer=MAX_BYTES)
        request = Request(
            method="GET" if body is None else "POST",
            url=url,
            headers={} if body is None else {"content-type": "application/json"},
            body=body,
        )
        try:
            answer = self._transport.exchange(
                request, allow_private=self._allow_private, seconds=self._seconds, repeatable=True
            )
        except NoAnswerError as error:
            raise OSError(str(error)) from error
        finally:
            self._transport.close()  # it is asked once an hour
        return answer.status, answer.body


def _put(table: dict[_Key, _T], key: _Key, value: _T) -> None:
    table.pop(key, None)
    table[key] = value
    if len(table) > _MAX_KEPT:
        del table[next(iter(table))]
