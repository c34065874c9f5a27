"""The console of a large program: server time, queries and exports, on a tenth of its clicks and orders and on all of them.

PostgreSQL, one process, without network. `BENCH_CONSOLE_CLICKS` says how many clicks (1,000,000; the goal speaks of ten million);
every fiftieth of them is an order, every thousandth a partner.
"""

import os
import resource
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import sqlalchemy as sa
from figures import Figure
from page_sales import sell
from page_site import Cost, Visitor, fill, installation, median, p95_ms, vacuum
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from affiliate import clock, ids
from affiliate.accounts.models import GrantRole
from affiliate.ledger import jobs as ledger_jobs
from affiliate.partners.models import EnrollmentStatus
from affiliate.programs.models import Program
from affiliate.reports import jobs as reports
from affiliate.steering import jobs as steering

sys.path.insert(0, str(Path(__file__).parent.parent))

import accounts_cast
import factories

CLICKS = int(os.environ.get("BENCH_CONSOLE_CLICKS", "1000000"))
TIMES = 20
_CLICKS_OF_A_PARTNER, _CLICKS_OF_AN_ORDER = 1_000, 50
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
    "performance by partner, compared": "performance?by=partner&compare=before",
    "performance by country": "performance?by=country",
    "performance by device": "performance?by=device",
    "performance by product": "performance?by=product",
    "funnel": "performance/funnel",
}
_COUNTED = (
    "counted_days", "counted_weeks", "click_days_partner", "click_weeks_partner", "sale_days_partner", "sale_weeks_partner", "sale_days_label",
    "active_months_partner",
)  # fmt: skip
_EXPORTS = {"orders": "conversions.csv", "commissions": "commissions.csv", "ledger": "ledger.csv"}
_BOOK = (
    """INSERT INTO ledger_accounts (id, program_id, partner_id, name, currency)
    SELECT CAST(md5(name || CAST(partner_id AS text)) AS uuid), :program, partner_id, name, 'EUR'
    FROM (SELECT DISTINCT partner_id FROM sold) AS p, (VALUES ('pending'), ('approved')) AS names (name)
    ON CONFLICT DO NOTHING""",
    """INSERT INTO ledger_accounts (id, program_id, partner_id, name, currency)
    VALUES (CAST(md5('expense') AS uuid), :program, NULL, 'expense', 'EUR') ON CONFLICT DO NOTHING""",
    """INSERT INTO ledger_transfers (id, program_id, kind, debit_account_id, credit_account_id, amount_minor, currency, source_kind, source_id,
        leg, posted_at, content_hash)
    SELECT pg_temp.of(commission_id, 't'), :program, 'accrue', CAST(md5('expense') AS uuid),
        CAST(md5('pending' || CAST(partner_id AS text)) AS uuid), 800, 'EUR', 'commission', commission_id, 0, at, repeat('0', 64)
    FROM sold""",
    """INSERT INTO ledger_transfers (id, program_id, kind, debit_account_id, credit_account_id, amount_minor, currency, source_kind, source_id,
        leg, posted_at, content_hash)
    SELECT pg_temp.of(commission_id, 'u'), :program, 'approve',
        CAST(md5('pending' || CAST(partner_id AS text)) AS uuid), CAST(md5('approved' || CAST(partner_id AS text)) AS uuid), 800, 'EUR',
        'commission', commission_id, 0, at, repeat('0', 64)
    FROM sold WHERE n % 2 = 1""",
    """INSERT INTO refunds (id, program_id, order_id, conversion_id, refund_id, amount_minor, currency, items, reason, fingerprint, is_test,
        occurred_at, received_at, taken_at, is_set_aside)
    SELECT pg_temp.of(order_id, 'r'), :program, CAST(order_id AS text), order_id, 'r1', 1000, 'EUR',
        CAST('[]' AS jsonb), 'too small', repeat('0', 64), false, at, at, at, false FROM sold WHERE n % 20 = 0""",
)


