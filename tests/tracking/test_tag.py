"""The tag in a real browser, on a shop's host that is another one than the tracker's."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import factories
import pages
import pytest
import servers
from flask import Flask
from playwright.sync_api import Browser, Page, Request, expect, sync_playwright
from shop_cast import Shop
from sqlalchemy.orm import Session
from werkzeug.serving import make_server

from affiliate import ids, signing, streams
from affiliate.accounts.actors import SYSTEM
from affiliate.links import sites
from affiliate.programs import signs
from affiliate.programs.models import Program
from affiliate.tracking.buffer import Buffer, BufferUnavailable
from affiliate.tracking.codec import ClickEvent, ConversionEvent, StepEvent, TouchEvent, Trust

pytestmark = pytest.mark.browser

_PAGE = """<!doctype html><title>shop</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src {tracker} 'nonce-n'; connect-src {tracker}">
<script nonce="n">
  window.affiliate ||= (...command) => (window.affiliate.queue ||= []).push(command)
  if (location.pathname === '/thanks')
    affiliate('conversion', {{ order_id: '1001', amount: '49.90', currency: 'EUR' }})
</script>
<script src="{tracker}/t/tag.js" data-program="ondera" {attributes} defer></script>"""


# After what the page was about to do, and what that leads to.
_TURN = "() => new Promise((done) => setTimeout(() => setTimeout(done, 20), 0))"


def _under_way(page: Page) -> set[Request]:
    """What the page has sent and is not answered yet, at any time."""
    found: set[Request] = set()

    def begins(request: Request) -> None:
        found.add(request)

    def ends(request: Request) -> None:
        found.discard(request)

    page.on("request", begins)
    page.on("requestfinished", ends)
    page.on("requestfailed", ends)
    return found


class Street:
    """A shop and the tracker, each on a host of its own, and a browser that goes there."""

    def __init__(self, page: Page, shop: Shop, shop_url: str) -> None:
        self.page, self.shop, self.shop_url = page, shop, shop_url
        self._under_way = _under_way(page)

    def visit(self, path: str) -> None:
        """Open a page of the shop, and wait until everything that it sent is answered."""
        self.go(f"{self.shop_url}{path}")

    def go(self, address: str, *, referer: str | None = None) -> None:
        """The same for any address."""
        self.page.goto(address, referer=referer)
        self.settle()

    def settle(self) -> None:
        """Wait until everything that the page has sent, and sends upon an answer, is answered."""
        quiet = 0
        while quiet < 2:
            self.page.evaluate(_TURN)
            quiet = 0 if self._under_way else quiet + 1

    def cookie(self) -> str | None:
        """The click id that the tag keeps."""
        cookies = self.page.context.cookies(self.shop_url)
        return next((cookie["value"] for cookie in cookies if cookie["name"] == "aff_track"), None)

    def stored(self, stream: str = streams.click_shard(0)) -> list[Any]:
        """What was told, each once. On a busy machine Redis may miss its deadline: what went to disk is brought back, after what it took late."""
        self.shop.tracker.spool.seal()
        self.shop.tracker.replay.once()
        events = self.shop.stored(stream)
        return [event for place, event in enumerate(events) if event not in events[:place]]

    def conversions(self) -> list[ConversionEvent]:
        """What the tag has reported."""
        return [event for event in self.stored(streams.order_shard(0)) if isinstance(event, ConversionEvent)]

    def steps(self) -> list[StepEvent]:
        """How far the tag has told that visits came."""
        return [event for event in self.stored() if isinstance(event, StepEvent)]

    def tell(self, step: str) -> None:
        """What a script of the shop says."""
        self.page.evaluate(f"affiliate('event', '{step}')")
        self.settle()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium."""
    with sync_playwright() as playwright, pages.chromium(playwright) as browser:
        yield browser


