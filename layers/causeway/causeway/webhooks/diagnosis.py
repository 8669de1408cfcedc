"""Why a request was refused: everything is tried that could make it right, and what does is the reason.

For operators, never for the caller and never in a function: it knows every secret of the map, and whoever
could ask it would be told how near a forgery came. No finding shows a secret or a signature.
"""

from __future__ import annotations

import base64
import json
import math
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from causeway.webhooks.altered import bodies, urls
from causeway.webhooks.schemes import SCHEMES
from causeway.webhooks.timestamps import TOLERANCE
from causeway.webhooks.verdicts import RULES, Rejected
from causeway.webhooks.verify import signature_headers, verify

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from causeway.plan.records import Scheme
    from causeway.webhooks.patterns import SignedRequest
    from causeway.webhooks.verdicts import Verified

_CREDENTIALS = re.compile(r"\b(token|jwt|secret|key|sig|signature)=[^&#]*", re.IGNORECASE)
_TOKEN = re.compile(r"\b[A-Za-z0-9_-]+\.([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+")
_WEIGHTY = {"missing", "malformed", "scheme"}
_ALGORITHMS = ("hmac-sha256", "hmac-sha1", "hmac-sha512")
_ENCODINGS = ("hex", "base64", "base64url")
_KEYS = {"utf8": "taken as text", "base64": "decoded from Base64", "hex": "decoded from hex"}


class Finding(NamedTuple):
    """One reason.

    ``kind`` is valid, clock, secret, newline, base64, charset, json, form, url, method, scheme, algorithm,
    missing, malformed, or unknown.
    """

    kind: str
    text: str


class Case(NamedTuple):
    """A request and what it is judged by."""

    schemes: Sequence[Scheme]
    request: SignedRequest
    secrets: Mapping[str, str]  # by name
    tolerance: float | None
    now: float  # when it was received


def diagnose(case: Case, *, others: Mapping[str, str]) -> list[Finding]:
    """The reasons why a request is refused, the likeliest first; one that says so when it is valid.

    Args:
        case: the request.
        others: the map's other secrets that verify, by a name that says whose they are.
    """
    try:
        verify(case.schemes, case.request, _texts(case), tolerance=case.tolerance, now=case.now)
    except Rejected as error:
        rejected = error
    else:
        return [Finding("valid", "It is valid.")]
    found = list(_first_that_fits(case, others))
    if found and rejected.rule not in _WEIGHTY:
        return found
    kinds = {each.kind for each in found}
    told = [*found, *(each for each in _formal(case, rejected) if each.kind not in kinds)]
    return told or list(_unexplained(rejected))


def _texts(case: Case) -> list[str]:
    return list(case.secrets.values())


def _first_that_fits(case: Case, others: Mapping[str, str]) -> Iterator[Finding]:
    """One reason, and the clock's beside it; what is tried first is what is likeliest."""
    for kind, text, changed in _changes(case, others):
        verified = _fits(changed)
        if verified:
            if kind:
                yield Finding(kind, text)
            if kind != "clock":
                yield from _clock(case, verified)
            return


def _changes(case: Case, others: Mapping[str, str]) -> Iterator[tuple[str, str, Case]]:
    """What may be different, as it would have to be said, and the case without that difference."""
    yield "", "", case  # nothing but the clock
    yield from _token_in_time(case)
    yield from _other_secrets(case, others)
    for body in bodies(case.request.body):
        changed = case._replace(request=case.request._replace(body=body.body))
        yield body.kind, f"The body was altered on its way. What was signed is {body.what}.", changed
    if case.request.url and any(_signs_url(each) for each in case.schemes):
        for url in urls(case.request.url, case.request.headers):
            text = (
                f"The URL differs: {_shown(url)} was signed, {_shown(case.request.url)} is configured here."
            )
            yield "url", text, case._replace(request=case.request._replace(url=url))
    yield from _other_methods(case)
    yield from _other_algorithms(case)
    yield from _other_schemes(case)


def _signs_url(scheme: Scheme) -> bool:
    return any(word in str(scheme) for word in ("{url}", "{path}", "{query}", "url_sha256", "'code'"))


def _shown(url: str) -> str:
    """A URL without what in its query may be a secret or a signature."""
    return _CREDENTIALS.sub(r"\1=...", url)


def _other_secrets(case: Case, others: Mapping[str, str]) -> Iterator[tuple[str, str, Case]]:
    for name, secret in case.secrets.items():
        variants = {
            f"The secret {name} is stored with white space around it.": secret.strip(),
            f"The secret {name} lacks its prefix: whsec_.": f"whsec_{secret}",
            f"The secret {name} is stored with a prefix that is none of it: whsec_.": secret.removeprefix(
                "whsec_"
            ),
        }
        for text, changed in variants.items():
            if changed != secret:
                yield "secret", text, case._replace(secrets={name: changed})
    for name, secret in others.items():
        text = f"Another secret signed it: {name}. This system's are {', '.join(case.secrets) or 'none'}."
        yield "secret", text, case._replace(secrets={name: secret})


