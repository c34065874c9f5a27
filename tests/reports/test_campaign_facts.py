"""What came by the parts of a campaign: each click and sale once, the same as counted row by row. On SQLite and PostgreSQL."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from factories import (
    give_click,
    make_click,
    make_clicks,
    make_commission,
    make_link,
    make_partner,
    make_program,
    make_user,
    tell_origin,
)
from sqlalchemy.orm import Session

from affiliate import ids
from affiliate.accounts.actors import SYSTEM
from affiliate.attribution.models import Attribution, Credit
from affiliate.commissions.models import Commission
from affiliate.ingest.models import Click, ClickVerdict
from affiliate.links.models import Coupon, LinkStatus
from affiliate.payouts.models import CostKind, PartnerCost
from affiliate.programs.models import Program
from affiliate.reports import campaign_facts, campaign_sheet, campaigning, queries
from affiliate.reports.campaign_facts import WHOLE, Parts
from affiliate.reports.campaigning import Draft
from affiliate.reports.metrics import Facts, total
from affiliate.reports.periods import Period

DAYS = Period(date(2026, 9, 1), date(2026, 9, 8), "Europe/Rome")
AT = datetime(2026, 9, 3, 10, 0, tzinfo=UTC)


class Shop:
    """Three partners: one in the campaign, two of whom it has a link, a coupon and a creative."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.program: Program = make_program(session)
        self.partners = [make_partner(session, program=self.program) for _ in range(3)]
        self.links = [make_link(session, program=self.program, partner=one) for one in self.partners]
        self.creative = ids.new()
        self.coupon = Coupon(
            id=ids.new(), program_id=self.program.id, partner_id=self.partners[2].id, code="AUTUMN",
            status=LinkStatus.ACTIVE, created_at=AT,
        )  # fmt: skip
        session.add(self.coupon)
        session.flush()
        for number, link in enumerate(self.links):
            for creative in ("", ids.public("crv", self.creative)):
                for verdict, clicks in ((ClickVerdict.VALID, 4 + number), (ClickVerdict.BOT, 2)):
                    self._clicks(link, creative, verdict, clicks)
        self.parts = Parts(
            partners=frozenset({self.partners[0].id}),
            links=frozenset({self.links[1].id}),
            coupons=frozenset({self.coupon.id}),
            creatives=frozenset({self.creative}),
        )
        self._sales()

    def _clicks(self, link: Any, creative: str, verdict: ClickVerdict, clicks: int) -> None:
        make_clicks(self.session, link=link, hour=AT, clicks=clicks, verdict=verdict, creative=creative)
        for _ in range(clicks):
            make_click(self.session, link=link, occurred_at=AT, verdict=verdict, creative=creative or None)

    def _sales(self) -> None:
        """By partner, by link, by coupon, by creative, by none of them, and one on the day after."""
        ours = self.session.scalars(sa.select(Click).where(Click.creative.is_not(None), Click.partner_id == self.partners[2].id)).first()  # fmt: skip
        assert ours is not None
        for partner, link, coupon, click, at in (
            (0, None, None, None, AT),
            (1, self.links[1], None, None, AT),
            (2, None, self.coupon.id, None, AT),
            (2, None, None, ours.id, AT),
            (2, self.links[2], None, None, AT),
            (0, None, None, None, AT + timedelta(days=7)),
        ):
            sold = make_commission(self.session, program=self.program, partner=self.partners[partner], link=link, earned_at=at, reversed_minor=1_00)  # fmt: skip
            credit = self.session.get_one(Credit, sold.credit_id)
            give_click(self.session, credit=credit, click_id=click)
            tell_origin(self.session, sold, coupon_id=coupon)
            self.session.get_one(Attribution, sold.attribution_id).is_new_customer = partner != 1
        self.session.flush()

    def row_by_row(self) -> Facts:
        """The same, counted one by one."""
        name = ids.public("crv", self.creative)
        clicks = [
            one
            for one in self.session.scalars(sa.select(Click))
            if one.partner_id == self.partners[0].id or one.link_id == self.links[1].id or one.creative == name
        ]
        sold = []
        for commission, credit in self.session.execute(sa.select(Commission, Credit).join(Credit, Credit.id == Commission.credit_id)):  # fmt: skip
            click = self.session.get(Click, credit.click_id) if credit.click_id else None
            is_ours = commission.partner_id == self.partners[0].id or credit.link_id == self.links[1].id
            if (is_ours or credit.coupon_id or (click and click.creative == name)) and commission.earned_at == AT:
                sold.append(commission)
        return Facts(
            "EUR",
            clicks_raw=len(clicks),
            clicks_valid=sum(one.verdict is ClickVerdict.VALID for one in clicks),
            conversions=len(sold),
            revenue_minor=sum(one.revenue_minor for one in sold),
            earned_minor=sum(one.amount_minor - one.reversed_minor for one in sold),
            reversed_minor=sum(one.reversed_minor for one in sold),
            new_customers=3,
            known_customers=4,
            spent_minor=12_00,
        )


