"""Receiving from providers whose keys are fetched: by the whole function's way, from a stand-in of the web."""

from __future__ import annotations

import json
from typing import Any

import jwt
import pytest

from causeway.plan.plan import Plan
from causeway.webhooks.key_material import KeyMaterial
from causeway.webhooks.key_sets import SOURCES
from causeway.webhooks.patterns import SignedRequest
from causeway.webhooks.receiving import Receiver
from causeway.webhooks.schemes import SCHEMES
from causeway.webhooks.special import sns
from tests.support import publishers
from tests.support.publishers import Web, key_set, private_pem, rsa_key, self_signed
from tests.support.receiving import NOW, Bench, record, request

TOPIC = "arn:aws:sns:eu-central-1:123456789012:MyTopic"
SECRETS = {
    "topic/webhook": TOPIC,
    "push/webhook": json.dumps({"audience": "a", "email": "push@project.iam.example.com"}),
}


class Fetching(Bench):
    """A bench with systems whose keys are published, on a web that a test holds."""

    def __init__(self, web: Web) -> None:
        plan: Any = record()
        for name, scheme in (("topic", "aws-sns"), ("push", "google-pubsub")):
            webhooks = {"schemes": SCHEMES[scheme], "secrets": [f"{name}/webhook"], "dedupe_for": 604800.0}
            plan["systems"][name] = {"name": name, "description": "", "redact": [], "webhooks": webhooks}
            taker = json.loads(json.dumps(plan["integrations"]["all-basic"]))
            plan["integrations"][f"all-{name}"] = {
                **taker,
                "name": f"all-{name}",
                "source": {"system": name, "events": ["*"]},
            }
        super().__init__(plan, SECRETS)
        keys = KeyMaterial(self.clock, web)
        self.receiver = Receiver(
            plan=Plan(plan), secrets=self.secrets, store=self.queue, clock=self.clock, metrics=self.metrics, fetch=keys, visit=keys  # type: ignore[arg-type]
        )  # fmt: skip


@pytest.fixture
def web() -> Web:
    certificate = self_signed("sns.amazonaws.com", starts=NOW - 86400)
    return Web({
        "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-1.pem": certificate.encode(),
        SOURCES["google"].url: key_set(k1=rsa_key(1)),
    })  # fmt: skip


@pytest.fixture
def bench(web: Web) -> Fetching:
    return Fetching(web)


def notified(**message: str) -> dict[str, Any]:
    secret = json.dumps({"topic_arn": TOPIC, "private_key": private_pem(rsa_key(1))})
    unsigned = SignedRequest(
        "POST", "", {}, json.dumps({"MessageId": "m-1", "Message": "hello", **message}).encode()
    )
    body = sns.WAY.sign({}, unsigned, secret, now=NOW).body
    return request(
        "topic", body, {"x-amz-sns-message-type": "Notification"}, content_type="text/plain; charset=UTF-8"
    )


def pushed() -> dict[str, Any]:
    claims = {
        "iss": "https://accounts.google.com", "aud": "a", "email": "push@project.iam.example.com", "email_verified": True,
        "iat": int(NOW), "exp": int(NOW) + 3600,
    }  # fmt: skip
    token = jwt.encode(claims, rsa_key(1), "RS256", headers={"kid": "k1"})
    return request("push", b'{"message": {"messageId": "p-1"}}', {"authorization": f"Bearer {token}"})


def test_a_notification_is_received_as_json_although_it_says_that_it_is_text(bench):
    assert bench.answer(notified())["statusCode"] == 200
    [message] = bench.queue.messages
    assert (message["event"]["id"], message["event"]["type"]) == ("m-1", "Notification")
    assert message["event"]["data"]["Message"] == "hello"


def test_a_subscription_is_confirmed_once_its_signature_is_proven(bench, web):
    url = "https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&Token=t"
    web.pages[url] = b"<ConfirmSubscriptionResponse/>"
    confirmation = notified(Type="SubscriptionConfirmation", SubscribeURL=url, Token="t")
    forged = {**confirmation, "body": confirmation["body"].replace("Token=t", "Token=u")}
    assert bench.answer(forged)["statusCode"] == 401
    assert url not in [asked for asked, _ in web.asked]
    assert bench.answer(confirmation)["statusCode"] == 200
    assert url in [asked for asked, _ in web.asked]


def test_a_token_is_received_and_stays_out_of_the_event(bench):
    assert bench.answer(pushed())["statusCode"] == 200
    assert bench.queued == [("all-push", "p-1")]
    assert "authorization" not in bench.queue.messages[0]["event"]["headers"]


@pytest.mark.parametrize("event", [notified, pushed])
def test_when_the_keys_cannot_be_had_it_is_sent_again_and_not_refused(bench, web, event):
    web.down = True
    answer = bench.answer(event())
    assert answer["statusCode"] == 503
    assert answer["headers"]["retry-after"]
    assert not bench.queue.messages
    web.down = False
    bench.clock.advance(publishers.A_MINUTE)
    assert bench.answer(event())["statusCode"] == 200


def test_an_outage_is_not_noticed_while_the_keys_are_kept(bench, web):
    assert bench.answer(pushed())["statusCode"] == 200
    web.down = True
    bench.clock.advance(3590)
    assert bench.answer(pushed())["statusCode"] == 200
