"""Rows of lists as plain values for templates: words, colours, addresses."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from flask_babel import ngettext, pgettext

from affiliate import formats, ids
from affiliate.commissions.models import CommissionStatus
from affiliate.links.models import Coupon, Link, LinkStatus
from affiliate.money import Money
from affiliate.partners.models import EnrollmentStatus
from affiliate.payouts import exchanging
from affiliate.payouts.models import PaperState, Payout, PayoutStatus
from affiliate.programs.models import Program
from affiliate.reports import dimensions, periods, plan_words, sums, words
from affiliate.reports.asked import By
from affiliate.reports.metrics import METRICS, Facts
from affiliate.reports.sales import Sale
from affiliate.reports.transactions import SUBS, Origin
from affiliate.reports.words import Sign

TERMS = ("clicks_valid", "conversions", "conversion_rate", "earnings")
"""The metrics that are told of a link, a coupon, a creative."""


def enrollment(status: EnrollmentStatus) -> Sign:
    """Where a partner stands in a program, for the partner."""
    return {
        EnrollmentStatus.PENDING: Sign("wait", pgettext("membership", "Being read")),
        EnrollmentStatus.APPROVED: Sign("good", pgettext("membership", "Member")),
        EnrollmentStatus.REJECTED: Sign("bad", pgettext("membership", "Refused")),
        EnrollmentStatus.PAUSED: Sign("hold", pgettext("membership", "Paused"), "player-pause"),
        EnrollmentStatus.BANNED: Sign("bad", pgettext("membership", "Closed"), "ban"),
    }[status]


def sale(one: Sale) -> dict[str, Any]:
    """A commission as a line of “Latest sales”, of the list, of a payout."""
    return {
        "order_id": one.order_id,
        "earned_at": one.earned_at,
        "from": _("Coupon %(code)s", code=one.coupon) if one.coupon else one.link or "",
        "paid": one.paid,
        "left": one.left,
        "sign": words.commission(one.status),
        "reason": _state_reason(one),
        "url": url_for("portal.commission", commission_id=one.commission_id),
    }


def origin(one: Sale, told: Origin) -> dict[str, Any]:
    """What else a line of the list can show: days, and what the click told."""
    subs = told.subs or {}
    return {
        "moments": {"approved": one.approved_at, "matures": one.matures_at, "clicked": told.clicked_at},
        "texts": {
            "subs": " · ".join(f"{name}: {subs[name]}" for name in SUBS if subs.get(name)),
            "country": dimensions.word(By.COUNTRY, told.country) if told.country else "",
            "device": dimensions.word(By.DEVICE, told.device) if told.device else "",
            "referrer": told.referrer_host or "",
        },
    }


def _state_reason(one: Sale) -> str | None:
    if one.status is CommissionStatus.PENDING and one.awaits is not None:
        said = words.awaits(one.awaits)
    elif one.status is CommissionStatus.PENDING:
        said = _("Validation period until %(day)s", day=formats.day(one.matures_at))
    elif one.status is CommissionStatus.UNDER_REVIEW:
        said = _("A manager looks at it first")
    elif one.status is CommissionStatus.UNVERIFIED:
        said = _("The shop's server has not confirmed it yet")
    elif one.status is CommissionStatus.APPROVED:
        said = _("Approved on %(day)s", day=formats.day(one.approved_at))
    elif one.status is CommissionStatus.PAID:
        said = _("Paid on %(day)s", day=formats.day(one.paid_at))
    else:
        said = words.commission_reason(one.reason)
    taken = one.amount - one.left
    if taken and one.left:
        return f"{said}. " + _("%(amount)s was taken back", amount=formats.money(taken)) if said else None
    return said or None


def link(one: Link, facts: Facts, *, coupon: str | None, tracking_url: str, zone: str, now: datetime) -> dict[str, Any]:
    """A link with what it brought and the code of its coupon; its last day is one of `zone`."""
    return {
        "id": ids.public("lnk", one.id),
        "name": one.name or f"/r/{one.code}",
        "code": one.code,
        "address": f"{tracking_url}/r/{one.code}",
        "landing_url": one.landing_url,
        "subs": one.subs,
        "coupon": coupon,
        "created_at": one.created_at,
        "last_on": periods.last_day_before(one.expires_at, zone=zone) if one.expires_at else None,
        "has_ended": one.expires_at is not None and one.expires_at <= now,
        "is_active": one.status is LinkStatus.ACTIVE,
        "sign": _link_sign(one, now),
        "url": url_for("portal.link", link_id=one.id),
        "sales_url": url_for("portal.commissions", link=ids.public("lnk", one.id)),
        "clicks": facts.clicks_valid,
        "not_counted": facts.clicks_raw - facts.clicks_valid,
        "sales": facts.conversions,
        "rate": METRICS["conversion_rate"].of(facts),
        "earned": Money(facts.earned_minor, facts.currency),
    }


def _link_sign(one: Link, now: datetime) -> Sign:
    if one.status is not LinkStatus.ACTIVE:
        return Sign("hold", pgettext("link", "Paused"), "player-pause")
    if one.expires_at is not None and one.expires_at <= now:
        return Sign("hold", pgettext("link", "Ended"), "calendar")
    return Sign("good", pgettext("link", "Active"))


def coupon(one: Coupon, facts: Facts) -> dict[str, Any]:
    """A coupon with what it brought."""
    return {"code": one.code, "sales": facts.conversions, "earned": Money(facts.earned_minor, facts.currency)}


def payout(one: Payout) -> dict[str, Any]:
    """A payout as a line, and as the head of its page. The amount is what the partner gets."""
    waits = one.status is PayoutStatus.PROPOSED and one.paper is PaperState.AWAITED
    return {
        "id": ids.public("pay", one.id),
        "created_at": one.created_at,
        "paid_at": one.paid_at,
        "earned": Money(one.earned_minor, one.currency),
        "clawed_back": Money(one.clawed_back_minor, one.currency),
        "added": Money(one.vat_minor + one.stamp_minor, one.currency),
        "withheld": Money(one.withheld_minor, one.currency),
        "amount": Money(one.amount_minor - one.withheld_minor, one.currency),
        "paid": exchanging.amount_paid(one) if one.paid_currency else None,
        "rate": sums.rate_of_day(one.exchange) if one.exchange else None,
        "waits": waits,
        "notice_url": url_for("portal.payment_notice", payout_id=one.id) if one.notice else None,
        "sign": words.payout(one.status),
        "reason": {
            PayoutStatus.PROPOSED: _("It waits for your invoice") if waits else _("A second person looks at it"),
            PayoutStatus.APPROVED: _("On its way to you"),
            PayoutStatus.PAID: _("Paid on %(day)s", day=formats.day(one.paid_at)),
            PayoutStatus.FAILED: _("It did not arrive; its sales are in the next payout"),
            PayoutStatus.CANCELLED: _("Its sales are in the next payout"),
        }[one.status],
        "url": url_for("portal.payout", payout_id=one.id),
    }


def terms(program: Program, plan: Mapping[str, Any] | None, takes: timedelta | None = None) -> list[dict[str, str]]:
    """What the program promises, as facts of a receipt: by the terms of its plan; `takes` is the median time until an order is approved."""
    found = []
    if plan is not None:
        pays = plan_words.in_a_word(dict(plan), program.currency)
        found.append({"name": _("Commission"), "value": pays})
    found.append({"name": _("Counted for"), "value": _days(program.attribution_window_days)})
    found.append({"name": _("Validation period"), "value": _days(program.validation_days)})
    if takes is not None:
        found.append({"name": _("Half are approved within"), "value": _days(takes.days)})
    if program.payout_min_minor:
        minimum = Money(program.payout_min_minor, program.currency)
        found.append({"name": _("Paid from"), "value": formats.money(minimum)})
    return found  # fmt: skip


def _days(count: int) -> str:
    return ngettext("%(num)s day", "%(num)s days", count)
