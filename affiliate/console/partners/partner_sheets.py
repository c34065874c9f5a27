"""How the pages of partners are shaped: plain values for their templates."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from flask import request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from affiliate import formats, ids
from affiliate.console import presenters, words
from affiliate.ledger.models import AccountName
from affiliate.partners.models import EnrollmentStatus
from affiliate.reports import metrics
from affiliate.reports.partner_facts import PartnerFacts
from affiliate.reports.statuses import StatusTotal

LISTED = (EnrollmentStatus.APPROVED, EnrollmentStatus.PAUSED, EnrollmentStatus.BANNED)
"""Who stands in the table of partners: those who were let in once."""

_ACTS = {
    EnrollmentStatus.PENDING: ("approve", "reject"),
    EnrollmentStatus.APPROVED: ("pause", "ban"),
    EnrollmentStatus.REJECTED: ("approve",),
    EnrollmentStatus.PAUSED: ("resume", "ban"),
    EnrollmentStatus.BANNED: ("resume",),
}


def applications(
    rows: Sequence[Any],
    status: EnrollmentStatus,
    counts: Mapping[EnrollmentStatus, int],
    weighed: Mapping[UUID, Mapping[str, Any]],
) -> dict[str, Any]:
    """The tabs by status and the enrollments of the chosen one, with what the rules say of them."""
    tabs = [
        presenters.chip(words.enrollment(each).word, current=each is status, count=counts[each], status=each.value)
        for each in EnrollmentStatus
    ]
    return {
        "tabs": tabs,
        "rows": [_application(row, status) | {"weighed": weighed.get(row.id)} for row in rows],
        "status": status.value,
        "waiting": counts[EnrollmentStatus.PENDING],
    }


def _application(row: Any, status: EnrollmentStatus) -> dict[str, Any]:
    return {
        "id": ids.public("ptn", row.partner_id),
        "name": row.name,
        "url": url_for("console.partner", partner_id=row.partner_id),
        "website": row.website,
        "country": row.country,
        "said": presenters.first_answer(row.answers),
        "at": row.at,
        "age": presenters.age(row.at),
        "reason": row.reason,
        "sign": words.enrollment(status),
        "acts": act_urls(row.partner_id, status),
    }


def act_urls(partner_id: UUID, status: EnrollmentStatus) -> dict[str, str]:
    """What a manager may do with an enrollment of this status, and where to post it."""
    return {act: url_for("console.decide_partner", partner_id=partner_id, act=act) for act in _ACTS[status]}


def table(
    rows: Sequence[PartnerFacts],
    balances: Mapping[UUID, Mapping[AccountName, int]],
    counts: Mapping[EnrollmentStatus, int],
    *,
    pager: Mapping[str, str | None],
) -> dict[str, Any]:
    """The table of partners, with the addresses of the pages beside it."""
    status = presenters.chosen(EnrollmentStatus)
    chips = [presenters.chip(_("All"), current=status is None, count=sum(counts[each] for each in LISTED), status=None)]
    chips += [
        presenters.chip(words.enrollment(each).word, current=each is status, count=counts[each], status=each.value)
        for each in LISTED
    ]
    return {
        "rows": [_partner(row, balances.get(row.partner_id, {})) for row in rows],
        "matching": sum(counts[each] for each in LISTED) if status is None else counts[status],
        "chips": chips,
        "span_chips": presenters.span_chips(),
        "name": request.args.get("name", "").strip(),
        **pager,
        "files": {kind: presenters.with_filters("console.partners_file", kind=kind) for kind in ("csv", "xlsx")},
    }


def _partner(row: PartnerFacts, balances: Mapping[AccountName, int]) -> dict[str, Any]:
    return presenters.figures(row.facts) | {
        "id": row.partner_id,
        "name": row.partner_name,
        "url": url_for("console.partner", partner_id=row.partner_id),
        "sign": words.enrollment(row.status),
        "payable": presenters.amount(balances.get(AccountName.APPROVED, 0)),
    }


def csv_row(row: PartnerFacts) -> list[Any]:
    """A line of the exported table."""
    facts = row.facts
    shown = presenters.figures(facts)
    numbers = [facts.clicks_raw, facts.clicks_valid, facts.conversions]
    public_id = ids.public("ptn", row.partner_id)
    return [row.partner_name, public_id, row.status.value, *numbers, shown["revenue"], shown["earned"], facts.currency]


def page(row: Any) -> dict[str, Any]:
    """Who the partner is and how it stands in the program."""
    enrollment = row.Enrollment
    return {
        "partner": {
            "id": ids.public("ptn", row.Partner.id),
            "name": row.Partner.name,
            "website": row.Partner.website,
            "country": row.Partner.country,
            "channels": presenters.channels(row.Partner.channels),
        },
        "standing": {
            "sign": words.enrollment(enrollment.status),
            "status": enrollment.status.value,
            "since": enrollment.created_at,
            "decided_at": enrollment.decided_at,
            "decided_by": row.decided_by,
            "reason": enrollment.reason,
            "partner_class": enrollment.partner_class.value,
            "window_days": enrollment.attribution_window_days,
            "age": presenters.age(enrollment.created_at),
        },
        "acts": act_urls(row.Partner.id, enrollment.status),
    }


def numbers(by_day: Mapping[date, metrics.Facts], currency: str) -> dict[str, Any]:
    """What the partner brought in the chosen days, in sum and by day."""
    facts = metrics.total(by_day.values(), currency=currency)
    shown = presenters.figures(facts)
    summary = _("Commission by day, %(amount)s in all.", amount=presenters.text(shown["earned"]))
    cost = metrics.METRICS["cost"].of(facts)
    roi = metrics.METRICS["roi"].of(facts)
    shown |= {"cost": cost, "roi": formats.percent_bps(roi if isinstance(roi, int) else None)}
    return {"figures": shown, "chart": presenters.chart(by_day, currency), "chart_summary": summary}


def sums(totals: Sequence[StatusTotal], partner_id: UUID) -> list[dict[str, Any]]:
    """The partner's commissions by status, each with the address of its rows."""
    public_id = ids.public("ptn", partner_id)
    return [
        {
            "sign": words.commission(total.status),
            "count": total.commissions,
            "amount": presenters.amount(total.left_minor, total.currency),
            "url": url_for("console.commissions", status=total.status.value, partner=public_id),
        }
        for total in totals
    ]


