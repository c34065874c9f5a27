"""Performance of a program: every table adds up to the same, ROI is right, and only its own people see it."""

import csv
import html
import io
import re
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from console_cast import Cast, text_of
from factories import (
    give_click,
    make_attribution,
    make_click,
    make_clicks,
    make_commission,
    make_conversion,
    make_link,
    make_partner,
)
from flask.testing import FlaskClient

from affiliate import clock, ids
from affiliate.accounts.actors import SYSTEM
from affiliate.attribution.models import Attribution, ChannelLoss, Credit
from affiliate.commissions.models import Commission, CommissionStatus
from affiliate.console import leafing
from affiliate.console.performance import performance
from affiliate.ingest.models import ClickVerdict, Conversion
from affiliate.partners.models import Partner, PartnerTerms
from affiliate.payouts.models import CostKind, PartnerCost
from affiliate.relations import caring
from affiliate.relations.care_models import PartnerSegment
from affiliate.reports import asked, jobs, mailing
from affiliate.reports.models import SavedReport, ShopDay
from affiliate.reports.timetable import Every
from affiliate.steering import choosing


@pytest.fixture
def hour() -> datetime:
    return clock.now().replace(minute=0, second=0, microsecond=0) - timedelta(days=3)


@pytest.fixture
def busy(cast: Cast, hour: datetime) -> Cast:
    """Two partners with clicks of three places, a sale each, and another program's beside."""
    session = cast.session
    for name, clicks, earned in (("Anna’s Table", 60, 20_00), ("Bread & Co", 40, 5_00)):
        partner = make_partner(session, program=cast.program, name=name)
        link = make_link(session, program=cast.program, partner=partner)
        make_clicks(session, link=link, hour=hour, clicks=clicks)
        make_clicks(session, link=link, hour=hour, clicks=5, verdict=ClickVerdict.DUPLICATE)
        sold = make_commission(
            session, program=cast.program, partner=partner, link=link, earned_at=hour, amount_minor=earned
        )
        click = make_click(session, link=link, occurred_at=hour, country="IT", referrer_host="blog.example")
        give_click(session, credit=session.get_one(Credit, sold.credit_id), click_id=click.id)
    elsewhere = make_partner(session, program=cast.other, name="Elsewhere")
    make_clicks(session, link=make_link(session, program=cast.other, partner=elsewhere), hour=hour, clicks=1_000)
    session.commit()
    return cast


def _beside(page: str, towards: str) -> str | None:
    """The address of the page that begins after this one's last row, or ends before its first."""
    found = re.search(rf'href="([^"]*[?&;]{towards}=[^"]*)"', page)
    return html.unescape(found[1]) if found else None


def _first_row(page: str) -> str:
    found = re.search(r'aria-label="By [^"]*"><table.*?<tbody><tr><th scope="row">(.*?)</th>', page, re.DOTALL)
    assert found
    return html.unescape(re.sub("<[^>]+>", "", found[1]))


def _table(browser: FlaskClient, query: str) -> list[dict[str, str]]:
    answer = browser.get(f"/console/casa/performance.csv?{query}")
    assert answer.status_code == 200
    return list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))


@pytest.mark.parametrize("by", ["partner", "day", "country", "referrer", "device", "creative"])
def test_every_table_adds_up_to_the_same(mara: FlaskClient, busy: Cast, by: str) -> None:
    jobs.count_late_landings()
    names = ("clicks_raw", "clicks_valid", "conversions", "revenue", "earnings")
    rows = _table(mara, f"by={by}&columns={','.join(names)}")
    sums = [round(sum(float(row[name] or 0) for row in rows), 2) for name in names]
    if by == "device":  # counted from the clicks themselves, and most of these stand in the sums alone
        assert sums[2:] == [2, 200.0, 25.0]
    else:
        assert sums == [110, 100, 2, 200.0, 25.0]


