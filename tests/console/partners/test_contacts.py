"""The page of contacts and creatives of one partner, and the history that is narrowed to it."""

import re
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from accounts_cast import give, make_person
from console_cast import Cast, main_of, public, text_of
from creative_cast import make_creative
from factories import make_application, make_clicks, make_partner
from flask.testing import FlaskClient

from affiliate import clock
from affiliate.accounts.actors import SYSTEM
from affiliate.accounts.mail_kinds import MailKind
from affiliate.accounts.models import GrantRole, User
from affiliate.creatives.models import CreativeKind
from affiliate.joining import service as joining
from affiliate.links.models import Link
from affiliate.mailer import Letter
from affiliate.partners import posting
from affiliate.partners.models import Application, Enrollment, Partner
from affiliate.relations import agreeing, duties
from affiliate.relations import service as cases
from affiliate.relations.care_models import PartnerGoal
from affiliate.relations.claims import Claim
from affiliate.relations.models import CaseKind, Side
from affiliate.relations.rounds import Cadence


def contacts_of(partner: Partner) -> str:
    return f"/console/casa/partners/{public('ptn', partner)}/contacts"


def _complain(cast: Cast, partner: Partner, text: str, order_id: str = "A-1") -> None:
    claim = Claim(CaseKind.MISSING_SALE, text, order_id)
    cases.open_case(
        cast.session, program=cast.program, partner_id=partner.id, claim=claim, actor=SYSTEM, now=clock.now()
    )
    cast.session.commit()


def _agree(cast: Cast, partner: Partner, text: str) -> None:
    task = duties.Task(text, Side.PARTNER, Cadence.CONTINUOUS)
    duties.agree(cast.session, program=cast.program, partner_id=partner.id, task=task, actor=SYSTEM, now=clock.now())
    cast.session.commit()


def test_notes_and_cases_stand_in_the_order_of_time_and_lead_on(cast: Cast, mara: FlaskClient) -> None:
    here = contacts_of(cast.partner)
    assert "No contact yet." in text_of(mara.get(here))
    _complain(cast, cast.partner, "Where is my order?")
    _complain(cast, make_partner(cast.session, program=cast.program, name="Another"), "Not of this one")
    noted = mara.post(here.replace("/contacts", "/notes"), data={"text": "Called about it."}, follow_redirects=True)
    page = text_of(noted)
    assert page.index("Called about it.") < page.index("Where is my order?")
    assert re.search(r'href="/console/casa/cases/cas_\w+">Where is my order\?', page)
    assert "Not of this one" not in page


def test_questions_about_the_application_are_contacts(cast: Cast, mara: FlaskClient) -> None:
    row = cast.session.execute(
        sa.select(Application, Enrollment)
        .join(Enrollment, Enrollment.id == Application.enrollment_id)
        .where(Enrollment.partner_id == cast.applicant.id)
    ).one()
    joining.ask(
        cast.session, program=cast.program, application=row[0], enrollment=row[1], text="Which channels?", actor=SYSTEM,
        now=clock.now(),
    )  # fmt: skip
    cast.session.commit()
    assert '#said">Which channels?' in text_of(mara.get(contacts_of(cast.applicant)))


def test_many_contacts_are_paged(cast: Cast, mara: FlaskClient) -> None:
    here = contacts_of(cast.partner)
    for number in range(51):
        mara.post(here.replace("/contacts", "/notes"), data={"text": f"Call {number:02}."})
    first = text_of(mara.get(here))
    assert "Call 50." in first
    assert "Call 00." not in first
    [older] = re.findall(r'rel="next" href="([^"]+)"', first)
    assert "Call 00." in text_of(mara.get(older))


def test_the_creatives_it_used_stand_with_what_they_brought(cast: Cast, mara: FlaskClient) -> None:
    pan = make_creative(cast.session, program=cast.program, title="The pan", now=clock.now())
    make_creative(cast.session, program=cast.program, kind=CreativeKind.TEXT, title="Unused", now=clock.now())
    link = cast.session.scalars(sa.select(Link)).one()
    hour = clock.now().replace(minute=0, second=0, microsecond=0)
    make_clicks(cast.session, link=link, hour=hour, clicks=7, creative=public("crv", pan))
    cast.session.commit()
    page = text_of(mara.get(contacts_of(cast.partner)))
    assert re.search(rf'href="/console/casa/creatives/{public("crv", pan)}">The pan</a></td><td class="num">7<', page)
    assert "Unused" not in page
    assert f'href="/console/casa/performance?partner={public("ptn", cast.partner)}&by=creative"' in page


