"""How an application stands, for its applicant: what happened, what is asked, what was decided. Plain values."""

from datetime import timedelta
from typing import Any

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from affiliate import formats
from affiliate.joining import answers, asking, queries, questions, service
from affiliate.joining.models import ApplicationDraft
from affiliate.partners.models import Application, Enrollment, EnrollmentStatus
from affiliate.programs.models import Program


def of_sent(draft: ApplicationDraft) -> dict[str, Any]:
    """How an application stands that waits until the mailbox is proved."""
    email = draft.who.get("email", "")
    return {"stage": "unconfirmed", "email": email, "sent_at": draft.sent_at, "confirmed_at": None, "messages": []}


def member() -> dict[str, Any]:
    """How it stands for who took part already: nothing has changed."""
    return {"stage": "member", "sent_at": None, "confirmed_at": None, "messages": []}


def of_application(
    session: Session, program: Program, application: Application, enrollment: Enrollment
) -> dict[str, Any]:
    """How it stands once the program has it."""
    said = queries.messages(session, application_id=application.id)
    is_open = enrollment.status is EnrollmentStatus.PENDING and application.is_current
    asked = sum(one.is_of_program for one in said)
    return {
        "stage": _stage(application, enrollment),
        "sent_at": application.submitted_at,
        "confirmed_at": application.confirmed_at,
        "decided_at": enrollment.decided_at,
        "reason": enrollment.reason,
        "again": enrollment.apply_again_at,
        "answer_by": (application.confirmed_at or enrollment.created_at)
        + timedelta(days=program.application_answer_days),
        "is_asked": is_open and bool(said) and said[-1].is_of_program,
        "was_asked": asked > 0,
        "may_write": is_open and service.has_room(asked=asked, written=len(said) - asked),
        "messages": [
            {
                "who": program.name if one.is_of_program else _("You"),
                "is_mine": not one.is_of_program,
                "at": one.said_at,
                "text": one.text,
            }
            for one in said
        ],
        "sent": sent(application),
    }


def sent(application: Application) -> list[dict[str, Any]]:
    """What was asked and answered, in the reader's language."""
    asked = questions.from_documents(application.asked) or questions.STANDARD
    rows = answers.shown(asked, application.answers, formats.locale())
    return [
        {"key": row.key, "question": asking.words(row.label, row.is_ours), "lines": row.lines, "file": row.file}
        for row in rows
    ]


def _stage(application: Application, enrollment: Enrollment) -> str:
    if not application.is_current:
        return "earlier"
    if enrollment.status is EnrollmentStatus.PENDING:
        return "reading"
    if enrollment.status in {EnrollmentStatus.REJECTED, EnrollmentStatus.BANNED}:
        return "refused"
    return "approved"
