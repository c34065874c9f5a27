"""Cases from claim to settlement: what is attached, who is told, what is posted once, and reminders that come once."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from creative_cast import png
from factories import (
    NOW,
    make_clicks,
    make_commission,
    make_conversion,
    make_grant,
    make_link,
    make_partner,
    make_payout,
    make_plan,
    make_program,
    make_user,
)
from sqlalchemy.orm import Session

from affiliate import ids
from affiliate.accounts.actors import Actor
from affiliate.accounts.models import GrantRole
from affiliate.attribution.models import ManualCredit
from affiliate.commissions.models import CommissionStatus
from affiliate.errors import Invalid
from affiliate.ingest.models import Conversion
from affiliate.ledger.models import LedgerTransfer
from affiliate.mailer import OutboxMail
from affiliate.money import Money
from affiliate.partners.models import Partner
from affiliate.payouts import adjusting, details
from affiliate.payouts import proof as balances
from affiliate.payouts.models import (
    Adjustment,
    AdjustmentKind,
    AdjustmentStatus,
    Cadence,
    PaperState,
    Payout,
    PayoutMethod,
    PayoutPolicy,
    PayoutStatus,
)
from affiliate.programs.models import Program
from affiliate.relations import crediting, late_payments, queries, service
from affiliate.relations.claims import Claim, Proof, Settlement
from affiliate.relations.models import Case, CaseKind, CaseMessage, CaseStatus


class World:
    """A program with a manager, and Marta's partner with clicks."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.program: Program = make_program(session, case_answer_days=2)
        manager = make_user(session, email="mara@example.test", name="Mara")
        make_grant(session, user=manager, role=GrantRole.MANAGER, program=self.program)
        marta = make_user(session, email="marta@example.test", name="Marta")
        self.partner: Partner = make_partner(session, program=self.program, user=marta)
        self.manager, self.person = Actor("user", manager.id), Actor("user", marta.id)
        link = make_link(session, program=self.program, partner=self.partner)
        make_clicks(session, link=link, hour=NOW - timedelta(days=2), clicks=3)

    def open(self, **claim: Any) -> Case:
        """A case about order 10482."""
        values: dict[str, Any] = {"kind": CaseKind.MISSING_SALE, "text": "It was mine", "order_id": "10482"} | claim
        return service.open_case(
            self.session, program=self.program, partner_id=self.partner.id, claim=Claim(**values),
            actor=self.person, now=NOW,
        )  # fmt: skip

    def accept(self, case: Case, settlement: Settlement, amount: Money | None = None) -> Case:
        """The manager agrees."""
        return service.accept(
            self.session, program=self.program, case_id=case.id, settlement=settlement, amount=amount, text="You are right",
            seen=queries.message_count(self.session, case_id=case.id), actor=self.manager, now=NOW,
        )  # fmt: skip

    def mails(self) -> list[tuple[str, str]]:
        """Who was told what."""
        found = self.session.execute(sa.select(OutboxMail.recipient, OutboxMail.subject).order_by(OutboxMail.id))
        return [(recipient.partition("@")[0], subject) for recipient, subject in found]


@pytest.fixture
def world(session: Session) -> World:
    return World(session)


def test_a_case_holds_the_promise_the_trace_and_the_proof_and_tells_the_managers(world: World) -> None:
    order = make_conversion(world.session, program=world.program, order_id="10482")
    case = world.open(proofs=[Proof("shot.png", png())], claimed=Money(12_00, "EUR"))
    assert case.answer_by == NOW + timedelta(days=2)
    assert (case.conversion_id, case.claimed_minor) == (order.id, 12_00)
    assert case.trace["orders"][0]["conversion_id"] == str(order.id)
    assert case.trace["clicks"] == {"valid": 3}
    [message] = queries.messages_of(world.session, case_id=case.id)
    assert (message.text, message.file_id is not None) == ("It was mine", True)
    assert [who for who, _subject in world.mails()] == ["mara"]


def test_there_is_one_open_case_about_an_order(world: World) -> None:
    case = world.open()
    with pytest.raises(service.CaseOpen):
        world.open()
    world.open(order_id="10483")
    world.open(kind=CaseKind.WRONG_AMOUNT)
    service.withdraw(
        world.session, program=world.program, partner_id=world.partner.id, case_id=case.id, actor=world.person, now=NOW
    )
    assert world.open().id != case.id


