"""First contact: what a provider asks before it sends events, and what it wants to hear. All of it is data.

A scheme names its handshake, and a name stands for one or more kinds of contact. A kind that the provider
signs is looked for in verified requests only. The others have to be answered to anybody, so they give
nothing away: what is echoed is short, printable, and sent as plain text or JSON that no browser takes for
a page; a secret that a provider brings is kept only while an operator has opened a window for it.

Two providers have their challenge signed with the very key that signs events (X, Braintree). Whoever asks
chooses what is signed, so an event that could have been such a challenge proves nothing and is refused:
:func:`could_be_asked_for`.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from base64 import b64encode
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from causeway.plan.records import JSON, Reply
    from causeway.webhooks.patterns import SignedRequest

_TEXT = re.compile(r"[ -~]{1,1024}")
_TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]{1,256}")
_BRAINTREE = re.compile(r"[0-9a-f]{20,32}")
_SNS = re.compile(r"https://sns\.[a-z0-9-]{3,}\.amazonaws\.com(\.cn)?/\?[!-~]{1,2000}")
_PLAIN = {"content-type": "text/plain", "x-content-type-options": "nosniff"}
_JSON = {"content-type": "application/json"}
_MAX_FIELDS = 20
_MAX_BODY = 4096  # of a contact that nobody signed
_FORM = "application/x-www-form-urlencoded"


class Handshake(NamedTuple):
    """One kind of first contact.

    Places are written ``query:NAME``, ``header:name``, ``body:a.b`` (of a JSON object or a form) and ``raw:``
    (the whole body as text). ``{value}`` in an answer is the text at ``takes``.
    """

    method: str = "POST"
    signed: bool = True  # looked for in verified requests only
    where: Mapping[str, JSON] = {}  # places that hold exactly these values
    without: str = ""  # a header that must not be there: the signature of what is no first contact
    takes: str = ""  # the place of the text that the answer is made of
    looks: re.Pattern[str] = _TEXT  # what that text is; another is no first contact
    alone: bool = False  # the body holds nothing else
    knows: str = ""  # the place of the token that only the provider knows, `webhooks.token`
    keeps: bool = False  # the text is a secret: it is kept while a window is open, or the contact refused
    visits: bool = False  # the text is a URL to be fetched
    is_event: bool = False  # answered so, and an event all the same
    signs: str = ""  # the place of what an event signs with the key that the answer shows a signature of
    status: int = 200
    headers: Mapping[str, str] = {}
    text: str = ""
    json: JSON = None  # instead of a text


class Contact(NamedTuple):
    """A request that may be a first contact."""

    request: SignedRequest
    query: str  # as it was sent
    data: JSON = None  # the body, once it is verified


class Keys(NamedTuple):
    """What an answer may be made with."""

    secret: str = ""  # the secret that verified the request; of what is not signed the first
    tokens: Sequence[str] = ()


class Met(NamedTuple):
    """A first contact, and its answer."""

    handshake: Handshake
    reply: Reply
    value: str


class Unwelcome(Exception):  # noqa: N818 # an outcome, not a fault
    """A first contact that is refused: 403."""


HANDSHAKES: dict[str, tuple[Handshake, ...]] = {
    # https://docs.slack.dev/reference/events/url_verification
    "slack": (
        Handshake(
            where={"body:type": "url_verification"}, takes="body:challenge", headers=_PLAIN, text="{value}"
        ),
    ),
    # https://developers.zoom.us/docs/api/webhooks/#validate-your-webhook-endpoint
    "zoom": (
        Handshake(
            where={"body:event": "endpoint.url_validation"},
            takes="body:payload.plainToken",
            headers=_JSON,
            json={"plainToken": "{value}", "encryptedToken": "{hmac-sha256-hex}"},
        ),
    ),
    # https://docs.x.com/x-api/webhooks/quickstart: the challenge-response check
    "x": (
        Handshake(
            "GET",
            signed=False,
            takes="query:crc_token",
            looks=_TOKEN,
            signs="raw:",
            headers=_JSON,
            json={"response_token": "sha256={hmac-sha256-base64}"},
        ),
    ),
    # https://developers.facebook.com/docs/graph-api/webhooks/getting-started#verification-requests
    "meta": (
        Handshake(
            "GET",
            signed=False,
            where={"query:hub.mode": "subscribe"},
            knows="query:hub.verify_token",
            takes="query:hub.challenge",
            headers=_PLAIN,
            text="{value}",
        ),
    ),
    # https://www.dropbox.com/developers/reference/webhooks
    "dropbox": (Handshake("GET", signed=False, takes="query:challenge", headers=_PLAIN, text="{value}"),),
    # https://docs.discord.com/developers/interactions/overview and .../events/webhook-events
    "discord": (
        Handshake(where={"body:type": 1}, headers=_JSON, json={"type": 1}),
        Handshake(where={"body:type": 0}, status=204, headers=_JSON),
    ),
    # https://developers.asana.com/docs/webhooks-guide: each subscription brings its own secret
    "asana": (
        Handshake(
            signed=False,
            without="x-hook-signature",
            takes="header:x-hook-secret",
            looks=re.compile(r"[A-Za-z0-9._~+/=-]{16,256}"),
            keeps=True,
            headers={"x-hook-secret": "{value}"},
        ),
    ),
    # https://developers.notion.com/reference/webhooks
    "notion": (
        Handshake(
            signed=False,
            without="x-notion-signature",
            takes="body:verification_token",
            looks=re.compile(r"[A-Za-z0-9._~+/=-]{16,256}"),
            alone=True,
            keeps=True,
        ),
    ),
    # https://developer.okta.com/docs/concepts/event-hooks/#one-time-verification-request
    "okta": (
        Handshake(
            "GET",
            signed=False,
            takes="header:x-okta-verification-challenge",
            headers=_JSON,
            json={"verification": "{value}"},
        ),
    ),
    # https://developer.monday.com/api-reference/reference/webhooks
    "monday": (
        Handshake(
            signed=False, takes="body:challenge", alone=True, headers=_JSON, json={"challenge": "{value}"}
        ),
    ),
    # https://learn.microsoft.com/en-us/graph/change-notifications-delivery-webhooks
    "microsoft-graph": (
        Handshake(
            signed=False, where={"raw:": ""}, takes="query:validationToken", headers=_PLAIN, text="{value}"
        ),
    ),
    # https://docs.aws.amazon.com/sns/latest/dg/SendMessageToHttp.prepare.html
    "aws-sns": (
        Handshake(
            where={"body:Type": "SubscriptionConfirmation"},
            takes="body:SubscribeURL",
            looks=_SNS,
            visits=True,
            is_event=True,
        ),
    ),
    # https://developer.paypal.com/braintree/docs/guides/webhooks/create: the URL is checked when it is saved
    "braintree": (
        Handshake(
            "GET",
            signed=False,
            takes="query:bt_challenge",
            looks=_BRAINTREE,
            signs="body:bt_payload",
            headers=_PLAIN,
            text="{braintree}",
        ),
    ),
    # https://woocommerce.com/document/webhooks/: an unsigned ping when one is saved; nothing is done with it
    "woocommerce": (
        Handshake(
            signed=False,
            without="x-wc-webhook-signature",
            takes="body:webhook_id",
            looks=re.compile(r"[0-9]{1,20}"),
            alone=True,
        ),
    ),
    # https://developer.atlassian.com/cloud/trello/guides/rest-api/webhooks/
    "trello": (Handshake("HEAD", signed=False),),
}
"""By the name that a scheme's ``handshake`` holds."""


