"""The queue of orders under review, one case, and the rules with the effect of a change, over HTTP."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from accounts_cast import give, make_person
from appeal_cast import overlook_appeals
from console_cast import Cast, public, text_of
from creative_cast import png
from factories import make_click, make_link, make_partner
from flask.testing import FlaskClient

from affiliate import clock, ids
from affiliate.accounts.actors import SYSTEM
from affiliate.accounts.models import AuditEvent, GrantRole, User
from affiliate.attribution import service as attribution
from affiliate.commissions.models import Commission, CommissionStatus
from affiliate.console import paging
from affiliate.console.queries import fraud as queries
from affiliate.fraud.models import FraudSettings
from affiliate.partners.models import Enrollment, EnrollmentStatus
from affiliate.payouts import queries as payouts
from affiliate.relations import queries as case_queries
from affiliate.relations import service as cases
from affiliate.relations.claims import Claim, Proof
from affiliate.relations.models import Case, CaseKind, CaseStatus
from affiliate.replay import jobs, trials

QUEUE, RULES = "/console/casa/fraud", "/console/casa/fraud/rules"


def flagged(cast: Cast, order_id: str, network: str | None = "tor") -> Commission:
    """An order whose click came out of Tor, unless said otherwise."""
    link = make_link(cast.session, program=cast.program, partner=cast.partner)
    click = make_click(
        cast.session, link=link, occurred_at=clock.now() - timedelta(days=1, minutes=30), network=network
    )
    return cast.sale(order_id, click_id=click.id)


def case_of(cast: Cast, commission: Commission, partner: Any = None) -> str:
    return f"{QUEUE}/{ids.public('cnv', commission.conversion_id)}/{public('ptn', partner or cast.partner)}"


def ticked(cast: Cast, commission: Commission, seen: int = 0) -> str:
    return f"{ids.public('cnv', commission.conversion_id)}.{public('ptn', cast.partner)}.{seen}"


def stages(cast: Cast) -> None:
    now = clock.now()
    attribution.attribute_waiting(cast.session, limit=100, clicks_until=now, now=now)
    cast.books.work(now=now)
    cast.settle()


def status_of(cast: Cast, commission: Commission) -> CommissionStatus:
    found = sa.select(Commission.status).where(Commission.conversion_id == commission.conversion_id, Commission.is_live)
    status = cast.session.scalars(found).one()
    cast.session.commit()
    return status


def test_the_queue_shows_what_was_found_and_is_emptied_in_bulk(cast: Cast, mara: FlaskClient) -> None:
    kept, honest, refused = flagged(cast, "O-1"), cast.sale("O-2"), flagged(cast, "O-3")
    page = text_of(mara.get(QUEUE))
    assert "Data centre or Tor" in page
    assert "O-1" in page
    assert "O-2" not in page
    both = {"case": [ticked(cast, kept), ticked(cast, refused), "nonsense", ticked(cast, honest)]}
    refused_act = mara.post(f"{QUEUE}/pass", data=both)
    assert (refused_act.status_code, "Write why" in text_of(refused_act)) == (422, True)
    mara.post(f"{QUEUE}/pass", data={"case": ticked(cast, kept), "reason": "A journalist."})
    assert "1 order passes." in text_of(mara.get(QUEUE))
    rejected = {"case": [ticked(cast, refused), ticked(cast, kept)], "reason": "A robot."}
    told = text_of(mara.post(f"{QUEUE}/reject", data=rejected, follow_redirects=True))
    assert "2 orders were chosen." in told
    assert "Somebody else has decided on this order." in told
    assert "Nothing under review" in text_of(mara.get(QUEUE))
    stages(cast)
    assert [status_of(cast, one) for one in (kept, honest, refused)] == [
        CommissionStatus.PENDING, CommissionStatus.PENDING, CommissionStatus.DECLINED,
    ]  # fmt: skip
    cast.assert_proven()


def test_the_queue_is_paged_by_promise_and_all_of_it_can_be_decided(cast: Cast, mara: FlaskClient) -> None:
    cases = [flagged(cast, f"O-{number}") for number in range(3)]
    asked: dict[str, Any] = {"program_id": cast.program.id, "appealed": False, "size": 2}
    first, page = queries.queue(cast.session, **asked, cursor=None)
    second, last = queries.queue(cast.session, **asked, cursor=paging.read_cursor(page.older))
    cast.session.commit()
    assert [row.order_id for row in (*first, *second)] == ["O-0", "O-1", "O-2"]
    assert (page.newer, last.older) == (None, None)
    assert "3 orders pass." in text_of(
        mara.post(f"{QUEUE}/pass", data={"all": "yes", "reason": "A fair."}, follow_redirects=True)
    )
    stages(cast)
    assert {status_of(cast, one) for one in cases} == {CommissionStatus.PENDING}


def test_a_case_tells_everything_and_takes_a_word_by_hand(cast: Cast, mara: FlaskClient) -> None:
    honest = flagged(cast, "O-2", network=None)
    page = text_of(mara.get(case_of(cast, honest)))
    assert "No rule spoke." in page
    answer = mara.post(
        f"{case_of(cast, honest)}/review", data={"reason": "Look", "rule": "missing_disclosure", "seen": "0"}
    )
    assert answer.status_code == 303
    page = text_of(mara.get(case_of(cast, honest)))
    for said in (f"{cast.mara.name} decided: Under review", "The advertising was not marked as such.", "Look"):
        assert said in page
    stages(cast)
    assert status_of(cast, honest) is CommissionStatus.UNDER_REVIEW
    late = mara.post(f"{case_of(cast, honest)}/pass", data={"reason": "Fine", "seen": "0"})
    assert (late.status_code, "Somebody else has decided" in text_of(late)) == (409, True)
    late = mara.post(f"{case_of(cast, honest)}/pass", data={"reason": "A fair.", "seen": "0", "act": "pass"})
    assert re.search(r'id="pass-reason"[^>]*>A fair\.<', late.text)
    late = mara.post(f"{case_of(cast, honest)}/review", data={"reason": "Again?", "seen": "0", "act": "review"})
    assert "What you wrote was not sent" in text_of(late)  # it is under review: nothing asks for this word any more
    assert "Again?" in text_of(late)


def appealed(cast: Cast, commission: Commission, text: str = "I was on holiday.", proof: Proof | None = None) -> Case:
    """The partner's appeal against the review of an order."""
    case = cases.open_case(
        cast.session, program=cast.program, partner_id=cast.partner.id,
        claim=Claim(CaseKind.FRAUD_APPEAL, text, order_id="O-1", proofs=[proof] if proof else []), actor=SYSTEM, now=clock.now(),
    )  # fmt: skip
    assert case.conversion_id == commission.conversion_id
    cast.session.commit()
    return case