@pytest.mark.parametrize("by", ["product", "category", "coupon"])
def test_what_has_sales_alone_shares_out_the_same_money(mara: FlaskClient, busy: Cast, by: str) -> None:
    rows = _table(mara, f"by={by}")
    assert [sum(float(row[name]) for row in rows) for name in ("revenue", "earnings")] == [200.0, 25.0]


def test_products_tell_what_came_back(mara: FlaskClient, busy: Cast) -> None:
    sold = busy.session.scalars(sa.select(Commission).order_by(Commission.amount_minor)).first()
    assert sold is not None
    sold.reversed_minor = 1_00
    order = busy.session.get_one(Conversion, sold.conversion_id)
    order.items = [
        {"sku": "pan", "group": "iron", "quantity": 1, "amount_minor": 75_00},
        {"sku": "lid", "quantity": 1, "amount_minor": 25_00},
    ]
    busy.session.commit()
    rows = {row["product"]: row for row in _table(mara, "by=product")}
    assert [(rows[sku]["earnings"], rows[sku]["reversal_rate_bps"]) for sku in ("pan", "lid")] == [
        ("3.00", "2000"),
        ("1.00", "2000"),
    ]
    assert {row["category"]: row["revenue"] for row in _table(mara, "by=category")} == {"iron": "75.00", "": "125.00"}


def test_roi_is_what_came_in_over_what_was_paid(mara: FlaskClient, busy: Cast) -> None:
    best, other = _table(mara, "by=partner&sort=-roi")
    assert (best["revenue"], best["earnings"], best["roi_bps"]) == ("100.00", "5.00", "190000")
    assert (other["revenue"], other["earnings"], other["roi_bps"]) == ("100.00", "20.00", "40000")
    assert "1,900" in text_of(mara.get("/console/casa/performance"))


def test_every_figure_equals_sql_that_counts_it_another_way(mara: FlaskClient, busy: Cast, hour: datetime) -> None:
    session, program = busy.session, busy.program
    anna = session.scalars(sa.select(Partner).where(Partner.name == "Anna’s Table")).one()
    for number in range(3):
        sold = make_commission(
            session,
            program=program,
            partner=anna,
            earned_at=hour,
            amount_minor=10_00,
            reversed_minor=4_00 * (number == 2),
        )
        session.get_one(Attribution, sold.attribution_id).is_new_customer = [True, False, None][number]
    make_commission(session, program=program, partner=anna, earned_at=hour, status=CommissionStatus.TEST)
    cost = {
        "kind": CostKind.FLAT_FEE,
        "spent_on": hour.date(),
        "amount_minor": 12_00,
        "currency": "EUR",
        "note": "reel",
    }
    whose = {"program_id": program.id, "partner_id": anna.id, "entered_by_id": busy.mara.id, "entered_at": clock.now()}
    session.add(PartnerCost(id=ids.new(), **whose, **cost))
    shop = {"day": hour.date(), "currency": "EUR", "orders": 50, "revenue_minor": 5_000_00, "costs_minor": 3_500_00}
    session.add(ShopDay(program_id=program.id, updated_at=clock.now(), **shop))
    session.commit()
    columns = ",".join((*asked.COLUMNS, "reversal_rate", "new_share", "cost", "roi", "margin", "rpc", "ecpa", "roas"))
    (row,) = [row for row in _table(mara, f"columns={columns}") if row["partner"] == ids.public("ptn", anna.id)]
    counted = session.execute(sa.text(COUNTED), {"partner": anna.id.hex}).one()
    sales, revenue, granted, back, new, known = counted
    earned, spent = granted - back, 12_00
    assert (sales, new, known) == (4, 1, 2)
    expected = {
        "clicks_valid": 60, "clicks_raw": 65, "conversions": sales, "conversion_rate_bps": round(sales / 60 * 10_000),
        "revenue": revenue / 100, "aov": revenue / sales / 100, "earnings": earned / 100, "cost": (earned + spent) / 100,
        "roi_bps": round((revenue - earned - spent) / (earned + spent) * 10_000), "reversal_rate_bps": round(back / granted * 10_000),
        "rpc": round(revenue / 60 / 100, 3), "ecpa": round((earned + spent) / sales / 100, 2),
        "roas_bps": round(revenue / (earned + spent) * 10_000),
        "new_share_bps": round(new / known * 10_000), "margin": (revenue * 3 / 10 - earned - spent) / 100,
    }  # fmt: skip
    assert {name: float(row[name]) for name in expected} == pytest.approx(expected)


