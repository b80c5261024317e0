"""A headless browser that records the requests of its pages."""

import contextlib
from pathlib import Path
from urllib.parse import urlsplit

import pytest

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--use-fake-device-for-media-stream",  # a camera that shows a test pattern
    "--use-fake-ui-for-media-stream",
    # for each window, Chromium would start pages for its address bar, which take more than the page itself
    "--disable-features=PreloadTopChromeWebUI,WebUIOmniboxAimPopup,WebUIOmniboxPopup",
]


@contextlib.contextmanager
def started():
    """Start Chromium; skip the test where it is missing."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: make test")
    if not CHROMIUM.exists():
        pytest.skip(f"no {CHROMIUM}: scripts/install-test-servers")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield browser
        browser.close()


class Visit:
    """An open page with a record of its requests and errors."""

    def __init__(self, browser, url, **options):
        self.context = browser.new_context(**options)
        self.page = self.context.new_page()
        self.requests, self.complaints = [], []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("websocket", lambda socket: self.requests.append(socket.url))
        self.page.on("console", lambda message: self._heard(message.type, message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("filechooser", lambda _: None)  # from now on, Chromium opens no chooser of its own
        self.page.on("dialog", lambda dialog: (self.complaints.append("dialog"), dialog.dismiss()))
        self.page.goto(url)

    def start_over(self, url):
        """Leave the page, forget what it did, and open a page of the same server, in the same process."""
        self.page.goto(f"{url}healthz")
        self.requests.clear()
        self.complaints.clear()
        self.page.goto(url)
        self.page.bring_to_front()  # other tests opened pages in front of it

    def _heard(self, kind, text):
        if kind == "error" or "Content Security Policy" in text:
            self.complaints.append(text)

    @property
    def hosts(self):
        """Hosts of all requests, except for data embedded in the page."""
        parts = [urlsplit(url) for url in self.requests]
        return {part.netloc for part in parts if part.scheme not in ("data", "blob")}
