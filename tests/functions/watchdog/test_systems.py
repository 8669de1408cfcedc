"""What is the matter with systems, polls, tokens, certificates and queues: each told in time, and its end."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from causeway.calls.certificates import Noting
from causeway.calls.grants import GrantKey
from causeway.telemetry.logs import logger
from tests.support.deliveries import Stage, call_of, plan_of
from tests.support.watching import DAY, Watched, one, work

# Polls and tokens


def polled():
    poll = {
        "name": "orders",
        "system": "shop",
        "every": 600.0,
        "call": call_of("/orders.json", system="shop", method="GET"),
        "records": "body",
        "id": "id",
        "event_type": "orders",
        "credentials": [],
        "batch": 1,
    }
    api = plan_of().systems["ledger"]["api"] | {"base_url": "https://shop.example.com"}
    shop = {"api": api, "polls": {"orders": poll}}
    return Stage(plan_of(shop=shop, source={"system": "shop", "poll": "orders"}))


def test_a_poll_that_is_not_read_is_told_once_its_deliveries_are_late():
    stage = polled()
    watched = Watched(stage)
    slot = stage.clock.now() // 600 * 600

    def read(at):
        watched.means.state.put(
            {"id": "poll#shop/orders", "part": "state", "slot": at, "unfinished": False, "read_until": at}
        )

    read(slot)
    watched.minutes(22)
    assert watched.mail == []
    watched.minutes(1)
    message = one(watched.mail)
    assert message.subject.startswith(
        "[warning] shop/orders: the poll is late: it has not been read to its end"
    )
    assert message.at - (slot + 600) <= 900 + 60
    read(stage.clock.now())
    watched.minutes(4)
    assert one(watched.mail).attributes["state"] == "recovered"


def test_a_system_that_is_polled_and_fails_is_told_to_the_owners_of_what_is_read_there():
    stage = polled()
    watched = Watched(stage)
    watched.minutes(1)
    health = {"opened_at": stage.clock.now(), "open_until": stage.clock.now() + 9000, "counts": []}
    watched.means.state.put({"id": "health#all", "part": "shop", "version": 1, **health})
    watched.minutes(1)
    message = one(watched.mail)
    assert message.subject == "[critical] shop fails: its circuit is open"
    assert message.attributes["integration"] == ["orders-to-ledger"]


def test_a_poll_that_never_runs_is_told_as_late_as_one_that_runs_no_more():
    stage = polled()
    watched = Watched(stage)
    began = stage.clock.now()
    watched.minutes(22)
    assert watched.mail == []
    watched.minutes(5)
    message = one(watched.mail)
    assert message.subject.startswith("[warning] shop/orders: the poll is late")
    assert message.at - began <= 600 + 900 + 120
    now = stage.clock.now()
    watched.means.state.put({"id": "poll#shop/orders", "part": "state", "slot": now, "read_until": now})
    watched.minutes(4)
    assert one(watched.mail).attributes["state"] == "recovered"


def granted(stage, **grant):
    auth = {"type": "oauth2", "grant": "refresh_token", "token_url": "https://id.example.com/token"}
    stage.deploy(plan_of(ledger={"auth": auth}))
    watched = Watched(stage)
    key = GrantKey.of("ledger", auth)
    watched.means.state.put({"id": key.id, "part": key.part, "sealed": "secret", **grant})
    return watched, key


def test_a_refresh_token_that_the_server_does_not_take_any_more_is_told(stage):
    now = stage.clock.now()
    watched, key = granted(stage, granted_at=now - DAY, good_until=now - 10, refused_at=now)
    watched.minutes(1)
    message = one(watched.mail)
    assert message.subject == "[critical] ledger does not take our refresh token any more"
    assert "causeway authorize ledger" in message.by_protocol["email"]
    assert "secret" not in json.dumps(message.by_protocol)
    later = stage.clock.now()
    watched.means.state.put({"id": key.id, "part": key.part, "granted_at": later, "good_until": later + 3600})
    watched.minutes(4)
    assert one(watched.mail).attributes["state"] == "recovered"


def test_a_consent_is_told_before_it_ends_and_when_it_is_over(stage):
    now = stage.clock.now()
    ends = now + 60 * DAY
    grant = {"granted_at": now, "good_until": now + 3600, "refresh_until": ends, "refresh_lasts": 60 * DAY}
    watched, key = granted(stage, **grant)
    stage.clock.set(ends - 3 * DAY - 120)
    watched.means.state.put({"id": key.id, "part": key.part, **grant, "granted_at": stage.clock.now()})
    watched.minutes(1)
    assert watched.mail == []
    stage.clock.set(ends - 2.9 * DAY)
    watched.look()
    message = one(watched.mail)
    assert message.subject.startswith("[warning] our consent to call ledger ends at")
    assert "causeway authorize ledger" in message.by_protocol["email"]
    watched.means.state.put({"id": key.id, "part": key.part, **grant, "granted_at": ends - 60})
    stage.clock.set(ends + 60)
    watched.look()
    assert "[critical] worse" in one(watched.mail).subject
    again = stage.clock.now()
    renewed = {"granted_at": again, "refresh_until": again + 60 * DAY}
    watched.means.state.put({"id": key.id, "part": key.part, **grant, **renewed})
    watched.minutes(4)
    assert one(watched.mail).attributes["state"] == "recovered"


def test_a_refresh_token_of_a_short_life_is_told_of_in_its_last_quarter(stage):
    now = stage.clock.now()
    grant = {"good_until": now + 4 * DAY, "refresh_until": now + 4 * DAY, "refresh_lasts": 4 * DAY}
    watched, _ = granted(stage, granted_at=now, **grant)
    stage.clock.set(now + 2.9 * DAY)
    watched.look()
    assert watched.mail == []
    stage.clock.set(now + 3.1 * DAY)
    watched.look()
    assert one(watched.mail).subject.startswith("[warning] our consent to call ledger ends at")


def test_a_token_that_is_renewed_on_demand_is_never_told(stage):
    now = stage.clock.now()
    watched, _ = granted(stage, granted_at=now - 3600, good_until=now - 10)
    watched.minutes(3)
    assert watched.mail == []


# Strays and certificates


STRAYS = "https://sqs/strays"


def strayed(stage, ticket="0000.000001"):
    """A delivery's message that SQS has put away."""
    message = stage.first_message()
    stage.memory.call(
        "sqs", "SendMessage", {"QueueUrl": STRAYS, "MessageBody": json.dumps(message | {"ticket": ticket})}
    )


