"""What happens to requests on their way: the ways in which bodies and URLs get altered, to try them all.

Each is named as the operator would say it. Only for :mod:`causeway.webhooks.diagnosis`.
"""

from __future__ import annotations

import base64
import codecs
import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_ESCAPE = re.compile(r"\\u[0-9a-f]{4}")
_WHOLE_FLOAT = re.compile(r"(?<=[0-9])\.0+(?=[,\]} \n]|$)")
_LARGEST = 256 * 1024  # bytes of a body that is tried in all its spellings


class Body(NamedTuple):
    """A body as it may have been before something altered it."""

    kind: str
    what: str
    body: bytes


def bodies(body: bytes) -> Iterator[Body]:
    """The bodies that one may have been, the likeliest first; none twice, and not itself."""
    seen = {body}
    for each in _bodies(body):
        if each.body not in seen:
            seen.add(each.body)
            yield each


def _bodies(body: bytes) -> Iterator[Body]:
    yield from _ends(body)
    yield from _encoded(body)
    if len(body) <= _LARGEST:
        for kind, what, text in _spellings(body):
            yield Body(kind, what, text)
            yield Body(kind, f"{what}, with a newline at its end", text + b"\n")


def _ends(body: bytes) -> Iterator[Body]:
    kind = "newline"
    yield Body(kind, "with a newline (LF) at its end, which was cut off", body + b"\n")
    yield Body(kind, "with CR LF at its end, which was cut off", body + b"\r\n")
    yield Body(kind, "without the white space at its end, which was added", body.rstrip())
    yield Body(kind, "without the white space around it, which was added", body.strip())
    unix = body.replace(b"\r\n", b"\n")
    yield Body(kind, "with LF at the end of its lines, not CR LF", unix)
    yield Body(kind, "with CR LF at the end of its lines, not LF", unix.replace(b"\n", b"\r\n"))


def _encoded(body: bytes) -> Iterator[Body]:
    found = _try(lambda: base64.b64decode(body, validate=True))
    if body and found is not None:
        yield Body("base64", "not Base64: what is here was never decoded (isBase64Encoded)", found)
    yield Body("base64", "Base64: what is here was decoded once too often", base64.b64encode(body))
    yield Body("charset", "without the byte order mark", body.removeprefix(codecs.BOM_UTF8))
    yield Body("charset", "with a byte order mark", codecs.BOM_UTF8 + body)
    for written, read, what in _CHARSETS:
        found = _recoded(body, written, read)
        if found is not None:
            yield Body("charset", what, found)


_CHARSETS = (
    ("utf-8", "latin-1", "in Latin-1; it was turned to UTF-8"),
    ("latin-1", "utf-8", "in UTF-8; it was turned to Latin-1"),
    ("utf-8", "cp1252", "in Windows-1252, or UTF-8 that was read as such and written anew"),
    ("utf-8", "utf-16", "in UTF-16; it was turned to UTF-8"),
)


def _recoded(body: bytes, written: str, read: str) -> bytes | None:
    try:
        return body.decode(written).encode(read)
    except UnicodeError:
        return None


def _spellings(body: bytes) -> Iterator[tuple[str, str, bytes]]:
    text = _try(lambda: body.decode("utf-8"))
    if text is None:
        return
    value = _try(lambda: json.loads(text))
    if isinstance(value, dict | list):
        for what, spelled in _json(value):
            yield "json", what, spelled.encode("utf-8", "surrogatepass")
    elif "=" in text:
        pairs = parse_qsl(text, keep_blank_values=True)
        yield "form", "a form whose spaces are `+`", urlencode(pairs).encode()
        yield "form", "a form whose spaces are `%20`", urlencode(pairs, quote_via=quote).encode()


def _json(value: Any) -> Iterator[tuple[str, str]]:
    layouts: dict[str, dict[str, Any]] = {
        "without spaces": {"separators": (",", ":")},
        "with a space after `,` and `:`": {},
        "indented by 2": {"indent": 2},
        "indented by 4": {"indent": 4},
        "without spaces, its keys sorted": {"separators": (",", ":"), "sort_keys": True},
        "with spaces, its keys sorted": {"sort_keys": True},
    }
    escapes = {
        "its characters as they are": False,
        "characters beyond ASCII as \\u escapes": True,
    }
    for layout, options in layouts.items():
        for escaping, ascii_only in escapes.items():
            text = json.dumps(value, ensure_ascii=ascii_only, **options)
            what = f"JSON {layout}, {escaping}"
            yield what, text
            yield f"{what}, `/` as `\\/`", text.replace("/", "\\/")
            yield f"{what}, whole numbers without `.0`", _WHOLE_FLOAT.sub("", text)
            if ascii_only:
                upper = _ESCAPE.sub(lambda found: "\\u" + found[0][2:].upper(), text)
                yield f"{what} in capitals", upper


def urls(url: str, headers: Mapping[str, str]) -> Iterator[str]:
    """The URLs that a provider may have signed in the place of one, the likeliest first; none twice."""
    parts = urlsplit(url)
    hosts = [parts.netloc, parts.hostname or ""]
    hosts += [headers[name] for name in ("x-forwarded-host", "host", "x-original-host") if headers.get(name)]
    hosts += [f"{host}:{port}" for host in hosts[:1] for port in (443, 80)]
    paths = [parts.path, parts.path.rstrip("/"), f"{parts.path}/", unquote(parts.path), ""]
    queries = [parts.query, "", unquote(parts.query)]
    seen = {url}
    for host in hosts:
        for scheme in (parts.scheme, "https", "http"):
            for path in paths:
                for query in queries:
                    found = urlunsplit((scheme, host, path, query, ""))
                    if found not in seen:
                        seen.add(found)
                        yield found


def _try(make: Callable[[], Any]) -> Any:
    try:
        return make()
    except (ValueError, RecursionError):
        return None
