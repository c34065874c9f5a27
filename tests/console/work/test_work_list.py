"""Every kind of line on the work list: its sentence, where it leads, and what is said of the lines that are not shown."""

import html
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from console_cast import Cast, public, text_of
from creative_cast import make_creative
from factories import make_application, make_click, make_link, make_member, make_partner, make_payout, make_user
from flask.testing import FlaskClient
from newsletter_cast import make_issue
from postback_cast import make_address

from affiliate import clock, ids, mailer
from affiliate.accounts.actors import Actor
from affiliate.accounts.models import AuditEvent, User
from affiliate.canary.models import CanaryRun, CanaryState
from affiliate.creatives.models import CreativeStatus
from affiliate.files import StoredFile
from affiliate.ingest.models import DeadLetter, RejectedEvent, RejectReason
from affiliate.mailer import MailStatus, OutboxMail
from affiliate.newsletters.models import DeliveryStatus as Mailed
from affiliate.newsletters.models import IssueStatus, NewsletterDelivery
from affiliate.notifications.models import DeliveryStatus, PostbackDelivery, PostbackEvent
from affiliate.papers.models import FiledInvoice, FiledStatus
from affiliate.partners.models import EnrollmentStatus, Member, Partner
from affiliate.payouts.models import Payout, PayoutStatus
from affiliate.privacy.models import ErasureRequest, ErasureStatus
from affiliate.programs.models import Goal, GoalMetric
from affiliate.relations import care_queries
from affiliate.relations import service as cases
from affiliate.relations.care_models import Duty, DutyStatus, GoalStatus, PartnerCare, PartnerGoal, PartnerGoalNote
from affiliate.relations.claims import Claim
from affiliate.relations.models import CaseKind, Side
from affiliate.relations.rounds import Cadence
from affiliate.reports.momentum import Momentum, Reason
from affiliate.steering.models import KpiWatch, PartnerMomentum, WatchState
from affiliate.steering.models import Side as WatchSide

HOME = "/console/casa/"
_LINE = re.compile(r'<a class="t" href="(?P<url>[^"]+)">(?P<title>[^<]+)</a><div class="d">(?P<detail>[^<]*)</div>')


@dataclass(frozen=True)
class Line:
    """A line of the list as a person reads it."""

    title: str
    detail: str
    url: str


def lines(browser: FlaskClient, kind: str = "") -> dict[str, Line]:
    """The lines that lead somewhere, by what they say."""
    page = browser.get(f"{HOME}?kind={kind}").text
    found = [Line(*(html.unescape(one[part]) for part in ("title", "detail", "url"))) for one in _LINE.finditer(page)]
    return {one.title: one for one in found}


def add(cast: Cast, row: Any) -> Any:
    """Keep a row."""
    cast.session.add(row)
    cast.session.commit()
    return row


def open_case(cast: Cast, order_id: str = "10482") -> Any:
    """The partner misses a sale."""
    claim = Claim(kind=CaseKind.MISSING_SALE, text="It was mine", order_id=order_id)
    marta = cast.session.scalars(sa.select(User.id).where(User.name == "Marta Example")).one()
    here = {"program": cast.program, "partner_id": cast.partner.id, "actor": Actor("user", marta)}
    case = cases.open_case(cast.session, claim=claim, now=clock.now(), **here)
    cast.session.commit()
    return case


def flag(cast: Cast) -> None:
    """An order whose click came out of Tor."""
    link = make_link(cast.session, program=cast.program, partner=cast.partner)
    clicked = clock.now() - timedelta(days=1, minutes=30)
    cast.sale("flagged", click_id=make_click(cast.session, link=link, occurred_at=clicked, network="tor").id)


def payout(cast: Cast, **fields: Any) -> Payout:
    """A run with one payout, proposed by the manager today."""
    made = make_payout(cast.session, program=cast.program, partner=cast.partner, proposer=cast.mara, **fields)
    cast.session.execute(sa.text("UPDATE payout_runs SET proposed_at = :now"), {"now": clock.now()})
    cast.session.commit()
    return made


