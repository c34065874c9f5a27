"""The list of earnings, its export, and the explanation of one."""

import csv
import io
import re
import zipfile
from datetime import timedelta
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from creative_cast import make_creative
from factories import NOW, make_click, make_commission, make_link, tell_origin
from flask.testing import FlaskClient
from portal_cast import Cast
from sqlalchemy.orm import Session

from affiliate import ids
from affiliate.commissions.models import CommissionStatus
from affiliate.ingest.models import Conversion
from affiliate.links.models import Coupon, LinkStatus
from affiliate.reports import sales, transactions

ORIGIN = {
    "sub1": "reel & post", "creative": "c7", "country": "IT", "device": "phone", "referrer_host": "blog.example",
}  # fmt: skip


@pytest.fixture
def rows(app_session: Session, cast: Cast) -> None:
    """Three of Marta's, one of Ewa's."""
    common: dict[str, Any] = {"program": cast.program, "partner": cast.partner}
    first = make_commission(app_session, **common, order_id="A1", amount_minor=1_00, link=cast.link)
    for code, owner in (("SLOW", cast.partner), ("THEIRS", cast.other)):
        coupon = Coupon(id=ids.new(), program_id=cast.program.id, partner_id=owner.id, code=code, status=LinkStatus.ACTIVE, created_at=NOW)  # fmt: skip
        app_session.add(coupon)
        app_session.flush()
        if owner is cast.partner:
            tell_origin(app_session, first, coupon_id=coupon.id, **ORIGIN)
    make_commission(
        app_session,
        **common,
        order_id="A2",
        amount_minor=3_00,
        earned_at=NOW - timedelta(days=40),
        status=CommissionStatus.APPROVED,
    )
    make_commission(app_session, **common, order_id="A3", amount_minor=2_00, reversed_minor=2_00, earned_at=NOW - timedelta(days=2), status=CommissionStatus.REVERSED, reason="refunded")  # fmt: skip
    make_commission(app_session, program=cast.program, partner=cast.other, order_id="E1", link=make_link(app_session, program=cast.program, partner=cast.other))  # fmt: skip
    app_session.commit()


def _orders(page: str) -> list[str]:
    return [
        order
        for order in sorted(("A1", "A2", "A3", "E1"), key=lambda o: page.find(f">{o}</a>"))
        if f">{order}</a>" in page
    ]


@pytest.mark.usefixtures("rows")
def test_a_creative_that_brought_the_partner_nothing_is_not_named(
    app_session: Session, cast: Cast, marta: FlaskClient
) -> None:
    other = make_creative(app_session, program=cast.program, title="Only for another", now=NOW)
    app_session.commit()
    asked = ids.public("crv", other.id)
    page = marta.get(f"/portal/casa/commissions?creative={asked}").text
    assert (asked in page, "Only for another" in page) == (True, False)


@pytest.mark.usefixtures("rows")
@pytest.mark.parametrize(
    ("query", "orders"),
    [
        ("", ["A1", "A3", "A2"]),
        ("?sort=date", ["A2", "A3", "A1"]),
        ("?sort=-amount", ["A2", "A1", "A3"]),
        ("?sort=amount", ["A3", "A1", "A2"]),
        ("?sort=nonsense&status=nonsense&link=nonsense&first=x&last=y&page=-3", ["A1", "A3", "A2"]),
        ("?status=approved", ["A2"]),
        ("?status=paid", []),
        ("?first=2026-11-14&last=2026-11-14", ["A3"]),
        ("?first=2026-11-14&last=2026-11-16", ["A1", "A3"]),
        ("?first=2026-11-16&last=2026-11-14", ["A1", "A3", "A2"]),
        ("?first=2026-11-14", ["A1", "A3"]),
        ("?last=2026-11-14", ["A3", "A2"]),
        ("?first=2020-01-01&last=2030-01-01", ["A1", "A3", "A2"]),
        ("?order=A2", ["A2"]),
        ("?order=E1", []),
        ("?coupon=SLOW", ["A1"]),
        ("?coupon=slow&order=A1&first=2026-11-16", ["A1"]),
        ("?sub=reel+%26+post", ["A1"]),
        ("?sub=reel", []),
        ("?sub=(none)", ["A3", "A2"]),
        ("?sub=", ["A1", "A3", "A2"]),
        ("?creative=c7&coupon=slow", ["A1"]),
        ("?country=it", ["A1"]),
        ("?country=PL", []),
        ("?country=Italy&device=toaster", ["A1", "A3", "A2"]),
        ("?device=phone&referrer=Blog.example", ["A1"]),
        ("?device=(none)&last=2026-11-14&first=2026-11-14", ["A3"]),
        ("?device=computer", []),
        ("?coupon=THEIRS", ["A1", "A3", "A2"]),
        ("?_external=1&_scheme=javascript&slug=other&commission_id=1", ["A1", "A3", "A2"]),
    ],
)
def test_the_address_says_which_sales_and_in_which_order(marta: FlaskClient, query: str, orders: list[str]) -> None:
    page = marta.get(f"/portal/casa/commissions{query}")
    assert page.status_code == 200
    assert _orders(page.text) == orders
    assert "javascript:" not in page.text


