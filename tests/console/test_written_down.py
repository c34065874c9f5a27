"""What managers write down beside the figures: notes on days, service quality; cohorts and replays beside one another; each as page and file."""

import csv
import html
import io
import re
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from console_cast import Cast, public, text_of
from factories import NOW, make_attribution, make_commission, make_conversion, make_partner
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from affiliate import clock, exports, ids
from affiliate.attribution.models import Attribution, ChannelLoss
from affiliate.ingest.models import Conversion
from affiliate.partners.models import Enrollment
from affiliate.replay.models import Replay, ReplayStatus
from affiliate.reports import grids, mailing, pages, sharing
from affiliate.reports.models import SavedReport, ShopDay
from affiliate.reports.shared_models import SharedReport
from affiliate.reports.timetable import Every
from affiliate.reports.written_models import ServiceEntry
from affiliate.steering import choosing

HERE = "/console/casa/performance"
_TABLE = """partner;measure;number;first;last;source
Slow Kitchen;feedback;4.5;2026-10-01;2026-10-31;survey
;answer_time;6;2026-10-01;2026-10-31;desk
Nobody;feedback;4;2026-10-01;2026-10-31;survey
Slow Kitchen;feedback;6;2026-10-01;2026-10-31;survey
Slow Kitchen;tempo;3;2026-10-01;2026-10-31;survey
Slow Kitchen;results;3;2026-10-40;2026-10-31;survey
"""


def _rows(browser: FlaskClient, address: str) -> list[dict[str, str]]:
    answer = browser.get(address)
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))


def _yesterday() -> date:
    return clock.now().date() - timedelta(days=1)


def test_a_note_is_a_mark_on_the_charts_of_its_day_until_it_is_taken_away(
    mara: FlaskClient, finn: FlaskClient, cast: Cast
) -> None:
    noted = finn.post(f"{HERE}/notes", data={"day": _yesterday().isoformat(), "text": "The courier was on strike"})
    assert noted.status_code == 303
    chart = mara.get(HERE).text
    assert '"marks": [{"index": 28, "number": 1, "text": "The courier was on strike"}]' in chart
    assert '<li value="1">' in chart
    page = mara.get(f"{HERE}/notes").text
    assert "The courier was on strike" in page
    remove = page.split('action="/console/casa/performance/notes/ann_')[1].split('"')[0]
    assert mara.post(f"{HERE}/notes/ann_{remove}").status_code == 303
    assert "courier" not in mara.get(HERE).text
    assert mara.post(f"{HERE}/notes/ann_{remove}").status_code == 404


@pytest.mark.parametrize(("day", "text"), [("2026-13-01", "x"), ("1999-01-01", "x"), ("2026-11-01", " "), ("2026-11-01", "x" * 121)])  # fmt: skip
def test_a_note_without_a_day_or_words_is_refused(mara: FlaskClient, day: str, text: str) -> None:
    assert mara.post(f"{HERE}/notes", data={"day": day, "text": text}).status_code == 422


def test_a_grade_stands_on_the_partners_page_and_is_its_rating_in_performance(mara: FlaskClient, cast: Cast) -> None:
    make_commission(cast.session, program=cast.program, partner=cast.partner, earned_at=clock.now())
    cast.session.commit()
    days = {"starts_on": _yesterday().isoformat(), "last_on": _yesterday().isoformat()}
    for measure, number in (("feedback", "4.5"), ("results", "3"), ("answer_time", "6.25")):
        told = {"partner": "slow kitchen", "measure": measure, "number": number, "source": "survey"}
        assert mara.post(f"{HERE}/service", data=days | told).status_code == 303
    partner = text_of(mara.get(f"/console/casa/partners/{public('ptn', cast.partner)}"))
    assert "4.5 of 5" in partner
    assert "6.25 h" in partner
    [row] = _rows(mara, f"{HERE}.csv?columns=rating,revenue")
    assert (row["rating"], row["revenue"]) == ("3.75", "100.00")
    again = {"partner": "slow kitchen", "measure": "feedback", "number": "5", "source": "survey"}
    mara.post(f"{HERE}/service", data=days | again)
    assert _rows(mara, f"{HERE}.csv?columns=rating")[0]["rating"] == "4.00"
    assert (
        cast.session.scalar(sa.select(sa.func.count()).select_from(ServiceEntry)) == 4
    )  # the one before stays as history