def invoice(cast: Cast, number: str = "7", *, days_ago: float = 0) -> None:
    """The partner sent an invoice for a payout that a run proposes."""
    now = clock.now()
    file = StoredFile(
        id=ids.new(),
        name="7.pdf",
        media_type="application/pdf",
        content=b"%PDF",
        byte_count=4,
        sha256="0" * 64,
        created_at=now,
    )
    cast.session.add(file)
    row = FiledInvoice(
        id=ids.new(), program_id=cast.program.id, partner_id=cast.partner.id, payout_id=payout(cast).id, number=number,
        invoiced_on=now.date(), total_minor=50_00, currency="EUR", file_id=file.id, status=FiledStatus.FILED,
        filed_at=now - timedelta(days=days_ago),
    )  # fmt: skip
    add(cast, row)


def proposed_creative(cast: Cast) -> None:
    """Material that the partner offers."""
    made = make_creative(cast.session, program=cast.program, now=clock.now())
    made.status, made.proposed_by_id = CreativeStatus.PROPOSED, cast.partner.id
    cast.session.commit()


def erasure(cast: Cast, *, days_ago: int = 0) -> None:
    """The partner wants to be forgotten."""
    asked_at = clock.now() - timedelta(days=days_ago)
    row = ErasureRequest(
        id=ids.new(), program_id=cast.program.id, partner_id=cast.partner.id, status=ErasureStatus.ASKED,
        asked_by_id=cast.mara.id, asked_at=asked_at,
    )  # fmt: skip
    add(cast, row)


def duty(cast: Cast, task: str, *, days: int = 0) -> None:
    """Something agreed with the partner that is due in so many days."""
    now = clock.now()
    row = Duty(
        id=ids.new(), program_id=cast.program.id, partner_id=cast.partner.id, task=task, side=Side.PARTNER,
        cadence=Cadence.MONTHLY, due_on=now.date() + timedelta(days=days), status=DutyStatus.PENDING, created_at=now,
        updated_at=now,
    )  # fmt: skip
    add(cast, row)


def goal(cast: Cast) -> None:
    """A goal that the partner proposes to share."""
    now = clock.now()
    row = PartnerGoal(
        id=ids.new(), program_id=cast.program.id, partner_id=cast.partner.id, metric=GoalMetric.SALES, target=5,
        starts_on=now.date(), ends_on=now.date() + timedelta(days=30), status=GoalStatus.PROPOSED, proposed_by=Side.PARTNER,
        created_at=now,
    )  # fmt: skip
    add(cast, row)


def shared_goal(cast: Cast, *, days: int, agreed_days_ago: int = 3) -> PartnerGoal:
    """A goal of five sales that both agreed, of which so many days are gone, and as many left."""
    now = clock.now()
    row = PartnerGoal(
        id=ids.new(), program_id=cast.program.id, partner_id=cast.partner.id, metric=GoalMetric.SALES, target=5,
        starts_on=now.date() - timedelta(days=days), ends_on=now.date() + timedelta(days=days), status=GoalStatus.AGREED,
        proposed_by=Side.PARTNER, decided_at=now - timedelta(days=agreed_days_ago), created_at=now - timedelta(days=50),
    )  # fmt: skip
    return add(cast, row)


def fading(cast: Cast, partner: Any) -> None:
    """A partner brings less than before."""
    now = clock.now()
    row = PartnerMomentum(
        program_id=cast.program.id, partner_id=partner.id, momentum=Momentum.FADING, reason=Reason.SALES_CHANGED, now=1,
        before=9, weight_minor=5_00, since=now, computed_at=now,
    )  # fmt: skip
    add(cast, row)


