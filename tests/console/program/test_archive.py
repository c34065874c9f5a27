"""An archived program in the console and for the shop, and a program made like another one."""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from console_cast import Cast, public, text_of
from factories import make_link, make_partner
from flask.testing import FlaskClient

from affiliate import clock
from affiliate.accounts import service as accounts
from affiliate.accounts.actors import Actor
from affiliate.accounts.models import ApiKey, AuditEvent, Grant, User
from affiliate.commissions import terms
from affiliate.commissions.models import CommissionPlan
from affiliate.console.program.copies import portable
from affiliate.joining.models import PublicText
from affiliate.links.models import Link
from affiliate.partners.models import Enrollment
from affiliate.programs.models import Program, ProgramSetup

CLONE = {"name": "Casa Ondera Polska", "shop_url": "https://www.shop.example/pl/"}


def closed(cast: Cast, browser: FlaskClient) -> str:
    answer = browser.post("/console/casa/archive", data={"reason": "The shop is sold"}, follow_redirects=True)
    cast.settle()
    return text_of(answer)


def test_an_archived_program_is_read_and_takes_nothing_new(cast: Cast, mara: FlaskClient) -> None:
    commission = cast.sale("1")
    assert "This program is archived since" in closed(cast, mara)
    assert cast.program.archived_at is not None
    for path in ("", "partners", "conversions", "ledger", "settings", "plans"):
        assert "it can be read, and pays what it owes" in text_of(mara.get(f"/console/casa/{path}"))
    goal = mara.post("/console/casa/goals/usual", data={"metric": "sales"})
    assert (goal.status_code, "takes nothing new" in text_of(goal)) == (409, True)
    assert "A program goes live" not in text_of(mara.post("/console/casa/settings/live"))
    approve = mara.post(
        "/console/casa/commissions/approve", data={"commission": public("com", commission)}, follow_redirects=True
    )
    assert approve.status_code == 200
    cast.settle()
    assert commission.status == "approved"
    assert "Open again, and paused" in text_of(mara.post("/console/casa/reopen", follow_redirects=True))
    assert mara.post("/console/casa/goals/usual", data={"metric": "sales"}).status_code == 303


def test_its_partner_reads_on_and_makes_no_link(cast: Cast, mara: FlaskClient, marta: FlaskClient) -> None:
    closed(cast, mara)
    assert "what you earned is paid" in text_of(marta.get("/portal/casa/"))
    made = marta.post("/portal/casa/links", data={"landing_url": cast.program.shop_url})
    assert (made.status_code, "takes nothing new" in text_of(made)) == (409, True)
    assert marta.post("/portal/casa/creatives/propose").status_code == 409
    assert cast.session.scalar(sa.select(sa.func.count()).select_from(Link)) == 1
    cast.session.commit()
    assert marta.get("/p/casa").status_code == 404


def test_what_only_ends_something_still_goes_in_an_archived_program(
    cast: Cast, mara: FlaskClient, marta: FlaskClient
) -> None:
    facts: dict[str, Any] = {"program_id": cast.program.id, "actor": Actor("user", cast.mara.id), "now": clock.now()}
    shop, _secret = accounts.create_api_key(cast.session, name="Shop", scopes=["reports:read"], **facts)
    board, _secret = accounts.create_api_key(
        cast.session, partner_id=cast.partner.id, name="Board", scopes=["reports:read"], **facts
    )
    cast.session.commit()
    closed(cast, mara)
    assert mara.post(f"/console/casa/tracking/keys/{public('key', shop)}/revoke").status_code == 303
    assert marta.post(f"/portal/casa/keys/{public('key', board)}/revoke").status_code == 303
    assert mara.post("/console/casa/tracking/keys", data={"name": "New"}).status_code == 409
    assert marta.post("/portal/casa/keys", data={"name": "New"}).status_code == 409
    for path in ("performance/shared/shr_0/end", f"newsletters/prospects/{cast.mara.id}/erase"):
        assert mara.post(f"/console/casa/{path}").status_code == 404  # there is none: it was looked for
    ban = f"/console/casa/partners/{public('ptn', cast.partner)}/ban"
    assert mara.post(ban, data={"reason": "Fraud"}).status_code == 303
    for row in (shop, board):
        cast.session.refresh(row)
        assert row.revoked_at is not None
    cast.session.commit()


