"""What was lost of orders: refunds, cancellations and reductions, in minor units of their order. Those of tests stay with tests.

A refund in another currency than its order is turned into it by the order's own rate: of the newest day before the order. By the
rate that it was taken by first it stays, as long as the order keeps its currency and its day. Without a rate it is put aside, visibly,
and takes nothing until one is stored or a manager says what it was worth.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from fractions import Fraction
from typing import Any, cast
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from affiliate import db
from affiliate.commissions.life import AdjustmentSource, Loss
from affiliate.commissions.models import Reduction
from affiliate.commissions.orders import cut
from affiliate.currencies import queries as currencies
from affiliate.currencies.convert import Exchange, Rates
from affiliate.ingest.models import Conversion, OrderEvent, OrderEventType, Refund
from affiliate.money import divide_half_even, exponent
from affiliate.programs.models import Program

Kept = dict[str, Any]
"""An exchange as a trace tells it, and the order's day (UTC)."""

_OF = ("from", "to", "order_day")
"""While these are the same, a rate that was kept is the refund's."""


@dataclass(frozen=True, slots=True)
class Losses:
    """What was lost of each order, in the order it happened, and the refunds that no rate turns into their order's currency.

    `turned` are those that a rate turns which is not kept with them yet, as `keep` wants it.
    """

    by_order: Mapping[UUID, Sequence[Loss]]
    without_rate: Collection[UUID]
    turned: Mapping[UUID, Kept]

    def of(self, conversion_id: UUID) -> Sequence[Loss]:
        """What was lost of this order."""
        return self.by_order.get(conversion_id, ())


def losses_of(session: Session, *, conversion_ids: Collection[UUID]) -> Losses:
    """What was lost of these conversions. A cancellation that came before the order was reinstated is void."""
    refunds = session.execute(_refunds(db.among(session, Refund.conversion_id, conversion_ids))).all()
    known = _rates(session, refunds)
    rows, without_rate, turned = [], set(), {}
    for row in refunds:
        exchange = _exchange(row, known) if _is_foreign(row) else None
        if exchange is None and _is_foreign(row):
            without_rate.add(row.id)
            continue
        if exchange is not None and not _is_kept(row):
            turned[row.id] = exchange.told() | {"order_day": _day(row)}
        rows.append((AdjustmentSource.REFUND, row.conversion_id, row.occurred_at, row.id, *_in_order(row, exchange)))
    rows += [
        (AdjustmentSource.ORDER_EVENT, *row)
        for row in session.execute(_cancellations(db.among(session, OrderEvent.conversion_id, conversion_ids)))
    ]
    rows += [
        (AdjustmentSource.VALIDATION, *row)
        for row in session.execute(_reductions(db.among(session, Reduction.conversion_id, conversion_ids)))
    ]
    found: defaultdict[UUID, list[Loss]] = defaultdict(list)
    for kind, conversion_id, _, source_id, amount_minor, items in sorted(rows, key=lambda row: row[2:4]):
        given = tuple((item["sku"], item["amount_minor"]) for item in items or ())
        found[conversion_id].append(Loss(kind, source_id, amount_minor, given))
    return Losses(found, without_rate, turned)


def exchanges(session: Session, *, refund_ids: Collection[UUID]) -> dict[UUID, Exchange]:
    """By what rate each of these refunds is turned into its order's currency, by refund; where one is needed, and known."""
    refunds = [row for row in session.execute(_refunds(Refund.id.in_(refund_ids))) if _is_foreign(row)]
    known = _rates(session, refunds)
    found = ((row.id, _exchange(row, known)) for row in refunds)
    return {refund_id: exchange for refund_id, exchange in found if exchange is not None}


def keep(session: Session, *, turned: Mapping[UUID, Kept]) -> None:
    """Write down by which rate these refunds are taken. One that is kept for the same order's currency and day stays."""
    if not turned:
        return
    refunds = cast("sa.Table", Refund.__table__)
    others = (refunds.c.exchange[name].as_string().is_distinct_from(sa.bindparam(f"is_{name}")) for name in _OF)
    keeping = sa.update(refunds).where(refunds.c.id == sa.bindparam("refund"), sa.or_(*others))
    rows = [
        {"refund": refund_id, "kept": kept} | {f"is_{name}": kept[name] for name in _OF}
        for refund_id, kept in turned.items()
    ]
    session.execute(keeping.values(exchange=sa.bindparam("kept")), rows)


