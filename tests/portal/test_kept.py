"""Reports that a person keeps: they open as they were kept, come by mail once, and stop with one press."""

import re
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from accounts_cast import make_person, read, sign_in
from factories import make_clicks, make_commission
from flask import Flask
from flask.testing import FlaskClient
from portal_cast import Cast
from sqlalchemy.orm import Session

from affiliate import clock, db
from affiliate.mailer import OutboxMail
from affiliate.partners.models import Enrollment, EnrollmentStatus, Member
from affiliate.reports import keeping, mailing
from affiliate.reports.asked import Asked, By
from affiliate.reports.keeping import Mailing, Owner
from affiliate.reports.models import ReportMailing, SavedReport
from affiliate.reports.timetable import Every
from affiliate.steering import choosing, jobs

KEPT = "/portal/casa/statistics/kept"


def _keep(browser: FlaskClient, name: str = "Links of the month") -> str:
    browser.post(KEPT, data={"name": name, "by": "link", "span": "last_month", "columns": "clicks_valid,earnings"})
    found = re.search(r"kept/(rep_\w+)", browser.get(KEPT).text)
    assert found is not None
    return found[1]


@pytest.fixture
def due(app_session: Session, cast: Cast) -> SavedReport:
    """Marta's report by link, due every day, since an hour ago; something happened on both days before."""
    now = clock.now()
    owner = Owner(cast.person.id, cast.program.id, cast.partner.id)
    kept = keeping.keep(
        app_session, owner=owner, name="Daily", asked=Asked(by=By.LINK), zone="Europe/Rome", now=now - timedelta(days=9)
    )
    app_session.flush()
    daily = Mailing(Every.DAY, 0, "Europe/Rome")
    keeping.mail(app_session, owner=owner, report_id=kept.id, mailing=daily, now=now - timedelta(days=3))
    yesterday = (now - timedelta(days=1)).replace(minute=0, second=0, microsecond=0)
    make_clicks(app_session, link=cast.link, hour=yesterday, clicks=40)
    make_commission(app_session, program=cast.program, partner=cast.partner, link=cast.link, earned_at=yesterday)
    app_session.commit()
    return kept


def _mails(session: Session) -> list[OutboxMail]:
    return read(session, sa.select(OutboxMail).where(OutboxMail.subject.startswith("Daily: ")))


def _now(session: Session) -> SavedReport:
    """The one report, as it stands now."""
    (found,) = read(session, sa.select(SavedReport))
    return found


def test_a_kept_report_opens_as_it_was_kept(marta: FlaskClient, cast: Cast) -> None:
    _keep(marta)
    page = marta.get(KEPT).text
    assert "/portal/casa/statistics?by=link&amp;span=last_month&amp;columns=clicks_valid,earnings" in page
    assert "Links of the month" in marta.get("/portal/casa/statistics").text


def test_the_same_name_replaces_and_no_name_is_refused(marta: FlaskClient, app_session: Session, cast: Cast) -> None:
    _keep(marta)
    marta.post(KEPT, data={"name": "  Links  of the month ", "by": "coupon"})
    answer = marta.post(KEPT, data={"name": " "}, follow_redirects=True)
    assert "Give the report a name." in answer.text
    assert _now(app_session).arguments == {"by": "coupon"}


def test_hostile_names_stay_text_and_nobody_else_reaches_them(
    app: Flask, marta: FlaskClient, app_session: Session, cast: Cast
) -> None:
    report_id = _keep(marta, "<script>alert(1)</script>")
    assert "<script>alert(1)" not in marta.get(KEPT).text
    ewa = make_person(app_session, "Ewa")
    app_session.execute(sa.update(Member).where(Member.partner_id == cast.other.id).values(user_id=ewa.id))
    app_session.commit()
    other = app.test_client()
    sign_in(other, ewa)
    for path in (f"{KEPT}/{report_id}", f"{KEPT}/{report_id}/delete"):
        assert other.post(path, data={"every": "day", "hour": "8"}).status_code == 404
    marta.post(f"{KEPT}/{report_id}/delete")
    assert read(app_session, sa.select(SavedReport)) == []


