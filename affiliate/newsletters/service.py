"""Every write on issues by people: save, schedule, take back, stop, go on, ask a partner about its story. Never commits."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import ids
from affiliate.accounts import audit
from affiliate.accounts.actors import Actor
from affiliate.db import insert_new
from affiliate.errors import Conflict, Invalid, NotFound
from affiliate.newsletters import audiences, content, queries, segments, timing
from affiliate.newsletters.content import N_, Block, BlockKind, Draft, IssueKind
from affiliate.newsletters.models import (
    ConsentStatus,
    IssueStatus,
    NewsletterIssue,
    StoryConsent,
)
from affiliate.newsletters.segments import Segment
from affiliate.programs.models import Program

NOTHING_TO_SAY = N_("It holds nothing but stories without their partners' consent, so no mail leaves.")
"""The trouble of an issue that was stopped, or is a draft again, because its readers would find nothing in it."""
CHOICE_DELETED = N_("The saved choice of its readers was deleted, so nobody gets it. Choose another one, or none.")
"""The trouble of an issue that is a draft again because whom it was meant for is not known any more."""


class NoSuchIssue(NotFound):
    """There is no such issue in this program."""


class IssueMoved(Conflict):
    """The issue is not where the act expects it: somebody was faster, or it is under way."""

    code = "issue_moved"


class NotReady(Invalid):
    """The issue cannot be sent as it stands; `errors` says what is missing."""

    code = "not_ready"


def create_issue(
    session: Session, *, program_id: UUID, kind: IssueKind, language: str, actor: Actor, now: datetime
) -> NewsletterIssue:
    """A new draft with one empty block of free text."""
    first = content.with_block(Draft(language, {}, []), BlockKind.TEXT, ids.new().hex)
    values = {
        "kind": kind, "language": language, "texts": {}, "blocks": [block.document() for block in first.blocks],
        "segment": Segment().document(),
    }  # fmt: skip
    return _begun(session, program_id, values, actor=actor, now=now)


def duplicate(session: Session, *, issue_id: UUID, program_id: UUID, actor: Actor, now: datetime) -> NewsletterIssue:
    """A new draft that says the same to the same choice of readers. Partners are asked for consent to their stories anew.

    Raises:
        NoSuchIssue: not in this program.
    """
    issue = found(session, issue_id=issue_id, program_id=program_id)
    names = ("kind", "language", "texts", "blocks", "segment", "in_archive")
    return _begun(session, program_id, {name: getattr(issue, name) for name in names}, actor=actor, now=now)


def _begun(
    session: Session, program_id: UUID, values: Mapping[str, Any], *, actor: Actor, now: datetime
) -> NewsletterIssue:
    issue = NewsletterIssue(id=ids.new_at(now), program_id=program_id, status=IssueStatus.DRAFT, **values)
    issue.created_by_id, issue.created_at, issue.updated_at = _person(actor), now, now
    session.add(issue)
    session.flush()
    write_audit(session, issue, "newsletter.create", actor=actor, now=now)
    return issue


def draft_of(issue: NewsletterIssue) -> Draft:
    """The words of an issue."""
    return content.read(language=issue.language, texts=issue.texts, blocks=issue.blocks)


def subject_for(issue: NewsletterIssue, wanted: str, values: Mapping[str, str]) -> str:
    """The subject as a reader of this language gets it, with these values of its fields."""
    draft = draft_of(issue)
    parts = content.split(draft.envelope(content.language_for(draft, wanted), "subject"))
    return "".join(values.get(part, "") if at % 2 else part for at, part in enumerate(parts))


def save(
    session: Session, *, issue_id: UUID, program_id: UUID, draft: Draft, segment: Segment, kind: IssueKind,
    in_archive: bool, seen_version: int, now: datetime,
) -> None:  # fmt: skip
    """Store a draft, unless somebody stored another one since the person read it. Why an earlier one did not leave is forgotten.

    Raises:
        NoSuchIssue: not in this program. IssueMoved: somebody was faster, or it is no draft any more.
    """
    values: dict[str, Any] = {
        "texts": dict(draft.texts), "blocks": [block.document() for block in draft.blocks], "language": draft.language,
        "segment": segment.document(), "kind": kind, "in_archive": in_archive,
        "trouble": None,  # it was said of other words
    }  # fmt: skip
    seen = NewsletterIssue.version == seen_version
    values |= {"version": seen_version + 1, "updated_at": now}
    _move(session, issue_id, program_id, (IssueStatus.DRAFT,), values, seen)


def shown(draft: Draft, consents: Mapping[tuple[str, str], StoryConsent]) -> Draft:
    """The draft without stories that lack their partner's consent to exactly these words."""

    def is_fine(block: Block) -> bool:
        if block.kind is not BlockKind.STORY:
            return True
        consent = consents.get((block.partner_id, content.fingerprint(block)))
        return consent is not None and consent.status is ConsentStatus.GIVEN

    return Draft(draft.language, draft.texts, [block for block in draft.blocks if is_fine(block)])


