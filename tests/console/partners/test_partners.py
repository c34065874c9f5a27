"""Applications and partners: decided in place, once, with a reason where one is owed."""

import html
import re
from collections.abc import Callable

import pytest
from accounts_cast import make_person
from console_cast import Cast, public, text_of
from factories import make_application, make_link, make_partner
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from affiliate import clock
from affiliate.accounts.models import User
from affiliate.console import paging
from affiliate.console.queries import partners as queries_of_console
from affiliate.partners import queries
from affiliate.partners.models import EnrollmentStatus, Partner, PartnerTerms
from affiliate.relations.care_models import PartnerCare, PartnerTag


def post(browser: FlaskClient, cast: Cast, partner: Partner, act: str, **form: str) -> TestResponse:
    """Do it and look at the page one comes back to."""
    return browser.post(f"/console/casa/partners/{public('ptn', partner)}/{act}", data=form, follow_redirects=True)


def status(cast: Cast, partner: Partner) -> EnrollmentStatus:
    found = queries.enrollment_of(cast.session, program_id=cast.program.id, partner_id=partner.id)
    assert found is not None
    cast.session.refresh(found)
    cast.session.commit()
    return found.status


def test_the_list_of_applications_shows_what_was_written(cast: Cast, mara: FlaskClient) -> None:
    page = text_of(mara.get("/console/casa/applications"))
    assert "Ferro e Fuoco" in page
    assert "A blog on cast iron" in page
    assert "1 application waits for you." in page
    assert "Slow Kitchen" not in page
    assert "Slow Kitchen" in text_of(mara.get("/console/casa/applications?status=approved"))


def test_a_partners_page_shows_the_answers_question_by_question(cast: Cast, mara: FlaskClient) -> None:
    page = text_of(mara.get(f"/console/casa/partners/{public('ptn', cast.applicant)}"))
    assert "Why does this program suit you?" in page
    assert "We cook with your pots." in page
    assert "enzo@example.test" not in page


def test_an_application_is_approved_in_place_and_said_so(cast: Cast, mara: FlaskClient) -> None:
    response = post(mara, cast, cast.applicant, "approve", **{"from": "applications"})
    assert response.request.path == "/console/casa/applications"
    assert "Ferro e Fuoco is in. A mail tells them." in text_of(response)
    assert status(cast, cast.applicant) is EnrollmentStatus.APPROVED


def test_the_second_of_two_decisions_changes_nothing_and_says_so(
    cast: Cast, mara: FlaskClient, browser_of: Callable[[User], FlaskClient]
) -> None:
    post(mara, cast, cast.applicant, "approve")
    response = post(browser_of(cast.max), cast, cast.applicant, "reject", reason="Too late")
    assert "This partner is approved by now. Nothing was changed." in text_of(response)
    assert status(cast, cast.applicant) is EnrollmentStatus.APPROVED


@pytest.mark.parametrize("act", ["reject", "ban"])
def test_refusing_and_banning_need_a_reason(cast: Cast, mara: FlaskClient, act: str) -> None:
    response = post(mara, cast, cast.applicant, act, reason="  ")
    assert "Write a reason first" in text_of(response)
    assert status(cast, cast.applicant) is EnrollmentStatus.PENDING


def test_a_refusal_shows_its_reason_and_who_gave_it(cast: Cast, mara: FlaskClient) -> None:
    page = text_of(post(mara, cast, cast.applicant, "reject", reason="No reach in our countries"))
    assert status(cast, cast.applicant) is EnrollmentStatus.REJECTED
    assert "Reason: No reach in our countries" in page
    assert "Decided by Mara Example." in page
    assert "Approve" in page


def test_a_partner_is_paused_let_go_on_banned_and_let_go_on(cast: Cast, mara: FlaskClient) -> None:
    for act, after in (("pause", "PAUSED"), ("resume", "APPROVED"), ("ban", "BANNED"), ("resume", "APPROVED")):
        post(mara, cast, cast.partner, act, reason="Because")
        assert status(cast, cast.partner) is EnrollmentStatus[after]