def trial(cast: Cast, partner: Any, *, days: int, orders_min: int) -> None:
    """A partner on trial for so many more days."""
    now = clock.now()
    row = PartnerCare(
        program_id=cast.program.id, partner_id=partner.id, trial_starts_on=now.date() - timedelta(days=3),
        trial_ends_on=now.date() + timedelta(days=days), trial_orders_min=orders_min, updated_at=now,
    )  # fmt: skip
    add(cast, row)


def others(cast: Cast, count: int, status: EnrollmentStatus = EnrollmentStatus.APPROVED) -> list[Any]:
    """More partners of the program."""
    found = [make_partner(cast.session, program=cast.program, status=status) for _one in range(count)]
    cast.session.commit()
    return found


def test_cases_reviews_invoices_and_an_approved_run_stand_there_with_the_way_to_each(
    cast: Cast, mara: FlaskClient
) -> None:
    case = open_case(cast)
    flag(cast)
    invoice(cast)
    approved = payout(cast, status=PayoutStatus.APPROVED, amount_minor=60_00)
    run = ids.public("run", approved.run_id)
    found = lines(mara)
    told = found["A sale is missing: Slow Kitchen"]
    assert told.detail.startswith("An answer is promised by ")
    assert told.url == f"{HOME}cases/{public('cas', case)}"
    told = found["1 order is under review"]
    assert told.detail.startswith("The first answer is promised by ")
    assert told.url == f"{HOME}fraud"
    told = found["Invoice 7 of Slow Kitchen"]
    assert (told.detail, told.url) == ("Its payout waits for it.", f"{HOME}papers")
    told = found["Payout run: €60.00 to 1 partner"]
    assert told.detail == "Approved. Mark it as paid once the bank has sent it."
    assert told.url == f"{HOME}payouts/{run}"


def test_creatives_entries_by_hand_and_erasures_that_wait_stand_there(
    cast: Cast, mara: FlaskClient, finn: FlaskClient
) -> None:
    before = lines(mara)
    assert not [title for title in before if "creative" in title or "by hand" in title or "erased" in title]
    proposed_creative(cast)
    erasure(cast, days_ago=4)
    bonus = {"kind": "bonus", "amount": "25.00", "reason": "A good month."}
    mara.post(f"{HOME}payouts/partners/{public('ptn', cast.partner)}/entries", data=bonus)
    found = lines(mara)
    assert found["1 proposed creative"].url == f"{HOME}creatives?status=proposed"
    assert found["1 entry by hand waits for a second person"].url == f"{HOME}payouts/entries"
    assert found["1 partner wants to be erased"].url == f"{HOME}erasures"
    assert text_of(mara.get(f"{HOME}?kind=partner")).index("Late") < text_of(mara.get(f"{HOME}?kind=partner")).index(
        "1 partner wants to be erased"
    )
    of_finance = lines(finn)
    assert "1 entry by hand waits for a second person" in of_finance
    assert not [title for title in of_finance if "creative" in title or "erased" in title]


def everything(cast: Cast, mara: FlaskClient) -> None:
    """One of each kind that waits for the manager."""
    open_case(cast)
    flag(cast)
    invoice(cast)
    payout(cast, status=PayoutStatus.APPROVED)
    proposed_creative(cast)
    erasure(cast)
    duty(cast, "Two posts")
    goal(cast)
    shared_goal(cast, days=10, agreed_days_ago=31)
    fading(cast, cast.partner)
    trial(cast, cast.partner, days=5, orders_min=0)
    cast.sale("soon", days_ago=31)
    bonus = {"kind": "bonus", "amount": "25.00", "reason": "A good month."}
    mara.post(f"{HOME}payouts/partners/{public('ptn', cast.partner)}/entries", data=bonus)
    refused = RejectedEvent(
        id=ids.new(), program_id=cast.program.id, kind="refund", reason=RejectReason.BAD_FIELDS, payload={}
    )
    refused.received_at = clock.now()
    add(cast, refused)
    run_goal(cast, GoalMetric.SALES, 100)


