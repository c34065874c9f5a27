"""Testing a link: it goes where a click would go, says what would be recorded, and records nothing."""

import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import urlsplit

import pytest
import servers
import sqlalchemy as sa
from flask.testing import FlaskClient
from portal_cast import Cast
from sqlalchemy.orm import Session

from affiliate import formats, ids
from affiliate.links.models import Link, LinkStatus
from affiliate.portal import link_test

LEADS = {
    "/old": "/new?{query}", "/lost": "/new", "/round": "/round", "/slow": "/slow",
    "/port": "https://x:99999/", "/space": "https://exa mple/", "/bracket": "http://[",
}  # fmt: skip


class _Shop(BaseHTTPRequestHandler):
    """A shop whose /old leads to /new with all that was in the address, and whose /lost leads to /new without."""

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        leads = LEADS.get(parts.path, "").format(query=parts.query)
        if parts.path == "/slow":
            time.sleep(0.1)
        self.send_response(302 if leads else 404 if parts.path == "/gone" else 200)
        if leads:
            self.send_header("Location", leads)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        """Nothing."""


@pytest.fixture
def shop() -> Iterator[str]:
    with servers.serving(HTTPServer(("127.0.0.1", 0), _Shop)) as port:
        yield f"http://127.0.0.1:{port}"


def _test(browser: FlaskClient, session: Session, cast: Cast, landing_url: str, **fields: object) -> str:
    values = {"landing_url": landing_url, **fields}
    session.execute(sa.update(Link).where(Link.id == cast.link.id).values(values))
    session.commit()
    address = f"/portal/casa/links/{ids.public('lnk', cast.link.id)}/test"
    assert "Test the link" in browser.get(address).text
    answer = browser.post(address, data={"query": "?sub1=instagram&url=https://evil.example/"})
    assert answer.status_code == 200
    return answer.text


def test_a_link_that_works_says_so_with_what_would_be_recorded(
    marta: FlaskClient, app_session: Session, cast: Cast, shop: str
) -> None:
    page = _test(marta, app_session, cast, f"{shop}/old")
    assert "the click id arrives with the visitor" in page
    assert "The click counts" in page
    assert '<dd class="mono">instagram</dd>' in page
    assert f"{shop}/new?" in page
    assert "evil.example" not in page.replace("sub1=instagram&amp;url=https://evil.example/", "")


@pytest.mark.parametrize(
    "outcome",
    [
        ("/lost", "drops aff_click on the way"),
        ("/gone", "The page does not open"),
        ("/round", "The page does not open"),  # it leads on for ever: five hops are enough
        ("/port", "We cannot reach this address"),
        ("/space", "We cannot reach this address"),
        ("/bracket", "We cannot reach this address"),
    ],
)
def test_a_shop_that_loses_the_click_or_the_visitor_is_found_out(
    marta: FlaskClient, app_session: Session, cast: Cast, shop: str, outcome: tuple[str, str]
) -> None:
    path, said = outcome
    page = _test(marta, app_session, cast, shop + path)
    assert said in page
    assert page.count("/round") <= 2 * 5


def test_a_person_tests_so_often_and_no_more(marta: FlaskClient, app_session: Session, cast: Cast) -> None:
    _test(marta, app_session, cast, "http://127.0.0.1:1/")  # where nobody answers
    address = f"/portal/casa/links/{ids.public('lnk', cast.link.id)}/test"
    answers = [marta.post(address).status_code for _ in range(20)]
    assert (answers[0], answers[-1]) == (200, 429)
    assert marta.get(address).status_code == 200


def test_all_steps_together_end_in_time(
    marta: FlaskClient, app_session: Session, cast: Cast, shop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link_test, "SECONDS_MAX", 0.25)
    monkeypatch.setattr(formats, "call_problem", lambda told: f"[{told}]")  # as another language has it
    page = _test(marta, app_session, cast, f"{shop}/slow")  # five times a tenth of a second
    assert "does not answer: [it took too long]" in page


def test_a_paused_link_says_why_a_click_would_not_count(
    marta: FlaskClient, app_session: Session, cast: Cast, shop: str
) -> None:
    page = _test(marta, app_session, cast, f"{shop}/new", status=LinkStatus.PAUSED)
    assert "The click does not count" in page
    assert "This link is paused." in page
