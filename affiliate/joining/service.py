"""Writes on drafts and applications: save, send, confirm, ask, answer; and the form of a program. Takes session and now; never commits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import files, ids
from affiliate.accounts import audit
from affiliate.accounts import queries as accounts
from affiliate.accounts.actors import SYSTEM, Actor
from affiliate.db import insert_new
from affiliate.errors import Conflict, Invalid, NotFound
from affiliate.files import File
from affiliate.joining import answers, forgetting, inviting, mails, queries, questions
from affiliate.joining.models import ApplicationDraft, ApplicationForm, ApplicationMessage, DraftState, Invitation
from affiliate.joining.questions import Question
from affiliate.partners import applying
from affiliate.partners import service as partners
from affiliate.partners.applying import Applicant, Sent
from affiliate.partners.models import Application, Enrollment, EnrollmentStatus
from affiliate.programs.models import Program

N_ = str  # marks a sentence for the translators

ANSWERS_PER_QUESTION_MAX = 5
MESSAGE_LENGTH_MAX = 4_000
_SOURCE_LENGTH_MAX = 120


class NoSuchDraft(NotFound):
    """There is no such application: it was deleted after 30 days, or it is of another program."""


class AlreadySent(Conflict):
    """The application was sent; what it says stands."""

    code = "already_sent"


class NotWaiting(Conflict):
    """The application is decided, or it is the other side's turn."""

    code = "not_waiting"


@dataclass(frozen=True, slots=True)
class Origin:
    """Through what somebody came to the form: an invitation, or a word that an address carried."""

    invitation: Invitation | None = None
    word: str = ""

    @property
    def source(self) -> str:
        """As it is kept with the application."""
        if self.invitation is not None:
            kind = "recruiter" if self.invitation.recruiter_id else "invitation"
            return f"{kind}:{self.invitation.name}"[:_SOURCE_LENGTH_MAX]
        word = "".join(filter(str.isprintable, self.word)).strip()[:_SOURCE_LENGTH_MAX]
        return "" if word.startswith(("recruiter:", "invitation:")) else word  # anybody can write it into an address


def begin(
    session: Session, *, program: Program, origin: Origin, user_id: UUID | None, locale: str, now: datetime
) -> ApplicationDraft:
    """A new draft, empty. Its source is that of its beginning."""
    draft = ApplicationDraft(id=ids.new_at(now), program_id=program.id, user_id=user_id, state=DraftState.OPEN)
    draft.typed, draft.files, draft.who, draft.answers, draft.asked = {}, {}, {}, {}, []
    draft.locale, draft.source = locale, origin.source
    draft.invitation_id = origin.invitation.id if origin.invitation else None
    draft.started_at = draft.saved_at = now
    session.add(draft)
    session.flush()
    return draft


def save(
    session: Session,
    *,
    draft: ApplicationDraft,
    typed: Mapping[str, Sequence[str]],
    uploads: Mapping[str, File],
    email: str,
    now: datetime,
) -> None:
    """Keep what the form holds, finished or not, and its files, already checked.

    Raises:
        AlreadySent: the draft is no draft any more.
    """
    if draft.state is not DraftState.OPEN:
        raise AlreadySent("This application was sent already.")
    kept = {
        key: {"file_id": files.keep(session, file, now=now).hex, "name": file.name} for key, file in uploads.items()
    }
    forgetting.forget_files(session, [draft.files[key] for key in kept if key in draft.files])
    draft.typed, draft.files, draft.saved_at = answers.kept(typed), draft.files | kept, now
    draft.who = {"email": email}


def send(
    session: Session,
    *,
    program: Program,
    draft: ApplicationDraft,
    applicant: Applicant,
    asked: Sequence[Question],
    now: datetime,
) -> None:
    """Send an application whose answers were found right. Who is signed in is received at once; others confirm their address first.

    Raises:
        AlreadySent: somebody, or a second press of the button, was faster.
    """
    who = {
        "email": applicant.email, "name": applicant.name, "partner_name": applicant.partner_name,
        "website": applicant.website, "country": applicant.country,
    }  # fmt: skip
    values = {
        "state": DraftState.SENT, "who": who, "answers": dict(applicant.answers), "asked": questions.to_documents(asked),
        "locale": applicant.locale, "sent_at": now, "saved_at": now,
    }  # fmt: skip
    if not _move(session, draft, DraftState.OPEN, values):
        raise AlreadySent("This application was sent already.")
    if draft.user_id is not None:
        confirm(session, program=program, draft=draft, now=now)
    else:
        mails.ask_to_confirm(session, program=program, draft=draft, now=now)


def mail_draft(session: Session, *, program: Program, draft: ApplicationDraft, now: datetime) -> None:
    """Send the address of a draft to the mailbox that was typed, to go on later; at most a few in an hour."""
    mails.send_draft(session, program=program, draft=draft, now=now)


