"""Texts and templates."""

from __future__ import annotations

from urllib.parse import parse_qs

import pytest

from causeway.events.expressions import ExpressionError
from causeway.events.texts import (
    OMITTED,
    Embedded,
    TextError,
    check,
    encode_query,
    render,
    render_headers,
    render_path,
    render_query,
)

SCOPE = {
    "data": {
        "name": "A-17",
        "n": 12.5,
        "yes": True,
        "none": None,
        "list": [1, "b c"],
        "object": {"k": "v"},
        "empty": "",
        "path": "a/b c?d#e&f=g",
        "half": "\ud83d",
    }
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("", ""),
        ("a } b { c $ d $$ e", "a } b { c $ d $$ e"),
        ("${data.n}", 12.5),
        ("${data.yes}", True),
        ("${data.none}", None),
        ("${data.gone}", None),
        ("${data.list}", [1, "b c"]),
        ("${data.object}", {"k": "v"}),
        ("${ data.name }", "A-17"),
        ("Order ${data.name}: ${data.n}, ${data.yes}", "Order A-17: 12.5, true"),
        ("${data.name}${data.name}", "A-17A-17"),
        ("${data.name?}", "A-17"),
        ("$${data.name}", "${data.name}"),
        ("$${${data.name}}", "${A-17}"),
        ("cost: ${'$'}${data.n}", "cost: $12.5"),
    ],
)
def test_a_text_is_rendered_and_one_expression_alone_keeps_its_json_type(text, expected):
    rendered = render(text, SCOPE)
    assert rendered == expected
    assert type(rendered) is type(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${{a: data.name}}", {"a": "A-17"}),
        ("${ {a: {b: data.name}} }", {"a": {"b": "A-17"}}),
        ("${'a}b'}", "a}b"),
        ("${'it\\'s }'}", "it's }"),
        ('${data."a}b"}', None),
        ('${data."a\\"}b"}', None),
        ('${`{"a": "}"}`}', {"a": "}"}),
        ('${`"\\`}"`}', "`}"),
        ("${data.list[?@ == 'b c'] | [0]}", "b c"),
        ("x${'}'}y${'{'}z", "x}y{z"),
    ],
)
def test_an_expression_ends_at_its_matching_brace(text, expected):
    assert render(text, SCOPE) == expected


@pytest.mark.parametrize(
    ("text", "problem", "position"),
    [
        ("ab ${data.x", "never closed", 3),
        ("${ {a: data.x }", "never closed", 0),
        ("a ${data.'x}", "a ' in an expression has no partner", 9),
        ("a ${}", "there is no expression", 2),
        ("a ${ ? }", "there is no expression", 2),
    ],
)
def test_a_text_that_cannot_be_read_says_where(text, problem, position):
    with pytest.raises(TextError, match=problem) as caught:
        check(text)
    assert caught.value.position == position
    with pytest.raises(ExpressionError):
        render(text, SCOPE)


def test_the_expressions_of_a_text_are_listed_for_the_compiler():
    assert check("$${no} a ${ data.x } b ${steps.y.body?}") == [
        Embedded("data.x", optional=False, position=9, quoted=False),
        Embedded("steps.y.body", optional=True, position=23, quoted=False),
    ]


def test_an_expression_between_quotes_is_marked_since_encoding_does_not_make_that_safe():
    assert [part.quoted for part in check("SELECT Id WHERE Name = '${data.name}' AND N = ${data.n}")] == [
        True,
        False,
    ]
    assert check('q="${data.name}"')[0].quoted


def test_a_template_is_any_json_and_only_its_strings_are_texts():
    template = {"a": 1, "b": [True, None, "${data.n}"], "${data.name}": {"c": "x ${data.name}"}}
    assert render(template, SCOPE) == {"a": 1, "b": [True, None, 12.5], "${data.name}": {"c": "x A-17"}}


def test_a_question_mark_leaves_out_the_key_or_element_that_holds_a_null():
    template = {
        "a": "${data.none?}",
        "b": "${data.none}",
        "c": ["${data.gone?}", "${data.n?}"],
        "d": "x ${data.none?}",
        "e": {"f": "${data.gone?}"},
    }
    assert render(template, SCOPE) == {"b": None, "c": [12.5], "e": {}}


