"""The local cloud's secrets: from a file, and, for what verifies, generated where the file has none.

A generated one lets ``causeway send`` sign; a real provider does not know it, so nothing is opened by it.
"""

from __future__ import annotations

import base64
import json
import os
from typing import TYPE_CHECKING, Any

import yaml

from causeway_cli.errors import CommandError
from causeway_cli.secret_names import SecretUse, uses

if TYPE_CHECKING:
    from pathlib import Path

    from causeway.plan.plan import Plan
    from causeway.plan.records import Scheme
    from causeway_cli.stored_secrets import StoredSecrets


def read(file: Path) -> dict[str, str]:
    """Read a file of ``name: value``; a value that is an object is stored as JSON, for ``NAME#field``.

    Raises:
        CommandError: It is no such file. The message has no value of it.
    """
    try:
        content = yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)  # noqa: S506 - texts only
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise CommandError(f"{file} is no YAML") from error
    if not isinstance(content, dict) or not all(
        value and isinstance(value, str | dict) for value in content.values()
    ):
        raise CommandError(f"{file} must be YAML of name: value, and no value empty")
    return {
        str(name): value if isinstance(value, str) else json.dumps(value) for name, value in content.items()
    }


def put(
    secrets: StoredSecrets,
    plan: Plan,
    values: dict[str, str],
    *,
    generate_all: bool,
    replace: bool = True,
) -> list[SecretUse]:
    """Store what the plan names, unless it is there.

    Args:
        secrets: Where to.
        plan: The map.
        values: The file's.
        generate_all: Also make up what calls are authenticated with: of use for stand-ins only.
        replace: Store the file's values also where there are others. Once a cloud runs, what is put by
            ``causeway secrets put`` stays.

    Returns:
        What the plan names and nobody gave.
    """
    missing = []
    for use in uses(plan):
        value = values.get(use.name)
        if (value is None or not replace) and secrets.is_there(use):
            continue
        if value is None and use.direction == "in":
            value = _generated_for(use, plan)
        if value is None and generate_all:
            value = os.urandom(16).hex()
        if value is None:
            missing.append(use)
        else:
            secrets.put(use, value)
    return missing


def _generated_for(use: SecretUse, plan: Plan) -> str | None:
    """A secret that the first scheme of the system which names it takes; None for public keys."""
    for system in plan.systems.values():
        webhooks = system.get("webhooks")
        if webhooks:
            for written in webhooks["secrets"]:
                name, _, field = written.partition("#")
                if name == use.name:
                    value = _generated(webhooks["schemes"][0])
                    return json.dumps({field: value}) if field and value else value
    return None


def _generated(scheme: Scheme) -> str | None:
    prefix = scheme.get("key_prefix", "")
    if not scheme["algorithm"].startswith(("hmac-", "sha256", "token")):
        return None
    if scheme.get("key") == "base64":
        return prefix + base64.b64encode(os.urandom(32)).decode()
    return prefix + os.urandom(32).hex()


def unused(values: dict[str, Any], plan: Plan) -> list[str]:
    """Names of the file that the map does not use."""
    return sorted(set(values) - {use.name for use in uses(plan)})
