"""A runbook for each alarm: what it means, who is hit, where to look first, what to do, and when it is over."""

from __future__ import annotations

import re

import pytest

from causeway.telemetry.metrics import UNITS
from tests.support.alarms import Alarms
from tests.support.template import ROOT, written

FOLDER = ROOT / "docs" / "runbooks"
PAGES = {path.stem: path.read_text() for path in sorted(FOLDER.glob("*.md"))}
STREAM = Alarms(StreamMode="on-demand")
ALARMS = {*STREAM.single, *STREAM.composite}

PARTS = ("**What it means.**", "**Who is hit.**", "**First look.**", "**What to do.**", "**Over when:**")


def test_every_alarm_has_a_page_and_every_page_an_alarm():
    assert set(PAGES) - {"README"} == ALARMS


@pytest.mark.parametrize("name", sorted(ALARMS))
def test_a_page_answers_what_is_asked_at_night_in_this_order(name):
    found = [PAGES[name].index(part) for part in PARTS]
    assert PAGES[name].startswith(f"# {name}\n")
    assert found == sorted(found)


@pytest.mark.parametrize("name", sorted(ALARMS))
def test_a_page_has_a_command_a_query_or_a_picture_to_begin_with(name):
    first_look = PAGES[name].partition("**First look.**")[2].partition("**What to do.**")[0]
    assert "```" in first_look or "dashboard" in first_look


@pytest.mark.parametrize("name", sorted(STREAM.composite))
def test_the_page_of_several_leads_to_each_of_them_and_back(name):
    for child in STREAM.children(name):
        assert f"[{child}]({child}.md)" in PAGES[name]
        assert f"It is told by [{name}]({name}.md)." in PAGES[child]


@pytest.mark.parametrize("name", PAGES)
def test_every_link_of_a_page_leads_somewhere(name):
    for target, _, anchor in re.findall(r"\]\(([^)#]+)(#([^)]+))?\)", PAGES[name]):
        found = FOLDER / target
        assert found.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", found.read_text(), re.MULTILINE)
            assert anchor in {heading.lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", PAGES)
def test_what_a_page_speaks_of_is_there(name):
    """Parameters, metrics of ours, log groups, and resources by their names in the template."""
    text = PAGES[name]
    known = {*written()["Resources"], *written()["Parameters"], *UNITS}
    assert set(re.findall(r"`(Alarm[A-Z]\w+|\w+Log|\w+Function)`", text)) <= known
    assert set(re.findall(r"--logical-resource-id ([A-Z]\w+)", text)) <= known
    outputs = set(re.findall(r"OutputKey=='(\w+)'", text))
    assert outputs <= set(written()["Outputs"])


CODE = "".join(path.read_text() for path in (ROOT / "layers" / "causeway").rglob("*.py"))

QUERY = re.compile(r"message (?:=|in|like) (\[[^\]]+\]|\"[^\"]+\"|/\^[^/]+/)")


@pytest.mark.parametrize("name", PAGES)
def test_a_query_asks_for_lines_that_the_code_writes(name):
    for asked in QUERY.findall(PAGES[name]):
        for message in re.findall(r"[\"^]([^\"/]+)[\"/]", asked):
            assert f'"{message}' in CODE, message


@pytest.mark.parametrize("name", PAGES)
def test_an_error_that_a_page_names_is_one_of_the_code(name):
    for error in re.findall(r"`(\w+Error)`", PAGES[name]):
        assert f"class {error}(" in CODE, error


def test_the_list_of_runbooks_has_all_of_them():
    assert {name for name in ALARMS if f"[{name}]({name}.md)" in PAGES["README"]} == ALARMS