COUNTED = """
    SELECT count(DISTINCT c.id), sum(m.revenue_minor), sum(m.amount_minor), sum(m.reversed_minor),
           count(DISTINCT CASE WHEN a.is_new_customer THEN c.id END),
           count(DISTINCT CASE WHEN a.is_new_customer IS NOT NULL THEN c.id END)
    FROM conversions c JOIN attributions a ON a.conversion_id = c.id JOIN commissions m ON m.attribution_id = a.id
    WHERE NOT c.is_test AND replace(CAST(m.partner_id AS TEXT), '-', '') = :partner
"""


def test_one_partner_opens_with_what_the_portal_can_ask(mara: FlaskClient, busy: Cast) -> None:
    columns = "columns=clicks_raw,conversions,revenue,earnings,cost,roi"
    (best, _other) = _table(mara, f"{columns}&sort=-roi")
    page = mara.get(f"/console/casa/performance?partner={best['partner']}&by=link")
    assert "Bread &amp; Co" in page.text
    days = _table(mara, f"{columns}&partner={best['partner']}&by=day")
    for name in ("clicks_raw", "conversions", "revenue", "earnings", "cost"):
        assert sum(float(row[name]) for row in days) == float(best[name])
    by_sub = mara.get(f"/console/casa/performance?partner={best['partner']}&by=sub")
    [combine] = re.findall(r'href="([^"]+)">Combine counts sub2', by_sub.text)
    assert 'id="combine-h"' in mara.get(html.unescape(combine)).text  # the page of one partner has no such panel
    assert mara.get("/console/casa/performance?partner=ptn_nobody").status_code == 404
    elsewhere = busy.session.scalars(sa.select(Partner).where(Partner.name == "Elsewhere")).one()
    assert mara.get(f"/console/casa/performance?partner={ids.public('ptn', elsewhere.id)}").status_code == 404


def test_rows_are_narrowed_by_group_and_tag_and_the_total_with_them(mara: FlaskClient, busy: Cast) -> None:
    anna = busy.session.scalars(sa.select(Partner).where(Partner.name == "Anna’s Table")).one()
    caring.tag(
        busy.session, program_id=busy.program.id, partner_ids=[anna.id], text="food", actor=SYSTEM, now=clock.now()
    )
    busy.session.commit()
    assert len(_table(mara, "")) == 2
    (row,) = _table(mara, "tag=food")
    assert row["earnings"] == "20.00"
    page = mara.get("/console/casa/performance?tag=food").text
    assert 'name="tag" value="food"' in page  # the forms of days and columns keep it
    assert "€20.00" in page.split("<tfoot>")[1].split("</tfoot>")[0]
    assert "€25.00" not in page.split("<tfoot>")[1].split("</tfoot>")[0]


