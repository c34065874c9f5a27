"""From a verdict to the commission: held, refused or let go, over versions, on both databases, whoever works or dies."""

import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from factories import NOW, make_attribution, make_click, make_conversion, make_link
from money_cast import LIMIT, MATURE, Books, open_books
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from affiliate import ids
from affiliate.accounts.models import AuditEvent
from affiliate.attribution import service as attribution
from affiliate.commissions import service as commissions
from affiliate.commissions.models import Commission, CommissionReason, CommissionStatus
from affiliate.errors import Invalid
from affiliate.fraud import policy, queries, service
from affiliate.fraud.models import FraudAppeal, FraudDecision, FraudSettings, FraudVerdict
from affiliate.fraud.policy import Policy
from affiliate.fraud.rules import RuleSetting
from affiliate.fraud.signals import Action, Verdict
from affiliate.ingest.models import Conversion, Trust

TOR = {"network": "tor"}
LIMITS = {"orders": 3, "times": 5}
NOTE = "Spoken to: a journalist."


@pytest.fixture
def books(session: Session) -> Books:
    return open_books(session)


def order(books: Books, click: dict[str, Any] | None = None, **fields: Any) -> Conversion:
    """An order of the partner's click; its first attribution is made by hand, the next ones by the stage."""
    link = make_link(books.session, program=books.program, partner=books.partner)
    made = make_click(books.session, link=link, occurred_at=NOW - timedelta(minutes=30), **(click or {}))
    conversion = make_conversion(books.session, program=books.program, click_id=made.id, **fields)
    make_attribution(books.session, conversion=conversion, partner=books.partner)
    return conversion


def work(books: Books, now: datetime = NOW) -> None:
    books.session.flush()
    attribution.attribute_waiting(books.session, limit=LIMIT, clicks_until=now, now=now)
    books.work(now=now)


def reject_tor(books: Books) -> None:
    document = {"rules": {"machine_network": {"action": "reject"}}}
    row = FraudSettings(id=ids.new(), program_id=books.program.id, version=1, document=document, created_at=NOW)
    books.session.add(row)


def decide(books: Books, conversion: Conversion, verdict: Verdict, *, seen: int = 0, **more: Any) -> None:
    service.decide(
        books.session, program_id=books.program.id, conversion_id=conversion.id, partner_id=books.partner.id,
        verdict=verdict, note=NOTE, seen=seen, actor=books.alice, now=NOW + timedelta(hours=1), **more,
    )  # fmt: skip


def standing(commission: Commission) -> tuple[CommissionStatus, CommissionReason | None, int, int]:
    return commission.status, commission.reason, commission.amount_minor, commission.reversed_minor


def test_a_flagged_commission_is_reckoned_and_waits_for_ever(books: Books) -> None:
    conversion = order(books, TOR)
    work(books)
    commission = books.commission(conversion)
    assert standing(commission) == (CommissionStatus.UNDER_REVIEW, None, 10_00, 0)
    assert books.balances() == {"pending": 10_00}
    with pytest.raises(commissions.WrongStatus):
        commissions.approve(
            books.session, commission_id=commission.id, program_id=books.program.id, actor=books.alice, now=NOW
        )
    work(books, MATURE + timedelta(days=100))
    assert books.commission(conversion).status is CommissionStatus.UNDER_REVIEW
    books.assert_proven()


def test_a_rejected_one_earns_nothing_and_says_why(books: Books) -> None:
    reject_tor(books)
    conversion = order(books, TOR)
    work(books)
    commission = books.commission(conversion)
    assert standing(commission) == (CommissionStatus.DECLINED, CommissionReason.REJECTED, 10_00, 10_00)
    assert books.balances() == {}
    books.assert_proven()


