"""Making links, their pages, QR codes; other people's links are not there."""

import html
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from creative_cast import make_creative
from factories import make_clicks, make_commission, make_link
from flask import Flask
from flask.testing import FlaskClient
from portal_cast import Cast
from sqlalchemy.orm import Session

from affiliate import clock, ids
from affiliate.accounts.actors import SYSTEM
from affiliate.ingest.models import ClickVerdict
from affiliate.links import service
from affiliate.links.models import Coupon, Link, LinkStatus
from affiliate.partners.models import Enrollment, EnrollmentStatus
from affiliate.reports.metrics import METRICS


def _links(session: Session) -> list[Link]:
    found = list(session.scalars(sa.select(Link).order_by(Link.id).execution_options(populate_existing=True)))
    session.commit()
    return found


def _address(link: Link, rest: str = "") -> str:
    return f"/portal/casa/links/{ids.public('lnk', link.id)}{rest}"


def test_a_link_is_made_from_an_address_and_shown(marta: FlaskClient, app_session: Session, cast: Cast) -> None:
    form = {"landing_url": " www.shop.example/pans ", "name": "Sunday", "code": "Sunday-Pans", "sub1": "post"}
    answer = marta.post("/portal/casa/links", data=form)
    made = next(link for link in _links(app_session) if link.code == "sunday-pans")
    assert (answer.status_code, answer.location) == (303, _address(made))
    assert (made.landing_url, made.name, made.subs) == ("https://www.shop.example/pans", "Sunday", {"sub1": "post"})
    assert 'value="http://localhost/r/sunday-pans"' in marta.get(answer.location).text


@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        ("landing_url", "", "Paste the address of the page"),
        (
            "landing_url",
            "https://other.example/",
            "This address is at other.example. Links can point to www.shop.example only.",
        ),
        ("landing_url", "https://www.shop.example@other.example/", "The address has an @ before the host."),
        ("landing_url", "javascript:alert(1)", "This is not a web address. Write it like https://www.shop.example/."),
        ("landing_url", "https://www.shop.example/" + "a" * 2000, "longer than 2,000 characters"),
        ("code", "a b", "Use 3 to 40 letters, digits and hyphens."),
        ("code", "admin", "The system itself uses this word."),
        ("code", "ragu", "This code is taken."),
    ],
)
def test_a_refused_link_says_why_beside_its_field_and_keeps_what_was_typed(
    marta: FlaskClient, app_session: Session, field: str, typed: str, sentence: str
) -> None:
    answer = marta.post(
        "/portal/casa/links", data={"landing_url": "https://www.shop.example/", "name": "Kept", field: typed}
    )
    assert answer.status_code == 422
    assert sentence in answer.text
    assert f'id="{field}-error"' in answer.text
    assert 'value="Kept"' in answer.text
    assert len(_links(app_session)) == 1


def test_a_paused_partner_cannot_make_links(marta: FlaskClient, app_session: Session, cast: Cast) -> None:
    app_session.execute(sa.update(Enrollment).values(status=EnrollmentStatus.PAUSED))
    app_session.commit()
    answer = marta.post("/portal/casa/links", data={"landing_url": "https://www.shop.example/"})
    assert answer.status_code == 422
    assert "Your membership is paused" in answer.text


def test_a_link_is_paused_and_resumed(marta: FlaskClient, app_session: Session, cast: Cast) -> None:
    marta.post(_address(cast.link, "/pause"))
    assert _links(app_session)[0].status is LinkStatus.PAUSED
    assert "This link is paused" in marta.get(_address(cast.link)).text
    marta.post(_address(cast.link, "/resume"))
    assert _links(app_session)[0].status is LinkStatus.ACTIVE


@pytest.mark.parametrize(
    ("method", "rest"),
    [
        ("get", ""),
        ("get", "/qr.svg"),
        ("get", "/qr.png"),
        ("post", "/pause"),
        ("post", "/resume"),
        ("get", "/edit"),
        ("post", "/edit"),
    ],
)
def test_another_partners_link_is_not_found(
    marta: FlaskClient, app_session: Session, cast: Cast, method: str, rest: str
) -> None:
    theirs = make_link(app_session, program=cast.program, partner=cast.other)
    app_session.commit()
    assert marta.open(_address(theirs, rest), method=method).status_code == 404
    assert all(link.status is LinkStatus.ACTIVE for link in _links(app_session))


@pytest.mark.parametrize("identifier", ["lnk_nonsense", "com_01jd8v6b3hezq8m4tat2rk5wxy", "%07"])
def test_a_broken_id_is_not_found(marta: FlaskClient, cast: Cast, identifier: str) -> None:
    assert marta.get(f"/portal/casa/links/{identifier}").status_code == 404


def test_the_qr_code_comes_as_picture_and_as_download(marta: FlaskClient, cast: Cast) -> None:
    svg, png = marta.get(_address(cast.link, "/qr.svg")), marta.get(_address(cast.link, "/qr.png?download=1"))
    assert (svg.mimetype, svg.data[:5]) == ("image/svg+xml", b"<?xml")
    assert (png.mimetype, png.data[:8]) == ("image/png", b"\x89PNG\r\n\x1a\n")
    assert png.headers["Content-Disposition"] == 'attachment; filename="ragu.png"'
    assert marta.get(_address(cast.link, "/qr.gif")).status_code == 404