def _spend(shop: Shop) -> None:
    person = make_user(shop.session)
    for partner, minor, day in ((0, 12_00, DAYS.first), (0, 5_00, DAYS.end), (1, 7_00, DAYS.first)):
        shop.session.add(
            PartnerCost(
                id=ids.new(), program_id=shop.program.id, partner_id=shop.partners[partner].id, kind=CostKind.SAMPLES,
                spent_on=day, amount_minor=minor, currency="EUR", note="", entered_by_id=person.id, entered_at=AT,
            )
        )  # fmt: skip
    shop.session.flush()


def test_each_click_and_sale_counts_once_by_however_many_parts_it_came(session: Session) -> None:
    shop = Shop(session)
    _spend(shop)
    here: dict[str, Any] = {"program_id": shop.program.id, "currency": "EUR"}
    wanted = [(shop.parts, DAYS), (WHOLE, DAYS), (Parts(coupons=shop.parts.coupons), DAYS)]
    mine, whole, by_coupon = campaign_facts.sums(session, wanted=wanted, **here)
    assert mine == shop.row_by_row()
    assert whole == total(queries.facts_by_day(session, period=DAYS, **here).values(), currency="EUR")
    assert (by_coupon.clicks_raw, by_coupon.conversions, by_coupon.spent_minor) == (0, 1, 0)
    days = campaign_facts.by_day(session, parts=shop.parts, period=DAYS, **here)
    assert list(days) == DAYS.days
    assert total(days.values(), currency="EUR").conversions == mine.conversions
    assert (days[AT.date()].clicks_valid, days[AT.date()].revenue_minor) == (mine.clicks_valid, mine.revenue_minor)


def test_where_a_day_begins_at_half_past_a_click_in_two_parts_is_taken_away_on_its_own_day(session: Session) -> None:
    program = make_program(session)
    link = make_link(session, program=program, partner=make_partner(session, program=program))
    creative, at = ids.new(), datetime(2026, 9, 3, 18, 40, tzinfo=UTC)  # in Kolkata on the 4th, in an hour of the 3rd
    make_clicks(session, link=link, hour=at.replace(minute=0), clicks=1, creative=ids.public("crv", creative))
    make_click(session, link=link, occurred_at=at, creative=ids.public("crv", creative))
    parts = Parts(links=frozenset({link.id}), creatives=frozenset({creative}))
    days = [Period(date(2026, 9, day), date(2026, 9, day + 1), "Asia/Kolkata") for day in (3, 4)]
    here: dict[str, Any] = {"program_id": program.id, "currency": "EUR"}
    found = campaign_facts.sums(session, wanted=[(parts, day) for day in days], **here)
    assert [one.clicks_valid for one in found] == [1, 0]
    by_day = [campaign_facts.by_day(session, parts=parts, period=day, **here) for day in days]
    assert [one.clicks_valid for day in by_day for one in day.values()] == [1, 0]


def test_however_many_campaigns_no_statement_is_about_more_than_ten(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop, asked, sums = Shop(session), list[int](), campaign_facts.sums
    draft = Draft("Autumn", "", DAYS.first, DAYS.end, 0, WHOLE)
    here: dict[str, Any] = {"program_id": shop.program.id, "currency": "EUR"}
    begun = [campaigning.begin(session, draft=draft, actor=SYSTEM, now=AT, **here) for _ in range(12)]

    def counted(session: Session, *, wanted: Any, **more: Any) -> list[Facts]:
        asked.append(len(wanted))
        return sums(session, wanted=wanted, **more)

    monkeypatch.setattr(campaign_facts, "sums", counted)
    found = campaign_sheet.lines(session, program=shop.program, campaigns=begun, now=AT + timedelta(days=30))
    assert asked == [20, 4]  # each in its days and before them
    assert [one.facts.conversions for one in found] == [5] * 12