def test_the_thirteenth_tag_is_reached_too(mara: FlaskClient, busy: Cast) -> None:
    anna = busy.session.scalars(sa.select(Partner).where(Partner.name == "Anna’s Table")).one()
    here = {"program_id": busy.program.id, "partner_ids": [anna.id], "actor": SYSTEM, "now": clock.now()}

    def tag(text: str) -> None:
        caring.tag(busy.session, text=text, **here)
        busy.session.commit()

    for number in range(performance.CHOICES_MAX):
        tag(f"tag {number:02}")
    address = "/console/casa/performance?span=7d&columns=clicks_valid&sort=-revenue"
    assert '<option value="tag 11">' not in mara.get(address).text  # all of them are switches
    tag("zoo")
    form = text_of(mara.get(address)).partition('aria-label="Filter">')[2].partition("</form>")[0]
    assert '<option value="zoo">zoo</option>' in form
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form))
    assert fields == {"by": "partner", "span": "7d", "columns": "clicks_valid", "sort": "-revenue"}
    page = text_of(mara.get(f"{address}&tag=zoo"))
    assert '<option value="zoo" selected>zoo</option>' in page
    assert re.search(r'aria-current="true">zoo<', page)
    assert "Bread" not in page.partition("<tbody>")[2]


def test_rows_are_narrowed_by_a_saved_choice_of_partners(mara: FlaskClient, busy: Cast) -> None:
    mara.post("/console/casa/partners/segments", data={"segment": "Cooks", "name": "anna"})
    page = mara.get("/console/casa/performance").text
    address = re.search(r'href="/console/casa/performance\?([^"]*segment=[^"]*)"', page)
    assert address is not None
    (row,) = _table(mara, html.unescape(address.group(1)))
    assert row["earnings"] == "20.00"
    chosen = mara.get(f"/console/casa/performance?{html.unescape(address.group(1))}").text
    assert 'name="segment" value="' in chosen  # the forms of days and columns keep it
    assert "€20.00" in chosen.split("<tfoot>")[1].split("</tfoot>")[0]
    assert len(_table(mara, "segment=0192f000-0000-7000-8000-000000000000")) == 0


def test_a_page_takes_at_most_twenty_queries_whatever_the_number_of_partners(
    mara: FlaskClient, busy: Cast, hour: datetime, count_queries: Any
) -> None:
    address = "/console/casa/performance?compare=before&columns=clicks_valid,margin,new_share,roi"
    busy.session.add(_told(busy, 2, orders=10, revenue_minor=1_000_00))
    busy.session.commit()
    mara.get(address)
    with count_queries() as few:
        assert mara.get(address).status_code == 200
    for number in range(8):
        partner = make_partner(busy.session, program=busy.program, name=f"Another {number}")
        make_clicks(
            busy.session, link=make_link(busy.session, program=busy.program, partner=partner), hour=hour, clicks=1
        )
    busy.session.commit()
    with count_queries() as many:
        assert "Another 7" in mara.get(address).text
    assert len(few) == len(many) <= 20, "\n".join(many.statements)


def _told(cast: Cast, days_ago: int, **fields: int | None) -> ShopDay:
    """A day of the whole shop, as it told it."""
    day = (clock.now() - timedelta(days=days_ago)).date()
    return ShopDay(program_id=cast.program.id, day=day, currency="EUR", updated_at=clock.now(), **fields)


def _last_row(page: str) -> list[str]:
    """The cells of the last row below the table."""
    row = page.partition("<tfoot>")[2].partition("</tfoot>")[0].rpartition("<tr>")[2]
    return [html.unescape(re.sub("<[^>]+>", "", cell)) for cell in re.findall(r"<t[hd][^>]*>.*?</t[hd]>", row)]