def test_a_template_that_is_left_out_itself_says_so():
    assert render("${data.gone?}", SCOPE) is OMITTED


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("x ${data.none}", "the value is null where a text is needed: data.none"),
        ("x ${data.list}", "the value is a list, which cannot stand inside a text: data.list"),
        ("x ${data.object}", "the value is an object, which cannot stand inside a text: data.object"),
    ],
)
def test_inside_a_longer_text_null_lists_and_objects_are_errors(text, problem):
    with pytest.raises(ExpressionError) as caught:
        render(text, SCOPE)
    assert str(caught.value) == problem


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/orders/${data.name}", "/orders/A-17"),
        ("/orders/${data.path}/lines", "/orders/a%2Fb%20c%3Fd%23e%26f%3Dg/lines"),
        ("/a b/%20/x:y@z", "/a%20b/%20/x:y@z"),
        ("/v1/${data.n}", "/v1/12.5"),
        ("/files/${data.name}.json/", "/files/A-17.json/"),
        ("/Accounts(${data.name})", "/Accounts(A-17)"),
    ],
)
def test_in_a_path_values_are_encoded_and_the_maps_own_text_stays(text, expected):
    assert render_path(text, SCOPE) == expected


@pytest.mark.parametrize(
    "value", ["", ".", "..", "../admin", "a/../../b", "a/.", "..\\x", None, [], {}, "\ud83d"]
)
def test_no_value_changes_which_path_is_called(value):
    with pytest.raises(ExpressionError):
        render_path("/orders/${v}/cancel", {"v": value})


def test_two_values_that_make_dots_together_are_refused():
    with pytest.raises(ExpressionError):
        render_path("/orders/${v}${v}", {"v": "."})


@pytest.mark.parametrize("value", ["...", "a..b", ".env", "v1.", "%2e%2e"])
def test_dots_that_lead_nowhere_are_allowed(value):
    assert render_path("/${v}", {"v": value}) == "/" + value.replace("%", "%25")


def test_an_optional_value_cannot_be_left_out_of_a_path():
    with pytest.raises(ExpressionError, match="null"):
        render_path("/orders/${data.gone?}", SCOPE)


def test_a_query_is_encoded_and_a_list_repeats_its_parameter():
    query = {
        "limit": 250,
        "dry": False,
        "name": "${data.path}",
        "id": ["${data.name}", "x"],
        "tag": "${data.list}",
        "gone": "${data.gone?}",
        "some": ["${data.gone?}", "y"],
        "a&b": "1",
    }
    encoded = render_query(query, SCOPE)
    assert encoded == (
        "limit=250&dry=false&name=a%2Fb%20c%3Fd%23e%26f%3Dg&id=A-17&id=x&tag=1&tag=b%20c&some=y&a%26b=1"
    )
    assert parse_qs(encoded)["name"] == ["a/b c?d#e&f=g"]


@pytest.mark.parametrize(
    "value", ["${data.gone}", "${data.object}", ["${data.gone}"], [["x"]], "${data.half}"]
)
def test_a_query_holds_no_null_no_object_and_no_half_character(value):
    with pytest.raises(ExpressionError):
        render_query({"q": value}, SCOPE)


def test_a_form_is_encoded_like_a_query():
    assert encode_query({"a": 1, "b": ["x y", True]}) == "a=1&b=x%20y&b=true"
    assert encode_query({}) == ""


def test_headers_become_texts_and_an_optional_one_is_left_out():
    headers = {"X-N": "${data.n}", "X-Flag": True, "X-Gone": "${data.gone?}", "X-Name": "n ${data.name}"}
    assert render_headers(headers, SCOPE) == {"X-N": "12.5", "X-Flag": "true", "X-Name": "n A-17"}


@pytest.mark.parametrize("value", ["a\r\nX-Admin: 1", "a\nb", "a\x00", "Zoë", None, [], {}])
def test_no_value_ends_its_header_or_is_beyond_ascii(value):
    with pytest.raises(ExpressionError, match=r"header X-Name$"):
        render_headers({"X-Name": "${v}"}, {"v": value})


def test_no_error_of_a_text_holds_a_value():
    for text in ("x ${v}", "/${v}"):
        with pytest.raises(ExpressionError) as caught:
            render_path(text, {"v": ["hunter2", ".."]})
        assert "hunter2" not in str(caught.value)
