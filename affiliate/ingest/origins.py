"""What a click tells of where it came from, in the words under which clicks are counted and credits keep them. Each is empty where it says nothing.

A credit keeps the click's moment as well: visits that were sold to are found by it.
"""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db
from affiliate.ingest.devices import device
from affiliate.ingest.models import Click
from affiliate.ingest.referrers import HOST_LENGTH_MAX
from affiliate.ingest.rollup_models import LABEL_LENGTH_MAX


def sub_id(name: str = "sub1") -> sa.ColumnElement[str]:
    """A sub id of a click, cut as rollups cut the first."""
    return sa.func.substr(sa.func.coalesce(Click.subs[name].as_string(), ""), 1, LABEL_LENGTH_MAX).label("of_sub")


def told() -> Mapping[str, sa.ColumnElement[str]]:
    """All of it, by the names of the columns of a credit."""
    return {
        "sub1": sub_id(),
        "country": sa.func.coalesce(Click.country, ""),
        "device": device(),
        "referrer_host": sa.func.substr(sa.func.coalesce(Click.referrer_host, ""), 1, HOST_LENGTH_MAX),
        "creative": sa.func.coalesce(Click.creative, ""),
    }


NOTHING: dict[str, Any] = {"clicked_at": None, **dict.fromkeys(told(), "")}
"""Of a sale without a click."""


def of_clicks(session: Session, *, click_ids: Collection[UUID]) -> dict[UUID, dict[str, Any]]:
    """What each of these clicks tells; one that is not stored any more is not there."""
    if not click_ids:
        return {}
    columns: dict[str, Any] = {"clicked_at": Click.occurred_at, **told()}
    rows = session.execute(sa.select(Click.id, *columns.values()).where(db.among(session, Click.id, click_ids)))
    return {click_id: dict(zip(columns, values, strict=True)) for click_id, *values in rows}
