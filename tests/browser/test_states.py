"""What the console says of a stack: is everything all right; what is not, since when, whose is it."""

from dataclasses import replace

import pytest

from causeway.watching.standing import Standing, Standings
from tests.support.page import Landscape


def well(land):
    pass


def dead_letters(land):
    land.stage.target.on("/orders-to-ledger", 400)
    land.come("orders-to-ledger", count=7)
    land.later(1500)


def late(land):
    land.stage.target.on("/orders-to-warehouse", 500)
    land.come("orders-to-warehouse", count=5)
    land.later(1800)


def circuit(land):
    land.open_circuit("ledger")
    land.later(20)


def pause(land):
    land.stack.pauses.pause("pull-requests-to-chat", by="oidc:ann", reason="the channel is being moved")


def paused(land):
    pause(land)
    land.later(3 * 3600)


def everything(land):
    for each in (dead_letters, late, pause, circuit):
        each(land)


def systems(land):
    """What is about systems and the stack, as the watchdog writes it down."""
    now = land.stage.clock.now()
    three = ["charges-to-ledger", "orders-to-ledger", "refunds-to-ledger"]
    rest = {
        "poll": (
            "shop/orders",
            "warning",
            "the poll is late: it has not been read to its end",
            ["orders-to-ledger"],
        ),
        "token": ("desk", "critical", "desk does not take our refresh token any more", ["disputes-to-desk"]),
        "certificate": ("ledger", "warning", "the certificate that we show ledger ends at 2023-11-20", three),
        "canary": ("github", "critical", "a canary of github did not arrive", ["pull-requests-to-chat"]),
        "strays": ("Strays", "critical", "3 messages went astray in Strays", []),
        "books": ("books", "critical", "2 deliveries of orders-to-ledger cannot be accounted for", []),
    }
    for number, (check, (subject, level, what, names)) in enumerate(rest.items()):
        known = Standing(
            f"{check}#{subject}", check, subject, level, what, now - 60.0 * (number + 2), now - 30, names
        )
        known = replace(known, cause=f"why of {check}", next_step=f"do `this {check}` about it")
        Standings(land.state).write(known.key, known)


def asleep(land):
    dead_letters(land)
    land.stage.clock.advance(790)


def not_yet_told(land):
    land.stage.target.on("/orders-to-ledger", 400)
    land.come("orders-to-ledger", count=2)
    pause(land)
    land.open_circuit("desk")
    land.stage.clock.advance(15)


def retried(land):
    """Three that a retry made good, beside two that are dead."""
    integration = land.stage.tools.plan.integrations["refunds-to-ledger"]
    integration["errors"] |= {"retry": {"first": 1.0, "factor": 1.0, "max": 1.0}}
    for answers in [(500, 200)] * 3 + [(400,)] * 2:
        land.stage.target.on("/refunds-to-ledger", *answers)
        land.come("refunds-to-ledger")
        land.later(5)
        land.stage.invoke()


def recovering(land):
    paused(land)
    land.stack.pauses.resume("pull-requests-to-chat", by="oidc:ann", rate=20)


