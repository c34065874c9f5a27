"""Rates in their table, on both databases: stored once, found for orders of a period, fetched through the filter."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import servers
from sqlalchemy.orm import Session

from affiliate import outgoing
from affiliate.currencies import queries, service
from affiliate.currencies.convert import DayRates

NOW = datetime(2026, 11, 3, 12, tzinfo=UTC)
DAYS = [DayRates(date(2026, 10, day), "ecb", {"USD": f"1.1{day}", "PLN": "4.4"}) for day in (28, 29, 30)]


@pytest.fixture
def page() -> Iterator[str]:
    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            moved = self.path == "/moved"
            self.send_response(302 if moved else 200)
            if moved:
                self.send_header("Location", "/")
            self.end_headers()
            self.wfile.write(b"x" * 100)

        def log_message(self, *_: object) -> None: ...

    with servers.serving(HTTPServer(("127.0.0.1", 0), Page)) as port:
        yield f"http://127.0.0.1:{port}"


def test_rates_are_stored_once_and_never_changed(session: Session) -> None:
    assert service.store(session, days=DAYS, now=NOW) == 6
    other = [DayRates(date(2026, 10, 30), "ecb", {"USD": "9.9", "GBP": "0.8"})]
    assert service.store(session, days=other, now=NOW) == 1
    found = queries.rates(session, currencies={"USD", "EUR"}, moments=[NOW])
    assert [(one.day.day, one.per_euro["USD"], one.source) for one in found.days] == [
        (28, "1.128", "ecb"), (29, "1.129", "ecb"), (30, "1.130", "ecb"),
    ]  # fmt: skip
    assert queries.newest_day(session) == date(2026, 10, 30)
    assert queries.currencies(session, day=date(2026, 10, 30)) == 3


def test_euros_alone_ask_for_nothing(session: Session) -> None:
    assert not queries.rates(session, currencies={"EUR"}, moments=[NOW]).days


def test_an_answer_comes_whole_or_not_at_all(page: str) -> None:
    assert outgoing.get(page, bytes_max=100, loopback=True) == b"x" * 100
    for address, size in ((page, 99), (f"{page}/moved", 100)):
        with pytest.raises(outgoing.CallFailed):
            outgoing.get(address, bytes_max=size, loopback=True)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://10.0.0.1/",
        "https://169.254.169.254/",
        "https://2130706433/",
        "nonsense",
    ],
)
def test_no_call_goes_inside_or_without_tls(url: str) -> None:
    with pytest.raises(outgoing.CallFailed):
        outgoing.get(url, bytes_max=100)


def test_only_days_worth_reading_are_read_again(session: Session) -> None:
    assert service.since(session, now=NOW) == date(2025, 9, 29)
    service.store(session, days=DAYS, now=NOW)
    assert service.since(session, now=NOW) == date(2026, 9, 30)