@pytest.mark.parametrize("by", ["partner", "day"])
def test_what_came_without_a_partner_stands_below_the_total_and_ends_the_file(
    mara: FlaskClient, busy: Cast, hour: datetime, by: str
) -> None:
    query = f"by={by}&span=7d&columns=clicks_valid,conversions,conversion_rate,aov,revenue,earnings"
    assert _last_row(mara.get(f"/console/casa/performance?{query}").text)[0] == "Total"
    ago = (clock.now().date() - hour.date()).days
    busy.session.add(_told(busy, ago, orders=10, revenue_minor=1_000_00, visitors=500))
    busy.session.add(_told(busy, ago - 1, orders=2, revenue_minor=100_00, visitors=None))
    busy.session.commit()
    page = text_of(mara.get(f"/console/casa/performance?{query}"))
    shown = ["Without a partner", "400", "10", "2\u00a0%", "€90.00", "€900.00", "–"]
    assert _last_row(page) == shown  # 8 of 400: nobody knows of how many visitors the two orders are
    assert "Without a partner: of the 2 days that the shop told." in page
    *rows, last = _table(mara, query)
    assert last == {
        by: "without_partner (2 of 7 days)", "clicks_valid": "400", "conversions": "10", "conversion_rate_bps": "200",
        "aov": "90.00", "revenue": "900.00", "earnings": "", "currency": "EUR",
    }  # fmt: skip
    assert not any("without" in row[by] for row in rows)
    assert len(_table(mara, f"by=country&span=7d&partner={ids.public('ptn', busy.partner.id)}")) == 0
    busy.session.add_all(_told(busy, day, orders=0, revenue_minor=0) for day in range(7) if day not in {ago, ago - 1})
    busy.session.commit()
    assert _table(mara, query)[-1][by] == "without_partner"
    assert "that the shop told" not in mara.get(f"/console/casa/performance?{query}").text


def test_a_partner_is_held_against_the_visitors_without_any_partner_and_in_any_zone(
    mara: FlaskClient, busy: Cast, hour: datetime
) -> None:
    busy.session.add(
        _told(busy, (clock.now().date() - hour.date()).days, orders=10, revenue_minor=1_000_00, visitors=500)
    )
    busy.mara.time_zone = "Pacific/Kiritimati"
    busy.session.commit()
    anna = busy.session.scalars(sa.select(Partner).where(Partner.name == "Anna’s Table")).one()
    query = f"partner={ids.public('ptn', anna.id)}&by=day&span=7d&columns=clicks_valid,conversions,revenue"
    assert [*_table(mara, query)[-1].values()][1:] == ["400", "8", "800.00", "EUR"]


def test_partners_with_more_than_the_shop_told_leave_the_other_side_unknown(
    mara: FlaskClient, busy: Cast, hour: datetime
) -> None:
    busy.session.add(_told(busy, (clock.now().date() - hour.date()).days, orders=1, revenue_minor=1_00))
    busy.session.commit()
    page = text_of(mara.get("/console/casa/performance?columns=clicks_valid,conversions"))
    assert _last_row(page) == ["Without a partner", "–", "–"]
    assert "its totals of these days are not complete" in page


def test_a_file_that_is_compared_gives_each_column_before(mara: FlaskClient, busy: Cast, hour: datetime) -> None:
    anna = busy.session.scalars(sa.select(Partner).where(Partner.name == "Anna’s Table")).one()
    link = make_link(busy.session, program=busy.program, partner=anna)
    make_clicks(busy.session, link=link, hour=hour - timedelta(days=7), clicks=30)
    make_commission(busy.session, program=busy.program, partner=anna, link=link, earned_at=hour - timedelta(days=7))
    for days, costs in ((0, 600_00), (7, 500_00)):
        ago = (clock.now().date() - hour.date()).days + days
        busy.session.add(_told(busy, ago, orders=10, revenue_minor=1_000_00, visitors=500, costs_minor=costs))
    busy.session.commit()
    names = ("clicks_valid", "revenue", "margin")
    query = f"span=7d&sort=-earnings&columns={','.join(names)}"
    assert [*_table(mara, query)[0]] == ["partner", *names, "currency"]
    best, other, without = _table(mara, f"{query}&compare=before")
    assert [*best] == ["partner", *names, "currency", *(f"{name}_before" for name in names)]
    assert [best[f"{name}_before"] for name in names] == ["30", "100.00", "40.00"]  # half of it, less ten of commission
    assert [other[f"{name}_before"] for name in names] == ["0", "0.00", "0.00"]
    assert [without[f"{name}_before"] for name in names] == ["470", "900.00", ""]
    days = {row["day"]: row for row in _table(mara, f"{query}&compare=before&by=day")}
    assert days[hour.date().isoformat()]["clicks_valid_before"] == "30"
    lands = _table(mara, "by=country&span=7d&columns=clicks_valid,revenue&compare=before")
    assert [row["clicks_valid_before"] for row in lands if row["clicks_valid"] != "0"] == ["30"]


