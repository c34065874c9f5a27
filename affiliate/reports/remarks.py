"""Notes on days: what happened, in a few words, so that whoever reads a chart later knows why. Read and written; never commits."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import days, ids
from affiliate.accounts import audit
from affiliate.accounts.actors import Actor
from affiliate.errors import Invalid, NotFound
from affiliate.reports.periods import Period
from affiliate.reports.strengths import Topic
from affiliate.reports.written_models import NAME_LENGTH_MAX, Annotation, Campaign

N_ = str  # marks a sentence for the translators

MARKS_MAX = 50
"""The most marks of one chart or page: the earliest of its days, or the latest."""


class NoSuchNote(NotFound):
    """There is no such note in this program, or it was taken away."""


_NO_TEXT: sa.ColumnElement[str | None] = sa.cast(sa.null(), sa.String)


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that a chart tells of a day: a note, or the name of a campaign that begins. `about` is what a note is the reason for."""

    day: date
    text: str
    is_campaign: bool
    about: Topic | None = None


def marked(session: Session, *, program_id: UUID, period: Period, latest: bool = False) -> list[Mark]:
    """What charts of these days mark, by day: notes, and campaigns that begin; in one trip. Of too many the earliest, or the `latest`."""
    notes = sa.select(Annotation.day.label("day"), Annotation.text.label("text"), sa.literal(0), Annotation.about.label("about")).where(
        Annotation.program_id == program_id, Annotation.removed_at.is_(None), Annotation.day >= period.first,
        Annotation.day < period.end,
    )  # fmt: skip
    begun = sa.select(Campaign.starts_on, Campaign.name, sa.literal(1), _NO_TEXT).where(
        Campaign.program_id == program_id, Campaign.removed_at.is_(None), Campaign.starts_on >= period.first,
        Campaign.starts_on < period.end,
    )  # fmt: skip
    turned = sa.desc if latest else sa.asc
    rows = session.execute(sa.union_all(notes, begun).order_by(turned("day"), turned("text")).limit(MARKS_MAX)).all()
    return [
        Mark(day, text, bool(is_campaign), Topic(about) if about in set(Topic) else None)
        for day, text, is_campaign, about in (reversed(rows) if latest else rows)
    ]


def note(
    session: Session, *, program_id: UUID, day: date, text: str, actor: Actor, now: datetime, about: Topic | None = None
) -> Annotation:
    """Write a note on a day; `about` is the figure whose change it explains.

    Raises:
        Invalid: without words, too long, or on a day that is none of ours.
    """
    text = " ".join(text.split())
    wrong = {} if days.is_ours(day) else {"day": [N_("Choose a day.")]}
    if not 0 < len(text) <= NAME_LENGTH_MAX:
        wrong["text"] = [N_("Write a few words, 120 letters at most.")]
    if wrong:
        raise Invalid(wrong)
    found = Annotation(
        id=ids.new_at(now), program_id=program_id, day=day, text=text, about=about, created_at=now,
        created_by_id=actor.id if actor.kind == "user" else None,
    )  # fmt: skip
    session.add(found)
    session.flush()
    _audit(session, found, "annotation.add", actor=actor, now=now)
    return found


def take_away(session: Session, *, program_id: UUID, note_id: UUID, actor: Actor, now: datetime) -> None:
    """Show a note no longer.

    Raises:
        NoSuchNote: not in this program, or taken away before.
    """
    here = (Annotation.id == note_id, Annotation.program_id == program_id, Annotation.removed_at.is_(None))
    gone = sa.update(Annotation).where(*here).values(removed_at=now).returning(Annotation.id)
    if session.scalar(gone) is None:
        raise NoSuchNote(N_("There is no such note."))
    _audit(session, session.get_one(Annotation, note_id), "annotation.remove", actor=actor, now=now)


def _of(program_id: UUID) -> sa.Select[Annotation]:
    return sa.select(Annotation).where(Annotation.program_id == program_id, Annotation.removed_at.is_(None))


def _audit(session: Session, one: Annotation, action: str, *, actor: Actor, now: datetime) -> None:
    audit.record(
        session, actor=actor, action=action, subject_kind="annotation", subject_id=one.id, program_id=one.program_id,
        details={"day": one.day.isoformat(), "text": one.text}, now=now,
    )  # fmt: skip
