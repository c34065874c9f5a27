"""A stranger with nothing but an admin's sign-in: a program by the assistant alone, and a test order that arrives."""

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from installation import ANSWER_SECONDS_MAX, Installation
from pages import Visitor, is_sound
from playwright.sync_api import Browser, Page, expect

PASSWORD = "four pale otters in the rain"
SEEN_SECONDS_MAX = 60  # it takes seconds; a busy machine shall not fail the test
CLICK_ID_TO_FILL_IN = "clk_…"
ACCEPTED = 202

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A fresh installation without a demo: nothing is in it but an admin."""
    installation = Installation(tmp_path_factory.mktemp("bare"))
    facts = ("--email", "ada@example.test", "--name", "Ada Example", "--role", "admin", "--password", PASSWORD)
    for command in (("db", "upgrade"), ("user", "create", *facts)):
        done = installation.run(*command)
        assert done.returncode == 0, done.stderr
    try:
        installation.start()
        yield installation
    finally:
        installation.end()


class Shop:
    """A shop of one page, on a port of its own: a browser must find a real server there. `tag` is the line on its page."""

    tag = ""

    def __init__(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._page())
        self.url = f"http://www.orto.localhost:{self._server.server_port}/"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def _page(shop) -> type[BaseHTTPRequestHandler]:  # noqa: N805 - `self` is the handler's
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                """The page, whatever is asked for."""
                body = f'<!doctype html><html lang="en"><title>Orto</title><h1>Orto</h1>{shop.tag}</html>'.encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_said: object) -> None:
                """Nothing."""

        return Handler

    def close(self) -> None:
        """Answer nobody any more."""
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def shop() -> Iterator[Shop]:
    """The shop, while a test runs."""
    shop = Shop()
    yield shop
    shop.close()


def open_shop(page: Page, shop: Shop) -> Page:
    """The shop behind the test link; looked for again while the tracker learns of the link."""
    deadline = time.monotonic() + SEEN_SECONDS_MAX
    while True:
        with page.context.expect_page() as opened:
            page.get_by_role("link", name="1. Open the test link").click()
        visited = opened.value
        visited.wait_for_load_state()
        if visited.url.startswith(shop.url):
            return visited
        assert time.monotonic() < deadline, f"the test link leads to {visited.url}"
        visited.close()


def run(*command: str, **environment: str) -> str:
    """What a shop's developer reads who runs what was copied, with these variables set."""
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=ANSWER_SECONDS_MAX, check=False, env=os.environ | environment
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def in_a_terminal(lines: str, **environment: str) -> str:
    """The same for what is copied into a terminal."""
    return run("bash", "-c", lines, **environment)


def choose_way(page: Page, bare: Installation, way: str) -> None:
    """On the assistant's page of the lines for the shop."""
    page.goto(f"{bare.base_url}/console/orto-lento/setup/connect")
    page.get_by_label(way).check()
    page.get_by_role("button", name="Show me the lines").click()


def the_signed_pixel_is_taken(page: Page, bare: Installation) -> None:
    """The lines as they stand, with the secret that the page leads to: the address that they print gives the picture."""
    choose_way(page, bare, "An image on the page that thanks")
    code = page.locator("#pixel-code").inner_text()
    page.get_by_role("link", name="Show the secret").click()
    secret = page.get_by_label("Pixel secret, version").input_value()
    code = code.replace(CLICK_ID_TO_FILL_IN, "").replace("10482", "10483")  # an order of its own
    address = run(sys.executable, "-c", code, PIXEL_SECRET=secret).strip()
    assert in_a_terminal(f"curl --silent --output /dev/null --write-out '%{{http_code}}' '{address}'") == "200"
    page.goto(f"{bare.base_url}/console/orto-lento/requests")
    newest = page.locator("tbody tr").first
    expect(newest).to_contain_text("pixel")
    expect(newest.locator(".st")).to_have_text(str(ACCEPTED))  # a wrong signature gets the picture, too


def the_tag_reports_an_order(page: Page, bare: Installation, shop: Shop) -> None:
    """The lines of the page that thanks, as they stand, on a page that carries the tag."""
    choose_way(page, bare, "The tag alone")
    tag, code = page.locator("#tag-code").inner_text(), page.locator("#by-tag").inner_text()
    shop.tag = f"{tag}<script>{code}</script>"
    with page.expect_response(lambda answer: "/t/conversion" in answer.url) as told:
        page.goto(shop.url)
    assert told.value.status == ACCEPTED


def test_a_stranger_sets_a_program_up_and_receives_a_test_order(
    bare: Installation, browser: Browser, shop: Shop
) -> None:
    ada = Visitor(browser, bare)
    ada.sign_in("ada@example.test", PASSWORD)
    page = ada.open("/console/")
    page.get_by_role("link", name="New program").click()
    page.get_by_label("Name of the program").fill("Orto Lento")
    page.get_by_label("Address of the shop").fill(shop.url)
    assert is_sound(page)
    page.get_by_role("button", name="Save and go on").click()
    expect(page.get_by_role("heading", name="What do partners earn?")).to_be_visible()
    page.get_by_role("button", name="Save and go on").click()
    expect(page.get_by_role("heading", name="What counts, and for how long?")).to_be_visible()
    page.get_by_role("button", name="Save and go on").click()
    page.get_by_role("button", name=re.compile("^Sales: 100")).click()

    # The lines for the shop, and a key that is shown once within them.
    page.get_by_role("button", name="Show me the lines").click()
    page.get_by_role("button", name="Make the key for the shop's server").click()
    tag, call = page.locator("#tag-code").inner_text(), page.locator("#call-code").inner_text()
    key = re.search(r"Bearer (\S+)\"", call)
    assert key is not None
    assert is_sound(page)
    page.get_by_role("link", name="Go on").click()

    # The click: on the shop's page stands the line that was copied.
    shop.tag = tag
    page.get_by_role("button", name="Make the test link").click()
    expect(page.get_by_text("No test click yet.")).to_be_visible()
    visited = open_shop(page, shop)
    visited.wait_for_function("() => document.cookie.includes('aff_track=')")
    click_id = next(one["value"] for one in ada.context.cookies(shop.url) if one.get("name") == "aff_track")
    visited.close()

    # The order, from the shop's server: the call as it was copied, with the click id that it asks for. It is no test yet.
    assert CLICK_ID_TO_FILL_IN in call
    assert '"accepted"' in in_a_terminal(call.replace(CLICK_ID_TO_FILL_IN, click_id))
    expect(page.get_by_text("it was not marked as a test")).to_be_visible(timeout=SEEN_SECONDS_MAX * 1_000)
    page.get_by_text("Without the shop: what its order looks like").click()
    assert '"accepted"' in in_a_terminal(page.locator("#test-code").inner_text(), API_KEY=key.group(1))
    arrived = page.get_by_text("Everything has arrived.")
    expect(arrived).to_be_visible(timeout=SEEN_SECONDS_MAX * 1_000)
    expect(page.get_by_text("Commission of €3.99")).to_be_visible()
    assert is_sound(page)
    page.get_by_role("button", name="Go live").click()
    expect(page.get_by_text("Orto Lento is live: clicks count from now on.")).to_be_visible()
    the_signed_pixel_is_taken(page, bare)
    the_tag_reports_an_order(page, bare, shop)
    bare.require_balance()
    ada.close()
