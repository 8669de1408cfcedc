"""Expressions: what they give, and which of their failures say what."""

from __future__ import annotations

import subprocess
import sys

import pytest

from causeway.events import expressions
from causeway.events.expressions import ExpressionError, ask, select

SCOPE = {
    "id": "evt_1",
    "headers": {"x-event-id": "h1", "a b": "spaced"},
    "data": {
        "total": 12.5,
        "text": "12.50",
        "draft": False,
        "secret": "hunter2",
        "items": [{"price": 5}, {"price": 20}],
    },
    "constants": {"account": {"EU": "8400", "5": "five", "true": "yes", "none": None}},
    "steps": {"skipped": None},
}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("id", "evt_1"),
        (" data.total ", 12.5),
        ('headers."x-event-id"', "h1"),
        ('headers."a b"', "spaced"),
        ("data.gone", None),
        ("data.gone.further", None),
        ("id.of.a.text", None),
        ("data.items[0].price", 5),
        ("data.items[?price > `10`].price", [20]),
        ("length(data.items)", 2),
        ("steps.skipped.body.id", None),
        ("to_number(data.text)", 12.5),
    ],
)
def test_an_expression_selects_by_jmespath(expression, expected):
    assert select(expression, SCOPE) == expected


def test_questions_are_answered_true_or_false():
    assert ask("data.total > `10`", SCOPE) is True
    assert ask("data.draft", SCOPE) is False
    assert ask("to_number(data.text) > `100`", SCOPE) is False


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        pytest.param("data.gone", "the answer is null", id="a missing field is no answer"),
        pytest.param("data.total", "the answer is a number", id="a number is no answer"),
        pytest.param("data.text", "the answer is a string", id="a text is no answer, not even 'true'"),
        pytest.param("data.items", "the answer is an array", id="a list is no answer"),
        pytest.param("data", "the answer is an object", id="an object is no answer"),
        pytest.param("data.gone > `10`", "the answer is null", id="a missing field has no order"),
        pytest.param(
            "data.text > `10`", "values of different types", id="a text is not compared with a number"
        ),
        pytest.param("to_number(id) > `10`", "the answer is null", id="what is no number is null"),
        pytest.param(
            "contains(data.gone, 'x')", "contains() takes array or string, and was given null", id="null"
        ),
        pytest.param("nope(data)", "Unknown function", id="an unknown function"),
        pytest.param("abs()", "Expected 1 argument", id="a wrong number of arguments"),
        pytest.param("data.total >", "this is not JMESPath", id="a broken expression"),
        pytest.param("", "this is not JMESPath", id="an empty expression"),
        pytest.param("&data", "nothing that JSON can say", id="an expression is no value"),
    ],
)
def test_everything_else_is_a_failure_with_its_reason_and_never_a_no(question, reason):
    with pytest.raises(ExpressionError) as caught:
        ask(question, SCOPE)
    assert reason in str(caught.value)
    assert str(caught.value).endswith(f": {question}")


def test_not_of_a_missing_field_is_true():
    """JMESPath's truth: null is false-like. Where a missing field must not count, compare: `draft == `false``."""
    assert ask("!(data.gone)", SCOPE) is True
    assert ask("data.gone == `false`", SCOPE) is False


def test_not_binds_to_the_first_name_so_a_path_needs_brackets():
    """`!data.draft` is (!data).draft, which is null for every event: an error here, and one of the compiler."""
    with pytest.raises(ExpressionError, match="the answer is null"):
        ask("!data.draft", SCOPE)
    assert ask("!(data.draft)", SCOPE) is True


def test_a_text_in_double_quotes_is_a_field_and_not_a_text():
    assert ask('data.text == "12.50"', SCOPE) is False
    assert ask("data.text == '12.50'", SCOPE) is True


@pytest.mark.parametrize(
    "expression",
    [
        "abs(data.secret)",
        "keys(data.secret)",
        "data.secret > `1`",
        "date(data.secret, 'epoch')",
        "sum([data.secret])",
        "lookup(constants.account, data, 'x')",
        "data.secret",
    ],
)
def test_no_error_holds_a_value(expression):
    with pytest.raises(ExpressionError) as caught:
        ask(expression, SCOPE)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None  # nor what it is printed with
    assert caught.value.__context__ is None or caught.value.__suppress_context__


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("lookup(constants.account, 'EU', '8499')", "8400"),
        ("lookup(constants.account, 'JP', '8499')", "8499"),
        ("lookup(constants.account, data.gone, '8499')", "8499"),
        ("lookup(constants.account, `5`, '8499')", "five"),
        ("lookup(constants.account, `true`, '8499')", "yes"),
        ("lookup(constants.account, 'none', '8499')", None),
        ("lookup(constants.account, 'JP', `null`)", None),
    ],
)
def test_lookup_gives_the_tables_value_or_the_default(expression, expected):
    assert select(expression, SCOPE) == expected


