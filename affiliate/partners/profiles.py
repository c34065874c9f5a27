"""A partner says anew who it is and where it promotes. Takes session and now; never commits."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.accounts import audit
from affiliate.accounts.actors import Actor
from affiliate.partners.models import Partner


def change(
    session: Session, *, partner_id: UUID, name: str, website: str | None, country: str | None,
    channels: Sequence[Mapping[str, Any]], actor: Actor, now: datetime,
) -> None:  # fmt: skip
    """What managers and pages call the partner from now on. What it wrote when it applied stays as it was."""
    values = {"name": name, "website": website, "country": country, "channels": [dict(each) for each in channels]}
    session.execute(sa.update(Partner).where(Partner.id == partner_id).values(values))
    audit.record(
        session, actor=actor, action="partner.change_profile", subject_kind="partner", subject_id=partner_id, now=now
    )
