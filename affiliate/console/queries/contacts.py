"""What was said between a program and a partner, from every table that keeps it, in the order of time."""

import enum
from collections.abc import Collection
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.accounts.mail_kinds import MailKind
from affiliate.accounts.models import User
from affiliate.console import paging
from affiliate.joining.models import ApplicationMessage
from affiliate.newsletters.models import DeliveryStatus, NewsletterDelivery, NewsletterIssue
from affiliate.partners.models import Application, Enrollment, Member, PartnerNotice
from affiliate.relations.care_models import PartnerGoal, PartnerGoalNote, PartnerNote
from affiliate.relations.models import Case, CaseMessage, Side


class Contact(enum.StrEnum):
    """What a contact is."""

    NOTE = "note"  # for the program's managers only
    CASE = "case"
    APPLICATION = "application"
    GOAL = "goal"
    NOTICE = "notice"
    NEWSLETTER = "newsletter"


def of_partner(
    session: Session,
    *,
    program_id: UUID,
    partner_id: UUID,
    kinds: Collection[Contact],
    notices: Collection[MailKind] = tuple(MailKind),
    cursor: paging.Cursor | None,
) -> paging.Page:
    """A page of contacts of these kinds (at least one), newest first, by one statement; of notices only those of the named kinds.

    Rows have `kind`, `at`, `id`, `about` (the case or the issue), `of_program` (null where it has no side), `by` (a name),
    and `text`, or `texts` by language with the `language` that is meant if the reader's is missing.
    """
    here = (program_id, partner_id)
    parts = {
        Contact.NOTE: _notes, Contact.CASE: _cases, Contact.APPLICATION: _applications, Contact.GOAL: _goals,
        Contact.NOTICE: _notices, Contact.NEWSLETTER: _newsletters,
    }  # fmt: skip
    found = {kind: part(*here) for kind, part in parts.items() if kind in kinds}
    if Contact.NOTICE in found:
        found[Contact.NOTICE] = found[Contact.NOTICE].where(PartnerNotice.kind.in_(notices))
    every = sa.union_all(*found.values()).subquery()
    by_name = sa.select(*every.c, User.name.label("by")).outerjoin(User, User.id == every.c.by_id)
    identifier: Any = every.c.id
    return paging.page_of(session, by_name, by=every.c.at, identifier=identifier, cursor=cursor)


def _part(kind: Contact, at: Any, identifier: Any, **told: Any) -> sa.Select[*tuple[Any, ...]]:
    """A part of the union: its columns in one order, null where this kind says nothing."""
    kinds: dict[str, Any] = {
        "about": Case.id.type, "of_program": sa.Boolean(), "by_id": User.id.type, "text": sa.Text(),
        "texts": PartnerNotice.texts.type, "language": sa.String(5),
    }  # fmt: skip
    more = [told.get(name, sa.cast(sa.null(), of_type)).label(name) for name, of_type in kinds.items()]
    return sa.select(sa.literal(kind.value).label("kind"), at.label("at"), identifier.label("id"), *more)


def _notes(program_id: UUID, partner_id: UUID) -> sa.Select[*tuple[Any, ...]]:
    found = _part(Contact.NOTE, PartnerNote.noted_at, PartnerNote.id, text=PartnerNote.text, by_id=PartnerNote.by_id)
    return found.where(PartnerNote.program_id == program_id, PartnerNote.partner_id == partner_id)


def _cases(program_id: UUID, partner_id: UUID) -> sa.Select[*tuple[Any, ...]]:
    found = _part(
        Contact.CASE, CaseMessage.said_at, CaseMessage.id, about=CaseMessage.case_id,
        of_program=CaseMessage.side == Side.PROGRAM, by_id=CaseMessage.by_id, text=CaseMessage.text,
    )  # fmt: skip
    mine = found.join(Case, Case.id == CaseMessage.case_id)
    has_words = sa.or_(CaseMessage.text != "", CaseMessage.file_id.is_(None))  # not one more file of the message before
    return mine.where(Case.program_id == program_id, Case.partner_id == partner_id, has_words)


def _applications(program_id: UUID, partner_id: UUID) -> sa.Select[*tuple[Any, ...]]:
    said = ApplicationMessage
    found = _part(
        Contact.APPLICATION, said.said_at, said.id, of_program=said.is_of_program, by_id=said.author_id, text=said.text
    )
    mine = found.join(Application, Application.id == said.application_id)
    mine = mine.join(Enrollment, Enrollment.id == Application.enrollment_id)
    return mine.where(Enrollment.program_id == program_id, Enrollment.partner_id == partner_id)


def _goals(program_id: UUID, partner_id: UUID) -> sa.Select[*tuple[Any, ...]]:
    said = PartnerGoalNote
    found = _part(
        Contact.GOAL, said.said_at, said.id, of_program=said.side == Side.PROGRAM, by_id=said.by_id, text=said.text
    )
    mine = found.join(PartnerGoal, PartnerGoal.id == said.goal_id)
    return mine.where(PartnerGoal.program_id == program_id, PartnerGoal.partner_id == partner_id)


def _notices(program_id: UUID, partner_id: UUID) -> sa.Select[*tuple[Any, ...]]:
    """What it was told by mail and in the portal, but for cases: what is said there stands here itself."""
    notice = PartnerNotice
    found = _part(
        Contact.NOTICE,
        notice.created_at,
        notice.id,
        of_program=sa.true(),
        texts=notice.texts,
        language=sa.literal("en"),
    )
    mine = (notice.program_id == program_id, notice.partner_id == partner_id)
    return found.where(*mine, notice.kind != MailKind.CASES)


def _newsletters(program_id: UUID, partner_id: UUID) -> sa.Select[*tuple[Any, ...]]:
    """Issues that reached somebody of the partner: each once, when the first of them got it. Found by its people's index."""
    sent, people = NewsletterDelivery, sa.select(Member.user_id).where(Member.partner_id == partner_id)
    first = (
        sa.select(sent.issue_id, sa.func.min(sent.settled_at).label("at"))
        .where(sent.user_id.in_(people), sent.partner_id == partner_id, sent.status == DeliveryStatus.SENT)
        .group_by(sent.issue_id)
        .subquery()
    )
    at = sa.type_coerce(first.c.at, sent.settled_at.type)  # an aggregate loses its type on SQLite
    issue = NewsletterIssue
    found = _part(
        Contact.NEWSLETTER,
        at,
        issue.id,
        about=issue.id,
        of_program=sa.true(),
        texts=issue.texts,
        language=issue.language,
    )
    return found.join(first, first.c.issue_id == issue.id).where(issue.program_id == program_id)
