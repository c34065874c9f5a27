"""What partners' sales leave the shop, by partner: read, with the margins of products that the shop wrote down; these are written, too."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from affiliate.accounts import audit
from affiliate.accounts.actors import Actor
from affiliate.commissions import losses
from affiliate.commissions.life import Loss
from affiliate.commissions.models import Commission
from affiliate.commissions.orders import cut
from affiliate.errors import Invalid
from affiliate.ingest.models import Conversion
from affiliate.money import BPS_PER_UNIT, divide_half_even
from affiliate.reports import goods, margin_rules, shop_days, spending
from affiliate.reports.margin_rules import Margin, Piece
from affiliate.reports.periods import Period
from affiliate.reports.products import CATEGORY, LABEL_LENGTH_MAX, NO_PRODUCT, SKU
from affiliate.reports.queries import NOT_COUNTED
from affiliate.reports.written_models import CountedGrid, ProductMargin

N_ = str  # marks a sentence for the translators

BATCH = 2_000
"""How many sales are in memory at a time; all of the days are added up."""
CATEGORIES_MAX = 100
STORED = "margin"
"""How the kinds of stored months begin."""


def product_margins(session: Session, *, program_id: UUID) -> dict[str, int]:
    """Basis points of the net price by category; empty: of all others."""
    rows = sa.select(ProductMargin.category, ProductMargin.margin_bps).where(ProductMargin.program_id == program_id)
    return {row.category: row.margin_bps for row in session.execute(rows.order_by(ProductMargin.category))}


def by_partner(session: Session, *, program_id: UUID, period: Period, currency: str) -> dict[UUID, Margin]:
    """What the sales of these days left, by partner: all of them, a batch at a time; four statements for each, and three."""
    margins = product_margins(session, program_id=program_id)
    shop_bps = shop_days.margin_bps(session, program_id=program_id, period=period)
    found: defaultdict[UUID, Margin] = defaultdict(Margin)
    for rows in _batches(session, _sales(program_id, period, currency)):
        lost = losses.losses_of(session, conversion_ids={row.conversion_id for row in rows if row.revenue_minor})
        for row in rows:
            is_new = not row.is_with_partner
            of_row = Margin(orders=is_new, shared=is_new and row.is_with_another, earned_minor=row.left_minor)
            pieces = _pieces(row, lost.of(row.conversion_id)) if row.revenue_minor else ()
            stays = margin_rules.total(margin_rules.of_piece(piece, margins, shop_bps) for piece in pieces)
            found[row.partner_id] += of_row + stays
    spent = spending.by_partner(session, program_id=program_id, period=period, currency=currency)
    for partner_id, minor in spent.items():
        found[partner_id] += Margin(spent_minor=minor)
    return dict(found)


def _batches(session: Session, sales: sa.Select[Any]) -> Iterator[Sequence[Any]]:
    """The rows of `_sales`, the newest first; each batch begins beside the last row of the one before, not after so many."""
    here = sa.tuple_(Commission.earned_at, Commission.id)
    rows = session.execute(sales.limit(BATCH)).all()
    while rows:
        yield rows
        last = rows[-1]
        mark = sa.tuple_(sa.literal(last.earned_at, Commission.earned_at.type), sa.literal(last.id, Commission.id.type))
        rows = session.execute(sales.where(here < mark).limit(BATCH)).all() if len(rows) == BATCH else []


def _sales(program_id: UUID, period: Period, currency: str) -> sa.Select[Any]:
    """The sales of these days, and of each whether its order is that of another row already: with its partner, or with another.

    The database knows it, however far apart the rows of an order come.
    """
    before = aliased(Commission)
    earlier = sa.exists().where(
        before.conversion_id == Commission.conversion_id, before.id < Commission.id, *_counted(before, program_id, period, currency)
    )  # fmt: skip
    columns = (
        Commission.id, Commission.earned_at, Commission.partner_id, Commission.conversion_id, Commission.revenue_minor,
        (Commission.amount_minor - Commission.reversed_minor).label("left_minor"), Conversion.amount_minor,
        Conversion.discount_minor, (Conversion.tax_minor + Conversion.shipping_minor).label("tax_minor"), Conversion.items,
        earlier.where(before.partner_id == Commission.partner_id).label("is_with_partner"),
        earlier.where(before.partner_id != Commission.partner_id).label("is_with_another"),
    )  # fmt: skip
    found = sa.select(*columns).join(Conversion, Conversion.id == Commission.conversion_id)
    newest = found.where(*_counted(Commission, program_id, period, currency))
    return newest.order_by(Commission.earned_at.desc(), Commission.id.desc())


def _counted(sold: Any, program_id: UUID, period: Period, currency: str) -> list[sa.ColumnElement[bool]]:
    """Which rows of the commissions count."""
    of_days = (sold.earned_at >= period.starts_at, sold.earned_at < period.ends_at)
    return [
        sold.program_id == program_id,
        sold.is_live,
        sold.status.not_in(NOT_COUNTED),
        *of_days,
        sold.currency == currency,
    ]


def _pieces(row: Any, lost: Sequence[Loss]) -> list[Piece]:
    """The lines of an order by product, each with its part of the partner's share."""
    weights: Counter[str] = Counter()
    categories: dict[str, str] = {}
    for item in row.items:
        sku = str(item.get(SKU) or NO_PRODUCT)
        weights[sku] += int(item["amount_minor"])
        categories[sku] = str(item.get(CATEGORY) or NO_PRODUCT)[:LABEL_LENGTH_MAX]
    if sum(weights.values()) <= 0:
        weights, categories = Counter({NO_PRODUCT: 1}), {}
    back = goods.returned(weights, lost, paid_minor=row.amount_minor) if lost else {}
    shares = [row.revenue_minor, *(_share(minor, row) for minor in (row.discount_minor, row.tax_minor))]
    cuts = (cut(minor, list(weights.values())) for minor in shares)
    return [
        Piece(categories.get(sku, NO_PRODUCT), *parts, *([back[sku]] if back.get(sku) else []))
        for sku, *parts in zip(weights, *cuts, strict=True)
    ]


