"""A real browser that notices what a person would: errors in the console, broken policies, sideways scrolling, axe's findings."""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from installation import Installation
from playwright.sync_api import Browser, BrowserContext, Page, Playwright

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
QUIET = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-first-run",
    "--metrics-recording-only",
    "--disable-features=Translate,OptimizationHints,MediaRouter",
]
_AXE = (Path(__file__).parent / "vendor" / "axe-core-4.14.1" / "axe.min.js").read_text()
_SHELF = f"window.loadAxe = () => {{ {_AXE}\n }}"
"""In each page from its start, read by the browser only where it is asked for: sending it each time took longer."""
_FINDINGS = """async () => {
    loadAxe()
    const met = {}, shape = (row) => row.outerHTML.replace(/>[^<]+</g, '><').replace(/ (?!class=)[\\w-]+="[^"]*"/g, '')
    const alike = [...document.querySelectorAll('tbody > tr')].filter((row) => {
        const one = shape(row)
        met[one] = (met[one] ?? 0) + 1
        return met[one] > 2
    })
    const found = await axe.run(alike.length ? {exclude: alike} : document, {resultTypes: ['violations'], iframes: false})
    return found.violations.map((one) =>
        `${one.id}: ${one.help} (${one.nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(' | ')})`)
}"""
"""Of table rows that differ in words alone two are looked at: the rest took most of the time. Nor is it asked to look into frames:
ours are all sandboxed and answer nobody, and Chromium at times tells of the message that was refused as of an error."""
WIDE = {"width": 1280, "height": 900}
NARROW = {"width": 360, "height": 740}
CHANGES = "main form[method=post]:not([action$='/performance/kept']), main [popovertarget]"
"""What would change something of the program, on a page of the console; to keep a report changes only one's own list."""


@contextlib.contextmanager
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """The system's Chromium, without calls home."""
    assert CHROMIUM is not None, "Chromium is not installed: run `make chromium`"
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
    yield browser
    browser.close()


class Visitor:
    """One person at one browser. What goes wrong in any page is collected in `troubles`."""

    def __init__(self, browser: Browser, installation: Installation, **options: Any) -> None:
        self.installation = installation
        self.troubles: list[str] = []
        # By its own name a browser without a window is a bot to us, and rightly so.
        agent = f"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{browser.version} Safari/537.36"
        usual = {"locale": "en-US", "viewport": WIDE, "user_agent": agent}
        self.context: BrowserContext = browser.new_context(**usual | options)
        self.context.on("console", lambda said: self._note(said.type, said.text, said.page))
        self.context.on("weberror", lambda error: self._note("error", str(error.error), error.page))
        self.context.add_init_script(_SHELF)
        self.page: Page = self.context.new_page()

    def _note(self, kind: str, text: str, page: Page | None) -> None:
        if kind in {"error", "warning"}:
            self.troubles.append(f"{page.url if page else '?'}: {text}")

    def open(self, path: str) -> Page:
        """Go to a page of the installation; it must answer."""
        answer = self.page.goto(f"{self.installation.base_url}{path}")
        assert answer is not None
        assert answer.ok, f"{path} answers {answer.status}"
        return self.page

    def sign_in(self, email: str, password: str) -> None:
        """Sign in as a person does."""
        page = self.open("/login")
        page.get_by_label("E-mail address").fill(email)
        page.get_by_label("Password").fill(password)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(lambda address: "/login" not in address)

    def close(self) -> None:
        """Close the browser; nothing may have gone wrong in it."""
        self.context.close()
        assert self.troubles == [], self.troubles  # pytest explains the asserts of test files alone


def axe_findings(page: Page) -> list[str]:
    """What axe has to say against the page once it is there: a click waits only until the next page begins, without a word of it."""
    page.wait_for_load_state()
    found: list[str] = page.evaluate(_FINDINGS)
    return found


def sideways(page: Page) -> int:
    """By how many pixels the page, once it is there, is wider than its window."""
    page.wait_for_load_state()
    too_wide: int = page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return too_wide


def is_sound(page: Page) -> bool:
    """Whether the page as it stands can be used by everybody and fits its window."""
    return (sideways(page), axe_findings(page)) == (0, [])


def has(page: Page, address: str, what: str) -> bool:
    """Whether the page at the address holds this now."""
    page.goto(address)
    return page.locator(what).count() > 0
