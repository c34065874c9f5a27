"""Sales as a file, with the field names that other programs use, and what the click of each told."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db, exports, ids
from affiliate.commissions.models import Commission, CommissionStatus
from affiliate.ingest.devices import device
from affiliate.ingest.models import Click
from affiliate.reports.sales import Sale, Wanted

SUBS = tuple(f"sub{number}" for number in range(1, 11))
CLICK_REFS = {"click_ref": "sub1"} | {f"click_ref{number}": f"sub{number}" for number in range(2, 7)}
"""What other systems call the first sub ids (as `tracking.subs` takes them in): one value under two names."""

HEAD = (
    "transaction_id", "click_date", "transaction_date", "validation_date", "status", "decline_reason", "sale_amount",
    "sale_currency", "commission_amount", "currency", "order_ref", "link", *CLICK_REFS, *SUBS, "voucher_code", "country", "device",
    "referrer", "publisher_id", "program_id", "commission_status", "matures_at",
)  # fmt: skip
USUAL_COLUMNS = ("from", "basket", "state", "earned")
"""What a list shows beside order and day unless others are chosen."""
FIELDS_OF = {
    "from": ("link", "voucher_code"),
    "basket": ("sale_amount", "sale_currency"),
    "state": ("status", "decline_reason", "commission_status"),
    "approved": ("validation_date",),
    "matures": ("matures_at",),
    "clicked": ("click_date",),
    "subs": (*CLICK_REFS, *SUBS),
    "country": ("country",),
    "device": ("device",),
    "referrer": ("referrer",),
    "earned": ("commission_amount", "currency"),
}
"""The columns that can be chosen, in their order, and what stands for each in a file."""
OF_CLICKS = frozenset({"clicked", "subs", "country", "device", "referrer"})
_ALWAYS = ("transaction_id", "transaction_date", "order_ref")
STATUS = {
    CommissionStatus.UNVERIFIED: "pending",
    CommissionStatus.UNDER_REVIEW: "pending",
    CommissionStatus.PENDING: "pending",
    CommissionStatus.APPROVED: "approved",
    CommissionStatus.IN_PAYOUT: "approved",
    CommissionStatus.PAID: "paid",
    CommissionStatus.REVERSED: "declined",
    CommissionStatus.DECLINED: "declined",
    CommissionStatus.TEST: "declined",
}
"""Our states in the four words that other programs know; a test never pays, so that it is none of the others."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What the click behind a sale told; all empty where there was none, or it is kept no longer."""

    clicked_at: datetime | None = None
    subs: dict[str, Any] | None = None
    country: str = ""
    device: str = ""
    referrer_host: str = ""


def head(columns: Sequence[str] = ()) -> tuple[str, ...]:
    """The names above a file with these columns; without any choice it has everything."""
    chosen = {*_ALWAYS, *(name for key in columns for name in FIELDS_OF[key])}
    return tuple(name for name in HEAD if name in chosen) if columns else HEAD


def rows(
    session: Session, pages: Iterable[Sequence[Sale]], *, wanted: Wanted, columns: Sequence[str] = ()
) -> Iterator[list[exports.Cell]]:
    """The rows under `head`, in the order of the sales, which are of `wanted`; what clicks told is read once a page."""
    places = [HEAD.index(name) for name in head(columns)]
    whose = (ids.public("ptn", wanted.partner_id), ids.public("prg", wanted.program_id))
    for sales in pages:
        told = origins(session, sales)
        for one in sales:
            row = _row(one, told.get(one.commission_id, Origin()), whose)
            yield [row[place] for place in places]


def origins(session: Session, sales: Sequence[Sale]) -> dict[UUID, Origin]:
    """What the clicks behind these sales told, by the commission; by one query."""
    commission_ids = [one.commission_id for one in sales]
    columns = (Click.occurred_at, Click.subs, Click.country, device(), Click.referrer_host)
    found = (
        sa.select(Commission.id, *columns)
        .join(Click, Click.id == Commission.click_id)
        .where(db.among(session, Commission.id, commission_ids))
    )
    return {row[0]: Origin(*row[1:]) for row in session.execute(found)}


def _row(one: Sale, origin: Origin, whose: tuple[str, str]) -> list[exports.Cell]:
    """The customer paid in the order's currency; the commission is in the program's, which `currency` names."""
    subs = origin.subs or {}
    return [
        ids.public("com", one.commission_id),
        origin.clicked_at,
        one.earned_at,
        one.approved_at,
        STATUS[one.status],
        one.reason.value if one.reason else None,
        one.paid,
        one.paid.currency,
        one.left,
        one.left.currency,
        one.order_id,
        one.link_code,
        *(subs.get(name) for name in (*CLICK_REFS.values(), *SUBS)),
        one.coupon,
        origin.country,
        origin.device,
        origin.referrer_host,
        *whose,
        one.status.value,
        one.matures_at,
    ]
