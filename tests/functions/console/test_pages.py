"""Pages: whole, each delivery once, newest first, however little one request may read and whatever comes meanwhile."""

from unittest.mock import patch

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from causeway.operations import deliveries
from tests.support.console import Console
from tests.support.deliveries import Stage, plan_of

LATER = {"retry": {"first": 1e7, "factor": 1.0, "max": 1e7}, "give_up_after": 1e9}


def accept(stage, number, status):
    stage.target.on("/entries", status)
    delivery = stage.accept(f"evt_{number}", acceptance=str(number))
    stage.invoke()
    return delivery


moments = st.lists(
    st.tuples(st.sampled_from([0.0, 0.0004, 0.001, 60.0, 3599.9, 7200.0]), st.sampled_from([200, 400, 500])),
    min_size=1,
    max_size=12,
)


@settings(max_examples=40, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(
    first=moments,
    meanwhile=st.lists(st.sampled_from([200, 400, 500]), max_size=6),
    limit=st.integers(1, 7),
    bounds=st.tuples(st.sampled_from([2, 3, 400]), st.sampled_from([1, 2, 1000])),
    query=st.sampled_from(["", "&status=dead", "&status=delivered", "&error=http"]),
)
def test_pages_bring_all_that_was_there_once_and_newest_first(first, meanwhile, limit, bounds, query):
    stage = Stage(plan_of(errors=LATER))
    stage.target.seconds = 0.0
    wanted = {
        "": {200, 400, 500},
        "&status=dead": {400},
        "&status=delivered": {200},
        "&error=http": {400, 500},
    }[query]
    expected = set()
    for number, (seconds, status) in enumerate(first):
        stage.clock.advance(seconds)
        delivery = accept(stage, number, status)
        if status in wanted:
            expected.add(delivery)
    stage.clock.advance(0.002)  # what comes in the same moment as a page may be on it or not
    console, found, cursor = Console(stage), [], ""
    with (
        patch.object(deliveries, "_HOURS", bounds[0]),
        patch.object(deliveries, "_READ_AT_MOST", bounds[1]),
        patch.object(deliveries, "LOOK_BACK", 2 * 86400.0),
    ):
        for turn in range(150):
            answered = console.get("/api/deliveries", f"limit={limit}{query}{cursor}").body
            assert len(answered["deliveries"]) <= limit
            found += answered["deliveries"]
            if answered["cursor"] is None:
                break
            cursor = f"&cursor={answered['cursor']}"
            if turn < len(meanwhile):
                accept(stage, f"late_{turn}", meanwhile[turn])
                stage.clock.advance(0.002)
        else:
            raise AssertionError("the pages do not end")
    ids = [each["id"] for each in found]
    times = [each["accepted_at"] for each in found]
    assert len(ids) == len(set(ids))
    assert set(ids) == expected
    assert times == sorted(times, reverse=True)


def test_what_a_page_reads_is_bounded_whatever_the_filter_leaves_out():
    stage = Stage(plan_of(errors=LATER))
    for number in range(120):
        accept(stage, number, 500)
    with patch.object(deliveries, "_READ_AT_MOST", 2):
        before = stage.memory.count("dynamodb")
        answered = Console(stage).get("/api/deliveries", "status=waiting&error=dns").body
        assert stage.memory.count("dynamodb") - before <= 3 * 16
        assert answered["deliveries"] == []
        assert answered["cursor"] is not None


def test_a_page_over_years_of_silence_asks_for_so_many_hours_and_the_next_one_goes_on():
    stage = Stage(plan_of(errors=LATER))
    accept(stage, 1, 200)
    stage.clock.advance(60 * 86400)
    console = Console(stage)
    since = "since=2000-01-01T00:00:00Z&status=delivered"
    before = stage.memory.count("dynamodb")
    first = console.get("/api/deliveries", since).body
    assert stage.memory.count("dynamodb") - before <= 401
    assert first["deliveries"] == []
    found, cursor, pages = [], first["cursor"], 1
    while cursor:
        page = console.get("/api/deliveries", f"{since}&cursor={cursor}").body
        found, cursor, pages = found + page["deliveries"], page["cursor"], pages + 1
    assert len(found) == 1
    assert pages <= 400 * 24 / 400 + 1
