"""Reports for people without an account: one page by its signed address, until it ends or is taken back."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from console_cast import Cast, public, text_of
from factories import make_clicks, make_link, make_partner
from flask import Flask
from flask.testing import FlaskClient

from affiliate import clock, ids
from affiliate.accounts.actors import SYSTEM
from affiliate.accounts.models import AuditEvent
from affiliate.reports import remarks, sharing
from affiliate.reports.models import SavedReport
from affiliate.reports.shared_models import SharedReport
from affiliate.reports.written_models import Campaign

BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"}
SHARED = "/console/casa/performance/shared"
Share = Callable[..., str]


@pytest.fixture
def share(mara: FlaskClient, cast: Cast, app: Flask) -> Share:
    """Keep a report about partners, share it, and give the path of its address."""
    link = make_link(cast.session, program=cast.program, partner=cast.partner)
    hour = clock.now().replace(minute=0, second=0, microsecond=0) - timedelta(days=2)
    make_clicks(cast.session, link=link, hour=hour, clicks=42)
    other = make_partner(cast.session, program=cast.program, name="Bread & Co")
    make_clicks(cast.session, link=make_link(cast.session, program=cast.program, partner=other), hour=hour, clicks=7)
    cast.session.commit()

    def made(by: str = "partner", **form: str) -> str:
        mara.post("/console/casa/performance/kept", data={"by": by, "columns": "clicks_valid", "name": "For the bank"})
        kept = _only(cast, SavedReport)
        answer = mara.post(SHARED, data={"report": public("rep", kept), "days": "30"} | form)
        assert answer.status_code == 303
        return f"/shared/{sharing.write(app.extensions['affiliate_settings'].secret_key, _only(cast, SharedReport).id)}"

    return made


def _only(cast: Cast, table: Any) -> Any:
    cast.session.expire_all()
    found = cast.session.scalars(sa.select(table)).one()
    cast.session.commit()
    return found


def test_whoever_has_the_address_reads_the_report_without_names_session_or_a_way_on(
    app: Flask, cast: Cast, share: Share
) -> None:
    path = share()
    stranger = app.test_client()
    answer = stranger.get(path, headers=BROWSER)
    page = text_of(answer)
    assert answer.status_code == 200
    assert "For the bank" in page
    assert ">49<" in page  # both partners' clicks
    assert "Partner 1" in page
    assert "Partner 2" in page
    assert cast.partner.name not in page
    assert "Bread & Co" not in page
    assert cast.program.id.hex not in page
    led = {address for address in re.findall(r'href="(/[^"]*)"', page) if not address.startswith("/static/")}
    assert led == {f"{path}/days.{kind}" for kind in ("csv", "xlsx")}  # nothing leads to another page
    file = stranger.get(f"{path}/days.csv", headers=BROWSER)
    lines = file.text.lstrip("\ufeff").splitlines()
    assert (lines[0], sum(int(line.split(",")[1]) for line in lines[1:])) == ("Day,now,the days before", 49)
    assert (file.headers["X-Robots-Tag"], file.headers["Cache-Control"]) == ("noindex, nofollow", "no-store")
    assert stranger.get(f"{path}/days.xlsx").data.startswith(b"PK")
    assert stranger.get(f"{path[:-2]}/days.csv").status_code == 404
    assert "<form" not in page
    assert not {"Set-Cookie"} & {*answer.headers.keys(), *file.headers.keys()}
    assert answer.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert stranger.get("/console/casa/performance").status_code == 302


def test_names_stand_there_when_they_were_chosen(app: Flask, cast: Cast, share: Share) -> None:
    page = text_of(app.test_client().get(share(names_partners="yes"), headers=BROWSER))
    assert cast.partner.name in page
    assert "Bread & Co" in page


@pytest.mark.parametrize(
    ("names", "marks"),
    [("", ["Note", "Campaign"]), ("yes", ["Bread & Co was on strike", "Campaign: With Bread & Co"])],
)
def test_the_chart_marks_the_days_of_notes_and_campaigns_and_says_what_they_are_where_names_stand(
    app: Flask, cast: Cast, share: Share, names: str, marks: list[str]
) -> None:
    now = clock.now()
    noted, begun = (now - timedelta(days=days) for days in (3, 2))
    note = {"actor": SYSTEM, "now": now}
    remarks.note(cast.session, program_id=cast.program.id, day=noted.date(), text="Bread & Co was on strike", **note)
    remarks.note(cast.session, program_id=cast.other.id, day=noted.date(), text="Of another program", **note)
    cast.session.add(
        Campaign(
            id=ids.new(), program_id=cast.program.id, name="With Bread & Co", starts_on=begun.date(),
            ends_on=now.date(), note="", cost_minor=0, currency="EUR", created_at=now,
            updated_at=now, created_by_id=cast.mara.id,
        )
    )  # fmt: skip
    cast.session.commit()
    page = text_of(app.test_client().get(share("day", names_partners=names), headers=BROWSER))
    told = re.findall(r'<li value="(\d)"><span class="n">[^<]+</span>: ([^<]+)</li>', page)
    assert told == [*zip("12", marks, strict=True)]


@pytest.mark.parametrize("by", ["coupon", "referrer", "day", "country"])
def test_no_kind_of_row_gives_a_partner_away(app: Flask, cast: Cast, share: Share, by: str) -> None:
    page = text_of(app.test_client().get(share(by), headers=BROWSER))
    assert cast.partner.name not in page


def test_views_are_counted_but_not_those_of_machines(app: Flask, mara: FlaskClient, cast: Cast, share: Share) -> None:
    path = share()
    assert "Not opened yet." in text_of(mara.get(SHARED))
    for _ in range(2):
        app.test_client().get(path, headers=BROWSER)
    app.test_client().get(path, headers={"User-Agent": "Googlebot/2.1 (+http://www.google.com/bot.html)"})
    app.test_client().head(path, headers=BROWSER)
    assert _only(cast, SharedReport).views == 2
    assert "Opened 2 times" in text_of(mara.get(SHARED))


def test_an_address_that_was_taken_back_shows_nothing_and_the_history_says_who_did_it(
    app: Flask, mara: FlaskClient, cast: Cast, share: Share
) -> None:
    path = share()
    end = f"{SHARED}/{public('shr', _only(cast, SharedReport))}/end"
    assert mara.post(end).status_code == 303
    assert mara.post(end).status_code == 303  # once more: nothing happens
    for shut in (path, f"{path}/days.csv"):
        assert app.test_client().get(shut, headers=BROWSER).status_code == 404
    acts = list(cast.session.scalars(sa.select(AuditEvent.action).where(AuditEvent.subject_kind == "shared_report")))
    cast.session.commit()
    assert acts == ["report.share", "report.take_back"]


def test_an_address_ends_and_none_can_be_made_up(app: Flask, cast: Cast, share: Share) -> None:
    path = share()
    report_id: UUID = _only(cast, SharedReport).id
    stranger = app.test_client()
    made_up = path[:-9] + ("A" if path[-9] != "A" else "B") + path[-8:]  # of the last character not every bit counts
    assert stranger.get(made_up, headers=BROWSER).status_code == 404
    assert stranger.get(f"/shared/{sharing.write('another secret', report_id)}", headers=BROWSER).status_code == 404
    cast.session.execute(sa.update(SharedReport).values(ends_at=clock.now() - timedelta(seconds=1)))
    cast.session.commit()
    assert stranger.get(path, headers=BROWSER).status_code == 404


def test_only_managers_share_and_only_their_own_program(
    mara: FlaskClient, finn: FlaskClient, cast: Cast, share: Share
) -> None:
    share()
    report = public("shr", _only(cast, SharedReport))
    assert finn.get(SHARED).status_code == 404
    assert finn.post(f"{SHARED}/{report}/end").status_code == 404
    assert mara.post(f"/console/altra/performance/shared/{report}/end").status_code == 404
    for wrong in ({"report": "rep_x", "days": "30"}, {"report": public("rep", _only(cast, SavedReport)), "days": "31"}):
        assert "Choose" in text_of(mara.post(SHARED, data=wrong, follow_redirects=True))
    assert _only(cast, SharedReport).revoked_at is None


def test_what_is_shared_stays_as_it_was_kept(app: Flask, mara: FlaskClient, cast: Cast, share: Share) -> None:
    path = share()
    mara.post(f"/console/casa/performance/kept/{public('rep', _only(cast, SavedReport))}/delete")
    assert "For the bank" in text_of(app.test_client().get(path, headers=BROWSER))
