"""What a partner has done of its first steps, in one query: for the list on its home page."""

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.ingest.models import ClickVerdict
from affiliate.ingest.rollup_models import ClickHour, CreativeClickHour
from affiliate.joining.steps import Done
from affiliate.links.models import Link
from affiliate.partners.models import Partner


def done(session: Session, *, program_id: UUID, partner_id: UUID, can_be_paid: bool) -> Done:
    """How far a partner has come in a program. `can_be_paid`: whether it has said where its money goes."""
    here = {"program_id": program_id, "partner_id": partner_id}
    links_since = sa.select(sa.func.min(Link.created_at)).filter_by(**here).select_from(Link).scalar_subquery()
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
    told = sa.select(Partner.website, Partner.country, links_since, by_creative, valid)
    website, country, since, has_creative, has_click = session.execute(told.where(Partner.id == partner_id)).one()
    return Done(bool(website and country), can_be_paid, since, has_creative, has_click)
