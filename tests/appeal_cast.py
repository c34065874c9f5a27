"""A sale under review and its partner's appeal, for tests of cases and of the migration that made them."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from factories import NOW, make_attribution, make_click, make_conversion, make_link
from money_cast import LIMIT, open_books
from sqlalchemy.orm import Session

from affiliate.attribution import service as attribution
from affiliate.fraud import lists
from affiliate.fraud.signals import Verdict
from affiliate.ingest.models import Conversion
from affiliate.relations import queries, service
from affiliate.relations.claims import Claim
from affiliate.relations.models import Case, CaseKind

ORDER = "10482"


class AppealWorld:
    """A sale of the partner's whose click came out of Tor: it is under review."""

    def __init__(self, session: Session) -> None:
        self.session, self.books = session, open_books(session)
        self.program, self.partner = self.books.program, self.books.partner
        self.order = self.doubtful(order_id=ORDER)
        self.work()

    def doubtful(self, **fields: Any) -> Conversion:
        """An order that the rules doubt."""
        link = make_link(self.session, program=self.program, partner=self.partner)
        click = make_click(self.session, link=link, occurred_at=NOW - timedelta(minutes=30), network="tor")
        made = make_conversion(self.session, program=self.program, click_id=click.id, **fields)
        make_attribution(self.session, conversion=made, partner=self.partner)
        return made

    def work(self) -> None:
        """Let the stages pass."""
        self.session.flush()
        attribution.attribute_waiting(self.session, limit=LIMIT, clicks_until=NOW, now=NOW)
        self.books.work(now=NOW)

    def appeal(self, **claim: Any) -> Case:
        """The partner does not agree."""
        values: dict[str, Any] = {"kind": CaseKind.FRAUD_APPEAL, "text": "I use a VPN.", "order_id": ORDER} | claim
        return service.open_case(
            self.session, program=self.program, partner_id=self.partner.id, claim=Claim(**values),
            actor=self.books.alice, now=NOW,
        )  # fmt: skip

    def reply(self, case: Case) -> None:
        """The partner says more."""
        service.reply(
            self.session, program=self.program, partner_id=self.partner.id, case_id=case.id, text="And it was Sunday.",
            proofs=(), actor=self.books.alice, now=NOW + timedelta(minutes=1),
        )  # fmt: skip

    def who(self, case: Case) -> dict[str, Any]:
        """The program's side of a case."""
        return {"program": self.program, "case_id": case.id, "actor": self.books.bob, "now": NOW}

    def decide(
        self, verdict: Verdict, *, seen: int = 0, order: Conversion | None = None, said: int | None = None
    ) -> None:
        """A manager's word on the page of the review."""
        service.decide_order(
            self.session, program_id=self.program.id, conversion_id=(order or self.order).id, partner_id=self.partner.id,
            verdict=verdict, note="We looked.", seen=seen, said=said, actor=self.books.bob,
            now=NOW + timedelta(hours=1 + seen),
        )  # fmt: skip

    def stands(self) -> tuple[Verdict | None, bool]:
        """What counts of the order, and whether an appeal waits with its review."""
        found = lists.history(
            self.session, program_id=self.program.id, conversion_id=self.order.id, partner_id=self.partner.id
        )
        return found.stands, found.open_appeal is not None


def overlook_appeals(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Each order's first look for its appeal finds none, as when the partner commits just after it; gives which looks locked."""
    look, looks, orders = queries.appeal_waiting, [], set[UUID]()

    def late(session: Session, *, conversion_id: UUID, locked: bool = False, **about: Any) -> Case | None:
        looks.append(locked)
        if conversion_id not in orders:
            orders.add(conversion_id)
            return None
        return look(session, conversion_id=conversion_id, locked=locked, **about)

    monkeypatch.setattr(queries, "appeal_waiting", late)
    return looks
