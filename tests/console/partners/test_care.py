"""The page of what is agreed with a partner, the list of partners, watched figures, and applications weighed: as a manager uses them."""

import re
from collections.abc import Callable
from datetime import timedelta
from fractions import Fraction

import pytest
import sqlalchemy as sa
from console_cast import Cast, main_of, public, text_of
from factories import make_application, make_partner, make_program, make_user
from flask import Flask
from flask.testing import FlaskClient

from affiliate import clock, ids
from affiliate.accounts.models import Grant, User
from affiliate.console.joining import rubric as rubric_page
from affiliate.console.partners.care_words import advice, reason
from affiliate.partners.models import Enrollment, EnrollmentStatus, PartnerTerms
from affiliate.relations.care_models import Duty, PartnerCare, PartnerGoal, PartnerSegment, PartnerTag
from affiliate.reports.momentum import History, Momentum, Reason, Span, judge
from affiliate.steering import service as steering
from affiliate.steering.models import KpiWatch, PartnerMomentum
from affiliate.vetting.models import Assessment, RubricSettings
from affiliate.vetting.rubric import USUAL, Criterion


def page_of(cast: Cast) -> str:
    return f"/console/casa/partners/{public('ptn', cast.partner)}"


def test_leads_tags_notes_and_a_trial_are_kept_on_the_page(cast: Cast, mara: FlaskClient) -> None:
    old = sa.update(Grant).values(created_at=clock.now() - timedelta(days=200))
    cast.session.execute(old)
    cast.session.commit()
    here = page_of(cast)
    today = clock.now().date()
    mara.post(f"{here}/leads", data={"lead": str(cast.mara.id), "deputy": str(cast.max.id)})
    mara.post(f"{here}/tags/add", data={"tag": "Recipes"})
    mara.post(f"{here}/notes", data={"text": "Called. Wants pans."})
    trial = {
        "scope": "One post",
        "starts_on": today,
        "last_on": today + timedelta(days=9),
        "orders_min": "1",
        "orders_max": "5",
    }
    mara.post(f"{here}/trial", data=trial)
    page = text_of(mara.get(f"{here}/care"))
    for told in ("recipes", "One post", "0 orders so far."):
        assert told in page
    page = text_of(mara.get(f"{here}/contacts"))
    for told in ("Called. Wants pans.", "put a partner on trial"):
        assert told in page
    care = cast.session.scalars(sa.select(PartnerCare)).one()
    assert (care.lead_id, care.deputy_id) == (cast.mara.id, cast.max.id)
    cast.session.commit()
    cast.sale("1", days_ago=0)
    assert "Trial of Slow Kitchen" in text_of(mara.get("/console/casa/"))
    back = mara.post(f"{here}/graduate", data={"from": "today"}, follow_redirects=True)
    assert back.request.path == "/console/casa/"
    assert "Trial of Slow Kitchen" not in text_of(back)
    mara.post(f"{here}/tags/remove", data={"tag": "recipes"})
    assert cast.session.scalars(sa.select(PartnerTag)).all() == []
    cast.session.commit()


def test_a_running_trial_is_changed_and_ended_without_graduation(cast: Cast, mara: FlaskClient) -> None:
    today = clock.now().date()
    here = page_of(cast)
    terms = {"scope": "One post", "starts_on": today, "last_on": today, "orders_min": "7", "orders_max": "9"}
    mara.post(f"{here}/trial", data=terms)
    page = text_of(mara.get(f"{here}/care"))
    assert "Change the trial of Slow Kitchen?" in page
    for prefilled in (">One post</textarea>", f'name="last_on" type="date" value="{today}"', 'type="text" value="7"'):
        assert prefilled in page
    mara.post(f"{here}/trial", data=terms | {"orders_min": "8"})
    assert cast.session.scalars(sa.select(PartnerCare.trial_orders_min)).one() == 8
    cast.session.commit()
    assert "Write a reason first" in text_of(mara.post(f"{here}/end-trial", follow_redirects=True))
    ended = text_of(mara.post(f"{here}/end-trial", data={"reason": "No orders."}, follow_redirects=True))
    assert "Put on trial…" in ended
    assert "Graduated on" not in ended
    happened = text_of(mara.get(f"{here}/contacts"))
    assert "ended a partner's trial without graduation" in happened
    assert "Reason: No orders." in happened


