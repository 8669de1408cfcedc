"""Vectors that providers have published, as they published them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.conformance.deliveries import NOW

if TYPE_CHECKING:
    from tests.conformance.deliveries import Vector

PUBLISHED: list[Vector] = [
    {
        "id": "github/published",
        "provider": "github",
        "oracle": "github's sample",
        "source": "https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries#testing-the-webhook-payload-validation",
        "secret": "It's a Secret to Everybody",
        "headers": {
            "X-Hub-Signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
        },
        "body": "Hello, World!",
        "now": NOW,
    },
    {
        "id": "slack/published",
        "provider": "slack",
        "oracle": "slack_sdk",
        "source": "https://docs.slack.dev/authentication/verifying-requests-from-slack",
        "secret": "8f742231b10e8888abcd99yyyzzz85a5",
        "headers": {
            "X-Slack-Request-Timestamp": "1531420618",
            "X-Slack-Signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
            "Content-Type": "application/x-www-form-urlencoded",
        },
        "body": "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar"
        "&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com"
        "%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121"
        ".803a0bc887a14d10d2c447fce8b6703c",
        "now": 1531420618,
        "expected_event_type": "/webhook-collect",
    },
    {
        "id": "standard-webhooks/v1a-published",
        "provider": "standard-webhooks",
        "oracle": "cryptography",
        "source": "https://github.com/svix/svix-webhooks (the key pair and signature in the server's README and tests)",
        "secret": "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=",
        "headers": {
            "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "webhook-timestamp": "1614265330",
            "webhook-signature": "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==",
        },
        "body": '{"test": 2432232314}',
        "now": 1614265330,
        "expected_event_id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    },
]
