"""Makes the corpus of requests: ``python -m tests.functions.webhook.make_events`` writes events/webhook anew.

What the function is invoked with by ``sam local invoke``, by these tests and in the documentation. Signed with the
test secrets in events/webhook/secrets.yaml; those with a timestamp are valid only at the test's time.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from causeway.webhooks.schemes import SCHEMES
from causeway_cli.local import samples
from tests.support.receiving import SECRETS, request, signed

DIRECTORY = Path(__file__).parents[3] / "events" / "webhook"


def make() -> dict[str, Any]:
    """The events, by the name of their file."""
    pull_request = _sample("github", "pull_request")
    order = _sample("shopify", "orders/paid")
    payment = _sample("stripe", "payment_intent.succeeded")
    delivery = {"event_id": "72d3162e-cc78-11e3-81ab-4c9367dc0958", "event_type": "pull_request"}
    good = signed("github", pull_request, **delivery)
    wrong = signed("github", pull_request, **delivery, secret="another-secret")
    form = {"content_type": "application/x-www-form-urlencoded", "encoded": True}
    challenge = {
        "type": "url_verification",
        "token": "Jhj5dZrVaK7ZwHHjRyZWjbDl",
        "challenge": "3eZbrw1aBm2rZgRNFdxV",
    }
    return {
        "github-pull-request": good,
        "github-base64": signed("github", pull_request, **delivery, encoded=True),
        "github-wrong-signature": wrong,
        "github-unsigned": request("github", pull_request, {"x-github-event": "pull_request"}),
        "github-not-json": signed("github", b"payload=%7B%7D", **delivery),
        "github-get": {**signed("github", b"", method="GET"), "body": None},
        "shop-order-paid": signed(
            "shop", order, event_id="b54557e4-bdd9-4b37-8a5f-bf7d70bcd043", event_type="orders/paid"
        ),
        "payments-payment-succeeded": signed("payments", payment),
        "gitlab-push": signed(
            "gitlab", _sample("gitlab", "Push Hook"), event_id="f5e57f64-9e6b-4f5c", event_type="Push Hook"
        ),
        "slack-url-verification": signed("slack", json.dumps(challenge).encode()),
        "slack-command": signed("slack", b"command=%2Fweather&text=94070&trigger_id=1.2.3", **form),
        "slack-mention": signed("slack", _sample("slack", "app_mention")),
        "unknown-system": request("nobody", b"{}"),
    }


def _sample(scheme: str, event_type: str) -> bytes:
    return json.dumps(samples.for_schemes(SCHEMES[scheme])[event_type], separators=(",", ":")).encode()


def _secrets() -> str:
    lines = [
        f"{name}: {value}"
        for name, value in SECRETS.items()
        if name.partition("/")[0] not in ("batch", "basic", "picky")
    ]
    return "\n".join(
        [
            "# What the requests in this folder are signed with: test values, good for nothing else.",
            "#   causeway dev --demo --secrets events/webhook/secrets.yaml",
            "# takes them, so that a running local cloud accepts these files. Those of payments and slack carry a",
            "# timestamp and are refused at any other time than the one that the tests set.",
            *lines,
            "",
        ]
    )


if __name__ == "__main__":
    for name, event in make().items():
        (DIRECTORY / f"{name}.json").write_text(json.dumps(event, indent=2) + "\n", encoding="utf-8")
    (DIRECTORY / "secrets.yaml").write_text(_secrets(), encoding="utf-8")
