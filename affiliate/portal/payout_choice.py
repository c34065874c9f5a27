"""Which of a partner's payouts the address of the list asks for: a state, perhaps only those paid from a day on."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from flask import request
from flask_babel import gettext as _

from affiliate import days, formats
from affiliate.payouts.models import PayoutStatus
from affiliate.portal.blueprint import with_arguments, zone
from affiliate.reports import periods, words
from affiliate.reports.sales import Pile

ON_ITS_WAY = "on_its_way"
"""Both states of a payout that is being prepared or sent: one station of the way of the money."""

_STATES: dict[str, frozenset[PayoutStatus]] = {
    ON_ITS_WAY: frozenset({PayoutStatus.PROPOSED, PayoutStatus.APPROVED}),
    **{
        status.value: frozenset({status}) for status in (PayoutStatus.PAID, PayoutStatus.FAILED, PayoutStatus.CANCELLED)
    },
}


@dataclass(frozen=True, slots=True)
class Choice:
    """What is asked for; anything that cannot be read counts as not asked. `first` is of the days of payment."""

    state: str | None
    first: date | None

    @property
    def statuses(self) -> frozenset[PayoutStatus]:
        """The states of payouts that are shown."""
        return _STATES[self.state] if self.state else frozenset(PayoutStatus)

    @property
    def paid_since(self) -> datetime | None:
        """The instant from which payments are shown, if not from the first."""
        return periods.end_of_day(self.first - timedelta(days=1), zone=zone()) if self.first else None


def read() -> Choice:
    """The choice of this request's address; a day counts only among payouts that are paid."""
    state = request.args.get("status", "")
    is_paid = state == PayoutStatus.PAID.value
    return Choice(state if state in _STATES else None, _first() if is_paid else None)


def chips(choice: Choice, piles: Mapping[PayoutStatus, Pile]) -> list[dict[str, Any]]:
    """One for each state that occurs; what is chosen takes itself away."""
    found = [_chip(_("All"), _count(piles, frozenset(PayoutStatus)), choice.state is None, status=None, first=None)]
    for state, statuses in _STATES.items():
        count, current = _count(piles, statuses), state == choice.state
        if count or current:
            chip = _chip(_label(state), count, current, status=None if current else state, first=None)
            found.append(chip | {"remove": current})
    if choice.first is not None:
        since = _chip(_("From %(day)s on", day=formats.day(choice.first)), None, True, first=None)
        found.append(since | {"remove": True})
    return found


def _chip(label: str, count: int | None, current: bool, **arguments: str | None) -> dict[str, Any]:  # noqa: FBT001 - a fact
    return {"label": label, "count": count, "current": current, "url": with_arguments(**arguments)}


def _count(piles: Mapping[PayoutStatus, Pile], statuses: frozenset[PayoutStatus]) -> int:
    return sum(piles[status].count for status in statuses)


def _label(state: str) -> str:
    return _("In payout") if state == ON_ITS_WAY else words.payout(PayoutStatus(state)).word


def _first() -> date | None:
    try:
        return days.read(request.args.get("first", ""))
    except ValueError:
        return None
