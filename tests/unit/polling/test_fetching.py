"""One page asked for and read, over real HTTP."""

from __future__ import annotations

import sys
import types

import pytest

from causeway.calls.caller import Caller
from causeway.calls.outcome import Refused
from causeway.delivery.transforms import TransformFailed
from causeway.plan.plan import Plan
from causeway.polling.fetching import fetch
from causeway.polling.paging import first_request, next_request, token_of
from causeway.settings.clock import SystemClock
from tests.support.calls import HeldSecrets
from tests.support.polls import poll
from tests.support.target import Reply, Target

WINDOW = {"since": None, "until": None, "end": 0.0, "last": True}
SINCE = WINDOW | {"since": "2026-09-22T12:00:00Z", "until": "2026-09-22T13:00:00Z"}


@pytest.fixture
def target():
    with Target() as target:
        yield target


@pytest.fixture
def hub_of(target):
    """Makes the system ``hub`` at the target, with one poll."""
    made = []
    yield lambda text="", **api: made.append(Hub(target, text, **api)) or made[-1]
    for hub in made:
        hub.caller.close()


class Hub:
    """The system ``hub`` at the target, and one of its polls."""

    def __init__(self, target, text="", **api):
        self.poll = poll(text)
        record = {
            "base_url": f"{target.url}/api",
            "auth": {"type": "none"},
            "headers": {},
            "allow_private": ["127.0.0.0/8"],
            "keep_answers": False,
        } | api
        system = {"name": "hub", "description": "", "redact": [], "api": record}
        plan = Plan({"format": 1, "environment": "test", "systems": {"hub": system}, "integrations": {}})
        self.clock = SystemClock()
        self.caller = Caller(plan, HeldSecrets(**{"hub/key": "SECRET"}), self.clock)

    def fetch(self, request=None, *, window=WINDOW, validators=None):
        return fetch(
            self.caller,
            self.poll,
            request or first_request(self.poll, window),
            window,
            validators=validators,
            headers={"traceparent": "00-1"},
            deadline=self.clock.now() + 5,
        )

    def pages(self, **more):
        request = first_request(self.poll, WINDOW)
        while request:
            page = self.fetch(request, **more)
            yield page.records
            request = next_request(self.poll, request, page.answer, page.records)


def queries(target):
    return [request.query for request in target.received()]


def test_the_window_stands_where_the_call_says_it(target, hub_of):
    hub = hub_of("cursor: {field: at, param: from}\nquery: {limit: 2}")
    target.on("/api/items", Reply(body={"items": [{"id": 1}]}))
    assert hub.fetch(window=SINCE).records == [{"id": 1}]
    hub.fetch()
    assert queries(target) == ["limit=2&from=2026-09-22T12%3A00%3A00Z", "limit=2"]
    assert target.received()[0].headers["traceparent"] == "00-1"


def test_links_are_followed_where_they_lead(target, hub_of):
    hub = hub_of("paginate: link\nquery: {limit: 2}")
    target.on("/api/items", Reply(body={"items": [1, 2]}, headers={"Link": '<?cursor=b%2F1>; rel="next"'}))
    pages = hub.pages()
    assert next(pages) == [1, 2]
    target.on("/api/items", Reply(body={"items": [3]}, headers={"Link": '</v2/items?c=3>; rel="next"'}))
    target.on("/v2/items", Reply(body={"items": [4]}))
    assert list(pages) == [[3], [4]]
    assert queries(target) == ["limit=2", "cursor=b%2F1", "c=3"]


def test_a_link_is_asked_for_with_the_systems_credentials_and_they_are_not_kept_with_it(target, hub_of):
    hub = hub_of("paginate: link", auth={"type": "api_key", "key": "hub/key", "query": "api_key"})
    hub.poll["credentials"] = ["api_key"]
    target.on(
        "/api/items",
        Reply(body={"items": [1]}, headers={"Link": '</api/items?api_key=SECRET&p=2>; rel="next"'}),
        Reply(body={"items": []}),
    )
    page = hub.fetch()
    request = next_request(hub.poll, first_request(hub.poll, WINDOW), page.answer, page.records)
    assert request["target"] == "/api/items?p=2"
    hub.fetch(request)
    assert queries(target) == ["api_key=SECRET", "p=2&api_key=SECRET"]


def test_parameters_of_a_search_that_is_a_post_stand_in_its_body(target, hub_of):
    hub = hub_of(
        """
post: /search
body: {filter: {after: "${since?}"}, page: {size: 2}}
cursor: {field: at, format: epoch}
paginate: {cursor: body.next, param: page.cursor}
""",
    )
    target.on("/api/search", Reply(body={"items": [1], "next": "${since}"}), Reply(body={"items": [2]}))
    assert list(hub.pages()) == [[1], [2]]
    assert [request.json for request in target.received()] == [
        {"filter": {}, "page": {"size": 2}},
        {"filter": {}, "page": {"size": 2, "cursor": "${since}"}},
    ]