def test_a_reason_is_needed_and_only_managers_close(cast: Cast, mara: FlaskClient, finn: FlaskClient) -> None:
    assert "Say why" in text_of(mara.post("/console/casa/archive", data={}, follow_redirects=True))
    assert finn.post("/console/casa/archive", data={"reason": "x"}).status_code == 404
    cast.settle()
    assert cast.program.archived_at is None


def test_a_copy_has_settings_and_chosen_parts_and_nothing_else(
    cast: Cast, browser_of: Callable[[User], FlaskClient], mara: FlaskClient
) -> None:
    cast.program.validation_days, cast.program.landing_labels = 17, ["utm_source={program}"]
    text: dict[str, Any] = dict.fromkeys(("headline", "summary", "stands_for", "sold", "audience"), "Pots for life")
    row = PublicText(
        program_id=cast.program.id,
        language="en",
        questions=[],
        updated_at=cast.program.updated_at,
        terms="No spam.",
        **text,
    )
    cast.session.add(row)
    cast.session.commit()
    ada = browser_of(cast.ada)
    assert mara.get("/console/casa/clone").status_code == 404
    ada.post("/console/casa/clone", data=CLONE | {"time_zone": "UTC", "parts": ["plans", "rules", "forms"]})
    made = cast.session.scalars(sa.select(Program).where(Program.slug == "casa-ondera-polska")).one()
    assert (made.status, made.validation_days, made.currency) == ("draft", 17, cast.program.currency)
    assert made.landing_labels == ["utm_source={program}"]

    def of(table: Any) -> list[Any]:
        return list(cast.session.scalars(sa.select(table).where(table.program_id == made.id)))

    assert [(text.headline, text.terms) for text in of(PublicText)] == [("Pots for life", "No spam.")]
    assert len(of(CommissionPlan)) == 1
    assert of(ApiKey) == of(Enrollment) == of(Link) == of(Grant) == []
    trail = sa.select(AuditEvent.details).where(AuditEvent.action == "program.clone")
    assert cast.session.scalars(trail).one() == {"slug": "casa", "parts": ["plans", "rules", "forms"]}


def test_partners_come_along_where_they_were_chosen_without_their_links(
    cast: Cast, browser_of: Callable[[User], FlaskClient]
) -> None:
    make_link(cast.session, program=cast.program, partner=cast.partner, code="second")
    tester = make_partner(cast.session, program=cast.program, name="Test orders")
    of_tests = make_link(cast.session, program=cast.program, partner=tester, code="tests")
    cast.session.add(ProgramSetup(program_id=cast.program.id, test_link_id=of_tests.id, started_at=clock.now()))
    cast.session.commit()
    browser_of(cast.ada).post("/console/casa/clone", data=CLONE | {"time_zone": "UTC", "parts": ["partners"]})
    made = cast.session.scalars(sa.select(Program).where(Program.slug == "casa-ondera-polska")).one()
    inside = cast.session.scalars(sa.select(Enrollment.partner_id).where(Enrollment.program_id == made.id)).all()
    assert inside == [
        cast.partner.id
    ]  # the applicant waits where it applied, and test orders come from a partner of their own
    assert cast.session.scalar(sa.select(sa.func.count()).where(Link.program_id == made.id)) == 0


def test_rules_about_one_partner_stay_behind() -> None:
    simple = terms.simple(rate_bps=800)
    narrow = {"rate_bps": 900, "when": {"partner": "01998f00-0000-7000-8000-0000000000a2"}}
    assert portable({"rules": [*simple["rules"], narrow], "recruiter_bps": 100}) == simple | {"recruiter_bps": 100}
    assert portable({"rules": [narrow]}) is None
