"""A headless Chromium, driven by its DevTools protocol over a pair of pipes.

A client of a hundred lines instead of a driver and its dependencies: no port, no WebSocket, nothing to install but the
browser. Protocol: https://chromedevtools.github.io/devtools-protocol/
"""

from __future__ import annotations

import base64
import fcntl
import itertools
import json
import os
import queue
import shutil
import signal
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
MISSING = "no Chromium here: apt-get install chromium"

FLAGS = (
    "--headless=new",
    "--no-sandbox",  # it may run as root, and sees nothing but these tests
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-first-run",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--remote-debugging-pipe",
)

WATCH = """
window.violations = [];
document.addEventListener("securitypolicyviolation",
  (event) => window.violations.push(`${event.violatedDirective}: ${event.blockedURI} ${event.sample}`));
"""

KEYS = {
    "Tab": {"code": "Tab", "windowsVirtualKeyCode": 9},
    "Enter": {"code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"},
    "Escape": {"code": "Escape", "windowsVirtualKeyCode": 27},
    " ": {"code": "Space", "windowsVirtualKeyCode": 32, "text": " "},
}


def chromium():
    """The browser's path, or None."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Browser:
    """One process; a context manager."""

    def __init__(self, profile):
        self._profile = Path(profile)
        self._numbers = itertools.count(1)
        self._answers = {}
        self._listeners = {}
        self._lock = threading.Lock()

    def __enter__(self):
        read, self._write = _pipe()
        self._read, write = _pipe()
        path = chromium()
        flags = (*FLAGS, f"--user-data-dir={self._profile}")
        self._pid = os.posix_spawn(
            path,
            [path, *flags],
            os.environ | {"HOME": str(self._profile)},
            file_actions=[
                (os.POSIX_SPAWN_DUP2, read, 3),
                (os.POSIX_SPAWN_DUP2, write, 4),
                *((os.POSIX_SPAWN_OPEN, output, os.devnull, os.O_WRONLY, 0) for output in (1, 2)),
            ],
            setpgroup=0,
        )
        for each in (read, write):
            os.close(each)
        self._reader = threading.Thread(target=self._listen, daemon=True)
        self._reader.start()
        return self

    def __exit__(self, *_):
        with suppress(ProcessLookupError):
            os.killpg(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        self._reader.join(5)
        os.close(self._write)
        os.close(self._read)

    def call(self, method, session=None, **params):
        """One command; its result."""
        number = next(self._numbers)
        self._answers[number] = queue.Queue()
        message = {"id": number, "method": method, "params": params} | (
            {"sessionId": session} if session else {}
        )
        data = json.dumps(message).encode() + b"\0"
        with self._lock:
            while data:
                data = data[os.write(self._write, data) :]
        answer = self._answers[number].get(timeout=30)
        del self._answers[number]
        assert "error" not in answer, (method, answer["error"])
        return answer["result"]

    def listen(self, session, listener):
        self._listeners[session] = listener

    def page(self, **how):
        """A new page in a profile of its own: nothing is kept from the one before."""
        context = self.call("Target.createBrowserContext")["browserContextId"]
        target = self.call("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        return Page(self, session, target, **how)

    def _listen(self):
        rest = b""
        while True:
            try:
                data = os.read(self._read, 1 << 16)
            except OSError:
                return
            if not data:
                return
            *messages, rest = (rest + data).split(b"\0")
            for each in map(json.loads, messages):
                if "id" in each:
                    self._answers[each["id"]].put(each)
                elif each.get("sessionId") in self._listeners:
                    self._listeners[each["sessionId"]](each["method"], each["params"])


class Page:
    """One page, and what went wrong in it: ``faults``."""

    def __init__(self, browser, session, target, *, width=1280, height=900, dark=False):
        self._browser, self._session, self._target = browser, session, target
        self.faults = []
        browser.listen(session, self._hear)
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")
        self.call("Page.addScriptToEvaluateOnNewDocument", source=WATCH)
        self.size(width, height)
        self.dark(dark)

    def call(self, method, **params):
        return self._browser.call(method, self._session, **params)

    def close(self):
        self._browser.call("Target.closeTarget", targetId=self._target)

    def size(self, width, height=900):
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )

    def dark(self, dark):
        features = [
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]
        self.call("Emulation.setEmulatedMedia", features=features)

    def open(self, url):
        self.call("Page.navigate", url=url)

    def ask(self, expression):
        """The value of an expression in the page; promises are waited for."""
        found = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def until(self, expression, seconds=8.0):
        """Wait until an expression is true; a page that is being loaded has none."""
        ends = time.monotonic() + seconds
        while True:
            with suppress(AssertionError):
                if self.ask(f"Promise.resolve({expression}).then(Boolean)"):
                    return
            assert time.monotonic() < ends, f"never: {expression}\n{self.text()}\n{self.faults}"
            time.sleep(0.03)

    def sees(self, text, seconds=8.0):
        """Wait until the page shows a text."""
        self.until(f"document.body.innerText.includes({json.dumps(text)})", seconds)

    def text(self):
        return self.ask("document.body?.innerText ?? ''")

    def press(self, key, **modifiers):
        how = {"key": key} | KEYS.get(key, {"text": key}) | modifiers
        self.call("Input.dispatchKeyEvent", type="keyDown", **how)
        self.call("Input.dispatchKeyEvent", type="keyUp", **{**how, "text": ""})

    def write(self, text):
        self.call("Input.insertText", text=text)

    def focused(self):
        """What has the focus, as a reader hears it."""
        return self.ask(
            "(({activeElement: e}) => e.getAttribute('aria-label') ?? e.labels?.[0]?.innerText ?? e.innerText.trim())(document)"
        )

    def click(self, selector):
        found = f"document.querySelector({json.dumps(selector)})"
        self.until(f"{found} && !{found}.disabled")
        self.ask(f"{found}.click()")

    def picture(self, path):
        """The whole page, as PNG."""
        height = self.ask("Math.min(document.documentElement.scrollHeight, 4000)")
        wide = self.ask("innerWidth")
        before = self.ask("innerHeight")
        self.size(wide, max(height, before))
        time.sleep(0.1)  # what draws itself to its size does so
        data = self.call("Page.captureScreenshot", format="png")["data"]
        self.size(wide, before)
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_bytes(base64.b64decode(data))

    def violations(self):
        return self.ask("window.violations")

    def _hear(self, method, params):
        if method == "Runtime.exceptionThrown":
            details = params["exceptionDetails"]
            self.faults.append(details.get("exception", {}).get("description", details["text"]))
        elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning"):
            self.faults.append(str([each.get("value", each.get("description")) for each in params["args"]]))
        elif method == "Log.entryAdded" and params["entry"]["level"] == "error":
            entry = params["entry"]
            if "responded with a status of" not in entry["text"]:  # it was answered: the page says what
                self.faults.append(f"{entry['text']} {entry.get('url', '')}")


def _pipe():
    """A pipe whose ends are far from the numbers that the browser wants them at."""
    ends = []
    for each in os.pipe():
        ends.append(fcntl.fcntl(each, fcntl.F_DUPFD_CLOEXEC, 20))
        os.close(each)
    return ends


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    """One Chromium for all tests of a process; each page is in a profile of its own."""
    if chromium() is None:
        assert os.environ.get("CAUSEWAY_BROWSER") != "required", MISSING
        pytest.skip(MISSING)
    with Browser(tmp_path_factory.mktemp("browser")) as running:
        yield running
