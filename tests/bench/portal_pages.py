"""Home, reports and the page of a link of a busy partner: time, CPU, queries and weight, on a tenth of the clicks and on all of them.

PostgreSQL, one process, without network. `BENCH_PAGE_CLICKS` says how many clicks (1,000,000; ten million take some minutes);
every hundredth of them is a sale, every twentieth is of the partner who looks.
"""

import gzip
import os
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
import sqlalchemy as sa
from figures import Figure
from flask.testing import FlaskClient
from ingest_rows import _installation
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from affiliate import clock, db, garbage, ids, settings
from affiliate.app import create_app
from affiliate.attribution.models import Attribution, Credit
from affiliate.commissions.models import Commission
from affiliate.ingest import partitions
from affiliate.ingest.models import Conversion
from affiliate.programs.models import Program
from affiliate.reports import jobs

sys.path.insert(0, str(Path(__file__).parent.parent))

import accounts_cast
import factories
import servers

CLICKS = int(os.environ.get("BENCH_PAGE_CLICKS", "1000000"))
TIMES = 30
PARTNERS, LINKS_EACH, DAYS = 200, 10, 60
_AT_ONCE = 500_000
_ROWS_AT_ONCE = 2_000
_PAGES = {
    "home": "/portal/bench/",
    "earnings": "/portal/bench/commissions",
    "report by day": "/portal/bench/statistics",
    "report by link, compared": "/portal/bench/statistics?by=link&compare=before",
    "report by sub id": "/portal/bench/statistics?by=sub",
    "report by country": "/portal/bench/statistics?by=country",
}
_FILL = """
    INSERT INTO clicks (id, program_id, partner_id, link_id, occurred_at, received_at, verdict, source, subs, landing_url,
        referrer_host, user_agent, country, consent)
    SELECT CAST(lpad(to_hex(CAST(extract(epoch FROM at) * 1000 AS bigint)), 12, '0') || '7' || substr(noise, 1, 3)
            || '8' || substr(noise, 4, 15) AS uuid),
        :program, (CAST(:partners AS uuid[]))[1 + (link - 1) / :each], (CAST(:links AS uuid[]))[link], at, at,
        CASE WHEN n % 11 = 0 THEN 'bot' ELSE 'valid' END, 'redirect',
        CAST('{"sub1": "post-' || n % 40 || '"}' AS jsonb), 'https://www.shop.example/', 'blog' || n % 30 || '.example',
        CASE WHEN n % 2 = 0 THEN 'Mozilla/5.0 (iPhone) Mobile' ELSE 'Mozilla/5.0 (X11; Linux x86_64)' END,
        (CAST('{IT,PL,DE,FR,ES}' AS text[]))[1 + n % 5], 'given'
    FROM (SELECT n, md5(CAST(n AS text)) AS noise,
              CASE WHEN n % 20 = 0 THEN 1 + (n / 20) % :each ELSE 1 + n % :of END AS link,
              CAST(:ends AS timestamptz) - (n * 7919 % 5184000) * interval '1 second' AS at
          FROM generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) AS n OFFSET 0) AS made
"""
_ROLLUPS = {
    "click_hours_program (program_id": "program_id",
    "click_hours_partner (program_id, partner_id": "program_id, partner_id",
    "click_hours_link (program_id, partner_id, link_id": "program_id, partner_id, link_id",
    "click_hours_sub (program_id, partner_id, sub": "program_id, partner_id, subs->>'sub1'",
}
_VISITORS = {
    "country": "country",
    "device": "CASE WHEN user_agent LIKE '%Mobi%' THEN 'phone' ELSE 'computer' END",
    "referrer": "referrer_host",
}


def measure() -> Iterator[Figure]:
    """Each page on both sizes."""
    with tempfile.TemporaryDirectory(prefix="affiliate-bench-") as name:
        folder = Path(name)
        for each in ("valkey", "postgresql"):
            (folder / each).mkdir()
        with servers.valkey(folder / "valkey") as redis_url, servers.postgresql(folder / "postgresql") as address:
            with psycopg.connect(address, autocommit=True) as connection:
                connection.execute("CREATE DATABASE bench")
            url = address.replace("postgresql://postgres@/postgres", "postgresql+psycopg://postgres@/bench")
            with _installation(url, redis_url, folder):
                yield from _measured(db.make_engine(url))


