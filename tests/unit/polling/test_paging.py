"""The next page: where it is, that it is nowhere else, and that there is an end."""

from __future__ import annotations

import pytest

from causeway.polling.links import link_to
from causeway.polling.paging import MOST_PAGES, PagingError, first_request, next_request, token_of
from tests.support.polls import answer, poll

WINDOW = {"since": None, "until": None, "end": 0.0, "last": True}
SINCE = WINDOW | {"since": "t1"}


def following(poll, body=None, *, records=("a",), request=None, seen_all=False, **of_answer):
    return next_request(
        poll,
        request or first_request(poll, WINDOW),
        answer(body, **of_answer),
        list(records),
        seen_all=seen_all,
    )


# --- links ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header",
    [
        '</b>; rel="next"',
        "</b>; rel=next",
        "</b>;rel=next",
        '</b> ; rel = "next"',
        '</b>; REL="NEXT"',
        '</b>; rel="last next"',
        '</a>; rel="prev", </b>; rel="next"',
        '</a>; rel="prev",</b>;rel="next",',
        '</a>; title="a, b; rel=\\"next\\""; rel="prev", </b>; title="<x>"; rel="next"',
        '</b>; rel="next"; rel="prev"',
        '</a>; rel="next"; anchor="/other", </b>; rel="next"',
        ' </b>; rel="next" , </c>; rel="next"',
    ],
)
def test_a_link_is_found_however_it_is_written(header):
    assert link_to(header, "next") == "/b"


@pytest.mark.parametrize(
    "header", ["", "</b>", '</b>; rel="nextpage"', '</b>; title="next"', "/b; rel=next", "<"]
)
def test_what_is_no_such_link_is_none(header):
    assert link_to(header, "next") is None


def test_a_link_may_hold_commas_and_semicolons():
    assert link_to('</b?ids=1,2;x=y>; rel="next"', "next") == "/b?ids=1,2;x=y"


def test_a_long_header_is_read_in_no_time():
    assert link_to("<a" + " " * 30_000 + '"' * 30_000 + ";" * 30_000, "next") is None


# --- URLs -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reference", "target"),
    [
        ("https://hub.example.com/v2/items?after=7", "/v2/items?after=7"),
        ("https://HUB.example.com:443/v2/items", "/v2/items"),
        ("//hub.example.com/v2", "/v2"),
        ("/v2/items?after=7", "/v2/items?after=7"),
        ("?after=7", "/api/items?after=7"),
        ("more?after=7", "/api/more?after=7"),
        ("../x", "/x"),
        ("https://hub.example.com", "/"),
        ("/v2?a=b%20c#part", "/v2?a=b%20c"),
    ],
)
def test_a_url_is_followed_on_the_same_origin(reference, target):
    by_link = poll("paginate: link")
    assert following(by_link, headers={"link": f'<{reference}>; rel="next"'})["target"] == target
    assert following(poll("paginate: {next_url: body.next}"), {"next": reference})["target"] == target


@pytest.mark.parametrize(
    "reference",
    [
        "https://evil.example.com/items",
        "http://hub.example.com/items",
        "https://hub.example.com:8443/items",
        "//evil.example.com/items",
        "https://hub.example.com@evil.example.com/items",
        "https://user@hub.example.com/items",
        "https://hub.example.com.evil.example.com/",
        "\\\\evil.example.com/items",
        "ftp://hub.example.com/items",
        "javascript:alert(1)",
        "/v2/it ems",
    ],
)
def test_a_url_leads_nowhere_else(reference):
    with pytest.raises(PagingError):
        following(poll("paginate: {next_url: body.next}"), {"next": reference})


def test_no_url_is_the_end():
    by_url = poll("paginate: {next_url: body.next}")
    assert following(by_url, {}) is None
    assert following(by_url, {"next": None}) is None
    assert following(by_url, {"next": ""}) is None
    assert following(poll("paginate: link")) is None


def test_a_url_that_is_none_is_an_error():
    with pytest.raises(PagingError, match=r"`body.next` is no text"):
        following(poll("paginate: {next_url: body.next}"), {"next": {"href": "/b"}})


def test_a_key_that_the_server_repeats_in_its_links_is_not_kept():
    keyed = poll(
        "paginate: link",
        system="api: {base_url: 'https://hub.example.com/api', auth: {type: api_key, key: hub/key, query: api_key}}",
    )
    header = {"link": '</items?api_key=SECRET&after=a%2Cb>; rel="next"'}
    assert following(keyed, headers=header)["target"] == "/items?after=a%2Cb"


# --- cursors, numbers, offsets --------------------------------------------------------------------------------------


def test_a_cursor_is_a_parameter_of_the_next_request():
    by_cursor = poll("paginate: {cursor: body.next, param: after}")
    assert "values" not in first_request(by_cursor, WINDOW)
    assert following(by_cursor, {"next": "c2"})["values"] == {"after": "c2"}
    assert following(by_cursor, {"next": 7})["values"] == {"after": 7}


@pytest.mark.parametrize("end", [None, "", False])
def test_no_cursor_is_the_end(end):
    assert following(poll("paginate: {cursor: body.next, param: after}"), {"next": end}) is None


def test_a_cursor_that_is_none_is_an_error():
    with pytest.raises(PagingError, match=r"`body.next` is no text and no number"):
        following(poll("paginate: {cursor: body.next, param: after}"), {"next": ["c2"]})