def is_empty(session: Session, issue: NewsletterIssue) -> bool:
    """Whether its readers would find nothing in an issue: each of its blocks is a story without consent."""
    return not shown(draft_of(issue), queries.consents(session, issue_id=issue.id)).blocks


def lacks_choice(session: Session, issue: NewsletterIssue) -> bool:
    """Whether the saved choice that an issue goes to was deleted."""
    segment = segments.read(issue.segment)
    return audiences.lacks_choice(session, program_id=issue.program_id, segment=segment)


def schedule(
    session: Session, *, issue_id: UUID, program_id: UUID, send_at: datetime | None, send_wall: datetime | None,
    keeps_quiet_hours: bool, seen_version: int, actor: Actor, now: datetime,
) -> NewsletterIssue:  # fmt: skip
    """Order the sending: at an instant, at a wall clock (naive) of each reader, or, with neither, in ten minutes.

    Raises:
        NoSuchIssue, IssueMoved: as above. NotReady: a text, a consent or a reader is missing, or the time is over.
    """
    issue = found(session, issue_id=issue_id, program_id=program_id)
    wrong = _keeps_from_sending(session, issue, send_at=send_at, send_wall=send_wall, now=now)
    if wrong:
        raise NotReady({"schedule": wrong})
    values = {
        "status": IssueStatus.SCHEDULED, "send_at": send_at, "keeps_quiet_hours": keeps_quiet_hours, "updated_at": now,
        "send_wall": send_wall.isoformat(timespec="minutes") if send_wall else None, "scheduled_by_id": _person(actor),
        "release_at": timing.release_at(send_at=send_at, send_wall=send_wall, now=now), "trouble": None,
    }  # fmt: skip
    seen = NewsletterIssue.version == seen_version
    return _moved(session, issue, "newsletter.schedule", (IssueStatus.DRAFT,), values, seen, actor=actor, now=now)


def undo(session: Session, *, issue_id: UUID, program_id: UUID, actor: Actor, now: datetime) -> None:
    """Take a sending back: a draft again, as long as the first mail has not left.

    Raises:
        NoSuchIssue, IssueMoved: as above.
    """
    issue = found(session, issue_id=issue_id, program_id=program_id)
    values = {"status": IssueStatus.DRAFT, "release_at": None, "send_at": None, "send_wall": None, "updated_at": now}
    _moved(session, issue, "newsletter.undo", (IssueStatus.SCHEDULED,), values, actor=actor, now=now)


def stop(session: Session, *, issue_id: UUID, program_id: UUID, actor: Actor, now: datetime) -> None:
    """Let no more mails of an issue leave, until `resume`.

    Raises:
        NoSuchIssue, IssueMoved: as above.
    """
    issue = found(session, issue_id=issue_id, program_id=program_id)
    values = {"status": IssueStatus.STOPPED, "updated_at": now}
    _moved(session, issue, "newsletter.stop", (IssueStatus.SENDING,), values, actor=actor, now=now)


def resume(session: Session, *, issue_id: UUID, program_id: UUID, actor: Actor, now: datetime) -> None:
    """Let the mails of a stopped issue leave again.

    Raises:
        NoSuchIssue, IssueMoved: as above, or the saved choice of its readers was deleted before all were written down.
    """
    issue = found(session, issue_id=issue_id, program_id=program_id)
    if issue.released_at is None and lacks_choice(session, issue):
        raise IssueMoved(CHOICE_DELETED)
    values = {"status": IssueStatus.SENDING, "held_until": None, "holds": 0, "trouble": None, "updated_at": now}
    _moved(session, issue, "newsletter.resume", (IssueStatus.STOPPED,), values, actor=actor, now=now)


def ask_consent(
    session: Session, *, issue_id: UUID, program: Program, block_id: str, actor: Actor, now: datetime
) -> None:
    """Ask the partner of a story whether it may be told in these words; its people get a letter.

    Raises:
        NoSuchIssue: no such story. NotReady: it has no words or no partner yet.
    """
    issue = found(session, issue_id=issue_id, program_id=program.id)
    draft = draft_of(issue)
    block = next((each for each in draft.blocks if each.id == block_id and each.kind is BlockKind.STORY), None)
    if block is None:
        raise NoSuchIssue("There is no such story.")
    if not block.partner_id or not block.text(draft.language, "body").strip():
        raise NotReady({"consent": [N_("Write the story and name its partner first.")]})
    row = {
        "id": ids.new_at(now), "program_id": program.id, "issue_id": issue.id, "partner_id": UUID(block.partner_id),
        "fingerprint": content.fingerprint(block), "story": dict(block.texts), "status": ConsentStatus.ASKED, "asked_at": now,
    }  # fmt: skip
    if insert_new(session, StoryConsent, [row]):
        from affiliate.newsletters import mails  # the worker that sends reads this module, and needs no Flask

        mails.ask_about_story(session, program=program, partner_id=UUID(block.partner_id), now=now)
        write_audit(session, issue, "newsletter.ask_consent", actor=actor, now=now)