@pytest.mark.parametrize(("field", "value"), [("number", "6"), ("number", "x"), ("partner", "Nobody"), ("last_on", "2020-01-01"), ("measure", "tempo")])  # fmt: skip
def test_what_cannot_be_is_said_at_its_field(mara: FlaskClient, cast: Cast, field: str, value: str) -> None:
    days = {"starts_on": _yesterday().isoformat(), "last_on": _yesterday().isoformat()}
    told = days | {"partner": "", "measure": "feedback", "number": "4"} | {field: value}
    assert mara.post(f"{HERE}/service", data=told).status_code == 422
    assert cast.session.scalar(sa.select(sa.func.count()).select_from(ServiceEntry)) == 0


def test_a_table_is_shown_before_it_is_taken_with_a_result_for_each_row(
    mara: FlaskClient, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = mara.post(f"{HERE}/service/table", data={"table": (io.BytesIO(_TABLE.encode()), "service.csv")})
    assert "2 rows can be taken, 4 cannot. Nothing has changed yet." in text_of(shown)
    assert cast.session.scalar(sa.select(sa.func.count()).select_from(ServiceEntry)) == 0
    cast.settle()
    for said in ("There is no partner of this name", "Write a grade from 1 to 5", "one of the measures", "2026-11-30"):
        assert said in text_of(shown)
    taken = mara.post(f"{HERE}/service/table/take", data={"content": _TABLE})
    assert "2 rows taken, 4 refused." in text_of(taken)
    monkeypatch.setattr(exports, "PART_SIZE", 1)
    rows = _rows(mara, f"{HERE}/service.csv")
    assert len(rows) == 2
    assert {(row["name"], row["measure"], row["number"], row["last"]) for row in rows} == {
        ("Slow Kitchen", "feedback", "4.5", "2026-10-31"),
        ("", "answer_time", "6", "2026-10-31"),
    }
    again = mara.post(f"{HERE}/service/table", data={"table": (io.BytesIO(_TABLE.encode()), "service.csv")})
    assert text_of(again).count("Known already") == 2
    assert cast.session.scalar(sa.select(sa.func.count()).select_from(ServiceEntry)) == 2


def test_who_does_the_money_reads_service_and_writes_nothing(finn: FlaskClient) -> None:
    assert finn.get(f"{HERE}/service").status_code == 200
    assert "New entry" not in text_of(finn.get(f"{HERE}/service"))
    assert finn.post(f"{HERE}/service", data={}).status_code == 404


def test_cohorts_are_told_with_numbers_and_as_files(mara: FlaskClient, cast: Cast, count_queries: Any) -> None:
    assert "No customer yet" in text_of(mara.get(f"{HERE}/customers-by-first-order"))
    sold = make_commission(cast.session, program=cast.program, partner=cast.partner, earned_at=clock.now())
    cast.session.get_one(Conversion, sold.conversion_id).customer_id = "anna"
    cast.session.commit()
    rows = _rows(mara, f"{HERE}/customers-by-first-order.csv")
    assert (rows[-1]["size"], rows[-1]["orders"], rows[-1]["revenue"], rows[-1]["active_bps"]) == ("1", "1", "100.00", "10000")  # fmt: skip
    page = f"{HERE}/customers-by-first-order?show=revenue&partner={public('ptn', cast.partner)}"
    mara.get(page)
    with count_queries() as counted:
        assert "€100.00" in text_of(mara.get(page))
    assert len(counted) <= 20
    other = make_partner(cast.session, program=cast.program)
    cast.session.commit()
    assert "No customer yet" in text_of(mara.get(f"{HERE}/customers-by-first-order?partner={public('ptn', other)}"))
    assert mara.get(f"{HERE}/customers-by-first-order?partner=ptn_x").status_code == 404
    assert mara.get(f"{HERE}/partners-by-month").status_code == 200
    assert mara.get(f"{HERE}/partners-by-month.xlsx").data[:2] == b"PK"


def test_replays_stand_beside_one_another_in_money(mara: FlaskClient, finn: FlaskClient, cast: Cast) -> None:
    assert "No policy was tried yet" in text_of(mara.get(f"{HERE}/what-if"))
    now = clock.now()
    partner = str(cast.partner.id)
    totals = {"orders": 2, "changed": 1, "today": {partner: 20_00}, "tomorrow": {partner: 15_00}}
    cast.session.add(
        Replay(
            id=ids.new(), program_id=cast.program.id, status=ReplayStatus.DONE, base_version=1, terms={"model": "first_click"},
            starts_at=now - timedelta(days=30), ends_at=now, orders=2, totals=totals, created_at=now, finished_at=now,
        )
    )  # fmt: skip
    cast.session.commit()
    page = text_of(mara.get(f"{HERE}/what-if"))
    assert "€15.00" in page
    [row] = _rows(mara, f"{HERE}/what-if.csv")
    assert (row["name"], row["today"], row["then"], row["difference"]) == ("Slow Kitchen", "20.00", "15.00", "-5.00")
    assert finn.get(f"{HERE}/what-if").status_code == 404


def test_the_margin_of_a_month_closes_and_changes_with_what_is_written_down(mara: FlaskClient, cast: Cast) -> None:
    assert "Nothing was sold in this month" in text_of(mara.get(f"{HERE}/margin"))
    make_commission(cast.session, program=cast.program, partner=cast.partner, earned_at=clock.now())
    cast.session.commit()
    assert "What is left is not known" in text_of(mara.get(f"{HERE}/margin"))
    assert mara.post(f"{HERE}/margin", data={"margins": "pans: 45\nlids"}).status_code == 422
    assert mara.post(f"{HERE}/margin", data={"margins": "*: 120"}).status_code == 422
    assert mara.post(f"{HERE}/margin", data={"margins": "pans: 45\n*: 40 %"}).status_code == 303
    page = text_of(mara.get(f"{HERE}/margin"))
    assert "1 order left the shop €30.00: 30\u00a0% of their net price, 300\u00a0% of what partners cost." in page
    [row] = _rows(mara, f"{HERE}/margin.csv")
    told = ("net", "goods", "commission", "left", "roi_bps")
    assert [row[name] for name in told] == ["100.00", "60.00", "10.00", "30.00", "30000"]


@pytest.mark.parametrize(
    ("page", "given", "told"),
    [
        ("campaigns", {}, ["Spring", "1", "€100.00", "€10.00"]),
        ("customer_cohorts", {"show": "revenue"}, ["1", "€100.00"]),
        ("partner_cohorts", {"show": "orders"}, ["1", "0", "0", "0", "1"]),
        ("margin", {"month": "now"}, ["Slow Kitchen", "€100.00", "€10.00", "–"]),
    ],
)
def test_each_page_is_kept_opens_again_and_comes_by_mail(
    mara: FlaskClient, cast: Cast, page: str, given: dict[str, str], told: list[str]
) -> None:
    now = clock.now()
    sold = make_commission(
        cast.session, program=cast.program, partner=cast.partner, earned_at=now - timedelta(hours=26)
    )
    cast.session.get_one(Conversion, sold.conversion_id).customer_id = "anna"
    enrollment = cast.session.scalars(sa.select(Enrollment).where(Enrollment.partner_id == cast.partner.id)).one()
    enrollment.created_at = now - timedelta(days=95)  # three calendar months before at least
    cast.session.commit()
    form = {"page": page, "name": "Mine"} | {
        name: f"{now:%Y-%m}" if text == "now" else text for name, text in given.items()
    }
    if page == "campaigns":
        first, last = (now.date() - timedelta(days=number) for number in (3, 1))
        days = {"starts_on": first.isoformat(), "last_on": last.isoformat()}
        mara.post("/console/casa/campaigns/new", data={"name": "Spring", "cost": "0", "partner": "Slow Kitchen"} | days)
    assert "Mine" in text_of(mara.post(f"{HERE}/kept", data=form, follow_redirects=True))
    kept = cast.session.scalars(sa.select(SavedReport)).one()
    cast.session.commit()
    assert kept.arguments == {name: value for name, value in form.items() if name != "name"}
    [address] = re.findall(r'href="([^"]*)">Mine</a>', mara.get(f"{HERE}/kept").text)
    assert mara.get(html.unescape(address)).status_code == 200
    assert mara.post(f"{HERE}/kept/{public('rep', kept)}", data={"every": "day", "hour": "7"}).status_code == 303
    due = now + timedelta(days=2)
    with Session(cast.session.get_bind()) as session:
        outgoing = mailing.written(session, report_id=kept.id, chooser=choosing.narrowed, now=due)
    assert outgoing is not None
    assert outgoing.mail is not None
    for text in told:
        assert text in outgoing.mail.body_text
    assert f"/console/casa/{pages.PAGES[page].place}" in outgoing.mail.body_text


BESIDE: dict[str, list[str]] = {
    "shop_totals": ["By partners", "1", "€100.00", "Without a partner", "9", "€900.00"],
    "channel_losses": ["Slow Kitchen", "1", "1", "50\u00a0%"],
    "customers_by_month": ["€100.00", "100\u00a0%"],
    "service_quality_page": ["Slow Kitchen", "4.5 of 5"],
    "what_if": ["Slow Kitchen", "€20.00", "€15.00"],
    "margin": ["Slow Kitchen", "€100.00", "€10.00"],
    "campaigns": [],
    "partner_cohorts": [],
    "customer_cohorts": [],
    "funnel": [],
    "product_pages": ["€100.00"],
    "kpis": ["Revenue", "Share of the best partner"],  # of whole days, which today is not yet
    "strengths": [],
}


@pytest.mark.parametrize("page", sorted(pages.PAGES))
def test_every_page_is_kept_mailed_and_shared_without_names_unless_they_were_chosen(
    mara: FlaskClient, cast: Cast, app: Flask, page: str
) -> None:
    _something_of_everything(mara, cast)
    opened = mara.get(f"/console/casa/{pages.PAGES[page].place}").text
    if BESIDE[page]:
        assert f'name="page" value="{page}"' in opened
        assert "data-print" in opened
    assert "Mine" in text_of(mara.post(f"{HERE}/kept", data={"page": page, "name": "Mine"}, follow_redirects=True))
    kept = cast.session.scalars(sa.select(SavedReport)).one()
    report_id = public("rep", kept)
    due = (clock.now() + timedelta(days=1)).replace(hour=0, minute=0)
    kept.every, kept.hour, kept.next_at = Every.DAY, 0, due
    cast.session.flush()
    outgoing = mailing.written(cast.session, report_id=kept.id, chooser=choosing.narrowed, now=due)
    assert outgoing is not None
    assert outgoing.mail is not None
    cast.session.rollback()
    for names_partners in ("", "yes"):
        form = {"report": report_id, "days": "30", "names_partners": names_partners}
        assert mara.post(f"{HERE}/shared", data=form).status_code == 303
        shared = cast.session.scalars(sa.select(SharedReport).order_by(SharedReport.id.desc()).limit(1)).one()
        token = sharing.write(app.extensions["affiliate_settings"].secret_key, shared.id)
        cast.session.commit()
        answer = app.test_client().get(f"/shared/{token}")
        told = text_of(answer)
        assert answer.status_code == 200
        for text in BESIDE[page]:
            assert (text in told) is (text != "Slow Kitchen" or bool(names_partners)), text
        assert ("Slow Kitchen" in told) is (bool(names_partners) and "Slow Kitchen" in BESIDE[page])
        assert ("Partner 1" in told) is (not names_partners and "Slow Kitchen" in BESIDE[page])
        assert "<form" not in told
        assert 'href="/' not in told.replace('href="/static/', "")


def test_a_mail_waits_and_a_shared_page_says_so_while_a_large_program_is_being_counted(
    mara: FlaskClient, cast: Cast, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    _something_of_everything(mara, cast)
    mara.post(f"{HERE}/kept", data={"page": "margin", "name": "Mine"})
    kept = cast.session.scalars(sa.select(SavedReport)).one()
    form = {"report": public("rep", kept), "days": "30"}
    kept.every, kept.hour, kept.next_at = Every.DAY, 0, clock.now()
    due = kept.next_at + timedelta(minutes=1)
    cast.session.commit()
    mara.post(f"{HERE}/shared", data=form)
    shared = cast.session.scalars(sa.select(SharedReport)).one()
    token = sharing.write(app.extensions["affiliate_settings"].secret_key, shared.id)
    for most, is_counting in ((0, True), (1_000, False)):
        monkeypatch.setattr(grids, "SALES_READ_MAX", most)
        outgoing = mailing.written(cast.session, report_id=kept.id, chooser=choosing.narrowed, now=due)
        cast.session.rollback()
        assert (outgoing is None) is is_counting
        told = text_of(app.test_client().get(f"/shared/{token}"))
        assert ("This is being counted." in told) is is_counting
        assert "Nothing happened" not in told or not is_counting


def test_a_shared_page_of_campaigns_holds_more_of_them_than_a_mail(
    mara: FlaskClient, cast: Cast, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "_CAMPAIGNS_MAX", 22)
    days = {"starts_on": _yesterday().isoformat(), "last_on": _yesterday().isoformat(), "cost": "0"}
    for number in range(23):
        mara.post("/console/casa/campaigns/new", data={"name": f"Spring {number:02}"} | days | {"whole": "1"})
    mara.post(f"{HERE}/kept", data={"page": "campaigns", "name": "Mine"})
    kept = cast.session.scalars(sa.select(SavedReport)).one()
    form = {"report": public("rep", kept), "days": "30"}
    cast.session.commit()
    mara.post(f"{HERE}/shared", data=form)
    shared = cast.session.scalars(sa.select(SharedReport)).one()
    token = sharing.write(app.extensions["affiliate_settings"].secret_key, shared.id)
    cast.session.commit()
    told = re.findall(r"Spring \d\d", text_of(app.test_client().get(f"/shared/{token}")))
    assert sorted(told) == [f"Spring {number:02}" for number in range(1, 23)]


def test_what_only_managers_open_comes_by_mail_to_them_alone(mara: FlaskClient, finn: FlaskClient, cast: Cast) -> None:
    _something_of_everything(mara, cast)
    assert finn.post(f"{HERE}/kept", data={"page": "what_if", "name": "Mine"}).status_code == 303
    kept = cast.session.scalars(sa.select(SavedReport)).one()
    kept.every, kept.next_at = Every.DAY, clock.now() + timedelta(hours=1)
    cast.session.flush()
    outgoing = mailing.written(cast.session, report_id=kept.id, chooser=choosing.narrowed, now=kept.next_at)
    assert outgoing is not None
    assert outgoing.mail is None
    cast.session.rollback()


def _something_of_everything(mara: FlaskClient, cast: Cast) -> None:
    """A sale of a new customer beside the shop's, an order that went to an advertisement, a grade, a policy that was tried."""
    now, session = clock.now(), cast.session
    sold = make_commission(session, program=cast.program, partner=cast.partner, earned_at=now - timedelta(minutes=1))
    attribution = session.get_one(Attribution, sold.attribution_id)
    attribution.is_new_customer = True
    lost = make_conversion(session, program=cast.program, occurred_at=now - timedelta(minutes=1))
    loss = make_attribution(session, conversion=lost, partner=None)
    session.add(ChannelLoss(attribution_id=loss.id, partner_id=cast.partner.id, channel="google"))
    shop = {"orders": 10, "revenue_minor": 1_000_00, "costs_minor": 500_00, "currency": "EUR", "updated_at": now}
    session.add(ShopDay(program_id=cast.program.id, day=(now - timedelta(minutes=1)).date(), **shop))
    totals = {
        "orders": 2,
        "changed": 1,
        "today": {str(cast.partner.id): 20_00},
        "tomorrow": {str(cast.partner.id): 15_00},
    }
    session.add(
        Replay(
            id=ids.new(), program_id=cast.program.id, status=ReplayStatus.DONE, base_version=1, terms={"model": "first_click"},
            starts_at=now - timedelta(days=30), ends_at=now, orders=2, totals=totals, created_at=now, finished_at=now,
        )
    )  # fmt: skip
    session.commit()
    days = {"starts_on": _yesterday().isoformat(), "last_on": _yesterday().isoformat()}
    grade = {"partner": "Slow Kitchen", "measure": "feedback", "number": "4.5", **days}
    assert mara.post(f"{HERE}/service", data=grade).status_code == 303


@pytest.mark.parametrize("key", ["kpis", "strengths"])
@pytest.mark.parametrize(("days", "told"), [("7", 7), ("365", 90), ("", 30), ("nonsense", 30)])
def test_a_shared_board_is_about_the_whole_days_that_its_page_shows(key: str, days: str, told: int) -> None:
    period = pages.Wanted(key, {"days": days}).period(now=NOW, zone="Europe/Rome")
    assert (len(period.days), period.days[-1]) == (told, NOW.date() - timedelta(days=1))
