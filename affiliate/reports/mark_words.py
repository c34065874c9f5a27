"""What charts say of days on which something happened, in the reader's language."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from affiliate.reports import remarks
from affiliate.reports.periods import Period
from affiliate.reports.remarks import Mark


def marks(
    session: Session,
    *,
    program_id: UUID,
    period: Period,
    among: Sequence[date] | None = None,
    names_campaigns: bool = True,
) -> dict[str, Any]:
    """What a chart of these days, or of some `among` them, adds to its spec: notes and the beginnings of campaigns, numbered.

    A campaign may be named after a partner: for readers who are told no names it is a campaign and no more.
    """
    places = {day: place for place, day in enumerate(period.days if among is None else among)}
    found = remarks.marked(session, program_id=program_id, period=period)
    told = [
        {"index": places[one.day], "number": number, "text": _said(one, names_campaigns=names_campaigns)}
        for number, one in enumerate((one for one in found if one.day in places), start=1)
    ]
    return {"marks": told} if told else {}


def _said(one: Mark, *, names_campaigns: bool) -> str:
    if not one.is_campaign:
        return one.text
    return _("Campaign: %(name)s", name=one.text) if names_campaigns else _("Campaign")
