"""Silence: counted within the window, of what the source sends; whether we refuse it or nothing comes."""

from __future__ import annotations

import pytest

from causeway.acceptance.sightings import KEPT_FOR
from causeway.aws.errors import AwsError
from causeway.watching.checks.silence import KNOWN
from tests.support.deliveries import Stage, plan_of
from tests.support.logs import Logs
from tests.support.silence import (
    FREQUENCY,
    HOUR,
    NAME,
    SILENCE,
    at,
    one,
    pass_hours,
    sightings,
    watched_stage,
)
from tests.support.watching import Watched, many


@pytest.fixture
def stage():
    return watched_stage()


@pytest.fixture
def watched(stage):
    return Watched(stage, checks=SILENCE)


def test_silence_is_told_once_it_lasts_longer_than_expected_and_that_it_is_over(stage, watched):
    watched.look()
    pass_hours(watched, 2)
    assert watched.mail == []
    watched.minutes(1)
    assert "orders-to-ledger is silent" in one(watched.mail)
    stage.accept()
    stage.until_quiet()
    watched.minutes(2)
    assert "orders-to-ledger" in one(watched.mail)
    assert watched.standing == set()
    assert [kind for kind, _ in watched.announced] == [
        "causeway.integration.silent",
        "causeway.integration.recovered",
    ]


def test_what_silence_says_on_the_bus(watched):
    watched.look()
    pass_hours(watched, 3)
    ((_, detail),) = watched.announced
    assert detail["last_event"] is None
    assert detail["expect_every"] == 2 * HOUR


def test_as_long_again_it_is_critical(watched):
    watched.look()
    pass_hours(watched, 3)
    watched.mail.clear()
    pass_hours(watched, 2)
    (message,) = watched.mail
    assert message.attributes["severity"] == "critical"


def test_the_metric_is_0_before_and_the_seconds_beyond_then(watched):
    watched.look()
    pass_hours(watched, 2)
    pass_hours(watched, 1)
    assert watched.metrics.of("SilentFor") == [0, 0, HOUR]


@pytest.mark.parametrize("status", [200, 503, 400])
def test_what_was_accepted_is_no_silence_whether_delivered_waiting_or_dead(stage, watched, status):
    watched.look()
    watched.clock.advance(1.5 * HOUR)
    stage.target.on("/entries", status)
    stage.accept()
    stage.invoke()
    pass_hours(watched, 1)
    assert (watched.mail, watched.metrics.of("SilentFor")[-1]) == ([], 0)


def test_a_repeat_is_no_silence(stage, watched):
    stage.accept()
    stage.until_quiet()
    watched.look()
    watched.clock.advance(1.5 * HOUR)
    stage.accept(acceptance="again")
    stage.until_quiet()
    pass_hours(watched, 1)
    assert watched.metrics.of("SilentFor")[-1] == 0


def test_nor_is_what_a_filter_leaves_out(stage, watched):
    watched.look()
    watched.clock.advance(1.5 * HOUR)
    sightings(stage).filtered([NAME])
    pass_hours(watched, 1)
    assert watched.metrics.of("SilentFor")[-1] == 0


def test_an_event_long_ago_is_found_however_many_hours_lie_between():
    stage = watched_stage(expect_every=72 * HOUR)
    watched = Watched(stage, checks=SILENCE)
    watched.look()
    watched.clock.advance(2 * HOUR)
    stage.accept()
    stage.until_quiet()
    pass_hours(watched, 71.5)
    assert watched.metrics.of("SilentFor")[-1] == 0
    pass_hours(watched, 1)
    assert 0 < watched.metrics.of("SilentFor")[-1] < HOUR


def test_the_night_does_not_count():
    stage = watched_stage(during="mon-fri 07:00-21:00 Europe/Berlin")
    watched = Watched(stage, checks=SILENCE)
    stage.clock.set(at("2026-11-20T19:00:00Z"))  # a Friday, 20:00 in Berlin
    watched.look()
    stage.clock.set(at("2026-11-23T06:59:00Z"))
    watched.look()
    assert watched.mail == []
    stage.clock.set(at("2026-11-23T07:01:00Z"))
    watched.look()
    assert "within mon-fri 07:00-21:00 Europe/Berlin" in one(watched.mail)