def test_a_responsibility_is_changed_in_place_and_the_history_says_what(cast: Cast, mara: FlaskClient) -> None:
    today = clock.now().date()
    task = {"task": "Two posts", "side": "partner", "cadence": "monthly", "first_on": today.isoformat()}
    mara.post(f"{page_of(cast)}/duties", data=task)
    duty = cast.session.scalars(sa.select(Duty)).one()
    cast.session.commit()
    page = text_of(mara.get(f"{page_of(cast)}/care"))
    assert f'id="task-{duty.id}" name="task" type="text" value="Two posts"' in page
    change = {"task": "A film", "side": "program", "owner": str(cast.max.id), "cadence": "weekly"}
    later = today + timedelta(days=20)
    address = f"{page_of(cast)}/duties/{duty.id}/change"
    mara.post(address, data=change | {"first_on": later.isoformat()})
    cast.session.refresh(duty)
    assert (duty.task, duty.owner_id, duty.due_on) == ("A film", cast.max.id, later)
    cast.session.commit()
    happened = text_of(mara.get(f"{page_of(cast)}/contacts"))
    for told in ("Task: Two posts → A film", "Who: The partner → The program", "How often: every month → every week"):
        assert told in happened
    assert str(cast.max.id) not in happened


def test_what_slips_again_and_again_stands_on_the_partners_first_page(cast: Cast, mara: FlaskClient) -> None:
    later = (clock.now() + timedelta(days=25)).date()
    task = {"task": "Two posts", "side": "partner", "cadence": "monthly", "first_on": later.isoformat()}
    mara.post(f"{page_of(cast)}/duties", data=task)
    assert "Slips again and again" not in text_of(mara.get(page_of(cast)))
    cast.session.execute(sa.update(Duty).values(rounds=["missed", "missed"]))
    cast.session.commit()
    assert "Slips again and again. 2 of the last 2 rounds slipped." in text_of(mara.get(page_of(cast)))


def test_a_partner_that_misses_its_days_again_and_again_is_marked_on_its_first_page(
    cast: Cast, mara: FlaskClient, finn: FlaskClient
) -> None:
    today = clock.now().date()
    for number, rounds in enumerate((["done"], ["late"], ["missed"])):
        once = {"task": f"Post {number}", "side": "partner", "cadence": "once", "first_on": today.isoformat()}
        mara.post(f"{page_of(cast)}/duties", data=once)
        settled = {"rounds": rounds, "settled_on": today - timedelta(days=9 - number), "due_on": None, "status": "done"}
        if number == 2:
            assert "again and again" not in text_of(mara.get(page_of(cast)))
        cast.session.execute(sa.update(Duty).where(Duty.task == once["task"]).values(settled))
        cast.session.commit()
    told = "2 of its last 3 responsibilities were missed or late."
    for browser in (mara, finn):  # who works with partners reads it, too
        assert told in text_of(browser.get(page_of(cast)))


def test_each_momentum_comes_with_something_to_do(app: Flask) -> None:
    verdicts = {
        judge(History(Span(clicks, sales), Span(before, sold), ever=ever, days_in=days, usual_rate=Fraction(1, 10)))
        for clicks in (0, 30, 300) for sales in (0, 3, 30) for before in (0, 30, 300) for sold in (0, 3, 30)
        for ever in (False, True) for days in (1, 400)
    }  # fmt: skip
    with app.test_request_context():
        told = {
            (one.momentum, one.reason): advice(PartnerMomentum(momentum=one.momentum, reason=one.reason))
            for one in verdicts
        }
    assert {momentum for momentum, _reason in told} == set(Momentum)
    assert {why for _momentum, why in told} == set(Reason)
    assert [why for why, text in told.items() if not text] == []