@pytest.fixture
def street(
    app: Flask, app_session: Session, shop: Shop, browser: Browser, request: pytest.FixtureRequest
) -> Iterator[Street]:
    """Both hosts, with the attributes of the script that the test asks for."""
    attributes = getattr(request, "param", "")
    with servers.serving(make_server("127.0.0.1", 0, app, threaded=True)) as tracker_port:
        html = _PAGE.format(tracker=f"http://track.shop.localhost:{tracker_port}", attributes=attributes).encode()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.end_headers()
                self.wfile.write(html)

            def log_message(self, *_arguments: Any) -> None:
                pass

        with servers.serving(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as shop_port:
            shop.program.allowed_hosts = [f"www.shop.localhost:{shop_port}"]
            shop.link.landing_url = f"http://www.shop.localhost:{shop_port}/shoes"
            app_session.commit()
            shop.tracker.directory.reload(now=factories.NOW)
            page = browser.new_page()
            yield Street(page, shop, f"http://www.shop.localhost:{shop_port}")
            page.close()


def test_a_click_by_link_reaches_the_order(street: Street) -> None:
    tracker = street.shop.tracker
    street.page.goto(street.shop_url)
    source = street.page.locator("script[src]").get_attribute("src")
    assert source is not None
    street.go(source.replace("/t/tag.js", "/r/anna"))
    assert street.page.url.startswith(f"{street.shop_url}/shoes?aff_click=")
    street.visit("/thanks")
    [click] = street.stored()
    [sale] = street.conversions()
    assert (sale.click_id, sale.trust, sale.amount_minor) == (click.click_id, Trust.OPEN, 4990)
    assert signing.read_click_token(tracker.keys.click, street.cookie() or "", program_id=sale.program_id)


@pytest.mark.parametrize("name", ["ref", "via", "fpr"])
def test_an_arrival_by_code_is_reported_once_and_reaches_the_order(street: Street, name: str) -> None:
    street.visit(f"/?{name}=anna&sub1=blog")
    street.visit("/other")
    street.visit("/thanks")
    street.visit("/thanks")
    [click] = street.stored()
    assert (click.source, click.subs, click.landing_url) == ("tag", {"sub1": "blog"}, f"{street.shop_url}/")
    assert [sale.click_id for sale in street.conversions()] == [click.click_id]


def test_a_code_that_is_no_partners_leaves_the_last_click_alone(street: Street) -> None:
    street.visit("/?ref=anna")
    before = street.cookie()
    street.visit("/?ref=homepage")
    assert before is not None
    assert street.cookie() == before


def test_what_could_not_be_sent_is_sent_from_the_next_page(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: Any) -> None:
        raise BufferUnavailable

    with monkeypatch.context() as patch:
        patch.setattr(Buffer, "click", refuse)
        patch.setattr(Buffer, "submit", refuse)
        street.visit("/?ref=anna")
        street.visit("/thanks")
    assert street.cookie() is None
    street.visit("/later")
    assert len(street.stored()) == 1
    assert [sale.order_id for sale in street.conversions()] == ["1001"]
    assert street.cookie() is not None


def test_an_order_whose_page_is_left_before_the_answer_is_sent_from_the_next_page(street: Street) -> None:
    street.page.route("**/t/conversion", lambda _route: None)  # nobody answers
    street.page.goto(f"{street.shop_url}/thanks")
    street.page.wait_for_function("() => localStorage.getItem('aff_unsent')")
    street.page.unroute_all(behavior="ignoreErrors")
    street.visit("/later")
    assert [sale.order_id for sale in street.conversions()] == ["1001"]
    assert street.page.evaluate("localStorage.getItem('aff_unsent')") is None


@pytest.mark.parametrize("street", ['data-consent="wait"'], indirect=True)
def test_without_consent_nothing_is_kept_or_sent(street: Street) -> None:
    street.visit("/?ref=anna")
    street.visit("/thanks?ref=anna")
    assert street.cookie() is None
    assert street.page.evaluate("localStorage.length") == 0
    assert street.stored() == []

    street.page.evaluate("affiliate('consent', true)")
    expect(street.page).to_have_title("shop")
    street.page.wait_for_function("() => document.cookie.includes('aff_track=clk_')")
    street.settle()
    street.page.evaluate("affiliate('consent', false)")
    assert street.cookie() is None


def arrivals(street: Street) -> list[ClickEvent]:
    """The clicks that the tag has reported."""
    return [event for event in street.stored() if isinstance(event, ClickEvent)]


@pytest.mark.parametrize("move", ["history.pushState", "history.replaceState"])
def test_an_arrival_inside_a_page_that_scripts_change_is_seen(street: Street, move: str) -> None:
    street.visit("/")
    for _ in range(2):
        street.page.evaluate(f"{move}({{}}, '', '/?ref=anna')")
    street.page.wait_for_function("() => document.cookie.includes('aff_track=clk_')")
    street.settle()
    assert len(arrivals(street)) == 1


def test_the_partners_code_is_kept_beside_the_click_and_goes_with_another_one(street: Street) -> None:
    street.visit("/?ref=anna")
    assert "aff_ref=anna" in street.page.evaluate("document.cookie")
    street.visit("/?aff_click=clk_given")
    assert "aff_ref" not in street.page.evaluate("document.cookie")
    assert street.cookie() == "clk_given"


def test_a_page_that_comes_back_from_the_cache_sends_what_waits(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: Any) -> None:
        raise BufferUnavailable

    with monkeypatch.context() as patch:
        patch.setattr(Buffer, "submit", refuse)
        street.visit("/thanks")
    street.page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    street.page.wait_for_function("() => !localStorage.getItem('aff_unsent')")
    street.settle()
    assert [sale.order_id for sale in street.conversions()] == ["1001"]


@pytest.mark.parametrize("street", ['data-paid="tduid zanpid"'], indirect=True)
def test_an_advertisement_after_a_partners_click_is_a_touch_of_its_own(street: Street, app_session: Session) -> None:
    app_session.get_one(Program, street.shop.program.id).channel_signs = [*signs.DEFAULT, "tduid: tradedoubler"]
    app_session.commit()
    street.shop.tracker.directory.reload(now=factories.NOW)
    street.visit("/?gclid=before")  # nothing ties it to an order
    street.visit("/?ref=anna")
    street.visit("/?utm_medium=organic")
    street.visit("/?gclid=g1&utm_medium=cpc")
    street.visit("/?TDUID=t1")
    click, *touches = street.stored()
    assert isinstance(click, ClickEvent)
    told = [(each.channel, each.evidence, each.click_id) for each in touches if isinstance(each, TouchEvent)]
    assert told == [("google_ads", "gclid", click.click_id), ("tradedoubler", "tduid", click.click_id)]


@pytest.mark.parametrize("street", ['data-sites="yes"'], indirect=True)
def test_a_visitor_from_a_partners_confirmed_site_is_the_partners(street: Street, app_session: Session) -> None:
    program, blog = street.shop.program, "http://blog.localhost:8123"
    sites.confirm(
        app_session, program_id=program.id, shop_hosts=program.allowed_hosts, url=blog, code="anna",
        actor=SYSTEM, now=factories.NOW,
    )  # fmt: skip
    app_session.commit()
    street.shop.tracker.directory.reload(now=factories.NOW)
    street.go(f"{street.shop_url}/", referer="https://elsewhere.example/post")
    assert street.stored() == []
    street.go(f"{street.shop_url}/shoes", referer=f"{blog}/post")
    [click] = arrivals(street)
    assert (click.source, click.link_id, click.referrer) == ("site", street.shop.link.id, f"{blog}/post")
    assert street.cookie() is not None


_CONSENT_MANAGER = """window.__tcfapi = (command, version, callback) => {
    window.answer = (purposes, status) => callback({ gdprApplies: true, eventStatus: status, purpose: { consents: purposes } }, true)
}"""


def test_a_consent_manager_of_the_page_is_asked(street: Street) -> None:
    street.page.add_init_script(_CONSENT_MANAGER)
    street.visit("/?ref=anna")
    street.page.evaluate("answer({ 1: false }, 'tcloaded')")
    assert (street.cookie(), street.stored()) == (None, [])
    street.page.evaluate("answer({ 1: true }, 'useractioncomplete')")
    street.page.wait_for_function("() => document.cookie.includes('aff_track=clk_')")
    assert [click.consent for click in arrivals(street)] == ["given"]


def test_a_browser_that_asks_not_to_be_followed_is_not(street: Street) -> None:
    street.page.add_init_script("Object.defineProperty(navigator, 'globalPrivacyControl', { value: true })")
    street.visit("/?ref=anna")
    assert (street.cookie(), street.stored()) == (None, [])


@pytest.mark.parametrize("street", ['data-days="10"'], indirect=True)
def test_the_cookie_lasts_as_long_as_the_shop_says(street: Street) -> None:
    street.visit("/?aff_click=clk_given")
    age = street.page.evaluate("cookieStore.get('aff_track').then((found) => found.expires - Date.now())")
    assert 9 * 86_400_000 < age <= 10 * 86_400_000


_SHOES = """document.addEventListener('readystatechange', () => {
    if (document.readyState === 'interactive' && location.pathname === '/shoes')
      document.body.innerHTML = '<main data-aff-page="product"><button data-aff-press="cart"><b>Buy</b></button></main>'
})"""


def takes_silence_for_consent(street: Street, session: Session) -> None:
    """The program says so."""
    session.get_one(Program, street.shop.program.id).cookie_by_default = True
    session.commit()
    street.shop.tracker.directory.reload(now=factories.NOW)


def test_pages_tell_how_far_a_partners_visitor_came_each_step_once(street: Street, app_session: Session) -> None:
    takes_silence_for_consent(street, app_session)
    street.page.add_init_script(_SHOES)
    street.visit("/shoes")
    assert street.steps() == []  # no partner brought this visitor
    street.visit("/?ref=anna")
    for _ in range(2):
        street.visit("/shoes")
        street.page.click("b")
        street.settle()
    street.tell("checkout")
    street.tell("checkout")
    [click, *_] = arrivals(street)
    assert [(step.click_id, step.step) for step in street.steps()] == [
        (click.click_id, "product"),
        (click.click_id, "cart"),
        (click.click_id, "checkout"),
    ]


def test_a_step_that_could_not_be_sent_is_told_by_the_next_page(
    street: Street, app_session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: Any) -> None:
        raise BufferUnavailable

    takes_silence_for_consent(street, app_session)
    street.visit("/?ref=anna")
    with monkeypatch.context() as patch:
        patch.setattr(Buffer, "click", refuse)
        street.tell("checkout")
    assert street.steps() == []
    street.visit("/later")
    street.visit("/last")
    assert [step.step for step in street.steps()] == ["checkout"]


@pytest.mark.parametrize("street", ['data-consent="wait"'], indirect=True)
def test_steps_wait_for_consent_and_go_with_it(street: Street) -> None:
    keys, program_id = street.shop.tracker.keys, street.shop.program.id
    token = signing.click_token(keys.click, program_id=program_id, click_id=ids.new())
    street.visit(f"/?aff_click={token}")
    street.tell("cart")
    assert street.steps() == []
    street.page.evaluate("affiliate('consent', true)")
    street.settle()
    assert [step.step for step in street.steps()] == ["cart"]
    street.page.evaluate("affiliate('event', { step: 'cart', test: true })")
    street.settle()
    assert [step.is_test for step in street.steps()] == [False, True]
    street.page.evaluate("affiliate('consent', false)")
    assert street.page.evaluate("localStorage.length") == 0
