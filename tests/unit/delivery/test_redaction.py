"""Redaction: what a manifest names is in no text, however it is written there."""

import json
from urllib.parse import quote, quote_plus

from hypothesis import given
from hypothesis import strategies as st

from causeway.delivery.redaction import REDACTED, redactor
from causeway.events.envelope import make_event

PATHS = ["data.customer.email", "data.cards", 'headers."x-customer"']


def event(data, headers=None):
    return make_event(
        id="1", type="t", source="shop", time="2023-11-14T22:13:20Z", data=data, headers=headers
    )


def redact(text, data, headers=None):
    return redactor(PATHS, event(data, headers))(text)


def test_a_value_is_replaced_wherever_it_stands():
    assert redact("no <a@b.c>, a@b.c!", {"customer": {"email": "a@b.c"}}) == f"no <{REDACTED}>, {REDACTED}!"


def test_of_an_object_or_a_list_every_value_is_meant():
    data = {"cards": [{"number": 42424242, "name": "Jo"}, "loose"]}
    assert redact("42424242 of Jo, loose", data) == f"{REDACTED} of {REDACTED}, {REDACTED}"


def test_also_in_headers():
    assert redact("hello jo", {}, {"x-customer": "jo"}) == f"hello {REDACTED}"


def test_a_value_within_another_does_not_save_the_rest_of_it():
    assert redact("secret-tail", {"cards": ["secret", "secret-tail"]}) == REDACTED


def test_true_false_null_and_empty_texts_say_nothing_by_themselves():
    assert redact("true or null", {"cards": [True, None, ""]}) == "true or null"


def test_what_is_not_there_or_cannot_be_evaluated_redacts_nothing():
    assert redactor(["data.missing", "data[?"], event({}))("text") == "text"
    assert redactor(["data.x"], None)("text") == "text"


@given(st.text(min_size=1, alphabet=st.characters(exclude_categories=["Cs"])))
def test_it_is_found_as_it_is_in_json_in_a_url_and_in_pythons_words(value):
    redact = redactor(["data"], event(value))
    for written in (value, quote(value), quote_plus(value), json.dumps(value)[1:-1], repr(value)[1:-1]):
        assert redact(f"\N{SNOWMAN}{written}\N{SNOWMAN}").strip("\N{SNOWMAN}").replace(REDACTED, "") == ""


def test_what_stands_in_a_values_place_is_not_redacted_itself():
    assert redact("secret", {"cards": ["secret", "e", "d"]}) == REDACTED