STATES = {
    "healthy": (well, (), "Everything is all right.", []),
    "dead-letters": (
        dead_letters,
        (),
        "1 of 6 integrations needs somebody.",
        [
            [
                "dead letters",
                "orders-to-ledger 7 deliveries given up",
                "Cause: the target refuses: ledger answered 400 to POST /orders-to-ledger",
                "Next: remove the cause, then causeway replay --integration orders-to-ledger; nothing is lost",
                "since 25 min ago",
                "told now",
                "owner finance-platform",
                "runbook",
            ]
        ],
    ),
    "late": (
        late,
        (),
        "1 of 6 integrations needs somebody.",
        [
            [
                "late",
                "orders-to-warehouse",
                "deliveries are late: not done within 15 min (5 deliveries)",
                "since 15 min ago",
                "owner fulfilment",
            ]
        ],
    ),
    "open-circuit": (
        circuit,
        (),
        "3 of 6 integrations need somebody.",
        [
            [
                "down",
                "charges-to-ledger, orders-to-ledger, refunds-to-ledger",
                "ledger fails: its circuit is open",
                "since 20 s ago",
                "owner finance-platform",
            ]
        ],
    ),
    "paused": (
        paused,
        (),
        "Nothing is broken; 1 integration is paused.",
        [
            [
                "paused",
                "pull-requests-to-chat paused by oidc:ann",
                "Cause: the channel is being moved",
                "since 3 h ago",
                "Resume",
            ]
        ],
    ),
    "silent": (
        well,
        ("disputes-to-desk",),
        "1 of 6 integrations needs somebody.",
        [
            [
                "silent",
                "disputes-to-desk is silent: no event for 8 h 30 min, expected every 6 h",
                "Cause: payments sends nothing",
                "owner customer-care",
            ]
        ],
    ),
    "systems": (
        systems,
        (),
        "5 of 6 integrations need somebody, and so does the stack.",
        [
            ["lost", "The stack 2 deliveries of orders-to-ledger cannot be accounted for", "owner operator"],
            ["astray", "The stack 3 messages went astray", "Next: do this strays about it"],
            ["canary", "pull-requests-to-chat a canary of github did not arrive"],
            ["token", "disputes-to-desk desk does not take our refresh token any more"],
            ["certificate", "charges-to-ledger, orders-to-ledger, refunds-to-ledger the certificate"],
            ["poll", "orders-to-ledger shop/orders: the poll is late", "Cause: why of poll"],
        ],
    ),
    "asleep": (
        asleep,
        (),
        "The watchdog does not run. 1 of 6 integrations needs somebody.",
        [
            ["blind", "The stack the watchdog has not run for 13 min", "owner operator", "WatchdogSilent.md"],
            ["dead letters", "orders-to-ledger", "told 13 min ago"],
        ],
    ),
    "not-yet-told": (
        not_yet_told,
        (),
        "2 of 6 integrations need somebody.",
        [
            [
                "dead letters",
                "orders-to-ledger 2 dead letters",
                "nobody has been told yet",
                "finance-platform",
            ],
            ["down", "disputes-to-desk desk is not called", "nobody has been told yet", "customer-care"],
            ["paused", "pull-requests-to-chat paused by oidc:ann: the channel", "nobody has been told yet"],
        ],
    ),
    "recovering": (
        recovering,
        (),
        "Nothing is broken; 1 thing is well again, but not for long.",
        [["recovering", "pull-requests-to-chat", "well again, but not for long"]],
    ),
    "everything": (everything, ("disputes-to-desk",), "5 of 6 integrations need somebody.", None),
}


def landscape(state):
    happens, quiet, *_ = STATES[state]
    land = Landscape(quiet=quiet)
    happens(land)
    return land


def one_line(text):
    return " ".join(text.split())


@pytest.mark.parametrize("state", STATES)
def test_it_says_whether_all_is_right_and_what_is_not_since_when_and_whose_it_is(look, without_fault, state):
    _, _, sentence, needs = STATES[state]
    looking = look(landscape(state))
    with without_fault(looking):
        assert looking.page.ask("document.querySelector('h1').innerText") == sentence
        found = looking.page.ask("[...document.querySelectorAll('.needs li')].map((each) => each.innerText)")
        for row, words in zip(found, needs if needs is not None else [[]] * len(found), strict=True):
            for each in words:
                assert each in one_line(row)
        looking.picture(state)


def test_the_map_shows_the_state_of_each_and_leads_to_it(look, without_fault):
    looking = look(landscape("everything"))
    with without_fault(looking):
        said = looking.page.ask(
            "[...document.querySelectorAll('.map a')].map((each) => each.getAttribute('aria-label'))"
        )
        assert sorted(said) == [
            "charges-to-ledger: broken",
            "disputes-to-desk: needs a look",
            "orders-to-ledger: broken",
            "orders-to-warehouse: needs a look",
            "pull-requests-to-chat: on hold",
            "refunds-to-ledger: broken",
        ]
        looking.page.ask(
            "document.querySelector('.map a[aria-label^=orders-to-ledger]').dispatchEvent(new MouseEvent('click', {bubbles: true}))"
        )
        looking.page.sees("Latest deliveries")
        looking.picture("integration")


def test_sparklines_say_in_words_what_they_draw(look):
    looking = look(landscape("dead-letters"))
    row = "document.querySelector('[data-key=\"row orders-to-ledger\"]').closest('tr')"
    said = looking.page.ask(
        f"[...{row}.querySelectorAll('.spark')].map((each) => each.getAttribute('aria-label'))"
    )
    assert [each.split(",")[0].split(":")[0] for each in said] == [
        "delivered",
        "median latency",
        "not at once",
    ]
    assert "at most 7" in said[2]
    assert said[2].endswith("7 waiting or dead, 0 delivered by a retry")
    drawn = f"[...{row}.querySelectorAll('.spark.rate rect')].reduce((all, each) => all + Number(each.getAttribute('height')), 0)"
    assert looking.page.ask(drawn) > 0


