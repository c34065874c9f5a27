"""A page in a language at each width: whether it fits, what axe says, and what stayed English."""

from collections.abc import Iterable, Iterator

from pages import NARROW, Visitor, axe_findings, sideways
from playwright.sync_api import Page
from walks import spoken

from affiliate.demo import cast

WIDTHS, HEIGHT = (360, 768, 1440), 900
LANGUAGES = (("en", 1440), ("it", 360), ("pl", 768))
"""Each language with the width at which axe looks."""
OF_THE_DEMO = {*cast.GROUPS.values(), *(product.name for product in cast.PRODUCTS)}
"""What the demo's program says itself, in words that a template has as well."""
_WORDS = """() => {
    const found = new Set(), walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
    while (walk.nextNode()) {
        if (!walk.currentNode.parentElement.closest('script, style, pre, code')) found.add(walk.currentNode.data.trim())
    }
    return [document.documentElement.lang, [...found]]
}"""


def too_wide(page: Page, width: int = NARROW["width"]) -> list[str]:
    """Whether there is something to scroll sideways in a window of this width."""
    pixels = sideways(page)
    return [f"{pixels} pixels too wide for a window of {width}"] if pixels else []


def wrong_in(page: Page, language: str, axe_at: int) -> list[str]:
    """What is wrong with the page as it stands, which should be in this language. The window is as wide as axe saw it, afterwards."""
    found, say = [], spoken(language)
    for width in sorted(WIDTHS, key=lambda each: each == axe_at):
        page.set_viewport_size({"width": width, "height": HEIGHT})
        found += too_wide(page, width)
    found += axe_findings(page)
    lang, texts = page.evaluate(_WORDS)
    found += [] if lang == language else [f"is not in {language}"]
    ours = (text for text in texts if text.count(" ") > 1 and text not in OF_THE_DEMO)
    return found + [f"stayed English: {text}" for text in ours if say(text) != text]


def in_language(visitor: Visitor, paths: Iterable[str], language: str, axe_at: int) -> Iterator[tuple[str, list[str]]]:
    """The pages in a language, each with what is wrong with it."""
    for path in paths:
        visitor.page.goto(f"{visitor.installation.base_url}{path}", wait_until="domcontentloaded")
        yield path, wrong_in(visitor.page, language, axe_at)