def test_a_stray_whose_delivery_nobody_carries_on_is_told_until_it_is_put_back(stage, watched):
    strayed(stage)
    watched.minutes(20)
    message = one(watched.mail)
    assert message.subject == "[critical] 1 message went astray in strays"
    assert message.attributes["integration"] == ["orders-to-ledger"]
    stage.memory.queues[STRAYS] = []
    watched.minutes(4)
    assert one(watched.mail).attributes["state"] == "recovered"


@pytest.mark.parametrize("answer", [200, 400])
def test_a_stray_that_the_journal_has_done_with_is_taken_away_and_not_told(stage, watched, answer):
    stage.target.on("/entries", answer)
    stage.accept()
    work(stage)()
    strayed(stage)
    watched.minutes(1)
    assert {each.attributes["check"] for each in watched.mail} <= {"dead"}
    assert stage.memory.queues[STRAYS] == []


def test_a_stray_that_a_later_message_carries_on_is_taken_away(stage, watched):
    stage.target.on("/entries", 503)
    stage.accept()
    work(stage)()
    strayed(stage)
    watched.minutes(1)
    assert watched.mail == []
    assert stage.memory.queues[STRAYS] == []


def test_a_stray_that_is_none_of_ours_is_the_operators(stage, watched):
    stage.memory.call("sqs", "SendMessage", {"QueueUrl": STRAYS, "MessageBody": "what is this?"})
    watched.minutes(1)
    assert one(watched.mail).attributes["to"] == "operator"


def test_a_certificate_is_told_of_two_weeks_before_it_ends_as_the_scheduler_has_noted(stage):
    mtls = {"certificate": "ledger/cert", "key": "ledger/key"}
    stage.deploy(plan_of(ledger={"mtls": mtls}))
    watched = Watched(stage)
    pem, ends = certificate()
    stage.clock.set(ends - 30 * DAY)
    secrets = SimpleNamespace(current=lambda names: [pem] if names == ["ledger/cert"] else [])
    noting = Noting(stage.tools.plan, secrets, watched.means.state, stage.clock, logger())
    assert noting.run(until=stage.clock.now() + 1) == 1
    assert noting.run(until=stage.clock.now() + 1) == 0, "once an hour"
    watched.look()
    assert watched.mail == []
    stage.clock.set(ends - 13.9 * DAY)
    watched.look()
    assert one(watched.mail).subject.startswith("[warning] the certificate that we show ledger ends at")
    stage.clock.set(ends - 0.5 * DAY)
    watched.look()
    assert one(watched.mail).attributes["severity"] == "critical"


def test_a_certificate_that_nobody_can_read_any_more_is_told_after_a_day(stage):
    stage.deploy(plan_of(ledger={"mtls": {"certificate": "ledger/cert", "key": "ledger/key"}}))
    watched = Watched(stage)
    now = stage.clock.now()
    noted = {"id": "certificate#ledger", "part": "certificate", "ends_at": now + 300 * DAY}
    watched.means.state.put(noted | {"noted_at": now})
    stage.clock.advance(DAY)
    watched.look()
    assert watched.mail == []
    watched.minutes(1)
    assert one(watched.mail).subject == "[warning] the certificate that we show ledger cannot be read"
    watched.means.state.put(noted | {"noted_at": stage.clock.now()})
    watched.minutes(4)
    assert one(watched.mail).attributes["state"] == "recovered"


def test_a_certificate_that_cannot_be_read_is_told_in_the_log_without_its_content(stage, caplog):
    mtls = {"certificate": "ledger/cert", "key": "ledger/key"}
    stage.deploy(plan_of(ledger={"mtls": mtls}))
    watched = Watched(stage)
    secrets = SimpleNamespace(current=lambda _: ["-----BEGIN PRIVATE KEY----- sesame"])
    noting = Noting(stage.tools.plan, secrets, watched.means.state, stage.clock, logger())
    assert noting.run(until=stage.clock.now() + 1) == 0
    assert "certificate not read" in caplog.text
    assert "sesame" not in caplog.text


def certificate():
    """A certificate in PEM, and when it ends."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "us")])
    ends = datetime(2027, 5, 1, tzinfo=UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2026, 5, 1, tzinfo=UTC))
        .not_valid_after(ends)
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(Encoding.PEM).decode(), ends.timestamp()
