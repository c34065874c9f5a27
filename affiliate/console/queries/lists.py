"""What a program has many of, for lists: filtered here, a page at a time."""

from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import folding
from affiliate.accounts.models import User
from affiliate.commissions.models import ValidationLine
from affiliate.commissions.validation import Verdict
from affiliate.console import paging
from affiliate.creatives import queries as creative_queries
from affiliate.creatives.models import Creative
from affiliate.joining.models import Invitation
from affiliate.papers.models import FiledInvoice, FiledStatus, Paper
from affiliate.partners.models import Partner
from affiliate.payouts import entry_queries
from affiliate.payouts.models import Adjustment, AdjustmentStatus, PaperState, PartnerCost, Payout, PayoutStatus
from affiliate.privacy.models import ErasureRequest, ErasureStatus
from affiliate.programs.models import Goal
from affiliate.relations import bulk_queries
from affiliate.relations.bulk_models import BulkSubject
from affiliate.relations.models import WAITING, Case, CaseStatus
from affiliate.reports import campaign_queries
from affiliate.reports.shared_models import SharedReport
from affiliate.reports.written_models import Annotation, Campaign, ServiceEntry
from affiliate.taxes.models import TaxProfile


def cases(
    session: Session, *, program_id: UUID, status: CaseStatus | None, name: str = "", cursor: paging.Cursor | None
) -> paging.Page:
    """Cases as rows of `Case` and `partner`: of one status those first whose answer is promised soonest, else the newest."""
    by = Case.opened_at if status is None else Case.answer_by
    found = sa.select(Case, Partner.name.label("partner"), by.label("at"), Case.id.label("id"))
    found = found.join(Partner, Partner.id == Case.partner_id).where(Case.program_id == program_id)
    if status is not None:
        found = found.where(Case.status == status)
    if name:
        found = found.where(folding.holds(Partner.name, name))
    return paging.page_of(session, found, by=by, identifier=Case.id, cursor=cursor, ascending=status is not None)


def waiting_cases(session: Session, *, program_id: UUID) -> dict[CaseStatus, int]:
    """How many cases wait, by for whom."""
    open_ones = (Case.program_id == program_id, Case.status.in_(WAITING))
    counted = sa.select(Case.status, sa.func.count()).where(*open_ones).group_by(Case.status)
    return {row[0]: row[1] for row in session.execute(counted)}


def creatives(
    session: Session, *, program_id: UUID, wanted: creative_queries.Wanted, now: datetime, cursor: paging.Cursor | None
) -> paging.Page:
    """Creatives of a program whoever they are for, the newest first; rows of `Creative` and `CreativeVersion`."""
    mine = (Creative.program_id == program_id, *creative_queries.matching(wanted, now))
    found = creative_queries.joined().add_columns(Creative.created_at.label("at"), Creative.id.label("id")).where(*mine)
    return paging.page_of(session, found, by=Creative.created_at, identifier=Creative.id, cursor=cursor)


def campaigns(
    session: Session, *, program_id: UUID, name: str = "", cursor: paging.Cursor | None, size: int
) -> paging.Page:
    """Campaigns of a program, the latest first; rows of `Campaign`."""
    found = campaign_queries.of_program(program_id)
    found = found.add_columns(Campaign.starts_on.label("at"), Campaign.id.label("id"))
    if name:
        found = found.where(folding.holds(Campaign.name, name))
    return paging.page_of(session, found, by=Campaign.starts_on, identifier=Campaign.id, cursor=cursor, size=size)


def service_entries(session: Session, *, program_id: UUID, cursor: paging.Cursor | None) -> paging.Page:
    """What is written down about service, the latest days first; rows of `ServiceEntry`, `partner` and `by`."""
    columns = (ServiceEntry, Partner.name.label("partner"), User.name.label("by"))
    found = (
        sa.select(*columns, ServiceEntry.ends_on.label("at"), ServiceEntry.id.label("id"))
        .outerjoin(Partner, Partner.id == ServiceEntry.partner_id)
        .outerjoin(User, User.id == ServiceEntry.created_by_id)
        .where(ServiceEntry.program_id == program_id, ServiceEntry.removed_at.is_(None))
    )
    return paging.page_of(session, found, by=ServiceEntry.ends_on, identifier=ServiceEntry.id, cursor=cursor)


