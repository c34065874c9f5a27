"""The console of a large program beside that of one with a tenth of everything: server time, queries and exports.

PostgreSQL, one process, without network. `BENCH_CONSOLE_CLICKS` says how many clicks (ten million, as the goal);
every fiftieth of them is an order, every thousandth a partner; the smaller site has a tenth of everything.
"""

import os
import resource
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import sqlalchemy as sa
from figures import Figure
from page_sales import sell
from page_site import Visitor, fill, p95_ms
from page_sizes import pair
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from affiliate import clock, ids
from affiliate.accounts.models import GrantRole
from affiliate.ledger import jobs as ledger_jobs
from affiliate.partners.models import EnrollmentStatus, Partner
from affiliate.reports import jobs as reports
from affiliate.steering import jobs as steering

sys.path.insert(0, str(Path(__file__).parent.parent))

import accounts_cast
import factories

CLICKS = int(os.environ.get("BENCH_CONSOLE_CLICKS", "10000000"))
TIMES = 20
_CLICKS_OF_A_PARTNER, _CLICKS_OF_AN_ORDER = 1_000, 50
_CLICKS_OF_AN_APPLICANT = 20_000  # the smaller site fills a page of applications, too
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
    "care of a partner": "partners/{partner}/care",
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
    "campaigns": "campaigns",
    "cases": "cases",
    "creatives": "creatives",
    "newsletters": "newsletters",
    "validation": "validation",
    "invitations": "invitations",
    "service": "performance/service",
    "beside the shop": "performance/shop",
    "settings": "settings/overview",
}
_TABLES = {
    "performance by partner": "performance?by=partner",
    "performance by partner, compared": "performance?by=partner&compare=before",
    "performance by country": "performance?by=country",
    "performance by device": "performance?by=device",
    "performance by product": "performance?by=product",
    "funnel": "performance/funnel",
    "products": "performance/products",
    "strengths": "performance/strengths",
    "margin": "performance/margin",
    "new and returning customers": "performance/customers",
    "customers by first order": "performance/customers-by-first-order",
    "partners by month": "performance/partners-by-month",
    "lost to other channels": "performance/channels",
    "strengths and weaknesses": "performance/strengths",
}
_EXPORTS = {
    "orders.csv": "conversions.csv",
    "commissions.csv": "commissions.csv",
    "ledger.csv": "ledger.csv",
    "partners.csv": "partners.csv",
    "partners.xlsx": "partners.xlsx",
    "performance.csv": "performance.csv?by=partner",
    "performance.xlsx": "performance.xlsx?by=partner",
}
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
    with pair(_Site, small=CLICKS // 10, large=CLICKS) as both:
        for name in (*_PAGES, *_TABLES):
            goal, costs = 100 if name in _PAGES else 200, both.costs(name, times=TIMES)
            yield Figure(
                f"{name}: p95 with {CLICKS:,} clicks, ms", p95_ms(one.took for one in costs.large), f"<= {goal}"
            )
            yield Figure(f"{name}: against a tenth (ratio)", costs.ratio(), "<= 1.5")
            yield Figure(f"{name}: queries", both.queries(name), "<= 20")
        for name in _EXPORTS:
            light, heavy = both.small.ask(_megabytes, name), both.large.ask(_megabytes, name)
            yield Figure(f"export of {name}: memory more than with a tenth, MB", max(heavy - light, 0), "<= 30")


class _Site:
    """A program with its partners, and the browser of its administrator."""

    def __init__(self, engine: Engine, clicks: int) -> None:
        with Session(engine, expire_on_commit=False) as session:
            partner = self._fill(session, clicks)
            order: UUID = session.scalars(sa.text("SELECT id FROM conversions ORDER BY occurred_at DESC LIMIT 1")).one()
        _do_jobs()
        self.visitor = Visitor(self.person)
        far = f"O0.{UUID(int=2**128 - 1).hex}"
        places = {"partner": ids.public("ptn", partner.id), "order": ids.public("cnv", order), "far": far}
        addresses = (_PAGES | _TABLES | _EXPORTS).items()
        self.pages = {name: f"/console/bench/{page.format(**places)}" for name, page in addresses}

    def _fill(self, session: Session, clicks: int) -> Partner:
        now = clock.now()
        begun = now - timedelta(days=90)  # days before are read as they are
        program = factories.make_program(session, slug="bench", time_zone="Europe/Rome", created_at=begun)
        factories.make_plan(session, program=program)
        self.person = accounts_cast.make_person(session, "Marta")
        accounts_cast.give(session, self.person, GrantRole.ADMIN)
        partners = [
            factories.make_partner(session, program=program, name=f"Partner {place}")
            for place in range(max(clicks // _CLICKS_OF_A_PARTNER, 10))
        ]
        links = [
            factories.make_link(session, program=program, partner=partner, code=f"bench{partner.id.hex}")
            for partner in partners
        ]
        for place in range(clicks // _CLICKS_OF_AN_APPLICANT):
            factories.make_partner(session, program=program, name=f"New {place}", status=EnrollmentStatus.PENDING)
        session.commit()
        fill(session, program=program, links=links, busy=1, ends=now, clicks=clicks)
        sell(session, program_id=program.id, of=_CLICKS_OF_AN_ORDER)
        for statement in _BOOK:
            session.execute(sa.text(statement), {"program": program.id})
        session.execute(sa.text("ANALYZE"))  # or the jobs below would ask by the plans of empty tables
        session.commit()
        return partners[0]


def _do_jobs() -> None:
    reports.compute_figures()
    kept = (
        reports.count_cohorts,
        reports.count_customers,
        reports.count_segments,
        reports.count_margins,
        reports.count_active,
    )
    for count in (reports.count_days, reports.count_spans, *kept):
        while count():  # as the schedule does, until nothing is due
            pass
    steering.judge()
    ledger_jobs.seal()
    ledger_jobs.carry_totals()


def _megabytes(site: _Site, export: str) -> float:
    """By how many megabytes the largest memory of this process grew with the export; its bytes are thrown away."""
    before = _largest()
    answer = site.visitor.browser.get(site.pages[export], buffered=False)
    rows = sum(chunk.count(b"\n") for chunk in answer.iter_encoded())
    answer.close()
    if rows < 2:
        raise RuntimeError(f"{export} is empty")
    return _largest() - before


def _largest() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