@pytest.mark.usefixtures("rows")
def test_a_link_filters_its_own_sales(marta: FlaskClient, cast: Cast) -> None:
    page = marta.get(f"/portal/casa/commissions?link={ids.public('lnk', cast.link.id)}").text
    assert _orders(page) == ["A1"]
    assert "Link: Sunday ragù" in page


@pytest.mark.usefixtures("rows")
def test_filters_stay_in_paging_sorting_and_the_file(marta: FlaskClient, app_session: Session, cast: Cast) -> None:
    for number in range(60):
        sold = make_commission(app_session, program=cast.program, partner=cast.partner, link=cast.link, order_id=f"B{number}")  # fmt: skip
        tell_origin(app_session, sold, **ORIGIN)
    app_session.commit()
    link = ids.public("lnk", cast.link.id)
    query = f"status=pending&link={link}&order=&first=2026-11-10&last=2026-11-20&sort=-amount"
    query += "&sub=reel+%26+post&creative=c7&country=IT&device=phone&referrer=blog.example"
    page = marta.get(f"/portal/casa/commissions?{query}").text
    asked = {name: value for name, value in parse_qsl(query) if value}
    addresses = [dict(parse_qsl(urlsplit(unescape(one)).query)) for one in re.findall(r'href="(/portal/casa/commissions[.?][^"]*)"', page)]  # fmt: skip
    assert asked | {"page": "2"} in addresses
    assert addresses.count(asked) >= 2  # both files
    assert asked | {"sort": "amount"} in addresses
    assert '<input type="hidden" name="status" value="pending">' in page
    assert f'<option value="{link}" selected>' in page
    assert '<input type="hidden" name="creative" value="c7">' in page
    assert 'name="sub" type="text" value="reel &amp; post"' in page
    assert 'name="referrer" type="text" value="blog.example"' in page
    assert '<option value="IT" selected>' in page
    for told in ("Sub id 1: reel &amp; post", "Creative: c7", "Country: Italy", "Device: Phone", "Referring page: blog.example"):  # fmt: skip
        assert page.count(f">{told}<") == 1, told
    assert len(_file(marta, f"?{query}")) == 61
    assert 'value="2026-11-10"' in page
    found = marta.get(f"/portal/casa/commissions?order={app_session.get_one(Conversion, sold.conversion_id).order_id}")
    assert 'value="B59"' in found.text


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ("first=2026-11-16&last=2026-11-14", "2026-11-16"),
        ("first=x", "x"),
        ("last=9999-99-99", "9999-99-99"),
    ],
)
@pytest.mark.usefixtures("rows")
def test_days_that_make_no_sense_are_said_beside_their_field_and_kept(
    marta: FlaskClient, query: str, kept: str
) -> None:
    page = marta.get(f"/portal/casa/commissions?{query}").text
    assert "All days are shown." in page
    assert 'id="first-error"' in page
    assert f'value="{kept}"' in page