def test_the_list_shows_what_each_link_and_coupon_brought(marta: FlaskClient, app_session: Session, cast: Cast) -> None:
    hour = clock.now().replace(minute=0, second=0, microsecond=0)
    make_clicks(app_session, link=cast.link, hour=hour, clicks=1_234)
    make_commission(app_session, program=cast.program, partner=cast.partner, link=cast.link, amount_minor=8_88)
    app_session.add(
        Coupon(
            id=ids.new(),
            program_id=cast.program.id,
            partner_id=cast.partner.id,
            code="MARTA5",
            status="active",
            created_at=hour,
        )
    )
    make_link(app_session, program=cast.program, partner=cast.other, name="Not mine")
    app_session.commit()
    page = marta.get("/portal/casa/links").text
    for text in ("Sunday ragù", "1,234", "€8.88", "MARTA5"):
        assert text in page
    assert "Not mine" not in page


def test_a_link_says_why_clicks_on_it_did_not_count_in_the_days_shown(
    marta: FlaskClient, app_session: Session, cast: Cast, count_queries: Any
) -> None:
    hour = clock.now().replace(minute=0, second=0, microsecond=0)
    other = make_link(app_session, program=cast.program, partner=cast.partner)
    make_clicks(app_session, link=other, hour=hour, clicks=70, verdict=ClickVerdict.HEAD)
    app_session.commit()
    assert "Why clicks did not count" not in marta.get(_address(cast.link)).text
    make_clicks(app_session, link=cast.link, hour=hour, clicks=9)
    make_clicks(app_session, link=cast.link, hour=hour, clicks=40, verdict=ClickVerdict.BOT)
    make_clicks(app_session, link=cast.link, hour=hour - timedelta(days=40), clicks=3, verdict=ClickVerdict.DUPLICATE)
    app_session.commit()
    with count_queries() as asked:
        assert reasons_of(marta.get(_address(cast.link)).text) == [("A program, not a person", "40")]
    assert len(asked) <= 15
    first, last = ((hour - timedelta(days=days)).date().isoformat() for days in (60, 20))
    earlier = marta.get(_address(cast.link, f"?first={first}&last={last}")).text
    assert reasons_of(earlier) == [("The same visitor again within seconds", "3")]
    first, last = ((hour - timedelta(days=days)).date().isoformat() for days in (30, 20))
    assert "Every click of these days counted." in marta.get(_address(cast.link, f"?first={first}&last={last}")).text


def reasons_of(page: str) -> list[tuple[str, str]]:
    """Reason and number of clicks, as the page of a link tells them."""
    panel = page.partition("Why clicks did not count</h2>")[2].partition("</section>")[0]
    return re.findall(r'<tr><td>([^<]*)</td><td class="num">([^<]*)</td></tr>', panel)


def test_the_list_is_paged_and_asks_a_fixed_number_of_queries(
    marta: FlaskClient, app_session: Session, cast: Cast, count_queries: Any
) -> None:
    with count_queries() as few:
        marta.get("/portal/casa/links")
    for number in range(55):
        make_link(app_session, program=cast.program, partner=cast.partner, name=f"Link {number}")
    app_session.commit()
    with count_queries() as many:
        first = marta.get("/portal/casa/links").text
    assert len(many) == len(few)
    assert "1 to 50 of 56" in first
    assert "Sunday ragù" not in first
    assert "Sunday ragù" in marta.get("/portal/casa/links?page=2").text
    assert marta.get("/portal/casa/links?page=nonsense").status_code == 200
    assert marta.get("/portal/casa/links?page=99999999999999999999").status_code == 200


def test_without_its_token_no_link_is_made(app: Flask, marta: FlaskClient, app_session: Session, cast: Cast) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    answer = marta.post("/portal/casa/links", data={"landing_url": "https://www.shop.example/"})
    assert answer.status_code == 400
    assert len(_links(app_session)) == 1


CHANGED = {"landing_url": "https://www.shop.example/knives", "name": "Knives", "sub1": "reel", "last_on": "2026-12-24"}


def test_a_link_is_changed_and_ends_with_its_last_day(marta: FlaskClient, app_session: Session, cast: Cast) -> None:
    page = marta.get(_address(cast.link, "/edit")).text
    assert f'value="{cast.link.landing_url}"' in page
    assert 'name="code"' not in page
    code, answer = cast.link.code, marta.post(_address(cast.link, "/edit"), data=CHANGED)
    assert (answer.status_code, answer.location) == (303, _address(cast.link))
    changed = _links(app_session)[0]
    assert (changed.code, changed.landing_url, changed.name) == (code, "https://www.shop.example/knives", "Knives")
    assert changed.subs == {"sub1": "reel"}
    assert changed.expires_at == datetime(2026, 12, 24, 23, tzinfo=UTC)  # midnight in Rome
    assert "24 Dec 2026" in marta.get(_address(cast.link)).text
    assert 'value="2026-12-24"' in marta.get(_address(cast.link, "/edit")).text