def test_a_number_stays_one_in_a_body(target, hub_of):
    hub = hub_of("post: /search\nbody: {after: '${since}'}\ncursor: {field: at, format: epoch, start: now}")
    target.on("/api/search", Reply(body={"items": []}))
    hub.fetch(window=WINDOW | {"since": 1_790_078_400})
    assert target.received()[0].json == {"after": 1_790_078_400}


def test_a_token_that_is_a_url_is_called(target, hub_of):
    hub = hub_of("cursor: {token: body.delta}")
    target.on("/api/items", Reply(body={"items": [1], "delta": f"{target.url}/api/delta?t=1"}))
    token = token_of(hub.poll, hub.fetch().answer)
    target.on("/api/delta", Reply(body={"items": [2]}))
    assert hub.fetch(window=WINDOW | {"since": token}).records == [2]
    assert queries(target) == ["", "t=1"]


# --- unchanged ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("says", "asks"),
    [
        ({"ETag": 'W/"7"'}, "if-none-match"),
        ({"Last-Modified": "Tue, 22 Sep 2026 12:00:00 GMT"}, "if-modified-since"),
    ],
)
def test_what_did_not_change_is_not_sent_again(target, hub_of, says, asks):
    hub = hub_of()
    target.on("/api/items", Reply(body={"items": [1]}, headers=says), Reply(304, b""))
    page = hub.fetch()
    again = hub.fetch(validators=page.validators)
    assert target.received()[1].headers[asks] in says.values()
    assert (again.modified, again.records, again.validators) == (False, [], page.validators)


def test_another_window_is_another_question(target, hub_of):
    hub = hub_of("cursor: {field: at, param: from}")
    target.on("/api/items", Reply(body={"items": [1]}, headers={"ETag": '"7"'}))
    page = hub.fetch()
    hub.fetch(window=SINCE, validators=page.validators)
    assert "if-none-match" not in target.received()[1].headers


@pytest.mark.parametrize("paginate", ["link", "{page: p}"])
def test_one_unchanged_page_says_nothing_of_the_others(target, hub_of, paginate):
    hub = hub_of(f"paginate: {paginate}")
    target.on("/api/items", Reply(body={"items": [1]}, headers={"ETag": '"7"'}))
    assert hub.fetch().validators is None


def test_the_first_page_of_a_newest_first_list_says_it_of_all(target, hub_of):
    hub = hub_of("paginate: {link: next, stop_when: seen}")
    target.on("/api/items", Reply(body={"items": [1]}, headers={"ETag": '"7"'}), Reply(304, b""))
    assert not hub.fetch(validators=hub.fetch().validators).modified


def test_an_unasked_304_is_a_refusal(target, hub_of):
    hub = hub_of()
    target.on("/api/items", Reply(304, b""))
    with pytest.raises(Refused, match="answered 304"):
        hub.fetch()


def test_a_refusal_is_one_on_a_condition_too(target, hub_of):
    hub = hub_of()
    target.on("/api/items", Reply(body={"items": [1]}, headers={"ETag": '"7"'}), Reply(503))
    with pytest.raises(Refused) as refused:
        hub.fetch(validators=hub.fetch().validators)
    assert (refused.value.status, refused.value.retry) == (503, True)


# --- what is no JSON ------------------------------------------------------------------------------------------------


@pytest.fixture
def csv_reader(monkeypatch):
    def read(body, headers):
        assert headers["content-type"].startswith("text/")
        names, *rows = [line.split(",") for line in body.decode("latin-1").splitlines()]
        return {"items": [dict(zip(names, row, strict=True)) for row in rows]}

    module = types.ModuleType("transforms.hub_csv")
    module.read = read
    monkeypatch.setitem(sys.modules, "transforms", types.ModuleType("transforms"))
    monkeypatch.setitem(sys.modules, "transforms.hub_csv", module)


def test_what_is_no_json_is_read_by_the_maps_own_python(target, hub_of, csv_reader):
    hub = hub_of("parse: transforms.hub_csv:read")
    target.on("/api/items", Reply(body="id,name\n1,Zoë\n2,Ann".encode("latin-1")))
    assert hub.fetch().records == [{"id": "1", "name": "Zoë"}, {"id": "2", "name": "Ann"}]


def test_a_refusal_is_not_read_by_it(target, hub_of, csv_reader):
    hub = hub_of("parse: transforms.hub_csv:read")
    target.on("/api/items", Reply(503, "<html>"))
    with pytest.raises(Refused):
        hub.fetch()


def test_what_it_cannot_read_is_told(target, hub_of, csv_reader):
    hub = hub_of("parse: transforms.hub_csv:read")
    target.on("/api/items", Reply(body=b"id,name\n1"))
    with pytest.raises(TransformFailed, match=r"transforms.hub_csv:read raised ValueError"):
        hub.fetch()
