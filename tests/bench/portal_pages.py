"""Home, reports and the page of a link of a busy partner: time, CPU, queries and weight, on a tenth of the clicks and on all of them.

PostgreSQL, one process, without network. `BENCH_PAGE_CLICKS` says how many clicks (1,000,000; ten million take some minutes);
every hundredth of them is a sale, every twentieth is of the partner who looks.
"""

import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from figures import Figure
from page_site import Cost, Visitor, fill, installation, median, p95_ms, tell_origins, vacuum
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from affiliate import clock, ids
from affiliate.attribution.models import Attribution, Credit
from affiliate.commissions.models import Commission
from affiliate.ingest.models import Conversion
from affiliate.programs.models import Program
from affiliate.reports import jobs

sys.path.insert(0, str(Path(__file__).parent.parent))

import accounts_cast
import factories

CLICKS = int(os.environ.get("BENCH_PAGE_CLICKS", "1000000"))
TIMES = 30
PARTNERS, LINKS_EACH, DAYS = 200, 10, 60
_ROWS_AT_ONCE = 2_000
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
            self._sell(session)
            session.commit()
        vacuum(engine)
        jobs.compute_figures()
        return {name: self.visitor.costs(address, times=TIMES) for name, address in self.pages.items()}

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
        tell_origins(session)

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