def measure() -> Iterator[Figure]:
    """Each page on both sizes."""
    with installation() as engine:
        yield from _measured(engine)


def _measured(engine: Engine) -> Iterator[Figure]:
    with Session(engine, expire_on_commit=False) as session:
        site = _Site(session, clock.now())
    few = CLICKS // 10
    small, light = site.timed(engine, first=1, last=few), site.export_growth()
    large, heavy = site.timed(engine, first=few + 1, last=CLICKS), site.export_growth()
    for name in (*_PAGES, *_TABLES):
        goal = 100 if name in _PAGES else 200
        yield Figure(f"{name}: p95 with {CLICKS:,} clicks, ms", p95_ms(one.took for one in large[name]), f"<= {goal}")
        ratio = median(large[name]) / median(small[name])
        yield Figure(f"{name}: median against a tenth (ratio)", ratio, "<= 1.5")
        yield Figure(f"{name}: queries", site.visitor.queries(site.address(name)), "<= 20")
    for name, megabytes in heavy.items():
        yield Figure(f"export of {name}: memory more than with a tenth, MB", max(megabytes - light[name], 0), "<= 30")


class _Site:
    """A program with its partners, and the browser of its administrator."""

    def __init__(self, session: Session, now: datetime) -> None:
        self.now = now
        begun = now - timedelta(days=90)  # days before are read as they are
        self.program: Program = factories.make_program(session, slug="bench", time_zone="Europe/Rome", created_at=begun)
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
        self.visitor = Visitor(person)
        self.places: dict[str, str] = {}

    def timed(self, engine: Engine, *, first: int, last: int) -> dict[str, list[Cost]]:
        """Add these clicks with their orders, and open each page so many times; what each cost."""
        with Session(engine) as session:
            fill(session, program=self.program, links=self.links, busy=1, ends=self.now, first=first, last=last)
            self._sell(session)
            order: UUID = session.scalars(sa.text("SELECT id FROM conversions ORDER BY occurred_at DESC LIMIT 1")).one()
        reports.compute_figures()
        with Session(engine) as session:
            session.execute(sa.text("DELETE FROM partner_momentum"))  # judged anew
            session.execute(
                sa.text(f"TRUNCATE {', '.join(_COUNTED)}")
            )  # rows came without the notes that the product leaves
            session.commit()
        while reports.count_days():
            pass
        steering.judge()
        ledger_jobs.seal()
        ledger_jobs.carry_totals()
        vacuum(engine)
        self.places = {
            "partner": ids.public("ptn", self.partners[0].id),
            "order": ids.public("cnv", order),
            "far": f"O0.{UUID(int=2**128 - 1).hex}",
        }
        return {name: self.visitor.costs(self.address(name), times=TIMES) for name in (*_PAGES, *_TABLES)}

    def address(self, name: str) -> str:
        """Where a page of this name stands now."""
        return self._at((_PAGES | _TABLES)[name])

    def _at(self, page: str) -> str:
        return f"/console/bench/{page.format(**self.places)}"

    def export_growth(self) -> dict[str, float]:
        """By how many megabytes the largest memory of this process grew with each export; its bytes are thrown away."""
        found = {}
        for name, page in _EXPORTS.items():
            before = _largest()
            answer = self.visitor.browser.get(self._at(page), buffered=False)
            rows = sum(chunk.count(b"\n") for chunk in answer.iter_encoded())
            answer.close()
            if rows < 2:
                raise RuntimeError(f"{page} is empty")
            found[name] = _largest() - before
        return found

    def _sell(self, session: Session) -> None:
        """An order for so many of the valid clicks, in the books and now and then sent back."""
        sell(session, program_id=self.program.id, of=_CLICKS_OF_AN_ORDER)
        for statement in _BOOK:
            session.execute(sa.text(statement), {"program": self.program.id})
        session.commit()


def _largest() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
