"""A stack to look at, and a page that looks at it."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.support.page import KEY, Gateway, Landscape, serving

PICTURES = Path(__file__).parents[2] / "build" / "console"


class Looking:
    """Somebody who is signed in, before a page."""

    def __init__(self, page, url, gateway, land):
        self.page, self.url, self.gateway, self.land = page, url, gateway, land

    def go(self, hash_, text):
        """To a page of the console, and wait until it shows a text."""
        self.page.ask(f"location.hash = {hash_!r}")
        self.page.sees(text)

    def refresh(self):
        """As somebody who does not wait; what an instance has read is five seconds old at most."""
        self.land.stack.forget()
        self.page.click("#fresh")

    def picture(self, name):
        self.page.picture(PICTURES / f"{name}.png")


@pytest.fixture
def look(browser, monkeypatch):
    """Sign in to a landscape."""
    with ExitStack() as cleanup:

        def begin(land=None, *, hash_="", sees="delivered in two hours", environ=None, **how):
            land = land or Landscape(minutes=4)
            gateway = Gateway(land.stack, land.stage.clock)
            url = cleanup.enter_context(serving(gateway, monkeypatch, **(environ or {})))
            page = browser.page(**how)
            cleanup.callback(page.close)
            page.open(f"{url}/console{hash_ or f'#key={KEY}'}")
            page.sees(sees)
            return Looking(page, url, gateway, land)

        yield begin


@contextmanager
def faultless(looking):
    """Nothing goes wrong in the page meanwhile, and nothing is tried that its policy forbids."""
    yield
    assert looking.page.violations() == []
    assert looking.page.faults == []


@pytest.fixture
def without_fault():
    return faultless