def _token_in_time(case: Case) -> Iterator[tuple[str, str, Case]]:
    """The case at times at which a token in it says that it holds."""
    texts = [*case.request.headers.values(), case.request.url]
    for found in _TOKEN.findall(" ".join(texts)):
        claims = _claims(found)
        end, begin = claims.get("exp"), claims.get("iat", claims.get("nbf"))
        if isinstance(end, int) and end <= case.now:
            text = (
                f"The token ended {spelled(case.now - end)} ago: it came late or again, or a clock is wrong."
            )
            yield "clock", text, case._replace(now=end - 1)
        if isinstance(begin, int):
            where = "ago" if case.now > begin else "ahead of the clock here"
            text = f"The token was made {spelled(abs(case.now - begin))} {where}."
            yield "clock", text, case._replace(now=begin)


def _claims(payload: str) -> dict[str, Any]:
    """What a token says. Nothing of it is believed unless the case is right with it."""
    try:
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (ValueError, RecursionError):
        return {}
    return claims if isinstance(claims, dict) else {}


def _other_methods(case: Case) -> Iterator[tuple[str, str, Case]]:
    for method in ("POST", "GET", "PUT", "PATCH", "DELETE"):
        if method != case.request.method:
            text = f"The method differs: {method} was signed, it came as {case.request.method}."
            yield "method", text, case._replace(request=case.request._replace(method=method))


def _other_schemes(case: Case) -> Iterator[tuple[str, str, Case]]:
    for name, schemes in SCHEMES.items():
        text = f"The scheme is another: it is signed as {name} signs."
        yield "scheme", text, case._replace(schemes=schemes)


def _other_algorithms(case: Case) -> Iterator[tuple[str, str, Case]]:
    for scheme in case.schemes:
        own = (scheme.get("algorithm", ""), scheme.get("encoding", "hex"), scheme.get("key", "utf8"))
        if not own[0].startswith("hmac-"):
            continue
        for algorithm in _ALGORITHMS:
            for encoding in _ENCODINGS:
                for key, read in _KEYS.items():
                    if (algorithm, encoding, key) != own:
                        changed: Any = {
                            **scheme,
                            "algorithm": algorithm,
                            "encoding": encoding,
                            "key": key,
                        }
                        text = (
                            f"The algorithm differs: it is signed with {algorithm}, written in {encoding}, "
                            f"with the secret {read}; expected are {own[0]}, {own[1]}, {_KEYS.get(own[2])}."
                        )
                        yield "algorithm", text, case._replace(schemes=[changed])


def _fits(case: Case) -> Verified | None:
    """Whether a case would be right at any time."""
    try:
        return verify(case.schemes, case.request, _texts(case), tolerance=math.inf, now=case.now)
    except Rejected:
        return None


def _clock(case: Case, verified: Verified) -> Iterator[Finding]:
    if verified.timestamp is None:
        return
    skew = case.now - verified.timestamp
    stamp = verified.scheme.get("timestamp")
    past = future = TOLERANCE if case.tolerance is None else case.tolerance
    if case.tolerance is None and stamp:
        past, future = stamp.get("past", TOLERANCE), stamp.get("future", TOLERANCE)
    if -future <= skew <= past:
        return
    where = "behind" if skew > 0 else "ahead of"
    allowed = past if skew > 0 else future
    yield Finding(
        "clock",
        f"The signature's timestamp is {spelled(abs(skew))} {where} the clock here; {spelled(allowed)} are "
        "accepted. It was sent late or again, or a clock is wrong.",
    )


def _formal(case: Case, rejected: Rejected) -> Iterator[Finding]:
    """What can be said of a request by its headers alone."""
    if rejected.rule == "secret":
        names = ", ".join(case.secrets) or "none is stored"
        yield Finding("secret", f"No secret is one of this scheme (prefix, encoding): {names}.")
    if rejected.rule not in _WEIGHTY:
        return
    expected = {name for scheme in case.schemes for name in signature_headers(scheme)}
    missing = sorted(name for name in expected if not case.request.headers.get(name))
    if rejected.rule == "scheme":
        yield Finding("scheme", f"The scheme cannot verify here: {rejected.__cause__ or 'there is none'}.")
    elif missing:
        yield Finding("missing", f"It lacks what its signature needs: {', '.join(missing)}.")
    for name, schemes in SCHEMES.items():
        theirs = {header for scheme in schemes for header in signature_headers(scheme)}
        if theirs - expected - {"authorization"} and theirs <= case.request.headers.keys():
            yield Finding("scheme", f"Its headers are those of {name}.")


def _unexplained(rejected: Rejected) -> Iterator[Finding]:
    if rejected.rule == "malformed":
        yield Finding("malformed", f"{RULES['malformed']} They are not what the scheme expects.")
    elif rejected.rule == "missing":
        yield Finding("missing", RULES["missing"])
    elif rejected.rule in ("signature", "timestamp"):
        yield Finding(
            "unknown",
            "Nothing that is known makes it right: it was signed with a secret that this map does not have, "
            "or its body was changed, or it is a forgery.",
        )


def spelled(seconds: float) -> str:
    """A length of time for people: ``7 m 12 s``."""
    whole = round(seconds)
    parts = []
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)):
        number, whole = divmod(whole, size)
        if number:
            parts.append(f"{number} {unit}")
    return " ".join(parts[:2]) or "0 s"
