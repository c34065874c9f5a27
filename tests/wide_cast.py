"""A program with as much as a page can hold: hundreds of partners, a thousand orders, the longest texts, amounts of ten digits."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import event_cast
import sqlalchemy as sa
from creative_cast import make_creative
from factories import (
    make_application,
    make_link,
    make_member,
    make_partner,
    make_payout,
    make_plan,
    make_program,
    make_user,
)
from newsletter_cast import a_draft, make_issue
from sqlalchemy.orm import Session

from affiliate import db, ids
from affiliate.accounts import queries as accounts
from affiliate.accounts.actors import SYSTEM
from affiliate.attribution import service as attribution
from affiliate.commissions import service as commissions
from affiliate.ingest.models import DeadLetter
from affiliate.ingest.service import store_batch
from affiliate.links.models import Coupon, Link, LinkStatus
from affiliate.partners.models import EnrollmentStatus
from affiliate.payouts.models import CostKind, PartnerCost, PayoutStatus
from affiliate.programs.models import Goal, GoalMetric, Program
from affiliate.relations import caring
from affiliate.relations import service as cases
from affiliate.relations.claims import Claim
from affiliate.relations.models import CaseKind
from affiliate.reports import campaigning, margins, remarks
from affiliate.reports.campaign_facts import WHOLE
from affiliate.reports.campaigning import Draft
from affiliate.reports.models import ShopDay

PARTNERS, ORDERS, WAITING = 300, 1_000, 60
OWN_LINKS, OWN_PAYOUTS = 60, 40
"""Of the partner who has the most of everything."""
WORD = "Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz"
MUCH = 99_999_999_99
"""Ten digits of minor units."""


def long(most: int) -> str:
    """A text of so many characters, most of it words that no line holds."""
    return (f"{WORD} " * (most // len(WORD) + 1))[:most].strip().ljust(most, "x")


def make_wide(slug: str, *, owner: str, now: datetime) -> None:
    """The program, with all of it, in the database of this process; in some transactions, for others write meanwhile.

    One of its partners has much of everything: the person of the address `owner` owns it.
    """
    with db.transaction() as session:
        _furnish(session, slug, owner, now)
    for step in (_trade, _write_down):
        with db.transaction() as session:
            program = session.scalars(sa.select(Program).where(Program.slug == slug)).one()
            links = session.scalars(sa.select(Link).where(Link.program_id == program.id).order_by(Link.id)).all()
            step(session, program, links, now)


def _furnish(session: Session, slug: str, owner: str, now: datetime) -> None:
    """The program, its plans, partners and applicants."""
    begun = now - timedelta(days=90)
    program = make_program(session, slug=slug, name=long(120), created_at=begun, shop_url="https://www.shop.example/")
    make_plan(session, program=program, name=long(120), effective_from=begun, published_at=begun)
    make_plan(session, program=program, name=long(120), effective_from=None, published_at=None)
    _full_partner(session, program, owner)
    for number in range(PARTNERS):
        _partner(session, program, number)
    for number in range(WAITING):
        name = f"{number} {long(110)}"
        applicant = make_partner(
            session, program=program, name=name, status=EnrollmentStatus.PENDING, can_be_paid=False
        )
        said = {"channels": long(1_500), "why": long(1_500)}
        make_application(session, program=program, partner=applicant, user=make_user(session, name=long(100)), **said)


def _full_partner(session: Session, program: Program, owner: str) -> None:
    """Before all others, so that the first of the program's links are its own."""
    mine = make_partner(session, program=program, user=accounts.user_by_email(session, email=owner), name=long(120))
    for number in range(OWN_LINKS):
        make_link(
            session, program=program, partner=mine, code=f"{program.slug}-own-{number}", name=f"{number} {long(110)}"
        )
        session.add(Coupon(id=ids.new(), program_id=program.id, partner_id=mine.id, code=f"OWN{number}{'K' * 50}", status=LinkStatus.ACTIVE, created_at=program.created_at))  # fmt: skip
    clerk = make_user(session, name=long(100))
    for _number in range(OWN_PAYOUTS):
        make_payout(session, program=program, partner=mine, proposer=clerk, amount_minor=MUCH, status=PayoutStatus.PAID)
    for _number in range(10):
        make_member(session, user=make_user(session, name=long(100)), partner=mine)


def _partner(session: Session, program: Program, number: int) -> None:
    partner = make_partner(session, program=program, name=f"{number} {long(110)}", can_be_paid=number % 3 == 0)
    code = f"{program.slug}-{number}{'k' * 40}"[:40]
    session.add(Coupon(id=ids.new(), program_id=program.id, partner_id=partner.id, code=f"{number}{'K' * 56}", status=LinkStatus.ACTIVE, created_at=program.created_at))  # fmt: skip
    make_link(session, program=program, partner=partner, code=code, name=long(120), landing_url=f"https://www.shop.example/{'p' * 900}{number}")  # fmt: skip


