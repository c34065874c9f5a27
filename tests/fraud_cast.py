"""A program for tests of fraud: a partner, its link, orders credited to it, and the verdicts on them."""

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from factories import (
    NOW,
    make_attribution,
    make_click,
    make_conversion,
    make_link,
    make_partner,
    make_program,
    make_user,
)
from sqlalchemy.orm import Session

from affiliate import ids
from affiliate.fraud import counting, judging
from affiliate.fraud.models import FraudVerdict
from affiliate.ingest.models import Conversion, Refund
from affiliate.ingest.rollup_models import PartnerClickHour, ProgramClickHour
from affiliate.links.models import Coupon, LinkStatus
from affiliate.partners.models import Partner

DAY = timedelta(days=1)


class Shop:
    """A program with a partner and its link, and orders that are credited to it."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.program = make_program(
            session, shop_url="https://www.casaondera.example/", allowed_hosts=["www.casaondera.example"]
        )
        self.marta = make_partner(session, program=self.program, user=make_user(session, email="marta@ragu.example"))
        self.link = make_link(session, program=self.program, partner=self.marta)
        session.flush()

    def order(self, *, at: datetime = NOW, after: timedelta = timedelta(minutes=30), **fields: Any) -> Conversion:
        """An order half an hour after a click, credited to Marta. `click` are facts of the click."""
        click = make_click(self.session, link=self.link, occurred_at=at - after, **fields.pop("click", {}))
        return self.credited(click_id=click.id, occurred_at=at, received_at=at, **fields)

    def credited(self, partner: Partner | None = None, **fields: Any) -> Conversion:
        """An order credited to Marta, or to another partner."""
        is_new = fields.pop("is_new", True)
        conversion = make_conversion(self.session, program=self.program, **fields)
        make_attribution(self.session, conversion=conversion, partner=partner or self.marta, is_new_customer=is_new)
        return conversion

    def by_code(self, **fields: Any) -> Conversion:
        """An order credited by a coupon alone."""
        conversion = make_conversion(self.session, program=self.program, **fields)
        attribution = make_attribution(self.session, conversion=conversion, partner=None)
        coupon = self.session.scalars(sa.select(Coupon)).first() or Coupon(
            id=ids.new(), program_id=self.program.id, partner_id=self.marta.id, code="RAGU", status=LinkStatus.ACTIVE,
            created_at=NOW,
        )  # fmt: skip
        self.session.add(coupon)
        self.session.flush()
        self.session.add(
            judging.queries.Credit(
                id=ids.new(),
                attribution_id=attribution.id,
                partner_id=self.marta.id,
                coupon_id=coupon.id,
                share_bps=10_000,
            )
        )
        self.session.flush()
        return conversion

    def clicks(self, clicks: int, *, partner: Partner | None, at: datetime) -> None:
        """Clicks in the rollups: of a partner, or of the whole program."""
        told = {
            "program_id": self.program.id,
            "hour": at.replace(minute=0),
            "verdict": "valid",
            "clicks": clicks,
            "shard": 0,
        }
        table: Any = ProgramClickHour if partner is None else PartnerClickHour
        self.session.add(table(**told | ({} if partner is None else {"partner_id": partner.id})))

    def judge(self, *conversions: Conversion, now: datetime = NOW) -> list[FraudVerdict]:
        """The verdicts on these orders, in their order; all orders so far are in the past that the rules compare with."""
        self.session.flush()
        everything = self.session.scalars(
            sa.select(Conversion.id).where(Conversion.program_id == self.program.id)
        ).all()
        credits_ = judging.queries.credits_of(self.session, conversion_ids=everything)
        counting.keep(self.session, conversion_ids=everything, credits_=credits_)
        counting.note_refunds(self.session, conversion_ids=self.session.scalars(sa.select(Refund.conversion_id)).all())
        judging.judge(self.session, conversion_ids=[one.id for one in conversions], now=now)
        return [self.verdict(one) for one in conversions]

    def verdict(self, conversion: Conversion) -> FraudVerdict:
        """The one verdict on an order."""
        return self.session.scalars(sa.select(FraudVerdict).where(FraudVerdict.conversion_id == conversion.id)).one()


def spoke(verdict: FraudVerdict) -> list[str]:
    return [finding["rule"] for finding in verdict.findings]


def evidence(verdict: FraudVerdict) -> dict[str, Any]:
    (finding,) = verdict.findings
    return dict(finding["evidence"])
