"""Targets that are no call: what AWS refuses, and what it really takes."""

from __future__ import annotations

import json
import zlib

import pytest

from causeway.calls.outcome import Refused
from causeway.delivery.targets import place_of
from causeway.delivery.targets.sending import About, Means
from causeway.events.envelope import make_event, scope_of
from tests.support.deliveries import call_of
from tests.support.targets import BODY, BUS, JSON, KINDS, LINES, QUEUE, failing, sent, stage_of


class TestFailures:
    @pytest.mark.parametrize("target", KINDS)
    @pytest.mark.parametrize(
        ("code", "status", "error"),
        [
            ("ServiceUnavailable", 503, "http"),
            ("AccessDeniedException", 400, "http"),
            ("NotConnected", 0, "connection"),
            ("NoAnswer", 0, "timeout"),
        ],
    )
    def test_what_may_be_repaired_is_tried_again(self, target, code, status, error):
        stage = stage_of(target)
        failing(stage, code, status)
        delivery = stage.accept()
        stage.until_quiet()
        first, last = stage.item(delivery)["attempts"]
        assert (first["outcome"], first["error"], first.get("status", 0)) == ("refused", error, status)
        ((kind, words),) = target.items()
        assert first["reason"].startswith(f"{kind} {words['name']}: {code}")
        assert (last["outcome"], sent(stage)) == ("delivered", 1)

    @pytest.mark.parametrize("target", KINDS)
    def test_what_aws_would_never_take_is_dead_at_once(self, target):
        stage = stage_of(target)
        failing(stage, "ValidationException", 400)
        delivery = stage.accept()
        stage.invoke()
        assert (stage.item(delivery)["status"], stage.item(delivery)["error"]) == ("dead", "http")

    @pytest.mark.parametrize("target", KINDS)
    def test_a_body_that_cannot_be_filled_in_is_dead(self, target):
        ((kind, words),) = target.items()
        stage = stage_of({kind: {**words, "body": {"name": "Order ${data.name}"}}})
        delivery = stage.accept()
        stage.invoke()
        assert (stage.item(delivery)["status"], stage.item(delivery)["error"]) == ("dead", "mapping")

    @pytest.mark.parametrize(
        ("target", "reason"),
        [
            ({"bus": {**BUS["bus"], "body": "${data.total}"}}, "a bus takes an object"),
            (
                {"bus": {**BUS["bus"], "detail_type": "${data.total}"}},
                "must be a text of 1 to 128 characters",
            ),
            ({"bus": {**BUS["bus"], "detail_type": "x" * 129}}, "must be a text of 1 to 128 characters"),
            ({"queue": {**QUEUE["queue"], "body": "${data.gone?}"}}, "nothing is left of the body"),
            ({"bucket": {**JSON["bucket"], "key": "${data.gone}"}}, "null where a text is needed"),
            ({"bucket": {**JSON["bucket"], "key": "a" * 1025}}, "a key has at most 1024 bytes"),
            ({"bucket": {**LINES["bucket"], "key": "all.ndjson"}}, "objects would overwrite each other"),
        ],
    )
    def test_what_cannot_be_sent_says_why(self, target, reason):
        stage = stage_of(target)
        delivery = stage.accept()
        stage.invoke()
        assert stage.item(delivery)["status"] == "dead"
        assert reason in stage.item(delivery)["reason"]

    @pytest.mark.parametrize("target", KINDS)
    def test_a_redacted_value_is_in_no_reason(self, target):
        stage = stage_of(target, shop={"redact": ["data.total"]})
        failing(stage, "Odd secret-value", 503)
        delivery = stage.accept(data={"total": "secret-value"})
        stage.invoke()
        assert "secret-value" not in json.dumps(stage.item(delivery))

    @pytest.mark.parametrize("target", KINDS)
    def test_without_time_for_it_the_message_goes_back_and_nothing_is_sent(self, target):
        stage = stage_of(
            target, steps=[{"name": "look", "call": call_of("/look", method="GET", timeout=1.0)}]
        )
        stage.target.seconds = 52.0
        delivery = stage.accept()
        stage.invoke()
        assert (stage.item(delivery)["status"], stage.item(delivery)["error"]) == ("waiting", "no time")
        assert sent(stage) == 0