def test_pages_are_counted_until_one_is_empty():
    numbered = poll("paginate: {page: page, start: 0}")
    first = first_request(numbered, WINDOW)
    assert first["values"] == {"page": 0}
    second = following(numbered, request=first, records=["a"])
    assert second["values"] == {"page": 1}
    assert following(numbered, request=second, records=[]) is None


def test_pages_are_counted_from_1_unless_it_is_written():
    assert first_request(poll("paginate: {page: page}"), WINDOW)["values"] == {"page": 1}


def test_a_short_page_is_no_end():
    """A server that was asked for 1000 and gives 100 at most would be read no further than its first page."""
    by_offset = poll("paginate: {offset: skip, limit: 1000}")
    second = following(by_offset, records=range(100))
    assert second["values"] == {"skip": 100}
    assert following(by_offset, request=second, records=range(100, 103))["values"] == {"skip": 103}


def test_an_offset_moves_on_by_no_more_than_its_limit():
    """``records`` may make several of each that the server counts: lines of orders."""
    assert following(poll("paginate: {offset: skip, limit: 10}"), records=range(25))["values"] == {"skip": 10}


def test_where_stop_when_decides_an_empty_page_is_no_end():
    """``records`` may leave out all of a page."""
    by_offset = poll("paginate: {offset: skip, limit: 10, stop_when: body.last}")
    assert following(by_offset, {"last": False}, records=[])["values"] == {"skip": 10}
    assert following(by_offset, {"last": True}, records=["a"]) is None


@pytest.mark.parametrize(
    "paginate",
    ["{next_url: body.next, stop_when: body.last}", "{cursor: body.next, param: c, stop_when: body.last}"],
)
def test_stop_when_stops_before_there_is_nothing_more(paginate):
    assert following(poll(f"paginate: {paginate}"), {"next": "/b", "last": False})
    assert following(poll(f"paginate: {paginate}"), {"next": "/b", "last": True}) is None


def test_a_newest_first_list_stops_at_what_was_seen():
    newest_first = poll("paginate: {link: next, stop_when: seen}")
    header = {"link": "</b>; rel=next"}
    assert following(newest_first, headers=header)["target"] == "/b"
    assert following(newest_first, headers=header, seen_all=True) is None


def test_without_pagination_there_is_one_page():
    assert following(poll(), headers={"link": "</b>; rel=next"}) is None


# --- tokens ---------------------------------------------------------------------------------------------------------


def test_a_token_is_what_the_next_run_begins_with():
    by_token = poll("cursor: {token: body.sync, param: sync_token, start: {full: true}}")
    assert first_request(by_token, WINDOW) == {"number": 1, "values": {"full": True}}
    assert first_request(by_token, SINCE) == {"number": 1}
    assert by_token["call"]["query"] == {"sync_token": "${since?}"}
    assert token_of(by_token, answer({"sync": "t2"})) == "t2"
    assert token_of(by_token, answer({"items": []})) is None


def test_what_the_first_request_of_a_token_asks_for_is_asked_for_on_each_of_its_pages():
    by_token = poll("""
cursor: {token: body.sync, param: sync, start: {full: true}}
paginate: {cursor: body.next, param: page}
""")
    assert following(by_token, {"next": "p2"})["values"] == {"full": True, "page": "p2"}


def test_a_token_that_is_a_url_is_where_the_next_run_begins():
    delta = poll("""cursor: {token: 'body."@odata.deltaLink"'}""")
    token = token_of(delta, answer({"@odata.deltaLink": "https://hub.example.com/v1/delta?t=2"}))
    assert token == "/v1/delta?t=2"
    assert first_request(delta, WINDOW | {"since": token}) == {"number": 1, "target": "/v1/delta?t=2"}
    with pytest.raises(PagingError, match="another scheme, host or port"):
        token_of(delta, answer({"@odata.deltaLink": "https://evil.example.com/v1/delta?t=2"}))


def test_a_token_that_is_none_is_an_error():
    with pytest.raises(PagingError, match=r"`body.sync` is no text and no number"):
        token_of(poll("cursor: {token: body.sync, param: s}"), answer({"sync": {}}))


# --- no end ---------------------------------------------------------------------------------------------------------


def all_pages(poll, answers, *, records=lambda number: [number]):
    """The requests that are made until there is no next one; answers by number of the page."""
    request = first_request(poll, WINDOW)
    while request:
        yield request
        request = following(poll, answers(request), request=request, records=records(request["number"]))


def test_the_same_page_again_is_told():
    with pytest.raises(PagingError, match="round in circles"):
        list(all_pages(poll("paginate: {next_url: body.next}"), lambda _: {"next": "/same"}))


@pytest.mark.parametrize("length", [2, 3, 7, 100])
def test_pages_that_go_round_in_circles_are_told(length):
    by_cursor, asked = poll("paginate: {cursor: body.next, param: c}"), []
    with pytest.raises(PagingError, match="round in circles"):
        asked.extend(all_pages(by_cursor, lambda request: {"next": request["number"] % length}))
    assert len(asked) <= 4 * length


def test_a_server_that_ignores_the_page_is_told():
    asked = []
    with pytest.raises(PagingError, match="does not know the parameter page"):
        asked.extend(all_pages(poll("paginate: {page: page}"), lambda _: None, records=lambda _: [1, 2, 3]))
    assert len(asked) == 3


def test_pages_without_an_end_are_told():
    endless = poll("paginate: {page: page}")
    with pytest.raises(PagingError, match=f"more than {MOST_PAGES} pages"):
        following(endless, request={"number": MOST_PAGES, "values": {"page": MOST_PAGES}})