def _refunds(wanted: sa.ColumnElement[bool]) -> sa.Select[*tuple[Any, ...]]:
    return (
        sa.select(
            Refund.conversion_id, Refund.occurred_at, Refund.id, Refund.amount_minor, Refund.items, Refund.settled_minor,
            Refund.settled_currency, Refund.exchange, Refund.currency.label("said"), Conversion.currency.label("of_order"),
            Program.currency.label("of_program"), Conversion.occurred_at.label("ordered_at"),
        )
        .join(Conversion, sa.and_(Conversion.id == Refund.conversion_id, Conversion.is_test == Refund.is_test))
        .join(Program, Program.id == Refund.program_id)
        .where(wanted)
    )  # fmt: skip


def _rates(session: Session, refunds: Sequence[Any]) -> Rates:
    unknown = [row for row in refunds if _is_foreign(row) and not _is_kept(row)]
    met = {currency for row in unknown for currency in (row.said, row.of_order)}
    return currencies.rates(session, currencies=met, moments=[row.ordered_at for row in unknown])


def _is_settled(row: Any) -> bool:
    """A manager's word counts for the currency that it named: the order may be known to be in another one since."""
    return row.settled_minor is not None and row.settled_currency == row.of_order


def _is_foreign(row: Any) -> bool:
    return row.amount_minor is not None and not _is_settled(row) and row.said not in {None, row.of_order}


def _is_kept(row: Any) -> bool:
    kept = row.exchange
    return kept is not None and [kept[name] for name in _OF] == [row.said, row.of_order, _day(row)]


def _day(row: Any) -> str:
    return str(row.ordered_at.astimezone(UTC).date())


def _exchange(row: Any, known: Rates) -> Exchange | None:
    """The rate that was kept, or the one of the order's day; None where there is none."""
    if _is_kept(row):
        return Exchange.read(row.exchange)
    return known.exchange(currency=row.said, to=row.of_order, at=row.ordered_at)


def _in_order(row: Any, exchange: Exchange | None) -> tuple[int | None, list[dict[str, Any]]]:
    """What was given back, in minor units of the order. Where no currency was said it was written with the program's decimals."""
    if _is_settled(row):
        return row.settled_minor, []
    if exchange is not None:
        return _times(row, exchange.factor)
    if row.amount_minor is None or row.said == row.of_order:
        return row.amount_minor, row.items or []
    return _times(row, Fraction(10) ** (exponent(row.of_order) - exponent(row.of_program)))


def _times(row: Any, factor: Fraction) -> tuple[int, list[dict[str, Any]]]:
    """Amount and items, each sum rounded once: items that were within the amount stay within it."""
    items = row.items or []
    parts = cut(
        _rounded(sum(item["amount_minor"] for item in items) * factor), [item["amount_minor"] for item in items]
    )
    turned = [item | {"amount_minor": minor} for item, minor in zip(items, parts, strict=True)]
    return _rounded(row.amount_minor * factor), turned


def _rounded(exact: Fraction) -> int:
    return divide_half_even(exact.numerator, exact.denominator)


def _cancellations(wanted: sa.ColumnElement[bool]) -> sa.Select[*tuple[Any, ...]]:
    reinstated = sa.exists().where(
        Reduction.conversion_id == OrderEvent.conversion_id,
        Reduction.is_reinstatement,
        Reduction.created_at >= OrderEvent.received_at,
    )
    return (
        sa.select(OrderEvent.conversion_id, OrderEvent.occurred_at, OrderEvent.id, sa.null(), sa.null())
        .join(Conversion, sa.and_(Conversion.id == OrderEvent.conversion_id, Conversion.is_test == OrderEvent.is_test))
        .where(wanted, OrderEvent.type == OrderEventType.CANCELLED, ~reinstated)
    )


def _reductions(wanted: sa.ColumnElement[bool]) -> sa.Select[*tuple[Any, ...]]:
    columns = (Reduction.conversion_id, Reduction.created_at, Reduction.id, Reduction.amount_minor, sa.null())
    later = aliased(Reduction)
    void = sa.exists().where(
        later.conversion_id == Reduction.conversion_id, later.is_reinstatement, later.created_at > Reduction.created_at
    )
    return sa.select(*columns).where(wanted, ~Reduction.is_reinstatement, ~void)
