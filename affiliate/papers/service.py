"""Every write on filed invoices: the partner files one, finance accepts or refuses it; and the PDF that joins a paper of ours."""

import hashlib
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db, files, ids
from affiliate.accounts import audit
from affiliate.accounts.actors import Actor
from affiliate.errors import Conflict, Invalid, NotFound
from affiliate.files import File
from affiliate.ledger import service as ledger
from affiliate.money import Money
from affiliate.papers import queries
from affiliate.papers.models import FiledInvoice, FiledStatus, Paper
from affiliate.payouts import waiting
from affiliate.payouts.holding import changed
from affiliate.payouts.models import PaperState, Payout, PayoutStatus
from affiliate.payouts.steps import given, person
from affiliate.programs.models import Program
from affiliate.taxes.numbers import BadVatId, read_vat_id

N_ = str  # marks a sentence for the translators
PDF = "application/pdf"
BYTES_MAX = 4_500_000
NUMBER_LENGTH_MAX = 60
AGE_DAYS_MAX = 365
_HEAD, _TAIL, _TAIL_BYTES = b"%PDF-", b"%%EOF", 2_048


class NotAwaited(Conflict):
    """The payout does not wait for an invoice, or one lies with finance already."""

    code = "not_awaited"


class UnknownInvoice(NotFound):
    """There is no such filed invoice in this program."""


class Decided(Conflict):
    """Somebody else has accepted or refused the invoice, or its payout was taken back."""

    code = "decided"


class WrongTotal(Invalid):
    """The invoice is over another amount than the notice says."""

    def __init__(self, expected: Money) -> None:
        super().__init__({"total": [N_("This is not the total of the payment notice.")]})
        self.expected = expected


@dataclass(frozen=True, slots=True)
class Typed:
    """What a partner says of its invoice."""

    number: str
    invoiced_on: date | None
    total: Money
    vat_id: str


def file_invoice(
    session: Session, *, program: Program, payout_id: UUID, partner_id: UUID, typed: Typed, content: bytes,
    actor: Actor, now: datetime,
) -> FiledInvoice:  # fmt: skip
    """Take a partner's invoice for a payout in; finance looks at it next.

    Raises:
        NotAwaited: the payout is another partner's, waits for none, or one lies with finance.
        Invalid: names each wrong field; `WrongTotal` also says what is right.
    """
    ledger.lock_books(session, program_ids=[program.id])  # so that the run is not approved or taken back meanwhile
    payout = session.get(Payout, payout_id, populate_existing=True)
    if payout is None or (payout.partner_id, payout.program_id) != (partner_id, program.id) or not _waits(payout):
        raise NotAwaited(N_("This payout does not wait for an invoice any more."))
    wrong = _problems(session, payout, typed, content, today=now.astimezone(ZoneInfo(program.time_zone)).date())
    if wrong:
        raise Invalid(wrong)
    if typed.total != Money(payout.amount_minor, payout.currency):
        raise WrongTotal(Money(payout.amount_minor, payout.currency))
    row = {
        "id": ids.new_at(now), "program_id": program.id, "partner_id": partner_id, "payout_id": payout_id,
        "number": typed.number.strip(), "invoiced_on": typed.invoiced_on, "total_minor": payout.amount_minor,
        "currency": payout.currency, "vat_id": _seller(payout).get("vat_id"), "status": FiledStatus.FILED,
        "file_id": files.keep(session, File(f"invoice-{ids.public('pay', payout_id)}.pdf", PDF, content), now=now),
        "filed_by_id": actor.id, "filed_at": now,
    }  # fmt: skip
    if not db.insert_new(session, FiledInvoice, [row]):
        raise NotAwaited(N_("An invoice for this payout lies with finance already."))
    audit.record(
        session, actor=actor, action="invoice.file", subject_kind="payout", subject_id=payout_id, program_id=program.id,
        details={"number": row["number"], "total_minor": payout.amount_minor}, now=now,
    )  # fmt: skip
    return session.get_one(FiledInvoice, row["id"])


