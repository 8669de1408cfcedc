"""Requests on the local cloud: a client with a key asks, is answered, and finds later what was not done in time."""

from __future__ import annotations

import json
import time

import pytest

from tests.support.target import Reply


@pytest.fixture(scope="module")
def key(cloud):
    made = cloud.causeway("keys", "create", "flow-client", "--scope", "requests:call", "--json")
    assert made.returncode == 0, made.stderr
    return json.loads(made.stdout)


def bearer(key, **more):
    return {"Authorization": f"Bearer {key['key']}"} | {
        name.replace("_", "-"): value for name, value in more.items()
    }


def test_a_client_asks_and_gets_the_targets_answer_once(cloud, key, target, scenario):
    target.on(f"/{scenario}", Reply(201, {"entry": 1}, headers={"X-Own": "hush"}))
    headers = bearer(key, Idempotency_Key=scenario)
    answers = [cloud.send("POST", "/requests/ask-target", {"scenario": scenario}, headers) for _ in range(2)]
    assert [(answer.status, answer.json()) for answer in answers] == [(201, {"entry": 1})] * 2
    assert "x-own" not in answers[0].headers
    assert len(target.received(f"/{scenario}")) == 1
    other = cloud.send("POST", "/requests/ask-target", {"scenario": scenario, "more": 1}, headers)
    assert other.status == 422


def test_a_client_that_is_nobody_gets_nowhere(cloud, key, target, scenario):
    for headers, status in (
        ({}, 401),
        ({"Authorization": "Bearer causeway_0123456789abcdef_" + "A" * 43}, 403),
        ({"Authorization": f"Bearer {key['key'][:-1]}"}, 403),
        ({"Authorization": f"Basic {key['key']}"}, 403),
    ):
        assert cloud.send("POST", "/requests/ask-target", {"scenario": scenario}, headers).status == status
    assert not target.received(f"/{scenario}")


def test_what_is_not_done_in_time_is_found_later(cloud, key, target, scenario):
    target.on(f"/{scenario}", Reply(503, delay=6.0), Reply(200, {"late": True}))
    answer = cloud.send("POST", "/requests/ask-target", {"scenario": scenario}, bearer(key))
    assert (answer.status, answer.json()["status"]) == (202, "under way")
    place = answer.headers["location"]
    give_up = time.monotonic() + 20
    while (found := cloud.send("GET", place, headers=bearer(key))).status == 202:
        assert time.monotonic() < give_up
        time.sleep(0.2)
    assert (found.status, found.json()) == (200, {"late": True})


def test_where_nothing_is_queued_a_client_hears_504(cloud, key, target, scenario):
    target.on(f"/{scenario}", Reply(503, delay=6.0), Reply(200))
    answer = cloud.send("POST", "/requests/ask-or-refuse", {"scenario": scenario}, bearer(key))
    assert (answer.status, answer.headers["content-type"]) == (504, "application/problem+json")


def test_a_reply_needs_no_system(cloud, key):
    answer = cloud.send("POST", "/requests/ask-nobody", {"a": 4}, bearer(key))
    assert (answer.status, answer.json()) == (203, {"twice": [4, 4]})


def test_a_revoked_key_lets_nobody_in(cloud):
    """The verdict on it was never asked for before, so none is kept."""
    made = json.loads(
        cloud.causeway("keys", "create", "leaving", "--scope", "requests:call", "--json").stdout
    )
    assert cloud.causeway("keys", "revoke", made["id"]).returncode == 0
    assert cloud.send("POST", "/requests/ask-nobody", {"a": 4}, bearer(made)).status == 403
    listed = {key["id"]: key for key in json.loads(cloud.causeway("keys", "list", "--json").stdout)}
    assert listed[made["id"]]["state"] == "revoked"
    assert made["key"] not in json.dumps(listed)
    assert "no key" in cloud.causeway("keys", "revoke", "0" * 16).stderr