def test_a_partner_with_many_clicks_and_few_sales_is_talked_to(app: Flask) -> None:
    row = PartnerMomentum(momentum=Momentum.NEEDS_SUPPORT, reason=Reason.FEW_SALES, now=1, before=1_200)
    with app.test_request_context():
        told, act = reason(row), advice(row)
    assert told == "Sales in 28 days: 1. At the program's usual rate its clicks would have brought 1,200."
    assert act == "Talk about whom it reaches and what its links promise: many come, few buy."


def test_a_deadline_comes_up_today_and_is_done_in_place(cast: Cast, mara: FlaskClient) -> None:
    task = {"task": "Two posts", "side": "partner", "cadence": "monthly", "first_on": clock.now().date().isoformat()}
    mara.post(f"{page_of(cast)}/duties", data=task)
    assert "Two posts: Slow Kitchen" in text_of(mara.get("/console/casa/"))
    duty_id = cast.session.scalars(sa.select(Duty.id)).one()
    cast.session.commit()
    done = mara.post(f"{page_of(cast)}/duties/{duty_id}/done", data={"from": "today"}, follow_redirects=True)
    assert "Two posts: Slow Kitchen" not in text_of(done)
    assert "Two posts" in text_of(mara.get(f"{page_of(cast)}/care"))
    refused = mara.post(f"{page_of(cast)}/duties", data=task | {"first_on": "soon"}, follow_redirects=True)
    assert "Choose a day." in text_of(refused)


def test_a_partner_proposes_a_goal_and_the_manager_agrees_on_the_first_page(
    cast: Cast, mara: FlaskClient, marta: FlaskClient
) -> None:
    today = clock.now().date()
    goal = {"metric": "sales", "target": "10", "starts_on": today, "last_on": today + timedelta(days=30)}
    assert "Waits for the program" in text_of(
        marta.post("/portal/casa/together/goals", data=goal, follow_redirects=True)
    )
    assert "Slow Kitchen proposes a goal" in text_of(mara.get("/console/casa/"))
    goal_id = cast.session.scalars(sa.select(PartnerGoal.id)).one()
    cast.session.commit()
    mara.post(f"{page_of(cast)}/goals/{goal_id}/agree", data={"from": "today"})
    cast.sale("1", days_ago=0)
    page = text_of(
        marta.post(f"/portal/casa/together/goals/{goal_id}/review", data={"text": "On it."}, follow_redirects=True)
    )
    for told in ("1 of 10", "On it."):
        assert told in page
    assert "On it." in text_of(mara.get(f"{page_of(cast)}/care"))


def test_a_partner_answers_and_moves_only_what_is_its_own(cast: Cast, mara: FlaskClient, marta: FlaskClient) -> None:
    today = clock.now().date().isoformat()
    for side in ("partner", "program"):
        task = {"task": f"Done by {side}", "side": side, "cadence": "weekly", "first_on": today}
        mara.post(f"{page_of(cast)}/duties", data=task)
    rows = {duty.side.value: duty.id for duty in cast.session.scalars(sa.select(Duty))}
    cast.session.commit()
    page = text_of(marta.get("/portal/casa/together"))
    assert "Done by partner" in page
    assert f"/together/duties/{rows['program']}/" not in page
    assert marta.post(f"/portal/casa/together/duties/{rows['program']}/done").status_code == 404
    assert marta.post(f"/portal/casa/together/duties/{rows['partner']}/done").status_code == 303
    goal = {"metric": "revenue", "target": "500", "starts_on": today, "last_on": today}
    mara.post(f"{page_of(cast)}/goals", data=goal)
    goal_id = cast.session.scalars(sa.select(PartnerGoal.id)).one()
    cast.session.commit()
    agreed = marta.post(f"/portal/casa/together/goals/{goal_id}/agree", follow_redirects=True)
    assert "€0.00 of €500.00" in text_of(agreed)
    other = make_partner(cast.session, program=cast.program, name="Other")
    cast.session.commit()
    acts = [
        f"/console/casa/partners/{public('ptn', other)}/goals/{goal_id}/{act}" for act in ("end", "review", "agree")
    ]
    assert [mara.post(act, data={"text": "Not hers."}).status_code for act in acts] == [404] * 3
    assert mara.post(f"{page_of(cast)}/goals/{goal_id}/end").status_code == 303