def test_a_page_of_earnings_asks_the_database_few_times(marta: FlaskClient, cast: Cast, count_queries: Any) -> None:
    with count_queries() as asked:
        assert (
            marta.get(
                "/portal/casa/commissions?order=1&coupon=x&first=2026-01-01&creative=crv_x&sub=x&country=IT"
            ).status_code
            == 200
        )
    assert len(asked) <= 15


@pytest.mark.usefixtures("rows")
def test_the_sum_is_closed_only_when_all_its_rows_are_there(
    marta: FlaskClient, app_session: Session, cast: Cast
) -> None:
    assert '<span class="closed">€4.00</span>' in marta.get("/portal/casa/commissions").text
    for number in range(50):
        make_commission(
            app_session, program=cast.program, partner=cast.partner, amount_minor=1_00, order_id=f"B{number}"
        )
    app_session.commit()
    page = marta.get("/portal/casa/commissions").text
    assert "€54.00" in page
    assert '<span class="closed">€54.00</span>' not in page
    assert "1 to 50 of 53" in page


def test_what_is_not_confirmed_is_listed_but_is_no_earning(
    marta: FlaskClient, app_session: Session, cast: Cast
) -> None:
    common: dict[str, Any] = {"program": cast.program, "partner": cast.partner}
    make_commission(app_session, **common, order_id="A1", amount_minor=1_00)
    make_commission(app_session, **common, order_id="A2", amount_minor=2_00, status=CommissionStatus.UNVERIFIED)
    make_commission(app_session, **common, order_id="A3", amount_minor=4_00, status=CommissionStatus.TEST)
    app_session.commit()
    page = marta.get("/portal/casa/commissions").text
    assert set(_orders(page)) == {"A1", "A2", "A3"}
    assert "€1.00</span></td></tr></tfoot>" in page
    assert "2 more do not count" in page
    assert "closed" not in page


@pytest.mark.usefixtures("rows")
def test_the_columns_of_the_address_are_those_of_page_and_files(
    marta: FlaskClient, app_session: Session, cast: Cast, count_queries: Any
) -> None:
    click = make_click(app_session, link=cast.link, subs={"sub1": "reel"}, country="PL", referrer_host="blog.example")
    sold = make_commission(app_session, program=cast.program, partner=cast.partner, order_id="C1")
    tell_origin(app_session, sold, click_id=click.id)
    app_session.commit()
    usual = marta.get("/portal/casa/commissions").text
    assert ("Basket</th>" in usual, "Country</th>" in usual, "blog.example" in usual) == (True, False, False)
    ticked = "columns=earned&columns=country&columns=referrer&columns=subs&columns=nonsense&status=pending&sort=-date"
    with count_queries() as asked:
        page = marta.get(f"/portal/casa/commissions?{ticked}").text
    assert len(asked) <= 15
    assert ("Basket</th>" in page, "State</th>" in page, "Country</th>" in page) == (False, False, True)
    for text in ("Poland", "blog.example", "sub1: reel", 'name="status" value="pending"', 'value="country" checked'):
        assert text in page, text
    for name, value in (("columns", "earned,country,referrer,subs,nonsense"), ("status", "pending")):
        assert f'<input type="hidden" name="{name}" value="{value}">' in page
    [address] = {unescape(one) for one in re.findall(r'href="(/portal/casa/commissions[.]csv[^"]*)"', page)}
    rows = list(csv.DictReader(io.StringIO(marta.get(address).text.removeprefix("\ufeff"))))
    assert [*rows[0]] == [
        "transaction_id", "transaction_date", "commission_amount", "currency", "order_ref", *transactions.CLICK_REFS, *transactions.SUBS,
        "country", "referrer",
    ]  # fmt: skip
    assert {(row["order_ref"], row["country"], row["sub1"]) for row in rows} == {("A1", "", ""), ("C1", "PL", "reel")}
    with zipfile.ZipFile(io.BytesIO(marta.get(address.replace(".csv", ".xlsx")).data)) as book:
        told = "".join(book.read(name).decode() for name in book.namelist() if name.endswith(".xml"))
    assert [name in told for name in ("order_ref", "country", "sale_amount")] == [True, True, False]


