"""Requests under any faults: answered within their time, and what was told with 2xx is delivered, once."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from causeway.requests.answering import LONGEST
from tests.support.deliveries import QUEUE, call_of
from tests.support.requests import TIMEOUT, Asking, plan_for

DONE = (201, {"id": "entry"})
ANSWERS = st.sampled_from(
    [DONE, DONE, 500, 503, "timeout", "connection", 404, (429, {}, {"retry-after": "3"}),
     (503, {}, {"retry-after": "60"})]
)  # fmt: skip
SCRIPTS = st.lists(ANSWERS, max_size=5)
REQUESTS = st.lists(
    st.tuples(st.sampled_from(["k1", "k2", "k3"]), st.sampled_from(["", "respond-async", "wait=2"])),
    min_size=1,
    max_size=6,
)
STEPS = [{"name": "make", "call": call_of("/make")}]


def in_time(stage, **asked):
    """An answer, which does not come later than a client may wait; the clock moves by calls and waits only."""
    began = stage.clock.now()
    reply = stage.ask(**asked)
    assert stage.clock.now() - began <= LONGEST + 1 < TIMEOUT
    return reply


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    script=SCRIPTS,
    steps=SCRIPTS,
    asked=REQUESTS,
    otherwise=st.sampled_from(["queue", "refuse"]),
    wait=st.sampled_from([1.0, 5.0, 20.0, 25.0]),
    slow=st.sampled_from([0.01, 0.5, 4.0]),
)
def test_a_request_is_answered_in_its_time_and_what_was_promised_is_kept(
    *, script, steps, asked, otherwise, wait, slow
):
    errors = {"retry": {"first": 1.0, "factor": 2.0, "max": 8.0}}
    stage = Asking(plan_for(wait=wait, otherwise=otherwise, errors=errors, steps=STEPS))
    stage.target.seconds = slow
    stage.target.on("/entries", *script, DONE)
    stage.target.on("/make", *steps, 200)
    promised, final = set(), {}
    for key, prefer in asked:
        headers = {"prefer": prefer} if prefer else {}
        reply = in_time(stage, idempotency_key=key, **headers)
        if otherwise == "refuse":
            assert reply.status != 202
            assert not stage.memory.queues[QUEUE]
        if reply.status < 300:
            promised.add(key)
        if reply.status == 201 or reply.headers.get("idempotency-replayed"):
            assert final.setdefault(key, reply.status) == reply.status, "a reply does not change"
    stage.until_quiet()
    for key in promised:
        reply = stage.ask(idempotency_key=key)
        item = stage.item(reply.delivery)
        told = [letter["delivery"] for letter in stage.dead_letters()]
        assert item["status"] == "delivered" or reply.delivery in told
        assert reply.headers["idempotency-replayed"] == "true"
        assert final.get(key, reply.status) == reply.status
    assert not [item for item in stage.items() if item["status"] == "running"]
    succeeded = [
        entry for item in stage.items() for entry in item["attempts"] if entry["outcome"] == "delivered"
    ]
    assert len(succeeded) <= len({key for key, _ in asked})
