"""Every write on what is kept about partners: who leads them, their trial, tags, notes, saved choices. Never commits."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import days, db, ids
from affiliate.accounts import audit
from affiliate.accounts.actors import Actor
from affiliate.errors import Conflict, Invalid, NotFound
from affiliate.relations import care_queries, leading
from affiliate.relations.care_models import TAG_LENGTH_MAX, PartnerCare, PartnerNote, PartnerSegment, PartnerTag

N_ = str  # marks a sentence for the translators

NOTE_LENGTH_MAX = 4_000
SCOPE_LENGTH_MAX = 500
NAME_LENGTH_MAX = 60
TRIAL_ORDERS_MAX = 100_000
PARTNERS_AT_ONCE = 1_000


class NotOnTrial(Conflict):
    """The partner is not on trial (any more)."""

    code = "not_on_trial"


class NameTaken(Conflict):
    """A choice with this name exists."""

    code = "name_taken"


@dataclass(frozen=True, slots=True)
class TrialTerms:
    """What is agreed for a trial: its days (half-open), what it is about, orders to graduate, orders at most (zero: no limit)."""

    scope: str
    starts_on: date
    ends_on: date
    orders_min: int
    orders_max: int


def set_leads(
    session: Session, *, program_id: UUID, partner_id: UUID, lead_id: UUID | None, deputy_id: UUID | None, actor: Actor,
    now: datetime,
) -> None:  # fmt: skip
    """Say who looks after a partner, and who stands in.

    Raises:
        Invalid: the two are one person, somebody is no manager here, or a newcomer would lead.
    """
    people = {one.user_id: one.since for one in care_queries.managers(session, program_id=program_id)}
    wrong: dict[str, list[str]] = {}
    for field, person in (("lead", lead_id), ("deputy", deputy_id)):
        if person is not None and person not in people:
            wrong[field] = [N_("Choose somebody who manages this program.")]
    if lead_id is not None and lead_id == deputy_id:
        wrong["deputy"] = [N_("Lead and deputy are two people.")]
    if lead_id in leading.newcomers(people, now=now):
        wrong["lead"] = [N_("Who is new leads after 90 days. Until then this person can be the deputy.")]
    if wrong:
        raise Invalid(wrong)
    _keep(session, program_id, partner_id, {"lead_id": lead_id, "deputy_id": deputy_id}, now=now)
    named = {"lead_id": lead_id, "deputy_id": deputy_id}
    _audit(session, "partner.leads", program_id, partner_id, actor=actor, now=now, **named)


def start_trial(
    session: Session, *, program_id: UUID, partner_id: UUID, terms: TrialTerms, actor: Actor, now: datetime
) -> None:
    """Begin a trial, or change the one that runs.

    Raises:
        Invalid: names each wrong field.
    """
    wrong: dict[str, list[str]] = {}
    if terms.ends_on <= terms.starts_on:
        wrong["ends_on"] = [N_("The period ends before it begins. Choose a later end.")]
    for name, day in (("starts_on", terms.starts_on), ("ends_on", terms.ends_on)):
        if not days.is_ours(day):
            wrong[name] = [N_("Choose a day.")]
    if not 1 <= terms.orders_min <= TRIAL_ORDERS_MAX:
        wrong["orders_min"] = [N_("Choose from 1 to 100,000 orders.")]
    if terms.orders_max and not terms.orders_min <= terms.orders_max <= TRIAL_ORDERS_MAX:
        wrong["orders_max"] = [N_("The limit lies below what is needed to graduate.")]
    if wrong:
        raise Invalid(wrong)
    values = {
        "trial_scope": terms.scope.strip()[:SCOPE_LENGTH_MAX], "trial_starts_on": terms.starts_on,
        "trial_ends_on": terms.ends_on, "trial_orders_min": terms.orders_min, "trial_orders_max": terms.orders_max,
        "graduated_at": None,
    }  # fmt: skip
    _keep(session, program_id, partner_id, values, now=now)
    told = {"ends_on": terms.ends_on.isoformat(), "orders_min": terms.orders_min, "orders_max": terms.orders_max}
    _audit(session, "partner.trial", program_id, partner_id, actor=actor, now=now, **told)


def graduate(session: Session, *, program_id: UUID, partner_id: UUID, actor: Actor, now: datetime) -> None:
    """End the trial: the partner has the full scope.

    Raises:
        NotOnTrial: there is none, or somebody was faster.
    """
    _end_trial(session, program_id, partner_id, graduated_at=now, now=now)
    _audit(session, "partner.graduate", program_id, partner_id, actor=actor, now=now)


def end_trial(
    session: Session, *, program_id: UUID, partner_id: UUID, reason: str, actor: Actor, now: datetime
) -> None:
    """End the trial without graduation: the partner stays, and nobody waits for it to pass any more.

    Raises:
        Invalid: no reason is given. NotOnTrial: there is none, or somebody was faster.
    """
    said = " ".join(reason.split())[:SCOPE_LENGTH_MAX]
    if not said:
        raise Invalid({"reason": [N_("Write a reason first: the history keeps it.")]})
    _end_trial(session, program_id, partner_id, graduated_at=None, now=now)
    _audit(session, "partner.end_trial", program_id, partner_id, actor=actor, now=now, reason=said)


def _end_trial(
    session: Session, program_id: UUID, partner_id: UUID, *, graduated_at: datetime | None, now: datetime
) -> None:
    here = (PartnerCare.program_id == program_id, PartnerCare.partner_id == partner_id)
    running = PartnerCare.trial_ends_on.is_not(None)
    values = {"trial_starts_on": None, "trial_ends_on": None, "graduated_at": graduated_at, "updated_at": now}
    change = sa.update(PartnerCare).where(*here, running).values(values).returning(PartnerCare.partner_id)
    if session.scalar(change) is None:
        raise NotOnTrial(N_("This partner is not on trial any more."))


def note(session: Session, *, program_id: UUID, partner_id: UUID, text: str, actor: Actor, now: datetime) -> None:
    """Keep a note about a partner, for the program's people only.

    Raises:
        Invalid: nothing, or too much.
    """
    text = text.replace("\r\n", "\n").strip()
    if not 0 < len(text) <= NOTE_LENGTH_MAX:
        raise Invalid({"text": [N_("Write something, in up to 4,000 characters.")]})
    by_id = actor.id if actor.kind == "user" else None
    session.add(
        PartnerNote(
            id=ids.new_at(now), program_id=program_id, partner_id=partner_id, text=text, by_id=by_id, noted_at=now
        )
    )
    session.flush()
    _audit(session, "partner.note", program_id, partner_id, actor=actor, now=now)


def clean_tag(text: str) -> str:
    """A tag as it is stored: one line, small letters."""
    return " ".join(text.split()).lower()[:TAG_LENGTH_MAX]


def tag(
    session: Session, *, program_id: UUID, partner_ids: Collection[UUID], text: str, actor: Actor, now: datetime
) -> int:
    """Put a tag on partners of the program; gives on how many that had it not.

    Raises:
        Invalid: the tag is empty, or these are too many at once.
    """
    word = _word(text, partner_ids)
    here = care_queries.enrolled_among(session, program_id=program_id, partner_ids=partner_ids)
    rows = [{"program_id": program_id, "partner_id": one, "tag": word} for one in here]
    put = db.insert_new(session, PartnerTag, rows, returning=PartnerTag.partner_id)
    _audit_all(session, "partner.tag", program_id, put, word, actor=actor, now=now)
    return len(put)


def untag(
    session: Session, *, program_id: UUID, partner_ids: Collection[UUID], text: str, actor: Actor, now: datetime
) -> int:
    """Take a tag off partners; gives off how many.

    Raises:
        Invalid: as above.
    """
    word = _word(text, partner_ids)
    mine = (PartnerTag.program_id == program_id, PartnerTag.tag == word, PartnerTag.partner_id.in_(partner_ids))
    gone = list(session.scalars(sa.delete(PartnerTag).where(*mine).returning(PartnerTag.partner_id)))
    _audit_all(session, "partner.untag", program_id, gone, word, actor=actor, now=now)
    return len(gone)


def save_segment(
    session: Session, *, program_id: UUID, name: str, filters: Mapping[str, Any], actor: Actor, now: datetime
) -> None:
    """Keep a choice of partners under a name.

    Raises:
        Invalid: it has no name or chooses nothing. NameTaken: there is one of this name, or fifty in all.
    """
    name = " ".join(name.split())[:NAME_LENGTH_MAX]
    if not name:
        raise Invalid({"name": [N_("Write a name.")]})
    if not filters:
        raise Invalid({"name": [N_("Choose partners by a filter first.")]})
    row = {"id": ids.new_at(now), "program_id": program_id, "name": name, "filters": dict(filters), "created_at": now}
    row["created_by_id"] = actor.id if actor.kind == "user" else None
    full = len(care_queries.segments(session, program_id=program_id)) >= care_queries.SEGMENTS_MAX
    if full or not db.insert_new(session, PartnerSegment, [row]):
        raise NameTaken(N_("There is a saved choice of this name, or there are fifty. Delete one first."))


def delete_segment(session: Session, *, program_id: UUID, segment_id: UUID) -> None:
    """Forget a saved choice; the partners stay as they are.

    Raises:
        NotFound: it is gone already.
    """
    mine = (PartnerSegment.id == segment_id, PartnerSegment.program_id == program_id)
    if session.scalar(sa.delete(PartnerSegment).where(*mine).returning(PartnerSegment.id)) is None:
        raise NotFound(N_("There is no such choice any more."))


def _word(text: str, partner_ids: Collection[UUID]) -> str:
    word = clean_tag(text)
    if not word:
        raise Invalid({"tag": [N_("Write a tag.")]})
    if not 0 < len(partner_ids) <= PARTNERS_AT_ONCE:
        raise Invalid({"partner": [N_("Choose from 1 to 1,000 partners.")]})
    return word


def _keep(session: Session, program_id: UUID, partner_id: UUID, values: Mapping[str, Any], *, now: datetime) -> None:
    key = {"program_id": program_id, "partner_id": partner_id}
    db.insert_new(
        session,
        PartnerCare,
        [key | {"trial_scope": "", "trial_orders_min": 0, "trial_orders_max": 0, "updated_at": now}],
    )
    here = (PartnerCare.program_id == program_id, PartnerCare.partner_id == partner_id)
    change = sa.update(PartnerCare).where(*here).values(**values, updated_at=now)
    session.execute(change, execution_options={"synchronize_session": False})


def _audit_all(
    session: Session, action: str, program_id: UUID, partner_ids: Collection[UUID], word: str, *, actor: Actor, now: datetime
) -> None:  # fmt: skip
    for partner_id in partner_ids:
        _audit(session, action, program_id, partner_id, actor=actor, now=now, tag=word)


def _audit(
    session: Session, action: str, program_id: UUID, partner_id: UUID, *, actor: Actor, now: datetime, **details: Any
) -> None:
    told = {name: str(value) if isinstance(value, UUID) else value for name, value in details.items()}
    audit.record(
        session, actor=actor, action=action, subject_kind="partner", subject_id=partner_id, program_id=program_id,
        details=told, now=now,
    )  # fmt: skip
