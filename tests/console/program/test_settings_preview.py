"""What a change of settings would do is told before it is saved; the overview names every setting's place; the logo is drawn anew."""

import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from console_cast import Cast, public, settings_of, text_of
from factories import make_link, make_partner, make_plan, make_refund
from flask.testing import FlaskClient
from PIL import Image
from tax_cast import make_buyer, make_rule

from affiliate import clock, ids
from affiliate.accounts.models import AuditEvent, User
from affiliate.files import StoredFile
from affiliate.links.models import Coupon, LinkStatus


def preview(cast: Cast, browser: FlaskClient, **changes: str) -> str:
    known = {
        "validation_start": "order",
        "case_answer_days": "3",
        "application_answer_days": "3",
        "channel_signs": "\n".join(cast.program.channel_signs),
    }
    return text_of(browser.post("/console/casa/settings/preview", data=settings_of(cast.program, **known | changes)))


def test_a_change_is_told_with_its_effect_and_nothing_is_saved(cast: Cast, mara: FlaskClient) -> None:
    cast.approved_sale("1")
    cast.sale("2", days_ago=3)
    page = preview(cast, mara, payout_min="25", validation_days="37", allowed_hosts="other.example\nwww.shop.example")
    assert "1 commissions of the last 30 days, €10.00, would be approved 7 days later." in page
    assert "Partners with less than that to be paid now: 1 (€10.00); with less than before: 0 (€0.00)." in page
    assert "30 → 37" in page
    assert "Counts from the next payout run on." in page
    assert "Nothing is saved yet." in page
    cast.settle()
    assert (cast.program.validation_days, cast.program.payout_min_minor) == (30, 0)
    assert cast.session.scalars(sa.select(AuditEvent).where(AuditEvent.action == "program.update")).all() == []


def test_returns_between_the_old_and_the_new_end_are_counted(cast: Cast, mara: FlaskClient) -> None:
    for order, days in (("1", 5), ("2", 20), ("3", 33)):
        commission = cast.sale(order, days_ago=40)
        conversion = cast.books.conversion(commission)
        at = conversion.occurred_at + timedelta(days=days)
        make_refund(cast.session, conversion=conversion, refund_id=f"r{order}", amount_minor=1_00, occurred_at=at)
    cast.session.commit()
    assert "1 return of the last 90 days would have come only after" in preview(cast, mara, validation_days="14")
    assert "1 return of the last 90 days would have come before" in preview(cast, mara, validation_days="35")


def test_no_change_is_said_and_what_is_wrong_as_when_saving(cast: Cast, mara: FlaskClient) -> None:
    assert "0 settings would change" in preview(cast, mara)
    assert "Write a name" in preview(cast, mara, name="")


def test_the_time_promised_to_applicants_is_previewed_checked_saved_and_kept_in_the_history(
    cast: Cast, mara: FlaskClient
) -> None:
    page = preview(cast, mara, application_answer_days="5")
    assert "Applications are answered within, days</span>" in page
    assert "3 → 5" in page
    assert "Applications that wait are measured by it, too." in page
    days = {"validation_days": "30", "case_answer_days": "3", "validation_start": "order"}
    form = settings_of(cast.program, **days, channel_signs="\n".join(cast.program.channel_signs))
    wrong = mara.post("/console/casa/settings", data=form | {"application_answer_days": "31"})
    assert "Choose from 1 to 30 days." in text_of(wrong)
    mara.post("/console/casa/settings", data=form | {"application_answer_days": "5"})
    cast.settle()
    assert cast.program.application_answer_days == 5
    assert "Applications are answered within, days: 3 → 5" in text_of(mara.get("/console/casa/settings"))
    overview = text_of(mara.get("/console/casa/settings/overview"))
    assert "Within what time applicants get an answer." in overview
    assert "5 days" in overview


def test_links_to_a_host_that_goes_are_counted(cast: Cast, mara: FlaskClient) -> None:
    cast.program.allowed_hosts = [*cast.program.allowed_hosts, "new.example"]
    cast.program.updated_at = clock.now()
    cast.session.commit()
    page = preview(cast, mara, allowed_hosts="www.shop.example\nshop.example")
    assert "0 active links lead to what is left out." in page


def test_the_settings_page_shows_its_own_history(cast: Cast, mara: FlaskClient) -> None:
    days = {"validation_days": "20", "case_answer_days": "3", "application_answer_days": "3"}
    form = settings_of(cast.program, **days, validation_start="order")
    mara.post("/console/casa/settings", data=form)
    page = text_of(mara.get("/console/casa/settings"))
    assert "Last changes" in page
    assert "Validation period, days: 30 → 20" in page


