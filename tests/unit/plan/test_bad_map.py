"""A map with a mistake of every kind: what is told of it is a feature, and stands in bad-map/expected.txt."""

from __future__ import annotations

from pathlib import Path

import pytest

from causeway.plan.compiler import compile_map
from causeway.plan.problems import InvalidMapError

HERE = Path(__file__).parent


def test_all_mistakes_are_told_at_once_with_their_place_and_what_would_be_right(monkeypatch):
    monkeypatch.chdir(HERE)
    with pytest.raises(InvalidMapError) as caught:
        compile_map(Path("bad-map"))
    assert str(caught.value).splitlines() == (HERE / "bad-map" / "expected.txt").read_text().splitlines()


def test_no_message_repeats_what_may_be_a_secret(monkeypatch):
    monkeypatch.chdir(HERE)
    with pytest.raises(InvalidMapError) as caught:
        compile_map(Path("bad-map"))
    assert "abc def" not in str(caught.value), "a token where its name should stand"
    assert "Zm9v" not in str(caught.value), "a literal Authorization header"
