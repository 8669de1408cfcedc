"""The journal: who may claim a delivery, and who may write what became of it."""

import itertools

import pytest

from causeway.aws.client import AwsError
from causeway.aws.table import Table
from causeway.delivery.claims import HISTORY
from causeway.delivery.journal import GRACE, Journal, NotClaimed, Superseded
from causeway.queueing.tickets import Ticket
from causeway.settings.clock import SettableClock
from tests.support.memory_aws import MemoryAws

NOW = 1_700_000_000.0
ID = "a" * 32
EVENT = {
    "id": "evt_1",
    "type": "orders/paid",
    "source": "shop",
    "time": "2023-11-14T22:13:20Z",
    "data": {},
    "headers": {},
}


class World:
    """A journal on a clock."""

    def __init__(self):
        self.clock = SettableClock(NOW)
        self.aws = MemoryAws(self.clock)
        self.journal = Journal(Table(self.aws, "journal"), self.clock)

    def claim(
        self, ticket="0000.000001", *, acceptance="one", lease=60, event=EVENT, accepted_at=NOW, sent_at=NOW
    ):
        message = {
            "format": 1,
            "delivery": ID,
            "integration": "orders-to-ledger",
            "system": "shop",
            "ticket": ticket,
            "acceptance": acceptance,
            "accepted_at": accepted_at,
            "event": event,
        }
        return self.journal.claim(message, event, sent_at=sent_at, lease=self.clock.now() + lease)

    def settle(self, status, claim, **given):
        match status:
            case "delivered":
                self.journal.delivered(claim, expires_at=self.clock.now() + 604800, kept=False)
            case "waiting":
                self.journal.waiting(
                    claim, ticket=given.get("ticket", claim.ticket.next()), due_at=self.clock.now() + GRACE
                )
            case "dead":
                self.journal.dead(
                    claim, reason="no", error="refused", steps=[], expires_at=self.clock.now() + 7776000
                )
            case "cut off":
                self.clock.advance(61)

    @property
    def item(self):
        return self.journal.find(ID)


@pytest.fixture
def world():
    return World()


def test_the_first_message_makes_the_item(world):
    claim = world.claim()
    assert not claim.resumes
    assert not claim.cut_off
    assert claim.since == NOW
    item = world.item
    assert (item["status"], item["ticket"], item["claim"]) == ("running", "0000.000001", claim.token)
    assert (item["event_id"], item["event_type"], item["lease"]) == (
        "evt_1",
        "orders/paid",
        int((NOW + 60) * 1000),
    )


TICKETS = ["0000.000001", "0000.000002", "0000.000003", "0001.000001"]
NEVER = [False] * 4
# How the item was left at ticket 0000.000002, and with which of TICKETS its own acceptance and another may claim it.
MAY = {
    "waiting": ([False, True, True, True], NEVER),
    "running": (NEVER, NEVER),
    "cut off": ([False, True, True, True], NEVER),
    "delivered": ([False, False, False, True], NEVER),
    "dead": ([False, False, False, True], NEVER),
}


@pytest.mark.parametrize("acceptance", ["one", "another"])
@pytest.mark.parametrize(("status", "ticket"), list(itertools.product(MAY, TICKETS)))
def test_who_may_claim(world, status, ticket, acceptance):
    claim = world.claim("0000.000002")
    world.settle(status, claim, ticket=Ticket(0, 2))
    if MAY[status][acceptance != "one"][TICKETS.index(ticket)]:
        assert world.claim(ticket, acceptance=acceptance).ticket == Ticket.parse(ticket)
        assert (world.item["status"], world.item["acceptance"]) == ("running", acceptance)
    else:
        before = world.item
        with pytest.raises(NotClaimed) as refused:
            world.claim(ticket, acceptance=acceptance)
        assert refused.value.item == before == world.item


def test_a_repeat_takes_over_what_was_cut_off_so_long_ago_that_its_message_must_be_lost(world):
    world.claim("0000.000002")
    world.clock.advance(60 + 3590)
    with pytest.raises(NotClaimed):
        world.claim("0000.000002", acceptance="another")
    world.clock.advance(20)
    with pytest.raises(NotClaimed):
        world.claim("0000.000001", acceptance="another")
    assert world.claim("0000.000002", acceptance="another").cut_off
    assert world.item["acceptance"] == "another"


@pytest.mark.parametrize("status", ["delivered", "dead"])
def test_an_item_that_has_expired_counts_as_none_until_it_is_deleted(world, status):
    claim = world.claim("0000.000002")
    world.settle(status, claim.with_entry({"at": NOW, "ticket": "0000.000002", "outcome": "crashed"}))
    world.clock.advance(7776002)
    later = world.claim(acceptance="another", accepted_at=world.clock.now())
    assert (later.resumes, later.attempts, later.since) == (False, [], world.clock.now())
    assert "expires_at" not in world.item, "what is open never expires"


def test_a_claim_over_an_expired_item_that_is_cut_off_does_not_inherit_its_history(world):
    claim = world.claim()
    world.settle("delivered", claim.with_entry({"at": NOW, "ticket": "0000.000001", "outcome": "crashed"}))
    world.clock.advance(604802)
    accepted_at = world.clock.now()
    world.claim(acceptance="another", accepted_at=accepted_at)
    world.clock.advance(61)
    again = world.claim(acceptance="another", accepted_at=accepted_at)
    assert (again.cut_off, again.crashes) == (True, 0)