def run_goal(cast: Cast, metric: GoalMetric, target: int, *, days: int = 10) -> None:
    """A goal of which so many days are gone, and as many left."""
    today = clock.now().date()
    row = Goal(
        id=ids.new(), program_id=cast.program.id, metric=metric, target=target, starts_on=today - timedelta(days=days),
        ends_on=today + timedelta(days=days), created_at=clock.now(),
    )  # fmt: skip
    add(cast, row)


def test_every_line_leads_to_a_page_that_opens_at_what_it_is_about(cast: Cast, mara: FlaskClient) -> None:
    everything(cast, mara)
    found = lines(mara)
    assert len(found) >= 16
    anchors = set()
    for line in found.values():
        address, _, anchor = line.url.partition("#")
        answer = mara.get(address)
        assert answer.status_code == 200, line
        assert not anchor or f'id="{anchor}"' in answer.text, line
        anchors.add(anchor)
    assert anchors == {"", "care", "duties", "shared"}


def test_what_a_cut_list_leaves_out_is_counted_and_led_to(cast: Cast, mara: FlaskClient) -> None:
    applicants = others(cast, 24, EnrollmentStatus.PENDING)
    late = "UPDATE enrollments SET created_at = :at WHERE status = 'pending'"
    cast.session.execute(sa.text(late), {"at": clock.now()})
    cast.session.commit()
    for number in range(13):
        duty(cast, f"Task {number}", days=-1 if number < 12 else 0)
        open_case(cast, f"order {number}")
        invoice(cast, str(number), days_ago=4 if number < 12 else 0)
        goal(cast)
    for partner in others(cast, 11):
        fading(cast, partner)
    found = lines(mara)
    assert len(applicants) == 24
    assert found["5 more applications"].url == f"{HOME}applications"
    assert found["3 more cases"].url == f"{HOME}cases"
    assert found["2 more invoices"].url == f"{HOME}papers"
    assert found["1 more invoice"].url == f"{HOME}papers"
    assert found["3 more payout runs"].url == f"{HOME}payouts"
    assert found["2 more deadlines"].url == f"{HOME}?kind=deadline"
    assert found["1 more deadline"].url == f"{HOME}?kind=deadline"
    assert found["3 more proposed goals"].url == f"{HOME}?kind=goal"
    assert found["1 more partner at risk"].url == f"{HOME}?kind=partner"
    page = text_of(mara.get(HOME))
    assert f"{25 + 13 * 5 + 11} decisions wait for you" in page
    assert "24 are late." in page  # twelve tasks and twelve invoices
    assert "2 more deadlines" in page[: page.index("1 more deadline<")]
    for kind, title in (("deadline", "Task 12: Slow Kitchen"), ("goal", "Slow Kitchen proposes a goal")):
        alone = text_of(mara.get(f"{HOME}?kind={kind}"))
        assert title in alone
        assert " more " not in alone.partition('class="urg')[2]


def test_the_oldest_invoice_is_never_the_one_that_is_left_out(cast: Cast, mara: FlaskClient) -> None:
    invoice(cast, "old", days_ago=9)
    for number in range(10):
        invoice(cast, str(number))
    assert "Invoice old of Slow Kitchen" in lines(mara)


def test_trials_that_run_quietly_take_no_place_from_those_that_need_somebody(cast: Cast, mara: FlaskClient) -> None:
    for partner in others(cast, 21):
        trial(cast, partner, days=2, orders_min=9)
    assert "decision waits for you" in text_of(mara.get(HOME))  # the application alone
    trial(cast, cast.partner, days=30, orders_min=0)
    told = lines(mara)["Trial of Slow Kitchen"]
    assert "The trial is passed" in told.detail
    for partner in others(cast, 11):
        trial(cast, partner, days=30, orders_min=0)
    assert lines(mara)["2 more partners on trial"].url == f"{HOME}?kind=partner"


