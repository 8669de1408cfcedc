"""Whatever JSON is kept in an item comes back."""

from hypothesis import given
from hypothesis import strategies as st

from causeway.delivery.items import pack, unpack

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**15), 10**15)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(alphabet=st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


@given(json_values)
def test_it_comes_back_as_it_was(value):
    assert unpack(pack(value)) == value


@given(st.text())
def test_any_text_can_be_kept(text):
    unpack(pack(text)).encode()