def _trade(session: Session, program: Program, links: Sequence[Link], now: datetime) -> None:
    """Clicks, orders of them, returns, and what was refused."""
    arrivals, orders, rest = [], [], []
    for number in range(ORDERS):
        link, at = links[number * 7 % (PARTNERS + OWN_LINKS)], now - timedelta(minutes=97 * number + 45)
        arrivals.append(
            event_cast.click(
                number, program_id=program.id, partner_id=link.partner_id, link_id=link.id, click_id=ids.new_at(at), occurred_at=at,
                country=("IT", "PL", "DE")[number % 3], referrer=f"https://{'w' * 60}.{'blog' * 8}{number % 40}.example/{'p' * 200}",
                landing_url=link.landing_url, subs={"sub1": f"{number % 50}{'s' * 90}"},
            )
        )  # fmt: skip
        order_id = f"{number}{'X' * 114}"[:118]
        own = {"program_id": program.id, "delivery": number, "order_id": order_id}
        conversion_id = ids.conversion(program_id=program.id, kind="sale", order_id=order_id)
        items = [{"sku": f"{number % 60}{'S' * 100}", "name": long(180), "group": f"{number % 12}{WORD}", "quantity": 1, "amount_minor": MUCH}]  # fmt: skip
        orders.append(
            event_cast.sale(
                **own, conversion_id=conversion_id, occurred_at=at + timedelta(minutes=20), received_at=at + timedelta(minutes=20),
                amount_minor=MUCH if number % 3 else 19_99, click_id=arrivals[-1].click_id, customer_id=f"c{number % 200}", items=items,
                is_test=number % 50 == 0,
            )
        )  # fmt: skip
        if number % 9 == 0:
            rest.append(event_cast.refund(f"r{number}", **own, reason=long(190), amount_minor=10_00)._replace(conversion_id=conversion_id))  # fmt: skip
        if number % 11 == 0:
            rest.append(event_cast.rejection(5_000 + number, program_id=program.id, payload={"order_id": order_id, "text": long(500)}, received_at=now))  # fmt: skip
    store_batch(session, events=arrivals, now=now)
    store_batch(session, events=orders, now=now)
    store_batch(session, events=rest, now=now)
    for _batch in range(ORDERS // 500 + 1):
        attribution.attribute_waiting(session, limit=500, clicks_until=now, now=now)
        commissions.commission_waiting(session, limit=500, now=now)
        commissions.reverse_waiting(session, limit=500, now=now)


def _write_down(session: Session, program: Program, links: Sequence[Link], now: datetime) -> None:
    """What people write: goals, campaigns, notes, cases, tags, material, letters, costs."""
    own: dict[str, Any] = {"program_id": program.id}
    who: dict[str, Any] = {"actor": SYSTEM, "now": now}
    today = now.date()
    clerk = make_user(session, name=long(100))
    for number in range(30):
        day, partner_id = today - timedelta(days=number), links[number * 3].partner_id
        session.add(Goal(id=ids.new(), **own, metric=list(GoalMetric)[number % len(GoalMetric)], target=MUCH, starts_on=day, ends_on=today + timedelta(days=30), created_at=now))  # fmt: skip
        draft = Draft(f"{number} {long(110)}", long(500), day - timedelta(days=9), day, MUCH, WHOLE)
        campaigning.begin(session, **own, currency="EUR", draft=draft, **who)
        remarks.note(session, **own, day=day, text=long(120), **who)
        claim = Claim(CaseKind.WRONG_AMOUNT, long(4_000), f"{number}{'X' * 110}")
        cases.open_case(session, program=program, partner_id=partner_id, claim=claim, **who)
        caring.tag(session, **own, partner_ids=[partner_id], text=f"{number}{'t' * 30}", **who)
        session.add(DeadLetter(id=ids.new(), **own, stream="clicks", entry_id=f"{program.id.int % 10**12}-{number}", payload="{}", error=long(900), failed_at=now))  # fmt: skip
        spent = {"kind": CostKind.FLAT_FEE, "spent_on": day, "amount_minor": MUCH, "currency": "EUR", "note": long(100)}
        session.add(PartnerCost(id=ids.new(), **own, partner_id=partner_id, entered_by_id=clerk.id, entered_at=now, **spent))  # fmt: skip
        session.add(ShopDay(**own, day=day, currency="EUR", orders=2_000_000_000, revenue_minor=MUCH * 500, costs_minor=MUCH, visitors=2_000_000_000, updated_at=now))  # fmt: skip
    for number in range(5):
        make_creative(session, program=program, now=now, title=f"{number} {long(110)}", campaign="c" * 60)
        make_issue(session, program=program, now=now, draft=a_draft(long(140)))
    margins.set_margins(session, **own, margins={f"{number}{WORD}": 4_000 for number in range(12)}, **who)
    session.flush()