@pytest.mark.parametrize("by", ["partner", "referrer", "day"])
def test_pages_follow_one_another_beside_their_rows_and_lead_back(
    mara: FlaskClient, busy: Cast, hour: datetime, by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leafing, "PAGE_SIZE", 1)
    first = f"by={by}&span=7d&sort=clicks_valid"
    found = [mara.get(f"/console/casa/performance?{first}").text]
    while (following := _beside(found[-1], "after")) is not None:
        found.append(mara.get(following).text)
    lines = [_first_row(page) for page in found]
    assert len(lines) == len({*lines}) == len(_table(mara, first))
    assert len(lines) > 1
    for page, before in zip(found[:0:-1], lines[-2::-1], strict=True):
        back = _beside(page, "before")
        assert back is not None
        assert _first_row(mara.get(back).text) == before
    assert _beside(found[0], "before") is None
    to_the_last = _beside(found[-2], "after") or ""
    own_key = re.search(
        r"before=([^&]*)", _beside(found[-1], "before") or ""
    )  # of the last row, which is its page's first
    assert own_key
    after_itself = re.sub(r"after=[^&]*", f"after={own_key[1]}", to_the_last)  # as if it had stood before another one
    assert _first_row(mara.get(after_itself).text) == lines[-1]
    assert _first_row(mara.get(f"/console/casa/performance?{first}&after=gone").text) == lines[0]


def test_a_report_of_the_program_is_kept_and_opens_again(mara: FlaskClient, finn: FlaskClient, busy: Cast) -> None:
    form = {"by": "country", "sort": "-revenue", "span": "7d", "name": "Lands"}
    answer = mara.post("/console/casa/performance/kept", data=form, follow_redirects=True)
    assert "Kept as “Lands”" in answer.text
    assert "by=country" in answer.text
    assert "Lands" in mara.get("/console/casa/performance").text
    assert "Lands" not in finn.get("/console/casa/performance").text  # somebody else's
    kept_id = busy.session.scalars(sa.select(SavedReport.id)).one()
    busy.session.commit()
    address = f"/console/casa/performance/kept/{ids.public('rep', kept_id)}"
    assert finn.post(f"{address}/delete").status_code == 404
    assert mara.post(address, data={"every": "week", "hour": "9" * 5000}).status_code == 303
    assert "comes by mail" in mara.post(address, data={"every": "week", "hour": "7"}, follow_redirects=True).text
    assert "no longer kept" in mara.post(f"{address}/delete", follow_redirects=True).text


def test_sales_stand_where_their_click_came_from(mara: FlaskClient, busy: Cast) -> None:
    assert {row["country"]: row["conversions"] for row in _table(mara, "by=country")} == {"": "0", "IT": "2"}
    assert "Italy" in mara.get("/console/casa/performance?by=country").text
    pages = {row["referrer"]: row["conversions"] for row in _table(mara, "by=referrer")}
    assert pages == {"": "0", "blog.example": "2"}


def test_a_wrong_period_is_named(mara: FlaskClient, busy: Cast) -> None:
    assert "Choose a first and a last day" in mara.get("/console/casa/performance?first=x&last=y").text


def test_an_empty_program_is_taught(mara: FlaskClient, cast: Cast) -> None:
    assert (
        "Nothing happened in these days" in mara.get("/console/casa/performance?first=2020-01-01&last=2020-01-02").text
    )