def test_finance_sees_no_button_and_cannot_decide(cast: Cast, finn: FlaskClient) -> None:
    page = finn.get("/console/casa/applications").text
    assert "/approve" not in page
    assert finn.post(f"/console/casa/partners/{public('ptn', cast.applicant)}/approve").status_code == 404
    assert status(cast, cast.applicant) is EnrollmentStatus.PENDING


def test_the_table_names_clicks_sales_and_what_is_payable(cast: Cast, mara: FlaskClient) -> None:
    cast.sale("1")
    cast.sale("2", days_ago=20)
    cast.approved_sale("3")
    page = text_of(mara.get("/console/casa/partners"))
    assert "€20.00" in page  # two sales of the last 30 days, ten percent each
    assert "€200.00" in page
    assert "€10.00" in page  # the third, payable
    assert "€30.00" in text_of(mara.get("/console/casa/partners?days=90"))


def test_the_table_is_searched_by_a_part_of_the_name(cast: Cast, mara: FlaskClient) -> None:
    make_partner(cast.session, program=cast.program, name="Ewa 100 %")
    cast.session.commit()
    page = text_of(mara.get("/console/casa/partners?name=slow"))
    assert "Slow Kitchen" in page
    assert "Ewa" not in page
    assert "Ewa" in text_of(mara.get("/console/casa/partners?name=100 %25"))
    assert "No partner with this name" in text_of(mara.get("/console/casa/partners?name=nobody"))


def test_the_export_holds_the_table_and_no_formula(cast: Cast, mara: FlaskClient) -> None:
    cast.partner.name = "=HYPERLINK(1)"
    cast.session.commit()
    cast.sale("1")
    response = mara.get("/console/casa/partners.csv")
    assert response.mimetype == "text/csv"
    line = response.text.splitlines()[1]
    assert (
        line == f"'=HYPERLINK(1),{public('ptn', cast.partner)},approved,0,0,1,100.00,10.00,EUR,,,marta@example.test,,,"
    )


def test_a_partners_page_shows_links_with_their_clicks_and_the_people(cast: Cast, mara: FlaskClient) -> None:
    page = text_of(mara.get(f"/console/casa/partners/{public('ptn', cast.partner)}"))
    assert "Sunday ragù" in page
    assert "marta@example.test" in page


def test_the_list_is_narrowed_by_group_lead_and_tag_from_its_own_fields(cast: Cast, mara: FlaskClient) -> None:
    make_partner(cast.session, program=cast.program, name="Another")
    here = {"program_id": cast.program.id, "partner_id": cast.partner.id}
    now = clock.now()
    cast.session.add(PartnerTerms(**here, group_name="Gold", updated_at=now))
    cast.session.add(PartnerTag(**here, tag="blog"))
    cast.session.add(PartnerCare(**here, lead_id=cast.max.id, updated_at=now))
    cast.session.commit()
    page = text_of(mara.get("/console/casa/partners?days=90&status=approved"))
    form = page[page.index('<form method="get" class="row-x narrow-x" aria-label="Filter">') :].split("</form>")[0]
    fields = re.findall(r'<input type="hidden" name="(\w+)" value="(\w+)">', form)
    assert fields == [("days", "90"), ("status", "approved")]
    options = dict.fromkeys(re.findall(r'<option value="([^"]+)"', form))
    assert {"blog", "Gold", str(cast.max.id)} <= options.keys()
    assert re.search(r'group=Gold">Gold</a> · Max', page)
    for chosen in ("tag=blog", "group=Gold", f"lead={cast.max.id}"):
        narrowed = text_of(mara.get(f"/console/casa/partners?{chosen}"))
        assert "Slow Kitchen</a>" in narrowed
        assert "Another</a>" not in narrowed
        assert f'<option value="{chosen.split("=")[1]}" selected>' in narrowed


@pytest.fixture
def applied(cast: Cast) -> Cast:
    """Two more applicants: each with a person, a country and what it came by."""
    for name, country, source in (("Padella", "IT", "fair"), ("Patelnia", "PL", "fair")):
        user = make_person(cast.session, name)
        partner = make_partner(
            cast.session, program=cast.program, status=EnrollmentStatus.PENDING, name=name, user=user
        )
        partner.country = country
        make_application(cast.session, program=cast.program, partner=partner, user=user).source = source
    cast.session.commit()
    return cast


