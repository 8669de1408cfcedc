import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from causeway.telemetry.metrics import Metrics


@pytest.fixture
def written(capsys, monkeypatch):
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "processor")
    return lambda: [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def declared(blob):
    (metrics,) = blob["_aws"]["CloudWatchMetrics"]
    return (
        metrics["Namespace"],
        metrics["Dimensions"],
        {each["Name"]: each["Unit"] for each in metrics["Metrics"]},
    )


def test_counts_are_summed_and_values_kept_in_one_line(written):
    metrics = Metrics()
    metrics.add("DeliveriesSucceeded")
    metrics.add("DeliveriesSucceeded", 2)
    metrics.add("TargetLatency", 12.5)
    metrics.add("TargetLatency", 7)
    metrics.emit()
    (blob,) = written()
    units = {"DeliveriesSucceeded": "Count", "TargetLatency": "Milliseconds"}
    assert declared(blob) == ("Causeway", [["service"]], units)
    assert (blob["service"], blob["DeliveriesSucceeded"], blob["TargetLatency"]) == (
        "processor",
        [3],
        [12.5, 7],
    )


def test_nothing_added_is_nothing_written(written):
    metrics = Metrics()
    metrics.emit()
    metrics.add("DeliveriesQueued")
    metrics.emit()
    metrics.emit()
    assert len(written()) == 1


def test_an_integration_is_no_dimension_unless_that_is_wanted(written):
    metrics = Metrics()
    metrics.add("DeliveriesDead", integration="a")
    metrics.emit()
    (blob,) = written()
    assert declared(blob)[1] == [["service"]]


def test_by_integration_comes_beside_the_total_and_only_for_the_few(written):
    metrics = Metrics(by_integration=True)
    metrics.add("DeliveriesDead", integration="a")
    metrics.add("DeliveriesDead", integration="b")
    metrics.add("DeliveriesSucceeded", integration="a")
    metrics.emit()
    total, *others = written()
    assert (total["DeliveriesDead"], total["DeliveriesSucceeded"]) == ([2], [1])
    assert [(each["integration"], each["DeliveriesDead"]) for each in others] == [("a", [1]), ("b", [1])]
    assert all(set(declared(each)[1][0]) == {"integration", "service"} for each in others)
    assert all("DeliveriesSucceeded" not in each for each in others)


@pytest.mark.parametrize("count", [99, 100, 101, 250])
def test_more_values_than_a_line_holds_are_several_lines(written, count):
    metrics = Metrics(by_integration=True)
    for number in range(count):
        metrics.add("DeliveryLatency", number, integration="a")
    metrics.emit()
    blobs = written()
    totals = [blob for blob in blobs if "integration" not in blob]
    by_integration = [blob for blob in blobs if "integration" in blob]
    for group in (totals, by_integration):
        assert [value for blob in group for value in blob["DeliveryLatency"]] == list(range(count))
        assert all(len(blob["DeliveryLatency"]) <= 100 for blob in group)


def test_threads_lose_no_count(written):
    metrics = Metrics()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: metrics.add("DeliveriesSucceeded"), range(2000)))
    metrics.emit()
    (blob,) = written()
    assert blob["DeliveriesSucceeded"] == [2000]


def test_a_name_that_nobody_decided_on_is_an_error():
    with pytest.raises(KeyError):
        Metrics().add("DeliverysSucceeded")


def test_open_circuits_are_also_told_by_system(written):
    metrics = Metrics()
    metrics.add("CircuitOpen", system="ledger")
    metrics.add("CircuitOpen", system="shop")
    metrics.emit()
    blobs = written()
    assert [blob["CircuitOpen"] for blob in blobs] == [[2], [1], [1]]
    assert [(declared(blob)[1], blob.get("system")) for blob in blobs[1:]] == [
        ([["system", "service"]], "ledger"),
        ([["system", "service"]], "shop"),
    ]
