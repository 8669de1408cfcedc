"""What all manifest models share: unknown keys are errors, and all errors of a model are shown at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from causeway.plan.problems import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pydantic.fields import FieldInfo
    from pydantic_core import ErrorDetails

    from causeway.plan.records import JSON

Finding = tuple[str, str]
"""A key (empty: the object itself) and what is wrong with it."""


class Manifest(BaseModel):
    """A part of a manifest. Values stay what YAML read: no text becomes a number, no 1 becomes true."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, validate_default=True, use_attribute_docstrings=True
    )

    @classmethod
    def findings(cls, value: Mapping[str, JSON]) -> Iterator[Finding]:  # noqa: ARG003
        """What is wrong between this object's keys, found on the values as written, whatever they are."""
        yield from ()

    @classmethod
    def _empty(cls, value: Mapping[str, JSON]) -> Iterator[Finding]:
        """Keys with nothing behind them: ``filter:`` is not no filter, it is one that was forgotten."""
        for key in value:
            field = cls.model_fields.get(key)
            if field and value[key] is None and type(None) in get_args(field.annotation):
                yield key, "empty: give it a value, or leave the key out"

    @model_validator(mode="wrap")
    @classmethod
    def _all_at_once(cls, value: Any, validate: Callable[[Any], Any]) -> Any:
        """Show what pydantic finds and :meth:`findings` together, not one after the other."""
        findings = [*cls._empty(value), *cls.findings(value)] if isinstance(value, dict) else []
        errors = [_error((key,) if key else (), message) for key, message in findings]
        try:
            made = validate(value)
        except ValidationError as error:
            errors += [_worded(details, cls.model_fields) for details in error.errors()]
        if errors:
            raise ValidationError.from_exception_data(cls.__name__, errors)
        return made


def _error(loc: tuple[int | str, ...], message: str) -> InitErrorDetails:
    """A finding. Values are no part of it: one may be a secret in the wrong place."""
    kind = PydanticCustomError("causeway", "{message}", {"message": message})
    return InitErrorDetails(type=kind, loc=loc, input=())


def _worded(details: ErrorDetails, fields: Mapping[str, FieldInfo]) -> InitErrorDetails:
    """Put a finding of pydantic in our words; those of models inside this one have them already."""
    message = details["msg"]
    if details["type"] == "missing":
        return _error(details["loc"], _missing(fields.get(str(details["loc"][-1]))))
    if details["type"] == "extra_forbidden":
        message = f"unknown key; {did_you_mean(str(details['loc'][-1]), fields)}"
    elif details["type"] in _WORDING:
        message = _WORDING[details["type"]].format(**details.get("ctx", {}))
    if details["input"] is None:
        message = f"empty; {message}"
    return _error(details["loc"], message)


def _missing(field: FieldInfo | None) -> str:
    """That a key is missing, and what it would say."""
    description = (field.description or "") if field else ""
    return f"missing: {description[0].lower()}{description[1:].rstrip('.')}" if description else "missing"


_WORDING = {
    "string_type": "must be a text; put it in quotes if it is one",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "list_type": "must be a list: `[one, two]`",
    "dict_type": "must be an object: `key: value`",
    "model_type": "must be an object: `key: value`",
    "literal_error": "must be {expected}",
    "string_too_short": "must not be empty",
    "too_short": "must not be empty",
    "greater_than": "must be more than {gt:g}",
    "greater_than_equal": "must be at least {ge:g}",
    "less_than_equal": "must be at most {le:g}",
}
