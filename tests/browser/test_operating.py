"""What people do at the console: find an event, do it again, pause and resume; by keyboard alone, if they like."""

import json

import pytest

from tests.support.page import KEY, Landscape

NAME = "orders-to-ledger"


@pytest.fixture
def dying():
    """Three dead letters, at a target that has recovered since."""
    land = Landscape(minutes=4)
    land.stage.target.on(f"/{NAME}", 400)
    land.ids = land.come(NAME, count=3)
    land.stage.target.on(f"/{NAME}", 200)
    land.later(60)
    return land


def posted(looking):
    """What was asked to be done."""
    return [(target, json.loads(body)) for method, target, body in looking.gateway.asked if method == "POST"]


def tab_to(page, name, most=40):
    """Press Tab until something has the focus."""
    seen = []
    for _ in range(most):
        page.press("Tab")
        seen.append(page.focused())
        if seen[-1] == name:
            return seen
    raise AssertionError(seen)


def test_a_person_without_a_mouse_finds_an_event_and_does_it_again(look, without_fault, dying):
    looking = look(dying)
    page = looking.page
    event = dying.stage.item(dying.ids[0])["event_id"]
    with without_fault(looking):
        page.press("/")
        assert page.focused() == "Find an event or a delivery by its id"
        page.write(event)
        page.press("Enter")
        page.sees("Attempts")
        assert event in page.ask("document.querySelector('h1').innerText")
        page.until("document.activeElement.tagName === 'H1'")
        assert tab_to(page, "Replay") == ["Replay"]
        page.press("Enter")
        page.sees("Do it again?")
        page.press("Escape")
        page.until("!document.querySelector('dialog')")
        assert page.focused() == "Replay"
        page.press("Enter")
        page.sees("Do it again?")
        tab_to(page, "Replay")
        page.press("Enter")
        page.until("!document.querySelector('dialog')")
        assert posted(looking) == [(f"/api/deliveries/{dying.ids[0]}/replay", {"new_key": False})]
        dying.stage.invoke()
        page.press("r")
        page.until("document.querySelector('h1 .badge').innerText === 'delivered'")