def decide(
    session: Session, *, program: Program, invoice_id: UUID, accepts: bool, reason: str, actor: Actor, now: datetime
) -> FiledInvoice:
    """Accept a filed invoice, whose payout waits no more then, or refuse it with a reason that the partner reads.

    Raises:
        UnknownInvoice: not in this program.
        Decided: somebody was faster, or the payout was taken back.
        Invalid: refused without a reason, or with a very long one.
        NotAPerson: the actor is not a person.
    """
    person_id = person(actor)
    why = None if accepts else given(reason)
    ledger.lock_books(session, program_ids=[program.id])
    filed = queries.filed_by_id(session, program_id=program.id, invoice_id=invoice_id)
    if filed is None:
        raise UnknownInvoice(N_("There is no such invoice."))
    status = FiledStatus.ACCEPTED if accepts else FiledStatus.REFUSED
    still = (FiledInvoice.id == invoice_id, FiledInvoice.status == FiledStatus.FILED)
    facts = {"status": status, "decided_by_id": person_id, "decided_at": now, "reason": why}
    moved = changed(session, sa.update(FiledInvoice).where(*still).values(facts)) == 1
    if not moved or (accepts and not waiting.accept_paper(session, payout_id=filed.payout_id)):
        raise Decided(N_("This invoice was decided already, or its payout was taken back. Look again."))
    audit.record(
        session, actor=actor, action="invoice.accept" if accepts else "invoice.refuse", subject_kind="payout",
        subject_id=filed.payout_id, program_id=program.id, details={"number": filed.number, "reason": why}, now=now,
    )  # fmt: skip
    session.refresh(filed)
    if not accepts:
        from affiliate.papers import mails  # here, because the worker that draws papers needs no Flask

        mails.tell_refused(session, program=program, filed=filed, now=now)
    return filed


def join_pdf(session: Session, *, paper_id: UUID, name: str, content: bytes, now: datetime) -> bool:
    """Keep the PDF of a paper, the first one for ever; false if it has one."""
    file_id = files.keep(session, File(name, PDF, content), now=now)
    facts = {"file_id": file_id, "sha256": hashlib.sha256(content).hexdigest()}
    mine = sa.update(Paper).where(Paper.id == paper_id, Paper.file_id.is_(None))
    return changed(session, mine.values(facts)) == 1


def pdf_problem(content: bytes) -> str | None:
    """Why an uploaded file is no invoice, or nothing. Embedded files may be: electronic invoices carry their data so."""
    if not content:
        return N_("Choose the PDF of your invoice.")
    if len(content) > BYTES_MAX:
        return N_("The file is larger than 4.5 MB.")
    if not content.startswith(_HEAD) or _TAIL not in content[-_TAIL_BYTES:]:
        return N_("This is no PDF. Export the invoice as PDF, then upload it.")
    return None


def _waits(payout: Payout) -> bool:
    return payout.status is PayoutStatus.PROPOSED and payout.paper is PaperState.AWAITED


def _seller(payout: Payout) -> dict[str, str]:
    return dict((payout.notice or {}).get("seller", {}))


def _problems(session: Session, payout: Payout, typed: Typed, content: bytes, *, today: date) -> dict[str, list[str]]:
    """What is wrong by field, but for the total."""
    found = {
        "number": _number_problem(session, payout, typed.number.strip()),
        "invoiced_on": _day_problem(typed.invoiced_on, today=today),
        "vat_id": _vat_problem(typed.vat_id, _seller(payout)),
        "file": pdf_problem(content),
    }
    return {name: [sentence] for name, sentence in found.items() if sentence is not None}


def _number_problem(session: Session, payout: Payout, number: str) -> str | None:
    if not 0 < len(number) <= NUMBER_LENGTH_MAX:
        return N_("Write the number of the invoice, up to 60 characters.")
    mine = {"program_id": payout.program_id, "partner_id": payout.partner_id}
    if queries.number_is_used(session, **mine, number=number):
        return N_("You have sent an invoice with this number before. Each invoice has its own.")
    return None


def _day_problem(day: date | None, *, today: date) -> str | None:
    if day is None:
        return N_("Write the date of the invoice.")
    if day > today:
        return N_("The date of the invoice lies in the future.")
    if day < today - timedelta(days=AGE_DAYS_MAX):
        return N_("The invoice is more than a year old. Check its date.")
    return None


def _vat_problem(typed: str, seller: dict[str, str]) -> str | None:
    """The number on the invoice must be the one of the tax profile that the notice was made with."""
    expected = seller.get("vat_id")
    if not typed.strip():
        return N_("Write your VAT number as it stands on the invoice.") if expected else None
    try:
        number = read_vat_id(typed, country=seller["country"])
    except BadVatId as bad:
        return str(bad)
    return None if number == expected else N_("This is not the VAT number of your tax profile.")