def test_a_goal_is_told_as_its_own_page_tells_it(cast: Cast, mara: FlaskClient) -> None:
    run_goal(cast, GoalMetric.SALES, 100)
    told = lines(mara)["Goal “Sales”: Behind the line"]
    assert told.detail == "0 of 100. The straight line asks for 50 today."
    cast.sale("1")
    run_goal(cast, GoalMetric.COST, 15_00)
    [told] = [line for title, line in lines(mara).items() if "Too fast" in title]
    assert told.title.startswith("Goal “Cost")
    assert told.detail == "€10.00 of €15.00. Evenly spent it would be €7.50 today."


def test_a_shared_goal_stands_there_when_it_is_behind_or_nobody_has_reviewed_it_for_a_month(
    cast: Cast, mara: FlaskClient
) -> None:
    shared_goal(cast, days=-5)  # to come
    quiet = shared_goal(cast, days=1, agreed_days_ago=29)
    quiet.starts_on = clock.now().date()  # begun today: the line asks for nothing yet
    cast.session.commit()
    assert not [title for title in lines(mara) if "oal" in title]
    quiet.decided_at -= timedelta(days=2)
    behind = shared_goal(cast, days=10)
    cast.session.commit()
    found = lines(mara, "goal")
    assert "review it with the partner" in found["Review the goal with Slow Kitchen"].detail
    told = found["Shared goal of Slow Kitchen: Behind the line"]
    assert "0 of 5. The straight line asks for 2 today." in told.detail  # half to even
    assert told.url.endswith("/care#shared")
    assert "review it" not in told.detail
    note = PartnerGoalNote(goal_id=quiet.id, side=Side.PROGRAM, text="On it", reached=0, said_at=clock.now())
    note.id = ids.new()
    behind.status = GoalStatus.ENDED
    add(cast, note)
    assert not [title for title in lines(mara, "goal") if "oal" in title]