def test_the_focus_goes_through_the_page_in_its_order_and_can_be_seen(look, dying):
    looking = look(dying)
    page = looking.page
    page.ask("document.querySelector('#skip').focus()")
    assert tab_to(page, "Sign out", 9) == [
        "Causeway",
        "Overview",
        "Deliveries",
        "Find an event or a delivery by its id",
        "Live",
        "Help and shortcuts",
        "Sign out",
    ]
    for _ in range(3):
        page.press("Tab")
        assert page.ask("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.ask("document.activeElement.blur(); document.querySelector('#skip').focus()")
    page.press("Enter")
    assert page.ask("document.activeElement.id") == "main"


def test_shortcuts_go_where_help_says_and_rest_while_somebody_types(look, without_fault, dying):
    looking = look(dying)
    page = looking.page
    with without_fault(looking):
        page.press("?")
        page.sees("Shortcuts off")
        looking.picture("help")
        page.press("x")  # a question is open: nothing else happens
        assert page.ask("location.hash") == "#/"
        page.press("Escape")
        page.press("x")
        page.sees("That is all.")
        page.press("j")
        page.press("j")
        page.press("k")
        page.press("j")
        page.press("Enter")
        page.sees("Attempts")
        assert page.ask("location.hash") == f"#/deliveries/{dying.ids[1]}"
        page.press("h")
        page.sees("delivered in two hours")
        page.press("/")
        page.write("d")
        page.press("d")
        assert page.ask("location.hash") == "#/"
        page.press("Escape")
        page.press("d")
        page.sees("Accepted since")


def test_a_replay_of_many_counts_first_and_asks_again(look, without_fault, dying):
    looking = look(dying)
    page = looking.page
    with without_fault(looking):
        looking.go(f"#/deliveries?status=dead&integration={NAME}", "That is all.")
        page.click("[data-key=replay]")
        page.sees("First they are counted. Nothing is replayed yet.")
        page.click("dialog [type=submit]")
        page.sees("Replay 3 dead letters?")
        looking.picture("replay")
        counted = posted(looking)
        assert counted == [("/api/replays", {"integration": NAME, "dry_run": True})]
        dying.stage.target.on(f"/{NAME}", 400)
        dying.later(1)
        dying.come(NAME)  # dies after they were counted
        dying.stage.target.on(f"/{NAME}", 200)
        page.click("dialog [type=submit]")
        page.until("location.hash.startsWith('#/replays/')")
        page.sees("Wanted by")
        ((_, wanted),) = posted(looking)[1:]
        assert (wanted["integration"], wanted["rate"], wanted["new_key"]) == (NAME, 20, False)
        assert "dry_run" not in wanted
        page.until("document.querySelector('.totals').innerText.replace(/\\s+/g, ' ').includes('replayed 3')")
        looking.picture("replayed")


def test_an_integration_is_paused_with_a_reason_and_resumed_at_a_rate(look, without_fault):
    looking = look()
    page = looking.page
    with without_fault(looking):
        looking.go(f"#/integrations/{NAME}", "Latest deliveries")
        page.click("[data-key=pause]")
        page.sees("For those who find it paused.")
        page.click("dialog [type=submit]")  # a pause says why
        page.until("document.querySelector('dialog input:invalid')")
        page.write("the ledger is being moved")
        page.press("Enter")
        page.sees("paused by key:ann: the ledger is being moved")
        page.click("[data-key=pause]")
        page.sees("What waits is released from the next minute on.")
        page.click("dialog [type=submit]")
        page.until("document.querySelector('h1 .badge').innerText === 'resuming'")
        assert [body for _, body in posted(looking)] == [
            {"reason": "the ledger is being moved"},
            {"rate": 20},
        ]


def test_what_the_api_refuses_is_said_where_it_was_asked(look, without_fault, dying):
    looking = look(dying)
    page = looking.page
    with without_fault(looking):
        looking.go(f"#/deliveries/{dying.ids[0]}", "Attempts")
        looking.gateway.keys[KEY]["lambda"]["scopes"] = "console:read"
        page.click("[data-key=replay]")
        page.click("dialog [type=submit]")
        page.until("document.querySelector('dialog .wrong').innerText.includes('lacks the scope')")
        assert page.ask("document.querySelector('dialog').open")


def test_pages_of_deliveries_follow_each_other_and_filters_stand_in_the_address(look, without_fault):
    land = Landscape(minutes=4)
    land.stage.target.on(f"/{NAME}", 400)
    land.come(NAME, count=120)
    looking = look(land)
    page = looking.page
    rows = "document.querySelectorAll('table.deliveries tbody tr').length"
    with without_fault(looking):
        looking.go("#/deliveries", "Older ones")
        page.ask(
            "(({form}) => { form.status.value = 'dead'; form.dispatchEvent(new Event('change')) })(document.querySelector('[name=status]'))"
        )
        page.until("location.hash === '#/deliveries?status=dead'")
        for count in (50, 100, 120):
            page.until(f"{rows} === {count}")
            if count < 120:
                page.click("[data-key=more]")
        page.sees("That is all.")
        assert (
            page.ask("new Set([...document.querySelectorAll('a.row')].map((each) => each.hash)).size") == 120
        )


HOSTILE = [
    '<img src=x onerror="window.pwned=1">',
    '"><script>window.pwned=1</script>',
    "javascript:window.pwned=1",
    "${7*7}{{7*7}}\u202e\u0000</pre><iframe src=//evil>",
]


def test_what_strangers_write_is_text(look, without_fault):
    land = Landscape(minutes=4)
    record = land.stage.tools.plan.integrations[NAME]
    record["description"] = HOSTILE[0]
    land.stage.tools.plan.systems["ledger"]["api"]["keep_answers"] = True
    record["owner"] = {"team": HOSTILE[1], "email": f'{HOSTILE[0]}@"', "runbook": HOSTILE[2]}
    land.stage.target.on(f"/{NAME}", (400, {"error": HOSTILE[0]}))
    land.stage.target.on("/orders-to-warehouse", (500, {}, {"x-bad": HOSTILE[1]}))
    found = []
    for index, text in enumerate(HOSTILE):
        event = {
            "id": f"{text}/{index}?#",
            "type": text,
            "source": "shop",
            "time": "2023-11-14T22:13:20Z",
            "data": {text: [text]},
            "headers": {text: text},
        }
        for name in (NAME, "orders-to-warehouse"):
            found += land.come(name, event=event)
    land.stack.pauses.pause("refunds-to-ledger", by=HOSTILE[0], reason=HOSTILE[1])
    land.later(1)
    looking = look(land)
    page = looking.page
    pages = ["#/", f"#/integrations/{NAME}", "#/deliveries", *(f"#/deliveries/{each}" for each in found)]
    with without_fault(looking):
        strange = (
            "#/find/%3Cimg%20src%3Dx%3E",
            "#/%E0%A4%A",
            "#/integrations/%3Cb%3E",
            "#/events/../replays",
        )
        for hash_ in [*pages, *strange]:
            page.ask(f"location.hash = {hash_!r}")
            page.until(
                "document.querySelector('main h1') && !document.querySelector('main').innerText.startsWith('Loading')"
            )
        looking.go("#/", HOSTILE[1])
        assert page.ask("window.pwned") is None
        assert (
            page.ask("document.querySelectorAll('main img, main script, main iframe, main b img').length")
            == 0
        )
        assert (
            page.ask(
                "[...document.querySelectorAll('a')].filter((each) => !/^(https?|mailto):/.test(new URL(each.getAttribute('href'), location))).length"
            )
            == 0
        )
        looking.go(f"#/deliveries/{found[0]}", "ledger answered 400")
        assert page.ask("document.querySelector('details pre').textContent").count(HOSTILE[0][:12]) == 1
        looking.picture("hostile")


class TestTrouble:
    def test_an_api_that_is_away_is_told_and_tried_again_and_what_was_read_stays(self, look, without_fault):
        looking = look()
        page = looking.page
        with without_fault(looking):
            looking.gateway.broken = (503, 20)
            looking.refresh()
            page.sees("Trying again in 20 s. What is shown is older.")
            page.sees("Everything is all right.")
            assert page.ask("document.querySelector('#fresh').innerText").endswith("old")
            looking.picture("api-away")
            looking.gateway.broken = None
            page.click("#fresh")
            page.until("document.querySelector('#trouble').hidden")
            assert page.ask("document.querySelector('#fresh').innerText") == "Live"

    def test_too_many_requests_are_told_as_that(self, look):
        looking = look()
        looking.gateway.broken = (429, 0)
        looking.refresh()
        looking.page.sees("Too many requests: the API lets no more of them in. Trying again in 10 s.")

    def test_no_answer_makes_it_wait_for_longer_than_an_hour(self, look):
        looking = look()
        looking.gateway.broken = (503, 10**9)
        looking.refresh()
        looking.page.sees("Trying again in 1 h.")

    @pytest.mark.parametrize("text", ['{"integrations": [', ""])
    def test_an_answer_that_breaks_off_is_an_api_that_is_away(self, look, without_fault, text):
        looking = look()
        with without_fault(looking):
            looking.gateway.broken = (200, 0)
            looking.gateway.says = text
            looking.refresh()
            looking.page.sees("The API's answer broke off. Trying again in 10 s. What is shown is older.")

    def test_a_network_that_is_back_is_asked_at_once(self, look):
        looking = look()
        page = looking.page
        looking.gateway.broken = (503, 600)
        looking.refresh()
        page.sees("Trying again in 10 min")
        looking.gateway.broken = None
        page.ask("dispatchEvent(new Event('online'))")
        page.until("document.querySelector('#trouble').hidden")

    def test_it_asks_more_slowly_the_longer_it_fails_and_not_at_all_while_nobody_looks(self, look):
        looking = look()
        page = looking.page
        module = page.ask("document.querySelector('[rel=modulepreload][href$=\"refresh.js\"]').href")
        waits = page.ask(
            f"""(async () => {{
              const {{ refreshing }} = await import("{module}");
              const waits = [], plan = window.setTimeout;
              let next = null, fails = true, hidden = false;
              Object.defineProperty(document, "hidden", {{ get: () => hidden, configurable: true }});
              window.setTimeout = (act, wait) => {{ waits.push(wait / 1000); next = act; return 0; }};
              const load = async () => {{ if (fails) throw Object.assign(new Error("away"), {{ kind: "later", after: 0 }}); }};
              const found = refreshing({{ load }}, () => {{}}, () => {{}});
              for (let i = 0; i < 6; i += 1) await found.now();
              fails = false;
              await found.now();
              const before = waits.length;
              hidden = true;
              await found.now();
              const asleep = waits.length - before;
              hidden = false;
              document.dispatchEvent(new Event("visibilitychange"));
              await found.now();
              found.stop();
              window.setTimeout = plan;
              delete document.hidden;
              return [waits.slice(0, before), asleep, waits.length > before];
            }})()"""
        )
        assert waits == [[10, 20, 40, 80, 120, 120, 120, 10], 0, True]

    def test_a_key_that_is_no_longer_known_leads_to_signing_in(self, look, without_fault):
        looking = look()
        with without_fault(looking):
            looking.gateway.keys.clear()
            looking.refresh()
            looking.page.sees("This key or token is not known here, or no longer good. Sign in again.")
            assert looking.page.ask("sessionStorage.length") == 0
            assert "orders-to-ledger" not in looking.page.text()
