import pytest
from boto3.dynamodb.types import TypeDeserializer
from hypothesis import given
from hypothesis import strategies as st

from causeway.aws.dynamodb import from_item, to_item, to_value

numbers = st.integers(-(10**38) + 1, 10**38 - 1) | st.floats(1e-100, 1e100) | st.floats(-1e100, -1e-100)
values = st.recursive(
    st.none() | st.booleans() | numbers | st.text(st.characters(exclude_categories=["Cs"])),
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


@given(st.text(st.characters()))
def test_any_text_can_be_kept(text):
    from_item(to_item({"text": text}))["text"].encode()


@pytest.mark.parametrize("value", [object(), {1, 2}, b""])
def test_a_value_that_is_not_json_is_refused(value):
    with pytest.raises(TypeError, match="is not kept in an item"):
        to_value(value)
