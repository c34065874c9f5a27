"""Every write on creatives: added by managers, proposed by partners, decided, changed, given versions, retired. Never commits."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import files, ids
from affiliate.accounts import audit
from affiliate.accounts.actors import Actor
from affiliate.creatives import feeds, kinds, mails, queries
from affiliate.creatives.facts import Facts, checked
from affiliate.creatives.kinds import BadContent, Content, CreativeKind, Said
from affiliate.creatives.models import Creative, CreativeGroup, CreativeStatus, CreativeVersion
from affiliate.errors import Conflict, Invalid, NotFound
from affiliate.files import File
from affiliate.partners import queries as partners
from affiliate.partners.models import EnrollmentStatus
from affiliate.programs.models import Program

N_ = str  # marks a sentence for the translators

CREATIVES_MAX = 2_000  # of a program
VERSIONS_MAX = 200  # of a creative
PROPOSALS_OPEN_MAX = 10  # of a partner
REASON_LENGTH_MAX = 500
_FEED_TYPE = "application/x-ndjson"


class NoSuchCreative(NotFound):
    """There is no such creative in this program."""


class CreativeMoved(Conflict):
    """The creative is not where the act expects it: somebody was faster."""

    code = "creative_moved"


class TooMany(Conflict):
    """There are as many creatives, versions or open proposals as there may be."""

    code = "too_many_creatives"


def add(
    session: Session, *, program: Program, kind: CreativeKind, facts: Facts, said: Said, actor: Actor, now: datetime
) -> tuple[Creative, Sequence[feeds.Refused]]:
    """A new creative of the program, offered from its start on; and the rows of a feed that were left out.

    Raises:
        Invalid: a field or the content is wrong. TooMany: the library is full.
    """
    return _add(session, program, kind, facts, said, actor=actor, now=now)


def propose(
    session: Session, *, program: Program, partner_id: UUID, kind: CreativeKind, facts: Facts, said: Said,
    actor: Actor, now: datetime,
) -> Creative:  # fmt: skip
    """A partner's own material, which waits for a manager.

    Raises:
        Invalid: as above, or a kind that partners do not propose. TooMany: too many proposals wait, or the library is full.
    """
    if kind not in kinds.PROPOSED:
        raise Invalid({"kind": [N_("Choose one of the kinds.")]})
    enrollment = partners.enrollment_of(session, program_id=program.id, partner_id=partner_id)
    if enrollment is None or enrollment.status is not EnrollmentStatus.APPROVED:
        raise Invalid({"title": [N_("Your membership is paused.")]})
    if queries.proposal_count(session, program_id=program.id, partner_id=partner_id) >= PROPOSALS_OPEN_MAX:
        raise TooMany(N_("Ten of your proposals wait for the program already. Wait for its answer."))
    return _add(session, program, kind, facts, said, actor=actor, now=now, partner_id=partner_id)[0]


def _add(
    session: Session, program: Program, kind: CreativeKind, facts: Facts, said: Said, *, actor: Actor, now: datetime,
    partner_id: UUID | None = None,
) -> tuple[Creative, Sequence[feeds.Refused]]:  # fmt: skip
    values = checked(facts, allowed_hosts=program.allowed_hosts, now=now)
    content, refused = _checked_content(kind, said, program)
    if queries.creative_count(session, program_id=program.id) >= CREATIVES_MAX:
        raise TooMany(N_("The library holds 2,000 creatives, which is its limit."))
    status = CreativeStatus.LIVE if partner_id is None else CreativeStatus.PROPOSED
    creative = Creative(id=ids.new_at(now), program_id=program.id, kind=kind, status=status, **values)
    creative.proposed_by_id = creative.only_partner_id = partner_id
    creative.created_by_id, creative.created_at, creative.updated_at = _person(actor), now, now
    session.add(creative)
    session.flush()
    _set_groups(session, creative.id, facts.group_names)
    _store(session, creative.id, 1, content, actor=actor, now=now)
    _audit(session, creative, "creative.add" if partner_id is None else "creative.propose", actor=actor, now=now)
    return creative, refused


def add_version(
    session: Session, *, program: Program, creative_id: UUID, said: Said, actor: Actor, now: datetime
) -> Sequence[feeds.Refused]:
    """Another version, offered from now on wherever the creative stands; gives the rows of a feed that were left out.

    A banner keeps its size: it stands on pages that made room for it.

    Raises:
        NoSuchCreative: not here. Invalid: the content is wrong. TooMany: it has had 200 versions. CreativeMoved: somebody was faster.
    """
    creative, present = _found(session, program.id, creative_id)
    content, refused = _checked_content(creative.kind, said, program)
    if creative.kind is CreativeKind.BANNER and (content.width, content.height) != (present.width, present.height):
        raise Invalid({"file": [N_("A new version has the size of the old one. Add another size as a creative of its own.")]})  # fmt: skip
    number = creative.version + 1
    if number > VERSIONS_MAX:
        raise TooMany(N_("This creative has had 200 versions. Make a new one."))
    _move(session, creative_id, Creative.version == creative.version, version=number, updated_at=now)
    _store(session, creative_id, number, content, actor=actor, now=now)
    _audit(session, creative, "creative.version", actor=actor, now=now)
    return refused


def change(session: Session, *, program: Program, creative_id: UUID, facts: Facts, actor: Actor, now: datetime) -> None:
    """Another title, campaign, language, page, groups, start or end. An end that is taken away is a retirement taken back.

    Raises:
        NoSuchCreative: not here. Invalid: a field is wrong.
    """
    creative, _version = _found(session, program.id, creative_id)
    values = checked(facts, allowed_hosts=program.allowed_hosts, now=now)
    if facts.starts_at is None:
        values["starts_at"] = creative.starts_at
    if facts.ends_at is None:
        values["end_note"] = ""
    _move(session, creative_id, Creative.program_id == program.id, **values, updated_at=now)
    session.execute(sa.delete(CreativeGroup).where(CreativeGroup.creative_id == creative_id))
    _set_groups(session, creative_id, facts.group_names)
    _audit(session, creative, "creative.change", actor=actor, now=now)


def approve(
    session: Session, *, program: Program, creative_id: UUID, for_all: bool, actor: Actor, now: datetime
) -> None:
    """Offer what a partner proposed: to it alone, or to everybody. Its people are told by mail.

    Raises:
        NoSuchCreative: not here. CreativeMoved: it was decided already.
    """
    values: dict[str, Any] = {"status": CreativeStatus.LIVE, "starts_at": now}
    if for_all:
        values["only_partner_id"] = None
    creative = _decide(session, program, creative_id, values, actor=actor, now=now)
    _audit(session, creative, "creative.approve", actor=actor, now=now)
    mails.tell_approved(session, creative=creative, program=program, now=now)


def refuse(session: Session, *, program: Program, creative_id: UUID, reason: str, actor: Actor, now: datetime) -> None:
    """Say no to a proposal, with the reason. The partner's people are told by mail.

    Raises:
        Invalid: no reason. NoSuchCreative, CreativeMoved: as above.
    """
    values = {"status": CreativeStatus.REFUSED, "reason": _checked_reason(reason)}
    creative = _decide(session, program, creative_id, values, actor=actor, now=now)
    _audit(session, creative, "creative.refuse", actor=actor, now=now)
    mails.tell_refused(session, creative=creative, program=program, now=now)


def retire(
    session: Session, *, program: Program, creative_id: UUID, ends_at: datetime, note: str, tell: Sequence[UUID],
    actor: Actor, now: datetime,
) -> None:  # fmt: skip
    """Offer it until `ends_at` only, and tell the partners in `tell`, who use it, by mail: what to put in its place is in the note.

    Raises:
        NoSuchCreative: not here. Invalid: the end is over, or the note too long. CreativeMoved: it is not offered, or has ended.
    """
    _check_may_end(_found(session, program.id, creative_id)[0], now)
    if ends_at < now:
        raise Invalid({"ends_at": [N_("This moment is over.")]})
    if len(note.strip()) > REASON_LENGTH_MAX:
        raise Invalid({"note": [N_("This text is too long.")]})
    lasts = sa.or_(Creative.ends_at.is_(None), Creative.ends_at > now)
    live = sa.and_(Creative.program_id == program.id, Creative.status == CreativeStatus.LIVE, lasts)
    values = {"ends_at": ends_at, "told_end_at": ends_at, "end_note": note.strip()}
    _move(session, creative_id, live, **values, updated_at=now)
    creative, _version = _found(session, program.id, creative_id)
    _audit(session, creative, "creative.retire", actor=actor, now=now)
    mails.tell_retired(session, creative=creative, program=program, partner_ids=tell, now=now)


def tell_end(session: Session, *, creative: Creative, tell: Sequence[UUID], now: datetime) -> bool:
    """Tell the partners in `tell`, who use it, of the end it was given; false where they were told already, or the end is another by now.

    The mails and the note that they were written are one transaction: of two at once one writes, and one that dies wrote nothing.
    """
    seen = (Creative.id == creative.id, Creative.ends_at == creative.ends_at, queries.is_end_untold())
    told = sa.update(Creative).where(*seen).values(told_end_at=Creative.ends_at).returning(Creative.id)
    if session.scalar(told.execution_options(synchronize_session=False)) is None:
        return False
    program = session.get_one(Program, creative.program_id)
    mails.tell_retired(session, creative=creative, program=program, partner_ids=tell, now=now)
    return True


def _decide(
    session: Session, program: Program, creative_id: UUID, values: dict[str, Any], *, actor: Actor, now: datetime
) -> Creative:
    _found(session, program.id, creative_id)
    waiting = sa.and_(Creative.program_id == program.id, Creative.status == CreativeStatus.PROPOSED)
    decided = {"decided_at": now, "decided_by_id": _person(actor), "updated_at": now}
    _move(session, creative_id, waiting, **values, **decided)
    return _found(session, program.id, creative_id)[0]


def _found(session: Session, program_id: UUID, creative_id: UUID) -> queries.Shown:
    found = queries.creative_in(session, program_id=program_id, creative_id=creative_id)
    if found is None:
        raise NoSuchCreative(N_("There is no such creative."))
    return found


def _move(session: Session, creative_id: UUID, expected: sa.ColumnElement[bool], **values: Any) -> None:
    moved = sa.update(Creative).where(Creative.id == creative_id, expected).values(**values).returning(Creative.id)
    if session.scalar(moved) is None:
        raise CreativeMoved(N_("Somebody else has decided or changed it in between. Nothing was changed."))


def _check_may_end(creative: Creative, now: datetime) -> None:
    if creative.status is CreativeStatus.PROPOSED:
        raise CreativeMoved(N_("It waits for your answer: there is nothing to end yet."))
    if creative.status is CreativeStatus.REFUSED:
        raise CreativeMoved(N_("It was refused: there is nothing to end."))
    if creative.ends_at is not None and creative.ends_at <= now:
        raise CreativeMoved(N_("It has ended already."))


def _checked_content(kind: CreativeKind, said: Said, program: Program) -> tuple[Content, Sequence[feeds.Refused]]:
    if kind is CreativeKind.FEED and said.upload is not None:
        try:
            reading = feeds.read(said.upload.content, name=said.upload.name, allowed_hosts=program.allowed_hosts)
        except feeds.BadFeed as error:
            raise Invalid({"file": [str(error)]}) from error
        kept = feeds.stored(reading.products)
        name, count = kinds.file_name(said.upload.name), len(reading.products)
        return Content(file_name=name, media_type=_FEED_TYPE, content=kept, item_count=count), reading.refused
    try:
        return kinds.checked(kind, said), ()
    except BadContent as error:
        raise Invalid({part: [sentence] for part, sentence in error.problems.items()}) from error


def _checked_reason(reason: str) -> str:
    if not 0 < len(reason.strip()) <= REASON_LENGTH_MAX:
        raise Invalid({"reason": [N_("Say why, in up to 500 characters.")]})
    return reason.strip()


def _store(session: Session, creative_id: UUID, number: int, content: Content, *, actor: Actor, now: datetime) -> None:
    file_id = None
    if content.content is not None:
        file_id = files.keep(session, File(content.file_name, content.media_type, content.content), now=now)
    version = CreativeVersion(id=ids.new_at(now), creative_id=creative_id, version=number, file_id=file_id)
    version.subject, version.body, version.alt, version.address = content.subject, content.body, content.alt, content.address  # fmt: skip
    version.width, version.height, version.item_count = content.width, content.height, content.item_count
    version.created_by_id, version.created_at = _person(actor), now
    session.add(version)
    session.flush()


def _set_groups(session: Session, creative_id: UUID, names: Sequence[str]) -> None:
    session.add_all(CreativeGroup(creative_id=creative_id, group_name=name) for name in names)
    session.flush()


def _person(actor: Actor) -> UUID | None:
    return actor.id if actor.kind == "user" else None


def _audit(session: Session, creative: Creative, action: str, *, actor: Actor, now: datetime) -> None:
    audit.record(
        session, actor=actor, action=action, subject_kind="creative", subject_id=creative.id,
        program_id=creative.program_id, details={"name": creative.title, "kind": creative.kind.value}, now=now,
    )  # fmt: skip