def notes_on_days(session: Session, *, program_id: UUID, cursor: paging.Cursor | None) -> paging.Page:
    """The notes that charts mark, the latest day first; rows of `id`, `at` (the day), `text` and `about`."""
    found = sa.select(Annotation.id, Annotation.day.label("at"), Annotation.text, Annotation.about)
    mine = found.where(Annotation.program_id == program_id, Annotation.removed_at.is_(None))
    return paging.page_of(session, mine, by=Annotation.day, identifier=Annotation.id, cursor=cursor)


def invitations(session: Session, *, program_id: UUID, cursor: paging.Cursor | None) -> paging.Page:
    """The invitations of a program, newest first; rows of `Invitation` and `recruiter`, the partner whose address it is."""
    columns = (Invitation, Partner.name.label("recruiter"))
    found = (
        sa.select(*columns, Invitation.created_at.label("at"), Invitation.id.label("id"))
        .outerjoin(Partner, Partner.id == Invitation.recruiter_id)
        .where(Invitation.program_id == program_id)
    )
    return paging.page_of(session, found, by=Invitation.created_at, identifier=Invitation.id, cursor=cursor)


def adjustments(
    session: Session, *, program_id: UUID, partner_id: UUID | None = None, waits: bool | None = None, cursor: paging.Cursor | None
) -> paging.Page:  # fmt: skip
    """Bonuses and corrections of a program or of one partner, newest first; those that wait for a second person, or the others, if asked."""
    found = entry_queries.adjustment_rows(program_id, partner_id=partner_id)
    found = found.add_columns(Adjustment.entered_at.label("at"), Adjustment.id.label("id"))
    if waits is not None:
        found = found.where((Adjustment.status == AdjustmentStatus.PROPOSED).is_(waits))
    return paging.page_of(session, found, by=Adjustment.entered_at, identifier=Adjustment.id, cursor=cursor)


def costs(session: Session, *, program_id: UUID, partner_id: UUID, cursor: paging.Cursor | None) -> paging.Page:
    """What a partner has cost beside commissions, the latest day first; rows of `PartnerCost` and `entered_by`."""
    mine = (PartnerCost.program_id == program_id, PartnerCost.partner_id == partner_id)
    columns = (PartnerCost, User.name.label("entered_by"), PartnerCost.spent_on.label("at"), PartnerCost.id.label("id"))
    found = sa.select(*columns).join(User, User.id == PartnerCost.entered_by_id)
    found = found.where(*mine, PartnerCost.removed_at.is_(None))
    return paging.page_of(session, found, by=PartnerCost.spent_on, identifier=PartnerCost.id, cursor=cursor)


def filed_invoices(session: Session, *, program_id: UUID, to_check: bool, cursor: paging.Cursor | None) -> paging.Page:
    """Invoices that partners sent, newest first: those to check, or the others. Rows of `FiledInvoice`, `Payout` and `partner`."""
    columns = (FiledInvoice, Payout, Partner.name.label("partner"))
    found = (
        sa.select(*columns, FiledInvoice.filed_at.label("at"), FiledInvoice.id.label("id"))
        .join(Payout, Payout.id == FiledInvoice.payout_id)
        .join(Partner, Partner.id == FiledInvoice.partner_id)
        .where(FiledInvoice.program_id == program_id, (FiledInvoice.status == FiledStatus.FILED).is_(to_check))
    )
    return paging.page_of(session, found, by=FiledInvoice.filed_at, identifier=FiledInvoice.id, cursor=cursor)


def without_invoice(session: Session, *, program_id: UUID, cursor: paging.Cursor | None) -> paging.Page:
    """Payouts of proposed runs whose partner has sent no invoice that lies with finance, newest first; rows of `Payout` and `partner`."""
    filed = sa.exists().where(FiledInvoice.payout_id == Payout.id, FiledInvoice.status == FiledStatus.FILED)
    waits = (Payout.status == PayoutStatus.PROPOSED, Payout.paper == PaperState.AWAITED, ~filed)
    columns = (Payout, Partner.name.label("partner"), Payout.created_at.label("at"), Payout.id.label("id"))
    found = sa.select(*columns).join(Partner, Partner.id == Payout.partner_id)
    found = found.where(Payout.program_id == program_id, *waits)
    return paging.page_of(session, found, by=Payout.created_at, identifier=Payout.id, cursor=cursor)


