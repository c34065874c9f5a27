"""Rows for tests, inserted directly with sane defaults. Keyword-only; add what you need, keep it small."""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import ids
from affiliate.accounts.models import Grant, GrantRole, User
from affiliate.attribution.models import ORIGIN, Attribution, Credit
from affiliate.commissions import terms as plan_terms
from affiliate.commissions.models import Commission, CommissionPlan, CommissionStatus
from affiliate.ingest import origins, rollups
from affiliate.ingest.models import (
    Click,
    ClickVerdict,
    Conversion,
    OrderEvent,
    OrderEventType,
    Refund,
    Trust,
)
from affiliate.ingest.rollups import Counted
from affiliate.links.models import Link, LinkStatus
from affiliate.partners.models import Application, Enrollment, EnrollmentStatus, Member, MemberRole, Partner
from affiliate.payouts.methods import MethodKind
from affiliate.payouts.models import Payout, PayoutMethod, PayoutRun, PayoutStatus
from affiliate.programs.models import Program, ProgramStatus
from affiliate.programs.service import first_policy

NOW = datetime(2026, 11, 16, 12, 0, tzinfo=UTC)
_numbers = count(1)
Row = TypeVar("Row")


def _add(session: Session, row: Row) -> Row:
    session.add(row)
    session.flush()
    return row


def make_user(session: Session, *, email: str | None = None, name: str = "Alice Example", **fields: Any) -> User:
    """A person without a password."""
    number = next(_numbers)
    values = {"id": ids.new(), "email": email or f"person{number}@example.test", "name": name, "active": True}
    return _add(session, User(**values | {"fs_uniquifier": f"uniquifier{number}", "created_at": NOW} | fields))


def make_grant(session: Session, *, user: User, role: GrantRole, program: Program | None = None) -> Grant:
    """A role, in one program or in all."""
    return _add(
        session,
        Grant(id=ids.new(), user_id=user.id, role=role, program_id=program.id if program else None, created_at=NOW),
    )


def make_program(session: Session, **fields: Any) -> Program:
    """A live program in euro whose links may point to www.shop.example."""
    number = next(_numbers)
    values: dict[str, Any] = {
        "id": ids.new(),
        "slug": f"program-{number}",
        "name": f"Program {number}",
        "status": ProgramStatus.LIVE,
        "currency": "EUR",
        "shop_url": "https://www.shop.example/",
        "allowed_hosts": ["www.shop.example"],
        "created_at": NOW,
        "updated_at": NOW,
    }
    program = _add(session, Program(**values | fields))
    _add(session, first_policy(program.id, program.attribution_window_days, created_at=NOW))
    return program


def make_partner(
    session: Session,
    *,
    program: Program | None = None,
    user: User | None = None,
    status: EnrollmentStatus = EnrollmentStatus.APPROVED,
    name: str | None = None,
    can_be_paid: bool = True,
) -> Partner:
    """A partner who has said how to be paid, enrolled in the program if one is given, owned by the user if one is given."""
    partner = _add(session, Partner(id=ids.new(), name=name or f"Partner {next(_numbers)}", created_at=NOW))
    if can_be_paid:
        make_method(session, partner=partner)
    if program is not None:
        _add(
            session,
            Enrollment(
                id=ids.new(),
                program_id=program.id,
                partner_id=partner.id,
                status=status,
                created_at=NOW,
                updated_at=NOW,
            ),
        )
    if user is not None:
        make_member(session, user=user, partner=partner)
    return partner


def make_method(session: Session, *, partner: Partner, **fields: Any) -> PayoutMethod:
    """Where a partner's money goes since NOW; the details are in no vault."""
    values: dict[str, Any] = {"id": ids.new(), "partner_id": partner.id, "kind": MethodKind.OTHER, "details": ""}
    values |= {"masked": "In •••", "usable_from": NOW - timedelta(days=365), "created_at": NOW}
    return _add(session, PayoutMethod(**values | fields))


def make_member(session: Session, *, user: User, partner: Partner) -> Member:
    """A person who owns the partner."""
    return _add(
        session, Member(id=ids.new(), user_id=user.id, partner_id=partner.id, role=MemberRole.OWNER, created_at=NOW)
    )


def make_link(session: Session, *, program: Program, partner: Partner, **fields: Any) -> Link:
    """An active link to the shop's front page."""
    values: dict[str, Any] = {
        "id": ids.new(),
        "program_id": program.id,
        "partner_id": partner.id,
        "code": f"code{next(_numbers)}",
        "name": "A link",
    }
    values |= {
        "landing_url": "https://www.shop.example/",
        "subs": {},
        "status": LinkStatus.ACTIVE,
        "created_at": NOW,
        "updated_at": NOW,
    }
    return _add(session, Link(**values | fields))