def test_an_appeal_stands_in_the_queue_and_among_the_cases(cast: Cast, mara: FlaskClient) -> None:
    commission = flagged(cast, "O-1")
    mara.post(f"{case_of(cast, commission)}/reject", data={"reason": "No.", "seen": "0"})
    stages(cast)
    assert "Nothing under review" in text_of(mara.get(QUEUE))
    case = appealed(cast, commission)
    page, review = f"/console/casa/cases/{public('cas', case)}", case_of(cast, commission)
    assert "I was on holiday." in text_of(mara.get(f"{QUEUE}?state=appealed"))
    opened = re.findall(rf'href="({review}[^"]*)"', text_of(mara.get(f"{QUEUE}?state=appealed")))
    assert (
        f'<a href="{QUEUE}?state=appealed">Fraud</a> /' in mara.get(opened[0]).text
    )  # the way back to the list as it stood
    assert f'href="{page}"' in mara.get("/console/casa/cases").text
    assert f'href="{page}"' in mara.get(review).text
    assert f'href="{review}"' in mara.get(page).text
    mara.post(f"{page}/accept", data={"settlement": "release", "text": "You are right.", "seen": "1"})
    assert "Nothing under review" in text_of(mara.get(QUEUE))
    assert "You are right." in text_of(mara.get(review))
    stages(cast)
    assert status_of(cast, commission) is CommissionStatus.PENDING
    cast.assert_proven()