def test_what_a_retry_made_good_is_drawn_apart_from_what_is_dead(look):
    land = Landscape(minutes=4)
    retried(land)
    looking = look(land, hash_="", sees="delivered in two hours")
    looking.go("#/integrations/refunds-to-ledger", "Latest deliveries")
    spark = "document.querySelector('.spark.failures')"
    said = looking.page.ask(f"{spark}.getAttribute('aria-label')")
    assert said.endswith("2 waiting or dead, 3 delivered by a retry")
    heights = looking.page.ask(
        f"['.part:not(.open)', '.part.open'].map((each) => [...{spark}.querySelectorAll(each)].reduce((all, part) => all + Number(part.getAttribute('height')), 0))"
    )
    assert heights[0] > heights[1] > 0
    assert "1 delivery given up (2 by now)" in looking.page.text()
    looking.picture("retried")


def test_what_changes_is_said_aloud_once_and_the_focus_stays(look, without_fault):
    looking = look()
    with without_fault(looking):
        page = looking.page
        page.ask("document.querySelector('[data-key=\"row refunds-to-ledger\"]').focus()")
        looking.land.stage.target.on("/orders-to-ledger", 400)
        looking.land.come("orders-to-ledger")
        looking.refresh()
        page.until(
            "document.querySelector('[role=status]').textContent === '1 of 6 integrations needs somebody.'"
        )
        assert page.ask("document.activeElement.dataset.key") in ("row refunds-to-ledger", None)
        page.ask("document.querySelector('[data-key=\"row refunds-to-ledger\"]').focus()")
        looking.land.come("orders-to-ledger")
        looking.land.stack.forget()
        page.press("r")
        page.sees("2 dead letters")
        assert page.ask("document.activeElement.dataset.key") == "row refunds-to-ledger"


PAGES = {
    "overview": ("#/", "delivered in two hours"),
    "integration": ("#/integrations/orders-to-ledger", "Latest deliveries"),
    "deliveries": ("#/deliveries?status=dead", "That is all."),
    "nothing": ("#/find/of-which-nobody-knows", "Nothing is known of it"),
}


WIDTHS = (320, 375, 768, 2560)
KEPT = {("overview", 375), ("overview", 2560), ("integration", 375), ("delivery", 375), ("deliveries", 375)}


def test_no_page_is_wider_than_the_screen(look, without_fault):
    looking = look(landscape("everything"))
    (dead, *_) = [each["id"] for each in looking.land.stage.items() if each["status"] == "dead"]
    with without_fault(looking):
        for name, (hash_, text) in {**PAGES, "delivery": (f"#/deliveries/{dead}", "Attempts")}.items():
            looking.go(hash_, text)
            for width in WIDTHS:
                looking.page.size(width, 1440 if width > 2000 else 812)
                assert looking.page.ask("document.documentElement.scrollWidth") == width, name
                if (name, width) in KEPT:
                    looking.picture(f"{name}-{width}")


CONTRAST = """(() => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const rgba = (color) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = (rgb) => {
    const [r, g, b] = rgb.slice(0, 3).map((v) => v / 255).map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    if (element.tagName === "text") {
      let shape = element.previousElementSibling;
      while (shape && !["rect", "circle"].includes(shape.tagName)) shape = shape.previousElementSibling;
      return getComputedStyle(shape).fill;
    }
    for (let e = element; e; e = e.parentElement) {
      const color = getComputedStyle(e).backgroundColor;
      if (rgba(color)[3] === 255) return color;
    }
    return "white";
  };
  const found = new Map();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || element.closest(".unseen, title, noscript, option, [hidden], .skip") || !element.checkVisibility()) continue;
    const style = getComputedStyle(element);
    const fore = element.tagName === "text" ? style.fill : style.color;
    const [a, b] = [light(rgba(fore)), light(rgba(behind(element)))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) found.set(`${element.tagName}.${element.getAttribute("class")}`, `${ratio.toFixed(2)} ${walker.currentNode.textContent}`);
  }
  return [...found];
})()"""


@pytest.mark.parametrize("dark", [False, True])
def test_every_text_can_be_read_in_light_and_in_dark(look, dark):
    looking = look(landscape("everything"), dark=dark)
    for name, (hash_, text) in PAGES.items():
        looking.go(hash_, text)
        assert looking.page.ask(CONTRAST) == [], name
        if dark:
            looking.picture(f"{name}-dark")
    looking.go("#/deliveries?status=dead", "That is all.")
    looking.page.click("table.deliveries a.row")
    looking.page.sees("Attempts")
    assert looking.page.ask(CONTRAST) == []
    looking.picture(f"delivery{'-dark' if dark else ''}")
    looking.page.click("[data-key=replay]")
    looking.page.sees("Do it again?")
    assert looking.page.ask(CONTRAST) == []
    looking.picture(f"question{'-dark' if dark else ''}")
