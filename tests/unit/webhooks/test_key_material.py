"""Fetching what providers publish: once for many requests, through outages, and never for long after them."""

from __future__ import annotations

import pytest

from causeway.settings.clock import SettableClock
from causeway.webhooks.key_material import (
    ASK_AGAIN_AFTER,
    FAILED_FOR,
    FRESH_FOR,
    KEPT_FOR,
    MAX_BYTES,
    KeyMaterial,
    NotToBeHad,
)
from causeway.webhooks.key_material import Web as RealWeb
from tests.support.publishers import NOW, Web, fetcher
from tests.support.target import Reply, Target
from tests.support.tls import Authority

URL = "https://keys.example.com/set"


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock(NOW)


@pytest.fixture
def web() -> Web:
    return Web({URL: b"first"})


def test_what_was_fetched_serves_for_an_hour(web, clock):
    keys = fetcher(web, clock)
    assert [keys(URL) for _ in range(3)] == [b"first"] * 3
    web.pages[URL] = b"second"
    clock.advance(FRESH_FOR - 1)
    assert keys(URL) == b"first"
    clock.advance(1)
    assert keys(URL) == b"second"
    assert len(web.asked) == 2


def test_an_unknown_key_id_asks_anew_but_only_every_five_minutes(web, clock):
    keys = fetcher(web, clock)
    keys(URL)
    web.pages[URL] = b"second"
    for _ in range(10):
        clock.advance(ASK_AGAIN_AFTER / 11)
        assert keys(URL, anew=True) == b"first"
    clock.advance(ASK_AGAIN_AFTER)
    assert keys(URL, anew=True) == b"second"
    assert len(web.asked) == 2


@pytest.mark.parametrize("failure", ["down", "error", "gone"])
def test_keys_survive_an_outage_of_a_day_and_no_longer(web, clock, failure):
    keys = fetcher(web, clock)
    keys(URL)
    web.down, web.status = failure == "down", 500
    if failure == "gone":
        web.pages.clear()
    while clock.now() < NOW + KEPT_FOR - FRESH_FOR:
        clock.advance(FRESH_FOR)
        assert keys(URL) == b"first"
    clock.advance(FRESH_FOR)
    with pytest.raises((NotToBeHad, ValueError)):
        keys(URL)


def test_an_outage_is_not_asked_about_with_every_request(web, clock):
    keys = fetcher(web, clock)
    keys(URL)
    web.down = True
    clock.advance(FRESH_FOR)
    for _ in range(100):
        keys(URL)
        keys(URL, anew=True)
    assert len(web.asked) == 2


def test_a_failure_before_any_success_stands_for_half_a_minute(web, clock):
    web.down = True
    keys = fetcher(web, clock)
    for _ in range(10):
        with pytest.raises(NotToBeHad):
            keys(URL)
    assert len(web.asked) == 1
    web.down = False
    clock.advance(FAILED_FOR)
    assert keys(URL) == b"first"


@pytest.mark.parametrize("status", [301, 302, 408, 425, 429, 500, 503])
def test_an_answer_that_may_be_another_tomorrow_is_not_to_be_had_now(web, clock, status):
    web.status = status
    with pytest.raises(NotToBeHad):
        fetcher(web, clock)(URL)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_an_answer_that_there_is_no_such_key_is_a_refusal(web, clock, status):
    web.status = status
    with pytest.raises(ValueError, match="no such key"):
        fetcher(web, clock)(URL)


def test_an_empty_answer_is_none(clock):
    with pytest.raises(NotToBeHad):
        fetcher(Web({URL: b""}), clock)(URL)


@pytest.mark.parametrize(
    "url", ["http://keys.example.com/set", "file:///etc/passwd", "HTTPS://keys.example.com", ""]
)
def test_nothing_but_https_is_asked(web, clock, url):
    with pytest.raises(ValueError, match="https"):
        fetcher(web, clock)(url)
    assert not web.asked


def test_questions_with_different_bodies_are_different(web, clock):
    keys = fetcher(web, clock)
    keys(URL, b'{"key_id": "a"}')
    keys(URL, b'{"key_id": "b"}')
    keys(URL, b'{"key_id": "a"}')
    assert len(web.asked) == 2


def test_what_is_kept_has_a_bound(clock):
    web = Web({f"{URL}/{number}": b"x" for number in range(1000)})
    keys = fetcher(web, clock)
    for url in web.pages:
        keys(url)
    for number in range(1000):
        with pytest.raises(ValueError, match="no such key"):
            keys(f"{URL}/unknown/{number}")
    assert len(keys._kept) == len(keys._failed) == 64


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1:9/keys", "https://localhost/keys", "https://169.254.169.254/latest"]
)
def test_an_address_that_is_not_public_is_not_to_be_had(clock, url):
    """The guard of all calls that go out holds for keys, too: a name that leads inside is not followed."""
    with pytest.raises(NotToBeHad, match="may not be called"):
        KeyMaterial(clock)(url)


class TestOverTheWeb:
    """By the real transport, from a server on this machine that only these tests may call."""

    @pytest.fixture
    def authority(self, tmp_path):
        return Authority(tmp_path)

    @pytest.fixture
    def target(self, authority):
        with Target(tls=authority.server("localhost")) as target:
            yield target

    @pytest.fixture
    def keys(self, authority, clock):
        return KeyMaterial(
            clock, RealWeb(tls=authority.client(), allow_private=("127.0.0.0/8",), seconds=0.5)
        )

    def test_a_file_is_fetched_and_a_question_is_posted(self, target, keys):
        target.on("/keys", Reply(200, b"the keys"))
        url = f"https://localhost:{target.port}/keys"
        assert keys(url) == keys(url, b'{"key_id": "a"}') == b"the keys"
        asked, posted = target.received("/keys")
        assert (asked.method, posted.method) == ("GET", "POST")
        assert posted.json == {"key_id": "a"}

    @pytest.mark.parametrize(
        "reply",
        [
            Reply(302, headers={"Location": "https://evil.example/keys"}),
            Reply(200, b"late", delay=1),
            Reply(200, b"drop by drop", drip=0.2),
            Reply(200, b"x" * (MAX_BYTES + 1)),
            Reply(drop="unanswered"),
            Reply(drop="halfway"),
            Reply(500),
        ],
        ids=["redirect", "late", "dripping", "huge", "unanswered", "half", "error"],
    )
    def test_what_does_not_come_whole_small_and_soon_is_not_to_be_had(self, target, keys, reply):
        target.on("/keys", reply)
        with pytest.raises(NotToBeHad):
            keys(f"https://localhost:{target.port}/keys")
        assert len(target.received()) <= 2

    def test_a_server_that_is_not_who_it_should_be_is_not_believed(self, tmp_path, target, clock):
        stranger = Authority(tmp_path)
        keys = KeyMaterial(clock, RealWeb(tls=stranger.client(), allow_private=("127.0.0.0/8",)))
        with pytest.raises(NotToBeHad):
            keys(f"https://localhost:{target.port}/keys")
        assert not target.received()
