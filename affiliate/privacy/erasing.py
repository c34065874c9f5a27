"""A partner is forgotten: asked for by an owner, decided by a manager, once nothing is owed. Never commits.

What says who somebody is goes. The books stay as they are, with the papers that law wants kept: an account in them is a
number, and after this the number leads to no name. The audit trail loses what was said and keeps that it happened; its
chain still holds, because each row is chained by a salted hash of its details.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db, ids
from affiliate.accounts import audit
from affiliate.accounts.actors import Actor
from affiliate.accounts.models import ApiKey, User
from affiliate.errors import Conflict, Invalid, NotFound
from affiliate.files import StoredFile
from affiliate.joining.models import Invitation
from affiliate.links.models import Link, LinkStatus
from affiliate.mailer import OutboxMail
from affiliate.newsletters import audiences, prospects
from affiliate.newsletters.models import MailBounce, SuppressedAddress
from affiliate.papers.models import FiledInvoice, Paper
from affiliate.partners import facts
from affiliate.partners.models import Application, Enrollment, EnrollmentStatus, Partner
from affiliate.privacy import inventory, mails, mentions, queries
from affiliate.privacy.inventory import Fate
from affiliate.privacy.models import DataCopy, ErasureRequest, ErasureStatus
from affiliate.programs.models import Program
from affiliate.relations.models import Case, CaseMessage
from affiliate.taxes.models import TaxProfile

N_ = str  # marks a sentence for the translators
REASON_LENGTH_MAX = 500


class NoSuchRequest(NotFound):
    """There is no such wish in this program."""

    def __init__(self) -> None:
        super().__init__("There is no such request.")


class RequestMoved(Conflict):
    """It was decided or taken back already."""

    code = "erasure_moved"

    def __init__(self) -> None:
        super().__init__(N_("This request was decided or withdrawn already. Nothing was changed."))


class MoneyOpen(Conflict):
    """Something is still owed, to the partner or by it."""

    code = "money_open"

    def __init__(self) -> None:
        super().__init__(N_("Money is still on its way. Pay it, decline it or write it off first."))


class OtherPrograms(Conflict):
    """The partner belongs to programs that who decides does not manage."""

    code = "other_programs"

    def __init__(self) -> None:
        super().__init__(N_("This partner takes part in other programs too. Who manages all of them decides."))


def ask(session: Session, *, program: Program, partner_id: UUID, actor: Actor, now: datetime) -> None:
    """Ask to be forgotten. Asked already: nothing happens."""
    row = {
        "id": ids.new_at(now), "program_id": program.id, "partner_id": partner_id, "status": ErasureStatus.ASKED,
        "asked_by_id": actor.id, "asked_at": now,
    }  # fmt: skip
    if db.insert_new(session, ErasureRequest, [row]):
        _audit(session, "partner.ask_erasure", program.id, partner_id, actor, now=now)
        mails.tell_asked(session, program=program, now=now)


def withdraw(session: Session, *, program: Program, partner_id: UUID, actor: Actor, now: datetime) -> None:
    """Take the wish back.

    Raises:
        RequestMoved: there is none that waits.
    """
    mine = (ErasureRequest.partner_id == partner_id,)
    _move(session, mine, ErasureStatus.WITHDRAWN, actor=actor, now=now)
    _audit(session, "partner.withdraw_erasure", program.id, partner_id, actor, now=now)


def refuse(session: Session, *, request: ErasureRequest, reason: str, actor: Actor, now: datetime) -> None:
    """Say no, with a reason that the partner reads.

    Raises:
        Invalid: no reason. RequestMoved.
    """
    reason = " ".join(reason.split())[:REASON_LENGTH_MAX]
    if not reason:
        raise Invalid({"reason": [N_("Say why. The partner reads it.")]})
    _move(session, (ErasureRequest.id == request.id,), ErasureStatus.REFUSED, reason=reason, actor=actor, now=now)
    _audit(session, "partner.refuse_erasure", request.program_id, request.partner_id, actor, now=now)


def erase(session: Session, *, request: ErasureRequest, actor: Actor, now: datetime) -> None:
    """Forget a partner and those of its people who are nobody else's.

    Raises:
        RequestMoved. OtherPrograms. MoneyOpen: something is owed in a program.
    """
    partner_id = request.partner_id
    if queries.is_beyond(session, partner_id=partner_id, program_id=request.program_id, person_id=actor.id):
        raise OtherPrograms
    session.execute(sa.select(Partner.id).where(Partner.id == partner_id).with_for_update())
    if queries.owed(session, partner_id=partner_id):
        raise MoneyOpen
    _move(session, (ErasureRequest.id == request.id,), ErasureStatus.DONE, actor=actor, now=now)
    people = queries.only_here(session, partner_id=partner_id)
    person_ids = [person.id for person in people]
    names = [session.get_one(Partner, partner_id).name, *(person.name for person in people)]
    story_ids = mentions.stories_of(session, partner_id=partner_id, names=names)
    event_ids = queries.events_about(session, partner_id=partner_id, subject_ids=[*person_ids, *story_ids])
    _stop(session, partner_id, now)
    mentions.forget_stories(session, story_ids=story_ids, now=now)
    mentions.forget_told(session, partner_id=partner_id, now=now)
    mentions.forget_recruiting(session, partner_id=partner_id, now=now)
    _forget_files(session, partner_id, person_ids)
    forget_addresses(session, [person.email for person in people], now)
    _forget_rows(session, partner_id, person_ids)
    _forget_taxes(session, partner_id)
    forget_people(session, person_ids)
    audit.erase(session, event_ids=event_ids)
    _audit(session, "partner.erase", request.program_id, partner_id, actor, now=now)
    session.expire_all()


def _move(
    session: Session, which: Sequence[sa.ColumnElement[bool]], status: ErasureStatus, *, reason: str | None = None,
    actor: Actor, now: datetime,
) -> None:  # fmt: skip
    values = {"status": status, "decided_at": now, "decided_by_id": actor.id, "reason": reason}
    waiting = sa.update(ErasureRequest).where(*which, ErasureRequest.status == ErasureStatus.ASKED).values(values)
    moved = waiting.returning(ErasureRequest.id).execution_options(synchronize_session=False)
    if session.scalar(moved) is None:
        raise RequestMoved


def _stop(session: Session, partner_id: UUID, now: datetime) -> None:
    """No click counts any more and no key works; visitors are still led on. Who was refused or banned stays so."""
    running = Enrollment.status.in_((EnrollmentStatus.APPROVED, EnrollmentStatus.PENDING))
    quiet = {"status": EnrollmentStatus.PAUSED, "updated_at": now}
    session.execute(sa.update(Enrollment).where(Enrollment.partner_id == partner_id, running).values(quiet))
    paused = {"status": LinkStatus.PAUSED, "updated_at": now}
    session.execute(sa.update(Link).where(Link.partner_id == partner_id).values(paused))
    working = (ApiKey.partner_id == partner_id, ApiKey.revoked_at.is_(None))
    session.execute(sa.update(ApiKey).where(*working).values(revoked_at=now, updated_at=now))


def _forget_files(session: Session, partner_id: UUID, person_ids: Collection[UUID]) -> None:
    """What was uploaded with applications and cases, and copies of the data. Invoices stay with the papers."""
    enrolled = sa.select(Enrollment.id).where(Enrollment.partner_id == partner_id)
    answers = session.scalars(sa.select(Application.answers).where(Application.enrollment_id.in_(enrolled))).all()
    drafts = queries.draft_files(session, partner_id=partner_id, person_ids=person_ids)
    said = [each["file_id"] for told in (*answers, *drafts) for each in told.values() if facts.is_file(each)]
    cases = sa.select(Case.id).where(Case.partner_id == partner_id)
    proofs = session.scalars(sa.select(CaseMessage.file_id).where(CaseMessage.case_id.in_(cases))).all()
    copies = session.scalars(sa.select(DataCopy.file_id).where(DataCopy.partner_id == partner_id)).all()
    session.execute(sa.update(CaseMessage).where(CaseMessage.case_id.in_(cases)).values(file_id=None))
    session.execute(sa.delete(DataCopy).where(DataCopy.partner_id == partner_id))
    gone = [*(UUID(str(each)) for each in said), *filter(None, proofs), *filter(None, copies)]
    session.execute(sa.delete(StoredFile).where(StoredFile.id.in_(gone)))


def forget_addresses(session: Session, emails: Collection[str], now: datetime) -> None:
    """What waits for these addresses, came back from them, or knows them as readers and as invited."""
    for prospect in audiences.prospects_by_email(session, emails=emails):
        prospects.erase(session, prospect=prospect, now=now)
    session.execute(sa.delete(OutboxMail).where(OutboxMail.recipient.in_(emails)))
    session.execute(sa.delete(MailBounce).where(MailBounce.address.in_(emails)))
    session.execute(sa.delete(SuppressedAddress).where(SuppressedAddress.address.in_(emails)))
    session.execute(sa.update(Invitation).where(Invitation.email.in_(emails)).values(email=None))


def _forget_rows(session: Session, partner_id: UUID, person_ids: Collection[UUID]) -> None:
    for entry in inventory.ENTRIES:
        table = queries.table_of(entry)
        mine = queries.mine(entry, partner_id=partner_id, person_ids=person_ids)
        if entry.fate is Fate.BLANK:
            session.execute(sa.update(table).where(mine).values(**entry.blank))
        elif entry.fate is Fate.DELETE:
            session.execute(sa.delete(table).where(mine))


def _forget_taxes(session: Session, partner_id: UUID) -> None:
    """Who the partner was for the taxes stays beside papers that say it too; where there is none, it goes."""
    papers = sa.exists().where(Paper.partner_id == partner_id)
    invoices = sa.exists().where(FiledInvoice.partner_id == partner_id)
    nobody = {"legal_name": inventory.ERASED, "address": "", "vat_id": None, "tax_number": None}
    mine = (TaxProfile.partner_id == partner_id, ~papers, ~invoices)
    session.execute(sa.update(TaxProfile).where(*mine).values(nobody).execution_options(synchronize_session=False))


def forget_people(session: Session, person_ids: Collection[UUID]) -> None:
    """Accounts that nobody can sign in to: rows that others point to stay, without a name."""
    nobody = {
        "name": inventory.ERASED, "password": None, "active": False, "locale": None, "time_zone": None,
        "tf_primary_method": None, "tf_totp_secret": None, "tf_last_counter": None, "mf_recovery_codes": None,
    }  # fmt: skip
    for person_id in person_ids:
        unique = {"email": f"erased-{person_id.hex}@invalid", "fs_uniquifier": ids.random().hex}
        session.execute(sa.update(User).where(User.id == person_id).values(**nobody, **unique))


def _audit(session: Session, action: str, program_id: UUID, partner_id: UUID, actor: Actor, *, now: datetime) -> None:
    audit.record(
        session, actor=actor, action=action, subject_kind="partner", subject_id=partner_id, program_id=program_id,
        now=now,
    )  # fmt: skip
