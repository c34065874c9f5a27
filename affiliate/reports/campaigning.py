"""Every write on campaigns: begun, changed, removed, all audited. Never commits."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import days, ids
from affiliate.accounts import audit
from affiliate.accounts.actors import Actor
from affiliate.errors import Conflict, Invalid, NotFound
from affiliate.money import AMOUNT_MINOR_MAX
from affiliate.reports import campaign_queries, lift
from affiliate.reports.campaign_facts import Parts
from affiliate.reports.written_models import NAME_LENGTH_MAX, TEXT_LENGTH_MAX, Campaign, CampaignPart, PartKind

N_ = str  # marks a sentence for the translators

PARTS_MAX = 200
_NEEDED = N_("This is needed.")


class NoSuchCampaign(NotFound):
    """There is no such campaign in this program, or it was removed."""


class ChangedMeanwhile(Conflict):
    """Somebody else has changed the campaign since it was read."""

    code = "changed_meanwhile"


@dataclass(frozen=True, slots=True)
class Draft:
    """A campaign as it is to be: its days are half-open, what it costs in minor units of the program's currency."""

    name: str
    note: str
    starts_on: date
    ends_on: date
    cost_minor: int
    parts: Parts


def check(draft: Draft) -> None:
    """Whether a campaign can be so.

    Raises:
        Invalid: names each wrong field.
    """
    wrong: dict[str, str] = {}
    if not 0 < len(draft.name.strip()) <= NAME_LENGTH_MAX:
        wrong["name"] = _NEEDED if not draft.name.strip() else N_("This is too long.")
    if len(draft.note) > TEXT_LENGTH_MAX:
        wrong["note"] = N_("This is too long.")
    if not (days.is_ours(draft.starts_on) and days.is_ours(draft.ends_on)):
        wrong["starts_on"] = N_("Choose a day.")
    elif not 0 < (draft.ends_on - draft.starts_on).days <= lift.DAYS_MAX:
        wrong["ends_on"] = N_("The last day is not before the first, and at most 120 days are counted.")
    if not 0 <= draft.cost_minor <= AMOUNT_MINOR_MAX:
        wrong["cost"] = N_("Write an amount of zero or more.")
    if wrong:
        raise Invalid({field: [sentence] for field, sentence in wrong.items()})


def begin(session: Session, *, program_id: UUID, currency: str, draft: Draft, actor: Actor, now: datetime) -> Campaign:
    """Write down a campaign.

    Raises:
        Invalid: names each wrong field.
    """
    check(draft)
    campaign = Campaign(
        id=ids.new_at(now), program_id=program_id, currency=currency, created_at=now, updated_at=now,
        created_by_id=actor.id if actor.kind == "user" else None, **_values(draft),
    )  # fmt: skip
    session.add(campaign)
    session.flush()
    _keep_parts(session, campaign.id, draft.parts)
    _audit(session, campaign, "campaign.begin", actor=actor, now=now)
    return campaign


def change(
    session: Session, *, program_id: UUID, campaign_id: UUID, draft: Draft, seen_at: datetime | None, actor: Actor,
    now: datetime,
) -> Campaign:  # fmt: skip
    """Change a campaign as it was read at `seen_at`.

    Raises:
        NoSuchCampaign: there is none.
        Invalid: names each wrong field.
        ChangedMeanwhile: somebody else was faster.
    """
    check(draft)
    campaign = _one(session, program_id, campaign_id)
    still = (Campaign.id == campaign_id, Campaign.updated_at == seen_at, Campaign.removed_at.is_(None))
    changed = sa.update(Campaign).where(*still).values(updated_at=now, **_values(draft)).returning(Campaign.id)
    if session.scalar(changed) is None:
        raise ChangedMeanwhile(N_("Somebody has changed this campaign meanwhile. Read it again first."))
    session.execute(sa.delete(CampaignPart).where(CampaignPart.campaign_id == campaign_id))
    _keep_parts(session, campaign_id, draft.parts)
    session.refresh(campaign)
    _audit(session, campaign, "campaign.change", actor=actor, now=now)
    return campaign


def remove(session: Session, *, program_id: UUID, campaign_id: UUID, actor: Actor, now: datetime) -> str:
    """Count a campaign no longer; gives its name.

    Raises:
        NoSuchCampaign: there is none, or it was removed before.
    """
    campaign = _one(session, program_id, campaign_id)
    gone = sa.update(Campaign).where(Campaign.id == campaign_id, Campaign.removed_at.is_(None)).values(removed_at=now)
    if session.scalar(gone.returning(Campaign.id)) is None:
        raise NoSuchCampaign(N_("There is no such campaign."))
    _audit(session, campaign, "campaign.remove", actor=actor, now=now)
    return campaign.name


def parts_called(session: Session, *, program_id: UUID, typed: Mapping[PartKind, list[str]]) -> Parts:
    """What the lines that were typed mean: each a name, a code or a title of something of the program.

    Raises:
        Invalid: names, by the kind's value, each line that means nothing, or several things.
    """
    wrong: dict[str, list[str]] = {}
    found: dict[PartKind, frozenset[UUID]] = {}
    for kind, lines in typed.items():
        if len(lines) > PARTS_MAX:
            wrong[kind.value] = [N_("That is more than 200 lines.")]
            continue
        called = campaign_queries.things_called(session, program_id=program_id, kind=kind, names=lines)
        found[kind] = frozenset(things[0] for things in called.values() if len(things) == 1)
        bad = [line for line in lines if len(called[line.lower()]) != 1]
        if bad:
            wrong[kind.value] = [N_("Not found, or not the only one of this name:"), *bad[:5]]
    if wrong:
        raise Invalid(wrong)
    empty: frozenset[UUID] = frozenset()
    return Parts(*(found.get(kind, empty) for kind in PartKind))


def _one(session: Session, program_id: UUID, campaign_id: UUID) -> Campaign:
    found = campaign_queries.campaign(session, program_id=program_id, campaign_id=campaign_id)
    if found is None:
        raise NoSuchCampaign(N_("There is no such campaign."))
    return found


def _values(draft: Draft) -> dict[str, Any]:
    return {
        "name": draft.name.strip(), "note": draft.note.strip(), "starts_on": draft.starts_on, "ends_on": draft.ends_on,
        "cost_minor": draft.cost_minor,
    }  # fmt: skip


def _keep_parts(session: Session, campaign_id: UUID, parts: Parts) -> None:
    kinds = zip(PartKind, (parts.partners, parts.links, parts.coupons, parts.creatives), strict=True)
    rows = [
        {"campaign_id": campaign_id, "kind": kind, "thing_id": thing} for kind, things in kinds for thing in sorted(things)
    ]  # fmt: skip
    if rows:
        session.execute(sa.insert(CampaignPart), rows)


def _audit(session: Session, campaign: Campaign, action: str, *, actor: Actor, now: datetime) -> None:
    details = {"name": campaign.name, "first": campaign.starts_on.isoformat(), "end": campaign.ends_on.isoformat()}
    audit.record(
        session, actor=actor, action=action, subject_kind="campaign", subject_id=campaign.id,
        program_id=campaign.program_id, details=details | {"cost_minor": campaign.cost_minor}, now=now,
    )  # fmt: skip
