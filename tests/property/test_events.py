"""What must hold of expressions, texts and bodies, whatever comes."""

from __future__ import annotations

import contextlib
import json
from urllib.parse import parse_qsl, unquote

import jmespath
from hypothesis import given
from hypothesis import strategies as st

from causeway.events.checking import check
from causeway.events.envelope import MalformedBody, read_body
from causeway.events.expressions import ExpressionError, ask, select
from causeway.events.texts import OMITTED, render, render_headers, render_path, render_query

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)
scopes = st.fixed_dictionaries(
    {"data": anything, "headers": st.dictionaries(st.text(), st.text(), max_size=3)}
)
expressions = st.one_of(
    st.text(max_size=30),
    st.text("data.[]{}()*?|&!<>=@`'\"0123456789, -ab", max_size=30),
    st.sampled_from(
        [
            "data",
            "data.a",
            "data > `1`",
            "keys(data)",
            "date(data, 'rfc3339')",
            "date(data, data)",
            "lookup(data, data, 'x')",
            "sort_by(data, &a)",
            "to_number(data)",
            "data[?a > `0`].b",
            "sum(data)",
            "join(',', data)",
        ]
    ),
)


@given(expressions, scopes)
def test_an_expression_has_a_json_value_or_an_expression_error(expression, scope):
    with contextlib.suppress(ExpressionError):
        json.dumps(select(expression, scope), allow_nan=False)


@given(expressions, scopes)
def test_a_question_is_answered_true_or_false_or_not_at_all(expression, scope):
    with contextlib.suppress(ExpressionError):
        assert ask(expression, scope) in (True, False)


@given(expressions)
def test_checking_an_expression_never_fails_itself(expression):
    check(expression, fields={"data"})


@given(
    st.lists(st.sampled_from(["data", "a", "headers", '"a"', '"x-y"', '" "']), min_size=1, max_size=4), scopes
)
def test_a_path_means_without_jmespath_what_it_means_with_it(names, scope):
    expression = ".".join(names)
    assert select(expression, scope) == jmespath.search(expression, scope)


@given(
    st.text() | st.builds("a ${{{}}} b".format, expressions) | st.builds("${{{}}}".format, expressions),
    scopes,
)
def test_rendering_raises_nothing_but_expression_errors(text, scope):
    for rendering in (
        lambda: render({"a": [text]}, scope),
        lambda: render_path(f"/{text}", scope),
        lambda: render_query({"q": text}, scope),
        lambda: render_headers({"X-H": text}, scope),
    ):
        with contextlib.suppress(ExpressionError):
            rendering()


@given(anything)
def test_every_json_value_comes_through_a_text_unchanged(value):
    assert render("${data}", {"data": value}) == value
    assert render(["${data?}"], {"data": value}) == ([] if value is None else [value])
    assert render("${data?}", {"data": None}) is OMITTED


@given(st.text())
def test_escaping_makes_every_text_literal(text):
    """`$${` stands for `${`; what ends in a dollar must not escape the next one."""
    escaped = text.replace("${", "$${")
    if "$$${" not in escaped:
        assert render(escaped, {}) == text


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_value_stays_within_its_segment_of_a_path(value):
    try:
        path = render_path("/a/${v}/b", {"v": value})
    except ExpressionError:
        dots = {".", ".."} & set(value.replace("\\", "/").split("/"))
        assert not value or dots
    else:
        assert unquote(path.split("/")[2]) == value
        assert path.count("/") == 3
        assert path.isascii()


@given(
    st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"])), st.text(st.characters(exclude_categories=["Cs"]))
    )
)
def test_a_query_is_read_back_as_it_was_meant(values):
    query = {name: "${data[" + str(place) + "]}" for place, name in enumerate(values)}
    encoded = render_query(query, {"data": list(values.values())})
    assert parse_qsl(encoded, keep_blank_values=True) == list(values.items())


@given(
    st.binary(max_size=200),
    st.none()
    | st.text(max_size=30)
    | st.builds(
        "{}; charset={}".format,
        st.sampled_from(["application/json", "application/x-www-form-urlencoded", "text/plain", "a/b"]),
        st.sampled_from(
            ["utf-8", "utf-16", "utf-7", "latin-1", "idna", "punycode", "hex", "undefined", '"x', "a\0b", ""]
        ),
    ),
)
def test_a_body_is_data_or_malformed_and_nothing_else(body, content_type):
    with contextlib.suppress(MalformedBody):
        json.dumps(read_body(body, content_type)._asdict(), allow_nan=False)
