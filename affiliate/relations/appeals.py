"""Appeals against a review or rejection of fraud: the side of a case that the fraud stage knows. Never commits."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from affiliate.accounts.actors import Actor
from affiliate.errors import Invalid
from affiliate.fraud import queries as judged
from affiliate.fraud import service as fraud
from affiliate.fraud.signals import Verdict
from affiliate.relations.models import Case

N_ = str  # marks a sentence for the translators


def lodge(
    session: Session, *, program_id: UUID, partner_id: UUID, order_id: str, conversion_id: UUID | None, text: str,
    actor: Actor, now: datetime,
) -> UUID:  # fmt: skip
    """Appeal against the review of the partner's order with this number; gives the id of the conversion.

    An order can have several conversions: `conversion_id` is the one that was meant, if it is the partner's and of this
    order; else it is the one that `fraud.queries.to_appeal` gives.

    Raises:
        Invalid: no order of this partner has the number.
        AppealOpen, NothingToAppeal: of `fraud.service.appeal`.
    """
    mine: dict[str, Any] = {"program_id": program_id, "partner_id": partner_id}
    found = judged.to_appeal(session, order_id=order_id, meant_id=conversion_id, **mine)
    if found is None:
        raise Invalid(
            {"order_id": [N_("No sale of yours with this number was looked at. Open the sale to find its number.")]}
        )
    excerpt = text[: fraud.APPEAL_LENGTH_MAX]  # the case keeps all of it
    fraud.appeal(session, conversion_id=found, text=excerpt, actor=actor, now=now, **mine)
    return found


def decide(session: Session, case: Case, verdict: Verdict, *, note: str, actor: Actor, now: datetime) -> None:
    """The manager's word on the order of an appeal, as the case answers it, by somebody who has read the whole case.

    Nobody has decided since: every word on the order stands in its waiting case, and the caller holds that.

    Raises:
        DomainError: those of `fraud.service.decide`.
    """
    assert case.conversion_id is not None, "an appeal is about an order"  # noqa: S101 - `lodge` gave it
    about: dict[str, Any] = {
        "program_id": case.program_id, "conversion_id": case.conversion_id, "partner_id": case.partner_id,
    }  # fmt: skip
    present = judged.case(session, **about)
    seen = present.decisions if present else 0
    fraud.decide(session, verdict=verdict, note=note, seen=seen, actor=actor, now=now, **about)


def take_back(session: Session, case: Case) -> None:
    """The partner appeals no more. What was written stays in the case."""
    assert case.conversion_id is not None, "an appeal is about an order"  # noqa: S101 - as above
    fraud.take_back_appeal(session, conversion_id=case.conversion_id, partner_id=case.partner_id)
