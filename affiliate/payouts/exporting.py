"""Files that leave for the bank, and files that come back: each with its hash in the audit trail."""

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from affiliate import ids
from affiliate.accounts.actors import Actor
from affiliate.errors import Invalid
from affiliate.payouts import files, pain, queries, results, service, wise
from affiliate.payouts.exchanging import amount_paid
from affiliate.payouts.files import FileKind, Offer, Payer, Payment
from affiliate.payouts.models import Payout, PayoutRun, PayoutStatus, ReasonCode
from affiliate.payouts.results import Outcome
from affiliate.payouts.steps import WrongStatus, locked, person, record
from affiliate.payouts.vault import Vault
from affiliate.payouts.wise import Template
from affiliate.programs.models import Program

N_ = str  # marks a sentence for the translators
_MIMETYPES = {FileKind.SEPA: "application/xml", FileKind.TRANSFERS: "application/xml"}
_SENT = (PayoutStatus.APPROVED, PayoutStatus.PAID, PayoutStatus.FAILED)


@dataclass(frozen=True, slots=True)
class PaymentFile:
    """A file as it is handed out."""

    name: str
    mimetype: str
    content: bytes
    sha256: str


@dataclass(slots=True)
class Tally:
    """What a result file did: how many payouts it settled, and how many it left alone and why."""

    paid: int = 0
    failed: int = 0
    known: int = 0  # settled before: a second import has no effect
    other_amount: int = 0
    unknown: int = 0  # of no payout in this run


def payer_of(session: Session, *, program_id: UUID, vault: Vault) -> Payer | None:
    """The program's own account, if somebody has entered it."""
    policy = queries.policy_of(session, program_id=program_id)
    if policy.payer_account is None or policy.payer_name is None:
        return None
    fields = vault.open(policy.payer_account)
    return Payer(policy.payer_name, fields["iban"], fields.get("bic")) if "iban" in fields else None


def template_of(session: Session, *, program_id: UUID) -> Template:
    """The columns of the program's file for Wise."""
    return wise.read(queries.policy_of(session, program_id=program_id).wise_template or wise.USUAL)


def offers(session: Session, *, run_id: UUID, program_id: UUID, vault: Vault) -> list[Offer]:
    """The files that can be made of a run now."""
    payer = payer_of(session, program_id=program_id, vault=vault)
    template = template_of(session, program_id=program_id)
    return files.offers(payments_of(session, run_id=run_id, vault=vault), payer=payer, wise=template)


def payments_of(session: Session, *, run_id: UUID, vault: Vault) -> list[Payment]:
    """The payouts of a run that are or were on their way, with their opened details, in an order that stays.

    A partner that was erased has none any more: its payout keeps its place, and is in no file.
    """
    found = queries.methods_of_run(session, run_id=run_id, statuses=_SENT)
    return [
        Payment(
            payout.id,
            name,
            method.kind,
            vault.open(method.details) if method.details else {},
            amount_paid(payout),
            payout.status is _SENT[0] and bool(method.details),
            payout.currency,
        )
        for payout, name, method in found
    ]


def export(
    session: Session, *, run_id: UUID, program_id: UUID, kind: FileKind, vault: Vault, actor: Actor, now: datetime,
    part: int = 1,
) -> PaymentFile:  # fmt: skip
    """A file of the payouts of an approved run that are on their way; every export is written down with the file's hash.

    Raises:
        UnknownRun: not in this program.
        WrongStatus: the run is not approved.
        Invalid: no such file, or no such part of it, can be made of this run.
        NotAPerson: the actor is not a person.
    """
    person(actor)
    run = locked(session, run_id, program_id)
    if run.status is not PayoutStatus.APPROVED:
        raise WrongStatus(run.status)
    payments = payments_of(session, run_id=run_id, vault=vault)
    payer = payer_of(session, program_id=program_id, vault=vault)
    template = template_of(session, program_id=program_id)
    offered = files.offers(payments, payer=payer, wise=template)
    offer = next((each for each in offered if (each.kind, each.part) == (kind, part)), None)
    if offer is None:
        raise Invalid({"kind": [N_("No payout of this run goes into such a file.")]})
    fitting = files.parts(payments, kind, wise=template)[part - 1]
    program = session.get_one(Program, program_id)
    content = _content(kind, fitting, payer=payer, template=template, run=run, program=program, now=now)
    digest = hashlib.sha256(content).hexdigest()
    total_minor = sum(each.amount.amount_minor for each in fitting)
    facts = {"file": kind.value, "sha256": digest, "partners": len(fitting), "total_minor": total_minor}
    facts |= {"currency": fitting[0].amount.currency}
    facts |= {"part": offer.part, "parts": offer.parts} if offer.parts > 1 else {}
    record(session, "payout_run.export", run, actor, now, **facts)
    return PaymentFile(_name(run_id, offer), _MIMETYPES.get(kind, "text/csv"), content, digest)


