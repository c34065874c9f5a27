"""Home, reports and the page of a link of a busy partner: time, CPU, queries and weight, on a tenth of the clicks and on all of them.

PostgreSQL, one process, without network. `BENCH_PAGE_CLICKS` says how many clicks (1,000,000; ten million take some minutes);
every hundredth of them is a sale, every twentieth is of the partner who looks.
"""

import os
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from figures import Figure
from page_sales import sell
from page_site import Cost, Visitor, fill, installation, median, median_cpu, p95_ms, vacuum
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from affiliate import clock, ids
from affiliate.programs.models import Program
from affiliate.reports import jobs

sys.path.insert(0, str(Path(__file__).parent.parent))

import accounts_cast
import factories

CLICKS = int(os.environ.get("BENCH_PAGE_CLICKS", "1000000"))
TIMES = 30
PARTNERS, LINKS_EACH, DAYS = 200, 10, 60
_CLICKS_OF_AN_ORDER = 100
_PAGES = {
    "home": "/portal/bench/",
    "earnings": "/portal/bench/commissions",
    "report by day": "/portal/bench/statistics",
    "report by link, compared": "/portal/bench/statistics?by=link&compare=before",
    "report by sub id": "/portal/bench/statistics?by=sub",
    "report by country": "/portal/bench/statistics?by=country",
}


def measure() -> Iterator[Figure]:
    """Each page on both sizes."""
    with installation() as engine:
        yield from _measured(engine)


def _measured(engine: Engine) -> Iterator[Figure]:
    with Session(engine, expire_on_commit=False) as session:
        site = _Site(session, clock.now())
    few = CLICKS // 10
    small = site.timed(engine, first=1, last=few)
    large = site.timed(engine, first=few + 1, last=CLICKS)
    for name, address in site.pages.items():
        yield Figure(f"{name}: p95 with {CLICKS:,} clicks, ms", p95_ms(one.took for one in large[name]), "<= 60")
        yield Figure(f"{name}: p95 of the web process's CPU, ms", p95_ms(one.cpu for one in large[name]), "<= 60")
        ratio = median(large[name]) / median(small[name])
        yield Figure(f"{name}: median against a tenth of the clicks (ratio)", ratio, "<= 1.3")
        cpu = median_cpu(large[name]) / median_cpu(small[name])
        yield Figure(f"{name}: the web process's CPU against a tenth (ratio)", cpu, "<= 1.3")
        yield Figure(f"{name}: queries", site.visitor.queries(address), "<= 15")
    yield Figure(
        "home: first paint without charts, compressed, KB", site.visitor.weight_kb(site.pages["home"]), "<= 250"
    )


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
        self.visitor = Visitor(person)
        self.pages = _PAGES | {"link by sub id": f"/portal/bench/links/{ids.public('lnk', self.links[0].id)}"}

    def timed(self, engine: Engine, *, first: int, last: int) -> dict[str, list[Cost]]:
        """Add these clicks with their sales, and open each page so many times; what each cost."""
        with Session(engine) as session:
            fill(
                session, program=self.program, links=self.links, busy=LINKS_EACH, ends=self.now, first=first, last=last
            )
            sell(session, program_id=self.program.id, of=_CLICKS_OF_AN_ORDER)
            session.commit()
        vacuum(engine)
        jobs.compute_figures()
        return {name: self.visitor.costs(address, times=TIMES) for name, address in self.pages.items()}
