"""The values that manifests are made of: durations, names, secrets, expressions, texts."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, Discriminator, Field, Tag, WithJsonSchema
from pydantic_core import PydanticCustomError, core_schema

from causeway.plan.manifest.base import Manifest

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import CoreSchema

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def wrong(message: str) -> PydanticCustomError:
    """An error in our words."""
    return PydanticCustomError("causeway", "{message}", {"message": message})


@dataclass(frozen=True)
class Form:
    """What a text looks like; ``what`` is how people are told."""

    pattern: str
    what: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {**handler(schema), "pattern": f"^(?:{self.pattern})$"}

    def _check(self, value: object) -> object:
        if not isinstance(value, str) or not re.fullmatch(self.pattern, value):
            raise wrong(f"must be {self.what}")
        return value


def duration(value: object) -> float:
    """The seconds of ``30s``, ``10m``, ``6h``, ``3d``."""
    found = re.fullmatch(r"(\d{1,9})([smhd])", value) if isinstance(value, str) else None
    if not found:
        raise wrong("must be a duration such as 30s, 10m, 6h or 3d")
    return float(int(found[1]) * _UNITS[found[2]])


def positive_duration(value: object) -> float:
    """The same, and not 0s."""
    seconds = duration(value)
    if not seconds:
        raise wrong("must be longer than 0s")
    return seconds


def _up_to_a_week(value: object) -> float:
    seconds = duration(value)
    if seconds > 7 * _UNITS["d"]:
        raise wrong("must be 7d at most")
    return seconds


def _up_to_a_wait(value: object) -> float:
    seconds = positive_duration(value)
    if seconds > 25:  # noqa: PLR2004 - what API Gateway's 30 s leave
        raise wrong("must be 25s at most")
    return seconds


def _share(value: object) -> float:
    found = re.fullmatch(r"(\d{1,3})%", value) if isinstance(value, str) else None
    if not found or not 0 < int(found[1]) <= 100:  # noqa: PLR2004
        raise wrong("must be a share such as 70%")
    return int(found[1]) / 100


def _network(value: object) -> object:
    try:
        if isinstance(value, str) and "/" in value:
            ipaddress.ip_network(value)
            return value
    except ValueError as error:
        raise wrong(f"must be a network such as 10.0.0.0/8 ({error})") from None
    raise wrong("must be a network such as 10.0.0.0/8; a single address is written 10.1.2.3/32")


DURATION_SCHEMA = WithJsonSchema(
    {"type": "string", "pattern": "^[0-9]{1,9}[smhd]$", "examples": ["30s", "3d"]}
)

Duration = Annotated[float, BeforeValidator(duration), DURATION_SCHEMA]
"""Seconds; written ``30s``, ``10m``, ``6h``, ``3d``."""

PositiveDuration = Annotated[float, BeforeValidator(positive_duration), DURATION_SCHEMA]
"""The same, and not 0s."""

UpToAWeek = Annotated[float, BeforeValidator(_up_to_a_week), DURATION_SCHEMA]
"""The same, and 7d at most."""

Wait = Annotated[float, BeforeValidator(_up_to_a_wait), DURATION_SCHEMA]
"""The same, not 0s, and 25s at most."""

Share = Annotated[
    float,
    BeforeValidator(_share),
    WithJsonSchema({"type": "string", "pattern": "^[0-9]{1,3}%$", "examples": ["70%"]}),
]
"""A fraction; written ``70%``."""

NAME_FORM = Form("[a-z][a-z0-9-]{0,47}", "a name: a small letter, then at most 47 of a-z, 0-9 and -")
Name = Annotated[str, NAME_FORM]
"""The name of a system, an integration, a poll."""

Identifier = Annotated[
    str,
    Form(
        "[a-z][a-z0-9_]{0,47}",
        "a name that expressions can use: a small letter, then at most 47 of a-z, 0-9 and _ (not -)",
    ),
]
"""The name of a step or of a constant."""

SecretName = Annotated[
    str,
    Form(
        r"(sm:)?[A-Za-z0-9_][A-Za-z0-9_./-]{0,255}(#[A-Za-z0-9_.-]{1,64})?",
        "the name of a secret (shop/webhook, sm:NAME, NAME#field), never the secret itself",
    ),
]
"""Where a secret is: ``NAME``, ``sm:NAME``, either with ``#field``."""

Email = Annotated[str, Form(r"[^@\s]+@[^@\s]+\.[^@\s]+", "an e-mail address")]

Link = Annotated[str, Form(r"https?://[^\s]+", "a link: https://...")]

BaseUrl = Annotated[str, Form(r"https?://[^\s?#]+", "a link without query and fragment: https://...")]

HeaderName = Annotated[str, Form(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", "the name of an HTTP header")]

Network = Annotated[str, BeforeValidator(_network), Field(json_schema_extra={"examples": ["10.0.0.0/8"]})]
"""A network in CIDR notation."""

DataPath = Annotated[
    str,
    Form(
        r"""(data|headers)(\.([A-Za-z_]\w*|"[^"]+")|\[\*?\])+""",
        "a path such as data.customer.email, data.lines[].name or 'headers.\"x-name\"'",
    ),
]
"""Where a value is in an event."""

PythonFunction = Annotated[
    str,
    Form(r"transforms\.[A-Za-z_]\w*:[A-Za-z_]\w*", "a function in transforms/: transforms.MODULE:FUNCTION"),
]

Expression = Annotated[str, Field(min_length=1, description="A JMESPath expression.")]
"""A question: it is a JMESPath expression as a whole."""

Text = Annotated[str, Field(description="A text, in which ${...} holds a JMESPath expression.")]


class SecretRef(Manifest):
    """A secret in the place of a literal value."""

    secret: SecretName


def _text_or_secret(value: object) -> str:
    return "<secret>" if isinstance(value, dict) else "<text>"


TextOrSecret = Annotated[
    Annotated[Text, Tag("<text>")] | Annotated[SecretRef, Tag("<secret>")], Discriminator(_text_or_secret)
]
"""A literal, or ``{secret: NAME}``."""


def written(default: str) -> Any:
    """A default as people write it: ``written("5m")``; the models validate it like what is written."""
    return Field(default)


def _parameter(value: object) -> object:
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, dict | list):
            raise wrong("must be a text, a number, true or false, or a list of those")
    return value


Parameter = Annotated[
    Any, BeforeValidator(_parameter), Field(description="A text, a number, or a list of those.")
]
"""The value of a query parameter; a list repeats the parameter."""

Json = Annotated[Any, Field(description="Any JSON; every text in it may hold ${...}.")]
"""A template."""


def keys_choose(*choices: tuple[str, str], otherwise: str) -> Discriminator:
    """A union whose member is chosen by a key that only it has: (key, tag).

    So errors are about what was meant, not about every member. Tags are written ``<tag>`` and are no part of
    a key's path.
    """

    def choose(value: object) -> str:
        if isinstance(value, dict):
            for key, tag in choices:
                if key in value:
                    return tag
        return otherwise

    return Discriminator(choose)