def test_never_means_never():
    stage = watched_stage(expect_every=None)
    watched = Watched(stage, checks=SILENCE)
    watched.look()
    pass_hours(watched, 10_000)
    assert (watched.mail, watched.metrics.of("SilentFor")) == ([], [])
    assert not [key for key in stage.memory.tables["state"] if key[0] == KNOWN]


def test_whoever_expects_nothing_any_more_is_forgotten(stage, watched):
    watched.look()
    stage.deploy(plan_of(frequency=FREQUENCY | {"expect_every": None}))
    stage.clock.advance(60)
    Watched(stage, checks=SILENCE).look()
    assert not [key for key in stage.memory.tables["state"] if key[0] == KNOWN]


class TestQueueThatStandsStill:
    """The provider sends, we accept, and nothing is begun: that is no silence, and not the provider's fault."""

    @pytest.fixture
    def logs(self, stage):
        return Logs(stage.memory)

    def send(self, stage, logs, number):
        """As the webhook function does: a message on the queue, a line in the log. Nobody takes the message."""
        stage.accept(f"evt_{number}")
        logs.received(stage.clock.now())

    def test_what_was_accepted_and_waits_to_be_begun_is_no_silence(self, stage, watched, logs):
        watched.look()
        for number in range(24):
            stage.clock.advance(HOUR)
            self.send(stage, logs, number)
            stage.clock.advance(60)
            watched.look()
        assert watched.mail == []
        assert set(watched.metrics.of("SilentFor")) == {0}

    def test_silence_is_counted_from_the_last_that_was_accepted(self, stage, watched, logs):
        watched.look()
        stage.clock.advance(HOUR)
        self.send(stage, logs, 1)
        for _ in range(4):
            pass_hours(watched, 0.5)
        assert watched.mail == []
        watched.minutes(1)
        assert "shop sends nothing" in one(watched.mail)
        assert watched.metrics.of("SilentFor")[-1] == pytest.approx(60, abs=1)

    def test_that_it_sends_again_is_told_though_nothing_is_begun(self, stage, watched, logs):
        watched.look()
        pass_hours(watched, 3)
        _ = watched.mail
        self.send(stage, logs, 1)
        watched.minutes(2)
        assert "recovered" in one(watched.mail)

    def test_what_others_sent_is_not_taken_for_its_own(self, stage, watched, logs):
        watched.look()
        stage.clock.advance(2.9 * HOUR)
        logs.received(stage.clock.now(), integration="another")
        pass_hours(watched, 0.1)
        assert "orders-to-ledger is silent" in one(watched.mail)

    def test_logs_that_cannot_be_read_accuse_nobody_and_put_it_off_for_a_quarter_of_an_hour(
        self, stage, watched, monkeypatch
    ):
        def refuses(parameters):
            raise AwsError("ThrottlingException", "Rate exceeded", 400)

        monkeypatch.setattr(stage.memory, "_logs_filter_log_events", refuses)
        watched.look()
        pass_hours(watched, 2)
        watched.minutes(15)
        assert (watched.mail, set(watched.metrics.of("SilentFor"))) == ([], {0})
        watched.minutes(1)
        text = one(watched.mail)
        assert "could not be read from the logs" in text
        assert "shop sends nothing" not in text

    def test_a_long_log_is_read_by_several_runs(self, stage, watched, logs, monkeypatch):
        read = stage.memory._logs_filter_log_events

        def slowly(parameters):
            stage.clock.advance(1)
            return read(parameters)

        monkeypatch.setattr(stage.memory, "_logs_filter_log_events", slowly)
        watched.look()
        pass_hours(watched, 2)
        watched.minutes(2)
        assert watched.mail == []
        watched.minutes(4)
        assert "shop sends nothing" in one(watched.mail)
        asked = logs.asked
        watched.minutes(5)
        assert logs.asked - asked <= 5 * 4, "what was read is not read again"


