"""``causeway owners``: the owners of the map, as subscriptions of the topic that tells them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from causeway.watching.owners import OPERATOR, Subscription, address_of, owners_of, policy_of
from causeway_cli.options import AsJson
from causeway_cli.printing import print_json, wide_console
from causeway_cli.stacks import OnStack, on_stack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from causeway.plan.plan import Plan

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)

_STYLES = {"confirmed": "green", "pending": "yellow", "missing": "red"}


@dataclass
class Line:
    """One address: whose, how its subscription is, and what was done about it."""

    address: str
    teams: list[str]
    integrations: list[str]
    state: str  # confirmed, pending, missing; of an address that owns nothing: left over
    done: str = ""


class Subscribing:
    """The topic's subscriptions by e-mail, and the map's owners.

    Args:
        sns: A client.
        topic: The topic's ARN.
        plan: The map.
    """

    def __init__(self, sns: Any, topic: str, plan: Plan) -> None:
        self._sns = sns
        self._topic = topic
        self._owners = owners_of(plan)
        self._found = {address_of(each.endpoint): each for each in self._subscriptions()}

    def lines(self) -> list[Line]:
        """How things are: owners by their addresses, then what is left over."""
        owners = [
            Line(each.email, each.teams, each.integrations, _state(self._found.get(each.email)))
            for each in self._owners.values()
        ]
        return [*owners, *(Line(address, [], [], "left over") for address in self._left_over())]

    def sync(self, *, remind: bool, prune: bool) -> list[Line]:
        """Subscribe each owner, and set right what is there; what was done stands in the lines."""
        lines = self.lines()
        for line in lines:
            line.done = self._set_right(line, remind=remind, prune=prune)
        return lines

    def _set_right(self, line: Line, *, remind: bool, prune: bool) -> str:
        if line.state == "left over":
            if not prune:
                return ""
            self._sns.unsubscribe(SubscriptionArn=self._found[line.address].arn)
            return "unsubscribed"
        if line.state == "missing" or (line.state == "pending" and remind):
            self._subscribe(line.address)
            line.state = "pending"
            return "was asked to confirm"
        if line.state == "confirmed" and self._policy(line.address) != policy_of(line.address):
            self._sns.set_subscription_attributes(
                SubscriptionArn=self._found[line.address].arn,
                AttributeName="FilterPolicy",
                AttributeValue=json.dumps(policy_of(line.address)),
            )
            return "its filter was set right"
        return ""

    def _subscribe(self, address: str) -> None:
        self._sns.subscribe(
            TopicArn=self._topic,
            Protocol="email",
            Endpoint=address,
            Attributes={"FilterPolicy": json.dumps(policy_of(address))},
        )

    def _left_over(self) -> Iterator[str]:
        """Addresses that own nothing (any more), with a subscription such as this command makes."""
        for address, subscription in self._found.items():
            if address not in self._owners and subscription.confirmed:
                policy = self._policy(address)
                if policy == policy_of(address) and policy != policy_of(OPERATOR):
                    yield address

    def _policy(self, address: str) -> Any:
        arn = self._found[address].arn
        attributes = self._sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
        return json.loads(attributes.get("FilterPolicy") or "null")

    def _subscriptions(self) -> Iterator[Subscription]:
        pages = self._sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=self._topic)
        for page in pages:
            for each in page["Subscriptions"]:
                if each["Protocol"] == "email":
                    yield Subscription(each["SubscriptionArn"], each["Protocol"], each["Endpoint"])


def _state(found: Subscription | None) -> str:
    if found is None:
        return "missing"
    return "confirmed" if found.confirmed else "pending"


@app.callback()
def owners() -> None:
    """Who is told of what is not well. Until an owner has confirmed, the stack's operator is told instead.

    Example: causeway owners sync
    """


@app.command("list")
@on_stack
def list_(
    stack: OnStack,
    *,
    as_json: AsJson = False,
) -> None:
    """Show each owner's address, and whether it has confirmed.

    Example: causeway owners list
    """
    with stack() as place:
        found = Subscribing(place.clients("sns"), place.outputs["OwnersTopic"], place.plan).lines()
    _show(found, as_json=as_json)


@app.command()
@on_stack
def sync(
    stack: OnStack,
    *,
    remind: Annotated[bool, typer.Option("--remind", help="Ask those again who have not confirmed.")] = False,
    prune: Annotated[bool, typer.Option("--prune", help="Unsubscribe addresses that own nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Subscribe each owner's address to what concerns its integrations. SNS asks them to confirm.

    Example: causeway owners sync --prune
    """
    with stack() as place:
        subscribing = Subscribing(place.clients("sns"), place.outputs["OwnersTopic"], place.plan)
        found = subscribing.sync(remind=remind, prune=prune)
    _show(found, as_json=as_json)


def _show(lines: list[Line], *, as_json: bool) -> None:
    if as_json:
        print_json({"owners": [vars(line) for line in lines]})
        return
    table = Table(box=None, pad_edge=False)
    for name in ("address", "state", "", "team", "integrations"):
        table.add_column(name, overflow="fold")
    for line in lines:
        state = f"[{_STYLES.get(line.state, 'dim')}]{line.state}[/]"
        table.add_row(line.address, state, line.done, ", ".join(line.teams), ", ".join(line.integrations))
    wide_console().print(table)
    pending = sum(line.state != "confirmed" for line in lines if line.integrations)
    if pending:
        print(f"{pending} of them not confirmed yet: until then the stack's operator is told instead")
