"""What is not well: the same that owners are told, in their words, and how old it is."""

import pytest

from causeway.aws.client import AwsError
from causeway.plan.plan import Plan
from causeway.settings.clock import rfc3339
from causeway.watching.checks import CHECKS
from causeway.watching.finding import Check
from causeway.watching.report import LATE, MOST, PAGES, RUNBOOKS_HERE, WATCHDOG
from causeway.watching.standing import WORDED_FOR, Standing, Standings
from causeway.watching.watchdog import NotToldError
from tests.support.console import Console
from tests.support.deliveries import Stage, plan_of
from tests.support.template import ROOT
from tests.support.watching import OF_DELIVERIES, Watched

NAME = "orders-to-ledger"
RETRY = {"retry": {"first": 1e5, "factor": 1.0, "max": 1e5}}


class Scene:
    """A stage that is watched, and the console over it."""

    def __init__(self, *, checks=OF_DELIVERIES, **plan):
        self.stage = Stage(plan_of(errors=RETRY, **plan))
        self.console = Console(self.stage)
        self.watched = Watched(self.stage, checks=checks)
        self.watched.minutes(1)

    def come(self, status, count=1):
        for _ in range(count):
            self.stage.target.on("/entries", status)
            self.stage.accept(f"evt_{self.stage.memory.count('sqs')}")
            self.stage.invoke()

    def get(self):
        self.console.stack.forget()
        return self.console.get("/api/findings").body

    def one(self):
        (found,) = self.get()["findings"]
        return found


@pytest.fixture
def scene():
    return Scene()


def test_while_all_is_well_there_is_nothing_but_when_it_was_looked(scene):
    assert scene.get() == {
        "watched_at": rfc3339(scene.stage.clock.now()),
        "late": False,
        "left_out": 0,
        "failed": [],
        "findings": [],
        "more": False,
    }


def test_what_it_says_is_what_the_owner_was_told(scene):
    scene.come(400, count=3)
    scene.watched.minutes(1)
    found, (mail,) = scene.one(), scene.watched.mail
    for words in (found["what"], found["cause"], found["next_step"], found["since"]):
        assert words in mail.by_protocol["email"]
    assert found["told_at"] == rfc3339(scene.stage.clock.now())
    assert (found["check"], found["subject"], found["level"]) == ("dead", NAME, "critical")
    assert (found["what"], found["how_many"]) == ("3 deliveries given up", None)
    assert (found["integrations"], found["owners"]) == (
        [NAME],
        [{"team": "finance", "email": "finance@example.com"}],
    )


def test_a_count_is_there_where_the_sentence_does_not_say_it(scene):
    scene.come(500, count=4)
    scene.watched.minutes(16)
    assert (scene.one()["check"], scene.one()["how_many"]) == ("overdue", "4 deliveries")


def test_what_is_well_again_says_so_until_that_is_told(scene):
    scene.come(400)
    scene.watched.minutes(1)
    assert scene.one()["well_since"] is None
    (dead,) = scene.console.get("/api/deliveries", "status=dead").body["deliveries"]
    scene.stage.target.on("/entries", 200)
    scene.console.post(f"/api/deliveries/{dead['id']}/replay")
    scene.stage.invoke()
    scene.watched.minutes(1)
    assert scene.one()["well_since"] == rfc3339(scene.stage.clock.now())
    scene.watched.minutes(2)
    assert scene.get()["findings"] == []


def test_the_words_are_those_of_five_minutes_ago_at_most_and_nothing_is_told_for_that(scene):
    scene.come(400)
    scene.watched.minutes(1)
    assert len(scene.watched.mail) == 1
    scene.come(400, count=6)
    scene.watched.minutes(1)
    assert scene.one()["what"] == "1 delivery given up"
    scene.watched.minutes(int(WORDED_FOR / 60))
    assert scene.one()["what"] == "7 deliveries given up"
    assert scene.watched.mail == []


