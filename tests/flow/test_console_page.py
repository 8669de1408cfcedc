"""The console of the local cloud: the link that `causeway dev` prints leads to a page that knows what happens."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.flow import providers

if TYPE_CHECKING:
    from tests.support.browser import Browser
    from tests.support.local_cloud import LocalCloud
    from tests.support.target import Target


def test_the_printed_link_shows_the_stack_and_what_became_of_an_event(
    cloud: LocalCloud, target: Target, scenario: str, browser: Browser
) -> None:
    found = re.search(r"http://\S+/console#key=\S+", cloud.output)
    assert found, cloud.output
    system, body, headers = providers.by_standard_webhooks(scenario)
    assert cloud.post(system, body, headers).status == 200
    target.wait_for(1, path=f"/{scenario}")

    page = browser.page()
    page.open(found[0])
    page.sees("delivered in two hours", 20)
    page.sees("standard-to-target")
    page.ask(f"location.hash = '#/find/{headers['webhook-id']}'")
    page.sees("Attempts", 20)
    assert page.ask("document.querySelector('h1 .badge').innerText") == "delivered"
    assert (page.violations(), page.faults) == ([], [])
    page.close()
