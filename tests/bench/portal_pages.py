"""Home, reports and the page of a link of a busy partner: time, CPU, queries and weight, on a hundredth of the clicks and on all of them.

PostgreSQL, one process, without network. `BENCH_PAGE_CLICKS` says how many clicks (ten million, as the goal);
every hundredth of them is a sale, every twentieth is of the partner who looks.
"""

import os
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa
from figures import Figure
from page_sales import sell
from page_site import Visitor, fill, p95_ms
from page_sizes import pair
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from affiliate import clock, ids
from affiliate.programs.models import Program
from affiliate.reports import jobs

sys.path.insert(0, str(Path(__file__).parent.parent))

import accounts_cast
import factories

CLICKS = int(os.environ.get("BENCH_PAGE_CLICKS", "10000000"))
FEW = CLICKS // 100
TIMES = 30
PARTNERS, LINKS_EACH = 200, 10
_CLICKS_OF_AN_ORDER = 100
_PAGES = {
    "home": "/portal/bench/",
    "earnings": "/portal/bench/commissions",
    "report by day": "/portal/bench/statistics",
    "report by link, compared": "/portal/bench/statistics?by=link&compare=before",
    "report by sub id": "/portal/bench/statistics?by=sub",
    "report by country": "/portal/bench/statistics?by=country",
    "report by device": "/portal/bench/statistics?by=device",
    "report by referrer": "/portal/bench/statistics?by=referrer",
    "report by product": "/portal/bench/statistics?by=product",
    "report by coupon": "/portal/bench/statistics?by=coupon",
    "report by creative": "/portal/bench/statistics?by=creative",
    "links": "/portal/bench/links",
    "creatives": "/portal/bench/creatives",
    "link by sub id": "/portal/bench/links/",
}


def measure() -> Iterator[Figure]:
    """Each page on both sizes."""
    with pair(_Site, small=FEW, large=CLICKS) as both:
        for name in _PAGES:
            costs = both.costs(name, times=TIMES)
            yield Figure(f"{name}: p95 with {CLICKS:,} clicks, ms", p95_ms(one.took for one in costs.large), "<= 60")
            yield Figure(f"{name}: p95 of the web process's CPU, ms", p95_ms(one.cpu for one in costs.large), "<= 60")
            yield Figure(f"{name}: against {FEW:,} clicks (ratio)", costs.ratio(), "<= 1.3")
            yield Figure(f"{name}: the web process's CPU against {FEW:,} clicks (ratio)", costs.ratio_of_cpu())
            yield Figure(f"{name}: queries", both.queries(name), "<= 15")
        yield Figure("home: first paint without charts, compressed, KB", both.large.ask(_weight_of_home), "<= 250")


class _Site:
    """A program with its partners, and the browser of the busiest one."""

    def __init__(self, engine: Engine, clicks: int) -> None:
        with Session(engine, expire_on_commit=False) as session:
            begun = clock.now() - timedelta(days=90)  # days before are read as they are
            self.program: Program = factories.make_program(
                session, slug="bench", time_zone="Europe/Rome", created_at=begun
            )
            factories.make_plan(session, program=self.program)
            person = accounts_cast.make_person(session, "Marta")
            partners = [
                factories.make_partner(session, program=self.program, user=None if number else person)
                for number in range(PARTNERS)
            ]
            links = [
                factories.make_link(
                    session, program=self.program, partner=partner, code=f"bench{partner.id.hex}{number}"
                )
                for partner in partners
                for number in range(LINKS_EACH)
            ]
            session.commit()
            fill(session, program=self.program, links=links, busy=LINKS_EACH, ends=clock.now(), clicks=clicks)
            sell(session, program_id=self.program.id, of=_CLICKS_OF_AN_ORDER)
            session.execute(sa.text("ANALYZE"))  # or the jobs below would ask by the plans of empty tables
            session.commit()
        jobs.compute_figures()
        while jobs.count_days() + jobs.count_spans():  # as the schedule does, until nothing is due
            pass
        self.visitor = Visitor(person)
        self.pages = _PAGES | {"link by sub id": _PAGES["link by sub id"] + ids.public("lnk", links[0].id)}


def _weight_of_home(site: _Site) -> float:
    return site.visitor.weight_kb(site.pages["home"])
