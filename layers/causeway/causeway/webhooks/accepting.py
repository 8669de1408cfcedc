"""Secrets that a provider brings itself at first contact: kept only while an operator has opened a window.

Asana and Notion send the secret with which they will sign, to the very endpoint that anybody can reach.
So an operator opens a window (``causeway secrets accept SYSTEM``), which is a parameter that this
function may read and not write; in it, the first secret that comes is put into a mailbox, a parameter of
its own, which is the only thing that this function may write, and never over what is there. The
operator's command takes it from there to where the map names it. Whoever takes over the receiving
function can thus open no window and change no secret.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from causeway.aws.errors import AwsError

if TYPE_CHECKING:
    from causeway.aws.client import Aws
    from causeway.settings.clock import Clock

_ASK_EVERY = 5.0  # seconds: what strangers send causes no more calls


def window_name(prefix: str, system: str) -> str:
    """The parameter that says until when a secret is accepted, in epoch seconds."""
    return f"{prefix}/in/accepting/{system}/window"


def mailbox_name(prefix: str, system: str) -> str:
    """The parameter into which the secret is put."""
    return f"{prefix}/in/accepting/{system}/secret"


class Accepting:
    """Keeps what comes while a window is open.

    Args:
        aws: whose calls.
        prefix: of the stack's secrets, ``/<stack>/causeway``.
        clock: the time.
    """

    def __init__(self, aws: Aws, *, prefix: str, clock: Clock) -> None:
        self._aws = aws
        self._prefix = prefix
        self._clock = clock
        self._known: dict[str, tuple[float, float]] = {}  # until when it is open, and when that was read

    def keep(self, system: str, secret: str) -> bool:
        """Keep a secret, if a window is open and none was kept in it.

        The same secret again is kept already: the provider did not get our answer.

        Raises:
            AwsError: it could not be stored; the provider may try again.
        """
        if self._clock.now() >= self._open_until(system):
            return False
        name = mailbox_name(self._prefix, system)
        parameter = {"Name": name, "Value": secret, "Type": "SecureString", "Overwrite": False}
        try:
            self._aws.call("ssm", "PutParameter", parameter)
        except AwsError as error:
            if error.code != "ParameterAlreadyExists":
                raise
            return self._read(name) == secret
        return True

    def _open_until(self, system: str) -> float:
        now = self._clock.now()
        until, read_at = self._known.get(system, (0.0, -_ASK_EVERY))
        if now - read_at >= _ASK_EVERY:
            text = self._read(window_name(self._prefix, system)) or "0"
            until = float(text) if text.isascii() and text.isdigit() else 0.0
            self._known[system] = (until, now)
        return until

    def _read(self, name: str) -> str | None:
        answer = self._aws.call("ssm", "GetParameters", {"Names": [name], "WithDecryption": True})
        return next((each["Value"] for each in answer["Parameters"]), None)