def methods(names: Sequence[str]) -> set[str]:
    """The methods that the handshakes with these names come by."""
    return {each.method for name in names for each in HANDSHAKES[name]}


def meet(name: str, contact: Contact, keys: Keys, *, signed: bool) -> Met | None:
    """The answer to a first contact.

    Args:
        name: of a handshake.
        contact: the request.
        keys: what the answer may need.
        signed: whether the request is verified; what comes signed is answered then only, and the rest before.

    Returns:
        None: the request is none; it is an event like any other.

    Raises:
        Unwelcome: it is one, and does not know the token, or there is no secret to answer with.
    """
    for handshake in HANDSHAKES[name]:
        if handshake.signed == signed and handshake.method == contact.request.method:
            value = _value(handshake, contact)
            if value is None:
                continue
            if handshake.knows and not _knows(_at(contact, handshake.knows, signed=signed), keys.tokens):
                raise Unwelcome("The token is not the one that was agreed.")
            if handshake.signs and not keys.secret:
                raise Unwelcome("It cannot be answered here.")
            return Met(handshake, _reply(handshake, value, keys), value)
    return None


def could_be_asked_for(name: str, contact: Contact) -> bool:
    """Whether the signature of a verified event might be the answer to a challenge that anybody may send."""
    for handshake in HANDSHAKES[name]:
        if handshake.signs:
            text = _at(contact, handshake.signs, signed=True)
            if isinstance(text, str) and handshake.looks.fullmatch(text.strip()):
                return True
    return False


