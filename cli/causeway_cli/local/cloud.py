"""The stack on an emulated AWS: deployed from this checkout and a map, as often as either changes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from causeway_cli.errors import CommandError
from causeway_cli.local import template as templates
from causeway_cli.local.artifacts import Artifacts, fingerprint
from causeway_cli.local.paths import LIBRARY, ROOT, TEMPLATE
from causeway_cli.local.stack import Stack

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

STACK = "causeway-local"

_NOTHING = {
    "WebhookFunction": b'{"requestContext": {"http": {"method": "GET"}}}',
    "ProcessorFunction": b'{"Records": []}',
}
"""Events that lead to nothing, for the functions of the happy path."""


@dataclass
class Cloud:
    """The local stack.

    Args:
        clients: The AWS that it is deployed to.
        endpoint: Where that is.
        environment: Which environment of the map runs.
        base_url: Where its HTTP API is reached from outside.
        layer: Directory of the plan's layer: the compiled plan, and its transforms.
    """

    clients: Callable[[str], Any]
    endpoint: str
    environment: str
    base_url: str
    layer: Path

    def __post_init__(self) -> None:
        self.stack = Stack(self.clients, STACK)
        self._artifacts = Artifacts(self.clients)

    def deploy(self, targets: Mapping[str, str]) -> None:
        """Deploy template, functions, library and plan as they are now.

        Args:
            targets: The parameters that name what else than systems may be sent to.

        Raises:
            CommandError: It could not be deployed; what was there before still runs.
        """
        template = templates.read(TEMPLATE)
        templates.place_code(
            template,
            upload=lambda folder: self._artifacts.upload(ROOT / folder),
            plan_layer=self._artifacts.upload(self.layer),
        )
        parameters = {"Environment": self.environment, "EndpointUrl": self.endpoint, **targets}
        environment = {
            "CAUSEWAY_BASE_URL": self.base_url,
            "CAUSEWAY_PLAN": templates.PLAN_DIRECTORY,
            "CAUSEWAY_SOURCE": fingerprint(LIBRARY),  # a change of the library starts new processes
        }
        fitted = templates.fit(templates.translate(template, parameters), environment)
        self.stack.deploy(self._artifacts.upload_template(fitted), parameters)

    def api_url(self) -> str:
        """Where the emulator serves the HTTP API."""
        for type_, physical in self.stack.resources().values():
            if type_ == "AWS::ApiGatewayV2::Api":
                return f"{self.endpoint}/_aws/execute-api/{physical}/$default"
        raise CommandError(f"{TEMPLATE.name} has no HTTP API")

    def warm_up(self) -> None:
        """Start two processes of each function that the happy path needs, with events that lead to nothing.

        On AWS somebody waits for the first cold start, too; here it would be whoever tries something out.
        """
        functions = self.stack.functions()
        with ThreadPoolExecutor() as pool:
            for name, event in 2 * list(_NOTHING.items()):
                pool.submit(self.clients("lambda").invoke, FunctionName=functions[name], Payload=event)

    def log_groups(self) -> list[str]:
        """The log groups of its functions."""
        functions = self.clients("lambda")
        return [
            functions.get_function_configuration(FunctionName=name)["LoggingConfig"]["LogGroup"]
            for name in self.stack.functions().values()
        ]