def answer_consent(
    session: Session,
    *,
    consent_id: UUID,
    program_id: UUID,
    partner_id: UUID,
    is_given: bool,
    actor: Actor,
    now: datetime,
) -> None:
    """The partner says yes or no to a story about it; it may change its mind as long as it likes.

    A draft that did not leave because nothing was left in it says so no longer once something is.

    Raises:
        NoSuchIssue: the question is not this partner's.
    """
    status = ConsentStatus.GIVEN if is_given else ConsentStatus.DECLINED
    mine = (
        StoryConsent.id == consent_id, StoryConsent.program_id == program_id, StoryConsent.partner_id == partner_id,
    )  # fmt: skip
    values = {"status": status, "answered_at": now, "answered_by_id": _person(actor)}
    answered = sa.update(StoryConsent).where(*mine).values(values).returning(StoryConsent.issue_id)
    issue_id = session.scalar(answered.execution_options(synchronize_session=False))
    if issue_id is None:
        raise NoSuchIssue("There is no such question.")
    issue = found(session, issue_id=issue_id, program_id=program_id)
    is_held_empty = issue.status is IssueStatus.DRAFT and issue.trouble == NOTHING_TO_SAY
    if is_given and is_held_empty and not is_empty(session, issue):
        issue.trouble = None
    action = "newsletter.give_consent" if is_given else "newsletter.decline_consent"
    write_audit(session, issue, action, actor=actor, now=now)


def found(session: Session, *, issue_id: UUID, program_id: UUID) -> NewsletterIssue:
    """An issue of the program.

    Raises:
        NoSuchIssue: there is none.
    """
    issue = queries.issue_in(session, issue_id=issue_id, program_id=program_id)
    if issue is None:
        raise NoSuchIssue("There is no such newsletter.")
    return issue


def _keeps_from_sending(
    session: Session, issue: NewsletterIssue, *, send_at: datetime | None, send_wall: datetime | None, now: datetime
) -> list[str]:
    draft = draft_of(issue)
    wrong = []
    program = session.get_one(Program, issue.program_id)
    if content.problems(draft, allowed_hosts=program.allowed_hosts):
        wrong.append(N_("Something in the text must be put right first."))
    if len(shown(draft, queries.consents(session, issue_id=issue.id)).blocks) < len(draft.blocks):
        wrong.append(N_("A story waits for its partner's consent."))
    if lacks_choice(session, issue):
        wrong.append(CHOICE_DELETED)
    if send_at is not None and send_at < now:
        wrong.append(N_("This time is over. Choose a later one."))
    if send_wall is not None and send_wall.replace(tzinfo=now.tzinfo) < now:
        wrong.append(N_("This time is over. Choose a later one."))
    return wrong


def _moved(
    session: Session, issue: NewsletterIssue, action: str, expected: tuple[IssueStatus, ...], values: dict[str, Any],
    *conditions: sa.ColumnElement[bool], actor: Actor, now: datetime,
) -> NewsletterIssue:  # fmt: skip
    _move(session, issue.id, issue.program_id, expected, values, *conditions)
    write_audit(session, issue, action, actor=actor, now=now)
    return found(session, issue_id=issue.id, program_id=issue.program_id)


def _move(
    session: Session, issue_id: UUID, program_id: UUID, expected: tuple[IssueStatus, ...], values: dict[str, Any],
    *conditions: sa.ColumnElement[bool],
) -> None:  # fmt: skip
    here = (NewsletterIssue.id == issue_id, NewsletterIssue.program_id == program_id)
    changed = sa.update(NewsletterIssue).where(*here, NewsletterIssue.status.in_(expected), *conditions).values(values)
    if session.scalar(changed.returning(NewsletterIssue.id).execution_options(synchronize_session=False)) is not None:
        return
    found(session, issue_id=issue_id, program_id=program_id)
    raise IssueMoved(N_("Somebody changed this newsletter meanwhile, or it is under way. Nothing of yours was stored."))


def _person(actor: Actor) -> UUID | None:
    return actor.id if actor.kind == "user" else None


def write_audit(session: Session, issue: NewsletterIssue, action: str, *, actor: Actor, now: datetime) -> None:
    """Keep in the history who did what to an issue."""
    subject = issue.texts.get(issue.language, {}).get("subject", "")
    audit.record(
        session, actor=actor, action=action, subject_kind="newsletter", subject_id=issue.id, program_id=issue.program_id,
        details={"subject": subject}, now=now,
    )  # fmt: skip
