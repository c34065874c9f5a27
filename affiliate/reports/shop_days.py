"""The shop's own totals by day: read, and taken in. A day that is told again replaces what was told before, audited."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db
from affiliate.accounts import audit
from affiliate.accounts.actors import Actor
from affiliate.days import FIRST
from affiliate.errors import Invalid
from affiliate.reports import shop
from affiliate.reports.models import ShopDay
from affiliate.reports.periods import Period
from affiliate.reports.shop import Told

DAYS_MAX = 1_000
"""The most days that are taken at once."""
TOLD_MAX = 31
"""The most replaced days whose numbers the audit trail keeps of one delivery; the others by their number."""
_COUNT_MAX = 2**31 - 1

N_ = str  # marks a sentence for the translators
NOT_YET = N_("This day has not come yet.")
LONG_AGO = N_("This day is too long ago.")
MORE_THAN_PAID = N_("The costs are more than what was paid.")
MORE_THAN_ORDERED = N_("There are more new customers than orders.")
TOO_LARGE = N_("This number is too large.")


class BadDay(Invalid):
    """A day cannot be as it was told; `errors` names the fields."""


def told(session: Session, *, program_id: UUID, period: Period) -> dict[date, Told]:
    """The days of a period that the shop told."""
    rows = session.scalars(_of(program_id).where(ShopDay.day >= period.first, ShopDay.day < period.end))
    return {row.day: _read(row) for row in rows}


def margin_bps(session: Session, *, program_id: UUID, period: Period) -> int | None:
    """What the shop keeps of its revenue in these days, in basis points; null where it has not told."""
    [found] = margins_bps(session, program_id=program_id, periods=[period])
    return found


def margins_bps(session: Session, *, program_id: UUID, periods: Sequence[Period]) -> list[int | None]:
    """The same of each of these periods, in their order, by one statement."""
    revenue, costs = sa.func.sum(ShopDay.revenue_minor), sa.func.sum(ShopDay.costs_minor)
    known = (ShopDay.program_id == program_id, ShopDay.costs_minor.is_not(None))
    rows = [
        sa.select(sa.literal(place), revenue, costs).where(*known, ShopDay.day >= one.first, ShopDay.day < one.end)
        for place, one in enumerate(periods)
    ]
    found = {place: sums for place, *sums in session.execute(sa.union_all(*rows))} if rows else {}
    return [_margin_bps(*found[place]) for place in range(len(periods))]


def _margin_bps(paid: Any, spent: Any) -> int | None:
    return None if paid is None or spent is None else shop.margin_bps([Told(0, int(paid), costs_minor=int(spent))])


def check(day: date, one: Told, *, today: date) -> None:
    """Whether a day can be as it was told; `today` is that of the program's time zone.

    Raises:
        BadDay: names each field that is wrong.
    """
    counts = {"orders": one.orders, "visitors": one.visitors, "new_customers": one.new_customers}
    wrong = {name: [TOO_LARGE] for name, number in counts.items() if (number or 0) > _COUNT_MAX}
    if day > today:
        wrong["day"] = [NOT_YET]
    if day < FIRST:
        wrong["day"] = [LONG_AGO]
    if (one.costs_minor or 0) > one.revenue_minor:
        wrong["costs"] = [MORE_THAN_PAID]
    if (one.new_customers or 0) > one.orders:
        wrong["new_customers"] = [MORE_THAN_ORDERED]
    if wrong:
        raise BadDay(wrong)


def tell(
    session: Session, *, program_id: UUID, currency: str, days: Mapping[date, Told], actor: Actor, now: datetime
) -> dict[date, str]:
    """Take in what the shop says of these days; gives for each `new`, `replaced` or (the same as before) `known`.

    The caller has checked each day, and brings at most DAYS_MAX.
    """
    common = {"program_id": program_id, "currency": currency, "updated_at": now}
    rows = [common | {"day": day} | asdict(one) for day, one in sorted(days.items())]
    became = dict.fromkeys(db.insert_new(session, ShopDay, rows, returning=ShopDay.day), "new")
    replaced: dict[str, Any] = {}
    there = _of(program_id).where(ShopDay.day.in_(days.keys() - became)).order_by(ShopDay.day).with_for_update()
    for row in session.scalars(there, execution_options={"populate_existing": True}):
        before, after = _read(row), days[row.day]
        became[row.day] = "known" if before == after else "replaced"
        if before != after:
            replaced[row.day.isoformat()] = _differences(before, after)
            row.updated_at = now
            for name, value in asdict(after).items():
                setattr(row, name, value)
    if set(became.values()) - {"known"}:
        _record(session, program_id, became, replaced, actor=actor, now=now)
    return became


def _record(
    session: Session, program_id: UUID, became: Mapping[date, str], replaced: Mapping[str, Any], *, actor: Actor, now: datetime
) -> None:  # fmt: skip
    written = sorted(day.isoformat() for day, what in became.items() if what != "known")
    details = {
        "days": len(written), "first": written[0], "last": written[-1], "replaced": len(replaced),
        "changes": dict(list(replaced.items())[:TOLD_MAX]),
    }  # fmt: skip
    audit.record(
        session, actor=actor, action="shop_totals.tell", subject_kind="program", subject_id=program_id,
        program_id=program_id, details=details, now=now,
    )  # fmt: skip


def missing(days: Mapping[date, Told], period: Period, *, today: date) -> list[date]:
    """The days of a period that are over, and that the shop has not told."""
    return [day for day in period.days if day < today and day not in days]


def _of(program_id: UUID) -> sa.Select[ShopDay]:
    return sa.select(ShopDay).where(ShopDay.program_id == program_id)


def _read(row: ShopDay) -> Told:
    return Told(row.orders, row.revenue_minor, row.visitors, row.new_customers, row.costs_minor)


def _differences(before: Told, after: Told) -> dict[str, list[int | None]]:
    old, new = asdict(before), asdict(after)
    return {name: [old[name], new[name]] for name in old if old[name] != new[name]}
