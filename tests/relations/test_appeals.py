"""An appeal as a case: opened with the fraud stage's own row, closed with it, whichever of both pages a manager uses."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa
from appeal_cast import ORDER, AppealWorld, overlook_appeals
from creative_cast import png
from factories import NOW, make_conversion, make_program
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session
from waiting import until_somebody_waits

from affiliate.errors import Invalid
from affiliate.fraud import lists
from affiliate.fraud import service as fraud
from affiliate.fraud.models import FraudAppeal, FraudDecision
from affiliate.fraud.signals import Verdict
from affiliate.mailer import OutboxMail
from affiliate.relations import bulk, bulk_queries, queries, service
from affiliate.relations.bulk_models import BulkKind, BulkStatus
from affiliate.relations.claims import Proof, Settlement
from affiliate.relations.models import Case, CaseKind, CaseStatus


@pytest.fixture
def world(session: Session) -> AppealWorld:
    return AppealWorld(session)


def test_an_appeal_has_proof_a_promise_and_stands_with_the_review(world: AppealWorld) -> None:
    case = world.appeal(proofs=[Proof("shot.png", png())])
    assert (case.conversion_id, case.answer_by > NOW) == (world.order.id, True)
    assert queries.messages_of(world.session, case_id=case.id)[0].file_id is not None
    assert world.stands() == (Verdict.FLAG, True)
    [waiting] = lists.all_waiting(world.session, program_id=world.program.id, limit=9, appealed=True)
    assert waiting.appeal == "I use a VPN."


@pytest.mark.parametrize(
    ("agrees", "verdict", "status"),
    [(True, Verdict.PASS, CaseStatus.ACCEPTED), (False, Verdict.REJECT, CaseStatus.DECLINED)],
)
def test_what_answers_the_case_judges_the_order(
    world: AppealWorld, agrees: bool, verdict: Verdict, status: CaseStatus
) -> None:
    case = world.appeal()
    said: dict[str, Any] = {"text": "So be it.", "seen": 1, **world.who(case)}
    if agrees:
        service.accept(world.session, settlement=Settlement.RELEASE, amount=None, **said)
    else:
        service.decline(world.session, **said)
    assert (case.status, world.stands()) == (status, (verdict, False))
    decision = world.session.scalars(sa.select(FraudDecision)).one()
    assert (decision.note, decision.decided_by_id) == ("So be it.", world.books.bob.id)
    with pytest.raises(service.CaseMoved):
        service.decline(world.session, **said)


@pytest.mark.parametrize("by", [AppealWorld.reply, lambda world, _case: world.decide(Verdict.FLAG)])
def test_nobody_settles_a_case_on_words_that_were_not_read(
    world: AppealWorld, by: Callable[[AppealWorld, Case], None]
) -> None:
    case = world.appeal()
    by(world, case)
    said: dict[str, Any] = {"text": "No.", "seen": 1, **world.who(case)}
    with pytest.raises(service.CaseTalked), world.session.begin_nested():
        service.decline(world.session, **said)
    with pytest.raises(service.CaseTalked), world.session.begin_nested():
        service.accept(world.session, settlement=Settlement.RELEASE, amount=None, **said)
    service.decline(world.session, **said | {"seen": 2})
    assert world.stands() == (Verdict.REJECT, False)


def test_nobody_judges_an_order_without_its_appeal(world: AppealWorld) -> None:
    case = world.appeal()
    with pytest.raises(service.CaseTalked), world.session.begin_nested():
        world.decide(Verdict.REJECT, said=0)
    world.reply(case)
    with pytest.raises(service.CaseTalked), world.session.begin_nested():
        world.decide(Verdict.REJECT, said=1)
    world.decide(Verdict.REJECT, said=2)
    assert world.stands() == (Verdict.REJECT, False)


def test_two_who_judge_an_order_at_once_do_not_wait_for_each_other(world: AppealWorld, engine: Engine) -> None:
    """One has begun to settle the case, the other decides among the orders: whoever is second is told so."""
    case = world.appeal()
    world.session.commit()
    session = world.session
    session.execute(sa.update(Case).where(Case.id == case.id).values(updated_at=NOW))  # as accepting begins

    def decide() -> None:
        with Session(engine) as world.session, world.session.begin():
            world.decide(Verdict.REJECT)

    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(decide)
        if engine.dialect.name == "postgresql":  # on SQLite whoever began to write is alone
            until_somebody_waits(engine)
        service.accept(session, settlement=Settlement.RELEASE, amount=None, text="Yes.", seen=1, **world.who(case))
        session.commit()
        with pytest.raises(fraud.DecidedMeanwhile):
            other.result(60)
    world.session = session
    assert world.stands() == (Verdict.PASS, False)


@pytest.mark.parametrize("said", [None, 0, 1])
@pytest.mark.parametrize("verdict", list(Verdict))
def test_an_appeal_that_comes_while_its_order_is_judged_is_read_first(
    world: AppealWorld, monkeypatch: pytest.MonkeyPatch, verdict: Verdict, said: int | None
) -> None:
    case = world.appeal()
    with monkeypatch.context() as patch:
        looks = overlook_appeals(patch)
        with pytest.raises(service.CaseTalked), world.session.begin_nested():
            world.decide(verdict, said=said)
    assert looks == [True, False]  # who holds the case may wait for the decision: a second lock would wait for ever
    assert (case.status, world.stands()) == (CaseStatus.OPEN, (Verdict.FLAG, True))
    world.decide(Verdict.REJECT, said=1)
    assert (case.status, world.stands()) == (CaseStatus.DECLINED, (Verdict.REJECT, False))
    assert world.session.scalars(sa.select(FraudAppeal.decision_id)).one() is not None


def test_an_act_on_many_leaves_out_the_order_that_is_appealed_just_now(
    world: AppealWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = world.doubtful(order_id="10483")
    world.work()
    case = world.appeal()
    overlook_appeals(monkeypatch)
    chosen = [bulk.Chosen(world.partner.id, conversion_id=one.id, seen=0) for one in (world.order, other)]
    act = bulk.start(
        world.session, program_id=world.program.id, kind=BulkKind.REJECT_ORDERS, arguments={"reason": "A robot."},
        chosen=chosen, actor=world.books.bob, now=NOW,
    )  # fmt: skip
    assert (act.status, act.done, act.changed) == (BulkStatus.DONE, 2, 1)
    [refused] = bulk_queries.refusals(world.session, act_id=act.id, limit=9)
    assert (refused.conversion_id, refused.refusal) == (world.order.id, service.TALKED)
    assert (case.status, world.stands()) == (CaseStatus.OPEN, (Verdict.FLAG, True))
    assert world.session.scalars(sa.select(FraudDecision.conversion_id)).one() == other.id


@pytest.mark.parametrize("verdict", [Verdict.PASS, Verdict.REJECT])
def test_what_judges_the_order_answers_the_case(world: AppealWorld, verdict: Verdict) -> None:
    case = world.appeal()
    world.decide(verdict)
    assert case.status is (CaseStatus.ACCEPTED if verdict is Verdict.PASS else CaseStatus.DECLINED)
    assert [one.text for one in queries.messages_of(world.session, case_id=case.id)] == ["I use a VPN.", "We looked."]
    subjects = set(world.session.scalars(sa.select(OutboxMail.subject)))
    assert any(subject.startswith(("Accepted", "Declined")) for subject in subjects)


def test_a_word_that_keeps_the_review_answers_and_leaves_the_case_open(world: AppealWorld) -> None:
    world.decide(Verdict.REJECT)
    case = world.appeal()
    world.decide(Verdict.FLAG, seen=1)
    assert (case.status, world.stands()) == (CaseStatus.OPEN, (Verdict.FLAG, True))
    assert queries.messages_of(world.session, case_id=case.id)[-1].text == "We looked."


def test_who_takes_an_appeal_back_may_appeal_again(world: AppealWorld) -> None:
    case = world.appeal()
    with pytest.raises(fraud.AppealOpen), world.session.begin_nested():
        world.appeal(text="Hello?")
    service.withdraw(
        world.session,
        program=world.program,
        partner_id=world.partner.id,
        case_id=case.id,
        actor=world.books.alice,
        now=NOW,
    )
    assert (case.status, world.stands()) == (CaseStatus.WITHDRAWN, (Verdict.FLAG, False))
    assert world.session.scalars(sa.select(FraudAppeal)).all() == []
    assert world.appeal().status is CaseStatus.OPEN


def test_only_a_doubted_order_of_ones_own_can_be_appealed(world: AppealWorld) -> None:
    make_conversion(world.session, program=world.program, order_id="of-nobody")
    make_conversion(world.session, program=make_program(world.session), order_id="elsewhere")
    for order_id in ("of-nobody", "elsewhere", "never-was"):
        with pytest.raises(Invalid) as refused:
            world.appeal(order_id=order_id)
        assert set(refused.value.errors) == {"order_id"}
    world.decide(Verdict.PASS)
    with pytest.raises(fraud.NothingToAppeal):
        world.appeal()


def test_each_sale_of_an_order_is_appealed_by_itself(world: AppealWorld) -> None:
    rejected, doubted = sorted(
        (world.order, world.doubtful(order_id=ORDER, kind="lead")), key=lambda one: one.id.hex
    )  # the other way round the first of them would be right by chance
    world.work()
    world.decide(Verdict.REJECT, order=rejected)
    first, second = world.appeal(), world.appeal()
    assert (first.conversion_id, second.conversion_id) == (doubted.id, rejected.id)
    with pytest.raises(fraud.AppealOpen), world.session.begin_nested():
        world.appeal()
    world.decide(Verdict.PASS, order=doubted)
    assert (first.status, second.status) == (CaseStatus.ACCEPTED, CaseStatus.OPEN)


def test_an_appeal_is_about_the_sale_that_was_meant(world: AppealWorld) -> None:
    other = world.doubtful(order_id=ORDER, kind="lead")
    strangers = make_conversion(world.session, program=world.program, order_id=ORDER, kind="signup")
    world.work()
    last, first = sorted((world.order, other), key=lambda one: one.id.hex, reverse=True)
    assert world.appeal(conversion_id=last.id).conversion_id == last.id
    world.decide(Verdict.PASS, order=last)
    with pytest.raises(fraud.NothingToAppeal), world.session.begin_nested():
        world.appeal(conversion_id=last.id)
    assert world.appeal(conversion_id=strangers.id).conversion_id == first.id


def test_appeals_and_the_limit_of_open_cases_leave_one_another_alone(
    world: AppealWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "OPEN_MAX", 1)
    world.appeal()
    world.appeal(kind=CaseKind.LATE_PAYMENT)
    world.doubtful(order_id="10483")
    world.work()
    assert world.appeal(order_id="10483").status is CaseStatus.OPEN
    with pytest.raises(service.CaseOpen):
        world.appeal(kind=CaseKind.LATE_PAYMENT, order_id="10483")


@pytest.mark.parametrize("settlement", [Settlement.CREDIT, Settlement.ENTRY, Settlement.WORDS])
def test_an_appeal_is_settled_by_release_and_nothing_else_is(world: AppealWorld, settlement: Settlement) -> None:
    case, other = world.appeal(), world.appeal(kind=CaseKind.LATE_PAYMENT)
    for wrong, way in ((case, settlement), (other, Settlement.RELEASE)):
        with pytest.raises(Invalid) as refused:
            service.accept(world.session, settlement=way, amount=None, text="Yes", seen=1, **world.who(wrong))
        assert set(refused.value.errors) == {"settlement"}
        assert wrong.status is CaseStatus.OPEN


def test_a_long_appeal_is_told_whole_in_its_case(world: AppealWorld) -> None:
    case = world.appeal(text="I was there. " * 250)
    assert len(queries.messages_of(world.session, case_id=case.id)[0].text) > fraud.APPEAL_LENGTH_MAX
    assert len(world.session.scalars(sa.select(FraudAppeal.text)).one()) == fraud.APPEAL_LENGTH_MAX
