"""What was lost of orders: refunds, cancellations and reductions, in minor units of their order. Those of tests stay with tests.

A refund in another currency than its order is turned into it by the order's own rate: of the newest day before the order. Without
one it is put aside, visibly, and takes nothing until the rate is stored or a manager says what it was worth.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any
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


@dataclass(frozen=True, slots=True)
class Losses:
    """What was lost of each order, in the order it happened, and the refunds that no rate turns into their order's currency."""

    by_order: Mapping[UUID, Sequence[Loss]]
    without_rate: Collection[UUID]

    def of(self, conversion_id: UUID) -> Sequence[Loss]:
        """What was lost of this order."""
        return self.by_order.get(conversion_id, ())


def losses_of(session: Session, *, conversion_ids: Collection[UUID]) -> Losses:
    """What was lost of these conversions. A cancellation that came before the order was reinstated is void."""
    refunds = session.execute(_refunds(db.among(session, Refund.conversion_id, conversion_ids))).all()
    known = _rates(session, refunds)
    rows, without_rate = [], set()
    for row in refunds:
        meant = _in_order(row, known)
        if meant is None:
            without_rate.add(row.id)
        else:
            rows.append((AdjustmentSource.REFUND, row.conversion_id, row.occurred_at, row.id, *meant))
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
    return Losses(found, without_rate)


def exchanges(session: Session, *, pairs: Sequence[tuple[Refund, Conversion]]) -> dict[UUID, Exchange]:
    """By what rate each of these refunds is turned into its order's currency, by refund; where one is needed, and known."""
    foreign = [(refund, order) for refund, order in pairs if refund.currency not in {None, order.currency}]
    met = {str(one.currency) for pair in foreign for one in pair}
    known = currencies.rates(session, currencies=met, moments=[order.occurred_at for _, order in foreign])
    found = (
        (refund.id, known.exchange(currency=str(refund.currency), to=order.currency, at=order.occurred_at))
        for refund, order in foreign
    )
    return {refund_id: exchange for refund_id, exchange in found if exchange is not None}


def _refunds(wanted: sa.ColumnElement[bool]) -> sa.Select[*tuple[Any, ...]]:
    return (
        sa.select(
            Refund.conversion_id, Refund.occurred_at, Refund.id, Refund.amount_minor, Refund.items, Refund.settled_minor,
            Refund.currency.label("said"), Conversion.currency.label("of_order"), Program.currency.label("of_program"),
            Conversion.occurred_at.label("ordered_at"),
        )
        .join(Conversion, sa.and_(Conversion.id == Refund.conversion_id, Conversion.is_test == Refund.is_test))
        .join(Program, Program.id == Refund.program_id)
        .where(wanted)
    )  # fmt: skip


def _rates(session: Session, refunds: Sequence[Any]) -> Rates:
    foreign = [row for row in refunds if _is_foreign(row)]
    met = {currency for row in foreign for currency in (row.said, row.of_order)}
    return currencies.rates(session, currencies=met, moments=[row.ordered_at for row in foreign])


def _is_foreign(row: Any) -> bool:
    return row.amount_minor is not None and row.settled_minor is None and row.said not in {None, row.of_order}


def _in_order(row: Any, known: Rates) -> tuple[int | None, list[dict[str, Any]]] | None:
    """What was given back, in minor units of the order; None without a rate.

    Where no currency was said it was written with the program's decimals.
    """
    if row.settled_minor is not None:
        return row.settled_minor, []
    if row.amount_minor is None or row.said == row.of_order:
        return row.amount_minor, row.items or []
    if row.said is None:
        return _times(row, Fraction(10) ** (exponent(row.of_order) - exponent(row.of_program)))
    rate = known.exchange(currency=row.said, to=row.of_order, at=row.ordered_at)
    return None if rate is None else _times(row, rate.factor)


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