def test_so_many_are_kept_and_so_many_come_by_mail(marta: FlaskClient, app_session: Session, cast: Cast) -> None:
    for number in range(keeping.KEPT_MAX + 1):
        answer = marta.post(KEPT, data={"name": f"Report {number}", "by": "link"}, follow_redirects=True)
    assert "You keep 20 reports already" in answer.text
    ids = re.findall(r'kept/(rep_\w+)"', marta.get(KEPT).text)
    for report_id in ids[: keeping.MAILED_MAX + 1]:
        answer = marta.post(f"{KEPT}/{report_id}", data={"every": "week", "hour": "7"}, follow_redirects=True)
    assert "5 reports come by mail already" in answer.text
    for hour in ("24", "9" * 5000, "x"):
        data = {"every": "day", "hour": hour}
        again = marta.post(f"{KEPT}/{ids[0]}", data=data, follow_redirects=True)
        assert again.status_code == 200
    assert "Choose an hour from 0 to 23." in again.text
    mailed = sa.select(SavedReport).where(SavedReport.every.is_not(None))
    assert {one.every for one in read(app_session, mailed)} == {Every.WEEK}


def test_a_report_that_is_due_comes_once_for_the_days_that_ended_last(app_session: Session, due: SavedReport) -> None:
    assert (jobs.send_reports(), jobs.send_reports()) == (1, 0)
    (mail,) = _mails(app_session)
    assert "Sunday ragù" in mail.body_text
    assert "€10.00" in mail.body_text
    assert "<th" in (mail.body_html or "")
    assert mail.stop_url is not None
    following = _now(app_session).next_at
    assert following is not None
    assert following > clock.now()


def test_of_two_jobs_at_once_one_sends(app_session: Session, due: SavedReport) -> None:
    now = clock.now()
    with db.reading() as session:
        both = [mailing.written(session, report_id=due.id, chooser=choosing.narrowed, now=now) for _ in range(2)]
    sent = []
    for outgoing in both:
        assert outgoing is not None
        with db.transaction() as session:
            sent.append(mailing.send(session, outgoing=outgoing, now=now))
    assert sent == [True, False]
    assert len(_mails(app_session)) == 1


def test_a_report_for_days_that_were_mailed_is_not_mailed_again(app_session: Session, due: SavedReport) -> None:
    expected = due.next_at
    jobs.send_reports()
    app_session.execute(sa.update(SavedReport).values(next_at=expected))
    app_session.commit()
    assert jobs.send_reports() == 0
    assert len(_mails(app_session)) == len(read(app_session, sa.select(ReportMailing.due_at))) == 1


def test_who_may_not_see_it_any_more_gets_nothing(app_session: Session, cast: Cast, due: SavedReport) -> None:
    app_session.execute(sa.update(Enrollment).values(status=EnrollmentStatus.BANNED))
    app_session.commit()
    assert jobs.send_reports() == 0
    kept = _now(app_session)
    assert (kept.every, kept.next_at, _mails(app_session)) == (None, None, [])


def test_the_mail_is_in_the_language_of_its_reader(app_session: Session, cast: Cast, due: SavedReport) -> None:
    cast.person.locale = "it"
    app_session.add(cast.person)
    app_session.commit()
    jobs.send_reports()
    assert "10,00\u00a0€" in _mails(app_session)[0].body_text


def test_a_look_at_the_link_stops_nothing_and_one_press_does(
    client: FlaskClient, app_session: Session, due: SavedReport
) -> None:
    jobs.send_reports()
    path = (_mails(app_session)[0].stop_url or "").removeprefix("http://localhost")
    page = client.get(path, follow_redirects=True)
    assert "Send it no more" in page.text
    assert _now(app_session).every is Every.DAY
    assert client.post(path).status_code == 400  # neither a provider's button nor ours
    assert client.post(path, data={"List-Unsubscribe": "One-Click"}).status_code == 200
    assert _now(app_session).every is None
    assert "does not come by mail any more" in client.post(page.request.path).text
    assert client.get(path[:-3]).status_code == 302
    assert client.get(page.request.path[:-3]).status_code == 404


def test_an_hour_of_the_day_is_one_of_the_readers_zone(marta: FlaskClient, app_session: Session, cast: Cast) -> None:
    report_id = _keep(marta)
    marta.post(f"{KEPT}/{report_id}", data={"every": "day", "hour": "6"})
    kept = _now(app_session)
    assert kept.time_zone == "Europe/Rome"
    assert isinstance(kept.next_at, datetime)
    assert "Next mail: " in marta.get(KEPT).text
