"""The console of a large program: server time, queries and exports, on a tenth of its clicks and orders and on all of them.

PostgreSQL, one process, without network. `BENCH_CONSOLE_CLICKS` says how many clicks (1,000,000; the goal speaks of ten million);
every fiftieth of them is an order, every thousandth a partner.
"""

import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import sqlalchemy as sa
from figures import Figure
from flask.testing import FlaskClient
from ingest_rows import _installation
from portal_pages import _FILL, _ROLLUPS, _VISITORS
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from affiliate import clock, db, ids, settings
from affiliate.accounts.models import GrantRole
from affiliate.app import create_app
from affiliate.ingest import partitions
from affiliate.ledger import jobs as ledger_jobs
from affiliate.partners.models import EnrollmentStatus
from affiliate.programs.models import Program
from affiliate.reports import jobs as reports
from affiliate.steering import jobs as steering

sys.path.insert(0, str(Path(__file__).parent.parent))

import accounts_cast
import factories
import servers

CLICKS = int(os.environ.get("BENCH_CONSOLE_CLICKS", "1000000"))
TIMES = 20
_CLICKS_OF_A_PARTNER, _CLICKS_OF_AN_ORDER = 1_000, 50
_AT_ONCE = 500_000
_PAGES = {
    "today": "",
    "goals": "goals",
    "figures watched": "kpis",
    "performance by day": "performance?by=day",
    "performance of a partner": "performance?by=day&partner={partner}",
    "partners": "partners",
    "partners, far on": "partners?page={far}",
    "partners by name": "partners?name=partner+1",
    "a partner": "partners/{partner}",
    "applications": "applications",
    "orders": "conversions",
    "an order": "conversions/{order}",
    "commissions": "commissions",
    "commissions pending": "commissions?status=pending",
    "fraud": "fraud",
    "payouts": "payouts",
    "ledger": "ledger",
    "history": "history",
    "logistics": "views/logistics",
    "tech": "views/tech",
    "marketing": "views/marketing",
    "finance": "views/finance",
}
_TABLES = {
    "performance by partner": "performance?by=partner",
    "performance by country": "performance?by=country",
    "performance by product": "performance?by=product",
    "funnel": "performance/funnel",
}
_EXPORTS = {"orders": "conversions.csv", "commissions": "commissions.csv", "ledger": "ledger.csv"}
_SOLD = """
    CREATE TEMPORARY TABLE sold ON COMMIT DROP AS
    SELECT id AS click_id, partner_id, link_id, occurred_at AS at, CAST(md5('o' || CAST(id AS text)) AS uuid) AS order_id,
        CAST(md5('a' || CAST(id AS text)) AS uuid) AS attribution_id, CAST(md5('c' || CAST(id AS text)) AS uuid) AS credit_id,
        CAST(md5('m' || CAST(id AS text)) AS uuid) AS commission_id, row_number() OVER (ORDER BY id) AS n
    FROM (SELECT *, row_number() OVER (ORDER BY md5(CAST(id AS text))) AS place FROM clicks WHERE verdict = 'valid') AS c
    WHERE mod(place, CAST(:of AS integer)) = 0 AND NOT EXISTS (SELECT FROM conversions WHERE click_id = c.id)
"""
_SELL = (
    """INSERT INTO conversions (id, program_id, kind, order_id, trust, source, is_test, revision, attributed_revision, amount_minor,
        tax_minor, shipping_minor, discount_minor, currency, click_id, customer_id, items, fingerprint, occurred_at, received_at)
    SELECT order_id, :program, 'sale', CAST(order_id AS text), 2, 'api', false, 1, 1, 8000, 0, 0, 0, 'EUR', click_id, 'c' || n % 50000,
        CAST('[{"sku": "S' || n % 200 || '", "quantity": 1, "amount_minor": 8000}]' AS jsonb), repeat('0', 64), at, at FROM sold""",
    """INSERT INTO attributions (id, conversion_id, conversion_revision, version, is_current, model, policy_version, is_new_customer, trace,
        decided_at, commissioned_at)
    SELECT attribution_id, order_id, 1, 1, true, 'last_click', 1, n % 3 = 0, CAST('{}' AS jsonb), at, at FROM sold""",
    """INSERT INTO credits (id, attribution_id, partner_id, link_id, click_id, share_bps)
    SELECT credit_id, attribution_id, partner_id, link_id, click_id, 10000 FROM sold""",
    """INSERT INTO commissions (id, program_id, partner_id, conversion_id, attribution_id, credit_id, level, turn, is_live, status, currency,
        base_minor, revenue_minor, amount_minor, reversed_minor, counted_currency, counted_base_minor, counted_minor, trace, earned_at,
        matures_at, created_at)
    SELECT commission_id, :program, partner_id, order_id, attribution_id, credit_id, 1, 0, true,
        CASE WHEN n % 2 = 0 THEN 'pending' ELSE 'approved' END, 'EUR', 8000, 8000, 800, 0, 'EUR', 8000, 800, CAST('{}' AS jsonb), at,
        at + interval '30 days', at FROM sold""",
    """INSERT INTO ledger_accounts (id, program_id, partner_id, name, currency)
    SELECT CAST(md5(name || CAST(partner_id AS text)) AS uuid), :program, partner_id, name, 'EUR'
    FROM (SELECT DISTINCT partner_id FROM sold) AS p, (VALUES ('pending'), ('approved')) AS names (name)
    ON CONFLICT DO NOTHING""",
    """INSERT INTO ledger_accounts (id, program_id, partner_id, name, currency)
    VALUES (CAST(md5('expense') AS uuid), :program, NULL, 'expense', 'EUR') ON CONFLICT DO NOTHING""",
    """INSERT INTO ledger_transfers (id, program_id, kind, debit_account_id, credit_account_id, amount_minor, currency, source_kind, source_id,
        leg, posted_at, content_hash)
    SELECT CAST(md5('t' || CAST(commission_id AS text)) AS uuid), :program, 'accrue', CAST(md5('expense') AS uuid),
        CAST(md5('pending' || CAST(partner_id AS text)) AS uuid), 800, 'EUR', 'commission', commission_id, 0, at, repeat('0', 64)
    FROM sold""",
    """INSERT INTO ledger_transfers (id, program_id, kind, debit_account_id, credit_account_id, amount_minor, currency, source_kind, source_id,
        leg, posted_at, content_hash)
    SELECT CAST(md5('u' || CAST(commission_id AS text)) AS uuid), :program, 'approve',
        CAST(md5('pending' || CAST(partner_id AS text)) AS uuid), CAST(md5('approved' || CAST(partner_id AS text)) AS uuid), 800, 'EUR',
        'commission', commission_id, 0, at, repeat('0', 64)
    FROM sold WHERE n % 2 = 1""",
    """INSERT INTO refunds (id, program_id, order_id, conversion_id, refund_id, amount_minor, currency, items, reason, fingerprint, is_test,
        occurred_at, received_at, taken_at, is_set_aside)
    SELECT CAST(md5('r' || CAST(order_id AS text)) AS uuid), :program, CAST(order_id AS text), order_id, 'r1', 1000, 'EUR',
        CAST('[]' AS jsonb), 'too small', repeat('0', 64), false, at, at, at, false FROM sold WHERE n % 20 = 0""",
)


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
    small, light = site.timed(engine, first=1, last=few), site.export_growth()
    large, heavy = site.timed(engine, first=few + 1, last=CLICKS), site.export_growth()
    for name in (*_PAGES, *_TABLES):
        goal = 100 if name in _PAGES else 200
        yield Figure(f"{name}: p95 with {CLICKS:,} clicks, ms", _p95(large[name]), f"<= {goal}")
        ratio = statistics.median(large[name]) / statistics.median(small[name])
        yield Figure(f"{name}: median against a tenth (ratio)", ratio, "<= 1.5")
        yield Figure(f"{name}: queries", site.queries(engine, name), "<= 20")
    for name, megabytes in heavy.items():
        yield Figure(f"export of {name}: memory more than with a tenth, MB", max(megabytes - light[name], 0), "<= 30")


