"""Every SELECT of taxes: a program's settings and rules, the profiles of its partners, questions to VIES."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db
from affiliate.partners.models import Partner
from affiliate.taxes.figures import Terms, vat_status
from affiliate.taxes.models import TaxProfile, TaxRule, TaxSettings, VatAnswer, VatCheck


@dataclass(frozen=True, slots=True)
class Position:
    """A partner's tax profile, the rule that it is under on a day, and what follows for its papers."""

    profile: TaxProfile
    rule: TaxRule | None
    terms: Terms


def settings_of(session: Session, *, program_id: UUID) -> TaxSettings | None:
    """The buyer and the demands of a program, if somebody has entered them."""
    return session.get(TaxSettings, program_id, populate_existing=True)


def profile_of(session: Session, *, program_id: UUID, partner_id: UUID) -> TaxProfile | None:
    """The present tax profile of a partner in a program."""
    mine = (TaxProfile.program_id == program_id, TaxProfile.partner_id == partner_id)
    return session.scalar(sa.select(TaxProfile).where(*mine, TaxProfile.replaced_at.is_(None)))


def latest_profile(session: Session, *, partner_id: UUID) -> TaxProfile | None:
    """What the partner entered last in any program: a form begins with it."""
    mine = sa.select(TaxProfile).where(TaxProfile.partner_id == partner_id)
    return session.scalar(mine.order_by(TaxProfile.created_at.desc(), TaxProfile.id.desc()).limit(1))


def rules_of(session: Session, *, program_id: UUID) -> Sequence[TaxRule]:
    """All tax rules of a program, by name, of one name the newest version first. A version may have a name of its own."""
    rows = sa.select(TaxRule).where(TaxRule.program_id == program_id)
    return session.scalars(rows.order_by(TaxRule.name, TaxRule.code, TaxRule.valid_from.desc())).all()


def rules_on(session: Session, *, program_id: UUID, day: date) -> dict[str, TaxRule]:
    """The rule in force on a day, by code: the latest version, whatever each is called."""
    rules = sorted(rules_of(session, program_id=program_id), key=lambda rule: rule.valid_from)
    return {rule.code: rule for rule in rules if rule.valid_from <= day}


def positions(session: Session, *, program_id: UUID, partner_ids: Collection[UUID], day: date) -> dict[UUID, Position]:
    """How these partners are taxed on a day; those without a profile are left out, all of them without a buyer."""
    settings = settings_of(session, program_id=program_id)
    if settings is None or not partner_ids:
        return {}
    mine = (TaxProfile.program_id == program_id, TaxProfile.replaced_at.is_(None))
    profiles = session.scalars(
        sa.select(TaxProfile).where(*mine, db.among(session, TaxProfile.partner_id, partner_ids))
    )
    rules = rules_on(session, program_id=program_id, day=day)
    return {each.partner_id: position(settings, each, rules.get(each.rule_code or "")) for each in profiles}


def position(settings: TaxSettings, profile: TaxProfile, rule: TaxRule | None) -> Position:
    """What follows from profile and rule for the papers of a program."""
    vat_bps = rule.vat_bps if rule is not None else 0
    status = vat_status(
        buyer_country=settings.country, country=profile.country, has_vat_id=profile.vat_id is not None, vat_bps=vat_bps
    )
    terms = Terms(
        paper=profile.paper,
        vat_status=status,
        vat_bps=vat_bps if status == "domestic" else 0,
        base_share_bps=rule.base_share_bps if rule is not None else 0,
        rate_bps=rule.rate_bps if rule is not None else 0,
        stamp_minor=rule.stamp_minor if rule is not None else 0,
        stamp_above_minor=rule.stamp_above_minor if rule is not None else 0,
    )
    return Position(profile, rule, terms)


def profiles_in(session: Session, *, program_id: UUID, limit: int) -> list[tuple[TaxProfile, str]]:
    """The present profiles of a program with their partners' names, by name."""
    mine = (TaxProfile.program_id == program_id, TaxProfile.replaced_at.is_(None))
    rows = sa.select(TaxProfile, Partner.name).join(Partner, Partner.id == TaxProfile.partner_id).where(*mine)
    return [(row[0], row[1]) for row in session.execute(rows.order_by(Partner.name, Partner.id).limit(limit))]


def history_of(session: Session, *, program_id: UUID, partner_id: UUID, limit: int = 20) -> Sequence[TaxProfile]:
    """The profiles that a partner has had, the newest first."""
    mine = (TaxProfile.program_id == program_id, TaxProfile.partner_id == partner_id)
    return session.scalars(sa.select(TaxProfile).where(*mine).order_by(TaxProfile.created_at.desc()).limit(limit)).all()


def latest_check(session: Session, *, profile_id: UUID) -> VatCheck | None:
    """The newest question to VIES about a profile."""
    mine = sa.select(VatCheck).where(VatCheck.profile_id == profile_id)
    return session.scalar(mine.order_by(VatCheck.asked_at.desc(), VatCheck.id.desc()).limit(1))


def waiting_checks(session: Session, *, limit: int) -> Sequence[VatCheck]:
    """Questions without an answer, the oldest first."""
    waiting = sa.select(VatCheck).where(VatCheck.answer == VatAnswer.WAITING)
    return session.scalars(waiting.order_by(VatCheck.asked_at).limit(limit)).all()