def test_what_is_not_judged_at_once_is_led_on_to(
    cast: Cast, mara: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(care_queries, "RUNNING_MAX", 2)
    monkeypatch.setattr(care_queries, "TRIALS_MAX", 2)
    for number in range(5):
        shared_goal(cast, days=10 + number)
    for number, partner in enumerate(others(cast, 5)):
        trial(cast, partner, days=3 + number, orders_min=0)
    for kind, title, more in (
        ("goal", "Shared goal of", "More shared goals run"),
        ("partner", "Trial of", "More partners are on trial"),
    ):
        address, judged = f"{HOME}?kind={kind}", []
        for _page in range(3):
            found = [(one["title"], html.unescape(one["url"])) for one in _LINE.finditer(mara.get(address).text)]
            judged += [told for told, _url in found if told.startswith(title)]
            address = next((url for told, url in found if told == more), HOME)
        assert len(judged) == 5
        assert address == HOME


def test_with_everything_on_it_the_list_costs_as_many_statements_whatever_the_number(
    cast: Cast, mara: FlaskClient, count_queries: Any
) -> None:
    def cost() -> int:
        with count_queries() as counter:
            assert mara.get(HOME).status_code == 200
        return len(counter)

    everything(cast, mara)
    mara.get(HOME)  # what the first request of a process asks once
    few = cost()
    for number in range(3):
        duty(cast, f"Task {number}")
        open_case(cast, f"order {number}")
        goal(cast)
        shared_goal(cast, days=10 + number)
        run_goal(cast, GoalMetric.REVENUE, 100 + number, days=11 + number)
    for partner in others(cast, 3):
        fading(cast, partner)
        trial(cast, partner, days=5, orders_min=0)
    for partner in others(cast, 3, EnrollmentStatus.PENDING):
        apply(cast, partner)
    assert cost() == few <= 20


def astray(cast: Cast) -> None:
    """What arrived nowhere, what could not be stored, a test order that stopped, a figure on the wrong side."""
    now = clock.now()
    address = make_address(cast.session, cast.program, cast.partner, "https://track.example/p")
    call = PostbackDelivery(id=ids.new(), address_id=address.id, event=PostbackEvent.CONVERSION, url=address.url)
    call.status, call.send_after, call.created_at, call.finished_at = DeliveryStatus.GIVEN_UP, now, now, now
    issue = make_issue(cast.session, program=cast.program, now=now)
    issue.status = IssueStatus.SENT
    reader = make_user(cast.session, email="reader@kitchen.example")
    mail = NewsletterDelivery(id=ids.new(), issue_id=issue.id, user_id=reader.id, partner_id=cast.partner.id, due_at=now)  # fmt: skip
    mail.status, mail.settled_at, mail.attempts = Mailed.FAILED, now, 6
    for name in ("x", "y"):
        mailer.enqueue(cast.session, recipient=f"{name}@y.test", subject="s", body_text="t", now=now)
    cast.session.flush()
    cast.session.execute(sa.update(OutboxMail).values(status=MailStatus.FAILED, error="550 no such person"))
    dead = DeadLetter(id=ids.new(), stream="aff:orders", entry_id="1", payload="", error="x", failed_at=now)
    run = CanaryRun(
        id=ids.new(), program_id=cast.program.id, partner_id=cast.partner.id, conversion_id=ids.new(), order_id="canary",
        state=CanaryState.FAILED, finding="does ingest run?", started_at=now, stepped_at=now,
    )  # fmt: skip
    watch = KpiWatch(
        id=ids.new(), program_id=cast.program.id, key="revenue", side=WatchSide.BELOW, threshold=100, look_back_days=7,
        volume_min=0, state=WatchState.ALARM, value=1, since=now, created_at=now,
    )  # fmt: skip
    cast.session.add_all([call, mail, dead, run, watch])
    cast.session.commit()


def test_whoever_tries_again_what_did_not_arrive_stands_in_the_history(cast: Cast, mara: FlaskClient) -> None:
    astray(cast)
    cast.session.execute(sa.update(OutboxMail).values(program_id=cast.program.id))
    address_id = cast.session.scalars(sa.select(PostbackDelivery.address_id)).one()
    cast.session.commit()
    for path in ("letters", f"postbacks/{ids.public('pba', address_id)}"):
        for _turn in range(2):  # the second time there is nothing to try
            assert mara.post(f"{HOME}today/{path}").status_code == 303
    told = sa.select(AuditEvent.action, AuditEvent.actor_id, AuditEvent.program_id, AuditEvent.details)
    found = cast.session.execute(told.where(AuditEvent.action.like("%.retry")).order_by(AuditEvent.action)).all()
    assert [(*row[:3], row[3]["count"]) for row in found] == [
        ("mail.retry", cast.mara.id, cast.program.id, 2),
        ("postback.retry", cast.mara.id, cast.program.id, 1),
    ]


@pytest.mark.parametrize("is_proposed", [True, False])
def test_twenty_statements_are_enough_for_who_manages_all_with_every_kind_on_the_list(
    cast: Cast, browser_of: Callable[[User], FlaskClient], count_queries: Any, monkeypatch: pytest.MonkeyPatch,
    is_proposed: bool,
) -> None:  # fmt: skip
    if not is_proposed:  # what can be paid is thought of where no run waits, and no invoice for one
        for name in ("payout", "invoice"):
            monkeypatch.setitem(globals(), name, lambda *_args, **_fields: None)
    everything(cast, browser_of(cast.mara))
    cast.approved_sale("paid soon")
    astray(cast)
    ada = browser_of(cast.ada)
    ada.get(HOME)  # what the first request of a process asks once
    with count_queries() as counter:
        page = text_of(ada.get(HOME))
    for told in (
        "Application: Ferro e Fuoco", "Payout run: " if is_proposed else "can be paid to 1 partner", "Slow Kitchen proposes a goal",
        "Two posts: Slow Kitchen", "A postback of Slow Kitchen fails", "did not reach everybody", "letters could not be delivered",
        "y@y.test: 550 no such person", "1 event could not be stored", "A test order did not go the whole way", "1 event was refused",
        "Trial of Slow Kitchen", "Goal “Sales”", "Shared goal of Slow Kitchen: Behind the line",
    ):  # fmt: skip
        assert told in page
    assert len(counter) <= 20, counter.statements


def apply(cast: Cast, partner: Any, email: str | None = None) -> None:
    """The partner wrote an application, by somebody who belongs to it."""
    person = make_user(cast.session, email=email)
    make_member(cast.session, user=person, partner=partner)
    make_application(cast.session, program=cast.program, partner=partner, user=person)
    cast.session.commit()


def test_an_application_stands_with_its_score_its_suggestion_and_what_makes_one_doubt(
    cast: Cast, mara: FlaskClient, finn: FlaskClient
) -> None:
    other = others(cast, 1, EnrollmentStatus.PENDING)[0]
    apply(cast, other, "pan@mailinator.com")
    cast.applicant.website = cast.partner.website = "https://ferro.example"
    cast.session.commit()
    detail = lines(mara)["Application: Ferro e Fuoco"].detail
    assert "Score: – of 100, suggestion: Ask." in detail
    assert "Another partner looks like the same person." in detail
    assert "thrown away" not in detail
    detail = lines(mara)[f"Application: {other.name}"].detail
    assert "thrown away" in detail
    assert "looks like the same person" not in detail
    page = text_of(mara.get(f"{HOME}applications"))
    assert page.count("Another partner looks like the same person.") == 1
    assert page.count("Its mailbox is of a service whose mailboxes are thrown away.") == 1
    assert f'href="{HOME}partners/{public("ptn", other)}/weighed">Score: – of 100<' in page
    assert "Score" not in text_of(finn.get(f"{HOME}applications"))


def test_an_application_is_late_when_the_time_that_the_program_promised_is_over(cast: Cast, mara: FlaskClient) -> None:
    since = clock.now() - timedelta(days=4)
    cast.session.execute(sa.text("UPDATE enrollments SET created_at = :at"), {"at": since})
    told = {}
    for days in (5, 3):
        cast.program.application_answer_days = days
        cast.session.commit()
        page = text_of(mara.get(HOME))
        told[days] = "1 is late." in page, "Nothing is late." in page
        promised = f"{since + timedelta(days=days):%-d %b %Y, %H:%M}"
        assert f"An answer is promised by {promised}." in lines(mara)["Application: Ferro e Fuoco"].detail
    assert told == {5: (False, True), 3: (True, False)}


def test_a_note_goes_out_with_the_welcome_and_a_reason_to_refuse_never_does(cast: Cast, mara: FlaskClient) -> None:
    for email in ("one@pans.example", "two@pans.example"):
        apply(cast, others(cast, 1, EnrollmentStatus.PENDING)[0], email)
    members = sa.select(Partner).join(Member, Member.partner_id == Partner.id).join(User, User.id == Member.user_id)
    one, two = (
        cast.session.scalars(members.where(User.email == f"{name}@pans.example")).one() for name in ("one", "two")
    )
    ids_of = public("ptn", one), public("ptn", two)
    cast.session.commit()
    page = mara.get(f"{HOME}partners/{ids_of[0]}").text
    assert "Approve with a note…" in page
    form = page.partition(f'id="approve-{ids_of[0]}"')[2]
    assert "required" not in form[: form.index("</form>")]
    mara.post(f"{HOME}partners/{ids_of[0]}/approve", data={"reason": "Send us your address for samples."})
    mara.post(
        f"{HOME}partners/act/approve", data={"partner": [ids_of[1]], "reason": "Too small.", "from": "applications"}
    )
    found = sa.select(OutboxMail.recipient, OutboxMail.body_text).where(OutboxMail.recipient.contains("@pans.example"))
    told = {row.recipient: row.body_text for row in cast.session.execute(found)}
    cast.session.commit()
    assert "Send us your address for samples." in told["one@pans.example"]
    assert "approved" in told["two@pans.example"]
    assert "Too small." not in told["two@pans.example"]
