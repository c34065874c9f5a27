"""A program that pays, and the acts that move its money, for tests of commissions, ledger and payouts."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from factories import (
    NOW,
    make_attribution,
    make_conversion,
    make_partner,
    make_plan,
    make_program,
    make_user,
)
from sqlalchemy.orm import Session

from affiliate.accounts.actors import Actor
from affiliate.accounts.models import User
from affiliate.attribution.models import Attribution
from affiliate.commissions import service as commissions
from affiliate.commissions.models import Commission
from affiliate.ingest.models import Conversion
from affiliate.ledger import queries as ledger
from affiliate.mailer import OutboxMail
from affiliate.partners.models import Partner
from affiliate.payouts import notices, proof
from affiliate.programs.models import Program

LIMIT = 500
MATURE = NOW + timedelta(days=30)
"""When an order of NOW has been validated."""


@dataclass(frozen=True)
class Books:
    """A program with a plan of ten percent, one partner, and two people who may pay."""

    session: Session
    program: Program
    partner: Partner
    alice: Actor
    bob: Actor

    def order(self, *, partner: Partner | None = None, **fields: Any) -> Conversion:
        """A sale credited to the partner: 100.00 unless said otherwise."""
        conversion = make_conversion(self.session, program=self.program, **fields)
        make_attribution(self.session, conversion=conversion, partner=partner or self.partner)
        return conversion

    def amend(self, conversion: Conversion, *, partner: Partner | None = None, **facts: Any) -> None:
        """The order is believed otherwise now: a new revision, attributed again."""
        for name, value in facts.items():
            setattr(conversion, name, value)
        conversion.revision += 1
        before = self.session.scalars(
            sa.select(Attribution).where(Attribution.conversion_id == conversion.id, Attribution.is_current)
        ).one()
        before.is_current = False
        self.session.flush()
        make_attribution(
            self.session, conversion=conversion, partner=partner or self.partner, version=before.version + 1
        )

    def work(self, *, now: datetime = NOW) -> None:
        """Every stage, as the jobs would do it."""
        commissions.commission_waiting(self.session, limit=LIMIT, now=now)
        commissions.reverse_waiting(self.session, limit=LIMIT, now=now)
        commissions.approve_due(self.session, limit=LIMIT, now=now)
        self.session.expire_all()

    def commission(self, conversion: Conversion, *, partner: Partner | None = None) -> Commission:
        """The live commission of an order, as the database has it."""
        self.session.expire_all()
        of_order = sa.select(Commission).where(Commission.conversion_id == conversion.id, Commission.is_live)
        if partner is not None:
            of_order = of_order.where(Commission.partner_id == partner.id)
        return self.session.scalars(of_order).one()

    def commission_of_new_order(self, **fields: Any) -> Commission:
        """A pending commission of 10.00 unless said otherwise."""
        conversion = self.order(**fields)
        self.work()
        return self.commission(conversion)

    def conversion(self, commission: Commission) -> Conversion:
        """The order of a commission."""
        return self.session.get_one(Conversion, commission.conversion_id)

    def balances(self, partner: Partner | None = None) -> dict[str, int]:
        """What a partner's accounts hold, without the empty ones."""
        whose = {"program_id": self.program.id, "partner_id": (partner or self.partner).id}
        found = ledger.balances_of(self.session, **whose)
        return {str(name): balance for name, balance in found.items() if balance}

    def mails(self) -> list[OutboxMail]:
        """All mails, after those that payouts call for were written, as the job would do it."""
        letters = notices.written(self.session, limit=LIMIT, now=NOW)
        notices.hand_over(self.session, letters=letters)
        return list(self.session.scalars(sa.select(OutboxMail).order_by(OutboxMail.recipient)))

    def assert_proven(self) -> None:
        """The proof of the books finds nothing."""
        self.session.flush()
        assert proof.verify(self.session).findings == []


def open_books(session: Session, **program: Any) -> Books:
    """A fresh program with its partner and people."""
    owner = make_program(session, **program)
    make_plan(session, program=owner)
    return Books(
        session=session,
        program=owner,
        partner=make_partner(session, program=owner, user=make_user(session)),
        alice=person(make_user(session, name="Alice")),
        bob=person(make_user(session, name="Bob")),
    )


def books_of(session: Session) -> Books:
    """The books that somebody has opened in this database."""
    people = {name: person(session.scalars(sa.select(User).filter_by(name=name)).one()) for name in ("Alice", "Bob")}
    program, partner = (session.scalars(sa.select(table)).one() for table in (Program, Partner))
    return Books(session=session, program=program, partner=partner, alice=people["Alice"], bob=people["Bob"])


def person(user: User) -> Actor:
    """Somebody signed in."""
    return Actor(kind="user", id=user.id)
