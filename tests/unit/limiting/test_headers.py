"""What answers say of limits, in all the ways that are common."""

import pytest

from causeway.calls.outcome import Answer
from causeway.limiting.headers import hold

NOW = 1_700_000_000.0


def held(status=200, **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return hold(Answer(status, named, None, 0.1), now=NOW)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"ratelimit": '"default";r=0;t=30'}, 30),
        ({"ratelimit": '"burst";r=5;t=1, "day";r=0;t=3600'}, 3600),
        ({"ratelimit": '"default";r=1;t=30'}, None),
        ({"ratelimit": '"default";r=0'}, None),
        ({"ratelimit_remaining": "0", "ratelimit_reset": "30"}, 30),
        ({"ratelimit_remaining": "3", "ratelimit_reset": "30"}, None),
        ({"x_ratelimit_remaining": "0", "x_ratelimit_reset": "30"}, 30),
        ({"x_ratelimit_remaining": "0", "x_ratelimit_reset": str(int(NOW) + 90)}, 90),
        ({"x_ratelimit_remaining": "0", "x_ratelimit_reset": str((int(NOW) + 90) * 1000)}, 90),
        ({"x_ratelimit_remaining": "0", "x_ratelimit_reset": str(int(NOW) - 90)}, None),
        ({"x_ratelimit_remaining": "0"}, None),
        ({"x_ratelimit_remaining": "none", "x_ratelimit_reset": "soon"}, None),
        ({}, None),
    ],
)
def test_quota_that_is_used_up_holds_the_system_until_its_reset(headers, seconds):
    assert held(**headers) == seconds


@pytest.mark.parametrize("status", [429, 500, 503])
def test_retry_after_holds_the_system_with_429_and_5xx(status):
    assert held(status, retry_after="30") == 30


@pytest.mark.parametrize("status", [200, 202, 301, 404, 409, 423])
def test_with_other_statuses_it_speaks_of_what_was_asked_for(status):
    assert held(status, retry_after="30") is None


def test_a_429_that_says_nothing_else_is_its_own_deliverys_alone():
    assert held(429) is None


def test_the_longest_of_several_counts_and_a_week_is_the_most():
    assert held(429, retry_after="30", ratelimit='"day";r=0;t=600') == 600
    assert held(429, ratelimit='"day";r=0;t=99999999') == 7 * 86400
