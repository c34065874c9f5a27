"""Every write on cases: opened, answered, asked back, accepted with what follows in the books, declined, withdrawn. Never commits."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db, files, ids
from affiliate.accounts import audit
from affiliate.accounts.actors import Actor
from affiliate.attribution import publishing
from affiliate.errors import Conflict, Invalid, NotFound
from affiliate.files import File
from affiliate.fraud import service as fraud
from affiliate.fraud.signals import Verdict
from affiliate.money import Money
from affiliate.payouts import adjusting
from affiliate.payouts.models import AdjustmentKind
from affiliate.programs.models import Program
from affiliate.relations import appeals, claims, crediting, late_payments, mails, queries
from affiliate.relations.claims import Claim, Proof, Settlement
from affiliate.relations.models import WAITING, Case, CaseKind, CaseMessage, CaseStatus, Side

N_ = str  # marks a sentence for the translators

OPEN_MAX = 20  # of one partner in a program, beside its appeals: of these there are no more than doubted sales
MESSAGES_MAX = 200  # of the partner in a case
TALKED = N_("Something was written in this case since you opened it. Read it, then decide; your words are kept.")
_REMIND_BEFORE = timedelta(days=1)


class NoSuchCase(NotFound):
    """There is no such case here."""


class CaseMoved(Conflict):
    """The case is not where the act expects it: somebody was faster, or it is over."""

    code = "case_moved"


class CaseOpen(Conflict):
    """The partner has a case about this already, or as many open ones as one may have."""

    code = "case_open"


class CaseTalked(Conflict):
    """More was said in the case than the person who decides has read."""

    code = "case_talked"


class CaseFull(Conflict):
    """The partner has said as much in this case as one may."""

    code = "case_full"


def open_case(
    session: Session, *, program: Program, partner_id: UUID, claim: Claim, actor: Actor, now: datetime
) -> Case:
    """Open a case with what the system knows about the order or the payment; the program's managers get a mail.

    Raises:
        Invalid: a field is wrong. CaseOpen: there is one about this already, or there are too many.
        NoSuchPayout: a late payment names a payout that is not this partner's.
        AppealOpen, NothingToAppeal: of `fraud.service.appeal`.
    """
    order_id, text = " ".join(claim.order_id.split()), claims.checked_text(claim.text)
    claims.check(claim, order_id=order_id, now=now)
    proofs = claims.checked_proofs(claim.proofs)
    if claim.kind is not CaseKind.FRAUD_APPEAL and (
        queries.claims_waiting(session, program_id=program.id, partner_id=partner_id) >= OPEN_MAX
    ):
        raise CaseOpen(N_("Twenty of your cases are open already. Wait for an answer first."))
    around = claim.happened_at or now
    conversion_id, trace = queries.trace(
        session, program_id=program.id, partner_id=partner_id, order_id=order_id, around=around
    )
    payout_id = claim.payout_id if claim.kind is CaseKind.LATE_PAYMENT else None
    if claim.kind is CaseKind.LATE_PAYMENT:
        _refuse_second(session, program, partner_id, payout_id, order_id)
        trace |= late_payments.known(session, program=program, partner_id=partner_id, payout_id=payout_id, now=now)
    if claim.kind is CaseKind.FRAUD_APPEAL:
        conversion_id = appeals.lodge(
            session, program_id=program.id, partner_id=partner_id, order_id=order_id, conversion_id=claim.conversion_id,
            text=text, actor=actor, now=now,
        )  # fmt: skip
    row: dict[str, Any] = {
        "id": ids.new_at(now), "program_id": program.id, "partner_id": partner_id, "kind": claim.kind, "order_id": order_id,
        "status": CaseStatus.OPEN, "happened_at": claim.happened_at, "conversion_id": conversion_id, "payout_id": payout_id, "trace": trace,
        "claimed_minor": claim.claimed.amount_minor if claim.claimed else None, "answer_by": promised(program, now=now),
        "opened_by_id": _person(actor), "opened_at": now, "updated_at": now,
    }  # fmt: skip
    if not db.insert_new(session, Case, [row]):
        if order_id:
            raise CaseOpen(N_("There is an open case about this order already."))
        raise CaseOpen(N_("There is an open case about this payment already."))
    case = session.get_one(Case, row["id"])
    _say(session, case, Side.PARTNER, text, proofs, actor=actor, now=now)
    _audit(session, case, "case.open", actor=actor, now=now)
    mails.tell_managers(session, case=case, program=program, text=text, now=now)
    return case


def reply(
    session: Session, *, program: Program, partner_id: UUID, case_id: UUID, text: str, proofs: Sequence[Proof],
    actor: Actor, now: datetime,
) -> None:  # fmt: skip
    """The partner adds something: the case waits for the program again, and the promised time starts anew if it was asked.

    Raises:
        NoSuchCase: not this partner's. Invalid: no text, or a file is wrong. CaseMoved: it is over.
        CaseFull: the partner has said `MESSAGES_MAX` things in it.
    """
    case = _found(session, program.id, case_id, partner_id)
    said, files_kept = claims.checked_text(text), claims.checked_proofs(proofs)
    was_asked = case.status is CaseStatus.ASKED
    values: dict[str, Any] = {"status": CaseStatus.OPEN, "updated_at": now}
    if was_asked:
        values |= {"answer_by": promised(program, now=now), "reminded_at": None}
    case = _move(session, case, values)
    _say(session, case, Side.PARTNER, said, files_kept, actor=actor, now=now)
    mails.tell_managers(session, case=case, program=program, text=said, now=now)


def answer(
    session: Session, *, program: Program, case_id: UUID, text: str, asks: bool, actor: Actor, now: datetime
) -> None:
    """The program says something, which keeps its promise: the time for the next answer starts anew.

    With `asks` the case waits for the partner, who has as long as the program itself.

    Raises:
        NoSuchCase, Invalid, CaseMoved: as above.
    """
    case = _found(session, program.id, case_id)
    said = claims.checked_text(text)
    values: dict[str, Any] = {"updated_at": now, "answer_by": promised(program, now=now), "reminded_at": None}
    if asks:
        values["status"] = CaseStatus.ASKED
    case = _move(session, case, values)
    _say(session, case, Side.PROGRAM, said, (), actor=actor, now=now)
    _audit(session, case, "case.ask" if asks else "case.answer", actor=actor, now=now)
    mails.tell_partner(session, case=case, program=program, text=said, now=now)


def accept(
    session: Session, *, program: Program, case_id: UUID, settlement: Settlement, amount: Money | None, text: str,
    seen: int, order_id: str = "", actor: Actor, now: datetime,
) -> Case:  # fmt: skip
    """The program agrees, and what follows is done in the same transaction: a credit by hand, a manual entry, a review lifted.

    An entry above the program's limit waits for a second person like any other, and so does a credit by which the partner
    would earn more. `seen` is the number of messages that the person saw. `order_id` is which order to credit where the
    case knows none yet; empty: the one that the partner named.

    Raises:
        NoSuchCase, CaseMoved: as above. CaseTalked: more was said since.
        Invalid: no text, no amount for an entry, the order is not known yet and cannot be credited, or an appeal is
            settled in another way than by release.
    """
    case = _found(session, program.id, case_id)
    said = claims.checked_text(text)
    note = said[: publishing.NOTE_LENGTH_MAX]  # what the books keep of it
    # First the case: of two who accept at once, one finds it settled and posts nothing.
    if (case.kind is CaseKind.FRAUD_APPEAL) != (settlement is Settlement.RELEASE):
        raise Invalid({"settlement": [N_("An appeal is accepted by letting the order pass, and nothing else is.")]})
    case = _close(session, case, CaseStatus.ACCEPTED, actor=actor, now=now)
    _check_seen(session, case, seen)
    if settlement is Settlement.CREDIT:
        _name_order(session, case, order_id)
        _credit(session, case, program, note, actor=actor, now=now)
    elif settlement is Settlement.ENTRY:
        _enter(session, case, amount, note, actor=actor, now=now)
    elif settlement is Settlement.RELEASE:
        appeals.decide(session, case, Verdict.PASS, note=note, actor=actor, now=now)
    _say(session, case, Side.PROGRAM, said, (), actor=actor, now=now)
    _audit(session, case, "case.accept", actor=actor, now=now, settlement=settlement.value)
    mails.tell_partner(session, case=case, program=program, text=said, now=now)
    return case


def decline(
    session: Session, *, program: Program, case_id: UUID, text: str, seen: int, actor: Actor, now: datetime
) -> None:
    """The program does not agree, and says why. The order of a declined appeal is rejected.

    Raises:
        NoSuchCase, Invalid, CaseMoved, CaseTalked: as above.
    """
    case = _found(session, program.id, case_id)
    said = claims.checked_text(text)
    case = _close(session, case, CaseStatus.DECLINED, actor=actor, now=now)
    _check_seen(session, case, seen)
    if case.kind is CaseKind.FRAUD_APPEAL:
        note = said[: publishing.NOTE_LENGTH_MAX]
        appeals.decide(session, case, Verdict.REJECT, note=note, actor=actor, now=now)
    _say(session, case, Side.PROGRAM, said, (), actor=actor, now=now)
    _audit(session, case, "case.decline", actor=actor, now=now)
    mails.tell_partner(session, case=case, program=program, text=said, now=now)


def withdraw(
    session: Session, *, program: Program, partner_id: UUID, case_id: UUID, actor: Actor, now: datetime
) -> None:
    """The partner takes it back.

    Raises:
        NoSuchCase, CaseMoved: as above.
    """
    case = _found(session, program.id, case_id, partner_id)
    case = _close(session, case, CaseStatus.WITHDRAWN, actor=actor, now=now)
    if case.kind is CaseKind.FRAUD_APPEAL:
        appeals.take_back(session, case)
    _audit(session, case, "case.withdraw", actor=actor, now=now)


def decide_order(
    session: Session, *, program_id: UUID, conversion_id: UUID, partner_id: UUID, verdict: Verdict, note: str, seen: int,
    said: int | None = None, rule: str | None = None, actor: Actor, now: datetime,
) -> None:  # fmt: skip
    """A manager's word about an order under review, and with it the answer to the partner's appeal where one waits.

    A word that leaves the order under review answers in the case, which stays open. `said` is the number of messages of
    the appeal that the person saw, 0 without one; null for who read none of them and decides on many orders.

    Raises:
        DomainError: those of `fraud.service.decide`. CaseTalked: more was said since, or an appeal came in just now.
    """
    about: dict[str, Any] = {"program_id": program_id, "partner_id": partner_id, "conversion_id": conversion_id}
    who: dict[str, Any] = {"actor": actor, "now": now}
    # First the case, as whoever settles it on its own page does: with the locks the other way round two who judge one order
    # at once would wait for each other for ever.
    case = queries.appeal_waiting(session, **about, locked=True)
    fraud.decide(session, **about, verdict=verdict, note=note, rule=rule, seen=seen, **who)
    # One that came in between has been read by nobody, and `fraud.decide` answered it only if it was there by then. It is
    # not locked: whoever holds it may wait for the decision that was just made.
    if case is None and queries.appeal_waiting(session, **about) is not None:
        raise CaseTalked(TALKED)
    if said is not None:
        _check_seen(session, case, said)
    if case is None:
        return
    program = session.get_one(Program, program_id)
    if verdict is Verdict.FLAG:
        answer(session, program=program, case_id=case.id, text=note, asks=False, **who)
        return
    status = CaseStatus.ACCEPTED if verdict is Verdict.PASS else CaseStatus.DECLINED
    case = _close(session, case, status, **who)
    _say(session, case, Side.PROGRAM, note.strip(), (), **who)
    mails.tell_partner(session, case=case, program=program, text=note.strip(), now=now)


def remind_due(session: Session, *, limit: int, now: datetime) -> int:
    """Remind both sides, once, of up to `limit` promised answers that come due within a day; gives how many."""
    done = 0
    for case in queries.to_remind(session, now=now, soon=now + _REMIND_BEFORE, limit=limit):
        here = (Case.id == case.id, Case.status == case.status, Case.reminded_at.is_(None))
        if session.scalar(sa.update(Case).where(*here).values(reminded_at=now).returning(Case.id)) is not None:
            mails.remind(session, case=case, program=session.get_one(Program, case.program_id), now=now)
            done += 1
    return done


def _name_order(session: Session, case: Case, order_id: str) -> None:
    """Which order a case without one is about, as the manager says: an order that was taken in meanwhile has its number from the shop."""
    named = " ".join(order_id.split())
    if case.conversion_id is None and named and named != case.order_id:
        if len(named) > claims.ORDER_LENGTH_MAX or not named.isprintable():
            raise Invalid({"order_id": [N_("Write the order number as the shop shows it.")]})
        case.order_id = named
        session.flush()


def _credit(session: Session, case: Case, program: Program, note: str, *, actor: Actor, now: datetime) -> None:
    """Credit the order by hand; one that came in after the case was opened is found now.

    What it would earn decides whether a second person has to agree first.
    """
    order = case.conversion_id
    if order is None:
        named = queries.conversions_named(session, program_id=case.program_id, order_id=case.order_id)
        order = named[0].id if case.order_id and named else None
    if order is None:
        raise Invalid({"order_id": [N_("This order is not known. Take it in first, or pay an amount.")]})
    case.conversion_id = order
    about: dict[str, Any] = {"conversion_id": order, "partner_id": case.partner_id}
    entry = crediting.give(session, program=program, **about, note=note, actor=actor, now=now)
    case.adjustment_id = entry.id if entry else None
    session.flush()


def _enter(session: Session, case: Case, amount: Money | None, reason: str, *, actor: Actor, now: datetime) -> None:
    if amount is None:
        raise Invalid({"amount": [N_("Write the amount.")]})
    kind = AdjustmentKind.MAKE_GOOD if case.kind is CaseKind.MISSING_SALE else AdjustmentKind.CORRECTION
    entry = adjusting.enter(
        session, program_id=case.program_id, partner_id=case.partner_id, kind=kind, amount=amount, reason=reason,
        actor=actor, now=now,
    )  # fmt: skip
    case.adjustment_id = entry.id
    session.flush()


def _refuse_second(session: Session, program: Program, partner_id: UUID, payout_id: UUID | None, order_id: str) -> None:
    mine: dict[str, Any] = {"program_id": program.id, "partner_id": partner_id}
    if not order_id and queries.late_payment_waiting(session, **mine, payout_id=payout_id) is not None:
        raise CaseOpen(N_("There is an open case about this payment already."))


def _found(session: Session, program_id: UUID, case_id: UUID, partner_id: UUID | None = None) -> Case:
    found = queries.case_in(session, program_id=program_id, case_id=case_id, partner_id=partner_id)
    if found is None:
        raise NoSuchCase(N_("There is no such case."))
    return found


def _move(session: Session, case: Case, values: dict[str, Any]) -> Case:
    here = (Case.id == case.id, Case.status == case.status)
    if case.status not in WAITING or (
        session.scalar(sa.update(Case).where(*here).values(values).returning(Case.id)) is None
    ):
        raise CaseMoved(N_("This case is over, or somebody was faster. Nothing was changed."))
    return session.get_one(Case, case.id, populate_existing=True)


def _close(session: Session, case: Case, status: CaseStatus, *, actor: Actor, now: datetime) -> Case:
    values = {"status": status, "closed_at": now, "closed_by_id": _person(actor), "updated_at": now}
    return _move(session, case, values)


def _check_seen(session: Session, case: Case | None, seen: int) -> None:
    """Refuse to decide on words that nobody has read. Whoever calls holds the case, so no more can come in between."""
    if seen != (queries.message_count(session, case_id=case.id) if case else 0):
        raise CaseTalked(TALKED)


def _say(
    session: Session, case: Case, side: Side, text: str, proofs: Sequence[File], *, actor: Actor, now: datetime
) -> None:
    """Each file beyond the first is a row of its own without words, of the same moment: `sheets.spoken` puts them together."""
    count = max(1, len(proofs))
    # Never what the program says: a partner could keep its case from ever being decided.
    if side is Side.PARTNER and queries.message_count(session, case_id=case.id, side=side) + count > MESSAGES_MAX:
        raise CaseFull(N_("You have sent 200 messages and files in this case. Wait for its answer, or withdraw it."))
    for number, row_id in enumerate(
        sorted(ids.new_at(now) for _ in range(count))
    ):  # in their order, which rows are read in
        said = "" if number else text
        message = CaseMessage(id=row_id, case_id=case.id, side=side, status=case.status, text=said, said_at=now)
        message.file_id = files.keep(session, proofs[number], now=now) if proofs else None
        message.by_id = _person(actor)
        session.add(message)
    session.flush()


def promised(program: Program, *, now: datetime) -> datetime:
    """Until when the program answers what is said now."""
    return now + timedelta(days=program.case_answer_days)


def _person(actor: Actor) -> UUID | None:
    return actor.id if actor.kind == "user" else None


def _audit(session: Session, case: Case, action: str, *, actor: Actor, now: datetime, **details: str) -> None:
    audit.record(
        session, actor=actor, action=action, subject_kind="case", subject_id=case.id, program_id=case.program_id,
        details={"kind": case.kind.value, "order_id": case.order_id, **details}, now=now,
    )  # fmt: skip
