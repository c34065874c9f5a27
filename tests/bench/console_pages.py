"""The console of a large program beside that of one with a tenth of everything: server time, queries and exports.

PostgreSQL, one process, without network. `BENCH_CONSOLE_CLICKS` says how many clicks (ten million, as the goal);
every fiftieth of them is an order, every thousandth a partner; the smaller site has a tenth of everything.
"""

import os
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import page_books
import page_orders
import page_partners
import page_written
import sqlalchemy as sa
from export_memory import grown_mb
from figures import Figure
from page_sales import sell
from page_site import Visitor, fill, p95_ms
from page_sizes import pair
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from affiliate import clock, ids
from affiliate.accounts.models import GrantRole
from affiliate.ledger import jobs as ledger_jobs
from affiliate.partners.models import EnrollmentStatus
from affiliate.reports import jobs as reports
from affiliate.steering import jobs as steering

sys.path.insert(0, str(Path(__file__).parent.parent))

import accounts_cast
import factories

CLICKS = int(os.environ.get("BENCH_CONSOLE_CLICKS", "10000000"))
TIMES = 20
_CLICKS_OF_A_PARTNER, _CLICKS_OF_AN_ORDER = 1_000, 50
_CLICKS_OF_AN_APPLICANT = 20_000  # the smaller site fills a page of applications, too
_CLICKS_OF_A_CREATIVE = 50_000
_PARTNERS_MIN, _CREATIVES_MIN = 60, 50  # a page full of them
_PAGES = {
    "today": ("", "decisions wait for you"),
    "goals": ("goals", "Change the goal"),
    "figures watched": ("kpis", "Not looked at yet|at least"),
    "partners": ("partners", r"Partner \d"),
    "partners, far on": ("partners?page={far}", r"Partner \d"),
    "partners by name": ("partners?name=partner+1", "Partner 1"),
    "partners of a group": ("partners?group=gold", r"Partner \d"),
    "a partner": ("partners/{partner}", "person-1@"),
    "care of a partner": ("partners/{partner}/care", "Write about what is new"),
    "contacts of a partner": ("partners/{partner}/contacts", "We talked about"),
    "applications": ("applications", "Refuse New 0"),
    "orders": ("conversions", "Credited</"),
    "an order": ("conversions/{order}", "Accepted, takes the sale"),
    "orders refused": ("rejected", "Same id, other content"),
    "orders that could not be stored": ("dead-letters", "value too long"),
    "commissions": ("commissions", r"Partner \d"),
    "commissions pending": ("commissions?status=pending", r"Partner \d"),
    "a commission": ("commissions/{commission}", "Accepted, takes the sale"),
    "fraud": ("fraud", "Too fast"),
    "a fraud case": ("fraud/{flagged}/{flagged_partner}", "As fast before"),
    "payouts": ("payouts", r"Partner \d"),
    "a payout run": ("payouts/{run}", r"Partner \d"),
    "a payout": ("payouts/{run}/{payout}", r"Payout of Partner \d"),
    "ledger": ("ledger", "Commission earned"),
    "history": ("history", "added a campaign|approved"),
    "logistics": ("views/logistics", "too small"),
    "tech": ("views/tech", r"\bapi\b"),
    "marketing": ("views/marketing", r"Campaign \d"),
    "finance": ("views/finance", "Paid out"),
    "campaigns": ("campaigns", r"Campaign \d"),
    "a campaign": ("campaigns/{campaign}", "Campaign 1"),
    "cases": ("cases", "An amount is doubtful"),
    "a case": ("cases/{case}", "The order was larger than you say"),
    "creatives": ("creatives", r"Pan \d"),
    "a creative": ("creatives/{creative}", "Pan 0"),
    "newsletters": ("newsletters", "News for"),
    "a newsletter": ("newsletters/{issue}", "settled"),
    "validation": ("validation", "orders-1.csv"),
    "invitations": ("invitations", r"Fair \d"),
    "attribution": ("attribution", "Replay"),
    "a replay": ("replays/{replay}", r"Partner \d"),
    "an order of a replay": ("replays/{replay}/{replayed}", "Accepted, takes the sale"),
    "plans": ("plans", "Better"),
    "a simulation": ("plans/simulations/{simulation}", r"Partner \d"),
    "service": ("performance/service", "help desk"),
    "beside the shop": ("performance/shop", "Partners brought"),
    "products": ("performance/products", ">S1"),
    "strengths and weaknesses": ("performance/strengths", "Weak at"),
    "margin": ("performance/margin", "orders left the shop"),
    "new and returning customers": ("performance/customers", "came from new ones"),
    "customers by first order": ("performance/customers-by-first-order", "100"),
    "partners by month": ("performance/partners-by-month", "Active"),
    "lost to other channels": ("performance/channels", r"Partner \d"),
    "what if": ("performance/what-if", r"Partner \d"),
    "notes": ("performance/notes", "What happened on day"),
    "kept reports": ("performance/kept", r"Report \d"),
    "settings": ("settings/overview", "www.shop.example"),
}
_TABLES = {
    "performance by partner": ("performance?by=partner", r"Partner \d"),
    "performance by partner, compared": ("performance?by=partner&compare=before", r"Partner \d"),
    "performance by day": ("performance?by=day", "Conversions|Sales"),
    "performance of a partner": ("performance?by=day&partner={partner}", "Sales"),
    "performance by country": ("performance?by=country", "Italy"),
    "performance by referrer": ("performance?by=referrer", r"blog\d"),
    "performance by device": ("performance?by=device", "Phone"),
    "performance by creative": ("performance?by=creative", r"Pan \d"),
    "performance by coupon": ("performance?by=coupon", r"SAVE\d"),
    "performance by product": ("performance?by=product", r"\bS1"),
    "performance by category": ("performance?by=category", r"\bG1"),
    "funnel": ("performance/funnel", "Checkout"),
}
"""The performance table and the funnel, which may take twice as long.

Each page with its place below the program's, and words that stand on it when it has rows.
"""
_EXPORTS = {
    "orders.csv": "conversions.csv",
    "commissions.csv": "commissions.csv",
    "ledger.csv": "ledger.csv",
    "partners.csv": "partners.csv",
    "partners.xlsx": "partners.xlsx",
    "performance.csv": "performance.csv?by=partner",
    "performance.xlsx": "performance.xlsx?by=partner",
}
_PLACES = {
    "order": ("cnv", "SELECT id FROM conversions WHERE channel IS NULL ORDER BY occurred_at DESC LIMIT 1"),
    "commission": ("com", "SELECT id FROM commissions ORDER BY earned_at DESC LIMIT 1"),
    "flagged": ("cnv", "SELECT conversion_id FROM fraud_verdicts WHERE verdict = 'flag' ORDER BY id DESC LIMIT 1"),
    "flagged_partner": ("ptn", "SELECT partner_id FROM fraud_verdicts WHERE verdict = 'flag' ORDER BY id DESC LIMIT 1"),
    "run": ("run", "SELECT id FROM payout_runs"),
    "payout": ("pay", "SELECT id FROM payouts ORDER BY id LIMIT 1"),
    "case": ("cas", "SELECT id FROM cases WHERE status = 'open' ORDER BY id LIMIT 1"),
    "replayed": ("cnv", "SELECT conversion_id FROM replay_changes ORDER BY occurred_at DESC LIMIT 1"),
}
"""What pages are about that are about one thing: its kind, and how it is found."""
_HALF_WAY = """SELECT earned_minor, replace(CAST(id AS text), '-', '') FROM partner_momentum JOIN enrollments USING (program_id, partner_id)
    ORDER BY earned_minor DESC, id DESC OFFSET (SELECT count(*) / 2 FROM partner_momentum) LIMIT 1"""