def test_what_lasts_and_does_not_change_is_not_written_again(scene):
    scene.come(400)
    scene.watched.minutes(1)
    before = scene.stage.memory.count("dynamodb", "PutItem")
    scene.watched.minutes(30)
    assert scene.stage.memory.count("dynamodb", "PutItem") - before == 30, "how far each run came"


def test_the_worst_comes_first_and_then_what_lasts_longest():
    scene = Scene()
    scene.stage.tools.pauses.pause(NAME, by="ann", reason="-")
    standings = Standings(scene.console.stack.pauses._table)
    for number, level in enumerate(["warning", "critical", "critical", "warning"]):
        key = f"{number}"
        standings.write(
            f"dead#{key}",
            Standing(f"dead#{key}", "dead", key, level, "it is", since=100.0 - number, told_at=0.0),
        )
    assert [each["subject"] for each in scene.get()["findings"]] == ["2", "1", "3", "0"]


class TestTheWatchdog:
    def test_one_that_does_not_run_is_the_first_thing_that_is_said(self, scene):
        scene.come(400)
        scene.watched.minutes(1)
        ran = scene.stage.clock.now()
        scene.stage.clock.advance(LATE)
        assert (scene.get()["late"], len(scene.get()["findings"])) == (False, 1)
        scene.stage.clock.advance(60)
        found = scene.get()
        assert (found["watched_at"], found["late"]) == (rfc3339(ran), True)
        first, second = found["findings"]
        assert (first["check"], first["what"]) == ("watchdog", "the watchdog has not run for 4 min")
        assert (first["level"], first["since"], first["told_at"]) == ("critical", rfc3339(ran), None)
        assert second["check"] == "dead"

    def test_one_that_has_never_run_is_said_too(self):
        found = Console(Stage(plan_of())).get("/api/findings").body
        assert (found["watched_at"], found["late"]) == (None, True)
        assert [(each["what"], each["level"]) for each in found["findings"]] == [
            ("the watchdog has not run yet", "warning")
        ]

    def test_what_a_run_could_not_look_at_is_said(self):
        def broken(_facts, _now):
            raise AwsError("Throttled", "", 400)

        scene = Scene(checks=[*OF_DELIVERIES, Check("broken", broken)])
        assert (scene.get()["failed"], scene.get()["left_out"]) == (["broken"], 0)
        scene.stage.clock.advance(60)
        scene.watched.look(within=0)
        assert scene.get()["left_out"] > 0

    def test_what_nobody_could_be_told_is_told_first_and_shown_then(self, scene, monkeypatch):
        def refuses(*_):
            raise AwsError("InternalError", "", 500)

        scene.come(400)
        with monkeypatch.context() as patch:
            patch.setattr(scene.stage.memory, "query", refuses)
            with pytest.raises(NotToldError):
                scene.watched.minutes(1)
        assert scene.get()["findings"] == []
        assert scene.get()["watched_at"] == rfc3339(scene.stage.clock.now())
        scene.watched.minutes(1)
        assert scene.one()["check"] == "dead"


class TestRunbooks:
    def test_each_is_of_a_check_and_is_there(self):
        assert set(PAGES) <= {check.name for check in CHECKS} | {WATCHDOG}
        for page in PAGES.values():
            assert (ROOT / RUNBOOKS_HERE / f"{page}.md").is_file(), page

    def test_the_owners_comes_before_the_stacks(self):
        owner = {"team": "finance", "email": "finance@example.com", "runbook": "https://wiki.example.com/x"}
        scene = Scene(owner=owner)
        scene.come(400)
        scene.watched.minutes(1)
        assert scene.one()["runbook"] == "https://wiki.example.com/x"

    def test_the_stacks_is_where_the_stack_says(self, scene):
        scene.come(400)
        scene.watched.minutes(1)
        assert scene.one()["runbook"] == "docs/runbooks/DeliveriesGivenUp.md"
        scene.console.stack.runbooks = "https://wiki.example.com/causeway/"
        assert scene.one()["runbook"] == "https://wiki.example.com/causeway/DeliveriesGivenUp.md"