def _p95(seconds: list[float]) -> float:
    return sorted(seconds)[int(len(seconds) * 0.95)] * 1_000


class _Site:
    """A program with its partners, and the browser of its administrator."""

    def __init__(self, session: Session, now: datetime) -> None:
        self.now = now
        self.program: Program = factories.make_program(session, slug="bench", time_zone="Europe/Rome")
        factories.make_plan(session, program=self.program)
        person = accounts_cast.make_person(session, "Marta")
        accounts_cast.give(session, person, GrantRole.ADMIN)
        number = max(CLICKS // _CLICKS_OF_A_PARTNER, 10)
        self.partners = [
            factories.make_partner(session, program=self.program, name=f"Partner {place}") for place in range(number)
        ]
        self.links = [
            factories.make_link(session, program=self.program, partner=partner, code=f"bench{partner.id.hex}")
            for partner in self.partners
        ]
        for place in range(200):
            factories.make_partner(session, program=self.program, name=f"New {place}", status=EnrollmentStatus.PENDING)
        session.commit()
        self.app = create_app(settings.current())
        self.app.config.update(WTF_CSRF_ENABLED=False)
        self.browser: FlaskClient = self.app.test_client()
        accounts_cast.sign_in(self.browser, person)
        self.places: dict[str, str] = {}

    def timed(self, engine: Engine, *, first: int, last: int) -> dict[str, list[float]]:
        """Add these clicks with their orders, and open each page so many times; seconds of each."""
        with Session(engine) as session:
            self._fill(session, first, last)
            order: UUID = session.scalars(sa.text("SELECT id FROM conversions ORDER BY occurred_at DESC LIMIT 1")).one()
        reports.compute_figures()
        with Session(engine) as session:
            session.execute(sa.text("DELETE FROM partner_momentum"))  # judged anew
            session.commit()
        steering.judge()
        ledger_jobs.seal()
        with Session(engine) as session:
            session.connection(execution_options={"isolation_level": "AUTOCOMMIT"}).exec_driver_sql("VACUUM ANALYZE")
        self.places = {
            "partner": ids.public("ptn", self.partners[0].id),
            "order": ids.public("cnv", order),
            "far": f"O0.{UUID(int=2**128 - 1).hex}",
        }
        return {name: [self._open(name) for _ in range(TIMES + 3)][3:] for name in (*_PAGES, *_TABLES)}

    def _open(self, name: str) -> float:
        address = self._address((_PAGES | _TABLES)[name])
        began = time.perf_counter()
        answer = self.browser.get(address)
        took = time.perf_counter() - began
        if answer.status_code != 200:
            raise RuntimeError(f"{address} answers {answer.status_code}")
        return took

    def _address(self, page: str) -> str:
        return f"/console/bench/{page.format(**self.places)}"

    def queries(self, engine: Engine, name: str) -> int:
        """How many statements a page asks."""
        found: list[str] = []

        def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            if not statement.startswith(("SET ", "BEGIN")):
                found.append(statement)

        sa.event.listen(type(engine), "before_cursor_execute", note)
        self._open(name)
        sa.event.remove(type(engine), "before_cursor_execute", note)
        return len(found)

    def export_growth(self) -> dict[str, float]:
        """By how many megabytes the largest memory of this process grew with each export; its bytes are thrown away."""
        found = {}
        for name, page in _EXPORTS.items():
            before = _largest()
            answer = self.browser.get(self._address(page), buffered=False)
            rows = sum(chunk.count(b"\n") for chunk in answer.iter_encoded())
            answer.close()
            if rows < 2:
                raise RuntimeError(f"{page} is empty")
            found[name] = _largest() - before
        return found

    def _fill(self, session: Session, first: int, last: int) -> None:
        told = {
            "program": self.program.id, "links": [link.id for link in self.links], "of": len(self.links),
            "partners": [partner.id for partner in self.partners], "each": 1, "ends": self.now,
        }  # fmt: skip
        for start in range(first, last + 1, _AT_ONCE):
            session.execute(sa.text(_FILL), told | {"first": start, "last": min(start + _AT_ONCE - 1, last)})
        session.commit()
        hour = "date_trunc('hour', occurred_at, 'UTC')"
        for table, keys in _ROLLUPS.items():
            session.execute(sa.text(f"TRUNCATE {table.partition(' ')[0]}"))
            grouped = f"SELECT {keys}, {hour}, verdict, 0, count(*) FROM clicks GROUP BY {keys}, {hour}, verdict"  # noqa: S608 - our own names
            session.execute(sa.text(f"INSERT INTO {table}, hour, verdict, shard, clicks) {grouped}"))
        session.execute(sa.text("TRUNCATE visitor_hours"))
        for kind, label in _VISITORS.items():
            keys = f"program_id, partner_id, {hour}, {label}, verdict"
            grouped = f"SELECT {keys}, '{kind}', count(*) FROM clicks GROUP BY {keys}"  # noqa: S608 - our own names
            names = "program_id, partner_id, hour, label, verdict, kind, clicks"
            session.execute(sa.text(f"INSERT INTO visitor_hours ({names}) {grouped}"))
        session.execute(sa.text(_SOLD), {"of": _CLICKS_OF_AN_ORDER})
        for statement in _SELL:
            session.execute(sa.text(statement), {"program": self.program.id})
        session.commit()


def _largest() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