def test_a_link_carries_the_coupon_that_is_posted_with_it(marta: FlaskClient, app_session: Session, cast: Cast) -> None:
    assert 'name="coupon"' not in marta.get("/portal/casa/links/new").text  # there is none to choose
    actor: dict[str, Any] = {"actor": SYSTEM, "now": clock.now()}
    for partner, code in ((cast.partner, "MARTA10"), (cast.other, "OTHER10")):
        service.create_coupon(app_session, program_id=cast.program.id, partner_id=partner.id, code=code, **actor)
    app_session.commit()
    form = marta.get("/portal/casa/links/new").text
    assert "MARTA10" in form
    assert "OTHER10" not in form
    answer = marta.post("/portal/casa/links", data=CHANGED | {"code": "knives", "coupon": "marta10"})
    assert answer.status_code == 303
    assert 'id="coupon" value="MARTA10"' in marta.get(answer.location).text
    assert 'MARTA10</span></span><button type="button"' in marta.get("/portal/casa/links").text
    assert '<option selected value="MARTA10">' in marta.get(f"{answer.location}/edit").text
    marta.post(f"{answer.location}/edit", data=CHANGED | {"coupon": ""})
    assert "MARTA10" not in marta.get(answer.location).text


@pytest.mark.parametrize("coupon", ["OTHER10", "PAUSED10", "NEVER"])
def test_a_coupon_that_is_not_ones_own_active_one_is_refused(
    marta: FlaskClient, app_session: Session, cast: Cast, coupon: str
) -> None:
    actor: dict[str, Any] = {"actor": SYSTEM, "now": clock.now()}
    for partner, code in ((cast.partner, "PAUSED10"), (cast.other, "OTHER10")):
        service.create_coupon(app_session, program_id=cast.program.id, partner_id=partner.id, code=code, **actor)
    app_session.execute(sa.update(Coupon).where(Coupon.code == "PAUSED10").values(status=LinkStatus.PAUSED))
    app_session.commit()
    answer = marta.post("/portal/casa/links", data=CHANGED | {"coupon": coupon})
    assert answer.status_code == 422
    assert 'id="coupon-error"' in answer.text
    assert len(_links(app_session)) == 1


def test_labels_that_the_form_does_not_show_stay(marta: FlaskClient, app_session: Session, cast: Cast) -> None:
    app_session.execute(sa.update(Link).values(subs={"sub1": "post", "sub9": "kept"}))
    app_session.commit()
    marta.post(_address(cast.link, "/edit"), data=CHANGED | {"sub1": ""})
    assert _links(app_session)[0].subs == {"sub9": "kept"}


@pytest.mark.parametrize(
    ("field", "typed"), [("landing_url", "https://other.example/"), ("last_on", "soon"), ("sub1", "x" * 256)]
)
def test_a_refused_change_keeps_the_link_and_what_was_typed(
    marta: FlaskClient, app_session: Session, cast: Cast, field: str, typed: str
) -> None:
    before = cast.link.landing_url
    answer = marta.post(_address(cast.link, "/edit"), data=CHANGED | {field: typed})
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    assert f'value="{typed}"' in answer.text
    assert _links(app_session)[0].landing_url == before


def test_a_link_that_has_ended_says_so(marta: FlaskClient, app_session: Session, cast: Cast) -> None:
    marta.post(_address(cast.link, "/edit"), data=CHANGED | {"last_on": "2020-01-31"})
    assert "This link has ended" in marta.get(_address(cast.link)).text
    assert "Ended" in marta.get("/portal/casa/links").text


def test_a_partner_gets_one_address_to_bring_others(marta: FlaskClient, app: Flask) -> None:
    for _twice in range(2):
        assert marta.post("/portal/casa/links/recruiting").status_code == 303
    page = marta.get("/portal/casa/links").text
    codes = re.findall(r"http://localhost/join/(\w+)", page)
    assert len(codes) == 1
    assert app.test_client().get(f"/join/{codes[0]}").location == f"/p/casa?invite={codes[0]}"


@pytest.mark.parametrize("page", ["links", "link", "creative"])
def test_each_number_has_the_name_and_the_meaning_of_the_one_dictionary(
    marta: FlaskClient, app_session: Session, cast: Cast, page: str
) -> None:
    made = make_creative(app_session, program=cast.program, now=clock.now())
    app_session.commit()
    place = {
        "links": "links",
        "link": f"links/{ids.public('lnk', cast.link.id)}",
        "creative": f"creatives/{ids.public('crv', made.id)}",
    }
    shown = marta.get(f"/portal/casa/{place[page]}").text
    assert shown.count("What these numbers mean") >= 1
    for key in ("clicks_valid", "conversions", "conversion_rate", "earnings"):
        assert f"<dt>{METRICS[key].label}</dt><dd>{html.escape(METRICS[key].help_text)}</dd>" in shown
    assert "You earn" not in shown