def confirm(session: Session, *, program: Program, draft: ApplicationDraft, now: datetime) -> None:
    """The applicant reads the mailbox that was typed (or is signed in): hand the application to the program. Twice changes nothing."""
    if not _move(session, draft, DraftState.SENT, {"state": DraftState.RECEIVED, "typed": {}}):
        return
    invitation = session.get(Invitation, draft.invitation_id) if draft.invitation_id else None
    may_enter = invitation is not None and inviting.use(session, invitation=invitation, now=now)
    who = draft.who
    applicant = Applicant(
        who["email"], who["name"], who["partner_name"], who["website"], who["country"], draft.locale, draft.answers
    )
    sent = Sent(
        draft.id, draft.sent_at or now, draft.asked, draft.source, invitation.recruiter_id if invitation else None
    )
    application = applying.take_in(
        session, program=program, applicant=applicant, sent=sent, user_id=draft.user_id, now=now
    )
    if draft.user_id is None and (person := accounts.user_by_email(session, email=who["email"])) is not None:
        draft.user_id = person.id  # so that a copy of the person's data holds it, and an erasure finds it
    if invitation is not None and invitation.lets_in and may_enter and application.id == draft.id:
        partners.approve(session, enrollment_id=application.enrollment_id, program_id=program.id, actor=SYSTEM, now=now)


def ask(
    session: Session,
    *,
    program: Program,
    application: Application,
    enrollment: Enrollment,
    text: str,
    actor: Actor,
    now: datetime,
) -> None:
    """Ask the applicant something; a mail brings it.

    Raises:
        NotWaiting: it was decided meanwhile. Invalid: no text, or too long.
    """
    if enrollment.status is not EnrollmentStatus.PENDING:
        raise NotWaiting("This application was decided already.")
    text = _checked(text)
    _say(session, application, text=text, is_of_program=True, author_id=actor.id, now=now)
    audit.record(
        session, actor=actor, action="application.ask", subject_kind="enrollment", subject_id=enrollment.id,
        program_id=program.id, now=now,
    )  # fmt: skip
    mails.ask_applicant(session, program=program, application=application, enrollment=enrollment, text=text, now=now)


def answer(
    session: Session, *, program: Program, application: Application, enrollment: Enrollment, text: str, now: datetime
) -> None:
    """Answer a question of the program, or ask it something first; its managers are told.

    Raises:
        NotWaiting: it was decided meanwhile, or so much was written that the program's word has to come first.
        Invalid: no text, or too long.
    """
    here = {"application_id": application.id}
    asked = queries.message_count(session, **here, is_of_program=True)
    written = queries.message_count(session, **here, is_of_program=False)
    if enrollment.status is not EnrollmentStatus.PENDING:
        raise NotWaiting(N_("This application was decided already."))
    if not has_room(asked=asked, written=written):
        raise NotWaiting(N_("You have written enough for now. Wait for the program's answer."))
    text = _checked(text)
    _say(session, application, text=text, is_of_program=False, author_id=application.user_id, now=now)
    mails.tell_managers(session, program=program, enrollment=enrollment, text=text, is_answer=asked > 0, now=now)


def has_room(*, asked: int, written: int) -> bool:
    """Whether an applicant who wrote so often may write once more: so often to begin with, and again after each word of the program."""
    return written < (asked + 1) * ANSWERS_PER_QUESTION_MAX


def set_form(
    session: Session,
    *,
    program_id: UUID,
    asked: Sequence[Question],
    seen_at: datetime | None,
    actor: Actor,
    now: datetime,
) -> None:
    """Give a program another form; applications that were sent keep their questions. `seen_at`: when the form was read.

    Raises:
        Invalid: a question is wrong, named by its key. Conflict: somebody has changed the form meanwhile.
    """
    if wrong := questions.problems(asked):
        raise Invalid(wrong)
    documents = questions.to_documents(asked)
    if seen_at is None:
        row = {"program_id": program_id, "questions": documents, "updated_at": now}
        is_done = bool(insert_new(session, ApplicationForm, [row], returning=ApplicationForm.program_id))
    else:
        same = (ApplicationForm.program_id == program_id, ApplicationForm.updated_at == seen_at)
        change = sa.update(ApplicationForm).where(*same).values(questions=documents, updated_at=now)
        is_done = session.scalar(change.returning(ApplicationForm.program_id)) is not None
    if not is_done:
        raise Conflict("Somebody has changed the form meanwhile. Look at it, then change it again.")
    audit.record(
        session, actor=actor, action="application_form.change", subject_kind="program", subject_id=program_id,
        program_id=program_id, details={"asked": [one.key for one in asked if one.is_asked]}, now=now,
    )  # fmt: skip


def _move(session: Session, draft: ApplicationDraft, expected: DraftState, values: Mapping[str, Any]) -> bool:
    here = (ApplicationDraft.id == draft.id, ApplicationDraft.state == expected)
    session.flush()
    moved = session.scalar(sa.update(ApplicationDraft).where(*here).values(values).returning(ApplicationDraft.id))
    session.refresh(draft)
    return moved is not None


def _checked(text: str) -> str:
    text = text.replace("\r\n", "\n").strip()
    if not text:
        raise Invalid({"text": [N_("Write something first.")]})
    if len(text) > MESSAGE_LENGTH_MAX:
        raise Invalid({"text": [N_("Keep it below 4,000 characters.")]})
    return text


def _say(
    session: Session, application: Application, *, text: str, is_of_program: bool, author_id: UUID | None, now: datetime
) -> None:
    message = ApplicationMessage(id=ids.new_at(now), application_id=application.id, text=text, said_at=now)
    message.is_of_program, message.author_id = is_of_program, author_id
    session.add(message)
    session.flush()