def _measured(engine: Engine) -> Iterator[Figure]:
    now = clock.now()
    with Session(engine, expire_on_commit=False) as session:
        for month in range(4):
            partitions.ensure(session, now=now - timedelta(days=28 * month))
        site = _Site(session, now)
    few = CLICKS // 10
    small = site.timed(engine, first=1, last=few)
    large = site.timed(engine, first=few + 1, last=CLICKS)
    for name, address in site.pages.items():
        yield Figure(f"{name}: p95 with {CLICKS:,} clicks, ms", _p95([one.took for one in large[name]]), "<= 60")
        yield Figure(f"{name}: p95 of the web process's CPU, ms", _p95([one.cpu for one in large[name]]), "<= 60")
        ratio = _median(large[name]) / _median(small[name])
        yield Figure(f"{name}: median against a tenth of the clicks (ratio)", ratio, "<= 1.3")
        yield Figure(f"{name}: queries", site.queries(engine, address), "<= 15")
    yield Figure("home: first paint without charts, compressed, KB", site.weight(_PAGES["home"]), "<= 250")


class _Opened(NamedTuple):
    """What a page cost, in seconds: on the clock, and of this process's CPU."""

    took: float
    cpu: float


def _p95(seconds: list[float]) -> float:
    return sorted(seconds)[int(len(seconds) * 0.95)] * 1_000


def _median(opened: list[_Opened]) -> float:
    return statistics.median(one.took for one in opened)


