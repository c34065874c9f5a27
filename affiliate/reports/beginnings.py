"""What a partner has done of its first steps, as parts of the query behind its home page."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa

from affiliate.ingest.models import ClickVerdict
from affiliate.ingest.rollup_models import ClickHour, CreativeClickHour
from affiliate.joining.steps import Done
from affiliate.links.models import Link
from affiliate.partners.models import Enrollment, Partner
from affiliate.taxes.models import TaxProfile, TaxSettings


def parts(*, program_id: UUID, partner_id: UUID) -> dict[str, Any]:
    """What has to be asked, by the name under which `done` finds it."""
    here = {"program_id": program_id, "partner_id": partner_id}
    by_creative = sa.exists().where(
        CreativeClickHour.program_id == program_id,
        CreativeClickHour.partner_id == partner_id,
        CreativeClickHour.creative != "",
    )
    valid = sa.exists().where(
        ClickHour.program_id == program_id,
        ClickHour.partner_id == partner_id,
        ClickHour.verdict == ClickVerdict.VALID,
    )
    of_taxes = (
        TaxProfile.program_id == program_id,
        TaxProfile.partner_id == partner_id,
        TaxProfile.replaced_at.is_(None),
    )
    let_in = sa.func.coalesce(Enrollment.decided_at, Enrollment.created_at)
    profile = (Partner.id == partner_id, Partner.website != "", Partner.country != "")
    return {
        "has_profile": sa.exists().where(*profile),
        "links_since": sa.select(sa.func.min(Link.created_at)).filter_by(**here).select_from(Link).scalar_subquery(),
        "has_creative": by_creative,
        "has_click": valid,
        "asks_taxes": sa.exists().where(TaxSettings.program_id == program_id),
        "has_taxes": sa.exists().where(*of_taxes),
        "joined_at": sa.select(let_in).filter_by(**here).select_from(Enrollment).scalar_subquery(),
    }


def done(row: sa.Row[Any], *, can_be_paid: bool) -> Done:
    """How far a partner has come, from a row of these parts. `can_be_paid`: whether it has said where its money goes."""
    has_taxes = bool(row.has_taxes) if row.asks_taxes else None
    return Done(
        bool(row.has_profile), can_be_paid, row.links_since, bool(row.has_creative), bool(row.has_click), has_taxes,
        row.joined_at,
    )  # fmt: skip