def make_click(
    session: Session, *, link: Link, occurred_at: datetime = NOW - timedelta(days=1), **fields: Any
) -> Click:
    """A valid click on the link, a day before NOW."""
    values: dict[str, Any] = {
        "id": ids.new_at(occurred_at),
        "program_id": link.program_id,
        "partner_id": link.partner_id,
        "link_id": link.id,
    }
    values |= {
        "occurred_at": occurred_at,
        "received_at": occurred_at,
        "verdict": ClickVerdict.VALID,
        "source": "redirect",
        "subs": {},
        "landing_url": link.landing_url,
    }
    return _add(session, Click(**values | fields))


def make_conversion(
    session: Session, *, program: Program, order_id: str | None = None, click_id: UUID | None = None, **fields: Any
) -> Conversion:
    """A verified sale of 100.00 at NOW."""
    order = order_id or f"order-{next(_numbers)}"
    values: dict[str, Any] = {
        "id": ids.conversion(program_id=program.id, kind=fields.get("kind", "sale"), order_id=order),
        "program_id": program.id,
        "kind": "sale",
        "order_id": order,
        "trust": Trust.SERVER,
        "source": "api",
        "is_test": False,
        "amount_minor": 100_00,
        "currency": program.currency,
        "click_id": click_id,
        "items": [],
        "fingerprint": "0" * 64,
        "occurred_at": NOW,
        "received_at": NOW,
    }
    return _add(session, Conversion(**values | fields))


def make_refund(
    session: Session, *, conversion: Conversion, amount_minor: int | None, refund_id: str | None = None, **fields: Any
) -> Refund:
    """Money given back for an order an hour after it was placed; null is all that is left."""
    refund = refund_id or f"refund-{next(_numbers)}"
    values: dict[str, Any] = {
        "id": ids.refund(program_id=conversion.program_id, order_id=conversion.order_id, refund_id=refund),
        "program_id": conversion.program_id,
        "order_id": conversion.order_id,
        "conversion_id": conversion.id,
        "refund_id": refund,
    }
    values |= {
        "amount_minor": amount_minor,
        "currency": conversion.currency,
        "items": [],
        "fingerprint": "0" * 64,
        "is_test": conversion.is_test,
        "occurred_at": conversion.occurred_at + timedelta(hours=1),
        "received_at": conversion.occurred_at + timedelta(hours=1),
    }
    return _add(session, Refund(**values | fields))


def make_order_event(
    session: Session,
    *,
    conversion: Conversion,
    type: OrderEventType = OrderEventType.CANCELLED,  # noqa: A002 - the column's name
    **fields: Any,
) -> OrderEvent:
    """An order is cancelled two hours after it was placed."""
    event = f"event-{next(_numbers)}"
    moment = conversion.occurred_at + timedelta(hours=2)
    values: dict[str, Any] = {
        "id": ids.order_event(program_id=conversion.program_id, order_id=conversion.order_id, event_id=event),
        "program_id": conversion.program_id,
        "order_id": conversion.order_id,
        "conversion_id": conversion.id,
        "event_id": event,
    }
    values |= {
        "type": type,
        "fingerprint": "0" * 64,
        "is_test": conversion.is_test,
        "occurred_at": moment,
        "received_at": moment,
    }
    return _add(session, OrderEvent(**values | fields))


def make_attribution(
    session: Session,
    *,
    conversion: Conversion,
    partner: Partner | None,
    link: Link | None = None,
    version: int = 1,
    **fields: Any,
) -> Attribution:
    """The current outcome of a conversion: all to the partner, or nothing when there is none."""
    values: dict[str, Any] = {
        "id": ids.new(),
        "conversion_id": conversion.id,
        "conversion_revision": conversion.revision,
        "version": version,
    }
    values |= {
        "is_current": True,
        "model": "last_click",
        "policy_version": 1,
        "is_new_customer": conversion.new_customer,
        "reason": None if partner else "no_touch",
        "trace": {},
        "decided_at": NOW,
    }
    attribution = _add(session, Attribution(**values | fields))
    conversion.attributed_revision = conversion.revision
    if partner is not None:
        share = {"partner_id": partner.id, "link_id": link.id if link else None, "share_bps": 10_000}
        credit = _add(session, Credit(id=ids.new(), attribution_id=attribution.id, **share))
        give_click(session, credit=credit, click_id=conversion.click_id)
    return attribution


def give_click(session: Session, *, credit: Credit, click_id: UUID | None) -> None:
    """Say that this click brought the sale, with what it tells."""
    credit.click_id = click_id
    told = origins.of_clicks(session, click_ids=[click_id]) if click_id else {}
    for name, text in told.get(click_id, origins.NOTHING).items():
        setattr(credit, name, text)
    session.flush()
    kept = {name: getattr(credit, name) for name in ORIGIN}
    session.execute(sa.update(Commission).where(Commission.credit_id == credit.id).values(kept))


def tell_origin(session: Session, sale: Commission, **origin: Any) -> None:
    """Say where a sale came from, with what its click tells: its credit and its commission say the same."""
    click_id = origin.get("click_id")
    told = origins.of_clicks(session, click_ids=[click_id]).get(click_id, {}) if click_id else {}
    for row in (session.get_one(Credit, sale.credit_id), sale):
        for name, value in (told | origin).items():
            setattr(row, name, value)
    session.flush()