@pytest.mark.parametrize(
    ("value", "path", "expected"),
    [
        (None, "a", None),
        ([], "a", []),
        ([{"k": 1, "a": [2, 3]}], "a", [{"k": 1, "a": 2}, {"k": 1, "a": 3}]),
        ([{"k": 1, "a": {"l": 2, "b": [3]}}], "a.b", [{"k": 1, "a": {"l": 2, "b": 3}}]),
        ([{"a": []}, {"a": [1]}], "a", [{"a": 1}]),
        ([{"a": 1}, {"b": [1]}, 5, None], "a", [{"a": 1}, {"b": [1]}, 5, None]),
    ],
)
def test_each_puts_every_member_of_inner_lists_in_their_place(value, path, expected):
    assert select(f"each(data, '{path}')", {"data": value}) == expected


def test_lookup_in_a_table_that_is_not_there_is_an_error():
    with pytest.raises(ExpressionError, match=r"lookup\(\) takes object, and was given null"):
        select("lookup(constants.acount, 'EU', '8499')", SCOPE)


@pytest.mark.parametrize(
    ("value", "form", "expected"),
    [
        ("2026-11-22T10:00:00Z", "rfc3339", "2026-11-22T10:00:00Z"),
        ("2026-11-22T10:00:00.5+01:00", "rfc3339", "2026-11-22T09:00:00.500Z"),
        ("2026-11-22t10:00:00.000100z", "rfc3339", "2026-11-22T10:00:00.000100Z"),
        ("2026-11-22 10:00:00+0000", "rfc3339", "2026-11-22T10:00:00Z"),
        ("2026-11-22T00:30:00+01:00", "%Y-%m-%d", "2026-11-21"),
        ("2026-11-22T10:00:00.999Z", "epoch", 1795341600),
        ("2026-11-22T10:00:00.999Z", "epoch_ms", 1795341600999),
        (1795341600, "rfc3339", "2026-11-22T10:00:00Z"),
        (1795341600.25, "epoch_ms", 1795341600250),
        (1795341600123, "rfc3339", "2026-11-22T10:00:00.123Z"),
        ("1795341600", "rfc3339", "2026-11-22T10:00:00Z"),
        ("1795341600.000100", "rfc3339", "2026-11-22T10:00:00.000100Z"),
        (0, "%Y/%m/%d", "1970/01/01"),
        (-1, "rfc3339", "1969-12-31T23:59:59Z"),
        (-1, "epoch", -1),
        (None, "rfc3339", None),
    ],
)
def test_date_reads_rfc3339_and_epochs_and_writes_them_in_utc(value, form, expected):
    assert select(f"date(v, '{form}')", {"v": value}) == expected


@pytest.mark.parametrize(
    "value",
    [
        "yesterday",
        "",
        "2026-11-22",
        "2026-11-22T10:00:00",
        "2026-02-30T10:00:00Z",
        "٣",
        1e300,
        -(10**18),
        "9" * 5000,
    ],
)
def test_date_refuses_what_is_no_moment(value):
    with pytest.raises(ExpressionError):
        select("date(v, 'epoch')", {"v": value})


def test_date_refuses_a_format_that_it_does_not_know_even_without_a_date():
    with pytest.raises(ExpressionError, match="does not know its format"):
        select("date(v, 'rfc3999')", {"v": None})


@pytest.mark.parametrize("text", ["nan", "inf", "-Infinity", "1_000", "twelve", ""])
def test_a_text_that_is_no_json_number_is_null_as_a_number(text):
    assert select("to_number(v)", {"v": text}) is None


def test_data_nested_beyond_pythons_patience_is_a_reason_and_no_crash():
    deep: list = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(ExpressionError, match="nested too deeply"):
        select("to_string(v)", {"v": deep})


def test_compiled_expressions_are_kept_within_bounds():
    for number in range(expressions.CACHED + 10):
        select(f"data.n{number}", SCOPE)
    assert expressions.compiled.cache_info().currsize <= expressions.CACHED


def test_a_path_needs_no_jmespath_which_would_cost_a_cold_start():
    program = (
        "import sys; from causeway.events import envelope, expressions, identity, matching, texts;"
        "assert texts.render({'a': '${headers.\"x-id\"}'}, {'headers': {'x-id': '1'}}) == {'a': '1'};"
        "assert 'jmespath' not in sys.modules;"
        "assert expressions.ask('a == `1`', {'a': 1}); assert 'jmespath' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
