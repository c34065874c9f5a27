"""Cases in the console: what an acceptance posts, who has to agree to it, and what stays of an act that was refused."""

from typing import Any

from console_cast import Cast, public, text_of
from flask.testing import FlaskClient

from affiliate import clock
from affiliate.accounts.actors import SYSTEM
from affiliate.attribution.models import ManualCredit
from affiliate.payouts.models import Adjustment
from affiliate.relations import service
from affiliate.relations.claims import Claim
from affiliate.relations.models import Case, CaseKind, CaseStatus

ENTRIES = "/console/casa/payouts/entries"


def opened(cast: Cast, **claim: Any) -> Case:
    """A case about order 10482."""
    said: dict[str, Any] = {"kind": CaseKind.MISSING_SALE, "text": "It was mine", "order_id": "10482"} | claim
    case = service.open_case(
        cast.session, program=cast.program, partner_id=cast.partner.id, claim=Claim(**said), actor=SYSTEM,
        now=clock.now(),
    )  # fmt: skip
    cast.session.commit()
    return case


def at(case: Case, rest: str = "") -> str:
    return f"/console/casa/cases/{public('cas', case)}{rest}"


def status(cast: Cast, case: Case) -> CaseStatus:
    cast.session.refresh(case)
    cast.session.commit()
    return case.status


def test_a_credit_above_the_limit_is_approved_where_entries_are(
    cast: Cast, mara: FlaskClient, finn: FlaskClient
) -> None:
    cast.books.order(order_id="10482")
    cast.session.commit()
    case = opened(cast)
    form = {"settlement": "credit", "text": "You are right", "seen": "1"}
    assert mara.post(at(case, "/accept"), data=form).status_code == 303
    assert "waits for a second person" in text_of(mara.get(at(case)))
    [entry] = cast.session.query(Adjustment).all()
    cast.session.commit()
    assert "An order credited by hand" in text_of(finn.get(ENTRIES))
    told = finn.post(f"{ENTRIES}/{public('man', entry)}/approve", follow_redirects=True)
    assert "The order is being decided again." in text_of(told)
    assert cast.session.query(ManualCredit).count() == 1
    cast.session.commit()
    assert "The order was credited by hand." in text_of(mara.get(at(case)))
    assert "Credited" in text_of(finn.get(ENTRIES))
