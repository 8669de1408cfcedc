import math

import pytest
from boto3.dynamodb.types import TypeDeserializer
from hypothesis import given
from hypothesis import strategies as st

from causeway.aws.dynamodb import from_item, from_value, to_item, to_value

numbers = st.integers(-(10**38) + 1, 10**38 - 1) | st.floats(1e-100, 1e100) | st.floats(-1e100, -1e-100)
values = st.recursive(
    st.none() | st.booleans() | numbers | st.text(st.characters(exclude_categories=["Cs"])) | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(min_size=1, max_size=5), values, max_size=5))
def test_what_is_written_is_read_back(item):
    assert from_item(to_item(item)) == item


@given(
    st.recursive(
        st.booleans() | st.integers(-999, 999) | st.text(), lambda inner: st.lists(inner, max_size=4)
    )
)
def test_the_official_client_reads_it_the_same(value):
    assert TypeDeserializer().deserialize(to_value(value)) == value


def test_a_set_of_strings_is_a_set():
    assert to_value({"b", "a"}) == {"SS": ["a", "b"]}
    assert from_value({"SS": ["a", "b"]}) == {"a", "b"}


@pytest.mark.parametrize("number", [math.nan, math.inf, 1e-200, 1e200, 10**39 + 1])
def test_a_number_that_dynamodb_cannot_hold_is_refused(number):
    with pytest.raises(ValueError, match="DynamoDB"):
        to_value(number)


@pytest.mark.parametrize("value", [object(), {1, 2}, set()])
def test_a_value_that_dynamodb_has_not_is_refused(value):
    with pytest.raises(TypeError, match="DynamoDB has no value for"):
        to_value(value)