def _named(browser: FlaskClient, query: str) -> list[str]:
    return re.findall(r'<a class="b text-reset" href="[^"]+">([^<]+)</a>', _applications(browser, query))


def _applications(browser: FlaskClient, query: str) -> str:
    return text_of(browser.get(f"/console/casa/applications?{query}"))


def test_applications_are_found_by_name_mail_source_and_country(applied: Cast, mara: FlaskClient) -> None:
    assert _named(mara, "name=pad") == ["Padella"]
    assert _named(mara, "name=PATELNIA@") == ["Patelnia"]
    assert _named(mara, "source=fair&country=IT") == ["Padella"]
    assert sorted(_named(mara, "source=fair")) == ["Padella", "Patelnia"]
    assert _named(mara, "source=fair&status=approved") == []
    assert "Nothing matches" in _applications(mara, "name=nobody")
    page = _applications(mara, "source=fair&country=PL")
    assert '<option value="fair" selected>fair</option>' in page
    assert re.findall(r'<option value="(\w\w)"(?: selected)?>(\w+)</option>', page) == [
        ("IT", "Italy"),
        ("PL", "Poland"),
    ]
    assert '<input type="hidden" name="keep-country" value="PL">' in page
    assert "?source=fair&country=PL&status=rejected" in page


def test_an_act_on_all_that_the_filtered_applications_find_leaves_the_others_waiting(
    applied: Cast, mara: FlaskClient
) -> None:
    form = {"from": "applications", "keep-status": "pending", "keep-source": "fair", "keep-country": "PL", "all": "yes"}
    back = mara.post("/console/casa/partners/act/approve", data=form)
    assert back.location.endswith("/console/casa/applications?status=pending&source=fair&country=PL")
    assert sorted(_named(mara, "")) == ["Ferro e Fuoco", "Padella"]
    assert "Patelnia" in _named(mara, "status=approved")


def test_the_pages_of_the_applications_keep_its_filters(
    applied: Cast, mara: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging.page_of, "__kwdefaults__", {**(paging.page_of.__kwdefaults__ or {}), "size": 1})
    [older] = re.findall(
        r'href="(/console/casa/applications\?source=fair&page=[^"]+)"', _applications(mara, "source=fair")
    )
    assert {*_named(mara, "source=fair"), *_named(mara, older.partition("?")[2])} == {"Padella", "Patelnia"}


def test_an_act_in_a_list_comes_back_to_its_page_and_filters(cast: Cast, mara: FlaskClient) -> None:
    page = text_of(mara.get("/console/casa/applications?status=pending&page=x&next=//evil.test"))
    assert '<input type="hidden" name="keep-status" value="pending">' in page.split("<dialog", 1)[1]
    form = {
        "from": "applications",
        "keep-status": "pending",
        "keep-page": "o1",
        "keep-next": "//evil.test",
        "keep-_external": "1",
    }
    back = post(mara, cast, cast.applicant, "approve", **form)
    assert back.request.full_path == "/console/casa/applications?status=pending&page=o1"
    back = post(mara, cast, cast.partner, "pause", **{"from": "elsewhere", "keep-status": "pending"})
    assert back.request.full_path == f"/console/casa/partners/{public('ptn', cast.partner)}?"


def test_links_beyond_a_page_are_a_step_away_and_found_by_a_part_of_them(
    cast: Cast, mara: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("Spring", "Summer"):
        make_link(cast.session, program=cast.program, partner=cast.partner, name=name)
    cast.session.commit()
    monkeypatch.setattr(queries_of_console, "LINKS_SHOWN", 1)
    here = f"/console/casa/partners/{public('ptn', cast.partner)}?days=90"
    pages = [mara.get(here).text]
    while found := re.search(r'rel="next" href="([^"]*)"', pages[-1]):
        assert ("days=90" in found[1], found[1].endswith("#links")) == (True, True)
        pages.append(mara.get(html.unescape(found[1])).text)
    codes = [re.findall(r"/r/([^<]*)<", page) for page in pages]
    assert [len(each) for each in codes] == [1, 1, 1]
    assert len({each[0] for each in codes}) == 3
    narrowed = mara.get(f"{here}&link=SUMM").text
    assert ("Summer" in narrowed, "Spring" in narrowed) == (True, False)
    assert 'rel="next"' not in narrowed