def test_what_other_channels_took_is_told_by_partner_and_adds_up(mara: FlaskClient, busy: Cast, hour: datetime) -> None:
    assert "No order was lost" in text_of(mara.get("/console/casa/performance/channels"))
    anna = busy.session.scalars(sa.select(Partner).where(Partner.name == "Anna’s Table")).one()
    for number in range(3):
        order = make_conversion(busy.session, program=busy.program, order_id=f"L-{number}", occurred_at=hour)
        order.is_test = number == 2  # never counts
        outcome = make_attribution(busy.session, conversion=order, partner=None)
        busy.session.add(ChannelLoss(attribution_id=outcome.id, partner_id=anna.id, channel="google"))
    busy.session.commit()
    page = text_of(mara.get("/console/casa/performance/channels"))
    assert "66.67\u00a0%" in page
    assert "Bread & Co" not in page  # lost nothing
    rows = list(
        csv.DictReader(io.StringIO(mara.get("/console/casa/performance/channels.csv").text.removeprefix("\ufeff")))
    )
    assert [(row["name"], row["orders_lost"], row["orders_kept"], row["lost_share_bps"]) for row in rows] == [
        ("Anna’s Table", "2", "1", "6667")
    ]
    assert mara.get("/console/casa/performance/channels?first=x").status_code == 200


