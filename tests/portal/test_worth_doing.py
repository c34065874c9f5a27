"""What the home page tells a partner to do, and what is new for it."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from creative_cast import make_creative
from factories import give_click, make_click, make_clicks, make_commission, make_link, make_partner, make_payout
from flask.testing import FlaskClient
from newsletter_cast import make_issue
from portal_cast import Cast
from sqlalchemy.orm import Session

from affiliate import clock, ids
from affiliate.accounts.actors import SYSTEM, Actor
from affiliate.accounts.mail_kinds import MailKind
from affiliate.attribution.models import Credit
from affiliate.links.models import Link
from affiliate.mailer import Letter
from affiliate.newsletters.models import IssueStatus
from affiliate.partners import noticing
from affiliate.partners.models import Enrollment, Member
from affiliate.payouts.models import Cadence, PaperState, PayoutMethod, PayoutPolicy
from affiliate.relations import service as cases
from affiliate.relations.claims import Claim
from affiliate.relations.models import Case, CaseKind
from affiliate.reports import jobs

HOME = "/portal/casa/"


def listed(page: str, title: str) -> bool:
    """Whether a panel of this title stands on the page."""
    return f">{title}</h2>" in page


def open_case(session: Session, cast: Cast) -> Case:
    """A case about order 1001."""
    claim = Claim(CaseKind.MISSING_SALE, "It is not there.", "1001")
    person = Actor("user", cast.person.id)
    return cases.open_case(
        session, program=cast.program, partner_id=cast.partner.id, claim=claim, actor=person, now=clock.now()
    )


def test_who_has_nothing_to_do_sees_no_empty_panels(marta: FlaskClient, cast: Cast) -> None:
    page = marta.get(HOME).text
    assert cast.partner.name in page
    assert not listed(page, "Worth doing now")
    assert not listed(page, "New for you")


def test_without_an_account_nothing_can_be_paid(marta: FlaskClient, app_session: Session, cast: Cast) -> None:
    app_session.execute(sa.delete(PayoutMethod).where(PayoutMethod.partner_id == cast.partner.id))
    app_session.commit()
    page = marta.get(HOME).text
    assert "Say where your money goes" in page  # among the first steps
    assert not listed(page, "Worth doing now")
    make_clicks(app_session, link=cast.link, hour=clock.now().replace(minute=0, second=0, microsecond=0), clicks=1)
    app_session.commit()
    assert listed(marta.get(HOME).text, "Worth doing now")


_HELP = {
    "Say where you promote": "No website of your own?",
    "Make your first link": "Not sure where to lead?",
    "Use a banner or a text": "Nothing that suits you?",
    "Get your first click": "No click yet?",
    "Say where your money goes": "It takes a minute.",
}


@pytest.mark.parametrize("has_link", [True, False])
@pytest.mark.parametrize("days", [2, 3])
def test_a_first_step_that_waits_for_days_says_what_helps(
    marta: FlaskClient, app_session: Session, cast: Cast, days: int, *, has_link: bool
) -> None:
    since, mine = clock.now() - timedelta(days=days), {"partner_id": cast.partner.id}
    app_session.execute(sa.delete(PayoutMethod).filter_by(**mine))
    app_session.execute(sa.update(Enrollment).filter_by(**mine).values(decided_at=since))
    cast.partner.website = cast.partner.country = ""
    if has_link:
        cast.link.created_at = since
    else:
        app_session.execute(sa.delete(Link).filter_by(**mine))
    app_session.commit()
    page = marta.get(HOME).text
    steps = page[page.index(">First steps</h2>") :].partition("</section>")[0]
    not_yet = {"Make your first link"} if has_link else {"Use a banner or a text", "Get your first click"}
    told = {name for name, helps in _HELP.items() if helps in steps}
    assert told == (_HELP.keys() - not_yet if days == 3 else set())
    assert ("Your website and your country stand" in steps) is (days == 2)  # the next one says what to do
    assert steps.count('class="reason"') == max(1, len(told))


@pytest.mark.parametrize(("clicks", "sales"), [(100, 0), (99, 0), (500, 1)])
def test_a_hundred_clicks_without_a_sale_are_worth_a_look(
    marta: FlaskClient, app_session: Session, cast: Cast, clicks: int, sales: int
) -> None:
    is_told = (clicks, sales) == (100, 0)
    an_hour_ago = clock.now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
    make_clicks(app_session, link=cast.link, hour=an_hour_ago, clicks=clicks)
    for _ in range(sales):
        make_commission(app_session, program=cast.program, partner=cast.partner, link=cast.link, earned_at=an_hour_ago)
    app_session.commit()
    page = marta.get(HOME).text
    assert (f"{clicks} clicks, no sale" in page) is is_told
    assert ("Sunday ragù, in 30 days" in page) is is_told


@pytest.mark.parametrize("told", ["unused", "used", "two partners", "for others"])
def test_a_creative_that_others_do_well_with_is_suggested_until_it_is_used(
    marta: FlaskClient, app_session: Session, cast: Cast, told: str
) -> None:
    now = clock.now()
    partners = [make_partner(app_session, program=cast.program) for _ in range(3)]
    creative = make_creative(app_session, program=cast.program, now=now - timedelta(days=20))
    creative.only_partner_id = partners[0].id if told == "for others" else None
    name, hour = ids.public("crv", creative.id), now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=2)
    links = [make_link(app_session, program=cast.program, partner=partner) for partner in partners]
    for link in links[: 2 if told == "two partners" else 3]:
        make_clicks(app_session, link=link, hour=hour, clicks=10, creative=name)
    if told == "used":
        make_clicks(app_session, link=cast.link, hour=hour, clicks=1, creative=name)
    for _ in range(3):
        click = make_click(app_session, link=links[0], occurred_at=hour, creative=name)
        sold = make_commission(app_session, program=cast.program, partner=partners[0], link=links[0], earned_at=hour)
        give_click(app_session, credit=app_session.get_one(Credit, sold.credit_id), click_id=click.id)
    app_session.commit()
    jobs.compute_figures()
    assert ("Others do well with it" in marta.get(HOME).text) is (told == "unused")


def test_a_payout_that_waits_for_an_invoice_asks_for_it(marta: FlaskClient, app_session: Session, cast: Cast) -> None:
    for partner, proposer in ((cast.partner, cast.person), (cast.other, cast.person)):
        make_payout(
            app_session, program=cast.program, partner=partner, proposer=proposer, amount_minor=40_00,
            paper=PaperState.AWAITED,
        )  # fmt: skip
    app_session.commit()
    assert marta.get(HOME).text.count("Send your invoice") == 1


def test_a_question_waits_for_its_answer_and_an_answer_is_news(
    marta: FlaskClient, app_session: Session, cast: Cast
) -> None:
    case = open_case(app_session, cast)
    who = {"program": cast.program, "case_id": case.id, "actor": SYSTEM, "now": clock.now()}
    cases.answer(app_session, text="Which day was it?", asks=True, **who)
    app_session.commit()
    assert "Answer the program" in marta.get(HOME).text
    cases.reply(
        app_session, program=cast.program, partner_id=cast.partner.id, case_id=case.id, text="Sunday.", proofs=(),
        actor=Actor("user", cast.person.id), now=clock.now(),
    )  # fmt: skip
    cases.decline(app_session, text="It was sent back.", seen=3, **who)
    app_session.commit()
    page = marta.get(HOME).text
    assert not listed(page, "Worth doing now")
    assert "A sale is missing, 1001: Declined" in page


def test_material_and_newsletters_are_news_for_two_weeks(marta: FlaskClient, app_session: Session, cast: Cast) -> None:
    now = clock.now()
    make_creative(app_session, program=cast.program, now=now - timedelta(days=13), title="Advent pans")
    make_creative(app_session, program=cast.program, now=now - timedelta(days=15), title="Autumn pans")
    for days in (1, 15):
        issue = make_issue(app_session, program=cast.program, now=now)
        issue.status, issue.release_at = IssueStatus.SENT, now - timedelta(days=days)
    app_session.commit()
    page = marta.get(HOME).text
    news = page[page.index(">New for you</h2>") :].partition("</section>")[0]
    assert "Advent pans" in news
    assert "Autumn pans" not in news
    assert news.count("/newsletters/nws_") == 1
    assert news.index("/newsletters/") < news.index("Advent pans")  # the newest first


def noted(session: Session, cast: Cast, title: str, *, days: int = 0, path: str = "", kind: str = "agreed") -> str:
    """A notice of so many days ago, and where a press on it goes."""
    at, program_id = clock.now() - timedelta(days=days), cast.program.id
    act = ("Open", f"http://localhost{path}") if path else None
    one = noticing.notice(
        program_id=program_id, partner_id=cast.partner.id, kind=MailKind(kind),
        letter=lambda _person: Letter(title, [], act), now=at,
    )  # fmt: skip
    session.add(one)
    session.commit()
    return f"/portal/casa/notices/{ids.public('not', one.id)}"


def news_of(marta: FlaskClient) -> str:
    """The panel of what is new."""
    return marta.get(HOME).text.partition(">New for you</h2>")[2].partition("</section>")[0]


def test_the_newest_unread_notices_are_news_until_they_are_opened(
    marta: FlaskClient, app_session: Session, cast: Cast
) -> None:
    app_session.execute(sa.update(Member).values(created_at=clock.now() - timedelta(days=30)))
    noted(app_session, cast, "Too old", days=15)
    addresses = [noted(app_session, cast, f"Goal {day}", days=day, path="/portal/casa/payouts") for day in (5, 4, 3, 2)]
    make_creative(app_session, program=cast.program, now=clock.now() - timedelta(days=3, hours=1), title="Advent pans")
    app_session.commit()
    news = news_of(marta)
    assert [title in news for title in ("Too old", "Goal 5", "Goal 4", "Goal 3", "Goal 2")] == [
        False,
        False,
        *[True] * 3,
    ]
    assert news.index("Goal 2") < news.index("Advent pans") < news.index("Goal 4")
    assert marta.post(addresses[-1]).location == "/portal/casa/payouts"
    news = news_of(marta)
    assert ("Goal 2" in news, "Goal 5" in news) == (False, True)
    assert f'action="{addresses[0]}"' in news
    assert "Notices: 4 new" in marta.get(HOME).text
    for address in addresses:
        marta.post(address)
    news = news_of(marta)
    assert [title in news for title in ("Advent pans", "Goal", "Too old")] == [True, False, False]


def test_what_news_tells_already_is_told_once(marta: FlaskClient, app_session: Session, cast: Cast) -> None:
    case = open_case(app_session, cast)
    who: dict[str, Any] = {"program": cast.program, "case_id": case.id, "actor": SYSTEM, "now": clock.now()}
    cases.decline(app_session, text="It was sent back.", seen=1, **who)
    app_session.commit()
    noted(app_session, cast, "Answered", path=f"/portal/casa/cases/{ids.public('cas', case.id)}", kind="cases")
    news = news_of(marta)
    assert ("Declined" in news, "Answered" in news) == (True, False)
    assert news.count("<li>") == 1


def test_notices_as_news_take_no_more_queries_and_stay_text(
    marta: FlaskClient, app_session: Session, cast: Cast, count_queries: Any
) -> None:
    with count_queries() as before:
        marta.get(HOME)
    for number in range(30):
        noted(app_session, cast, f"<b>Goal</b> {number}", days=1)
    with count_queries() as after:
        page = marta.get(HOME).text
    assert len(after) == len(before) <= 15
    assert "Notices: 30 new" in page
    assert "&lt;b&gt;Goal&lt;/b&gt;" in news_of(marta)


def test_the_next_payout_is_named_with_its_day(marta: FlaskClient, app_session: Session, cast: Cast) -> None:
    policy = PayoutPolicy(program_id=cast.program.id, cadence=Cadence.MONTHLY, net_days=0, is_one_person=False)
    policy.updated_at = clock.now()
    app_session.add(policy)
    app_session.commit()
    assert "0 sales, in the payout of 1 " in marta.get(HOME).text
