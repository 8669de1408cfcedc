"""The pages of docs/providers: one for each provider, from its records and what those cannot say.

``python -m causeway_cli.provider_pages`` writes them; a test says whether they are current.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from causeway.webhooks.handshakes import HANDSHAKES
from causeway.webhooks.schemes import SCHEMES
from causeway.webhooks.timestamps import TOLERANCE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from causeway.plan.records import Scheme
    from causeway.webhooks.handshakes import Handshake

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs" / "providers"
_HINTS = Path(__file__).with_name("providers.yaml")
_MADE = "<!-- Made by `python -m causeway_cli.provider_pages`; what is written here is lost. -->"

_ALGORITHMS = {
    "hmac-sha1": "HMAC-SHA1",
    "hmac-sha256": "HMAC-SHA256",
    "hmac-sha512": "HMAC-SHA512",
    "sha256": "SHA-256 of a text that holds the secret",
    "ed25519": "Ed25519",
    "ecdsa-p256-sha256": "ECDSA (P-256, SHA-256)",
    "rsa-sha1": "RSA (SHA-1)",
    "rsa-sha256": "RSA (SHA-256)",
}
_KEYS = {
    "base64": "decoded from Base64",
    "hex": "decoded from hexadecimal",
    "pem": "a public key in PEM",
    "nfkd": "text in Unicode's normal form KD",
}
_CODE = {
    "twilio": "HMAC-SHA1 of the URL and the sorted fields of a form; of JSON the URL, which names the body's "
    "SHA-256. In `X-Twilio-Signature`.",
    "twilio-sha256": "The same with HMAC-SHA256, by a shared key.",
    "adyen-items": "HMAC-SHA256 of eight fields of each item, in the item; each must be right. The key is "
    "decoded from hexadecimal.",
    "braintree": "HMAC-SHA1 of the payload, keyed by the SHA-1 of the private key, as pairs of public key "
    "and signature.",
    "paypal": "RSA (SHA-256) of the transmission's id and time, the webhook's id and the body's CRC32, by a "
    "certificate that is fetched from PayPal's hosts only and checked: chain, dates and name.",
    "aws-sns": "RSA of the message's fields, by a certificate that is fetched from hosts of SNS only and "
    "checked; the topic is compared before.",
    "microsoft-graph": "The client state in every entry; with encrypted content also every token: "
    "Microsoft's keys, our app, our tenant, Graph as its sender.",
    "atlassian-connect": "A token (HS256), with a hash of method, path and sorted query.",
    "contentful": "HMAC-SHA256 of method, path, listed headers and body.",
}


def hints() -> dict[str, dict[str, Any]]:
    """What the pages say beyond the records, by provider."""
    found: dict[str, dict[str, Any]] = yaml.safe_load(_HINTS.read_text(encoding="utf-8"))
    return found


def pages() -> dict[str, str]:
    """The pages by their files' names."""
    known = hints()
    made = {f"{name}.md": _page(name, schemes, known[name]) for name, schemes in SCHEMES.items()}
    return {"README.md": _index(known), **made}


def write(directory: Path = PAGES) -> None:
    """Write the pages, and remove those of providers that are gone."""
    directory.mkdir(parents=True, exist_ok=True)
    made = pages()
    for old in directory.glob("*.md"):
        if old.name not in made:
            old.unlink()
    for name, text in made.items():
        (directory / name).write_text(text, encoding="utf-8")


def _index(known: dict[str, dict[str, Any]]) -> str:
    lines = [
        _MADE,
        "",
        "# Providers",
        "",
        f"These {len(SCHEMES)} schemes are built in: a system's manifest names one as `webhooks.scheme`.",
        "A provider that is not here can be [spelled out](../manifest.md#a-scheme-spelled-out).",
        "",
        "| provider | `scheme` | proves itself by |",
        "| --- | --- | --- |",
    ]
    for name in sorted(SCHEMES, key=lambda each: str(known[each]["title"]).lower()):
        mark = " (unconfirmed)" if _unconfirmed(SCHEMES[name]) else ""
        kinds = ", ".join(dict.fromkeys(_kind(each) for each in SCHEMES[name]))
        lines.append(f"| [{known[name]['title']}]({name}.md){mark} | `{name}` | {kinds} |")
    lines += [
        "",
        "*Unconfirmed*: taken from other sources than the provider's own pages or code. Try it with the",
        "provider before you rely on it; `causeway verify` says why a request was refused.",
    ]
    return "\n".join(lines) + "\n"