def test_an_attempt_that_was_cut_off_shows_and_is_counted_before_anything_else(world):
    world.claim()
    for crashes in (1, 2, 3):
        world.clock.advance(61)
        claim = world.claim()
        assert claim.cut_off
        claim = world.journal.note_crash(claim)
        assert claim.crashes == crashes
    assert [entry["outcome"] for entry in world.item["attempts"]] == ["crashed"] * 3


def test_crashes_of_one_attempt_are_not_counted_against_the_next(world):
    world.claim()
    world.clock.advance(61)
    claim = world.journal.note_crash(world.claim())
    world.settle("waiting", claim)
    assert world.claim("0000.000002").crashes == 0


@pytest.mark.parametrize("status", ["delivered", "waiting", "dead"])
def test_a_writer_whose_lease_has_passed_cannot_overwrite_the_attempt_that_took_over(world, status):
    late = world.claim()
    world.clock.advance(61)
    world.claim()
    before = world.item
    with pytest.raises(Superseded):
        world.settle(status, late)
    assert world.item == before


def test_delivered_takes_two_small_writes_and_no_index_key(world):
    world.settle(
        "delivered",
        world.claim().with_entry(
            {"at": NOW, "ticket": "0000.000001", "outcome": "delivered", "status": 200, "seconds": 0.12}
        ),
    )
    assert world.aws.calls == [("dynamodb", "UpdateItem")] * 2
    item = world.item
    assert not {"due_shard", "due_at", "open_shard", "open_at"} & set(item)
    assert item["expires_at"] == NOW + 604800
    assert sum(len(name) + len(str(value)) for name, value in item.items()) < 1024


def test_waiting_is_in_both_indexes_and_running_again_is_not_due(world):
    world.settle("waiting", world.claim())
    item = world.item
    assert (item["due_shard"], item["due_at"]) == ("a", int((NOW + GRACE) * 1000))
    assert (item["open_shard"], item["open_at"]) == ("orders-to-ledger#a", "waiting#2023-11-14T22:13:20.000Z")
    world.claim("0000.000002")
    assert "due_at" not in world.item
    assert world.item["open_at"] == "waiting#2023-11-14T22:13:20.000Z", "it is still open"


def test_dead_is_open_not_due_and_expires(world):
    world.settle("dead", world.claim())
    item = world.item
    assert (item["status"], item["reason"], item["error"]) == ("dead", "no", "refused")
    assert item["open_at"].startswith("dead#")
    assert "due_at" not in item
    assert item["expires_at"] == NOW + 7776000


def test_the_time_of_a_chain_begins_with_its_acceptance(world):
    world.settle("waiting", world.claim())
    world.clock.advance(100)
    assert world.claim("0000.000002").since == NOW


def test_the_time_of_a_replay_begins_when_its_first_message_was_sent_and_stays(world):
    world.settle("dead", world.claim())
    world.clock.advance(1000)
    first = world.claim("0001.000001", sent_at=NOW + 900)
    assert first.since == NOW + 900
    world.settle("waiting", first)
    assert world.claim("0001.000002", sent_at=NOW + 1000).since == NOW + 900


def test_the_history_is_bounded(world):
    claim = world.claim()
    for number in range(HISTORY + 5):
        claim = claim.with_entry({"at": NOW + number, "ticket": "0000.000001", "outcome": "refused"})
    assert [entry["at"] for entry in claim.attempts] == [NOW + number for number in range(5, HISTORY + 5)]


def test_a_claim_whose_answer_was_lost_is_still_a_claim(world):
    """The client tries again; the second write meets what the first one wrote."""
    answers = world.aws.call

    def twice(service, operation, parameters):
        answers(service, operation, parameters)
        return answers(service, operation, parameters)

    world.aws.call = twice
    claim = world.claim()
    assert claim.cut_off is False
    world.settle("waiting", claim)
    world.aws.call = answers
    assert world.item["status"] == "waiting"


def test_an_announcement_is_noted_only_of_the_chain_that_died(world):
    world.settle("dead", world.claim())
    world.journal.announced(ID, "0000.000001")
    assert world.item["announced"] is True
    claim = world.claim("0001.000001")
    assert "announced" not in world.item
    world.settle("dead", claim)
    world.journal.announced(ID, "0000.000001")
    assert "announced" not in world.item


def test_what_is_due_is_found_longest_overdue_first_and_looked_at_again_later(world):
    world.settle("waiting", world.claim())
    assert list(world.journal.due("a")) == []
    world.clock.advance(GRACE)
    (item,) = world.journal.due("a")
    assert item["id"] == ID
    world.journal.look_again(item, world.clock.now() + GRACE)
    assert list(world.journal.due("a")) == []


def test_what_has_moved_on_is_not_put_off(world):
    world.settle("waiting", world.claim())
    world.clock.advance(GRACE)
    (item,) = world.journal.due("a")
    world.claim("0000.000002")
    world.journal.look_again(item, world.clock.now() + GRACE)
    assert "due_at" not in world.item


def test_an_item_of_a_newer_format_is_left_alone(world):
    world.settle("waiting", world.claim(), ticket=Ticket(0, 1))
    world.aws.tables["journal"][ID, "delivery"]["format"] = {"N": "2"}
    with pytest.raises(NotClaimed):
        world.claim()


def test_other_errors_of_aws_are_not_mistaken_for_an_answer(world):
    def refuse(*_):
        raise AwsError("ProvisionedThroughputExceededException", "slow down", 400)

    world.aws.call = refuse
    with pytest.raises(AwsError):
        world.claim()