def _share(minor: int, row: Any) -> int:
    """The partner's part of an amount of the order, in the program's currency."""
    return divide_half_even(minor * row.revenue_minor, row.amount_minor) if row.amount_minor > 0 else 0


def set_margins(session: Session, *, program_id: UUID, margins: Mapping[str, int], actor: Actor, now: datetime) -> None:
    """Write down what the shop keeps of its products' net price, by category, in the place of what was before.

    Raises:
        Invalid: too many, or one is no share.
    """
    if len(margins) > CATEGORIES_MAX:
        raise Invalid({"margins": [N_("100 categories at most.")]})
    if any(not 0 <= bps <= BPS_PER_UNIT for bps in margins.values()) or any(len(name) > LABEL_LENGTH_MAX for name in margins):  # fmt: skip
        raise Invalid({"margins": [N_("Write a share from 0 to 100 %.")]})
    before = product_margins(session, program_id=program_id)
    if before == dict(margins):
        return
    session.execute(sa.delete(ProductMargin).where(ProductMargin.program_id == program_id))
    kept = (CountedGrid.program_id == program_id, CountedGrid.kind.startswith(STORED))
    session.execute(sa.delete(CountedGrid).where(*kept))  # every month is another now
    rows = [{"program_id": program_id, "category": name, "margin_bps": bps, "updated_at": now} for name, bps in margins.items()]  # fmt: skip
    if rows:
        session.execute(sa.insert(ProductMargin), rows)
    audit.record(
        session, actor=actor, action="margins.set", subject_kind="program", subject_id=program_id, program_id=program_id,
        details={"before": before, "after": dict(margins)}, now=now,
    )  # fmt: skip
