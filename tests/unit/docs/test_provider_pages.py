"""The pages of docs/providers are current, whole, and true of what the engine does."""

from __future__ import annotations

import re

import pytest
import yaml

from causeway.plan.compiler import compile_map
from causeway.webhooks.schemes import SCHEMES
from causeway_cli.provider_pages import PAGES, hints, pages, write

MADE = pages()


def test_the_pages_are_current():
    """`python -m causeway_cli.provider_pages` writes them."""
    found = {file.name: file.read_text(encoding="utf-8") for file in PAGES.glob("*.md")}
    assert found == MADE


def test_every_scheme_has_what_only_people_can_say():
    assert set(hints()) == set(SCHEMES)
    for name, hint in hints().items():
        assert set(hint) <= {"title", "docs", "setup", "secret", "limits", "repeats", "token"}, name
        assert hint["title"], name
        assert hint["setup"], name
        assert hint["secret"], name
        assert hint["docs"].startswith("https://"), name


@pytest.mark.parametrize("name", sorted(SCHEMES))
def test_a_pages_manifest_compiles_as_it_stands(name, tmp_path):
    manifest = re.search(r"```yaml\n(.*?)```", MADE[f"{name}.md"], re.DOTALL)[1]
    (tmp_path / "systems").mkdir()
    (tmp_path / "environments").mkdir()
    (tmp_path / "environments" / "dev.yaml").write_text("{}\n")
    (tmp_path / "systems" / f"{name}.yaml").write_text(manifest)
    webhooks = compile_map(tmp_path).plans["dev"]["systems"][name]["webhooks"]
    assert webhooks["schemes"] == SCHEMES[name]
    assert yaml.safe_load(manifest)["webhooks"].get("token") == webhooks.get("token")


@pytest.mark.parametrize("name", sorted(SCHEMES))
def test_a_page_says_plainly_what_is_not_signed(name):
    text = MADE[f"{name}.md"]
    schemes = SCHEMES[name]
    if all(each.get("algorithm") in ("token", "basic") for each in schemes):
        assert "**Nothing is signed.**" in text
    if any(each.get("body_unsigned") for each in schemes):
        assert "**The body is not signed.**" in text
    jwts = [each["jwt"] for each in schemes if "jwt" in each]
    if any("body_sha256" not in each for each in jwts):
        assert "**The body is not signed**" in text
    assert ("**Unconfirmed**" in text) == any(each.get("unconfirmed") for each in schemes)


def test_links_between_pages_lead_somewhere():
    for name, text in MADE.items():
        for target in re.findall(r"\]\(([a-z-]+\.md)\)", text):
            assert target in MADE, f"{name}: {target}"


def test_pages_of_providers_that_are_gone_are_removed(tmp_path):
    (tmp_path / "gone.md").write_text("")
    write(tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == set(MADE)