def test_an_appeal_is_judged_by_who_has_read_all_of_it_and_no_word_is_lost(cast: Cast, mara: FlaskClient) -> None:
    commission = flagged(cast, "O-1")
    review = case_of(cast, commission)
    unread = hidden(mara.get(review).text, "reject")
    case = appealed(cast, commission)
    page = f"/console/casa/cases/{public('cas', case)}"
    late = mara.post(f"{review}/reject", data=unread | {"reason": "A robot."})
    assert (late.status_code, "Something was written in this case" in text_of(late)) == (409, True)
    assert re.search(r'id="reject-reason"[^>]*>A robot\.<', late.text)
    assert "Nothing under review" not in text_of(mara.get(QUEUE))
    for act, field in (("decline", "decline-text"), ("accept", "accept-text")):
        read = hidden(mara.get(page).text, act)
        reply(cast, case, f"Before you {act} it…")
        form = {"settlement": "release", "text": f"We {act}."}
        late = mara.post(f"{page}/{act}", data=read | form)
        assert (late.status_code, "Something was written in this case" in text_of(late)) == (409, True)
        assert re.search(rf'id="{field}"[^>]*>We {act}\.<', late.text)
        assert late.text.count(f"We {act}.") == 1
    assert mara.post(f"{page}/accept", data=hidden(late.text, "accept") | form).status_code == 303
    stages(cast)
    assert status_of(cast, commission) is CommissionStatus.PENDING


def test_who_decides_is_shown_all_that_was_said_in_the_appeal(
    cast: Cast, mara: FlaskClient, finn: FlaskClient, count_queries: Any
) -> None:
    commission = flagged(cast, "O-1")
    review, ending = case_of(cast, commission), "And that is how it was."
    case = appealed(cast, commission, text="I was there. " * 250 + ending, proof=Proof("shot.png", png()))
    [first] = case_queries.messages_of(cast.session, case_id=case.id)
    proof = f"/console/casa/cases/{public('cas', case)}/proof/{first.id}"
    cast.session.commit()
    page = mara.get(review)
    assert (ending in text_of(page), page.text.count("I was there.")) == (True, 250)
    assert f'<img src="{proof}"' in page.text
    assert mara.get(proof).status_code == 200
    with count_queries() as few:
        mara.get(review)
    for number in range(5):
        reply(cast, case, f"Also this, {number}.")
    late = mara.post(f"{review}/reject", data=hidden(page.text, "reject") | {"reason": "A robot."})
    assert (late.status_code, "Something was written in this case" in text_of(late)) == (409, True)
    with count_queries() as many:
        mara.get(review)
    assert (len(many.statements), len(many.statements) <= 20) == (len(few.statements), True)
    for shown in (text_of(late), text_of(mara.get(review))):
        assert [f"Also this, {number}." in shown for number in range(5)] == [True] * 5
    unread = text_of(finn.get(review))  # who may not open cases reads no more of one here
    assert ("Also this" in unread, "The partner appealed" in unread) == (False, True)
    assert f'href="/console/casa/cases/{public("cas", case)}"' not in finn.get(review).text
    mara.post(f"{review}/reject", data=hidden(late.text, "reject") | {"reason": "A robot."})
    cast.session.refresh(case)
    assert case.status is CaseStatus.DECLINED
    cast.session.commit()


