"""Home, reports and the page of a link of a busy partner: time, CPU, queries and weight, on a hundredth of the clicks and on all of them.

PostgreSQL, one process, without network. `BENCH_PAGE_CLICKS` says how many clicks (ten million, as the goal);
every hundredth of them is a sale, every twentieth is of the partner who looks.
"""

import os
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import page_partners
import page_written
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
PARTNERS, LINKS_EACH, CREATIVES = 200, 10, 100
_CLICKS_OF_AN_ORDER = 100
_PAGES = {
    "home": ("", "commissions/com_"),
    "earnings": ("commissions", "commissions/com_"),
    "report by day": ("statistics", "Sales"),
    "report by link, compared": ("statistics?by=link&compare=before", "A link"),
    "report by sub id": ("statistics?by=sub", r"post-\d"),
    "report by country": ("statistics?by=country", "Italy"),
    "report by device": ("statistics?by=device", "Phone"),
    "report by referrer": ("statistics?by=referrer", r"blog\d"),
    "report by product": ("statistics?by=product", r"\bS\d"),
    "report by category": ("statistics?by=category", r"\bG\d"),
    "report by coupon": ("statistics?by=coupon", r"SAVE\d"),
    "report by creative": ("statistics?by=creative", r"Pan \d"),
    "links": ("links", "bench"),
    "creatives": ("creatives", r"Pan \d"),
    "newsletters": ("newsletters", "News for"),
    "cases": ("cases", "An amount is doubtful"),
    "notices": ("notices", "New material"),
    "link by sub id": ("links/{link}", r"post-\d"),
}
"""Each page with its place below the program's, and words that stand on it when it has rows."""
_FIRST_PAINTED = ("home", "report by day")


def measure() -> Iterator[Figure]:
    """Each page on both sizes."""
    with pair(_Site, small=FEW, large=CLICKS) as both:
        for name, (_place, words) in _PAGES.items():
            both.check(name, words)
            costs = both.costs(name, times=TIMES)
            yield Figure(f"{name}: p95 with {CLICKS:,} clicks, ms", p95_ms(one.took for one in costs.large), "<= 60")
            yield Figure(f"{name}: p95 of the web process's CPU, ms", p95_ms(one.cpu for one in costs.large), "<= 60")
            yield Figure(f"{name}: against {FEW:,} clicks (ratio)", costs.ratio(), "<= 1.3")
            yield Figure(f"{name}: the web process's CPU against {FEW:,} clicks (ratio)", costs.ratio_of_cpu())
            yield Figure(f"{name}: queries", both.queries(name), "<= 15")
        for name in _FIRST_PAINTED:
            weight = both.large.ask(_weight, name)
            yield Figure(f"{name}: first paint without charts, compressed, KB", weight, "<= 250")


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
            now = clock.now()
            creatives = page_written.make_creatives(session, program=self.program, number=CREATIVES, now=now)
            fill(
                session,
                program=self.program,
                links=links,
                creatives=creatives,
                busy=LINKS_EACH,
                ends=now,
                clicks=clicks,
            )
            told: dict[str, Any] = {"program_id": self.program.id, "person_id": person.id, "now": now}
            page_partners.name_crew(session, program_id=self.program.id, begun=begun)
            sell(session, program_id=self.program.id, of=_CLICKS_OF_AN_ORDER)
            page_partners.look_after(session, begun=begun, **told)
            page_partners.claim(session, **told)
            page_written.make_issues(session, program=self.program, now=now)
            page_written.deliver(session, program_id=self.program.id, now=now)
            session.execute(sa.text("ANALYZE"))  # or the jobs below would ask by the plans of empty tables
            session.commit()
        jobs.compute_figures()
        while jobs.count_days() + jobs.count_spans():  # as the schedule does, until nothing is due
            pass
        self.visitor = Visitor(person)
        link = ids.public("lnk", links[0].id)
        self.pages = {name: f"/portal/bench/{place.format(link=link)}" for name, (place, _words) in _PAGES.items()}


def _weight(site: _Site, page: str) -> float:
    return site.visitor.weight_kb(site.pages[page])