def make_plan(
    session: Session, *, program: Program, rate_bps: int = 10_00, terms: dict[str, Any] | None = None, **fields: Any
) -> CommissionPlan:
    """Ten percent for everybody, in force for a year."""
    values: dict[str, Any] = {
        "id": ids.new(),
        "program_id": program.id,
        "name": "Standard",
        "terms": terms or plan_terms.simple(rate_bps=rate_bps),
        "effective_from": NOW - timedelta(days=365),
        "published_at": NOW - timedelta(days=365),
        "created_at": NOW,
        "updated_at": NOW,
    }
    return _add(session, CommissionPlan(**values | fields))


def make_clicks(
    session: Session,
    *,
    link: Link,
    hour: datetime,
    clicks: int,
    verdict: ClickVerdict = ClickVerdict.VALID,
    sub: str = "",
    creative: str = "",
) -> None:
    """The rollups of so many clicks in the UTC hour that begins at `hour`, without the clicks themselves."""
    ids_of = (link.program_id.hex, link.partner_id.hex, link.id.hex)
    key = Counted(*ids_of, int(hour.timestamp()) // 3600, verdict.value, sub, "", "", creative)
    rollups.count(session, new=[key] * clicks, moved={})


def make_commission(
    session: Session,
    *,
    program: Program,
    partner: Partner,
    amount_minor: int = 10_00,
    earned_at: datetime = NOW,
    link: Link | None = None,
    order_id: str | None = None,
    **fields: Any,
) -> Commission:
    """A pending commission of 10.00 for a sale of 100.00 at `earned_at`, with its conversion and attribution."""
    conversion = make_conversion(
        session,
        program=program,
        order_id=order_id,
        occurred_at=earned_at,
        is_test=fields.get("status") is CommissionStatus.TEST,
    )
    attribution = make_attribution(session, conversion=conversion, partner=partner, link=link)
    credit = session.query(Credit).filter_by(attribution_id=attribution.id).one()
    values: dict[str, Any] = {
        "id": ids.new_at(earned_at),
        "program_id": program.id,
        "partner_id": partner.id,
        "conversion_id": conversion.id,
    }
    values |= {
        "attribution_id": attribution.id,
        "credit_id": credit.id,
        **{name: getattr(credit, name) for name in ORIGIN},
        "level": 1,
        "is_live": True,
        "status": CommissionStatus.PENDING,
    }
    values |= {
        "currency": program.currency,
        "base_minor": 100_00,
        "revenue_minor": 100_00 if fields.get("level", 1) == 1 else 0,
        "amount_minor": amount_minor,
        "reversed_minor": 0,
        "counted_currency": program.currency,
        "counted_base_minor": 100_00,
        "counted_minor": amount_minor,
        "trace": {},
    }
    values |= {
        "earned_at": earned_at,
        "matures_at": earned_at + timedelta(days=program.validation_days),
        "created_at": earned_at,
    }
    if fields.get("status") in {CommissionStatus.IN_PAYOUT, CommissionStatus.PAID}:
        values["payout_id"] = ids.new()
    return _add(session, Commission(**values | fields))


def make_payout(
    session: Session,
    *,
    program: Program,
    partner: Partner,
    proposer: User,
    amount_minor: int = 50_00,
    status: PayoutStatus = PayoutStatus.PROPOSED,
    **fields: Any,
) -> Payout:
    """A run with one payout of 50.00, approved by somebody else where its status says so."""
    approved = status in {PayoutStatus.APPROVED, PayoutStatus.PAID}
    run = _add(
        session,
        PayoutRun(
            id=ids.new(),
            program_id=program.id,
            currency=program.currency,
            status=status,
            total_minor=amount_minor,
            proposed_by_id=proposer.id,
            proposed_at=NOW,
            approved_by_id=make_user(session).id if approved else None,
            approved_at=NOW if approved else None,
        ),
    )
    values: dict[str, Any] = {
        "id": ids.new(),
        "run_id": run.id,
        "program_id": program.id,
        "partner_id": partner.id,
        "currency": program.currency,
    }
    values |= {
        "status": status,
        "earned_minor": amount_minor,
        "clawed_back_minor": 0,
        "amount_minor": amount_minor,
        "created_at": NOW,
    }
    return _add(session, Payout(**values | fields))


def make_application(
    session: Session, *, program: Program, partner: Partner, user: User, **answers: str
) -> Application:
    """What the partner wrote when it applied to the program."""
    of_partner = (Enrollment.program_id == program.id, Enrollment.partner_id == partner.id)
    enrollment_id = session.scalars(sa.select(Enrollment.id).where(*of_partner)).one()
    said = {"channels": "A blog on cast iron, 4,000 readers", "why": "We cook with your pots."} | answers
    return _add(
        session, Application(id=ids.new(), enrollment_id=enrollment_id, user_id=user.id, answers=said, submitted_at=NOW)
    )