class TestAllAtOnce:
    """The gateway is down: hundreds are silent in the same minute."""

    def all_silent(self, number):
        plan, names = many(number)
        for name in names:
            plan.integrations[name] |= {"frequency": FREQUENCY}
        stage = Stage(plan)
        watched = Watched(stage, checks=SILENCE)
        watched.look()
        stage.clock.advance(2 * HOUR + 60)
        return stage, watched

    def test_of_each_it_takes_a_few_calls(self):
        stage, watched = self.all_silent(200)
        before = len(stage.memory.calls)
        watched.look()
        (message,) = watched.mail
        assert message.subject.startswith("[warning] 200 integrations: flow-000 is silent")
        assert len(stage.memory.calls) - before < 200 * 8 + 100 + 200, "an event on the bus for each"

    def test_when_there_is_no_time_for_all_it_is_told_all_the_same_within_a_quarter_of_an_hour(
        self, monkeypatch
    ):
        stage, watched = self.all_silent(60)
        query = stage.memory._dynamodb_query

        def slowly(parameters):
            if parameters["TableName"] == "journal":
                stage.clock.advance(1)
            return query(parameters)

        monkeypatch.setattr(stage.memory, "_dynamodb_query", slowly)
        watched.minutes(17)
        told = {name for message in watched.mail for name in message.attributes["integration"]}
        assert len(told) == 60
        assert set(watched.metrics.of("WatchdogLeftOut")) == {0}


class TestPaused:
    def test_nothing_is_expected_while_it_is_paused_nor_at_once_after_it(self, stage, watched):
        watched.look()
        stage.tools.pauses.pause(NAME, by="ann", reason="both sides are being moved")
        pass_hours(watched, 30)
        assert (watched.mail, watched.metrics.of("SilentFor")[-1]) == ([], 0)
        stage.tools.pauses.resume(NAME, by="ann")
        pass_hours(watched, 2)
        assert watched.mail == []
        watched.minutes(1)
        assert "no event for 2 h" in one(watched.mail)

    def test_what_was_silent_before_is_not_said_to_be_well(self, stage, watched):
        watched.look()
        pass_hours(watched, 3)
        _ = watched.mail
        stage.tools.pauses.pause(NAME, by="ann", reason="-")
        watched.minutes(30)
        assert watched.mail == []
        stage.accept()
        stage.invoke()
        watched.minutes(2)
        assert "recovered" in one(watched.mail)


class TestCosts:
    def test_the_journal_is_asked_only_when_by_what_is_known_there_is_silence(self, stage, watched):
        watched.look()
        stage.accept()
        stage.until_quiet()
        before = stage.memory.count("dynamodb")
        watched.minutes(60)
        assert stage.memory.count("dynamodb") - before <= 60 * 6

    def test_the_reads_of_a_long_silence_are_bounded(self, stage, watched):
        watched.look()
        pass_hours(watched, 24 * 20)
        before = stage.memory.count("dynamodb")
        watched.minutes(1)
        assert stage.memory.count("dynamodb") - before < 40

    def test_filtered_events_are_noted_once_a_minute(self, stage):
        seen = sightings(stage)
        for _ in range(100):
            seen.filtered([NAME])
        assert stage.memory.count("dynamodb", "PutItem") == 1
        stage.clock.advance(60)
        seen.filtered([NAME])
        assert stage.memory.count("dynamodb", "PutItem") == 2

    def test_refused_requests_are_noted_at_powers_of_ten_and_not_for_ever(self, stage):
        seen = sightings(stage)
        for _ in range(500):
            seen.refused("shop", "signature")
        assert stage.memory.count("dynamodb", "PutItem") == 3
        (item,) = stage.memory.tables["state"].values()
        assert int(item["expires_at"]["N"]) == int(stage.clock.now() + KEPT_FOR)
