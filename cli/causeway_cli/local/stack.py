"""One CloudFormation stack: deploying it, and what came of it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from causeway_cli.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

DEPLOY_WITHIN = 120.0  # seconds


class Stack:
    """A stack by its name, in the AWS of these clients."""

    def __init__(self, clients: Callable[[str], Any], name: str) -> None:
        self.name = name
        self._clients = clients

    @property
    def _cloudformation(self) -> Any:
        return self._clients("cloudformation")

    def describe(self) -> dict[str, Any] | None:
        """CloudFormation's description; None: there is no such stack."""
        try:
            found: dict[str, Any] = self._cloudformation.describe_stacks(StackName=self.name)["Stacks"][0]
        except ClientError as error:
            if "does not exist" in str(error):
                return None
            raise
        return found

    def deploy(self, template_url: str, parameters: Mapping[str, str]) -> None:
        """Create or update the stack, and wait for it.

        Raises:
            CommandError: It failed; the message has CloudFormation's reasons.
        """
        arguments = {
            "StackName": self.name,
            "TemplateURL": template_url,
            "Parameters": [
                {"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()
            ],
            "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
        }
        try:
            if self.describe() is None:
                self._cloudformation.create_stack(**arguments)
            else:
                self._cloudformation.update_stack(**arguments)
        except ClientError as error:
            if "No updates are to be performed" in str(error):
                return
            raise CommandError(f"the template was refused: {error}") from error
        self._wait()

    def _wait(self) -> None:
        give_up = time.monotonic() + DEPLOY_WITHIN
        while time.monotonic() < give_up:
            status = (self.describe() or {}).get("StackStatus", "DELETE_COMPLETE")
            if status in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
                return
            if not status.endswith("IN_PROGRESS"):
                raise CommandError(f"the stack could not be deployed ({status}):{self._reasons()}")
            time.sleep(0.1)
        raise CommandError(f"the stack was not deployed within {DEPLOY_WITHIN:.0f} s")

    def _reasons(self) -> str:
        events = self._cloudformation.describe_stack_events(StackName=self.name)["StackEvents"]
        return "".join(
            f"\n  {event['LogicalResourceId']}: {event.get('ResourceStatusReason', 'no reason given')}"
            for event in events
            if event["ResourceStatus"].endswith("FAILED")
        )

    def outputs(self) -> dict[str, str]:
        """The stack's outputs by name."""
        described = self.describe() or {}
        return {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}

    def resources(self) -> dict[str, tuple[str, str]]:
        """Its resources: type and physical id by logical name."""
        pages = self._cloudformation.get_paginator("list_stack_resources").paginate(StackName=self.name)
        return {
            resource["LogicalResourceId"]: (resource["ResourceType"], resource["PhysicalResourceId"])
            for page in pages
            for resource in page["StackResourceSummaries"]
        }

    def functions(self) -> dict[str, str]:
        """Physical names of its functions by logical name."""
        return {
            name: physical
            for name, (type_, physical) in self.resources().items()
            if type_ == "AWS::Lambda::Function"
        }
