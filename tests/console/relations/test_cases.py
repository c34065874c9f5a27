"""Cases in the console: what an acceptance posts, who has to agree to it, and what stays of an act that was refused."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from accounts_cast import give, make_person
from console_cast import Cast, public, text_of
from factories import make_conversion
from flask.testing import FlaskClient

from affiliate import clock
from affiliate.accounts.actors import SYSTEM
from affiliate.accounts.models import GrantRole, User
from affiliate.attribution.models import ManualCredit
from affiliate.ingest.models import Conversion
from affiliate.payouts.models import Adjustment
from affiliate.relations import service
from affiliate.relations.claims import Claim
from affiliate.relations.models import Case, CaseKind, CaseStatus
from affiliate.tracking import order_import
from affiliate.tracking.order_import import RowResult

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


@pytest.fixture
def arrives(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tables in which orders were taken in, which ingest would store within seconds."""
    arrived: list[str] = []
    take = order_import.import_orders

    def import_orders(content: bytes, **rest: Any) -> list[RowResult]:
        results = take(content, **rest)
        if results[0].status == "accepted":
            arrived.append(content.decode())
        return results

    monkeypatch.setattr(order_import, "import_orders", import_orders)
    return arrived


@pytest.mark.parametrize("named", ["10482", ""])
def test_an_order_that_never_arrived_is_taken_in_and_credited(
    cast: Cast, mara: FlaskClient, arrives: list[str], named: str
) -> None:
    day = clock.now() - timedelta(days=3)
    case = opened(cast, order_id=named, happened_at=day)
    assert f'href="{at(case, "/order")}"' in mara.get(at(case)).text
    form = mara.get(at(case, "/order")).text
    assert f'value="{named}"' in form
    assert f'value="{day.astimezone(ZoneInfo(cast.program.time_zone)).date()}"' in form
    order = {"order_id": "10482", "amount": "129.00", "placed_on": day.date().isoformat()}
    for _twice in range(2):
        taken = mara.post(at(case, "/order"), data=order)
        assert (taken.status_code, taken.location) == (303, at(case, "?order=10482"))
    assert [line.split(",")[:2] for line in arrives[0].splitlines()] == [["order_id", "amount"], ["10482", "129.00"]]
    assert len(arrives) == 1  # the same once more changes nothing
    make_conversion(cast.session, program=cast.program, order_id="10482")
    cast.session.commit()
    page = mara.get(taken.location).text
    assert re.search(r'name="order_id"[^>]*value="10482"', page)
    accepted = {"settlement": "credit", "order_id": "10482", "text": "You are right", "seen": "1"}
    assert mara.post(at(case, "/accept"), data=accepted).status_code == 303
    assert status(cast, case) is CaseStatus.ACCEPTED
    [order_id] = cast.session.scalars(sa.select(Conversion.order_id).where(Conversion.id == case.conversion_id))
    cast.session.commit()
    assert (order_id, case.order_id) == ("10482", "10482")


@pytest.mark.parametrize(
    ("typed", "place", "sentence"),
    [
        ({"order_id": ""}, "order_id", "This is needed"),
        ({"amount": "12O"}, "amount", "Write an amount"),
        ({"amount": "-1"}, "amount", "Write an amount of zero or more"),
        ({"placed_on": "2099-01-01"}, "placed_on", "Choose a day"),
        ({"placed_on": "soon"}, "placed_on", ""),
    ],
)
def test_an_order_that_cannot_be_is_refused_beside_its_field(
    cast: Cast, mara: FlaskClient, typed: dict[str, str], place: str, sentence: str
) -> None:
    case = opened(cast)
    order = {"order_id": "A <b>", "amount": "129.00", "placed_on": clock.now().date().isoformat()}
    answer = mara.post(at(case, "/order"), data=order | typed)
    assert answer.status_code == 422
    assert sentence in text_of(answer).partition(f'id="{place}-error"')[2]
    assert typed.get("order_id") == "" or "A &lt;b&gt;" in answer.text


def test_orders_of_cases_are_taken_in_by_managers_of_the_program(
    cast: Cast, mara: FlaskClient, browser_of: Callable[[User], FlaskClient]
) -> None:
    case = opened(cast)
    person = make_person(cast.session, "Lea")
    give(cast.session, person, GrantRole.LOGISTICS, cast.program)
    logistics = browser_of(person)
    assert at(case, "/order") not in logistics.get(at(case)).text
    for method in ("get", "post"):
        assert getattr(logistics, method)(at(case, "/order")).status_code == 404
        assert getattr(mara, method)(at(case, "/order").replace("casa", "altra")).status_code == 404


@pytest.mark.parametrize(
    ("act", "typed", "field", "sentence"),
    [
        ("accept", {"settlement": "entry", "amount": "4O", "text": "Yes"}, "amount", "Write an amount"),
        ("accept", {"settlement": "entry", "amount": "", "text": "Yes"}, "amount", "Write an amount"),
        ("accept", {"settlement": "credit", "order_id": "<b>7", "text": "Yes"}, "order_id", "This order is not known."),
        ("accept", {"settlement": "words", "text": " "}, "accept-text", "Write something"),
        ("accept", {"settlement": "release", "text": "Yes"}, "settlement", "An appeal is accepted"),
        ("decline", {"text": ""}, "decline-text", "Write something"),
        ("answer", {"text": ""}, "text", "Write something"),
        ("ask", {"text": ""}, "text", "Write something"),
    ],
)
def test_a_refused_act_says_why_beside_its_field_where_it_was_typed(
    cast: Cast, mara: FlaskClient, act: str, typed: dict[str, str], *, field: str, sentence: str
) -> None:
    case = opened(cast)
    sent = typed | {"seen": "1"} | ({"act": act} if act in {"accept", "decline"} else {})
    answer = mara.post(at(case, f"/{act}"), data=sent)
    page = answer.text
    assert answer.status_code == 422
    assert re.search(rf'id="{field}"[^>]*aria-invalid="true"[^>]*aria-describedby="{field}-error"', page)
    assert sentence in page[page.index(f'id="{field}-error"') :].partition("</p>")[0]
    assert page.count("aria-invalid") == 1
    assert page.count(sentence) == 1  # not at the top as well
    opened_ones = re.findall(r'<dialog class="dlg" id="(\w+)" open data-reopens', page)
    assert opened_ones == ([act] if act in {"accept", "decline"} else [])
    if "order_id" in typed:
        assert re.search(r'name="order_id"[^>]*value="&lt;b&gt;7"', page)
    assert status(cast, case) is CaseStatus.OPEN
    assert "data-reopens" not in mara.get(at(case)).text