def test_an_empty_list_teaches_and_an_empty_filter_can_be_taken_away(marta: FlaskClient, cast: Cast) -> None:
    assert "Here stand your sales" in marta.get("/portal/casa/commissions").text
    assert "No sale is in this state" in marta.get("/portal/casa/commissions?status=paid").text


@pytest.mark.usefixtures("rows")
def test_the_export_holds_the_same_rows(marta: FlaskClient) -> None:
    answer = marta.get("/portal/casa/commissions.csv?status=approved")
    [row] = csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff")))
    assert (row["order_ref"], row["commission_amount"], row["sale_amount"], row["currency"], row["status"]) == (
        "A2",
        "3.00",
        "100.00",
        "EUR",
        "approved",
    )


def test_the_export_has_the_field_names_of_other_programs_and_tells_of_the_click(
    marta: FlaskClient, app_session: Session, cast: Cast
) -> None:
    click = make_click(
        app_session, link=cast.link, subs={"sub1": "reel", "sub10": "z"}, country="PL", referrer_host="blog.example",
        user_agent="Mozilla/5.0 (iPhone) Mobile/15E148",
    )  # fmt: skip
    sold = make_commission(app_session, program=cast.program, partner=cast.partner)
    tell_origin(app_session, sold, click_id=click.id)
    app_session.commit()
    [row] = csv.DictReader(io.StringIO(marta.get("/portal/casa/commissions.csv").text.removeprefix("\ufeff")))
    told = {name: row[name] for name in ("sub1", "sub2", "sub10", "country", "device", "referrer", "click_date")}
    assert told == {
        "sub1": "reel", "sub2": "", "sub10": "z", "country": "PL", "device": "phone", "referrer": "blog.example",
        "click_date": click.occurred_at.isoformat(),
    }  # fmt: skip
    assert [row[name] for name in ("click_ref", "click_ref2", "click_ref6")] == ["reel", "", ""]
    assert (row["publisher_id"], row["program_id"]) == (
        ids.public("ptn", cast.partner.id),
        ids.public("prg", cast.program.id),
    )
    assert marta.get("/portal/casa/commissions.xlsx").data[:2] == b"PK"
    assert marta.get("/portal/casa/commissions.exe").status_code == 404


@pytest.mark.parametrize("order", ["=1+1", "+1", "-1", "@sum", "\t=1"])
def test_the_export_holds_no_formula(marta: FlaskClient, app_session: Session, cast: Cast, order: str) -> None:
    make_commission(app_session, program=cast.program, partner=cast.partner, order_id=order)
    app_session.commit()
    [row] = csv.DictReader(io.StringIO(marta.get("/portal/casa/commissions.csv").text.removeprefix("\ufeff")))
    assert row["order_ref"] == f"'{order}"


def test_another_partners_commission_is_not_found(marta: FlaskClient, app_session: Session, cast: Cast) -> None:
    theirs = make_commission(app_session, program=cast.program, partner=cast.other)
    mine = make_commission(app_session, program=cast.program, partner=cast.partner)
    app_session.commit()
    assert marta.get(f"/portal/casa/commissions/{ids.public('com', mine.id)}").status_code == 200
    assert marta.get(f"/portal/casa/commissions/{ids.public('com', theirs.id)}").status_code == 404
    assert marta.get(f"/portal/casa/commissions/{ids.public('com', ids.new())}").status_code == 404


def test_hostile_text_in_an_order_stays_text(marta: FlaskClient, app_session: Session, cast: Cast) -> None:
    commission = make_commission(
        app_session, program=cast.program, partner=cast.partner, order_id="<script>alert(1)</script>"
    )
    app_session.commit()
    for path in ("", "commissions", f"commissions/{ids.public('com', commission.id)}"):
        page = marta.get(f"/portal/casa/{path}").text
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert" in page


def test_the_export_names_the_currency_of_the_sale_beside_the_programs(
    marta: FlaskClient, app_session: Session, cast: Cast
) -> None:
    sold = make_commission(app_session, program=cast.program, partner=cast.partner)
    app_session.get_one(Conversion, sold.conversion_id).currency = "PLN"
    app_session.commit()
    [row] = csv.DictReader(io.StringIO(marta.get("/portal/casa/commissions.csv").text.removeprefix("\ufeff")))
    told = (row["sale_amount"], row["sale_currency"], row["commission_amount"], row["currency"])
    assert told == ("100.00", "PLN", "10.00", "EUR")


