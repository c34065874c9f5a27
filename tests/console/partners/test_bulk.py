"""Acts on many partners: some at once, all that a list finds in the background, stopped, and every refusal told."""

import re
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from accounts_cast import make_person
from console_cast import Cast, public, text_of
from factories import make_application, make_partner
from flask.testing import FlaskClient

from affiliate import ids
from affiliate.console import paging
from affiliate.console.queries import lists
from affiliate.partners.models import Enrollment, EnrollmentStatus, Partner
from affiliate.relations import bulk, jobs
from affiliate.relations.bulk_models import BulkAct, BulkStatus, BulkSubject
from affiliate.relations.care_models import PartnerTag

ACT = "/console/casa/partners/act"


@pytest.fixture
def many(cast: Cast) -> Cast:
    """More partners than one batch takes."""
    for number in range(bulk.BATCH + 5):
        make_partner(cast.session, program=cast.program, name=f"Partner {number:03}")
    cast.session.commit()
    return cast


def _one(cast: Cast, table: Any) -> Any:
    cast.session.expire_all()
    found = cast.session.scalars(sa.select(table)).one()
    cast.session.commit()
    return found


def _tagged(cast: Cast) -> int:
    count = cast.session.scalar(sa.select(sa.func.count()).select_from(PartnerTag)) or 0
    cast.session.commit()
    return count


def test_all_that_the_list_finds_is_done_in_the_background_and_the_page_tells_how_far(
    many: Cast, mara: FlaskClient
) -> None:
    answer = mara.post(f"{ACT}/tag", data={"all": "yes", "tag": "Autumn", "keep-name": "partner 0"})
    act = _one(many, BulkAct)
    assert (act.total, act.done, act.status) == (bulk.BATCH + 5, bulk.BATCH, BulkStatus.RUNNING)
    page = text_of(mara.get(answer.location))
    assert f"{bulk.BATCH} of {bulk.BATCH + 5}." in page
    assert 'data-renews="3"' in page
    assert jobs.act_in_bulk() == 5
    assert jobs.act_in_bulk() == 0
    assert _tagged(many) == bulk.BATCH + 5  # not the partner of another name
    assert _one(many, BulkAct).status is BulkStatus.DONE
    assert 'data-renews="3"' not in text_of(mara.get(answer.location))


def test_a_stopped_act_does_nothing_more(many: Cast, mara: FlaskClient) -> None:
    answer = mara.post(f"{ACT}/tag", data={"all": "yes", "tag": "Autumn"})
    assert "Stopped. 50 were done before." in text_of(mara.post(f"{answer.location}/stop", follow_redirects=True))
    assert jobs.act_in_bulk() == 0
    assert _tagged(many) == bulk.BATCH
    again = mara.post(f"{answer.location}/stop")
    assert again.status_code == 409
    assert "This act is over already." in text_of(again)
    assert "not_done" in mara.get(f"{answer.location}.csv").text


def test_each_refusal_stands_with_its_reason_and_undoes_nothing_else(cast: Cast, mara: FlaskClient) -> None:
    second = make_partner(cast.session, program=cast.program, name="Second applicant", status=EnrollmentStatus.PENDING)
    elsewhere = make_partner(cast.session, program=cast.other, name="Elsewhere", status=EnrollmentStatus.PENDING)
    cast.session.commit()
    picked = [public("ptn", one) for one in (cast.partner, cast.applicant, elsewhere, second)]
    answer = mara.post(f"{ACT}/approve", data={"partner": picked, "from": "applications"})
    page = text_of(mara.get(answer.location))
    assert "Refused, and why" in page
    assert "This partner is approved by now." in page
    assert "This partner does not take part in the program." in page
    approved = set(
        cast.session.scalars(
            sa.select(Partner.name)
            .join(Enrollment, Enrollment.partner_id == Partner.id)
            .where(Enrollment.program_id == cast.program.id, Enrollment.status == EnrollmentStatus.APPROVED)
        )
    )
    cast.session.commit()
    assert approved == {cast.partner.name, "Ferro e Fuoco", "Second applicant"}
    act = _one(cast, BulkAct)
    assert (act.changed, act.done) == (2, 4)
    rows = mara.get(f"{answer.location}.csv").text
    assert rows.count(",refused,") == 2
    assert rows.count(",changed,") == 2
    first = lists.refusals(cast.session, act_id=act.id, cursor=None, size=1)
    assert first.older is not None
    following = lists.refusals(cast.session, act_id=act.id, cursor=paging.read_cursor(first.older), size=1)
    told = [(row.partner_name, row.refusal) for page in (first, following) for row in page.rows]
    assert [name for name, _why in told] == [cast.partner.name, None]  # no name out of another program
    assert following.older is None
    cast.session.commit()