def test_partners_who_lost_orders_are_leafed_through_and_searched(
    mara: FlaskClient, busy: Cast, hour: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, name in enumerate(("Anna’s Table", "Bread & Co")):
        partner = busy.session.scalars(sa.select(Partner).where(Partner.name == name)).one()
        order = make_conversion(busy.session, program=busy.program, order_id=f"L-{number}", occurred_at=hour)
        outcome = make_attribution(busy.session, conversion=order, partner=None)
        busy.session.add(ChannelLoss(attribution_id=outcome.id, partner_id=partner.id, channel="google"))
    busy.session.commit()
    monkeypatch.setattr(leafing, "PAGE_SIZE", 1)
    here = "/console/casa/performance/channels"
    first = mara.get(f"{here}?first={hour.date()}&last={hour.date()}").text
    following = _beside(first, "after")
    assert following is not None
    assert f"first={hour.date()}" in following
    assert _first_row(first) != _first_row(mara.get(following).text)
    found = text_of(mara.get(f"{here}?q=bread"))
    assert ("Bread & Co" in found, "Anna’s Table" in found) == (True, False)
    assert "Anna" not in mara.get(f"{here}.csv?q=bread").text


@pytest.mark.parametrize("chart", ["", "/shop", "/channels", "/customers"])
def test_what_a_chart_shows_is_fetched_in_both_kinds(mara: FlaskClient, busy: Cast, chart: str) -> None:
    for kind, media_type in (
        ("csv", "text/csv"),
        ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ):
        answer = mara.get(f"/console/casa/performance{chart}.{kind}?kind=x")
        assert answer.status_code == 200
        assert answer.mimetype == media_type
    assert mara.get(f"/console/casa/performance{chart}.pdf").status_code == 404
    assert mara.get(f"/console/casa/performance{chart}?kind=x").status_code == 200


def test_costs_of_a_sale_are_columns_of_partners_and_days_and_order_them(busy: Cast, mara: FlaskClient) -> None:
    columns = "columns=rpc,ecpa,roas"
    cheap_first = [row["ecpa"] for row in _table(mara, f"{columns}&sort=ecpa")]
    assert cheap_first == ["5.00", "20.00"]
    assert [row["roas_bps"] for row in _table(mara, f"{columns}&sort=-roas")] == ["200000", "50000"]
    assert [row["rpc"] for row in _table(mara, f"{columns}&sort=-rpc")] == ["2.500", "1.667"]
    (day,) = [row for row in _table(mara, f"by=day&{columns}") if row["rpc"]]
    assert (day["rpc"], day["ecpa"], day["roas_bps"]) == ("2.000", "12.50", "80000")
    (country,) = [row for row in _table(mara, f"by=country&{columns}") if row["country"] == "IT"]
    assert country.keys() == {"country", "rpc", "currency"}
    assert "rpc" not in _table(mara, f"by=coupon&{columns}")[0]


NARROWED = ("partner", "tag", "group", "segment")


@pytest.mark.parametrize("kind", NARROWED)
def test_a_narrowed_report_is_kept_opens_again_and_comes_by_mail_with_its_own_sum(
    mara: FlaskClient, busy: Cast, hour: datetime, kind: str
) -> None:
    anna = busy.session.scalars(sa.select(Partner).where(Partner.name == "Anna’s Table")).one()
    value = _choice(busy, mara, kind, anna)
    page = mara.get(f"/console/casa/performance?{kind}={value}&by=partner").text
    form = dict(re.findall(r'<input type="hidden" name="([a-z]+)" value="([^"]*)">', page.split('id="keep-h"')[1]))
    assert form[kind] == value
    mara.post("/console/casa/performance/kept", data=form | {"name": "Cooks", "columns": "earnings"})
    kept = busy.session.scalars(sa.select(SavedReport)).one()
    busy.session.commit()
    address = re.search(
        r'href="/console/casa/performance\?([^"]*)">Cooks</a>', mara.get("/console/casa/performance/kept").text
    )
    assert address is not None
    assert f"{kind}={value}" in html.unescape(address[1])
    assert sum(float(row["earnings"]) for row in _table(mara, html.unescape(address[1]))) == 20
    mail = _mailed(busy, kept, hour)
    assert "€20.00" in mail
    assert "€25.00" not in mail
    assert "Bread & Co" not in mail
    assert f"{kind}={value}" in mail


def test_a_report_of_a_choice_that_is_gone_names_nobody(mara: FlaskClient, busy: Cast, hour: datetime) -> None:
    anna = busy.session.scalars(sa.select(Partner).where(Partner.name == "Anna’s Table")).one()
    segment = _choice(busy, mara, "segment", anna)
    mara.post("/console/casa/performance/kept", data={"by": "partner", "segment": segment, "name": "Cooks"})
    kept = busy.session.scalars(sa.select(SavedReport)).one()
    busy.session.commit()
    mara.post(f"/console/casa/partners/segments/{segment}/delete")
    assert "Anna’s Table" not in (mail := _mailed(busy, kept, hour))
    assert "Nothing happened in these days." in mail


def _choice(busy: Cast, mara: FlaskClient, kind: str, partner: Partner) -> str:
    """What narrows a report to this partner alone."""
    busy.session.commit()
    if kind == "partner":
        return ids.public("ptn", partner.id)
    if kind == "tag":
        caring.tag(busy.session, program_id=busy.program.id, partner_ids=[partner.id], text="food", actor=SYSTEM, now=clock.now())  # fmt: skip
    elif kind == "group":
        busy.session.add(PartnerTerms(program_id=busy.program.id, partner_id=partner.id, group_name="food", updated_at=clock.now()))  # fmt: skip
    busy.session.commit()
    if kind != "segment":
        return "food"
    mara.post("/console/casa/partners/segments", data={"segment": "Cooks", "name": "anna"})
    found = str(busy.session.scalars(sa.select(PartnerSegment.id)).one())
    busy.session.commit()
    return found


def _mailed(busy: Cast, kept: SavedReport, hour: datetime) -> str:
    """The text of the mail about the day of the sales."""
    due = (hour + timedelta(days=1)).replace(hour=kept.hour)
    kept.every, kept.next_at = Every.DAY, due
    busy.session.flush()
    outgoing = mailing.written(busy.session, report_id=kept.id, chooser=choosing.narrowed, now=due)
    assert outgoing is not None
    assert outgoing.mail is not None
    busy.session.rollback()
    return outgoing.mail.body_text