class TestAgainstAws:
    """The same against moto, read with AWS's own client."""

    @pytest.fixture
    def means(self, cloud):
        def together(item, effect):
            (failure,) = effect([item])
            if failure:
                raise failure

        return Means(caller=None, aws=cloud.aws, deadline=0.0, together=together)

    SCOPE = scope_of(
        make_event(
            id="e/1", type="orders/paid", source="shop", time="2026-11-22T10:00:00Z", data={"total": 5}
        ),
        {},
        {},
    )
    ABOUT = About("d1", "orders-to-lake", {"Idempotency-Key": "d1"})

    def send(self, target, means):
        place = place_of(target)
        return place.kind.send(place.words, self.SCOPE, self.ABOUT, means)

    def test_a_queue(self, cloud, means):
        url = cloud.make_queue("jobs")
        words = {"name": f"{cloud.stack}-jobs", "body": BODY}
        assert self.send({"queue": words}, means).status == 200
        received = cloud.boto("sqs").receive_message(QueueUrl=url, MessageAttributeNames=["All"])
        (message,) = received["Messages"]
        assert json.loads(message["Body"]) == {"id": "e/1", "total": 5}
        assert message["MessageAttributes"]["Idempotency-Key"]["StringValue"] == "d1"

    def test_a_fifo_queue_takes_the_same_delivery_once(self, cloud, means):
        url = cloud.make_queue("jobs.fifo", {"FifoQueue": "true"})
        for _ in range(2):
            self.send({"queue": {"name": f"{cloud.stack}-jobs.fifo", "body": BODY}}, means)
        assert len(cloud.records(url)) == 1

    def test_a_queue_that_is_not_there_may_be_made_yet(self, means):
        with pytest.raises(Refused) as refused:
            self.send({"queue": {"name": "nowhere", "body": BODY}}, means)
        assert (refused.value.kind, refused.value.retry) == ("http", True)

    def test_a_message_that_is_too_large_is_refused_for_good(self, cloud, means):
        cloud.make_queue("jobs")
        with pytest.raises(Refused) as refused:
            self.send({"queue": {"name": f"{cloud.stack}-jobs", "body": "x" * 1_100_000}}, means)
        assert not refused.value.retry

    def test_a_bus(self, cloud, means):
        heard = cloud.heard
        self.send({"bus": {"name": cloud.bus, "detail_type": "${type}", "body": BODY}}, means)
        (record,) = cloud.records(heard)
        event = json.loads(record["body"])
        assert (event["detail-type"], event["source"]) == ("orders/paid", "causeway.orders-to-lake")
        assert (event["detail"], event["resources"]) == ({"id": "e/1", "total": 5}, ["causeway:delivery:d1"])

    @pytest.mark.parametrize("content", ["json", "ndjson"])
    def test_a_bucket(self, cloud, means, content):
        words = {"name": cloud.payloads, "key": "dt=${date(time, '%Y-%m-%d')}/${id}.gz", "content": content}
        self.send({"bucket": {**words, "body": BODY}}, means)
        s3 = cloud.boto("s3")
        (found,) = s3.list_objects_v2(Bucket=cloud.payloads)["Contents"]
        body = s3.get_object(Bucket=cloud.payloads, Key=found["Key"])["Body"].read()
        line = json.loads(zlib.decompress(body, wbits=31))
        if content == "json":
            assert (found["Key"], line) == ("dt=2026-11-22/e%2F1.gz", {"id": "e/1", "total": 5})
        else:
            assert line == {"_delivery": "d1", "id": "e/1", "total": 5}

    def test_a_bucket_that_is_not_there_may_be_made_yet(self, means):
        with pytest.raises(Refused) as refused:
            self.send({"bucket": {"name": "nowhere", "key": "a", "content": "json", "body": BODY}}, means)
        assert (refused.value.kind, refused.value.retry) == ("http", True)
