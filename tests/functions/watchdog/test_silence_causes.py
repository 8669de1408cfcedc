"""Why it is silent, probably: the provider sends nothing, or we refuse what it sends, by which rule; and what helps."""

from __future__ import annotations

import pytest

from tests.support.silence import HOUR, SILENCE, one, pass_hours, sightings, watched_stage
from tests.support.watching import Watched


@pytest.fixture
def stage():
    return watched_stage()


@pytest.fixture
def watched(stage):
    return Watched(stage, checks=SILENCE)


def test_a_provider_that_sends_nothing(watched):
    watched.look()
    pass_hours(watched, 3)
    assert "shop sends nothing" in one(watched.mail)


def test_requests_that_we_refuse(stage, watched):
    watched.look()
    watched.clock.advance(2.5 * HOUR)
    seen = sightings(stage)
    for _ in range(25):
        seen.refused("shop", "signature")
    pass_hours(watched, 0.5)
    text = one(watched.mail)
    assert "we refuse what shop sends: at least 10 in the last hour, by the rule signature" in text
    assert "causeway secrets put shop/webhook" in text


def test_strangers_who_find_the_address_do_not_hide_what_the_provider_breaks(stage, watched):
    watched.look()
    watched.clock.advance(2.5 * HOUR)
    seen = sightings(stage)
    for _ in range(100):
        seen.refused("shop", "missing")
    seen.refused("shop", "signature")
    pass_hours(watched, 0.5)
    assert "at least 1 in the last hour, by the rule signature" in one(watched.mail)


@pytest.mark.parametrize(
    ("rule", "probably", "next_step"),
    [
        ("missing", "or these are others' and it sends nothing", "see in shop whether the webhook is"),
        ("malformed", "or these are others' and it sends nothing", "see in shop whether the webhook is"),
        ("timestamp", "its clock is wrong", "webhooks.tolerance says what is accepted"),
        ("secret", "here is no secret to verify it with", "causeway secrets put shop/webhook stores it"),
        ("scheme", "nothing can be verified", "correct the map"),
        ("keys", "cannot be fetched", "the webhook function's log says"),
        ("413", "it is not what we take", "the webhook function's log says"),
    ],
)
def test_each_rule_has_its_own_cause_and_next_step(stage, watched, rule, probably, next_step):
    watched.look()
    watched.clock.advance(2.5 * HOUR)
    sightings(stage).refused("shop", rule)
    pass_hours(watched, 0.5)
    text = one(watched.mail)
    assert f"by the rule {rule}; " in text
    assert probably in text
    assert next_step in text


def test_what_was_refused_long_ago_explains_nothing(stage, watched):
    watched.look()
    sightings(stage).refused("shop", "signature")
    pass_hours(watched, 3)
    assert "shop sends nothing" in one(watched.mail)