"""Where the page in the middle of the list of partners begins."""


def measure() -> Iterator[Figure]:
    """Each page on both sizes; exports in processes that did nothing else before."""
    with pair(_Site, small=CLICKS // 10, large=CLICKS) as both:
        for name in (*_PAGES, *_TABLES):
            both.check(name, (_PAGES | _TABLES)[name][1])
            goal, costs = 200 if name in _TABLES else 100, both.costs(name, times=TIMES)
            yield Figure(
                f"{name}: p95 with {CLICKS:,} clicks, ms", p95_ms(one.took for one in costs.large), f"<= {goal}"
            )
            yield Figure(f"{name}: against a tenth (ratio)", costs.ratio(), "<= 1.5")
            yield Figure(f"{name}: queries", both.queries(name), "<= 20")
        for name in _EXPORTS:
            light, heavy = both.small.ask(_megabytes, name), both.large.ask(_megabytes, name)
            yield Figure(f"export of {name}: memory that it takes, MB", heavy)
            yield Figure(f"export of {name}: memory more than with a tenth, MB", max(heavy - light, 0), "<= 30")


class _Site:
    """A program with its partners, and the browser of its administrator."""

    def __init__(self, engine: Engine, clicks: int) -> None:
        self.now = clock.now()
        with Session(engine, expire_on_commit=False) as session:
            self._found(session, clicks)
            things = self._fill(session, clicks)
        _do_jobs()
        things |= dict(zip((("replay", "rpl"), ("simulation", "sim")), page_written.try_out(self.program, now=self.now), strict=True))  # fmt: skip
        self.visitor = Visitor(self.person)
        places = {name: ids.public(kind, thing) for (name, kind), thing in things.items()}
        with Session(engine) as session:
            places |= {name: ids.public(kind, session.scalars(sa.text(found)).one()) for name, (kind, found) in _PLACES.items()}  # fmt: skip
            places["far"] = "O{}.{}".format(*session.execute(sa.text(_HALF_WAY)).one())
        addresses = {name: page for name, (page, _words) in (_PAGES | _TABLES).items()} | _EXPORTS
        self.pages = {name: f"/console/bench/{page.format(**places)}" for name, page in addresses.items()}

    def _found(self, session: Session, clicks: int) -> None:
        """The program, its partners with their links, and who applies."""
        self.begun = self.now - timedelta(days=90)  # days before are read as they are
        self.program = factories.make_program(session, slug="bench", time_zone="Europe/Rome", created_at=self.begun)
        factories.make_plan(session, program=self.program)
        self.person, self.second = (accounts_cast.make_person(session, name) for name in ("Marta", "Bob"))
        for person in (self.person, self.second):
            accounts_cast.give(session, person, GrantRole.ADMIN)
        self.partners = [
            factories.make_partner(session, program=self.program, name=f"Partner {place}")
            for place in range(max(clicks // _CLICKS_OF_A_PARTNER, _PARTNERS_MIN))
        ]
        self.links = [
            factories.make_link(session, program=self.program, partner=partner, code=f"bench{partner.id.hex}")
            for partner in self.partners
        ]
        for place in range(max(clicks // _CLICKS_OF_AN_APPLICANT, 1)):
            factories.make_partner(session, program=self.program, name=f"New {place}", status=EnrollmentStatus.PENDING)
        session.commit()

    def _fill(self, session: Session, clicks: int) -> dict[tuple[str, str], UUID]:
        """All that happened to it, and things whose pages are opened, by name and kind."""
        own: dict[str, Any] = {"program": self.program, "now": self.now}
        creatives = page_written.make_creatives(
            session, number=max(clicks // _CLICKS_OF_A_CREATIVE, _CREATIVES_MIN), **own
        )
        fill(session, program=self.program, links=self.links, creatives=creatives, busy=1, ends=self.now, clicks=clicks)
        told: dict[str, Any] = {"program_id": self.program.id, "person_id": self.person.id, "now": self.now}
        page_orders.step(session)
        page_partners.name_crew(session, program_id=self.program.id, begun=self.begun)
        page_partners.look_after(session, begun=self.begun, **told)
        sell(session, program_id=self.program.id, of=_CLICKS_OF_AN_ORDER)
        page_books.book(session, second_id=self.second.id, **told)
        page_orders.follow(session, **told)
        page_partners.claim(session, **told)
        issue_id = page_written.make_issues(session, **own)
        page_written.deliver(session, program_id=self.program.id, now=self.now)
        some = {"partners": [one.id for one in self.partners[:40]], "links": [one.id for one in self.links[:40]]}
        campaign_id = page_written.write_down(session, user_id=self.person.id, **own, **some)
        session.execute(sa.text("ANALYZE"))  # or the jobs below would ask by the plans of empty tables
        session.commit()
        return {
            ("partner", "ptn"): self.partners[0].id, ("issue", "nws"): issue_id, ("campaign", "cmp"): campaign_id,
            ("creative", "crv"): creatives[0],
        }  # fmt: skip


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
    return grown_mb(site.person.email, site.pages[export])