def test_a_change_that_the_partner_agreed_to_meanwhile_is_not_taken_back(
    cast: Cast, mara: FlaskClient, marta: FlaskClient
) -> None:
    today = clock.now().date().isoformat()
    goal = {"metric": "revenue", "target": "500", "starts_on": today, "last_on": today}
    mara.post(f"{page_of(cast)}/goals", data=goal)
    goal_id = cast.session.scalars(sa.select(PartnerGoal.id)).one()
    cast.session.commit()
    marta.post(f"/portal/casa/together/goals/{goal_id}/agree")
    mara.post(f"{page_of(cast)}/goals/{goal_id}/change", data=goal | {"target": "700"})
    change_id = cast.session.scalars(sa.select(PartnerGoal.id).where(PartnerGoal.replaces_id == goal_id)).one()
    cast.session.commit()
    [take_back] = re.findall(rf'action="([^"]*/goals/{change_id}/[^"]*)"', mara.get(f"{page_of(cast)}/care").text)
    marta.post(f"/portal/casa/together/goals/{change_id}/agree")
    late = mara.post(take_back)
    assert late.status_code == 409
    assert "was answered already" in text_of(late)
    assert "€0.00 of €700.00" in text_of(marta.get("/portal/casa/together"))
    assert mara.post(f"{page_of(cast)}/goals/{goal_id}/take-back").status_code == 404  # no change of a goal


def test_a_goal_is_changed_once_the_partner_agrees_and_both_see_what_was_before(
    cast: Cast, mara: FlaskClient, marta: FlaskClient
) -> None:
    today = clock.now().date().isoformat()
    goal = {"metric": "revenue", "target": "500", "starts_on": today, "last_on": today}
    mara.post(f"{page_of(cast)}/goals", data=goal)
    goal_id = cast.session.scalars(sa.select(PartnerGoal.id)).one()
    cast.session.commit()
    portal = "/portal/casa/together"
    marta.post(f"{portal}/goals/{goal_id}/agree")
    form = mara.get(f"{page_of(cast)}/care").text
    assert f'/goals/{goal_id}/change"' in form
    assert 'value="500.00"' in form
    refused = mara.post(f"{page_of(cast)}/goals/{goal_id}/change", data=goal | {"target": "x"}, follow_redirects=True)
    assert "A change is proposed" not in text_of(refused)
    proposed = mara.post(
        f"{page_of(cast)}/goals/{goal_id}/change", data=goal | {"target": "700"}, follow_redirects=True
    )
    assert "The goal stays as it is until the partner agrees." in text_of(proposed)
    page = main_of(marta.get(portal))
    assert page.index("€0.00 of €500.00") < page.index("A change is proposed") < page.index("Revenue: €700.00")
    waiting = sa.select(PartnerGoal.id).where(PartnerGoal.replaces_id == goal_id)
    change_id = cast.session.scalars(waiting).one()
    cast.session.commit()
    assert mara.post(f"{page_of(cast)}/goals/{change_id}/agree", follow_redirects=True).status_code == 409
    assert "€0.00 of €500.00" in text_of(marta.get(portal))
    page = main_of(marta.post(f"{portal}/goals/{change_id}/agree", follow_redirects=True))
    assert "€0.00 of €700.00" in page
    for told in (page, main_of(mara.get(f"{page_of(cast)}/care"))):
        assert "Before: Revenue: €500.00" in told
        assert "Replaced by: Revenue: €700.00" in told
    foreign = f"/console/casa/partners/{public('ptn', cast.applicant)}/goals/{change_id}/change"
    assert mara.post(foreign, data=goal).status_code == 404