def test_the_overview_says_what_is_set_in_sentences(cast: Cast, mara: FlaskClient, finn: FlaskClient) -> None:
    page = text_of(mara.get("/console/casa/settings/overview"))
    assert "of the base." in page
    assert "rules put under review" in page
    assert finn.get("/console/casa/settings/overview").status_code == 404


def test_the_overview_names_whom_the_plan_speaks_of(cast: Cast, mara: FlaskClient) -> None:
    link = make_link(cast.session, program=cast.program, partner=cast.partner)
    mine = {"program_id": cast.program.id, "partner_id": cast.partner.id}
    coupon = Coupon(id=ids.new(), **mine, code="SPRING", status=LinkStatus.ACTIVE, created_at=clock.now())
    cast.session.add(coupon)
    elsewhere = make_partner(cast.session, program=cast.other, name="Far Away")
    whens: list[dict[str, str]] = [
        {}, {"partner": str(cast.partner.id)}, {"link": str(link.id)}, {"coupon": str(coupon.id)},
        {"partner": str(elsewhere.id), "kind": "lead"},
    ]  # fmt: skip
    rules = [{"when": when, "rate_bps": 5_00} for when in whens]
    make_plan(cast.session, program=cast.program, terms={"rules": rules}, effective_from=clock.now())
    cast.session.commit()
    page = text_of(mara.get("/console/casa/settings/overview"))
    for said in (f"for partner {cast.partner.name}", f"by link {link.code}", f"with coupon {coupon.code}"):
        assert said in page
    assert "for lead for partner ?" in page  # nobody of this program
    assert "Far Away" not in page


def test_the_overview_names_papers_groups_and_the_file_for_wise(
    cast: Cast, mara: FlaskClient, browser_of: Callable[[User], FlaskClient]
) -> None:
    bare = text_of(mara.get("/console/casa/settings/overview"))
    assert "No rule yet" in bare
    assert "The usual columns." in bare
    assert "Test order of the installation" not in bare  # it is none of one program's
    make_buyer(cast.session, cast.program)
    make_rule(cast.session, cast.program, name="Agents of Italy")
    cast.session.commit()
    mara.post(f"/console/casa/partners/{public('ptn', cast.partner)}/terms", data={"group": "friends"})
    mara.post(
        "/console/casa/payouts/policy",
        data={"cadence": "weekly", "net_days": "14", "wise_template": "name, IBAN, amount, targetCurrency"},
    )
    page = text_of(browser_of(cast.ada).get("/console/casa/settings/overview"))
    for said in (
        "Casa Ondera S.r.l.", "Agents of Italy", "To be confirmed by your accountant: 1", "friends", "name, IBAN, amount",
        "Days to wait after the approval of a commission: 14", "Test order of the installation",
    ):  # fmt: skip
        assert said in page, said


def picture(side: int = 64, kind: str = "PNG") -> bytes:
    drawn = io.BytesIO()
    Image.new("RGB", (side, side), "#0a5a6e").save(drawn, kind)
    return drawn.getvalue()


def send(browser: FlaskClient, content: bytes, name: str = "logo.png") -> Any:
    return browser.post(
        "/console/casa/settings/brand", data={"logo": (io.BytesIO(content), name)}, content_type="multipart/form-data"
    )


def test_a_logo_is_kept_without_what_else_was_in_the_file(cast: Cast, mara: FlaskClient, marta: FlaskClient) -> None:
    assert mara.get("/p/casa/logo").status_code == 404
    assert send(mara, picture() + b"hidden behind the end").status_code == 303
    shown = mara.get("/p/casa/logo")
    assert shown.mimetype == "image/png"
    assert b"hidden" not in shown.data
    assert "/p/casa/logo?v=" in marta.get("/portal/casa/").text
    assert "/p/casa/logo?v=" in mara.get("/p/casa").text
    mara.post("/console/casa/settings/brand", data={"act": "remove"})
    assert mara.get("/p/casa/logo").status_code == 404


def test_what_is_no_small_picture_is_refused(cast: Cast, mara: FlaskClient) -> None:
    for content, name in (
        (b"<svg/>", "logo.svg"),
        (picture(600), "logo.png"),
        (picture(kind="GIF"), "logo.gif"),
        (b"", ""),
    ):
        assert send(mara, content, name).status_code == 422
    assert cast.session.scalar(sa.select(sa.func.count()).select_from(StoredFile)) == 0
    cast.session.commit()
