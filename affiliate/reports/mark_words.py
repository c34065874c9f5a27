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
    tells_names: bool = True,
) -> dict[str, Any]:
    """What a chart of these days, or of some `among` them, adds to its spec: notes and the beginnings of campaigns, numbered.

    A campaign may be named after a partner, and a note may tell of one: for readers who are told no names they are marks and no more.
    """
    places = {day: place for place, day in enumerate(period.days if among is None else among)}
    found = remarks.marked(session, program_id=program_id, period=period)
    told = [
        {"index": places[one.day], "number": number, "text": _said(one, tells_names=tells_names)}
        for number, one in enumerate((one for one in found if one.day in places), start=1)
    ]
    return {"marks": told} if told else {}


def _said(one: Mark, *, tells_names: bool) -> str:
    if not tells_names:
        return _("Campaign") if one.is_campaign else _("Note")
    return _("Campaign: %(name)s", name=one.text) if one.is_campaign else one.text
