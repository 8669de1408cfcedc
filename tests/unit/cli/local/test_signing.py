"""Signing as providers do: what `causeway send` posts is what the receiver accepts."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from causeway.events.matching import matches
from causeway.plan.plan import Plan
from causeway.webhooks.patterns import SignedRequest
from causeway.webhooks.schemes import SCHEMES
from causeway.webhooks.special import special
from causeway.webhooks.verify import verify
from causeway_cli.errors import CommandError
from causeway_cli.local import samples
from causeway_cli.local.signing import Provider
from tests.support.signatures import case_of

URL = "http://127.0.0.1/x"

CASES = {name: case_of(name, schemes[0]) for name, schemes in SCHEMES.items() if special(schemes[0]) is None}


def plan(scheme: str, events: list[str], **webhooks: Any) -> Plan:
    """A map with one system, `sender`, and one integration that takes these events."""
    record: Any = {
        "format": 1,
        "environment": "dev",
        "systems": {
            "sender": {
                "name": "sender",
                "webhooks": {"schemes": SCHEMES[scheme], "secrets": ["sender/webhook"], **webhooks},
            },
            "quiet": {"name": "quiet"},
        },
        "integrations": {"taker": {"name": "taker", "source": {"system": "sender", "events": events}}},
    }
    return Plan(record)


def provider(scheme: str, events: list[str], **webhooks: Any) -> Provider:
    secret = CASES[scheme].signing
    return Provider(plan(scheme, events, **webhooks), "sender", secret=secret, url=URL)


@pytest.mark.parametrize("scheme", sorted(CASES))
def test_a_sample_of_every_built_in_scheme_verifies(scheme: str) -> None:
    event = provider(scheme, ["*"]).sample(None)

    headers = {name.lower(): value for name, value in event.headers.items()}
    request = SignedRequest(method="POST", url=event.at(URL), headers=headers, body=event.body)
    verify(SCHEMES[scheme], request, [CASES[scheme].verifying], tolerance=60, now=time.time())


@pytest.mark.parametrize(
    "scheme", ["github", "gitlab", "shopify", "slack", "standard-webhooks", "stripe", "svix"]
)
def test_the_samples_are_those_of_the_built_in_schemes(scheme: str) -> None:
    assert samples.for_schemes(SCHEMES[scheme])


def test_the_sample_is_one_that_the_map_takes() -> None:
    assert provider("shopify", ["orders/create"]).default_type() == "orders/create"
    assert matches(["charge.*"], provider("stripe", ["charge.*"]).default_type())


def test_a_type_without_a_sample_is_sent_all_the_same() -> None:
    one = provider("stripe", ["payout.paid"])

    event = one.sample(one.default_type())

    assert json.loads(event.body)["type"] == "payout.paid"


def test_each_event_has_an_id_of_its_own_where_the_scheme_reads_it() -> None:
    stripe, github = provider("stripe", ["*"]), provider("github", ["*"])

    ids = {json.loads(stripe.sample(None).body)["id"] for _ in range(5)}
    deliveries = {github.sample("push").headers["x-github-delivery"] for _ in range(5)}

    assert len(ids) == len(deliveries) == 5


def test_the_systems_own_place_for_the_id_goes_before_the_schemes() -> None:
    event = provider("github", ["*"], id="body.meta.id").sample("push")

    assert json.loads(event.body)["meta"]["id"] == event.id


def test_a_file_is_sent_as_it_is_and_numbered_when_there_are_many() -> None:
    content = b'{ "id":"evt_1",\n "type": "x" }'
    one = provider("stripe", ["*"])

    assert one.from_bytes(content, None, numbered=False).body == content
    assert json.loads(one.from_bytes(content, None, numbered=True).body)["id"] != "evt_1"
    assert one.from_bytes(b"no JSON", None, numbered=True).body == b"no JSON"


def test_a_type_that_cannot_be_placed_is_said() -> None:
    with pytest.raises(CommandError, match="reads an event's type with"):
        provider("slack", ["*"]).sample("reaction_added")


@pytest.mark.parametrize(
    ("system", "message"), [("nobody", "no system 'nobody'"), ("quiet", "quiet sends no webhooks")]
)
def test_a_system_that_sends_nothing_is_said(system: str, message: str) -> None:
    with pytest.raises(CommandError, match=message):
        Provider(plan("github", ["*"]), system, secret="x", url="")


def test_a_secret_that_is_none_of_the_scheme_is_said() -> None:
    with pytest.raises(CommandError, match="signing key of none"):
        Provider(plan("svix", ["*"]), "sender", secret="not one", url="")