def test_one_whose_integration_is_gone_has_no_owner_and_is_shown(scene):
    scene.come(400)
    scene.watched.minutes(1)
    scene.console.stack.plan = Plan(scene.stage.tools.plan.record | {"integrations": {}})
    assert (scene.one()["owners"], scene.one()["integrations"]) == ([], [NAME])


def test_what_it_reads_and_says_is_bounded(scene):
    standings = Standings(scene.console.stack.pauses._table)
    for number in range(MOST + 300):
        key = f"dead#many-{number}"
        standings.write(
            key, Standing(key, "dead", f"many-{number}", "critical", "it is", since=1.0, told_at=2.0)
        )
    before = scene.stage.memory.count("dynamodb")
    found = scene.get()
    assert (len(found["findings"]), found["more"]) == (MOST, True)
    assert scene.stage.memory.count("dynamodb") - before <= MOST / 100 + 2


def test_many_who_look_at_once_cost_as_much_as_one(scene):
    scene.get()
    before = scene.stage.memory.count("dynamodb")
    for _ in range(20):
        scene.console.get("/api/findings")
    assert scene.stage.memory.count("dynamodb") == before


def test_what_a_version_before_wrote_down_can_be_read(scene):
    scene.console.stack.pauses._table.put(
        {
            "id": "watch#all",
            "part": f"dead#{NAME}",
            "check": "dead",
            "subject": NAME,
            "level": "critical",
            "what": "1 delivery given up",
            "since": 100.0,
            "told_at": 160.0,
            "integrations": [NAME],
            "well_since": None,
        }
    )
    found = scene.one()
    assert (found["cause"], found["next_step"], found["how_many"]) == ("", "", None)
    scene.come(400)
    scene.watched.minutes(1)
    assert "refuses" in scene.one()["cause"], "and has its words from the next run on"


SINCE = 1_800_000_000.0


def rings(name, *, stack="causeway-dev", actions=("arn:aws:sns:eu-central-1:123456789012:alarms",)):
    """An alarm as CloudWatch describes it."""
    return {
        "AlarmName": f"{stack}-{name}-1A2B3C",
        "AlarmDescription": f"Deliveries are not worked off as they come. None is lost. docs/runbooks/{name}.md",
        "AlarmActions": list(actions),
        "StateValue": "ALARM",
        "StateUpdatedTimestamp": SINCE + 60,
        "StateTransitionedTimestamp": SINCE,
    }


def test_an_alarm_of_the_stack_that_rings_is_said_with_its_runbook(scene):
    scene.stage.memory.alarms = [rings("DeliveriesLate")]
    found = scene.one()
    assert (found["check"], found["subject"], found["level"]) == ("alarm", "DeliveriesLate", "critical")
    assert found["what"] == "Deliveries are not worked off as they come. None is lost"
    assert found["runbook"] == "docs/runbooks/DeliveriesLate.md"
    assert found["since"] == found["told_at"] == rfc3339(SINCE)
    assert found["integrations"] == []


def test_an_alarm_that_another_tells_of_or_the_watchdog_says_more_of_or_of_another_stack_is_not_said(scene):
    scene.stage.memory.alarms = [
        rings("QueuesDeep", actions=()),
        rings("SilentIntegrations"),
        rings("DeliveriesLate", stack="causeway-dev-eu"),
    ]
    assert scene.get()["findings"] == []


def test_that_cloudwatch_does_not_answer_is_said_and_keeps_nothing_else_from_being_said(scene, monkeypatch):
    scene.come(400)
    scene.watched.minutes(1)
    call = scene.stage.memory.call

    def refused(service, operation, parameters):
        if service == "monitoring":
            raise AwsError("AccessDenied", "", 403)
        return call(service, operation, parameters)

    monkeypatch.setattr(scene.stage.memory, "call", refused)
    found = scene.get()
    assert found["failed"] == ["alarms"]
    assert [each["check"] for each in found["findings"]] == ["dead"]