def payouts(rows: Sequence[Any]) -> list[dict[str, Any]]:
    """The partner's newest payouts."""
    return [
        {
            "at": row.created_at,
            "sign": words.payout(row.status),
            "amount": presenters.amount(row.amount_minor, row.currency),
            "url": url_for("console.payout", run_id=row.run_id, payout_id=row.id),
        }
        for row in rows
    ]


def balances(found: Mapping[AccountName, int]) -> list[dict[str, str]]:
    """What lies on the partner's accounts."""
    return [
        {"name": words.account(name), "value": presenters.text(presenters.amount(minor))}
        for name, minor in found.items()
    ]


def decided(act: str, name: str) -> str:
    """What happened, for the person who did it."""
    sentences: dict[str, str] = {
        "approve": _("%(name)s is in. A mail tells them.", name=name),
        "reject": _("%(name)s was refused. A mail tells them, with your reason.", name=name),
        "pause": _("%(name)s is paused: new clicks do not count until you resume.", name=name),
        "resume": _("%(name)s goes on: clicks count again.", name=name),
        "ban": _("%(name)s is banned: clicks do not count and the portal is closed.", name=name),
    }
    return sentences[act]


def waiting_sentence(count: int) -> str:
    """How many applications wait."""
    return str(ngettext("%(num)d application waits for you.", "%(num)d applications wait for you.", count))