def test_what_happened_names_duties_too_and_leads_to_all_of_the_history(cast: Cast, mara: FlaskClient) -> None:
    other = make_partner(cast.session, program=cast.program, name="Another")
    _agree(cast, cast.partner, "Two posts")
    _agree(cast, other, "One film")
    page = text_of(mara.get(contacts_of(cast.partner)))
    assert "agreed a responsibility" in page
    address = f"/console/casa/history?partner={public('ptn', cast.partner)}"
    assert f'href="{address}"' in page
    history = text_of(mara.get(address))
    assert "Of Slow Kitchen." in history
    assert "Two posts" in history
    assert "One film" not in history
    assert "One film" in text_of(mara.get("/console/casa/history"))


def test_the_history_of_a_partner_of_another_program_is_not_told(cast: Cast, mara: FlaskClient) -> None:
    stranger = make_partner(cast.session, program=cast.other, name="Stranger")
    cast.session.commit()
    page = text_of(mara.get(f"/console/casa/history?partner={public('ptn', stranger)}"))
    assert "Stranger" not in page
    assert mara.get(contacts_of(stranger)).status_code == 404


def test_notes_are_the_managers_and_what_was_said_is_for_who_may_open_it(
    cast: Cast, mara: FlaskClient, browser_of: Callable[[User], FlaskClient]
) -> None:
    here, today = contacts_of(cast.partner), clock.now().date().isoformat()
    mara.post(here.replace("/contacts", "/notes"), data={"text": "Do not trust her numbers."})
    goals = here.replace("/contacts", "/goals")
    mara.post(goals, data={"metric": "sales", "target": "10", "starts_on": today, "last_on": today})
    goal_id, who = cast.session.scalars(sa.select(PartnerGoal.id)).one(), agreeing.Who(Side.PARTNER, SYSTEM)
    agreeing.answer(cast.session, program=cast.program, goal_id=goal_id, agrees=True, who=who, now=clock.now())
    _complain(cast, cast.partner, "My order is too small.")
    mara.post(f"{goals}/{goal_id}/review", data={"text": "On it."})
    notice: dict[str, Any] = {"program": cast.program, "partner_ids": [cast.partner.id], "now": clock.now()}
    act = ("Look", "http://localhost/portal/casa/payouts")
    for kind, title in ((MailKind.PAID, "You were paid"), (MailKind.PAYMENT_DETAILS, "Your details were changed")):
        posting.tell(
            cast.session, **notice, kind=kind, letter=lambda _person, title=title: Letter(title, ["x"], act, "why")
        )
    cast.session.commit()
    told = (
        "Do not trust her numbers.", "My order is too small.", "On it.", "What happened", "You were paid", "Your details were changed",
    )  # fmt: skip
    seen = {}
    for role in ("manager", "finance", "logistics", "marketing", "reader"):
        someone = make_person(cast.session, f"Some {role}")
        give(cast.session, someone, GrantRole(role), cast.program)
        page = main_of(browser_of(someone).get(here))
        seen[role] = tuple(one in page for one in told)
    assert seen == {
        "manager": (True, True, True, True, True, True),
        "finance": (False, False, True, True, True, True),
        "logistics": (False, True, True, False, False, False),
        "marketing": (False, False, True, False, False, False),
        "reader": (False, True, True, True, True, False),
    }


def test_the_pages_of_a_partner_cost_at_most_twenty_queries(cast: Cast, mara: FlaskClient, count_queries: Any) -> None:
    give(cast.session, cast.mara, GrantRole.MANAGER, cast.other)
    for number in range(3):
        _complain(cast, cast.partner, "Where is it?", str(number))
        _agree(cast, cast.partner, f"Post {number}")
    cast.approved_sale("1")
    make_application(cast.session, program=cast.program, partner=cast.partner, user=cast.ada)
    cast.session.commit()
    page = f"/console/casa/partners/{public('ptn', cast.partner)}"
    for address in (
        page,
        f"{page}/care",
        f"{page}/contacts",
        f"/console/casa/history?partner={page.rsplit('/', maxsplit=1)[-1]}",
    ):
        with count_queries() as counted:
            assert mara.get(address).status_code == 200
        assert len(counted) <= 20, "\n".join(counted.statements)
