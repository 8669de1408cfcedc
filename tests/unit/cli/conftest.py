"""What commands leave behind in their process, which ends with them; that of the tests goes on."""

import sys

import pytest


def _without_transforms():
    """Forget the package of a map's Python, which is another one in each map; what was forgotten."""
    names = [name for name in sys.modules if name.split(".")[0] == "transforms"]
    return {name: sys.modules.pop(name) for name in names}


@pytest.fixture(autouse=True)
def forgets_transforms():
    """No command sees another map's Python, and no later test this one's."""
    before = _without_transforms()
    yield
    _without_transforms()
    sys.modules.update(before)
