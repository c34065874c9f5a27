"""A sale under review as its partner sees it: reason, day, no numbers, one appeal at a time, as a case; nobody else's."""

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
import sqlalchemy as sa
from factories import make_attribution, make_click, make_conversion, make_link, make_user
from flask.testing import FlaskClient
from money_cast import person
from portal_cast import Cast
from sqlalchemy.orm import Session

from affiliate import clock, ids
from affiliate.attribution import service as attribution
from affiliate.commissions import service as commissions
from affiliate.commissions.models import Commission
from affiliate.fraud.models import FraudAppeal
from affiliate.fraud.signals import Verdict
from affiliate.ingest.models import Conversion
from affiliate.relations import service as cases


def stages(session: Session) -> None:
    now = clock.now()
    attribution.attribute_waiting(session, limit=100, clicks_until=now, now=now)
    commissions.commission_waiting(session, limit=100, now=now)
    session.commit()


def doubtful(app_session: Session, cast: Cast, **more: Any) -> Conversion:
    moment = clock.now() - timedelta(days=1)
    click = make_click(app_session, link=cast.link, occurred_at=moment - timedelta(hours=1), network="tor")
    fields: dict[str, Any] = {"click_id": click.id, "occurred_at": moment, "received_at": moment} | more
    conversion = make_conversion(app_session, program=cast.program, **fields)
    make_attribution(app_session, conversion=conversion, partner=cast.partner)
    stages(app_session)
    return conversion


@pytest.fixture
def sale(app_session: Session, cast: Cast) -> Conversion:
    """A sale of Marta's whose click came out of Tor."""
    return doubtful(app_session, cast)


def page_of(session: Session, conversion: Conversion) -> str:
    session.expire_all()
    found = sa.select(Commission.id).where(Commission.conversion_id == conversion.id, Commission.is_live)
    commission_id = session.scalars(found).one()
    session.commit()
    return f"/portal/casa/commissions/{ids.public('com', commission_id)}"


def decide(session: Session, cast: Cast, sale: Conversion, verdict: Verdict, seen: int = 0) -> None:
    cases.decide_order(
        session, program_id=cast.program.id, conversion_id=sale.id, partner_id=cast.partner.id, verdict=verdict,
        note="We saw a robot.", seen=seen, actor=person(make_user(session, name="Mara Manager")), now=clock.now(),
    )  # fmt: skip
    stages(session)


def test_the_partner_reads_why_and_until_when_but_no_numbers(
    marta: FlaskClient, app_session: Session, sale: Conversion
) -> None:
    page = marta.get(page_of(app_session, sale)).text
    assert "Review of this sale" in page
    assert "The click came out of a data centre or the Tor network." in page
    assert "The program answers by" in page
    assert "A manager looks at it first" in marta.get("/portal/casa/commissions").text


def test_an_appeal_is_a_case_that_a_managers_word_closes(
    marta: FlaskClient, app_session: Session, cast: Cast, sale: Conversion
) -> None:
    form = re.findall(r'href="(/portal/casa/cases/new[^"]+)"', marta.get(page_of(app_session, sale)).text)[0]
    assert f'value="{sale.order_id}"' in marta.get(unescape(form)).text
    claim = {"kind": "fraud_appeal", "order_id": sale.order_id}
    refused = marta.post("/portal/casa/cases", data=claim | {"text": "  "})
    assert refused.status_code == 422
    opened = marta.post("/portal/casa/cases", data=claim | {"text": "I use a VPN."})
    assert opened.status_code == 303
    shown = marta.get(page_of(app_session, sale)).text
    assert "I use a VPN." in shown
    assert opened.location in shown
    assert "/cases/new" not in shown
    again = marta.post("/portal/casa/cases", data=claim | {"text": "Again!"})
    assert again.status_code == 409
    assert "Your last appeal has not been answered yet." in again.text
    assert len(app_session.scalars(sa.select(FraudAppeal)).all()) == 1

    decide(app_session, cast, sale, Verdict.REJECT)
    case = marta.get(opened.location).text
    assert "Declined" in case
    assert "We saw a robot." in case
    shown = marta.get(page_of(app_session, sale)).text
    assert "We saw a robot." in shown
    assert "Mara Manager" not in shown
    assert "/cases/new" in shown
    second = marta.post("/portal/casa/cases", data=claim | {"text": "Please look again."})
    decide(app_session, cast, sale, Verdict.PASS, seen=1)
    assert "Accepted" in marta.get(second.location).text
    assert "kind=fraud_appeal" not in marta.get(page_of(app_session, sale)).text
    passed = marta.post("/portal/casa/cases", data=claim | {"text": "Thank you."})
    assert "This order is not under review any more." in passed.text


@pytest.mark.parametrize("is_first", [True, False])
def test_the_form_is_about_the_sale_from_which_one_came(
    marta: FlaskClient, app_session: Session, cast: Cast, sale: Conversion, *, is_first: bool
) -> None:
    same_order = doubtful(app_session, cast, order_id=sale.order_id, kind="lead")
    meant = sorted((sale, same_order), key=lambda one: one.id.hex)[0 if is_first else 1]
    meant_id, order_id = meant.id, meant.order_id
    form = re.findall(r'href="(/portal/casa/cases/new[^"]+)"', marta.get(page_of(app_session, meant)).text)[0]
    [carried] = re.findall(r'name="sale"[^>]*value="([^"]+)"', marta.get(unescape(form)).text)
    claim = {"kind": "fraud_appeal", "order_id": order_id, "sale": carried}
    refused = marta.post("/portal/casa/cases", data=claim).text
    assert f'value="{carried}"' in refused
    assert marta.post("/portal/casa/cases", data=claim | {"text": "I use a VPN."}).status_code == 303
    assert app_session.scalars(sa.select(FraudAppeal.conversion_id)).all() == [meant_id]


def test_a_sale_of_somebody_else_is_not_there(marta: FlaskClient, app_session: Session, cast: Cast) -> None:
    link = make_link(app_session, program=cast.program, partner=cast.other)
    click = make_click(app_session, link=link, network="tor")
    conversion = make_conversion(app_session, program=cast.program, click_id=click.id)
    make_attribution(app_session, conversion=conversion, partner=cast.other)
    stages(app_session)
    assert marta.get(page_of(app_session, conversion)).status_code == 404
    claim = {"kind": "fraud_appeal", "order_id": conversion.order_id, "text": "Mine!"}
    assert marta.post("/portal/casa/cases", data=claim).status_code == 422
    assert app_session.scalars(sa.select(FraudAppeal)).all() == []


def test_an_honest_sale_speaks_of_no_review(marta: FlaskClient, app_session: Session, cast: Cast) -> None:
    conversion = make_conversion(app_session, program=cast.program)
    make_attribution(app_session, conversion=conversion, partner=cast.partner)
    stages(app_session)
    assert "Review of this sale" not in marta.get(page_of(app_session, conversion)).text
