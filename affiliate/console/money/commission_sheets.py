"""How the pages of commissions are shaped."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from flask import g, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from affiliate import formats, ids
from affiliate.commissions.models import CommissionStatus, DeclineReason
from affiliate.console import presenters, words
from affiliate.errors import Conflict
from affiliate.money import Money
from affiliate.reports.evidence import Evidence
from affiliate.reports.statuses import StatusTotal
from affiliate.web import request_now

CSV_HEAD = [
    "commission",
    "order",
    "earned_at",
    "partner",
    "status",
    "amount",
    "reversed",
    "left",
    "currency",
    "matures_at",
]
DECIDABLE = frozenset({CommissionStatus.PENDING, CommissionStatus.APPROVED})
FILTERS = ("status", "partner", "due", "order", "name", "page")
"""What the list's address holds: its filters and its page."""
_DUE_DAYS_MAX = 366


class AllMoved(Conflict):
    """None of the selected commissions could be decided any more."""

    code = "all_moved"


def due_before(typed: Mapping[str, str] | None = None) -> datetime | None:
    """The end of the days that `?due=7` asks for, or what else was typed: commissions whose validation period ends by then."""
    due = (request.args if typed is None else typed).get("due", "")
    days = int(due) if due.isascii() and due.isdigit() and len(due) < 6 else None  # noqa: PLR2004 - five digits are plenty
    return None if days is None else request_now() + timedelta(days=min(max(days, 0), _DUE_DAYS_MAX))


def table(rows: Sequence[Any], totals: Sequence[StatusTotal]) -> dict[str, Any]:
    """The filters with their counts, the rows, and the sum of what the filter shows."""
    chosen = presenters.chosen(CommissionStatus)
    count = {each.status: each.commissions for each in totals}
    chips = [presenters.chip(_("All"), current=chosen is None, count=sum(count.values()), status=None)]
    chips += [
        presenters.chip(
            words.commission(each).word, current=each is chosen, count=count.get(each, 0), status=each.value
        )
        for each in CommissionStatus
        if each in count or each is chosen
    ]
    left = {each.status: Money(each.left_minor, each.currency) for each in totals}
    is_searched = bool(request.args.get("order") or request.args.get("name"))  # the sum is of more than these rows then
    return {
        "chips": chips,
        "extra_chips": _narrowing(rows),
        "rows": [_row(row) for row in rows],
        "kept": {name: request.args[name] for name in FILTERS if request.args.get(name)},
        "sum": left.get(chosen) if chosen and not is_searched else None,
        "order": request.args.get("order", "").strip(),
        "name": request.args.get("name", "").strip(),
        "csv_url": presenters.with_filters("console.commissions_csv"),
        "decline_reasons": decline_reasons(),
        "decidable": any(row.status in DECIDABLE for row in rows),
    }


def _narrowing(rows: Sequence[Any]) -> list[dict[str, Any]]:
    """The filters that came with a link and can be taken away."""
    chips = []
    if request.args.get("partner"):
        name = rows[0].partner if rows else _("One partner")
        chips.append(presenters.chip(name, current=True, remove=True, partner=None))
    due = due_before()
    if due is not None:
        label = _("Validated by %(day)s", day=formats.day(due))
        chips.append(presenters.chip(label, current=True, remove=True, due=None))
    return chips


def _row(row: Any) -> dict[str, Any]:
    left = Money(row.amount_minor - row.reversed_minor, row.currency)
    return {
        "id": ids.public("com", row.id),
        "url": url_for("console.commission", commission_id=row.id),
        "order": row.order_id,
        "order_url": url_for("console.conversion", conversion_id=row.conversion_id),
        "partner": presenters.partner_link(row.partner_id, row.partner),
        "at": row.at,
        "left": left,
        "reversed": Money(row.reversed_minor, row.currency) if row.reversed_minor else None,
        "sign": words.commission(row.status),
        "why": _why(row),
        "decidable": row.status in DECIDABLE,
    }


def _why(row: Any) -> str:
    if row.status is CommissionStatus.PENDING and row.awaits is not None:
        return words.awaits(row.awaits)
    if row.status is CommissionStatus.PENDING:
        return str(_("Validation period ends %(day)s", day=formats.day(row.matures_at)))
    return words.commission_reason(row.reason)


def decline_reasons() -> list[tuple[str, str]]:
    """What a manager may choose as reason, the usual ones first."""
    return [(reason.value, words.decline_reason(reason)) for reason in DeclineReason]


def page(found: Evidence) -> dict[str, Any]:
    """Whose commission it is, and whether it can still be decided."""
    commission = found.commission
    name = found.partner_names.get(commission.partner_id)
    return {
        "id": ids.public("com", commission.id),
        "partner": presenters.partner_link(commission.partner_id, name),
        "order_url": url_for("console.conversion", conversion_id=commission.conversion_id),
        "review_url": _review_url(found),
        "decline_reasons": decline_reasons(),
        "can_approve": commission.is_live and commission.status is CommissionStatus.PENDING,
        "can_decline": commission.is_live and commission.status in DECIDABLE,
        "replaced": not commission.is_live,
    }


def _review_url(found: Evidence) -> str | None:
    """The case of this commission, where the fraud rules judged it; tests and recruiters' shares have none of their own."""
    commission = found.commission
    if commission.status is CommissionStatus.TEST or commission.level != 1:
        return None
    return url_for("console.fraud_case", conversion_id=commission.conversion_id, partner_id=commission.partner_id)


def csv_row(row: Any) -> list[Any]:
    """A line of the exported list."""
    amounts = [
        Money(minor, row.currency)
        for minor in (row.amount_minor, row.reversed_minor, row.amount_minor - row.reversed_minor)
    ]
    return [
        ids.public("com", row.id),
        row.order_id,
        row.at,
        row.partner,
        row.status.value,
        *amounts,
        row.currency,
        row.matures_at,
    ]


def all_moved() -> str:
    """Why nothing was done."""
    return str(_("Nothing was changed: somebody else had decided already, or the money is on its way."))


def decided(act: str, *, done: int, left_minor: int) -> str:
    """What happened, for the person who did it."""
    amount = formats.money(Money(left_minor, g.program.currency))
    if act == "approve":
        return ngettext(
            "%(num)d commission approved, %(amount)s.", "%(num)d commissions approved, %(amount)s.", done, amount=amount
        )
    return ngettext(
        "%(num)d commission declined, %(amount)s.", "%(num)d commissions declined, %(amount)s.", done, amount=amount
    )