def _file(browser: FlaskClient, query: str = "") -> list[dict[str, str]]:
    answer = browser.get(f"/portal/casa/commissions.csv{query}")
    return list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))


@pytest.mark.usefixtures("rows")
@pytest.mark.parametrize(
    ("query", "orders"),
    [
        ("", ["A1", "A3", "A2"]),
        ("?sort=date", ["A2", "A3", "A1"]),
        ("?sort=-amount", ["A2", "A1", "A3"]),
        ("?sort=amount", ["A3", "A1", "A2"]),
        ("?status=pending", ["A1"]),
    ],
)
def test_the_export_is_whole_and_sorted_however_few_rows_are_read_at_once(
    marta: FlaskClient, monkeypatch: pytest.MonkeyPatch, query: str, orders: list[str]
) -> None:
    monkeypatch.setattr(sales, "READ_AT_ONCE", 1)
    assert [row["order_ref"] for row in _file(marta, query)] == orders


@pytest.mark.parametrize("order", ["-date", "date", "-amount", "amount"])
def test_sales_that_are_alike_stand_once_in_the_export(
    marta: FlaskClient, app_session: Session, cast: Cast, monkeypatch: pytest.MonkeyPatch, order: str
) -> None:
    for number in range(5):
        make_commission(app_session, program=cast.program, partner=cast.partner, order_id=f"B{number}")
    app_session.commit()
    monkeypatch.setattr(sales, "READ_AT_ONCE", 2)
    assert sorted(row["order_ref"] for row in _file(marta, f"?sort={order}")) == ["B0", "B1", "B2", "B3", "B4"]


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (CommissionStatus.UNVERIFIED, "pending"),
        (CommissionStatus.UNDER_REVIEW, "pending"),
        (CommissionStatus.PENDING, "pending"),
        (CommissionStatus.APPROVED, "approved"),
        (CommissionStatus.IN_PAYOUT, "approved"),
        (CommissionStatus.PAID, "paid"),
        (CommissionStatus.REVERSED, "declined"),
        (CommissionStatus.DECLINED, "declined"),
        (CommissionStatus.TEST, "declined"),
    ],
)
def test_the_export_says_the_state_in_the_words_of_other_programs_and_in_ours(
    marta: FlaskClient, app_session: Session, cast: Cast, status: CommissionStatus, told: str
) -> None:
    make_commission(app_session, program=cast.program, partner=cast.partner, status=status)
    app_session.commit()
    [row] = _file(marta)
    assert (row["status"], row["commission_status"]) == (told, status.value)


def test_the_validation_date_is_when_it_was_approved_and_empty_before(
    marta: FlaskClient, app_session: Session, cast: Cast
) -> None:
    common: dict[str, Any] = {"program": cast.program, "partner": cast.partner}
    waits = make_commission(app_session, **common, order_id="A1")
    approved = {"status": CommissionStatus.APPROVED, "approved_at": NOW + timedelta(days=3)}
    make_commission(app_session, **common, order_id="A2", earned_at=NOW - timedelta(days=1), **approved)
    app_session.commit()
    first, second = _file(marta)
    assert (first["validation_date"], first["matures_at"]) == ("", waits.matures_at.isoformat())
    assert second["validation_date"] == (NOW + timedelta(days=3)).isoformat()


def test_the_page_of_a_commission_tells_its_history_in_few_queries(
    marta: FlaskClient, app_session: Session, cast: Cast, count_queries: Any
) -> None:
    sold = make_commission(app_session, program=cast.program, partner=cast.partner)
    app_session.commit()
    with count_queries() as asked:
        page = marta.get(f"/portal/casa/commissions/{ids.public('com', sold.id)}").text
    assert '<h3 class="mb-3">History</h3>' in page
    assert "Sale recorded" in page
    assert len(asked) <= 15