def _page(name: str, schemes: Sequence[Scheme], hint: dict[str, Any]) -> str:
    sections = [
        ["## At the provider", "", *_setup(name, hint)],
        ["## The manifest", "", *_manifest(name, schemes, hint)],
        ["## What is verified", "", *_verified(schemes)],
        ["## What is not", "", *_limits(schemes, hint)],
        *([["## First contact", "", *_contact(schemes)]] if _handshakes(schemes) else []),
        ["## Duplicates", "", *_duplicates(schemes, hint)],
    ]
    head = [_MADE, "", f"# {hint['title']}", "", f"The provider's own page: <{hint['docs']}>"]
    if _unconfirmed(schemes):
        head += [
            "",
            "> **Unconfirmed**: this was taken from other sources than the provider's own pages or code. Try",
            "> it with the provider before you rely on it.",
        ]
    return "\n\n".join("\n".join(section) for section in [head, *sections]) + "\n"


def _setup(name: str, hint: dict[str, Any]) -> Iterator[str]:
    for number, step in enumerate(hint["setup"], 1):
        yield f"{number}. {step}"
    yield ""
    yield "The URL is the stack's output `WebhookBaseUrl`, a slash, and the system's name:"
    yield f"`.../webhooks/{name}`."
    yield ""
    yield f"The secret: {hint['secret']}"
    yield ""
    yield f"    causeway secrets put {name}/webhook --stack NAME"
    if hint.get("token"):
        yield f"    causeway secrets put {name}/verify-token --stack NAME"


def _manifest(name: str, schemes: Sequence[Scheme], hint: dict[str, Any]) -> Iterator[str]:
    yield "```yaml"
    yield f"# integrations/systems/{name}.yaml"
    yield f"system: {name}"
    yield f"description: {hint['title']} sends events."
    yield "webhooks:"
    yield f"  scheme: {name}"
    yield f"  secrets: [{name}/webhook]"
    if hint.get("token"):
        yield f"  token: {name}/verify-token"
    if any(_signs_url(each) for each in schemes):
        yield "  # base_url: https://hooks.example.com   # where that is not the stack's own: it is signed"
    yield "```"


def _verified(schemes: Sequence[Scheme]) -> Iterator[str]:
    said = list(dict.fromkeys(_how(each) for each in schemes))
    if len(said) > 1:
        yield "Any one of these:"
        yield ""
    for each in said:
        yield f"- {each}"


def _how(scheme: Scheme) -> str:
    if "code" in scheme:
        return _CODE[scheme["code"]]
    place = (
        f"`{scheme['signature']}`"
        if "signature" in scheme
        else f"the header `{scheme.get('header', 'authorization')}`"
    )
    algorithm = scheme["algorithm"]
    if algorithm == "token":
        return f"The secret itself, in {place}, compared in constant time."
    if algorithm == "basic":
        return f"User name and password, in {place}, compared in constant time."
    if algorithm == "jwt":
        return _token(scheme, place)
    parts = [f"{_ALGORITHMS[algorithm]} of `{scheme.get('signed', '{body}')}`, in {place}"]
    parts.append(f"written in {scheme.get('encoding', 'hex')} as `{scheme.get('pattern', '{signature}')}`")
    if scheme.get("key", "utf8") in _KEYS:
        parts.append(f"by the secret {_KEYS[scheme['key']]}")
    text = "; ".join(parts) + "."
    for header, value in scheme.get("require", {}).items():
        text += f" `{header}` must be `{value}`."
    stamp = scheme.get("timestamp")
    if stamp:
        past, future = stamp.get("past", TOLERANCE), stamp.get("future", TOLERANCE)
        text += f" The timestamp may be {past:g} s old and {future:g} s ahead of the clock, unless"
        text += " `tolerance` says otherwise."
    return text


def _token(scheme: Scheme, place: str) -> str:
    jwt = scheme["jwt"]
    text = f"A JSON Web Token ({', '.join(jwt['algorithms'])}, whatever it says of itself), in {place}."
    if "keys" in jwt:
        text += f" By keys that are fetched from {jwt['keys']} only, and kept for an hour."
    for key in ("body_sha256", "url_sha256"):
        if key in jwt:
            text += f" Its `{jwt[key]}` is the SHA-256 of the {key.partition('_')[0]}."
    if jwt.get("claims"):
        text += f" Checked: {', '.join(f'`{claim}`' for claim in jwt['claims'])}."
    return text