@pytest.mark.parametrize(
    ("claim", "field"),
    [
        ({"text": "  "}, "text"),
        ({"text": "x" * 4_001}, "text"),
        ({"order_id": ""}, "order_id"),
        ({"order_id": "x" * 121}, "order_id"),
        ({"happened_at": NOW + timedelta(days=1)}, "happened_on"),
        ({"claimed": Money(0, "EUR")}, "amount"),
        ({"proofs": [Proof("shot.png", b"<svg/>")]}, "proof"),
        ({"proofs": [Proof("shot.exe", png())]}, "proof"),
        ({"proofs": [Proof("order.pdf", png())]}, "proof"),
    ],
)
def test_a_claim_that_cannot_be_is_refused_at_its_field(world: World, claim: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        world.open(**claim)
    assert set(refused.value.errors) == {field}


def payout(world: World, **fields: Any) -> Payout:
    """A payout of the partner, or of somebody else."""
    mine: dict[str, Any] = {"program": world.program, "partner": world.partner, "proposer": make_user(world.session)}
    return make_payout(world.session, **mine | fields)


def late(world: World, payout_id: UUID | None = None) -> Case:
    """A case about a payment, which names no order."""
    return world.open(kind=CaseKind.LATE_PAYMENT, order_id="", payout_id=payout_id)


def test_a_late_payment_holds_its_payout_as_it_stood_and_names_no_order(world: World) -> None:
    one = payout(world, amount_minor=41_00, paper=PaperState.AWAITED)
    case = late(world, one.id)
    told = dict.fromkeys(("approved_at", "sent_at", "paid_at", "failed_at", "cancelled_at"))
    told |= {"amount_minor": 41_00, "currency": "EUR", "status": "proposed", "awaits_invoice": True}
    assert (case.payout_id, case.trace["payout"]) == (one.id, told | {"proposed_at": NOW.isoformat()})
    assert late_payments.paid_since(world.session, case) is None
    one.status, one.paid_at = PayoutStatus.PAID, NOW + timedelta(days=1)
    world.session.flush()
    assert late_payments.paid_since(world.session, case) is one
    assert case.trace["payout"]["status"] == "proposed"
    paid = late(world, payout(world, status=PayoutStatus.PAID, paid_at=NOW - timedelta(hours=1)).id)
    assert paid.trace["payout"]["approved_at"] == NOW.isoformat()
    assert late_payments.paid_since(world.session, paid) is None  # it was paid before anybody asked
    [(_who, subject, text)] = world.session.execute(
        sa.select(OutboxMail.recipient, OutboxMail.subject, OutboxMail.body_text).limit(1)
    )
    assert ("waits for an answer" in subject, "about a payment that is late" in text) == (True, True)


def test_a_late_payment_about_no_payout_tells_why_nothing_came(world: World) -> None:
    paying(world, 0)
    world.program.payout_min_minor = 25_00
    about: dict[str, Any] = {"program": world.program, "partner": world.partner}
    approved: dict[str, Any] = {"status": CommissionStatus.APPROVED, "approved_at": NOW - timedelta(days=1)}
    make_commission(world.session, **about, amount_minor=30_00, **approved)
    method = sa.update(PayoutMethod).where(PayoutMethod.partner_id == world.partner.id)
    usable = NOW + timedelta(days=2)
    world.session.execute(method.values(usable_from=usable))
    block: dict[str, Any] = {"program_id": world.program.id, "partner_id": world.partner.id, "actor": world.manager}
    details.block(world.session, **block, reason="We ask the bank.", now=NOW)
    payout(world, paper=PaperState.AWAITED)
    case = late(world)
    assert (case.payout_id, case.trace["standing"]) == (
        None,
        {
            "currency": "EUR", "approved_minor": 30_00, "due_minor": 30_00, "minimum_minor": 25_00, "is_blocked": True,
            "next_run_on": "2026-12-01", "usable_from": usable.isoformat(), "awaits_invoice": True,
            "lacks_profile": False,
        },
    )  # fmt: skip
    assert "We ask the bank." not in str(case.trace)  # whoever manages payments reads it; the partner does not
    later = NOW + timedelta(days=3)
    brought = payout(world, status=PayoutStatus.PAID, created_at=later, paid_at=later)
    assert late_payments.paid_since(world.session, case) is brought
    stranger = make_partner(world.session, program=world.program)
    earlier = {"created_at": later - timedelta(days=1), "paid_at": later - timedelta(days=1)}
    payout(world, partner=stranger, status=PayoutStatus.PAID, **earlier)
    assert late_payments.paid_since(world.session, case) is brought


def test_a_late_payment_names_no_payout_of_somebody_else_and_none_twice(world: World) -> None:
    elsewhere = make_program(world.session)
    for foreign in (
        payout(world, partner=make_partner(world.session, program=world.program)),
        payout(world, program=elsewhere),
    ):
        with pytest.raises(late_payments.NoSuchPayout):
            late(world, foreign.id)
    mine = payout(world)
    for about in (mine.id, None):
        case = late(world, about)
        with pytest.raises(service.CaseOpen):
            late(world, about)
        world.accept(case, Settlement.WORDS)
        assert late(world, about).id != case.id
    other = world.open(order_id="10490", payout_id=ids.new())
    assert other.payout_id is None  # only a late payment has one


def test_of_two_late_payments_at_once_one_is_opened(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        service.queries, "late_payment_waiting", lambda *_args, **_asked: None
    )  # neither sees the other
    for about in (payout(world).id, None):
        late(world, about)
        with pytest.raises(service.CaseOpen):
            late(world, about)


def test_an_accepted_missing_sale_is_credited_by_hand_once(world: World) -> None:
    case = world.open()
    with pytest.raises(Invalid, match="wrong"), world.session.begin_nested():
        world.accept(case, Settlement.CREDIT)  # the order has not arrived
    order = make_conversion(world.session, program=world.program, order_id="10482")
    accepted = world.accept(case, Settlement.CREDIT)
    assert (accepted.status, accepted.conversion_id) == (CaseStatus.ACCEPTED, order.id)
    credit = world.session.scalars(sa.select(ManualCredit)).one()
    assert (credit.conversion_id, credit.partner_id) == (order.id, world.partner.id)
    with pytest.raises(service.CaseMoved):
        world.accept(case, Settlement.CREDIT)
    assert "marta" in [who for who, _subject in world.mails()]


def paying(world: World, limit_minor: int) -> None:
    """The program pays 8 % of an order, and lets one person give this much to a partner in 30 days."""
    make_plan(world.session, program=world.program, rate_bps=800)
    policy = PayoutPolicy(program_id=world.program.id, cadence=Cadence.MONTHLY, net_days=0, is_one_person=False)
    policy.adjustment_limit_minor, policy.updated_at = limit_minor, NOW
    world.session.add(policy)
    world.session.flush()


def credited(world: World) -> list[str]:
    """The orders that were credited by hand."""
    found = sa.select(Conversion.order_id).join(ManualCredit, ManualCredit.conversion_id == Conversion.id)
    return sorted(world.session.scalars(found))


@pytest.mark.parametrize("order", [{"amount_minor": 100_00, "currency": "USD"}, {"amount_minor": 0}])
def test_nobody_credits_an_order_of_which_nobody_knows_yet_what_it_earns(world: World, order: dict[str, Any]) -> None:
    paying(world, 0)
    make_conversion(world.session, program=world.program, order_id="10482", tax_minor=0, **order)
    with pytest.raises(Invalid) as refused:
        world.accept(world.open(), Settlement.CREDIT)
    assert refused.value.errors == {"settlement": [crediting.NOT_KNOWN]}
    assert credited(world) == []


@pytest.mark.parametrize(("limit_minor", "is_alone"), [(8_00, True), (7_99, False)])
def test_a_credit_by_which_more_is_earned_than_the_limit_waits_for_a_second_person(
    world: World, limit_minor: int, *, is_alone: bool
) -> None:
    paying(world, limit_minor)
    order = make_conversion(world.session, program=world.program, order_id="10482", amount_minor=100_00, tax_minor=0)
    accepted = world.accept(world.open(), Settlement.CREDIT)
    assert (accepted.status, accepted.conversion_id) == (CaseStatus.ACCEPTED, order.id)
    entry = world.session.get_one(Adjustment, accepted.adjustment_id)
    assert (entry.kind, entry.amount_minor, entry.conversion_id) == (AdjustmentKind.CREDIT, 8_00, order.id)
    assert entry.status is (AdjustmentStatus.CREDITED if is_alone else AdjustmentStatus.PROPOSED)
    assert credited(world) == (["10482"] if is_alone else [])
    if is_alone:
        return
    with pytest.raises(adjusting.SecondPersonWanted), world.session.begin_nested():
        adjusting.approve(
            world.session, adjustment_id=entry.id, program_id=world.program.id, actor=world.manager, now=NOW
        )
    second = make_user(world.session, email="finn@example.test", name="Finn")
    make_grant(world.session, user=second, role=GrantRole.FINANCE, program=world.program)
    who: dict[str, Any] = {"program_id": world.program.id, "actor": Actor("user", second.id), "now": NOW}
    adjusting.approve(world.session, adjustment_id=entry.id, **who)
    assert (entry.status, credited(world)) == (AdjustmentStatus.CREDITED, ["10482"])
    with pytest.raises(adjusting.AlreadyDecided):
        adjusting.approve(world.session, adjustment_id=entry.id, **who)
    assert (
        world.session.scalars(sa.select(LedgerTransfer)).all() == []
    )  # its commission is posted, and nothing beside it
    assert balances.verify(world.session).findings == []


def test_nobody_agrees_to_a_credit_of_an_order_that_has_grown_since(world: World) -> None:
    paying(world, 0)
    order = make_conversion(world.session, program=world.program, order_id="10482", amount_minor=100_00, tax_minor=0)
    accepted = world.accept(world.open(), Settlement.CREDIT)
    second = make_user(world.session, email="finn@example.test", name="Finn")
    make_grant(world.session, user=second, role=GrantRole.FINANCE, program=world.program)
    who: dict[str, Any] = {"adjustment_id": accepted.adjustment_id, "actor": Actor("user", second.id), "now": NOW}
    order.amount_minor = 900_00
    world.session.flush()
    with pytest.raises(crediting.WorthMore):
        crediting.approve(world.session, program=world.program, **who)
    assert credited(world) == []
    order.amount_minor = 90_00  # less is no more than was agreed
    world.session.flush()
    assert crediting.approve(world.session, program=world.program, **who).status is AdjustmentStatus.CREDITED
    assert credited(world) == ["10482"]


def test_a_credit_that_the_second_person_declines_never_counts(world: World) -> None:
    paying(world, 0)
    make_conversion(world.session, program=world.program, order_id="10482")
    accepted = world.accept(world.open(), Settlement.CREDIT)
    entry_id = accepted.adjustment_id
    assert entry_id is not None
    entry = adjusting.decline(
        world.session, adjustment_id=entry_id, program_id=world.program.id, actor=world.manager, now=NOW
    )
    assert (entry.status, credited(world)) == (AdjustmentStatus.DECLINED, [])


def test_whoever_splits_credits_needs_the_second_person_all_the_same(world: World) -> None:
    paying(world, 10_00)
    for number in ("10482", "10483"):
        make_conversion(world.session, program=world.program, order_id=number, amount_minor=100_00, tax_minor=0)
        world.accept(world.open(order_id=number), Settlement.CREDIT)
    assert credited(world) == ["10482"]


def test_an_accepted_amount_is_entered_with_the_case(world: World) -> None:
    case = world.open(kind=CaseKind.WRONG_AMOUNT)
    with pytest.raises(Invalid), world.session.begin_nested():
        world.accept(case, Settlement.ENTRY)
    accepted = world.accept(case, Settlement.ENTRY, Money(5_00, "EUR"))
    entry = world.session.scalars(sa.select(Adjustment)).one()
    assert (accepted.adjustment_id, entry.amount_minor, entry.reason) == (entry.id, 5_00, "You are right")
    assert entry.status in {AdjustmentStatus.POSTED, AdjustmentStatus.PROPOSED}


def test_a_long_answer_is_told_whole_and_the_books_keep_its_beginning(world: World) -> None:
    text = "You are right. " * 60
    service.accept(
        world.session, program=world.program, case_id=world.open(kind=CaseKind.WRONG_AMOUNT).id, settlement=Settlement.ENTRY,
        amount=Money(5_00, "EUR"), text=text, seen=1, actor=world.manager, now=NOW,
    )  # fmt: skip
    assert world.session.scalars(sa.select(Adjustment.reason)).one() == text[:500]
    assert text.strip() in world.session.scalars(sa.select(CaseMessage.text)).all()


def test_a_question_turns_the_clock_to_the_partner_and_its_answer_back(world: World) -> None:
    case = world.open()
    service.answer(
        world.session, program=world.program, case_id=case.id, text="Which shop?", asks=True,
        actor=world.manager, now=NOW + timedelta(hours=1),
    )  # fmt: skip
    assert case.status is CaseStatus.ASKED
    service.reply(
        world.session, program=world.program, partner_id=world.partner.id, case_id=case.id, text="The one in Rome",
        proofs=(), actor=world.person, now=NOW + timedelta(days=1),
    )  # fmt: skip
    assert (case.status, case.answer_by) == (CaseStatus.OPEN, NOW + timedelta(days=3))
    assert [who for who, _subject in world.mails()] == ["mara", "marta", "mara"]


def test_a_partner_who_fills_its_case_keeps_nobody_from_deciding_it(world: World) -> None:
    case = world.open()
    about: dict[str, Any] = {"program": world.program, "case_id": case.id, "now": NOW + timedelta(hours=1)}
    more: dict[str, Any] = {"partner_id": world.partner.id, "proofs": (), "actor": world.person, **about}
    for _ in range(service.MESSAGES_MAX - 1):
        service.reply(world.session, text="And?", **more)
    with pytest.raises(service.CaseFull), world.session.begin_nested():
        service.reply(world.session, text="And now?", **more)
    later = about | {"now": NOW + timedelta(hours=2), "actor": world.manager}
    service.answer(world.session, text="We look.", asks=False, **later)
    seen = service.MESSAGES_MAX + 1
    service.decline(world.session, text="It came back.", seen=seen, **later | {"now": NOW + timedelta(hours=3)})
    said = queries.messages_of(world.session, case_id=case.id)
    assert [one.text for one in (said[0], *said[-2:])] == ["It was mine", "We look.", "It came back."]
    assert len(said) == service.MESSAGES_MAX + 2


def test_of_very_many_messages_the_newest_are_read(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "MESSAGES_READ_MAX", 2)
    case = world.open()
    for hours, text in enumerate(("First.", "Second."), start=1):
        service.answer(
            world.session, program=world.program, case_id=case.id, text=text, asks=False, actor=world.manager,
            now=NOW + timedelta(hours=hours),
        )  # fmt: skip
    assert [one.text for one in queries.messages_of(world.session, case_id=case.id)] == ["First.", "Second."]


def test_both_sides_are_reminded_once_before_the_promise_is_over(world: World) -> None:
    cases = [world.open(), late(world)]
    soon, due = NOW + timedelta(hours=12), NOW + timedelta(hours=30)
    assert service.remind_due(world.session, limit=10, now=soon) == 0
    assert service.remind_due(world.session, limit=10, now=due) == len(cases)
    assert service.remind_due(world.session, limit=10, now=due) == 0
    assert (
        sorted(who for who, subject in world.mails() if subject.startswith("Reminder")) == ["mara"] * 2 + ["marta"] * 2
    )
    world.accept(cases[1], Settlement.WORDS)
    texts = world.session.scalars(sa.select(OutboxMail.body_text)).all()
    assert "Your case about a payment was accepted." in texts[-1]
    assert [text for text in texts if "order –" in text] == []  # of a payment there is none


def test_nobody_is_reminded_of_an_answer_that_was_given(world: World) -> None:
    case = world.open()
    given, late = NOW + timedelta(hours=24), NOW + timedelta(hours=30)
    service.answer(
        world.session,
        program=world.program,
        case_id=case.id,
        text="We are looking",
        asks=False,
        actor=world.manager,
        now=given,
    )
    assert (case.status, case.answer_by) == (CaseStatus.OPEN, given + timedelta(days=2))
    assert service.remind_due(world.session, limit=10, now=late) == 0


def test_a_case_of_another_partner_or_program_is_not_there(world: World) -> None:
    case = world.open()
    stranger = make_partner(world.session, program=world.program)
    with pytest.raises(service.NoSuchCase):
        service.withdraw(
            world.session, program=world.program, partner_id=stranger.id, case_id=case.id, actor=world.person, now=NOW
        )
    with pytest.raises(service.NoSuchCase):
        service.decline(
            world.session,
            program=make_program(world.session),
            case_id=case.id,
            text="No",
            seen=1,
            actor=world.manager,
            now=NOW,
        )