def test_an_order_that_is_appealed_just_now_is_refused_with_that_reason(
    cast: Cast, mara: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    commission = flagged(cast, "O-1")
    case = appealed(cast, commission)
    with monkeypatch.context() as patch:
        overlook_appeals(patch)
        chosen = {"case": ticked(cast, commission), "reason": "A robot."}
        told = text_of(mara.post(f"{QUEUE}/reject", data=chosen, follow_redirects=True))
    assert "Something was written in this case" in told
    assert "Somebody else has decided" not in told
    cast.session.refresh(case)
    assert case.status is CaseStatus.OPEN
    cast.session.commit()


def reply(cast: Cast, case: Case, text: str) -> None:
    """The partner says more in its case."""
    cases.reply(
        cast.session, program=cast.program, partner_id=cast.partner.id, case_id=case.id, text=text, proofs=(),
        actor=SYSTEM, now=clock.now(),
    )  # fmt: skip
    cast.session.commit()


def hidden(page: str, dialog: str) -> dict[str, str]:
    """What a dialog of the page sends by itself."""
    form = page[page.index(f'<dialog class="dlg" id="{dialog}"') :].partition("</form>")[0]
    return dict(re.findall(r'<input type="hidden" name="([a-z]+)" value="([^"]*)"', form))


def test_who_answers_cases_judges_no_order(
    cast: Cast, mara: FlaskClient, browser_of: Callable[[User], FlaskClient]
) -> None:
    case = appealed(cast, flagged(cast, "O-1"))
    helper = make_person(cast.session, "Logan")
    give(cast.session, helper, GrantRole.LOGISTICS, cast.program)
    cast.session.commit()
    logistics, page = browser_of(helper), f"/console/casa/cases/{public('cas', case)}"
    assert ('id="decline"' in logistics.get(page).text, 'id="decline"' in mara.get(page).text) == (False, True)
    for act, form in (("decline", {}), ("accept", {"settlement": "release"})):
        assert logistics.post(f"{page}/{act}", data=form | {"text": "No"}).status_code == 404
    assert logistics.post(f"{page}/ask", data={"text": "Where were you?"}).status_code == 303
    cast.session.refresh(case)
    assert case.status is CaseStatus.ASKED
    cast.session.commit()


def test_one_act_pauses_the_partner_its_links_and_its_payouts(cast: Cast, mara: FlaskClient) -> None:
    cast.approved_sale("O-9")
    flagged(cast, "O-1")
    pause = f"{QUEUE}/partners/{public('ptn', cast.partner)}/pause"
    assert "Write a reason first" in text_of(mara.post(pause, data={}))
    mara.post(pause, data={"reason": "Robots."})
    assert "The partner is paused" in text_of(mara.get(QUEUE))
    mine = sa.select(Enrollment.status).where(Enrollment.partner_id == cast.partner.id)
    assert cast.session.scalars(mine).one() is EnrollmentStatus.PAUSED
    schedule = payouts.preview(cast.session, program_id=cast.program.id, now=clock.now())
    assert ([one.partner_id for one in schedule.payable], len(schedule.blocked)) == ([], 1)
    cast.session.commit()
    assert "Let the partner go on" in text_of(mara.get(QUEUE))
    resume = f"/console/casa/partners/{public('ptn', cast.partner)}/resume"
    assert mara.post(resume, data={"from": "fraud"}).location.endswith("/fraud")
    assert cast.session.scalars(mine).one() is EnrollmentStatus.APPROVED


def form(**changes: str) -> dict[str, str]:
    from affiliate.fraud.rules import AUTOMATIC

    fields = {f"{rule.name}.action": rule.usual.value for rule in AUTOMATIC}
    fields |= {f"{rule.name}.{name}": str(limit.usual) for rule in AUTOMATIC for name, limit in rule.limits.items()}
    return fields | {"version": "0", "answer_days": "14", "brand_terms": "", "banned_hosts": ""} | changes


def test_a_change_of_the_rules_is_tried_before_it_is_switched_on(cast: Cast, mara: FlaskClient) -> None:
    flagged(cast, "O-1")
    cast.sale("O-2")
    wanted = form(**{"machine_network.action": "reject"})
    page = text_of(mara.post(f"{RULES}/try", data=wanted))
    assert "2 of 2 orders were looked at" in page
    assert page.count("€10.00") == 2  # under review now, rejected then
    assert cast.session.scalars(sa.select(FraudSettings)).all() == []
    cast.session.commit()
    assert mara.post(RULES, data=wanted).status_code == 303
    assert "Version 1" in text_of(mara.get(RULES))
    assert mara.post(RULES, data=form(answer_days="20")).status_code == 409
    stored = cast.session.scalars(sa.select(FraudSettings)).one()
    assert stored.document["rules"]["machine_network"]["action"] == "reject"
    assert (
        cast.session.scalars(sa.select(AuditEvent.actor_id).where(AuditEvent.action == "fraud.settings")).one()
        == cast.mara.id
    )


def test_a_change_is_tried_on_very_many_orders_by_a_job_and_the_page_follows(
    cast: Cast, mara: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trials, "AT_ONCE_MAX", 1)
    flagged(cast, "O-1")
    cast.sale("O-2")
    wanted = form(**{"machine_network.action": "reject"})
    assert mara.get(f"{RULES}/try").location.endswith("/fraud/rules")  # nobody has asked
    answer = mara.post(f"{RULES}/try", data=wanted)
    assert (answer.status_code, answer.location) == (303, f"{RULES}/try")
    page = mara.get(f"{RULES}/try")
    assert "0 of 2 orders were looked at" in text_of(page)
    assert 'data-renews="3"' in page.text
    while jobs.try_fraud_rules():
        pass
    page = mara.get(f"{RULES}/try")
    assert ("2 of 2 orders were looked at" in text_of(page), "data-renews" in page.text) == (True, False)
    assert text_of(page).count("€10.00") == 2
    assert re.search(r'<option value="reject" selected>', page.text)
    assert "Other rules, tried on" in text_of(mara.get(RULES))
    assert mara.post(RULES, data=wanted).status_code == 303  # what was tried, switched on


@pytest.mark.parametrize(
    ("field", "value"),
    [("click_flood.clicks", "1"), ("click_flood.clicks", "many"), ("answer_days", "0"), ("brand_terms", "x" * 200)],
)
def test_a_number_outside_its_limits_is_marked(cast: Cast, mara: FlaskClient, field: str, value: str) -> None:
    for address in (RULES, f"{RULES}/try"):
        answer = mara.post(address, data=form(**{field: value}))
        assert answer.status_code == 422
        assert 'aria-invalid="true"' in answer.text


def test_finance_reads_and_does_not_decide(cast: Cast, finn: FlaskClient) -> None:
    commission = flagged(cast, "O-1")
    assert finn.get(QUEUE).status_code == 200
    assert finn.get(case_of(cast, commission)).status_code == 200
    for address in (f"{case_of(cast, commission)}/pass", f"{QUEUE}/pass", RULES, f"{RULES}/try"):
        assert finn.post(address, data={"reason": "x"}).status_code in {403, 404}


def test_a_case_of_another_program_or_partner_is_not_there(
    cast: Cast, browser_of: Callable[[User], FlaskClient], mara: FlaskClient
) -> None:
    commission = flagged(cast, "O-1")
    stranger = make_partner(cast.session, program=cast.program)
    otto = make_person(cast.session, "Otto")
    give(cast.session, otto, GrantRole.MANAGER, cast.other)
    cast.session.commit()
    assert mara.get(case_of(cast, commission, stranger)).status_code == 404
    assert (
        mara.post(f"{case_of(cast, commission, stranger)}/pass", data={"reason": "x", "seen": "0"}).status_code == 404
    )
    there = case_of(cast, commission).replace("/casa/", "/altra/")
    assert browser_of(otto).get(there).status_code == 404
    assert browser_of(otto).post(f"{there}/pass", data={"reason": "x", "seen": "0"}).status_code == 404