def test_a_refusal_without_words_says_nothing_about_our_catalogue(cast: Cast, mara: FlaskClient) -> None:
    pending = make_partner(cast.session, program=cast.program, name="Second applicant", status=EnrollmentStatus.PENDING)
    cast.mara.locale = "it"
    cast.session.commit()
    answer = mara.post(f"{ACT}/approve", data={"partner": [public("ptn", one) for one in (cast.partner, pending)]})
    cast.session.execute(sa.update(BulkSubject).where(BulkSubject.refusal.is_not(None)).values(refusal=""))
    cast.session.commit()
    assert "Project-Id-Version" not in text_of(mara.get(answer.location))


def test_a_small_act_that_nobody_refuses_leads_back_to_its_place(cast: Cast, mara: FlaskClient) -> None:
    form = {"partner": public("ptn", cast.partner), "tag": "food", "keep-status": "approved", "keep-page": "O5.x"}
    answer = mara.post(f"{ACT}/tag", data=form)
    assert answer.location.startswith("/console/casa/partners?")
    assert "status=approved" in answer.location
    assert "page=O5.x" in answer.location
    mara.post(f"{ACT}/tag", data=form)  # again: as it was
    subjects = cast.session.scalars(sa.select(BulkSubject.changed).order_by(BulkSubject.act_id)).all()
    cast.session.commit()
    assert list(subjects) == [True, False]


def test_what_is_not_said_or_not_theirs_begins_nothing(cast: Cast, mara: FlaskClient, finn: FlaskClient) -> None:
    picked = {"partner": public("ptn", cast.applicant)}
    assert "Write a reason first" in text_of(mara.post(f"{ACT}/reject", data=picked, follow_redirects=True))
    assert "Write a tag." in text_of(mara.post(f"{ACT}/tag", data=picked, follow_redirects=True))
    assert "Choose somebody" in text_of(mara.post(f"{ACT}/lead", data=picked | {"lead": "x"}, follow_redirects=True))
    assert mara.post(f"{ACT}/ban", data=picked).status_code == 404
    assert finn.post(f"{ACT}/approve", data=picked).status_code == 404
    assert cast.session.scalar(sa.select(sa.func.count()).select_from(BulkAct)) == 0
    cast.session.commit()


def test_all_that_a_list_finds_is_what_it_showed_however_its_filter_was_typed(cast: Cast, mara: FlaskClient) -> None:
    for name in ("Padella", "Patelnia"):
        waiting = make_partner(cast.session, program=cast.program, name=name, status=EnrollmentStatus.PENDING)
        make_application(cast.session, program=cast.program, partner=waiting, user=make_person(cast.session, name))
    cast.session.commit()
    typed = {"name": " " * 120 + "padella"}
    page = text_of(mara.get("/console/casa/applications", query_string=typed))
    assert ("Padella</a>" in page, "Patelnia</a>" in page) == (True, False)
    kept = {*re.findall(r'name="keep-name" value="([^"]*)"', page)}
    assert kept
    for said in kept:
        mara.post(
            f"{ACT}/reject",
            data={"from": "applications", "keep-status": "pending", "keep-name": said, "all": "yes", "reason": "no"},
        )
    left = text_of(mara.get("/console/casa/applications"))
    assert ("Padella</a>" in left, "Patelnia</a>" in left) == (False, True)


def test_of_another_program_no_name_is_told_and_what_is_nowhere_begins_nothing(cast: Cast, mara: FlaskClient) -> None:
    theirs = make_partner(cast.session, program=cast.other, name="Hidden blogger")
    cast.session.commit()
    nowhere, elsewhere = ids.public("ptn", uuid4()), public("ptn", theirs)
    answer = mara.post(f"{ACT}/tag", data={"partner": [nowhere, elsewhere], "tag": "Autumn"})
    assert _one(cast, BulkAct).total == 1
    page = text_of(mara.get(answer.location))
    assert "This partner does not take part in the program." in page
    assert elsewhere in page
    for told in (page, mara.get(f"{answer.location}.csv").text):
        assert "Hidden blogger" not in told
    answer = mara.post(f"{ACT}/tag", data={"partner": nowhere, "tag": "Autumn"}, follow_redirects=True)
    assert "Choose from 1 to 20,000 partners." in text_of(answer)
    assert _one(cast, BulkAct).total == 1
