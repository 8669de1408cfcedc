"""What an answer means."""

from __future__ import annotations

import pytest

from causeway.calls.outcome import Answer, Refused, judge, parse_retry_on, retry_after
from tests.support.calls import make_call

NOW = 1_700_000_000.0  # Tue, 14 Nov 2023 22:13:20 GMT


def answer(status: int = 200, body=None, *, unread: str = "", **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, named, body, 0.1, unread)


def refusal(call, given: Answer) -> Refused:
    with pytest.raises(Refused) as caught:
        judge(call, given, now=NOW)
    return caught.value


class TestRetryOn:
    @pytest.mark.parametrize(
        ("words", "named"),
        [
            (["connection"], {"connection"}),
            (["timeout", "429"], {"timeout", 429}),
            (["500-503"], {500, 501, 502, 503}),
            (["500-503", "!502"], {500, 501, 503}),
            (["!502", "500-503"], {500, 501, 503}),
            (["500-599", "!500-598"], {599}),
            (["connection", "!connection"], set()),
            ([], set()),
        ],
    )
    def test_names_kinds_statuses_ranges_and_exceptions(self, words, named):
        assert parse_retry_on(words) == named

    @pytest.mark.parametrize(
        "word",
        [
            "",
            "!",
            "tiemout",
            "99",
            "600",
            "5xx",
            "500-",
            "503-500",
            "500 - 599",
            "!!503",
            "\uff1500",
            "4\uff129",
            "429\n",
        ],
    )
    def test_other_words_are_errors_that_name_the_word(self, word):
        with pytest.raises(ValueError, match=r"is not one of|ends before it begins") as caught:
            parse_retry_on(["429", word])
        assert repr(word) in str(caught.value)


class TestSuccess:
    @pytest.mark.parametrize("status", [200, 201, 202, 204, 226])
    def test_every_status_below_300_is_success_by_default(self, status):
        judge(make_call(), answer(status), now=NOW)

    @pytest.mark.parametrize("status", [300, 304, 400, 404, 500])
    def test_every_other_status_is_a_refusal(self, status):
        refused = refusal(make_call(), answer(status))
        assert (refused.kind, refused.status) == ("http", status)

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_a_redirect_is_a_failure_whatever_success_when_says(self, status):
        call = make_call(success_when="!body.error")
        refused = refusal(call, answer(status, location="https://user:pw@other.example/x?token=t0p"))
        assert "a redirect to https://other.example" in refused.reason
        assert "t0p" not in refused.reason
        assert "pw" not in refused.reason

    def test_success_when_sees_the_body(self):
        call = make_call(success_when="body.ok")
        judge(call, answer(200, {"ok": True}), now=NOW)
        refused = refusal(call, answer(200, {"ok": False}))
        assert (refused.kind, refused.retry) == ("http", False)
        assert "success_when is false: body.ok" in refused.reason

    def test_success_when_may_accept_what_is_usually_refused(self):
        judge(make_call(success_when="status == `409`"), answer(409), now=NOW)

    @pytest.mark.parametrize("body", [None, "<html>", {"ok": None}, {"ok": "yes"}, []])
    def test_a_question_without_a_yes_or_no_is_a_refusal(self, body):
        refused = refusal(make_call(success_when="body.ok"), answer(200, body))
        assert refused.kind == "http"
        assert "success_when cannot be asked" in refused.reason

    def test_an_unread_answer_counts_by_its_status_when_the_call_changed_something(self):
        judge(make_call(), answer(200, unread="the answer is larger than 5 bytes"), now=NOW)

    def test_an_unread_answer_is_a_refusal_when_reading_it_was_the_point(self):
        call = make_call(method="GET", reads=True)
        assert (
            "larger than 5 bytes" in refusal(call, answer(unread="the answer is larger than 5 bytes")).reason
        )


class TestRetry:
    @pytest.mark.parametrize(
        ("status", "retry"),
        [(408, True), (425, True), (429, True), (500, True), (599, True), (400, False), (404, False)],
    )
    def test_retry_on_judges_the_status(self, status, retry):
        assert refusal(make_call(), answer(status)).retry is retry

    def test_retry_on_judges_what_success_when_could_not(self):
        assert refusal(make_call(success_when="body.ok"), answer(502, "<html>")).retry

    def test_retry_when_adds_to_it(self):
        call = make_call(success_when="body.ok", retry_when="body.error == 'ratelimited'")
        assert refusal(call, answer(200, {"ok": False, "error": "ratelimited"})).retry
        assert not refusal(call, answer(200, {"ok": False, "error": "channel_not_found"})).retry

    def test_retry_when_without_an_answer_is_told(self):
        refused = refusal(make_call(retry_when="body.busy"), answer(400, {}))
        assert not refused.retry
        assert "retry_when cannot be asked" in refused.reason

    def test_retry_when_is_asked_of_refusals_only(self):
        judge(make_call(retry_when="body.busy"), answer(200, {"busy": True}), now=NOW)

    def test_the_reason_names_no_value_of_the_event_and_nothing_of_the_answer(self):
        call = make_call(path="/customers/${data.email}")
        refused = refusal(call, answer(422, {"message": "t0p"}, x_token="t0p"))
        assert refused.reason == "ledger answered 422 to POST /customers/${data.email}"


class TestRetryAfter:
    @pytest.mark.parametrize(
        ("text", "seconds"),
        [
            ("3", 3),
            ("0", 0),
            (" 120 ", 120),
            ("0.5", 0.5),
            ("Tue, 14 Nov 2023 22:13:50 GMT", 30),
            ("Tuesday, 14-Nov-23 22:13:50 GMT", 30),
            ("Tue, 14 Nov 2023 22:13:00 GMT", 0),
            ("99999999", 7 * 86400),
            ("1795341600000", 7 * 86400),
            ("9" * 999, 7 * 86400),
            ("Fri, 31 Dec 9999 23:59:59 GMT", 7 * 86400),
        ],
    )
    def test_seconds_and_dates_become_seconds_from_now(self, text, seconds):
        assert retry_after({"retry-after": text}, now=NOW) == pytest.approx(seconds)

    @pytest.mark.parametrize(
        "text", ["", "soon", "-3", "+3", "1e3", "nan", "inf", "\uff13", "1,2", "Tue, 99 Nov 2023"]
    )
    def test_anything_else_asks_for_nothing(self, text):
        assert retry_after({"retry-after": text}, now=NOW) is None

    def test_a_date_counts_from_the_answers_own_clock(self):
        headers = {"retry-after": "Tue, 14 Nov 2023 22:13:50 GMT", "date": "Tue, 14 Nov 2023 22:13:40 GMT"}
        assert retry_after(headers, now=NOW) == 10

    @pytest.mark.parametrize("status", [200, 301, 400, 429, 503])
    def test_it_counts_on_any_status(self, status):
        call = make_call(success_when="`false`")
        assert refusal(call, answer(status, retry_after="3")).retry_after == 3