def tax_profiles(session: Session, *, program_id: UUID, name: str = "", cursor: paging.Cursor | None) -> paging.Page:
    """The present tax profiles of a program, the newest first; rows of `TaxProfile` and `partner`."""
    columns = (TaxProfile, Partner.name.label("partner"), TaxProfile.created_at.label("at"), TaxProfile.id.label("id"))
    found = sa.select(*columns).join(Partner, Partner.id == TaxProfile.partner_id)
    found = found.where(TaxProfile.program_id == program_id, TaxProfile.replaced_at.is_(None))
    if name:
        found = found.where(folding.holds(Partner.name, name))
    return paging.page_of(session, found, by=TaxProfile.created_at, identifier=TaxProfile.id, cursor=cursor)


def shared_reports(session: Session, *, program_id: UUID, cursor: paging.Cursor | None) -> paging.Page:
    """What a program shared with people without an account, newest first, with what is over; rows of `SharedReport`."""
    found = sa.select(SharedReport, SharedReport.created_at.label("at"), SharedReport.id.label("id"))
    found = found.where(SharedReport.program_id == program_id)
    return paging.page_of(session, found, by=SharedReport.created_at, identifier=SharedReport.id, cursor=cursor)


def validation_lines(
    session: Session,
    *,
    file_id: UUID,
    verdict: Verdict | None,
    cursor: paging.Cursor | None,
    size: int = paging.PAGE_SIZE,
) -> paging.Page:
    """The lines of a file, or those with an outcome, in their order; rows of `ValidationLine`. Their numbers tell them apart."""
    columns = (ValidationLine, ValidationLine.number.label("at"), ValidationLine.file_id.label("id"))
    found = sa.select(*columns).where(ValidationLine.file_id == file_id)
    if verdict is not None:
        found = found.where(ValidationLine.verdict == verdict)
    by, identifier = ValidationLine.number, ValidationLine.file_id
    return paging.page_of(session, found, by=by, identifier=identifier, cursor=cursor, size=size, ascending=True)


def refusals(
    session: Session, *, act_id: UUID, cursor: paging.Cursor | None, size: int = paging.PAGE_SIZE
) -> paging.Page:
    """Whom an act on many refused, in the order of the list; rows with the fields of `bulk_queries.Outcome`."""
    found = bulk_queries.outcome_rows(BulkSubject.act_id == act_id, BulkSubject.refusal.is_not(None))
    found = found.add_columns(BulkSubject.place.label("at"), BulkSubject.act_id.label("id"))
    by, identifier = BulkSubject.place, BulkSubject.act_id
    return paging.page_of(session, found, by=by, identifier=identifier, cursor=cursor, size=size, ascending=True)


def goals_over(
    session: Session, *, program_id: UUID, day: date, cursor: paging.Cursor | None, size: int
) -> paging.Page:
    """The goals of a program that are over on this day of it, the one that ended last first; rows of `Goal`."""
    found = sa.select(Goal, Goal.ends_on.label("at"), Goal.id.label("id"))
    found = found.where(Goal.program_id == program_id, Goal.ends_on <= day)
    return paging.page_of(session, found, by=Goal.ends_on, identifier=Goal.id, cursor=cursor, size=size)


def papers(session: Session, *, program_id: UUID, cursor: paging.Cursor | None) -> paging.Page:
    """The papers that the program wrote, newest first; rows of `Paper` and `partner`."""
    columns = (Paper, Partner.name.label("partner"), Paper.issued_at.label("at"), Paper.id.label("id"))
    found = sa.select(*columns).join(Partner, Partner.id == Paper.partner_id).where(Paper.program_id == program_id)
    return paging.page_of(session, found, by=Paper.issued_at, identifier=Paper.id, cursor=cursor)


def erasures(
    session: Session, *, program_id: UUID, waits: bool, cursor: paging.Cursor | None, size: int = paging.PAGE_SIZE
) -> paging.Page:
    """Requests to be forgotten, newest first: those that wait, or the decided ones. Rows of `ErasureRequest`, `partner` and `person`."""
    columns = (ErasureRequest, Partner.name.label("partner"), User.name.label("person"))
    found = (
        sa.select(*columns, ErasureRequest.asked_at.label("at"), ErasureRequest.id.label("id"))
        .join(Partner, Partner.id == ErasureRequest.partner_id)
        .join(User, User.id == ErasureRequest.asked_by_id)
        .where(ErasureRequest.program_id == program_id, (ErasureRequest.status == ErasureStatus.ASKED).is_(waits))
    )
    by, identifier = ErasureRequest.asked_at, ErasureRequest.id
    return paging.page_of(session, found, by=by, identifier=identifier, cursor=cursor, size=size)
