"""What the pages point to is there."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from causeway.plan.compiler import compile_map
from causeway.plan.plan import Plan
from causeway_cli import event_files, trial

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
LINK = re.compile(r"\]\(((?!https?:)[^)#]*)(#[^)]*)?\)")


def _anchors(page):
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(
        r"^#+ (.+)$", re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL), re.MULTILINE
    )
    return {"#" + re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_every_link_leads_somewhere(page):
    for target, anchor in LINK.findall(page.read_text()):
        found = page if not target else page.parent / target
        assert found.exists(), target
        if anchor:
            assert anchor in _anchors(found), target + anchor


def test_the_integration_of_the_first_page_does_what_it_says_beside_the_example_map(tmp_path):
    text = (ROOT / "README.md").read_text()
    shutil.copytree(ROOT / "integrations", tmp_path / "integrations")
    files = re.findall(r"```yaml\n# (integrations/\S+)\n(.*?)```", text, re.DOTALL)
    for file, content in files:
        (tmp_path / file).write_text(content)
    plan = Plan(compile_map(tmp_path / "integrations").plans["production"])
    integration = plan.integrations["invoices-to-chat"]
    event_file = tmp_path / "invoice.json"
    event_file.write_text(re.search(r"^echo '(.*)' > invoice.json$", text, re.MULTILINE)[1])
    (event,) = event_files.read(event_file, plan, integration, type_=None, headers=[])
    tried = trial.run(plan, integration, event, {})
    assert len(files) == 2
    assert tried.outcome == "delivered"
    assert tried.requests[0].url == "https://slack.com/api/chat.postMessage"
    assert json.loads(tried.requests[0].body)["text"] == "Invoice R-17 over 1200"
