"""What the compiler is told of an expression before any event."""

from __future__ import annotations

import pytest

from causeway.events.checking import check
from causeway.events.envelope import SCOPE_FIELDS


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("data.total >", "the expression is incomplete"),
        ("", "the expression is empty"),
        ("data.x = 1", "Unknown token '=' at character 8"),
        ("data.x)", "unexpected ) at character 7"),
        ("data.order-id", "Unknown token '-' at character 11 (a name with - in it is written data.\"x-y\")"),
        ("data.n < 300", "unexpected 300 at character 10 (a number is written `300`, between backticks)"),
        ("data.s == `paid`", "between backticks stands JSON (`300`, `true`, `null`); a text is written 'so'"),
        (
            'data.s == "paid"',
            "\"paid\" in double quotes is the name of a field, which is not here; a text is 'paid'",
        ),
        ("data.s == true", "true is the name of a field, which is not here; the value is written `true`"),
        ("!data.draft", "`!` takes only the first name after it: write !(data.draft), with the brackets"),
        ("headers.\"X-Kind\" == 'a'", 'names of headers are in lower case here: headers."x-kind"'),
        ("&data", "`&` stands only before an argument of a function, as in sort_by(data.items, &price)"),
        ("lokup(constants.a, id, '')", "there is no function lokup(); did you mean lookup()?"),
        ("frobnicate(data)", "there is no function frobnicate()"),
        ("lookup(constants.a, id)", "lookup() takes 3 arguments, not 2"),
        ("abs()", "abs() takes 1 argument, not 0"),
        ("not_null()", "not_null() takes at least 1 argument, not 0"),
        (
            "date(time, 'iso')",
            "date() does not know its format: it writes rfc3339, epoch, epoch_ms or a pattern such as '%Y-%m-%d'",
        ),
    ],
)
def test_a_mistake_is_named_with_what_would_be_right(expression, expected):
    assert check(expression, fields=SCOPE_FIELDS).errors == [expected]


def test_a_name_that_its_place_does_not_have_is_an_error_with_the_likely_one():
    errors = check("to_number(dta.total) > `0`", fields=["headers", "data"]).errors
    assert errors == ["there is no dta here, only data, headers; did you mean data?"]


@pytest.mark.parametrize(
    "expression",
    [
        "body.error == 'busy'",
        "body.items[?price > `1` && sku].{name: title, all: @}",
        "sort_by(body.items, &price)[0].name",
        "body | {first: items[0], rest: items[1:]}",
        "body.*.name",
        "body.items[].parts[]",
        "not_null(body.a, headers.b, 'c')",
        "date(body.t, '%Y-%m')",
        "date(body.t, body.form)",
        "!(body.ok) || !body",
    ],
)
def test_names_inside_an_element_are_not_those_of_the_scope(expression):
    assert check(expression, fields=["headers", "body"]).errors == []


def test_a_place_whose_fields_nobody_knows_accepts_every_name():
    assert check("updated_at", fields=None).errors == []
    assert check("nope(updated_at)", fields=None).errors == ["there is no function nope()"]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("steps.account.body.id", {("steps", "account")}),
        ('steps."account"', {("steps", "account")}),
        ("lookup(constants.rates, data.region, '0')", {("constants", "rates"), ("data", "region")}),
        ("steps.a || steps.b.body", {("steps", "a"), ("steps", "b")}),
        ("steps.{x: a.body, y: b}", {("steps", "a"), ("steps", "b")}),
        ("steps | a", {("steps", "a")}),
        ("[steps.a[0].x, @.steps.b]", {("steps", "a"), ("steps", "b")}),
        ("data.items[*].steps.a", {("data", "items")}),
        ("map(&steps.a, data.items)", {("data", "items")}),
        ("steps", set()),
    ],
)
def test_the_steps_and_constants_that_it_uses_are_found(expression, expected):
    findings = check(expression, fields=SCOPE_FIELDS)
    assert findings.errors == []
    assert findings.references == expected
