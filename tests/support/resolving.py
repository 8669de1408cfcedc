"""CloudFormation's functions, as far as the template uses them for alarms and the dashboard: values for parameters."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

STACK = "causeway"

PSEUDO = {
    "AWS::Region": "eu-central-1",
    "AWS::AccountId": "123456789012",
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
}

NO_VALUE = object()

_REFERENCE = re.compile(r"\$\{([A-Za-z0-9:.]+)\}")


class Resolver:
    """A template with values for its parameters. A resource is known by its name in the template, also by its attributes.

    Args:
        template: As it is written.
        parameters: Values that are not the defaults.
        stack: The stack's name.
    """

    def __init__(
        self,
        template: Mapping[str, Any],
        parameters: Mapping[str, str] | None = None,
        *,
        stack: str = STACK,
    ) -> None:
        self._template = template
        unknown = set(parameters or {}) - set(template["Parameters"])
        assert not unknown, f"the template has no parameters {unknown}"
        defaults = {name: one["Default"] for name, one in template["Parameters"].items()}
        self._values = {**PSEUDO, "AWS::StackName": stack, **defaults, **(parameters or {})}

    def resources(self, type_: str) -> dict[str, dict[str, Any]]:
        """The properties of all resources of a type that there are, by name."""
        return {
            name: self.value(resource["Properties"])
            for name, resource in self._template["Resources"].items()
            if resource["Type"] == type_ and self._there(resource)
        }

    def value(self, part: Any) -> Any:
        """What a part of the template becomes; :data:`NO_VALUE` where it is left out."""
        match part:
            case {"Ref": str(name)}:
                return NO_VALUE if name == "AWS::NoValue" else self._values.get(name, name)
            case dict() if len(part) == 1 and next(iter(part)).startswith("Fn::"):
                return self._call(*next(iter(part.items())))
            case dict():
                found = {key: self.value(value) for key, value in part.items()}
                return {key: value for key, value in found.items() if value is not NO_VALUE}
            case list():
                return [value for value in map(self.value, part) if value is not NO_VALUE]
        return part

    def _call(self, function: str, argument: Any) -> Any:
        """What one of CloudFormation's functions gives."""
        match function, argument:
            case "Fn::GetAtt", str(name) | [str(name), *_]:
                return name.partition(".")[0]
            case "Fn::If", [str(condition), then, otherwise]:
                return self.value(then if self.holds(condition) else otherwise)
            case "Fn::Sub", str(text):
                return self._substitute(text, {})
            case "Fn::Sub", [str(text), dict(own)]:
                return self._substitute(text, self.value(own))
            case "Fn::FindInMap", [str(name), key, str(column)]:
                return self._template["Mappings"][name][str(self.value(key))][column]
            case "Fn::Join", [str(separator), parts]:
                return separator.join(map(str, self.value(parts)))
        raise AssertionError(f"the template did not use this before: {function} {argument}")

    def holds(self, condition: str | dict[str, Any]) -> bool:
        """Whether a condition does, by its name or written out."""
        match condition:
            case str(name):
                return self.holds(self._template["Conditions"][name])
            case {"Condition": str(name)}:
                return self.holds(name)
            case {"Fn::Not": [inner]}:
                return not self.holds(inner)
            case {"Fn::Or": [*inner]}:
                return any(map(self.holds, inner))
            case {"Fn::Equals": [left, right]}:
                return str(self.value(left)) == str(self.value(right))
        raise AssertionError(f"the template did not use this before: {condition}")

    def _there(self, resource: Mapping[str, Any]) -> bool:
        return "Condition" not in resource or self.holds(resource["Condition"])

    def _substitute(self, text: str, own: Mapping[str, Any]) -> str:
        def found(match: re.Match[str]) -> str:
            name = match[1]
            return str(own[name] if name in own else self._values.get(name, name.partition(".")[0]))

        return _REFERENCE.sub(found, text)