@pytest.mark.parametrize("rejects", [False, True], ids=["flagged", "rejected"])
def test_a_manager_lets_it_pass_in_a_new_version(books: Books, rejects: bool) -> None:
    if rejects:
        reject_tor(books)
    conversion = order(books, TOR)
    work(books)
    first = books.commission(conversion)
    decide(books, conversion, Verdict.PASS)
    work(books, NOW + timedelta(hours=2))
    second = books.commission(conversion)
    assert second.id != first.id
    assert standing(second) == (CommissionStatus.PENDING, None, 10_00, 0)
    verdicts = books.session.scalars(sa.select(FraudVerdict).order_by(FraudVerdict.judged_at)).all()
    assert [(one.verdict, one.reason) for one in verdicts] == [
        (Verdict.REJECT if rejects else Verdict.FLAG, "machine_network"), (Verdict.PASS, None),
    ]  # fmt: skip
    assert [finding["rule"] for finding in verdicts[1].findings] == ["machine_network"]  # still seen, and overruled
    audited = books.session.scalars(sa.select(AuditEvent).where(AuditEvent.action == "fraud.pass")).one()
    assert (audited.actor_id, audited.details["note"]) == (books.alice.id, NOTE)
    assert books.balances() == {"pending": 10_00}
    work(books, MATURE)
    assert books.commission(conversion).status is CommissionStatus.APPROVED
    books.assert_proven()


def test_a_manager_rejects_what_was_approved_already(books: Books) -> None:
    conversion = order(books)
    work(books)
    work(books, MATURE)
    decide(books, conversion, Verdict.REJECT, rule="missing_disclosure")
    work(books, MATURE)
    commission = books.commission(conversion)
    assert standing(commission) == (CommissionStatus.DECLINED, CommissionReason.REJECTED, 10_00, 10_00)
    verdict = books.session.scalars(sa.select(FraudVerdict).order_by(FraudVerdict.judged_at.desc())).first()
    assert verdict is not None
    assert (verdict.verdict, verdict.reason, verdict.findings) == (Verdict.REJECT, "missing_disclosure", [])
    assert books.balances() == {}
    books.assert_proven()


def test_a_decision_stays_over_later_versions_and_can_be_taken_back(books: Books) -> None:
    conversion = order(books, TOR)
    work(books)
    decide(books, conversion, Verdict.PASS)
    work(books)
    conversion.amount_minor, conversion.revision = 200_00, conversion.revision + 1
    work(books)
    assert standing(books.commission(conversion)) == (CommissionStatus.PENDING, None, 20_00, 0)
    decide(books, conversion, Verdict.FLAG, seen=1)
    work(books)
    assert books.commission(conversion).status is CommissionStatus.UNDER_REVIEW
    with pytest.raises(service.DecidedMeanwhile):
        decide(books, conversion, Verdict.REJECT, seen=1)
    books.assert_proven()


def test_the_promised_day_of_an_answer_does_not_move(books: Books) -> None:
    conversion = order(books, TOR)
    work(books)
    conversion.revision += 1
    work(books, NOW + timedelta(days=5))
    verdicts = books.session.scalars(sa.select(FraudVerdict)).all()
    assert [one.answer_by for one in verdicts] == [NOW + timedelta(days=14)] * 2


def test_a_partner_appeals_once_until_it_is_answered(books: Books) -> None:
    conversion = order(books, TOR)
    work(books)
    mine: dict[str, Any] = {
        "program_id": books.program.id, "conversion_id": conversion.id, "partner_id": books.partner.id, "actor": books.bob,
    }  # fmt: skip
    service.appeal(books.session, **mine, text="It was me, on holiday.", now=NOW)
    with pytest.raises(service.AppealOpen):
        service.appeal(books.session, **mine, text="Hello?", now=NOW)
    decide(books, conversion, Verdict.REJECT)
    appeal = books.session.scalars(sa.select(FraudAppeal)).one()
    assert appeal.decision_id == books.session.scalars(sa.select(FraudDecision.id)).one()
    work(books)
    service.appeal(books.session, **mine, text="Please look again.", now=NOW)
    decide(books, conversion, Verdict.PASS, seen=1)
    with pytest.raises(service.NothingToAppeal):
        service.appeal(books.session, **mine, text="Thank you.", now=NOW)
    with pytest.raises(service.NoVerdict):
        service.appeal(books.session, **mine | {"partner_id": books.program.id}, text="Mine!", now=NOW)


@pytest.mark.parametrize("text", ["", "   ", "x" * 2_001])
def test_an_appeal_says_something(books: Books, text: str) -> None:
    conversion = order(books, TOR)
    work(books)
    with pytest.raises(Invalid):
        service.appeal(
            books.session, program_id=books.program.id, conversion_id=conversion.id, partner_id=books.partner.id,
            text=text, actor=books.bob, now=NOW,
        )  # fmt: skip