def test_the_list_is_narrowed_kept_under_a_name_and_acted_on_in_bulk(cast: Cast, mara: FlaskClient) -> None:
    picked = {"partner": [public("ptn", cast.partner), public("ptn", cast.applicant), "ptn_nonsense"]}
    said = mara.post("/console/casa/partners/act/tag", data=picked | {"tag": "Food"}, follow_redirects=True)
    assert "Changed: 2 partners." in text_of(said)
    mara.post("/console/casa/partners/act/group", data=picked | {"group": "blogs"})
    groups = set(cast.session.scalars(sa.select(PartnerTerms.group_name)))
    cast.session.commit()
    assert groups == {"blogs"}
    assert "Slow Kitchen" in text_of(mara.get("/console/casa/partners?tag=food&group=blogs"))
    assert "Slow Kitchen" not in text_of(mara.get("/console/casa/partners?tag=other"))
    mara.post("/console/casa/partners/segments", data={"segment": "Food blogs", "tag": "food", "utm": "x"})
    segment = cast.session.scalars(sa.select(PartnerSegment)).one()
    assert segment.filters == {"tag": "food"}
    cast.session.commit()
    assert "Food blogs" in text_of(mara.get("/console/casa/partners"))
    mara.post(f"/console/casa/partners/segments/{segment.id}/delete")
    assert "Food blogs" not in text_of(mara.get("/console/casa/partners"))
    nobody = mara.post("/console/casa/partners/act/tag", data={"tag": "food"}, follow_redirects=True)
    assert "Choose from 1 to 20,000 partners." in text_of(nobody)


def test_momentum_stands_in_the_list_and_who_is_looked_after_leaves_the_first_page(
    cast: Cast, mara: FlaskClient
) -> None:
    cast.sale("old", days_ago=50)
    steering.compute_momentum(cast.session, program=cast.program, now=clock.now())
    cast.settle()
    assert "No click and no sale in 28 days." in text_of(mara.get("/console/casa/partners?momentum=dormant"))
    assert "Slow Kitchen: Asleep" in text_of(mara.get("/console/casa/"))
    mara.post(f"{page_of(cast)}/look-after", data={"from": "today"})
    assert "Slow Kitchen: Asleep" not in text_of(mara.get("/console/casa/"))


def test_a_figure_is_watched_and_an_alarm_comes_up(cast: Cast, mara: FlaskClient, finn: FlaskClient) -> None:
    cast.sale("1", days_ago=2)
    wrong = {"key": "conversion_rate", "side": "below", "threshold": "many", "look_back_days": 7, "volume_min": 0}
    assert mara.post("/console/casa/kpis", data=wrong).status_code == 422
    form = {"key": "revenue", "side": "below", "threshold": "150", "look_back_days": 7, "volume_min": 0}
    assert "at least €150.00 in 7 days" in text_of(mara.post("/console/casa/kpis", data=form, follow_redirects=True))
    steering.check_due(cast.session, limit=10, now=clock.now())
    cast.session.commit()
    assert "Revenue is beyond its limit" in text_of(mara.get("/console/casa/"))
    page = text_of(finn.get("/console/casa/kpis"))
    assert "Beyond the limit" in page
    assert "Watch a figure" not in page
    assert "The best partner brings 100 % of the revenue." in page.replace("\u00a0", " ")
    watch_id = cast.session.scalars(sa.select(KpiWatch.id)).one()
    cast.session.commit()
    _watched_by_another_limit(cast, mara, f"/console/casa/kpis/{watch_id}/change")
    assert finn.post(f"/console/casa/kpis/{watch_id}/change", data=form).status_code == 404
    assert "Nothing is watched" in text_of(mara.post(f"/console/casa/kpis/{watch_id}/remove", follow_redirects=True))


def _watched_by_another_limit(cast: Cast, mara: FlaskClient, address: str) -> None:
    assert 'name="threshold" type="text" value="150.00"' in text_of(mara.get("/console/casa/kpis"))
    form = {"threshold": "90.50", "look_back_days": "14", "volume_min": "0"}
    for wrong in ({"threshold": "many"}, {"look_back_days": "91"}, {"volume_min": "-1"}):
        mara.post(address, data=form | wrong)
        assert cast.session.scalars(sa.select(KpiWatch.threshold)).one() == 150_00
        cast.session.commit()
    page = text_of(mara.post(address, data=form, follow_redirects=True))
    assert "at least €90.50 in 14 days" in page
    assert "Not looked at yet" in page
    assert "Revenue is beyond its limit" not in text_of(mara.get("/console/casa/"))
    told = text_of(mara.get("/console/casa/history"))
    assert "changed the limit of a watched figure" in told
    assert "Revenue: at least €150.00 in 7 days → at least €90.50 in 14 days" in told