def _value(handshake: Handshake, contact: Contact) -> str | None:
    """The text that the answer is made of, "" where it is made of none; None: it is no such contact."""
    signed = handshake.signed
    if handshake.without and contact.request.headers.get(handshake.without):
        return None
    for place, expected in handshake.where.items():
        found = _at(contact, place, signed=signed)
        if type(found) is not type(expected) or found != expected:
            return None
    if not handshake.takes:
        return ""
    if handshake.alone and len(_body(contact, signed=signed)) != 1:
        return None
    value = _at(contact, handshake.takes, signed=signed)
    return value if isinstance(value, str) and handshake.looks.fullmatch(value) else None


def _at(contact: Contact, place: str, *, signed: bool) -> JSON:
    kind, _, name = place.partition(":")
    if kind == "query":
        return _pairs(contact.query).get(name)
    if kind == "header":
        return contact.request.headers.get(name)
    if kind == "raw":
        return contact.request.body.decode("utf-8", "replace")
    found: Any = _body(contact, signed=signed)
    for part in name.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found


def _body(contact: Contact, *, signed: bool) -> dict[str, JSON]:
    """The body as an object. What nobody signed is read within bounds."""
    if signed:
        return contact.data if isinstance(contact.data, dict) else {}
    body = contact.request.body
    if len(body) > _MAX_BODY:
        return {}
    try:
        text = body.decode("utf-8")
        if contact.request.headers.get("content-type", "").startswith(_FORM):
            return _pairs(text)
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _pairs(text: str) -> dict[str, JSON]:
    """The parameters of a query or a form, ``+`` being a space; one that occurs twice is none."""
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=_MAX_FIELDS, errors="strict")
    except ValueError:
        return {}
    names = [name for name, _ in pairs]
    return {name: value for name, value in pairs if names.count(name) == 1}


def _knows(token: JSON, tokens: Sequence[str]) -> bool:
    given = token.encode("utf-8", "replace") if isinstance(token, str) else b""
    return any(each and hmac.compare_digest(given, each.encode("utf-8", "surrogatepass")) for each in tokens)


def _reply(handshake: Handshake, value: str, keys: Keys) -> Reply:
    def written(template: JSON) -> JSON:
        if isinstance(template, dict):
            return {key: written(each) for key, each in template.items()}
        if not isinstance(template, str):
            return template
        for name, made in _MADE.items():
            if name in template:
                return template.replace(name, made(value, keys.secret))
        return template

    text = handshake.text if handshake.json is None else json.dumps(written(handshake.json))
    return {
        "status": handshake.status,
        "headers": written(dict(handshake.headers)),
        "body": written(text) if handshake.json is None else text,
    }


def _hmac_sha256(value: str, secret: str) -> bytes:
    return hmac.digest(secret.encode("utf-8", "surrogatepass"), value.encode(), "sha256")


def _braintree(value: str, secret: str) -> str:
    """The public key, and the challenge signed as notifications are: the key is the private key's digest."""
    try:
        pair = json.loads(secret)
        public, private = pair["public_key"], pair["private_key"].encode()
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Unwelcome("It cannot be answered here.") from None
    key = hashlib.sha1(private, usedforsecurity=False).digest()
    return f"{public}|{hmac.new(key, value.encode(), 'sha1').hexdigest()}"


_MADE: dict[str, Callable[[str, str], str]] = {
    "{value}": lambda value, _secret: value,
    "{hmac-sha256-hex}": lambda value, secret: _hmac_sha256(value, secret).hex(),
    "{hmac-sha256-base64}": lambda value, secret: b64encode(_hmac_sha256(value, secret)).decode(),
    "{braintree}": _braintree,
}