def test_an_order_that_nobody_confirms_is_rejected_after_a_month_and_counts_when_somebody_does(books: Books) -> None:
    conversion = order(books, trust=Trust.OPEN, source="pixel")
    work(books)
    assert books.commission(conversion).status is CommissionStatus.UNVERIFIED
    assert service.look_again(books.session, limit=LIMIT, now=NOW + timedelta(days=29)) == 0
    late = NOW + timedelta(days=30)
    assert service.look_again(books.session, limit=LIMIT, now=late) == 1
    work(books, late)
    commission = books.commission(conversion)
    assert (commission.reason, commission.amount_minor - commission.reversed_minor) == (CommissionReason.REJECTED, 0)
    assert service.look_again(books.session, limit=LIMIT, now=late + timedelta(days=1)) == 0
    conversion.trust, conversion.revision = Trust.SERVER, conversion.revision + 1
    work(books, late)
    assert standing(books.commission(conversion)) == (CommissionStatus.APPROVED, None, 10_00, 0)
    books.assert_proven()


def test_two_workers_at_once_and_one_that_dies_leave_one_verdict_each(books: Books, engine: Engine) -> None:
    orders = [order(books, TOR if number % 2 else None) for number in range(40)]
    books.session.commit()

    with Session(engine) as dying:
        assert commissions.commission_waiting(dying, limit=15, now=NOW) == 15
        dying.rollback()  # killed before the commit

    def worker() -> None:
        for _ in range(20):
            with Session(engine) as session, session.begin():
                if not commissions.commission_waiting(session, limit=7, now=NOW):
                    return

    workers = [threading.Thread(target=worker) for _ in range(2)]
    for one in workers:
        one.start()
    for one in workers:
        one.join(60)
    assert commissions.commission_waiting(books.session, limit=LIMIT, now=NOW) == 0
    verdicts = books.session.scalars(sa.select(FraudVerdict)).all()
    assert sorted(one.conversion_id for one in verdicts) == sorted(one.id for one in orders)
    statuses = [books.commission(one).status for one in orders]
    assert statuses == [CommissionStatus.PENDING, CommissionStatus.UNDER_REVIEW] * 20
    books.assert_proven()


def save(books: Books, wanted: Policy, seen: int) -> int:
    return service.save_settings(
        books.session, program_id=books.program.id, wanted=wanted, seen=seen, actor=books.alice, now=NOW
    )


def test_settings_are_versioned_and_audited(books: Books) -> None:
    usual = policy.read({}, version=0)
    off = Policy(0, {**usual.rules, "machine_network": RuleSetting(Action.OFF, LIMITS)})
    assert (save(books, usual, 0), save(books, off, 0), save(books, off, 1)) == (0, 1, 1)
    with pytest.raises(service.SettingsMoved):
        save(books, usual, 0)
    audited = books.session.scalars(sa.select(AuditEvent).where(AuditEvent.action == "fraud.settings")).one()
    assert audited.details["after"] == {"machine_network": {"action": "off", "limits": LIMITS}}
    in_force = queries.policies(books.session, program_ids={books.program.id})[books.program.id]
    assert (in_force.version, in_force.of("machine_network").action) == (1, Action.OFF)
    work(books)
    assert books.commission_of_new_order().status is CommissionStatus.PENDING


def test_wrong_settings_are_refused_by_name(books: Books) -> None:
    usual = policy.read({}, version=0)
    wrong = Policy(
        0,
        {**usual.rules, "click_flood": RuleSetting(Action.FLAG, {"clicks": 1})},
        brand_terms=("x" * 200,),
        answer_days=0,
    )
    with pytest.raises(Invalid) as refused:
        save(books, wrong, 0)
    assert set(refused.value.errors) == {"click_flood.clicks", "brand_terms", "answer_days"}


def test_places_are_forgotten(books: Books) -> None:
    order(books, {"address_hash": "a" * 64})
    work(books)
    assert service.forget_places(books.session, limit=LIMIT, now=NOW + timedelta(days=70)) == 0
    assert service.forget_places(books.session, limit=LIMIT, now=NOW + timedelta(days=71)) == 1