def test_an_application_is_weighed_by_several_and_the_weights_are_the_programs(cast: Cast, mara: FlaskClient) -> None:
    here = f"/console/casa/partners/{public('ptn', cast.applicant)}/weighed"
    assert "Nobody has weighed it yet." in text_of(mara.get(here))
    marks = {"reach": "4", "values": "2", "evidence-reach": "Screenshot of October", "note": "A good voice."}
    page = text_of(mara.post(here, data=marks, follow_redirects=True))
    for told in ("Screenshot of October", "A good voice.", "by reviewers"):
        assert told in page
    mara.post(here, data=marks | {"reach": "1"})
    assert cast.session.scalars(sa.select(Assessment.marks)).one() == {"reach": 1, "values": 2}
    cast.session.commit()
    assert "each from 0 to 4" in text_of(mara.post(here, data={"reach": "9"}, follow_redirects=True))
    weights = dict.fromkeys(("target_group", "reputation", "experience", "skills", "no_conflict", "reach"), "0")
    rubric = weights | {"values": "100", "accept_from": "50", "refuse_below": "20"}
    mara.post("/console/casa/rubric", data=rubric)
    assert "50 of 100" in text_of(mara.get(here))
    assert mara.get(f"{page_of(cast)}/weighed").status_code == 303


def test_other_weights_are_tried_on_those_who_wait_and_what_is_wrong_stays_typed(cast: Cast, mara: FlaskClient) -> None:
    here = f"/console/casa/partners/{public('ptn', cast.applicant)}/weighed"
    mara.post(here, data={"reach": "4", "values": "0"})
    zeros = dict.fromkeys((each.value for each in Criterion), "0")
    values_alone = zeros | {"values": "100", "accept_from": "50", "refuse_below": "20"}
    tried = mara.post("/console/casa/rubric/preview", data=values_alone)
    assert "Of one application that waits something else would be suggested" in text_of(tried)
    assert cast.session.scalars(sa.select(RubricSettings)).all() == []
    cast.session.commit()
    as_it_is = {each.value: str(weight) for each, weight in USUAL.weights.items()}
    same = as_it_is | {"accept_from": str(USUAL.accept_from), "refuse_below": str(USUAL.refuse_below)}
    assert "Of no application that waits" in text_of(mara.post("/console/casa/rubric/preview", data=same))
    for wrong, told in (
        ("-1", "Choose from 0 to 100."),
        ("", "Choose from 0 to 100."),
        ("many", "Not a valid integer"),
    ):
        for act in ("/console/casa/rubric", "/console/casa/rubric/preview"):
            refused = mara.post(act, data=values_alone | {"reach": wrong, "skills": "37"})
            assert refused.status_code == 422
            assert told in text_of(refused)
            assert 'value="37"' in text_of(refused)
    nothing = mara.post("/console/casa/rubric/preview", data=zeros | {"accept_from": "50", "refuse_below": "20"})
    assert "At least one criterion needs a weight." in text_of(nothing)
    assert cast.session.scalars(sa.select(RubricSettings)).all() == []