def _name(run_id: UUID, offer: Offer) -> str:
    ending = "xml" if offer.kind in _MIMETYPES else "csv"
    number = f"-{offer.part}" if offer.parts > 1 else ""
    return f"{ids.public('run', run_id)}-{offer.kind.value}{number}.{ending}"


def _content(
    kind: FileKind, payments: list[Payment], *, payer: Payer | None, template: Template, run: PayoutRun,
    program: Program, now: datetime,
) -> bytes:  # fmt: skip
    if kind in _MIMETYPES:
        if payer is None:
            raise Invalid({"kind": [N_("Enter the account that pays first.")]})
        approved_at = run.approved_at or now
        message_id = f"{ids.public('run', run.id)}-{payments[0].amount.currency}".replace("_", "-")  # 34 of 35 letters
        return pain.pain(
            payments, payer=payer, is_sepa=kind is FileKind.SEPA, message_id=message_id,
            created_at=approved_at, execute_on=now.date(), text=program.name,
        )  # fmt: skip
    if kind is FileKind.PAYPAL:
        return files.paypal(payments, note=program.name)
    if kind is FileKind.WISE:
        return files.wise_batch(payments, template=template)
    return files.table(payments)


def import_results(
    session: Session, *, run_id: UUID, program_id: UUID, content: bytes, actor: Actor, now: datetime
) -> Tally:
    """Settle what a result file tells about this run. The same file again changes nothing.

    Raises:
        UnknownRun: not in this program.
        BadTable: the file cannot be read.
        NotAPerson: the actor is not a person.
    """
    person(actor)
    run = locked(session, run_id, program_id)
    outcomes = results.read(content)
    tally, paid, failed = Tally(), list[UUID](), defaultdict[str, list[UUID]](list)
    for outcome in _fresh(session, run_id, outcomes, tally):
        if outcome.is_paid:
            paid.append(outcome.payout_id)
        else:
            failed[outcome.reason].append(outcome.payout_id)
    step: dict[str, Any] = {"run_id": run_id, "program_id": program_id}
    if paid:
        tally.paid = service.mark_paid(session, **step, only=paid, actor=actor, now=now)
    for reason, those in failed.items():
        told: dict[str, Any] = {"reason": reason, "code": ReasonCode.RETURNED, "actor": actor, "now": now}
        tally.failed += service.mark_failed(session, **step, only=those, **told)
    facts = {"sha256": hashlib.sha256(content).hexdigest(), "paid": tally.paid, "failed": tally.failed}
    record(session, "payout_run.results", run, actor, now, **facts)
    return tally


def _fresh(session: Session, run_id: UUID, outcomes: list[Outcome], tally: Tally) -> list[Outcome]:
    """The outcomes of payouts that are on their way; the others are counted. One payout has one outcome."""
    payouts = {payout.id: payout for payout in queries.payouts_of(session, run_id=run_id)}
    fresh: dict[UUID, Outcome] = {}
    for outcome in outcomes:
        payout = payouts.get(outcome.payout_id)
        if payout is None:
            tally.unknown += 1
        elif payout.status is not PayoutStatus.APPROVED:
            tally.known += 1
        elif not _agrees(outcome, payout):
            tally.other_amount += 1
        else:
            fresh[outcome.payout_id] = outcome
    return list(fresh.values())


def _agrees(outcome: Outcome, payout: Payout) -> bool:
    """Whether a payment was of our amount. One told in the currency of the bank's own account says nothing of that.

    What came back may have lost a fee on its way: it did not arrive in any case.
    """
    told, ours = outcome.amount, amount_paid(payout)
    return not outcome.is_paid or told is None or told.currency not in {ours.currency, payout.currency} or told == ours
