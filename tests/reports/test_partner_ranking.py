"""The database ranks a program's partners as the metrics themselves do, and gives each page its own rows and all of them their sum."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from factories import NOW, make_clicks, make_commission, make_link, make_partner, make_program, make_user
from sqlalchemy.orm import Session

from affiliate import ids
from affiliate.attribution.models import Attribution
from affiliate.payouts.models import CostKind, PartnerCost
from affiliate.programs.models import Program
from affiliate.reports import partner_facts, partner_ranking, tables
from affiliate.reports.asked import NAME
from affiliate.reports.metrics import METRICS, total
from affiliate.reports.partner_ranking import Ranking
from affiliate.reports.periods import last_days
from affiliate.reports.tables import Line

PERIOD = last_days(3, now=NOW, zone="UTC")
MARGIN_BPS = 3_000


@pytest.fixture
def program(session: Session) -> Program:
    """Partners of whom each metric has another order, one who only cost something, one who was quiet."""
    program = make_program(session)
    for number, name in enumerate(("Ewa", "Marta", "Kai", "Ida")):
        partner = make_partner(session, program=program, name=name)
        link = make_link(session, program=program, partner=partner)
        if number != 2:
            make_clicks(session, link=link, hour=NOW.replace(minute=0), clicks=7 * number + 3)
        for order in range((number * 3 + 1) % 4):
            sold = make_commission(
                session, program=program, partner=partner, earned_at=NOW - timedelta(hours=1), revenue_minor=90_00 - number * 9_00,
                amount_minor=6_00 + number * 111, reversed_minor=number * 50,
            )  # fmt: skip
            session.get_one(Attribution, sold.attribution_id).is_new_customer = [True, False, None][
                (order + number) % 3
            ]
    paid = make_partner(session, program=program, name="Paid")
    session.add(
        PartnerCost(
            id=ids.new(),
            program_id=program.id,
            partner_id=paid.id,
            entered_by_id=make_user(session).id,
            entered_at=NOW,
            note="reel",
            kind=CostKind.FLAT_FEE,
            spent_on=PERIOD.first,
            amount_minor=12_00,
            currency="EUR",
        )
    )
    make_partner(session, program=program, name="Quiet")
    session.flush()
    return program


def ranked(session: Session, program: Program, order: str, **narrowed: Any) -> Ranking:
    asked: dict[str, Any] = {"limit": 10} | narrowed
    return partner_ranking.ranked(
        session, program_id=program.id, period=PERIOD, currency="EUR", order=order, margin_bps=MARGIN_BPS, **asked
    )


def lines(found: Ranking) -> list[Line]:
    return [
        Line(one.partner_name, one.partner_name, None, replace(one.facts, margin_bps=MARGIN_BPS)) for one in found.rows
    ]


def test_every_metric_ranks_as_it_does_where_all_rows_are_read(session: Session, program: Program) -> None:
    by_name = lines(ranked(session, program, NAME))
    assert [line.name for line in by_name] == ["Ewa", "Ida", "Kai", "Marta", "Paid"]
    for key in METRICS:
        for order in (key, f"-{key}"):
            found = [line.name for line in lines(ranked(session, program, order))]
            assert found == [line.name for line in tables.in_order(by_name, order)], order
    assert [line.name for line in lines(ranked(session, program, f"-{NAME}"))] == ["Paid", "Marta", "Kai", "Ida", "Ewa"]


def test_a_page_has_its_rows_and_the_sum_of_all(session: Session, program: Program) -> None:
    whole = ranked(session, program, "-earnings")
    pages = [ranked(session, program, "-earnings", limit=2)]
    while pages[-1].first + len(pages[-1].rows) < pages[-1].number:
        last = pages[-1].rows[-1].partner_id
        pages.append(ranked(session, program, "-earnings", limit=2, beside=(last, "after")))
    assert [row for page in pages for row in page.rows] == whole.rows
    assert [(page.first, page.number) for page in pages] == [(0, 5), (2, 5), (4, 5)]
    for page, before in zip(pages[1:], pages, strict=False):
        first = page.rows[0].partner_id
        assert ranked(session, program, "-earnings", limit=2, beside=(first, "before")) == before
    second = whole.rows[1].partner_id
    assert ranked(session, program, "-earnings", limit=2, beside=(second, "before")) == pages[0]  # a whole page
    assert ranked(session, program, "-earnings", limit=2, beside=(ids.new(), "after")) == pages[0]
    assert {page.total for page in pages} == {total((row.facts for row in whole.rows), currency="EUR")}
    assert whole.total.spent_minor == 12_00


def test_rows_are_narrowed_by_name_and_by_who_they_are(session: Session, program: Program) -> None:
    found = ranked(session, program, "-earnings", name="AI")
    assert [row.partner_name for row in found.rows] == ["Kai", "Paid"]
    kai = found.rows[0]
    alone = ranked(session, program, "-earnings", only=[kai.partner_id])
    assert (alone.rows, alone.number) == ([kai], 1)
    make_partner(session, program=program, name="Łukasz Å")
    for part in ("Łuk", "łukasz å", "ŁUK"):
        polish = partner_facts.facts_by_partner(
            session, program_id=program.id, period=PERIOD, currency="EUR", name=part, limit=9
        )
        assert [row.partner_name for row in polish] == ["Łukasz Å"]
    nobody = ranked(session, program, "-clicks_valid", name="%")
    assert (nobody.rows, nobody.number, nobody.total.clicks_raw) == ([], 0, 0)