def test_other_weights_are_tried_on_all_who_wait_and_the_first_are_shown(
    cast: Cast, mara: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rubric_page, "SHOWN_MAX", 2)
    for _number in range(4):
        partner = make_partner(cast.session, program=cast.program, status=EnrollmentStatus.PENDING)
        make_application(cast.session, program=cast.program, partner=partner, user=make_user(cast.session))
    cast.session.commit()
    waiting = cast.session.scalars(
        sa.select(Enrollment.partner_id).where(Enrollment.status == EnrollmentStatus.PENDING)
    ).all()
    cast.session.commit()
    for partner_id in waiting:
        mara.post(f"/console/casa/partners/{ids.public('ptn', partner_id)}/weighed", data={"reach": "4", "values": "0"})
    zeros = dict.fromkeys((each.value for each in Criterion), "0")
    values_alone = zeros | {"values": "100", "accept_from": "50", "refuse_below": "20"}
    page = text_of(mara.post("/console/casa/rubric/preview", data=values_alone))
    assert "Of 5 applications that wait something else would be suggested" in page
    assert page.count("/weighed") == 2
    assert "3 more were tried and are not shown." in page
    assert "that have waited longest" not in page
    monkeypatch.setattr(rubric_page, "TRIED_MAX", 3)
    cut = text_of(mara.post("/console/casa/rubric/preview", data=values_alone))
    assert "Of 3 applications that wait something else" in cut
    assert "Only the 3 that have waited longest were tried." in cut


def test_of_a_twin_in_another_program_only_who_manages_all_programs_learns_the_name(
    cast: Cast, mara: FlaskClient, browser_of: Callable[[User], FlaskClient]
) -> None:
    here = f"/console/casa/partners/{public('ptn', cast.applicant)}/weighed"
    elsewhere = make_partner(cast.session, program=make_program(cast.session), name="Ferro Due")
    elsewhere.website = cast.applicant.website = "https://ferro.example"
    cast.session.commit()
    page = text_of(mara.get(here))
    assert "Another partner looks like the same person." in page
    assert "Ferro Due" not in page
    assert "The same:" not in page
    page = text_of(browser_of(cast.ada).get(here))
    assert "Ferro Due" in page
    assert "The same: website" in page


def test_several_applicants_are_let_in_at_once(cast: Cast, mara: FlaskClient) -> None:
    picked = {"partner": [public("ptn", cast.applicant), public("ptn", cast.partner)]}
    act = "/console/casa/partners/act/approve"
    page = text_of(mara.post(act, data=picked | {"from": "today"}, follow_redirects=True))
    assert "2 partners were chosen." in page
    assert "This partner is approved by now." in page
    nobody = mara.post(act, data={"partner": [], "from": "today"})
    assert (nobody.status_code, "Choose from 1 to" in main_of(nobody)) == (422, True)


def test_finance_reads_what_is_agreed_and_agrees_nothing(cast: Cast, mara: FlaskClient, finn: FlaskClient) -> None:
    here, today = page_of(cast), clock.now().date().isoformat()
    task = {"task": "Two posts", "side": "partner", "cadence": "monthly", "first_on": today}
    mara.post(f"{here}/leads", data={"lead": str(cast.mara.id), "deputy": str(cast.max.id)})
    mara.post(f"{here}/tags/add", data={"tag": "Recipes"})
    trial = {"scope": "One post", "starts_on": today, "last_on": today, "orders_min": "1", "orders_max": "5"}
    mara.post(f"{here}/trial", data=trial)
    mara.post(f"{here}/duties", data=task)
    mara.post(f"{here}/goals", data={"metric": "sales", "target": "10", "starts_on": today, "last_on": today})
    mara.post(f"{here}/notes", data={"text": "Do not trust her numbers."})
    page = main_of(finn.get(f"{here}/care"))
    for told in ("Mara", "Max", "recipes", "One post", "Two posts", "Waits for the partner"):
        assert told in page
    assert (page.count('method="post"'), page.count("popovertarget")) == (0, 0)
    goal_id, duty_id = (cast.session.scalars(sa.select(each.id)).one() for each in (PartnerGoal, Duty))
    cast.session.commit()
    acts = {
        "leads": {},
        "notes": {"text": "x"},
        "tags/add": {"tag": "x"},
        "trial": trial,
        "graduate": {},
        "duties": task,
    }
    acts |= {
        f"duties/{duty_id}/done": {},
        f"goals/{goal_id}/review": {"text": "x"},
        f"goals/{goal_id}/change": {"target": "20"},
    }
    assert {act: finn.post(f"{here}/{act}", data=form).status_code for act, form in acts.items()} == dict.fromkeys(
        acts, 404
    )
    for path in (f"{here}/weighed", "/console/casa/rubric"):
        assert finn.get(path).status_code == 404