def _limits(schemes: Sequence[Scheme], hint: dict[str, Any]) -> Iterator[str]:
    said = list(hint.get("limits", []))
    algorithms = {each.get("algorithm") for each in schemes}
    if algorithms <= {"token", "basic"}:
        said.append(
            "**Nothing is signed.** The secret is sent as it is: whoever has seen one request can send any "
            "other."
        )
    elif any(_has_no_time(each) for each in schemes):
        said.append(
            "No time is signed: a request that was seen once can be sent again at any time. Its repeat is "
            "recognised as a duplicate only within `dedupe_for`."
        )
    if any(_signs_url(each) for each in schemes):
        said.append("The URL is the configured one. What `Host` and `X-Forwarded-*` say is never read.")
    said.append(
        "Headers that the signature does not name, such as those with an event's id or type, are as they "
        "came."
    )
    return (f"- {' '.join(each.split())}" for each in said)


def _contact(schemes: Sequence[Scheme]) -> Iterator[str]:
    for handshake in _handshakes(schemes):
        yield f"- {_met(handshake)}"


def _met(handshake: Handshake) -> str:
    what = f"`{handshake.method}`"
    places = [*(f"`{place}` is `{value}`" for place, value in handshake.where.items() if place != "raw:")]
    if handshake.takes:
        places.append(f"with `{handshake.takes}`")
    signed = "verified first" if handshake.signed else "which nobody signs"
    text = f"{what} {' and '.join(places)}, {signed}: answered with {handshake.status}"
    kind = handshake.headers.get("content-type")
    text += f", `{kind}`." if kind else "."
    if handshake.knows:
        text += f" `{handshake.knows}` must be the secret that `webhooks.token` names; otherwise 403."
    if handshake.keeps:
        text += (
            " The secret that it brings is taken only while `causeway secrets accept` waits for it, and only"
            " the first; otherwise 403."
        )
    if handshake.visits:
        text += " The URL is visited only if it is one of the provider's own hosts."
    return text


def _duplicates(schemes: Sequence[Scheme], hint: dict[str, Any]) -> Iterator[str]:
    ids = list(dict.fromkeys(each["id"] for each in schemes if "id" in each))
    if any(each.get("ping") for each in schemes):
        pass
    elif ids:
        written = " or ".join(f"`` {each} ``" if "`" in each else f"`{each}`" for each in ids)
        yield f"An event's id is {written}; where that is not there, a hash of the content."
    else:
        yield "The provider sends no id that could be used: an event's id is a hash of its content" + (
            " and of the signed timestamp." if all("timestamp" in each for each in schemes) else "."
        )
    if any("split" in each for each in schemes):
        yield "A request can bring several events: each is one of its own."
    if "repeats" in hint:
        yield str(hint["repeats"])


def _handshakes(schemes: Sequence[Scheme]) -> list[Handshake]:
    names = dict.fromkeys(each["handshake"] for each in schemes if "handshake" in each)
    return [handshake for name in names for handshake in HANDSHAKES[name]]


def _kind(scheme: Scheme) -> str:
    if "code" in scheme:
        return "its own way"
    algorithm = scheme["algorithm"]
    named = {"token": "a secret that is sent", "basic": "a password that is sent", "jwt": "a token"}
    return named.get(algorithm) or _ALGORITHMS[algorithm].partition(" of ")[0]


def _has_no_time(scheme: Scheme) -> bool:
    if "code" in scheme:
        return scheme["code"] in ("twilio", "twilio-sha256", "adyen-items", "braintree")
    return "timestamp" not in scheme and "jwt" not in scheme


def _signs_url(scheme: Scheme) -> bool:
    claims = str(scheme.get("jwt", {}))
    return (
        "{url}" in scheme.get("signed", "")
        or "{url}" in claims
        or "url_sha256" in claims
        or scheme.get("code") in ("twilio", "twilio-sha256", "atlassian-connect", "contentful")
    )


def _unconfirmed(schemes: Sequence[Scheme]) -> bool:
    return any(each.get("unconfirmed") for each in schemes)


if __name__ == "__main__":
    write()