class _Site:
    """A program with its partners, and the browser of the busiest one."""

    def __init__(self, session: Session, now: datetime) -> None:
        self.now = now
        self.program: Program = factories.make_program(session, slug="bench", time_zone="Europe/Rome")
        factories.make_plan(session, program=self.program)
        person = accounts_cast.make_person(session, "Marta")
        partners = [
            factories.make_partner(session, program=self.program, user=None if number else person)
            for number in range(PARTNERS)
        ]
        self.links = [
            factories.make_link(session, program=self.program, partner=partner, code=f"bench{partner.id.hex}{number}")
            for partner in partners
            for number in range(LINKS_EACH)
        ]
        session.commit()
        self.app = create_app(settings.current())
        self.app.config.update(WTF_CSRF_ENABLED=False)
        self.browser: FlaskClient = self.app.test_client()
        accounts_cast.sign_in(self.browser, person)
        self.pages = _PAGES | {"link by sub id": f"/portal/bench/links/{ids.public('lnk', self.links[0].id)}"}
        garbage.settle()  # as the web process does

    def timed(self, engine: Engine, *, first: int, last: int) -> dict[str, list[_Opened]]:
        """Add these clicks with their sales, and open each page so many times; what each cost."""
        with Session(engine) as session:
            self._fill(session, first, last)
        jobs.compute_figures()
        return {name: [self._open(address) for _ in range(TIMES + 3)][3:] for name, address in self.pages.items()}

    def _open(self, address: str) -> _Opened:
        began, worked = time.perf_counter(), time.process_time()
        answer = self.browser.get(address)
        cost = _Opened(time.perf_counter() - began, time.process_time() - worked)
        if answer.status_code != 200:
            raise RuntimeError(f"{address} answers {answer.status_code}")
        return cost

    def queries(self, engine: Engine, address: str) -> int:
        """How many statements a page asks."""
        found: list[str] = []

        def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            if not statement.startswith(("SET ", "BEGIN")):
                found.append(statement)

        sa.event.listen(type(engine), "before_cursor_execute", note)
        self._open(address)
        sa.event.remove(type(engine), "before_cursor_execute", note)
        return len(found)

    def weight(self, address: str) -> float:
        """Kilobytes of the page and of all that it loads at once."""
        page = self.browser.get(address).text
        loaded = {path for path in re.findall(r'(?:href|src)="(/static/[^"#]+)', page) if "echarts" not in path}
        bodies = [page.encode(), *(self.browser.get(path.replace("&amp;", "&")).data for path in sorted(loaded))]
        return sum(min(len(gzip.compress(body)), len(body)) for body in bodies) / 1024

    def _fill(self, session: Session, first: int, last: int) -> None:
        told = {
            "program": self.program.id, "links": [link.id for link in self.links], "of": len(self.links),
            "partners": [link.partner_id for link in self.links[::LINKS_EACH]], "each": LINKS_EACH, "ends": self.now,
        }  # fmt: skip
        for start in range(first, last + 1, _AT_ONCE):
            session.execute(sa.text(_FILL), told | {"first": start, "last": min(start + _AT_ONCE - 1, last)})
        session.commit()
        hour = "date_trunc('hour', occurred_at, 'UTC')"
        for table, keys in _ROLLUPS.items():
            session.execute(sa.text(f"TRUNCATE {table.partition(' ')[0]}"))
            grouped = f"SELECT {keys}, {hour}, verdict, 0, count(*) FROM clicks GROUP BY {keys}, {hour}, verdict"  # noqa: S608 - our own names
            session.execute(sa.text(f"INSERT INTO {table}, hour, verdict, shard, clicks) {grouped}"))
        session.execute(sa.text("TRUNCATE link_sub_hours"))
        keys = f"program_id, partner_id, link_id, {hour}, subs->>'sub1', verdict"
        session.execute(sa.text(f"INSERT INTO link_sub_hours SELECT {keys}, count(*) FROM clicks GROUP BY {keys}"))  # noqa: S608 - our own names
        session.execute(sa.text("TRUNCATE visitor_hours"))
        for kind, label in _VISITORS.items():
            keys = f"program_id, partner_id, {hour}, {label}, verdict"
            grouped = f"SELECT {keys}, '{kind}', count(*) FROM clicks GROUP BY {keys}"  # noqa: S608 - our own names
            names = "program_id, partner_id, hour, label, verdict, kind, clicks"
            session.execute(sa.text(f"INSERT INTO visitor_hours ({names}) {grouped}"))
        self._sell(session)
        session.commit()
        session.connection().exec_driver_sql("ANALYZE")
        session.commit()

    def _sell(self, session: Session) -> None:
        """Sales for every hundredth click that has none yet."""
        clicks = "SELECT id, partner_id, link_id, occurred_at FROM clicks WHERE verdict = 'valid'"
        every = f"SELECT *, row_number() OVER (ORDER BY md5(CAST(id AS text))) AS place FROM ({clicks}) AS c"  # noqa: S608 - our own names
        have = "SELECT click_id FROM conversions WHERE click_id IS NOT NULL"
        chosen = session.execute(
            sa.text(f"SELECT * FROM ({every}) AS e WHERE place % 100 = 0 AND id NOT IN ({have})")  # noqa: S608 - our own names
        ).all()
        for start in range(0, len(chosen), _ROWS_AT_ONCE):
            rows = [self._sale(*row[:4]) for row in chosen[start : start + _ROWS_AT_ONCE]]
            for table, of_table in zip(
                (Conversion, Attribution, Credit, Commission), zip(*rows, strict=True), strict=True
            ):
                session.execute(sa.insert(table), list(of_table))

    def _sale(self, click_id: UUID, partner_id: UUID, link_id: UUID, clicked_at: datetime) -> list[dict[str, Any]]:
        order, attribution_id, credit_id, at = ids.new(), ids.new(), ids.new(), clicked_at.astimezone(UTC)
        conversion = {
            "id": order, "program_id": self.program.id, "kind": "sale", "order_id": order.hex, "trust": 2, "source": "api",
            "is_test": False, "amount_minor": 80_00, "currency": "EUR", "click_id": click_id, "items": [],
            "fingerprint": "0" * 64, "occurred_at": at, "received_at": at, "attributed_revision": 1,
        }  # fmt: skip
        attribution = {
            "id": attribution_id, "conversion_id": order, "conversion_revision": 1, "version": 1, "is_current": True,
            "model": "last_click", "policy_version": 1, "trace": {}, "decided_at": at,
        }  # fmt: skip
        credit = {
            "id": credit_id, "attribution_id": attribution_id, "partner_id": partner_id, "link_id": link_id,
            "click_id": click_id, "share_bps": 10_000,
        }  # fmt: skip
        commission = {
            "id": ids.new(), "program_id": self.program.id, "partner_id": partner_id, "conversion_id": order,
            "attribution_id": attribution_id, "credit_id": credit_id, "status": "pending", "currency": "EUR",
            "base_minor": 80_00, "revenue_minor": 80_00, "amount_minor": 8_00, "reversed_minor": 0,
            "counted_currency": "EUR", "counted_base_minor": 80_00, "counted_minor": 8_00, "trace": {}, "earned_at": at,
            "matures_at": at + timedelta(days=30), "created_at": at,
        }  # fmt: skip
        return [conversion, attribution, credit, commission]
